/* whisperlive-settings: everything that a session is configured by, as one immutable snapshot
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-settings.h"

#include <math.h>
#include <string.h>

#include "whisperlive-protocol.h"
#include "whisperlive-wire.h"

/* A server closes with 1009 on a frame of more. */
#define MAX_FRAME_SIZE (1024 * 1024)
/* What is left of that for the speakers' samples */
#define MAX_SPEAKERS_SIZE (960 * 1024)
#define MAX_OPTION_DEPTH 16

/* Whisper's languages. An unknown one stops every client of the server for ever. */
static const gchar *const languages[] = {
  "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs",
  "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi",
  "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy",
  "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb",
  "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt",
  "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru",
  "sa", "sd", "si", "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw",
  "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi",
  "yi", "yo", "yue", "zh", NULL
};

/* What faster-whisper's VadOptions takes. An unknown key stops every client of the server for ever. */
static const struct
{
  const gchar *name;
  gdouble min, max;
  gboolean integral;
} vad_options[] = {
  {"threshold", 0.0, 1.0, FALSE},
  {"neg_threshold", 0.0, 1.0, FALSE},
  {"min_speech_duration_ms", 0, 60000, TRUE},
  {"max_speech_duration_s", 1.0, 86400.0, FALSE},
  {"min_silence_duration_ms", 0, 60000, TRUE},
  {"speech_pad_ms", 0, 10000, TRUE},
};

WhisperLiveSettings *
whisperlive_settings_new (void)
{
  WhisperLiveSettings *settings = g_new0 (WhisperLiveSettings, 1);

  settings->uri = g_strdup ("ws://127.0.0.1:9090");
  settings->user_agent =
      g_strdup ("GStreamer whisperlivesink " PACKAGE_VERSION " ");
  settings->ssl_strict = TRUE;
  settings->client_id = g_uuid_string_random ();
  settings->task = WHISPERLIVE_TASK_TRANSCRIBE;
  settings->model = g_strdup ("small");
  settings->use_vad = TRUE;
  settings->send_last_n_segments = 50;
  settings->no_speech_threshold = 0.45;
  settings->same_output_threshold = 10;
  settings->max_speakers = 10;
  settings->diarization_threshold = 0.55;
  settings->audio_format = WHISPERLIVE_FORMAT_FLOAT32;
  settings->connect_timeout = 10000;
  settings->ready_timeout = 60000;
  settings->response_timeout = 30000;
  settings->keepalive_interval = 10000;
  settings->drain_timeout = 15000;
  settings->close_timeout = 2000;
  settings->retries = 10;
  settings->retry_delay = 500;
  settings->retry_delay_max = 30000;
  settings->retry_backoff_factor = 2.0;
  settings->chunk_duration = 100;
  settings->max_size_time = 60 * GST_SECOND;
  settings->leaky = WHISPERLIVE_LEAKY_AUTO;
  settings->max_server_lag = 14000;
  settings->post_partials = TRUE;
  return settings;
}

static GstStructure *
copy_structure (const GstStructure * structure)
{
  return structure ? gst_structure_copy (structure) : NULL;
}

WhisperLiveSettings *
whisperlive_settings_copy (const WhisperLiveSettings * settings)
{
  WhisperLiveSettings *copy;

  g_return_val_if_fail (settings != NULL, NULL);

  copy = g_memdup2 (settings, sizeof *settings);
  copy->uri = g_strdup (settings->uri);
  copy->api_key = g_strdup (settings->api_key);
  copy->extra_headers = copy_structure (settings->extra_headers);
  copy->user_agent = g_strdup (settings->user_agent);
  copy->proxy = g_strdup (settings->proxy);
  copy->proxy_id = g_strdup (settings->proxy_id);
  copy->proxy_pw = g_strdup (settings->proxy_pw);
  if (copy->tls_database)
    g_object_ref (copy->tls_database);
  if (copy->tls_interaction)
    g_object_ref (copy->tls_interaction);
  copy->client_id = g_strdup (settings->client_id);
  copy->language_code = g_strdup (settings->language_code);
  copy->model = g_strdup (settings->model);
  copy->vad_parameters = copy_structure (settings->vad_parameters);
  copy->initial_prompt = g_strdup (settings->initial_prompt);
  copy->hotwords = g_strdup (settings->hotwords);
  copy->translation_language_code =
      g_strdup (settings->translation_language_code);
  memset (&copy->known_speakers, 0, sizeof copy->known_speakers);
  if (G_IS_VALUE (&settings->known_speakers)) {
    g_value_init (&copy->known_speakers,
        G_VALUE_TYPE (&settings->known_speakers));
    g_value_copy (&settings->known_speakers, &copy->known_speakers);
  }
  copy->session_options = copy_structure (settings->session_options);
  return copy;
}

void
whisperlive_settings_free (WhisperLiveSettings * settings)
{
  if (!settings)
    return;

  g_free (settings->uri);
  g_free (settings->api_key);
  g_clear_pointer (&settings->extra_headers, gst_structure_free);
  g_free (settings->user_agent);
  g_free (settings->proxy);
  g_free (settings->proxy_id);
  g_free (settings->proxy_pw);
  g_clear_object (&settings->tls_database);
  g_clear_object (&settings->tls_interaction);
  g_free (settings->client_id);
  g_free (settings->language_code);
  g_free (settings->model);
  g_clear_pointer (&settings->vad_parameters, gst_structure_free);
  g_free (settings->initial_prompt);
  g_free (settings->hotwords);
  g_free (settings->translation_language_code);
  if (G_IS_VALUE (&settings->known_speakers))
    g_value_unset (&settings->known_speakers);
  g_clear_pointer (&settings->session_options, gst_structure_free);
  g_free (settings);
}

static gboolean
G_GNUC_PRINTF (2, 3)
refuse (GError ** error, const gchar * format, ...)
{
  g_autofree gchar *text = NULL, *valid = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  /* what it quotes may be anything */
  valid = g_utf8_make_valid (text, -1);
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      valid);
  return FALSE;
}

gchar *
whisperlive_settings_presentable_uri (const gchar * text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  g_autofree gchar *head = NULL;
  const gchar *at;

  if (uri && !strchr (g_uri_get_path (uri), '@'))
    return g_uri_to_string_partial (uri,
        G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);

  head = g_strndup (text, strcspn (text, "?#"));
  at = strrchr (text, '@');
  if (!at)
    return g_utf8_make_valid (head, -1);
  return g_strdup ("(hidden: it holds a user name)");
}

gchar *
whisperlive_settings_dup_proxy (const WhisperLiveSettings * settings)
{
  if (!settings->proxy || settings->proxy[0] == '\0')
    return NULL;
  return strstr (settings->proxy, "://") ? g_strdup (settings->proxy) :
      g_strconcat ("http://", settings->proxy, NULL);
}

/* What goes into JSON */
static gboolean
check_text (const gchar * name, const gchar * text, GError ** error)
{
  if (!text || g_utf8_validate (text, -1, NULL))
    return TRUE;
  return refuse (error, "%s is not UTF-8", name);
}

/* GLib takes anything for one */
static gboolean
is_host (const gchar * host)
{
  const gchar *p;

  for (p = host; p && *p; p++) {
    if ((guchar) * p <= ' ' || *p == 0x7f)
      return FALSE;
  }
  return host && *host;
}

static gboolean
check_uri (const gchar * name, const gchar * text, const gchar * const *schemes,
    GError ** error)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree gchar *shown = NULL;
  g_autofree gchar *wanted = NULL;

  if (!text)
    return refuse (error, "%s is not set", name);

  shown = whisperlive_settings_presentable_uri (text);
  wanted = g_strjoinv ("://, ", (gchar **) schemes);
  uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (!uri)
    return refuse (error, "%s \"%s\" is not an address that can be understood",
        name, shown);
  if (!g_strv_contains (schemes, g_uri_get_scheme (uri)))
    return refuse (error, "%s \"%s\" has to begin with one of %s://",
        name, shown, wanted);
  if (!is_host (g_uri_get_host (uri)))
    return refuse (error, "%s \"%s\" names no host", name, shown);
  if (g_uri_get_port (uri) == 0)
    return refuse (error, "%s \"%s\" has port 0", name, shown);
  return TRUE;
}

/* A line break in a header's value would begin another header. */
static gboolean
check_header (const gchar * name, const gchar * value, GError ** error)
{
  const gchar *p;

  for (p = value; p && *p; p++) {
    if (((guchar) * p < 0x20 && *p != '\t') || *p == 0x7f)
      return refuse (error, "%s holds a control character, which no HTTP "
          "header can", name);
  }
  return TRUE;
}

static gboolean
check_header_value (const gchar * name, const GValue * value, GError ** error)
{
  g_autofree gchar *property = g_strdup_printf ("extra-headers: %s", name);
  guint i;

  if (G_VALUE_HOLDS_STRING (value))
    return check_header (property, g_value_get_string (value), error);
  if (GST_VALUE_HOLDS_ARRAY (value)) {
    for (i = 0; i < gst_value_array_get_size (value); i++) {
      if (!check_header_value (name, gst_value_array_get_value (value, i),
              error))
        return FALSE;
    }
    return TRUE;
  }
  if (GST_VALUE_HOLDS_LIST (value)) {
    for (i = 0; i < gst_value_list_get_size (value); i++) {
      if (!check_header_value (name, gst_value_list_get_value (value, i),
              error))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_connection (const WhisperLiveSettings * settings, GError ** error)
{
  static const gchar *const servers[] = { "ws", "wss", NULL };
  static const gchar *const proxies[] = {
    "http", "https", "socks", "socks4", "socks4a", "socks5", NULL
  };
  const GstStructure *headers = settings->extra_headers;
  g_autofree gchar *proxy = whisperlive_settings_dup_proxy (settings);
  gint i;

  if (!check_uri ("uri", settings->uri, servers, error))
    return FALSE;
  if (proxy && !check_uri ("proxy", proxy, proxies, error))
    return FALSE;
  if (!check_header ("api-key", settings->api_key, error)
      || !check_header ("user-agent", settings->user_agent, error))
    return FALSE;
  for (i = 0; headers && i < gst_structure_n_fields (headers); i++) {
    const gchar *name = gst_structure_nth_field_name (headers, i);

    if (!check_header_value (name, gst_structure_get_value (headers, name),
            error))
      return FALSE;
  }
  return TRUE;
}

/* "en" for "en-US" and "en_US" */
static gchar *
dup_without_region (const gchar * code)
{
  g_autofree gchar *language = NULL;

  if (!code)
    return NULL;
  language = g_strndup (code, strcspn (code, "-_"));
  return g_ascii_strdown (language, -1);
}

gchar *
whisperlive_settings_dup_language (const WhisperLiveSettings * settings)
{
  return dup_without_region (settings->language_code);
}

gchar *
whisperlive_settings_dup_translation_language (const WhisperLiveSettings *
    settings)
{
  return dup_without_region (settings->translation_language_code);
}

gboolean
whisperlive_settings_is_language (const gchar * code)
{
  return g_strv_contains (languages, code);
}

static gboolean
check_languages (const WhisperLiveSettings * settings, GError ** error)
{
  g_autofree gchar *language = dup_without_region (settings->language_code);
  g_autofree gchar *target =
      dup_without_region (settings->translation_language_code);
  gsize length = target ? strlen (target) : 0;

  if (language && !whisperlive_settings_is_language (language))
    return refuse (error,
        "language-code \"%s\" is not one of Whisper's languages",
        settings->language_code);
  /* the translation model has languages of its own: only what cannot be one is refused */
  if (target && (length < 2 || length > 3
          || strspn (target, "abcdefghijklmnopqrstuvwxyz") != length))
    return refuse (error,
        "translation-language-code \"%s\" is not a language code",
        settings->translation_language_code);
  return TRUE;
}

static gboolean
read_number (const GValue * value, gdouble * number)
{
  GValue wide = G_VALUE_INIT;

  if (!value || !(G_VALUE_HOLDS_INT (value) || G_VALUE_HOLDS_UINT (value)
          || G_VALUE_HOLDS_INT64 (value) || G_VALUE_HOLDS_UINT64 (value)
          || G_VALUE_HOLDS_LONG (value) || G_VALUE_HOLDS_ULONG (value)
          || G_VALUE_HOLDS_FLOAT (value) || G_VALUE_HOLDS_DOUBLE (value)))
    return FALSE;
  g_value_init (&wide, G_TYPE_DOUBLE);
  g_value_transform (value, &wide);
  *number = g_value_get_double (&wide);
  g_value_unset (&wide);
  return isfinite (*number);
}

static const GValue *
get_option (const WhisperLiveSettings * settings, const gchar * name)
{
  return settings->session_options ?
      gst_structure_get_value (settings->session_options, name) : NULL;
}

gboolean
whisperlive_settings_get_words (const WhisperLiveSettings * settings)
{
  const GValue *option = get_option (settings, "word_timestamps");
  gdouble number;

  if (option && G_VALUE_HOLDS_BOOLEAN (option))
    return g_value_get_boolean (option);
  if (read_number (option, &number))
    return number != 0;
  return settings->word_timestamps;
}

gdouble
whisperlive_settings_get_no_speech_threshold (const WhisperLiveSettings *
    settings, gboolean stuck)
{
  gdouble threshold;

  if (read_number (get_option (settings, "no_speech_thresh"), &threshold))
    return threshold;
  return stuck && settings->use_vad ? 1 : settings->no_speech_threshold;
}

static gboolean
check_vad_option (const gchar * name, const GValue * value, GError ** error)
{
  gdouble number;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (vad_options); i++) {
    if (!g_str_equal (name, vad_options[i].name))
      continue;
    if (!read_number (value, &number))
      return refuse (error, "vad-parameters: %s is not a number", name);
    if (number < vad_options[i].min || number > vad_options[i].max)
      return refuse (error, "vad-parameters: %s %g is outside %g to %g",
          name, number, vad_options[i].min, vad_options[i].max);
    if (vad_options[i].integral && number != floor (number))
      return refuse (error, "vad-parameters: %s %g is not a whole number",
          name, number);
    return TRUE;
  }
  return refuse (error, "vad-parameters: no server knows \"%s\"", name);
}

static gboolean
check_vad (const GstStructure * vad, GError ** error)
{
  gdouble longest, padding = 400;
  gint i;

  for (i = 0; vad && i < gst_structure_n_fields (vad); i++) {
    const gchar *name = gst_structure_nth_field_name (vad, i);

    if (!check_vad_option (name, gst_structure_get_value (vad, name), error))
      return FALSE;
  }
  /* speech is cut after what is left of it without the padding: nothing left would never end */
  if (vad && read_number (gst_structure_get_value (vad,
              "max_speech_duration_s"), &longest)) {
    read_number (gst_structure_get_value (vad, "speech_pad_ms"), &padding);
    if (longest * 1000 <= 2 * padding + 100)
      return refuse (error, "vad-parameters: max_speech_duration_s %g is too "
          "short for a speech_pad_ms of %g", longest, padding);
  }
  return TRUE;
}

static gboolean
check_speakers (const GValue * speakers, GError ** error)
{
  gsize size = 0;
  guint i;

  if (!G_IS_VALUE (speakers))
    return TRUE;
  if (!GST_VALUE_HOLDS_ARRAY (speakers))
    return refuse (error, "known-speakers is not an array");
  for (i = 0; i < gst_value_array_get_size (speakers); i++) {
    const GValue *value = gst_value_array_get_value (speakers, i);
    const GstStructure *speaker;
    const gchar *name, *audio;

    if (!GST_VALUE_HOLDS_STRUCTURE (value)
        || !(speaker = gst_value_get_structure (value)))
      return refuse (error, "known-speakers: entry %u is not a structure", i);
    name = gst_structure_get_string (speaker, "name");
    if (!name || !*name)
      return refuse (error, "known-speakers: entry %u has no name", i);
    audio = gst_structure_get_string (speaker, "audio-base64");
    if (!audio)
      audio = gst_structure_get_string (speaker, "audio_base64");
    if (!audio || !*audio)
      return refuse (error, "known-speakers: \"%s\" has no audio-base64", name);
    if (!g_utf8_validate (name, -1, NULL) || !g_utf8_validate (audio, -1, NULL))
      return refuse (error, "known-speakers: entry %u is not UTF-8", i);
    size += strlen (name) + strlen (audio);
  }
  if (size > MAX_SPEAKERS_SIZE)
    return refuse (error, "known-speakers: %" G_GSIZE_FORMAT " bytes are more "
        "than the %u that a server takes", size, MAX_SPEAKERS_SIZE);
  return TRUE;
}

static gboolean
check_option (const gchar * name, const GValue * value, guint depth,
    GError ** error)
{
  gdouble number;
  gint i;

  if (depth > MAX_OPTION_DEPTH)
    return refuse (error, "session-options: %s is nested too deeply", name);
  if (!check_text ("session-options: a name", name, error))
    return FALSE;
  if (G_VALUE_HOLDS_STRING (value)) {
    g_autofree gchar *option = g_strconcat ("session-options: ", name, NULL);

    return check_text (option, g_value_get_string (value), error);
  }
  if (G_VALUE_HOLDS_BOOLEAN (value) || read_number (value, &number))
    return TRUE;
  if (GST_VALUE_HOLDS_ARRAY (value)) {
    for (i = 0; i < (gint) gst_value_array_get_size (value); i++) {
      if (!check_option (name, gst_value_array_get_value (value, i), depth + 1,
              error))
        return FALSE;
    }
    return TRUE;
  }
  if (GST_VALUE_HOLDS_LIST (value)) {
    for (i = 0; i < (gint) gst_value_list_get_size (value); i++) {
      if (!check_option (name, gst_value_list_get_value (value, i), depth + 1,
              error))
        return FALSE;
    }
    return TRUE;
  }
  if (GST_VALUE_HOLDS_STRUCTURE (value) && gst_value_get_structure (value)) {
    const GstStructure *nested = gst_value_get_structure (value);

    for (i = 0; i < gst_structure_n_fields (nested); i++) {
      const gchar *field = gst_structure_nth_field_name (nested, i);

      if (!check_option (field, gst_structure_get_value (nested, field),
              depth + 1, error))
        return FALSE;
    }
    return TRUE;
  }
  return refuse (error, "session-options: %s has a value (of type %s) that "
      "JSON cannot carry", name, G_VALUE_TYPE_NAME (value));
}

/* These two have properties, and stop a server for all its clients just as well. */
static gboolean
check_dangerous_options (const GstStructure * options, GError ** error)
{
  const GValue *vad = gst_structure_get_value (options, "vad_parameters");
  const gchar *language = gst_structure_get_string (options, "language");

  if (language && !whisperlive_settings_is_language (language))
    return refuse (error, "session-options: Whisper has no language \"%s\"",
        language);
  if (vad && !GST_VALUE_HOLDS_STRUCTURE (vad))
    return refuse (error, "session-options: vad_parameters is no structure");
  return !vad || check_vad (gst_value_get_structure (vad), error);
}

static gboolean
check_options (const GstStructure * options, GError ** error)
{
  gint i;

  if (options && !check_dangerous_options (options, error))
    return FALSE;

  for (i = 0; options && i < gst_structure_n_fields (options); i++) {
    const gchar *name = gst_structure_nth_field_name (options, i);

    if (!check_option (name, gst_structure_get_value (options, name), 0, error))
      return FALSE;
  }
  return TRUE;
}

/* Written so that a NaN is outside */
static gboolean
check_range (const gchar * name, gdouble value, gdouble min, gdouble max,
    GError ** error)
{
  if (value >= min && value <= max)
    return TRUE;
  return refuse (error, "%s %g is outside %g to %g", name, value, min, max);
}

static gboolean
check_chunk_duration (const WhisperLiveSettings * settings, GError ** error)
{
  gsize samples = (gsize) settings->chunk_duration * (WHISPERLIVE_RATE / 1000);

  if (whisperlive_wire_get_size (settings->audio_format, samples) >
      MAX_FRAME_SIZE)
    return refuse (error, "chunk-duration %u ms of %s is more than a server "
        "takes in one message", settings->chunk_duration,
        whisperlive_wire_get_name (settings->audio_format));
  return check_range ("chunk-duration", settings->chunk_duration, 1, G_MAXINT,
      error);
}

gboolean
whisperlive_settings_check (const WhisperLiveSettings * settings,
    GError ** error)
{
  g_return_val_if_fail (settings != NULL, FALSE);

  if (!check_connection (settings, error)
      || !check_languages (settings, error)
      || !check_vad (settings->vad_parameters, error)
      || !check_speakers (&settings->known_speakers, error)
      || !check_options (settings->session_options, error))
    return FALSE;
  if (!check_text ("model", settings->model, error)
      || !check_text ("initial-prompt", settings->initial_prompt, error)
      || !check_text ("hotwords", settings->hotwords, error))
    return FALSE;
  if (!settings->model || settings->model[0] == '\0')
    return refuse (error, "model is not set");

  /* 0 asks for every segment of the session in each message */
  return check_range ("send-last-n-segments", settings->send_last_n_segments,
      1, G_MAXINT, error)
      && check_range ("same-output-threshold", settings->same_output_threshold,
      0, G_MAXINT, error)
      && check_range ("no-speech-threshold", settings->no_speech_threshold,
      0.0, 1.0, error)
      && check_range ("max-speakers", settings->max_speakers, 1, G_MAXINT,
      error)
      && check_range ("diarization-threshold", settings->diarization_threshold,
      0.0, 1.0, error)
      && check_range ("retries", settings->retries, -1, G_MAXINT, error)
      && check_range ("retry-backoff-factor", settings->retry_backoff_factor,
      1.0, 1000.0, error)
      && check_chunk_duration (settings, error)
      && check_range ("max-server-lag", settings->max_server_lag, 1, G_MAXINT,
      error);
}
