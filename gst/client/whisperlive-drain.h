/* whisperlive-drain: has the server put everything that it was sent into text?
 *
 * The protocol has no answer to that, and END_OF_AUDIO discards what is pending. What proves it, each sound on its own:
 * - passes run one after the other, so the second message that was sent after all audio had arrived is from a pass
 *   that began after it;
 * - a segment that ends within the silence that is appended after the last sample is from a pass that had it all;
 * - so is one that ends within the last message of the audio, which the server has as a whole or not at all (but not at its end: a pass that
 *   lacks the silence can end there; and a pass that begins after that would hear the last words without those before them);
 * - less than the 1 s that a pass needs is left after the last completed segment, so that no further pass comes;
 * - nothing that was sent after the last final has sound in it.
 * And what makes it as good as certain: the rest is far below the level of the speech that was transcribed, no partial is
 * open, and the server has been quiet for several of its longest passes.
 * Pure: the present time is an argument (monotonic, µs).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Silence appended after the last sample: a pass needs 1 s, and Whisper finds the last word better. */
#define WHISPERLIVE_DRAIN_PADDING_MS 1200

/* A level of less than this part of another one's, -12 dB, is not the same speaker's. */
#define WHISPERLIVE_FAR_BELOW 0.25f

typedef struct
{
  gint64 since;                 /* all audio and the first padding had been sent */
  gint64 arrived;               /* and have certainly arrived: a ping after them was answered; G_MAXINT64: not yet */
  GstClockTime last_message;    /* connection time of the first sample of the last one with audio */
  GstClockTime audio_end;       /* of the last sample, and of the padding's */
  GstClockTime padding_end;
  guint messages;               /* with segments, since arrived */
  gint64 quiet_at;              /* when quiet says enough, or G_MAXINT64: never */
} WhisperLiveDrain;

/* There is going to be an answer to a ping. */
#define WHISPERLIVE_DRAIN_UNKNOWN G_MAXINT64

/* @round_trip: an estimate without pings, µs, or UNKNOWN. */
void whisperlive_drain_start (WhisperLiveDrain * drain, GstClockTime last_message, GstClockTime audio_end, GstClockTime padding_end,
    gint64 round_trip, gint64 now);

/* A ping that was sent after all that has been answered. Quiet has to be expected anew. */
void whisperlive_drain_set_arrived (WhisperLiveDrain * drain, gint64 now);

/* One message with segments came: @last_end, the latest end of any of them; @completed_end, that of the completed ones (0: none).
 * TRUE: all is transcribed. */
gboolean whisperlive_drain_heard (WhisperLiveDrain * drain, GstClockTime last_end, GstClockTime completed_end, gint64 now);

/* How long a server that has all is waited for, µs. @slowest: its longest pass so far, 0 if none was seen. @heard: there has been a
 * message, on whatever connection. @timeout: how long the drain may take without getting any further. */
gint64 whisperlive_drain_get_patience (gint64 slowest, gboolean heard, gint64 timeout);

/* @open: a partial is open. @level of what is not settled and @speech, that of what was transcribed. Sets quiet_at. */
void whisperlive_drain_expect_quiet (WhisperLiveDrain * drain, gint64 slowest, gboolean open, gfloat level, gfloat speech,
    gint64 timeout, gint64 now);

G_END_DECLS
