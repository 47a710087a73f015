/* Words in, finals out: each once, in order, at the time at which it was spoken, whatever the format and the pace.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "harness.h"

#define TRANSCRIPT "whisperlive/transcript"

static void
assert_drained (gboolean complete)
{
  const GstStructure *drained = harness_nth ("whisperlive/drained", 0);
  gboolean is_complete = !complete;

  fail_unless (drained != NULL, "nothing was said about the end");
  fail_unless (gst_structure_get_boolean (drained, "complete", &is_complete));
  fail_unless (is_complete == complete);
  fail_unless_equals_int (harness_n (GST_MESSAGE_ELEMENT,
          "whisperlive/drained"), 1);
}

/* All that was pushed has come back. */
static void
finish (guint first, guint count, GstClockTime start)
{
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (first, count, start);
  assert_drained (TRUE);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 0);
  harness_assert_balanced ();
}

static void
assert_heard (const gchar * expected)
{
  g_autoptr (ScriptedSession) session = scripted_server_session (h->server, 0);

  fail_unless_equals_string (session->heard, expected);
  fail_unless_equals_int (session->early_frames, 0);
  fail_unless_equals_uint64 (session->stats.trimmed_words, 0);
}

/* Nothing that was not settled was thrown away, be it only silence. */
static void
assert_never_trimmed (void)
{
  g_autoptr (ScriptedSession) session = scripted_server_session (h->server, 0);

  fail_unless (session->stats.trims > 0);
  fail_unless (session->stats.max_unsettled_at_trim <= 15,
      "%f s were unsettled when the server trimmed",
      session->stats.max_unsettled_at_trim);
}

GST_START_TEST (test_words)
{
  g_autofree gchar *expected = spoken_text (1, 24);
  g_autoptr (ScriptedSession) session = NULL;
  const GstStructure *structure;
  guint i;

  harness_make ("", NULL);
  harness_push_words (1, 24, 0, 0.2);
  harness_state (GST_STATE_PLAYING);
  finish (1, 24, 0);
  assert_heard (expected);
  fail_unless_equals_uint64 (harness_stat ("audio-received"),
      12200 * GST_MSECOND);
  fail_unless_equals_uint64 (harness_stat ("segments-final"), 5);
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
  session = scripted_server_session (h->server, 0);
  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++) {
    guint64 running_time, stream_time;

    fail_unless (gst_structure_get_uint64 (structure, "running-time",
            &running_time));
    fail_unless (gst_structure_get_uint64 (structure, "stream-time",
            &stream_time));
    fail_unless_equals_uint64 (running_time, stream_time);
    fail_unless_equals_string (gst_structure_get_string (structure,
            "session-id"), session->uid);
  }
}

HARNESS_END_TEST;

GST_START_TEST (test_wire_format)
{
  static const gchar *const nicks[] = { "float32", "int16", "uint8" };
  static const guint sizes[] = { 4, 2, 1 };
  g_autoptr (ScriptedSession) session = NULL;
  g_autofree gchar *expected = spoken_text (1, 12);
  guint i, odd = 0;
  guint64 bytes = 0;

  harness_make ("", NULL);
  gst_util_set_object_arg (G_OBJECT (h->sink), "audio-format", nicks[__i__]);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 0);
  assert_heard (expected);
  session = scripted_server_session (h->server, 0);
  fail_unless (strstr (session->handshake, nicks[__i__]) != NULL);
  for (i = 0; i < session->frame_sizes->len; i++) {
    guint samples =
        g_array_index (session->frame_sizes, guint, i) / sizes[__i__];

    /* a TensorRT server closes on less than 512 samples */
    fail_unless (samples >= 512, "a message of %u samples", samples);
    odd += samples != 1600;
    bytes += g_array_index (session->frame_sizes, guint, i);
  }
  /* the padding is sent as well */
  fail_unless (bytes > 6 * TRANSCRIBER_RATE * sizes[__i__]);
  fail_unless_equals_uint64 (harness_stat ("bytes-sent"), bytes);
  fail_unless (odd <= 1, "%u messages are not 100 ms long", odd);
}

HARNESS_END_TEST;

GST_START_TEST (test_chunk_duration)
{
  g_autoptr (ScriptedSession) session = NULL;
  guint i;

  harness_make ("", "chunk-duration", 250, NULL);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 0);
  session = scripted_server_session (h->server, 0);
  for (i = 0; i < 24; i++)
    fail_unless_equals_int (g_array_index (session->frame_sizes, guint, i),
        4000 * 4);
  /* the padding */
  for (; i < session->frame_sizes->len; i++)
    fail_unless (g_array_index (session->frame_sizes, guint, i) <= 4000 * 4);
}

HARNESS_END_TEST;

static const gchar *const formats[] = {
  "format=U8, rate=8000, channels=1",
  "format=S16LE, rate=44100, channels=2",
  "format=S16BE, rate=11025, channels=1",
  "format=S24LE, rate=48000, channels=2",
  "format=S24_32BE, rate=32000, channels=2",
  "format=S32LE, rate=96000, channels=1",
  "format=F32LE, rate=48000, channels=6, channel-mask=(bitmask)0x3f",
  "format=F64BE, rate=22050, channels=1",
  "format=F32LE, layout=non-interleaved, rate=48000, channels=2",
  "format=S16LE, layout=non-interleaved, rate=16000, channels=6, channel-mask=(bitmask)0x3f",
};

GST_START_TEST (test_sample_format)
{
  const gchar *format = formats[__i__];
  g_autofree gchar *middle = NULL, *expected = spoken_text (1, 12);

  middle =
      g_strdup_printf
      ("audioconvert ! audioresample ! audioconvert ! audio/x-raw, %s", format);
  h->rate = 48000;
  h->channels = strstr (format, "channels=1") ? 1 : 2;
  harness_make (middle, NULL);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 0);
  assert_heard (expected);
}

HARNESS_END_TEST;

/* As they come, without an audioconvert that might help. */
GST_START_TEST (test_channels)
{
  static const guint channels[] = { 1, 2, 3, 6, 8 };
  g_autofree gchar *expected = spoken_text (1, 7);

  h->rate = 44100;
  h->channels = channels[__i__];
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 7, 0);
  assert_heard (expected);
}

HARNESS_END_TEST;

GST_START_TEST (test_caps_change)
{
  g_autofree gchar *expected = spoken_text (1, 24);

  harness_make ("", NULL);
  harness_push_words (1, 6, 0, 0);
  harness_set_format (48000, 2);
  harness_push_words (7, 6, 0, 0);
  harness_set_format (8000, 1);
  harness_push_words (13, 6, 0, 0);
  harness_set_format (44100, 6);
  harness_push_words (19, 6, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 24, 0);
  assert_heard (expected);
}

HARNESS_END_TEST;

GST_START_TEST (test_first_buffer_late)
{
  harness_make ("", NULL);
  h->pts = 3600 * GST_SECOND;
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 3600 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_gap)
{
  g_autofree gchar *expected = spoken_text (1, 12);
  guint64 time;

  harness_make ("", NULL);
  harness_push_words (1, 5, 0, 1);
  h->pts = 60 * GST_SECOND;
  harness_push_words (6, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals (expected);
  h->cursor = 0;
  gst_structure_get_uint64 (gst_message_get_structure (harness_wait_final
          ("w5")), "running-time", &time);
  fail_unless (time < 20 * GST_MSECOND, "w1 at %" GST_TIME_FORMAT,
      GST_TIME_ARGS (time));
  gst_structure_get_uint64 (gst_message_get_structure (harness_wait_final
          ("w10")), "running-time", &time);
  fail_unless (ABS (GST_CLOCK_DIFF (60 * GST_SECOND, time)) <= 20 * GST_MSECOND,
      "w6 at %" GST_TIME_FORMAT, GST_TIME_ARGS (time));
}

HARNESS_END_TEST;

GST_START_TEST (test_base)
{
  g_autoptr (GstPad) pad = NULL;
  const GstStructure *structure;
  guint64 stream_time;

  harness_make ("", NULL);
  pad = gst_element_get_static_pad (h->sink, "sink");
  gst_pad_set_offset (pad, 5 * GST_SECOND);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 5 * GST_SECOND);
  structure = harness_nth (TRANSCRIPT, 0);
  fail_unless (gst_structure_get_uint64 (structure, "stream-time",
          &stream_time));
  fail_unless (stream_time < GST_SECOND);
}

HARNESS_END_TEST;

/* start=10 s, time=2 s, base=1 s: what is at 10 s plays at 1 s and is at 2 s of the stream. */
GST_START_TEST (test_segment)
{
  g_autoptr (GBytes) pcm = spoken_words (1, 12, 16000, 1, 0, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (pcm);
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *structure;
  GstSegment segment;
  guint64 running_time, stream_time;
  GstFlowReturn flow;

  harness_make ("", NULL);
  g_object_set (h->src, "handle-segment-change", TRUE, NULL);
  g_object_get (h->src, "caps", &caps, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 10 * GST_SECOND;
  segment.time = 2 * GST_SECOND;
  segment.base = 1 * GST_SECOND;
  GST_BUFFER_PTS (buffer) = 10 * GST_SECOND;
  GST_BUFFER_DURATION (buffer) = 6 * GST_SECOND;
  sample = gst_sample_new (buffer, caps, &segment, NULL);
  g_signal_emit_by_name (h->src, "push-sample", sample, &flow);
  fail_unless_equals_int (flow, GST_FLOW_OK);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, GST_SECOND);
  structure = harness_nth (TRANSCRIPT, 0);
  fail_unless (gst_structure_get_uint64 (structure, "stream-time",
          &stream_time));
  fail_unless (gst_structure_get_uint64 (structure, "running-time",
          &running_time));
  fail_unless_equals_uint64 (stream_time, running_time + GST_SECOND);
}

HARNESS_END_TEST;

/* One id from the first partial of an utterance to its final, counting up; a revision for each change. */
static void
assert_ids (void)
{
  const GstStructure *structure;
  guint64 id, last_id = 0;
  guint i, revision, expected = 0, partials = 0;
  gboolean final, closed = TRUE;

  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++) {
    fail_unless (gst_structure_get_uint64 (structure, "segment-id", &id));
    fail_unless (gst_structure_get_uint (structure, "revision", &revision));
    fail_unless (gst_structure_get_boolean (structure, "final", &final));
    if (i > 0 && closed)
      fail_unless (id > last_id,
          "segment-id %" G_GUINT64_FORMAT " again after its final", id);
    if (closed)
      expected = 0;
    else
      fail_unless_equals_uint64 (id, last_id);
    fail_unless_equals_int (revision, expected);
    expected++;
    closed = final;
    last_id = id;
    partials += !final;
  }
  fail_unless (partials > 0);
}

GST_START_TEST (test_partials)
{
  /* the server is not to complete a partial by itself while this test takes its time */
  harness_make ("", "same-output-threshold", 1000, NULL);
  harness_push_words (1, 3, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_field (TRANSCRIPT, "text", "w1 w2 w3");
  harness_push_words (4, 4, 0, 0);
  harness_wait_field (TRANSCRIPT, "text", "w6 w7");
  harness_push_words (8, 4, 0, 0);
  finish (1, 11, 0);
  assert_ids ();
}

HARNESS_END_TEST;

GST_START_TEST (test_no_partials)
{
  const GstStructure *structure;
  gboolean final;
  guint i;

  harness_make ("", "post-partials", FALSE, NULL);
  harness_push_words (1, 24, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 24, 0);
  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++)
    fail_unless (gst_structure_get_boolean (structure, "final", &final)
        && final);
}

HARNESS_END_TEST;

/* The server leaves the last segment out of each third message; nothing may be lost or doubled by that. */
GST_START_TEST (test_flicker)
{
  HARNESS_SCRIPT (model.flicker_every, 3);
  harness_make ("", NULL);
  harness_push_words (1, 34, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 34, 0);
}

HARNESS_END_TEST;

/* How many tags @name there are; each tells what @field of the last @message before it does, or @value. */
static guint
assert_tags (const gchar * name, const gchar * message, const gchar * field,
    const gchar * value)
{
  guint i, n = 0;

  for (i = 0; i < h->story->len; i++) {
    GstMessage *told = g_ptr_array_index (h->story, i);
    g_autoptr (GstTagList) tags = NULL;
    g_autofree gchar *text = NULL;

    if (message && gst_message_has_name (told, message))
      value = gst_structure_get_string (gst_message_get_structure (told),
          field);
    if (GST_MESSAGE_TYPE (told) != GST_MESSAGE_TAG)
      continue;
    gst_message_parse_tag (told, &tags);
    if (!gst_tag_list_get_string (tags, name, &text))
      continue;
    fail_unless_equals_string (text, value);
    n++;
  }
  return n;
}

/* Each final is told, and then its tag; the language once, however many sessions there are. */
GST_START_TEST (test_tags)
{
  harness_make ("", "language-code", "en-US", "retry-delay", 20,
      "same-output-threshold", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_close (h->server, 1011);
  harness_wait_server (SCRIPTED_READY, 2);
  harness_push_words (8, 5, 0, 0);
  finish (1, 12, 0);
  fail_unless_equals_uint64 (assert_tags ("whisperlive-transcript", TRANSCRIPT,
          "text", NULL), harness_stat ("segments-final"));
  fail_unless_equals_int (assert_tags (GST_TAG_LANGUAGE_CODE, NULL, NULL, "en"),
      1);
  /* nothing was detected */
  fail_unless (harness_nth ("whisperlive/language", 0) == NULL);
}

HARNESS_END_TEST;

GST_START_TEST (test_language)
{
  const GstStructure *structure;
  gdouble probability;
  guint i;

  HARNESS_SCRIPT (model.language, "de");
  harness_make ("", NULL);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 12, 0);
  structure = harness_nth ("whisperlive/language", 0);
  fail_unless (structure != NULL);
  fail_unless_equals_string (gst_structure_get_string (structure,
          "language-code"), "de");
  fail_unless (gst_structure_get_double (structure, "probability",
          &probability));
  fail_unless (probability == 0.96875);
  fail_unless_equals_int (assert_tags (GST_TAG_LANGUAGE_CODE,
          "whisperlive/language", "language-code", NULL),
      harness_n (GST_MESSAGE_ELEMENT, "whisperlive/language"));
  for (i = 0; (structure = harness_nth (TRANSCRIPT, i)) != NULL; i++)
    fail_unless_equals_string (gst_structure_get_string (structure,
            "language-code"), "de");
}

HARNESS_END_TEST;

/* What the server has not answered to is its lag. */
GST_START_TEST (test_lag)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", NULL);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 6 * TRANSCRIBER_RATE);
  fail_unless_equals_uint64 (harness_stat ("server-lag"), 6 * GST_SECOND);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (1, 12, 0);
  fail_unless_equals_uint64 (harness_stat ("server-lag"), 0);
  fail_unless_equals_uint64 (harness_stat ("max-server-lag-seen"),
      6 * GST_SECOND);
  /* in ns: two threads and two system calls take more than that */
  fail_unless (harness_stat ("round-trip") > 10 * GST_USECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_sync)
{
  harness_make ("", "sync", TRUE, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 7, 0);
}

HARNESS_END_TEST;

/* 75 s as fast as the element lets them go. */
GST_START_TEST (test_file_speed)
{
  g_autofree gchar *expected = spoken_text (1, 150);

  harness_make ("", NULL);
  harness_push_words (1, 150, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 150, 0);
  assert_heard (expected);
  assert_never_trimmed ();
}

HARNESS_END_TEST;

/* A server that needs its time. */
GST_START_TEST (test_file_speed_slow)
{
  g_autofree gchar *expected = spoken_text (1, 150);

  HARNESS_SCRIPT (pass_base, 150);
  HARNESS_SCRIPT (pass_factor, 30);
  harness_make ("", NULL);
  harness_push_words (1, 150, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 150, 0);
  assert_heard (expected);
  assert_never_trimmed ();
}

HARNESS_END_TEST;

/* ms; a message of 22 s takes the client less, but not with ThreadSanitizer */
#ifdef __SANITIZE_THREAD__
#define QUICK_PASS 1500
#else
#define QUICK_PASS 150
#endif

/* The server begins with the first message, and has room for three, before it throws anything away: as for clean speech, docs/recipes.md. */
GST_START_TEST (test_file_speed_long_messages)
{
  g_autofree gchar *expected = spoken_text (1, 150);
  g_autoptr (ScriptedSession) session = NULL;

  HARNESS_SCRIPT (pass_base, QUICK_PASS);
  HARNESS_SCRIPT (pass_factor, 30);
  harness_make ("", "no-speech-threshold", 1.0, "max-server-lag", 50000,
      "chunk-duration", 22000, NULL);
  gst_util_set_object_arg (G_OBJECT (h->sink), "audio-format", "int16");
  harness_push_words (1, 150, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 150, 0);
  assert_heard (expected);
  session = scripted_server_session (h->server, 0);
  fail_unless (session->stats.trims > 0);
  fail_unless (harness_stat ("max-server-lag-seen") >= 40 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_file_speed_pauses)
{
  g_autofree gchar *expected = spoken_text (1, 40);

  harness_make ("", NULL);
  harness_push_words (1, 10, 3, 12);
  harness_push_words (11, 10, 0, 25);
  harness_push_words (21, 20, 0, 3);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals (expected);
  assert_heard (expected);
  assert_drained (TRUE);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* It does not fill the queue: the server has to have it before it could be settled by age. */
GST_START_TEST (test_silence)
{
  harness_make ("", "max-size-time", 2 * GST_SECOND, NULL);
  harness_push_silence (60);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 60 * TRANSCRIBER_RATE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("");
  assert_heard ("");
  assert_drained (TRUE);
  fail_unless_equals_uint64 (harness_stat ("audio-settled"), 60 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_live)
{
  g_autofree gchar *expected = spoken_text (1, 7);

  harness_make ("", NULL);
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  finish (1, 7, 0);
  assert_heard (expected);
}

HARNESS_END_TEST;

/* What does not fit is dropped, the old or the new of it, and told. */
GST_START_TEST (test_overflow)
{
  static const gchar *const leaky[] = { "auto", "downstream", "upstream" };
  gboolean new = __i__ == 2;
  GstClockTime lost = 0;

  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", "max-size-time", 3 * GST_SECOND, NULL);
  gst_util_set_object_arg (G_OBJECT (h->sink), "leaky", leaky[__i__]);
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 12, 0, 0);
  harness_eos ();
  while (lost < 3 * GST_SECOND) {
    const GstStructure *structure = gst_message_get_structure (harness_wait
        (GST_MESSAGE_ELEMENT, "whisperlive/audio-lost"));
    guint64 duration;

    fail_unless_equals_string (gst_structure_get_string (structure, "reason"),
        "overflow");
    fail_unless (gst_structure_get_uint64 (structure, "duration", &duration));
    lost += duration;
  }
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (new ? 1 : 7, 6, new ? 0 : 3 * GST_SECOND);
  assert_drained (TRUE);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 3 * GST_SECOND);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

static Suite *
stream_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-stream");
  TCase *tc = tcase_create ("stream");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_words);
  tcase_add_loop_test (tc, test_wire_format, 0, 3);
  tcase_add_test (tc, test_chunk_duration);
  tcase_add_loop_test (tc, test_sample_format, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_channels, 0, 5);
  tcase_add_test (tc, test_caps_change);
  tcase_add_test (tc, test_first_buffer_late);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_base);
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_partials);
  tcase_add_test (tc, test_no_partials);
  tcase_add_test (tc, test_flicker);
  tcase_add_test (tc, test_tags);
  tcase_add_test (tc, test_language);
  tcase_add_test (tc, test_lag);
  tcase_add_test (tc, test_sync);
  tcase_add_test (tc, test_file_speed);
  tcase_add_test (tc, test_file_speed_slow);
  tcase_add_test (tc, test_file_speed_long_messages);
  tcase_add_test (tc, test_file_speed_pauses);
  tcase_add_test (tc, test_silence);
  tcase_add_test (tc, test_live);
  tcase_add_loop_test (tc, test_overflow, 0, 3);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (stream);
