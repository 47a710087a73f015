/* When there is more audio than the element may hold: what is dropped is told, to the sample, what is held stays bounded,
 * and whoever is blocked meanwhile can be stopped.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"
#include "memory-use.h"

#define LOST "whisperlive/audio-lost"
#define QUICK "retries", -1, "retry-delay", 20, "retry-delay-max", 100, "same-output-threshold", 1000
/* What messages, sockets and connections may take beside the audio */
#define SLACK (2 * 1024 * 1024)
#define FLOAT32_SECOND (16000 * 4)
/* Losses are told so often at most; one more at the beginning, and one at the end */
#define PER_SECOND 1

static void
make_live (void)
{
  g_object_set (h->src, "is-live", TRUE, NULL);
}

/* --- losses --- */

/* Until the losses by overflow add up to @duration. */
static void
wait_lost (GstClockTime duration)
{
  GstClockTime lost = 0;

  while (lost < duration) {
    const GstStructure *structure =
        gst_message_get_structure (harness_wait_field (LOST, "reason",
            "overflow"));
    guint64 more;

    fail_unless (gst_structure_get_uint64 (structure, "duration", &more));
    lost += more;
  }
  fail_unless_equals_uint64 (lost, duration);
}

/* All losses by @reason, one after the other without a gap or an overlap, from @start to @end. */
static void
assert_lost (const gchar * reason, GstClockTime start, GstClockTime end)
{
  const GstStructure *structure;
  guint i;

  harness_collect ();
  for (i = 0; (structure = harness_nth (LOST, i)) != NULL; i++) {
    guint64 running_time, duration;

    if (g_strcmp0 (gst_structure_get_string (structure, "reason"), reason) != 0)
      continue;
    fail_unless (gst_structure_get_uint64 (structure, "running-time",
            &running_time));
    fail_unless (gst_structure_get_uint64 (structure, "duration", &duration));
    fail_unless_equals_uint64 (running_time, start);
    start += duration;
  }
  fail_unless_equals_uint64 (start, end);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const GstClockTime *one = a, *other = b;

  return (*one > *other) - (*one < *other);
}

/* What was lost by @reason; no two of the losses overlap. */
static GstClockTime
sum_of_losses (const gchar * reason)
{
  g_autoptr (GArray) losses = g_array_new (FALSE, FALSE,
      sizeof (GstClockTime[2]));
  GstClockTime sum = 0, last = 0;
  const GstStructure *structure;
  guint i;

  harness_collect ();
  for (i = 0; (structure = harness_nth (LOST, i)) != NULL; i++) {
    GstClockTime loss[2];

    if (g_strcmp0 (gst_structure_get_string (structure, "reason"), reason) != 0)
      continue;
    fail_unless (gst_structure_get_uint64 (structure, "running-time", loss));
    fail_unless (gst_structure_get_uint64 (structure, "duration", loss + 1));
    g_array_append_val (losses, loss);
  }
  g_array_sort (losses, compare_times);
  for (i = 0; i < losses->len; i++) {
    const GstClockTime *loss =
        (gpointer) (losses->data + i * sizeof (GstClockTime[2]));

    fail_unless (loss[0] >= last,
        "a loss at %" GST_TIME_FORMAT " is told twice",
        GST_TIME_ARGS (loss[0]));
    last = loss[0] + loss[1];
    sum += loss[1];
  }
  return sum;
}

static void
finish (void)
{
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_balanced ();
}

/* --- an hour --- */

#define HOUR 3600
#define HELD 10

/* Noise, in buffers of a second; no more of it at a time than the source may hold. What is held stays bounded. */
static void
push_hour (void)
{
  g_autoptr (GBytes) second = spoken_hiss (1, h->rate, h->channels);
  gsize heap = memory_use_heap ();
  guint i;

  g_object_set (h->src, "block", TRUE, "max-bytes",
      (guint64) (4 * g_bytes_get_size (second)), NULL);
  for (i = 0; i < HOUR; i++) {
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes (second);
    gsize now;
    GstFlowReturn flow;

    GST_BUFFER_PTS (buffer) = h->pts;
    GST_BUFFER_DURATION (buffer) = GST_SECOND;
    h->pts += GST_SECOND;
    g_signal_emit_by_name (h->src, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
    fail_unless_equals_int (flow, GST_FLOW_OK);
    now = memory_use_heap ();
    fail_unless (now <= heap + HELD * FLOAT32_SECOND + SLACK,
        "after %u s it takes %zu bytes more", i + 1, now - heap);
    fail_unless (harness_stat ("audio-received") - harness_stat ("audio-lost")
        <= (HELD + 1) * GST_SECOND);
  }
  g_object_set (h->src, "block", FALSE, "max-bytes", (guint64) 0, NULL);
}

/* Not so many messages that an application which looks once a minute has to wade through them */
static void
assert_few_messages (gint64 since)
{
  guint seconds = (g_get_monotonic_time () - since) / G_TIME_SPAN_SECOND + 1;
  guint n = harness_n (GST_MESSAGE_ELEMENT, LOST);

  fail_unless (n <= PER_SECOND * seconds + 2, "%u messages in %u s", n,
      seconds);
}

typedef enum
{
  AWAY_REFUSED,
  AWAY_NEVER_READY,
  AWAY_FULL,
  N_AWAY
} Away;

/* A microphone goes on for an hour while there is no server; what is held when it comes back is transcribed. */
GST_START_TEST (test_hour_away)
{
  gint64 since = g_get_monotonic_time ();

  harness_make ("", QUICK, "ready-timeout", 300, "max-size-time",
      HELD * GST_SECOND, NULL);
  make_live ();
  if (__i__ == AWAY_REFUSED)
    scripted_server_kill (h->server);
  HARNESS_SCRIPT (hold_ready, __i__ == AWAY_NEVER_READY);
  HARNESS_SCRIPT (full, __i__ == AWAY_FULL);
  harness_start (GST_STATE_PLAYING);
  push_hour ();
  harness_push_words (1, 2 * HELD, 0, 0);
  wait_lost (HOUR * GST_SECOND);
  assert_few_messages (since);
  fail_unless_equals_uint64 (harness_stat ("audio-sent"), 0);
  if (__i__ == AWAY_REFUSED)
    scripted_server_start (h->server);
  HARNESS_SCRIPT (hold_ready, FALSE);
  HARNESS_SCRIPT (full, FALSE);
  finish ();
  harness_assert_words (1, 2 * HELD, HOUR * GST_SECOND);
  assert_lost ("overflow", 0, HOUR * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      (HOUR + HELD) * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-settled"), HELD * GST_SECOND);
}

HARNESS_END_TEST;

/* --- a socket that takes nothing --- */

#define SOCKET_BUFFER 4096
/* The kernel's buffers at both ends, and what the pacer lets go at once: two seconds */
#define MAX_SENT (4 * FLOAT32_SECOND)
#define FAR_AWAY (600 * 1000)

static void
start_server (guint socket_buffer)
{
  scripted_server_kill (h->server);
  HARNESS_SCRIPT (socket_buffer, socket_buffer);
  HARNESS_SCRIPT (read, TRUE);
  scripted_server_start (h->server);
}

/* The session is ready, and then the server reads nothing any more. */
static void
make_full (guint keepalive_interval)
{
  start_server (SOCKET_BUFFER);
  harness_make ("", QUICK, "max-server-lag", 4000, "max-size-time",
      6 * GST_SECOND, "keepalive-interval", keepalive_interval, NULL);
  make_live ();
  harness_start (GST_STATE_PLAYING);
  harness_wait_field ("whisperlive/state", "state", "ready");
  HARNESS_SCRIPT (read, FALSE);
}

static void
assert_little_sent (void)
{
  guint64 sent = harness_stat ("bytes-sent");

  fail_unless (sent <= MAX_SENT,
      "%" G_GUINT64_FORMAT " bytes were sent to nobody", sent);
}

/* All that is held is sent, and the words after it. */
static void
finish_full (guint seconds)
{
  harness_push_words (1, 6, 0, 0);
  finish ();
  harness_assert_words (1, 6, seconds * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      (seconds + 3) * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"),
      sum_of_losses ("overflow"));
}

/* A silent source goes on, of which the pacer lets eight times as much go as there is time; a ping tells that nothing arrives. */
GST_START_TEST (test_takes_nothing)
{
  make_full (700);
  harness_push_silence (30);
  harness_wait_field ("whisperlive/state", "previous", "ready");
  assert_little_sent ();
  start_server (0);
  finish_full (30);
}

HARNESS_END_TEST;

/* Nothing tells; in the end it takes more. */
GST_START_TEST (test_takes_nothing_for_long)
{
  guint i;

  make_full (FAR_AWAY);
  for (i = 0; i < 2; i++) {
    harness_push_silence (30);
    harness_wait (GST_MESSAGE_ELEMENT, LOST);
  }
  assert_little_sent ();
  HARNESS_SCRIPT (read, TRUE);
  finish_full (60);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

static Suite *
overflow_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-overflow");
  TCase *tc = tcase_create ("overflow");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_loop_test (tc, test_hour_away, 0, N_AWAY);
  tcase_add_test (tc, test_takes_nothing);
  tcase_add_test (tc, test_takes_nothing_for_long);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (overflow);
