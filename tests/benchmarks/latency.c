/* latency: what a client adds to the way of the audio to the server, and of the text back
 *
 * The client sends chunks in real time to a stamp-server of this process. Uplink: from the moment at which the client takes the
 * audio that completes a chunk (the sink: when it comes to its pad), until the server's libsoup has the chunk. Downlink: from
 * the moment before the server's libsoup is handed a message, until the client's libsoup has it (bare client) or a sync handler
 * of the bus (sink).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "feeder.h"
#include "stamp-server.h"

#define CHUNK (CLIENT_RATE / 10)
/* What is measured has certainly come when the second message after it has. The server speaks only when it has heard something: some audio
 * more is sent, and if that does not get the messages in this time, nothing will. */
#define LAST_MESSAGES 2
#define MORE CLIENT_RATE
#define PATIENCE 30

typedef struct
{
  GMainLoop *loop;
  StampServer *server;
  const ClientKind *kind;
  gpointer client;
  Feeder *feeder;
  gint16 *samples;
  gsize n_samples;              /* that are measured; there are MORE */
  guint piece_samples;
  guint patience;               /* timeout, or 0 */
  GArray *taken;                /* gint64, of each chunk; the client's thread */
  GArray *heard;                /* gint64, of each message; the client's thread */
  gint last_messages;           /* atomic; that are still awaited, 0: more will come that is measured */
  gboolean failed;
} Latency;

static void
on_taken (gpointer owner, guint64 end, gint64 now)
{
  Latency *self = owner;

  if (end % CHUNK == 0 && end <= self->n_samples)
    g_array_append_val (self->taken, now);
}

static void
on_piece (gpointer owner, guint64 end, gint64 now)
{
  Latency *self = owner;

  if (end == self->n_samples + CHUNK)
    g_atomic_int_set (&self->last_messages, LAST_MESSAGES);
}

static gboolean
on_too_late (gpointer user_data)
{
  Latency *self = user_data;

  g_printerr ("latency: %s: the last messages did not come\n",
      self->kind->name);
  self->failed = TRUE;
  self->patience = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
on_done (gpointer owner)
{
  Latency *self = owner;

  self->patience = g_timeout_add_seconds (PATIENCE, on_too_late, self);
}

static void
on_ready (gpointer owner)
{
  static const FeederEvents events = { on_piece, on_done };
  Latency *self = owner;

  self->feeder = feeder_start (self->kind, self->client, self->samples,
      self->n_samples + MORE, self->piece_samples, &events, self);
}

static void
on_message (gpointer owner, gint64 at, const gchar * json)
{
  Latency *self = owner;
  const gchar *text = g_strrstr (json, "\"text\":\"");

  /* A final repeats the number of a partial that was seen. */
  if (!text || g_ascii_strtoull (text + strlen ("\"text\":\""), NULL, 10)
      != self->heard->len)
    return;
  g_array_append_val (self->heard, at);
  if (g_atomic_int_get (&self->last_messages)
      && g_atomic_int_dec_and_test (&self->last_messages))
    g_main_loop_quit (self->loop);
}

static void
on_ended (gpointer owner, const gchar * error)
{
  Latency *self = owner;

  g_printerr ("latency: %s ended: %s\n", self->kind->name, error ? error : "");
  self->failed = TRUE;
  g_main_loop_quit (self->loop);
}

static void
print_times (const gchar * name, const GArray * times)
{
  guint i;

  g_print (", \"%s\": [", name);
  for (i = 0; i < times->len; i++)
    g_print ("%s%" G_GINT64_FORMAT, i ? ", " : "",
        g_array_index (times, gint64, i));
  g_print ("]");
}

/* A chunk has come with the frame that has its last sample. */
static GArray *
uplinks (Latency * self)
{
  const GArray *frames = stamp_server_frames (self->server);
  GArray *times = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint i, frame = 0;

  for (i = 0; i < self->taken->len; i++) {
    gint64 time;

    while (frame < frames->len
        && g_array_index (frames, StampFrame, frame).end < (i + 1) * CHUNK)
      frame++;
    if (frame == frames->len)
      break;
    time = g_array_index (frames, StampFrame, frame).at
        - g_array_index (self->taken, gint64, i);
    g_array_append_val (times, time);
  }
  return times;
}

static GArray *
downlinks (Latency * self)
{
  const GArray *sent = stamp_server_messages (self->server);
  GArray *times = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint i;

  for (i = 0; i < self->heard->len && i < sent->len; i++) {
    gint64 time = g_array_index (self->heard, gint64, i)
        - g_array_index (sent, gint64, i);

    g_array_append_val (times, time);
  }
  return times;
}

static void
print_result (Latency * self)
{
  g_autoptr (GArray) up = uplinks (self);
  g_autoptr (GArray) down = downlinks (self);

  g_print ("{\"client\": \"%s\", \"chunks\": %u, \"messages\": %u",
      self->kind->name, self->taken->len,
      stamp_server_messages (self->server)->len);
  print_times ("uplink", up);
  print_times ("downlink", down);
  g_print ("}\n");
  if (up->len < self->taken->len) {
    g_printerr ("latency: %u chunks did not come\n",
        self->taken->len - up->len);
    self->failed = TRUE;
  }
}

static void
run (Latency * self)
{
  static const ClientEvents events =
      { on_ready, on_message, on_taken, on_ended };

  self->server = stamp_server_new ();
  self->loop = g_main_loop_new (NULL, FALSE);
  self->client = self->kind->open (stamp_server_uri (self->server), &events,
      self);
  g_main_loop_run (self->loop);
  if (self->patience)
    g_source_remove (self->patience);
  self->kind->free (self->client);
  stamp_server_stop (self->server);
  if (!self->failed)
    print_result (self);
  g_clear_pointer (&self->feeder, feeder_free);
  stamp_server_free (self->server);
  g_main_loop_unref (self->loop);
}

static gint16 *
make_noise (gsize n_samples)
{
  gint16 *samples = g_new (gint16, n_samples);
  gsize i;

  for (i = 0; i < n_samples; i++)
    samples[i] = g_random_int_range (-3000, 3000);
  return samples;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree gchar *name = NULL;
  gint seconds = 60, piece = 100;
  Latency self = { 0 };
  const GOptionEntry entries[] = {
    {"client", 'c', 0, G_OPTION_ARG_STRING, &name, "Whose", "bare|sink"},
    {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "Of audio (60)", "N"},
    {"piece", 'p', 0, G_OPTION_ARG_INT, &piece,
        "What is handed over at a time: a divisor of 100 (100)", "MS"},
    G_OPTION_ENTRY_NULL
  };

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || !(self.kind = client_kind (name)) || seconds < 1 || piece < 1
      || 100 % piece != 0) {
    g_printerr ("latency: %s\n", error ? error->message : "see --help");
    return 2;
  }
  self.piece_samples = piece * CLIENT_RATE / 1000;
  self.n_samples = (gsize) seconds *CLIENT_RATE;
  self.samples = make_noise (self.n_samples + MORE);
  self.taken = g_array_new (FALSE, FALSE, sizeof (gint64));
  self.heard = g_array_new (FALSE, FALSE, sizeof (gint64));
  run (&self);
  g_array_unref (self.taken);
  g_array_unref (self.heard);
  g_free (self.samples);
  return self.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
