/* gstwhisperlivesettings: the properties of whisperlivesink that configure a session
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-lifecycle.h"
#include "whisperlive-settings.h"

G_BEGIN_DECLS

#define GST_TYPE_WHISPER_LIVE_TASK (gst_whisper_live_task_get_type ())
GType gst_whisper_live_task_get_type (void);
#define GST_TYPE_WHISPER_LIVE_AUDIO_FORMAT (gst_whisper_live_audio_format_get_type ())
GType gst_whisper_live_audio_format_get_type (void);
#define GST_TYPE_WHISPER_LIVE_LEAKY (gst_whisper_live_leaky_get_type ())
GType gst_whisper_live_leaky_get_type (void);
#define GST_TYPE_WHISPER_LIVE_STATE (gst_whisper_live_state_get_type ())
GType gst_whisper_live_state_get_type (void);

/* Installs them with the ids 1 to the returned number. */
guint gst_whisper_live_settings_install_properties (GObjectClass * klass);

/* The caller holds whatever lock protects @settings. */
void gst_whisper_live_settings_set (WhisperLiveSettings * settings, const GValue * value, const GParamSpec * pspec);
void gst_whisper_live_settings_get (const WhisperLiveSettings * settings, GValue * value, const GParamSpec * pspec);

G_END_DECLS
