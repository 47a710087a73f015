/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * The server acknowledges nothing but by completing segments, holds 45 s and throws away the oldest 30 s when that is
 * full: what it has not completed must stay below 15 s. Pure: the present time is an argument (monotonic, µs).
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
  guint64 window;               /* samples */
  guint patience;               /* messages without a final before the server counts as stalled */
  gint64 next;                  /* when the next chunk beyond the window may go */
  gint64 heard;                 /* when the last message came, or the window became full */
  gint64 slowest;               /* longest time between two messages so far */
  guint unsettling;             /* messages since the last final */
} WhisperLivePacer;

/* Never a time */
#define WHISPERLIVE_PACER_NOW 0

void whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms, guint same_output_threshold, gint64 now);
/* The server has sent segments; @settled: some of them were new finals. */
void whisperlive_pacer_heard (WhisperLivePacer * pacer, gboolean settled, gint64 now);
/* NOW when the next chunk may be sent, and then it has to be; else when to ask again at the latest. */
gint64 whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, gint64 now);

G_END_DECLS
