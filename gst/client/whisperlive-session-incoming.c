/* whisperlive-session-incoming: what the connection tells
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-session-private.h"

GST_DEBUG_CATEGORY_EXTERN (whisperlive_session_debug);
#define GST_CAT_DEFAULT whisperlive_session_debug

static void
on_socket (gpointer owner, GSocket * socket)
{
  whisperlive_session_set_socket (owner, socket);
}

static void
on_opened (gpointer owner, gint64 elapsed)
{
  WhisperLiveSession *self = owner;

  GST_DEBUG ("upgraded after %" G_GINT64_FORMAT " us", elapsed);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_UPGRADED,
      "connection established");
}

/* FALSE: the last one has not been answered. */
gboolean
whisperlive_session_ping (WhisperLiveSession * self)
{
  if (!whisperlive_websocket_ping (self->websocket))
    return FALSE;
  self->next_ping = g_get_monotonic_time () +
      self->settings->keepalive_interval * G_GINT64_CONSTANT (1000);
  return TRUE;
}

/* A ping after the audio: when it is answered, the audio is there. */
void
whisperlive_session_mark_arrival (WhisperLiveSession * self)
{
  if (self->settings->keepalive_interval)
    self->marker = whisperlive_session_ping (self) ? MARKER_SENT : MARKER_WAITS;
}

static void
on_pong (gpointer owner, gint64 round_trip)
{
  WhisperLiveSession *self = owner;

  self->heard = g_get_monotonic_time ();
  self->stats.round_trip = round_trip * GST_USECOND;
  GST_DEBUG ("round trip %" G_GINT64_FORMAT " us", round_trip);
  whisperlive_session_report_stats (self);

  if (self->marker == MARKER_SENT) {
    self->marker = MARKER_NONE;
    whisperlive_stream_set_arrived (self->stream, self->heard);
    whisperlive_loop_wake (self->loop);
  } else if (self->marker == MARKER_WAITS) {
    whisperlive_session_mark_arrival (self);
  }
}

static void
on_segments (WhisperLiveSession * self, const GPtrArray * segments)
{
  gboolean tried;
  GPtrArray *updates;

  if (self->lifecycle.state != WHISPERLIVE_STATE_READY
      && self->lifecycle.state != WHISPERLIVE_STATE_DRAINING)
    return;
  tried = whisperlive_stream_is_on_trial (self->stream);
  updates = whisperlive_stream_hear (self->stream, segments,
      g_get_monotonic_time ());
  if (tried)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_ALIVE, "trial answered");
  /* a text that it repeats is going to be a final, and lets more be sent */
  if (self->lifecycle.state == WHISPERLIVE_STATE_READY)
    whisperlive_session_step (self, WHISPERLIVE_EVENT_PROGRESS,
        "the server goes on");
  whisperlive_session_report_updates (self, updates);
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
    whisperlive_session_report_text (self, g_ptr_array_index (updates, i),
        TRUE);
}

static void
on_language (WhisperLiveSession * self, const WhisperLiveMessage * message)
{
  g_free (self->language);
  self->language = g_strdup (message->language);
  self->events->language (self->owner, message->language, TRUE,
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
  whisperlive_session_step_full (self, &event, "server full");
  /* the state is the same, but not for as long */
  whisperlive_loop_wake (self->loop);
}

static void
on_server_warning (WhisperLiveSession * self, const gchar * text)
{
  g_autofree gchar *warning = g_strdup_printf ("The server warns: %s", text);

  self->events->warning (self->owner, warning);
}

static void
on_server_error (WhisperLiveSession * self, const gchar * text)
{
  g_clear_error (&self->error);
  self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      "The server reports an error: %s", text);
  whisperlive_session_step (self, WHISPERLIVE_EVENT_REFUSED,
      self->error->message);
}

static void
on_ready (WhisperLiveSession * self)
{
  if (self->lifecycle.state != WHISPERLIVE_STATE_CONNECTED)
    return;
  whisperlive_session_step (self, WHISPERLIVE_EVENT_SERVER_READY,
      "server ready");
  if (!self->language
      && (self->language = whisperlive_settings_dup_language (self->settings)))
    self->events->language (self->owner, self->language, FALSE, 0);
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
  whisperlive_session_report_stats (self);
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
    whisperlive_session_report_stats (self);
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
      on_server_warning (self, message->text);
      break;
    case WHISPERLIVE_MESSAGE_DISCONNECT:
      whisperlive_stream_leave (self->stream, self->heard);
      whisperlive_session_step (self, WHISPERLIVE_EVENT_SERVER_BYE,
          "server disconnects");
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
on_busy (gpointer owner)
{
  WhisperLiveSession *self = owner;

  whisperlive_loop_catch_up (self->loop);
}

static void
on_closed (gpointer owner, gushort code, const GError * error)
{
  WhisperLiveSession *self = owner;
  const WhisperLiveLifecycle *l = &self->lifecycle;
  WhisperLiveEvent event = {
    .type = WHISPERLIVE_EVENT_CLOSED,
    .idle = whisperlive_stream_is_pausing (self->stream)
        && !whisperlive_stream_is_on_trial (self->stream),
  };

  g_clear_error (&self->error);
  if (error)
    self->error = g_error_copy (error);
  else if (l->state == WHISPERLIVE_STATE_CONNECTED && code == 1000 && !l->full
      && !l->worked)
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "The server refuses this configuration: it closed the connection "
        "after the handshake without a word");
  else
    self->error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
        l->bye ? "The session's time at the server is over" :
        "The server closed the connection with code %u", code);

  if (self->error->code == GST_RESOURCE_ERROR_NOT_AUTHORIZED
      || self->error->code == GST_RESOURCE_ERROR_SETTINGS)
    event.type = WHISPERLIVE_EVENT_REFUSED;
  whisperlive_session_step_full (self, &event, self->error->message);
}

static gboolean
on_accept_certificate (gpointer owner, GTlsCertificate * certificate,
    GTlsCertificateFlags errors)
{
  WhisperLiveSession *self = owner;

  return self->events->accept_certificate (self->owner, certificate, errors);
}

const WhisperLiveWebsocketEvents whisperlive_session_websocket_events = {
  .socket = on_socket,
  .opened = on_opened,
  .text = on_text,
  .busy = on_busy,
  .pong = on_pong,
  .closed = on_closed,
  .accept_certificate = on_accept_certificate,
};
