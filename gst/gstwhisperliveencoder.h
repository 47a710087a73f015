/* gstwhisperliveencoder: raw audio of any kind in, chunks of the server's 16 kHz mono with running time out
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/audio/audio.h>

#include "whisperlive-queue.h"

G_BEGIN_DECLS

typedef struct _GstWhisperLiveEncoder GstWhisperLiveEncoder;

GstWhisperLiveEncoder *gst_whisper_live_encoder_new (guint chunk_duration_ms);
void gst_whisper_live_encoder_free (GstWhisperLiveEncoder * encoder);

/* The tail of the former format goes out first. FALSE: no conversion from @info. */
gboolean gst_whisper_live_encoder_set_format (GstWhisperLiveEncoder * encoder, const GstAudioInfo * info);
/* NOT_NEGOTIATED: no format yet; ERROR: the buffer cannot be mapped. */
GstFlowReturn gst_whisper_live_encoder_push (GstWhisperLiveEncoder * encoder, GstBuffer * buffer,
    const GstSegment * segment);
/* Nothing is there, and nothing comes: as much silence, 2 s at most. So it is where push() sees a jump in time. */
void gst_whisper_live_encoder_gap (GstWhisperLiveEncoder * encoder, GstClockTime timestamp, GstClockTime duration,
    const GstSegment * segment);
/* What is left, to the last sample. */
void gst_whisper_live_encoder_drain (GstWhisperLiveEncoder * encoder);
/* Forgets what is left. */
void gst_whisper_live_encoder_reset (GstWhisperLiveEncoder * encoder);

/* The next chunk, or NULL. */
WhisperLiveChunk *gst_whisper_live_encoder_pop (GstWhisperLiveEncoder * encoder);

G_END_DECLS
