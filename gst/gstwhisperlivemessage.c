/* gstwhisperlivemessage: typed reports of a session in, bus messages and tags out; posts nothing
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstwhisperlivemessage.h"

#define TIME(samples) G_TYPE_UINT64, \
    (guint64) WHISPERLIVE_SAMPLES_TO_TIME (samples)

void
gst_whisper_live_message_register_tags (void)
{
  gst_tag_register_static (GST_TAG_WHISPER_LIVE_TRANSCRIPT, GST_TAG_FLAG_META,
      G_TYPE_STRING, "transcript", "Text of an utterance, transcribed",
      gst_tag_merge_strings_with_comma);
}

static void
add_words (GstStructure * structure, const WhisperLiveTextReport * report)
{
  const GPtrArray *words = report->words;
  GValue array = G_VALUE_INIT;
  guint i;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (i = 0; i < words->len; i++) {
    const WhisperLiveWord *word = g_ptr_array_index (words, i);
    GValue value = G_VALUE_INIT;
    guint64 at = whisperlive_timeline_position (report->timeline, word->start);
    GstClockTime start =
        whisperlive_timeline_running_time (report->timeline, at);
    GstClockTime end = whisperlive_timeline_running_time (report->timeline,
        whisperlive_timeline_position (report->timeline, word->end));

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, gst_structure_new ("word",
            "text", G_TYPE_STRING, word->text,
            "running-time", G_TYPE_UINT64, start,
            "stream-time", G_TYPE_UINT64,
            whisperlive_timeline_stream_time (report->timeline, at),
            "duration", G_TYPE_UINT64,
            GST_CLOCK_TIME_IS_VALID (end) && end >= start ? end - start : 0,
            "probability", G_TYPE_DOUBLE, word->probability, NULL));
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (structure, "words", &array);
}

GstMessage *
gst_whisper_live_message_new_text (GstObject * src,
    const WhisperLiveTextReport * report)
{
  const WhisperLiveUpdate *update = report->update;
  const WhisperLiveSegment *segment = update->segment;
  GstStructure *structure = gst_structure_new (report->translation ?
      "whisperlive/translation" : "whisperlive/transcript",
      "text", G_TYPE_STRING, segment->text,
      "final", G_TYPE_BOOLEAN, update->final,
      "segment-id", G_TYPE_UINT64, update->id,
      "revision", G_TYPE_UINT, update->revision,
      "running-time", G_TYPE_UINT64, report->running_time,
      "stream-time", G_TYPE_UINT64, report->stream_time,
      "duration", G_TYPE_UINT64, report->duration,
      "session-id", G_TYPE_STRING, report->session_id, NULL);

  if (report->language)
    gst_structure_set (structure, "language-code", G_TYPE_STRING,
        report->language, NULL);
  if (segment->speaker)
    gst_structure_set (structure, "speaker", G_TYPE_STRING, segment->speaker,
        NULL);
  if (report->words)
    add_words (structure, report);
  return gst_message_new_element (src, structure);
}

GstMessage *
gst_whisper_live_message_new_state (GstObject * src,
    const WhisperLiveStateReport * report)
{
  return gst_message_new_element (src,
      gst_structure_new ("whisperlive/state",
          "state", G_TYPE_STRING, whisperlive_state_to_string (report->state),
          "previous", G_TYPE_STRING,
          whisperlive_state_to_string (report->previous),
          "session-id", G_TYPE_STRING, report->session_id,
          "attempt", G_TYPE_UINT, report->attempt,
          "retry-in", G_TYPE_UINT64, (guint64) report->retry_in,
          "reason", G_TYPE_STRING, report->reason, NULL));
}

GstMessage *
gst_whisper_live_message_new_language (GstObject * src, const gchar * language,
    gdouble probability)
{
  return gst_message_new_element (src,
      gst_structure_new ("whisperlive/language",
          "language-code", G_TYPE_STRING, language,
          "probability", G_TYPE_DOUBLE, probability, NULL));
}

GstMessage *
gst_whisper_live_message_new_lost (GstObject * src,
    const WhisperLiveLoss * loss)
{
  static const gchar *const reasons[] = { "overflow", "drain-timeout",
    "session-failed", "flush", "stopped"
  };

  return gst_message_new_element (src,
      gst_structure_new ("whisperlive/audio-lost",
          "running-time", G_TYPE_UINT64, (guint64) loss->running_time,
          "duration", TIME (loss->samples),
          "reason", G_TYPE_STRING, reasons[loss->reason], NULL));
}

GstMessage *
gst_whisper_live_message_new_drained (GstObject * src, gboolean complete,
    const WhisperLiveCounters * counters)
{
  return gst_message_new_element (src,
      gst_structure_new ("whisperlive/drained",
          "complete", G_TYPE_BOOLEAN, complete,
          "audio-received", TIME (counters->received),
          "audio-settled", TIME (counters->settled),
          "audio-lost", TIME (counters->lost), NULL));
}

GstMessage *
gst_whisper_live_message_new_raw (GstObject * src, const gchar * text,
    gsize length, GstClockTime running_time)
{
  g_autofree gchar *message = g_utf8_make_valid (text, length);

  return gst_message_new_element (src,
      gst_structure_new ("whisperlive/raw",
          "message", G_TYPE_STRING, message,
          "running-time", G_TYPE_UINT64, (guint64) running_time, NULL));
}

GstMessage *
gst_whisper_live_message_new_language_tag (GstObject * src,
    const gchar * language)
{
  return gst_message_new_tag (src,
      gst_tag_list_new (GST_TAG_LANGUAGE_CODE, language, NULL));
}

GstMessage *
gst_whisper_live_message_new_transcript_tag (GstObject * src,
    const gchar * text)
{
  return gst_message_new_tag (src,
      gst_tag_list_new (GST_TAG_WHISPER_LIVE_TRANSCRIPT, text, NULL));
}

void
gst_whisper_live_message_add_stats (GstStructure * structure,
    const WhisperLiveStats * stats, const WhisperLiveCounters * counters)
{
  gst_structure_set (structure,
      "audio-received", TIME (counters->received),
      "audio-sent", TIME (counters->sent),
      "audio-settled", TIME (counters->settled),
      "audio-lost", TIME (counters->lost),
      "bytes-sent", G_TYPE_UINT64, stats->bytes_sent,
      "messages-received", G_TYPE_UINT64, stats->messages_received,
      "messages-rejected", G_TYPE_UINT64, stats->messages_rejected,
      "segments-final", G_TYPE_UINT64, stats->segments_final,
      "sessions", G_TYPE_UINT64, stats->sessions,
      "connect-attempts", G_TYPE_UINT64, stats->connect_attempts,
      "reconnects", G_TYPE_UINT64, stats->reconnects,
      "waits", G_TYPE_UINT64, stats->waits,
      "round-trip", G_TYPE_UINT64, (guint64) stats->round_trip,
      "server-lag", TIME (counters->lag),
      "max-server-lag-seen", G_TYPE_UINT64, (guint64) stats->max_server_lag,
      NULL);
}
