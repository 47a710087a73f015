/* A transcript that falls behind is told of, and a latency query is answered.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/base/gstbasesink.h>
#include <gst/check/gsttestclock.h>

#include "harness.h"

/* Five words of 0.5 s, but for the silence after the last */
#define FIRST_END (GST_SECOND * 24 / 10)
#define SEGMENT (GST_SECOND * 25 / 10)

static GstTestClock *test_clock;

static void
setup (void)
{
  harness_setup ();
  test_clock = GST_TEST_CLOCK (gst_test_clock_new ());
}

static void
teardown (void)
{
  gst_object_unref (test_clock);
  harness_teardown ();
}

static void
make (gboolean live)
{
  harness_make ("", NULL);
  g_object_set (h->src, "is-live", live, NULL);
  gst_pipeline_use_clock (GST_PIPELINE (h->pipeline), GST_CLOCK (test_clock));
}

static void
play (void)
{
  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 30, 0, 0);
}

/* How many warnings there were until the end, and of how much the last */
static guint
count_warnings (GstClockTime * delay, GstClockTime * running_time)
{
  guint i, n = 0;

  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);
    const GstStructure *details = NULL;
    GError *warning = NULL;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_WARNING)
      continue;
    gst_message_parse_warning (message, &warning, NULL);
    fail_unless (g_error_matches (warning, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_BUSY), "%s", warning->message);
    g_error_free (warning);
    gst_message_parse_warning_details (message, &details);
    fail_unless (gst_structure_has_name (details,
            "whisperlivesink/excessive-delay"));
    fail_unless (gst_structure_get (details, "delay", G_TYPE_UINT64, delay,
            "running-time", G_TYPE_UINT64, running_time, NULL));
    n++;
  }
  return n;
}

static void
set_running_time (GstClockTime time)
{
  gst_test_clock_set_time (test_clock,
      gst_element_get_base_time (h->pipeline) + time);
}

/* The first final is late, the next ones are no later, the last ones are. */
GST_START_TEST (test_falls_behind)
{
  GstClockTime delay, running_time;

  HARNESS_SCRIPT (hold_ready, TRUE);
  make (TRUE);
  play ();
  /* the second and third are late as well, but less */
  set_running_time (FIRST_END + 20 * GST_SECOND);
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_wait_final ("w25");
  fail_unless_equals_int (count_warnings (&delay, &running_time), 1);
  fail_unless_equals_uint64 (delay, 20 * GST_SECOND);
  fail_unless_equals_uint64 (running_time, FIRST_END);
  /* the last word ends after 30 s */
  set_running_time (60 * GST_SECOND);
  harness_push_words (31, 30, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 60, 0);
  fail_unless (count_warnings (&delay, &running_time) > 1);
  fail_unless (delay >= 25 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_on_time)
{
  GstClockTime delay, running_time;

  HARNESS_SCRIPT (hold_ready, TRUE);
  make (TRUE);
  play ();
  set_running_time (FIRST_END + 14 * GST_SECOND);
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 30, 0);
  fail_unless_equals_int (count_warnings (&delay, &running_time), 0);
}

HARNESS_END_TEST;

/* How late the last start was, does not matter to the next one. */
GST_START_TEST (test_falls_behind_again)
{
  GstClockTime delay, running_time;
  guint i;

  make (TRUE);
  for (i = 0; i < 2; i++) {
    HARNESS_SCRIPT (hold_ready, TRUE);
    play ();
    set_running_time (FIRST_END + 15 * GST_SECOND);
    HARNESS_SCRIPT (hold_ready, FALSE);
    harness_eos ();
    harness_wait (GST_MESSAGE_EOS, NULL);
    harness_assert_words (1, 30, 0);
    fail_unless_equals_int (count_warnings (&delay, &running_time), 1);
    fail_unless_equals_uint64 (delay, 15 * GST_SECOND);
    fail_unless_equals_uint64 (running_time, FIRST_END);
    harness_start (GST_STATE_READY);
    harness_forget ();
  }
}

HARNESS_END_TEST;

/* A final, and the partial behind it: the final's delay has been looked at. */
static void
wait_final (const gchar * text_end)
{
  harness_wait_final (text_end);
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
}

/* 4 s more are not worth another warning, 6 s are. */
GST_START_TEST (test_still_later)
{
  GstClockTime delay, running_time;

  HARNESS_SCRIPT (hold_ready, TRUE);
  make (TRUE);
  /* no final without a partial behind it */
  g_object_set (h->sink, "same-output-threshold", 1000, NULL);
  play ();
  set_running_time (FIRST_END + 20 * GST_SECOND);
  HARNESS_SCRIPT (hold_ready, FALSE);
  wait_final ("w25");
  set_running_time (FIRST_END + 5 * SEGMENT + 24 * GST_SECOND);
  harness_push_words (31, 5, 0, 0);
  wait_final ("w30");
  fail_unless_equals_int (count_warnings (&delay, &running_time), 1);
  set_running_time (FIRST_END + 6 * SEGMENT + 26 * GST_SECOND);
  harness_push_words (36, 5, 0, 0);
  wait_final ("w35");
  fail_unless_equals_int (count_warnings (&delay, &running_time), 2);
  fail_unless (delay > 25 * GST_SECOND && delay < 27 * GST_SECOND);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 40, 0);
}

HARNESS_END_TEST;

/* A file is not late, however long it takes. */
GST_START_TEST (test_not_live)
{
  GstClockTime delay, running_time;

  HARNESS_SCRIPT (transcribe, FALSE);
  make (FALSE);
  play ();
  harness_state (GST_STATE_PLAYING);
  set_running_time (3600 * GST_SECOND);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 30, 0);
  fail_unless_equals_int (count_warnings (&delay, &running_time), 0);
}

HARNESS_END_TEST;

/* But for one that is played at its own pace: it began long ago, and all of it is due. */
GST_START_TEST (test_sync)
{
  GstClock *clock = gst_system_clock_obtain ();
  GstClockTime delay, running_time;

  harness_make ("", "sync", TRUE, NULL);
  gst_pipeline_use_clock (GST_PIPELINE (h->pipeline), clock);
  gst_element_set_start_time (h->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (h->pipeline,
      gst_clock_get_time (clock) - FIRST_END - 20 * GST_SECOND);
  gst_object_unref (clock);
  play ();
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 30, 0);
  fail_unless (count_warnings (&delay, &running_time) > 0);
  fail_unless (delay >= 20 * GST_SECOND);
}

HARNESS_END_TEST;

/* What is sent at once needs no latency of the pipeline; with sync=true it is as with every sink. */
GST_START_TEST (test_latency)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min;
  gboolean live, sync = __i__;

  harness_make ("", "sync", sync, NULL);
  g_object_set (h->src, "is-live", TRUE, "min-latency",
      (gint64) 40 * GST_MSECOND, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  harness_wait_final ("w5");
  fail_unless (gst_element_query (h->sink, query));
  gst_query_parse_latency (query, &live, &min, NULL);
  fail_unless_equals_int (live, sync);
  if (sync)
    fail_unless_equals_uint64 (min, 40 * GST_MSECOND +
        gst_base_sink_get_processing_deadline (GST_BASE_SINK (h->sink)));
  gst_query_unref (query);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
}

HARNESS_END_TEST;

static Suite *
lateness_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-lateness");
  TCase *tc = tcase_create ("lateness");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_falls_behind);
  tcase_add_test (tc, test_falls_behind_again);
  tcase_add_test (tc, test_still_later);
  tcase_add_test (tc, test_on_time);
  tcase_add_test (tc, test_not_live);
  tcase_add_test (tc, test_sync);
  tcase_add_loop_test (tc, test_latency, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (lateness);
