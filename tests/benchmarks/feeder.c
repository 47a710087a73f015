/* feeder: hands audio to a client piece by piece, each at the moment at which a microphone would have it complete
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "feeder.h"

struct _Feeder
{
  const ClientKind *kind;
  gpointer client;
  const gint16 *samples;
  gsize n_samples, piece_samples, position;
  const FeederEvents *events;
  gpointer owner;
  GSource *source;
  gint64 since;
};

static gsize
piece_end (Feeder * self)
{
  return MIN (self->position + self->piece_samples, self->n_samples);
}

/* From the first sample, and not from the last piece: a late timer delays one piece, and not all that follow. */
static void
set_timer (Feeder * self)
{
  g_source_set_ready_time (self->source,
      self->since + (gint64) piece_end (self) * G_USEC_PER_SEC / CLIENT_RATE);
}

static gboolean
on_time (gpointer user_data)
{
  Feeder *self = user_data;
  gsize end = piece_end (self);

  if (self->events->piece)
    self->events->piece (self->owner, end, g_get_monotonic_time ());
  self->kind->push (self->client, self->samples + self->position,
      end - self->position, self->position);
  self->position = end;
  if (end == self->n_samples) {
    self->events->done (self->owner);
    return G_SOURCE_REMOVE;
  }
  set_timer (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource * source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { NULL, NULL, dispatch, NULL, NULL, NULL };

Feeder *
feeder_start (const ClientKind * kind, gpointer client, const gint16 * samples,
    gsize n_samples, guint piece_samples, const FeederEvents * events,
    gpointer owner)
{
  Feeder *self = g_new0 (Feeder, 1);

  self->kind = kind;
  self->client = client;
  self->samples = samples;
  self->n_samples = n_samples;
  self->piece_samples = piece_samples;
  self->events = events;
  self->owner = owner;
  self->since = g_get_monotonic_time ();
  self->source = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "feeder");
  g_source_set_callback (self->source, on_time, self, NULL);
  set_timer (self);
  g_source_attach (self->source, g_main_context_get_thread_default ());
  return self;
}

gint64
feeder_since (const Feeder * self)
{
  return self->since;
}

void
feeder_free (Feeder * self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_free (self);
}
