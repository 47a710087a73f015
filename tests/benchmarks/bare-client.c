/* bare-client: libsoup and nothing else, the floor: no queue, no pacing, no transcript, no reconnecting
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "client.h"

#include <libsoup/soup.h>
#include <string.h>

/* END_OF_AUDIO has the server throw away what it has not transcribed: the text is complete with the second message after the last sample.
 * After silence there is none. */
#define LAST_MESSAGES 2
#define LAST_SECONDS 5

#define HANDSHAKE \
  "{\"uid\":\"bare\",\"language\":\"en\",\"task\":\"transcribe\",\"model\":\"tiny.en\",\"use_vad\":true,\"send_last_n_segments\":50}"
#define END_OF_AUDIO "END_OF_AUDIO"

typedef struct
{
  const ClientEvents *events;
  gpointer owner;
  SoupSession *session;
  SoupWebsocketConnection *connection;
  gboolean is_ready;
  guint last_messages;          /* that are still awaited; 0: none is */
  guint timeout;
} BareClient;

static void
send_end (BareClient * self)
{
  if (self->timeout)
    g_source_remove (self->timeout);
  self->timeout = 0;
  self->last_messages = 0;
  soup_websocket_connection_send_binary (self->connection, END_OF_AUDIO,
      strlen (END_OF_AUDIO));
}

static gboolean
on_timeout (gpointer user_data)
{
  BareClient *self = user_data;

  self->timeout = 0;
  send_end (self);
  return G_SOURCE_REMOVE;
}

static void
on_message (SoupWebsocketConnection * connection, gint type, GBytes * message,
    BareClient * self)
{
  gint64 now = g_get_monotonic_time ();
  const gchar *text = g_bytes_get_data (message, NULL);

  /* libsoup ends its texts with a 0 */
  if (!self->is_ready) {
    self->is_ready = strstr (text, "SERVER_READY") != NULL;
    if (self->is_ready)
      self->events->ready (self->owner);
    return;
  }
  if (self->events->message)
    self->events->message (self->owner, now, text);
  if (self->last_messages && --self->last_messages == 0)
    send_end (self);
}

static void
on_closed (SoupWebsocketConnection * connection, BareClient * self)
{
  gushort code = soup_websocket_connection_get_close_code (connection);

  self->events->ended (self->owner,
      code == SOUP_WEBSOCKET_CLOSE_NORMAL ? NULL : "the connection was lost");
}

static void
on_connected (GObject * session, GAsyncResult * result, gpointer user_data)
{
  BareClient *self = user_data;
  g_autoptr (GError) error = NULL;

  self->connection =
      soup_session_websocket_connect_finish (SOUP_SESSION (session), result,
      &error);
  if (!self->connection) {
    self->events->ended (self->owner, error->message);
    return;
  }
  g_signal_connect (self->connection, "message", G_CALLBACK (on_message), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
  soup_websocket_connection_send_text (self->connection, HANDSHAKE);
}

static gpointer
bare_open (const gchar * uri, const ClientEvents * events, gpointer owner)
{
  BareClient *self = g_new0 (BareClient, 1);
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, uri);

  self->events = events;
  self->owner = owner;
  self->session = soup_session_new ();
  /* as the sink has it: compression gains nothing on audio */
  soup_message_disable_feature (message, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  soup_session_websocket_connect_async (self->session, message, NULL, NULL,
      G_PRIORITY_DEFAULT, NULL, on_connected, self);
  return self;
}

static void
bare_push (gpointer client, const gint16 * samples, gsize n_samples,
    guint64 position)
{
  BareClient *self = client;
  g_autofree gfloat *converted = g_new (gfloat, n_samples);
  gsize i;

  if (self->events->taken)
    self->events->taken (self->owner, position + n_samples,
        g_get_monotonic_time ());
  for (i = 0; i < n_samples; i++)
    converted[i] = samples[i] / 32768.0f;
  soup_websocket_connection_send_binary (self->connection, converted,
      n_samples * sizeof (gfloat));
}

static void
bare_finish (gpointer client)
{
  BareClient *self = client;

  self->last_messages = LAST_MESSAGES;
  self->timeout = g_timeout_add_seconds (LAST_SECONDS, on_timeout, self);
}

static void
bare_free (gpointer client)
{
  BareClient *self = client;

  if (self->timeout)
    g_source_remove (self->timeout);
  if (self->connection)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  g_clear_object (&self->session);
  g_free (self);
}

const ClientKind bare_client = {
  "bare", bare_open, bare_push, bare_finish, bare_free
};
