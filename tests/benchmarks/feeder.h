/* feeder: hands audio to a client piece by piece, each at the moment at which a microphone would have it complete
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "client.h"

G_BEGIN_DECLS

typedef struct
{
  /* Just before the piece that ends with sample @end is pushed, or NULL */
  void (*piece) (gpointer owner, guint64 end, gint64 now);
  /* All is pushed. */
  void (*done) (gpointer owner);
} FeederEvents;

typedef struct _Feeder Feeder;

/* On the thread-default main context. The first sample is heard now; @samples has to stay. */
Feeder *feeder_start (const ClientKind * kind, gpointer client, const gint16 * samples, gsize n_samples, guint piece_samples,
    const FeederEvents * events, gpointer owner);
/* When the first sample was heard; monotonic, µs */
gint64 feeder_since (const Feeder * feeder);
void feeder_free (Feeder * feeder);

G_END_DECLS
