/* Tests of whisperlive-protocol with what no genuine server says
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
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

static void
check_refused (const gchar * json, gssize length)
{
  g_autoptr (GError) error = NULL;
  WhisperLiveMessage *message = whisperlive_protocol_parse (json,
      length < 0 ? strlen (json) : (gsize) length, &error);

  fail_unless (message == NULL, "taken: %.200s", json);
  fail_unless (error != NULL && error->domain == WHISPERLIVE_PROTOCOL_ERROR);
  fail_unless (error->message[0] != '\0');
  fail_unless (g_utf8_validate (error->message, -1, NULL));
  fail_unless (strlen (error->message) < 1024);
}

static const gchar *const hostile[] = {
  "", " ", "null", "5", "\"text\"", "[]", "true", "nonsense", "{", "}", "[}",
  "{]", "{\"a\"}", "{\"a\":}", "{\"a\": 1,}", "{\"a\": 1} x", "{\"a\": 1}{}",
  "{'a': 1}", "// comment\n{}", "/* \" */ {}", "{\"a\": 0x10 }#",
  "var a = {\"b\": 1};",
  /* strings */
  "{\"a", "{\"a\\", "{\"a\\\"", "{\"a\\u", "{\"a\\u12", "{\"a\\u123\"}",
  "{\"\\x41\": 1}", "{\"\\101\": 1}", "{\"a\": \"\\u0000\"}",
  "{\"a\": \"\\ud800\"}", "{\"a\": \"\\udc00\"}", "{\"a\": \"\\ud800x\"}",
  "{\"a\": \"\\ud800\\u0041\"}", "{\"a\": \"\\ud800\\ud800\"}",
  "{\"a\": \"\\udc00\\ud800\"}", "{\"a\": \"\\ud83d\\ude\"}",
  "{\"a\": \"\xff\"}", "{\"a\": \"\xc3\"}", "\xef\xbb\xbf{}",
  "{\"a\": \"\xed\xa0\x80\"}", "{\"a\": \"\xf4\x90\x80\x80\"}",
  /* what must be of another type */
  "{\"uid\": 5}", "{\"uid\": {}}", "{\"status\": 5}", "{\"status\": []}",
  "{\"message\": \"SERVER_READY\", \"backend\": 5}",
  "{\"language\": 5}", "{\"language\": \"\"}", "{\"language\": {}}",
  "{\"language\": \"en\", \"language_prob\": \"high\"}",
  "{\"segments\": {}}", "{\"segments\": 5}", "{\"segments\": \"text\"}",
  "{\"segments\": true}", "{\"translated_segments\": {}}",
  "{\"segments\": [5]}", "{\"segments\": [null]}", "{\"segments\": [[]]}",
  "{\"segments\": [\"text\"]}", "{\"segments\": [{}]}",
  "{\"segments\": [{\"text\": 5}]}", "{\"segments\": [{\"text\": null}]}",
  "{\"segments\": [{\"text\": {}}]}", "{\"segments\": [{\"text\": [\"a\"]}]}",
  "{\"segments\": [{\"text\": \"a\", \"completed\": 1}]}",
  "{\"segments\": [{\"text\": \"a\", \"completed\": \"true\"}]}",
  "{\"segments\": [{\"text\": \"a\", \"speaker\": {}}]}",
  "{\"segments\": [{\"text\": \"a\", \"speaker\": true}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": 5}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": [5]}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": [{}]}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": [{\"word\": 1}]}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": "
      "[{\"word\": \"a\", \"start\": -1, \"end\": 0}]}]}",
  "{\"segments\": [{\"text\": \"a\", \"words\": "
      "[{\"word\": \"a\", \"probability\": \"b\"}]}]}",
  /* one bad among good ones */
  "{\"segments\": [{\"text\": \"a\"}, {\"text\": \"b\"}, {\"txt\": \"c\"}]}",
};

GST_START_TEST (test_hostile)
{
  check_refused (hostile[__i__], -1);
}

GST_END_TEST;

static const gchar *const bad_times[] = {
  "-1", "-0.001", "\"-0.001\"", "NaN", "\"nan\"", "Infinity", "-Infinity",
  "\"inf\"", "1e999", "\"1e999\"", "1e300", "1000000001", "\"1000000001\"",
  "99999999999999999999999999", "-99999999999999999999999999",
  "18446744073709551615", "9223372036854775808",
  "\"\"", "\" \"", "\" 1\"", "\"1 \"", "\"1,5\"", "\"0x10\"", "\"1.2.3\"",
  "\"one\"", "\"1s\"", "\"+-1\"", "\".\"", "\"e\"", "true", "{}", "[]", "[1]",
  "null",
  "\"0000000000000000000000000000000000000000000000000000000000000000001\"",
};

GST_START_TEST (test_bad_time)
{
  g_autofree gchar *start = g_strdup_printf ("{\"segments\": [{\"start\": %s, "
      "\"end\": \"1.000\", \"text\": \"a\"}]}", bad_times[__i__]);
  g_autofree gchar *end = g_strdup_printf ("{\"segments\": [{\"start\": "
      "\"1.000\", \"end\": %s, \"text\": \"a\"}]}", bad_times[__i__]);

  check_refused (start, -1);
  check_refused (end, -1);
}

GST_END_TEST;

GST_START_TEST (test_one_time_is_missing)
{
  check_refused ("{\"segments\": [{\"start\": 1, \"text\": \"a\"}]}", -1);
  check_refused ("{\"segments\": [{\"end\": 1, \"text\": \"a\"}]}", -1);
}

GST_END_TEST;

GST_START_TEST (test_not_terminated)
{
  g_autoptr (WhisperLiveMessage) message = NULL;
  g_autofree gchar *exact = g_memdup2 ("{\"uid\": \"x\"}", 12);

  message = whisperlive_protocol_parse (exact, 12, NULL);
  fail_unless (message != NULL);
  check_refused ("{\"uid\": \"x\"}", 11);
  check_refused (NULL, 0);
}

GST_END_TEST;

GST_START_TEST (test_nul_inside)
{
  check_refused ("{\"a\": \"\0\"}", 10);
  check_refused ("{}\0", 3);
}

GST_END_TEST;

static gchar *
repeat (const gchar * before, const gchar * each, guint n, const gchar * after)
{
  GString *string = g_string_new (before);
  guint i;

  for (i = 0; i < n; i++)
    g_string_append (string, each);
  g_string_append (string, after);
  return g_string_free (string, FALSE);
}

GST_START_TEST (test_nested_deeply)
{
  const gchar *each[] = { "[", "{\"a\":", "[{\"a\":", "{\"a\":[" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (each); i++) {
    g_autofree gchar *deep = repeat ("{\"a\": ", each[i], 100000, "");

    check_refused (deep, -1);
  }
}

GST_END_TEST;

GST_START_TEST (test_nested_deeply_behind_a_string)
{
  /* what looks like the inside of a string to the one may not to the other */
  const gchar *before[] = { "{\"a\\\"\": ", "{\"a\": \"\\\\\", \"b\": ",
    "{\"a\": '\"', \"b\": ", "/*\"*/ {\"a\": ", "#\"\n{\"a\": "
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (before); i++) {
    g_autofree gchar *deep = repeat (before[i], "[", 100000, "");

    check_refused (deep, -1);
  }
}

GST_END_TEST;

GST_START_TEST (test_nested_as_deeply_as_is_allowed)
{
  g_autofree gchar *inner = repeat ("{\"a\": ", "[", 31, "");
  g_autofree gchar *whole = repeat (inner, "]", 31, "}");
  g_autofree gchar *deeper_inner = repeat ("{\"a\": ", "[", 32, "");
  g_autofree gchar *deeper = repeat (deeper_inner, "]", 32, "}");
  g_autoptr (WhisperLiveMessage) message = parse (whole);

  fail_unless_equals_int (message->type, WHISPERLIVE_MESSAGE_OTHER);
  check_refused (deeper, -1);
}

GST_END_TEST;

GST_START_TEST (test_brackets_in_a_text)
{
  g_autofree gchar *json =
      repeat ("{\"segments\": [{\"text\": \"", "[{", 1000, "\"}]}");
  g_autoptr (WhisperLiveMessage) message = parse (json);

  fail_unless_equals_int (message->segments->len, 1);
}

GST_END_TEST;

GST_START_TEST (test_too_many)
{
  g_autofree gchar *most = repeat ("{\"segments\": [{\"text\": \"a\"}",
      ",{\"text\": \"a\"}", 4095, "]}");
  g_autofree gchar *segments = repeat ("{\"segments\": [{\"text\": \"a\"}",
      ",{\"text\": \"a\"}", 4096, "]}");
  g_autofree gchar *words = repeat ("{\"segments\": [{\"text\": \"a\", "
      "\"words\": [{\"word\": \"a\"}", ",{\"word\": \"a\"}", 4096, "]}]}");
  g_autofree gchar *values = repeat ("{\"a\": [1", ",1", 1000000, "]}");
  g_autoptr (WhisperLiveMessage) message = parse (most);

  fail_unless_equals_int (message->segments->len, 4096);
  check_refused (segments, -1);
  check_refused (words, -1);
  check_refused (values, -1);
}

GST_END_TEST;

GST_START_TEST (test_too_long)
{
  g_autofree gchar *most =
      repeat ("{\"segments\": [{\"text\": \"", "a", 65536, "\"}]}");
  g_autofree gchar *text =
      repeat ("{\"segments\": [{\"text\": \"", "a", 65537, "\"}]}");
  g_autofree gchar *speaker = repeat ("{\"segments\": [{\"text\": \"a\", "
      "\"speaker\": \"", "a", 257, "\"}]}");
  g_autofree gchar *whole = repeat ("{\"a\": \"", "a",
      WHISPERLIVE_MAX_MESSAGE_SIZE, "\"}");
  g_autoptr (WhisperLiveMessage) message = parse (most);

  fail_unless_equals_int (message->segments->len, 1);
  check_refused (text, -1);
  check_refused (speaker, -1);
  check_refused (whole, -1);
}

GST_END_TEST;

/* Whatever comes, it is either taken or refused with an error; valgrind and the sanitizers see the rest. */
GST_START_TEST (test_mutations)
{
  const gchar *seeds[] = {
    "{\"uid\": \"x\", \"segments\": [{\"start\": \"0.000\", \"end\": \"5.540\", "
        "\"text\": \" And \\u2014 \\ud83d\\ude00\", \"completed\": true, "
        "\"speaker\": \"S\", \"words\": [{\"word\": \" And\", "
        "\"start\": \"0.000\", \"end\": \"0.480\", \"probability\": 0.3}]}, "
        "{\"start\": 5.5, \"end\": \"7\", \"text\": \"b\"}]}",
    "{\"uid\": \"x\", \"status\": \"WAIT\", \"message\": 9.99}",
    "{\"uid\": \"x\", \"language\": \"en\", \"language_prob\": 0.99}",
  };
  const gchar *pieces[] = { "\"", "\\", "{", "}", "[", "]", ",", ":", "null",
    "NaN", "Infinity", "-", "1e999", "\\u", "\\ud800", "\xff", "\xe2\x82", "'",
    "/*", "true", "0", "\t", "\"\": ", "[[[[[[[["
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711 + __i__);
  guint i, j;

  for (i = 0; i < 500; i++) {
    GString *json =
        g_string_new (seeds[g_rand_int_range (rand, 0, G_N_ELEMENTS (seeds))]);
    g_autoptr (WhisperLiveMessage) message = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree gchar *exact = NULL;
    gint changes = g_rand_int_range (rand, 1, 5);

    while (changes--) {
      gsize at = g_rand_int_range (rand, 0, json->len + 1);

      switch (g_rand_int_range (rand, 0, 4)) {
        case 0:
          g_string_truncate (json, at);
          break;
        case 1:
          g_string_erase (json, at, g_rand_int_range (rand, 0,
                  MIN (json->len - at, 20) + 1));
          break;
        case 2:
          if (at < json->len)
            json->str[at] = g_rand_int_range (rand, 0, 256);
          break;
        default:
          g_string_insert (json, at, pieces[g_rand_int_range (rand, 0,
                      G_N_ELEMENTS (pieces))]);
      }
    }
    /* with nothing after it that could be read */
    exact = g_memdup2 (json->str, json->len);
    message = whisperlive_protocol_parse (exact, json->len, &error);
    fail_unless ((message == NULL) == (error != NULL));
    for (j = 0; message && message->segments && j < message->segments->len; j++) {
      const WhisperLiveSegment *segment =
          g_ptr_array_index (message->segments, j);

      fail_unless (g_utf8_validate (segment->text, -1, NULL));
      fail_unless (segment->start <= segment->end);
    }
    g_string_free (json, TRUE);
  }
}

GST_END_TEST;

static Suite *
protocol_hostile_suite (void)
{
  Suite *suite = suite_create ("protocol-hostile");
  TCase *tc = tcase_create ("hostile");

  /* a failed assertion of json-glib's is a bug here */
  g_log_set_fatal_mask ("Json", G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL
      | G_LOG_LEVEL_WARNING);
  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_hostile, 0, G_N_ELEMENTS (hostile));
  tcase_add_loop_test (tc, test_bad_time, 0, G_N_ELEMENTS (bad_times));
  tcase_add_test (tc, test_one_time_is_missing);
  tcase_add_test (tc, test_not_terminated);
  tcase_add_test (tc, test_nul_inside);
  tcase_add_test (tc, test_nested_deeply);
  tcase_add_test (tc, test_nested_deeply_behind_a_string);
  tcase_add_test (tc, test_nested_as_deeply_as_is_allowed);
  tcase_add_test (tc, test_brackets_in_a_text);
  tcase_add_test (tc, test_too_many);
  tcase_add_test (tc, test_too_long);
  tcase_add_loop_test (tc, test_mutations, 0, 20);
  return suite;
}

GST_CHECK_MAIN (protocol_hostile);
