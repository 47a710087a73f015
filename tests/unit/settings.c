/* Tests of whisperlive-settings
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <math.h>
#include <string.h>

#include "whisperlive-settings.h"

static WhisperLiveSettings *settings;

static void
setup (void)
{
  settings = whisperlive_settings_new ();
}

static void
teardown (void)
{
  whisperlive_settings_free (settings);
}

static void
set_string (gchar ** field, const gchar * value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static void
check_taken (void)
{
  g_autoptr (GError) error = NULL;

  fail_unless (whisperlive_settings_check (settings, &error), "refused: %s",
      error ? error->message : "");
  fail_unless (error == NULL);
}

/* @words: what the message has to have, separated by a bar */
static void
check_refused (const gchar * words)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) parts = g_strsplit (words, "|", -1);
  guint i;

  fail_if (whisperlive_settings_check (settings, &error), "taken: %s", words);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (g_utf8_validate (error->message, -1, NULL));
  for (i = 0; parts[i]; i++)
    fail_unless (strstr (error->message, parts[i]) != NULL,
        "\"%s\" does not name %s", error->message, parts[i]);
  fail_unless (strstr (error->message, "SECRET") == NULL, "\"%s\" tells",
      error->message);
  fail_if (whisperlive_settings_check (settings, NULL));
}

/* Defaults and copies */

GST_START_TEST (test_defaults_are_taken)
{
  check_taken ();
}

GST_END_TEST;

GST_START_TEST (test_defaults)
{
  fail_unless_equals_string (settings->uri, "ws://127.0.0.1:9090");
  fail_unless (settings->api_key == NULL);
  fail_unless (settings->ssl_strict);
  fail_unless (settings->language_code == NULL);
  fail_unless_equals_int (settings->task, WHISPERLIVE_TASK_TRANSCRIBE);
  fail_unless_equals_string (settings->model, "small");
  fail_unless (settings->use_vad);
  fail_unless_equals_int (settings->send_last_n_segments, 50);
  fail_unless (settings->no_speech_threshold == 0.45);
  fail_unless_equals_int (settings->same_output_threshold, 10);
  fail_if (settings->clip_audio);
  fail_unless (settings->translation_language_code == NULL);
  fail_if (settings->diarization);
  fail_if (settings->word_timestamps);
  fail_unless_equals_int (settings->audio_format, WHISPERLIVE_FORMAT_FLOAT32);
}

GST_END_TEST;

GST_START_TEST (test_default_times)
{
  fail_unless_equals_int (settings->connect_timeout, 10000);
  fail_unless_equals_int (settings->ready_timeout, 60000);
  fail_unless_equals_int (settings->response_timeout, 30000);
  fail_unless_equals_int (settings->keepalive_interval, 10000);
  fail_unless_equals_int (settings->drain_timeout, 15000);
  fail_unless_equals_int (settings->close_timeout, 2000);
  fail_unless_equals_int (settings->retries, 10);
  fail_unless_equals_int (settings->retry_delay, 500);
  fail_unless_equals_int (settings->retry_delay_max, 30000);
  fail_unless (settings->retry_backoff_factor == 2.0);
  fail_unless_equals_int (settings->max_session_duration, 0);
  fail_unless_equals_int (settings->chunk_duration, 100);
  fail_unless_equals_uint64 (settings->max_size_time, 60 * GST_SECOND);
  fail_unless_equals_int (settings->leaky, WHISPERLIVE_LEAKY_AUTO);
  fail_unless_equals_int (settings->max_server_lag, 14000);
  fail_unless (settings->post_partials);
  fail_if (settings->post_raw);
}

GST_END_TEST;

GST_START_TEST (test_client_ids_differ)
{
  g_autoptr (WhisperLiveSettings) other = whisperlive_settings_new ();

  fail_unless (g_uuid_string_is_valid (settings->client_id));
  fail_if (g_str_equal (settings->client_id, other->client_id));
}

GST_END_TEST;

static void
add_speaker (const gchar * key, const gchar * name, const gchar * audio)
{
  GValue value = G_VALUE_INIT;

  if (!G_IS_VALUE (&settings->known_speakers))
    g_value_init (&settings->known_speakers, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, gst_structure_new ("speaker", "name",
          G_TYPE_STRING, name, key, G_TYPE_STRING, audio, NULL));
  gst_value_array_append_and_take_value (&settings->known_speakers, &value);
}

GST_START_TEST (test_copy_outlives_the_original)
{
  g_autoptr (WhisperLiveSettings) copy = NULL;
  const GValue *speaker;

  set_string (&settings->api_key, "key");
  set_string (&settings->hotwords, "words");
  settings->vad_parameters = gst_structure_new ("vad", "threshold",
      G_TYPE_DOUBLE, 0.25, NULL);
  add_speaker ("audio-base64", "Ann", "QUJD");
  settings->retries = 3;
  copy = whisperlive_settings_copy (settings);
  whisperlive_settings_free (settings);
  settings = whisperlive_settings_new ();

  fail_unless_equals_string (copy->uri, "ws://127.0.0.1:9090");
  fail_unless_equals_string (copy->api_key, "key");
  fail_unless_equals_string (copy->hotwords, "words");
  fail_unless_equals_int (copy->retries, 3);
  fail_unless (gst_structure_has_field (copy->vad_parameters, "threshold"));
  fail_unless_equals_int (gst_value_array_get_size (&copy->known_speakers), 1);
  speaker = gst_value_array_get_value (&copy->known_speakers, 0);
  fail_unless_equals_string (gst_structure_get_string (gst_value_get_structure
          (speaker), "name"), "Ann");
}

GST_END_TEST;

GST_START_TEST (test_copy_of_the_defaults)
{
  g_autoptr (WhisperLiveSettings) copy = whisperlive_settings_copy (settings);

  fail_unless_equals_string (copy->client_id, settings->client_id);
  fail_if (G_IS_VALUE (&copy->known_speakers));
  fail_unless (whisperlive_settings_check (copy, NULL));
}

GST_END_TEST;

GST_START_TEST (test_copy_shares_the_objects)
{
  g_autoptr (GTlsInteraction) interaction =
      g_object_new (G_TYPE_TLS_INTERACTION, NULL);
  WhisperLiveSettings *copy;

  settings->tls_interaction = g_object_ref (interaction);
  copy = whisperlive_settings_copy (settings);
  fail_unless (copy->tls_interaction == interaction);
  ASSERT_OBJECT_REFCOUNT (interaction, "interaction", 3);
  whisperlive_settings_free (copy);
  ASSERT_OBJECT_REFCOUNT (interaction, "interaction", 2);
}

GST_END_TEST;

/* Addresses */

static const gchar *const good_uris[] = {
  "ws://127.0.0.1:9090", "wss://example.org", "ws://[::1]:9090/",
  "wss://user:pass@example.org:443/path?query=1", "WS://example.org",
  "ws://example.org:1",
};

GST_START_TEST (test_good_uri)
{
  set_string (&settings->uri, good_uris[__i__]);
  check_taken ();
}

GST_END_TEST;

static const gchar *const bad_uris[] = {
  "", "example.org", "example.org:9090", "127.0.0.1:9090",
  "http://example.org", "https://example.org", "ws:example.org", "ws://",
  "ws:///path", "ws://:9090", "ws://example.org:99999", "ws://example.org:0",
  "ws://[::1", "://example.org", "/tmp/socket",
};

GST_START_TEST (test_bad_uri)
{
  g_autofree gchar *words = g_strdup_printf ("uri|%s", bad_uris[__i__]);

  set_string (&settings->uri, bad_uris[__i__]);
  check_refused (words);
}

GST_END_TEST;

GST_START_TEST (test_impossible_host)
{
  set_string (&settings->uri, "ws://exa mple.org");
  check_refused ("uri|mple.org");
}

GST_END_TEST;

GST_START_TEST (test_no_uri)
{
  set_string (&settings->uri, NULL);
  check_refused ("uri");
}

GST_END_TEST;

/* A bad address is shown, but never what is secret in it. */
static const gchar *const secret_uris[] = {
  "http://user:SECRET@example.org", "http://example.org/?token=SECRET",
  "http://example.org/#SECRET", "user:SECRET@example.org",
  "ws://user:SECRET@exa mple.org", "http://us/er:SECRET@example.org:port",
  "ws://exa mple.org/?token=SECRET", "http://us/er:SECRET@example.org/",
  "ws://user:SECRET@", "ws://user:SE?CRETSECRET@example.org:port",
  "http://user:#SECRET@host name", "SECRET@", "@SECRET@",
};

GST_START_TEST (test_secrets_in_uri)
{
  set_string (&settings->uri, secret_uris[__i__]);
  check_refused ("uri");
}

GST_END_TEST;

GST_START_TEST (test_proxy)
{
  set_string (&settings->proxy, "http://proxy.example.org:3128");
  check_taken ();
  set_string (&settings->proxy, "");
  check_taken ();
  set_string (&settings->proxy, "ftp://user:SECRET@proxy.example.org");
  check_refused ("proxy|ftp");
  set_string (&settings->proxy, "proxy.example.org:3128");
  check_taken ();
  set_string (&settings->proxy, "user:SECRET@proxy.example.org:port");
  check_refused ("proxy");
}

GST_END_TEST;

GST_START_TEST (test_line_break_in_a_header)
{
  set_string (&settings->api_key, "SECRET\r\nX: y");
  check_refused ("api-key");
  set_string (&settings->api_key, "SECRET");
  check_taken ();
  set_string (&settings->user_agent, "a\nb");
  check_refused ("user-agent");
  set_string (&settings->user_agent, "a b");
  check_taken ();
  settings->extra_headers = gst_structure_new ("headers", "X-Good",
      G_TYPE_STRING, "a", "X-Bad", G_TYPE_STRING, "SECRET\nSECRET", NULL);
  check_refused ("extra-headers|X-Bad");
}

GST_END_TEST;

GST_START_TEST (test_line_break_in_a_list_of_headers)
{
  GValue list = G_VALUE_INIT, value = G_VALUE_INIT;

  g_value_init (&list, __i__ ? GST_TYPE_ARRAY : GST_TYPE_LIST);
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, "a\nb");
  if (__i__)
    gst_value_array_append_and_take_value (&list, &value);
  else
    gst_value_list_append_and_take_value (&list, &value);
  settings->extra_headers = gst_structure_new_empty ("headers");
  gst_structure_take_value (settings->extra_headers, "X", &list);
  check_refused ("extra-headers|X");
}

GST_END_TEST;

GST_START_TEST (test_list_of_headers)
{
  settings->extra_headers = gst_structure_from_string ("headers, "
      "X-Array=(string)<a, b>, X-List=(string){c, d}, X-Number=(int)1;", NULL);
  fail_unless (settings->extra_headers != NULL);
  check_taken ();
}

GST_END_TEST;

/* Languages */

static const struct
{
  const gchar *code, *sent;
} good_languages[] = {
  {NULL, NULL},
  {"en", "en"},
  {"en-US", "en"},
  {"en_US", "en"},
  {"en_US.UTF-8", "en"},
  {"DE-at", "de"},
  {"zh-Hans-CN", "zh"},
  {"yue", "yue"},
  {"haw", "haw"},
  {"jw", "jw"},
};

GST_START_TEST (test_good_language)
{
  g_autofree gchar *sent = NULL;

  set_string (&settings->language_code, good_languages[__i__].code);
  check_taken ();
  sent = whisperlive_settings_dup_language (settings);
  fail_unless_equals_string (sent, good_languages[__i__].sent);
}

GST_END_TEST;

static const gchar *const bad_languages[] = {
  "", "xx", "english", "auto", "e", "-US", "en US", " en", "\xc3\xa4",
};

GST_START_TEST (test_bad_language)
{
  g_autofree gchar *words =
      g_strdup_printf ("language-code|%s", bad_languages[__i__]);

  set_string (&settings->language_code, bad_languages[__i__]);
  check_refused (words);
}

GST_END_TEST;

GST_START_TEST (test_every_language)
{
  /* as many as the tokenizer of faster-whisper has */
  guint n = 0;
  gchar a, b, c;

  for (a = 'a'; a <= 'z'; a++) {
    for (b = 'a'; b <= 'z'; b++) {
      for (c = 'a' - 1; c <= 'z'; c++) {
        const gchar code[] = { a, b, c < 'a' ? '\0' : c, '\0' };

        set_string (&settings->language_code, code);
        n += whisperlive_settings_check (settings, NULL);
      }
    }
  }
  fail_unless_equals_int (n, 100);
}

GST_END_TEST;

GST_START_TEST (test_translation_language)
{
  g_autofree gchar *sent = NULL;

  set_string (&settings->translation_language_code, "pt-BR");
  check_taken ();
  sent = whisperlive_settings_dup_translation_language (settings);
  fail_unless_equals_string (sent, "pt");
  set_string (&settings->translation_language_code, "ceb");
  check_taken ();
  set_string (&settings->translation_language_code, "");
  check_refused ("translation-language-code");
  set_string (&settings->translation_language_code, "French");
  check_refused ("translation-language-code|French");
  set_string (&settings->translation_language_code, "f1");
  check_refused ("translation-language-code|f1");
}

GST_END_TEST;

GST_START_TEST (test_model)
{
  set_string (&settings->model, "/models/my model");
  check_taken ();
  set_string (&settings->model, "");
  check_refused ("model");
  set_string (&settings->model, NULL);
  check_refused ("model");
}

GST_END_TEST;

/* Structures */

static const gchar *const good_vads[] = {
  "vad;", "vad, threshold=(double)0.3;", "vad, threshold=(int)1;",
  "vad, threshold=(float)0.5, neg_threshold=(double)0.2, "
      "min_speech_duration_ms=(int)250, max_speech_duration_s=(double)30, "
      "min_silence_duration_ms=(uint)500, speech_pad_ms=(gint64)100;",
  "vad, min_silence_duration_ms=(double)500.0;",
};

GST_START_TEST (test_good_vad)
{
  settings->vad_parameters = gst_structure_from_string (good_vads[__i__], NULL);
  fail_unless (settings->vad_parameters != NULL);
  check_taken ();
}

GST_END_TEST;

static const struct
{
  const gchar *structure, *words;
} bad_vads[] = {
  {"vad, onset=(double)0.5;", "vad-parameters|onset"},
  {"vad, THRESHOLD=(double)0.5;", "vad-parameters|THRESHOLD"},
  {"vad, threshold=(string)high;", "vad-parameters|threshold"},
  {"vad, threshold=(boolean)true;", "vad-parameters|threshold"},
  {"vad, threshold=(double)1.5;", "vad-parameters|threshold|1.5"},
  {"vad, threshold=(double)-0.1;", "vad-parameters|threshold|-0.1"},
  {"vad, threshold=(double)nan;", "vad-parameters|threshold"},
  {"vad, max_speech_duration_s=(double)inf;",
      "vad-parameters|max_speech_duration_s"},
  {"vad, max_speech_duration_s=(double)0;",
      "vad-parameters|max_speech_duration_s"},
  {"vad, max_speech_duration_s=(double)1, speech_pad_ms=(int)500;",
      "vad-parameters|max_speech_duration_s|speech_pad_ms"},
  {"vad, speech_pad_ms=(double)0.5;", "vad-parameters|speech_pad_ms|0.5"},
  {"vad, speech_pad_ms=(int)-1;", "vad-parameters|speech_pad_ms|-1"},
  {"vad, min_silence_duration_ms=(int)<1, 2>;",
      "vad-parameters|min_silence_duration_ms"},
};

GST_START_TEST (test_bad_vad)
{
  settings->vad_parameters =
      gst_structure_from_string (bad_vads[__i__].structure, NULL);
  fail_unless (settings->vad_parameters != NULL);
  check_refused (bad_vads[__i__].words);
}

GST_END_TEST;

GST_START_TEST (test_speakers)
{
  add_speaker ("audio-base64", "Ann", "QUJD");
  add_speaker ("audio_base64", "Bob", "QUJD");
  check_taken ();
}

GST_END_TEST;

GST_START_TEST (test_speaker_without_name)
{
  add_speaker ("audio-base64", "Ann", "QUJD");
  add_speaker ("audio-base64", "", "QUJD");
  check_refused ("known-speakers|1|name");
}

GST_END_TEST;

GST_START_TEST (test_speaker_without_audio)
{
  add_speaker ("audio", "Ann", "QUJD");
  check_refused ("known-speakers|Ann|audio-base64");
}

GST_END_TEST;

GST_START_TEST (test_speaker_with_empty_audio)
{
  add_speaker ("audio-base64", "Ann", "");
  check_refused ("known-speakers|Ann|audio-base64");
}

GST_END_TEST;

GST_START_TEST (test_speaker_that_is_none)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&settings->known_speakers, GST_TYPE_ARRAY);
  check_taken ();
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, "Ann");
  gst_value_array_append_and_take_value (&settings->known_speakers, &value);
  check_refused ("known-speakers|0");
}

GST_END_TEST;

GST_START_TEST (test_speakers_that_are_no_array)
{
  g_value_init (&settings->known_speakers, G_TYPE_STRING);
  check_refused ("known-speakers");
}

GST_END_TEST;

/* The server closes on a handshake of more than a mebibyte. */
GST_START_TEST (test_speakers_that_are_too_large)
{
  g_autofree gchar *audio = g_strnfill (600 * 1024, 'A');

  add_speaker ("audio-base64", "Ann", audio);
  check_taken ();
  add_speaker ("audio-base64", "Bob", audio);
  check_refused ("known-speakers");
}

GST_END_TEST;

/* JSON is UTF-8. */

#define LATIN1 "caf\xe9"

GST_START_TEST (test_text_that_is_not_utf8)
{
  gchar **fields[] = { &settings->model, &settings->initial_prompt,
    &settings->hotwords, &settings->language_code
  };
  static const gchar *const names[] = { "model", "initial-prompt", "hotwords",
    "language-code"
  };

  set_string (fields[__i__], LATIN1);
  check_refused (names[__i__]);
  if (__i__ < 3) {
    set_string (fields[__i__], "caf\xc3\xa9");
    check_taken ();
  }
}

GST_END_TEST;

GST_START_TEST (test_speaker_that_is_not_utf8)
{
  static const gchar *const fields[] = { "name", "audio-base64" };
  const GValue *speaker;

  add_speaker ("audio-base64", "Ann", "QUJD");
  /* GstStructure would take no such string */
  speaker = gst_value_array_get_value (&settings->known_speakers, 0);
  g_value_set_string ((GValue *)
      gst_structure_get_value (gst_value_get_structure (speaker),
          fields[__i__]), LATIN1);
  check_refused ("known-speakers|0|UTF-8");
}

GST_END_TEST;

GST_START_TEST (test_option_that_is_not_utf8)
{
  GValue array = G_VALUE_INIT, value = G_VALUE_INIT;

  g_value_init (&array, __i__ ? GST_TYPE_ARRAY : GST_TYPE_LIST);
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, LATIN1);
  if (__i__)
    gst_value_array_append_and_take_value (&array, &value);
  else
    gst_value_list_append_and_take_value (&array, &value);
  settings->session_options = gst_structure_new_empty ("options");
  gst_structure_take_value (settings->session_options, "drinks", &array);
  check_refused ("session-options|drinks|UTF-8");
}

GST_END_TEST;

GST_START_TEST (test_name_that_is_not_utf8)
{
  GstStructure *structure =
      gst_structure_new ("options", LATIN1, G_TYPE_INT, 1, NULL);

  if (__i__)
    settings->session_options = structure;
  else
    settings->vad_parameters = structure;
  check_refused (__i__ ? "session-options|UTF-8" : "vad-parameters");
}

GST_END_TEST;

GST_START_TEST (test_good_options)
{
  settings->session_options = gst_structure_from_string ("options, "
      "s=(string)a, i=(int)1, b=(boolean)true, d=(double)0.5, a=(int)<1, 2>, "
      "l=(string){a, b}, n=(structure)\"inner\\,x\\=(int)1\\;\";", NULL);
  fail_unless (settings->session_options != NULL);
  check_taken ();
}

GST_END_TEST;

static const struct
{
  const gchar *structure, *words;
} bad_options[] = {
  {"options, good=(int)1, bad=(fraction)1/2;", "session-options|bad"},
  {"options, bad=(double)nan;", "session-options|bad"},
  {"options, language=xx;", "session-options|xx"},
  {"options, language=en-US;", "session-options|en-US"},
  {"options, vad_parameters=(int)1;", "session-options|vad_parameters"},
  {"options, vad_parameters=(structure)[v, onset=(double)0.5];", "onset"},
  {"options, bad=(int)[1, 2];", "session-options|bad"},
  {"options, bad=(fraction)<1/2>;", "session-options|bad"},
  {"options, bad=(fraction){1/2, 1/3};", "session-options|bad"},
  {"options, n=(structure)\"inner\\,deep\\=(fraction)1/2\\;\";",
      "session-options|deep"},
};

GST_START_TEST (test_bad_option)
{
  settings->session_options =
      gst_structure_from_string (bad_options[__i__].structure, NULL);
  fail_unless (settings->session_options != NULL);
  check_refused (bad_options[__i__].words);
}

GST_END_TEST;

/* One list in the other, as deep as may be, and one more */
GST_START_TEST (test_deep_option)
{
  guint depth, i;

  for (depth = 16; depth <= 17; depth++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_INT);
    for (i = 0; i < depth; i++) {
      GValue outer = G_VALUE_INIT;

      if (i % 2) {
        g_value_init (&outer, GST_TYPE_LIST);
        gst_value_list_append_and_take_value (&outer, &value);
      } else {
        g_value_init (&outer, GST_TYPE_ARRAY);
        gst_value_array_append_and_take_value (&outer, &value);
      }
      value = outer;
    }
    settings->session_options = gst_structure_new_empty ("options");
    gst_structure_take_value (settings->session_options, "deep", &value);
    if (depth == 16)
      check_taken ();
    else
      check_refused ("session-options|deep");
    g_clear_pointer (&settings->session_options, gst_structure_free);
  }
}

GST_END_TEST;

/* Numbers */

static const struct
{
  const gchar *name;
  gsize offset;
  gdouble good[2], bad[2];
} doubles[] = {
  {"no-speech-threshold", G_STRUCT_OFFSET (WhisperLiveSettings,
          no_speech_threshold), {0.0, 1.0}, {-0.01, 1.01}},
  {"diarization-threshold", G_STRUCT_OFFSET (WhisperLiveSettings,
          diarization_threshold), {0.0, 1.0}, {-0.01, 1.01}},
  {"retry-backoff-factor", G_STRUCT_OFFSET (WhisperLiveSettings,
          retry_backoff_factor), {1.0, 10.0}, {0.99, 1e9}},
};

GST_START_TEST (test_double)
{
  gdouble *field = G_STRUCT_MEMBER_P (settings, doubles[__i__].offset);
  const gdouble never[] = { NAN, INFINITY, -INFINITY };
  guint i;

  for (i = 0; i < 2; i++) {
    *field = doubles[__i__].good[i];
    check_taken ();
    *field = doubles[__i__].bad[i];
    check_refused (doubles[__i__].name);
  }
  for (i = 0; i < G_N_ELEMENTS (never); i++) {
    *field = never[i];
    check_refused (doubles[__i__].name);
  }
}

GST_END_TEST;

GST_START_TEST (test_last_n)
{
  settings->send_last_n_segments = 1;
  check_taken ();
  settings->send_last_n_segments = 0;
  check_refused ("send-last-n-segments|0");
}

GST_END_TEST;

GST_START_TEST (test_chunk_duration)
{
  settings->chunk_duration = 0;
  check_refused ("chunk-duration|0");
  /* a frame of more than a mebibyte closes the connection */
  settings->chunk_duration = 16000;
  check_taken ();
  settings->chunk_duration = 16400;
  check_refused ("chunk-duration|float32|16400");
  settings->audio_format = WHISPERLIVE_FORMAT_INT16;
  check_taken ();
  settings->chunk_duration = 30000;
  check_taken ();
  settings->chunk_duration = 33000;
  check_refused ("chunk-duration|33000");
}

GST_END_TEST;

GST_START_TEST (test_retries)
{
  settings->retries = -1;
  check_taken ();
  settings->retries = 0;
  check_taken ();
  settings->retries = -2;
  check_refused ("retries|-2");
}

GST_END_TEST;

static void
add_structure_tests (Suite * suite)
{
  TCase *tc = tcase_create ("structures");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_good_vad, 0, G_N_ELEMENTS (good_vads));
  tcase_add_loop_test (tc, test_bad_vad, 0, G_N_ELEMENTS (bad_vads));
  tcase_add_test (tc, test_speakers);
  tcase_add_test (tc, test_speaker_without_name);
  tcase_add_test (tc, test_speaker_without_audio);
  tcase_add_test (tc, test_speaker_with_empty_audio);
  tcase_add_test (tc, test_speaker_that_is_none);
  tcase_add_test (tc, test_speakers_that_are_no_array);
  tcase_add_test (tc, test_speakers_that_are_too_large);
  tcase_add_loop_test (tc, test_text_that_is_not_utf8, 0, 4);
  tcase_add_loop_test (tc, test_speaker_that_is_not_utf8, 0, 2);
  tcase_add_loop_test (tc, test_option_that_is_not_utf8, 0, 2);
  tcase_add_loop_test (tc, test_name_that_is_not_utf8, 0, 2);
  tcase_add_test (tc, test_good_options);
  tcase_add_test (tc, test_deep_option);
  tcase_add_loop_test (tc, test_bad_option, 0, G_N_ELEMENTS (bad_options));
}

static Suite *
settings_suite (void)
{
  Suite *suite = suite_create ("settings");
  TCase *tc = tcase_create ("defaults");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_defaults_are_taken);
  tcase_add_test (tc, test_defaults);
  tcase_add_test (tc, test_default_times);
  tcase_add_test (tc, test_client_ids_differ);
  tcase_add_test (tc, test_copy_outlives_the_original);
  tcase_add_test (tc, test_copy_of_the_defaults);
  tcase_add_test (tc, test_copy_shares_the_objects);

  tc = tcase_create ("addresses");
  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_good_uri, 0, G_N_ELEMENTS (good_uris));
  tcase_add_loop_test (tc, test_bad_uri, 0, G_N_ELEMENTS (bad_uris));
  tcase_add_test (tc, test_impossible_host);
  tcase_add_test (tc, test_no_uri);
  tcase_add_loop_test (tc, test_secrets_in_uri, 0, G_N_ELEMENTS (secret_uris));
  tcase_add_test (tc, test_proxy);
  tcase_add_test (tc, test_line_break_in_a_header);
  tcase_add_test (tc, test_list_of_headers);
  tcase_add_loop_test (tc, test_line_break_in_a_list_of_headers, 0, 2);

  tc = tcase_create ("languages");
  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_good_language, 0,
      G_N_ELEMENTS (good_languages));
  tcase_add_loop_test (tc, test_bad_language, 0, G_N_ELEMENTS (bad_languages));
  tcase_add_test (tc, test_every_language);
  tcase_add_test (tc, test_translation_language);
  tcase_add_test (tc, test_model);

  add_structure_tests (suite);

  tc = tcase_create ("numbers");
  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_double, 0, G_N_ELEMENTS (doubles));
  tcase_add_test (tc, test_last_n);
  tcase_add_test (tc, test_chunk_duration);
  tcase_add_test (tc, test_retries);
  return suite;
}

GST_CHECK_MAIN (settings);
