/* Tests of whisperlive-timeline
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <math.h>

#include "whisperlive-protocol.h"
#include "whisperlive-timeline.h"

#define SECOND ((guint64) WHISPERLIVE_RATE)
#define NONE GST_CLOCK_TIME_NONE

static WhisperLiveTimeline *timeline;

static void
setup (void)
{
  timeline = whisperlive_timeline_new ();
}

static void
teardown (void)
{
  whisperlive_timeline_free (timeline);
}

static void
mark (guint64 position, GstClockTime running_time, GstClockTime stream_time)
{
  whisperlive_timeline_mark (timeline, position, running_time, stream_time,
      1.0, 1.0);
}

static void
jump (guint64 sample, guint64 position)
{
  whisperlive_timeline_jump (timeline, WHISPERLIVE_SAMPLES_TO_TIME (sample),
      position);
}

#define check_running(position, time) fail_unless_equals_uint64 ( \
    whisperlive_timeline_running_time (timeline, position), time)
#define check_stream(position, time) fail_unless_equals_uint64 ( \
    whisperlive_timeline_stream_time (timeline, position), time)
#define check_position(time, position) fail_unless_equals_uint64 ( \
    whisperlive_timeline_position (timeline, time), position)

/* Marks */

GST_START_TEST (test_nothing_is_known)
{
  check_running (0, NONE);
  check_stream (5 * SECOND, NONE);
}

GST_END_TEST;

GST_START_TEST (test_samples_are_exact)
{
  mark (0, 0, 0);
  check_running (1, 62500);
  check_running (16, GST_MSECOND);
  /* a day, for which a double would do, and five hundred years, for which it would not */
  check_running (86400 * SECOND + 1, 86400 * GST_SECOND + 62500);
  mark (1, 62500, 62500);
  check_running (G_GUINT64_CONSTANT (31557600) * 500 * SECOND + 1,
      G_GUINT64_CONSTANT (31557600) * 500 * GST_SECOND + 62500);
}

GST_END_TEST;

GST_START_TEST (test_running_and_stream_time_differ)
{
  mark (0, 5 * GST_SECOND, 100 * GST_SECOND);
  check_running (2 * SECOND, 7 * GST_SECOND);
  check_stream (2 * SECOND, 102 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_gap)
{
  mark (0, 0, 0);
  mark (1 * SECOND, 10 * GST_SECOND, 10 * GST_SECOND);
  check_running (1 * SECOND - 16, 999 * GST_MSECOND);
  check_running (1 * SECOND, 10 * GST_SECOND);
  check_running (2 * SECOND, 11 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_seek_back)
{
  mark (0, 0, 60 * GST_SECOND);
  mark (1 * SECOND, 1 * GST_SECOND, 0);
  check_running (2 * SECOND, 2 * GST_SECOND);
  check_stream (2 * SECOND, 1 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_many_marks)
{
  guint64 i;

  for (i = 0; i < 1000; i++)
    mark (i * SECOND, i * 2 * GST_SECOND, NONE);
  for (i = 0; i < 1000; i++)
    check_running (i * SECOND + 16, i * 2 * GST_SECOND + GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_same_position_replaces)
{
  mark (0, 0, 0);
  mark (1 * SECOND, 5 * GST_SECOND, 5 * GST_SECOND);
  mark (1 * SECOND, 9 * GST_SECOND, 9 * GST_SECOND);
  check_running (1 * SECOND, 9 * GST_SECOND);
  check_running (1 * SECOND - 16, 999 * GST_MSECOND);
}

GST_END_TEST;

/* Audio that is sent once more on another connection is marked once more. */
GST_START_TEST (test_marked_once_more)
{
  mark (0, 0, 0);
  mark (1 * SECOND, 5 * GST_SECOND, 5 * GST_SECOND);
  mark (2 * SECOND, 9 * GST_SECOND, 9 * GST_SECOND);
  mark (1 * SECOND, 5 * GST_SECOND, 5 * GST_SECOND);
  check_running (1 * SECOND, 5 * GST_SECOND);
  mark (2 * SECOND, 9 * GST_SECOND, 9 * GST_SECOND);
  check_running (2 * SECOND, 9 * GST_SECOND);
}

GST_END_TEST;

/* It may have been cut; what was marked behind it comes once more. */
GST_START_TEST (test_marked_before_the_last)
{
  mark (0, 0, 0);
  mark (2 * SECOND, 9 * GST_SECOND, 9 * GST_SECOND);
  mark (1 * SECOND, 5 * GST_SECOND, 5 * GST_SECOND);
  check_running (1 * SECOND + SECOND / 2, 5500 * GST_MSECOND);
  check_running (3 * SECOND, 7 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_before_the_first_mark)
{
  mark (10 * SECOND, 5 * GST_SECOND, NONE);
  check_running (9 * SECOND, 4 * GST_SECOND);
  check_running (5 * SECOND, 0);
  check_running (0, 0);
}

GST_END_TEST;

GST_START_TEST (test_unknown_times)
{
  mark (0, NONE, 3 * GST_SECOND);
  check_running (1 * SECOND, NONE);
  check_stream (1 * SECOND, 4 * GST_SECOND);
  mark (2 * SECOND, 2 * GST_SECOND, NONE);
  check_running (1 * SECOND, NONE);
  check_running (3 * SECOND, 3 * GST_SECOND);
  check_stream (3 * SECOND, NONE);
}

GST_END_TEST;

GST_START_TEST (test_rates)
{
  whisperlive_timeline_mark (timeline, 0, 0, 0, 2.0, 1.0);
  check_running (2 * SECOND, 1 * GST_SECOND);
  check_stream (2 * SECOND, 2 * GST_SECOND);
  whisperlive_timeline_mark (timeline, 10 * SECOND, 5 * GST_SECOND,
      10 * GST_SECOND, 1.0, 4.0);
  check_running (12 * SECOND, 7 * GST_SECOND);
  check_stream (12 * SECOND, 18 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_backwards)
{
  whisperlive_timeline_mark (timeline, 0, 0, 0, -2.0, -1.0);
  check_running (2 * SECOND, 1 * GST_SECOND);
  check_stream (2 * SECOND, 2 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_impossible_rates)
{
  whisperlive_timeline_mark (timeline, 0, 0, 0, 0.0, 0.0);
  check_running (SECOND, GST_SECOND);
  whisperlive_timeline_mark (timeline, 0, 0, 0, (gdouble) NAN, INFINITY);
  check_running (SECOND, GST_SECOND);
  check_stream (SECOND, GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_rounded_times_do_not_add_up)
{
  guint64 i;

  /* each buffer lasts 1 us longer than its samples do */
  mark (0, 0, 0);
  for (i = 1; i <= 10000; i++)
    mark (i * 160, i * 10001 * GST_USECOND, NONE);
  fail_unless (whisperlive_timeline_running_time (timeline,
          10000 * 160) + GST_MSECOND > 100010 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_saturates)
{
  mark (0, GST_SECOND, GST_SECOND);
  check_running (G_MAXUINT64, NONE - 1);
  whisperlive_timeline_mark (timeline, 0, GST_SECOND, GST_SECOND, 0.25, 4.0);
  check_running (G_MAXUINT64, NONE - 1);
  check_stream (G_MAXUINT64, NONE - 1);
}

GST_END_TEST;

GST_START_TEST (test_forget_keeps_what_is_in_force)
{
  mark (0, 0, 0);
  mark (1 * SECOND, 10 * GST_SECOND, 10 * GST_SECOND);
  mark (2 * SECOND, 20 * GST_SECOND, 20 * GST_SECOND);
  whisperlive_timeline_forget (timeline, 1 * SECOND + 16);
  check_running (1 * SECOND, 10 * GST_SECOND);
  check_running (2 * SECOND, 20 * GST_SECOND);
  /* from what is left */
  check_running (1 * SECOND - 16, 10 * GST_SECOND - GST_MSECOND);
  whisperlive_timeline_forget (timeline, G_MAXUINT64);
  check_running (2 * SECOND, 20 * GST_SECOND);
  mark (3 * SECOND, 50 * GST_SECOND, NONE);
  check_running (4 * SECOND, 51 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_forget_nothing)
{
  whisperlive_timeline_forget (timeline, 10 * SECOND);
  check_running (0, NONE);
  check_position (GST_SECOND, SECOND);
}

GST_END_TEST;

/* Connections */

GST_START_TEST (test_first_connection)
{
  check_position (0, 0);
  check_position (GST_SECOND, SECOND);
  check_position (1234 * GST_MSECOND, 1234 * 16);
}

GST_END_TEST;

GST_START_TEST (test_next_connection)
{
  whisperlive_timeline_begin (timeline, 100 * SECOND);
  check_position (0, 100 * SECOND);
  check_position (GST_SECOND, 101 * SECOND);
  whisperlive_timeline_begin (timeline, 50 * SECOND);
  check_position (GST_SECOND, 51 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_positions_saturate)
{
  whisperlive_timeline_begin (timeline, G_MAXUINT64 - SECOND);
  check_position (GST_SECOND, G_MAXUINT64);
  check_position (2 * GST_SECOND, G_MAXUINT64);
  check_position (NONE - 1, G_MAXUINT64);
  check_position (NONE, G_MAXUINT64);
}

GST_END_TEST;

GST_START_TEST (test_dropped_samples)
{
  jump (10 * SECOND, 15 * SECOND);
  check_position (9 * GST_SECOND, 9 * SECOND);
  check_position (10 * GST_SECOND, 15 * SECOND);
  check_position (11 * GST_SECOND, 16 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_added_samples_are_nobodys)
{
  jump (13 * SECOND, 10 * SECOND);
  check_position (9 * GST_SECOND, 9 * SECOND);
  check_position (10 * GST_SECOND, 10 * SECOND);
  check_position (12 * GST_SECOND, 10 * SECOND);
  check_position (13 * GST_SECOND, 10 * SECOND);
  check_position (14 * GST_SECOND, 11 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_many_jumps)
{
  guint64 i;

  for (i = 1; i < 1000; i++)
    jump (i * SECOND, i * 2 * SECOND);
  for (i = 1; i < 1000; i++)
    check_position (i * GST_SECOND + GST_MSECOND, i * 2 * SECOND + 16);
}

GST_END_TEST;

GST_START_TEST (test_begin_forgets_jumps)
{
  jump (10 * SECOND, 15 * SECOND);
  whisperlive_timeline_begin (timeline, 20 * SECOND);
  check_position (5 * GST_SECOND, 25 * SECOND);
  check_position (11 * GST_SECOND, 31 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_forget_keeps_the_jump_in_force)
{
  jump (10 * SECOND, 15 * SECOND);
  jump (20 * SECOND, 30 * SECOND);
  whisperlive_timeline_forget (timeline, 16 * SECOND);
  check_position (11 * GST_SECOND, 16 * SECOND);
  check_position (20 * GST_SECOND, 30 * SECOND);
  /* never after what is known */
  fail_unless (whisperlive_timeline_position (timeline, GST_SECOND) <=
      15 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_positions_never_go_back)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  guint64 sample = 0, position = 0, last = 0;
  guint i;

  for (i = 0; i < 200; i++) {
    guint64 length = g_rand_int_range (rand, 1, 10 * WHISPERLIVE_RATE);

    sample += length;
    /* some sent, some added, some dropped */
    position += length * g_rand_int_range (rand, 0, 5) / 2;
    jump (sample, position);
  }
  for (i = 0; i < sample / 16; i += 100) {
    guint64 now = whisperlive_timeline_position (timeline, i * GST_MSECOND);

    fail_unless (now >= last);
    last = now;
  }
}

GST_END_TEST;

static Suite *
timeline_suite (void)
{
  Suite *suite = suite_create ("timeline");
  TCase *tc = tcase_create ("marks");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_nothing_is_known);
  tcase_add_test (tc, test_samples_are_exact);
  tcase_add_test (tc, test_running_and_stream_time_differ);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_seek_back);
  tcase_add_test (tc, test_many_marks);
  tcase_add_test (tc, test_same_position_replaces);
  tcase_add_test (tc, test_marked_once_more);
  tcase_add_test (tc, test_marked_before_the_last);
  tcase_add_test (tc, test_before_the_first_mark);
  tcase_add_test (tc, test_unknown_times);
  tcase_add_test (tc, test_rates);
  tcase_add_test (tc, test_backwards);
  tcase_add_test (tc, test_impossible_rates);
  tcase_add_test (tc, test_rounded_times_do_not_add_up);
  tcase_add_test (tc, test_saturates);
  tcase_add_test (tc, test_forget_keeps_what_is_in_force);
  tcase_add_test (tc, test_forget_nothing);

  tc = tcase_create ("connections");
  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_first_connection);
  tcase_add_test (tc, test_next_connection);
  tcase_add_test (tc, test_positions_saturate);
  tcase_add_test (tc, test_dropped_samples);
  tcase_add_test (tc, test_added_samples_are_nobodys);
  tcase_add_test (tc, test_many_jumps);
  tcase_add_test (tc, test_begin_forgets_jumps);
  tcase_add_test (tc, test_forget_keeps_the_jump_in_force);
  tcase_add_test (tc, test_positions_never_go_back);
  return suite;
}

GST_CHECK_MAIN (timeline);
