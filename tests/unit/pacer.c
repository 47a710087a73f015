/* Tests of whisperlive-pacer, rule by rule and against a model of the server's buffer
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-pacer.h"
#include "whisperlive-protocol.h"

#define SAMPLES(seconds) ((guint64) ((seconds) * WHISPERLIVE_RATE))
#define MS G_GINT64_CONSTANT (1000)
#define SECOND (1000 * MS)
#define CHUNK (WHISPERLIVE_RATE / 10)
#define CHUNK_TIME (100 * MS)
#define CAUTIOUS WHISPERLIVE_PACER_CAUTIOUS
#define VAD WHISPERLIVE_PACER_DROPS_SILENCE
#define WHOLE WHISPERLIVE_PACER_TAKES_ALL

static WhisperLivePacer pacer;
static WhisperLiveFlow flow;
static gint64 now;

/* Of a file: there is always more than the next chunk. Nothing was sent. */
static void
setup (void)
{
  now = 1000 * SECOND;
  flow = (WhisperLiveFlow) {
  .tail = SAMPLES (60),.waiting = CHUNK,.speech_at = G_MAXINT64,};
  whisperlive_pacer_start (&pacer, 14000, VAD, now);
}

static void
send_chunk (gboolean sound)
{
  if (!sound && flow.speech == flow.sent)
    flow.speech += CHUNK;
  else if (flow.speech == flow.sent)
    flow.speech_at = now;
  flow.sent += CHUNK;
  flow.tail += CHUNK;
  whisperlive_pacer_sent (&pacer, CHUNK);
}

static gint64
ask (void)
{
  flow.lag = flow.sent - flow.head;
  return whisperlive_pacer_ask (&pacer, &flow, now);
}

/* Sends all that goes now. */
static guint
send_now (gboolean sound)
{
  guint n = 0;

  while (ask () == WHISPERLIVE_PACER_NOW) {
    send_chunk (sound);
    fail_unless (++n < 10000);
  }
  return n;
}

static gboolean
hear_rest (gboolean settled, gboolean open, guint64 open_at, guint64 rest_at)
{
  flow.lag = flow.sent - flow.head;
  return whisperlive_pacer_heard (&pacer, &flow, settled, open, open_at,
      rest_at, now);
}

static gboolean
hear_open (gboolean settled, gboolean open, guint64 open_at)
{
  return hear_rest (settled, open, open_at, 0);
}

static gboolean
hear (gboolean settled, gboolean open)
{
  return hear_open (settled, open, 0);
}

/* The server has sent segments; the finals among them end at the end of what was sent, but for @left seconds. */
static void
settle_but (gdouble left)
{
  flow.head = flow.sent - SAMPLES (left);
  flow.speech = MAX (flow.speech, flow.head);
  hear (TRUE, FALSE);
}

/* And there is a pause so many seconds before the end. */
static void
settle_but_rest (gdouble left, gdouble rest)
{
  flow.head = flow.sent - SAMPLES (left);
  flow.speech = MAX (flow.speech, flow.head);
  hear_rest (TRUE, FALSE, 0, flow.sent - SAMPLES (rest));
}

/* A pass that completed nothing, but has a partial */
static void
hear_partial (void)
{
  hear (FALSE, TRUE);
}

/* Nor that: Whisper took its end for no speech. */
static void
hear_nothing_new (void)
{
  hear (FALSE, FALSE);
}

static void
check_waits (gint64 duration)
{
  fail_unless_equals_int64 (ask (), now + duration);
}

/* --- the window --- */

GST_START_TEST (test_window)
{
  fail_unless_equals_int (send_now (TRUE), 120);
}

GST_END_TEST;

/* A message of @seconds goes while no more than @sent are in flight. */
static void
check_goes_until (gdouble seconds, gdouble sent)
{
  flow.waiting = SAMPLES (seconds);
  fail_unless (ask () == WHISPERLIVE_PACER_NOW);
  flow.sent = SAMPLES (sent);
  fail_unless (ask () == WHISPERLIVE_PACER_NOW);
  flow.sent++;
  fail_if (ask () == WHISPERLIVE_PACER_NOW);
}

GST_START_TEST (test_window_of_any_chunks)
{
  /* a pass of 13.75 s is as near to 12 s as one of 10.25 s */
  check_goes_until (3.5, 10.25);
}

GST_END_TEST;

/* Nearer to a whole pass or not: more than max-server-lag are not in flight. */
GST_START_TEST (test_messages_beyond_max_server_lag)
{
  check_goes_until (6, 8);
}

GST_END_TEST;

/* But one, if it is longer than that. */
GST_START_TEST (test_long_message_alone)
{
  whisperlive_pacer_start (&pacer, 14000, VAD | CAUTIOUS, now);
  flow.waiting = SAMPLES (30);
  fail_unless (ask () == WHISPERLIVE_PACER_NOW);
  send_chunk (TRUE);
  fail_if (ask () == WHISPERLIVE_PACER_NOW);
}

GST_END_TEST;

/* The server begins with the first of them, and that pass leaves something, too. */
GST_START_TEST (test_first_message_is_a_pass)
{
  whisperlive_pacer_start (&pacer, 50000, VAD | WHOLE, now);
  whisperlive_pacer_sent (&pacer, SAMPLES (20));
  flow.sent = SAMPLES (20);
  flow.waiting = CHUNK;
  fail_unless_equals_int (send_now (TRUE), 195);
  /* of less than it is busy with, it leaves all */
  whisperlive_pacer_start (&pacer, 50000, VAD | WHOLE, now);
  whisperlive_pacer_sent (&pacer, SAMPLES (8));
  flow.sent = SAMPLES (8);
  fail_unless_equals_int (send_now (TRUE), 160);
  /* the second one is none */
  whisperlive_pacer_sent (&pacer, SAMPLES (20));
  fail_unless_equals_int (send_now (TRUE), 0);
}

GST_END_TEST;

GST_START_TEST (test_narrow_windows)
{
  whisperlive_pacer_start (&pacer, 4000, VAD, now);
  fail_unless_equals_int (send_now (TRUE), 40);
  hear_partial ();
  fail_unless_equals_int (send_now (TRUE), 0);
  settle_but (1.5);
  fail_unless_equals_int (send_now (TRUE), 25);
}

GST_END_TEST;

/* What the pass after the next lacks: the next one leaves 4.5 s of so much, and all of less. */
GST_START_TEST (test_portions)
{
  send_now (TRUE);
  settle_but (10);
  fail_unless_equals_int (send_now (TRUE), 40);
  settle_but (8.5);
  fail_unless_equals_int (send_now (TRUE), 35);
  settle_but (9.9);
  fail_unless_equals_int (send_now (TRUE), 21);
  settle_but (0);
  fail_unless_equals_int (send_now (TRUE), 120);
}

GST_END_TEST;

/* Where there is a pause, that is what it leaves. */
GST_START_TEST (test_portions_after_a_pause)
{
  send_now (TRUE);
  settle_but_rest (9.9, 9);
  fail_unless_equals_int (send_now (TRUE), 30);
  settle_but_rest (4, 2.5);
  fail_unless_equals_int (send_now (TRUE), 95);
  /* a pass that has none may leave all of it */
  settle_but_rest (5, 5);
  fail_unless_equals_int (send_now (TRUE), 70);
}

GST_END_TEST;

GST_START_TEST (test_no_more_than_max_server_lag)
{
  send_now (TRUE);
  settle_but (12);
  fail_unless_equals_int (send_now (TRUE), 20);
  settle_but_rest (10, 1);
  fail_unless_equals_int (send_now (TRUE), 40);
  settle_but (14);
  fail_unless_equals_int (send_now (TRUE), 0);
}

GST_END_TEST;

/* A pass of more than 15 s that completes nothing, and has no partial, is the last of its kind. */
GST_START_TEST (test_hopeless)
{
  send_now (TRUE);
  fail_unless (hear (FALSE, FALSE));
  send_now (TRUE);
  fail_unless (hear (FALSE, FALSE));
  send_now (TRUE);
  /* that was of 14 s */
  fail_unless (hear (FALSE, FALSE));
  fail_unless (flow.lag > SAMPLES (15));
  fail_unless (hear (FALSE, TRUE));
  fail_if (hear (FALSE, FALSE));
  fail_unless (hear (TRUE, FALSE));
}

GST_END_TEST;

/* Where no end is taken for no speech, passes are as long as they and what the next one lacks have room for. */
GST_START_TEST (test_whole_passes)
{
  whisperlive_pacer_start (&pacer, 40000, VAD | WHOLE, now);
  fail_unless_equals_int (send_now (TRUE), 240);
  settle_but (24);
  fail_unless_equals_int (send_now (TRUE), 160);
  whisperlive_pacer_start (&pacer, 30000, VAD | WHOLE, now);
  flow.head = flow.speech = flow.sent;
  fail_unless_equals_int (send_now (TRUE), 180);
  whisperlive_pacer_start (&pacer, 14000, VAD | WHOLE, now);
  flow.head = flow.speech = flow.sent;
  fail_unless_equals_int (send_now (TRUE), 120);
  whisperlive_pacer_start (&pacer, 5000, VAD | WHOLE, now);
  flow.head = flow.speech = flow.sent;
  fail_unless_equals_int (send_now (TRUE), 50);
}

GST_END_TEST;

GST_START_TEST (test_whole_passes_are_never_hopeless)
{
  whisperlive_pacer_start (&pacer, 40000, VAD | WHOLE, now);
  send_now (TRUE);
  fail_unless (hear (FALSE, FALSE));
  fail_unless (hear (FALSE, FALSE));
}

GST_END_TEST;

/* What the server has not made text of before its partial is noise, and takes no room. */
GST_START_TEST (test_noise_before_a_partial)
{
  send_now (TRUE);
  hear_open (FALSE, TRUE, SAMPLES (9));
  /* the next pass has 3 s and completes nothing of them, the one after it 12 s */
  fail_unless_equals_int (send_now (TRUE), 90);
}

GST_END_TEST;

GST_START_TEST (test_head_after_what_was_sent)
{
  /* all of it was dropped from the queue */
  flow.head = SAMPLES (5);
  fail_unless (ask () == WHISPERLIVE_PACER_NOW);
}

GST_END_TEST;

GST_START_TEST (test_pause)
{
  guint64 room;

  for (; flow.sent < SAMPLES (10); send_chunk (TRUE)) {
    fail_unless (ask () == WHISPERLIVE_PACER_NOW);
    fail_unless_equals_uint64 (whisperlive_pacer_get_room (&pacer, &flow), 0);
  }
  send_chunk (TRUE);
  ask ();
  room = whisperlive_pacer_get_room (&pacer, &flow);
  fail_unless_equals_uint64 (room, SAMPLES (1.9));
  whisperlive_pacer_pause_after (&pacer, &flow, SAMPLES (0.7));
  fail_unless_equals_uint64 (whisperlive_pacer_get_room (&pacer, &flow), 0);
  fail_unless_equals_int (send_now (TRUE), 7);
  /* it is for this portion only; the next one may end in a pause of its own */
  settle_but (5);
  while (flow.sent - flow.head < SAMPLES (11))
    send_chunk (TRUE);
  ask ();
  fail_unless_equals_uint64 (whisperlive_pacer_get_room (&pacer, &flow),
      SAMPLES (1));
  fail_unless_equals_int (send_now (TRUE), 10);
}

GST_END_TEST;

GST_START_TEST (test_no_room_for_a_pause)
{
  send_now (TRUE);
  fail_unless_equals_uint64 (whisperlive_pacer_get_room (&pacer, &flow), 0);
  flow.lag = SAMPLES (15);
  fail_unless_equals_uint64 (whisperlive_pacer_get_room (&pacer, &flow), 0);
}

GST_END_TEST;

GST_START_TEST (test_barren_passes)
{
  guint i;

  send_now (TRUE);
  /* that pass began before more could be sent */
  hear_partial ();
  fail_unless_equals_int (send_now (TRUE), 20);
  for (i = 0; i < 4; i++) {
    hear_partial ();
    fail_unless_equals_int (send_now (TRUE), 10);
  }
}

GST_END_TEST;

/* A little more each time, beyond max-server-lag as well */
GST_START_TEST (test_no_partial)
{
  guint i;

  send_now (TRUE);
  for (i = 0; i < 8; i++) {
    hear_nothing_new ();
    fail_unless_equals_int (send_now (TRUE), 20);
  }
}

GST_END_TEST;

/* Nothing but the next chunk waits. */
static guint
speak (guint chunks)
{
  guint n;

  for (n = 0; n < chunks; n++) {
    flow.tail = flow.sent + CHUNK;
    if (ask () != WHISPERLIVE_PACER_NOW)
      break;
    send_chunk (TRUE);
  }
  return n;
}

/* What comes as it is spoken is not held back below max-server-lag, whatever came of the pass before. */
GST_START_TEST (test_as_spoken)
{
  fail_unless_equals_int (speak (80), 80);
  hear_nothing_new ();
  fail_unless_equals_int (speak (80), 60);
}

GST_END_TEST;

/* Of a file, which a source may just have begun to read, a pass gets what it should have. */
GST_START_TEST (test_beginning)
{
  fail_unless_equals_int (speak (200), 120);
}

GST_END_TEST;

/* A moment's delay is none, a backlog is. */
GST_START_TEST (test_a_little_behind)
{
  fail_unless_equals_int (speak (80), 80);
  hear_nothing_new ();
  fail_unless_equals_int (speak (20), 20);
  flow.tail = flow.sent + SAMPLES (0.5);
  fail_unless (ask () == WHISPERLIVE_PACER_NOW);
  flow.tail = flow.sent + SAMPLES (0.6);
  fail_unless (ask () > now);
}

GST_END_TEST;

GST_START_TEST (test_cautious_as_spoken)
{
  whisperlive_pacer_start (&pacer, 14000, VAD | CAUTIOUS, now);
  fail_unless_equals_int (speak (50), 50);
  hear_partial ();
  fail_unless_equals_int (speak (200), 50);
}

GST_END_TEST;

GST_START_TEST (test_final_ends_growth)
{
  guint i;

  for (i = 0; i < 4; i++)
    hear_partial ();
  fail_unless_equals_int (send_now (TRUE), 150);
  settle_but (0);
  fail_unless_equals_int (send_now (TRUE), 120);
}

GST_END_TEST;

GST_START_TEST (test_cautious)
{
  whisperlive_pacer_start (&pacer, 14000, VAD | CAUTIOUS, now);
  fail_unless_equals_int (send_now (TRUE), 100);
  hear_partial ();
  fail_unless_equals_int (send_now (TRUE), 0);
  hear_partial ();
  fail_unless_equals_int (send_now (TRUE), 10);
  /* no more, once there is a final */
  settle_but (10);
  fail_unless_equals_int (send_now (TRUE), 40);
}

GST_END_TEST;

/* No message comes of a pass that comes to nothing, before the first final: it goes by the time that passes took. */
GST_START_TEST (test_cautious_and_quiet)
{
  whisperlive_pacer_start (&pacer, 14000, VAD | CAUTIOUS, now);
  pacer.expected = 2 * SECOND;
  fail_unless_equals_int (send_now (TRUE), 100);
  check_waits (4 * SECOND);
  now += 4 * SECOND;
  fail_unless_equals_int (send_now (TRUE), 20);
  check_waits (4 * SECOND);
  now += SECOND;
  hear_partial ();
  check_waits (2 * SECOND);
  settle_but (0);
  fail_unless_equals_int (send_now (TRUE), 120);
  check_waits (10 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_start_forgets)
{
  send_now (TRUE);
  hear_nothing_new ();
  hear_nothing_new ();
  setup ();
  fail_unless_equals_int (send_now (TRUE), 120);
}

GST_END_TEST;

/* --- silence --- */

GST_START_TEST (test_silence_at_eight_times_its_speed)
{
  fail_unless_equals_int (send_now (FALSE), 121);
  while (pacer.buffered <= SAMPLES (45)) {
    check_waits (CHUNK_TIME / 8);
    now += CHUNK_TIME / 8;
    fail_unless_equals_int (send_now (FALSE), 1);
  }
}

GST_END_TEST;

GST_START_TEST (test_silence_is_not_made_up_for)
{
  send_now (FALSE);
  now += 60 * SECOND;
  fail_unless_equals_int (send_now (FALSE), 1);
  check_waits (CHUNK_TIME / 8);
}

GST_END_TEST;

GST_START_TEST (test_sound_after_silence)
{
  guint i, n = 0;

  send_now (FALSE);
  /* nothing of it is settled: still there is a window for the sound */
  for (i = 0; i < 1000 && flow.sent - flow.speech < SAMPLES (11.9); i++) {
    n += send_now (TRUE);
    now += CHUNK_TIME / 8;
  }
  fail_unless (n >= 119 && n <= 120, "%u chunks", n);
}

GST_END_TEST;

/* --- a server that says nothing --- */

GST_START_TEST (test_stall)
{
  send_now (TRUE);
  check_waits (10 * SECOND);
  now += 10 * SECOND - 1;
  check_waits (1);
  now++;
  /* then hardly faster than its own speed, which a server must be able to take */
  fail_unless_equals_int (send_now (TRUE), 1);
  check_waits (CHUNK_TIME * 4 / 5);
  now += CHUNK_TIME * 4 / 5;
  fail_unless_equals_int (send_now (TRUE), 1);
  check_waits (CHUNK_TIME * 4 / 5);
}

GST_END_TEST;

/* What a server has had before takes no more than a quarter of its time. */
GST_START_TEST (test_stall_again)
{
  flow.again = TRUE;
  send_now (TRUE);
  check_waits (10 * SECOND);
  now += 10 * SECOND;
  fail_unless_equals_int (send_now (TRUE), 1);
  check_waits (CHUNK_TIME / 4);
}

GST_END_TEST;

GST_START_TEST (test_stall_is_over)
{
  send_now (TRUE);
  now += 10 * SECOND;
  fail_unless_equals_int (send_now (TRUE), 1);
  now += CHUNK_TIME / 2;
  hear_nothing_new ();
  send_now (TRUE);
  check_waits (10 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_stall_of_a_slow_server)
{
  send_now (TRUE);
  now += SECOND;
  hear (FALSE, TRUE);
  now += 3 * SECOND;
  hear_nothing_new ();
  send_now (TRUE);
  check_waits (12 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_stall_of_a_quick_server)
{
  send_now (TRUE);
  hear (FALSE, TRUE);
  now += SECOND / 10;
  hear_nothing_new ();
  send_now (TRUE);
  check_waits (4 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_pause_is_not_a_pass)
{
  send_now (TRUE);
  /* without a partial nobody knows when the next pass began */
  hear_nothing_new ();
  now += 3 * SECOND;
  hear_nothing_new ();
  fail_unless_equals_int64 (pacer.slowest, 0);
  send_now (TRUE);
  check_waits (10 * SECOND);
}

GST_END_TEST;

/* --- the server's buffer --- */

/* Sends @seconds of what the server settles at once. */
static void
send_settled (guint seconds)
{
  guint i;

  for (i = 0; i < (guint) (seconds * 10 + 0.5); i++) {
    fail_unless (ask () == WHISPERLIVE_PACER_NOW);
    send_chunk (TRUE);
    settle_but (0);
  }
}

/* Sends as much as goes while no pass completes anything. */
static guint
send_barren (void)
{
  guint n, all = 0;

  while ((n = send_now (TRUE))) {
    all += n;
    now += SECOND;
    hear (FALSE, TRUE);
  }
  return all;
}

GST_START_TEST (test_buffer_overflows)
{
  guint i;

  /* with a window that is too wide */
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  /* the next one would throw 30 s away, and 5 s of these are not settled */
  fail_unless_equals_int (send_barren (), 201);
  fail_unless_equals_int64 (pacer.buffered, SAMPLES (45.1));
  /* however long a pass takes */
  for (i = 1; i < 20; i++) {
    fail_unless_equals_int64 (ask (), G_MAXINT64);
    now += i * SECOND;
    fail_unless_equals_int64 (ask (), G_MAXINT64);
    hear (FALSE, TRUE);
  }
}

GST_END_TEST;

/* A server that heard something and has no partial now may be quiet for a while before it is given up. */
GST_START_TEST (test_buffer_overflows_without_a_partial)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  send_barren ();
  hear (FALSE, FALSE);
  check_waits (8 * SECOND);
  now += 8 * SECOND;
  fail_unless (send_now (TRUE) > 0);
}

GST_END_TEST;

/* A quick server has said much before its buffer is full: that tells nothing about the passes to come. */
GST_START_TEST (test_buffer_overflows_after_many_messages)
{
  guint i;

  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  for (i = 0; i < 40; i++) {
    now += SECOND / 10;
    hear (FALSE, TRUE);
  }
  fail_unless_equals_int (send_barren (), 201);
  fail_unless_equals_int64 (ask (), G_MAXINT64);
}

GST_END_TEST;

GST_START_TEST (test_buffer_is_trimmed)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  send_barren ();
  settle_but (15.2);
  fail_unless_equals_int (send_now (TRUE), 0);
  settle_but (15.1);
  fail_unless (send_now (TRUE) > 0);
  fail_unless (pacer.buffered < SAMPLES (45));
}

GST_END_TEST;

/* Padding that the server has gone over takes no room behind that any more. */
GST_START_TEST (test_padding_is_done)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  whisperlive_pacer_padded (&pacer, &flow, SAMPLES (1));
  send_barren ();
  fail_unless_equals_int64 (pacer.buffered, SAMPLES (45.1));
  settle_but (15.2);
  fail_unless_equals_int (send_now (TRUE), 0);
  settle_but (15.1);
  fail_unless (send_now (TRUE) > 0);
}

GST_END_TEST;

/* A pass that goes on began with the noise before the partial, and must keep it. */
GST_START_TEST (test_noise_before_a_partial_is_not_trimmed)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  while (send_now (TRUE)) {
    now += SECOND;
    hear_open (FALSE, TRUE, SAMPLES (35));
  }
  fail_unless_equals_int64 (pacer.buffered, SAMPLES (45.1));
  fail_unless_equals_int64 (ask (), G_MAXINT64);
}

GST_END_TEST;

/* A server whose partials never become final does not hold the stream up for ever. */
GST_START_TEST (test_buffer_is_trimmed_in_the_end)
{
  guint i;

  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  send_barren ();
  for (i = 0; i < 100 && send_now (TRUE) == 0; i++) {
    now += SECOND;
    hear (FALSE, TRUE);
  }
  fail_unless_equals_int (i, 29);
  fail_unless (flow.sent > SAMPLES (45.1));
  /* and not again before it has been full for as long */
  fail_unless (pacer.buffered > SAMPLES (45));
  fail_unless_equals_int64 (ask (), G_MAXINT64);
}

GST_END_TEST;

/* As it is spoken */
static void
send_live (gdouble seconds, gboolean sound)
{
  guint i;

  for (i = 0; i < (guint) (seconds * 10 + 0.5); i++) {
    ask ();
    send_chunk (sound);
    now += CHUNK_TIME;
  }
}

/* Is the buffer's overflow no danger to sound after so much silence? */
static gboolean
fits_after_silence (guint silence, gint64 slowest)
{
  setup ();
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  hear (FALSE, slowest != 0);
  now += slowest;
  hear (FALSE, FALSE);
  send_settled (25);
  send_live (silence, FALSE);
  send_live (20.1 - silence, TRUE);
  fail_unless_equals_int64 (pacer.buffered, SAMPLES (45.1));
  return whisperlive_pacer_get_fit_time (&pacer, &flow, 0) ==
      WHISPERLIVE_PACER_NOW;
}

/* Some of the silence before sound came during two passes: the first of them dropped what was there before. */
GST_START_TEST (test_silence_before_sound)
{
  fail_if (fits_after_silence (0, 0));
  fail_if (fits_after_silence (12, 0));
  fail_unless (fits_after_silence (13, 0));
  fail_if (fits_after_silence (12, 5 * SECOND));
  fail_if (fits_after_silence (6, SECOND / 5));
  fail_unless (fits_after_silence (7, SECOND / 5));
}

GST_END_TEST;

/* A pass that has something to say about it does not drop it. */
GST_START_TEST (test_message_in_silence)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_settled (25);
  send_live (13, FALSE);
  hear (FALSE, FALSE);
  send_live (7.1, TRUE);
  fail_unless_equals_int64 (pacer.buffered, SAMPLES (45.1));
  fail_unless (whisperlive_pacer_get_fit_time (&pacer, &flow, 0) > now);
}

GST_END_TEST;

/* A pass that began with the silence before it is as long as any other. */
GST_START_TEST (test_sound_after_silence_overflows)
{
  whisperlive_pacer_start (&pacer, 40000, VAD, now);
  send_live (25, FALSE);
  while (pacer.buffered <= SAMPLES (45))
    send_chunk (TRUE);
  check_waits (20 * SECOND - (now - flow.speech_at));
}

GST_END_TEST;

static void
send_silence (guint seconds)
{
  while (flow.sent < SAMPLES (seconds)) {
    send_now (FALSE);
    now = ask ();
    fail_unless (pacer.buffered <= SAMPLES (45.1));
  }
}

/* No more than the server keeps may come in two passes: it would skip what comes after them. */
GST_START_TEST (test_silence_may_be_trimmed)
{
  gint64 began = now;

  send_silence (150);
  fail_unless (now - began > 30 * SECOND && now - began < 60 * SECOND);
}

GST_END_TEST;

/* Without VAD a server says nothing about silence, however often it looks at that, and has dropped nothing before sound. */
GST_START_TEST (test_silence_without_vad)
{
  gint64 began = now;

  whisperlive_pacer_start (&pacer, 14000, 0, now);
  send_silence (150);
  fail_unless (now - began < 20 * SECOND);
  while (pacer.buffered <= SAMPLES (45))
    send_chunk (TRUE);
  fail_unless (whisperlive_pacer_get_fit_time (&pacer, &flow, 0) > now);
}

GST_END_TEST;

/* --- against a model of the server --- */

#define BUFFER SAMPLES (45)
#define TRIM SAMPLES (30)

typedef struct
{
  GRand *rand;
  guint seed;
  guint64 length;               /* samples in all */
  gboolean *loud;               /* of each chunk */
  gint64 *sent_at;

  /* the server */
  gboolean vad;
  guint64 has_from;             /* the oldest sample in its buffer */
  gint64 pass;                  /* when the present pass ends, 0: none */
  guint64 offset;               /* where passes begin; it moves on with finals, and with VAD over passes of silence */
  guint64 pass_end;             /* audio that it began with */
  gboolean silent;              /* has no sound */
  guint barren, most_barren;
  guint trims;
} Model;

static void
model_init (Model * model, guint seed, guint seconds, guint most_barren)
{
  guint i, run = 0, n = seconds * 10;
  gboolean loud = FALSE;

  *model = (Model) {
  .vad = seed % 2,.rand = g_rand_new_with_seed (seed),.seed = seed,.length =
        SAMPLES (seconds),.loud = g_new (gboolean, n),.sent_at =
        g_new (gint64, n),.most_barren = most_barren,};
  for (i = 0; i < n; i++) {
    if (run == 0) {
      loud = !loud;
      run = g_rand_int_range (model->rand, 1,
          g_rand_int_range (model->rand, 0, 5) ? 30 : 600);
    }
    model->loud[i] = loud;
    run--;
  }
}

static void
model_clear (Model * model)
{
  g_rand_free (model->rand);
  g_free (model->loud);
  g_free (model->sent_at);
}

/* The first sound from @from on that is more than the end of the last final's word */
static guint64
find_sound (Model * model, guint64 from)
{
  guint64 position = from / CHUNK * CHUNK;

  for (; position < flow.sent; position += CHUNK) {
    if (model->loud[position / CHUNK]
        && position + CHUNK > flow.head + WHISPERLIVE_AFTERSOUND)
      return MAX (position, from);
  }
  return flow.sent;
}

/* As the queue tells it */
static void
find_speech (Model * model)
{
  flow.speech = find_sound (model, flow.head);
  flow.speech_at = flow.speech < flow.sent ?
      model->sent_at[flow.speech / CHUNK] : G_MAXINT64;
}

static void
model_send (Model * model)
{
  if (flow.sent - model->has_from > BUFFER) {
    model->has_from += TRIM;
    model->trims++;
    /* without VAD a pass over silence says nothing, and changes nothing */
    fail_if (model->pass && (model->vad || !model->silent)
        && model->offset < model->has_from,
        "seed %u: at %.1f s a pass from %.1f s on goes on, and what is thrown away ends at %.1f s",
        model->seed, flow.sent / (gdouble) WHISPERLIVE_RATE,
        model->offset / (gdouble) WHISPERLIVE_RATE,
        model->has_from / (gdouble) WHISPERLIVE_RATE);
    model->offset = MAX (model->offset, model->has_from);
  }
  whisperlive_pacer_sent (&pacer, CHUNK);
  model->sent_at[flow.sent / CHUNK] = now;
  flow.sent += CHUNK;
  find_speech (model);
}

/* The end of some sound that the pass had, or 0 */
static guint64
choose_final (Model * model)
{
  guint64 end = 0, position;

  if (model->barren < model->most_barren
      && g_rand_int_range (model->rand, 0, 3) > 0)
    return 0;
  for (position = flow.speech; position + CHUNK <= model->pass_end;
      position += CHUNK) {
    if (!model->loud[position / CHUNK])
      continue;
    end = position + CHUNK;
    if (model->barren < model->most_barren
        && g_rand_int_range (model->rand, 0, 40) == 0)
      break;
  }
  return end;
}

static void
model_end_pass (Model * model)
{
  guint64 end, open_at = 0;

  model->pass = 0;
  if (model->silent) {
    if (model->vad)
      model->offset = model->pass_end;
    return;
  }
  end = choose_final (model);
  model->barren = end > flow.head ? 0 : model->barren + 1;
  if (end > flow.head)
    flow.head = model->offset = end;
  find_speech (model);
  /* a partial may begin late in the pass, after noise */
  if (g_rand_boolean (model->rand))
    open_at = g_rand_double_range (model->rand, flow.head, model->pass_end + 1);
  hear_open (model->barren == 0, open_at != 0, open_at);
}

/* In ms. Without a partial a pass over silence and one after it are shorter than what looks like a stall. */
static gint
choose_duration (Model * model)
{
  if (!model->silent)
    return g_rand_int_range (model->rand, 200, pacer.open ? 20000 : 3900);
  if (!pacer.slowest)
    return g_rand_int_range (model->rand, 300, 4000);
  return g_rand_int_range (model->rand, 300, MIN (4 * pacer.slowest / MS,
          4000));
}

/* Passes one after the other over whatever is not settled; it says nothing about silence. */
static void
model_transcribe (Model * model)
{
  if (model->pass && now >= model->pass)
    model_end_pass (model);
  if (!model->pass && flow.sent >= model->offset + SAMPLES (1)) {
    model->silent = find_sound (model, model->offset) >= flow.sent;
    model->pass = now + choose_duration (model) * MS;
    model->pass_end = flow.sent;
  }
}

static void
run_model (Model * model)
{
  gint64 began = now;

  while (flow.sent < model->length) {
    gint64 at;

    model_transcribe (model);
    at = ask ();
    if (at == WHISPERLIVE_PACER_NOW) {
      model_send (model);
      continue;
    }
    fail_unless (at > now);
    now = model->pass ? MIN (at, model->pass) : at;
  }
  /* and it gets on all the same */
  fail_unless (now - began < 10 * (gint64) (model->length /
          WHISPERLIVE_RATE) * SECOND);
  fail_unless (model->trims > 0);
}

#define SEEDS 20

GST_START_TEST (test_no_unsettled_sound_is_thrown_away)
{
  guint seed;

  for (seed = __i__ * SEEDS; seed < (guint) (__i__ + 1) * SEEDS; seed++) {
    gboolean whole = seed / 2 % 2;
    Model model;

    GST_INFO ("seed %u", seed);
    setup ();
    model_init (&model, seed, 300, seed % 20);
    whisperlive_pacer_start (&pacer, whole ? 40000 : 14000,
        (model.vad ? VAD : 0) | (whole ? WHOLE : 0), now);
    run_model (&model);
    model_clear (&model);
  }
}

GST_END_TEST;

static TCase *
add_case (Suite * suite, const gchar * name)
{
  TCase *tc = tcase_create (name);

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  return tc;
}

static Suite *
pacer_suite (void)
{
  Suite *suite = suite_create ("pacer");
  TCase *tc = add_case (suite, "window");

  tcase_add_test (tc, test_window);
  tcase_add_test (tc, test_window_of_any_chunks);
  tcase_add_test (tc, test_messages_beyond_max_server_lag);
  tcase_add_test (tc, test_long_message_alone);
  tcase_add_test (tc, test_first_message_is_a_pass);
  tcase_add_test (tc, test_narrow_windows);
  tcase_add_test (tc, test_noise_before_a_partial);
  tcase_add_test (tc, test_head_after_what_was_sent);
  tcase_add_test (tc, test_portions);
  tcase_add_test (tc, test_portions_after_a_pause);
  tcase_add_test (tc, test_no_more_than_max_server_lag);
  tcase_add_test (tc, test_hopeless);
  tcase_add_test (tc, test_whole_passes);
  tcase_add_test (tc, test_whole_passes_are_never_hopeless);
  tcase_add_test (tc, test_pause);
  tcase_add_test (tc, test_no_room_for_a_pause);
  tcase_add_test (tc, test_barren_passes);
  tcase_add_test (tc, test_no_partial);
  tcase_add_test (tc, test_as_spoken);
  tcase_add_test (tc, test_beginning);
  tcase_add_test (tc, test_a_little_behind);
  tcase_add_test (tc, test_cautious_as_spoken);
  tcase_add_test (tc, test_final_ends_growth);
  tcase_add_test (tc, test_cautious);
  tcase_add_test (tc, test_cautious_and_quiet);
  tcase_add_test (tc, test_start_forgets);

  tc = add_case (suite, "silence");
  tcase_add_test (tc, test_silence_at_eight_times_its_speed);
  tcase_add_test (tc, test_silence_is_not_made_up_for);
  tcase_add_test (tc, test_sound_after_silence);

  tc = add_case (suite, "stall");
  tcase_add_test (tc, test_stall);
  tcase_add_test (tc, test_stall_again);
  tcase_add_test (tc, test_stall_is_over);
  tcase_add_test (tc, test_stall_of_a_slow_server);
  tcase_add_test (tc, test_stall_of_a_quick_server);
  tcase_add_test (tc, test_pause_is_not_a_pass);

  tc = add_case (suite, "buffer");
  tcase_add_test (tc, test_buffer_overflows);
  tcase_add_test (tc, test_buffer_overflows_without_a_partial);
  tcase_add_test (tc, test_buffer_overflows_after_many_messages);
  tcase_add_test (tc, test_buffer_is_trimmed);
  tcase_add_test (tc, test_padding_is_done);
  tcase_add_test (tc, test_noise_before_a_partial_is_not_trimmed);
  tcase_add_test (tc, test_buffer_is_trimmed_in_the_end);
  tcase_add_test (tc, test_silence_before_sound);
  tcase_add_test (tc, test_message_in_silence);
  tcase_add_test (tc, test_sound_after_silence_overflows);
  tcase_add_test (tc, test_silence_may_be_trimmed);
  tcase_add_test (tc, test_silence_without_vad);
  tcase_add_loop_test (tc, test_no_unsettled_sound_is_thrown_away, 0, 10);
  return suite;
}

GST_CHECK_MAIN (pacer);
