/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * The server acknowledges nothing but by completing segments. It holds 45 s, and when more comes it throws away the oldest
 * 30 s, transcribed or not: what is not settled must lie behind them then. Apart from that moment much audio in flight only makes
 * passes long, and from about 14 s on Whisper often takes a rest at their end for no speech, which keeps the server from completing
 * anything of them (tiny.en: 1 pass in 8 below that length, 1 in 2 above). So audio is sent up to a part of the window, and a little more
 * for each pass that completed nothing. Silence and noise are never completed: they go at a rate that the server can discard
 * them at. Pure: the present time is an argument (monotonic, µs).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-queue.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 window;               /* samples: what may be in flight after a pass that completed something */
  guint64 buffered;             /* samples in the server's buffer */
  gint64 next;                  /* when the next chunk of silence or noise may go */
  gint64 heard;                 /* when the last message came */
  gint64 slowest;               /* longest pass so far, 0: none was seen */
  gboolean open;                /* the last message had a partial: the next pass has begun */
  guint barren;                 /* messages since the last final */
} WhisperLivePacer;

#define WHISPERLIVE_PACER_NOW 0

/* A new connection. @max_server_lag_ms is reached only when passes complete nothing; @cautious: in portions that hardly ever do. */
void whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms, gboolean cautious, gint64 now);
/* The server has sent segments. @settled: new finals among them; @open: a partial. */
void whisperlive_pacer_heard (WhisperLivePacer * pacer, gboolean settled, gboolean open, gint64 now);
/* NOW when the next chunk may be sent, and then it has to be; else when to ask again at the latest. */
gint64 whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, gint64 now);
/* So much was sent, after ask() or without. */
void whisperlive_pacer_sent (WhisperLivePacer * pacer, guint samples);

G_END_DECLS
