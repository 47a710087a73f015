/* session: what a server puts on a socket, through libsoup, parser and session, to the reports
 *
 * Input that begins with an exclamation mark is what the server writes after the upgrade, as it is. Other input is messages, a line each.
 * Then the connection ends.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#include <string.h>

#include "raw-upgrade.h"
#include "whisperlive-session.h"

#define CHUNK (WHISPERLIVE_RATE / 10)
#define SECONDS 20
#define FRAME_TEXT 0x81
#define READY "{\"message\": \"SERVER_READY\", \"backend\": \"faster_whisper\"}"

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean over;                /* under the lock */
  FuzzText text, translation;   /* the session thread's, and after it nobody's */
} Fuzz;

/* The server; what it sends is set before a session starts, and taken by the first connection */
static GSocketListener *listener;
static gchar *uri;
static GMutex sends_lock;
static GByteArray *sends;

static void
append_frame (GByteArray * wire, const gchar * text, gsize length)
{
  guint8 header[4] = { FRAME_TEXT, 126, length >> 8, length };

  if (length > G_MAXUINT16)
    return;
  if (length < 126) {
    header[1] = length;
    g_byte_array_append (wire, header, 2);
  } else {
    g_byte_array_append (wire, header, 4);
  }
  g_byte_array_append (wire, (const guint8 *) text, length);
}

static void
on_line (gpointer wire, const gchar * line, gsize length)
{
  append_frame (wire, line, length);
}

static GByteArray *
make_wire (const uint8_t * data, size_t size)
{
  GByteArray *wire = g_byte_array_new ();

  append_frame (wire, READY, strlen (READY));
  if (size > 0 && *data == '!')
    g_byte_array_append (wire, data + 1, size - 1);
  else
    fuzz_each_line (data, size, on_line, wire);
  return wire;
}

static void
serve_one (GIOStream * connection)
{
  GInputStream *input = g_io_stream_get_input_stream (connection);
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  g_autoptr (GByteArray) wire = NULL;
  gchar rest[4096];

  g_mutex_lock (&sends_lock);
  wire = g_steal_pointer (&sends);
  g_mutex_unlock (&sends_lock);
  /* a session that comes again finds nobody */
  if (!wire || !raw_upgrade (connection))
    return;
  g_output_stream_write_all (output, wire->data, wire->len, NULL, NULL, NULL);
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION
          (connection)), FALSE, TRUE, NULL);
  /* until the client closes: a reset would throw away what it has not read */
  while (g_input_stream_read (input, rest, sizeof rest, NULL, NULL) > 0);
}

static gpointer
serve (gpointer user_data)
{
  for (;;) {
    g_autoptr (GSocketConnection) connection =
        g_socket_listener_accept (listener, NULL, NULL, NULL);

    if (connection)
      serve_one (G_IO_STREAM (connection));
  }
  return NULL;
}

static void
start_server (void)
{
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) effective = NULL;

  listener = g_socket_listener_new ();
  g_assert_true (g_socket_listener_add_address (listener, address,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &effective, NULL));
  uri = g_strdup_printf ("ws://127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective)));
  g_thread_unref (g_thread_new ("server", serve, NULL));
}

static void
set_over (Fuzz * fuzz)
{
  g_mutex_lock (&fuzz->lock);
  fuzz->over = TRUE;
  g_cond_signal (&fuzz->cond);
  g_mutex_unlock (&fuzz->lock);
}

static void
on_state (gpointer owner, const WhisperLiveStateReport * report)
{
  g_assert_nonnull (report->reason);
}

static void
on_text (gpointer owner, const WhisperLiveTextReport * report)
{
  Fuzz *fuzz = owner;
  g_autoptr (GPtrArray) updates = g_ptr_array_new ();

  g_ptr_array_add (updates, (gpointer) report->update);
  fuzz_check_updates (report->translation ? &fuzz->translation : &fuzz->text,
      updates);
}

static void
on_language (gpointer owner, const gchar * language, gboolean detected,
    gdouble probability)
{
  g_assert_true (g_utf8_validate (language, -1, NULL));
  g_assert_true (probability >= 0 && probability <= 1);
}

static void
on_lost (gpointer owner, const WhisperLiveLoss * loss)
{
  g_assert_cmpuint (loss->samples, >, 0);
}

static void
on_drained (gpointer owner, gboolean complete)
{
  set_over (owner);
}

static void
on_raw (gpointer owner, const gchar * message, gsize length,
    GstClockTime running_time)
{
}

static void
on_stats (gpointer owner, const WhisperLiveStats * stats)
{
  g_assert_cmpuint (stats->messages_rejected, <=, stats->messages_received);
}

static void
on_warning (gpointer owner, const gchar * text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
on_error (gpointer owner, const GError * error)
{
  g_assert_true (error->domain == GST_RESOURCE_ERROR);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  set_over (owner);
}

static gboolean
on_accept_certificate (gpointer owner, GTlsCertificate * certificate,
    GTlsCertificateFlags errors)
{
  return FALSE;
}

static const WhisperLiveSessionEvents events = {
  .state = on_state,
  .text = on_text,
  .language = on_language,
  .lost = on_lost,
  .drained = on_drained,
  .raw = on_raw,
  .stats = on_stats,
  .warning = on_warning,
  .error = on_error,
  .accept_certificate = on_accept_certificate,
};

static void
push_audio (WhisperLiveQueue * queue)
{
  guint i;

  for (i = 0; i < SECONDS * 10; i++) {
    GstClockTime time = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) i * CHUNK);
    WhisperLiveMark mark = { 0, time, time, 1.0, 1.0 };
    GBytes *samples = g_bytes_new_take (g_malloc0 (2 * CHUNK), 2 * CHUNK);
    WhisperLiveChunk *chunk = whisperlive_chunk_new (samples, CHUNK, 0.1f,
        &mark);

    if (whisperlive_queue_push (queue, chunk,
            WHISPERLIVE_FULL_BLOCK) != GST_FLOW_OK)
      whisperlive_chunk_free (chunk);
  }
  whisperlive_queue_end (queue);
}

static WhisperLiveSettings *
make_settings (void)
{
  WhisperLiveSettings *settings = whisperlive_settings_new ();

  g_free (settings->uri);
  settings->uri = g_strdup (uri);
  settings->retries = 0;
  settings->keepalive_interval = 0;
  settings->close_timeout = 100;
  settings->post_raw = TRUE;
  return settings;
}

static void
run (Fuzz * fuzz, WhisperLiveQueue * queue)
{
  WhisperLiveSession *session = whisperlive_session_new (queue, &events, fuzz);

  whisperlive_session_start (session, make_settings ());
  push_audio (queue);
  whisperlive_session_set_playing (session, TRUE);
  g_mutex_lock (&fuzz->lock);
  while (!fuzz->over)
    g_cond_wait (&fuzz->cond, &fuzz->lock);
  g_mutex_unlock (&fuzz->lock);
  whisperlive_session_stop (session);
  whisperlive_session_free (session);
}

static void
check_counters (WhisperLiveQueue * queue)
{
  WhisperLiveCounters counters;

  whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_STOPPED);
  whisperlive_queue_get_counters (queue, &counters);
  /* what comes after an error is not received */
  g_assert_cmpuint (counters.received, <=, SECONDS * WHISPERLIVE_RATE);
  g_assert_cmpuint (counters.settled + counters.lost, ==, counters.received);
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t size)
{
  Fuzz fuzz = { 0 };
  WhisperLiveQueue *queue = whisperlive_queue_new ();

  if (!listener)
    start_server ();
  g_mutex_lock (&sends_lock);
  g_clear_pointer (&sends, g_byte_array_unref);
  sends = make_wire (data, size);
  g_mutex_unlock (&sends_lock);

  g_mutex_init (&fuzz.lock);
  g_cond_init (&fuzz.cond);
  run (&fuzz, queue);
  check_counters (queue);
  whisperlive_queue_free (queue);
  g_cond_clear (&fuzz.cond);
  g_mutex_clear (&fuzz.lock);
  return 0;
}
