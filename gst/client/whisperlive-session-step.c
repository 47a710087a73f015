/* whisperlive-session-step: tells the lifecycle what has happened, carries out what it decides, and reports
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-session-private.h"

GST_DEBUG_CATEGORY_EXTERN (whisperlive_session_debug);
#define GST_CAT_DEFAULT whisperlive_session_debug

#define END_OF_AUDIO "END_OF_AUDIO"

/* --- reports --- */

void
whisperlive_session_report_stats (WhisperLiveSession * self)
{
  self->events->stats (self->owner, &self->stats);
}

void
whisperlive_session_report_losses (WhisperLiveSession * self)
{
  GArray *losses = whisperlive_queue_take_losses (self->queue);
  guint i;

  if (!losses)
    return;
  self->next_losses = g_get_monotonic_time () + WHISPERLIVE_LOSS_PERIOD;
  for (i = 0; i < losses->len; i++) {
    const WhisperLiveLoss *loss = &g_array_index (losses, WhisperLiveLoss, i);

    GST_INFO ("lost %" GST_TIME_FORMAT " of audio at running time %"
        GST_TIME_FORMAT " (reason %d)",
        GST_TIME_ARGS (WHISPERLIVE_SAMPLES_TO_TIME (loss->samples)),
        GST_TIME_ARGS (loss->running_time), loss->reason);
    self->events->lost (self->owner, loss);
  }
  g_array_unref (losses);
}

void
whisperlive_session_report_text (WhisperLiveSession * self,
    const WhisperLiveUpdate * update, gboolean translation)
{
  const WhisperLiveTimeline *timeline =
      whisperlive_stream_get_timeline (self->stream);
  g_autofree gchar *target =
      whisperlive_settings_dup_translation_language (self->settings);
  WhisperLiveTextReport report = {
    .update = update,
    .translation = translation,
    .running_time = whisperlive_timeline_running_time (timeline, update->start),
    .stream_time = whisperlive_timeline_stream_time (timeline, update->start),
    .words = whisperlive_settings_get_words (self->settings) ?
        update->segment->words : NULL,
    .timeline = timeline,
    .language = translation ? target : self->language,
    .session_id = self->session_id,
  };
  GstClockTime end = whisperlive_timeline_running_time (timeline, update->end);

  if (GST_CLOCK_TIME_IS_VALID (end) && end >= report.running_time)
    report.duration = end - report.running_time;
  self->events->text (self->owner, &report);
}

/* Takes @updates. */
void
whisperlive_session_report_updates (WhisperLiveSession * self,
    GPtrArray * updates)
{
  gboolean final = FALSE;
  guint i;

  for (i = 0; i < updates->len; i++) {
    WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    self->stats.segments_final += update->final;
    final |= update->final;
  }
  if (updates->len)
    whisperlive_session_step (self,
        final ? WHISPERLIVE_EVENT_TEXT : WHISPERLIVE_EVENT_PROGRESS, "text");
  for (i = 0; i < updates->len; i++) {
    WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    if (update->final || self->settings->post_partials)
      whisperlive_session_report_text (self, update, FALSE);
  }
  g_ptr_array_unref (updates);
}

static void
report_state (WhisperLiveSession * self, WhisperLiveState previous,
    const gchar * reason, gint64 now)
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
  GST_DEBUG ("%s lasted %" GST_TIME_FORMAT,
      whisperlive_state_to_string (previous),
      GST_TIME_ARGS ((now - self->state_since) * GST_USECOND));
  self->state_since = now;
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
          "The server is full (attempts: %u)", l->failures);
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
        "The session was lost and did not come back (failures: %u): %s",
        l->failures, why);
  return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "No session with %s (attempts: %u): %s", uri, l->failures, why);
}

/* --- what the lifecycle decides --- */

void
whisperlive_session_set_socket (WhisperLiveSession * self, GSocket * socket)
{
  g_mutex_lock (&self->stop_lock);
  g_set_object (&self->socket, socket);
  g_mutex_unlock (&self->stop_lock);
}

static void
drop_connection (WhisperLiveSession * self)
{
  whisperlive_session_set_socket (self, NULL);
  g_clear_pointer (&self->websocket, whisperlive_websocket_free);
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
      &whisperlive_session_websocket_events, self, &self->live);
}

static void
send_handshake (WhisperLiveSession * self)
{
  /* one that there has been no text in may be that of noise */
  const gchar *detected = self->stats.segments_final ? self->language : NULL;
  g_autofree gchar *handshake =
      whisperlive_protocol_handshake (self->settings, self->session_id,
      detected, whisperlive_stream_is_stuck (self->stream));

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
  self->next_aging = now + WHISPERLIVE_AGING_PERIOD;
  whisperlive_stream_begin (self->stream, self->lifecycle.failures > 0, now);
  whisperlive_queue_set_ready (self->queue);
}

static void
finish_stream (WhisperLiveSession * self, gboolean complete)
{
  self->complete = complete;
  whisperlive_session_report_updates (self,
      whisperlive_stream_finish (self->stream, complete));
  if (!complete)
    whisperlive_queue_lose (self->queue, WHISPERLIVE_LOSS_DRAIN_TIMEOUT);
  whisperlive_session_report_losses (self);
}

static void
report_drained (WhisperLiveSession * self)
{
  self->events->drained (self->owner, self->complete);
  whisperlive_queue_set_drained (self->queue, self->generation);
}

/* The losses first: an application that stops at the error has seen them. */
static void
report_failure (WhisperLiveSession * self)
{
  g_autoptr (GError) error = failure (self);

  whisperlive_queue_fail (self->queue);
  whisperlive_queue_lose (self->queue, WHISPERLIVE_LOSS_SESSION_FAILED);
  whisperlive_session_report_losses (self);
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
    whisperlive_queue_rewind (self->queue, 0);
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
  whisperlive_session_report_losses (self);

  g_mutex_lock (&self->stop_lock);
  self->stopped = TRUE;
  g_cond_broadcast (&self->stop_cond);
  g_mutex_unlock (&self->stop_lock);
}

void
whisperlive_session_step_full (WhisperLiveSession * self,
    const WhisperLiveEvent * event, const gchar * reason)
{
  WhisperLiveState previous = self->lifecycle.state;
  gint64 now = g_get_monotonic_time ();
  WhisperLiveActions actions;
  g_autofree gchar *why = g_strdup (reason);

  actions = whisperlive_lifecycle_step (&self->lifecycle, event, now);
  carry_out (self, actions, now);
  /* who is told of a state finds the figures of it */
  whisperlive_session_report_stats (self);
  if (self->lifecycle.state != previous) {
    report_state (self, previous, why, now);
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

void
whisperlive_session_step (WhisperLiveSession * self, WhisperLiveEventType type,
    const gchar * reason)
{
  WhisperLiveEvent event = {.type = type };

  whisperlive_session_step_full (self, &event, reason);
}
