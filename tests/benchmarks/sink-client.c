/* sink-client: whisperlivesink in an application, behind an appsrc as a microphone would be
 *
 * And a fakesink in its place: what of the costs is the application's.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "client.h"

#include <gst/gst.h>

#include "../examples/message-json.h"

/* max-bytes=0: whoever pushes never waits */
#define SOURCE \
  "appsrc name=src is-live=true format=time max-bytes=0 caps=audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved ! "

typedef struct
{
  const ClientEvents *events;
  gpointer owner;
  GstElement *pipeline, *src;
  gboolean is_ready;            /* the session's thread */
} SinkClient;

typedef struct
{
  SinkClient *client;
  gchar *error;
} End;

static gboolean
tell_ready (gpointer client)
{
  SinkClient *self = client;

  self->events->ready (self->owner);
  return G_SOURCE_REMOVE;
}

static gboolean
tell_ended (gpointer data)
{
  End *end = data;

  end->client->events->ended (end->client->owner, end->error);
  return G_SOURCE_REMOVE;
}

static void
end_free (gpointer data)
{
  End *end = data;

  g_free (end->error);
  g_free (end);
}

/* takes @error */
static void
end (SinkClient * self, gchar * error)
{
  End *end = g_new0 (End, 1);

  end->client = self;
  end->error = error;
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, tell_ended, end,
      end_free);
}

static void
on_transcript (SinkClient * self, gint64 now, const GstStructure * transcript)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree gchar *json = NULL;

  if (!self->events->message)
    return;
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, structure_to_json (transcript));
  json = json_to_string (node, FALSE);
  self->events->message (self->owner, now, json);
}

static void
on_element (SinkClient * self, gint64 now, const GstStructure * message)
{
  if (gst_structure_has_name (message, "whisperlive/transcript")) {
    on_transcript (self, now, message);
  } else if (gst_structure_has_name (message, "whisperlive/state")
      && !self->is_ready
      && g_strcmp0 (gst_structure_get_string (message, "state"),
          "ready") == 0) {
    self->is_ready = TRUE;
    g_main_context_invoke (NULL, tell_ready, self);
  }
}

/* On the thread that posts: this is when an application can know of it. */
static GstBusSyncReply
on_bus (GstBus * bus, GstMessage * message, gpointer client)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      on_element (client, now, gst_message_get_structure (message));
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      end (client, g_strdup (error->message));
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, &error, NULL);
      g_printerr ("warning: %s\n", error->message);
      break;
    case GST_MESSAGE_EOS:
      end (client, NULL);
      break;
    default:
      break;
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static GstPadProbeReturn
on_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer client)
{
  gint64 now = g_get_monotonic_time ();
  SinkClient *self = client;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);

  self->events->taken (self->owner,
      gst_util_uint64_scale_round (end, CLIENT_RATE, GST_SECOND), now);
  return GST_PAD_PROBE_OK;
}

static void
watch_buffers (SinkClient * self)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, self, NULL);
}

static void
open_pipeline (SinkClient * self, const gchar * description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = NULL;

  gst_init (NULL, NULL);
  self->pipeline = gst_parse_launch (description, &error);
  if (error) {
    end (self, g_strdup (error->message));
    return;
  }
  self->src = gst_bin_get_by_name (GST_BIN (self->pipeline), "src");
  if (self->events->taken)
    watch_buffers (self);
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (bus, on_bus, self, NULL);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
}

static gpointer
sink_open (const gchar * uri, const ClientEvents * events, gpointer owner)
{
  SinkClient *self = g_new0 (SinkClient, 1);
  g_autofree gchar *description = g_strdup_printf (SOURCE
      "whisperlivesink name=sink language-code=en model=tiny.en uri=%s", uri);

  self->events = events;
  self->owner = owner;
  open_pipeline (self, description);
  return self;
}

static gpointer
fakesink_open (const gchar * uri, const ClientEvents * events, gpointer owner)
{
  SinkClient *self = g_new0 (SinkClient, 1);

  self->events = events;
  self->owner = owner;
  open_pipeline (self, SOURCE "fakesink name=sink sync=false async=false");
  g_idle_add (tell_ready, self);
  return self;
}

static void
sink_push (gpointer client, const gint16 * samples, gsize n_samples,
    guint64 position)
{
  SinkClient *self = client;
  GstBuffer *buffer;
  GstFlowReturn flow;

  buffer = gst_buffer_new_memdup (samples, n_samples * sizeof (gint16));
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale (position, GST_SECOND, CLIENT_RATE);
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale (n_samples, GST_SECOND, CLIENT_RATE);
  g_signal_emit_by_name (self->src, "push-buffer", buffer, &flow);
  gst_buffer_unref (buffer);
}

static void
sink_finish (gpointer client)
{
  SinkClient *self = client;
  GstFlowReturn flow;

  g_signal_emit_by_name (self->src, "end-of-stream", &flow);
}

static void
sink_free (gpointer client)
{
  SinkClient *self = client;

  if (self->pipeline)
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_clear_object (&self->src);
  gst_clear_object (&self->pipeline);
  g_free (self);
}

const ClientKind sink_client = {
  "sink", sink_open, sink_push, sink_finish, sink_free
};

const ClientKind fakesink_client = {
  "fakesink", fakesink_open, sink_push, sink_finish, sink_free
};
