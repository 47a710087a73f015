/* whisperlive-session: owns the thread, the context, the connection and every timer, and carries out what the lifecycle decides
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-session.h"

#include "whisperlive-drain.h"
#include "whisperlive-loop.h"
#include "whisperlive-stream.h"
#include "whisperlive-websocket.h"

GST_DEBUG_CATEGORY_STATIC (whisperlive_session_debug);
#define GST_CAT_DEFAULT whisperlive_session_debug

#define END_OF_AUDIO "END_OF_AUDIO"
/* Settling by age looks this often. */
#define AGING_PERIOD G_USEC_PER_SEC
/* Without an answer to a ping, audio counts as arrived after so long. */
#define NO_PONG (2 * G_USEC_PER_SEC)
/* How long a thread that ends waits for sockets that are shut already. */
#define TEARDOWN_TIMEOUT (2 * G_USEC_PER_SEC)

struct _WhisperLiveSession
{
  const WhisperLiveSessionEvents *events;
  gpointer owner;
  WhisperLiveLoop *loop;
  WhisperLiveQueue *queue;

  GMutex stop_lock;
  GCond stop_cond;
  gboolean stopped;             /* under stop_lock: stop() may return */

  /* all below: session thread */
  WhisperLiveSettings *settings;        /* NULL: not started */
  GRand *rand;
  WhisperLiveLifecycle lifecycle;
  WhisperLiveStream *stream;
  WhisperLiveWebsocket *websocket;
  guint live;                   /* sockets that are not closed yet */
  GError *error;                /* of the last connection */
  gchar *session_id;
  gchar *language;
  WhisperLiveStats stats;
  guint generation;             /* flushes seen */
  gboolean complete;            /* of the last drain */
  enum
  {
    MARKER_NONE,
    MARKER_WAITS,               /* for the answer to an earlier ping */
    MARKER_SENT,
  } marker;                     /* the ping after the last of the audio */
  gint64 began;                 /* the present session became ready */
  gint64 next_ping, next_aging;
  gint64 heard;                 /* when the server last gave a sign of life */
};

static void step (WhisperLiveSession * self, WhisperLiveEventType type,
    const gchar * reason);
static void work (WhisperLiveSession * self);
static const WhisperLiveWebsocketEvents websocket_events;

/* --- reports --- */

static void
report_stats (WhisperLiveSession * self)
{
  self->events->stats (self->owner, &self->stats);
}

static void
report_losses (WhisperLiveSession * self)
{
  GArray *losses = whisperlive_queue_take_losses (self->queue);
  guint i;

  if (!losses)
    return;
  for (i = 0; i < losses->len; i++)
    self->events->lost (self->owner,
        &g_array_index (losses, WhisperLiveLoss, i));
  g_array_unref (losses);
}

static void
report_text (WhisperLiveSession * self, const WhisperLiveUpdate * update,
    gboolean translation)
{
  const WhisperLiveTimeline *timeline =
      whisperlive_stream_get_timeline (self->stream);
  WhisperLiveTextReport report = {
    .update = update,
    .translation = translation,
    .running_time = whisperlive_timeline_running_time (timeline, update->start),
    .stream_time = whisperlive_timeline_stream_time (timeline, update->start),
    .timeline = timeline,
    .language = translation ? self->settings->translation_language_code :
        self->language,
    .session_id = self->session_id,
  };
  GstClockTime end = whisperlive_timeline_running_time (timeline, update->end);

  if (GST_CLOCK_TIME_IS_VALID (end) && end >= report.running_time)
    report.duration = end - report.running_time;
  self->events->text (self->owner, &report);
}

/* Takes @updates. */
static void
report_updates (WhisperLiveSession * self, GPtrArray * updates)
{
  gboolean final = FALSE;
  guint i;

  for (i = 0; i < updates->len; i++) {
    WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    self->stats.segments_final += update->final;
    final |= update->final;
  }
  if (updates->len)
    step (self, final ? WHISPERLIVE_EVENT_TEXT : WHISPERLIVE_EVENT_PROGRESS,
        "text");
  report_stats (self);
  for (i = 0; i < updates->len; i++) {
    WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    if (update->final || self->settings->post_partials)
      report_text (self, update, FALSE);
  }
  g_ptr_array_unref (updates);
}

static void
report_state (WhisperLiveSession * self, WhisperLiveState previous,
    const gchar * reason)
{
  const WhisperLiveLifecycle *l = &self->lifecycle;
  WhisperLiveStateReport report = {
    .state = l->state,
    .previous = previous,
    .session_id = self->session_id,
    .attempt = l->failures,
    .retry_in = l->state == WHISPERLIVE_STATE_WAITING ?
        l->delay * GST_USECOND : 0,
    .reason = reason,
  };

  GST_INFO ("%s -> %s: %s (session %s, attempt %u)",
      whisperlive_state_to_string (previous),
      whisperlive_state_to_string (l->state), reason,
      self->session_id ? self->session_id : "none", l->failures);
  self->events->state (self->owner, &report);
}

static GError *
failure (WhisperLiveSession * self)
{
  const WhisperLiveLifecycle *l = &self->lifecycle;
  const gchar *why = self->error ? self->error->message : "the server hung up";
  g_autofree gchar *uri =
      whisperlive_settings_presentable_uri (self->settings->uri);

  switch (l->cause) {
    case WHISPERLIVE_CAUSE_REFUSED:
      if (self->error)
        return g_error_copy (self->error);
      break;
    case WHISPERLIVE_CAUSE_FULL:
      return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
          "The server is full (%u attempts)", l->failures);
    case WHISPERLIVE_CAUSE_CONNECT_TIMEOUT:
      why = "the connection was not established within connect-timeout";
      break;
    case WHISPERLIVE_CAUSE_READY_TIMEOUT:
      why = "the server did not become ready within ready-timeout";
      break;
    default:
      break;
  }
  if (l->worked)
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
        "The session was lost and did not come back (%u failures): %s",
        l->failures, why);
  return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "No session with %s (%u attempts): %s", uri, l->failures, why);
}

/* --- what the lifecycle decides --- */

static void
drop_connection (WhisperLiveSession * self)
{
  g_clear_pointer (&self->websocket, whisperlive_websocket_free);
  whisperlive_queue_set_ready (self->queue, FALSE);
}

static void
open_connection (WhisperLiveSession * self)
{
  drop_connection (self);
  g_clear_error (&self->error);
  g_free (self->session_id);
  self->session_id = g_uuid_string_random ();
  if (self->stats.sessions > 0)
    self->stats.reconnects++;
  self->stats.connect_attempts++;
  self->websocket = whisperlive_websocket_open (self->settings,
      &websocket_events, self, &self->live);
}

static void
send_handshake (WhisperLiveSession * self)
{
  g_autofree gchar *handshake =
      whisperlive_protocol_handshake (self->settings, self->session_id);

  GST_TRACE ("handshake: %s", handshake);
  whisperlive_websocket_send_text (self->websocket, handshake);
}

static void
begin_stream (WhisperLiveSession * self, gint64 now)
{
  self->stats.sessions++;
  self->heard = self->began = now;
  self->next_ping = now;
  self->marker = MARKER_NONE;
  self->next_aging = now + AGING_PERIOD;
  whisperlive_stream_begin (self->stream, now);
  whisperlive_queue_set_ready (self->queue, TRUE);
}

static void
finish_stream (WhisperLiveSession * self, gboolean complete)
{
  self->complete = complete;
  report_updates (self, whisperlive_stream_finish (self->stream, complete));
  if (!complete)
    whisperlive_queue_lose (self->queue, WHISPERLIVE_LOSS_DRAIN_TIMEOUT);
  report_losses (self);
}

static void
report_drained (WhisperLiveSession * self)
{
  report_stats (self);
  self->events->drained (self->owner, self->complete);
  whisperlive_queue_set_drained (self->queue);
}

/* The losses first: an application that stops at the error has seen them. */
static void
report_failure (WhisperLiveSession * self)
{
  g_autoptr (GError) error = failure (self);

  whisperlive_queue_lose (self->queue, WHISPERLIVE_LOSS_SESSION_FAILED);
  report_losses (self);
  report_stats (self);
  self->events->drained (self->owner, FALSE);
  self->events->error (self->owner, error);
  whisperlive_queue_close (self->queue);
}

static void
carry_out (WhisperLiveSession * self, WhisperLiveActions actions, gint64 now)
{
  g_autoptr (GBytes) end = NULL;

  if (actions & WHISPERLIVE_ACTION_ABORT)
    drop_connection (self);
  if (actions & WHISPERLIVE_ACTION_REWIND)
    whisperlive_queue_rewind (self->queue);
  if (actions & (WHISPERLIVE_ACTION_SETTLE | WHISPERLIVE_ACTION_LOSE))
    finish_stream (self, (actions & WHISPERLIVE_ACTION_SETTLE) != 0);
  if (actions & WHISPERLIVE_ACTION_OPEN)
    open_connection (self);
  if (actions & WHISPERLIVE_ACTION_HANDSHAKE)
    send_handshake (self);
  if (actions & WHISPERLIVE_ACTION_STREAM)
    begin_stream (self, now);
  if (actions & WHISPERLIVE_ACTION_FINISH) {
    end = g_bytes_new_static (END_OF_AUDIO, strlen (END_OF_AUDIO));
    whisperlive_websocket_send_binary (self->websocket, end);
  }
  if (actions & WHISPERLIVE_ACTION_CLOSE)
    whisperlive_websocket_close (self->websocket);
}

/* What is still held now, nobody will transcribe. */
static void
finish_stop (WhisperLiveSession * self)
{
  whisperlive_queue_lose (self->queue, WHISPERLIVE_LOSS_STOPPED);
  report_losses (self);
  report_stats (self);

  g_mutex_lock (&self->stop_lock);
  self->stopped = TRUE;
  g_cond_broadcast (&self->stop_cond);
  g_mutex_unlock (&self->stop_lock);
}

static void
step_full (WhisperLiveSession * self, const WhisperLiveEvent * event,
    const gchar * reason)
{
  WhisperLiveState previous = self->lifecycle.state;
  gint64 now = g_get_monotonic_time ();
  WhisperLiveActions actions;
  g_autofree gchar *why = g_strdup (reason);

  actions = whisperlive_lifecycle_step (&self->lifecycle, event, now);
  carry_out (self, actions, now);
  if (self->lifecycle.state != previous) {
    report_state (self, previous, why);
    whisperlive_loop_wake (self->loop);
  }
  /* these let the streaming thread go on: last */
  if (actions & WHISPERLIVE_ACTION_REPORT_DRAINED)
    report_drained (self);
  if (actions & WHISPERLIVE_ACTION_FAIL)
    report_failure (self);
  if (!self->lifecycle.running
      && self->lifecycle.state == WHISPERLIVE_STATE_DISCONNECTED)
    finish_stop (self);
}

static void
step (WhisperLiveSession * self, WhisperLiveEventType type,
    const gchar * reason)
{
  WhisperLiveEvent event = {.type = type };

  step_full (self, &event, reason);
}

/* --- what the connection tells --- */

static void
on_opened (gpointer owner, gint64 elapsed)
{
  WhisperLiveSession *self = owner;

  GST_DEBUG ("upgraded after %" G_GINT64_FORMAT " us", elapsed);
  step (self, WHISPERLIVE_EVENT_UPGRADED, "connection established");
}

/* FALSE: the last one has not been answered. */
static gboolean
ping (WhisperLiveSession * self)
{
  if (!whisperlive_websocket_ping (self->websocket))
    return FALSE;
  self->next_ping = g_get_monotonic_time () +
      self->settings->keepalive_interval * G_GINT64_CONSTANT (1000);
  return TRUE;
}

/* A ping after the audio: when it is answered, the audio is there. */
static void
mark_arrival (WhisperLiveSession * self)
{
  if (self->settings->keepalive_interval)
    self->marker = ping (self) ? MARKER_SENT : MARKER_WAITS;
}

static void
on_pong (gpointer owner, gint64 round_trip)
{
  WhisperLiveSession *self = owner;

  self->heard = g_get_monotonic_time ();
  self->stats.round_trip = round_trip * GST_USECOND;
  report_stats (self);

  if (self->marker == MARKER_SENT) {
    self->marker = MARKER_NONE;
    whisperlive_stream_set_arrived (self->stream, self->heard);
  } else if (self->marker == MARKER_WAITS) {
    mark_arrival (self);
  }
}

static void
on_segments (WhisperLiveSession * self, const GPtrArray * segments)
{
  if (self->lifecycle.state != WHISPERLIVE_STATE_READY
      && self->lifecycle.state != WHISPERLIVE_STATE_DRAINING)
    return;
  report_updates (self, whisperlive_stream_hear (self->stream, segments,
          g_get_monotonic_time ()));
  /* more may be sent now, or the drain be complete */
  whisperlive_loop_wake (self->loop);
}

static void
on_translation (WhisperLiveSession * self, const GPtrArray * segments)
{
  g_autoptr (GPtrArray) updates =
      whisperlive_stream_hear_translation (self->stream, segments);
  guint i;

  for (i = 0; i < updates->len; i++)
    report_text (self, g_ptr_array_index (updates, i), TRUE);
}

static void
on_language (WhisperLiveSession * self, const WhisperLiveMessage * message)
{
  g_free (self->language);
  self->language = g_strdup (message->language);
  self->events->language (self->owner, message->language,
      message->language_probability);
}

static void
on_server_full (WhisperLiveSession * self, gdouble minutes)
{
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_SERVER_FULL,
    .delay = CLAMP (minutes, 0, 24 * 60) * 60 * G_USEC_PER_SEC,
  };

  self->stats.waits++;
  step_full (self, &event, "server full");
}

static void
on_server_error (WhisperLiveSession * self, const gchar * text)
{
  g_clear_error (&self->error);
  self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "The server reports an error: %s", text);
  step (self, WHISPERLIVE_EVENT_REFUSED, self->error->message);
}

static void
on_ready (WhisperLiveSession * self)
{
  if (self->lifecycle.state != WHISPERLIVE_STATE_CONNECTED)
    return;
  step (self, WHISPERLIVE_EVENT_SERVER_READY, "server ready");
  if (!self->language
      && (self->language = whisperlive_settings_dup_language (self->settings)))
    self->events->language (self->owner, self->language, 0);
}

/* Of the audio that has been sent so far. */
static GstClockTime
sent_running_time (WhisperLiveSession * self)
{
  WhisperLiveFlow flow;

  whisperlive_queue_get_flow (self->queue, &flow);
  return
      whisperlive_timeline_running_time (whisperlive_stream_get_timeline
      (self->stream), flow.sent);
}

static void
on_text (gpointer owner, const gchar * text, gsize length)
{
  WhisperLiveSession *self = owner;
  g_autoptr (GError) error = NULL;
  g_autoptr (WhisperLiveMessage) message = NULL;

  GST_TRACE ("received %.*s", (int) MIN (length, 4096), text);
  self->heard = g_get_monotonic_time ();
  self->stats.messages_received++;
  if (self->settings->post_raw)
    self->events->raw (self->owner, text, length, sent_running_time (self));
  message = whisperlive_protocol_parse (text, length, &error);
  if (message && message->session_id
      && !g_str_equal (message->session_id, self->session_id)) {
    g_set_error (&error, WHISPERLIVE_PROTOCOL_ERROR, 0,
        "it is for session %s", message->session_id);
    g_clear_pointer (&message, whisperlive_message_free);
  }
  if (!message) {
    self->stats.messages_rejected++;
    report_stats (self);
    GST_WARNING ("ignoring a message of the server: %s", error->message);
    return;
  }

  switch (message->type) {
    case WHISPERLIVE_MESSAGE_READY:
      on_ready (self);
      break;
    case WHISPERLIVE_MESSAGE_WAIT:
      on_server_full (self, message->wait_minutes);
      break;
    case WHISPERLIVE_MESSAGE_ERROR:
      on_server_error (self, message->text);
      break;
    case WHISPERLIVE_MESSAGE_WARNING:
      self->events->warning (self->owner, message->text);
      break;
    case WHISPERLIVE_MESSAGE_DISCONNECT:
      step (self, WHISPERLIVE_EVENT_SERVER_BYE, "server disconnects");
      break;
    case WHISPERLIVE_MESSAGE_LANGUAGE:
      on_language (self, message);
      break;
    case WHISPERLIVE_MESSAGE_SEGMENTS:
      on_segments (self, message->segments);
      break;
    case WHISPERLIVE_MESSAGE_TRANSLATION:
      on_translation (self, message->segments);
      break;
    case WHISPERLIVE_MESSAGE_OTHER:
      break;
  }
}

static void
on_closed (gpointer owner, gushort code, const GError * error)
{
  WhisperLiveSession *self = owner;
  const WhisperLiveLifecycle *l = &self->lifecycle;
  WhisperLiveEventType type = WHISPERLIVE_EVENT_CLOSED;

  g_clear_error (&self->error);
  if (error)
    self->error = g_error_copy (error);
  else if (l->state == WHISPERLIVE_STATE_CONNECTED && code == 1000 && !l->full)
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The server refuses this configuration: it closed the connection "
        "after the handshake without a word");
  else
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
        l->bye ? "The session's time at the server is over" :
        "The server closed the connection with code %u", code);

  if (self->error->code == GST_RESOURCE_ERROR_NOT_AUTHORIZED
      || self->error->code == GST_RESOURCE_ERROR_SETTINGS)
    type = WHISPERLIVE_EVENT_REFUSED;
  step (self, type, self->error->message);
}

static gboolean
on_accept_certificate (gpointer owner, GTlsCertificate * certificate,
    GTlsCertificateFlags errors)
{
  WhisperLiveSession *self = owner;

  return self->events->accept_certificate (self->owner, certificate, errors);
}

static const WhisperLiveWebsocketEvents websocket_events = {
  .opened = on_opened,
  .text = on_text,
  .pong = on_pong,
  .closed = on_closed,
  .accept_certificate = on_accept_certificate,
};

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
  gsize piece = size / WHISPERLIVE_DRAIN_PADDING_MS *
      self->settings->chunk_duration;

  for (done = 0; done < size; done += piece)
    send_audio (self, g_bytes_new_from_bytes (padding, done, MIN (piece,
                size - done)));
  g_bytes_unref (padding);
}

/* Sends what may be sent; the time at which to go on. */
static gint64
pump (WhisperLiveSession * self, gint64 now)
{
  WhisperLiveCounters before, after;
  gint64 again;
  GBytes *frame;

  whisperlive_queue_get_counters (self->queue, &before);
  while ((frame = whisperlive_stream_pull (self->stream, now, &again)))
    send_audio (self, frame);
  whisperlive_queue_get_counters (self->queue, &after);
  self->stats.max_server_lag = MAX (self->stats.max_server_lag,
      WHISPERLIVE_SAMPLES_TO_TIME (after.lag));
  /* not what is sent again */
  if (after.sent > before.sent)
    step (self, WHISPERLIVE_EVENT_PROGRESS, "audio sent");
  report_stats (self);
  return again;
}

/* At the end of the stream: have all words come? */
static gint64
drain (WhisperLiveSession * self, const WhisperLiveFlow * flow, gint64 now)
{
  gint64 again = G_MAXINT64;

  if (!self->lifecycle.ended || flow->waiting
      || self->lifecycle.state == WHISPERLIVE_STATE_CLOSING)
    return again;
  if (flow->head == flow->tail) {
    step (self, WHISPERLIVE_EVENT_DRAINED, "all audio is transcribed");
  } else if (may_send (self)) {
    if (whisperlive_stream_is_drained (self->stream, now, &again)) {
      step (self, WHISPERLIVE_EVENT_DRAINED, "all audio is transcribed");
    } else if (self->lifecycle.state == WHISPERLIVE_STATE_READY) {
      /* sending may have taken its time */
      now = g_get_monotonic_time ();
      send_padding (self, whisperlive_stream_pull_padding (self->stream,
              NO_PONG, now));
      mark_arrival (self);
      step (self, WHISPERLIVE_EVENT_ALL_SENT, "end of stream");
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
  step (self, WHISPERLIVE_EVENT_CLOSED, self->error->message);
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

  response = whisperlive_stream_get_response_deadline (self->stream);
  end = get_end_of_session (self, now);
  if (now >= response) {
    lose_connection (self, "the server owes text and says nothing "
        "(response-timeout)");
    return G_MAXINT64;
  }
  if (now >= end) {
    step (self, WHISPERLIVE_EVENT_REPLACE, "max-session-duration");
    return G_MAXINT64;
  }
  if (interval && now >= self->next_ping) {
    if (!ping (self)) {
      lose_connection (self, "no answer to a ping (keepalive-interval)");
      return G_MAXINT64;
    }
  }
  if (now >= self->next_aging) {
    if (!interval || now < self->heard + 2 * interval)
      whisperlive_stream_settle_by_age (self->stream, now);
    self->next_aging = now + AGING_PERIOD;
  }
  response = MIN (response, MIN (end, self->next_aging));
  return interval ? MIN (response, self->next_ping) : response;
}

/* Tells the lifecycle what the queue has become. */
static void
look_at_queue (WhisperLiveSession * self, WhisperLiveFlow * flow)
{
  report_losses (self);
  whisperlive_queue_get_flow (self->queue, flow);
  if (flow->generation != self->generation) {
    self->generation = flow->generation;
    whisperlive_stream_flushed (self->stream, flow);
    step (self, WHISPERLIVE_EVENT_RESUMED, "flush");
    /* preroll waits for it */
    step (self, WHISPERLIVE_EVENT_AUDIO, "flush");
  }
  if (flow->waiting && self->lifecycle.state == WHISPERLIVE_STATE_DISCONNECTED)
    step (self, WHISPERLIVE_EVENT_AUDIO, "audio");
  if (flow->ended && !self->lifecycle.ended)
    step (self, WHISPERLIVE_EVENT_ENDED, "end of stream");
  else if (!flow->ended && self->lifecycle.ended)
    step (self, WHISPERLIVE_EVENT_RESUMED, "stream goes on");
}

static void
work (WhisperLiveSession * self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 again = G_MAXINT64;
  WhisperLiveFlow flow;

  if (!self->settings || !self->lifecycle.running)
    goto out;
  look_at_queue (self, &flow);
  if (may_send (self)) {
    if (flow.stale)
      step (self, WHISPERLIVE_EVENT_REPLACE,
          "the server has audio from before a flush");
    else if (whisperlive_stream_is_stuck (self->stream, now, &again))
      step (self, WHISPERLIVE_EVENT_REPLACE, "no text from this session");
  }
  if (may_send (self))
    again = MIN (again, pump (self, now));
  whisperlive_queue_get_flow (self->queue, &flow);
  again = MIN (again, drain (self, &flow, now));
  again = MIN (again, keep_alive (self, now));

out:
  if (self->lifecycle.deadline && now >= self->lifecycle.deadline)
    step (self, WHISPERLIVE_EVENT_DEADLINE, "time-out");
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

  GST_DEBUG_CATEGORY_INIT (whisperlive_session_debug, "whisperlivesession", 0,
      "WhisperLive session");
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
  step (self, WHISPERLIVE_EVENT_START, "start");
  return G_SOURCE_REMOVE;
}

void
whisperlive_session_start (WhisperLiveSession * self,
    WhisperLiveSettings * settings)
{
  Start *start = g_new (Start, 1);

  start->session = self;
  start->settings = settings;
  whisperlive_queue_start (self->queue, settings->max_size_time);
  whisperlive_loop_invoke (self->loop, do_start, start, start_free);
}

static gboolean
do_play (gpointer data)
{
  WhisperLiveSession *self = data;

  step (self, WHISPERLIVE_EVENT_PLAYING, "playing");
  whisperlive_loop_wake (self->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
do_pause (gpointer data)
{
  WhisperLiveSession *self = data;

  step (self, WHISPERLIVE_EVENT_PAUSED, "paused");
  whisperlive_loop_wake (self->loop);
  return G_SOURCE_REMOVE;
}

void
whisperlive_session_set_playing (WhisperLiveSession * self, gboolean playing)
{
  whisperlive_loop_invoke (self->loop, playing ? do_play : do_pause, self,
      NULL);
}

static gboolean
do_stop (gpointer data)
{
  WhisperLiveSession *self = data;

  step (self, WHISPERLIVE_EVENT_STOP, "stop");
  return G_SOURCE_REMOVE;
}

void
whisperlive_session_stop (WhisperLiveSession * self)
{
  /* it would wait for itself */
  g_assert (!whisperlive_loop_is_current (self->loop));

  g_mutex_lock (&self->stop_lock);
  self->stopped = FALSE;
  g_mutex_unlock (&self->stop_lock);
  whisperlive_loop_invoke (self->loop, do_stop, self, NULL);
  g_mutex_lock (&self->stop_lock);
  while (!self->stopped)
    g_cond_wait (&self->stop_cond, &self->stop_lock);
  g_mutex_unlock (&self->stop_lock);
}
