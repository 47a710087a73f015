/* Tests of whisperlive-protocol
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "whisperlive-protocol.h"

static WhisperLiveMessage *
parse (const gchar * json)
{
  g_autoptr (GError) error = NULL;
  WhisperLiveMessage *message =
      whisperlive_protocol_parse (json, strlen (json), &error);

  fail_unless (message != NULL, "%s: %s", json, error ? error->message : "");
  fail_unless (error == NULL);
  return message;
}

/* Of a message with one segment */
static WhisperLiveSegment *
parse_segment (const gchar * json)
{
  g_autofree gchar *text =
      g_strdup_printf ("{\"uid\": \"x\", \"segments\": [%s]}",
      json);
  g_autoptr (WhisperLiveMessage) message = parse (text);

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_SEGMENTS);
  fail_unless_equals_int (message->segments->len, 1);
  return whisperlive_segment_copy (g_ptr_array_index (message->segments, 0));
}

/* What each message is */

GST_START_TEST (test_ready)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\", "
      "\"message\": \"SERVER_READY\", \"backend\": \"faster_whisper\"}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_READY);
  fail_unless_equals_string (message->text, "faster_whisper");
  fail_unless (message->segments == NULL);
}

GST_END_TEST;

GST_START_TEST (test_ready_without_backend)
{
  g_autoptr (WhisperLiveMessage) message =
      parse ("{\"message\": \"SERVER_READY\"}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_READY);
  fail_unless (message->text == NULL);
}

GST_END_TEST;

GST_START_TEST (test_session_id)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\"}");
  g_autoptr (WhisperLiveMessage) nobodys = parse ("{\"segments\": []}");

  fail_unless_equals_string (message->session_id, "x");
  fail_unless (nobodys->session_id == NULL);
}

GST_END_TEST;

GST_START_TEST (test_disconnect)
{
  g_autoptr (WhisperLiveMessage) message =
      parse ("{\"uid\": \"x\", \"message\": \"DISCONNECT\"}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_DISCONNECT);
}

GST_END_TEST;

static void
check_wait (const gchar * value, gdouble minutes)
{
  g_autofree gchar *json = g_strdup_printf ("{\"uid\": \"x\", "
      "\"status\": \"WAIT\"%s%s}", value ? ", \"message\": " : "",
      value ? value : "");
  g_autoptr (WhisperLiveMessage) message = parse (json);

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_WAIT);
  fail_unless (fabs (message->wait_minutes - minutes) < 1e-9,
      "%s is %g minutes", value, message->wait_minutes);
}

GST_START_TEST (test_wait)
{
  check_wait ("9.999974532922108", 9.999974532922108);
  check_wait ("5", 5);
  check_wait ("-0.25", -0.25);
  check_wait ("\"2.5\"", 2.5);
  check_wait ("\"the server is full\"", 0);
  check_wait ("null", 0);
  check_wait (NULL, 0);
  check_wait ("[1]", 0);
  check_wait ("1e300", 1e6);
  check_wait ("Infinity", 1e6);
}

GST_END_TEST;

GST_START_TEST (test_error)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\", "
      "\"status\": \"ERROR\", \"message\": \"Failed to load model: y\"}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_ERROR);
  fail_unless_equals_string (message->text, "Failed to load model: y");
}

GST_END_TEST;

GST_START_TEST (test_error_without_words)
{
  static const gchar *const texts[] = {
    "{\"status\": \"ERROR\"}",
    "{\"status\": \"ERROR\", \"message\": {\"code\": 5}}",
  };
  g_autoptr (WhisperLiveMessage) message = parse (texts[__i__]);

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_ERROR);
  fail_unless (message->text != NULL && message->text[0] != '\0');
}

GST_END_TEST;

GST_START_TEST (test_warning)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\", "
      "\"status\": \"WARNING\", \"message\": \"Using Faster-Whisper\"}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_WARNING);
  fail_unless_equals_string (message->text, "Using Faster-Whisper");
}

GST_END_TEST;

GST_START_TEST (test_language)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\", "
      "\"language\": \"en\", \"language_prob\": 0.75}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_LANGUAGE);
  fail_unless_equals_string (message->language, "en");
  fail_unless (message->language_probability == 0.75);
}

GST_END_TEST;

GST_START_TEST (test_language_with_a_whole_probability)
{
  g_autoptr (WhisperLiveMessage) message =
      parse ("{\"language\": \"en\", \"language_prob\": 1}");

  fail_unless (message->language_probability == 1.0);
}

GST_END_TEST;

GST_START_TEST (test_translation)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"uid\": \"x\", "
      "\"translated_segments\": [{\"start\": \"0.000\", \"end\": \"1.000\", "
      "\"text\": \"Oui.\", \"completed\": true, "
      "\"target_language\": \"fr\"}]}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_TRANSLATION);
  fail_unless_equals_int (message->segments->len, 1);
}

GST_END_TEST;

GST_START_TEST (test_no_segments)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"segments\": []}");

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_SEGMENTS);
  fail_unless_equals_int (message->segments->len, 0);
}

GST_END_TEST;

static const gchar *const others[] = {
  "{}",
  "{\"uid\": \"x\"}",
  "{\"uid\": \"x\", \"paragraphs\": [[\"a\"], {\"b\": null}]}",
  "{\"message\": \"something else\"}",
  "{\"message\": 5}",
  "{\"message\": [\"SERVER_READY\"]}",
  "{\"status\": \"FINE\", \"message\": \"SERVER_READY\"}",
  "{\"segments\": null}",
  "  {\"a\": \"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"}  ",
};

GST_START_TEST (test_other)
{
  g_autoptr (WhisperLiveMessage) message = parse (others[__i__]);

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_OTHER);
}

GST_END_TEST;

/* Segments */

GST_START_TEST (test_segment)
{
  g_autoptr (WhisperLiveSegment) segment = parse_segment ("{\"start\": "
      "\"1.234\", \"end\": \"5.678\", \"text\": \" Hello.\", "
      "\"completed\": true}");

  fail_unless_equals_uint64 (segment->start, 1234 * GST_MSECOND);
  fail_unless_equals_uint64 (segment->end, 5678 * GST_MSECOND);
  fail_unless_equals_string (segment->text, "Hello.");
  fail_unless (segment->completed);
  fail_unless (segment->speaker == NULL);
  fail_unless (segment->words == NULL);
}

GST_END_TEST;

GST_START_TEST (test_segments_stay_in_order)
{
  g_autoptr (WhisperLiveMessage) message = parse ("{\"segments\": ["
      "{\"text\": \"b\"}, {\"text\": \"a\"}, {\"text\": \"c\"}]}");
  GString *order = g_string_new (NULL);
  guint i;

  for (i = 0; i < message->segments->len; i++) {
    const WhisperLiveSegment *segment =
        g_ptr_array_index (message->segments, i);

    g_string_append (order, segment->text);
  }
  fail_unless_equals_string (order->str, "bac");
  g_string_free (order, TRUE);
}

GST_END_TEST;

GST_START_TEST (test_segment_with_text_only)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"text\": \"Hello\"}");

  fail_unless_equals_uint64 (segment->start, GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (segment->end, GST_CLOCK_TIME_NONE);
  fail_if (segment->completed);
}

GST_END_TEST;

GST_START_TEST (test_times_as_numbers)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"start\": 1, \"end\": 2.5, \"text\": \"a\"}");

  fail_unless_equals_uint64 (segment->start, 1 * GST_SECOND);
  fail_unless_equals_uint64 (segment->end, 2500 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_times_are_whole_milliseconds)
{
  guint i;

  for (i = 0; i < 100000; i += 7) {
    g_autofree gchar *json = g_strdup_printf ("{\"start\": \"%u.%03u\", "
        "\"end\": %u.%03u, \"text\": \"a\"}", i / 1000, i % 1000, i / 1000,
        i % 1000);
    g_autoptr (WhisperLiveSegment) segment = parse_segment (json);

    fail_unless_equals_uint64 (segment->start, i * GST_MSECOND);
    fail_unless_equals_uint64 (segment->end, i * GST_MSECOND);
  }
}

GST_END_TEST;

GST_START_TEST (test_largest_time)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"start\": \"-0.000\", \"end\": 1000000000, "
      "\"text\": \"a\"}");

  fail_unless_equals_uint64 (segment->start, 0);
  fail_unless_equals_uint64 (segment->end, 1000000000 * GST_SECOND);
}

GST_END_TEST;

/* A genuine server cuts the end of the last segment off, but not its start. */
GST_START_TEST (test_start_after_end)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"start\": \"2.000\", \"end\": \"1.200\", "
      "\"text\": \"a\", \"completed\": false}");

  fail_unless_equals_uint64 (segment->start, 1200 * GST_MSECOND);
  fail_unless_equals_uint64 (segment->end, 1200 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_comma_locale)
{
  g_autoptr (WhisperLiveSegment) segment = NULL;
  const gchar *locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8" };
  guint i;

  /* nothing is tested where there is none of them */
  for (i = 0; i < G_N_ELEMENTS (locales); i++) {
    if (setlocale (LC_ALL, locales[i]))
      break;
  }
  segment = parse_segment ("{\"start\": \"1.5\", \"end\": 2.5, "
      "\"text\": \"a\"}");
  setlocale (LC_ALL, "C");
  fail_unless_equals_uint64 (segment->start, 1500 * GST_MSECOND);
  fail_unless_equals_uint64 (segment->end, 2500 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_text_is_stripped)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"text\": \" \\t\\u3000\\u00a0a b \\n\\u2003\"}");

  fail_unless_equals_string (segment->text, "a b");
}

GST_END_TEST;

GST_START_TEST (test_empty_text)
{
  g_autoptr (WhisperLiveSegment) segment = parse_segment ("{\"text\": \"  \"}");

  fail_unless_equals_string (segment->text, "");
}

GST_END_TEST;

GST_START_TEST (test_escaped_text)
{
  g_autoptr (WhisperLiveSegment) segment =
      parse_segment ("{\"text\": \"\\u201e\\ud83d\\ude00\\\" ä\"}");

  fail_unless_equals_string (segment->text, "„😀\" ä");
}

GST_END_TEST;

static void
check_speaker (const gchar * json, const gchar * expected)
{
  g_autofree gchar *text =
      g_strdup_printf ("{\"text\": \"a\", \"speaker\": %s}", json);
  g_autoptr (WhisperLiveSegment) segment = parse_segment (text);

  fail_unless_equals_string (segment->speaker, expected);
}

GST_START_TEST (test_speaker)
{
  check_speaker ("\"SPEAKER_00\"", "SPEAKER_00");
  check_speaker ("3", "3");
  check_speaker ("-1", "-1");
  check_speaker ("1.5", "1.5");
  check_speaker ("null", NULL);
  check_speaker ("\"\"", NULL);
}

GST_END_TEST;

GST_START_TEST (test_words)
{
  g_autoptr (WhisperLiveSegment) segment = parse_segment ("{\"start\": "
      "\"0.000\", \"end\": \"1.000\", \"text\": \" Mr. John\", \"words\": ["
      "{\"word\": \" Mr.\", \"start\": \"0.480\", \"end\": \"0.700\", "
      "\"probability\": 0.5}, {\"word\": \" John\", \"start\": 0.75, "
      "\"end\": 1, \"probability\": 1}]}");
  const WhisperLiveWord *word;

  fail_unless_equals_int (segment->words->len, 2);
  word = g_ptr_array_index (segment->words, 0);
  fail_unless_equals_string (word->text, "Mr.");
  fail_unless_equals_uint64 (word->start, 480 * GST_MSECOND);
  fail_unless_equals_uint64 (word->end, 700 * GST_MSECOND);
  fail_unless (word->probability == 0.5);
  word = g_ptr_array_index (segment->words, 1);
  fail_unless_equals_uint64 (word->start, 750 * GST_MSECOND);
  fail_unless_equals_uint64 (word->end, 1 * GST_SECOND);
  fail_unless (word->probability == 1.0);
}

GST_END_TEST;

/* Python writes NaN, which is not JSON: a word of unknown probability must not cost the message. */
GST_START_TEST (test_word_without_probability)
{
  g_autoptr (WhisperLiveSegment) segment = parse_segment ("{\"text\": \"a\", "
      "\"words\": [{\"word\": \"a\", \"start\": 0, \"end\": 0, "
      "\"probability\": NaN}, {\"word\": \"b\"}]}");
  const WhisperLiveWord *word = g_ptr_array_index (segment->words, 0);

  fail_unless (word->probability == 0.0);
  word = g_ptr_array_index (segment->words, 1);
  fail_unless_equals_uint64 (word->start, GST_CLOCK_TIME_NONE);
  fail_unless (word->probability == 0.0);
}

GST_END_TEST;

GST_START_TEST (test_copy_is_deep)
{
  WhisperLiveSegment *segment = parse_segment ("{\"start\": 0, \"end\": 1, "
      "\"text\": \"a\", \"speaker\": \"s\", \"words\": [{\"word\": \"w\"}]}");
  g_autoptr (WhisperLiveSegment) copy = whisperlive_segment_copy (segment);
  const WhisperLiveWord *word;

  whisperlive_segment_free (segment);
  fail_unless_equals_string (copy->text, "a");
  fail_unless_equals_string (copy->speaker, "s");
  word = g_ptr_array_index (copy->words, 0);
  fail_unless_equals_string (word->text, "w");
}

GST_END_TEST;

static void
add_message_tests (Suite * suite)
{
  TCase *tc = tcase_create ("messages");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_ready);
  tcase_add_test (tc, test_ready_without_backend);
  tcase_add_test (tc, test_session_id);
  tcase_add_test (tc, test_disconnect);
  tcase_add_test (tc, test_wait);
  tcase_add_test (tc, test_error);
  tcase_add_loop_test (tc, test_error_without_words, 0, 2);
  tcase_add_test (tc, test_warning);
  tcase_add_test (tc, test_language);
  tcase_add_test (tc, test_language_with_a_whole_probability);
  tcase_add_test (tc, test_translation);
  tcase_add_test (tc, test_no_segments);
  tcase_add_loop_test (tc, test_other, 0, G_N_ELEMENTS (others));
}

static void
add_segment_tests (Suite * suite)
{
  TCase *tc = tcase_create ("segments");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_segments_stay_in_order);
  tcase_add_test (tc, test_segment_with_text_only);
  tcase_add_test (tc, test_times_as_numbers);
  tcase_add_test (tc, test_times_are_whole_milliseconds);
  tcase_add_test (tc, test_largest_time);
  tcase_add_test (tc, test_start_after_end);
  tcase_add_test (tc, test_comma_locale);
  tcase_add_test (tc, test_text_is_stripped);
  tcase_add_test (tc, test_empty_text);
  tcase_add_test (tc, test_escaped_text);
  tcase_add_test (tc, test_speaker);
  tcase_add_test (tc, test_words);
  tcase_add_test (tc, test_word_without_probability);
  tcase_add_test (tc, test_copy_is_deep);
}

static Suite *
protocol_suite (void)
{
  Suite *suite = suite_create ("protocol");

  add_message_tests (suite);
  add_segment_tests (suite);
  return suite;
}

GST_CHECK_MAIN (protocol);
