/* Nothing is left of a session: GStreamer's "leaks" tracer is asked which elements, pads, messages, buffers, caps and
 * so on still live.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#define N_CYCLES 100

/* Down again from four places: at once, as soon as it streams, with words, after the end */
static void
run_cycle (guint i)
{
  guint64 frames = harness_server_count (SCRIPTED_FRAMES);

  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  if (i % 4 == 1)
    harness_wait_server (SCRIPTED_FRAMES, frames + 1);
  else if (i % 4 == 2)
    harness_wait_final ("w5");
  else if (i % 4 == 3) {
    harness_eos ();
    harness_wait (GST_MESSAGE_EOS, NULL);
    harness_assert_words (1, 7, 0);
  }
  harness_start (GST_STATE_NULL);
  harness_forget ();
}

static void
make (void)
{
  harness_make ("", "same-output-threshold", 1000, NULL);
}

GST_START_TEST (test_hundred_cycles)
{
  g_autoptr (Census) made = NULL;
  guint i;

  /* what is made once for the process: templates' caps, clocks, thread pools */
  make ();
  for (i = 0; i < 4; i++)
    run_cycle (i);
  harness_unmake ();

  make ();
  made = census_new ();
  for (i = 0; i < N_CYCLES; i++)
    run_cycle (i);
  /* nothing piles up in the element */
  census_assert_no_more (made, "in NULL after all cycles");
}

HARNESS_END_TEST;

/* Could that fail at all? */
GST_START_TEST (test_census_sees)
{
  GstMessage *kept;

  make ();
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  kept = gst_message_ref (harness_wait_final ("w7"));
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_start (GST_STATE_NULL);
  harness_forget ();
  fail_unless (census_sees (kept) && census_sees (h->sink));
  gst_message_unref (kept);
  fail_unless (!census_sees (kept) && census_sees (h->sink));
}

HARNESS_END_TEST;

static Suite *
leaks_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-leaks");
  TCase *tc = tcase_create ("leaks");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_hundred_cycles);
  tcase_add_test (tc, test_census_sees);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (leaks);
