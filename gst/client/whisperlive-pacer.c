/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-pacer.h"

#include "whisperlive-protocol.h"

/* Silence beyond the window: the server drops it within a pass, and says nothing about it. */
#define SILENCE_SPEED 8
/* Quiet for this long, or for three times its slowest pass so far: the server has nothing to say about what it holds. */
#define STALL (2 * G_USEC_PER_SEC)

void
whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms,
    guint same_output_threshold, gint64 now)
{
  *pacer = (WhisperLivePacer) {
    .window = (guint64) max_server_lag_ms * (WHISPERLIVE_RATE / 1000),
    .patience = same_output_threshold + 2,
    .heard = now,
  };
}

void
whisperlive_pacer_heard (WhisperLivePacer * pacer, gboolean settled, gint64 now)
{
  if (pacer->unsettling > 0)
    pacer->slowest = MAX (pacer->slowest, now - pacer->heard);
  pacer->heard = now;
  pacer->unsettling = settled ? 0 : pacer->unsettling + 1;
}

gint64
whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gint64 now)
{
  guint64 lag = flow->sent - MIN (flow->head, flow->sent) + flow->waiting;
  guint64 sound = flow->sent - flow->sound + flow->waiting;
  gint64 duration = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) flow->waiting) /
      GST_USECOND;
  gint64 at;

  if (lag <= pacer->window) {
    pacer->next = now;
    return WHISPERLIVE_PACER_NOW;
  }

  if (sound <= pacer->window) {
    duration /= SILENCE_SPEED;
    at = pacer->next;
  } else if (pacer->unsettling > pacer->patience) {
    at = pacer->next;
  } else {
    at = MAX (pacer->next, pacer->heard + MAX (STALL, 3 * pacer->slowest));
  }
  if (now < at)
    return at;
  /* from now on, not from when it was due: what was held up is not sent in a burst */
  pacer->next = now + duration;
  return WHISPERLIVE_PACER_NOW;
}
