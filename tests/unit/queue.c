/* Tests of whisperlive-queue, in one thread, with one that waits, and with two that hurry
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-protocol.h"
#include "whisperlive-queue.h"

#define N 1600
#define DURATION (100 * GST_MSECOND)
#define LOUD 0.1f
#define NOTHING_HEARD 0.0f

static WhisperLiveQueue *queue;
static guint64 pushed;          /* samples */
static gint64 now;

/* Holds 1 s. */
static void
setup (void)
{
  queue = whisperlive_queue_new ();
  whisperlive_queue_start (queue, GST_SECOND);
  pushed = 0;
  now = 1000000;
}

static void
teardown (void)
{
  whisperlive_queue_free (queue);
}

/* int16; each sample says which one it is */
static WhisperLiveChunk *
make_chunk (guint64 position, guint samples, gfloat level)
{
  guint16 *data = g_new (guint16, samples);
  WhisperLiveMark mark = {
    .running_time = 10 * GST_SECOND + WHISPERLIVE_SAMPLES_TO_TIME (position),
    .stream_time = WHISPERLIVE_SAMPLES_TO_TIME (position),
    .rate = 1.0,
    .applied_rate = 1.0,
  };
  guint i;

  for (i = 0; i < samples; i++)
    data[i] = position + i;
  return whisperlive_chunk_new (g_bytes_new_take (data, samples * 2), samples,
      level, &mark);
}

static void
push_level (gfloat level, WhisperLiveFull full)
{
  fail_unless_equals_int (whisperlive_queue_push (queue, make_chunk (pushed, N,
              level), full), GST_FLOW_OK);
  pushed += N;
}

static void
push (guint n)
{
  while (n--)
    push_level (LOUD, WHISPERLIVE_FULL_BLOCK);
}

/* The next chunk is this one, to the last byte. */
static void
check_send (guint64 position, guint samples)
{
  WhisperLiveChunk chunk;
  const guint16 *data;
  gsize size;
  guint i;

  fail_unless (whisperlive_queue_send (queue, ++now, &chunk));
  fail_unless_equals_uint64 (chunk.position, position);
  fail_unless_equals_int (chunk.samples, samples);
  data = g_bytes_get_data (chunk.data, &size);
  fail_unless_equals_int (size, samples * 2);
  for (i = 0; i < samples; i++)
    fail_unless_equals_int (data[i], (guint16) (position + i));
  /* wherever it was cut */
  fail_unless_equals_uint64 (chunk.mark.running_time -
      WHISPERLIVE_SAMPLES_TO_TIME (chunk.mark.offset), 10 * GST_SECOND +
      WHISPERLIVE_SAMPLES_TO_TIME (position));
  fail_unless_equals_uint64 (chunk.mark.stream_time -
      WHISPERLIVE_SAMPLES_TO_TIME (chunk.mark.offset),
      WHISPERLIVE_SAMPLES_TO_TIME (position));
  g_bytes_unref (chunk.data);
}

static void
send (guint n)
{
  WhisperLiveChunk chunk;

  while (n--) {
    fail_unless (whisperlive_queue_send (queue, ++now, &chunk));
    g_bytes_unref (chunk.data);
  }
}

static void
check_nothing_waits (void)
{
  WhisperLiveChunk chunk;

  fail_if (whisperlive_queue_send (queue, now, &chunk));
}

static void
check_counters (guint64 received, guint64 sent, guint64 settled, guint64 lost)
{
  WhisperLiveCounters counters;

  whisperlive_queue_get_counters (queue, &counters);
  fail_unless_equals_uint64 (counters.received, received);
  fail_unless_equals_uint64 (counters.sent, sent);
  fail_unless_equals_uint64 (counters.settled, settled);
  fail_unless_equals_uint64 (counters.lost, lost);
}

static guint64
get_lag (void)
{
  WhisperLiveCounters counters;

  whisperlive_queue_get_counters (queue, &counters);
  return counters.lag;
}

static WhisperLiveFlow
get_flow (void)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (queue, &flow);
  return flow;
}

/* The only loss so far */
static void
check_loss (WhisperLiveLossReason reason, guint64 position, guint64 samples)
{
  GArray *losses = whisperlive_queue_take_losses (queue);
  WhisperLiveLoss *loss;

  fail_unless (losses != NULL);
  fail_unless_equals_int (losses->len, 1);
  loss = &g_array_index (losses, WhisperLiveLoss, 0);
  fail_unless_equals_int (loss->reason, reason);
  fail_unless_equals_uint64 (loss->position, position);
  fail_unless_equals_uint64 (loss->samples, samples);
  fail_unless_equals_uint64 (loss->running_time, 10 * GST_SECOND +
      WHISPERLIVE_SAMPLES_TO_TIME (position));
  g_array_unref (losses);
  fail_unless (whisperlive_queue_take_losses (queue) == NULL);
}

/* --- order --- */

GST_START_TEST (test_empty)
{
  WhisperLiveFlow flow = get_flow ();

  check_nothing_waits ();
  check_counters (0, 0, 0, 0);
  fail_unless_equals_int (flow.waiting, 0);
  fail_unless_equals_uint64 (flow.tail, 0);
  fail_if (flow.ended || flow.stale);
  fail_unless (whisperlive_queue_take_losses (queue) == NULL);
}

GST_END_TEST;

GST_START_TEST (test_order)
{
  guint i;

  push (5);
  for (i = 0; i < 5; i++)
    check_send (i * N, N);
  check_nothing_waits ();
  check_counters (5 * N, 5 * N, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_flow)
{
  WhisperLiveFlow flow;

  push (5);
  send (3);
  whisperlive_queue_settle (queue, N);
  flow = get_flow ();
  fail_unless_equals_uint64 (flow.head, N);
  fail_unless_equals_uint64 (flow.sent, 3 * N);
  fail_unless_equals_uint64 (flow.tail, 5 * N);
  fail_unless_equals_int (flow.waiting, N);
  fail_unless_equals_uint64 (get_lag (), 2 * N);
}

GST_END_TEST;

GST_START_TEST (test_start_again)
{
  push (5);
  send (3);
  whisperlive_queue_close (queue);
  whisperlive_queue_start (queue, GST_SECOND);
  pushed = 0;
  check_counters (0, 0, 0, 0);
  check_nothing_waits ();
  push (1);
  check_send (0, N);
}

GST_END_TEST;

/* --- what is sound --- */

/* "#" is loud, "-" is not: as many chunks, sent all */
static void
send_pattern (const gchar * pattern)
{
  for (; *pattern; pattern++) {
    push_level (*pattern == '#' ? LOUD : NOTHING_HEARD, WHISPERLIVE_FULL_BLOCK);
    send (1);
  }
}

static void
check_sound (guint64 sound, guint64 speech, guint64 loud)
{
  WhisperLiveFlow flow = get_flow ();

  fail_unless_equals_uint64 (flow.sound, sound);
  fail_unless_equals_uint64 (flow.speech, speech);
  fail_unless_equals_uint64 (flow.loud, loud);
}

GST_START_TEST (test_sound)
{
  send_pattern ("------##-#");
  check_sound (6 * N, 6 * N, 3 * N);
  fail_unless (get_flow ().level == LOUD);
}

GST_END_TEST;

GST_START_TEST (test_silence)
{
  send_pattern ("----");
  check_sound (4 * N, 4 * N, 0);
  fail_unless (get_flow ().level == NOTHING_HEARD);
}

GST_END_TEST;

GST_START_TEST (test_sound_since)
{
  gint64 at;

  fail_unless_equals_int64 (get_flow ().sound_at, G_MAXINT64);
  send_pattern ("--");
  fail_unless_equals_int64 (get_flow ().sound_at, G_MAXINT64);
  send_pattern ("#");
  at = now;
  send_pattern ("-#");
  fail_unless_equals_int64 (get_flow ().sound_at, at);
}

GST_END_TEST;

/* Speech is longer than a chunk, unless that is a long one. */
GST_START_TEST (test_level_of_a_click)
{
  send_pattern ("--#--");
  fail_unless (get_flow ().level == NOTHING_HEARD);
  send_pattern ("#");
  fail_unless (get_flow ().level == LOUD);
  fail_unless_equals_int (whisperlive_queue_push (queue, make_chunk (pushed,
              N + 1, 2 * LOUD), WHISPERLIVE_FULL_BLOCK), GST_FLOW_OK);
  pushed += N + 1;
  send (1);
  fail_unless (get_flow ().level == 2 * LOUD);
}

GST_END_TEST;

GST_START_TEST (test_sound_that_waits)
{
  send_pattern ("--");
  push (2);
  check_sound (2 * N, 2 * N, 0);
}

GST_END_TEST;

GST_START_TEST (test_level_of_silence)
{
  push_level (WHISPERLIVE_SILENCE_LEVEL * 0.999f, WHISPERLIVE_FULL_BLOCK);
  push_level (WHISPERLIVE_SILENCE_LEVEL, WHISPERLIVE_FULL_BLOCK);
  send (2);
  /* nothing has been settled whose end that could be */
  check_sound (N, N, N);
}

GST_END_TEST;

GST_START_TEST (test_end_of_settled_sound)
{
  send_pattern ("########--");
  whisperlive_queue_settle (queue, 2 * N);
  check_sound (2 * N, 7 * N, 6 * N);
  whisperlive_queue_settle (queue, 3 * N);
  check_sound (3 * N, 10 * N, 5 * N);
  whisperlive_queue_settle (queue, 8 * N);
  check_sound (10 * N, 10 * N, 0);
}

GST_END_TEST;

GST_START_TEST (test_sound_after_settled_sound)
{
  send_pattern ("###---####");
  whisperlive_queue_settle (queue, 2 * N + N / 2);
  check_sound (2 * N + N / 2, 7 * N, N / 2 + 4 * N);
}

GST_END_TEST;

/* --- when it is full --- */

/* Silence that a server has had takes no room, also not when it waits again. */
GST_START_TEST (test_silence_takes_no_room)
{
  guint i;

  whisperlive_queue_start (queue, 300 * GST_MSECOND);
  for (i = 0; i < 20; i++) {
    push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
    send (1);
  }
  whisperlive_queue_rewind (queue, 0);
  for (i = 0; i < 5; i++)
    push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (25 * N, 20 * N, 0, 2 * N);
  /* nor is it what makes room */
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_counters (26 * N, 20 * N, 0, 3 * N);
  send (22);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  fail_unless_equals_uint64 (get_flow ().head, 0);
  check_counters (27 * N, 22 * N, 0, 4 * N);
  whisperlive_queue_settle (queue, 20 * N);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (28 * N, 22 * N, 20 * N, 5 * N);
}

GST_END_TEST;

GST_START_TEST (test_silence_waits_for_room)
{
  whisperlive_queue_start (queue, 300 * GST_MSECOND);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (4 * N, 0, 0, N);
  send (1);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  push_level (NOTHING_HEARD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (6 * N, N, 0, 2 * N);
}

GST_END_TEST;

GST_START_TEST (test_pause)
{
  static const gfloat levels[] =
      { 0.0001f, 0.1f, 0.1f, 0.02f, 0.01f, 0.1f, 0.01f, 0.1f, 0.01f, 0.0f };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (levels); i++)
    push_level (levels[i], WHISPERLIVE_FULL_BLOCK);
  send (1);
  /* between the two quietest, of which the second may lie behind */
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, 5 * N),
      3 * N);
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, 8 * N),
      8 * N);
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, N), N);
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, N - 1), 0);
  /* not as much is there */
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, 9 * N), 0);
}

GST_END_TEST;

GST_START_TEST (test_pause_of_equals)
{
  static const gfloat levels[] = { 0.1f, 0.01f, 0.01f, 0.1f, 0.01f, 0.01f,
    0.1f, 0.1f
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (levels); i++)
    push_level (levels[i], WHISPERLIVE_FULL_BLOCK);
  /* the later one: the portion is longer */
  fail_unless_equals_uint64 (whisperlive_queue_find_pause (queue, 7 * N),
      5 * N);
}

GST_END_TEST;

static void
push_levels (guint n, gfloat level)
{
  while (n--)
    push_level (level, WHISPERLIVE_FULL_BLOCK);
}

GST_START_TEST (test_sent_pause)
{
  whisperlive_queue_start (queue, GST_CLOCK_TIME_NONE);
  push_levels (5, 0.1f);
  push_levels (3, 0.01f);
  push_levels (5, 0.1f);
  /* too short */
  push_levels (2, 0.01f);
  push_levels (4, 0.1f);
  /* too near to the end */
  push_levels (3, 0.01f);
  push_levels (9, 0.1f);
  send (13);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.05f), 6 * N + N / 2);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 5 * N,
          0.05f), 6 * N + N / 2);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue,
          5 * N + 1, 0.05f), 0);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.01f), 0);
  send (13);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.05f), 6 * N + N / 2);
  send (1);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.05f), 20 * N + N / 2);
}

GST_END_TEST;

GST_START_TEST (test_no_sent_pause)
{
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.05f), 0);
  push_levels (9, 0.1f);
  send (9);
  fail_unless_equals_uint64 (whisperlive_queue_find_sent_pause (queue, 0,
          0.05f), 0);
}

GST_END_TEST;

GST_START_TEST (test_drop_new)
{
  push (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (11 * N, 0, 0, N);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 10 * N, N);
  check_send (0, N);
}

GST_END_TEST;

GST_START_TEST (test_drop_old)
{
  push (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_counters (11 * N, 0, 0, N);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 0, N);
  fail_unless_equals_uint64 (get_flow ().head, N);
  check_send (N, N);
}

GST_END_TEST;

GST_START_TEST (test_drop_old_spares_what_was_sent)
{
  push (10);
  send (3);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 3 * N, N);
  check_send (4 * N, N);
}

GST_END_TEST;

/* Nobody waits: what is given up can only be what was sent. */
GST_START_TEST (test_drop_old_when_all_was_sent)
{
  push (10);
  send (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 0, N);
  fail_unless_equals_uint64 (get_flow ().head, N);
  check_send (10 * N, N);
}

GST_END_TEST;

GST_START_TEST (test_lag_over_a_gap)
{
  push (10);
  send (3);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  fail_unless_equals_uint64 (get_lag (), 3 * N);
}

GST_END_TEST;

GST_START_TEST (test_lag_before_a_gap)
{
  push (10);
  send (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  fail_unless_equals_uint64 (get_lag (), 10 * N);
}

GST_END_TEST;

GST_START_TEST (test_drop_old_for_a_long_one)
{
  push (10);
  fail_unless_equals_int (whisperlive_queue_push (queue, make_chunk (pushed,
              3 * N, LOUD), WHISPERLIVE_FULL_DROP_OLD), GST_FLOW_OK);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 0, 3 * N);
  check_counters (13 * N, 0, 0, 3 * N);
}

GST_END_TEST;

GST_START_TEST (test_longer_than_the_bound)
{
  fail_unless_equals_int (whisperlive_queue_push (queue, make_chunk (0, 20 * N,
              LOUD), WHISPERLIVE_FULL_BLOCK), GST_FLOW_OK);
  check_send (0, 20 * N);
  check_counters (20 * N, 20 * N, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_losses_in_a_row_are_one)
{
  guint i;

  push (10);
  for (i = 0; i < 5; i++)
    push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 10 * N, 5 * N);
}

GST_END_TEST;

/* What lies between them was heard, though the time does not tell. */
GST_START_TEST (test_losses_apart)
{
  WhisperLiveChunk *late = make_chunk (12 * N, N, LOUD);
  GArray *losses;

  push (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  send (1);
  whisperlive_queue_settle (queue, N);
  push (1);
  late->mark.running_time -= DURATION;
  fail_unless_equals_int (whisperlive_queue_push (queue, late,
          WHISPERLIVE_FULL_DROP_NEW), GST_FLOW_OK);
  losses = whisperlive_queue_take_losses (queue);
  fail_unless_equals_int (losses->len, 2);
  fail_unless_equals_uint64 (g_array_index (losses, WhisperLiveLoss,
          1).position, 12 * N);
  g_array_unref (losses);
}

GST_END_TEST;

/* One after the other in the stream, and an hour between them in running time */
GST_START_TEST (test_losses_over_a_jump)
{
  WhisperLiveChunk *late = make_chunk (11 * N, N, LOUD);
  WhisperLiveLoss *loss;
  GArray *losses;

  push (10);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  late->mark.running_time += 3600 * GST_SECOND;
  fail_unless_equals_int (whisperlive_queue_push (queue, late,
          WHISPERLIVE_FULL_DROP_NEW), GST_FLOW_OK);
  losses = whisperlive_queue_take_losses (queue);
  fail_unless_equals_int (losses->len, 2);
  loss = &g_array_index (losses, WhisperLiveLoss, 1);
  fail_unless_equals_uint64 (loss->position, 11 * N);
  fail_unless_equals_uint64 (loss->samples, N);
  fail_unless_equals_uint64 (loss->running_time,
      3610 * GST_SECOND + 11 * DURATION);
  g_array_unref (losses);
}

GST_END_TEST;

/* At double speed a loss is heard in half the time, and the next goes on from there. */
GST_START_TEST (test_losses_at_a_rate)
{
  GArray *losses;
  guint i;

  push (10);
  for (i = 0; i < 3; i++) {
    WhisperLiveChunk *chunk = make_chunk ((10 + i) * N, N, LOUD);

    chunk->mark.rate = 2.0;
    chunk->mark.running_time = i * DURATION / 2;
    whisperlive_queue_push (queue, chunk, WHISPERLIVE_FULL_DROP_NEW);
  }
  losses = whisperlive_queue_take_losses (queue);
  fail_unless_equals_int (losses->len, 1);
  fail_unless_equals_uint64 (g_array_index (losses, WhisperLiveLoss,
          0).samples, 3 * N);
  g_array_unref (losses);
}

GST_END_TEST;

/* Half of the oldest chunk is settled: the loss begins behind that. */
GST_START_TEST (test_drop_old_within_a_chunk)
{
  push (10);
  send (10);
  whisperlive_queue_settle (queue, N / 2);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_counters (11 * N, 10 * N, N / 2, N / 2);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, N / 2, N / 2);
  fail_unless_equals_uint64 (get_flow ().head, N);
}

GST_END_TEST;

/* Nothing but the chunk that is on its way */
GST_START_TEST (test_bound_of_nothing)
{
  whisperlive_queue_start (queue, 0);
  push (1);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, N, N);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  check_loss (WHISPERLIVE_LOSS_OVERFLOW, 0, N);
  check_send (2 * N, N);
  whisperlive_queue_settle (queue, 3 * N);
  check_counters (3 * N, N, N, 2 * N);
}

GST_END_TEST;

/* As much as anybody may say */
GST_START_TEST (test_no_bound)
{
  whisperlive_queue_start (queue, G_MAXUINT64);
  push (100);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_NEW);
  check_counters (102 * N, 0, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_settle_over_a_gap)
{
  push (10);
  send (3);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  send (7);
  /* the fourth one is lost */
  whisperlive_queue_settle (queue, 6 * N);
  check_counters (11 * N, 10 * N, 5 * N, N);
  fail_unless_equals_uint64 (get_flow ().head, 6 * N);
}

GST_END_TEST;

GST_START_TEST (test_settle_up_to_a_gap)
{
  push (10);
  send (3);
  push_level (LOUD, WHISPERLIVE_FULL_DROP_OLD);
  send (2);
  whisperlive_queue_settle (queue, 3 * N);
  check_counters (11 * N, 5 * N, 3 * N, N);
  fail_unless_equals_uint64 (get_flow ().head, 4 * N);
}

GST_END_TEST;

GST_START_TEST (test_loss_without_running_time)
{
  WhisperLiveMark mark = {
    .running_time = GST_CLOCK_TIME_NONE,
    .stream_time = GST_CLOCK_TIME_NONE,
    .rate = 1.0,
    .applied_rate = 1.0,
  };
  GArray *losses;

  whisperlive_queue_push (queue, whisperlive_chunk_new (g_bytes_new_take
          (g_malloc0 (2 * N), 2 * N), N, LOUD, &mark), WHISPERLIVE_FULL_BLOCK);
  whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_STOPPED);
  losses = whisperlive_queue_take_losses (queue);
  fail_if (GST_CLOCK_TIME_IS_VALID (g_array_index (losses, WhisperLiveLoss,
              0).running_time));
  g_array_unref (losses);
}

GST_END_TEST;

/* --- settling --- */

GST_START_TEST (test_settle)
{
  push (5);
  send (5);
  whisperlive_queue_settle (queue, 2 * N);
  check_counters (5 * N, 5 * N, 2 * N, 0);
  fail_unless_equals_uint64 (get_lag (), 3 * N);
}

GST_END_TEST;

GST_START_TEST (test_settle_part_of_a_chunk)
{
  push (5);
  send (5);
  whisperlive_queue_settle (queue, 2 * N + 1);
  check_counters (5 * N, 5 * N, 2 * N + 1, 0);
  whisperlive_queue_settle (queue, 2 * N + 7);
  check_counters (5 * N, 5 * N, 2 * N + 7, 0);
  whisperlive_queue_settle (queue, 3 * N);
  check_counters (5 * N, 5 * N, 3 * N, 0);
}

GST_END_TEST;

GST_START_TEST (test_settle_what_is_settled)
{
  push (5);
  send (5);
  whisperlive_queue_settle (queue, 2 * N);
  whisperlive_queue_settle (queue, N);
  whisperlive_queue_settle (queue, 2 * N);
  check_counters (5 * N, 5 * N, 2 * N, 0);
}

GST_END_TEST;

GST_START_TEST (test_settle_only_what_was_sent)
{
  push (5);
  send (2);
  whisperlive_queue_settle (queue, 4 * N);
  check_counters (5 * N, 2 * N, 2 * N, 0);
  check_send (2 * N, N);
}

GST_END_TEST;

GST_START_TEST (test_settle_everything)
{
  push (5);
  send (5);
  whisperlive_queue_settle (queue, G_MAXUINT64);
  check_counters (5 * N, 5 * N, 5 * N, 0);
  fail_unless_equals_uint64 (get_flow ().head, 5 * N);
  fail_unless_equals_uint64 (get_lag (), 0);
}

GST_END_TEST;

GST_START_TEST (test_sent_before)
{
  guint i;

  push (5);
  for (i = 0; i < 3; i++)
    send (1);
  /* sent at now - 2, now - 1 and now */
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now - 2), 0);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now - 1), N);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now + 1),
      3 * N);
  whisperlive_queue_settle (queue, 2 * N);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now - 1),
      2 * N);
}

GST_END_TEST;

/* --- sending again --- */

GST_START_TEST (test_rewind)
{
  push (5);
  send (4);
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), 0);
  fail_unless_equals_uint64 (get_lag (), 0);
  check_send (0, N);
  check_send (N, N);
  /* each sample counts once */
  check_counters (5 * N, 4 * N, 0, 0);
  send (3);
  check_counters (5 * N, 5 * N, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_rewind_after_settling)
{
  push (5);
  send (5);
  whisperlive_queue_settle (queue, 2 * N);
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), 2 * N);
  check_send (2 * N, N);
}

GST_END_TEST;

GST_START_TEST (test_rewind_within_a_chunk)
{
  guint rest = N - 700;

  push (3);
  send (3);
  whisperlive_queue_settle (queue, N + 700);
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), N + 700);
  check_send (N + 700, rest);
  check_send (2 * N, N);
  whisperlive_queue_settle (queue, 3 * N);
  check_counters (3 * N, 3 * N, 3 * N, 0);
}

GST_END_TEST;

GST_START_TEST (test_rewind_before_and_after_a_mark)
{
  WhisperLiveMark mark = {
    .offset = 1000,
    .running_time = GST_SECOND,
    .stream_time = 2 * GST_SECOND,
    .rate = 2.0,
    .applied_rate = 4.0,
  };
  WhisperLiveChunk chunk;

  whisperlive_queue_push (queue, whisperlive_chunk_new (g_bytes_new_take
          (g_malloc0 (N), N), N, LOUD, &mark), WHISPERLIVE_FULL_BLOCK);
  send (1);
  whisperlive_queue_settle (queue, 600);
  whisperlive_queue_rewind (queue, 0);
  fail_unless (whisperlive_queue_send (queue, ++now, &chunk));
  g_bytes_unref (chunk.data);
  fail_unless_equals_int (chunk.mark.offset, 400);
  fail_unless_equals_uint64 (chunk.mark.running_time, GST_SECOND);
  whisperlive_queue_settle (queue, 1160);
  whisperlive_queue_rewind (queue, 0);
  fail_unless (whisperlive_queue_send (queue, ++now, &chunk));
  g_bytes_unref (chunk.data);
  fail_unless_equals_int (chunk.mark.offset, 0);
  /* 10 ms of samples */
  fail_unless_equals_uint64 (chunk.mark.running_time,
      GST_SECOND + 5 * GST_MSECOND);
  fail_unless_equals_uint64 (chunk.mark.stream_time,
      2 * GST_SECOND + 40 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_rewind_nothing)
{
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), 0);
  push (2);
  send (2);
  whisperlive_queue_settle (queue, 2 * N);
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), 2 * N);
  check_nothing_waits ();
}

GST_END_TEST;

/* How long a server has had a chunk counts on, without the time between two connections. */
GST_START_TEST (test_rewind_keeps_ages)
{
  push (3);
  fail_if (get_flow ().again);
  send (2);
  whisperlive_queue_rewind (queue, 100);
  fail_unless (get_flow ().again);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now + 100),
      N);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now + 101),
      2 * N);
  send (2);
  fail_if (get_flow ().again);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now + 98),
      N);
}

GST_END_TEST;

GST_START_TEST (test_rewind_forgets_ages)
{
  push (3);
  send (2);
  whisperlive_queue_rewind (queue, WHISPERLIVE_NOT_HEARD);
  fail_if (get_flow ().again);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, G_MAXINT64),
      0);
  send (1);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now), 0);
  fail_unless_equals_uint64 (whisperlive_queue_sent_before (queue, now + 1), N);
  /* each sample counts once all the same */
  check_counters (3 * N, 2 * N, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_settle_what_waits_again)
{
  push (3);
  send (2);
  whisperlive_queue_rewind (queue, 0);
  whisperlive_queue_settle (queue, N + 700);
  check_counters (3 * N, 2 * N, N + 700, 0);
  check_send (N, N);
  /* no more than was ever sent */
  whisperlive_queue_settle (queue, 3 * N);
  check_counters (3 * N, 2 * N, 2 * N, 0);
  check_send (2 * N, N);
}

GST_END_TEST;

/* 0: it is the first audio; 1: something has been settled, and that may be its end */
GST_START_TEST (test_pass_since)
{
  const guint n =
      (__i__ * WHISPERLIVE_AFTERSOUND + WHISPERLIVE_SHORTEST_PASS + N - 1) / N;

  whisperlive_queue_start (queue, 1000 * GST_SECOND);
  push (__i__);
  send (__i__);
  whisperlive_queue_settle (queue, __i__ * N);
  push (n);
  send (n - 1);
  fail_unless_equals_int64 (get_flow ().pass_at, 0);
  send (1);
  fail_unless_equals_int64 (get_flow ().pass_at, now);
  whisperlive_queue_rewind (queue, 100);
  fail_unless_equals_int64 (get_flow ().pass_at, 0);
  send (n);
  /* the last server had it */
  fail_unless_equals_int64 (get_flow ().pass_at, now + 100 - n);
}

GST_END_TEST;

GST_START_TEST (test_copy)
{
  g_autoptr (GPtrArray) frames = NULL, none = NULL;
  guint i;

  push (5);
  send (4);
  whisperlive_queue_settle (queue, N);
  frames = whisperlive_queue_copy (queue, N - 1, 2 * N + 1);
  fail_unless_equals_int (frames->len, 2);
  for (i = 0; i < frames->len; i++)
    fail_unless_equals_int (g_bytes_get_size (g_ptr_array_index (frames, i)),
        2 * N);
  none = whisperlive_queue_copy (queue, 0, N);
  fail_unless_equals_int (none->len, 0);
}

GST_END_TEST;

GST_START_TEST (test_lose)
{
  push (5);
  send (3);
  whisperlive_queue_settle (queue, N + 700);
  whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_DRAIN_TIMEOUT);
  check_counters (5 * N, 3 * N, N + 700, 4 * N - 700);
  check_loss (WHISPERLIVE_LOSS_DRAIN_TIMEOUT, N + 700, 4 * N - 700);
  check_nothing_waits ();
  fail_unless_equals_uint64 (get_flow ().head, 5 * N);
  push (1);
  check_send (5 * N, N);
}

GST_END_TEST;

/* --- flush --- */

GST_START_TEST (test_flush)
{
  push (5);
  send (2);
  whisperlive_queue_flush (queue);
  check_nothing_waits ();
  check_counters (5 * N, 2 * N, 0, 5 * N);
  check_loss (WHISPERLIVE_LOSS_FLUSH, 0, 5 * N);
  fail_unless_equals_int (get_flow ().generation, 1);
  fail_unless (get_flow ().stale);
}

GST_END_TEST;

GST_START_TEST (test_flush_of_sound_before_silence)
{
  send_pattern ("-#-");
  whisperlive_queue_flush (queue);
  fail_unless (get_flow ().stale);
}

GST_END_TEST;

GST_START_TEST (test_flush_of_what_was_not_sent)
{
  push (5);
  whisperlive_queue_flush (queue);
  fail_if (get_flow ().stale);
}

GST_END_TEST;

GST_START_TEST (test_flush_of_silence)
{
  send_pattern ("---");
  whisperlive_queue_flush (queue);
  fail_if (get_flow ().stale);
}

GST_END_TEST;

GST_START_TEST (test_flush_again)
{
  send_pattern ("#");
  whisperlive_queue_flush (queue);
  whisperlive_queue_flush (queue);
  fail_unless_equals_int (get_flow ().generation, 2);
  /* it has still been sent that */
  fail_unless (get_flow ().stale);
}

GST_END_TEST;

GST_START_TEST (test_rewind_after_flush)
{
  send_pattern ("#");
  whisperlive_queue_flush (queue);
  push (1);
  fail_unless_equals_uint64 (whisperlive_queue_rewind (queue, 0), N);
  fail_if (get_flow ().stale);
  check_send (N, N);
}

GST_END_TEST;

GST_START_TEST (test_end)
{
  whisperlive_queue_end (queue);
  fail_unless (get_flow ().ended);
  whisperlive_queue_set_drained (queue, get_flow ().generation);
  fail_if (get_flow ().ended);
  fail_unless_equals_int (whisperlive_queue_wait_drained (queue), GST_FLOW_OK);
}

GST_END_TEST;

/* The stream that was drained is not the one that waits by now. */
GST_START_TEST (test_drained_before_a_flush)
{
  guint generation = get_flow ().generation;

  whisperlive_queue_end (queue);
  whisperlive_queue_flush (queue);
  whisperlive_queue_end (queue);
  whisperlive_queue_set_drained (queue, generation);
  fail_unless (get_flow ().ended);
}

GST_END_TEST;

GST_START_TEST (test_flush_after_end)
{
  whisperlive_queue_end (queue);
  whisperlive_queue_flush (queue);
  fail_if (get_flow ().ended);
  /* what was drained is not what is waited for now */
  whisperlive_queue_set_drained (queue, get_flow ().generation);
  whisperlive_queue_unlock (queue, TRUE);
  fail_unless_equals_int (whisperlive_queue_wait_drained (queue),
      GST_FLOW_FLUSHING);
}

GST_END_TEST;

GST_START_TEST (test_push_after_end)
{
  whisperlive_queue_end (queue);
  push (1);
  fail_if (get_flow ().ended);
}

GST_END_TEST;

/* --- closed and unlocked --- */

GST_START_TEST (test_closed)
{
  WhisperLiveChunk *chunk = make_chunk (0, N, LOUD);

  whisperlive_queue_close (queue);
  fail_unless_equals_int (whisperlive_queue_check (queue), GST_FLOW_ERROR);
  fail_unless_equals_int (whisperlive_queue_push (queue, chunk,
          WHISPERLIVE_FULL_BLOCK), GST_FLOW_ERROR);
  /* what was told of losses is all that there is */
  check_counters (0, 0, 0, 0);
  whisperlive_chunk_free (chunk);
  fail_unless_equals_int (whisperlive_queue_wait_ready (queue), GST_FLOW_ERROR);
  fail_unless_equals_int (whisperlive_queue_wait_drained (queue),
      GST_FLOW_ERROR);
}

GST_END_TEST;

GST_START_TEST (test_unlocked)
{
  WhisperLiveChunk *chunk = make_chunk (0, N, LOUD);

  whisperlive_queue_unlock (queue, TRUE);
  fail_unless_equals_int (whisperlive_queue_push (queue, chunk,
          WHISPERLIVE_FULL_BLOCK), GST_FLOW_FLUSHING);
  fail_unless_equals_int (whisperlive_queue_wait_ready (queue),
      GST_FLOW_FLUSHING);
  fail_unless_equals_int (whisperlive_queue_wait_drained (queue),
      GST_FLOW_FLUSHING);
  check_counters (0, 0, 0, 0);
  /* the same once more */
  whisperlive_queue_unlock (queue, FALSE);
  fail_unless_equals_int (whisperlive_queue_push (queue, chunk,
          WHISPERLIVE_FULL_BLOCK), GST_FLOW_OK);
  check_send (0, N);
}

GST_END_TEST;

/* By a flush and by PLAYING, for example: the first that is done must not lock out the other. */
GST_START_TEST (test_unlocked_by_two)
{
  whisperlive_queue_unlock (queue, TRUE);
  whisperlive_queue_unlock (queue, TRUE);
  whisperlive_queue_unlock (queue, FALSE);
  fail_unless_equals_int (whisperlive_queue_check (queue), GST_FLOW_FLUSHING);
  whisperlive_queue_unlock (queue, FALSE);
  fail_unless_equals_int (whisperlive_queue_check (queue), GST_FLOW_OK);
}

GST_END_TEST;

GST_START_TEST (test_ready_though_unlocked)
{
  whisperlive_queue_set_ready (queue);
  whisperlive_queue_unlock (queue, TRUE);
  fail_unless_equals_int (whisperlive_queue_wait_ready (queue), GST_FLOW_OK);
  whisperlive_queue_start (queue, GST_SECOND);
  fail_unless_equals_int (whisperlive_queue_wait_ready (queue),
      GST_FLOW_FLUSHING);
}

GST_END_TEST;

/* --- one that waits --- */

static void
on_wake (gpointer source, gpointer user_data)
{
  /* nothing is locked */
  get_flow ();
  g_atomic_int_inc ((gint *) user_data);
}

GST_START_TEST (test_wake)
{
  gint wakes = 0;

  whisperlive_queue_set_wake (queue, on_wake, &wakes);
  push (2);
  fail_unless_equals_int (wakes, 2);
  whisperlive_queue_end (queue);
  fail_unless_equals_int (wakes, 3);
  whisperlive_queue_flush (queue);
  fail_unless_equals_int (wakes, 4);
  whisperlive_queue_set_wake (queue, NULL, NULL);
  push (1);
  fail_unless_equals_int (wakes, 4);
}

GST_END_TEST;

typedef GstFlowReturn (*Wait) (void);

/* What the waiting thread does; NULL where nobody asks */
static GAsyncQueue *steps;
#define WAITS ((gpointer) "waits")
#define RETURNED ((gpointer) "returned")

static GstFlowReturn
wait_ready (void)
{
  return whisperlive_queue_wait_ready (queue);
}

static GstFlowReturn
wait_drained (void)
{
  return whisperlive_queue_wait_drained (queue);
}

static GstFlowReturn
wait_push (void)
{
  WhisperLiveChunk *chunk = make_chunk (10 * N, N, LOUD);
  GstFlowReturn ret = whisperlive_queue_push (queue, chunk,
      WHISPERLIVE_FULL_BLOCK);

  if (ret != GST_FLOW_OK)
    whisperlive_chunk_free (chunk);
  return ret;
}

static gpointer
run_wait (gpointer wait)
{
  GstFlowReturn ret = ((Wait) wait) ();

  g_async_queue_push (steps, RETURNED);
  return GINT_TO_POINTER (ret);
}

/* Stands before GLib's, by the linker's --wrap: it alone tells that a thread is about to wait, with the lock still held. */
void __real_g_cond_wait (GCond * cond, GMutex * mutex);
void __wrap_g_cond_wait (GCond * cond, GMutex * mutex);

void
__wrap_g_cond_wait (GCond * cond, GMutex * mutex)
{
  if (steps != NULL)
    g_async_queue_push (steps, WAITS);
  __real_g_cond_wait (cond, mutex);
}

static void
check_waits (void)
{
  fail_unless_equals_string (g_async_queue_pop (steps), WAITS);
}

static GThread *
begin_wait (Wait wait)
{
  GThread *thread;

  steps = g_async_queue_new ();
  thread = g_thread_new ("waits", run_wait, wait);
  check_waits ();
  return thread;
}

static void
check_wait_ends (GThread * thread, GstFlowReturn expected)
{
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), expected);
  g_clear_pointer (&steps, g_async_queue_unref);
}

GST_START_TEST (test_wait_until_ready)
{
  GThread *thread = begin_wait (wait_ready);

  whisperlive_queue_set_ready (queue);
  check_wait_ends (thread, GST_FLOW_OK);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_drained)
{
  GThread *thread;

  push (1);
  whisperlive_queue_end (queue);
  thread = begin_wait (wait_drained);
  whisperlive_queue_set_drained (queue, get_flow ().generation);
  check_wait_ends (thread, GST_FLOW_OK);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_settled)
{
  GThread *thread;

  push (10);
  send (10);
  thread = begin_wait (wait_push);
  whisperlive_queue_settle (queue, N);
  check_wait_ends (thread, GST_FLOW_OK);
  check_send (10 * N, N);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_enough_is_settled)
{
  GThread *thread;

  push (10);
  send (10);
  thread = begin_wait (wait_push);
  whisperlive_queue_settle (queue, N - 1);
  check_waits ();
  whisperlive_queue_settle (queue, N);
  check_wait_ends (thread, GST_FLOW_OK);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_lost)
{
  GThread *thread;

  push (10);
  thread = begin_wait (wait_push);
  whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_SESSION_FAILED);
  check_wait_ends (thread, GST_FLOW_OK);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_flushed)
{
  GThread *thread;

  push (10);
  thread = begin_wait (wait_push);
  whisperlive_queue_flush (queue);
  check_wait_ends (thread, GST_FLOW_OK);
}

GST_END_TEST;

static const Wait waits[] = { wait_ready, wait_drained, wait_push };

GST_START_TEST (test_wait_until_closed)
{
  GThread *thread;

  push (10);
  thread = begin_wait (waits[__i__]);
  whisperlive_queue_close (queue);
  check_wait_ends (thread, GST_FLOW_ERROR);
}

GST_END_TEST;

GST_START_TEST (test_wait_until_unlocked)
{
  GThread *thread;

  push (10);
  thread = begin_wait (waits[__i__]);
  whisperlive_queue_unlock (queue, TRUE);
  check_wait_ends (thread, GST_FLOW_FLUSHING);
}

GST_END_TEST;

/* --- two that hurry --- */

#define HAMMERED 4000

typedef struct
{
  guint32 seed;
  gint done;
  guint64 pushed;               /* samples that the queue took */
  guint64 reported;             /* samples in losses */
} Hammer;

static gpointer
run_streaming (gpointer data)
{
  Hammer *hammer = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (hammer->seed);
  guint i;

  for (i = 0; i < HAMMERED; i++) {
    guint samples = g_rand_int_range (rand, 1, 2 * N);
    WhisperLiveChunk *chunk = make_chunk (hammer->pushed, samples,
        g_rand_boolean (rand) ? LOUD : NOTHING_HEARD);
    GstFlowReturn ret = whisperlive_queue_push (queue, chunk,
        g_rand_int_range (rand, 0, 8) ? WHISPERLIVE_FULL_BLOCK :
        g_rand_int_range (rand, WHISPERLIVE_FULL_BLOCK,
            WHISPERLIVE_FULL_DROP_OLD + 1));

    if (ret == GST_FLOW_FLUSHING) {
      whisperlive_chunk_free (chunk);
      g_thread_yield ();
      continue;
    }
    fail_unless_equals_int (ret, GST_FLOW_OK);
    hammer->pushed += samples;
    if (g_rand_int_range (rand, 0, 200) == 0)
      whisperlive_queue_flush (queue);
    if (g_rand_int_range (rand, 0, 50) == 0)
      whisperlive_queue_end (queue);
  }
  g_atomic_int_set (&hammer->done, TRUE);
  return NULL;
}

static void
take_losses (Hammer * hammer)
{
  GArray *losses = whisperlive_queue_take_losses (queue);
  guint i;

  for (i = 0; losses && i < losses->len; i++)
    hammer->reported += g_array_index (losses, WhisperLiveLoss, i).samples;
  g_clear_pointer (&losses, g_array_unref);
}

/* What can be seen from here is never at odds with itself. */
static void
check_invariants (void)
{
  WhisperLiveFlow flow = get_flow ();
  WhisperLiveCounters counters;

  fail_unless (flow.head <= flow.sent && flow.sent <= flow.tail);
  fail_unless (flow.sound >= flow.head && flow.sound <= flow.sent);
  fail_unless (flow.speech >= flow.sound && flow.speech <= flow.sent);
  fail_unless (flow.loud <= flow.sent - flow.sound);
  whisperlive_queue_get_counters (queue, &counters);
  fail_unless (counters.settled + counters.lost <= counters.received);
  fail_unless (counters.settled <= counters.sent);
  fail_unless (counters.sent <= counters.received);
  /* the bound, and one chunk that may be longer than it; silence that was sent is not bound */
  fail_unless (flow.loud <= 20 * N);
}

static void
hammer_session (Hammer * hammer, GRand * rand)
{
  WhisperLiveChunk chunk;
  WhisperLiveFlow flow = get_flow ();

  switch (g_rand_int_range (rand, 0, 24)) {
    case 0:
      whisperlive_queue_rewind (queue, 0);
      break;
    case 1:
      if (g_rand_int_range (rand, 0, 10) == 0)
        whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_DRAIN_TIMEOUT);
      break;
    case 2:
      take_losses (hammer);
      break;
    case 3:
      whisperlive_queue_set_drained (queue, get_flow ().generation);
      break;
    case 4:
      whisperlive_queue_settle (queue, whisperlive_queue_sent_before (queue,
              now - 5));
      break;
    case 5:
      whisperlive_queue_unlock (queue, TRUE);
      g_thread_yield ();
      whisperlive_queue_unlock (queue, FALSE);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      if (flow.sent > flow.head)
        whisperlive_queue_settle (queue, flow.head +
            g_rand_int_range (rand, 0, flow.sent - flow.head + 1));
      break;
    default:
      if (whisperlive_queue_send (queue, ++now, &chunk)) {
        fail_unless_equals_int (g_bytes_get_size (chunk.data),
            2 * chunk.samples);
        g_bytes_unref (chunk.data);
      }
      break;
  }
}

GST_START_TEST (test_hammer)
{
  Hammer hammer = {.seed = 1000 + __i__ };
  g_autoptr (GRand) rand = g_rand_new_with_seed (2000 + __i__);
  GThread *thread = g_thread_new ("streaming", run_streaming, &hammer);
  WhisperLiveCounters counters;
  guint64 held = 0;
  WhisperLiveChunk chunk;

  GST_INFO ("seeds %d and %d", 1000 + __i__, 2000 + __i__);
  while (!g_atomic_int_get (&hammer.done)) {
    hammer_session (&hammer, rand);
    check_invariants ();
  }
  g_thread_join (thread);
  check_invariants ();
  take_losses (&hammer);
  whisperlive_queue_get_counters (queue, &counters);
  fail_unless_equals_uint64 (counters.received, hammer.pushed);
  fail_unless_equals_uint64 (counters.lost, hammer.reported);
  /* what is held is what would be sent again */
  whisperlive_queue_rewind (queue, 0);
  while (whisperlive_queue_send (queue, ++now, &chunk)) {
    held += chunk.samples;
    g_bytes_unref (chunk.data);
  }
  fail_unless_equals_uint64 (counters.received,
      counters.settled + counters.lost + held);
  whisperlive_queue_lose (queue, WHISPERLIVE_LOSS_STOPPED);
  whisperlive_queue_get_counters (queue, &counters);
  fail_unless_equals_uint64 (counters.received,
      counters.settled + counters.lost);
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
queue_suite (void)
{
  Suite *suite = suite_create ("queue");
  TCase *tc = add_case (suite, "order");

  tcase_add_test (tc, test_empty);
  tcase_add_test (tc, test_order);
  tcase_add_test (tc, test_flow);
  tcase_add_test (tc, test_start_again);

  tc = add_case (suite, "sound");
  tcase_add_test (tc, test_sound);
  tcase_add_test (tc, test_silence);
  tcase_add_test (tc, test_sound_since);
  tcase_add_test (tc, test_level_of_a_click);
  tcase_add_test (tc, test_sound_that_waits);
  tcase_add_test (tc, test_level_of_silence);
  tcase_add_test (tc, test_silence_takes_no_room);
  tcase_add_test (tc, test_silence_waits_for_room);
  tcase_add_test (tc, test_pause);
  tcase_add_test (tc, test_pause_of_equals);
  tcase_add_test (tc, test_sent_pause);
  tcase_add_test (tc, test_no_sent_pause);
  tcase_add_test (tc, test_end_of_settled_sound);
  tcase_add_test (tc, test_sound_after_settled_sound);

  tc = add_case (suite, "full");
  tcase_add_test (tc, test_drop_new);
  tcase_add_test (tc, test_drop_old);
  tcase_add_test (tc, test_drop_old_spares_what_was_sent);
  tcase_add_test (tc, test_drop_old_when_all_was_sent);
  tcase_add_test (tc, test_lag_over_a_gap);
  tcase_add_test (tc, test_lag_before_a_gap);
  tcase_add_test (tc, test_drop_old_for_a_long_one);
  tcase_add_test (tc, test_longer_than_the_bound);
  tcase_add_test (tc, test_losses_in_a_row_are_one);
  tcase_add_test (tc, test_losses_apart);
  tcase_add_test (tc, test_losses_over_a_jump);
  tcase_add_test (tc, test_losses_at_a_rate);
  tcase_add_test (tc, test_drop_old_within_a_chunk);
  tcase_add_test (tc, test_bound_of_nothing);
  tcase_add_test (tc, test_no_bound);
  tcase_add_test (tc, test_settle_over_a_gap);
  tcase_add_test (tc, test_settle_up_to_a_gap);
  tcase_add_test (tc, test_loss_without_running_time);

  tc = add_case (suite, "settle");
  tcase_add_test (tc, test_settle);
  tcase_add_test (tc, test_settle_part_of_a_chunk);
  tcase_add_test (tc, test_settle_what_is_settled);
  tcase_add_test (tc, test_settle_only_what_was_sent);
  tcase_add_test (tc, test_settle_everything);
  tcase_add_test (tc, test_sent_before);

  tc = add_case (suite, "rewind");
  tcase_add_test (tc, test_rewind);
  tcase_add_test (tc, test_rewind_after_settling);
  tcase_add_test (tc, test_rewind_within_a_chunk);
  tcase_add_test (tc, test_rewind_before_and_after_a_mark);
  tcase_add_test (tc, test_rewind_nothing);
  tcase_add_test (tc, test_rewind_keeps_ages);
  tcase_add_test (tc, test_rewind_forgets_ages);
  tcase_add_test (tc, test_settle_what_waits_again);
  tcase_add_loop_test (tc, test_pass_since, 0, 2);
  tcase_add_test (tc, test_copy);
  tcase_add_test (tc, test_lose);

  tc = add_case (suite, "flush");
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_flush_of_what_was_not_sent);
  tcase_add_test (tc, test_flush_of_silence);
  tcase_add_test (tc, test_flush_of_sound_before_silence);
  tcase_add_test (tc, test_flush_again);
  tcase_add_test (tc, test_rewind_after_flush);
  tcase_add_test (tc, test_end);
  tcase_add_test (tc, test_drained_before_a_flush);
  tcase_add_test (tc, test_flush_after_end);
  tcase_add_test (tc, test_push_after_end);
  tcase_add_test (tc, test_closed);
  tcase_add_test (tc, test_unlocked);
  tcase_add_test (tc, test_unlocked_by_two);
  tcase_add_test (tc, test_ready_though_unlocked);

  tc = add_case (suite, "threads");
  tcase_add_test (tc, test_wake);
  tcase_add_test (tc, test_wait_until_ready);
  tcase_add_test (tc, test_wait_until_drained);
  tcase_add_test (tc, test_wait_until_settled);
  tcase_add_test (tc, test_wait_until_enough_is_settled);
  tcase_add_test (tc, test_wait_until_lost);
  tcase_add_test (tc, test_wait_until_flushed);
  tcase_add_loop_test (tc, test_wait_until_closed, 0, 3);
  tcase_add_loop_test (tc, test_wait_until_unlocked, 0, 3);
  tcase_add_loop_test (tc, test_hammer, 0, 4);
  return suite;
}

GST_CHECK_MAIN (queue);
