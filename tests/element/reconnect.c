/* A session that ends is replaced, and the story goes on: each word once, at its time, under one client id and a new
 * session id.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#define ALWAYS "retries", -1, "retry-delay", 20, "retry-delay-max", 100, "same-output-threshold", 1000

static void
make (void)
{
  harness_make ("", ALWAYS, NULL);
}

/* Only who waits is told for how long. */
static void
assert_retry_in (void)
{
  const GstStructure *structure;
  guint64 retry_in;
  guint i;

  for (i = 0; (structure = harness_nth ("whisperlive/state", i)) != NULL; i++) {
    const gchar *state = gst_structure_get_string (structure, "state");

    fail_unless (gst_structure_get_uint64 (structure, "retry-in", &retry_in));
    if (!g_str_equal (state, "waiting"))
      fail_unless (retry_in == 0, "%s for %" GST_TIME_FORMAT, state,
          GST_TIME_ARGS (retry_in));
  }
}

/* All the words, each once, and the ids as they have to be. */
static void
finish (guint first, guint count)
{
  const GstStructure *structure;
  guint64 id, last = 0;
  guint i;
  gboolean final;

  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (first, count, 0);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 0);
  harness_assert_balanced ();
  assert_retry_in ();
  for (i = 0; (structure = harness_nth ("whisperlive/transcript", i)) != NULL;
      i++) {
    gst_structure_get_uint64 (structure, "segment-id", &id);
    gst_structure_get_boolean (structure, "final", &final);
    fail_unless (i == 0 || id >= last);
    last = final ? id + 1 : id;
  }
}

/* @n connections, each with an id of its own */
static void
assert_sessions (guint n)
{
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint i;

  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_HANDSHAKES), n);
  for (i = 0; i < n; i++) {
    g_autoptr (ScriptedSession) session =
        scripted_server_session (h->server, i);

    fail_unless (g_hash_table_add (ids, g_strdup (session->uid)),
        "session-id %s again", session->uid);
    fail_unless_equals_uint64 (session->stats.trimmed_words, 0);
  }
}

/* A "whisperlive/state" has a @field of this @value. */
static gboolean
was_told (const gchar * field, const gchar * value)
{
  const GstStructure *structure;
  guint i;

  for (i = 0; (structure = harness_nth ("whisperlive/state", i)); i++)
    if (g_strcmp0 (gst_structure_get_string (structure, field), value) == 0)
      return TRUE;
  return FALSE;
}

static const gint codes[] = { SCRIPTED_RESET, 1000, 1001, 1009, 1011, 4000 };

GST_START_TEST (test_closed)
{
  g_autofree gchar *before = NULL, *after = NULL;

  make ();
  g_object_get (h->sink, "client-id", &before, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_close (h->server, codes[__i__]);
  harness_push_words (9, 16, 0, 0);
  finish (1, 24);
  assert_sessions (2);
  fail_unless_equals_uint64 (harness_stat ("reconnects"), 1);
  g_object_get (h->sink, "client-id", &after, NULL);
  fail_unless_equals_string (before, after);
}

HARNESS_END_TEST;

/* Ten in rapid succession */
GST_START_TEST (test_reconnection_with_new_session)
{
  g_autofree gchar *expected = spoken_text (1, 60);
  g_autofree gchar *before = NULL, *after = NULL;
  guint i;

  make ();
  g_object_get (h->sink, "client-id", &before, NULL);
  harness_start (GST_STATE_PLAYING);
  for (i = 0; i < 10; i++) {
    g_autofree gchar *last = g_strdup_printf ("w%u", 6 * i + 5);

    /* five words make a segment, and what follows completes it */
    harness_push_words (6 * i + 1, 5, 0, 1);
    harness_push_words (6 * i + 6, 1, 0, 1);
    harness_wait_final (last);
    scripted_server_close (h->server, i % 2 ? 1011 : SCRIPTED_RESET);
  }
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals (expected);
  assert_sessions (11);
  g_object_get (h->sink, "client-id", &after, NULL);
  fail_unless_equals_string (before, after);
}

HARNESS_END_TEST;

/* The language in the handshake of that session; NULL: it is to be detected */
static gchar *
told_language (guint index)
{
  g_autoptr (ScriptedSession) session = NULL;
  g_autoptr (JsonNode) handshake = NULL;

  harness_wait_server (SCRIPTED_HANDSHAKES, index + 1);
  session = scripted_server_session (h->server, index);
  handshake = json_from_string (session->handshake, NULL);
  return
      g_strdup (json_object_get_string_member_with_default (json_node_get_object
          (handshake), "language", NULL));
}

static void
assert_told_language (guint index, const gchar * language)
{
  g_autofree gchar *told = told_language (index);

  fail_unless_equals_string (told, language);
}

/* Until a server knows the language, it discards what it hears. The second is none of Whisper's, and would stop the server for ever. */
GST_START_TEST (test_detected_language_is_kept)
{
  static const gchar *const detected[] = { "de", "xx" };

  HARNESS_SCRIPT (model.language, detected[__i__]);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_push_words (6, 1, 0, 1);
  harness_wait_final ("w5");
  assert_told_language (0, NULL);
  scripted_server_close (h->server, 1011);
  assert_told_language (1, __i__ ? NULL : "de");
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6");
  /* but not after READY */
  harness_start (GST_STATE_READY);
  harness_start (GST_STATE_PLAYING);
  assert_told_language (2, NULL);
}

HARNESS_END_TEST;

/* It may be that of noise. */
GST_START_TEST (test_language_without_text_is_detected_again)
{
  HARNESS_SCRIPT (model.language_probability, 0);
  make ();
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_READY, 1);
  scripted_server_send_text (h->server,
      "{\"uid\":\"$UID\",\"language\":\"cy\",\"language_prob\":0.6}");
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/language");
  scripted_server_close (h->server, 1011);
  assert_told_language (1, NULL);
}

HARNESS_END_TEST;

GST_START_TEST (test_killed_and_started)
{
  make ();
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_kill (h->server);
  harness_push_words (9, 8, 0, 0);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  scripted_server_start (h->server);
  harness_push_words (17, 8, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

GST_START_TEST (test_overtime)
{
  make ();
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  HARNESS_SCRIPT (max_connection_time, 0);
  harness_push_words (9, 8, 0, 0);
  harness_wait_server (SCRIPTED_CLOSED, 1);
  HARNESS_SCRIPT (max_connection_time, 600000);
  harness_push_words (17, 8, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

GST_START_TEST (test_full_then_free)
{
  HARNESS_SCRIPT (full, TRUE);
  HARNESS_SCRIPT (wait_minutes, __i__ ? 60 : -0.1);
  make ();
  harness_push_words (1, 24, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_WAITS, 3);
  HARNESS_SCRIPT (full, FALSE);
  finish (1, 24);
  fail_unless (harness_stat ("waits") >= 3);
}

HARNESS_END_TEST;

/* One that takes nobody for a moment does not refuse what it has taken before. */
GST_START_TEST (test_refused_after_a_session)
{
  make ();
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  HARNESS_SCRIPT (close_at_handshake, 1000);
  scripted_server_kill (h->server);
  scripted_server_start (h->server);
  harness_push_words (9, 16, 0, 0);
  harness_wait_server (SCRIPTED_HANDSHAKES, 3);
  HARNESS_SCRIPT (close_at_handshake, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

/* Who hangs up on silence after a while has worked: a night of that is no reason to give up. */
GST_START_TEST (test_sessions_without_speech_are_no_failures)
{
  HARNESS_SCRIPT (close_after_samples, 9 * TRANSCRIBER_RATE);
  harness_make ("", "retries", 1, "retry-delay", 10, "sync", TRUE, NULL);
  harness_push_words (1, 3, 0, 16);
  harness_push_words (4, 4, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_CLOSED, 1);
  HARNESS_SCRIPT (close_after_samples, 13 * TRANSCRIBER_RATE);
  harness_wait_server (SCRIPTED_CLOSED, 2);
  HARNESS_SCRIPT (close_after_samples, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  assert_sessions (3);
}

HARNESS_END_TEST;

/* Only pings can tell. */
GST_START_TEST (test_dead_peer)
{
  harness_make ("", ALWAYS, "keepalive-interval", 300, "connect-timeout", 300,
      "response-timeout", 0, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_freeze (h->server);
  harness_wait_field ("whisperlive/state", "previous", "ready");
  scripted_server_thaw (h->server);
  harness_push_words (9, 16, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

/* The model is stuck after some words, and more of them come. */
static void
hang (void)
{
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  HARNESS_SCRIPT (transcribe, FALSE);
  harness_push_words (9, 8, 0, 0);
}

/* Pings are answered. */
GST_START_TEST (test_no_response)
{
  harness_make ("", ALWAYS, "response-timeout", 500, "keepalive-interval", 100,
      NULL);
  hang ();
  harness_wait_server (SCRIPTED_UPGRADES, 2);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_push_words (17, 8, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

/* There has never been a word, and nothing to try it with. */
GST_START_TEST (test_no_response_at_all)
{
  g_autoptr (GError) error = NULL;

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", ALWAYS, "response-timeout", 500, "keepalive-interval", 100,
      "retries", 2, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_WRITE));
  fail_unless_equals_uint64 (harness_stat ("sessions"), 3);
  fail_unless (harness_stat ("audio-lost") > 0);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* Who pauses waits for no text. */
GST_START_TEST (test_no_response_while_paused)
{
  HARNESS_SCRIPT (ping_timeout, 1);
  harness_make ("", "response-timeout", 2000, "retries", 0,
      "same-output-threshold", 1000, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  HARNESS_SCRIPT (transcribe, FALSE);
  harness_start (GST_STATE_PAUSED);
  harness_push_words (9, 8, 0, 0);
  harness_state (GST_STATE_PAUSED);
  /* a second each */
  harness_wait_server (SCRIPTED_PONGS, harness_server_count (SCRIPTED_PONGS) +
      4);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_state (GST_STATE_PLAYING);
  finish (1, 16);
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
}

HARNESS_END_TEST;

/* It stays so: the second session has no partial to wait for, and the third is for a trial. */
GST_START_TEST (test_no_response_for_good)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ScriptedSession) second = NULL;
  guint i;

  harness_make ("", ALWAYS, "response-timeout", 500, "keepalive-interval", 100,
      "retries", 2, NULL);
  hang ();
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_WRITE));
  fail_unless_equals_uint64 (harness_stat ("sessions"), 4);
  fail_unless (harness_stat ("audio-lost") > 0);
  harness_assert_balanced ();
  second = scripted_server_session (h->server, 1);
  fail_unless (g_str_has_prefix (second->heard, "w6 w7 w8"));
  for (i = 2; i < 4; i++) {
    g_autoptr (ScriptedSession) trial = scripted_server_session (h->server, i);

    fail_unless (g_str_has_prefix (trial->heard, "w1"), "%s", trial->heard);
    fail_if (strstr (trial->heard, "w6"), "%s", trial->heard);
  }
}

HARNESS_END_TEST;

/* It was tried, and then it answers: nothing of the trial is told. */
GST_START_TEST (test_no_response_for_long)
{
  harness_make ("", ALWAYS, "response-timeout", 500, "keepalive-interval", 100,
      NULL);
  hang ();
  harness_wait_server (SCRIPTED_UPGRADES, 3);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_push_words (17, 8, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

/* Nor does the end of the stream wait for a trial longer than for anything else. */
GST_START_TEST (test_end_during_a_trial)
{
  harness_make ("", ALWAYS, "response-timeout", 2000, "drain-timeout", 300,
      "keepalive-interval", 100, NULL);
  hang ();
  harness_wait_server (SCRIPTED_UPGRADES, 3);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  fail_unless (harness_stat ("audio-lost") > 0);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* Nothing was lost by a server that has only silence to work on. */
GST_START_TEST (test_silence_is_no_loss)
{
  harness_make ("", ALWAYS, "response-timeout", 2000, "sync", TRUE, NULL);
  harness_push_words (1, 5, 0, 4);
  harness_push_words (6, 5, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10");
  assert_sessions (1);
}

HARNESS_END_TEST;

/* Nor by one that has been sent noise or music: it is tried, and has nothing to say about that. */
GST_START_TEST (test_noise_is_no_loss)
{
  harness_make ("", ALWAYS, "response-timeout", 1000, "same-output-threshold",
      3, "max-server-lag", 8000, NULL);
  harness_push_words (1, 8, 0, 0.5);
  harness_push_hiss (18);
  harness_push_words (9, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 "
      "w16");
  fail_if (was_told ("state", "waiting"));
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 0);
  harness_assert_balanced ();
  fail_unless (was_told ("reason", "the server works: on with the stream"));
}

HARNESS_END_TEST;

GST_START_TEST (test_stops_reading)
{
  harness_make ("", ALWAYS, "keepalive-interval", 300, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  HARNESS_SCRIPT (read, FALSE);
  harness_push_words (9, 8, 0, 0);
  harness_wait_field ("whisperlive/state", "previous", "ready");
  HARNESS_SCRIPT (read, TRUE);
  harness_push_words (17, 8, 0, 0);
  finish (1, 24);
}

HARNESS_END_TEST;

GST_START_TEST (test_max_session_duration)
{
  harness_make ("", ALWAYS, "max-session-duration", 2000, "sync", TRUE, NULL);
  harness_push_words (1, 14, 0, 0);
  harness_state (GST_STATE_PLAYING);
  finish (1, 14);
  fail_unless (harness_stat ("sessions") >= 2);
}

HARNESS_END_TEST;

/* Its time is over before it is missed that the server says nothing, and then no pause is waited for. */
GST_START_TEST (test_max_session_duration_in_mid_speech)
{
  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", "max-session-duration", 6000, "response-timeout", 17500,
      "retries", 0, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_field ("whisperlive/state", "reason", "max-session-duration");
}

HARNESS_END_TEST;

GST_START_TEST (test_eos_while_waiting)
{
  make ();
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_kill (h->server);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  harness_push_words (9, 4, 0, 0);
  harness_eos ();
  scripted_server_start (h->server);
  /* which says EOS once more, to no effect */
  finish (1, 12);
}

HARNESS_END_TEST;

/* Not all the words have come, and that is told before the error. */
static void
assert_incomplete (void)
{
  gboolean complete = TRUE;

  fail_unless_equals_int (harness_n (GST_MESSAGE_ELEMENT,
          "whisperlive/drained"), 1);
  fail_unless (gst_structure_get_boolean (harness_nth
          ("whisperlive/drained", 0), "complete", &complete));
  fail_if (complete);
  fail_unless (harness_index (GST_MESSAGE_ELEMENT, "whisperlive/drained")
      < harness_index (GST_MESSAGE_ERROR, NULL));
}

/* The error comes after exactly so many attempts, and says what was lost. */
GST_START_TEST (test_gone_for_good)
{
  g_autoptr (GError) error = NULL;
  guint64 attempts;

  harness_make ("", "retries", 3, "retry-delay", 10, "retry-delay-max", 40,
      "same-output-threshold", 1000, NULL);
  harness_push_words (1, 8, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  attempts = harness_stat ("connect-attempts");
  scripted_server_kill (h->server);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_WRITE), "%d: %s", error->code, error->message);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts") - attempts, 3);
  fail_unless (harness_n (GST_MESSAGE_ELEMENT, "whisperlive/audio-lost") >= 1);
  fail_unless (harness_index (GST_MESSAGE_ELEMENT, "whisperlive/audio-lost")
      < harness_index (GST_MESSAGE_ERROR, NULL));
  fail_unless_equals_string (gst_structure_get_string (harness_nth
          ("whisperlive/audio-lost", 0), "reason"), "session-failed");
  assert_incomplete ();
  harness_assert_balanced ();
}

HARNESS_END_TEST;

static guint64
sum_of_losses (void)
{
  const GstStructure *lost;
  guint64 sum = 0, duration;
  guint i;

  for (i = 0; (lost = harness_nth ("whisperlive/audio-lost", i)) != NULL; i++) {
    gst_structure_get_uint64 (lost, "duration", &duration);
    sum += duration;
  }
  return sum;
}

/* The streaming thread waits for room, and what is lost makes some. */
GST_START_TEST (test_gone_while_blocked)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *drained;
  guint64 received, settled, lost;

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", "retries", 0, "max-size-time", 2 * GST_SECOND, NULL);
  harness_push_words (1, 120, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 2 * TRANSCRIBER_RATE);
  scripted_server_kill (h->server);
  error = harness_wait_error ();
  drained = harness_nth ("whisperlive/drained", 0);
  gst_structure_get (drained, "audio-received", G_TYPE_UINT64, &received,
      "audio-settled", G_TYPE_UINT64, &settled,
      "audio-lost", G_TYPE_UINT64, &lost, NULL);
  fail_unless_equals_uint64 (received, settled + lost);
  fail_unless_equals_uint64 (sum_of_losses (), lost);
  /* nor does what waited come in after that */
  fail_unless_equals_uint64 (harness_stat ("audio-received"), received);
  assert_incomplete ();
  harness_assert_balanced ();
}

HARNESS_END_TEST;

GST_START_TEST (test_seek_while_waiting)
{
  make ();
  harness_make_seekable ();
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 5, 0, 1);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * 16000);
  scripted_server_kill (h->server);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  harness_seek (0);
  harness_forget ();
  scripted_server_start (h->server);
  harness_push_words (21, 12, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 12, 0);
  /* what the flush dropped counts as lost */
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* The next back-off is the @attempt-th, of @delay ms, give or take a fifth. */
static void
assert_waits (guint attempt, guint64 delay)
{
  const GstStructure *structure =
      gst_message_get_structure (harness_wait_field ("whisperlive/state",
          "state", "waiting"));
  guint64 retry_in;
  guint is_attempt;

  fail_unless (gst_structure_get (structure, "attempt", G_TYPE_UINT,
          &is_attempt, "retry-in", G_TYPE_UINT64, &retry_in, NULL));
  fail_unless_equals_int (is_attempt, attempt);
  fail_unless (retry_in >= delay * 8 / 10 * GST_MSECOND
      && retry_in <= delay * 12 / 10 * GST_MSECOND,
      "delay of attempt %u is %" GST_TIME_FORMAT, attempt,
      GST_TIME_ARGS (retry_in));
}

/* Many connections, over a network that takes its time: each failure doubles the delay up to the longest, text makes
 * it the first again. */
GST_START_TEST (test_connection_throttling)
{
  guint i, round, delay;

  HARNESS_SCRIPT (upgrade_delay, 20);
  harness_make ("", "retries", -1, "retry-delay", 20, "retry-delay-max", 200,
      "same-output-threshold", 1000, NULL);
  harness_start (GST_STATE_PLAYING);
  for (round = 0; round < 4; round++) {
    g_autofree gchar *last = g_strdup_printf ("w%u", 6 * round + 5);

    HARNESS_SCRIPT (http_status, 503);
    scripted_server_close (h->server, 1011);
    for (i = 1, delay = 20; i <= 6; i++, delay = MIN (2 * delay, 200))
      assert_waits (i, delay);
    HARNESS_SCRIPT (http_status, 0);
    harness_push_words (6 * round + 1, 5, 0, 1);
    harness_push_words (6 * round + 6, 1, 0, 1);
    harness_wait_final (last);
  }
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

/* Minutes, and what the server says is longer than the back-off would be. */
GST_START_TEST (test_waits_as_long_as_a_full_server_says)
{
  HARNESS_SCRIPT (full, TRUE);
  HARNESS_SCRIPT (wait_minutes, 2);
  harness_make ("", "retries", -1, "retry-delay", 20, "retry-delay-max", 600000,
      NULL);
  harness_start (GST_STATE_PLAYING);
  assert_waits (1, 120000);
}

HARNESS_END_TEST;

/* A server that begins to speak and hangs up each time gets no further. */
GST_START_TEST (test_partials_are_no_success)
{
  g_autoptr (GError) error = NULL;
  guint i;

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", "retries", 2, "retry-delay", 20, "retry-delay-max", 20,
      NULL);
  harness_push_words (1, 3, 0, 0);
  harness_start (GST_STATE_PLAYING);
  for (i = 1; i <= 3; i++) {
    g_autofree gchar *json =
        g_strdup_printf ("{\"uid\":\"$UID\",\"segments\":[{\"start\":\"0.000\","
        "\"end\":\"1.000\",\"text\":\"partial %u\",\"completed\":false}]}", i);

    harness_wait_field ("whisperlive/state", "state", "ready");
    scripted_server_send_text (h->server, json);
    harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
    scripted_server_close (h->server, 1011);
    if (i < 3)
      assert_waits (i, 20);
  }
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_WRITE), "%s", error->message);
  assert_sessions (3);
  assert_incomplete ();
}

HARNESS_END_TEST;

/* It is of all sessions, and the last has little of it. */
GST_START_TEST (test_max_server_lag_is_kept)
{
  guint64 before;

  HARNESS_SCRIPT (transcribe, FALSE);
  make ();
  harness_push_words (1, 20, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 8 * TRANSCRIBER_RATE);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_wait_final ("w15");
  before = harness_stat ("max-server-lag-seen");
  fail_unless (before >= 8 * GST_SECOND);
  scripted_server_close (h->server, 1011);
  finish (1, 20);
  assert_sessions (2);
  fail_unless_equals_uint64 (harness_stat ("max-server-lag-seen"), before);
}

HARNESS_END_TEST;

/* A pause is no reason to replace one that has just begun. */
GST_START_TEST (test_session_that_is_young)
{
  harness_make ("", ALWAYS, "max-session-duration", 3600000, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_silence (4);
  harness_wait_server (SCRIPTED_SAMPLES, 3 * TRANSCRIBER_RATE);
  harness_push_words (1, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  assert_sessions (1);
}

HARNESS_END_TEST;

/* A pipeline of its own, until its session is in @state. */
static void
add_instance (GPtrArray * instances, const gchar * uri, const gchar * state,
    const gchar * source)
{
  g_autofree gchar *description =
      g_strdup_printf ("%s ! whisperlivesink uri=%s retries=-1 "
      "retry-delay=30000 close-timeout=1000 same-output-threshold=1000", source,
      uri);
  GstElement *pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean there = FALSE;

  g_ptr_array_add (instances, pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!there) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_ELEMENT);

    fail_unless (message != NULL, "not %s within 30 s", state);
    there = gst_message_has_name (message, "whisperlive/state")
        && g_str_equal (gst_structure_get_string (gst_message_get_structure
            (message), "state"), state);
  }
}

static void
stop_instance (gpointer pipeline, gpointer unused)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Ten in every phase that there is, cleaned up together */
GST_START_TEST (test_cleanup_all_instances)
{
  static const gchar live[] = "audiotestsrc is-live=true";
  static const gchar file[] = "audiotestsrc num-buffers=100";
  g_autoptr (GPtrArray) instances =
      g_ptr_array_new_with_free_func (gst_object_unref);
  const gchar *uri = scripted_server_uri (h->server);
  g_autoptr (GSocket) silent = NULL;
  g_autofree gchar *silent_uri = NULL, *no_uri = NULL;
  guint port;

  silent = silent_port_new (&port);
  silent_uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  no_uri = g_strdup_printf ("ws://127.0.0.1:%u", unused_port ());

  HARNESS_SCRIPT (transcribe, FALSE);
  add_instance (instances, uri, "ready", live);
  add_instance (instances, uri, "ready", live);
  add_instance (instances, uri, "draining", file);
  HARNESS_SCRIPT (full, TRUE);
  add_instance (instances, uri, "waiting", live);
  add_instance (instances, uri, "waiting", live);
  HARNESS_SCRIPT (full, FALSE);
  HARNESS_SCRIPT (hold_ready, TRUE);
  add_instance (instances, uri, "connected", live);
  HARNESS_SCRIPT (hold_upgrade, TRUE);
  add_instance (instances, uri, "connecting", live);
  add_instance (instances, silent_uri, "connecting", live);
  add_instance (instances, no_uri, "waiting", live);
  add_instance (instances, no_uri, "waiting", live);

  g_ptr_array_foreach (instances, stop_instance, NULL);
  g_ptr_array_set_size (instances, 0);
  HARNESS_SCRIPT (hold_upgrade, FALSE);
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
}

HARNESS_END_TEST;

static Suite *
reconnect_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-reconnect");
  TCase *tc = tcase_create ("reconnect");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_loop_test (tc, test_closed, 0, G_N_ELEMENTS (codes));
  tcase_add_test (tc, test_reconnection_with_new_session);
  tcase_add_loop_test (tc, test_detected_language_is_kept, 0, 2);
  tcase_add_test (tc, test_language_without_text_is_detected_again);
  tcase_add_test (tc, test_killed_and_started);
  tcase_add_test (tc, test_overtime);
  tcase_add_loop_test (tc, test_full_then_free, 0, 2);
  tcase_add_test (tc, test_refused_after_a_session);
  tcase_add_test (tc, test_sessions_without_speech_are_no_failures);
  tcase_add_test (tc, test_dead_peer);
  tcase_add_test (tc, test_no_response);
  tcase_add_test (tc, test_no_response_at_all);
  tcase_add_test (tc, test_no_response_while_paused);
  tcase_add_test (tc, test_no_response_for_good);
  tcase_add_test (tc, test_no_response_for_long);
  tcase_add_test (tc, test_end_during_a_trial);
  tcase_add_test (tc, test_silence_is_no_loss);
  tcase_add_test (tc, test_noise_is_no_loss);
  tcase_add_test (tc, test_stops_reading);
  tcase_add_test (tc, test_max_session_duration);
  tcase_add_test (tc, test_max_session_duration_in_mid_speech);
  tcase_add_test (tc, test_eos_while_waiting);
  tcase_add_test (tc, test_gone_for_good);
  tcase_add_loop_test (tc, test_gone_while_blocked, 0, 5);
  tcase_add_test (tc, test_seek_while_waiting);
  tcase_add_test (tc, test_connection_throttling);
  tcase_add_test (tc, test_waits_as_long_as_a_full_server_says);
  tcase_add_test (tc, test_partials_are_no_success);
  tcase_add_test (tc, test_max_server_lag_is_kept);
  tcase_add_test (tc, test_session_that_is_young);
  tcase_add_test (tc, test_cleanup_all_instances);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (reconnect);
