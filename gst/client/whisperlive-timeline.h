/* whisperlive-timeline: seconds of one connection to positions in the stream, and those to running and stream time
 *
 * A position counts the 16 kHz samples that the element has received since it started: it never goes back, not over
 * reconnects, flushes or seeks. The server counts from the first sample of each connection instead.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _WhisperLiveTimeline WhisperLiveTimeline;

WhisperLiveTimeline *whisperlive_timeline_new (void);
void whisperlive_timeline_free (WhisperLiveTimeline * timeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhisperLiveTimeline, whisperlive_timeline_free)

/* The sample at @position has this running and stream time (either may be NONE: unknown), and from there on a
 * second of samples lasts 1/@rate seconds of running time and @applied_rate seconds of stream time. Positions come in
 * ascending order; what merely goes on from the last mark is not stored. A mark at the same position replaces
 * the former. */
void whisperlive_timeline_mark (WhisperLiveTimeline * timeline, guint64 position,
    GstClockTime running_time, GstClockTime stream_time, gdouble rate, gdouble applied_rate);

/* NONE when nothing is known about @position. Positions before the first mark or after the last chunk
 * extrapolate from the nearest mark, and never below 0. */
GstClockTime whisperlive_timeline_running_time (const WhisperLiveTimeline * timeline, guint64 position);
GstClockTime whisperlive_timeline_stream_time (const WhisperLiveTimeline * timeline, guint64 position);

/* A new connection's first sample is the one at @position. */
void whisperlive_timeline_begin (WhisperLiveTimeline * timeline, guint64 position);
/* From the sample at @connection_time on, the connection's samples are those at @position and after: some were dropped, or added
 * and are nobody's. Calls come in ascending order. */
void whisperlive_timeline_jump (WhisperLiveTimeline * timeline, GstClockTime connection_time, guint64 position);
/* So many samples have been sent on this connection: a time that is far beyond them (by 45 s) means the last one. Before the first call after
 * begin() any time is taken. */
void whisperlive_timeline_set_sent (WhisperLiveTimeline * timeline, guint64 samples);
/* The position that the server means with @connection_time (ns); saturates instead of overflowing. */
guint64 whisperlive_timeline_position (const WhisperLiveTimeline * timeline, GstClockTime connection_time);

/* Nothing before @position will be asked for any more. The mark in force at @position stays. */
void whisperlive_timeline_forget (WhisperLiveTimeline * timeline, guint64 position);

G_END_DECLS
