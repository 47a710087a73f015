/* whisperlive-pacer: how much may be sent now, given how far the server has come
 *
 * The server acknowledges nothing but by completing segments. It holds 45 s, and when more comes it throws away the oldest
 * 30 s, transcribed or not: what is not settled must lie behind them then, and so must the place where a pass began that
 * goes on, or its times are wrong and the server skips as much. Apart from that moment much audio in flight only makes
 * passes long, and from about 14 s on Whisper often takes a rest at their end for no speech, which keeps the server from completing
 * anything of them (tiny.en: 1 pass in 8 below that length, 1 in 2 above), unless it was told to take all for speech.
 *
 * A message ends a pass, and the next begins at once with what is there; the first begins with the first chunk, if that is long enough. So
 * each lets go what the pass after the next lacks: no pass sees only the rest that its predecessor left, and none sees too much. A portion
 * ends in a pause where it can, since Whisper is at its worst with a word that is cut. Passes that complete nothing get a little more each.
 * Silence and noise are never completed: they go at a rate that the server can discard them at. Pure: the present time is an
 * argument (monotonic, µs).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-protocol.h"
#include "whisperlive-queue.h"

G_BEGIN_DECLS

/* Two passes over silence take up to so many seconds: they may wait for those of others. */
#define WHISPERLIVE_SILENT_PASSES 8

typedef enum
{
  WHISPERLIVE_PACER_CAUTIOUS = 1 << 0,  /* one pass at a time, until there is a final: a connection was stuck, or lost */
  WHISPERLIVE_PACER_DROPS_SILENCE = 1 << 1,     /* the server's passes over silence count as done: it has VAD */
  WHISPERLIVE_PACER_TAKES_ALL = 1 << 2, /* the server takes no end of a pass for no speech */
} WhisperLivePacerFlags;

typedef struct
{
  guint64 max_lag;              /* samples in flight that only passes which complete nothing can exceed */
  guint64 pass;                 /* samples that a pass should have */
  WhisperLivePacerFlags flags;
  guint64 in_pass;              /* samples that the present pass began with */
  guint64 allowed;              /* samples in flight until the next message */
  gboolean paused;              /* allowed ends in a pause */
  guint64 buffered;             /* samples in the server's buffer */
  guint64 padding;              /* of these, silence that is not of the stream */
  guint64 padded_at;            /* where in the stream the last of it lies */
  gint64 next;                  /* when the next chunk of silence or noise may go */
  gint64 heard;                 /* when the last message came */
  /* how far the stream had come so many seconds before the sound in flight; 0: not after the last final */
  guint64 silence[WHISPERLIVE_SILENT_PASSES + 1];
  gint64 noted;                 /* when the first of these was */
  gint64 expected;              /* longest pass of the stuck connection before this one, 0: there was none */
  gint64 nudged;                /* when the server got more, for it was quiet */
  gint64 slowest;               /* longest pass so far, 0: none was seen */
  gboolean open;                /* the last message had a partial: the next pass has begun */
  guint64 open_at;              /* where that partial begins, 0: there is none, or nobody knows */
  guint barren;                 /* messages since the last final */
  guint empty;                  /* of these the last ones, which had no partial */
  guint fruitless;              /* of the barren ones, since the buffer has been full of what is not settled */
} WhisperLivePacer;

#define WHISPERLIVE_PACER_NOW 0

/* A new connection. */
void whisperlive_pacer_start (WhisperLivePacer * pacer, guint max_server_lag_ms, WhisperLivePacerFlags flags, gint64 now);
/* A pass of so many samples that completes nothing will not do so with more: two of three are like that. */
gboolean whisperlive_pacer_is_too_long (const WhisperLivePacer * pacer, guint64 samples);
/* The server has sent segments. @settled: new finals among them, and @flow is without them; @open: a partial, from @open_at on in the
 * stream, or 0; @rest_at: where, it seems, the pass that goes on now will leave a last segment for the next, or 0. FALSE: there will be no
 * more messages. */
gboolean whisperlive_pacer_heard (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, gboolean settled, gboolean open,
    guint64 open_at, guint64 rest_at, gint64 now);
/* How many samples from the next one on are as good as any to end in a pause; 0: it is not time to look for one. */
guint64 whisperlive_pacer_get_room (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow);
/* There is one after so many. */
void whisperlive_pacer_pause_after (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, guint64 samples);
/* NOW when the next chunk may be sent, and then it has to be; else when to ask again at the latest. */
gint64 whisperlive_pacer_ask (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, gint64 now);
/* NOW when so much can be sent without the server throwing away what it is busy with, else when it is not any more, G_MAXINT64: not
 * before the next message. ask() sees to that by itself. */
gint64 whisperlive_pacer_get_fit_time (const WhisperLivePacer * pacer, const WhisperLiveFlow * flow, guint samples);
/* So much of the stream was sent. */
void whisperlive_pacer_sent (WhisperLivePacer * pacer, guint samples);
/* So much silence was, after what was sent of the stream. */
void whisperlive_pacer_padded (WhisperLivePacer * pacer, const WhisperLiveFlow * flow, guint samples);

G_END_DECLS
