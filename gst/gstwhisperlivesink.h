/* whisperlivesink: speech to text by a WhisperLive server
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_WHISPER_LIVE_SINK (gst_whisper_live_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstWhisperLiveSink, gst_whisper_live_sink, GST, WHISPER_LIVE_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (whisperlivesink);

G_END_DECLS
