/* A test that hangs on purpose, for test-watchdog.py
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"
#include "watchdog.h"

static G_NO_INLINE void
hang_on_purpose (void)
{
  GMutex mutex;
  GCond never;

  /* its time begins here, where every stack has this function in it */
  watchdog_stop ();
  g_setenv ("WHISPERLIVE_WATCHDOG", "0.1", TRUE);
  watchdog_start (harness_tell);
  g_mutex_init (&mutex);
  g_cond_init (&never);
  g_mutex_lock (&mutex);
  for (;;)
    g_cond_wait (&never, &mutex);
}

GST_START_TEST (test_that_hangs)
{
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  hang_on_purpose ();
}

HARNESS_END_TEST;

static Suite *
hang_suite (void)
{
  Suite *s = suite_create ("hang");
  TCase *tc = tcase_create ("hang");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_that_hangs);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (hang);
