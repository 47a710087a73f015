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
  /**
   * GstWhisperLiveSink:uri:
   *
   * `ws://host[:port][/path]`, or `wss://` for TLS.
   *
   * Since: 0.1
   */
  STRING ("uri", uri, "URI",
      "WebSocket address of the WhisperLive server: ws://host[:port][/path], "
      "or wss:// for TLS");
  /**
   * GstWhisperLiveSink:api-key:
   *
   * Sent as `Authorization: Bearer`. Redirects are not followed, so it goes to no other host.
   *
   * Since: 0.1
   */
  install (i, AT (api_key), g_param_spec_string ("api-key", "API key",
          "Secret that is sent as \"Authorization: Bearer\"; can be written, "
          "never read", NULL,
          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  /**
   * GstWhisperLiveSink:extra-headers:
   *
   * More headers of the request: field name = value, or an array or a list of values.
   *
   * Since: 0.1
   */
  STRUCTURE ("extra-headers", extra_headers, "Extra headers",
      "More headers of the WebSocket request: field name = value, or an array "
      "or a list of values");
  /**
   * GstWhisperLiveSink:user-agent:
   *
   * The `User-Agent` header. libsoup adds its own name and version after a space at the end; %NULL or empty: only
   * these.
   *
   * Since: 0.1
   */
  STRING ("user-agent", user_agent, "User-Agent",
      "Value of the User-Agent header");
  /**
   * GstWhisperLiveSink:proxy:
   *
   * URI of a proxy, without a scheme an HTTP proxy's; %NULL or empty: the system's settings. An HTTP proxy is asked for
   * a tunnel (`CONNECT`), for `ws://` as well as for `wss://`.
   *
   * Since: 0.1
   */
  STRING ("proxy", proxy, "Proxy", "URI of a proxy; NULL or empty: the "
      "system's proxy settings (http_proxy and others)");
  /**
   * GstWhisperLiveSink:proxy-id:
   *
   * User at the proxy, if its URI has none.
   *
   * Since: 0.1
   */
  STRING ("proxy-id", proxy_id, "Proxy user", "User id at the proxy");
  /**
   * GstWhisperLiveSink:proxy-pw:
   *
   * Password at the proxy, if its URI has none. It can be read, as that of souphttpsrc.
   *
   * Since: 0.1
   */
  STRING ("proxy-pw", proxy_pw, "Proxy password", "Password at the proxy");
  /**
   * GstWhisperLiveSink:tls-database:
   *
   * Certificate authorities to verify the server by; %NULL: the system's.
   *
   * Since: 0.1
   */
  OBJECT ("tls-database", tls_database, "TLS database",
      "Certificate authorities to verify the server by; NULL: the system's",
      G_TYPE_TLS_DATABASE);
  /**
   * GstWhisperLiveSink:tls-interaction:
   *
   * Asked when a client certificate or a password is needed.
   *
   * Since: 0.1
   */
  OBJECT ("tls-interaction", tls_interaction, "TLS interaction",
      "Asked when a client certificate or a password is needed",
      G_TYPE_TLS_INTERACTION);
  /**
   * GstWhisperLiveSink:ssl-strict:
   *
   * %FALSE: any certificate is accepted.
   *
   * Since: 0.1
   */
  BOOLEAN ("ssl-strict", ssl_strict, "Strict TLS",
      "Refuse a server whose certificate is not valid");
}

static void
install_handshake (Installer * i)
{
  /**
   * GstWhisperLiveSink:client-id:
   *
   * Identifies the element over all its sessions, for the application: it is not sent to the server.
   *
   * Since: 0.1
   */
  STRING ("client-id", client_id, "Client id",
      "Identifies this element over all its sessions; a new UUID unless set");
  /**
   * GstWhisperLiveSink:language-code:
   *
   * Language that is spoken; a region is cut off (`en-US`: `en`); %NULL: the server detects it.
   *
   * Since: 0.1
   */
  STRING ("language-code", language_code, "Language code",
      "ISO 639 code of the spoken language, a region is cut off (en-US: en); "
      "NULL: the server detects it");
  /**
   * GstWhisperLiveSink:task:
   *
   * Text in the language that is spoken, or translated into English by Whisper.
   *
   * Since: 0.1
   */
  ENUM ("task", task, "Task", "What the server makes of the speech",
      GST_TYPE_WHISPER_LIVE_TASK);
  /**
   * GstWhisperLiveSink:model:
   *
   * Model to use; a server with a model of its own ignores it.
   *
   * Since: 0.1
   */
  STRING ("model", model, "Model",
      "Whisper model that the server is asked to use; a server with a model of "
      "its own ignores it");
  /**
   * GstWhisperLiveSink:use-vad:
   *
   * The server skips what its voice activity detection finds no speech in.
   *
   * Since: 0.1
   */
  BOOLEAN ("use-vad", use_vad, "Use VAD",
      "Let the server skip what its voice activity detection finds no speech "
      "in");
  /**
   * GstWhisperLiveSink:vad-parameters:
   *
   * Parameters of the voice activity detection: `threshold` and `neg_threshold` (0 to 1), `min_speech_duration_ms`,
   * `max_speech_duration_s`, `min_silence_duration_ms`, `speech_pad_ms`. Others are refused.
   *
   * Since: 0.1
   */
  STRUCTURE ("vad-parameters", vad_parameters, "VAD parameters",
      "Parameters of the voice activity detection: threshold, neg_threshold "
      "(0 to 1), min_speech_duration_ms, max_speech_duration_s, "
      "min_silence_duration_ms, speech_pad_ms");
  /**
   * GstWhisperLiveSink:initial-prompt:
   *
   * Text that Whisper takes as what was said before.
   *
   * Since: 0.1
   */
  STRING ("initial-prompt", initial_prompt, "Initial prompt",
      "Text that Whisper takes as what was said before");
  /**
   * GstWhisperLiveSink:hotwords:
   *
   * Words to expect.
   *
   * Since: 0.1
   */
  STRING ("hotwords", hotwords, "Hotwords", "Words to expect");
  /**
   * GstWhisperLiveSink:send-last-n-segments:
   *
   * Completed segments that the server repeats in each message. What one pass completes beyond that is lost. 0 can
   * be set, and is refused at NULL→READY.
   *
   * Since: 0.1
   */
  UINT ("send-last-n-segments", send_last_n_segments, "Send last n segments",
      "How many completed segments the server repeats in each message; what "
      "one pass completes beyond that is lost", 0, 500);
  /**
   * GstWhisperLiveSink:no-speech-threshold:
   *
   * Segments that are more probably no speech are discarded.
   *
   * Since: 0.1
   */
  DOUBLE ("no-speech-threshold", no_speech_threshold, "No speech threshold",
      "Segments with a higher probability of being no speech are discarded",
      0, 1);
  /**
   * GstWhisperLiveSink:same-output-threshold:
   *
   * Passes with the same text after which the server completes it.
   *
   * Since: 0.1
   */
  UINT ("same-output-threshold", same_output_threshold,
      "Same output threshold",
      "Passes with the same text after which the server completes it", 0, 1000);
  /**
   * GstWhisperLiveSink:clip-audio:
   *
   * The server discards all but 5 s when 25 s gave no text.
   *
   * Since: 0.1
   */
  BOOLEAN ("clip-audio", clip_audio, "Clip audio",
      "Let the server discard all but 5 s when 25 s gave no text");
  /**
   * GstWhisperLiveSink:translation-language-code:
   *
   * Language that the server also translates into; a region is cut off.
   *
   * Since: 0.1
   */
  STRING ("translation-language-code", translation_language_code,
      "Translation language code",
      "Language that the server also translates into; NULL: none");
  /**
   * GstWhisperLiveSink:diarization:
   *
   * Tell the speakers apart.
   *
   * Since: 0.1
   */
  BOOLEAN ("diarization", diarization, "Diarization",
      "Tell the speakers apart");
  /**
   * GstWhisperLiveSink:max-speakers:
   *
   * Most speakers to tell apart.
   *
   * Since: 0.1
   */
  UINT ("max-speakers", max_speakers, "Maximum speakers",
      "Most speakers to tell apart", 1, 1000);
  /**
   * GstWhisperLiveSink:diarization-threshold:
   *
   * Similarity above which two voices are the same speaker's.
   *
   * Since: 0.1
   */
  DOUBLE ("diarization-threshold", diarization_threshold,
      "Diarization threshold",
      "Similarity above which two voices are the same " "speaker's", 0, 1);
  /**
   * GstWhisperLiveSink:known-speakers:
   *
   * Speakers to recognise: `name` and `audio-base64` (a sound file of the voice) of each. When it is not empty,
   * diarization is on.
   *
   * Since: 0.1
   */
  install (i, AT (known_speakers), gst_param_spec_array ("known-speakers",
          "Known speakers",
          "Structures with the fields name and audio-base64 "
          "(a sound file of the voice)", g_param_spec_boxed ("speaker",
              "Speaker", "One speaker", GST_TYPE_STRUCTURE,
              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS), FLAGS));
  /**
   * GstWhisperLiveSink:word-timestamps:
   *
   * Ask for the times and probabilities of the words.
   *
   * Since: 0.1
   */
  BOOLEAN ("word-timestamps", word_timestamps, "Word timestamps",
      "Ask for the times and probabilities of the words");
  /**
   * GstWhisperLiveSink:audio-format:
   *
   * Sample format on the wire, 16 kHz mono. Servers before 0.10 know only `float32`, and say nothing about others.
   *
   * Since: 0.1
   */
  ENUM ("audio-format", audio_format, "Audio format",
      "Sample format on the wire, 16 kHz mono",
      GST_TYPE_WHISPER_LIVE_AUDIO_FORMAT);
  /**
   * GstWhisperLiveSink:session-options:
   *
   * Merged last into the first message to the server, for options that have no property: strings, booleans,
   * numbers, arrays, structures.
   *
   * Since: 0.1
   */
  STRUCTURE ("session-options", session_options, "Session options",
      "Merged last into the first message to the server, for options that have "
      "no property");
}

static void
install_time (Installer * i)
{
  /**
   * GstWhisperLiveSink:connect-timeout:
   *
   * Longest time for TCP, TLS and WebSocket upgrade. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("connect-timeout", connect_timeout, "Connect time-out",
      "Longest time for TCP, TLS and WebSocket upgrade, in ms", 1, G_MAXINT);
  /**
   * GstWhisperLiveSink:ready-timeout:
   *
   * Longest time from the upgrade until the server is ready; it may have a model to load. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("ready-timeout", ready_timeout, "Ready time-out",
      "Longest time from the upgrade until the server is ready, in ms; it may "
      "have a model to load", 1, G_MAXINT);
  /**
   * GstWhisperLiveSink:response-timeout:
   *
   * Longest silence of a server that owes text: its last message had a partial, which it has to go on with, or it
   * has sound that may be speech. In the latter case the server is first tried on another connection, with speech
   * that has had its text. Then the session counts as lost; 0: never. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("response-timeout", response_timeout, "Response time-out",
      "Longest silence of a server that owes text, in ms; 0: for ever", 0,
      G_MAXINT);
  /**
   * GstWhisperLiveSink:keepalive-interval:
   *
   * Period of WebSocket pings; one that is not answered by the time of the next means that the session is lost; 0:
   * none. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("keepalive-interval", keepalive_interval, "Keep-alive interval",
      "Period of WebSocket pings, in ms; an unanswered one means a dead peer; "
      "0: no pings", 0, G_MAXINT);
  /**
   * GstWhisperLiveSink:drain-timeout:
   *
   * Longest time that EOS waits for the last words without getting any further: audio sent for the first time,
   * text, or a session that has come back. In PAUSED it does not run. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("drain-timeout", drain_timeout, "Drain time-out",
      "Longest time that the end of the stream waits for the last words "
      "without getting any further, in ms", 0, G_MAXINT);
  /**
   * GstWhisperLiveSink:close-timeout:
   *
   * Longest time that PAUSED→READY, or the end of the stream, waits for the closing handshake. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("close-timeout", close_timeout, "Close time-out",
      "Longest time that PAUSED to READY, or the end of the stream, waits for "
      "the closing handshake, in ms", 0, G_MAXINT);
  /**
   * GstWhisperLiveSink:retries:
   *
   * Attempts in a row, after a failed one, before the element errors; 0: none; -1: for ever.
   *
   * Since: 0.1
   */
  install (i, AT (retries), g_param_spec_int ("retries", "Retries",
          "Further attempts in a row, after a failed one, before the element "
          "errors; 0: none, -1: for ever", -1, G_MAXINT,
          i->defaults->retries, FLAGS));
  /**
   * GstWhisperLiveSink:retry-delay:
   *
   * Back-off before the first retry. Each delay varies by up to 20 %. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("retry-delay", retry_delay, "Retry delay",
      "Back-off before the first retry, in ms; each delay varies by up to 20 %",
      0, G_MAXINT);
  /**
   * GstWhisperLiveSink:retry-delay-max:
   *
   * Longest back-off (before it varies), also when a full server asks for more. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("retry-delay-max", retry_delay_max, "Longest retry delay",
      "Longest back-off, in ms, also when the server is full", 0, G_MAXINT);
  /**
   * GstWhisperLiveSink:retry-backoff-factor:
   *
   * How many times longer each delay is than the one before.
   *
   * Since: 0.1
   */
  DOUBLE ("retry-backoff-factor", retry_backoff_factor, "Back-off factor",
      "How many times longer each delay is than the one before", 1, 1000);
  /**
   * GstWhisperLiveSink:max-session-duration:
   *
   * A session is replaced before it gets this old: from 3/4 of it on as soon as nobody speaks, at 19/20 anyway.
   * Servers hang up at their maximum connection time; 0: never. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("max-session-duration", max_session_duration,
      "Maximum session duration",
      "When set, a session is replaced before it gets this old, in ms; servers "
      "hang up at their max_connection_time; 0: never", 0, G_MAXINT);
}

static void
install_flow (Installer * i)
{
  /**
   * GstWhisperLiveSink:chunk-duration:
   *
   * Audio in one WebSocket message. In milliseconds; with float32 16384 is the most, as a server takes no more than
   * 1 MiB.
   *
   * Since: 0.1
   */
  UINT ("chunk-duration", chunk_duration, "Chunk duration",
      "Audio per WebSocket message, in ms (at most 16384 with float32)", 10,
      30000);
  /**
   * GstWhisperLiveSink:max-size-time:
   *
   * Audio held in the element: waiting, and sent but not settled. Less than 1 s and one chunk is taken for that,
   * as the server makes nothing of less; 0 does not mean without a bound. In nanoseconds.
   *
   * Since: 0.1
   */
  install (i, AT (max_size_time), g_param_spec_uint64 ("max-size-time",
          "Maximum size", "Audio held in the element, waiting or not yet "
          "settled by a final transcript, in ns (0: the least that works)", 0,
          G_MAXUINT64, i->defaults->max_size_time, FLAGS));
  /**
   * GstWhisperLiveSink:leaky:
   *
   * What happens when #GstWhisperLiveSink:max-size-time is reached: block (`none`), drop the new audio
   * (`upstream`), drop the oldest that waits (`downstream`). `auto` blocks, or drops old audio when upstream is
   * live. Audio that was sent is dropped only when no other is held.
   *
   * Since: 0.1
   */
  install (i, AT (leaky), g_param_spec_enum ("leaky", "Leaky",
          "What to do when max-size-time is reached",
          GST_TYPE_WHISPER_LIVE_LEAKY, i->defaults->leaky,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstWhisperLiveSink:max-server-lag:
   *
   * Audio in flight that no final covers. Passes of up to 12 s are aimed at, with #GstWhisperLiveSink:no-speech-threshold 1
   * of 60 % of this, up to 24 s; only while passes complete nothing there may be more. In milliseconds.
   *
   * Since: 0.1
   */
  UINT ("max-server-lag", max_server_lag, "Maximum server lag",
      "Audio in flight that no final transcript covers yet before sending "
      "slows down, in ms", 1000, 60000);
  /**
   * GstWhisperLiveSink:post-partials:
   *
   * Post partial transcripts as well.
   *
   * Since: 0.1
   */
  BOOLEAN ("post-partials", post_partials, "Post partials",
      "Post whisperlive/transcript messages for partial transcripts too");
  /**
   * GstWhisperLiveSink:post-raw:
   *
   * Post every message of the server as `whisperlive/raw`.
   *
   * Since: 0.1
   */
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
