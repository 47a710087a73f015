/* whisperlive-stream: audio and text of a session, apart from any network
 *
 * Takes audio out of the queue as the pacer allows, and puts what the server answers through timeline and transcript; tells the queue
 * what is settled, and the session when all is transcribed. On the session thread; the present time is an argument.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-queue.h"
#include "whisperlive-transcript.h"

G_BEGIN_DECLS

typedef struct _WhisperLiveStream WhisperLiveStream;

/* @queue and @settings are borrowed. */
WhisperLiveStream *whisperlive_stream_new (WhisperLiveQueue * queue, const WhisperLiveSettings * settings);
void whisperlive_stream_free (WhisperLiveStream * stream);
const WhisperLiveTimeline *whisperlive_stream_get_timeline (WhisperLiveStream * stream);

/* The connection is given up although the server works. */
void whisperlive_stream_leave (WhisperLiveStream * stream, gint64 now);
/* A connection is ready for audio: what is not settled goes out again. @careful: the last one was lost. */
void whisperlive_stream_begin (WhisperLiveStream * stream, gboolean careful, gint64 now);
/* The connection since the last begin() would never say what it heard: the next one has to hear otherwise. */
gboolean whisperlive_stream_is_stuck (const WhisperLiveStream * stream);
/* The queue was flushed. */
void whisperlive_stream_flushed (WhisperLiveStream * stream, const WhisperLiveFlow * flow);

/* The next frame to send (which then has to be sent), or NULL: *@again is when to ask again, G_MAXINT64 for never. */
GBytes *whisperlive_stream_pull (WhisperLiveStream * stream, gint64 now, gint64 * again);
/* Nothing waits: the silence to send after the last sample, and drained() begins to mean something; NULL: not yet, and
 * is_drained() tells when to ask again. More of it after that, when is_draining() says no. */
GBytes *whisperlive_stream_pull_padding (WhisperLiveStream * stream, gint64 round_trip, gint64 now);

/* The padding has arrived. */
void whisperlive_stream_set_arrived (WhisperLiveStream * stream, gint64 now);

/* A message with segments. Returns updates as whisperlive_transcript_take(). */
GPtrArray *whisperlive_stream_hear (WhisperLiveStream * stream, const GPtrArray * segments, gint64 now);
/* The same with what has been translated. */
GPtrArray *whisperlive_stream_hear_translation (WhisperLiveStream * stream, const GPtrArray * segments);
/* This connection is for speech that has had its text, and the server has not answered: see whisperlive-trial.h. */
gboolean whisperlive_stream_is_on_trial (WhisperLiveStream * stream);
/* When the server's silence becomes too long: it has begun to make text of what it has and does not go on, does not answer a trial, or there
 * is nothing to try it with; G_MAXINT64: it owes nothing. */
gint64 whisperlive_stream_get_response_deadline (WhisperLiveStream * stream);
/* The connection is given up for that. */
void whisperlive_stream_timed_out (WhisperLiveStream * stream, gint64 now);
/* PLAYING again: what the server has not said meanwhile, nobody was waiting for. */
void whisperlive_stream_resumed (WhisperLiveStream * stream, gint64 now);
/* Nobody is speaking, as far as the server has told and was told. */
gboolean whisperlive_stream_is_pausing (WhisperLiveStream * stream);
/* The padding was sent, and is enough so far. */
gboolean whisperlive_stream_is_draining (const WhisperLiveStream * stream);
/* All that is sent has been transcribed, and nothing waits. *@again as in pull(). FALSE may mean that more padding is wanted by now. */
gboolean whisperlive_stream_is_drained (WhisperLiveStream * stream, gint64 now, gint64 * again);
/* Why a new connection is needed, which begin() will then use otherwise, or NULL: the server will never say what it heard in what it has,
 * or is to be tried, or has been. *@again as in pull(). */
const gchar *whisperlive_stream_why_replace (WhisperLiveStream * stream, gint64 now, gint64 * again);
/* The open partial becomes final. @complete: everything is settled; else only what the finals cover. */
GPtrArray *whisperlive_stream_finish (WhisperLiveStream * stream, gboolean complete);
/* What a responsive server has had for longer than its buffer lasts is settled, text or not. TRUE, once until the next final: it had
 * sound, and nobody knows whether it is the server that is at fault. */
gboolean whisperlive_stream_settle_by_age (WhisperLiveStream * stream, gint64 now);

G_END_DECLS
