/* flood-server: sends the same bytes for ever, as fast as they are taken, ready or not; it does not listen
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
/* More than the buffers of sockets */
#define IN_THE_MIDST (16 * 1024 * 1024 / PIECE)

struct _FloodServer
{
  GSocketListener *listener;
  GCancellable *cancellable;
  GThread *thread;
  gchar *uri;
  gboolean raw;                 /* no upgrade */
  GByteArray *once, *piece;

  GMutex lock;
  GCond cond;
  guint taken;                  /* under the lock: pieces */
};

/* Until the other side hangs up */
static void
hear_out (FloodServer * self, GSocketConnection * connection)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  gchar bytes[1024];

  while (g_input_stream_read (input, bytes, sizeof bytes, self->cancellable,
          NULL) > 0);
}

static void
flood (FloodServer * self, GOutputStream * output)
{
  while (g_output_stream_write_all (output, self->piece->data,
          self->piece->len, NULL, self->cancellable, NULL)) {
    g_mutex_lock (&self->lock);
    self->taken++;
    g_cond_broadcast (&self->cond);
    g_mutex_unlock (&self->lock);
  }
}

void
flood_server_wait (FloodServer * self)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  g_mutex_lock (&self->lock);
  while (self->taken < IN_THE_MIDST)
    if (!g_cond_wait_until (&self->cond, &self->lock, end))
      g_error ("flood server: nobody takes it");
  g_mutex_unlock (&self->lock);
}

static gpointer
serve (gpointer user_data)
{
  FloodServer *self = user_data;
  g_autoptr (GSocketConnection) connection = NULL;

  while ((connection = g_socket_listener_accept (self->listener, NULL,
              self->cancellable, NULL))) {
    GOutputStream *output =
        g_io_stream_get_output_stream (G_IO_STREAM (connection));

    if ((self->raw || raw_upgrade (G_IO_STREAM (connection)))
        && g_output_stream_write_all (output, self->once->data,
            self->once->len, NULL, self->cancellable, NULL)) {
      if (self->piece->len == 0)
        hear_out (self, connection);
      else
        flood (self, output);
    }
    g_clear_object (&connection);
  }
  return NULL;
}

static FloodServer *
start (gboolean raw, GByteArray * once, GByteArray * piece)
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
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->raw = raw;
  self->once = once;
  self->piece = piece;
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("flood-server", serve, self);
  return self;
}

static GByteArray *
repeat (const gchar * frame, gsize length)
{
  GByteArray *piece = g_byte_array_new ();

  do {
    g_byte_array_append (piece, (const guint8 *) frame, length);
  } while (piece->len < PIECE);
  return piece;
}

FloodServer *
flood_server_new (const gchar * once, gsize once_length, const gchar * frame,
    gsize length)
{
  GByteArray *first = g_byte_array_new (), *piece = repeat (frame, length);

  g_byte_array_append (first, (const guint8 *) READY, strlen (READY));
  g_byte_array_append (first, (const guint8 *) once, once_length);
  /* in one go: who has read that the server is ready is in the flood */
  g_byte_array_append (first, piece->data, piece->len);
  return start (FALSE, first, piece);
}

FloodServer *
flood_server_new_raw (const gchar * once, const gchar * again)
{
  GByteArray *first = g_byte_array_new ();

  g_byte_array_append (first, (const guint8 *) once, strlen (once));
  return start (TRUE, first, again ? repeat (again, strlen (again)) :
      g_byte_array_new ());
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
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self->uri);
  g_free (self);
}

const gchar *
flood_server_uri (const FloodServer * self)
{
  return self->uri;
}
