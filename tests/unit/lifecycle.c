/* Tests of whisperlive-lifecycle: one transition each, and a random walk over all of them
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-lifecycle.h"

#define MS G_GINT64_CONSTANT (1000)
#define SECOND (1000 * MS)

#define NOTHING WHISPERLIVE_ACTION_NONE
#define OPEN WHISPERLIVE_ACTION_OPEN
#define HANDSHAKE WHISPERLIVE_ACTION_HANDSHAKE
#define STREAM WHISPERLIVE_ACTION_STREAM
#define FINISH WHISPERLIVE_ACTION_FINISH
#define CLOSE WHISPERLIVE_ACTION_CLOSE
#define ABORT WHISPERLIVE_ACTION_ABORT
#define REWIND WHISPERLIVE_ACTION_REWIND
#define SETTLE WHISPERLIVE_ACTION_SETTLE
#define LOSE WHISPERLIVE_ACTION_LOSE
#define REPORT_DRAINED WHISPERLIVE_ACTION_REPORT_DRAINED
#define FAIL WHISPERLIVE_ACTION_FAIL

#define N_STATES (WHISPERLIVE_STATE_FAILED + 1)
#define N_EVENTS (WHISPERLIVE_EVENT_DEADLINE + 1)

static WhisperLiveSettings *settings;
static WhisperLiveLifecycle l;
static gint64 now;

/* Round numbers, no jitter, and playing */
static void
setup (void)
{
  settings = whisperlive_settings_new ();
  settings->connect_timeout = 10000;
  settings->ready_timeout = 60000;
  settings->drain_timeout = 15000;
  settings->close_timeout = 2000;
  settings->retries = 3;
  settings->retry_delay = 500;
  settings->retry_delay_max = 30000;
  settings->retry_backoff_factor = 2.0;
  now = 1000 * SECOND;
  whisperlive_lifecycle_init (&l, settings, NULL);
}

static void
teardown (void)
{
  whisperlive_settings_free (settings);
}

static void
check (WhisperLiveEventType type, guint actions, WhisperLiveState state)
{
  WhisperLiveEvent event = {.type = type };
  guint done = whisperlive_lifecycle_step (&l, &event, now);

  fail_unless (done == actions, "event %d: actions 0x%x, expected 0x%x", type,
      done, actions);
  fail_unless (l.state == state, "event %d: %s, expected %s", type,
      whisperlive_state_to_string (l.state),
      whisperlive_state_to_string (state));
}

#define check_step(event, actions, state) \
    check (WHISPERLIVE_EVENT_ ## event, actions, WHISPERLIVE_STATE_ ## state)
#define check_deadline(after) \
    fail_unless_equals_int64 (l.deadline, now + (after))

/* The deadline is in @after, nothing happens a hair earlier, and then it is now. */
static void
wait_until_deadline (gint64 after)
{
  WhisperLiveEvent event = {.type = WHISPERLIVE_EVENT_DEADLINE };

  check_deadline (after);
  now = l.deadline - 1;
  fail_unless_equals_int (whisperlive_lifecycle_step (&l, &event, now), 0);
  now++;
}

/* Anything that the lifecycle knows of, from START on */
static void
go (WhisperLiveEventType type)
{
  WhisperLiveEvent event = {.type = type };

  whisperlive_lifecycle_step (&l, &event, now);
}

static void
start (void)
{
  go (WHISPERLIVE_EVENT_START);
  go (WHISPERLIVE_EVENT_PLAYING);
}

static void
reach (WhisperLiveState state)
{
  start ();
  switch (state) {
    case WHISPERLIVE_STATE_CONNECTING:
      break;
    case WHISPERLIVE_STATE_WAITING:
      go (WHISPERLIVE_EVENT_CLOSED);
      break;
    case WHISPERLIVE_STATE_FAILED:
      go (WHISPERLIVE_EVENT_REFUSED);
      break;
    case WHISPERLIVE_STATE_DISCONNECTED:
      go (WHISPERLIVE_EVENT_ENDED);
      go (WHISPERLIVE_EVENT_DRAINED);
      break;
    case WHISPERLIVE_STATE_CONNECTED:
      go (WHISPERLIVE_EVENT_UPGRADED);
      break;
    case WHISPERLIVE_STATE_READY:
      go (WHISPERLIVE_EVENT_UPGRADED);
      go (WHISPERLIVE_EVENT_SERVER_READY);
      break;
    case WHISPERLIVE_STATE_DRAINING:
      go (WHISPERLIVE_EVENT_UPGRADED);
      go (WHISPERLIVE_EVENT_SERVER_READY);
      go (WHISPERLIVE_EVENT_ENDED);
      go (WHISPERLIVE_EVENT_ALL_SENT);
      break;
    case WHISPERLIVE_STATE_CLOSING:
      go (WHISPERLIVE_EVENT_UPGRADED);
      go (WHISPERLIVE_EVENT_SERVER_READY);
      go (WHISPERLIVE_EVENT_ENDED);
      go (WHISPERLIVE_EVENT_DRAINED);
      break;
  }
  fail_unless_equals_int (l.state, state);
}

static void
check_full (gint64 delay)
{
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_SERVER_FULL,
    .delay = delay,
  };

  fail_unless_equals_int (whisperlive_lifecycle_step (&l, &event, now), 0);
  fail_unless_equals_int (l.state, WHISPERLIVE_STATE_CONNECTED);
}

/* --- connecting --- */

GST_START_TEST (test_nothing_before_start)
{
  guint type;

  for (type = 0; type < N_EVENTS; type++) {
    if (type != WHISPERLIVE_EVENT_START && type != WHISPERLIVE_EVENT_STOP)
      check (type, NOTHING, WHISPERLIVE_STATE_DISCONNECTED);
  }
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_a_session)
{
  check_step (START, OPEN, CONNECTING);
  check_step (PLAYING, NOTHING, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  fail_unless_equals_int64 (l.deadline, 0);
  check_step (AUDIO, NOTHING, READY);
  check_step (ENDED, NOTHING, READY);
  check_step (ALL_SENT, NOTHING, DRAINING);
  check_step (DRAINED, SETTLE | FINISH, CLOSING);
  check_step (CLOSED, ABORT | REPORT_DRAINED, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
  check_step (STOP, ABORT, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_start_twice)
{
  check_step (START, OPEN, CONNECTING);
  check_step (START, NOTHING, CONNECTING);
  check_deadline (10 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_connect_timeout)
{
  reach (WHISPERLIVE_STATE_CONNECTING);
  wait_until_deadline (10 * SECOND);
  check_step (DEADLINE, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_CONNECT_TIMEOUT);
  wait_until_deadline (500 * MS);
  check_step (DEADLINE, OPEN, CONNECTING);
  check_deadline (10 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_ready_timeout)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  wait_until_deadline (60 * SECOND);
  check_step (DEADLINE, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_READY_TIMEOUT);
}

GST_END_TEST;

GST_START_TEST (test_ready_timeout_begins_with_the_upgrade)
{
  reach (WHISPERLIVE_STATE_CONNECTING);
  now += 9 * SECOND;
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_deadline (60 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_lost_while_streaming)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_CLOSED);
  fail_unless_equals_int (l.failures, 1);
  fail_unless (l.worked);
}

GST_END_TEST;

GST_START_TEST (test_lost_while_draining)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  /* the end of the stream is still to come */
  now = l.deadline;
  check_step (DEADLINE, OPEN, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  check_step (ALL_SENT, NOTHING, DRAINING);
}

GST_END_TEST;

GST_START_TEST (test_out_of_turn)
{
  reach (WHISPERLIVE_STATE_CONNECTING);
  check_step (SERVER_READY, NOTHING, CONNECTING);
  check_step (SERVER_FULL, NOTHING, CONNECTING);
  check_step (REPLACE, NOTHING, CONNECTING);
  check_step (ALL_SENT, NOTHING, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (UPGRADED, NOTHING, CONNECTED);
  check_step (REPLACE, NOTHING, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  check_step (SERVER_READY, NOTHING, READY);
  check_step (SERVER_FULL, NOTHING, READY);
  /* without ENDED there is nothing to drain */
  check_step (ALL_SENT, NOTHING, READY);
  check_step (DRAINED, NOTHING, READY);
}

GST_END_TEST;

/* --- retries --- */

/* How often it connects before it fails */
static guint
count_attempts (void)
{
  guint attempts = 1;

  go (WHISPERLIVE_EVENT_START);
  for (;;) {
    go (WHISPERLIVE_EVENT_CLOSED);
    if (l.state == WHISPERLIVE_STATE_FAILED || attempts == 1000)
      return attempts;
    fail_unless_equals_int (l.state, WHISPERLIVE_STATE_WAITING);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
    attempts++;
  }
}

GST_START_TEST (test_retries_are_counted)
{
  static const gint retries[] = { 0, 1, 3, 10 };

  settings->retries = retries[__i__];
  whisperlive_lifecycle_init (&l, settings, NULL);
  fail_unless_equals_int (count_attempts (), retries[__i__] + 1);
  fail_unless_equals_int (l.failures, retries[__i__] + 1);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_CLOSED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_retries_for_ever)
{
  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  fail_unless_equals_int (count_attempts (), 1000);
}

GST_END_TEST;

GST_START_TEST (test_no_retries)
{
  settings->retries = 0;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  check_step (CLOSED, ABORT | FAIL, FAILED);
}

GST_END_TEST;

GST_START_TEST (test_time_outs_count_too)
{
  settings->retries = 1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  now = l.deadline;
  check_step (DEADLINE, ABORT | REWIND, WAITING);
  now = l.deadline;
  check_step (DEADLINE, OPEN, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  now = l.deadline;
  check_step (DEADLINE, ABORT | FAIL, FAILED);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_READY_TIMEOUT);
  fail_if (l.worked);
}

GST_END_TEST;

GST_START_TEST (test_ready_is_not_yet_a_working_session)
{
  guint i;

  start ();
  for (i = 0; i < 3; i++) {
    check_step (UPGRADED, HANDSHAKE, CONNECTED);
    check_step (SERVER_READY, STREAM, READY);
    check_step (PROGRESS, NOTHING, READY);
    check_step (CLOSED, ABORT | REWIND, WAITING);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
  }
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  check_step (CLOSED, ABORT | FAIL, FAILED);
}

GST_END_TEST;

/* 0: one that owed text, 1: one that nobody spoke in, 2: likewise, but it was short */
GST_START_TEST (test_idle_sessions_are_no_failures)
{
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_CLOSED,
    .idle = __i__ > 0,
  };
  guint i;

  settings->retries = 2;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_READY);
  for (i = 0; i < 20 && l.state == WHISPERLIVE_STATE_READY; i++) {
    now += __i__ == 2 ? 4 * SECOND : 5 * SECOND;
    whisperlive_lifecycle_step (&l, &event, now);
    if (l.state == WHISPERLIVE_STATE_WAITING) {
      now = l.deadline;
      go (WHISPERLIVE_EVENT_DEADLINE);
      go (WHISPERLIVE_EVENT_UPGRADED);
      go (WHISPERLIVE_EVENT_SERVER_READY);
    }
  }
  fail_unless_equals_int (i, __i__ == 1 ? 20 : 3);
}

GST_END_TEST;

GST_START_TEST (test_text_counts_anew)
{
  guint i;

  start ();
  for (i = 0; i < 50; i++) {
    check_step (CLOSED, ABORT | REWIND, WAITING);
    check_deadline (500 * MS);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
    check_step (CLOSED, ABORT | REWIND, WAITING);
    check_deadline (1000 * MS);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
    check_step (UPGRADED, HANDSHAKE, CONNECTED);
    check_step (SERVER_READY, STREAM, READY);
    fail_unless_equals_int (l.failures, 2);
    check_step (TEXT, NOTHING, READY);
    fail_unless_equals_int (l.failures, 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_answered_trial_counts_anew)
{
  start ();
  check_step (CLOSED, ABORT | REWIND, WAITING);
  now = l.deadline;
  check_step (DEADLINE, OPEN, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  fail_unless_equals_int (l.failures, 1);
  now += SECOND;
  check_step (ALIVE, NOTHING, READY);
  fail_unless_equals_int (l.failures, 0);
  /* nor is that time up */
  fail_unless_equals_int64 (l.progress, now);
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  static const WhisperLiveState states[] = {
    WHISPERLIVE_STATE_CONNECTING, WHISPERLIVE_STATE_CONNECTED,
    WHISPERLIVE_STATE_READY, WHISPERLIVE_STATE_DRAINING
  };

  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (states[__i__]);
  check_step (REFUSED, ABORT | FAIL, FAILED);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_REFUSED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_broken)
{
  guint state;

  check_step (BROKEN, NOTHING, DISCONNECTED);
  for (state = 0; state < WHISPERLIVE_STATE_FAILED; state++) {
    whisperlive_lifecycle_init (&l, settings, NULL);
    reach (state);
    check_step (BROKEN, ABORT | FAIL, FAILED);
    check_step (BROKEN, NOTHING, FAILED);
  }
}

GST_END_TEST;

GST_START_TEST (test_failed_is_final)
{
  guint type;

  reach (WHISPERLIVE_STATE_FAILED);
  for (type = 0; type < N_EVENTS; type++) {
    if (type != WHISPERLIVE_EVENT_STOP)
      check (type, NOTHING, WHISPERLIVE_STATE_FAILED);
  }
  fail_unless_equals_int64 (l.deadline, 0);
  check_step (STOP, ABORT, DISCONNECTED);
}

GST_END_TEST;

/* --- back-off --- */

/* The next back-off, from CONNECTING to CONNECTING */
static gint64
take_delay (void)
{
  gint64 delay;

  go (WHISPERLIVE_EVENT_CLOSED);
  fail_unless_equals_int (l.state, WHISPERLIVE_STATE_WAITING);
  delay = l.deadline - now;
  fail_unless_equals_int64 (delay, l.delay);
  now = l.deadline;
  check_step (DEADLINE, OPEN, CONNECTING);
  return delay;
}

GST_START_TEST (test_back_off_grows)
{
  static const guint expected[] = {
    500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000
  };
  guint i;

  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  for (i = 0; i < G_N_ELEMENTS (expected); i++)
    fail_unless_equals_int64 (take_delay (), expected[i] * MS);
}

GST_END_TEST;

GST_START_TEST (test_back_off_by_other_factors)
{
  settings->retry_backoff_factor = 1.5;
  settings->retry_delay = 1000;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  fail_unless_equals_int64 (take_delay (), 1000 * MS);
  fail_unless_equals_int64 (take_delay (), 1500 * MS);
  fail_unless_equals_int64 (take_delay (), 2250 * MS);
}

GST_END_TEST;

GST_START_TEST (test_back_off_that_does_not_grow)
{
  guint i;

  settings->retry_backoff_factor = 1.0;
  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  for (i = 0; i < 10; i++)
    fail_unless_equals_int64 (take_delay (), 500 * MS);
}

GST_END_TEST;

GST_START_TEST (test_back_off_never_overflows)
{
  guint i;

  settings->retry_backoff_factor = 10.0;
  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  for (i = 0; i < 5000; i++)
    take_delay ();
  fail_unless_equals_int64 (take_delay (), 30 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_jitter)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  gint64 least = G_MAXINT64, most = 0;
  guint i;

  settings->retry_backoff_factor = 1.0;
  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, rand);
  reach (WHISPERLIVE_STATE_CONNECTING);
  for (i = 0; i < 1000; i++) {
    gint64 delay = take_delay ();

    least = MIN (least, delay);
    most = MAX (most, delay);
  }
  fail_unless (least >= 400 * MS && least < 405 * MS, "%" G_GINT64_FORMAT,
      least);
  fail_unless (most <= 600 * MS && most > 595 * MS, "%" G_GINT64_FORMAT, most);
}

GST_END_TEST;

/* 0 times infinity is no number. */
GST_START_TEST (test_no_back_off)
{
  settings->retries = -1;
  settings->retry_delay = 0;
  settings->retry_backoff_factor = 1000;
  whisperlive_lifecycle_init (&l, settings, NULL);
  l.failures = 500;
  reach (WHISPERLIVE_STATE_CONNECTING);
  fail_unless_equals_int64 (take_delay (), 0);
}

GST_END_TEST;

/* --- a full server --- */

/* That long from CLOSED to the next attempt */
static void
check_full_delay (gint64 told, gint64 expected)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_full (told);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_FULL);
  wait_until_deadline (expected);
  check_step (DEADLINE, OPEN, CONNECTING);
}

GST_START_TEST (test_full)
{
  check_full_delay (7 * SECOND, 7 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_full_is_waited_for_no_longer_than_retry_delay_max)
{
  check_full_delay (20 * 60 * SECOND, 30 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_full_is_waited_for_no_shorter_than_retry_delay)
{
  check_full_delay (0, 500 * MS);
}

GST_END_TEST;

GST_START_TEST (test_full_in_the_past)
{
  check_full_delay (-60 * SECOND, 500 * MS);
}

GST_END_TEST;

/* Its guess may be wrong: it is asked less and less often. */
GST_START_TEST (test_full_again_and_again)
{
  static const guint guesses[] = { 0, 0, 0, 3000, 0 };
  static const guint expected[] = { 500, 1000, 2000, 4000, 8000 };
  guint i;

  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  start ();
  for (i = 0; i < G_N_ELEMENTS (expected); i++) {
    check_step (UPGRADED, HANDSHAKE, CONNECTED);
    check_full (guesses[i] * MS);
    check_step (CLOSED, ABORT | REWIND, WAITING);
    wait_until_deadline (expected[i] * MS);
    check_step (DEADLINE, OPEN, CONNECTING);
  }
}

GST_END_TEST;

GST_START_TEST (test_full_does_not_close)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_full (7 * SECOND);
  /* not until the ready-timeout */
  wait_until_deadline (2 * SECOND);
  check_step (DEADLINE, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_FULL);
  check_deadline (7 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_full_is_not_ready)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_full (7 * SECOND);
  check_step (SERVER_READY, NOTHING, CONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_full_for_good)
{
  guint i;

  start ();
  for (i = 0; i < 4; i++) {
    check_step (UPGRADED, HANDSHAKE, CONNECTED);
    check_full (0);
    if (i == 3)
      break;
    check_step (CLOSED, ABORT | REWIND, WAITING);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
  }
  check_step (CLOSED, ABORT | FAIL, FAILED);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_FULL);
}

GST_END_TEST;

GST_START_TEST (test_full_is_forgotten)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_full (7 * SECOND);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  now = l.deadline;
  check_step (DEADLINE, OPEN, CONNECTING);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.cause, WHISPERLIVE_CAUSE_CLOSED);
  check_deadline (1000 * MS);
}

GST_END_TEST;

/* --- a server that says goodbye --- */

GST_START_TEST (test_bye)
{
  reach (WHISPERLIVE_STATE_READY);
  now += 5 * SECOND;
  check_step (SERVER_BYE, NOTHING, READY);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  check_deadline (0);
  check_step (DEADLINE, OPEN, CONNECTING);
}

GST_END_TEST;

/* It has not served us at all: a failure like another, or both would go on like that for ever. */
GST_START_TEST (test_bye_at_once)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (SERVER_BYE, NOTHING, READY);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  fail_unless_equals_int (l.failures, 1);
  check_deadline (500 * MS);
}

GST_END_TEST;

GST_START_TEST (test_bye_leaves_all_retries)
{
  guint i;

  reach (WHISPERLIVE_STATE_READY);
  now += 5 * SECOND;
  check_step (SERVER_BYE, NOTHING, READY);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  check_step (DEADLINE, OPEN, CONNECTING);
  for (i = 0; i < 3; i++) {
    check_step (CLOSED, ABORT | REWIND, WAITING);
    now = l.deadline;
    check_step (DEADLINE, OPEN, CONNECTING);
  }
  check_step (CLOSED, ABORT | FAIL, FAILED);
}

GST_END_TEST;

GST_START_TEST (test_bye_again_and_again)
{
  guint i;

  start ();
  for (i = 0; i < 50; i++) {
    check_step (UPGRADED, HANDSHAKE, CONNECTED);
    check_step (SERVER_READY, STREAM, READY);
    check_step (TEXT, NOTHING, READY);
    check_step (SERVER_BYE, NOTHING, READY);
    check_step (CLOSED, ABORT | REWIND, WAITING);
    fail_unless_equals_int64 (l.delay, 0);
    check_step (DEADLINE, OPEN, CONNECTING);
  }
}

GST_END_TEST;

GST_START_TEST (test_bye_is_forgotten)
{
  reach (WHISPERLIVE_STATE_READY);
  now += 5 * SECOND;
  check_step (SERVER_BYE, NOTHING, READY);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  check_step (DEADLINE, OPEN, CONNECTING);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  fail_unless (l.delay > 0);
}

GST_END_TEST;

GST_START_TEST (test_bye_before_ready)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_step (SERVER_BYE, NOTHING, CONNECTED);
  check_step (CLOSED, ABORT | REWIND, WAITING);
  check_deadline (500 * MS);
}

GST_END_TEST;

/* --- stop --- */

GST_START_TEST (test_stop_without_a_session)
{
  static const WhisperLiveState states[] = {
    WHISPERLIVE_STATE_DISCONNECTED, WHISPERLIVE_STATE_CONNECTING,
    WHISPERLIVE_STATE_WAITING, WHISPERLIVE_STATE_FAILED
  };

  reach (states[__i__]);
  check_step (STOP, ABORT, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
  check_step (AUDIO, NOTHING, DISCONNECTED);
  check_step (ENDED, NOTHING, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_stop_a_session)
{
  static const WhisperLiveState states[] = {
    WHISPERLIVE_STATE_CONNECTED, WHISPERLIVE_STATE_READY,
    WHISPERLIVE_STATE_DRAINING
  };

  reach (states[__i__]);
  check_step (STOP, CLOSE, CLOSING);
  check_deadline (2 * SECOND);
  check_step (CLOSED, ABORT, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_stop_times_out)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (STOP, CLOSE, CLOSING);
  wait_until_deadline (2 * SECOND);
  check_step (DEADLINE, ABORT, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_stop_while_finishing)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  check_step (STOP, NOTHING, CLOSING);
  /* nobody waits for the last words any more, nor longer than close-timeout in all */
  wait_until_deadline (1 * SECOND);
  check_step (DEADLINE, CLOSE, CLOSING);
  wait_until_deadline (1 * SECOND);
  check_step (DEADLINE, ABORT, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_stop_while_replacing)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (REPLACE, CLOSE, CLOSING);
  check_step (STOP, NOTHING, CLOSING);
  check_step (CLOSED, ABORT, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_stop_twice)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (STOP, CLOSE, CLOSING);
  now += SECOND;
  check_step (STOP, NOTHING, CLOSING);
  check_deadline (1 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_start_again)
{
  reach (WHISPERLIVE_STATE_FAILED);
  check_step (STOP, ABORT, DISCONNECTED);
  check_step (START, OPEN, CONNECTING);
  check_deadline (10 * SECOND);
}

GST_END_TEST;

/* --- the end of the stream --- */

GST_START_TEST (test_ended_while_connecting)
{
  reach (WHISPERLIVE_STATE_CONNECTING);
  check_step (ENDED, NOTHING, CONNECTING);
  /* the shorter one of the two */
  wait_until_deadline (10 * SECOND);
  check_step (DEADLINE, ABORT | REWIND, WAITING);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_loading)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_step (ENDED, NOTHING, CONNECTED);
  wait_until_deadline (15 * SECOND);
  check_step (DEADLINE, LOSE | ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_streaming)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (ENDED, NOTHING, READY);
  wait_until_deadline (15 * SECOND);
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
  check_step (CLOSED, ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_draining)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  wait_until_deadline (15 * SECOND);
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
  check_step (CLOSED, ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_backing_off)
{
  settings->retry_delay = 20000;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_WAITING);
  check_step (ENDED, NOTHING, WAITING);
  wait_until_deadline (15 * SECOND);
  check_step (DEADLINE, LOSE | REPORT_DRAINED, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_reconnecting)
{
  gint64 end;

  /* for ever, but not for an end of stream */
  settings->retries = -1;
  settings->retry_delay_max = 2000;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_CONNECTING);
  check_step (ENDED, NOTHING, CONNECTING);
  end = now + 15 * SECOND;
  while (l.state != WHISPERLIVE_STATE_DISCONNECTED) {
    if (l.state == WHISPERLIVE_STATE_CONNECTING)
      go (WHISPERLIVE_EVENT_CLOSED);
    now = l.deadline;
    fail_unless (now <= end);
    go (WHISPERLIVE_EVENT_DEADLINE);
  }
  fail_unless_equals_int64 (now, end);
}

GST_END_TEST;

GST_START_TEST (test_ended_when_disconnected)
{
  reach (WHISPERLIVE_STATE_DISCONNECTED);
  check_step (ENDED, NOTHING, DISCONNECTED);
  check_deadline (15 * SECOND);
  check_step (DRAINED, SETTLE | REPORT_DRAINED, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_ended_after_failure)
{
  reach (WHISPERLIVE_STATE_FAILED);
  check_step (ENDED, NOTHING, FAILED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_nothing_to_drain)
{
  static const struct
  {
    WhisperLiveState state;
    guint actions;
    WhisperLiveState then;
  } cases[] = {
    {WHISPERLIVE_STATE_CONNECTING, SETTLE | ABORT | REPORT_DRAINED,
        WHISPERLIVE_STATE_DISCONNECTED},
    {WHISPERLIVE_STATE_CONNECTED, SETTLE | ABORT | REPORT_DRAINED,
        WHISPERLIVE_STATE_DISCONNECTED},
    {WHISPERLIVE_STATE_WAITING, SETTLE | REPORT_DRAINED,
        WHISPERLIVE_STATE_DISCONNECTED},
    {WHISPERLIVE_STATE_READY, SETTLE | FINISH, WHISPERLIVE_STATE_CLOSING},
  };

  reach (cases[__i__].state);
  check (WHISPERLIVE_EVENT_ENDED, NOTHING, cases[__i__].state);
  check (WHISPERLIVE_EVENT_DRAINED, cases[__i__].actions, cases[__i__].then);
}

GST_END_TEST;

GST_START_TEST (test_progress_gives_more_time)
{
  static const WhisperLiveEventType types[] = {
    WHISPERLIVE_EVENT_PROGRESS, WHISPERLIVE_EVENT_TEXT
  };

  reach (WHISPERLIVE_STATE_DRAINING);
  now += 14 * SECOND;
  check (types[__i__], NOTHING, WHISPERLIVE_STATE_DRAINING);
  wait_until_deadline (15 * SECOND);
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
}

GST_END_TEST;

GST_START_TEST (test_what_is_held_back_gives_more_time)
{
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_HELD,
    .delay = 20 * SECOND,
  };

  reach (WHISPERLIVE_STATE_DRAINING);
  whisperlive_lifecycle_step (&l, &event, now);
  wait_until_deadline (35 * SECOND);
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
}

GST_END_TEST;

GST_START_TEST (test_ready_gives_more_time)
{
  reach (WHISPERLIVE_STATE_CONNECTED);
  check_step (ENDED, NOTHING, CONNECTED);
  now += 14 * SECOND;
  check_step (SERVER_READY, STREAM, READY);
  check_deadline (15 * SECOND);
}

GST_END_TEST;

static void
come_back (void)
{
  go (WHISPERLIVE_EVENT_CLOSED);
  now = l.state_deadline;
  go (WHISPERLIVE_EVENT_DEADLINE);
  go (WHISPERLIVE_EVENT_UPGRADED);
  go (WHISPERLIVE_EVENT_SERVER_READY);
  fail_unless_equals_int (l.state, WHISPERLIVE_STATE_READY);
}

/* Sessions that come and go without a word would give it time for ever. */
GST_START_TEST (test_ready_again_gives_no_more_time)
{
  WhisperLiveEvent held = {
    .type = WHISPERLIVE_EVENT_HELD,
    .delay = 20 * SECOND,
  };
  guint i;

  settings->retries = -1;
  whisperlive_lifecycle_init (&l, settings, NULL);
  reach (WHISPERLIVE_STATE_DRAINING);
  for (i = 0; i < 2; i++) {
    go (WHISPERLIVE_EVENT_PROGRESS);
    now += SECOND;
    come_back ();
    check_deadline (15 * SECOND);
    whisperlive_lifecycle_step (&l, &held, now);
    check_deadline (35 * SECOND);
    now += 20 * SECOND;
    come_back ();
    whisperlive_lifecycle_step (&l, &held, now);
    fail_unless (l.deadline < now + 15 * SECOND);
  }
  now = l.deadline;
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
}

GST_END_TEST;

GST_START_TEST (test_resumed)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  check_step (RESUMED, NOTHING, READY);
  fail_unless_equals_int64 (l.deadline, 0);
  /* and no last words are awaited */
  check_step (DRAINED, NOTHING, READY);
  check_step (ALL_SENT, NOTHING, READY);
  check_step (ENDED, NOTHING, READY);
  check_step (ALL_SENT, NOTHING, DRAINING);
}

GST_END_TEST;

GST_START_TEST (test_resumed_while_backing_off)
{
  reach (WHISPERLIVE_STATE_WAITING);
  check_step (ENDED, NOTHING, WAITING);
  check_step (RESUMED, NOTHING, WAITING);
  check_deadline (500 * MS);
}

GST_END_TEST;

GST_START_TEST (test_resumed_while_finishing)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  check_step (RESUMED, NOTHING, CLOSING);
  check_step (CLOSED, ABORT, DISCONNECTED);
  check_step (AUDIO, OPEN, CONNECTING);
}

GST_END_TEST;

/* A seek: preroll waits for a connection, and no audio comes before that. */
GST_START_TEST (test_wanted_while_finishing)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  check_step (RESUMED, NOTHING, CLOSING);
  check_step (AUDIO, NOTHING, CLOSING);
  check_step (CLOSED, ABORT | OPEN, CONNECTING);
  /* once */
  check_step (STOP, ABORT, DISCONNECTED);
  reach (WHISPERLIVE_STATE_CLOSING);
  check_step (AUDIO, NOTHING, CLOSING);
  check_step (STOP, NOTHING, CLOSING);
  check_step (CLOSED, ABORT, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_ended_again_while_finishing)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  /* a seek, and a short stream that ends at once */
  check_step (RESUMED, NOTHING, CLOSING);
  check_step (ENDED, NOTHING, CLOSING);
  /* nothing of that is drained */
  check_step (CLOSED, ABORT, DISCONNECTED);
  check_step (AUDIO, OPEN, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  check_step (DRAINED, SETTLE | FINISH, CLOSING);
  check_step (CLOSED, ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_audio_after_the_end)
{
  reach (WHISPERLIVE_STATE_DISCONNECTED);
  check_step (AUDIO, OPEN, CONNECTING);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_step (SERVER_READY, STREAM, READY);
  /* a second end of stream is an end of its own */
  check_step (ENDED, NOTHING, READY);
  check_step (DRAINED, SETTLE | FINISH, CLOSING);
  check_step (CLOSED, ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_paused_has_time)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  check_deadline (15 * SECOND);
  check_step (PAUSED, NOTHING, DRAINING);
  fail_unless_equals_int64 (l.deadline, 0);
  now += 3600 * SECOND;
  check_step (DEADLINE, NOTHING, DRAINING);
  check_step (PLAYING, NOTHING, DRAINING);
  check_deadline (15 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_paused_before_playing)
{
  check_step (START, OPEN, CONNECTING);
  check_step (ENDED, NOTHING, CONNECTING);
  check_deadline (10 * SECOND);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  check_deadline (60 * SECOND);
  check_step (SERVER_READY, STREAM, READY);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_paused_is_no_reason_to_wait_for_a_connection)
{
  reach (WHISPERLIVE_STATE_CONNECTING);
  check_step (ENDED, NOTHING, CONNECTING);
  check_step (PAUSED, NOTHING, CONNECTING);
  wait_until_deadline (10 * SECOND);
  check_step (DEADLINE, ABORT | REWIND, WAITING);
}

GST_END_TEST;

/* --- closing --- */

GST_START_TEST (test_halves_of_close_timeout)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  check_step (DRAINED, SETTLE | FINISH, CLOSING);
  wait_until_deadline (1 * SECOND);
  check_step (DEADLINE, CLOSE, CLOSING);
  wait_until_deadline (1 * SECOND);
  check_step (DEADLINE, ABORT | REPORT_DRAINED, DISCONNECTED);
  fail_unless_equals_int64 (l.deadline, 0);
}

GST_END_TEST;

GST_START_TEST (test_finishing_is_not_interrupted)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  check_step (DRAINED, NOTHING, CLOSING);
  check_step (REPLACE, NOTHING, CLOSING);
  check_step (SERVER_BYE, NOTHING, CLOSING);
  check_step (SERVER_READY, NOTHING, CLOSING);
  check_step (ALL_SENT, NOTHING, CLOSING);
  check_step (AUDIO, NOTHING, CLOSING);
  check_step (PROGRESS, NOTHING, CLOSING);
  check_step (TEXT, NOTHING, CLOSING);
  check_deadline (1 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_lost_while_finishing)
{
  reach (WHISPERLIVE_STATE_CLOSING);
  /* not an error any more, whatever it is */
  check_step (REFUSED, ABORT | REPORT_DRAINED, DISCONNECTED);
}

GST_END_TEST;

GST_START_TEST (test_replace)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (REPLACE, CLOSE, CLOSING);
  check_deadline (2 * SECOND);
  check_step (CLOSED, ABORT | REWIND | OPEN, CONNECTING);
  check_deadline (10 * SECOND);
  fail_unless_equals_int (l.failures, 0);
}

GST_END_TEST;

GST_START_TEST (test_replace_times_out)
{
  reach (WHISPERLIVE_STATE_READY);
  check_step (REPLACE, CLOSE, CLOSING);
  wait_until_deadline (2 * SECOND);
  check_step (DEADLINE, ABORT | REWIND | OPEN, CONNECTING);
}

GST_END_TEST;

GST_START_TEST (test_replace_while_draining)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  now += 5 * SECOND;
  check_step (REPLACE, CLOSE, CLOSING);
  check_step (CLOSED, ABORT | REWIND | OPEN, CONNECTING);
  check_deadline (10 * SECOND);
  check_step (UPGRADED, HANDSHAKE, CONNECTED);
  /* that gives no more time for the drain */
  check_deadline (10 * SECOND);
  check_step (SERVER_READY, STREAM, READY);
  wait_until_deadline (10 * SECOND);
  check_step (DEADLINE, LOSE | FINISH, CLOSING);
}

GST_END_TEST;

GST_START_TEST (test_resumed_while_replacing)
{
  reach (WHISPERLIVE_STATE_DRAINING);
  check_step (REPLACE, CLOSE, CLOSING);
  check_step (RESUMED, NOTHING, CLOSING);
  check_step (CLOSED, ABORT | REWIND | OPEN, CONNECTING);
}

GST_END_TEST;

/* --- anything at all --- */

typedef struct
{
  gboolean connected, streaming, started, failed;
  gboolean outcome;             /* of the present end of stream: settled or lost */
} Walk;

/* Is it possible, with what is known outside of the lifecycle? */
static gboolean
is_possible (const Walk * walk, WhisperLiveEventType type)
{
  switch (type) {
    case WHISPERLIVE_EVENT_START:
      return !walk->started && l.state == WHISPERLIVE_STATE_DISCONNECTED;
    case WHISPERLIVE_EVENT_ENDED:
      return !l.ended;
    case WHISPERLIVE_EVENT_UPGRADED:
    case WHISPERLIVE_EVENT_SERVER_READY:
    case WHISPERLIVE_EVENT_SERVER_FULL:
    case WHISPERLIVE_EVENT_SERVER_BYE:
    case WHISPERLIVE_EVENT_TEXT:
    case WHISPERLIVE_EVENT_ALIVE:
    case WHISPERLIVE_EVENT_CLOSED:
    case WHISPERLIVE_EVENT_REFUSED:
      return walk->connected;
    default:
      return TRUE;
  }
}

static void
check_actions (Walk * walk, guint actions, gboolean was_ended)
{
  if (actions & ABORT)
    walk->connected = walk->streaming = FALSE;
  if (actions & (HANDSHAKE | STREAM | FINISH | CLOSE))
    fail_unless (walk->connected, "there is no connection for 0x%x", actions);
  if (actions & OPEN) {
    fail_if (walk->connected, "opened with a connection there");
    fail_unless (walk->started && !walk->failed);
    walk->connected = TRUE;
  }
  if (actions & STREAM)
    walk->streaming = TRUE;
  if (actions & FINISH)
    fail_unless (walk->streaming);
  if (actions & REWIND)
    fail_if (walk->streaming);
  if (actions & FAIL) {
    fail_if (walk->failed, "failed twice");
    fail_unless (walk->started);
    walk->failed = TRUE;
  }
  if (actions & (SETTLE | LOSE)) {
    fail_unless ((actions & (SETTLE | LOSE)) != (SETTLE | LOSE));
    fail_unless (was_ended && !walk->outcome);
    walk->outcome = TRUE;
  }
  if (actions & REPORT_DRAINED) {
    fail_unless (was_ended && walk->outcome, "reported without an outcome");
    walk->outcome = FALSE;
  }
}

static void
check_state (const Walk * walk)
{
  switch (l.state) {
    case WHISPERLIVE_STATE_CONNECTING:
    case WHISPERLIVE_STATE_CONNECTED:
    case WHISPERLIVE_STATE_CLOSING:
      fail_unless (walk->connected);
      fail_unless (l.deadline > 0, "waits for ever");
      break;
    case WHISPERLIVE_STATE_READY:
    case WHISPERLIVE_STATE_DRAINING:
      fail_unless (walk->connected && walk->streaming);
      break;
    case WHISPERLIVE_STATE_WAITING:
      fail_if (walk->connected);
      fail_unless (l.deadline > 0, "waits for ever");
      break;
    default:
      fail_if (walk->connected);
      break;
  }
  if (l.ended && !l.paused)
    fail_unless (l.deadline > 0, "an end of stream waits for ever");
  if (l.deadline)
    fail_unless (l.deadline <= now + 60 * SECOND, "that is long");
  fail_unless (l.running == walk->started);
  fail_unless (walk->failed == (l.state == WHISPERLIVE_STATE_FAILED));
}

static void
take_step (Walk * walk, const WhisperLiveEvent * event)
{
  gboolean was_ended = l.ended;
  guint actions;

  if (event->type == WHISPERLIVE_EVENT_START)
    walk->started = TRUE;
  if (event->type == WHISPERLIVE_EVENT_STOP)
    walk->started = walk->failed = FALSE;
  if (event->type == WHISPERLIVE_EVENT_ENDED
      || event->type == WHISPERLIVE_EVENT_RESUMED
      || event->type == WHISPERLIVE_EVENT_STOP)
    walk->outcome = FALSE;
  actions = whisperlive_lifecycle_step (&l, event, now);
  GST_LOG ("event %d: actions 0x%x, %s", event->type, actions,
      whisperlive_state_to_string (l.state));
  check_actions (walk, actions, was_ended);
  check_state (walk);
}

/* After DEADLINE at the deadline something else is awaited: the timer does not run hot. */
static void
check_deadline_passes (Walk * walk)
{
  WhisperLiveEvent event = {.type = WHISPERLIVE_EVENT_DEADLINE };
  guint i;

  for (i = 0; l.deadline && l.deadline <= now; i++) {
    fail_unless (i < 4, "in %s the deadline stays",
        whisperlive_state_to_string (l.state));
    take_step (walk, &event);
  }
}

#define WALKS 50
#define STEPS 400

GST_START_TEST (test_random_walk)
{
  guint seed, i;

  for (seed = __i__ * WALKS; seed < (guint) (__i__ + 1) * WALKS; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    Walk walk = { 0 };

    GST_INFO ("seed %u", seed);
    settings->retries = g_rand_int_range (rand, -1, 4);
    whisperlive_lifecycle_init (&l, settings, rand);
    for (i = 0; i < STEPS; i++) {
      WhisperLiveEvent event = {
        .type = g_rand_int_range (rand, 0, N_EVENTS),
        .delay = g_rand_int_range (rand, -100, 100) * SECOND,
      };

      gboolean rare = event.type == WHISPERLIVE_EVENT_REFUSED
          || event.type == WHISPERLIVE_EVENT_BROKEN
          || (event.type == WHISPERLIVE_EVENT_STOP && !walk.failed);

      if (!is_possible (&walk, event.type)
          || (rare && g_rand_int_range (rand, 0, 8)))
        continue;
      /* by a server's buffer */
      if (event.type == WHISPERLIVE_EVENT_HELD)
        event.delay = ABS (event.delay) / 4;
      if (event.type == WHISPERLIVE_EVENT_DEADLINE && l.deadline)
        now = MAX (now, l.deadline);
      else
        now += g_rand_int_range (rand, 0, SECOND / 5);
      take_step (&walk, &event);
      check_deadline_passes (&walk);
    }
  }
}

GST_END_TEST;

/* Wherever it is: STOP ends it within close-timeout, whatever the server does. */
GST_START_TEST (test_stop_after_a_random_walk)
{
  guint seed, i;

  for (seed = 0; seed < 200; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    Walk walk = { 0 };
    WhisperLiveEvent event = {.type = WHISPERLIVE_EVENT_START };
    gint64 end;

    GST_INFO ("seed %u", seed);
    whisperlive_lifecycle_init (&l, settings, rand);
    take_step (&walk, &event);
    for (i = 0; i < 30; i++) {
      event.type = g_rand_int_range (rand, 0, N_EVENTS);
      if (!is_possible (&walk, event.type)
          || event.type == WHISPERLIVE_EVENT_STOP)
        continue;
      take_step (&walk, &event);
    }
    event.type = WHISPERLIVE_EVENT_STOP;
    take_step (&walk, &event);
    end = now + 2 * SECOND;
    while (l.state != WHISPERLIVE_STATE_DISCONNECTED) {
      fail_unless_equals_int (l.state, WHISPERLIVE_STATE_CLOSING);
      fail_unless (l.deadline <= end);
      now = l.deadline;
      event.type = WHISPERLIVE_EVENT_DEADLINE;
      take_step (&walk, &event);
    }
    fail_unless_equals_int64 (l.deadline, 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_names)
{
  static const gchar *const names[N_STATES] = { "disconnected", "connecting",
    "connected", "ready", "draining", "closing", "waiting", "failed"
  };
  guint i;

  for (i = 0; i < N_STATES; i++)
    fail_unless_equals_string (whisperlive_state_to_string (i), names[i]);
}

GST_END_TEST;

static TCase *
add_case (Suite * suite, const gchar * name)
{
  TCase *tc = tcase_create (name);

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  return tc;
}

static Suite *
lifecycle_suite (void)
{
  Suite *suite = suite_create ("lifecycle");
  TCase *tc = add_case (suite, "connecting");

  tcase_add_test (tc, test_nothing_before_start);
  tcase_add_test (tc, test_a_session);
  tcase_add_test (tc, test_start_twice);
  tcase_add_test (tc, test_connect_timeout);
  tcase_add_test (tc, test_ready_timeout);
  tcase_add_test (tc, test_ready_timeout_begins_with_the_upgrade);
  tcase_add_test (tc, test_lost_while_streaming);
  tcase_add_test (tc, test_lost_while_draining);
  tcase_add_test (tc, test_out_of_turn);
  tcase_add_test (tc, test_names);

  tc = add_case (suite, "retries");
  tcase_add_loop_test (tc, test_retries_are_counted, 0, 4);
  tcase_add_test (tc, test_retries_for_ever);
  tcase_add_test (tc, test_no_retries);
  tcase_add_test (tc, test_time_outs_count_too);
  tcase_add_test (tc, test_ready_is_not_yet_a_working_session);
  tcase_add_loop_test (tc, test_idle_sessions_are_no_failures, 0, 3);
  tcase_add_test (tc, test_text_counts_anew);
  tcase_add_test (tc, test_answered_trial_counts_anew);
  tcase_add_loop_test (tc, test_refused, 0, 4);
  tcase_add_test (tc, test_broken);
  tcase_add_test (tc, test_failed_is_final);

  tc = add_case (suite, "back-off");
  tcase_add_test (tc, test_back_off_grows);
  tcase_add_test (tc, test_no_back_off);
  tcase_add_test (tc, test_back_off_by_other_factors);
  tcase_add_test (tc, test_back_off_that_does_not_grow);
  tcase_add_test (tc, test_back_off_never_overflows);
  tcase_add_test (tc, test_jitter);

  tc = add_case (suite, "full");
  tcase_add_test (tc, test_full);
  tcase_add_test (tc, test_full_is_waited_for_no_longer_than_retry_delay_max);
  tcase_add_test (tc, test_full_is_waited_for_no_shorter_than_retry_delay);
  tcase_add_test (tc, test_full_in_the_past);
  tcase_add_test (tc, test_full_again_and_again);
  tcase_add_test (tc, test_full_does_not_close);
  tcase_add_test (tc, test_full_is_not_ready);
  tcase_add_test (tc, test_full_for_good);
  tcase_add_test (tc, test_full_is_forgotten);

  tc = add_case (suite, "bye");
  tcase_add_test (tc, test_bye);
  tcase_add_test (tc, test_bye_at_once);
  tcase_add_test (tc, test_bye_leaves_all_retries);
  tcase_add_test (tc, test_bye_again_and_again);
  tcase_add_test (tc, test_bye_is_forgotten);
  tcase_add_test (tc, test_bye_before_ready);

  tc = add_case (suite, "stop");
  tcase_add_loop_test (tc, test_stop_without_a_session, 0, 4);
  tcase_add_loop_test (tc, test_stop_a_session, 0, 3);
  tcase_add_test (tc, test_stop_times_out);
  tcase_add_test (tc, test_stop_while_finishing);
  tcase_add_test (tc, test_stop_while_replacing);
  tcase_add_test (tc, test_stop_twice);
  tcase_add_test (tc, test_start_again);

  tc = add_case (suite, "end");
  tcase_add_test (tc, test_ended_while_connecting);
  tcase_add_test (tc, test_ended_while_loading);
  tcase_add_test (tc, test_ended_while_streaming);
  tcase_add_test (tc, test_ended_while_draining);
  tcase_add_test (tc, test_ended_while_backing_off);
  tcase_add_test (tc, test_ended_while_reconnecting);
  tcase_add_test (tc, test_ended_when_disconnected);
  tcase_add_test (tc, test_ended_after_failure);
  tcase_add_loop_test (tc, test_nothing_to_drain, 0, 4);
  tcase_add_loop_test (tc, test_progress_gives_more_time, 0, 2);
  tcase_add_test (tc, test_what_is_held_back_gives_more_time);
  tcase_add_test (tc, test_ready_gives_more_time);
  tcase_add_test (tc, test_ready_again_gives_no_more_time);
  tcase_add_test (tc, test_resumed);
  tcase_add_test (tc, test_resumed_while_backing_off);
  tcase_add_test (tc, test_resumed_while_finishing);
  tcase_add_test (tc, test_wanted_while_finishing);
  tcase_add_test (tc, test_audio_after_the_end);
  tcase_add_test (tc, test_ended_again_while_finishing);
  tcase_add_test (tc, test_paused_has_time);
  tcase_add_test (tc, test_paused_before_playing);
  tcase_add_test (tc, test_paused_is_no_reason_to_wait_for_a_connection);

  tc = add_case (suite, "closing");
  tcase_add_test (tc, test_halves_of_close_timeout);
  tcase_add_test (tc, test_finishing_is_not_interrupted);
  tcase_add_test (tc, test_lost_while_finishing);
  tcase_add_test (tc, test_replace);
  tcase_add_test (tc, test_replace_times_out);
  tcase_add_test (tc, test_replace_while_draining);
  tcase_add_test (tc, test_resumed_while_replacing);

  tc = add_case (suite, "random");
  tcase_add_loop_test (tc, test_random_walk, 0, 10);
  tcase_add_test (tc, test_stop_after_a_random_walk);
  return suite;
}

GST_CHECK_MAIN (lifecycle);
