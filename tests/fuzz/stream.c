/* stream: audio goes out and messages come in, in virtual time; no sample may be unaccounted for
 *
 * A line that begins with a brace is a message of the server. Others, with a number: a: seconds of sound, s: of silence; t: time
 * passes, in seconds; b: the connection was given up while the server worked, l: it was lost; f: flush; e: the end of the audio.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#include "whisperlive-stream.h"

#define CHUNK (WHISPERLIVE_RATE / 10)
#define MOST_SECONDS 120

typedef struct
{
  WhisperLiveSettings *settings;
  WhisperLiveQueue *queue;
  WhisperLiveStream *stream;
  FuzzText text;
  guint64 pushed;               /* samples */
  gint64 now;
} Fuzz;

static void
push (Fuzz * fuzz, guint seconds, gfloat level)
{
  guint i;

  for (i = 0; i < MIN (seconds, MOST_SECONDS) * 10; i++) {
    GstClockTime time = WHISPERLIVE_SAMPLES_TO_TIME (fuzz->pushed);
    WhisperLiveMark mark = { 0, time, time, 1.0, 1.0 };
    GBytes *samples = g_bytes_new_take (g_malloc0 (2 * CHUNK), 2 * CHUNK);

    whisperlive_queue_push (fuzz->queue, whisperlive_chunk_new (samples, CHUNK,
            level, &mark), WHISPERLIVE_FULL_DROP_OLD);
    fuzz->pushed += CHUNK;
  }
}

static void
take (Fuzz * fuzz, GPtrArray * updates)
{
  fuzz_check_updates (&fuzz->text, updates);
  g_ptr_array_unref (updates);
}

/* What the session would do at this time */
static void
step (Fuzz * fuzz)
{
  gint64 again;
  GBytes *frame;

  whisperlive_stream_settle_by_age (fuzz->stream, fuzz->now);
  if (whisperlive_stream_why_replace (fuzz->stream, fuzz->now, &again)) {
    whisperlive_stream_leave (fuzz->stream, fuzz->now);
    whisperlive_stream_begin (fuzz->stream, FALSE, fuzz->now);
  }
  while ((frame = whisperlive_stream_pull (fuzz->stream, fuzz->now, &again)))
    g_bytes_unref (frame);
  g_assert_cmpint (again, >, fuzz->now);
}

static void
pass_time (Fuzz * fuzz, guint seconds)
{
  guint i;

  for (i = 0; i < MIN (seconds, MOST_SECONDS) * 2; i++) {
    fuzz->now += G_USEC_PER_SEC / 2;
    step (fuzz);
  }
}

static void
begin (Fuzz * fuzz, gboolean lost)
{
  if (!lost)
    whisperlive_stream_leave (fuzz->stream, fuzz->now);
  whisperlive_stream_begin (fuzz->stream, lost, fuzz->now);
}

static void
flush (Fuzz * fuzz)
{
  WhisperLiveFlow flow;

  whisperlive_queue_flush (fuzz->queue);
  whisperlive_queue_get_flow (fuzz->queue, &flow);
  whisperlive_stream_flushed (fuzz->stream, &flow);
}

static void
end (Fuzz * fuzz)
{
  WhisperLiveFlow flow;
  GBytes *frame = NULL;

  step (fuzz);
  whisperlive_queue_get_flow (fuzz->queue, &flow);
  if (!flow.waiting && !whisperlive_stream_is_on_trial (fuzz->stream))
    frame = whisperlive_stream_pull_padding (fuzz->stream, 0, fuzz->now);
  if (frame) {
    g_bytes_unref (frame);
    whisperlive_stream_set_arrived (fuzz->stream, fuzz->now);
  }
}

static void
hear (Fuzz * fuzz, const gchar * line, gsize length)
{
  g_autoptr (WhisperLiveMessage) message =
      whisperlive_protocol_parse (line, length, NULL);

  if (!message || !message->segments)
    return;
  if (message->type == WHISPERLIVE_MESSAGE_SEGMENTS)
    take (fuzz, whisperlive_stream_hear (fuzz->stream, message->segments,
            fuzz->now));
  else
    g_ptr_array_unref (whisperlive_stream_hear_translation (fuzz->stream,
            message->segments));
}

static void
check_counters (Fuzz * fuzz, guint64 held_at_most)
{
  WhisperLiveCounters counters;
  WhisperLiveFlow flow;

  whisperlive_queue_get_counters (fuzz->queue, &counters);
  g_assert_cmpuint (counters.received, ==, fuzz->pushed);
  g_assert_cmpuint (counters.settled + counters.lost, <=, counters.received);
  /* silence that was sent is not bound */
  whisperlive_queue_get_flow (fuzz->queue, &flow);
  g_assert_cmpuint (flow.loud, <=, held_at_most);
  g_assert_cmpuint (counters.sent, <=, counters.received);
}

static void
on_line (gpointer user_data, const gchar * line, gsize length)
{
  Fuzz *fuzz = user_data;
  guint number = fuzz_number (line, length);

  switch (*line) {
    case '{':
      hear (fuzz, line, length);
      break;
    case 'a':
      push (fuzz, number, 0.1f);
      break;
    case 's':
      push (fuzz, number, 0.0f);
      break;
    case 't':
      pass_time (fuzz, number);
      break;
    case 'b':
    case 'l':
      begin (fuzz, *line == 'l');
      break;
    case 'f':
      flush (fuzz);
      break;
    case 'e':
      end (fuzz);
      break;
  }
  step (fuzz);
  check_counters (fuzz, 60 * WHISPERLIVE_RATE);
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t size)
{
  Fuzz fuzz = {
    .settings = whisperlive_settings_new (),
    .queue = whisperlive_queue_new (),
    .now = 1000 * G_USEC_PER_SEC,
  };

  whisperlive_queue_start (fuzz.queue, 60 * GST_SECOND);
  fuzz.stream = whisperlive_stream_new (fuzz.queue, fuzz.settings);
  whisperlive_stream_begin (fuzz.stream, FALSE, fuzz.now);
  fuzz_each_line (data, size, on_line, &fuzz);
  take (&fuzz, whisperlive_stream_finish (fuzz.stream, FALSE));
  whisperlive_queue_lose (fuzz.queue, WHISPERLIVE_LOSS_STOPPED);
  check_counters (&fuzz, 0);
  whisperlive_stream_free (fuzz.stream);
  whisperlive_queue_free (fuzz.queue);
  whisperlive_settings_free (fuzz.settings);
  return 0;
}
