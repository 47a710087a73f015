/* transcriber: what a WhisperLive server does with one client's audio
 *
 * Buffer, passes and completion behave as those of whisper_live/backend/base.py 0.10; spoken-words stands in for the model.
 * Pure: it has no clock and no socket.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <json-glib/json-glib.h>

#include "spoken-words.h"

G_BEGIN_DECLS

#define TRANSCRIBER_RATE 16000

typedef struct
{
  guint words_per_segment;      /* a segment ends after so many words, or at 0.5 s without one */
  gboolean own_model;           /* the server was started with one: what the client calls its model says nothing about the language */
  guint flicker_every;          /* each n-th pass takes its last segment for noise, if no_speech_thresh is below 0.9; 0: none */
  gdouble no_speech_from, no_speech_to; /* so many seconds after its last word a pass takes its end for no speech, likewise; 0: never */
  const gchar *language;        /* what is detected when the client does not say */
  gdouble language_probability;
} TranscriberOptions;

typedef struct
{
  guint64 samples;              /* received */
  guint64 trimmed_samples;      /* dropped from the buffer before they were transcribed for good */
  guint64 trimmed_words;        /* heard in those */
  gdouble max_unsettled;        /* seconds in the buffer after the last completed segment, at most */
  gdouble max_unsettled_at_trim;        /* the same at the moments when the oldest 30 s went; 15 loses nothing */
  guint trims;
} TranscriberStats;

typedef enum
{
  TRANSCRIBER_HEARD,            /* there was something; the next pass may follow at once */
  TRANSCRIBER_REPEATED,         /* the same as the last time: the server rests for 100 ms */
  TRANSCRIBER_SILENCE,          /* nothing, waits for more */
} TranscriberOutcome;

typedef struct _Transcriber Transcriber;

/* @handshake: the client's, with every required key */
Transcriber *transcriber_new (JsonObject * handshake, const TranscriberOptions * options);
void transcriber_free (Transcriber * transcriber);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transcriber, transcriber_free)

void transcriber_add_frames (Transcriber * transcriber, const gfloat * samples, gsize n_samples);
/* Seconds of audio that the pass takes, all there is; 0 when there is less than a second and no pass. */
gdouble transcriber_begin_pass (Transcriber * transcriber);
/* Messages (gchar *, JSON) for the client are appended to @messages. */
TranscriberOutcome transcriber_end_pass (Transcriber * transcriber, GPtrArray * messages);

const TranscriberStats *transcriber_stats (const Transcriber * transcriber);
/* The words of everything that was ever received. */
gchar *transcriber_heard (const Transcriber * transcriber);

gchar *transcriber_json (JsonBuilder * builder);

G_END_DECLS
