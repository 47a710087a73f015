/* whisperlive-settings: everything that a session is configured by, as one immutable snapshot
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  WHISPERLIVE_TASK_TRANSCRIBE,
  WHISPERLIVE_TASK_TRANSLATE,
} WhisperLiveTask;

typedef enum
{
  WHISPERLIVE_FORMAT_FLOAT32,
  WHISPERLIVE_FORMAT_INT16,
  WHISPERLIVE_FORMAT_UINT8,
} WhisperLiveFormat;

typedef enum
{
  WHISPERLIVE_LEAKY_AUTO,
  WHISPERLIVE_LEAKY_NONE,
  WHISPERLIVE_LEAKY_UPSTREAM,
  WHISPERLIVE_LEAKY_DOWNSTREAM,
} WhisperLiveLeaky;

/* The element writes one of these under its object lock; a session takes a copy when it starts and
 * nobody writes to that. Durations are in milliseconds. The fields are named as the properties are. */
typedef struct
{
  /* connection */
  gchar *uri;
  gchar *api_key;
  GstStructure *extra_headers;
  gchar *user_agent;
  gchar *proxy, *proxy_id, *proxy_pw;
  GTlsDatabase *tls_database;
  GTlsInteraction *tls_interaction;
  gboolean ssl_strict;
  /* handshake */
  gchar *client_id;
  gchar *language_code;
  WhisperLiveTask task;
  gchar *model;
  gboolean use_vad;
  GstStructure *vad_parameters;
  gchar *initial_prompt, *hotwords;
  guint send_last_n_segments;
  gdouble no_speech_threshold;
  guint same_output_threshold;
  gboolean clip_audio;
  gchar *translation_language_code;
  gboolean diarization;
  guint max_speakers;
  gdouble diarization_threshold;
  GValue known_speakers;        /* GstValueArray of GstStructure, or unset (G_VALUE_INIT) */
  gboolean word_timestamps;
  WhisperLiveFormat audio_format;
  GstStructure *session_options;
  /* time */
  guint connect_timeout, ready_timeout, response_timeout, keepalive_interval, drain_timeout, close_timeout;
  gint retries;
  guint retry_delay, retry_delay_max;
  gdouble retry_backoff_factor;
  guint max_session_duration;
  /* flow */
  guint chunk_duration;
  guint64 max_size_time;        /* ns */
  WhisperLiveLeaky leaky;
  guint max_server_lag;
  /* output */
  gboolean post_partials, post_raw;
} WhisperLiveSettings;

/* With every default of the public interface; client_id is a new UUID. */
WhisperLiveSettings *whisperlive_settings_new (void);
WhisperLiveSettings *whisperlive_settings_copy (const WhisperLiveSettings * settings);
void whisperlive_settings_free (WhisperLiveSettings * settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhisperLiveSettings, whisperlive_settings_free)

/* FALSE and a GST_RESOURCE_ERROR_SETTINGS when a session with these could not work: what a wrong value would
 * do to the server (hang it, or be closed without a word) is refused here. */
gboolean whisperlive_settings_check (const WhisperLiveSettings * settings, GError ** error);

/* One of Whisper's? Any other stops every client of a server for ever. */
gboolean whisperlive_settings_is_language (const gchar * code);
/* The language that the server is told: "en" for "en-US"; NULL lets it detect the language. */
gchar *whisperlive_settings_dup_language (const WhisperLiveSettings * settings);
/* The same for the language to translate into; NULL when nothing is translated. */
gchar *whisperlive_settings_dup_translation_language (const WhisperLiveSettings * settings);

/* Is the server asked for words? By the property, or an option that overrides it. */
gboolean whisperlive_settings_get_words (const WhisperLiveSettings * settings);

/* From what probability on the server takes a segment for no speech, by the property, or an option that overrides it. With VAD, @stuck, a session
 * that replaces one which got no text that way, is asked to take all for speech: what VAD lets through is, or nothing would ever come of it. */
gdouble whisperlive_settings_get_no_speech_threshold (const WhisperLiveSettings * settings, gboolean stuck);

/* The address of the proxy, "http://" if it has no scheme; NULL for the system's. */
gchar *whisperlive_settings_dup_proxy (const WhisperLiveSettings * settings);

/* What may be shown of an address: a password, or a token in the query, may not. */
gchar *whisperlive_settings_presentable_uri (const gchar * uri);

G_END_DECLS
