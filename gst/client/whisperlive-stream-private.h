/* whisperlive-stream-private: what the files of the stream share
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-drain.h"
#include "whisperlive-pacer.h"
#include "whisperlive-stream.h"
#include "whisperlive-trial.h"

G_BEGIN_DECLS

#define NO_POSITION G_MAXUINT64
#define MAX_REPLAYS 2

#define WHISPERLIVE_MAX_PADDINGS 2

struct _WhisperLiveStream
{
  WhisperLiveQueue *queue;
  const WhisperLiveSettings *settings;

  WhisperLiveTimeline *timeline;
  WhisperLiveTranscript *transcript, *translation;
  WhisperLivePacer pacer;
  WhisperLiveDrain drain;
  WhisperLiveTrial trial;
  gboolean draining;            /* the padding was sent, no audio since, and more of it is not wanted */
  guint paddings;               /* sent since the last audio */
  guint64 connection_samples;   /* sent on this connection, with padding */
  guint64 last_message;         /* of them before the last message that has audio */
  guint64 next_position;        /* of the sample that would go on from the last one sent; NO_POSITION: none would */
  gfloat speech_level;
  gint64 heard;                 /* when the last message came, on whatever connection */

  /* what it may owe */
  gboolean stuck;               /* nothing but a new connection gets text out of what is left */
  guint replays;                /* for being stuck, since the last final */
  gint64 owed_at;               /* since when there has been sound without text for it; 0: there is none */
  gboolean owed_again;          /* it was sent to a connection before this one, and not again yet */
  gint64 answer;                /* how long it took the last trial */
  gint64 left_at;               /* the last connection was given up then, while the server worked; 0: it was not */
  gboolean doubtful;            /* sound was settled that the server said nothing about, and that has been told */
};

/* What the server has sounds like the speech that it made text of, and it has not said anything that could be text of it. */
gboolean whisperlive_stream_owes_text (WhisperLiveStream * stream);
/* When nothing will come of passes over all that was sent, with its padding, unless there is more of that: they end elsewhere then. */
gint64 whisperlive_stream_get_padding_time (WhisperLiveStream * stream);
/* Whisper takes the end of what the server has for no speech, and then it completes nothing of that: a new connection may help. */
gboolean whisperlive_stream_can_be_stuck (WhisperLiveStream * stream);
/* Text, while there is a trial. */
void whisperlive_stream_hear_trial (WhisperLiveStream * stream, gint64 now);

G_END_DECLS
