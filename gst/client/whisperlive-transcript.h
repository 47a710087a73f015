/* whisperlive-transcript: the server's repeated, vanishing and renumbered segments made into one story
 *
 * Pure: no clock, no I/O. In: each "segments" message of a connection, in order. Out: updates, each once: partial
 * texts of the utterance that is being spoken, and final ones, in time order and without overlap.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-protocol.h"
#include "whisperlive-timeline.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean final;
  guint64 id;                   /* of the utterance: the same from its first partial to its final, ascending over reconnects */
  guint revision;               /* 0 for the first update of an utterance, then counting up; the final's is the last */
  guint64 start, end;           /* positions, see whisperlive-timeline */
  WhisperLiveSegment *segment;  /* owned copy: text, speaker, words; its times are the connection's */
} WhisperLiveUpdate;

void whisperlive_update_free (WhisperLiveUpdate * update);

typedef struct _WhisperLiveTranscript WhisperLiveTranscript;

/* @same_output_threshold is the session's property: the server completes a text that it repeated more often. */
WhisperLiveTranscript *whisperlive_transcript_new (guint same_output_threshold);
void whisperlive_transcript_free (WhisperLiveTranscript * transcript);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhisperLiveTranscript, whisperlive_transcript_free)

/* A new connection: the server knows nothing of the last one. What @timeline says its origin is counts from here on. */
void whisperlive_transcript_begin (WhisperLiveTranscript * transcript);

/* @segments: of WhisperLiveSegment, one message's. Returns an array of WhisperLiveUpdate (with free function), empty when there
 * is nothing new. @timeline maps connection times to positions. */
GPtrArray *whisperlive_transcript_take (WhisperLiveTranscript * transcript,
    const GPtrArray * segments, const WhisperLiveTimeline * timeline);

/* No more messages about the audio so far will come: the open partial, if there is one, becomes final. As for take(). */
GPtrArray *whisperlive_transcript_finish (WhisperLiveTranscript * transcript);

/* FLUSH: the open partial is forgotten, and what the server still says about audio before @position is ignored. */
void whisperlive_transcript_discard (WhisperLiveTranscript * transcript, guint64 position);

/* The position up to which finals have been given out; 0 at first. */
guint64 whisperlive_transcript_settled (const WhisperLiveTranscript * transcript);

G_END_DECLS
