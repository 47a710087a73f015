/* What the server is told, in the request and in the handshake, and what the options change in the messages.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "harness.h"

static JsonParser *parser;

static void
run_at (GstClockTime start)
{
  h->pts = start;
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, start);
}

static void
run (void)
{
  run_at (0);
}

/* The first handshake; goes with the parser. */
static JsonObject *
handshake (void)
{
  g_autoptr (ScriptedSession) session = NULL;

  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  session = scripted_server_session (h->server, 0);
  parser = json_parser_new ();
  fail_unless (json_parser_load_from_data (parser, session->handshake, -1,
          NULL), "%s", session->handshake);
  return json_node_get_object (json_parser_get_root (parser));
}

static void
assert_string (JsonObject * object, const gchar * name, const gchar * value)
{
  fail_unless (json_object_has_member (object, name), "no %s", name);
  fail_unless_equals_string (json_object_get_string_member_with_default (object,
          name, NULL), value);
}

/* Every required key, and no option that a genuine server could stumble over. */
GST_START_TEST (test_defaults)
{
  JsonObject *object;
  g_autofree gchar *session_id = NULL;

  harness_make ("", NULL);
  run ();
  g_object_get (h->sink, "session-id", &session_id, NULL);
  object = handshake ();
  assert_string (object, "uid", session_id);
  assert_string (object, "task", "transcribe");
  assert_string (object, "model", "small");
  fail_unless (json_object_get_null_member (object, "language"));
  fail_unless (json_object_get_boolean_member (object, "use_vad"));
  fail_unless_equals_int (json_object_get_int_member (object,
          "send_last_n_segments"), 50);
  fail_unless_equals_int (json_object_get_int_member (object,
          "same_output_threshold"), 10);
  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 0.45);
  fail_unless (!json_object_get_boolean_member_with_default (object,
          "clip_audio", FALSE));
  fail_unless (!json_object_get_boolean_member_with_default (object,
          "enable_translation", FALSE));
  fail_unless (!json_object_get_boolean_member_with_default (object,
          "enable_diarization", FALSE));
  fail_unless (!json_object_get_boolean_member_with_default (object,
          "word_timestamps", FALSE));
  fail_unless_equals_string (json_object_get_string_member_with_default (object,
          "audio_format", "float32"), "float32");
  g_clear_object (&parser);
}

HARNESS_END_TEST;

GST_START_TEST (test_all)
{
  JsonObject *object, *vad;

  harness_make ("", "language-code", "de-CH", "model", "large-v3", "use-vad",
      TRUE, "initial-prompt", "\"Grüezi\"\n", "hotwords", "Zürich",
      "send-last-n-segments", 77, "no-speech-threshold", 0.25,
      "same-output-threshold", 5, "clip-audio", TRUE,
      "translation-language-code", "fr", "diarization", TRUE, "max-speakers", 3,
      "word-timestamps", TRUE, NULL);
  gst_util_set_object_arg (G_OBJECT (h->sink), "task", "translate");
  gst_util_set_object_arg (G_OBJECT (h->sink), "vad-parameters",
      "vad,threshold=(double)0.25,speech_pad_ms=(int)30");
  gst_util_set_object_arg (G_OBJECT (h->sink), "session-options",
      "options,hotwords=(string)Bern,beam=(int)5");
  run ();
  object = handshake ();
  assert_string (object, "language", "de");
  assert_string (object, "model", "large-v3");
  assert_string (object, "task", "translate");
  assert_string (object, "initial_prompt", "\"Grüezi\"\n");
  /* merged last */
  assert_string (object, "hotwords", "Bern");
  fail_unless_equals_int (json_object_get_int_member (object, "beam"), 5);
  fail_unless_equals_int (json_object_get_int_member (object,
          "send_last_n_segments"), 77);
  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 0.25);
  fail_unless_equals_int (json_object_get_int_member (object,
          "same_output_threshold"), 5);
  fail_unless (json_object_get_boolean_member (object, "clip_audio"));
  fail_unless (json_object_get_boolean_member (object, "enable_translation"));
  assert_string (object, "target_language", "fr");
  fail_unless (json_object_get_boolean_member (object, "enable_diarization"));
  fail_unless_equals_int (json_object_get_int_member (object, "max_speakers"),
      3);
  fail_unless (json_object_get_boolean_member (object, "word_timestamps"));
  vad = json_object_get_object_member (object, "vad_parameters");
  fail_unless (json_object_get_double_member (vad, "threshold") == 0.25);
  fail_unless_equals_int (json_object_get_int_member (vad, "speech_pad_ms"),
      30);
  g_clear_object (&parser);
}

HARNESS_END_TEST;

static void
set_speaker (const gchar * name)
{
  g_autoptr (GstStructure) speaker =
      gst_structure_new ("speaker", "name", G_TYPE_STRING, name, "audio-base64",
      G_TYPE_STRING, "UklGRg==", NULL);
  g_auto (GValue) speakers = G_VALUE_INIT;
  GValue value = G_VALUE_INIT;

  g_value_init (&speakers, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_STRUCTURE);
  gst_value_set_structure (&value, speaker);
  gst_value_array_append_and_take_value (&speakers, &value);
  g_object_set_property (G_OBJECT (h->sink), "known-speakers", &speakers);
}

/* What was set last is there, and goes out. */
GST_START_TEST (test_known_speakers)
{
  g_auto (GValue) speakers = G_VALUE_INIT;
  const GstStructure *speaker;
  JsonArray *array;
  JsonObject *object;

  harness_make ("", "diarization", TRUE, NULL);
  set_speaker ("Ann");
  set_speaker ("Bob");
  g_value_init (&speakers, GST_TYPE_ARRAY);
  g_object_get_property (G_OBJECT (h->sink), "known-speakers", &speakers);
  fail_unless_equals_int (gst_value_array_get_size (&speakers), 1);
  speaker = gst_value_get_structure (gst_value_array_get_value (&speakers, 0));
  fail_unless_equals_string (gst_structure_get_string (speaker, "name"), "Bob");
  run ();
  array = json_object_get_array_member (handshake (), "known_speakers");
  fail_unless_equals_int (json_array_get_length (array), 1);
  object = json_array_get_object_element (array, 0);
  assert_string (object, "name", "Bob");
  assert_string (object, "audio_base64", "UklGRg==");
  g_clear_object (&parser);
}

HARNESS_END_TEST;

GST_START_TEST (test_request)
{
  g_autoptr (GstStructure) headers =
      gst_structure_from_string ("headers, X-Customer=(string)\"number 7\", "
      "X-Shop=(int)12, X-Ticket=(string)<a, b>, X-Way=(string){c, d};", NULL);
  g_autofree gchar *authorization = NULL, *customer = NULL, *agent =
      NULL, *extensions = NULL, *shop = NULL, *tickets = NULL, *ways = NULL;

  harness_make ("", "api-key", "open sesame", "extra-headers", headers,
      "user-agent", "tester/1", NULL);
  run ();
  authorization = scripted_server_dup_header (h->server, 0, "Authorization");
  customer = scripted_server_dup_header (h->server, 0, "X-Customer");
  agent = scripted_server_dup_header (h->server, 0, "User-Agent");
  extensions =
      scripted_server_dup_header (h->server, 0, "Sec-WebSocket-Extensions");
  /* "Bearer" with this case, or the server refuses */
  fail_unless_equals_string (authorization, "Bearer open sesame");
  fail_unless_equals_string (customer, "number 7");
  shop = scripted_server_dup_header (h->server, 0, "X-Shop");
  fail_unless_equals_string (shop, "12");
  /* one header for each */
  tickets = scripted_server_dup_header (h->server, 0, "X-Ticket");
  fail_unless_equals_string (tickets, "a, b");
  ways = scripted_server_dup_header (h->server, 0, "X-Way");
  fail_unless_equals_string (ways, "c, d");
  fail_unless_equals_string (agent, "tester/1");
  /* deflate costs more than it saves */
  fail_unless (extensions == NULL || strstr (extensions, "deflate") == NULL);
  harness_assert_nowhere ("open sesame");
}

HARNESS_END_TEST;

GST_START_TEST (test_words)
{
  const GstStructure *structure;
  guint i, j, n = 0;

  harness_make ("", "word-timestamps", TRUE, NULL);
  run_at (60 * GST_SECOND);
  for (i = 0; (structure = harness_nth ("whisperlive/transcript", i)) != NULL;
      i++) {
    const GValue *words = gst_structure_get_value (structure, "words");
    gboolean final;

    gst_structure_get_boolean (structure, "final", &final);
    if (!final)
      continue;
    fail_unless (words != NULL
        && GST_VALUE_HOLDS_ARRAY (words), "no words in %s",
        gst_structure_get_string (structure, "text"));
    for (j = 0; j < gst_value_array_get_size (words); j++) {
      const GstStructure *word =
          gst_value_get_structure (gst_value_array_get_value (words, j));
      g_autofree gchar *text = g_strdup_printf ("w%u", n + 1);
      GstClockTime expected = 60 * GST_SECOND + n * 500 * GST_MSECOND;
      guint64 time, duration;
      gdouble probability;

      fail_unless_equals_string (gst_structure_get_string (word, "text"), text);
      fail_unless (gst_structure_get_uint64 (word, "running-time", &time));
      fail_unless (gst_structure_get_uint64 (word, "duration", &duration));
      fail_unless (gst_structure_get_double (word, "probability",
              &probability));
      fail_unless (ABS (GST_CLOCK_DIFF (expected, time)) <= 20 * GST_MSECOND);
      fail_unless (ABS (GST_CLOCK_DIFF (400 * GST_MSECOND,
                  duration)) <= 20 * GST_MSECOND);
      fail_unless (probability == 0.9375);
      n++;
    }
  }
  fail_unless_equals_int (n, 12);
}

HARNESS_END_TEST;

#define DEFAULT_AGENT "the default"

static const struct
{
  const gchar *property, *head;
  gboolean names_libsoup;
} agents[] = {
  {DEFAULT_AGENT, "GStreamer whisperlivesink ", TRUE},
  {"tester/1 ", "tester/1 libsoup/", TRUE},
  {"tester/1", "tester/1", FALSE},
  {"", "libsoup/", TRUE},
  {NULL, "libsoup/", TRUE},
};

/* As souphttpsrc has it */
GST_START_TEST (test_user_agent)
{
  g_autofree gchar *agent = NULL;

  harness_make ("", NULL);
  if (g_strcmp0 (agents[__i__].property, DEFAULT_AGENT) != 0)
    g_object_set (h->sink, "user-agent", agents[__i__].property, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_REQUESTS, 1);
  agent = scripted_server_dup_header (h->server, 0, "User-Agent");
  fail_unless (agent && g_str_has_prefix (agent, agents[__i__].head), "%s",
      agent);
  fail_unless_equals_int (strstr (agent, " libsoup/") || agent[0] == 'l',
      agents[__i__].names_libsoup);
}

HARNESS_END_TEST;

/* An empty key is none. */
GST_START_TEST (test_no_key)
{
  g_autofree gchar *authorization = NULL;

  harness_make ("", "api-key", "", NULL);
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_REQUESTS, 1);
  authorization = scripted_server_dup_header (h->server, 0, "Authorization");
  fail_unless_equals_string (authorization, NULL);
}

HARNESS_END_TEST;

static const gchar *const improbable[] = {
  "{\"uid\":\"$UID\",\"language\":\"de\"}",
  "{\"uid\":\"$UID\",\"language\":\"de\",\"language_prob\":0}",
};

/* Detected it is all the same. */
GST_START_TEST (test_language_without_probability)
{
  const GstStructure *structure;
  gdouble probability = -1;

  harness_make ("", NULL);
  harness_push_silence (0.5);
  harness_state (GST_STATE_PLAYING);
  scripted_server_send_text (h->server, improbable[__i__]);
  structure = gst_message_get_structure (harness_wait (GST_MESSAGE_ELEMENT,
          "whisperlive/language"));
  fail_unless_equals_string (gst_structure_get_string (structure,
          "language-code"), "de");
  fail_unless (gst_structure_get_double (structure, "probability",
          &probability));
  fail_unless (probability == 0);
}

HARNESS_END_TEST;

#define WITH_WORDS "{\"uid\":\"$UID\",\"segments\":[{\"start\":\"0.000\"," \
    "\"end\":\"0.500\",\"text\":\"hello\",\"completed\":false,\"words\":" \
    "[{\"word\":\"hello\",\"start\":0,\"end\":0.5,\"probability\":1}]}]}"

static const struct
{
  gboolean property;
  const gchar *options;
  gboolean words;
} askings[] = {
  {FALSE, NULL, FALSE},
  {TRUE, NULL, TRUE},
  {FALSE, "options,word_timestamps=(boolean)true", TRUE},
  {FALSE, "options,word_timestamps=(int)1", TRUE},
  {TRUE, "options,word_timestamps=(boolean)false", FALSE},
  {TRUE, "options,beam=(int)5", TRUE},
};

/* Some servers tell them unasked. */
GST_START_TEST (test_words_if_asked)
{
  const GstStructure *structure;

  harness_make ("", "word-timestamps", askings[__i__].property, NULL);
  if (askings[__i__].options)
    gst_util_set_object_arg (G_OBJECT (h->sink), "session-options",
        askings[__i__].options);
  harness_push_silence (2);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_FRAMES, 1);
  scripted_server_send_text (h->server, WITH_WORDS);
  structure = gst_message_get_structure (harness_wait (GST_MESSAGE_ELEMENT,
          "whisperlive/transcript"));
  fail_unless_equals_string (gst_structure_get_string (structure, "text"),
      "hello");
  fail_unless_equals_int (gst_structure_has_field (structure, "words"),
      askings[__i__].words);
}

HARNESS_END_TEST;

/* Each at the time of its first word, with an id of its own */
static void
assert_translation (guint nth, const GstStructure * structure)
{
  guint64 id, running_time, stream_time;
  guint word;

  fail_unless_equals_int (sscanf (gst_structure_get_string (structure, "text"),
          "t%u", &word), 1);
  fail_unless (gst_structure_get_uint64 (structure, "segment-id", &id));
  fail_unless (gst_structure_get_uint64 (structure, "running-time",
          &running_time));
  fail_unless (gst_structure_get_uint64 (structure, "stream-time",
          &stream_time));
  fail_unless_equals_uint64 (id, nth);
  fail_unless (ABS (GST_CLOCK_DIFF (60 * GST_SECOND + (word -
                  1) * 500 * GST_MSECOND, running_time)) <= 20 * GST_MSECOND);
  fail_unless_equals_uint64 (stream_time, running_time);
}

GST_START_TEST (test_translation)
{
  g_autofree gchar *translated = NULL;
  const GstStructure *structure;
  guint i;

  harness_make ("", "translation-language-code", "fr-CA", "language-code",
      "en-US", NULL);
  run_at (60 * GST_SECOND);
  translated = harness_finals ("whisperlive/translation");
  /* the server translates what is complete */
  fail_unless (g_str_has_prefix (translated, "t1 t2 t3 t4 t5 t6 t7 t8 t9 t10"),
      "%s", translated);
  for (i = 0; (structure = harness_nth ("whisperlive/translation", i)) != NULL;
      i++) {
    fail_unless_equals_string (gst_structure_get_string (structure,
            "language-code"), "fr");
    assert_translation (i, structure);
  }
  /* tags have the transcript only */
  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);
    g_autoptr (GstTagList) tags = NULL;
    g_autofree gchar *text = NULL;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_TAG)
      continue;
    gst_message_parse_tag (message, &tags);
    if (gst_tag_list_get_string (tags, "whisperlive-transcript", &text))
      fail_unless (text[0] == 'w', "%s", text);
  }
}

HARNESS_END_TEST;

GST_START_TEST (test_speaker)
{
  const GstStructure *structure;

  harness_make ("", "diarization", TRUE, NULL);
  run ();
  harness_collect ();
  h->cursor = 0;
  structure = gst_message_get_structure (harness_wait_final ("w5"));
  fail_unless_equals_string (gst_structure_get_string (structure, "speaker"),
      "SPEAKER_00");
}

HARNESS_END_TEST;

static guint64
raw_time (const GstStructure * structure)
{
  guint64 time;

  fail_unless (gst_structure_get_uint64 (structure, "running-time", &time));
  return time;
}

/* Each message, with the end of what had been sent, be it transcribed or not */
GST_START_TEST (test_raw)
{
  static const gchar *const unknown[] = { "nonsense", "{\"news\":7}" };
  const GstStructure *structure;
  guint i;

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", "post-raw", TRUE, NULL);
  h->pts = 60 * GST_SECOND;
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 6 * TRANSCRIBER_RATE);
  for (i = 0; i < G_N_ELEMENTS (unknown); i++)
    scripted_server_send_text (h->server, unknown[i]);
  harness_wait_field ("whisperlive/raw", "message", unknown[1]);
  for (i = 0; i < G_N_ELEMENTS (unknown); i++) {
    structure = harness_nth ("whisperlive/raw", 1 + i);
    fail_unless_equals_string (gst_structure_get_string (structure, "message"),
        unknown[i]);
    fail_unless_equals_uint64 (raw_time (structure), 66 * GST_SECOND);
  }
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, 60 * GST_SECOND);
  structure = harness_nth ("whisperlive/raw", 0);
  fail_unless (strstr (gst_structure_get_string (structure, "message"),
          "SERVER_READY") != NULL);
  fail_unless_equals_uint64 (raw_time (structure), GST_CLOCK_TIME_NONE);
  harness_start (GST_STATE_READY);
  harness_collect ();
  fail_unless_equals_uint64 (harness_stat ("messages-received"),
      harness_n (GST_MESSAGE_ELEMENT, "whisperlive/raw"));
  fail_unless_equals_uint64 (harness_stat ("messages-rejected"), 1);
}

HARNESS_END_TEST;

/* A new session for each time that it starts, and one client. */
GST_START_TEST (test_id_survives)
{
  g_autofree gchar *client = NULL, *client_after = NULL, *first =
      NULL, *second = NULL;

  harness_make ("", "model", "small.en", NULL);
  g_object_get (h->sink, "client-id", &client, NULL);
  run ();
  g_object_get (h->sink, "session-id", &first, NULL);
  harness_start (GST_STATE_NULL);
  harness_forget ();
  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 12, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  g_object_get (h->sink, "session-id", &second, "client-id", &client_after,
      NULL);
  fail_if (g_str_equal (first, second));
  fail_unless_equals_string (client, client_after);
}

HARNESS_END_TEST;

static Suite *
options_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-options");
  TCase *tc = tcase_create ("options");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_defaults);
  tcase_add_test (tc, test_all);
  tcase_add_test (tc, test_known_speakers);
  tcase_add_test (tc, test_request);
  tcase_add_loop_test (tc, test_user_agent, 0, G_N_ELEMENTS (agents));
  tcase_add_test (tc, test_no_key);
  tcase_add_test (tc, test_words);
  tcase_add_loop_test (tc, test_words_if_asked, 0, G_N_ELEMENTS (askings));
  tcase_add_loop_test (tc, test_language_without_probability, 0,
      G_N_ELEMENTS (improbable));
  tcase_add_test (tc, test_translation);
  tcase_add_test (tc, test_speaker);
  tcase_add_test (tc, test_raw);
  tcase_add_test (tc, test_id_survives);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (options);
