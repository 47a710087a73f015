/* The least that a client can cost: WebSockets of libsoup on one thread, which send the frames that whisperlivesink would send of the same
 * words, made beforehand, and do not look at what the server says. For comparison with many-sinks.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <libsoup/soup.h>
#include <string.h>

#include "spoken-words.h"
#include "usage.h"

#define PERIOD_US 100000
#define RATE 16000
#define FRAME_SAMPLES (RATE / 10)
#define CYCLE 60                /* words, then the first again */
#define TICK_MS 10

typedef struct
{
  SoupWebsocketConnection *connection;
  guint frames;                 /* sent */
  gint64 next;                  /* when its next frame is due, monotonic */
  gboolean ready;
} Client;

static gchar *uri;
static gint count = 10, seconds = 10;

static const GOptionEntry entries[] = {
  {"uri", 0, 0, G_OPTION_ARG_STRING, &uri, "The server", "URI"},
  {"count", 0, 0, G_OPTION_ARG_INT, &count, "Connections (10)", "N"},
  {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Of streaming (10)", "N"},
  {NULL, 0, 0, 0, NULL, NULL, NULL}
};

static GMainLoop *loop;
static Client *clients;
static GPtrArray *frames;       /* of GBytes */
static gint n_ready, n_closed;
static gint64 end;

/* Float32, as servers take it */
static void
make_frames (void)
{
  g_autoptr (GBytes) pcm = spoken_words (1, CYCLE, RATE, 1, 0, 0);
  gsize size, i, j;
  const gint16 *samples = g_bytes_get_data (pcm, &size);

  frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (i = 0; i < size / sizeof (gint16); i += FRAME_SAMPLES) {
    gfloat *frame = g_new (gfloat, FRAME_SAMPLES);

    for (j = 0; j < FRAME_SAMPLES; j++)
      frame[j] = GINT16_FROM_LE (samples[i + j]) / 32768.0f;
    g_ptr_array_add (frames, g_bytes_new_take (frame,
            FRAME_SAMPLES * sizeof (gfloat)));
  }
}

static void
send_frame (Client * client)
{
  soup_websocket_connection_send_message (client->connection,
      SOUP_WEBSOCKET_DATA_BINARY,
      g_ptr_array_index (frames, client->frames++ % frames->len));
  client->next += PERIOD_US;
}

static void
on_message (SoupWebsocketConnection * connection, gint type, GBytes * message,
    Client * client)
{
  const gchar *text = g_bytes_get_data (message, NULL);

  if (client->ready || !strstr (text, "SERVER_READY"))
    return;
  client->ready = TRUE;
  if (++n_ready == count)
    g_main_loop_quit (loop);
}

static void
on_closed (SoupWebsocketConnection * connection, Client * client)
{
  if (++n_closed == count)
    g_main_loop_quit (loop);
}

static void
on_connected (GObject * session, GAsyncResult * result, gpointer user_data)
{
  Client *client = user_data;
  g_autofree gchar *uid = g_uuid_string_random ();
  g_autofree gchar *handshake = g_strdup_printf ("{\"uid\": \"%s\", "
      "\"language\": \"en\", \"task\": \"transcribe\", \"model\": \"small\", "
      "\"use_vad\": true}", uid);
  g_autoptr (GError) error = NULL;

  client->connection =
      soup_session_websocket_connect_finish (SOUP_SESSION (session), result,
      &error);
  if (error)
    g_error ("%s", error->message);
  g_signal_connect (client->connection, "message", G_CALLBACK (on_message),
      client);
  g_signal_connect (client->connection, "closed", G_CALLBACK (on_closed),
      client);
  soup_websocket_connection_send_text (client->connection, handshake);
}

static void
connect_client (Client * client)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);

  soup_message_disable_feature (message, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  soup_session_websocket_connect_async (session, message, NULL, NULL,
      G_PRIORITY_DEFAULT, NULL, on_connected, client);
}

static gboolean
on_tick (gpointer unused)
{
  gint64 now = g_get_monotonic_time ();
  gint i;

  for (i = 0; i < count; i++)
    while (clients[i].next <= now && clients[i].next < end)
      send_frame (&clients[i]);
  if (now >= end)
    g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
run (void)
{
  Usage before, begin, after;
  gint64 now = g_get_monotonic_time ();
  gdouble ready;
  guint timer;
  gint i;

  usage_get (&before);
  for (i = 0; i < count; i++)
    connect_client (&clients[i]);
  g_main_loop_run (loop);
  ready = (g_get_monotonic_time () - now) / 1e6;

  usage_get (&begin);
  now = g_get_monotonic_time ();
  end = now + seconds * G_USEC_PER_SEC;
  for (i = 0; i < count; i++)
    clients[i].next = now + (gint64) PERIOD_US *i / count;
  timer = g_timeout_add (TICK_MS, on_tick, NULL);
  g_main_loop_run (loop);
  g_source_remove (timer);
  usage_get (&after);

  now = g_get_monotonic_time ();
  for (i = 0; i < count; i++)
    soup_websocket_connection_close (clients[i].connection,
        SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  g_main_loop_run (loop);

  g_print ("{\"sink\": \"bare\", \"count\": %d, \"seconds\": %d, "
      "\"ready_s\": %.6g, \"stopped_s\": %.6g, \"cpu_ms_per_audio_s\": %.6g, "
      "\"resident_kib_each\": %.6g, \"threads\": %u}\n", count, seconds, ready,
      (g_get_monotonic_time () - now) / 1e6,
      1000 * (after.cpu - begin.cpu) / count / seconds,
      ((gdouble) after.resident - before.resident) / count, after.threads);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  gint i;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !uri) {
    g_printerr ("%s\n", error ? error->message : "--uri is needed");
    return 2;
  }
  usage_raise_files ();
  loop = g_main_loop_new (NULL, FALSE);
  make_frames ();
  clients = g_new0 (Client, count);
  run ();
  for (i = 0; i < count; i++)
    g_object_unref (clients[i].connection);
  g_ptr_array_unref (frames);
  g_free (clients);
  g_main_loop_unref (loop);
  return 0;
}
