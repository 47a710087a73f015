/* gstwhisperlivemessage: typed reports of a session in, bus messages and tags out; posts nothing
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-session.h"

G_BEGIN_DECLS

/* Name of the tag with each final text */
#define GST_TAG_WHISPER_LIVE_TRANSCRIPT "whisperlive-transcript"

void gst_whisper_live_message_register_tags (void);

GstMessage *gst_whisper_live_message_new_text (GstObject * src, const WhisperLiveTextReport * report);
GstMessage *gst_whisper_live_message_new_state (GstObject * src, const WhisperLiveStateReport * report);
GstMessage *gst_whisper_live_message_new_language (GstObject * src, const gchar * language, gdouble probability);
GstMessage *gst_whisper_live_message_new_lost (GstObject * src, const WhisperLiveLoss * loss);
GstMessage *gst_whisper_live_message_new_drained (GstObject * src, gboolean complete, const WhisperLiveCounters * counters);
GstMessage *gst_whisper_live_message_new_raw (GstObject * src, const gchar * text, gsize length, GstClockTime running_time);

GstMessage *gst_whisper_live_message_new_language_tag (GstObject * src, const gchar * language);
GstMessage *gst_whisper_live_message_new_transcript_tag (GstObject * src, const gchar * text);

/* Adds the fields of the interface to the structure that GstBaseSink made. */
void gst_whisper_live_message_add_stats (GstStructure * structure, const WhisperLiveStats * stats, const WhisperLiveCounters * counters);

G_END_DECLS
