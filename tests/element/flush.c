/* FLUSH and seeks: they never wait, what was queued is dropped, times start anew, the connection stays.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <gst/audio/audio.h>

#include "harness.h"

/* The words after the seek to @position came back, at running times from 0 and stream times from there. */
static void
finish (guint first, guint count, GstClockTime position)
{
  const GstStructure *structure;
  guint64 running_time, stream_time;

  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (first, count, 0);
  structure = harness_nth ("whisperlive/transcript", 0);
  fail_unless (gst_structure_get_uint64 (structure, "running-time",
          &running_time));
  fail_unless (gst_structure_get_uint64 (structure, "stream-time",
          &stream_time));
  fail_unless_equals_uint64 (stream_time, position + running_time);
  harness_assert_balanced ();
}

static void
make (void)
{
  harness_make ("", NULL);
  harness_make_seekable ();
}

/* The server has the old words, and would get them into one segment with the new ones: another session. */
GST_START_TEST (test_streaming)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  harness_seek (100 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (21, 12, 100 * GST_SECOND);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 2);
}

HARNESS_END_TEST;

/* The server has nothing but silence: the session stays. */
GST_START_TEST (test_silent)
{
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_silence (4);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  harness_seek (100 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  finish (21, 12, 100 * GST_SECOND);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

/* No pause between the old words and the new ones: they must not get into one segment. */
GST_START_TEST (test_in_mid_speech)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 8, 0, 0);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  harness_seek (100 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (21, 12, 100 * GST_SECOND);
}

HARNESS_END_TEST;

/* The partial of before is not made final at the end of what comes after. */
GST_START_TEST (test_open_partial)
{
  harness_make ("", "same-output-threshold", 1000, NULL);
  harness_make_seekable ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 3, 0, 0);
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
  harness_seek (100 * GST_SECOND);
  harness_push_silence (2);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("");
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* Nothing of what waited for the server gets to it. */
GST_START_TEST (test_connecting)
{
  g_autoptr (ScriptedSession) session = NULL;
  g_autofree gchar *expected = spoken_text (21, 12);

  HARNESS_SCRIPT (hold_upgrade, TRUE);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 12, 0, 0);
  harness_wait_server (SCRIPTED_REQUESTS, 1);
  harness_seek (10 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (hold_upgrade, FALSE);
  finish (21, 12, 10 * GST_SECOND);
  harness_wait_server (SCRIPTED_CLOSED, 1);
  session = scripted_server_session (h->server, 0);
  fail_unless_equals_string (session->heard, expected);
}

HARNESS_END_TEST;

GST_START_TEST (test_waiting_for_ready)
{
  HARNESS_SCRIPT (hold_ready, TRUE);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 12, 0, 0);
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  harness_seek (10 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (hold_ready, FALSE);
  finish (21, 12, 10 * GST_SECOND);
}

HARNESS_END_TEST;

/* The streaming thread is blocked: the element holds all it may, and the server answers nothing. */
GST_START_TEST (test_blocked)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  g_object_set (h->sink, "max-size-time", 10 * GST_SECOND, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 25);
  harness_wait_server (SCRIPTED_SAMPLES, 10 * 16000);
  harness_seek (0);
  harness_push_words (61, 12, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (61, 12, 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_frozen_server)
{
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  harness_wait_final ("w5");
  scripted_server_freeze (h->server);
  harness_seek (20 * GST_SECOND);
  harness_forget ();
  harness_push_words (21, 12, 0, 0);
  scripted_server_thaw (h->server);
  finish (21, 12, 20 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_paused)
{
  make ();
  harness_start (GST_STATE_PAUSED);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PAUSED);
  harness_seek (30 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  harness_state (GST_STATE_PAUSED);
  harness_state (GST_STATE_PLAYING);
  finish (21, 12, 30 * GST_SECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_draining)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_eos ();
  harness_wait_field ("whisperlive/state", "state", "draining");
  harness_seek (40 * GST_SECOND);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (21, 12, 40 * GST_SECOND);
}

HARNESS_END_TEST;

/* All is drained, and the server does not close yet. What comes needs a new session, and preroll waits for that. */
GST_START_TEST (test_closing)
{
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_silence (4);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  HARNESS_SCRIPT (read, FALSE);
  harness_eos ();
  harness_wait_field ("whisperlive/state", "state", "closing");
  harness_seek (40 * GST_SECOND);
  HARNESS_SCRIPT (read, TRUE);
  harness_push_words (21, 12, 0, 0);
  finish (21, 12, 40 * GST_SECOND);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 2);
}

HARNESS_END_TEST;

/* The old session is on its way out: what it still says is about audio that nobody has any more. */
GST_START_TEST (test_text_while_closing)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  g_object_set (h->sink, "post-raw", TRUE, "close-timeout", 60000, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 8, 0, 0);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  HARNESS_SCRIPT (read, FALSE);
  harness_seek (100 * GST_SECOND);
  harness_wait_field ("whisperlive/state", "state", "closing");
  scripted_server_send_text (h->server, "{\"uid\":\"$UID\",\"segments\":["
      "{\"start\":\"20.000\",\"end\":\"21.000\",\"text\":\"old\","
      "\"completed\":true}]}");
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/raw");
  HARNESS_SCRIPT (read, TRUE);
  harness_push_words (21, 12, 0, 0);
  HARNESS_SCRIPT (transcribe, TRUE);
  finish (21, 12, 100 * GST_SECOND);
}

HARNESS_END_TEST;

/* All that it holds goes at once, FLUSH_STOP may be a while. */
GST_START_TEST (test_start_drops_the_queue)
{
  g_autoptr (GstPad) pad = NULL;

  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  pad = gst_element_get_static_pad (h->sink, "sink");
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 8, 0, 0);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  gst_pad_send_event (pad, gst_event_new_flush_start ());
  fail_unless (harness_stat ("audio-lost") >= 3 * GST_SECOND);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

static GThread *without_the_stream_lock;

/* Stands before GStreamer's: the encoder forgets what it has. */
void
gst_audio_converter_reset (GstAudioConverter * converter)
{
  static const gchar library[] = "libgstaudio-1.0.so.0";
  void (*real) (GstAudioConverter *) =
      dlsym (dlopen (library, RTLD_LAZY), "gst_audio_converter_reset");

  fail_if (g_thread_self () == without_the_stream_lock,
      "the way down could have freed the encoder");
  real (converter);
}

GST_START_TEST (test_start_leaves_the_encoder_alone)
{
  g_autoptr (GstPad) pad = NULL;

  make ();
  pad = gst_element_get_static_pad (h->sink, "sink");
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_wait_final ("w5");
  without_the_stream_lock = g_thread_self ();
  gst_pad_send_event (pad, gst_event_new_flush_start ());
  without_the_stream_lock = NULL;
  harness_start (GST_STATE_READY);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

GST_START_TEST (test_many)
{
  guint i;

  make ();
  harness_start (GST_STATE_PLAYING);
  for (i = 0; i < 30; i++) {
    harness_push_words (1, 5, 0, 1);
    harness_seek (i * GST_SECOND);
  }
  harness_wait_server (SCRIPTED_READY, 1);
  harness_seek (50 * GST_SECOND);
  harness_forget ();
  harness_push_words (21, 12, 1, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 12, GST_SECOND);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

static Suite *
flush_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-flush");
  TCase *tc = tcase_create ("flush");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_streaming);
  tcase_add_test (tc, test_silent);
  tcase_add_test (tc, test_in_mid_speech);
  tcase_add_test (tc, test_open_partial);
  tcase_add_test (tc, test_connecting);
  tcase_add_test (tc, test_waiting_for_ready);
  tcase_add_test (tc, test_blocked);
  tcase_add_test (tc, test_frozen_server);
  tcase_add_test (tc, test_paused);
  tcase_add_test (tc, test_draining);
  tcase_add_test (tc, test_closing);
  tcase_add_test (tc, test_text_while_closing);
  tcase_add_test (tc, test_start_drops_the_queue);
  tcase_add_test (tc, test_start_leaves_the_encoder_alone);
  tcase_add_test (tc, test_many);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (flush);
