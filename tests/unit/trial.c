/* Tests of whisperlive-trial: the speech that a server is tried with; when it is tried is in those of whisperlive-stream
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <math.h>

#include "whisperlive-protocol.h"
#include "whisperlive-trial.h"

#define FRAME (WHISPERLIVE_RATE / 10)
#define NOW G_GINT64_CONSTANT (1000)
#define QUIET 3000

static WhisperLiveTrial trial;

static void
setup (void)
{
  trial = (WhisperLiveTrial) {
  0};
}

static void
teardown (void)
{
  whisperlive_trial_clear (&trial);
}

/* A tone from @from to @to s, of @seconds */
static gint16
tone (guint i, guint from, guint to)
{
  if (i < from * WHISPERLIVE_RATE || i >= to * WHISPERLIVE_RATE)
    return 0;
  return QUIET * sin (2 * G_PI * 300 * i / WHISPERLIVE_RATE);
}

/* In frames of @frame samples each */
static void
set_speech (guint seconds, guint from, guint to, guint frame)
{
  g_autoptr (GPtrArray) speech = g_ptr_array_new_with_free_func
      ((GDestroyNotify) g_bytes_unref);
  guint i, j;

  for (i = 0; i < seconds * WHISPERLIVE_RATE; i += frame) {
    gint16 *data = g_new (gint16, frame);

    for (j = 0; j < frame; j++)
      data[j] = tone (i + j, from, to);
    g_ptr_array_add (speech, g_bytes_new_take (data, frame * sizeof *data));
  }
  whisperlive_trial_set_speech (&trial, speech, 30);
  whisperlive_trial_start (&trial, NOW);
  fail_unless (whisperlive_trial_begin (&trial));
}

/* All that is sent, of gint16 */
static GByteArray *
pull (void)
{
  GByteArray *sent = g_byte_array_new ();
  GBytes *frame;

  while ((frame = whisperlive_trial_pull (&trial, NOW))) {
    g_byte_array_append (sent, g_bytes_get_data (frame, NULL),
        g_bytes_get_size (frame));
    fail_unless (trial.sent_at == 0 || trial.sent_at == NOW);
    g_bytes_unref (frame);
  }
  fail_unless_equals_int64 (trial.sent_at, NOW);
  return sent;
}

/* A tone in so many seconds of speech, and what of these is kept */
static void
check (guint seconds, guint from, guint to, guint kept_from, guint kept_to,
    guint frame)
{
  guint kept = kept_to - kept_from, i;
  g_autoptr (GByteArray) sent = NULL;
  const gint16 *data;

  set_speech (seconds, from, to, frame);
  fail_unless_equals_int (g_bytes_get_size (trial.speech),
      kept * WHISPERLIVE_RATE / 2);
  sent = pull ();
  data = (const gint16 *) sent->data;
  fail_unless_equals_int (sent->len / 2, (kept + 2) * WHISPERLIVE_RATE);
  for (i = 0; i < sent->len / 2; i++) {
    gdouble expected = 0;

    /* as loud as it may be */
    if (i >= WHISPERLIVE_RATE && i < (kept + 1) * WHISPERLIVE_RATE)
      expected = tone (i + kept_from * WHISPERLIVE_RATE - WHISPERLIVE_RATE,
          from, to) * 32512.0 / QUIET;
    /* half a sample later, to 8 bits */
    fail_unless (fabs (data[i] - expected) < 3000, "sample %u: %d, not %f", i,
        data[i], expected);
  }
}

GST_START_TEST (test_short_speech)
{
  check (2, 0, 2, 0, 2, FRAME);
}

GST_END_TEST;

/* What is before and after the tone is a pause. */
GST_START_TEST (test_long_speech)
{
  check (10, 5, 8, 5, 8, FRAME);
}

GST_END_TEST;

GST_START_TEST (test_longer_speech)
{
  check (10, 5, 7, 5, 8, FRAME);
}

GST_END_TEST;

/* chunk-duration may be as long as that. */
GST_START_TEST (test_long_frames)
{
  check (10, 5, 8, 5, 8, 10 * WHISPERLIVE_RATE);
}

GST_END_TEST;

/* So much of a tone with such a peak, with a text that is long enough for ever */
static gboolean
is_kept (guint samples, gint16 peak)
{
  g_autoptr (GPtrArray) speech = g_ptr_array_new_with_free_func
      ((GDestroyNotify) g_bytes_unref);
  gint16 *data = g_new (gint16, samples);
  guint i;

  for (i = 0; i < samples; i++)
    data[i] = i % 2 ? peak : -peak;
  g_ptr_array_add (speech, g_bytes_new_take (data, samples * sizeof *data));
  whisperlive_trial_clear (&trial);
  trial.characters = 0;
  whisperlive_trial_set_speech (&trial, speech, 30);
  return !whisperlive_trial_wants (&trial, 31);
}

/* No server would answer that. */
GST_START_TEST (test_no_speech)
{
  fail_unless (is_kept (WHISPERLIVE_RATE, QUIET));
  fail_if (is_kept (WHISPERLIVE_RATE - 1, QUIET));
  fail_if (is_kept (0, QUIET));
  fail_if (is_kept (WHISPERLIVE_RATE, 10));
}

GST_END_TEST;

/* Nor is it better than what there is. */
GST_START_TEST (test_no_speech_later)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  set_speech (2, 0, 2, FRAME);
  whisperlive_trial_set_speech (&trial, none, 30);
  fail_unless_equals_int (g_bytes_get_size (trial.speech), WHISPERLIVE_RATE);
}

GST_END_TEST;

GST_START_TEST (test_again)
{
  g_autoptr (GByteArray) once = NULL, again = NULL;

  set_speech (1, 0, 1, FRAME);
  once = pull ();
  fail_unless (whisperlive_trial_begin (&trial));
  again = pull ();
  fail_unless_equals_int (once->len, again->len);
  fail_unless (!memcmp (once->data, again->data, once->len));
}

GST_END_TEST;

static Suite *
trial_suite (void)
{
  Suite *suite = suite_create ("trial");
  TCase *tc = tcase_create ("speech");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_short_speech);
  tcase_add_test (tc, test_long_speech);
  tcase_add_test (tc, test_longer_speech);
  tcase_add_test (tc, test_long_frames);
  tcase_add_test (tc, test_no_speech);
  tcase_add_test (tc, test_no_speech_later);
  tcase_add_test (tc, test_again);
  return suite;
}

GST_CHECK_MAIN (trial);
