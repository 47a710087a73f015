/* whisperlive-stream-owing: does the server still owe text for what it has?
 *
 * It acknowledges nothing, and says nothing about silence, noise, and audio that it will never make text of. So this goes by
 * what it has made text of before, by time, by another try on a new connection, and by a trial with known speech.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-stream-private.h"

/* What the server's buffer holds: text about older audio cannot come any more. */
#define SERVER_BUFFER (45 * G_USEC_PER_SEC)
#define NEVER G_MAXINT64
/* A server that works has gone over what it had so long before a trial: passes over noise can take 12 s, and longer where the trial took long. */
#define GONE_OVER (15 * G_USEC_PER_SEC)
#define GONE_OVER_ANSWERS 5
/* Less sound than this is no word. */
#define STUCK_SAMPLES (WHISPERLIVE_RATE / 2)
/* Twice so long without a message while there is more to come, and there will be none */
#define QUIET (3 * G_USEC_PER_SEC)
#define QUIET_AT_FIRST (5 * G_USEC_PER_SEC)

gboolean
whisperlive_stream_owes_text (WhisperLiveStream * stream)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  return !stream->pacer.open && flow.loud >= STUCK_SAMPLES
      && flow.level > stream->speech_level * WHISPERLIVE_FAR_BELOW;
}

/* Whether the server had its time for what it was sent, or was cut short in it. A server that hangs up every few seconds, or is slow, must
 * not make speech old that it never came to. */
static gboolean
has_had_time (WhisperLiveStream * stream, gint64 now)
{
  WhisperLiveFlow flow;

  if (stream->stuck || stream->trial.state == WHISPERLIVE_TRIAL_WANTED
      || stream->trial.state == WHISPERLIVE_TRIAL_RUNNING)
    return TRUE;
  if (stream->trial.state == WHISPERLIVE_TRIAL_ANSWERED)
    return stream->answer * GONE_OVER_ANSWERS <= GONE_OVER;
  if (stream->pacer.open)
    return FALSE;
  if (!whisperlive_stream_owes_text (stream))
    return TRUE;
  whisperlive_queue_get_flow (stream->queue, &flow);
  if (!stream->trial.speech || !stream->settings->response_timeout
      || whisperlive_queue_sent_before (stream->queue, now - GONE_OVER)
      <= flow.head)
    return FALSE;
  whisperlive_trial_start (&stream->trial, now);
  return TRUE;
}

void
whisperlive_stream_leave (WhisperLiveStream * stream, gint64 now)
{
  if (has_had_time (stream, now))
    stream->left_at = now;
}

/* It would go on like that as long as it has just this audio, without a message if nothing has ever been completed. */
gboolean
whisperlive_stream_can_be_stuck (WhisperLiveStream * stream)
{
  return stream->replays < MAX_REPLAYS && whisperlive_stream_owes_text (stream);
}

static gint64
response_timeout (const WhisperLiveStream * stream)
{
  guint timeout = stream->settings->response_timeout;

  return timeout ? timeout * G_GINT64_CONSTANT (1000) : NEVER;
}

/* Since when the server has owed text without a partial; NEVER: it does not. What is settled by age meanwhile changes nothing. */
static gint64
owes_since (WhisperLiveStream * stream)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  if (whisperlive_stream_owes_text (stream) && flow.pass_at != 0) {
    stream->owed_again = FALSE;
    if (stream->owed_at == 0)
      stream->owed_at = flow.pass_at;
  } else if (!stream->owed_again) {
    stream->owed_at = 0;
  }
  return stream->owed_at ? MAX (stream->heard, stream->owed_at) : NEVER;
}

gint64
whisperlive_stream_get_response_deadline (WhisperLiveStream * stream)
{
  gint64 timeout = response_timeout (stream);
  gint64 since = NEVER;
  WhisperLiveFlow flow;

  if (timeout == NEVER)
    return NEVER;
  if (stream->trial.state == WHISPERLIVE_TRIAL_RUNNING)
    return stream->trial.sent_at ? stream->trial.sent_at + timeout : NEVER;
  whisperlive_queue_get_flow (stream->queue, &flow);
  if (stream->pacer.open)
    since = flow.sound_at;
  else if (!stream->trial.speech && !stream->draining)
    since = owes_since (stream);        /* there is nothing to try it with */
  return since == NEVER ? NEVER : MAX (since, stream->pacer.heard) + timeout;
}

void
whisperlive_stream_timed_out (WhisperLiveStream * stream, gint64 now)
{
  /* music before the first word cannot be told from a server that hangs, and must not be sent for ever */
  if (!stream->pacer.open && !stream->trial.speech)
    stream->left_at = now;
  stream->owed_at = 0;
}

void
whisperlive_stream_resumed (WhisperLiveStream * stream, gint64 now)
{
  stream->pacer.heard = now;
  if (stream->heard)
    stream->heard = now;
}

gboolean
whisperlive_stream_is_on_trial (WhisperLiveStream * stream)
{
  return stream->trial.state == WHISPERLIVE_TRIAL_RUNNING;
}

/* The server works: so it has gone over what it had before, and there is no speech in that. */
void
whisperlive_stream_hear_trial (WhisperLiveStream * stream, gint64 now)
{
  if (stream->trial.state == WHISPERLIVE_TRIAL_RUNNING) {
    stream->answer = now - stream->trial.sent_at;
    whisperlive_queue_settle (stream->queue,
        whisperlive_queue_sent_before (stream->queue,
            stream->trial.wanted_at - MAX (GONE_OVER,
                GONE_OVER_ANSWERS * stream->answer)));
  }
  whisperlive_trial_answer (&stream->trial);
  /* nor will another connection find any */
  stream->replays = MAX_REPLAYS;
  stream->heard = now;
  stream->owed_at = 0;
}

/* Half of the time without a message after which there will be none. One that has never said anything may be slow, and its first pass would be
 * no quicker for another session. */
static gint64
get_patience (const WhisperLiveStream * stream)
{
  gint64 timeout = response_timeout (stream);

  if (stream->pacer.slowest)
    return MAX (QUIET, 4 * stream->pacer.slowest);
  return stream->heard || timeout == NEVER ? QUIET_AT_FIRST :
      MAX (QUIET_AT_FIRST, timeout / 3);
}

/* For so long a server that has everything is quiet only if it has nothing to say. */
static gint64
get_drain_patience (const WhisperLiveStream * stream)
{
  return whisperlive_drain_get_patience (stream->pacer.slowest,
      stream->heard != 0,
      stream->settings->drain_timeout * G_GINT64_CONSTANT (1000));
}

gint64
whisperlive_stream_get_padding_time (WhisperLiveStream * stream)
{
  gint64 patience = get_drain_patience (stream);

  if (stream->drain.arrived == G_MAXINT64
      || stream->paddings >= WHISPERLIVE_MAX_PADDINGS
      || !(stream->pacer.open || whisperlive_stream_owes_text (stream)))
    return NEVER;
  /* it is replaced when this is over, unless there is a partial */
  if (!stream->pacer.open)
    patience /= 2;
  return MAX (stream->pacer.heard, stream->drain.since) + patience;
}

/* Then the server tells of each pass, be there a partial or not. */
static gboolean
has_had_a_final (const WhisperLiveStream * stream)
{
  return whisperlive_transcript_settled (stream->transcript) >
      whisperlive_timeline_position (stream->timeline, 0);
}

/* When the connection counts as stuck, if nothing comes until then; NEVER. */
static gint64
get_stuck_time (WhisperLiveStream * stream)
{
  const WhisperLivePacer *pacer = &stream->pacer;
  gint64 patience = get_patience (stream);
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (stream->queue, &flow);
  /* before the first final, a server says nothing about passes that complete nothing, though it has begun with a partial */
  if (pacer->open && stream->replays < MAX_REPLAYS && !has_had_a_final (stream)) {
    if (whisperlive_pacer_is_too_long (pacer, flow.lag))
      return pacer->heard + MIN (2 * patience, response_timeout (stream));
    /* and with more padding no more than that came */
    if (stream->draining && stream->drain.arrived != G_MAXINT64
        && stream->paddings >= WHISPERLIVE_MAX_PADDINGS)
      return MAX (pacer->heard, stream->drain.arrived) +
          get_drain_patience (stream);
  }
  if (!whisperlive_stream_can_be_stuck (stream))
    return NEVER;
  if (stream->draining)
    /* on a slow line the audio may still be on its way */
    return stream->drain.arrived == G_MAXINT64 ? NEVER :
        MAX (pacer->heard, stream->drain.since) + get_drain_patience (stream);
  return flow.sent - flow.speech + flow.waiting + WHISPERLIVE_AFTERSOUND >
      pacer->allowed ? pacer->heard + 2 * patience : NEVER;
}

static gboolean
is_stuck (WhisperLiveStream * stream, gint64 now, gint64 * again)
{
  if (!stream->stuck) {
    *again = get_stuck_time (stream);
    stream->stuck = now >= *again;
  }
  return stream->stuck;
}

const gchar *
whisperlive_stream_why_replace (WhisperLiveStream * stream, gint64 now,
    gint64 * again)
{
  gint64 at = G_MAXINT64;

  *again = G_MAXINT64;
  if (stream->trial.state == WHISPERLIVE_TRIAL_ANSWERED)
    return "the server works: on with the stream";
  if (whisperlive_trial_is_on (&stream->trial))
    return NULL;
  if (!stream->draining)
    at = whisperlive_trial_get_time (&stream->trial, owes_since (stream),
        response_timeout (stream));
  if (now >= at) {
    whisperlive_trial_start (&stream->trial, now);
    return "no text for response-timeout: does the server work?";
  }
  if (is_stuck (stream, now, again))
    return "no text from this session";
  *again = MIN (*again, at);
  return NULL;
}

/* Before here, what has left the server's buffer was no speech. */
static guint64
get_old (WhisperLiveStream * stream, const WhisperLiveFlow * flow, gint64 now)
{
  gint64 timeout = response_timeout (stream);
  guint64 left = whisperlive_queue_sent_before (stream->queue,
      now - SERVER_BUFFER);

  /* a pass goes on, however long it takes */
  if (stream->pacer.open)
    return MIN (left, stream->pacer.open_at);
  if (!whisperlive_stream_owes_text (stream))
    return left;
  /* the drain decides by itself, and so does who replaces a session that only has messages without text for it */
  if (stream->draining || (stream->pacer.barren > 0
          && whisperlive_stream_can_be_stuck (stream)))
    return MIN (left, flow->sound);
  /* it may be silent for so long */
  if (timeout != NEVER && timeout > SERVER_BUFFER)
    left = MIN (left, MAX (flow->sound,
            whisperlive_queue_sent_before (stream->queue, now - timeout)));
  return left;
}

gboolean
whisperlive_stream_settle_by_age (WhisperLiveStream * stream, gint64 now)
{
  gboolean told = stream->doubtful;
  guint64 position;
  WhisperLiveFlow flow;

  /* that will tell more */
  if (whisperlive_trial_is_on (&stream->trial))
    return FALSE;
  whisperlive_queue_get_flow (stream->queue, &flow);
  position = get_old (stream, &flow, now);
  stream->doubtful |= flow.speech < position
      && whisperlive_stream_owes_text (stream);
  whisperlive_queue_settle (stream->queue, position);
  return stream->doubtful && !told;
}
