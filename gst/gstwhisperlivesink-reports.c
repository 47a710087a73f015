/* gstwhisperlivesink-reports: publishes and posts what the session reports, on its thread and with no lock held
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstwhisperlivesink-private.h"

#include "gstwhisperlivemessage.h"

GST_DEBUG_CATEGORY_EXTERN (whisperlive_sink_debug);
#define GST_CAT_DEFAULT whisperlive_sink_debug

/* A final that comes so long after its last word is late: more than the server has unsettled when it keeps up */
#define LATE (15 * GST_SECOND)
/* And is told of again when it is so much later still */
#define STILL_LATER (5 * GST_SECOND)

static void
post (GstWhisperLiveSink * self, GstMessage * message)
{
  gst_element_post_message (GST_ELEMENT (self), message);
}

static void
on_state (gpointer owner, const WhisperLiveStateReport * report)
{
  GstWhisperLiveSink *self = owner;
  gboolean new_session;

  GST_OBJECT_LOCK (self);
  self->state = report->state;
  new_session = g_strcmp0 (self->session_id, report->session_id) != 0;
  if (new_session) {
    g_free (self->session_id);
    self->session_id = g_strdup (report->session_id);
  }
  GST_OBJECT_UNLOCK (self);

  if (new_session)
    g_object_notify (G_OBJECT (self), "session-id");
  g_object_notify (G_OBJECT (self), "connection-state");
  post (self, gst_whisper_live_message_new_state (GST_OBJECT (self), report));
}

/* Does audio come as fast as it is spoken? A file can be as late as it likes. */
static gboolean
is_real_time (GstWhisperLiveSink * self)
{
  return g_atomic_int_get (&self->live) > 0
      || gst_base_sink_get_sync (GST_BASE_SINK (self));
}

static void
check_delay (GstWhisperLiveSink * self, GstClockTime end)
{
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self));
  GstClockTime delay;

  if (!GST_CLOCK_TIME_IS_VALID (now) || now < end)
    return;
  delay = now - end;
  if (delay < (self->delay ? self->delay + STILL_LATER : LATE))
    return;
  self->delay = delay;
  gst_element_message_full_with_details (GST_ELEMENT (self),
      GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
      g_strdup_printf ("The transcript is %" G_GUINT64_FORMAT " s behind: the "
          "server or the network is too slow", delay / GST_SECOND), NULL,
      __FILE__, GST_FUNCTION, __LINE__,
      gst_structure_new ("whisperlivesink/excessive-delay",
          "delay", G_TYPE_UINT64, delay,
          "running-time", G_TYPE_UINT64, end, NULL));
}

static void
on_text (gpointer owner, const WhisperLiveTextReport * report)
{
  GstWhisperLiveSink *self = owner;

  post (self, gst_whisper_live_message_new_text (GST_OBJECT (self), report));
  if (!report->update->final || report->translation)
    return;
  post (self, gst_whisper_live_message_new_transcript_tag (GST_OBJECT (self),
          report->update->segment->text));
  if (GST_CLOCK_TIME_IS_VALID (report->running_time) && is_real_time (self))
    check_delay (self, report->running_time + report->duration);
}

static void
on_language (gpointer owner, const gchar * language, gboolean detected,
    gdouble probability)
{
  GstWhisperLiveSink *self = owner;

  if (detected)
    post (self, gst_whisper_live_message_new_language (GST_OBJECT (self),
            language, probability));
  post (self, gst_whisper_live_message_new_language_tag (GST_OBJECT (self),
          language));
}

static void
on_lost (gpointer owner, const WhisperLiveLoss * loss)
{
  GstWhisperLiveSink *self = owner;

  post (self, gst_whisper_live_message_new_lost (GST_OBJECT (self), loss));
}

static void
on_drained (gpointer owner, gboolean complete)
{
  GstWhisperLiveSink *self = owner;
  WhisperLiveCounters counters;

  whisperlive_queue_get_counters (self->queue, &counters);
  post (self, gst_whisper_live_message_new_drained (GST_OBJECT (self), complete,
          &counters));
}

static void
on_raw (gpointer owner, const gchar * text, gsize length,
    GstClockTime running_time)
{
  GstWhisperLiveSink *self = owner;

  post (self, gst_whisper_live_message_new_raw (GST_OBJECT (self), text, length,
          running_time));
}

static void
on_stats (gpointer owner, const WhisperLiveStats * stats)
{
  GstWhisperLiveSink *self = owner;

  GST_OBJECT_LOCK (self);
  self->stats = *stats;
  GST_OBJECT_UNLOCK (self);
}

static void
on_warning (gpointer owner, const gchar * text)
{
  GstWhisperLiveSink *self = owner;

  GST_ELEMENT_WARNING (self, RESOURCE, FAILED, ("%s", text), (NULL));
}

void
gst_whisper_live_sink_post_error (GstWhisperLiveSink * self,
    const GError * error)
{
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
}

static void
on_error (gpointer owner, const GError * error)
{
  gst_whisper_live_sink_post_error (owner, error);
}

static gboolean
on_accept_certificate (gpointer owner, GTlsCertificate * certificate,
    GTlsCertificateFlags errors)
{
  gboolean accept = FALSE;

  g_signal_emit_by_name (owner, "accept-certificate", certificate, errors,
      &accept);
  return accept;
}

const WhisperLiveSessionEvents gst_whisper_live_sink_session_events = {
  .state = on_state,
  .text = on_text,
  .language = on_language,
  .lost = on_lost,
  .drained = on_drained,
  .raw = on_raw,
  .stats = on_stats,
  .warning = on_warning,
  .error = on_error,
  .accept_certificate = on_accept_certificate,
};
