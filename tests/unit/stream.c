/* Tests of whisperlive-stream: audio out, text in, and what that settles
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "whisperlive-drain.h"
#include "whisperlive-stream.h"

#define N (WHISPERLIVE_RATE / 10)
#define MS G_GINT64_CONSTANT (1000)
#define SECOND (1000 * MS)
#define LOUD 0.1f
#define QUIET 0.01f
#define NOTHING_HEARD 0.0f
#define PADDING (WHISPERLIVE_DRAIN_PADDING_MS * 16)
#define SAMPLES(seconds) ((guint64) ((seconds) * WHISPERLIVE_RATE))
#define ROUND_TRIP (10 * MS)

static WhisperLiveSettings *settings;
static WhisperLiveQueue *queue;
static WhisperLiveStream *stream;
static guint64 pushed;
static gint64 now, again;

/* A connection that is ready; times in the stream are those since it began. */
static void
setup (void)
{
  settings = whisperlive_settings_new ();
  queue = whisperlive_queue_new ();
  whisperlive_queue_start (queue, 1000 * GST_SECOND);
  stream = whisperlive_stream_new (queue, settings);
  now = 1000 * SECOND;
  pushed = 0;
  whisperlive_stream_begin (stream, FALSE, now);
}

static void
teardown (void)
{
  whisperlive_stream_free (stream);
  whisperlive_queue_free (queue);
  whisperlive_settings_free (settings);
}

static void
push (gdouble seconds, gfloat level)
{
  guint n = seconds * 10 + 0.5;

  for (; n > 0; n--, pushed += N) {
    GstClockTime time = WHISPERLIVE_SAMPLES_TO_TIME (pushed);
    WhisperLiveMark mark = { 0, time, time, 1.0, 1.0 };
    gint16 *data = g_new (gint16, N);
    guint i;

    for (i = 0; i < N; i++)
      data[i] = level * G_MAXINT16;
    whisperlive_queue_push (queue, whisperlive_chunk_new (g_bytes_new_take
            (data, 2 * N), N, level, &mark), WHISPERLIVE_FULL_BLOCK);
  }
}

/* Sends what goes now, in chunks. */
static guint
pull (void)
{
  GBytes *frame;
  guint n = 0;

  while ((frame = whisperlive_stream_pull (stream, now, &again))) {
    g_bytes_unref (frame);
    n++;
  }
  return n;
}

/* Sends all, in as much time as that takes; the server says nothing, and nothing that is stuck shows. */
static void
pull_all (void)
{
  pull ();
  while (again != G_MAXINT64) {
    now = again;
    pull ();
  }
}

static gsize
pull_padding (void)
{
  GBytes *frame = whisperlive_stream_pull_padding (stream, ROUND_TRIP, now);
  gsize size = g_bytes_get_size (frame);

  g_bytes_unref (frame);
  now += ROUND_TRIP;
  return size;
}

/* There is no room for any. */
static void
check_no_padding (void)
{
  fail_unless (whisperlive_stream_pull_padding (stream, ROUND_TRIP,
          now) == NULL);
}

/* "C 0 2.5 Text" is completed, "P 0 2.5 Text" is not */
static WhisperLiveSegment *
make_segment (const gchar * spec)
{
  WhisperLiveSegment *segment = g_new0 (WhisperLiveSegment, 1);
  gchar *p = (gchar *) spec + 2;

  segment->start = (GstClockTime) (g_ascii_strtod (p, &p) * 1000 + 0.5) *
      GST_MSECOND;
  segment->end = (GstClockTime) (g_ascii_strtod (p + 1, &p) * 1000 + 0.5) *
      GST_MSECOND;
  segment->completed = spec[0] == 'C';
  segment->text = g_strdup (p + 1);
  return segment;
}

static GPtrArray *
make_segments (const gchar * spec)
{
  g_auto (GStrv) specs = g_strsplit (spec, "; ", -1);
  GPtrArray *segments = g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);
  guint i;

  for (i = 0; specs[i]; i++)
    g_ptr_array_add (segments, make_segment (specs[i]));
  return segments;
}

/* "p 0-2500 Text; f …": a partial or a final, positions in ms */
static gchar *
describe (GPtrArray * updates)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    g_string_append_printf (text, "%s%c %" G_GUINT64_FORMAT "-%"
        G_GUINT64_FORMAT " %s", i ? "; " : "", update->final ? 'f' : 'p',
        update->start / 16, update->end / 16, update->segment->text);
  }
  return g_string_free (text, FALSE);
}

static void
check_updates (GPtrArray * updates, const gchar * expected)
{
  g_autofree gchar *told = describe (updates);

  fail_unless_equals_string (told, expected);
  g_ptr_array_unref (updates);
}

static void
check_hear (const gchar * spec, const gchar * expected)
{
  g_autoptr (GPtrArray) segments = make_segments (spec);

  check_updates (whisperlive_stream_hear (stream, segments, now), expected);
}

static void
hear (const gchar * spec)
{
  g_autoptr (GPtrArray) segments = make_segments (spec);

  g_ptr_array_unref (whisperlive_stream_hear (stream, segments, now));
}

static void
check_settled (gdouble seconds)
{
  WhisperLiveCounters counters;

  whisperlive_queue_get_counters (queue, &counters);
  fail_unless_equals_uint64 (counters.settled,
      (guint64) (seconds * WHISPERLIVE_RATE + 0.5));
}

static WhisperLiveFlow
get_flow (void)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (queue, &flow);
  return flow;
}

static void
check_sent (gdouble seconds)
{
  fail_unless_equals_uint64 (get_flow ().sent,
      (guint64) (seconds * WHISPERLIVE_RATE + 0.5));
}

static guint64
get_held (void)
{
  WhisperLiveCounters counters;

  whisperlive_queue_get_counters (queue, &counters);
  return counters.received - counters.settled - counters.lost;
}

static gint64
get_deadline (void)
{
  return whisperlive_stream_get_response_deadline (stream);
}

static gboolean
is_stuck (void)
{
  return g_strcmp0 (whisperlive_stream_why_replace (stream, now, &again),
      "no text from this session") == 0;
}

static gboolean
is_drained (void)
{
  return whisperlive_stream_is_drained (stream, now, &again);
}

static GstClockTime
running_time (guint64 position)
{
  return
      whisperlive_timeline_running_time (whisperlive_stream_get_timeline
      (stream), position);
}

/* --- streaming --- */

GST_START_TEST (test_nothing_to_pull)
{
  fail_unless_equals_int (pull (), 0);
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_pull_hear_settled)
{
  push (3, LOUD);
  fail_unless_equals_int (pull (), 30);
  check_hear ("P 0 2 One", "p 0-2000 One");
  check_settled (0);
  check_hear ("C 0 1.5 One.; P 1.5 2.8 Two", "f 0-1500 One.; p 1500-2800 Two");
  check_settled (1.5);
  fail_unless_equals_uint64 (running_time (N), 100 * GST_MSECOND);
}

GST_END_TEST;

/* A final for audio that comes only later settles it as it comes. */
GST_START_TEST (test_final_ahead)
{
  push (0.5, LOUD);
  pull ();
  check_hear ("C 0 2 One.", "f 0-2000 One.");
  check_settled (0.5);
  push (1, LOUD);
  pull ();
  check_settled (1.5);
  push (1, LOUD);
  pull ();
  check_settled (2);
}

GST_END_TEST;

/* What no server can have heard is nonsense, and does not keep what follows from being heard. */
GST_START_TEST (test_final_far_ahead)
{
  push (3, LOUD);
  pull ();
  check_hear ("C 0 900000 One.", "f 0-3000 One.");
  check_settled (3);
  push (3, LOUD);
  pull ();
  check_hear ("C 3 5 Two.", "f 3000-5000 Two.");
}

GST_END_TEST;

GST_START_TEST (test_pull_waits_for_the_pacer)
{
  push (30, LOUD);
  pull ();
  check_sent (12);
  fail_unless_equals_int64 (again, 1010 * SECOND);
  hear ("C 0 4 One.; P 4 9 Two");
  pull ();
  check_sent (16);
}

GST_END_TEST;

GST_START_TEST (test_pull_ends_in_a_pause)
{
  push (10.8, LOUD);
  push (0.3, QUIET);
  push (10, LOUD);
  pull ();
  check_sent (11);
}

GST_END_TEST;

/* What the server has found nothing in does not count as in flight while it says something about what follows. */
GST_START_TEST (test_pull_after_noise)
{
  push (50, LOUD);
  pull ();
  while (get_flow ().sent < SAMPLES (20)) {
    now = again;
    pull ();
  }
  check_sent (20);
  check_hear ("P 18 20 One", "p 18000-20000 One");
  pull ();
  check_sent (30);
  /* that was a mistake */
  hear ("P 0 25 One");
  pull ();
  check_sent (30);
  check_settled (0);
}

GST_END_TEST;

GST_START_TEST (test_hear_the_same_again)
{
  push (3, LOUD);
  pull ();
  check_hear ("C 0 1.5 One.; P 1.5 2.8 Two", "f 0-1500 One.; p 1500-2800 Two");
  check_hear ("C 0 1.5 One.; P 1.5 2.8 Two", "");
  check_settled (1.5);
}

GST_END_TEST;

GST_START_TEST (test_reconnect)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1.55 One.");
  now += SECOND;
  whisperlive_stream_begin (stream, FALSE, now);
  /* from within a chunk on */
  fail_unless_equals_int (pull (), 15);
  check_hear ("C 0 1 Two.", "f 1550-2550 Two.");
  check_settled (2.55);
}

GST_END_TEST;

GST_START_TEST (test_jump_after_a_flush)
{
  WhisperLiveFlow flow;

  push (3, NOTHING_HEARD);
  pull ();
  /* 2 s that are never sent */
  push (2, LOUD);
  whisperlive_queue_flush (queue);
  whisperlive_queue_get_flow (queue, &flow);
  whisperlive_stream_flushed (stream, &flow);
  push (3, LOUD);
  fail_unless_equals_int (pull (), 30);
  /* text of what was flushed is nobody's; what the server calls 3 s is 5 s in the stream */
  check_hear ("C 1 2 Old.", "");
  check_hear ("C 1 2 Old.; C 3 4 New.", "f 5000-6000 New.");
  check_settled (1);
}

GST_END_TEST;

/* What a connection before this one owed is nobody's any more. */
GST_START_TEST (test_owed_text_is_flushed)
{
  WhisperLiveFlow flow;

  push (5, LOUD);
  pull ();
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  whisperlive_stream_begin (stream, FALSE, now);
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  whisperlive_queue_flush (queue);
  whisperlive_queue_get_flow (queue, &flow);
  whisperlive_stream_flushed (stream, &flow);
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_open_partial_is_flushed)
{
  WhisperLiveFlow flow;

  push (3, LOUD);
  pull ();
  hear ("P 0 2 One");
  whisperlive_queue_flush (queue);
  whisperlive_queue_get_flow (queue, &flow);
  whisperlive_stream_flushed (stream, &flow);
  check_updates (whisperlive_stream_finish (stream, TRUE), "");
}

GST_END_TEST;

/* The server is not told of the flush, and goes on with what it has. */
GST_START_TEST (test_translation_is_flushed)
{
  g_autoptr (GPtrArray) old = make_segments ("C 1 2 Alt.");
  g_autoptr (GPtrArray) both = make_segments ("C 1 2 Alt.; C 3 4 Neu.");
  WhisperLiveFlow flow;

  settings->translation_language_code = g_strdup ("de");
  push (3, NOTHING_HEARD);
  pull ();
  whisperlive_queue_flush (queue);
  whisperlive_queue_get_flow (queue, &flow);
  whisperlive_stream_flushed (stream, &flow);
  push (3, LOUD);
  pull ();
  check_updates (whisperlive_stream_hear_translation (stream, old), "");
  check_updates (whisperlive_stream_hear_translation (stream, both),
      "f 3000-4000 Neu.");
}

GST_END_TEST;

GST_START_TEST (test_translation_settles_nothing)
{
  g_autoptr (GPtrArray) segments = make_segments ("C 0 1.5 Eins.");

  push (3, LOUD);
  pull ();
  check_updates (whisperlive_stream_hear_translation (stream, segments),
      "f 0-1500 Eins.");
  check_settled (0);
}

GST_END_TEST;

/* Its times are those of its audio, though the text has gone on over a gap by then. */
GST_START_TEST (test_translation_comes_late)
{
  g_autoptr (GPtrArray) segments = make_segments ("C 0 1.5 Eins.");
  g_autoptr (GPtrArray) updates = NULL;
  const WhisperLiveUpdate *update;
  guint i;

  settings->translation_language_code = g_strdup ("de");
  push (2, LOUD);
  pushed += SAMPLES (100);
  push (2, LOUD);
  pull ();
  for (i = 0; i < 3; i++)
    hear ("C 0 2 One.; C 2 4 Two.");
  updates = whisperlive_stream_hear_translation (stream, segments);
  fail_unless_equals_int (updates->len, 1);
  update = g_ptr_array_index (updates, 0);
  fail_unless_equals_uint64 (running_time (update->start), 0);
  fail_unless_equals_uint64 (running_time (update->end), 1500 * GST_MSECOND);
}

GST_END_TEST;

GST_START_TEST (test_settle_by_age)
{
  push (3, NOTHING_HEARD);
  pull ();
  now += 45 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (0);
  whisperlive_stream_settle_by_age (stream, now + 1);
  check_settled (3);
}

GST_END_TEST;

GST_START_TEST (test_settle_by_age_only_what_is_old)
{
  push (2, LOUD);
  pull ();
  now += SECOND;
  push (2, LOUD);
  pull ();
  whisperlive_stream_settle_by_age (stream, now + 44 * SECOND + 1);
  check_settled (2);
}

GST_END_TEST;

/* A second of sound is enough for a pass: a server that works says something. */
GST_START_TEST (test_response_deadline)
{
  push (0.9, LOUD);
  pull ();
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  push (0.1, LOUD);
  pull ();
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  push (2, LOUD);
  pull ();
  now += SECOND;
  hear ("P 0 2 One");
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  now += SECOND;
  hear ("C 0 2.8 One.");
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
}

GST_END_TEST;

/* Nothing is known to be speech, and nothing to try the server with. It counts anew for each connection. */
GST_START_TEST (test_response_deadline_of_the_next)
{
  push (5, LOUD);
  pull ();
  now += 10 * SECOND;
  whisperlive_stream_leave (stream, now);
  whisperlive_stream_begin (stream, FALSE, now);
  pull ();
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  now = get_deadline ();
  whisperlive_stream_timed_out (stream, now);
  whisperlive_stream_begin (stream, TRUE, now);
  pull ();
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_no_response_deadline_in_silence)
{
  push (5, NOTHING_HEARD);
  pull ();
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  hear ("P 0 2 You");
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  now += 100 * SECOND;
  push (1, LOUD);
  pull_all ();
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_no_response_while_paused)
{
  push (5, LOUD);
  pull ();
  hear ("P 0 2 One");
  now += 100 * SECOND;
  whisperlive_stream_resumed (stream, now);
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
}

GST_END_TEST;

/* Music before the first word, for as long as it takes: each session gets further. */
GST_START_TEST (test_no_response_moves_on)
{
  push (5, LOUD);
  pull ();
  now = get_deadline ();
  whisperlive_stream_timed_out (stream, now);
  now += SECOND;
  whisperlive_stream_begin (stream, TRUE, now);
  pull ();
  /* servers had it for 46 s, and there was none for one */
  now += 16 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (5);
}

GST_END_TEST;

GST_START_TEST (test_no_response_timeout)
{
  settings->response_timeout = 0;
  push (3, LOUD);
  pull ();
  hear ("P 0 2 One");
  fail_unless_equals_int64 (whisperlive_stream_get_response_deadline (stream),
      G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_pausing)
{
  fail_unless (whisperlive_stream_is_pausing (stream));
  push (3, LOUD);
  pull ();
  fail_if (whisperlive_stream_is_pausing (stream));
  push (1, NOTHING_HEARD);
  pull ();
  fail_if (whisperlive_stream_is_pausing (stream));
  /* finals end a little before the last sound does */
  hear ("C 0 2.6 One.");
  fail_unless (whisperlive_stream_is_pausing (stream));
}

GST_END_TEST;

/* --- the end --- */

/* Each sample is held in 16 bits, and is sent as the server wants it. */
GST_START_TEST (test_frames)
{
  static const guint8 expected[3][4] =
      { {0, 0, 0, 0xbf}, {0, 0xc0, 0, 0xc0}, {0x40, 0x40, 0x40, 0x40} };
  WhisperLiveMark mark = { 0, 0, 0, 1.0, 1.0 };
  gint16 *data = g_new (gint16, N);
  GBytes *frame;
  gint i;

  settings->audio_format = __i__;
  for (i = 0; i < N; i++)
    data[i] = -16384;
  whisperlive_queue_push (queue, whisperlive_chunk_new (g_bytes_new_take
          (data, N * sizeof *data), N, 0.5, &mark), WHISPERLIVE_FULL_BLOCK);
  frame = whisperlive_stream_pull (stream, now, &again);
  fail_unless_equals_int (g_bytes_get_size (frame), N * (4 >> __i__));
  fail_unless (!memcmp (g_bytes_get_data (frame, NULL), expected[__i__], 4));
  g_bytes_unref (frame);
}

GST_END_TEST;

GST_START_TEST (test_padding)
{
  static const guint sizes[] = { 4, 2, 1 };
  static const guint8 silence[] = { 0, 0, 0x80 };
  const guint8 *data;
  GBytes *frame;
  gsize size, i;

  settings->audio_format = __i__;
  frame = whisperlive_stream_pull_padding (stream, ROUND_TRIP, now);
  data = g_bytes_get_data (frame, &size);
  fail_unless_equals_int (size, PADDING * sizes[__i__]);
  for (i = 0; i < size; i++)
    fail_unless_equals_int (data[i], silence[__i__]);
  g_bytes_unref (frame);
}

GST_END_TEST;

/* So many seconds, of which the first so many are settled */
static void
fill_buffer (gdouble seconds, gdouble settled)
{
  g_autofree gchar *last =
      g_strdup_printf ("C 24 28 Three.; C 28 %g Four.", settled);

  settings->max_server_lag = 16000;
  whisperlive_stream_begin (stream, FALSE, now);
  push (seconds, LOUD);
  pull ();
  hear ("C 0 12 One.");
  pull ();
  hear ("C 0 12 One.; C 12 24 Two.");
  pull ();
  hear ("C 12 24 Two.; C 24 28 Three.");
  pull ();
  hear (last);
  pull ();
  check_sent (seconds);
}

/* A server whose buffer is full throws away what it has not come to, be it for a second of silence. */
GST_START_TEST (test_padding_waits_for_the_buffer)
{
  fill_buffer (44.6, 29.2);
  check_no_padding ();
  hear ("C 28 29.2 Four.; C 29.2 30 Five.");
  fail_unless_equals_int (pull_padding (), 4 * PADDING);
}

GST_END_TEST;

/* There is room for half of it: so the pass that goes on is not followed by another one without any. */
GST_START_TEST (test_less_padding)
{
  fill_buffer (44.3, 28.5);
  fail_unless_equals_int (pull_padding (), 4 * PADDING / 2);
  whisperlive_stream_set_arrived (stream, now);
  hear ("C 28 28.5 Four.; P 28.5 30 Five");
  fail_if (is_drained ());
  check_hear ("C 28 28.5 Four.; C 28.5 42 Five.; P 42 44.5 Six.",
      "f 28500-42000 Five.; p 42000-44300 Six.");
  fail_unless (is_drained ());
}

GST_END_TEST;

/* The padding before is in there, too. */
GST_START_TEST (test_more_padding_waits_for_the_buffer)
{
  fill_buffer (43.8, 29.5);
  fail_unless_equals_int (pull_padding (), 4 * PADDING);
  whisperlive_stream_set_arrived (stream, now);
  hear ("C 28 29.5 Four.");
  fail_if (is_drained ());
  check_no_padding ();
  hear ("C 28 29.5 Four.; C 29.5 30.1 Five.");
  fail_unless_equals_int (pull_padding (), 4 * PADDING);
}

GST_END_TEST;

/* There may never be another message about noise. */
GST_START_TEST (test_padding_after_noise)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 3 One.");
  push (41.5, LOUD * 0.2f);
  pull_all ();
  check_sent (44.5);
  now = get_flow ().speech_at + SECOND;
  check_no_padding ();
  fail_if (is_drained ());
  fail_unless (again > now && again < now + 60 * SECOND);
  now = again;
  fail_unless_equals_int (pull_padding (), 4 * PADDING);
}

GST_END_TEST;

GST_START_TEST (test_final_in_the_padding)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  check_hear ("C 0 3.8 One.", "f 0-3000 One.");
  check_settled (3);
  fail_unless (is_drained ());
}

GST_END_TEST;

/* Nor does one that ends in what was sent after that. */
GST_START_TEST (test_final_in_more_padding)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  now += SECOND;
  hear ("C 0 1 One.");
  now += SECOND;
  hear ("C 0 1 One.");
  fail_if (whisperlive_stream_is_draining (stream));
  pull_padding ();
  check_hear ("C 0 1 One.; C 1 5.3 Two.", "f 1000-3000 Two.");
  check_settled (3);
}

GST_END_TEST;

GST_START_TEST (test_audio_after_the_padding)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  hear ("C 0 3.1 One.");
  push (2, LOUD);
  pull ();
  fail_if (whisperlive_stream_is_draining (stream));
  fail_if (is_drained ());
  /* 4.2 s of the connection is 3 s of the stream */
  check_hear ("C 0 3.1 One.; C 4.2 5.2 Two.", "f 3000-4000 Two.");
  check_settled (4);
}

GST_END_TEST;

GST_START_TEST (test_drained_with_nothing)
{
  fail_unless (is_drained ());
}

GST_END_TEST;

GST_START_TEST (test_drained_of_silence)
{
  push (3, NOTHING_HEARD);
  fail_if (is_drained ());
  pull ();
  fail_unless (is_drained ());
}

GST_END_TEST;

GST_START_TEST (test_not_drained_before_the_padding)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.; P 1 2 Two");
  hear ("C 0 1 One.; P 1 2 Two");
  fail_if (is_drained ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_drained_by_messages)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  hear ("P 0 2.5 One");
  fail_if (is_drained ());
  now += SECOND;
  hear ("P 0 2.5 One");
  fail_unless (is_drained ());
}

GST_END_TEST;

/* The server has it as a whole. A pass that begins later would hear the last words without those before them. */
GST_START_TEST (test_drained_by_the_last_message)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  hear ("C 0 2.9 One; P 2.9 2.95 two");
  fail_unless (is_drained ());
}

GST_END_TEST;

/* In what came before it, a pass may lack the rest. */
GST_START_TEST (test_not_drained_by_a_message_before_the_last)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  hear ("C 0 2.8 One; P 2.8 2.85 two");
  fail_if (is_drained ());
}

GST_END_TEST;

GST_START_TEST (test_drained_by_quiet)
{
  push (3, LOUD);
  pull ();
  hear ("P 0 1 One");
  now += SECOND;
  /* that pass was seen to take a second */
  hear ("C 0 3 One.");
  push (1, LOUD * 0.2f);
  pull ();
  pull_padding ();
  fail_if (is_drained ());
  fail_unless_equals_int64 (again, now - ROUND_TRIP + 4 * SECOND);
  now = again - 1;
  fail_if (is_drained ());
  now++;
  fail_unless (is_drained ());
}

GST_END_TEST;

/* A message about all that there is, and nothing in it: Whisper took its end for no speech, and may not do so with another. */
GST_START_TEST (test_padding_again)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.");
  fail_unless_equals_int (pull_padding (), 4 * PADDING);
  fail_unless (whisperlive_stream_is_draining (stream));
  now += SECOND;
  hear ("C 0 1 One.");
  fail_if (is_drained ());
  fail_if (whisperlive_stream_is_draining (stream));
  /* and no more of it */
  pull_padding ();
  now += SECOND;
  hear ("C 0 1 One.");
  fail_unless (whisperlive_stream_is_draining (stream));
  fail_if (is_stuck ());
  now += SECOND;
  hear ("C 0 1 One.");
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* The last word is in the first of them. */
GST_START_TEST (test_drained_after_padding_again)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.");
  pull_padding ();
  hear ("C 0 1 One.");
  fail_if (is_drained ());
  pull_padding ();
  hear ("C 0 1 One.; P 1 3.1 Two");
  fail_unless (is_drained ());
}

GST_END_TEST;

/* The second message after all that there is: also then another end may be better than another session. */
GST_START_TEST (test_padding_again_after_a_final)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  now += SECOND;
  hear ("C 0 1 One.");
  fail_unless (whisperlive_stream_is_draining (stream));
  now += SECOND;
  hear ("C 0 1 One.");
  fail_if (whisperlive_stream_is_draining (stream));
  fail_if (is_stuck ());
  pull_padding ();
  now += SECOND;
  hear ("C 0 1 One.");
  fail_if (is_stuck ());
  now += SECOND;
  hear ("C 0 1 One.");
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* There has been a message, on the connection before. */
static void
reconnect_and_pad (void)
{
  push (3, LOUD);
  pull ();
  hear ("P 0 0 ");
  whisperlive_stream_begin (stream, TRUE, now);
  pull ();
  pull_padding ();
}

/* Before the first final no message comes of such a pass. */
GST_START_TEST (test_padding_again_by_quiet)
{
  gint64 since = now;

  reconnect_and_pad ();
  fail_if (is_drained ());
  fail_unless_equals_int64 (again, since + 5 * SECOND / 2);
  now = again;
  fail_if (is_stuck ());
  fail_if (is_drained ());
  fail_if (whisperlive_stream_is_draining (stream));
  pull_padding ();
  /* that does not put off anything */
  now = since + 5 * SECOND;
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* With more padding no more than the partial came: before the first final nothing does. */
GST_START_TEST (test_stuck_with_a_partial_at_the_end)
{
  push (3, LOUD);
  pull ();
  hear ("P 0 1 One");
  pull_padding ();
  whisperlive_stream_set_arrived (stream, now);
  now += 5 * SECOND;
  fail_if (is_drained ());
  pull_padding ();
  whisperlive_stream_set_arrived (stream, now);
  fail_if (is_stuck ());
  now += 5 * SECOND;
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* One that has completed something would tell: the pass takes long. */
GST_START_TEST (test_not_stuck_with_a_partial_after_a_final)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.; P 1 2 Two");
  pull_padding ();
  whisperlive_stream_set_arrived (stream, now);
  now += 5 * SECOND;
  fail_if (is_drained ());
  pull_padding ();
  whisperlive_stream_set_arrived (stream, now);
  now += 10 * SECOND;
  fail_if (is_stuck ());
}

GST_END_TEST;

/* With a partial there may be a pass that takes long: not so soon another connection. */
GST_START_TEST (test_padding_again_after_a_partial)
{
  push (3, LOUD);
  pull ();
  hear ("P 0 1 One");
  pull_padding ();
  fail_if (is_drained ());
  fail_unless_equals_int64 (again, now - ROUND_TRIP + 5 * SECOND);
  now = again;
  fail_if (is_stuck ());
  fail_if (is_drained ());
  pull_padding ();
  fail_if (is_drained ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_finish_complete)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.; P 1 2.5 Two");
  check_updates (whisperlive_stream_finish (stream, TRUE), "f 1000-2500 Two");
  check_settled (3);
  fail_unless_equals_uint64 (get_held (), 0);
}

GST_END_TEST;

GST_START_TEST (test_finish_incomplete)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 One.; P 1 2.5 Two");
  check_updates (whisperlive_stream_finish (stream, FALSE), "f 1000-2500 Two");
  check_settled (2.5);
  fail_unless_equals_uint64 (get_held (), 5 * N);
}

GST_END_TEST;

GST_START_TEST (test_finish_without_a_partial)
{
  push (3, LOUD);
  pull ();
  check_updates (whisperlive_stream_finish (stream, FALSE), "");
  check_settled (0);
}

GST_END_TEST;

/* --- stuck --- */

/* A pass that has nothing to say but what it said before */
static void
hear_barren (guint n)
{
  while (n--) {
    now += SECOND / 2;
    hear ("C 0 1 One.");
  }
}

GST_START_TEST (test_stuck_by_messages)
{
  push (6, LOUD);
  pull ();
  hear ("C 0 1 One.");
  hear_barren (7);
  fail_if (is_stuck ());
  hear_barren (1);
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* As passes are in a live stream: each a second longer than the one before, and then some that Whisper takes for no speech. */
GST_START_TEST (test_partials_before_are_not_stuck)
{
  guint i;

  push (12, LOUD);
  pull ();
  hear ("C 0 1 One.");
  for (i = 0; i < 7; i++) {
    now += SECOND / 2;
    hear ("C 0 1 One.; P 1 5 two");
  }
  hear_barren (7);
  fail_if (is_stuck ());
  hear_barren (1);
  fail_unless (is_stuck ());
}

GST_END_TEST;

GST_START_TEST (test_partials_are_text)
{
  guint i;

  push (6, LOUD);
  pull ();
  for (i = 0; i < 20; i++) {
    now += SECOND / 2;
    hear ("P 0 5 One");
    fail_if (is_stuck ());
  }
}

GST_END_TEST;

GST_START_TEST (test_silence_is_not_stuck)
{
  push (2, LOUD);
  pull ();
  hear ("C 0 1.9 One.");
  push (6, NOTHING_HEARD);
  pull ();
  hear_barren (20);
  now += 60 * SECOND;
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_noise_is_not_stuck)
{
  push (2, LOUD);
  pull ();
  hear ("C 0 2 One.");
  push (6, LOUD * 0.2f);
  pull ();
  hear_barren (20);
  fail_if (is_stuck ());
}

GST_END_TEST;

/* How loud a speaker is, a click does not tell. */
GST_START_TEST (test_stuck_after_a_click)
{
  push (1, LOUD * 0.1f);
  push (0.1, LOUD);
  push (0.9, LOUD * 0.1f);
  pull ();
  hear ("C 0 2 One.");
  push (6, LOUD * 0.1f);
  pull ();
  hear_barren (20);
  fail_unless (is_stuck ());
}

GST_END_TEST;

GST_START_TEST (test_stuck_by_quiet_at_the_end)
{
  push (3, LOUD);
  pull ();
  pull_padding ();
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, now - ROUND_TRIP + 10 * SECOND);
  now = again - 1;
  fail_if (is_stuck ());
  now++;
  fail_unless (is_stuck ());
  /* and so it stays */
  now -= SECOND;
  fail_unless (is_stuck ());
  fail_if (is_drained ());
}

GST_END_TEST;

/* It has begun with a partial, and has more than a pass can be of by now: it will not say anything more. */
GST_START_TEST (test_stuck_by_quiet_after_a_partial)
{
  push (30, LOUD);
  pull ();
  hear ("P 0 1 One");
  pull ();
  check_sent (14);
  /* the pacer gives it more then, at 1.25 times real time */
  for (now += 10 * SECOND; get_flow ().sent <= 15 * WHISPERLIVE_RATE;
      now += SECOND / 10) {
    fail_if (is_stuck ());
    pull ();
  }
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* Where no end is taken for no speech, whether by the property, an option or for that a session was stuck, a long pass is none in vain. */
GST_START_TEST (test_not_stuck_where_all_is_speech)
{
  settings->max_server_lag = 40000;
  if (__i__ == 0)
    settings->no_speech_threshold = 1;
  if (__i__ == 1)
    settings->session_options =
        gst_structure_new ("options", "no_speech_thresh", G_TYPE_INT, 1, NULL);
  push (40, LOUD);
  if (__i__ == 2) {
    pull ();
    now += 20 * SECOND;
    fail_unless (is_stuck ());
  }
  whisperlive_stream_begin (stream, FALSE, now);
  while (get_flow ().sent <= 15 * WHISPERLIVE_RATE) {
    hear ("P 0 1 One");
    pull ();
  }
  now += 25 * SECOND;
  fail_if (is_stuck ());
}

GST_END_TEST;

/* With so little, it is at work. */
GST_START_TEST (test_not_stuck_with_a_partial)
{
  push (12, LOUD);
  pull ();
  hear ("P 0 1 One");
  now += 3600 * SECOND;
  fail_if (is_stuck ());
}

GST_END_TEST;

/* After a loss, too, one pass at a time. */
GST_START_TEST (test_careful)
{
  push (30, LOUD);
  pull ();
  check_sent (12);
  whisperlive_stream_begin (stream, TRUE, now);
  pull ();
  check_sent (10);
  hear ("P 0 5 One");
  pull ();
  check_sent (10);
  hear ("C 0 5 One.; P 5 10 Two");
  pull ();
  check_sent (17);
}

GST_END_TEST;

/* Quiet says nothing while the audio may still be on its way. */
GST_START_TEST (test_not_stuck_before_arrival)
{
  push (3, LOUD);
  pull ();
  g_bytes_unref (whisperlive_stream_pull_padding (stream,
          WHISPERLIVE_DRAIN_UNKNOWN, now));
  now += 3600 * SECOND;
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, G_MAXINT64);
  whisperlive_stream_set_arrived (stream, now);
  fail_unless (is_stuck ());
}

GST_END_TEST;

/* On any connection: then it is no pass that is so slow. */
GST_START_TEST (test_stuck_by_quiet_after_a_message)
{
  reconnect_and_pad ();
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, now - ROUND_TRIP + 5 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_stuck_by_quiet_after_slow_passes)
{
  push (3, LOUD);
  pull ();
  hear ("P 0 1 One");
  now += 2 * SECOND;
  hear ("C 0 1 One.");
  pull_padding ();
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, now - ROUND_TRIP + 15 * SECOND / 2);
}

GST_END_TEST;

GST_START_TEST (test_stuck_by_quiet_within_the_stream)
{
  push (20, LOUD);
  pull ();
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, 1020 * SECOND);
  now = again;
  fail_unless (is_stuck ());
}

GST_END_TEST;

GST_START_TEST (test_not_stuck_without_response_timeout)
{
  settings->response_timeout = 0;
  push (5, LOUD);
  pull ();
  now += 3600 * SECOND;
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

/* No more had been heard from it in PAUSED. */
GST_START_TEST (test_resumed_before_the_first_message)
{
  push (3, LOUD);
  pull ();
  whisperlive_stream_resumed (stream, now);
  pull_padding ();
  whisperlive_stream_set_arrived (stream, now);
  now += 9 * SECOND;
  fail_if (is_stuck ());
}

GST_END_TEST;

/* --- trials --- */

/* Sends what goes; returns the samples of it. */
static guint64
pull_samples (void)
{
  GBytes *frame;
  guint64 n = 0;

  while ((frame = whisperlive_stream_pull (stream, now, &again))) {
    n += g_bytes_get_size (frame) / 4;
    g_bytes_unref (frame);
  }
  return n;
}

static gboolean
is_to_be_replaced (void)
{
  return whisperlive_stream_why_replace (stream, now, &again) != NULL;
}

/* What the session does about that */
static void
replace (void)
{
  whisperlive_stream_leave (stream, now);
  now += SECOND;
  whisperlive_stream_begin (stream, FALSE, now);
}

/* The first 5 s have their text, and the server is silent about 2 s after that. */
static void
owe_text (void)
{
  push (7, LOUD);
  pull ();
  hear ("C 0 5 A sentence that is long enough.");
}

/* So the next connection is for a trial. */
static void
start_trial (void)
{
  owe_text ();
  now += 30 * SECOND;
  fail_unless (is_to_be_replaced ());
  replace ();
}

GST_START_TEST (test_trial)
{
  owe_text ();
  fail_if (is_to_be_replaced ());
  fail_unless_equals_int64 (again, now + 30 * SECOND);
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  now = again;
  fail_unless (is_to_be_replaced ());
  replace ();
  fail_unless (whisperlive_stream_is_on_trial (stream));
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  /* of the speech that had text no more than 3 s, between two pauses, and nothing else */
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (5));
  fail_unless_equals_int64 (again, G_MAXINT64);
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  fail_if (is_to_be_replaced ());
  fail_unless_equals_int64 (again, G_MAXINT64);

  now += SECOND;
  check_hear ("P 1 6 A sentence that is long enough.", "");
  fail_if (whisperlive_stream_is_on_trial (stream));
  fail_unless_equals_int64 (get_deadline (), G_MAXINT64);
  fail_unless (is_to_be_replaced ());
  check_hear ("C 1 6 A sentence that is long enough.", "");
  replace ();
  /* the server had these 2 s for 30 s, and works */
  check_settled (7);
  push (2, LOUD);
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (2));
  check_hear ("C 0 1.5 Two.", "f 7000-8500 Two.");
}

GST_END_TEST;

/* What came shortly before it is sent again: a long pass may not have had it. */
GST_START_TEST (test_trial_replays_the_latest)
{
  owe_text ();
  now += 16 * SECOND;
  push (3, LOUD);
  pull ();
  now += 14 * SECOND;
  fail_unless (is_to_be_replaced ());
  replace ();
  pull ();
  hear ("P 1 6 A sentence that is long enough.");
  fail_unless (is_to_be_replaced ());
  replace ();
  check_settled (7);
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (3));
  check_hear ("C 0 2 Two.", "f 7000-9000 Two.");
}

GST_END_TEST;

/* Nothing that a server may have had that hangs counts as heard, and the next connection is tried too. */
GST_START_TEST (test_trial_without_an_answer)
{
  start_trial ();
  pull ();
  now = get_deadline ();
  /* lost, and a new one */
  whisperlive_stream_begin (stream, FALSE, now);
  fail_unless (whisperlive_stream_is_on_trial (stream));
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (5));
  fail_unless_equals_int64 (get_deadline (), now + 30 * SECOND);
  now += SECOND;
  hear ("P 1 6 A sentence that is long enough.");
  replace ();
  check_settled (5);
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (2));
  check_hear ("C 0 1.5 Two.", "f 5000-6500 Two.");
}

GST_END_TEST;

/* Each answer doubles the time to the next, up to 16 times; a final sets it back. */
GST_START_TEST (test_trials_become_rare)
{
  static const guint factors[] = { 1, 2, 4, 8, 16, 16 };
  guint i;

  owe_text ();
  for (i = 0; i < G_N_ELEMENTS (factors); i++) {
    push (2, LOUD);
    pull ();
    fail_if (is_to_be_replaced ());
    fail_unless_equals_int64 (again, now + 30 * factors[i] * SECOND);
    now = again;
    fail_unless (is_to_be_replaced ());
    replace ();
    pull ();
    hear ("P 1 6 A sentence that is long enough.");
    replace ();
  }
  push (2, LOUD);
  pull ();
  hear ("C 0 0.5 Two.");
  fail_if (is_to_be_replaced ());
  fail_unless_equals_int64 (again, now + 30 * SECOND);
}

GST_END_TEST;

/* They go on when what was sent long ago is settled by age. */
GST_START_TEST (test_trials_go_on)
{
  gint64 answered;
  guint i;

  start_trial ();
  pull ();
  hear ("P 1 6 A sentence that is long enough.");
  answered = now;
  replace ();
  for (i = 0; !is_to_be_replaced (); i++) {
    fail_unless (i < 100);
    push (1, LOUD);
    pull ();
    now += SECOND;
    whisperlive_stream_settle_by_age (stream, now);
  }
  /* since there was enough for a pass */
  fail_unless_equals_int64 ((now - answered) / SECOND, 60 + 2);
  replace ();
  fail_unless (whisperlive_stream_is_on_trial (stream));
}

GST_END_TEST;

/* The first sentence of some length is kept, whatever comes later. */
GST_START_TEST (test_speech_for_a_trial)
{
  push (3, LOUD);
  pull ();
  hear ("C 0 1 Yes.");
  hear ("C 0 1 Yes.; C 1 2.4 No.");
  hear ("C 0 1 Yes.; C 1 2.4 No.; C 2.5 3 No!");
  push (8, LOUD);
  pull_all ();
  hear ("C 3 5 A sentence that is long enough.");
  hear ("C 5 8 And another one that is even longer.");
  now += 30 * SECOND;
  fail_unless (is_to_be_replaced ());
  replace ();
  fail_unless_equals_uint64 (pull_samples (), SAMPLES (4));
}

GST_END_TEST;

GST_START_TEST (test_no_trial_of_silence)
{
  push (5, LOUD);
  push (10, 0);
  pull_all ();
  hear ("C 0 5 A sentence that is long enough.");
  fail_if (is_to_be_replaced ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_no_trial_without_response_timeout)
{
  settings->response_timeout = 0;
  owe_text ();
  fail_if (is_to_be_replaced ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

/* Nothing is settled by age that a server which hangs may have had. */
GST_START_TEST (test_no_age_on_trial)
{
  start_trial ();
  pull ();
  now += 3600 * SECOND;
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  check_settled (5);
}

GST_END_TEST;

/* It is of what was said long ago. */
GST_START_TEST (test_no_translation_of_a_trial)
{
  g_autoptr (GPtrArray) segments = make_segments ("C 0 1 Ein Satz.");

  settings->translation_language_code = g_strdup ("de");
  start_trial ();
  pull ();
  check_updates (whisperlive_stream_hear_translation (stream, segments), "");
}

GST_END_TEST;

/* --- age --- */

/* Nothing comes of silence on the next connection either, and the time until then does not count. */
GST_START_TEST (test_age_over_connections)
{
  push (5, 0);
  pull ();
  now += 40 * SECOND;
  whisperlive_stream_leave (stream, now);
  now += 100 * SECOND;
  whisperlive_stream_begin (stream, FALSE, now);
  pull ();
  now += 4 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (0);
  now += 2 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (5);
}

GST_END_TEST;

/* Nor of sound that the server was given up for. */
GST_START_TEST (test_age_over_stuck_connections)
{
  push (20, LOUD);
  pull ();
  now += 20 * SECOND;
  fail_unless (is_stuck ());
  replace ();
  pull ();
  now += 24 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (0);
  now += 2 * SECOND;
  fail_unless (whisperlive_stream_settle_by_age (stream, now));
  /* what the first one had */
  check_settled (12);
}

GST_END_TEST;

/* A slow server that hangs up every 10 s comes no further than a few words each time. */
GST_START_TEST (test_no_age_over_short_sessions)
{
  guint i;

  owe_text ();
  push (5, LOUD);
  for (i = 0; i < 20; i++) {
    pull ();
    now += 2 * SECOND;
    hear (i % 2 ? "P 0 1 Two." : "C 0 0 Nothing.");
    now += 8 * SECOND;
    fail_if (whisperlive_stream_settle_by_age (stream, now));
    replace ();
    fail_if (whisperlive_stream_is_on_trial (stream));
  }
  check_settled (5);
}

GST_END_TEST;

/* When it does not even say that much, it is tried although each session is shorter than response-timeout. */
GST_START_TEST (test_trial_after_short_sessions)
{
  guint i;

  owe_text ();
  for (i = 0; !is_to_be_replaced (); i++) {
    fail_unless (i < 4);
    pull ();
    fail_unless (get_flow ().sent > get_flow ().head);
    now += 9 * SECOND;
    if (!is_to_be_replaced ())
      replace ();
  }
  fail_unless_equals_int (i, 3);
  replace ();
  fail_unless (whisperlive_stream_is_on_trial (stream));
  check_settled (5);
}

GST_END_TEST;

/* It had its time, and hangs up: so it is tried whether it used that. */
GST_START_TEST (test_trial_when_hung_up)
{
  owe_text ();
  now += 20 * SECOND;
  replace ();
  fail_unless (whisperlive_stream_is_on_trial (stream));
  pull ();
  now += SECOND;
  hear ("P 1 6 A sentence that is long enough.");
  check_settled (7);
}

GST_END_TEST;

/* How long it takes to say nothing is known from its answer. */
GST_START_TEST (test_stall_after_a_trial)
{
  push (30, LOUD);
  start_trial ();
  pull ();
  now += 2 * SECOND;
  hear ("P 1 6 A sentence that is long enough.");
  replace ();
  pull ();
  fail_unless_equals_int64 (again, now + 8 * SECOND);
}

GST_END_TEST;

/* One that takes 10 s for a sentence has not gone over all that it had for 15 s. */
GST_START_TEST (test_trial_of_a_slow_server)
{
  start_trial ();
  pull ();
  now += 10 * SECOND;
  hear ("P 1 6 A sentence that is long enough.");
  check_settled (5);
  replace ();
  pull ();
  now += 44 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (5);
}

GST_END_TEST;

/* A pass goes on, however long it takes: only what the server has found nothing in is old. */
GST_START_TEST (test_no_age_during_a_pass)
{
  push (9, LOUD);
  pull ();
  hear ("P 2 5 One");
  now += 3600 * SECOND;
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  check_settled (2);
}

GST_END_TEST;

/* That decides by itself what was heard. */
GST_START_TEST (test_no_age_while_draining)
{
  push (5, LOUD);
  pull ();
  pull_padding ();
  now += 3600 * SECOND;
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  check_settled (0);
}

GST_END_TEST;

/* As long as a server may be silent about sound, sound is not old. */
/* A slow server goes over it again and again: what it has to say, another session may. */
GST_START_TEST (test_no_age_of_barren_passes)
{
  push (20, LOUD);
  pull ();
  hear ("C 0 1 One.");
  now += 46 * SECOND;
  hear_barren (1);
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  check_settled (1);
  hear_barren (7);
  fail_unless (is_stuck ());
  replace ();
  pull ();
  now += 20 * SECOND;
  fail_unless (is_stuck ());
  replace ();
  pull ();
  /* two more have found nothing in it */
  fail_unless (whisperlive_stream_settle_by_age (stream, now));
}

GST_END_TEST;

GST_START_TEST (test_age_of_sound)
{
  settings->response_timeout = 90000;
  push (5, 0);
  push (5, LOUD);
  pull ();
  now += 46 * SECOND;
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  /* silence is */
  check_settled (5);
  now += 45 * SECOND;
  fail_unless (whisperlive_stream_settle_by_age (stream, now));
  check_settled (10);
}

GST_END_TEST;

GST_START_TEST (test_age_after_a_loss)
{
  push (5, LOUD);
  pull ();
  now += 40 * SECOND;
  whisperlive_stream_begin (stream, FALSE, now);
  pull ();
  now += 44 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (0);
  now += 2 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (5);
}

GST_END_TEST;

GST_START_TEST (test_age_after_a_loss_of_the_next)
{
  push (5, LOUD);
  pull ();
  now += 10 * SECOND;
  whisperlive_stream_leave (stream, now);
  whisperlive_stream_begin (stream, FALSE, now);
  pull ();
  now += SECOND;
  whisperlive_stream_begin (stream, FALSE, now);
  pull ();
  now += 44 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (0);
  now += 2 * SECOND;
  whisperlive_stream_settle_by_age (stream, now);
  check_settled (5);
}

GST_END_TEST;

GST_START_TEST (test_doubt)
{
  push (5, LOUD);
  pull ();
  now += 46 * SECOND;
  fail_unless (whisperlive_stream_settle_by_age (stream, now));
  check_settled (5);
  push (5, LOUD);
  pull ();
  now += 46 * SECOND;
  /* once is enough */
  fail_if (whisperlive_stream_settle_by_age (stream, now));
  check_settled (10);
}

GST_END_TEST;

GST_START_TEST (test_replay)
{
  push (20, LOUD);
  pull ();
  now += 20 * SECOND;
  fail_unless (is_stuck ());
  replace ();
  fail_if (is_stuck ());
  /* one pass at a time */
  pull ();
  check_sent (10);
  check_hear ("C 0 1 One.", "f 0-1000 One.");
}

GST_END_TEST;

/* How long passes take is known, and nothing comes of those that come to nothing. */
GST_START_TEST (test_replay_goes_on_in_quiet)
{
  push (30, LOUD);
  pull ();
  hear ("P 0 1 One");
  now += 2 * SECOND;
  hear ("C 0 1 One.");
  hear_barren (8);
  fail_unless (is_stuck ());
  replace ();
  pull ();
  check_sent (11);
  fail_unless_equals_int64 (again, now + 4 * SECOND);
  now = again;
  pull ();
  check_sent (13);
}

GST_END_TEST;

GST_START_TEST (test_replays_are_bounded)
{
  guint i;

  push (20, LOUD);
  for (i = 0; i < 2; i++) {
    pull ();
    now += 20 * SECOND;
    fail_unless (is_stuck ());
    replace ();
  }
  pull ();
  now += 3600 * SECOND;
  fail_if (is_stuck ());
  fail_unless_equals_int64 (again, G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_final_allows_replays_again)
{
  guint i;

  push (20, LOUD);
  for (i = 0; i < 2; i++) {
    pull ();
    now += 20 * SECOND;
    fail_unless (is_stuck ());
    replace ();
  }
  pull ();
  hear ("C 0 1 One.");
  pull ();
  now += 10 * SECOND;
  fail_unless (is_stuck ());
}

GST_END_TEST;

GST_START_TEST (test_drained_after_replays)
{
  guint i;

  push (3, LOUD);
  for (i = 0; i < 2; i++) {
    pull ();
    pull_padding ();
    now += 10 * SECOND;
    fail_unless (is_stuck ());
    fail_if (is_drained ());
    replace ();
  }
  pull ();
  pull_padding ();
  /* two passes that found nothing: then there is nothing */
  now += SECOND;
  hear ("P 0 0 ");
  now += SECOND;
  hear ("P 0 0 ");
  fail_if (is_stuck ());
  fail_unless (is_drained ());
}

GST_END_TEST;

GST_START_TEST (test_ordinary_reconnects_are_not_replays)
{
  guint i;

  push (20, LOUD);
  for (i = 0; i < 5; i++) {
    pull ();
    check_sent (12);
    replace ();
  }
  pull ();
  now += 20 * SECOND;
  fail_unless (is_stuck ());
}

GST_END_TEST;

GST_START_TEST (test_long_silence)
{
  guint i;

  /* an hour of it stays within bounds, and takes half of its time at most while nobody knows how slow the server is */
  for (i = 0; i < 3600; i++) {
    push (1, NOTHING_HEARD);
    pull_all ();
    whisperlive_stream_settle_by_age (stream, now);
    fail_if (is_stuck ());
  }
  fail_unless (now - 1000 * SECOND <= 3600 * SECOND / 2);
  fail_unless (get_held () < 500 * WHISPERLIVE_RATE);
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
stream_suite (void)
{
  Suite *suite = suite_create ("stream");
  TCase *tc = add_case (suite, "streaming");

  tcase_add_test (tc, test_nothing_to_pull);
  tcase_add_test (tc, test_pull_hear_settled);
  tcase_add_test (tc, test_final_ahead);
  tcase_add_test (tc, test_final_far_ahead);
  tcase_add_test (tc, test_pull_waits_for_the_pacer);
  tcase_add_test (tc, test_pull_ends_in_a_pause);
  tcase_add_test (tc, test_pull_after_noise);
  tcase_add_test (tc, test_hear_the_same_again);
  tcase_add_test (tc, test_reconnect);
  tcase_add_test (tc, test_jump_after_a_flush);
  tcase_add_test (tc, test_owed_text_is_flushed);
  tcase_add_test (tc, test_open_partial_is_flushed);
  tcase_add_test (tc, test_translation_is_flushed);
  tcase_add_test (tc, test_translation_settles_nothing);
  tcase_add_test (tc, test_translation_comes_late);
  tcase_add_test (tc, test_settle_by_age);
  tcase_add_test (tc, test_settle_by_age_only_what_is_old);
  tcase_add_test (tc, test_response_deadline);
  tcase_add_test (tc, test_response_deadline_of_the_next);
  tcase_add_test (tc, test_no_response_deadline_in_silence);
  tcase_add_test (tc, test_no_response_while_paused);
  tcase_add_test (tc, test_no_response_moves_on);
  tcase_add_test (tc, test_no_response_timeout);
  tcase_add_test (tc, test_pausing);
  tcase_add_test (tc, test_long_silence);

  tc = add_case (suite, "end");
  tcase_add_loop_test (tc, test_frames, 0, 3);
  tcase_add_loop_test (tc, test_padding, 0, 3);
  tcase_add_test (tc, test_padding_waits_for_the_buffer);
  tcase_add_test (tc, test_less_padding);
  tcase_add_test (tc, test_more_padding_waits_for_the_buffer);
  tcase_add_test (tc, test_padding_after_noise);
  tcase_add_test (tc, test_final_in_the_padding);
  tcase_add_test (tc, test_final_in_more_padding);
  tcase_add_test (tc, test_audio_after_the_padding);
  tcase_add_test (tc, test_drained_with_nothing);
  tcase_add_test (tc, test_drained_of_silence);
  tcase_add_test (tc, test_not_drained_before_the_padding);
  tcase_add_test (tc, test_drained_by_messages);
  tcase_add_test (tc, test_drained_by_the_last_message);
  tcase_add_test (tc, test_not_drained_by_a_message_before_the_last);
  tcase_add_test (tc, test_drained_by_quiet);
  tcase_add_test (tc, test_padding_again);
  tcase_add_test (tc, test_padding_again_after_a_final);
  tcase_add_test (tc, test_drained_after_padding_again);
  tcase_add_test (tc, test_padding_again_by_quiet);
  tcase_add_test (tc, test_stuck_with_a_partial_at_the_end);
  tcase_add_test (tc, test_not_stuck_with_a_partial_after_a_final);
  tcase_add_test (tc, test_padding_again_after_a_partial);
  tcase_add_test (tc, test_finish_complete);
  tcase_add_test (tc, test_finish_incomplete);
  tcase_add_test (tc, test_finish_without_a_partial);

  tc = add_case (suite, "stuck");
  tcase_add_test (tc, test_stuck_by_messages);
  tcase_add_test (tc, test_partials_before_are_not_stuck);
  tcase_add_test (tc, test_partials_are_text);
  tcase_add_test (tc, test_silence_is_not_stuck);
  tcase_add_test (tc, test_noise_is_not_stuck);
  tcase_add_test (tc, test_stuck_after_a_click);
  tcase_add_test (tc, test_stuck_by_quiet_at_the_end);
  tcase_add_test (tc, test_stuck_by_quiet_after_a_partial);
  tcase_add_loop_test (tc, test_not_stuck_where_all_is_speech, 0, 3);
  tcase_add_test (tc, test_not_stuck_with_a_partial);
  tcase_add_test (tc, test_careful);
  tcase_add_test (tc, test_not_stuck_before_arrival);
  tcase_add_test (tc, test_stuck_by_quiet_after_a_message);
  tcase_add_test (tc, test_stuck_by_quiet_after_slow_passes);
  tcase_add_test (tc, test_stuck_by_quiet_within_the_stream);
  tcase_add_test (tc, test_not_stuck_without_response_timeout);
  tcase_add_test (tc, test_resumed_before_the_first_message);
  tcase_add_test (tc, test_replay);
  tcase_add_test (tc, test_replay_goes_on_in_quiet);
  tcase_add_test (tc, test_replays_are_bounded);
  tcase_add_test (tc, test_final_allows_replays_again);
  tcase_add_test (tc, test_drained_after_replays);
  tcase_add_test (tc, test_ordinary_reconnects_are_not_replays);

  tc = add_case (suite, "trial");
  tcase_add_test (tc, test_trial);
  tcase_add_test (tc, test_trial_replays_the_latest);
  tcase_add_test (tc, test_trial_without_an_answer);
  tcase_add_test (tc, test_trials_become_rare);
  tcase_add_test (tc, test_trials_go_on);
  tcase_add_test (tc, test_speech_for_a_trial);
  tcase_add_test (tc, test_no_trial_of_silence);
  tcase_add_test (tc, test_no_trial_without_response_timeout);
  tcase_add_test (tc, test_no_translation_of_a_trial);
  tcase_add_test (tc, test_no_age_on_trial);
  tcase_add_test (tc, test_age_over_connections);
  tcase_add_test (tc, test_trial_of_a_slow_server);
  tcase_add_test (tc, test_stall_after_a_trial);
  tcase_add_test (tc, test_trial_when_hung_up);
  tcase_add_test (tc, test_trial_after_short_sessions);
  tcase_add_test (tc, test_no_age_over_short_sessions);
  tcase_add_test (tc, test_age_over_stuck_connections);
  tcase_add_test (tc, test_no_age_during_a_pass);
  tcase_add_test (tc, test_no_age_while_draining);
  tcase_add_test (tc, test_no_age_of_barren_passes);
  tcase_add_test (tc, test_age_of_sound);
  tcase_add_test (tc, test_age_after_a_loss);
  tcase_add_test (tc, test_age_after_a_loss_of_the_next);
  tcase_add_test (tc, test_doubt);
  return suite;
}

GST_CHECK_MAIN (stream);
