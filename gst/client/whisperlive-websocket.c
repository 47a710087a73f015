/* whisperlive-websocket: one WebSocket connection, and every libsoup call that there is
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-websocket.h"

#include <libsoup/soup.h>

#include "whisperlive-debug.h"
#include "whisperlive-proxy.h"

GST_DEBUG_CATEGORY_STATIC (whisperlive_websocket_debug);
#define GST_CAT_DEFAULT whisperlive_websocket_debug

/* RFC 6455; libsoup sends any opcode by send_message(), but has no name for this one */
#define OPCODE_PING ((SoupWebsocketDataType) 0x9)

/* A message of more than WHISPERLIVE_MAX_MESSAGE_SIZE is refused; a frame, or a message, of more than this ends the connection. */
#define MAX_SIZE G_GUINT64_CONSTANT (16 * 1024 * 1024)

struct _WhisperLiveWebsocket
{
  gatomicrefcount refs;         /* the owner's, and that of a connect which is under way */
  const WhisperLiveWebsocketEvents *events;
  gpointer owner;               /* NULL: freed, no more callbacks */
  guint *live;

  SoupSession *session;
  SoupMessage *message;
  GCancellable *cancellable;
  GSocket *socket;
  SoupWebsocketConnection *connection;
  GError *error;                /* what ended it */
  gboolean strict;
  gint64 since;
  gint64 ping_sent;             /* 0: no ping is unanswered */
};

static void
websocket_unref (WhisperLiveWebsocket * self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_object (&self->connection);
  g_clear_object (&self->message);
  g_clear_object (&self->session);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->socket);
  g_clear_error (&self->error);
  g_free (self);
}

static void
connection_gone (gpointer live, GObject * where_it_was)
{
  (*(guint *) live)--;
}

static void
emit_closed (WhisperLiveWebsocket * self, gushort code, const GError * error)
{
  if (self->owner)
    self->events->closed (self->owner, code, error);
}

static void
on_message (SoupWebsocketConnection * connection, gint type, GBytes * message,
    WhisperLiveWebsocket * self)
{
  gsize length;
  const gchar *text = g_bytes_get_data (message, &length);

  if (type == SOUP_WEBSOCKET_DATA_TEXT)
    self->events->text (self->owner, text, length);
  else
    GST_DEBUG ("ignoring a binary message of %" G_GSIZE_FORMAT " bytes",
        length);
}

/* Its payload is not looked at: libsoup declares it as GBytes but passes a GByteArray. */
static void
on_pong (SoupWebsocketConnection * connection, gpointer payload,
    WhisperLiveWebsocket * self)
{
  gint64 sent = self->ping_sent;

  self->ping_sent = 0;
  if (sent)
    self->events->pong (self->owner, g_get_monotonic_time () - sent);
}

/* A handler of its own: the one before may have freed us, and this is not called then. */
static void
on_busy (WhisperLiveWebsocket * self)
{
  self->events->busy (self->owner);
}

static void
on_error (SoupWebsocketConnection * connection, GError * error,
    WhisperLiveWebsocket * self)
{
  if (!self->error)
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
        "Connection lost: %s", error->message);
}

static void
on_closed (SoupWebsocketConnection * connection, WhisperLiveWebsocket * self)
{
  gushort code = soup_websocket_connection_get_close_code (connection);

  /* 0: the peer went away without a close frame */
  if (!self->error && code == 0)
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
        "Connection lost: the server hung up without a closing handshake");
  emit_closed (self, code, self->error);
}

static GError *
translate_error (WhisperLiveWebsocket * self, const GError * error)
{
  guint status = soup_message_get_status (self->message);

  if (status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN
      || status == SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED)
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
        "Refused with HTTP status %u (%s)", status,
        soup_message_get_reason_phrase (self->message));
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_NOT_ALLOWED))
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
        "Refused by the proxy: %s", error->message);
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
        "The server's certificate is not accepted: %s", error->message);
  if (g_error_matches (error, SOUP_WEBSOCKET_ERROR,
          SOUP_WEBSOCKET_ERROR_NOT_WEBSOCKET) && status != SOUP_STATUS_NONE)
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        "Not a WebSocket server: it answers with HTTP status %u (%s)", status,
        soup_message_get_reason_phrase (self->message));
  return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "Could not connect: %s", error->message);
}

/* All that it took to connect; the connection needs none of it. */
static void
release_request (WhisperLiveWebsocket * self)
{
  if (self->message)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
  g_clear_object (&self->session);
}

/* libsoup 3.2 bounds the frames only. */
static void
set_limits (GObject * connection)
{
  static const gchar total[] = "max-total-message-size";

  g_object_set (connection, "max-incoming-payload-size", MAX_SIZE, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (connection), total))
    g_object_set (connection, total, MAX_SIZE, NULL);
}

static void
on_connected (GObject * source, GAsyncResult * result, gpointer user_data)
{
  WhisperLiveWebsocket *self = user_data;
  g_autoptr (GError) error = NULL;
  SoupWebsocketConnection *connection;

  connection = soup_session_websocket_connect_finish (SOUP_SESSION (source),
      result, &error);
  if (connection) {
    /* it closes its socket some time after its last reference is gone */
    (*self->live)++;
    g_object_weak_ref (G_OBJECT (connection), connection_gone, self->live);
  }
  (*self->live)--;

  if (connection && self->owner) {
    self->connection = connection;
    set_limits (G_OBJECT (connection));
    g_signal_connect (connection, "message", G_CALLBACK (on_message), self);
    g_signal_connect (connection, "pong", G_CALLBACK (on_pong), self);
    g_signal_connect_swapped (connection, "message", G_CALLBACK (on_busy),
        self);
    g_signal_connect_swapped (connection, "pong", G_CALLBACK (on_busy), self);
    g_signal_connect (connection, "error", G_CALLBACK (on_error), self);
    g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
    self->events->opened (self->owner, g_get_monotonic_time () - self->since);
  } else if (connection) {
    g_object_unref (connection);
  } else if (self->owner) {
    self->error = translate_error (self, error);
    emit_closed (self, 0, self->error);
  }
  release_request (self);
  websocket_unref (self);
}

static gboolean
on_accept_certificate (SoupMessage * message, GTlsCertificate * certificate,
    GTlsCertificateFlags errors, WhisperLiveWebsocket * self)
{
  if (!self->owner)
    return FALSE;
  return !self->strict || self->events->accept_certificate (self->owner,
      certificate, errors);
}

/* What it says is enough: the body that follows may have no end. (An address with a password has its second try after it.) */
static void
on_headers (SoupMessage * message, WhisperLiveWebsocket * self)
{
  guint status = soup_message_get_status (message);

  if (status == SOUP_STATUS_FORBIDDEN || (status == SOUP_STATUS_UNAUTHORIZED
          && !g_uri_get_userinfo (soup_message_get_uri (message))))
    g_cancellable_cancel (self->cancellable);
}

/* The socket is the only thing that can be shut at once, whatever TLS or the peer is doing. By other threads not before it is complete: where
 * TLS begins, it takes for granted that the socket is connected. */
static void
on_network_event (SoupMessage * message, GSocketClientEvent event,
    GIOStream * stream, WhisperLiveWebsocket * self)
{
  GST_TRACE ("network event %d after %" G_GINT64_FORMAT " us", event,
      g_get_monotonic_time () - self->since);
  if (event == G_SOCKET_CLIENT_CONNECTED && G_IS_SOCKET_CONNECTION (stream))
    g_set_object (&self->socket,
        g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
  if (event == G_SOCKET_CLIENT_COMPLETE && self->socket && self->owner)
    self->events->socket (self->owner, self->socket);
}

static void
append_header_value (SoupMessageHeaders * headers, const gchar * name,
    const GValue * value)
{
  g_auto (GValue) string = G_VALUE_INIT;
  guint i;

  if (GST_VALUE_HOLDS_ARRAY (value)) {
    for (i = 0; i < gst_value_array_get_size (value); i++)
      append_header_value (headers, name, gst_value_array_get_value (value, i));
    return;
  }
  if (GST_VALUE_HOLDS_LIST (value)) {
    for (i = 0; i < gst_value_list_get_size (value); i++)
      append_header_value (headers, name, gst_value_list_get_value (value, i));
    return;
  }
  g_value_init (&string, G_TYPE_STRING);
  if (g_value_transform (value, &string) && g_value_get_string (&string))
    soup_message_headers_append (headers, name, g_value_get_string (&string));
}

static gboolean
append_header (GQuark field, const GValue * value, gpointer headers)
{
  append_header_value (headers, g_quark_to_string (field), value);
  return TRUE;
}

static SoupMessage *
make_message (WhisperLiveWebsocket * self, const WhisperLiveSettings * settings)
{
  /* not SOUP_METHOD_GET, which threads that use it for the first time race for */
  SoupMessage *message = soup_message_new ("GET", settings->uri);
  SoupMessageHeaders *headers;

  if (!message)
    return NULL;
  headers = soup_message_get_request_headers (message);
  if (settings->extra_headers)
    gst_structure_foreach (settings->extra_headers, append_header, headers);
  if (settings->api_key && *settings->api_key) {
    g_autofree gchar *bearer = g_strconcat ("Bearer ", settings->api_key, NULL);

    soup_message_headers_replace (headers, "Authorization", bearer);
  }
  /* a redirect could carry the key to another host; compression costs time and gains nothing on audio */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_disable_feature (message, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  g_signal_connect (message, "accept-certificate",
      G_CALLBACK (on_accept_certificate), self);
  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event),
      self);
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), self);
  return message;
}

static SoupSession *
make_session (const WhisperLiveSettings * settings)
{
  SoupSession *session = soup_session_new ();
  g_autoptr (GProxyResolver) resolver =
      whisperlive_proxy_resolver_new (settings);

  soup_session_set_proxy_resolver (session, resolver);
  /* connect-timeout is longer than libsoup's minute, or shorter */
  soup_session_set_timeout (session, 0);
  /* its own name goes behind a space at the end, and stands for none */
  soup_session_set_user_agent (session,
      settings->user_agent ? settings->user_agent : "");
  if (settings->tls_database)
    soup_session_set_tls_database (session, settings->tls_database);
  if (settings->tls_interaction)
    soup_session_set_tls_interaction (session, settings->tls_interaction);
  return session;
}

WhisperLiveWebsocket *
whisperlive_websocket_open (const WhisperLiveSettings * settings,
    const WhisperLiveWebsocketEvents * events, gpointer owner, guint * live)
{
  WhisperLiveWebsocket *self = g_new0 (WhisperLiveWebsocket, 1);

  WHISPERLIVE_DEBUG_CATEGORY_INIT (whisperlive_websocket_debug,
      "whisperlivewebsocket", "WhisperLive WebSocket connection");
  g_atomic_ref_count_init (&self->refs);
  self->events = events;
  self->owner = owner;
  self->live = live;
  self->strict = settings->ssl_strict;
  self->since = g_get_monotonic_time ();
  self->cancellable = g_cancellable_new ();
  self->session = make_session (settings);
  self->message = make_message (self, settings);
  g_assert (self->message != NULL);     /* settings_check() has seen the URI */

  (*live)++;
  g_atomic_ref_count_inc (&self->refs);
  soup_session_websocket_connect_async (self->session, self->message, NULL,
      NULL, G_PRIORITY_DEFAULT, self->cancellable, on_connected, self);
  return self;
}

static gboolean
release (gpointer connection)
{
  return G_SOURCE_REMOVE;
}

/* libsoup may be in the middle of a signal emission of this connection. */
static void
release_later (SoupWebsocketConnection * connection)
{
  GSource *source = g_idle_source_new ();

  g_source_set_static_name (source, "whisperlive release");
  g_source_set_callback (source, release, connection, g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
}

void
whisperlive_websocket_free (WhisperLiveWebsocket * self)
{
  self->owner = NULL;
  g_cancellable_cancel (self->cancellable);
  if (self->message)
    g_signal_handlers_disconnect_by_data (self->message, self);
  if (self->connection)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  if (self->socket)
    g_socket_shutdown (self->socket, TRUE, TRUE, NULL);
  if (self->connection)
    release_later (g_steal_pointer (&self->connection));
  websocket_unref (self);
}

static gboolean
is_open (WhisperLiveWebsocket * self)
{
  return self->connection
      && soup_websocket_connection_get_state (self->connection) ==
      SOUP_WEBSOCKET_STATE_OPEN;
}

void
whisperlive_websocket_send_text (WhisperLiveWebsocket * self,
    const gchar * text)
{
  if (is_open (self))
    soup_websocket_connection_send_text (self->connection, text);
}

void
whisperlive_websocket_send_binary (WhisperLiveWebsocket * self, GBytes * data)
{
  if (is_open (self))
    soup_websocket_connection_send_message (self->connection,
        SOUP_WEBSOCKET_DATA_BINARY, data);
}

/* libsoup keeps what the socket does not take, without a bound. */
gboolean
whisperlive_websocket_takes_more (WhisperLiveWebsocket * self)
{
  return !self->socket || g_socket_condition_check (self->socket, G_IO_OUT);
}

gboolean
whisperlive_websocket_ping (WhisperLiveWebsocket * self)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("ping", 4);

  if (self->ping_sent)
    return FALSE;
  if (!is_open (self))
    return TRUE;
  self->ping_sent = g_get_monotonic_time ();
  soup_websocket_connection_send_message (self->connection, OPCODE_PING,
      payload);
  return TRUE;
}

void
whisperlive_websocket_close (WhisperLiveWebsocket * self)
{
  if (is_open (self))
    soup_websocket_connection_close (self->connection,
        SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}
