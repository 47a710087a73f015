/* Tests of whisperlive-drain: each proof alone, and that it proves nothing a hair earlier
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-drain.h"

#define SECOND G_GINT64_CONSTANT (1000000)
#define NOW (100 * SECOND)
#define ROUND_TRIP G_USEC_PER_SEC
#define ARRIVED (NOW + ROUND_TRIP)
#define LAST_MESSAGE (AUDIO_END - 300 * GST_MSECOND)
#define AUDIO_END (20 * GST_SECOND)
#define PADDING_END (AUDIO_END + WHISPERLIVE_DRAIN_PADDING_MS * GST_MSECOND)
/* Times that the server rounds may be off by so much. */
#define ROUNDING (2 * GST_MSECOND)
/* Nothing that has to do with the end */
#define EARLY (5 * GST_SECOND)
/* drain-timeout */
#define TIMEOUT (15 * SECOND)

static WhisperLiveDrain drain;

static void
setup (void)
{
  whisperlive_drain_start (&drain, LAST_MESSAGE, AUDIO_END, PADDING_END,
      ROUND_TRIP, NOW);
}

GST_START_TEST (test_start)
{
  fail_unless_equals_int64 (drain.since, NOW);
  fail_unless_equals_int64 (drain.arrived, ARRIVED);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_start_again)
{
  whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED);
  setup ();
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
}

GST_END_TEST;

/* --- messages --- */

GST_START_TEST (test_second_message)
{
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
  fail_unless (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_message_that_may_have_crossed)
{
  guint i;

  for (i = 0; i < 10; i++)
    fail_if (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED - 1));
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
  fail_unless (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
}

GST_END_TEST;

/* The answer to a ping that followed the audio is worth more than an estimate, and never makes it later. */
GST_START_TEST (test_arrived)
{
  gint64 pong = NOW + 1000;

  whisperlive_drain_set_arrived (&drain, pong);
  fail_unless (drain.arrived > pong && drain.arrived < ARRIVED);
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, pong));
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, drain.arrived));
  fail_unless (whisperlive_drain_heard (&drain, EARLY, 0, drain.arrived));
}

GST_END_TEST;

GST_START_TEST (test_arrived_late)
{
  whisperlive_drain_set_arrived (&drain, ARRIVED + 1);
  fail_unless_equals_int64 (drain.arrived, ARRIVED);
}

GST_END_TEST;

/* On a slow line it may take any time. */
GST_START_TEST (test_arrival_unknown)
{
  guint i;

  whisperlive_drain_start (&drain, LAST_MESSAGE, AUDIO_END, PADDING_END,
      WHISPERLIVE_DRAIN_UNKNOWN, NOW);
  for (i = 0; i < 10; i++)
    fail_if (whisperlive_drain_heard (&drain, EARLY, 0,
            NOW + 600 * G_USEC_PER_SEC));
  whisperlive_drain_expect_quiet (&drain, G_USEC_PER_SEC, FALSE, 0, 1, TIMEOUT,
      NOW);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
  whisperlive_drain_set_arrived (&drain, NOW);
  fail_if (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
  fail_unless (whisperlive_drain_heard (&drain, EARLY, 0, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_message_without_segments)
{
  /* a pass that left its only segment out is a pass */
  fail_if (whisperlive_drain_heard (&drain, 0, 0, ARRIVED));
  fail_unless (whisperlive_drain_heard (&drain, 0, 0, ARRIVED));
}

GST_END_TEST;

/* --- a segment that ends in the padding --- */

GST_START_TEST (test_segment_in_the_padding)
{
  fail_unless (whisperlive_drain_heard (&drain, AUDIO_END + ROUNDING + 1, 0,
          ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_segment_in_the_padding_is_proof_at_any_time)
{
  /* the server cannot know of it unless it has arrived */
  fail_unless (whisperlive_drain_heard (&drain, AUDIO_END + ROUNDING + 1, 0,
          NOW));
}

GST_END_TEST;

GST_START_TEST (test_segment_at_the_end_of_the_audio)
{
  /* it may have ended there before the padding came */
  fail_if (whisperlive_drain_heard (&drain, AUDIO_END, 0, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_segment_within_rounding)
{
  fail_if (whisperlive_drain_heard (&drain, AUDIO_END + ROUNDING, 0, ARRIVED));
}

GST_END_TEST;

/* --- a segment in the last message --- */

GST_START_TEST (test_segment_in_the_last_message)
{
  fail_unless (whisperlive_drain_heard (&drain, LAST_MESSAGE + ROUNDING + 1, 0,
          ARRIVED));
  setup ();
  fail_unless (whisperlive_drain_heard (&drain, AUDIO_END - ROUNDING - 1, 0,
          ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_segment_about_the_last_message)
{
  fail_if (whisperlive_drain_heard (&drain, LAST_MESSAGE + ROUNDING, 0,
          ARRIVED));
  setup ();
  fail_if (whisperlive_drain_heard (&drain, AUDIO_END - ROUNDING, 0, ARRIVED));
}

GST_END_TEST;

/* Such a pass may have ended before the silence, which is not there yet. */
GST_START_TEST (test_segment_in_the_last_message_too_early)
{
  fail_if (whisperlive_drain_heard (&drain, AUDIO_END - 100 * GST_MSECOND, 0,
          ARRIVED - 1));
}

GST_END_TEST;

/* Another pass may find more in what is left. */
GST_START_TEST (test_segment_in_a_long_last_message)
{
  GstClockTime end = AUDIO_END + ROUNDING - GST_SECOND;

  whisperlive_drain_start (&drain, EARLY, AUDIO_END, PADDING_END, ROUND_TRIP,
      NOW);
  fail_if (whisperlive_drain_heard (&drain, end, 0, ARRIVED));
  whisperlive_drain_start (&drain, EARLY, AUDIO_END, PADDING_END, ROUND_TRIP,
      NOW);
  fail_unless (whisperlive_drain_heard (&drain, end + 1, 0, ARRIVED));
}

GST_END_TEST;

/* --- less than a pass is left --- */

#define LEFT_FOR_A_PASS (PADDING_END + ROUNDING - GST_SECOND)

GST_START_TEST (test_too_little_left)
{
  GstClockTime end = LEFT_FOR_A_PASS + 1;

  /* that it lies in the padding must not be what proves it */
  whisperlive_drain_start (&drain, PADDING_END, PADDING_END, PADDING_END,
      ROUND_TRIP, NOW);
  fail_unless (whisperlive_drain_heard (&drain, end, end, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_enough_left)
{
  GstClockTime end = LEFT_FOR_A_PASS;

  whisperlive_drain_start (&drain, PADDING_END, PADDING_END, PADDING_END,
      ROUND_TRIP, NOW);
  fail_if (whisperlive_drain_heard (&drain, end, end, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_partial_leaves_nothing)
{
  /* its audio will be transcribed again */
  whisperlive_drain_start (&drain, PADDING_END, PADDING_END, PADDING_END,
      ROUND_TRIP, NOW);
  fail_if (whisperlive_drain_heard (&drain, PADDING_END, EARLY, ARRIVED));
}

GST_END_TEST;

GST_START_TEST (test_too_little_left_of_what_has_not_arrived)
{
  GstClockTime end = LEFT_FOR_A_PASS + 1;

  whisperlive_drain_start (&drain, PADDING_END, PADDING_END, PADDING_END,
      ROUND_TRIP, NOW);
  fail_if (whisperlive_drain_heard (&drain, end, end, ARRIVED - 1));
}

GST_END_TEST;

GST_START_TEST (test_short_stream)
{
  /* less than a pass in all: only messages prove anything */
  whisperlive_drain_start (&drain, 0, GST_SECOND / 10, GST_SECOND * 13 / 10,
      ROUND_TRIP, NOW);
  fail_if (whisperlive_drain_heard (&drain, 0, 0, ARRIVED));
  fail_unless (whisperlive_drain_heard (&drain, 0, 0, ARRIVED));
}

GST_END_TEST;

/* --- quiet --- */

#define SPEECH 0.4f
#define FAR_BELOW (SPEECH * WHISPERLIVE_FAR_BELOW)

GST_START_TEST (test_quiet)
{
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, FALSE, FAR_BELOW, SPEECH,
      TIMEOUT, NOW);
  fail_unless_equals_int64 (drain.quiet_at, NOW + 4 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_quiet_after_fast_passes)
{
  whisperlive_drain_expect_quiet (&drain, SECOND / 10, FALSE, FAR_BELOW, SPEECH,
      TIMEOUT, NOW);
  fail_unless_equals_int64 (drain.quiet_at, NOW + 3 * SECOND);
}

GST_END_TEST;

/* It must not take until drain-timeout, or what is quiet counts as lost. */
GST_START_TEST (test_quiet_after_slow_passes)
{
  whisperlive_drain_expect_quiet (&drain, 4 * SECOND, FALSE, FAR_BELOW, SPEECH,
      TIMEOUT, NOW);
  fail_unless_equals_int64 (drain.quiet_at, NOW + TIMEOUT / 2);
}

GST_END_TEST;

GST_START_TEST (test_quiet_before_a_short_timeout)
{
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, FALSE, FAR_BELOW, SPEECH,
      SECOND, NOW);
  fail_unless_equals_int64 (drain.quiet_at, NOW + 3 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_patience)
{
  fail_unless_equals_int64 (whisperlive_drain_get_patience (SECOND, TRUE,
          TIMEOUT), 4 * SECOND);
  fail_unless_equals_int64 (whisperlive_drain_get_patience (0, TRUE, TIMEOUT),
      5 * SECOND);
  /* the first pass may be slow: another session would be no quicker */
  fail_unless_equals_int64 (whisperlive_drain_get_patience (0, FALSE, TIMEOUT),
      TIMEOUT * 2 / 3);
  fail_unless_equals_int64 (whisperlive_drain_get_patience (0, FALSE, SECOND),
      5 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_quiet_with_an_open_partial)
{
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, TRUE, 0, SPEECH, TIMEOUT,
      NOW);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_quiet_before_any_pass)
{
  whisperlive_drain_expect_quiet (&drain, 0, FALSE, 0, SPEECH, TIMEOUT, NOW);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_quiet_after_loud_audio)
{
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, FALSE,
      FAR_BELOW * 1.001f, SPEECH, TIMEOUT, NOW);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_quiet_is_expected_anew)
{
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, FALSE, 0, SPEECH, TIMEOUT,
      NOW);
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, TRUE, 0, SPEECH, TIMEOUT,
      NOW + SECOND);
  fail_unless_equals_int64 (drain.quiet_at, G_MAXINT64);
  whisperlive_drain_expect_quiet (&drain, 1 * SECOND, FALSE, 0, SPEECH,
      TIMEOUT, NOW + 2 * SECOND);
  fail_unless_equals_int64 (drain.quiet_at, NOW + 6 * SECOND);
}

GST_END_TEST;

static TCase *
add_case (Suite * suite, const gchar * name)
{
  TCase *tc = tcase_create (name);

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  return tc;
}

static Suite *
drain_suite (void)
{
  Suite *suite = suite_create ("drain");
  TCase *tc = add_case (suite, "messages");

  tcase_add_test (tc, test_start);
  tcase_add_test (tc, test_start_again);
  tcase_add_test (tc, test_second_message);
  tcase_add_test (tc, test_message_that_may_have_crossed);
  tcase_add_test (tc, test_arrived);
  tcase_add_test (tc, test_arrived_late);
  tcase_add_test (tc, test_arrival_unknown);
  tcase_add_test (tc, test_message_without_segments);

  tc = add_case (suite, "padding");
  tcase_add_test (tc, test_segment_in_the_padding);
  tcase_add_test (tc, test_segment_in_the_padding_is_proof_at_any_time);
  tcase_add_test (tc, test_segment_at_the_end_of_the_audio);
  tcase_add_test (tc, test_segment_within_rounding);

  tc = add_case (suite, "rest");
  tcase_add_test (tc, test_segment_in_the_last_message);
  tcase_add_test (tc, test_segment_about_the_last_message);
  tcase_add_test (tc, test_segment_in_the_last_message_too_early);
  tcase_add_test (tc, test_segment_in_a_long_last_message);
  tcase_add_test (tc, test_too_little_left);
  tcase_add_test (tc, test_enough_left);
  tcase_add_test (tc, test_partial_leaves_nothing);
  tcase_add_test (tc, test_too_little_left_of_what_has_not_arrived);
  tcase_add_test (tc, test_short_stream);

  tc = add_case (suite, "quiet");
  tcase_add_test (tc, test_quiet);
  tcase_add_test (tc, test_quiet_after_fast_passes);
  tcase_add_test (tc, test_quiet_after_slow_passes);
  tcase_add_test (tc, test_quiet_before_a_short_timeout);
  tcase_add_test (tc, test_patience);
  tcase_add_test (tc, test_quiet_with_an_open_partial);
  tcase_add_test (tc, test_quiet_before_any_pass);
  tcase_add_test (tc, test_quiet_after_loud_audio);
  tcase_add_test (tc, test_quiet_is_expected_anew);
  return suite;
}

GST_CHECK_MAIN (drain);
