/* Where each word was in the stream: running and stream time of segments and words are those of the buffers that carried them, to 20 ms,
 * whatever the timestamps, the gaps, the segments and the connections.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#define TRANSCRIPT "whisperlive/transcript"
#define TOLERANCE (20 * GST_MSECOND)
#define WORD (GST_SECOND / 2)
#define TONE (GST_SECOND * 4 / 10)

/* Each test says itself where its words are: nothing here computes with segments as the element does. */
typedef struct
{
  guint number;
  GstClockTime running_time, stream_time, duration;
} Said;

static GstPad *src;
static GArray *said;            /* of Said, in the order in which they were pushed */
static GstSegment segment;
static gdouble speed, applied;  /* of what is said now */

static void
setup (void)
{
  harness_setup ();
  said = g_array_new (FALSE, FALSE, sizeof (Said));
}

static void
teardown (void)
{
  g_array_unref (said);
  harness_teardown ();
}

static void
push_event (GstEvent * event)
{
  fail_unless (gst_pad_push_event (src, event));
}

static void
set_caps (guint rate, guint channels)
{
  GstCaps *caps = gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING,
      "S16LE", "layout", G_TYPE_STRING, "interleaved", "rate", G_TYPE_INT,
      rate, "channels", G_TYPE_INT, channels, NULL);

  if (channels == 2)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK, (guint64) 0x3,
        NULL);
  h->rate = rate;
  h->channels = channels;
  push_event (gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* At normal speed, unless the test says otherwise. */
static void
begin_segment (void)
{
  speed = segment.rate;
  applied = segment.applied_rate;
  push_event (gst_event_new_segment (&segment));
}

/* A pad of our own in front of the sink: buffers and events go in from here, in their order. */
static void
make_in (GstFormat format)
{
  g_autofree gchar *description = NULL;
  g_autoptr (GstPad) sink = NULL;

  description = g_strdup_printf ("pipeline.( whisperlivesink name=sink uri=%s "
      "word-timestamps=true same-output-threshold=1000 retries=-1 "
      "retry-delay=20 retry-delay-max=100 )", scripted_server_uri (h->server));
  harness_launch (description);
  src = gst_pad_new ("src", GST_PAD_SRC);
  sink = gst_element_get_static_pad (h->sink, "sink");
  harness_start (GST_STATE_PLAYING);
  gst_pad_set_active (src, TRUE);
  fail_unless (GST_PAD_LINK_SUCCESSFUL (gst_pad_link (src, sink)));
  push_event (gst_event_new_stream_start ("times"));
  set_caps (16000, 1);
  gst_segment_init (&segment, format);
  begin_segment ();
}

static void
make (void)
{
  make_in (GST_FORMAT_TIME);
}

/* Buffers of 20 ms from @pts on, which may be NONE */
static void
push_pcm (GBytes * pcm, GstClockTime pts)
{
  gsize size = g_bytes_get_size (pcm), at, n;
  gsize frame = h->channels * 2, step = h->rate / 50 * frame;

  for (at = 0; at < size; at += n) {
    g_autoptr (GBytes) part = NULL;
    GstBuffer *buffer;

    n = MIN (step, size - at);
    part = g_bytes_new_from_bytes (pcm, at, n);
    buffer = gst_buffer_new_wrapped_bytes (part);
    if (GST_CLOCK_TIME_IS_VALID (pts))
      GST_BUFFER_PTS (buffer) =
          pts + gst_util_uint64_scale (at, GST_SECOND, frame * h->rate);
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (n, GST_SECOND, frame * h->rate);
    fail_unless_equals_int (gst_pad_push (src, buffer), GST_FLOW_OK);
  }
}

/* Words in buffers from @pts on, the first of which is at these times */
static void
say (guint first, guint count, GstClockTime pts, GstClockTime running_time,
    GstClockTime stream_time)
{
  g_autoptr (GBytes) pcm =
      spoken_words (first, count, h->rate, h->channels, 0, 0);
  guint i;

  for (i = 0; i < count; i++) {
    Said word = {.number = first + i };

    word.running_time = running_time + i * WORD / speed;
    word.stream_time = stream_time + i * WORD * applied;
    word.duration = TONE / speed;
    g_array_append_val (said, word);
  }
  push_pcm (pcm, pts);
}

static void
gap (GstClockTime timestamp, GstClockTime duration)
{
  push_event (gst_event_new_gap (timestamp, duration));
}

static void
assert_time (const gchar * what, const gchar * text, GstClockTime time,
    GstClockTime expected)
{
  fail_unless (ABS (GST_CLOCK_DIFF (expected, time)) <= TOLERANCE,
      "%s of \"%s\" is %" GST_TIME_FORMAT " instead of %" GST_TIME_FORMAT,
      what, text, GST_TIME_ARGS (time), GST_TIME_ARGS (expected));
}

static GstClockTime
get_time (const GstStructure * structure, const gchar * field)
{
  guint64 time = 0;

  fail_unless (gst_structure_get_uint64 (structure, field, &time),
      "no %s in %s", field, gst_structure_get_name (structure));
  return time;
}

static void
assert_word (const GstStructure * word, const Said * expected)
{
  g_autofree gchar *text = g_strdup_printf ("w%u", expected->number);

  fail_unless_equals_string (gst_structure_get_string (word, "text"), text);
  assert_time ("running time", text, get_time (word, "running-time"),
      expected->running_time);
  assert_time ("stream time", text, get_time (word, "stream-time"),
      expected->stream_time);
  assert_time ("duration", text, get_time (word, "duration"),
      expected->duration);
}

/* @final has the words from index @at of what was said on; returns how many. */
static guint
assert_segment (const GstStructure * final, guint at)
{
  const GValue *words = gst_structure_get_value (final, "words");
  const gchar *text = gst_structure_get_string (final, "text");
  const Said *first = &g_array_index (said, Said, at), *last;
  guint i, n;

  fail_unless (words != NULL, "no words in \"%s\"", text);
  n = gst_value_array_get_size (words);
  fail_unless (n > 0 && at + n <= said->len, "\"%s\" is too much", text);
  for (i = 0; i < n; i++)
    assert_word (gst_value_get_structure (gst_value_array_get_value (words, i)),
        first + i);
  last = first + n - 1;
  assert_time ("running time", text, get_time (final, "running-time"),
      first->running_time);
  assert_time ("stream time", text, get_time (final, "stream-time"),
      first->stream_time);
  if (last->running_time >= first->running_time)
    assert_time ("end", text, get_time (final, "running-time") +
        get_time (final, "duration"), last->running_time + last->duration);
  return n;
}

/* Each word came back once, and where it was. */
static void
finish (void)
{
  const GstStructure *structure;
  guint i, at = 0;
  gboolean final;

  push_event (gst_event_new_eos ());
  harness_wait (GST_MESSAGE_EOS, NULL);
  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++)
    if (gst_structure_get_boolean (structure, "final", &final) && final)
      at += assert_segment (structure, at);
  fail_unless_equals_int (at, said->len);
  harness_assert_balanced ();
  gst_clear_object (&src);
}

/* The server heard a pause before this word: it began a segment with it. */
static void
assert_pause_before (guint number)
{
  g_autofree gchar *first = g_strdup_printf ("w%u", number);
  const GstStructure *structure;
  gboolean final, found = FALSE;
  guint i;

  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++) {
    g_auto (GStrv) words =
        g_strsplit (gst_structure_get_string (structure, "text"), " ", 2);

    if (gst_structure_get_boolean (structure, "final", &final) && final)
      found |= g_str_equal (words[0], first);
  }
  fail_unless (found, "no pause was heard before %s", first);
}

GST_START_TEST (test_first_buffer_late)
{
  make ();
  say (1, 12, 3600 * GST_SECOND, 3600 * GST_SECOND, 3600 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

GST_START_TEST (test_no_timestamps)
{
  make ();
  say (1, 7, GST_CLOCK_TIME_NONE, 0, 0);
  finish ();
}

HARNESS_END_TEST;

/* Where there is no time at all, it starts at 0. */
GST_START_TEST (test_segment_of_bytes)
{
  make_in (GST_FORMAT_BYTES);
  say (1, 7, GST_CLOCK_TIME_NONE, 0, 0);
  finish ();
}

HARNESS_END_TEST;

/* No buffers for a while: a pause, of as much silence or of 2 s */
GST_START_TEST (test_gap)
{
  static const GstClockTime lengths[] =
      { 700 * GST_MSECOND, 3 * GST_SECOND, 3600 * GST_SECOND };
  GstClockTime length = lengths[__i__], at = 1500 * GST_MSECOND + length;

  make ();
  say (1, 3, 0, 0, 0);
  say (4, 7, at, at, at);
  finish ();
  assert_pause_before (4);
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      5 * GST_SECOND + MIN (length, 2 * GST_SECOND));
}

HARNESS_END_TEST;

/* Shorter than any pause: it delays nothing of what follows. */
GST_START_TEST (test_short_gaps)
{
  GstClockTime at;
  guint i;

  make ();
  for (i = 0; i < 40; i++) {
    at = i * (WORD + 100 * GST_MSECOND);
    say (i + 1, 1, at, at, at);
  }
  finish ();
}

HARNESS_END_TEST;

/* Told by an event, of any length; one event for each 20 ms is the same. */
GST_START_TEST (test_gap_events)
{
  GstClockTime at = 3 * WORD;
  guint i;

  make ();
  say (1, 3, 0, 0, 0);
  gap (at, GST_SECOND);
  at += GST_SECOND;
  say (4, 3, at, at, at);
  at += 3 * WORD;
  for (i = 0; i < 50; i++, at += 20 * GST_MSECOND)
    gap (at, 20 * GST_MSECOND);
  say (7, 3, at, at, at);
  at += 3 * WORD;
  gap (at, 600 * GST_SECOND);
  at += 600 * GST_SECOND;
  say (10, 3, at, at, at);
  finish ();
  assert_pause_before (4);
  assert_pause_before (7);
  assert_pause_before (10);
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      12 * WORD + 4 * GST_SECOND);
}

HARNESS_END_TEST;

/* Rates at which nothing is a whole number of samples: nothing adds up. */
GST_START_TEST (test_many_gap_events)
{
  GstClockTime at = 0;
  guint i, j;

  make ();
  set_caps (44100, 2);
  for (i = 0; i < 10; i++) {
    say (1 + 2 * i, 2, at, at, at);
    at += 2 * WORD;
    for (j = 0; j < 47; j++) {
      GstClockTime end = at + gst_util_uint64_scale (1024, GST_SECOND, 44100);

      gap (at, end - at);
      at = end;
    }
  }
  finish ();
}

HARNESS_END_TEST;

/* Who is silent by events has been heard to the end, and gets text without more audio. */
GST_START_TEST (test_gap_event_lets_text_come)
{
  make ();
  /* half of what a pass needs */
  say (1, 1, 0, 0, 0);
  gap (WORD, 2 * GST_SECOND);
  harness_wait_field (TRANSCRIPT, "text", "w1");
  finish ();
}

HARNESS_END_TEST;

/* Before the first buffer, and before caps */
GST_START_TEST (test_gap_event_first)
{
  make ();
  gap (0, 5 * GST_SECOND);
  say (1, 7, 5 * GST_SECOND, 5 * GST_SECOND, 5 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

/* The clock of a source goes back. */
GST_START_TEST (test_jump_back)
{
  make ();
  say (1, 3, 10 * GST_SECOND, 10 * GST_SECOND, 10 * GST_SECOND);
  say (4, 7, 4 * GST_SECOND, 4 * GST_SECOND, 4 * GST_SECOND);
  finish ();
  assert_pause_before (4);
}

HARNESS_END_TEST;

GST_START_TEST (test_caps_change)
{
  GstClockTime at = 10 * GST_SECOND;

  make ();
  set_caps (44100, 2);
  say (1, 3, at, at, at);
  set_caps (8000, 1);
  say (4, 3, at + 3 * WORD, at + 3 * WORD, at + 3 * WORD);
  set_caps (48000, 2);
  at = 20 * GST_SECOND;
  say (7, 3, at, at, at);
  finish ();
  assert_pause_before (7);
}

HARNESS_END_TEST;

/* Played faster than it was spoken: half the running time, the same stream time. */
GST_START_TEST (test_rate)
{
  make ();
  say (1, 6, 0, 0, 0);
  segment.rate = 2.0;
  segment.start = segment.time = 3 * GST_SECOND;
  segment.base = 3 * GST_SECOND;
  begin_segment ();
  say (7, 8, 3 * GST_SECOND, 3 * GST_SECOND, 3 * GST_SECOND);
  say (15, 5, 9 * GST_SECOND, 6 * GST_SECOND, 9 * GST_SECOND);
  finish ();
  assert_pause_before (15);
}

HARNESS_END_TEST;

/* Upstream has done so already: the same running time, twice the stream time. */
GST_START_TEST (test_applied_rate)
{
  make ();
  segment.applied_rate = 2.0;
  segment.time = 20 * GST_SECOND;
  begin_segment ();
  say (1, 7, 0, 0, 20 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

/* What is at 11 s is 1 s into the segment: it plays at 101 s, and is at 31 s of the stream. */
GST_START_TEST (test_base_and_time)
{
  make ();
  segment.start = 10 * GST_SECOND;
  segment.stop = 20 * GST_SECOND;
  segment.base = 100 * GST_SECOND;
  segment.time = 30 * GST_SECOND;
  begin_segment ();
  say (1, 7, 11 * GST_SECOND, 101 * GST_SECOND, 31 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

/* The first 2 s of the segment have been played before. */
GST_START_TEST (test_offset)
{
  make ();
  segment.start = segment.time = 10 * GST_SECOND;
  segment.offset = 2 * GST_SECOND;
  segment.base = 100 * GST_SECOND;
  begin_segment ();
  say (1, 7, 13 * GST_SECOND, 101 * GST_SECOND, 13 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

/* Without a flush: what comes plays when what was is over, without a pause. */
GST_START_TEST (test_next_segment)
{
  make ();
  say (1, 4, 0, 0, 0);
  segment.start = segment.time = 100 * GST_SECOND;
  segment.base = 2 * GST_SECOND;
  begin_segment ();
  say (5, 4, 100 * GST_SECOND, 2 * GST_SECOND, 100 * GST_SECOND);
  segment.start = segment.time = 0;
  segment.base = 4 * GST_SECOND;
  begin_segment ();
  say (9, 4, 0, 4 * GST_SECOND, 0);
  finish ();
  fail_unless_equals_uint64 (harness_stat ("audio-received"), 6 * GST_SECOND);
}

HARNESS_END_TEST;

/* With a flush, time starts anew. The server is not asked before. */
GST_START_TEST (test_flush)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  say (1, 6, 0, 0, 0);
  g_array_set_size (said, 0);
  push_event (gst_event_new_flush_start ());
  push_event (gst_event_new_flush_stop (TRUE));
  segment.start = segment.time = 50 * GST_SECOND;
  begin_segment ();
  HARNESS_SCRIPT (transcribe, TRUE);
  say (21, 7, 51 * GST_SECOND, GST_SECOND, 51 * GST_SECOND);
  finish ();
}

HARNESS_END_TEST;

/* The server's clock starts anew in mid-stream, behind a gap and in a segment with a rate. */
GST_START_TEST (test_reconnect)
{
  make ();
  say (1, 3, 0, 0, 0);
  say (4, 6, 30 * GST_SECOND, 30 * GST_SECOND, 30 * GST_SECOND);
  segment.rate = 1.5;
  segment.start = segment.time = 60 * GST_SECOND;
  segment.base = 33 * GST_SECOND;
  begin_segment ();
  say (10, 6, 60 * GST_SECOND, 33 * GST_SECOND, 60 * GST_SECOND);
  harness_wait_final ("w8");
  scripted_server_close (h->server, SCRIPTED_RESET);
  say (16, 12, 63 * GST_SECOND, 35 * GST_SECOND, 63 * GST_SECOND);
  finish ();
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_HANDSHAKES), 2);
}

HARNESS_END_TEST;

static Suite *
times_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-times");
  TCase *tc = tcase_create ("times");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_first_buffer_late);
  tcase_add_test (tc, test_no_timestamps);
  tcase_add_test (tc, test_segment_of_bytes);
  tcase_add_loop_test (tc, test_gap, 0, 3);
  tcase_add_test (tc, test_short_gaps);
  tcase_add_test (tc, test_gap_events);
  tcase_add_test (tc, test_many_gap_events);
  tcase_add_test (tc, test_gap_event_lets_text_come);
  tcase_add_test (tc, test_gap_event_first);
  tcase_add_test (tc, test_jump_back);
  tcase_add_test (tc, test_caps_change);
  tcase_add_test (tc, test_rate);
  tcase_add_test (tc, test_applied_rate);
  tcase_add_test (tc, test_base_and_time);
  tcase_add_test (tc, test_offset);
  tcase_add_test (tc, test_next_segment);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_reconnect);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (times);
