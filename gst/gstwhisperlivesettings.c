/* gstwhisperlivesettings: the properties of whisperlivesink that configure a session
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstwhisperlivesettings.h"

#define DEFINE_ENUM(Name, name, ...) \
GType \
gst_whisper_live_ ## name ## _get_type (void) \
{ \
  static gsize type = 0; \
  static const GEnumValue values[] = { __VA_ARGS__, {0, NULL, NULL} }; \
\
  if (g_once_init_enter (&type)) \
    g_once_init_leave (&type, \
        g_enum_register_static ("GstWhisperLive" Name, values)); \
  return type; \
}

/* *INDENT-OFF* */
DEFINE_ENUM ("Task", task,
    {WHISPERLIVE_TASK_TRANSCRIBE, "Text in the language that is spoken", "transcribe"},
    {WHISPERLIVE_TASK_TRANSLATE, "Text translated into English by Whisper", "translate"})

DEFINE_ENUM ("AudioFormat", audio_format,
    {WHISPERLIVE_FORMAT_FLOAT32, "32 bit float; every server release takes it", "float32"},
    {WHISPERLIVE_FORMAT_INT16, "Signed 16 bit; servers from 0.10.0", "int16"},
    {WHISPERLIVE_FORMAT_UINT8, "Unsigned 8 bit; servers from 0.10.0", "uint8"})

DEFINE_ENUM ("Leaky", leaky,
    {WHISPERLIVE_LEAKY_AUTO, "Block, or drop old audio when upstream is live", "auto"},
    {WHISPERLIVE_LEAKY_NONE, "Block", "none"},
    {WHISPERLIVE_LEAKY_UPSTREAM, "Drop new audio", "upstream"},
    {WHISPERLIVE_LEAKY_DOWNSTREAM, "Drop old audio", "downstream"})

DEFINE_ENUM ("State", state,
    {WHISPERLIVE_STATE_DISCONNECTED, "No connection", "disconnected"},
    {WHISPERLIVE_STATE_CONNECTING, "Resolving, connecting, TLS, WebSocket upgrade", "connecting"},
    {WHISPERLIVE_STATE_CONNECTED, "Waiting for the server to get ready", "connected"},
    {WHISPERLIVE_STATE_READY, "Audio and text flow", "ready"},
    {WHISPERLIVE_STATE_DRAINING, "All audio is sent, waiting for the last words", "draining"},
    {WHISPERLIVE_STATE_CLOSING, "Closing handshake", "closing"},
    {WHISPERLIVE_STATE_WAITING, "Waiting for the next attempt", "waiting"},
    {WHISPERLIVE_STATE_FAILED, "Given up, an error was posted", "failed"})
/* *INDENT-ON* */

#define MAX_PROPERTIES 64
/* Where in WhisperLiveSettings the property with this id is */
static gsize offsets[MAX_PROPERTIES];

typedef struct
{
  GObjectClass *klass;
  const WhisperLiveSettings *defaults;
  guint n;
} Installer;

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install (Installer * installer, gsize offset, GParamSpec * pspec)
{
  guint id = ++installer->n;

  g_assert (id < MAX_PROPERTIES);
  offsets[id] = offset;
  g_object_class_install_property (installer->klass, id, pspec);
}

#define AT(field) G_STRUCT_OFFSET (WhisperLiveSettings, field)
#define STRING(name, field, nick, blurb) \
  install (i, AT (field), g_param_spec_string (name, nick, blurb, \
      i->defaults->field, FLAGS))
#define BOOLEAN(name, field, nick, blurb) \
  install (i, AT (field), g_param_spec_boolean (name, nick, blurb, \
      i->defaults->field, FLAGS))
#define UINT(name, field, nick, blurb, min, max) \
  install (i, AT (field), g_param_spec_uint (name, nick, blurb, min, max, \
      i->defaults->field, FLAGS))
#define DOUBLE(name, field, nick, blurb, min, max) \
  install (i, AT (field), g_param_spec_double (name, nick, blurb, min, max, \
      i->defaults->field, FLAGS))
#define ENUM(name, field, nick, blurb, type) \
  install (i, AT (field), g_param_spec_enum (name, nick, blurb, type, \
      i->defaults->field, FLAGS))
#define STRUCTURE(name, field, nick, blurb) \
  install (i, AT (field), g_param_spec_boxed (name, nick, blurb, \
      GST_TYPE_STRUCTURE, FLAGS))
#define OBJECT(name, field, nick, blurb, type) \
  install (i, AT (field), g_param_spec_object (name, nick, blurb, type, FLAGS))

static void
install_connection (Installer * i)
{
  STRING ("uri", uri, "URI",
      "WebSocket address of the WhisperLive server: ws://host[:port][/path], "
      "or wss:// for TLS");
  install (i, AT (api_key), g_param_spec_string ("api-key", "API key",
          "Secret that is sent as \"Authorization: Bearer\"; can be written, "
          "never read", NULL,
          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  STRUCTURE ("extra-headers", extra_headers, "Extra headers",
      "More headers of the WebSocket request: field name = value, or an array "
      "of values");
  STRING ("user-agent", user_agent, "User-Agent",
      "Value of the User-Agent header");
  STRING ("proxy", proxy, "Proxy", "URI of a proxy; NULL or empty: the "
      "system's proxy settings (http_proxy and others)");
  STRING ("proxy-id", proxy_id, "Proxy user", "User id at the proxy");
  STRING ("proxy-pw", proxy_pw, "Proxy password", "Password at the proxy");
  OBJECT ("tls-database", tls_database, "TLS database",
      "Certificate authorities to verify the server by; NULL: the system's",
      G_TYPE_TLS_DATABASE);
  OBJECT ("tls-interaction", tls_interaction, "TLS interaction",
      "Asked when a client certificate or a password is needed",
      G_TYPE_TLS_INTERACTION);
  BOOLEAN ("ssl-strict", ssl_strict, "Strict TLS",
      "Refuse a server whose certificate is not valid");
}

static void
install_handshake (Installer * i)
{
  STRING ("client-id", client_id, "Client id",
      "Identifies this element over all its sessions; a new UUID unless set");
  STRING ("language-code", language_code, "Language code",
      "ISO 639 code of the spoken language, a region is cut off (en-US: en); "
      "NULL: the server detects it");
  ENUM ("task", task, "Task", "What the server makes of the speech",
      GST_TYPE_WHISPER_LIVE_TASK);
  STRING ("model", model, "Model",
      "Whisper model that the server is asked to use; a server with a model of "
      "its own ignores it");
  BOOLEAN ("use-vad", use_vad, "Use VAD",
      "Let the server skip what its voice activity detection finds no speech "
      "in");
  STRUCTURE ("vad-parameters", vad_parameters, "VAD parameters",
      "Parameters of the voice activity detection: threshold, neg_threshold "
      "(0 to 1), min_speech_duration_ms, max_speech_duration_s, "
      "min_silence_duration_ms, speech_pad_ms");
  STRING ("initial-prompt", initial_prompt, "Initial prompt",
      "Text that Whisper takes as what was said before");
  STRING ("hotwords", hotwords, "Hotwords", "Words to expect");
  UINT ("send-last-n-segments", send_last_n_segments, "Send last n segments",
      "How many completed segments the server repeats in each message; what "
      "one pass completes beyond that is lost", 0, 500);
  DOUBLE ("no-speech-threshold", no_speech_threshold, "No speech threshold",
      "Segments with a higher probability of being no speech are discarded",
      0, 1);
  UINT ("same-output-threshold", same_output_threshold,
      "Same output threshold",
      "Passes with the same text after which the server completes it", 0, 1000);
  BOOLEAN ("clip-audio", clip_audio, "Clip audio",
      "Let the server discard all but 5 s when 25 s gave no text");
  STRING ("translation-language-code", translation_language_code,
      "Translation language code",
      "Language that the server also translates into; NULL: none");
  BOOLEAN ("diarization", diarization, "Diarization",
      "Tell the speakers apart");
  UINT ("max-speakers", max_speakers, "Maximum speakers",
      "Most speakers to tell apart", 1, 1000);
  DOUBLE ("diarization-threshold", diarization_threshold,
      "Diarization threshold",
      "Similarity above which two voices are the same " "speaker's", 0, 1);
  install (i, AT (known_speakers), gst_param_spec_array ("known-speakers",
          "Known speakers",
          "Structures with the fields name and audio-base64 "
          "(a sound file of the voice)", g_param_spec_boxed ("speaker",
              "Speaker", "One speaker", GST_TYPE_STRUCTURE,
              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS), FLAGS));
  BOOLEAN ("word-timestamps", word_timestamps, "Word timestamps",
      "Ask for the times and probabilities of the words");
  ENUM ("audio-format", audio_format, "Audio format",
      "Sample format on the wire, 16 kHz mono",
      GST_TYPE_WHISPER_LIVE_AUDIO_FORMAT);
  STRUCTURE ("session-options", session_options, "Session options",
      "Merged last into the first message to the server, for options that have "
      "no property");
}

static void
install_time (Installer * i)
{
  UINT ("connect-timeout", connect_timeout, "Connect time-out",
      "Longest time for TCP, TLS and WebSocket upgrade, in ms", 1, G_MAXINT);
  UINT ("ready-timeout", ready_timeout, "Ready time-out",
      "Longest time from the upgrade until the server is ready, in ms; it may "
      "have a model to load", 1, G_MAXINT);
  UINT ("response-timeout", response_timeout, "Response time-out",
      "Longest silence of a server that owes text, in ms; 0: for ever", 0,
      G_MAXINT);
  UINT ("keepalive-interval", keepalive_interval, "Keep-alive interval",
      "Period of WebSocket pings, in ms; an unanswered one means a dead peer; "
      "0: no pings", 0, G_MAXINT);
  UINT ("drain-timeout", drain_timeout, "Drain time-out",
      "Longest time that the end of the stream waits for the last words "
      "without getting any further, in ms", 0, G_MAXINT);
  UINT ("close-timeout", close_timeout, "Close time-out",
      "Longest time that PAUSED to READY, or the end of the stream, waits for "
      "the closing handshake, in ms", 0, G_MAXINT);
  install (i, AT (retries), g_param_spec_int ("retries", "Retries",
          "Attempts in a row without a working session before the element "
          "errors; 0: none, -1: for ever", -1, G_MAXINT,
          i->defaults->retries, FLAGS));
  UINT ("retry-delay", retry_delay, "Retry delay",
      "Back-off before the first retry, in ms; each delay varies by up to 20 %",
      0, G_MAXINT);
  UINT ("retry-delay-max", retry_delay_max, "Longest retry delay",
      "Longest back-off, in ms, also when the server is full", 0, G_MAXINT);
  DOUBLE ("retry-backoff-factor", retry_backoff_factor, "Back-off factor",
      "How many times longer each delay is than the one before", 1, 1000);
  UINT ("max-session-duration", max_session_duration,
      "Maximum session duration",
      "When set, a session is replaced before it gets this old, in ms; servers "
      "hang up at their max_connection_time; 0: never", 0, G_MAXINT);
}

static void
install_flow (Installer * i)
{
  UINT ("chunk-duration", chunk_duration, "Chunk duration",
      "Audio per WebSocket message, in ms", 10, 10000);
  install (i, AT (max_size_time), g_param_spec_uint64 ("max-size-time",
          "Maximum size", "Audio held in the element, waiting or not yet "
          "settled by a final transcript, in ns", 0, G_MAXUINT64,
          i->defaults->max_size_time, FLAGS));
  install (i, AT (leaky), g_param_spec_enum ("leaky", "Leaky",
          "What to do when max-size-time is reached",
          GST_TYPE_WHISPER_LIVE_LEAKY, i->defaults->leaky,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_PLAYING));
  UINT ("max-server-lag", max_server_lag, "Maximum server lag",
      "Audio in flight that no final transcript covers yet before sending "
      "slows down, in ms; the server loses speech from 15 s on", 1000, 40000);
  BOOLEAN ("post-partials", post_partials, "Post partials",
      "Post whisperlive/transcript messages for partial transcripts too");
  BOOLEAN ("post-raw", post_raw, "Post raw messages",
      "Post every message of the server as whisperlive/raw");
}

guint
gst_whisper_live_settings_install_properties (GObjectClass * klass)
{
  g_autoptr (WhisperLiveSettings) defaults = whisperlive_settings_new ();
  Installer installer = { klass, defaults, 0 };

  /* the default of the property is that it is made once per element */
  g_clear_pointer (&defaults->client_id, g_free);
  install_connection (&installer);
  install_handshake (&installer);
  install_time (&installer);
  install_flow (&installer);
  return installer.n;
}

void
gst_whisper_live_settings_set (WhisperLiveSettings * settings,
    const GValue * value, const GParamSpec * pspec)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, offsets[pspec->param_id]);

  if (field == &settings->known_speakers) {
    if (G_IS_VALUE (&settings->known_speakers))
      g_value_unset (&settings->known_speakers);
    g_value_init (&settings->known_speakers, GST_TYPE_ARRAY);
    g_value_copy (value, &settings->known_speakers);
  } else if (G_VALUE_HOLDS_STRING (value)) {
    g_free (*(gchar **) field);
    *(gchar **) field = g_value_dup_string (value);
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    *(gboolean *) field = g_value_get_boolean (value);
  } else if (G_VALUE_HOLDS_UINT (value)) {
    *(guint *) field = g_value_get_uint (value);
  } else if (G_VALUE_HOLDS_INT (value)) {
    *(gint *) field = g_value_get_int (value);
  } else if (G_VALUE_HOLDS_UINT64 (value)) {
    *(guint64 *) field = g_value_get_uint64 (value);
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    *(gdouble *) field = g_value_get_double (value);
  } else if (G_VALUE_HOLDS_ENUM (value)) {
    *(gint *) field = g_value_get_enum (value);
  } else if (G_VALUE_HOLDS_OBJECT (value)) {
    g_set_object ((GObject **) field, g_value_get_object (value));
  } else {
    g_clear_pointer ((GstStructure **) field, gst_structure_free);
    *(GstStructure **) field = g_value_dup_boxed (value);
  }
}

void
gst_whisper_live_settings_get (const WhisperLiveSettings * settings,
    GValue * value, const GParamSpec * pspec)
{
  gconstpointer field = G_STRUCT_MEMBER_P (settings, offsets[pspec->param_id]);

  if (field == &settings->known_speakers) {
    if (G_IS_VALUE (&settings->known_speakers))
      g_value_copy (&settings->known_speakers, value);
  } else if (G_VALUE_HOLDS_STRING (value)) {
    g_value_set_string (value, *(gchar * const *) field);
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    g_value_set_boolean (value, *(const gboolean *) field);
  } else if (G_VALUE_HOLDS_UINT (value)) {
    g_value_set_uint (value, *(const guint *) field);
  } else if (G_VALUE_HOLDS_INT (value)) {
    g_value_set_int (value, *(const gint *) field);
  } else if (G_VALUE_HOLDS_UINT64 (value)) {
    g_value_set_uint64 (value, *(const guint64 *) field);
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    g_value_set_double (value, *(const gdouble *) field);
  } else if (G_VALUE_HOLDS_ENUM (value)) {
    g_value_set_enum (value, *(const gint *) field);
  } else if (G_VALUE_HOLDS_OBJECT (value)) {
    g_value_set_object (value, *(GObject * const *) field);
  } else {
    g_value_set_boxed (value, *(GstStructure * const *) field);
  }
}
