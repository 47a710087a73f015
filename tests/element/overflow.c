/* When there is more audio than the element may hold: what is dropped is told, to the sample, what is held stays bounded,
 * and whoever is blocked meanwhile can be stopped.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/base/gstbasesink.h>

#include "harness.h"
#include "memory-use.h"

#define LOST "whisperlive/audio-lost"
#define QUICK "retries", -1, "retry-delay", 20, "retry-delay-max", 100
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

static void
set_leaky (const gchar * nick)
{
  gst_util_set_object_arg (G_OBJECT (h->sink), "leaky", nick);
}

/* --- how far the streaming thread is --- */

static GMutex taken_lock;
static GCond taken_cond;
static guint taken;

static GstPadProbeReturn
on_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  g_mutex_lock (&taken_lock);
  taken++;
  g_cond_broadcast (&taken_cond);
  g_mutex_unlock (&taken_lock);
  return GST_PAD_PROBE_OK;
}

static void
count_buffers (void)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (h->sink, "sink");

  taken = 0;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, NULL, NULL);
}

/* The @n-th buffer is on its way into the element, and it is done with those before. */
static void
wait_taken (guint n)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&taken_lock);
  while (taken < n)
    fail_unless (g_cond_wait_until (&taken_cond, &taken_lock, deadline),
        "buffer %u never came, %u did", n, taken);
  g_mutex_unlock (&taken_lock);
}

/* A session was there, and is not any more; it was sent nothing. */
static void
lose_session (void)
{
  harness_start (GST_STATE_PAUSED);
  harness_wait_field ("whisperlive/state", "state", "ready");
  scripted_server_kill (h->server);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  harness_start (GST_STATE_PLAYING);
}

/* --- losses --- */

/* Until the losses by overflow add up to @duration, or somewhat more. */
static GstClockTime
wait_lost_at_least (GstClockTime duration)
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
  return lost;
}

static void
wait_lost (GstClockTime duration)
{
  fail_unless_equals_uint64 (wait_lost_at_least (duration), duration);
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
    GstFlowReturn flow;
    guint64 received;
    gsize now;

    GST_BUFFER_PTS (buffer) = h->pts;
    GST_BUFFER_DURATION (buffer) = GST_SECOND;
    h->pts += GST_SECOND;
    g_signal_emit_by_name (h->src, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
    fail_unless_equals_int (flow, GST_FLOW_OK);
    now = memory_use_heap ();
    fail_unless (now <= heap + HELD * FLOAT32_SECOND + SLACK,
        "after %u s it takes %zu bytes more", i + 1, now - heap);
    /* in this order: more is received, and lost, meanwhile */
    received = harness_stat ("audio-received");
    fail_unless (received <= harness_stat ("audio-lost") +
        (HELD + 1) * GST_SECOND);
  }
  g_object_set (h->src, "block", FALSE, "max-bytes", (guint64) 0, NULL);
}

/* Not so many messages that an application which looks once a minute has to wade through them */
static void
assert_few_messages (gint64 since)
{
  guint seconds = (g_get_monotonic_time () - since) / G_TIME_SPAN_SECOND + 1;
  guint n = harness_n (GST_MESSAGE_ELEMENT, LOST);

  /* a state's end tells what is left, too; each chunk by itself would be thousands */
  fail_unless (n <= 10 * (PER_SECOND * seconds + 2), "%u messages in %u s", n,
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
/* The kernel's buffers at both ends, and what the pacer lets go at once: four seconds */
#define MAX_SENT (6 * FLOAT32_SECOND)
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
make_full (guint keepalive_interval, guint response_timeout)
{
  start_server (SOCKET_BUFFER);
  harness_make ("", QUICK, "max-server-lag", 4000, "max-size-time",
      8 * GST_SECOND, "keepalive-interval", keepalive_interval,
      "response-timeout", response_timeout, "close-timeout", 100, NULL);
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
  make_full (700, 0);
  harness_push_silence (30);
  harness_wait_field ("whisperlive/state", "previous", "ready");
  assert_little_sent ();
  start_server (0);
  finish_full (30);
}

HARNESS_END_TEST;

/* There is speech, and no ping in time: that no text comes tells. */
GST_START_TEST (test_takes_nothing_of_speech)
{
  g_autofree gchar *finals = NULL;

  make_full (FAR_AWAY, 700);
  harness_push_words (1, 60, 0, 0);
  harness_wait_field ("whisperlive/state", "previous", "ready");
  assert_little_sent ();
  start_server (0);
  finish ();
  finals = harness_finals ("whisperlive/transcript");
  fail_unless (g_str_has_suffix (finals, "w57 w58 w59 w60"), "%s", finals);
  fail_unless_equals_uint64 (harness_stat ("audio-received"), 30 * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"),
      sum_of_losses ("overflow"));
}

HARNESS_END_TEST;

/* Nothing tells; in the end it takes more. */
GST_START_TEST (test_takes_nothing_for_long)
{
  guint i;

  make_full (FAR_AWAY, 0);
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

/* The server has the first words, and then hangs for an hour; only the response to its pings tells that it is there. Of the noise it
 * has any chunks, for they go while others are dropped: the silence keeps them apart from the words. */
GST_START_TEST (test_hour_of_hanging)
{
  gint64 since = g_get_monotonic_time ();

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", QUICK, "response-timeout", 0, "max-server-lag", 4000,
      "max-size-time", HELD * GST_SECOND, NULL);
  make_live ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 4, 0, 0);
  harness_wait_server (SCRIPTED_SAMPLES, 2 * 16000);
  push_hour ();
  harness_push_silence (1);
  harness_push_words (101, 10, 0, 0);
  /* as much as is sent of the silence takes no room */
  wait_lost_at_least ((HOUR + 7 - HELD) * GST_SECOND);
  assert_few_messages (since);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish ();
  harness_assert_finals ("w1 w2 w3 w4 w101 w102 w103 w104 w105 w106 w107 w108 "
      "w109 w110");
  fail_unless_equals_uint64 (sum_of_losses ("overflow"),
      harness_stat ("audio-lost"));
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

/* --- leaky --- */

#define FULL_MS 3000
typedef enum
{
  DROP_NOTHING,
  DROP_NEW,
  DROP_OLD,
} Drop;

/* The buffer with which the next chunk would be complete */
#define BLOCKED(ms) ((ms) / 20 + 5)

typedef struct
{
  const gchar *leaky;
  gboolean live;
  Drop drop;
} Leak;

static const Leak leaks[] = {
  {"auto", FALSE, DROP_NOTHING},
  {"auto", TRUE, DROP_OLD},
  {"none", FALSE, DROP_NOTHING},
  {"none", TRUE, DROP_NOTHING},
  {"upstream", FALSE, DROP_NEW},
  {"upstream", TRUE, DROP_NEW},
  {"downstream", FALSE, DROP_OLD},
  {"downstream", TRUE, DROP_OLD},
};

/* Half a second of silence is held, and room for five words. */
GST_START_TEST (test_leaky)
{
  const Leak *leak = &leaks[__i__];

  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  set_leaky (leak->leaky);
  g_object_set (h->src, "is-live", leak->live, NULL);
  count_buffers ();
  harness_push_silence (0.5);
  lose_session ();
  harness_push_words (1, 12, 0, 0);
  if (leak->drop != DROP_NOTHING) {
    wait_lost (3500 * GST_MSECOND);
  } else {
    wait_taken (BLOCKED (FULL_MS));
    fail_unless_equals_uint64 (harness_stat ("audio-received"),
        FULL_MS * GST_MSECOND);
  }
  scripted_server_start (h->server);
  finish ();
  switch (leak->drop) {
    case DROP_NOTHING:
      harness_assert_words (1, 12, 500 * GST_MSECOND);
      assert_lost ("overflow", 0, 0);
      break;
    case DROP_NEW:
      harness_assert_words (1, 5, 500 * GST_MSECOND);
      assert_lost ("overflow", 3000 * GST_MSECOND, 6500 * GST_MSECOND);
      break;
    case DROP_OLD:
      harness_assert_words (7, 6, 3500 * GST_MSECOND);
      assert_lost ("overflow", 0, 3500 * GST_MSECOND);
      break;
  }
}

HARNESS_END_TEST;

/* What is set holds from the next buffer on. */
GST_START_TEST (test_leaky_while_playing)
{
  scripted_server_kill (h->server);
  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  make_live ();
  count_buffers ();
  set_leaky ("upstream");
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 8, 0, 0);
  wait_lost (GST_SECOND);
  set_leaky ("downstream");
  harness_push_words (9, 2, 0, 0);
  wait_lost (GST_SECOND);
  set_leaky ("none");
  harness_push_words (11, 2, 0, 0);
  wait_taken (BLOCKED (5000));
  fail_unless_equals_uint64 (harness_stat ("audio-received"), 5 * GST_SECOND);
  scripted_server_start (h->server);
  finish ();
  harness_assert_finals ("w3 w4 w5 w6 w9 w10 w11 w12");
  fail_unless_equals_uint64 (sum_of_losses ("overflow"), 2 * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-received"), 6 * GST_SECOND);
}

HARNESS_END_TEST;

static GstPadProbeReturn
answer_as_live (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_PAD_PROBE_OK;
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return GST_PAD_PROBE_HANDLED;
}

/* As an input-selector has it that changes over to a microphone */
GST_START_TEST (test_next_stream_is_live)
{
  g_autoptr (GstPad) pad = NULL;

  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  harness_push_silence (0.5);
  lose_session ();
  pad = gst_element_get_static_pad (h->sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM |
      GST_PAD_PROBE_TYPE_PUSH, answer_as_live, NULL, NULL);
  fail_unless (gst_pad_send_event (pad, gst_event_new_stream_start ("next")));
  harness_push_words (1, 12, 0, 0);
  wait_lost (3500 * GST_MSECOND);
  scripted_server_start (h->server);
  finish ();
  harness_assert_words (7, 6, 3500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* What is lost on both sides of a jump in time are two losses, each at its time. */
GST_START_TEST (test_jump)
{
  const GstStructure *structure;
  guint64 running_time;
  guint i, found = 0;

  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  make_live ();
  set_leaky ("upstream");
  harness_start (GST_STATE_PLAYING);
  harness_wait_field ("whisperlive/state", "state", "connected");
  harness_push_words (1, 8, 0, 0);
  h->pts = 1000 * GST_SECOND;
  harness_push_words (9, 2, 0, 0);
  /* w7, w8, the silence that stands for the gap, w9 and w10 */
  wait_lost (4 * GST_SECOND);
  for (i = 0; (structure = harness_nth (LOST, i)) != NULL; i++)
    found += gst_structure_get_uint64 (structure, "running-time",
        &running_time) && running_time == 1000 * GST_SECOND;
  fail_unless_equals_int (found, 1);
  fail_unless_equals_uint64 (sum_of_losses ("overflow"), 4 * GST_SECOND);
  HARNESS_SCRIPT (hold_ready, FALSE);
  finish ();
  harness_assert_words (1, 6, 0);
}

HARNESS_END_TEST;

/* --- blocked --- */

static gpointer
go_down (gpointer state)
{
  gst_element_set_state (h->pipeline, GPOINTER_TO_INT (state));
  return NULL;
}

static gpointer
flush (gpointer unused)
{
  harness_seek (0);
  return NULL;
}

/* The queue is full, of what was sent, and the server says nothing. */
static void
block (void)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  harness_make_seekable ();
  count_buffers ();
  harness_start (GST_STATE_PLAYING);
  harness_push_hiss (6);
  wait_taken (BLOCKED (FULL_MS));
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      FULL_MS * GST_MSECOND);
}

/* The queue is full of words, and there is no server any more. */
static void
block_without_server (void)
{
  harness_make ("", QUICK, "max-size-time", FULL_MS * GST_MSECOND, NULL);
  count_buffers ();
  harness_push_words (1, 12, 0, 0);
  lose_session ();
  wait_taken (BLOCKED (FULL_MS));
  harness_state (GST_STATE_PLAYING);
}

static void
assert_all_lost (const gchar * reason)
{
  assert_lost (reason, 0, FULL_MS * GST_MSECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"),
      FULL_MS * GST_MSECOND);
}

/* To READY or NULL, by another thread, while the streaming thread is blocked */
GST_START_TEST (test_down_while_blocked)
{
  block ();
  g_thread_join (g_thread_new ("down", go_down, GINT_TO_POINTER (__i__)));
  fail_unless_equals_int (GST_STATE (h->sink), __i__);
  assert_all_lost ("stopped");
  harness_assert_balanced ();
}

HARNESS_END_TEST;

GST_START_TEST (test_flush_while_blocked)
{
  block ();
  g_thread_join (g_thread_new ("flush", flush, NULL));
  harness_push_words (21, 6, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish ();
  harness_assert_words (21, 6, 0);
  assert_all_lost ("flush");
}

HARNESS_END_TEST;

/* The chunk that was not let in is pushed again. */
GST_START_TEST (test_pause_while_blocked)
{
  guint i;

  block_without_server ();
  for (i = 0; i < 100; i++) {
    harness_state (GST_STATE_PAUSED);
    harness_state (GST_STATE_PLAYING);
  }
  scripted_server_start (h->server);
  finish ();
  harness_assert_words (1, 12, 0);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 0);
}

HARNESS_END_TEST;

/* What steps over nothing renders the same buffer again. */
static GstEvent *
make_event (gint i)
{
  if (i < 2)
    return gst_event_new_step (GST_FORMAT_BUFFERS, i, 1.0, TRUE, FALSE);
  return gst_event_new_instant_rate_sync_time (1.0, 0, 0);
}

/* Each wakes up who waits for PLAYING: the chunk that was not let in is neither lost nor doubled. */
GST_START_TEST (test_woken_while_blocked)
{
  h->pts = 1000 * GST_SECOND;
  block_without_server ();
  /* else it would preroll, and the step would be over that buffer */
  while (g_mutex_trylock (GST_BASE_SINK_GET_PREROLL_LOCK (h->sink))) {
    GST_BASE_SINK_PREROLL_UNLOCK (h->sink);
    g_thread_yield ();
  }
  harness_state (GST_STATE_PAUSED);
  gst_element_send_event (h->sink, make_event (__i__));
  harness_state (GST_STATE_PAUSED);
  harness_state (GST_STATE_PLAYING);
  scripted_server_start (h->server);
  finish ();
  /* what is stepped over takes no running time, which is a jump back and 2 s of silence */
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      (__i__ < 2 ? 8 : 6) * GST_SECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 0);
}

HARNESS_END_TEST;

/* --- hardly any room --- */

static const GstClockTime rooms[] =
    { 0, 50 * GST_MSECOND, GST_SECOND, G_MAXUINT64 };

/* The server makes nothing of less than a second: where that does not fit in, nothing would ever be settled. */
GST_START_TEST (test_room)
{
  harness_make ("", "max-size-time", rooms[__i__], "same-output-threshold", 2,
      NULL);
  harness_push_words (1, 5, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish ();
  /* words are cut where there is only room for two */
  if (rooms[__i__] > GST_SECOND)
    harness_assert_words (1, 5, 0);
  fail_unless_equals_uint64 (harness_stat ("audio-settled"),
      2500 * GST_MSECOND);
}

HARNESS_END_TEST;

static Suite *
overflow_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-overflow");
  TCase *tc = tcase_create ("overflow");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_loop_test (tc, test_hour_away, 0, N_AWAY);
  tcase_add_test (tc, test_hour_of_hanging);
  tcase_add_test (tc, test_takes_nothing);
  tcase_add_test (tc, test_takes_nothing_of_speech);
  tcase_add_test (tc, test_takes_nothing_for_long);
  tcase_add_loop_test (tc, test_leaky, 0, G_N_ELEMENTS (leaks));
  tcase_add_test (tc, test_leaky_while_playing);
  tcase_add_test (tc, test_next_stream_is_live);
  tcase_add_test (tc, test_jump);
  tcase_add_loop_test (tc, test_down_while_blocked, GST_STATE_NULL,
      GST_STATE_PAUSED);
  tcase_add_test (tc, test_flush_while_blocked);
  tcase_add_test (tc, test_pause_while_blocked);
  tcase_add_loop_test (tc, test_woken_while_blocked, 0, 3);
  tcase_add_loop_test (tc, test_room, 0, G_N_ELEMENTS (rooms));
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (overflow);
