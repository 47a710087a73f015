/* whisperlivesink: speech to text by a WhisperLive server
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-whisperlivesink
 * @title: whisperlivesink
 *
 * Takes raw audio, sends it to a [WhisperLive](https://github.com/collabora/WhisperLive) server by WebSocket, and posts
 * the text that the server makes of it as element messages (`whisperlive/transcript` and others) and as tags
 * (`language-code`, `whisperlive-transcript`). At EOS it waits for the last words.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m -t filesrc location=speech.ogg ! decodebin ! whisperlivesink uri=ws://127.0.0.1:9090
 * ]|
 *
 * Since: 0.1
 */

#include "gstwhisperlivesink-private.h"

#include <gst/audio/audio.h>

#include "gstwhisperlivemessage.h"
#include "gstwhisperlivesettings.h"

GST_DEBUG_CATEGORY (whisperlive_sink_debug);
#define GST_CAT_DEFAULT whisperlive_sink_debug

static guint n_settings;        /* properties 1 to n_settings are settings; then come: */
#define PROP_SESSION_ID (n_settings + 1)
#define PROP_CONNECTION_STATE (n_settings + 2)
#define PROP_STATS (n_settings + 3)

/* GstAudioConverter mixes no more channels, though it does not say so. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("audio/x-raw, format = (string) " GST_AUDIO_FORMATS_ALL
        ", rate = " GST_AUDIO_RATE_RANGE ", channels = (int) [ 1, 63 ]"
        ", layout = (string) { interleaved, non-interleaved }"));

#define gst_whisper_live_sink_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstWhisperLiveSink, gst_whisper_live_sink,
    GST_TYPE_BASE_SINK,
    GST_DEBUG_CATEGORY_INIT (whisperlive_sink_debug, "whisperlivesink", 0,
        "WhisperLive sink"));
GST_ELEMENT_REGISTER_DEFINE (whisperlivesink, "whisperlivesink",
    GST_RANK_NONE, GST_TYPE_WHISPER_LIVE_SINK);

/* --- streaming thread --- */

/* As GstBaseSink calls it: it has lost its state by a step, and is to see the buffer or the event once more */
#define GST_FLOW_STEP GST_FLOW_CUSTOM_ERROR

static gboolean
is_live (GstWhisperLiveSink * self)
{
  if (g_atomic_int_get (&self->live) < 0) {
    GstQuery *query = gst_query_new_latency ();
    gboolean live = FALSE;

    if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query))
      gst_query_parse_latency (query, &live, NULL, NULL);
    gst_query_unref (query);
    g_atomic_int_set (&self->live, live);
  }
  return g_atomic_int_get (&self->live) > 0;
}

static WhisperLiveFull
get_full (GstWhisperLiveSink * self)
{
  WhisperLiveLeaky leaky;

  GST_OBJECT_LOCK (self);
  leaky = self->settings->leaky;
  GST_OBJECT_UNLOCK (self);

  switch (leaky) {
    case WHISPERLIVE_LEAKY_AUTO:
      return is_live (self) ? WHISPERLIVE_FULL_DROP_OLD :
          WHISPERLIVE_FULL_BLOCK;
    case WHISPERLIVE_LEAKY_UPSTREAM:
      return WHISPERLIVE_FULL_DROP_NEW;
    case WHISPERLIVE_LEAKY_DOWNSTREAM:
      return WHISPERLIVE_FULL_DROP_OLD;
    default:
      return WHISPERLIVE_FULL_BLOCK;
  }
}

/* Through PAUSED. */
static GstFlowReturn
wait_playing (GstWhisperLiveSink * self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);
  GstFlowReturn ret;

  /* who is woken up by PLAYING may be PAUSED again by now, and a new rate wakes up as well */
  do {
    ret = gst_base_sink_wait_preroll (sink);
    if (ret == GST_FLOW_STEP && !sink->playing_async)
      ret = GST_FLOW_OK;
  } while (ret == GST_FLOW_OK && (sink->need_preroll
          || !whisperlive_session_is_playing (self->session)));
  return ret;
}

/* GstBaseSink may render although it is PAUSED again, when that comes quickly after PLAYING; who blocks then holds the lock that the
 * next PLAYING needs. */
static GstStateChangeReturn
play (GstWhisperLiveSink * self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);
  GstStateChangeReturn ret;

  whisperlive_session_set_playing (self->session, TRUE);
  whisperlive_queue_unlock (self->queue, TRUE);
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (GST_ELEMENT (self),
      GST_STATE_CHANGE_PAUSED_TO_PLAYING);

  GST_BASE_SINK_PREROLL_LOCK (sink);
  whisperlive_queue_unlock (self->queue, FALSE);
  if (!sink->need_preroll)
    GST_BASE_SINK_PREROLL_SIGNAL (sink);
  GST_BASE_SINK_PREROLL_UNLOCK (sink);
  return ret;
}

/* Everything that the encoder has; waits through PAUSED. */
static GstFlowReturn
push_chunks (GstWhisperLiveSink * self)
{
  WhisperLiveFull full = get_full (self);
  GstFlowReturn ret = GST_FLOW_OK;

  /* GstBaseSink can commit its state to PLAYING without a state change */
  whisperlive_session_set_playing (self->session, TRUE);
  while (ret == GST_FLOW_OK
      && (self->chunk
          || (self->chunk = gst_whisper_live_encoder_pop (self->encoder)))) {
    ret = whisperlive_queue_push (self->queue, self->chunk, full);
    if (ret == GST_FLOW_OK)
      self->chunk = NULL;
    else if (ret == GST_FLOW_FLUSHING)
      ret = wait_playing (self);
  }
  return ret;
}

static GstFlowReturn
gst_whisper_live_sink_render (GstBaseSink * sink, GstBuffer * buffer)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);
  GstFlowReturn ret = GST_FLOW_OK;

  /* a buffer may be too small to make a chunk */
  if (whisperlive_queue_check (self->queue) == GST_FLOW_ERROR)
    return GST_FLOW_ERROR;
  if (buffer != self->encoded)
    ret = gst_whisper_live_encoder_push (self->encoder, buffer, &sink->segment);
  gst_buffer_replace (&self->encoded, NULL);
  if (ret == GST_FLOW_OK) {
    ret = push_chunks (self);
    if (ret == GST_FLOW_STEP)
      gst_buffer_replace (&self->encoded, buffer);
    return ret;
  }
  whisperlive_session_break (self->session,
      ret == GST_FLOW_NOT_NEGOTIATED ?
      g_error_new_literal (GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "A buffer came before any caps") :
      g_error_new_literal (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
          "A buffer does not fit its caps"));
  return ret;
}

static GstFlowReturn
gst_whisper_live_sink_preroll (GstBaseSink * sink, GstBuffer * buffer)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);
  GstFlowReturn ret;

  if (is_live (self))
    return GST_FLOW_OK;
  ret = whisperlive_queue_wait_ready (self->queue);
  /* a flush: any other value would abort the state change for good */
  return ret == GST_FLOW_FLUSHING ? GST_FLOW_OK : ret;
}

/* The last words. */
static GstFlowReturn
drain (GstWhisperLiveSink * self)
{
  GstFlowReturn ret = push_chunks (self);

  if (ret != GST_FLOW_OK)
    return ret;
  whisperlive_queue_end (self->queue);
  while ((ret = whisperlive_queue_wait_drained (self->queue)) ==
      GST_FLOW_FLUSHING) {
    ret = wait_playing (self);
    if (ret != GST_FLOW_OK)
      break;
  }
  return ret;
}

static GstFlowReturn
gst_whisper_live_sink_wait_event (GstBaseSink * sink, GstEvent * event)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);
  gboolean is_end = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  GstFlowReturn ret;

  ret = GST_BASE_SINK_CLASS (parent_class)->wait_event (sink, event);
  if (ret != GST_FLOW_OK)
    return ret;
  if (is_end) {
    gst_whisper_live_encoder_drain (self->encoder);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
    GstClockTime timestamp, duration;

    gst_event_parse_gap (event, &timestamp, &duration);
    gst_whisper_live_encoder_gap (self->encoder, timestamp, duration,
        &sink->segment);
  }
  do {
    ret = is_end ? drain (self) : push_chunks (self);
  } while (ret == GST_FLOW_STEP
      && (ret = GST_BASE_SINK_CLASS (parent_class)->wait_event (sink,
              event)) == GST_FLOW_OK);
  return ret;
}

static void
forget (GstWhisperLiveSink * self)
{
  gst_whisper_live_encoder_reset (self->encoder);
  g_clear_pointer (&self->chunk, whisperlive_chunk_free);
  gst_buffer_replace (&self->encoded, NULL);
}

static gboolean
gst_whisper_live_sink_event (GstBaseSink * sink, GstEvent * event)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);
  GstEventType type = GST_EVENT_TYPE (event);
  gboolean ret;

  if (type == GST_EVENT_STREAM_START)
    g_atomic_int_set (&self->live, -1);
  ret = GST_BASE_SINK_CLASS (parent_class)->event (sink, event);
  /* the base class has got the streaming thread out of here by now; only FLUSH_STOP comes with the stream lock */
  if (type == GST_EVENT_FLUSH_STOP)
    forget (self);
  if (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP)
    whisperlive_queue_flush (self->queue);
  return ret;
}

static gboolean
gst_whisper_live_sink_set_caps (GstBaseSink * sink, GstCaps * caps)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);
  GstAudioInfo info;

  if (!gst_audio_info_from_caps (&info, caps)
      || !gst_whisper_live_encoder_set_format (self->encoder, &info)) {
    GST_WARNING_OBJECT (self, "no conversion from %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  return TRUE;
}

static gboolean
gst_whisper_live_sink_propose_allocation (GstBaseSink * sink, GstQuery * query)
{
  /* planar audio */
  gst_query_add_allocation_meta (query, GST_AUDIO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
gst_whisper_live_sink_unlock (GstBaseSink * sink)
{
  whisperlive_queue_unlock (GST_WHISPER_LIVE_SINK (sink)->queue, TRUE);
  return TRUE;
}

static gboolean
gst_whisper_live_sink_unlock_stop (GstBaseSink * sink)
{
  whisperlive_queue_unlock (GST_WHISPER_LIVE_SINK (sink)->queue, FALSE);
  return TRUE;
}

/* --- states --- */

static WhisperLiveSettings *
copy_settings (GstWhisperLiveSink * self)
{
  WhisperLiveSettings *settings;

  GST_OBJECT_LOCK (self);
  settings = whisperlive_settings_copy (self->settings);
  GST_OBJECT_UNLOCK (self);
  return settings;
}

static gboolean
settings_are_good (GstWhisperLiveSink * self)
{
  g_autoptr (WhisperLiveSettings) settings = copy_settings (self);
  g_autoptr (GError) error = NULL;

  if (whisperlive_settings_check (settings, &error))
    return TRUE;
  gst_whisper_live_sink_post_error (self, error);
  return FALSE;
}

/* Without a begin(): no-op. */
static void
end (GstWhisperLiveSink * self)
{
  if (!self->encoder)
    return;
  whisperlive_session_stop (self->session);
  forget (self);
  g_clear_pointer (&self->encoder, gst_whisper_live_encoder_free);
}

static gboolean
begin (GstWhisperLiveSink * self)
{
  WhisperLiveSettings *settings;

  /* they may have been changed in READY */
  if (!settings_are_good (self))
    return FALSE;
  /* a failed preroll leaves the pad active; an EOS after it makes the base class refuse everything until the pad is activated again */
  gst_pad_set_active (GST_BASE_SINK_PAD (self), FALSE);
  end (self);
  settings = copy_settings (self);
  self->encoder = gst_whisper_live_encoder_new (settings->chunk_duration);
  g_atomic_int_set (&self->live, -1);
  self->delay = 0;
  whisperlive_session_start (self->session, settings);
  return TRUE;
}

static gboolean
gst_whisper_live_sink_start (GstBaseSink * sink)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);

  self->session = whisperlive_session_new (self->queue,
      &gst_whisper_live_sink_session_events, self);
  return TRUE;
}

static gboolean
gst_whisper_live_sink_stop (GstBaseSink * sink)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (sink);

  /* a failed preroll has aborted the state change: no PAUSED to READY comes */
  end (self);
  g_clear_pointer (&self->session, whisperlive_session_free);
  return TRUE;
}

/* It would wait for itself. */
static gboolean
is_on_session_thread (GstWhisperLiveSink * self)
{
  if (!self->session || !whisperlive_session_is_current (self->session))
    return FALSE;
  GST_ERROR_OBJECT (self, "a handler that is called on the session's thread, "
      "of a signal or of messages by gst_bus_set_sync_handler(), must not stop "
      "or restart the element: use gst_element_call_async()");
  return TRUE;
}

static GstStateChangeReturn
gst_whisper_live_sink_change_state (GstElement * element,
    GstStateChange transition)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (element);
  GstStateChangeReturn ret;

  /* not in start(): the base class would post an error of its own beside ours */
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !settings_are_good (self))
    return GST_STATE_CHANGE_FAILURE;
  /* a start after a failed preroll ends what began before */
  if ((transition == GST_STATE_CHANGE_PAUSED_TO_READY
          || transition == GST_STATE_CHANGE_READY_TO_NULL
          || (transition == GST_STATE_CHANGE_READY_TO_PAUSED && self->encoder))
      && is_on_session_thread (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !begin (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    return play (self);

  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    whisperlive_session_set_playing (self->session, FALSE);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    end (self);
  return ret;
}

/* --- object --- */

/* Called with the object lock: on the way to PAUSED, if no preroll has failed, or there. */
static gboolean
has_taken_settings (GstWhisperLiveSink * self)
{
  return GST_STATE (self) > GST_STATE_READY
      || (GST_STATE_NEXT (self) > GST_STATE_READY
      && GST_STATE_RETURN (self) != GST_STATE_CHANGE_FAILURE);
}

static void
gst_whisper_live_sink_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (object);
  gboolean late;

  GST_OBJECT_LOCK (self);
  gst_whisper_live_settings_set (self->settings, value, pspec);
  late = has_taken_settings (self)
      && !(pspec->flags & GST_PARAM_MUTABLE_PLAYING);
  GST_OBJECT_UNLOCK (self);
  if (late)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("\"%s\" was set while the element runs: it is taken at the next start",
            pspec->name), ("properties are taken at READY to PAUSED"));
}

static GstStructure *
create_stats (GstWhisperLiveSink * self)
{
  GstStructure *structure = gst_base_sink_get_stats (GST_BASE_SINK (self));
  WhisperLiveCounters counters;
  WhisperLiveStats stats;

  GST_OBJECT_LOCK (self);
  stats = self->stats;
  GST_OBJECT_UNLOCK (self);
  whisperlive_queue_get_counters (self->queue, &counters);
  gst_whisper_live_message_add_stats (structure, &stats, &counters);
  return structure;
}

static void
gst_whisper_live_sink_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, create_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == PROP_SESSION_ID)
    g_value_set_string (value, self->session_id);
  else if (id == PROP_CONNECTION_STATE)
    g_value_set_enum (value, self->state);
  else
    gst_whisper_live_settings_get (self->settings, value, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_whisper_live_sink_finalize (GObject * object)
{
  GstWhisperLiveSink *self = GST_WHISPER_LIVE_SINK (object);

  whisperlive_queue_free (self->queue);
  whisperlive_settings_free (self->settings);
  g_free (self->session_id);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_whisper_live_sink_init (GstWhisperLiveSink * self)
{
  self->queue = whisperlive_queue_new ();
  self->settings = whisperlive_settings_new ();
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  /* it would keep a buffer for nothing */
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
}

static void
install_properties (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  n_settings = gst_whisper_live_settings_install_properties (klass);
  /**
   * GstWhisperLiveSink:session-id:
   *
   * The `uid` of the present or last connection: a new UUID for each; %NULL before the first. Notifies.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_SESSION_ID,
      g_param_spec_string ("session-id", "Session id",
          "The uid in the handshake of the present or last connection, new for "
          "every connection; NULL before the first", NULL, flags));
  /**
   * GstWhisperLiveSink:connection-state:
   *
   * State of the session. Notifies.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_CONNECTION_STATE,
      g_param_spec_enum ("connection-state", "Connection state",
          "State of the session with the server", GST_TYPE_WHISPER_LIVE_STATE,
          WHISPERLIVE_STATE_DISCONNECTED, flags));
  /**
   * GstWhisperLiveSink:stats:
   *
   * Fields of GstBaseSink, and what became of the audio, the connections and the messages. Readable after the end as
   * well.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "GstBaseSink's statistics, and the session's: durations of audio in "
          "ns, bytes, messages, connections; they stay after the session",
          GST_TYPE_STRUCTURE, flags));
}

static void
gst_whisper_live_sink_class_init (GstWhisperLiveSinkClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  object_class->set_property = gst_whisper_live_sink_set_property;
  object_class->get_property = gst_whisper_live_sink_get_property;
  object_class->finalize = gst_whisper_live_sink_finalize;
  install_properties (object_class);

  /**
   * GstWhisperLiveSink::accept-certificate:
   * @sink: the sink
   * @certificate: the server's certificate, which is not valid by the database
   * @errors: what is wrong with it
   *
   * Emitted on the session's thread when #GstWhisperLiveSink:ssl-strict is set.
   *
   * Returns: %TRUE to accept the certificate
   *
   * Since: 0.1
   */
  g_signal_new ("accept-certificate", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, g_signal_accumulator_true_handled, NULL, NULL,
      G_TYPE_BOOLEAN, 2, G_TYPE_TLS_CERTIFICATE, G_TYPE_TLS_CERTIFICATE_FLAGS);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_whisper_live_sink_change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "WhisperLive sink",
      "Sink/Network/Audio", "Transcribes speech with a WhisperLive server",
      "The whisperlivesink authors");

  sink_class->start = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_start);
  sink_class->stop = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_stop);
  sink_class->unlock = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_unlock);
  sink_class->unlock_stop =
      GST_DEBUG_FUNCPTR (gst_whisper_live_sink_unlock_stop);
  sink_class->set_caps = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_set_caps);
  sink_class->propose_allocation =
      GST_DEBUG_FUNCPTR (gst_whisper_live_sink_propose_allocation);
  sink_class->event = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_event);
  sink_class->wait_event = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_wait_event);
  sink_class->preroll = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_preroll);
  sink_class->render = GST_DEBUG_FUNCPTR (gst_whisper_live_sink_render);

  gst_type_mark_as_plugin_api (GST_TYPE_WHISPER_LIVE_TASK, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_WHISPER_LIVE_AUDIO_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_WHISPER_LIVE_LEAKY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_WHISPER_LIVE_STATE, 0);
}
