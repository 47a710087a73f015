/* tls-front: TLS in front of a server without
 *
 * Not libsoup's own: that leaks the socket of a client which breaks off the handshake while the server is shut down. Here each
 * connection has two threads with blocking sockets, and shutting the sockets down ends both.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tls-front.h"

#define PIECE 65536

struct _TlsFront
{
  guint port, server_port;
  GTlsCertificate *certificate;
  GTlsDatabase *clients;
  GSocket *listener;
  GThread *thread;
  GPtrArray *relays;            /* of Relay; the thread's, and after it nobody's */
};

typedef struct
{
  TlsFront *front;
  GSocketConnection *client, *server;
  GIOStream *tls;
  GThread *thread;
} Relay;

static void
shut (GSocketConnection * connection)
{
  g_socket_shutdown (g_socket_connection_get_socket (connection), TRUE, TRUE,
      NULL);
}

static void
copy (Relay * relay, GIOStream * from, GIOStream * to)
{
  g_autofree gchar *piece = g_malloc (PIECE);
  gssize size;

  while ((size = g_input_stream_read (g_io_stream_get_input_stream (from),
              piece, PIECE, NULL, NULL)) > 0
      && g_output_stream_write_all (g_io_stream_get_output_stream (to), piece,
          size, NULL, NULL, NULL));
  shut (relay->client);
  shut (relay->server);
}

static gpointer
copy_back (gpointer user_data)
{
  Relay *relay = user_data;

  copy (relay, G_IO_STREAM (relay->server), relay->tls);
  return NULL;
}

static gboolean
verify_client (GTlsConnection * tls, GTlsCertificate * certificate,
    GTlsCertificateFlags errors, TlsFront * front)
{
  return g_tls_database_verify_chain (front->clients, certificate,
      G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT, NULL, NULL,
      G_TLS_DATABASE_VERIFY_NONE, NULL, NULL) == 0;
}

static gpointer
relay_run (gpointer user_data)
{
  Relay *relay = user_data;
  TlsFront *front = relay->front;
  GThread *back;

  relay->tls = g_tls_server_connection_new (G_IO_STREAM (relay->client),
      front->certificate, NULL);
  if (front->clients) {
    g_object_set (relay->tls, "authentication-mode",
        G_TLS_AUTHENTICATION_REQUIRED, NULL);
    g_signal_connect (relay->tls, "accept-certificate",
        G_CALLBACK (verify_client), front);
  }
  if (!g_tls_connection_handshake (G_TLS_CONNECTION (relay->tls), NULL, NULL)) {
    shut (relay->client);
    return NULL;
  }
  back = g_thread_new ("tls-front-back", copy_back, relay);
  copy (relay, relay->tls, G_IO_STREAM (relay->server));
  g_thread_join (back);
  return NULL;
}

static GSocketConnection *
connect_to (guint port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  return g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL,
      NULL);
}

static gpointer
front_run (gpointer user_data)
{
  TlsFront *front = user_data;
  GSocket *socket;

  while ((socket = g_socket_accept (front->listener, NULL, NULL))) {
    GSocketConnection *client =
        g_socket_connection_factory_create_connection (socket);
    GSocketConnection *server = connect_to (front->server_port);

    if (server) {
      Relay *relay = g_new0 (Relay, 1);

      *relay = (Relay) {
      .front = front,.client = client,.server = server};
      g_ptr_array_add (front->relays, relay);
      relay->thread = g_thread_new ("tls-front", relay_run, relay);
    } else {
      g_object_unref (client);
    }
    g_object_unref (socket);
  }
  return NULL;
}

static void
relay_free (Relay * relay)
{
  shut (relay->client);
  shut (relay->server);
  g_thread_join (relay->thread);
  g_clear_object (&relay->tls);
  g_object_unref (relay->client);
  g_object_unref (relay->server);
  g_free (relay);
}

TlsFront *
tls_front_new (guint port, GTlsCertificate * certificate,
    GTlsDatabase * clients)
{
  TlsFront *front = g_new0 (TlsFront, 1);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) own = NULL;
  g_autoptr (GError) error = NULL;

  front->server_port = port;
  front->certificate = g_object_ref (certificate);
  front->clients = clients ? g_object_ref (clients) : NULL;
  front->relays = g_ptr_array_new_with_free_func ((GDestroyNotify) relay_free);
  front->listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);
  if (!front->listener || !g_socket_bind (front->listener, any, TRUE, &error)
      || !g_socket_listen (front->listener, &error)
      || !(own = g_socket_get_local_address (front->listener, &error)))
    g_error ("TLS front: %s", error->message);
  front->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (own));
  front->thread = g_thread_new ("tls-front-door", front_run, front);
  return front;
}

void
tls_front_free (TlsFront * front)
{
  g_socket_shutdown (front->listener, TRUE, TRUE, NULL);
  g_thread_join (front->thread);
  g_ptr_array_unref (front->relays);
  g_object_unref (front->listener);
  g_object_unref (front->certificate);
  g_clear_object (&front->clients);
  g_free (front);
}

guint
tls_front_port (const TlsFront * front)
{
  return front->port;
}
