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

static Suite *
overflow_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-overflow");
  TCase *tc = tcase_create ("overflow");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_loop_test (tc, test_hour_away, 0, N_AWAY);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (overflow);
