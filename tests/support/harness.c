/* harness: a pipeline with a whisperlivesink, a scripted server for it, and the story that the bus tells
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#include "watchdog.h"

/* Far more than anything here takes on a busy machine */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)
#define BUFFER_MS 20

Harness *h;

void
harness_setup (void)
{
  h = g_new0 (Harness, 1);
  watchdog_start (harness_tell);
  h->before = census_new ();
  h->story =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  h->server = scripted_server_new ();
  h->rate = 16000;
  h->channels = 1;
  h->segment_words = 5;
}

void
harness_teardown (void)
{
  harness_unmake ();
  if (h->server != NULL)
    scripted_server_thaw (h->server);
  g_clear_pointer (&h->server, scripted_server_free);
  g_ptr_array_unref (h->story);
  /* GstBaseSink (1.22) never lets go of its caps when a preroll has failed and NULL comes before anything else */
  if (h->failed)
    census_forgive (h->before, GST_TYPE_CAPS);
  census_assert_no_more (h->before, "by this test");
  watchdog_stop ();
  census_free (h->before);
  g_clear_pointer (&h, g_free);
}

void
harness_script (void (*edit) (ScriptedScript * script))
{
  ScriptedScript script;

  scripted_server_get_script (h->server, &script);
  edit (&script);
  scripted_server_set_script (h->server, &script);
}

/* --- pipelines --- */

void
harness_launch (const gchar * description)
{
  g_autoptr (GError) error = NULL;

  h->pipeline = gst_parse_launch (description, &error);
  fail_unless (error == NULL, "%s: %s", description,
      error ? error->message : "");
  h->src = gst_bin_get_by_name (GST_BIN (h->pipeline), "src");
  h->sink = gst_bin_get_by_name (GST_BIN (h->pipeline), "sink");
  fail_unless (h->sink != NULL);
  h->bus = gst_element_get_bus (h->pipeline);
  /* what is posted on the way down belongs to the story */
  g_object_set (h->pipeline, "auto-flush-bus", FALSE, NULL);
}

void
harness_make (const gchar * middle, const gchar * first_property, ...)
{
  g_autofree gchar *description = NULL;
  va_list args;

  description =
      g_strdup_printf
      ("appsrc name=src format=time max-bytes=0 ! %s%s whisperlivesink name=sink uri=%s",
      middle, *middle ? " !" : "", scripted_server_uri (h->server));
  harness_launch (description);
  if (first_property != NULL) {
    va_start (args, first_property);
    g_object_set_valist (G_OBJECT (h->sink), first_property, args);
    va_end (args);
  }
  harness_set_format (h->rate, h->channels);
}

static gboolean
on_seek_data (GstElement * src, guint64 position, gpointer unused)
{
  return TRUE;
}

void
harness_make_seekable (void)
{
  gst_util_set_object_arg (G_OBJECT (h->src), "stream-type", "seekable");
  g_signal_connect (h->src, "seek-data", G_CALLBACK (on_seek_data), NULL);
}

void
harness_seek (GstClockTime position)
{
  fail_unless (gst_element_seek_simple (h->pipeline, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, position));
  h->pts = position;
}

static GMutex gone_lock;
static GCond gone_cond;

static void
on_sink_gone (gpointer gone, GObject * where_it_was)
{
  g_mutex_lock (&gone_lock);
  *(gboolean *) gone = TRUE;
  g_cond_signal (&gone_cond);
  g_mutex_unlock (&gone_lock);
}

/* A thread of GStreamer's that continued a state change of the pipeline may be the last to let go of it. */
static void
wait_until_gone (const gboolean * gone)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;
  gboolean late = FALSE;

  g_mutex_lock (&gone_lock);
  while (!*gone && !late)
    late = !g_cond_wait_until (&gone_cond, &gone_lock, deadline);
  g_mutex_unlock (&gone_lock);
  fail_if (late, "somebody still holds the element");
}

void
harness_unmake (void)
{
  gboolean gone = FALSE;

  if (h->pipeline == NULL)
    return;
  gst_element_set_state (h->pipeline, GST_STATE_NULL);
  /* the story's messages hold references to their elements */
  harness_forget ();
  g_clear_object (&h->bus);
  g_clear_object (&h->src);
  g_object_weak_ref (G_OBJECT (h->sink), on_sink_gone, &gone);
  g_clear_object (&h->sink);
  g_clear_object (&h->pipeline);
  wait_until_gone (&gone);
  h->pts = 0;
  h->frames = 0;
}

void
harness_set_format (guint rate, guint channels)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, "S16LE",
      "layout", G_TYPE_STRING, "interleaved", "rate", G_TYPE_INT, rate,
      "channels", G_TYPE_INT, channels, NULL);

  if (channels == 2)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK, (guint64) 0x3,
        NULL);
  else if (channels == 6)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK, (guint64) 0x3f,
        NULL);
  else if (channels > 2)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK, (guint64) 0,
        NULL);
  h->rate = rate;
  h->channels = channels;
  g_object_set (h->src, "caps", caps, NULL);
}

void
harness_push_pcm (GBytes * pcm)
{
  gsize size = g_bytes_get_size (pcm), at, n;
  gsize step = h->rate * BUFFER_MS / 1000 * h->channels * 2;
  gsize frame_size = h->channels * 2;
  GstClockTime base = h->pts;
  GstFlowReturn flow;

  for (at = 0; at < size; at += n) {
    GstBuffer *buffer;
    g_autoptr (GBytes) part = NULL;
    GstClockTime end;

    n = MIN (step, size - at);
    part = g_bytes_new_from_bytes (pcm, at, n);
    buffer = gst_buffer_new_wrapped_bytes (part);
    end =
        base + gst_util_uint64_scale (at + n, GST_SECOND, frame_size * h->rate);
    GST_BUFFER_PTS (buffer) = h->pts;
    GST_BUFFER_DURATION (buffer) = end - h->pts;
    h->pts = end;
    g_signal_emit_by_name (h->src, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
  }
  h->frames += size / frame_size;
}

void
harness_push_words (guint first, guint count, gdouble lead, gdouble tail)
{
  g_autoptr (GBytes) pcm =
      spoken_words (first, count, h->rate, h->channels, lead, tail);

  harness_push_pcm (pcm);
}

void
harness_push_silence (gdouble seconds)
{
  harness_push_words (1, 0, 0, seconds);
}

void
harness_push_hiss (gdouble seconds)
{
  g_autoptr (GBytes) pcm = spoken_hiss (seconds, h->rate, h->channels);

  harness_push_pcm (pcm);
}

void
harness_eos (void)
{
  GstFlowReturn flow;

  g_signal_emit_by_name (h->src, "end-of-stream", &flow);
}

void
harness_start (GstState state)
{
  fail_unless (gst_element_set_state (h->pipeline,
          state) != GST_STATE_CHANGE_FAILURE);
}

void
harness_state (GstState state)
{
  GstState current = GST_STATE_VOID_PENDING;
  GstStateChangeReturn ret;

  harness_start (state);
  ret = gst_element_get_state (h->pipeline, &current, NULL, DEADLINE * 1000);
  fail_unless (ret == GST_STATE_CHANGE_SUCCESS
      || ret == GST_STATE_CHANGE_NO_PREROLL,
      "no %s: the pipeline is in %s, the sink in %s on its way to %s",
      gst_element_state_get_name (state), gst_element_state_get_name (current),
      gst_element_state_get_name (GST_STATE (h->sink)),
      gst_element_state_get_name (GST_STATE_PENDING (h->sink)));
  fail_unless_equals_int (current, state);
}
