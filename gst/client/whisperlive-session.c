/* whisperlive-session: owns the connection and every timer; what there is to do, and the commands
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-session-private.h"

#include "whisperlive-debug.h"
#include "whisperlive-drain.h"
#include "whisperlive-wire.h"

GST_DEBUG_CATEGORY (whisperlive_session_debug);
#define GST_CAT_DEFAULT whisperlive_session_debug

/* Without pings, audio counts as arrived after so long. */
#define NO_PING (2 * G_USEC_PER_SEC)
/* A socket that takes no more is looked at so often. */
#define FULL_SOCKET_PERIOD (20 * G_TIME_SPAN_MILLISECOND)
/* How long a thread that ends waits for sockets that are shut already. */
#define TEARDOWN_TIMEOUT (2 * G_USEC_PER_SEC)

/* --- what there is to do --- */

static gboolean
may_send (WhisperLiveSession * self)
{
  return !self->lifecycle.paused
      && (self->lifecycle.state == WHISPERLIVE_STATE_READY
      || self->lifecycle.state == WHISPERLIVE_STATE_DRAINING);
}

static void
send_audio (WhisperLiveSession * self, GBytes * frame)
{
  whisperlive_websocket_send_binary (self->websocket, frame);
  self->stats.bytes_sent += g_bytes_get_size (frame);
  g_bytes_unref (frame);
}

/* In messages of the usual length */
static void
send_padding (WhisperLiveSession * self, GBytes * padding)
{
  gsize size = g_bytes_get_size (padding), done;
  gsize piece = whisperlive_wire_get_size (self->settings->audio_format,
      self->settings->chunk_duration * (WHISPERLIVE_RATE / 1000));

  for (done = 0; done < size; done += piece)
    send_audio (self, g_bytes_new_from_bytes (padding, done, MIN (piece,
                size - done)));
  g_bytes_unref (padding);
}

/* At the end of the stream: until then nothing can get any further, for the server's buffer. */
static void
hold (WhisperLiveSession * self, gint64 until, gint64 now)
{
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_HELD,
    .delay = until - now,
  };

  if (self->lifecycle.ended && until != G_MAXINT64)
    whisperlive_session_step_full (self, &event, "audio is held back");
}

/* Sends what may be sent; the time at which to go on. */
static gint64
pump (WhisperLiveSession * self, gint64 now)
{
  WhisperLiveCounters before, after;
  gint64 again;
  GBytes *frame;

  if (!whisperlive_websocket_takes_more (self->websocket))
    return now + FULL_SOCKET_PERIOD;
  whisperlive_queue_get_counters (self->queue, &before);
  while ((frame = whisperlive_stream_pull (self->stream, now, &again)))
    send_audio (self, frame);
  whisperlive_queue_get_counters (self->queue, &after);
  self->stats.max_server_lag = MAX (self->stats.max_server_lag,
      WHISPERLIVE_SAMPLES_TO_TIME (after.lag));
  /* not what is sent again */
  if (after.sent > before.sent)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_PROGRESS, "audio sent");
  hold (self, again, now);
  whisperlive_session_report_stats (self);
  return again;
}

/* At the end of the stream: have all words come? */
static gint64
drain (WhisperLiveSession * self, const WhisperLiveFlow * flow, gint64 now)
{
  gint64 again = G_MAXINT64;
  GBytes *padding;

  if (!self->lifecycle.ended || flow->waiting
      || self->lifecycle.state == WHISPERLIVE_STATE_CLOSING)
    return again;
  if (flow->head == flow->tail) {
    whisperlive_session_step (self, WHISPERLIVE_EVENT_DRAINED,
        "nothing is left to transcribe");
  } else if (may_send (self)) {
    if (whisperlive_stream_is_drained (self->stream, now, &again)) {
      whisperlive_session_step (self, WHISPERLIVE_EVENT_DRAINED,
          "all audio is transcribed");
    } else if (self->lifecycle.state == WHISPERLIVE_STATE_READY
        || !whisperlive_stream_is_draining (self->stream)) {
      /* sending may have taken its time */
      now = g_get_monotonic_time ();
      padding = whisperlive_stream_pull_padding (self->stream,
          self->settings->keepalive_interval ? WHISPERLIVE_DRAIN_UNKNOWN :
          NO_PING, now);
      if (!padding) {
        hold (self, again, now);
        return again;
      }
      send_padding (self, padding);
      whisperlive_session_mark_arrival (self);
      whisperlive_session_step (self, WHISPERLIVE_EVENT_ALL_SENT,
          "end of stream");
      /* when to go on is another time now */
      whisperlive_loop_wake (self->loop);
    }
  }
  return again;
}

/* It is there, but not alive. */
static void
lose_connection (WhisperLiveSession * self, const gchar * reason)
{
  g_clear_error (&self->error);
  self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
      "Connection lost: %s", reason);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_CLOSED,
      self->error->message);
}

static void
replace (WhisperLiveSession * self, const gchar * reason, gint64 now)
{
  whisperlive_stream_leave (self->stream, now);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_REPLACE, reason);
}

/* When the session is to be replaced: at a pause from 3/4 of its time on, without one at 19/20. */
static gint64
get_end_of_session (WhisperLiveSession * self, gint64 now)
{
  gint64 duration =
      self->settings->max_session_duration * G_GINT64_CONSTANT (1000);

  if (!duration || self->lifecycle.paused)
    return G_MAXINT64;
  if (now >= self->began + duration / 4 * 3
      && whisperlive_stream_is_pausing (self->stream))
    return now;
  return self->began + duration / 20 * 19;
}

/* Pings, settling by age, and whether this connection is still any good. */
static gint64
keep_alive (WhisperLiveSession * self, gint64 now)
{
  gint64 interval =
      self->settings->keepalive_interval * G_GINT64_CONSTANT (1000);
  gint64 response, end;

  if (self->lifecycle.state != WHISPERLIVE_STATE_READY
      && self->lifecycle.state != WHISPERLIVE_STATE_DRAINING)
    return G_MAXINT64;

  response = self->lifecycle.paused ? G_MAXINT64 :
      whisperlive_stream_get_response_deadline (self->stream);
  end = get_end_of_session (self, now);
  if (now >= response) {
    whisperlive_stream_timed_out (self->stream, now);
    lose_connection (self, "the server owes text and says nothing "
        "(response-timeout)");
    return G_MAXINT64;
  }
  if (now >= end) {
    replace (self, "max-session-duration", now);
    return G_MAXINT64;
  }
  if (interval && now >= self->next_ping) {
    if (!whisperlive_session_ping (self)) {
      lose_connection (self, "no answer to a ping (keepalive-interval)");
      return G_MAXINT64;
    }
  }
  if (now >= self->next_aging) {
    if ((!interval || now < self->heard + 2 * interval)
        && whisperlive_stream_settle_by_age (self->stream, now))
      self->events->warning (self->owner, "The server has said nothing about "
          "sound that it was sent 45 s ago: there is no speech in it, or the "
          "server hangs");
    self->next_aging = now + WHISPERLIVE_AGING_PERIOD;
  }
  response = MIN (response, MIN (end, self->next_aging));
  return interval ? MIN (response, self->next_ping) : response;
}

/* Tells the lifecycle what the queue has become. */
static void
look_at_queue (WhisperLiveSession * self, WhisperLiveFlow * flow)
{
  whisperlive_queue_get_flow (self->queue, flow);
  if (flow->generation != self->generation) {
    self->generation = flow->generation;
    whisperlive_stream_flushed (self->stream, flow);
    whisperlive_session_step (self, WHISPERLIVE_EVENT_RESUMED, "flush");
    /* a seek: audio is to come, and finds a connection */
    whisperlive_session_step (self, WHISPERLIVE_EVENT_AUDIO, "flush");
  }
  if (flow->waiting && self->lifecycle.state == WHISPERLIVE_STATE_DISCONNECTED)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_AUDIO, "audio");
  if (flow->ended && !self->lifecycle.ended)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_ENDED, "end of stream");
  else if (!flow->ended && self->lifecycle.ended)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_RESUMED,
        "stream goes on");
}

/* Two threads may tell it at once: what holds is what is there now. */
static void
look_at_playing (WhisperLiveSession * self, gint64 now)
{
  gboolean playing = g_atomic_int_get (&self->playing);

  if (playing != self->lifecycle.paused)
    return;
  if (playing)
    whisperlive_stream_resumed (self->stream, now);
  whisperlive_session_step (self, playing ? WHISPERLIVE_EVENT_PLAYING :
      WHISPERLIVE_EVENT_PAUSED, playing ? "playing" : "paused");
}

/* MIN() would do its second argument twice. */
static gint64
sooner (gint64 one, gint64 other)
{
  return MIN (one, other);
}

static void
work (WhisperLiveSession * self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 again = G_MAXINT64;
  const gchar *why;
  WhisperLiveFlow flow;

  if (!self->settings || !self->lifecycle.running)
    goto out;
  if (now >= self->next_losses)
    whisperlive_session_report_losses (self);
  look_at_playing (self, now);
  look_at_queue (self, &flow);
  if (may_send (self)) {
    why = flow.stale ? "the server has audio from before a flush" :
        whisperlive_stream_why_replace (self->stream, now, &again);
    if (why)
      replace (self, why, now);
  }
  if (may_send (self))
    again = sooner (again, pump (self, now));
  whisperlive_queue_get_flow (self->queue, &flow);
  /* nothing is left after a flush, but that is not the end */
  if (flow.generation == self->generation)
    again = sooner (again, drain (self, &flow, now));
  again = sooner (again, keep_alive (self, now));
  if (now < self->next_losses)
    again = MIN (again, self->next_losses);

out:
  if (self->lifecycle.deadline && now >= self->lifecycle.deadline)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_DEADLINE, "time-out");
  if (self->lifecycle.deadline)
    again = MIN (again, self->lifecycle.deadline);
  whisperlive_loop_set_timer (self->loop, again);
}

/* --- making and ending --- */

static void
on_queue_wake (gpointer queue, gpointer user_data)
{
  WhisperLiveSession *self = user_data;

  whisperlive_loop_wake (self->loop);
}

static void
on_work (gpointer user_data)
{
  work (user_data);
}

/* The last thing on the session thread */
static void
tear_down (gpointer user_data)
{
  WhisperLiveSession *self = user_data;

  g_clear_pointer (&self->websocket, whisperlive_websocket_free);
  /* its socket is shut by now; what closes it is still in the context */
  if (!whisperlive_loop_iterate_until_zero (self->loop, &self->live,
          TEARDOWN_TIMEOUT))
    GST_WARNING ("%u connections did not close in time", self->live);
  g_clear_pointer (&self->stream, whisperlive_stream_free);
  g_clear_pointer (&self->settings, whisperlive_settings_free);
}

WhisperLiveSession *
whisperlive_session_new (WhisperLiveQueue * queue,
    const WhisperLiveSessionEvents * events, gpointer owner)
{
  WhisperLiveSession *self = g_new0 (WhisperLiveSession, 1);

  WHISPERLIVE_DEBUG_CATEGORY_INIT (whisperlive_session_debug,
      "whisperlivesession", "WhisperLive session");
  self->events = events;
  self->owner = owner;
  g_mutex_init (&self->stop_lock);
  g_cond_init (&self->stop_cond);
  self->stopped = TRUE;
  self->queue = queue;
  self->rand = g_rand_new ();
  self->loop = whisperlive_loop_new ("whisperlive", on_work, tear_down, self);
  whisperlive_queue_set_wake (queue, on_queue_wake, self);
  return self;
}

void
whisperlive_session_free (WhisperLiveSession * self)
{
  whisperlive_queue_set_wake (self->queue, NULL, NULL);
  whisperlive_loop_free (self->loop);

  g_rand_free (self->rand);
  g_clear_error (&self->error);
  g_free (self->session_id);
  g_free (self->language);
  g_mutex_clear (&self->stop_lock);
  g_cond_clear (&self->stop_cond);
  g_free (self);
}

/* --- commands --- */

typedef struct
{
  WhisperLiveSession *session;
  WhisperLiveSettings *settings;
} Start;

static void
start_free (gpointer data)
{
  Start *start = data;

  g_clear_pointer (&start->settings, whisperlive_settings_free);
  g_free (start);
}

static gboolean
do_start (gpointer data)
{
  Start *start = data;
  WhisperLiveSession *self = start->session;
  WhisperLiveFlow flow;

  g_clear_pointer (&self->stream, whisperlive_stream_free);
  g_clear_pointer (&self->settings, whisperlive_settings_free);
  self->settings = g_steal_pointer (&start->settings);
  self->stream = whisperlive_stream_new (self->queue, self->settings);
  whisperlive_queue_get_flow (self->queue, &flow);
  self->generation = flow.generation;
  g_clear_pointer (&self->language, g_free);
  self->stats = (WhisperLiveStats) {
  0};
  whisperlive_lifecycle_init (&self->lifecycle, self->settings, self->rand);
  self->state_since = g_get_monotonic_time ();
  whisperlive_session_step (self, WHISPERLIVE_EVENT_START, "start");
  return G_SOURCE_REMOVE;
}

void
whisperlive_session_start (WhisperLiveSession * self,
    WhisperLiveSettings * settings)
{
  Start *start = g_new (Start, 1);
  GstClockTime least = WHISPERLIVE_SAMPLES_TO_TIME (WHISPERLIVE_SHORTEST_PASS) +
      settings->chunk_duration * GST_MSECOND;

  start->session = self;
  start->settings = settings;
  self->close_timeout = settings->close_timeout * G_GINT64_CONSTANT (1000);
  g_atomic_int_set (&self->playing, FALSE);
  /* with less room, no pass would ever make any */
  whisperlive_queue_start (self->queue, MAX (settings->max_size_time, least));
  whisperlive_loop_invoke (self->loop, do_start, start, start_free);
}

void
whisperlive_session_set_playing (WhisperLiveSession * self, gboolean playing)
{
  if (g_atomic_int_exchange (&self->playing, playing) != playing)
    whisperlive_loop_wake (self->loop);
}

gboolean
whisperlive_session_is_playing (WhisperLiveSession * self)
{
  return g_atomic_int_get (&self->playing);
}

typedef struct
{
  WhisperLiveSession *session;
  GError *error;
} Break;

static void
break_free (gpointer data)
{
  Break *b = data;

  g_error_free (b->error);
  g_free (b);
}

static gboolean
do_break (gpointer data)
{
  Break *b = data;
  WhisperLiveSession *self = b->session;

  g_clear_error (&self->error);
  self->error = g_error_copy (b->error);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_BROKEN,
      self->error->message);
  return G_SOURCE_REMOVE;
}

void
whisperlive_session_break (WhisperLiveSession * self, GError * error)
{
  Break *b = g_new (Break, 1);

  b->session = self;
  b->error = error;
  whisperlive_queue_fail (self->queue);
  whisperlive_loop_invoke (self->loop, do_break, b, break_free);
  whisperlive_queue_check (self->queue);
}

static gboolean
do_stop (gpointer data)
{
  WhisperLiveSession *self = data;

  g_mutex_lock (&self->stop_lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->stop_cond);
  g_mutex_unlock (&self->stop_lock);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_STOP, "stop");
  return G_SOURCE_REMOVE;
}

/* libsoup may never come back from reading, not even to tell of a message: what comes may be nothing but pings, or a message without an end.
 * Then only the end of the socket gets it out. */
static void
shut_unless_stopping (WhisperLiveSession * self, gint64 deadline)
{
  g_autoptr (GSocket) socket = NULL;
  gboolean in_time = TRUE;

  g_mutex_lock (&self->stop_lock);
  while (!self->stopping && in_time)
    in_time = g_cond_wait_until (&self->stop_cond, &self->stop_lock, deadline);
  if (!self->stopping && self->socket)
    socket = g_object_ref (self->socket);
  g_mutex_unlock (&self->stop_lock);
  if (socket)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

void
whisperlive_session_stop (WhisperLiveSession * self)
{
  gint64 deadline = g_get_monotonic_time () + self->close_timeout;

  /* it would wait for itself */
  g_assert (!whisperlive_loop_is_current (self->loop));

  g_mutex_lock (&self->stop_lock);
  self->stopping = self->stopped = FALSE;
  g_mutex_unlock (&self->stop_lock);
  whisperlive_loop_invoke (self->loop, do_stop, self, NULL);
  shut_unless_stopping (self, deadline);
  g_mutex_lock (&self->stop_lock);
  while (!self->stopped)
    g_cond_wait (&self->stop_cond, &self->stop_lock);
  g_mutex_unlock (&self->stop_lock);
}

gboolean
whisperlive_session_is_current (WhisperLiveSession * self)
{
  return whisperlive_loop_is_current (self->loop);
}
