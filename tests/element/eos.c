/* The end of a stream: the last words are got out of the server, then comes EOS, and never before.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#define DRAINED "whisperlive/drained"
#define LOST "whisperlive/audio-lost"

static guint64
get (const GstStructure * structure, const gchar * field)
{
  guint64 value = 0;

  fail_unless (gst_structure_get_uint64 (structure, field, &value),
      "no %s in %s", field, gst_structure_get_name (structure));
  return value;
}

/* Once, before EOS, and with the accounts balanced. */
static void
assert_drained (gboolean complete, GstClockTime received)
{
  gint at = harness_index (GST_MESSAGE_ELEMENT, DRAINED), eos =
      harness_index (GST_MESSAGE_EOS, NULL);
  const GstStructure *drained = harness_nth (DRAINED, 0);
  gboolean is_complete = !complete;

  fail_unless (drained != NULL, "nothing was said about the end");
  fail_unless (at < eos, "EOS came before " DRAINED);
  fail_unless_equals_int (harness_n (GST_MESSAGE_ELEMENT, DRAINED), 1);
  fail_unless (gst_structure_get_boolean (drained, "complete", &is_complete));
  fail_unless (is_complete == complete);
  fail_unless_equals_uint64 (get (drained, "audio-received"), received);
  fail_unless_equals_uint64 (get (drained, "audio-settled") + get (drained,
          "audio-lost"), received);
  if (complete)
    fail_unless_equals_uint64 (get (drained, "audio-lost"), 0);
  harness_assert_balanced ();
}

static void
assert_hung_up (guint session_index)
{
  g_autoptr (ScriptedSession) session = NULL;

  harness_wait_server (SCRIPTED_CLOSED, session_index + 1);
  session = scripted_server_session (h->server, session_index);
  fail_unless (session->end_of_audio, "the server never got END_OF_AUDIO");
  fail_unless_equals_int (session->close_code, 1000);
}

/* w6 and w7 never get further than a partial. */
static void
tell_and_drain (void)
{
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3500 * GST_MSECOND);
}

GST_START_TEST (test_last_words)
{
  harness_make ("", NULL);
  tell_and_drain ();
  assert_hung_up (0);
}

HARNESS_END_TEST;

/* Nothing but time tells then when the server has all. */
GST_START_TEST (test_no_pings)
{
  harness_make ("", "keepalive-interval", 0, NULL);
  tell_and_drain ();
  assert_hung_up (0);
  fail_unless_equals_uint64 (harness_stat ("round-trip"), 0);
}

HARNESS_END_TEST;

/* The last tone ends where the stream ends. */
GST_START_TEST (test_no_tail)
{
  g_autoptr (GBytes) words = spoken_words (1, 7, 16000, 1, 0, 0);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (words, 0, 3.4 * 16000 * 2);

  harness_make ("", NULL);
  harness_push_pcm (cut);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3400 * GST_MSECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_no_data)
{
  harness_make ("", NULL);
  harness_start (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("");
  assert_drained (TRUE, 0);
}

HARNESS_END_TEST;

/* Less than a second is never looked at by the server, unless something follows it. */
GST_START_TEST (test_short)
{
  g_autoptr (GBytes) words = spoken_words (1, 1, 16000, 1, 0, 0);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (words, 0, 0.3 * 16000 * 2);

  harness_make ("", NULL);
  harness_push_pcm (cut);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1-");
  assert_drained (TRUE, 300 * GST_MSECOND);
  assert_hung_up (0);
}

HARNESS_END_TEST;

/* Fewer samples than one message holds, and not a whole millisecond. */
GST_START_TEST (test_to_the_sample)
{
  g_autoptr (GBytes) words = spoken_words (1, 1, 16000, 1, 0, 0);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (words, 0, 1237 * 2);

  harness_make ("", NULL);
  harness_push_pcm (cut);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  assert_drained (TRUE, 1237 * (GST_SECOND / 16000));
}

HARNESS_END_TEST;

GST_START_TEST (test_silence)
{
  harness_make ("", NULL);
  harness_push_silence (2);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("");
  assert_drained (TRUE, 2 * GST_SECOND);
  assert_hung_up (0);
}

HARNESS_END_TEST;

/* The words are long over when the stream ends. */
GST_START_TEST (test_silence_after_words)
{
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 8);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 11500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* The pass that runs at EOS began before the last words came. */
GST_START_TEST (test_slow_pass)
{
  HARNESS_SCRIPT (pass_base, 1000);
  harness_make ("", NULL);
  harness_push_words (1, 3, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_PASSES_BEGUN, 1);
  harness_push_words (4, 4, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* The server's buffer is full of what it says the same about, and will not for ever; with a response-timeout and without. */
GST_START_TEST (test_repeats_before_the_last_words)
{
  g_autofree gchar *finals = NULL;

  HARNESS_SCRIPT (pass_base, 300);
  HARNESS_SCRIPT (pass_factor, 0);
  harness_make ("", "drain-timeout", 1500, "same-output-threshold", 15,
      "max-server-lag", 40000, "response-timeout", 30000 * __i__, NULL);
  harness_push_words (1, 7, 0, 45);
  harness_push_words (8, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  finals = harness_finals ("whisperlive/transcript");
  fail_unless_equals_string (finals,
      "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14");
  assert_drained (TRUE, 52 * GST_SECOND);
}

HARNESS_END_TEST;

static void
take_long (ScriptedScript * script)
{
  script->pass_base = 4000;
}

static void
be_quick (ScriptedScript * script)
{
  script->pass_base = 100;
}

/* Nor is there room in it before a pass ends that takes long. */
GST_START_TEST (test_slow_pass_before_the_last_words)
{
  HARNESS_SCRIPT (pass_base, 500);
  HARNESS_SCRIPT (pass_factor, 0);
  harness_make ("", "drain-timeout", 1000, "no-speech-threshold", 1.0,
      "max-server-lag", 40000, NULL);
  harness_push_words (1, 100, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait_server (SCRIPTED_PASSES_BEGUN, 2);
  harness_script (take_long);
  harness_wait_server (SCRIPTED_PASSES_BEGUN, 3);
  harness_script (be_quick);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 100, 0);
  assert_drained (TRUE, 50 * GST_SECOND);
}

HARNESS_END_TEST;

static void
stuck (ScriptedScript * script)
{
  script->transcribe = FALSE;
}

GST_START_TEST (test_never_transcribed)
{
  const GstStructure *lost;

  harness_script (stuck);
  harness_make ("", "drain-timeout", 500, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("");
  assert_drained (FALSE, 3500 * GST_MSECOND);
  lost = harness_nth (LOST, 0);
  fail_unless (lost != NULL);
  fail_unless_equals_string (gst_structure_get_string (lost, "reason"),
      "drain-timeout");
  fail_unless_equals_uint64 (get (lost, "running-time"), 0);
  fail_unless_equals_uint64 (get (lost, "duration"), 3500 * GST_MSECOND);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 3500 * GST_MSECOND);
  /* it hangs up all the same */
  assert_hung_up (0);
}

HARNESS_END_TEST;

/* Each new session gets as far as the one before, and would wait for text as long as that once more. */
GST_START_TEST (test_never_transcribed_by_any_session)
{
  harness_script (stuck);
  harness_make ("", "drain-timeout", 500, "max-server-lag", 1000,
      "max-session-duration", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  assert_drained (FALSE, 3500 * GST_MSECOND);
  fail_unless (harness_stat ("sessions") > 2);
}

HARNESS_END_TEST;

/* The first final is out when the server gets stuck: what it covers is settled, the rest is lost. */
GST_START_TEST (test_stuck_midway)
{
  const GstStructure *drained;
  guint64 settled;

  harness_make ("", "drain-timeout", 500, "same-output-threshold", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  harness_script (stuck);
  harness_push_words (8, 10, 0, 0);
  harness_wait_server (SCRIPTED_SAMPLES, 17 * 8000);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  assert_drained (FALSE, 8500 * GST_MSECOND);
  drained = harness_nth (DRAINED, 0);
  settled = get (drained, "audio-settled");
  fail_unless (settled >= 2380 * GST_MSECOND
      && settled < 8500 * GST_MSECOND, "settled: %" GST_TIME_FORMAT,
      GST_TIME_ARGS (settled));
  fail_unless (harness_n (GST_MESSAGE_ELEMENT, LOST) >= 1);
}

HARNESS_END_TEST;

/* Passes over all the audio and its padding complete nothing. With more of that they end elsewhere; or they never do, and another session
 * takes all for speech. */
GST_START_TEST (test_end_taken_for_no_speech)
{
  static const struct
  {
    gdouble from, to;           /* s after the last word */
    guint64 sessions;
  } cases[] = {
    {1.0, 2.0, 1},
    {0.55, 100.0, 2},
  };

  HARNESS_SCRIPT (model.no_speech_from, cases[__i__].from);
  HARNESS_SCRIPT (model.no_speech_to, cases[__i__].to);
  harness_make ("", NULL);
  tell_and_drain ();
  fail_unless_equals_uint64 (harness_stat ("sessions"), cases[__i__].sessions);
}

HARNESS_END_TEST;

/* SERVER_READY comes when the stream has long ended. */
GST_START_TEST (test_ready_after_eos)
{
  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", NULL);
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  harness_eos ();
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* The ping that is to tell when all has arrived waits for the answer to an earlier one. */
GST_START_TEST (test_ping_on_its_way)
{
  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", NULL);
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  HARNESS_SCRIPT (read, FALSE);
  HARNESS_SCRIPT (hold_ready, FALSE);
  /* then comes the first ping */
  harness_wait_field ("whisperlive/state", "state", "ready");
  harness_push_words (1, 3, 0, 0);
  harness_eos ();
  harness_wait_field ("whisperlive/state", "state", "draining");
  HARNESS_SCRIPT (read, TRUE);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 3, 0);
  assert_drained (TRUE, 1500 * GST_MSECOND);
}

HARNESS_END_TEST;

GST_START_TEST (test_paused_while_draining)
{
  harness_script (stuck);
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait_field ("whisperlive/state", "state", "draining");
  harness_state (GST_STATE_PAUSED);
  harness_state (GST_STATE_PLAYING);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* Each wakes up who waits for PLAYING. */
static GstEvent *
make_event (gint i)
{
  if (i == 0)
    return gst_event_new_step (GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE);
  return gst_event_new_instant_rate_sync_time (1.0, 0, 0);
}

GST_START_TEST (test_woken_while_draining)
{
  harness_script (stuck);
  harness_make ("", "async", __i__ < 2, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait_field ("whisperlive/state", "state", "draining");
  harness_state (GST_STATE_PAUSED);
  gst_element_send_event (h->sink, make_event (__i__ % 2));
  harness_state (GST_STATE_PAUSED);
  harness_state (GST_STATE_PLAYING);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  assert_drained (TRUE, 3500 * GST_MSECOND);
}

HARNESS_END_TEST;

/* EOS is not the end of the element: flushed, it takes a second stream. */
GST_START_TEST (test_again_after_flush)
{
  g_autofree gchar *finals = NULL;

  harness_make ("", NULL);
  harness_make_seekable ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_seek (0);
  harness_push_words (21, 7, 0, 0);
  harness_eos ();
  harness_wait_final ("w27");
  harness_wait (GST_MESSAGE_EOS, NULL);
  finals = harness_finals ("whisperlive/transcript");
  fail_unless_equals_string (finals,
      "w1 w2 w3 w4 w5 w6 w7 w21 w22 w23 w24 w25 w26 w27");
  fail_unless_equals_int (harness_n (GST_MESSAGE_ELEMENT, DRAINED), 2);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* READY and back: a new session, times from 0. */
GST_START_TEST (test_again_after_ready)
{
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_state (GST_STATE_READY);
  harness_forget ();
  h->pts = 0;
  /* an appsrc takes nothing before it has started */
  harness_start (GST_STATE_PLAYING);
  harness_push_words (21, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 7, 0);
  harness_wait_server (SCRIPTED_HANDSHAKES, 2);
  /* and the figures start anew */
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts"), 1);
  fail_unless_equals_uint64 (harness_stat ("reconnects"), 0);
}

HARNESS_END_TEST;

static Suite *
eos_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-eos");
  TCase *tc = tcase_create ("eos");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_last_words);
  tcase_add_test (tc, test_no_pings);
  tcase_add_test (tc, test_no_tail);
  tcase_add_test (tc, test_no_data);
  tcase_add_test (tc, test_short);
  tcase_add_test (tc, test_to_the_sample);
  tcase_add_test (tc, test_silence);
  tcase_add_test (tc, test_silence_after_words);
  tcase_add_test (tc, test_slow_pass);
  tcase_add_loop_test (tc, test_repeats_before_the_last_words, 0, 2);
  tcase_add_test (tc, test_slow_pass_before_the_last_words);
  tcase_add_test (tc, test_never_transcribed);
  tcase_add_test (tc, test_never_transcribed_by_any_session);
  tcase_add_test (tc, test_stuck_midway);
  tcase_add_loop_test (tc, test_end_taken_for_no_speech, 0, 2);
  tcase_add_test (tc, test_ready_after_eos);
  tcase_add_test (tc, test_ping_on_its_way);
  tcase_add_test (tc, test_paused_while_draining);
  tcase_add_loop_test (tc, test_woken_while_draining, 0, 4);
  tcase_add_test (tc, test_again_after_flush);
  tcase_add_test (tc, test_again_after_ready);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (eos);
