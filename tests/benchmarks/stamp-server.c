/* stamp-server: a server on loopback, in a thread of this process, that notes when audio comes and when messages go
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stamp-server.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

#include "client.h"

/* No multiple of a chunk's duration: messages shall find the client asleep, busy, and in between */
#define INTERVAL_MS 170

struct _StampServer
{
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  gchar *uri;

  /* its thread's */
  SoupServer *server;
  SoupWebsocketConnection *connection;
  gchar *uid;
  GSource *timer;
  guint64 samples;              /* received */
  guint64 last_start, last_end; /* of the last partial text */
  GArray *frames, *messages;
};

static void
append_segment (GString * message, guint64 start, guint64 end, guint number,
    gboolean completed)
{
  gchar from[G_ASCII_DTOSTR_BUF_SIZE], to[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (from, sizeof from, "%.3f", (gdouble) start / CLIENT_RATE);
  g_ascii_formatd (to, sizeof to, "%.3f", (gdouble) end / CLIENT_RATE);
  g_string_append_printf (message,
      "{\"start\":\"%s\",\"end\":\"%s\",\"text\":\"%u\",\"completed\":%s}",
      from, to, number, completed ? "true" : "false");
}

static gboolean
on_timer (gpointer user_data)
{
  StampServer *self = user_data;
  g_autoptr (GString) message = NULL;
  guint number = self->messages->len;
  gint64 now;

  if (self->samples <= self->last_end)
    return G_SOURCE_CONTINUE;
  message = g_string_new (NULL);
  g_string_append_printf (message, "{\"uid\":\"%s\",\"segments\":[", self->uid);
  if (number > 0) {
    append_segment (message, self->last_start, self->last_end, number - 1,
        TRUE);
    g_string_append_c (message, ',');
  }
  append_segment (message, self->last_end, self->samples, number, FALSE);
  g_string_append (message, "]}");
  self->last_start = self->last_end;
  self->last_end = self->samples;

  now = g_get_monotonic_time ();
  soup_websocket_connection_send_text (self->connection, message->str);
  g_array_append_val (self->messages, now);
  return G_SOURCE_CONTINUE;
}

static void
on_handshake (StampServer * self, GBytes * text)
{
  g_autoptr (JsonNode) node =
      json_from_string (g_bytes_get_data (text, NULL), NULL);
  g_autofree gchar *ready = NULL;

  g_free (self->uid);
  self->uid =
      g_strdup (json_object_get_string_member (json_node_get_object (node),
          "uid"));
  ready = g_strdup_printf ("{\"uid\":\"%s\",\"message\":\"SERVER_READY\","
      "\"backend\":\"faster_whisper\"}", self->uid);
  soup_websocket_connection_send_text (self->connection, ready);
  if (self->timer)
    return;
  self->timer = g_timeout_source_new (INTERVAL_MS);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
}

static void
on_message (SoupWebsocketConnection * connection, gint type, GBytes * message,
    StampServer * self)
{
  StampFrame frame;

  frame.at = g_get_monotonic_time ();
  if (type == SOUP_WEBSOCKET_DATA_TEXT) {
    on_handshake (self, message);
    return;
  }
  self->samples += g_bytes_get_size (message) / sizeof (gfloat);
  frame.end = self->samples;
  g_array_append_val (self->frames, frame);
}

static void
drop_timer (StampServer * self)
{
  if (self->timer)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
on_closed (SoupWebsocketConnection * connection, StampServer * self)
{
  drop_timer (self);
}

static void
on_connection (SoupServer * server, SoupServerMessage * message,
    const char *path, SoupWebsocketConnection * connection, gpointer user_data)
{
  StampServer *self = user_data;

  g_set_object (&self->connection, connection);
  g_signal_connect (connection, "message", G_CALLBACK (on_message), self);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
}

static gpointer
serve (gpointer user_data)
{
  StampServer *self = user_data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  drop_timer (self);
  if (self->connection)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  soup_server_disconnect (self->server);
  g_clear_object (&self->server);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

StampServer *
stamp_server_new (void)
{
  StampServer *self = g_new0 (StampServer, 1);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  self->frames = g_array_new (FALSE, FALSE, sizeof (StampFrame));
  self->messages = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  g_main_context_push_thread_default (self->context);
  self->server = soup_server_new (NULL, NULL);
  soup_server_remove_websocket_extension (self->server,
      SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
  soup_server_add_websocket_handler (self->server, NULL, NULL, NULL,
      on_connection, self, NULL);
  if (!soup_server_listen_local (self->server, 0,
          SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("cannot listen: %s", error->message);
  g_main_context_pop_thread_default (self->context);

  uris = soup_server_get_uris (self->server);
  self->uri =
      g_strdup_printf ("ws://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  self->thread = g_thread_new ("stamp-server", serve, self);
  return self;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
stamp_server_stop (StampServer * self)
{
  GSource *source;

  if (!self->thread)
    return;
  /* from inside the loop: it may not run yet */
  source = g_idle_source_new ();
  g_source_set_callback (source, quit, self->loop, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
  g_thread_join (self->thread);
  self->thread = NULL;
}

void
stamp_server_free (StampServer * self)
{
  stamp_server_stop (self);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_array_unref (self->frames);
  g_array_unref (self->messages);
  g_free (self->uri);
  g_free (self->uid);
  g_free (self);
}

const gchar *
stamp_server_uri (const StampServer * self)
{
  return self->uri;
}

const GArray *
stamp_server_frames (const StampServer * self)
{
  return self->frames;
}

const GArray *
stamp_server_messages (const StampServer * self)
{
  return self->messages;
}
