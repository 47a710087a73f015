/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-pacer.h"

#include <string.h>

/* The server's buffer, and what it throws away when that is full */
#define BUFFER (45 * WHISPERLIVE_RATE)
#define TRIM (30 * WHISPERLIVE_RATE)
/* The best pass, by what it completes for the time it takes (tiny.en, speech without pauses): of those below SHORT half complete nothing.
 * REST is what one of them leaves to the next. */
#define PASS (12 * WHISPERLIVE_RATE)
#define SHORT (10 * WHISPERLIVE_RATE)
#define REST (9 * WHISPERLIVE_RATE / 2)
/* Where no end is taken for no speech, the longer the better, up to what fits into one of Whisper's windows; in flight there has to be room
 * for what the next one lacks, too (percent of that). */
#define WHOLE_PASS (24 * WHISPERLIVE_RATE)
#define WHOLE_PASS_SHARE 60
/* Elsewhere this is too long. */
#define LONG_PASS (15 * WHISPERLIVE_RATE)
/* What each pass that completes nothing is worth */
#define STEP WHISPERLIVE_RATE
/* What one of them is worth that has no partial either: Whisper took its end for no speech, and that changes every few seconds, while
 * longer passes than 15 s hardly ever get out of it. */
#define LITTLE_MORE (2 * WHISPERLIVE_RATE)
/* Where no message would come of it, it has not after so many times as long as a pass takes: at first the server may be busy with what the
 * stuck connection left. */
#define PATIENT_AT_FIRST 2
#define PATIENT 1
/* So many in a row over the same audio, and waiting for a final does not help: the server repeats a partial no more than
 * same-output-threshold times. */
#define FRUITLESS 30
#define CAUTIOUS (10 * WHISPERLIVE_RATE)
/* A pause is looked for in so much before a portion's end. */
#define SEARCH (2 * WHISPERLIVE_RATE)
/* No more than this waits of a live source that the server keeps up with. */
#define AS_SPOKEN (WHISPERLIVE_RATE / 2)
/* Silence beyond the window: the server drops it within a pass, and says nothing about it. */
#define SILENCE_SPEED 8
/* Quiet for this long, and for four times its slowest pass so far: the server has nothing to say about what it holds. */
#define STALL (4 * G_USEC_PER_SEC)
/* And while no pass has been seen: on a slow machine the first may take so long. */
#define STALL_AT_FIRST (10 * G_USEC_PER_SEC)
/* So much longer before anything is thrown away: a session that may be stuck is replaced first. */
#define STALLED_FULL 2
/* Then sound goes at this speed, in percent of real time. With tiny.en a pass over noise can take 12 s (Whisper tries again and again), and
 * what arrives meanwhile has to fit into the 15 s that the server keeps when it throws away. */
#define STALLED_SPEED 125
/* What a server has had before, and said nothing about */
#define AGAIN_SPEED 400

static gboolean
is_cautious (const WhisperLivePacer * pacer)
{
  return (pacer->flags & WHISPERLIVE_PACER_CAUTIOUS) != 0;
}

void
whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms,
    WhisperLivePacerFlags flags, gint64 now)
{
  guint64 lag = (guint64) max_server_lag_ms * (WHISPERLIVE_RATE / 1000);
  guint64 pass = PASS;

  if (flags & WHISPERLIVE_PACER_TAKES_ALL)
    pass = CLAMP (lag * WHOLE_PASS_SHARE / 100, PASS, WHOLE_PASS);
  *pacer = (WhisperLivePacer) {
  .max_lag = lag,.pass = MIN (pass, lag),.flags = flags,.heard = now,.noted =
        now,};
  pacer->allowed = is_cautious (pacer) ? MIN (CAUTIOUS, lag) : pacer->pass;
}

gboolean
whisperlive_pacer_is_too_long (const WhisperLivePacer * pacer, guint64 samples)
{
  return samples > LONG_PASS && !(pacer->flags & WHISPERLIVE_PACER_TAKES_ALL);
}

/* The server has found nothing before the partial that is open, be it much noise. */
static guint64
get_lag (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow)
{
  guint64 begin = MAX (flow->head, MIN (pacer->open_at, flow->sent));

  return flow->lag - MIN (begin - flow->head, flow->lag);
}

/* Nothing in flight has sound. */
static gboolean
is_silent (const WhisperLiveFlow * flow)
{
  return flow->speech >= flow->sent;
}

/* So many seconds ago began, at the latest, the pass before the one that goes on over silence: neither takes longer than four others. */
static guint
get_silent_passes (const WhisperLivePacer * pacer)
{
  gint64 seconds = 2 * 4 * pacer->slowest / G_USEC_PER_SEC + 1;

  return pacer->slowest ? MIN (seconds, WHISPERLIVE_SILENT_PASSES) :
      WHISPERLIVE_SILENT_PASSES;
}

static void
note_silence (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gint64 now)
{
  if (!is_silent (flow))
    pacer->noted = now;
  for (; now >= pacer->noted + G_USEC_PER_SEC; pacer->noted += G_USEC_PER_SEC) {
    memmove (pacer->silence + 1, pacer->silence,
        sizeof pacer->silence - sizeof *pacer->silence);
    pacer->silence[0] = flow->sent;
  }
}

/* Where the server's passes begin, a partial or not: at the end of the last final, or in the silence that it dropped after that. */
static guint64
get_base (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow)
{
  guint64 base = flow->head;
  guint64 looked_at = flow->speech - MIN (WHISPERLIVE_SHORTEST_PASS,
      flow->speech);

  if (pacer->flags & WHISPERLIVE_PACER_DROPS_SILENCE)
    base = MAX (base, MIN (pacer->silence[get_silent_passes (pacer)],
            looked_at));
  else if (is_silent (flow))
    base = flow->speech;        /* it has nothing to say of what it has */
  return MIN (base, flow->sent);
}

/* That the server has behind @base */
static guint64
get_padding (const WhisperLivePacer * pacer, guint64 base)
{
  return base <= pacer->padded_at ? pacer->padding : 0;
}

/* Nothing is thrown away before there is more than that. Then it must not be what a pass has that goes on: the server would take its own
 * place in the stream for a later one, give wrong times and skip as much as that. */
static gboolean
fits (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    guint samples)
{
  guint64 base = get_base (pacer, flow);
  guint64 held = flow->sent - base + get_padding (pacer, base);

  return pacer->buffered + samples <= BUFFER || held + TRIM <= pacer->buffered;
}

/* For so long a server is quiet about sound only if it has nothing to say. */
static gint64
get_patience (const WhisperLivePacer * pacer)
{
  return pacer->slowest ? MAX (STALL, 4 * pacer->slowest) : STALL_AT_FIRST;
}

/* What the pass after the one that begins now, with @lag, lacks if that leaves @rest */
static guint64
get_allowed (const WhisperLivePacer * pacer, guint64 lag, guint64 rest)
{
  if (is_cautious (pacer))
    return MIN (CAUTIOUS, pacer->max_lag);
  return MIN (lag + pacer->pass - MIN (rest, pacer->pass), pacer->max_lag);
}

static guint64
guess_rest (guint64 lag)
{
  return lag < SHORT ? lag : REST;
}

/* Nothing is gained by holding back what comes as it is spoken: the server's passes choose their ends themselves, and one that lacks it
 * tells of it later. The beginning of a file looks the same. */
static gboolean
is_as_spoken (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow)
{
  gboolean begins = pacer->in_pass == 0;

  return !begins && !is_cautious (pacer)
      && flow->tail - flow->sent <= MAX (flow->waiting, AS_SPOKEN);
}

/* With this message or without it, whichever is nearer. One may go alone, whatever its length. */
static gboolean
is_allowed (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    guint64 lag)
{
  guint64 with = lag + flow->waiting;

  return lag == 0 || with <= pacer->allowed
      || (with <= pacer->max_lag && (is_as_spoken (pacer, flow)
          || with - flow->waiting / 2 <= pacer->allowed));
}

gboolean
whisperlive_pacer_heard (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gboolean settled, gboolean open, guint64 open_at, guint64 rest_at,
    gint64 now)
{
  gboolean goes_on = settled || open
      || !whisperlive_pacer_is_too_long (pacer, pacer->in_pass);
  guint64 rest;

  if (pacer->open)
    pacer->slowest = MAX (pacer->slowest, now - pacer->heard);
  pacer->heard = now;
  pacer->open = open;
  pacer->open_at = open ? open_at : 0;
  pacer->in_pass = get_lag (pacer, flow);
  pacer->barren = settled ? 0 : pacer->barren + 1;
  pacer->empty = settled || open ? 0 : pacer->empty + 1;
  pacer->fruitless = settled || fits (pacer, flow, 0) ? 0 :
      pacer->fruitless + 1;
  if (settled)
    pacer->flags &= ~WHISPERLIVE_PACER_CAUTIOUS;
  if (settled || is_silent (flow)) {
    memset (pacer->silence, 0, sizeof pacer->silence);
    pacer->noted = now;
  }
  rest = rest_at ? flow->sent - MIN (rest_at, flow->sent) :
      guess_rest (pacer->in_pass);
  pacer->allowed = get_allowed (pacer, pacer->in_pass, rest);
  if (!settled && !open)
    pacer->allowed = pacer->in_pass + LITTLE_MORE;
  /* the first message after a final is from a pass that began with it, before more could be sent */
  else if (pacer->barren > 1)
    pacer->allowed += (pacer->barren - 1) * STEP;
  pacer->paused = FALSE;
  return goes_on;
}

guint64
whisperlive_pacer_get_room (const WhisperLivePacer * pacer,
    const WhisperLiveFlow * flow)
{
  guint64 room = pacer->allowed - MIN (get_lag (pacer, flow), pacer->allowed);

  return !pacer->paused && room < SEARCH && room >= flow->waiting ? room : 0;
}

void
whisperlive_pacer_pause_after (WhisperLivePacer * pacer,
    const WhisperLiveFlow * flow, guint64 samples)
{
  pacer->allowed = get_lag (pacer, flow) + samples;
  pacer->paused = TRUE;
}

gint64
whisperlive_pacer_get_fit_time (const WhisperLivePacer * pacer,
    const WhisperLiveFlow * flow, guint samples)
{
  if (fits (pacer, flow, samples) || pacer->fruitless >= FRUITLESS)
    return WHISPERLIVE_PACER_NOW;
  if (is_silent (flow))
    return pacer->noted + G_USEC_PER_SEC;
  /* a pass goes on, however long it takes */
  if (pacer->open)
    return G_MAXINT64;
  return MAX (pacer->heard, flow->speech_at) +
      STALLED_FULL * get_patience (pacer);
}

/* Before the first final no message comes of a pass that ends where Whisper takes that for no speech. */
static void
go_on_in_quiet (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gint64 now, gint64 * again)
{
  gint64 at = MAX (pacer->heard, pacer->nudged) +
      (pacer->barren ? PATIENT : PATIENT_AT_FIRST) * pacer->expected;

  if (!is_cautious (pacer) || !pacer->expected || is_silent (flow))
    return;
  if (now >= at) {
    pacer->allowed = get_lag (pacer, flow) + LITTLE_MORE;
    pacer->paused = FALSE;
    pacer->nudged = now;
  } else {
    *again = at;
  }
}

gint64
whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow,
    gint64 now)
{
  guint64 lag = get_lag (pacer, flow);
  guint64 sound = flow->sent - flow->speech + flow->waiting;
  gint64 duration = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) flow->waiting) /
      GST_USECOND;
  gint64 fit, at = pacer->next;
  gint64 again = G_MAXINT64;

  note_silence (pacer, flow, now);
  go_on_in_quiet (pacer, flow, now, &again);
  /* the server looks before it takes one more */
  fit = whisperlive_pacer_get_fit_time (pacer, flow, 0);
  if (now < fit)
    return fit;
  if (is_allowed (pacer, flow, lag)
      && fit == WHISPERLIVE_PACER_NOW) {
    pacer->next = now;
    return WHISPERLIVE_PACER_NOW;
  }
  if (sound + WHISPERLIVE_AFTERSOUND <= pacer->allowed
      && fit == WHISPERLIVE_PACER_NOW) {
    duration /= SILENCE_SPEED;
  } else {
    duration = duration * 100 / (flow->again ? AGAIN_SPEED : STALLED_SPEED);
    at = MAX (at, pacer->heard + get_patience (pacer));
  }
  if (now < at)
    return MIN (at, again);
  /* from now on, not from when it was due: what was held up is not sent in a burst */
  pacer->next = now + duration;
  return WHISPERLIVE_PACER_NOW;
}

void
whisperlive_pacer_sent (WhisperLivePacer * pacer, guint samples)
{
  /* the first pass begins with it */
  if (pacer->buffered == 0 && samples >= WHISPERLIVE_SHORTEST_PASS)
    pacer->allowed = get_allowed (pacer, samples, guess_rest (samples));
  if (pacer->buffered > BUFFER) {
    pacer->buffered -= TRIM;
    pacer->fruitless = 0;
  }
  pacer->buffered += samples;
}

void
whisperlive_pacer_padded (WhisperLivePacer * pacer,
    const WhisperLiveFlow * flow, guint samples)
{
  pacer->padding = get_padding (pacer, get_base (pacer, flow)) + samples;
  pacer->padded_at = flow->sent;
  whisperlive_pacer_sent (pacer, samples);
}
