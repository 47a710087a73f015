/* whisperlive-stream: audio and text of a session, apart from any network
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-stream-private.h"

#include "whisperlive-debug.h"
#include "whisperlive-wire.h"

GST_DEBUG_CATEGORY_STATIC (whisperlive_stream_debug);
#define GST_CAT_DEFAULT whisperlive_stream_debug

/* A speaker's level is forgotten at this rate per final. */
#define LEVEL_DECAY 0.9f
/* -18 dB of the loudest: between sentences */
#define PAUSE_LEVEL 0.126f
/* So many passes in a row without a final or a partial, and there will be none */
#define STUCK_PASSES 8
/* No translation is so late. */
#define TRANSLATION_DELAY (600 * WHISPERLIVE_RATE)
#define PADDING (WHISPERLIVE_DRAIN_PADDING_MS * (WHISPERLIVE_RATE / 1000))
#define LESS_PADDING (PADDING / 2)

WhisperLiveStream *
whisperlive_stream_new (WhisperLiveQueue * queue,
    const WhisperLiveSettings * settings)
{
  WhisperLiveStream *stream = g_new0 (WhisperLiveStream, 1);

  WHISPERLIVE_DEBUG_CATEGORY_INIT (whisperlive_stream_debug,
      "whisperlivestream", "WhisperLive audio and text");
  stream->queue = queue;
  stream->settings = settings;
  stream->timeline = whisperlive_timeline_new ();
  stream->transcript =
      whisperlive_transcript_new (settings->same_output_threshold);
  stream->translation =
      whisperlive_transcript_new (settings->same_output_threshold);
  return stream;
}

void
whisperlive_stream_free (WhisperLiveStream * stream)
{
  whisperlive_timeline_free (stream->timeline);
  whisperlive_transcript_free (stream->transcript);
  whisperlive_transcript_free (stream->translation);
  whisperlive_trial_clear (&stream->trial);
  g_free (stream);
}

const WhisperLiveTimeline *
whisperlive_stream_get_timeline (WhisperLiveStream * stream)
{
  return stream->timeline;
}

static WhisperLivePacerFlags
get_flags (WhisperLiveStream * stream, gboolean careful)
{
  const WhisperLiveSettings *settings = stream->settings;
  WhisperLivePacerFlags flags = 0;

  if (stream->stuck || careful)
    flags |= WHISPERLIVE_PACER_CAUTIOUS;
  if (settings->use_vad)
    flags |= WHISPERLIVE_PACER_DROPS_SILENCE;
  if (whisperlive_settings_get_no_speech_threshold (settings,
          stream->stuck) >= 1)
    flags |= WHISPERLIVE_PACER_TAKES_ALL;
  return flags;
}

void
whisperlive_stream_begin (WhisperLiveStream * stream, gboolean careful,
    gint64 now)
{
  gboolean answered = stream->trial.state == WHISPERLIVE_TRIAL_ANSWERED;
  gint64 slowest = MAX (stream->pacer.slowest, stream->pacer.expected);

  stream->next_position = whisperlive_queue_rewind (stream->queue,
      stream->left_at ? now - stream->left_at : WHISPERLIVE_NOT_HEARD);
  stream->left_at = 0;
  whisperlive_trial_begin (&stream->trial);
  stream->connection_samples = stream->last_message = 0;
  stream->draining = FALSE;
  stream->paddings = 0;
  whisperlive_timeline_begin (stream->timeline, stream->next_position);
  whisperlive_timeline_set_sent (stream->timeline, 0);
  whisperlive_transcript_begin (stream->transcript);
  whisperlive_transcript_begin (stream->translation);
  whisperlive_pacer_start (&stream->pacer, stream->settings->max_server_lag,
      get_flags (stream, careful), now);
  if (answered)
    stream->pacer.slowest = stream->answer;
  if (stream->stuck)
    stream->pacer.expected = slowest;
  stream->replays += stream->stuck;
  stream->stuck = FALSE;
  stream->owed_again = stream->owed_at != 0;
}

gboolean
whisperlive_stream_is_stuck (const WhisperLiveStream * stream)
{
  return stream->stuck;
}

void
whisperlive_stream_flushed (WhisperLiveStream * stream,
    const WhisperLiveFlow * flow)
{
  stream->draining = FALSE;
  stream->paddings = 0;
  stream->next_position = NO_POSITION;
  stream->owed_at = 0;
  whisperlive_transcript_discard (stream->transcript, flow->head);
  whisperlive_transcript_discard (stream->translation, flow->head);
}

/* Takes @samples. */
static GBytes *
make_frame (WhisperLiveStream * stream, GBytes * samples)
{
  GBytes *frame = whisperlive_wire_make (stream->settings->audio_format,
      samples);

  g_bytes_unref (samples);
  return frame;
}

static GBytes *
pull_trial (WhisperLiveStream * stream, gint64 now)
{
  GBytes *samples = whisperlive_trial_pull (&stream->trial, now);

  return samples ? make_frame (stream, samples) : NULL;
}

/* The pacer says @at. Where only a message ends the wait, for a pass goes on, the session is lost when none comes for so long. */
static gint64
get_end_of_wait (WhisperLiveStream * stream, gint64 at)
{
  return at == G_MAXINT64 ? whisperlive_stream_get_response_deadline (stream) :
      at;
}

GBytes *
whisperlive_stream_pull (WhisperLiveStream * stream, gint64 now, gint64 * again)
{
  WhisperLiveFlow flow;
  WhisperLiveChunk chunk;
  guint64 room, pause;
  gint64 at;

  *again = G_MAXINT64;
  if (whisperlive_trial_is_on (&stream->trial))
    return pull_trial (stream, now);
  whisperlive_queue_get_flow (stream->queue, &flow);
  if (!flow.waiting)
    return NULL;
  room = whisperlive_pacer_get_room (&stream->pacer, &flow);
  pause = room ? whisperlive_queue_find_pause (stream->queue, room) : 0;
  if (pause)
    whisperlive_pacer_pause_after (&stream->pacer, &flow, pause);
  at = whisperlive_pacer_ask (&stream->pacer, &flow, now);
  if (at != WHISPERLIVE_PACER_NOW) {
    *again = get_end_of_wait (stream, at);
    return NULL;
  }
  if (!whisperlive_queue_send (stream->queue, now, &chunk))
    return NULL;

  if (chunk.position != stream->next_position)
    whisperlive_timeline_jump (stream->timeline,
        WHISPERLIVE_SAMPLES_TO_TIME (stream->connection_samples),
        chunk.position);
  whisperlive_timeline_mark (stream->timeline,
      chunk.position + chunk.mark.offset, chunk.mark.running_time,
      chunk.mark.stream_time, chunk.mark.rate, chunk.mark.applied_rate);
  stream->draining = FALSE;
  stream->paddings = 0;
  whisperlive_pacer_sent (&stream->pacer, chunk.samples);
  stream->last_message = stream->connection_samples;
  stream->connection_samples += chunk.samples;
  whisperlive_timeline_set_sent (stream->timeline, stream->connection_samples);
  stream->next_position = chunk.position + chunk.samples;
  /* no server that listens says so before, but then it is so */
  if (whisperlive_transcript_settled (stream->transcript) > chunk.position)
    whisperlive_queue_settle (stream->queue,
        whisperlive_transcript_settled (stream->transcript));
  return make_frame (stream, chunk.data);
}

/* What the server has not settled, and whether it can be expected to say anything about that. */
static void
expect_quiet (WhisperLiveStream * stream, gint64 now)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  whisperlive_drain_expect_quiet (&stream->drain, stream->pacer.slowest,
      stream->pacer.open, flow.level, stream->speech_level,
      stream->settings->drain_timeout * G_GINT64_CONSTANT (1000), now);
}

/* Where the server's buffer has no room for all of it, some is better than another pass without any: that would hear the last words
 * without those before them. */
static guint
choose_padding (WhisperLiveStream * stream, const WhisperLiveFlow * flow,
    gint64 now)
{
  const WhisperLivePacer *pacer = &stream->pacer;

  if (now >= whisperlive_pacer_get_fit_time (pacer, flow, PADDING))
    return PADDING;
  if (stream->paddings == 0
      && now >= whisperlive_pacer_get_fit_time (pacer, flow, LESS_PADDING))
    return LESS_PADDING;
  return 0;
}

GBytes *
whisperlive_stream_pull_padding (WhisperLiveStream * stream, gint64 round_trip,
    gint64 now)
{
  GstClockTime last = WHISPERLIVE_SAMPLES_TO_TIME (stream->last_message);
  GstClockTime end = stream->paddings ? stream->drain.audio_end :
      WHISPERLIVE_SAMPLES_TO_TIME (stream->connection_samples);
  gint64 since = stream->paddings ? stream->drain.since : now;
  WhisperLiveFlow flow;
  guint padding;

  whisperlive_queue_get_flow (stream->queue, &flow);
  padding = choose_padding (stream, &flow, now);
  if (!padding)
    return NULL;
  whisperlive_pacer_padded (&stream->pacer, &flow, padding);
  stream->connection_samples += padding;
  whisperlive_timeline_set_sent (stream->timeline, stream->connection_samples);
  /* a final that ends in it settles no more than there is */
  whisperlive_timeline_jump (stream->timeline,
      WHISPERLIVE_SAMPLES_TO_TIME (stream->connection_samples), flow.sent);
  stream->next_position = NO_POSITION;
  stream->draining = TRUE;
  stream->paddings++;
  whisperlive_drain_start (&stream->drain, last, end,
      WHISPERLIVE_SAMPLES_TO_TIME (stream->connection_samples), round_trip,
      now);
  stream->drain.since = since;
  expect_quiet (stream, now);
  return whisperlive_wire_make_silence (stream->settings->audio_format,
      padding);
}

void
whisperlive_stream_set_arrived (WhisperLiveStream * stream, gint64 now)
{
  if (!stream->draining)
    return;
  whisperlive_drain_set_arrived (&stream->drain, now);
  expect_quiet (stream, now);
}

static void
settle (WhisperLiveStream * stream)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  stream->speech_level = MAX (flow.level, stream->speech_level * LEVEL_DECAY);
  whisperlive_queue_settle (stream->queue,
      whisperlive_transcript_settled (stream->transcript));
}

static void
hear_while_draining (WhisperLiveStream * stream, gboolean final,
    GstClockTime last, GstClockTime completed, gint64 now)
{
  gboolean all = whisperlive_drain_heard (&stream->drain, last, completed, now);

  /* nothing came of a pass over all that there is: one that ends elsewhere may be better */
  if (!final && now >= stream->drain.arrived
      && stream->paddings < WHISPERLIVE_MAX_PADDINGS
      && whisperlive_stream_owes_text (stream))
    stream->draining = FALSE;
  else if (!all)
    expect_quiet (stream, now);
  else if (whisperlive_stream_can_be_stuck (stream))
    stream->stuck = TRUE;
  else
    stream->drain.quiet_at = now;
}

/* Before it is settled: speech that a server can be tried with. */
static void
keep_for_trial (WhisperLiveStream * stream, const GPtrArray * updates)
{
  guint i, characters;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);
    g_autoptr (GPtrArray) speech = NULL;

    characters = g_utf8_strlen (update->segment->text, -1);
    if (!update->final || !whisperlive_trial_wants (&stream->trial, characters))
      continue;
    speech = whisperlive_queue_copy (stream->queue, update->start, update->end);
    whisperlive_trial_set_speech (&stream->trial, speech, characters);
  }
}

/* Times of what lies before that will not be asked for: neither of this message's finals, nor of their translations, which come later. */
static void
forget_times (WhisperLiveStream * stream)
{
  guint64 told = whisperlive_transcript_settled (stream->transcript);
  guint64 translated = whisperlive_transcript_settled (stream->translation);

  if (stream->settings->translation_language_code && translated < told)
    told = MAX (translated, told - MIN (TRANSLATION_DELAY, told));
  whisperlive_timeline_forget (stream->timeline, told);
}

GPtrArray *
whisperlive_stream_hear (WhisperLiveStream * stream,
    const GPtrArray * segments, gint64 now)
{
  guint64 settled = whisperlive_transcript_settled (stream->transcript);
  GstClockTime last = 0, completed = 0, open_at = 0;
  guint64 position, rest_at;
  gboolean final, open = FALSE, goes_on;
  WhisperLiveFlow flow;
  GPtrArray *updates;
  guint i;

  if (whisperlive_trial_is_on (&stream->trial)) {
    whisperlive_stream_hear_trial (stream, now);
    return g_ptr_array_new ();
  }
  for (i = 0; i < segments->len; i++) {
    WhisperLiveSegment *segment = g_ptr_array_index (segments, i);

    open |= !segment->completed;
    if (!GST_CLOCK_TIME_IS_VALID (segment->end))
      continue;
    if (!segment->completed)
      open_at = segment->start;
    last = MAX (last, segment->end);
    if (segment->completed)
      completed = MAX (completed, segment->end);
  }
  forget_times (stream);
  updates = whisperlive_transcript_take (stream->transcript, segments,
      stream->timeline);
  stream->heard = now;
  stream->owed_at = 0;
  final = whisperlive_transcript_settled (stream->transcript) > settled;
  if (final) {
    stream->replays = 0;
    stream->doubtful = FALSE;
    whisperlive_trial_set_alive (&stream->trial);
    keep_for_trial (stream, updates);
    settle (stream);
  }
  whisperlive_queue_get_flow (stream->queue, &flow);
  position = whisperlive_timeline_position (stream->timeline, open_at);
  rest_at = whisperlive_queue_find_sent_pause (stream->queue,
      MAX (flow.head, position) + WHISPERLIVE_RATE, flow.level * PAUSE_LEVEL);
  goes_on = whisperlive_pacer_heard (&stream->pacer, &flow, final, open,
      position, rest_at, now);
  GST_DEBUG ("%s, %" GST_TIME_FORMAT " in flight", final ? "final" : "no final",
      GST_TIME_ARGS (WHISPERLIVE_SAMPLES_TO_TIME (flow.lag)));
  if ((stream->pacer.empty >= STUCK_PASSES || !goes_on)
      && whisperlive_stream_can_be_stuck (stream))
    stream->stuck = TRUE;
  else if (stream->draining)
    hear_while_draining (stream, final, last, completed, now);
  return updates;
}

GPtrArray *
whisperlive_stream_hear_translation (WhisperLiveStream * stream,
    const GPtrArray * segments)
{
  if (whisperlive_trial_is_on (&stream->trial))
    return g_ptr_array_new ();
  return whisperlive_transcript_take (stream->translation, segments,
      stream->timeline);
}

gboolean
whisperlive_stream_is_pausing (WhisperLiveStream * stream)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  return flow.speech >= flow.sent;
}

gboolean
whisperlive_stream_is_draining (const WhisperLiveStream * stream)
{
  return stream->draining;
}

gboolean
whisperlive_stream_is_drained (WhisperLiveStream * stream, gint64 now,
    gint64 * again)
{
  WhisperLiveFlow flow;
  gint64 fit;

  *again = G_MAXINT64;
  whisperlive_queue_get_flow (stream->queue, &flow);
  if (flow.waiting)
    return FALSE;
  if (flow.sound >= flow.sent)
    return TRUE;
  if (!stream->draining) {
    fit = whisperlive_pacer_get_fit_time (&stream->pacer, &flow, PADDING);
    if (now < fit)
      *again = get_end_of_wait (stream, fit);
    return FALSE;
  }
  if (stream->stuck)
    return FALSE;
  *again = whisperlive_stream_get_padding_time (stream);
  if (now >= *again) {
    stream->draining = FALSE;
    return FALSE;
  }
  *again = MIN (*again, stream->drain.quiet_at);
  return now >= stream->drain.quiet_at;
}

GPtrArray *
whisperlive_stream_finish (WhisperLiveStream * stream, gboolean complete)
{
  GPtrArray *updates = whisperlive_transcript_finish (stream->transcript);
  WhisperLiveFlow flow;

  settle (stream);
  if (complete) {
    whisperlive_queue_get_flow (stream->queue, &flow);
    whisperlive_queue_settle (stream->queue, flow.tail);
  }
  return updates;
}
