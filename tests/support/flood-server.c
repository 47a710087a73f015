/* flood-server: gets ready, and then sends the same bytes for ever, as fast as they are taken; it reads nothing
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "flood-server.h"

#include <gio/gio.h>
#include <string.h>

#include "raw-upgrade.h"

#define READY "\x81\x1a{\"message\":\"SERVER_READY\"}"
#define PIECE (64 * 1024)

struct _FloodServer
{
  GSocketListener *listener;
  GCancellable *cancellable;
  GThread *thread;
  gchar *uri;
  GByteArray *once, *piece;
};

static gpointer
serve (gpointer user_data)
{
  FloodServer *self = user_data;
  g_autoptr (GSocketConnection) connection = NULL;

  while ((connection = g_socket_listener_accept (self->listener, NULL,
              self->cancellable, NULL))) {
    GOutputStream *output =
        g_io_stream_get_output_stream (G_IO_STREAM (connection));

    if (raw_upgrade (G_IO_STREAM (connection))
        && g_output_stream_write_all (output, self->once->data,
            self->once->len, NULL, self->cancellable, NULL)) {
      while (g_output_stream_write_all (output, self->piece->data,
              self->piece->len, NULL, self->cancellable, NULL));
    }
    g_clear_object (&connection);
  }
  return NULL;
}

FloodServer *
flood_server_new (const gchar * once, gsize once_length, const gchar * frame,
    gsize length)
{
  FloodServer *self = g_new0 (FloodServer, 1);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) own = NULL;

  self->listener = g_socket_listener_new ();
  if (!g_socket_listener_add_address (self->listener, any,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &own, NULL))
    g_error ("flood server: no port");
  self->uri = g_strdup_printf ("ws://127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (own)));
  self->once = g_byte_array_new ();
  g_byte_array_append (self->once, (const guint8 *) READY, strlen (READY));
  g_byte_array_append (self->once, (const guint8 *) once, once_length);
  self->piece = g_byte_array_new ();
  do {
    g_byte_array_append (self->piece, (const guint8 *) frame, length);
  } while (self->piece->len < PIECE);
  /* in one go: who has read that the server is ready is in the flood */
  g_byte_array_append (self->once, self->piece->data, self->piece->len);
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("flood-server", serve, self);
  return self;
}

void
flood_server_free (FloodServer * self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  g_socket_listener_close (self->listener);
  g_object_unref (self->listener);
  g_byte_array_unref (self->once);
  g_byte_array_unref (self->piece);
  g_free (self->uri);
  g_free (self);
}

const gchar *
flood_server_uri (const FloodServer * self)
{
  return self->uri;
}
