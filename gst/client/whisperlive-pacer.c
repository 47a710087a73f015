/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-pacer.h"

#include "whisperlive-protocol.h"

/* The server's buffer, and what it throws away when that is full */
#define BUFFER (45 * WHISPERLIVE_RATE)
#define TRIM (30 * WHISPERLIVE_RATE)
/* Left of the lag for passes that complete nothing, and what each of those is worth */
#define RESERVE (2 * WHISPERLIVE_RATE)
#define STEP WHISPERLIVE_RATE
#define PASS (10 * WHISPERLIVE_RATE)
#define PORTION (5 * WHISPERLIVE_RATE)
#define CAUTIOUS (4 * WHISPERLIVE_RATE)
/* A pause is looked for in so much before a portion's end. */
#define SEARCH (2 * WHISPERLIVE_RATE)
/* Silence beyond the window: the server drops it within a pass, and says nothing about it. */
#define SILENCE_SPEED 8
/* Quiet for this long, or for three times its slowest pass so far: the server has nothing to say about what it holds. */
#define STALL (2 * G_USEC_PER_SEC)
/* Then sound goes at this speed, in percent of real time. With tiny.en a pass over noise can take 12 s (Whisper tries again and again), and
 * what arrives meanwhile has to fit into the 15 s that the server keeps when it throws away. */
#define STALLED_SPEED 125
/* What a server has had before, and said nothing about */
#define AGAIN_SPEED 400

void
whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms,
    gboolean cautious, gint64 now)
{
  guint64 lag = (guint64) max_server_lag_ms * (WHISPERLIVE_RATE / 1000);
  guint64 window = cautious ? CAUTIOUS : lag - MIN (RESERVE, lag / 2);
  guint64 pass = MIN (PASS, window);

  *pacer = (WhisperLivePacer) {
  .window = window,.pass = pass,.portion = MIN (PORTION, pass / 2),.allowed =
        pass,.heard = now,};
}

void
whisperlive_pacer_heard (WhisperLivePacer * pacer, guint64 lag,
    gboolean settled, gboolean open, gint64 now)
{
  if (pacer->open)
    pacer->slowest = MAX (pacer->slowest, now - pacer->heard);
  pacer->heard = now;
  pacer->open = open;
  pacer->barren = settled ? 0 : pacer->barren + 1;
  pacer->allowed = CLAMP (lag + pacer->portion, pacer->pass, pacer->window);
  /* the first message after a final is from a pass that began with it, before more could be sent */
  if (pacer->barren > 1)
    pacer->allowed += (pacer->barren - 1) * STEP;
  pacer->paused = FALSE;
}

guint64
whisperlive_pacer_get_room (const WhisperLivePacer * pacer,
    const WhisperLiveFlow * flow)
{
  guint64 room = pacer->allowed - MIN (flow->lag, pacer->allowed);

  return !pacer->paused && room < SEARCH && room >= flow->waiting ? room : 0;
}

void
whisperlive_pacer_pause_at (WhisperLivePacer * pacer, guint64 lag)
{
  pacer->allowed = lag;
  pacer->paused = TRUE;
}

/* Would the next chunk make the server throw away what it has not settled? */
static gboolean
overflows (const WhisperLivePacer * pacer, guint64 unsettled)
{
  return pacer->buffered > BUFFER && unsettled > pacer->buffered - TRIM;
}

gint64
whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gint64 now)
{
  guint64 lag = flow->lag + flow->waiting;
  guint64 sound = flow->sent - flow->speech + flow->waiting;
  gint64 duration = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) flow->waiting) /
      GST_USECOND;
  gboolean full = overflows (pacer, flow->sent - flow->speech);
  gint64 at = pacer->next;

  if (lag <= pacer->allowed && !full) {
    pacer->next = now;
    return WHISPERLIVE_PACER_NOW;
  }
  if (sound + WHISPERLIVE_AFTERSOUND <= pacer->allowed && !full) {
    duration /= SILENCE_SPEED;
  } else {
    duration = duration * 100 / (flow->again ? AGAIN_SPEED : STALLED_SPEED);
    at = MAX (at, pacer->heard + MAX (STALL, 3 * pacer->slowest));
  }
  if (now < at)
    return at;
  /* from now on, not from when it was due: what was held up is not sent in a burst */
  pacer->next = now + duration;
  return WHISPERLIVE_PACER_NOW;
}

void
whisperlive_pacer_sent (WhisperLivePacer * pacer, guint samples)
{
  if (pacer->buffered > BUFFER)
    pacer->buffered -= TRIM;
  pacer->buffered += samples;
}
