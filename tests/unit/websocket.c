/* Tests of whisperlive-websocket: moments that a test of the element cannot choose. All else is tested with the element.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-websocket.h"

typedef struct
{
  WhisperLiveWebsocket *websocket;
  GSocketConnection *server;
  gchar byte;                   /* the first that came there */
  gboolean shut;
} Client;

/* As another thread may do it, at any time from now on. */
static void
on_socket (gpointer owner, GSocket * socket)
{
  Client *client = owner;

  client->shut = g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

static void
on_closed (gpointer owner, gushort code, const GError * error)
{
}

static const WhisperLiveWebsocketEvents events = {
  .socket = on_socket,
  .closed = on_closed,
};

static void
on_read (GObject * stream, GAsyncResult * result, gpointer user_data)
{
  Client *client = user_data;

  g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);
  g_clear_pointer (&client->websocket, whisperlive_websocket_free);
}

static void
on_accepted (GObject * listener, GAsyncResult * result, gpointer user_data)
{
  Client *client = user_data;

  client->server =
      g_socket_listener_accept_finish (G_SOCKET_LISTENER (listener), result,
      NULL, NULL);
  fail_unless (client->server != NULL);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM
          (client->server)), &client->byte, 1, G_PRIORITY_DEFAULT, NULL,
      on_read, client);
}

static const gchar *const schemes[] = { "ws", "wss" };

/* Before TLS begins its handshake it takes for granted that the socket is connected (glib-networking 2.74: a critical warning, if not). */
GST_START_TEST (test_socket_is_shut_at_once)
{
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  Client client = {.websocket = NULL };
  guint live = 0;

  fail_unless (g_socket_listener_add_address (listener, any,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address, NULL));
  g_socket_listener_accept_async (listener, NULL, on_accepted, &client);
  g_free (settings->uri);
  settings->uri = g_strdup_printf ("%s://127.0.0.1:%u", schemes[__i__],
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  client.websocket =
      whisperlive_websocket_open (settings, &events, &client, &live);
  while (client.websocket || live > 0)
    g_main_context_iteration (NULL, TRUE);

  if (g_str_equal (schemes[__i__], "ws")) {
    fail_unless (client.shut);
  } else {
    fail_if (client.shut);
    fail_unless_equals_int (client.byte, 22);   /* a handshake of TLS */
  }
  g_clear_object (&client.server);
}

GST_END_TEST;

static Suite *
websocket_suite (void)
{
  Suite *s = suite_create ("whisperlive-websocket");
  TCase *tc = tcase_create ("socket");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_socket_is_shut_at_once, 0,
      G_N_ELEMENTS (schemes));
  return s;
}

GST_CHECK_MAIN (websocket);
