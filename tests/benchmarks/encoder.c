/* What the conversion costs: processor time for a second of audio, for each kind of input, as a part of real time and as a multiple of the
 * cheapest, 16 kHz mono. On the streaming thread but for the wire format, which the session's makes.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <math.h>
#include <time.h>

#include "gstwhisperliveencoder.h"
#include "whisperlive-wire.h"

#define SECONDS 120
#define BUFFERS_PER_SECOND 50

static const struct
{
  const gchar *name;
  GstAudioFormat format;
  gint rate, channels;
} inputs[] = {
  {"S16LE, 16 kHz, mono", GST_AUDIO_FORMAT_S16LE, 16000, 1},
  {"S16LE, 44.1 kHz, stereo", GST_AUDIO_FORMAT_S16LE, 44100, 2},
  {"F32LE, 48 kHz, stereo", GST_AUDIO_FORMAT_F32LE, 48000, 2},
  {"F32LE, 48 kHz, 5.1", GST_AUDIO_FORMAT_F32LE, 48000, 6},
};

static gdouble
cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static GstBuffer *
make_noise (const GstAudioInfo * info)
{
  gsize frames = info->rate / BUFFERS_PER_SECOND;
  gsize size = frames * info->bpf, i;
  g_autofree guint8 *data = g_malloc (size);

  if (GST_AUDIO_INFO_IS_FLOAT (info)) {
    for (i = 0; i < size / sizeof (gfloat); i++)
      ((gfloat *) data)[i] = g_random_double_range (-0.5, 0.5);
  } else {
    for (i = 0; i < size; i++)
      data[i] = g_random_int ();
  }
  return gst_buffer_new_memdup (data, size);
}

static gdouble
measure (guint input)
{
  GstWhisperLiveEncoder *encoder = gst_whisper_live_encoder_new (100);
  WhisperLiveChunk *chunk;
  GstBuffer *buffer;
  GstSegment segment;
  GstAudioInfo info;
  gdouble begin;
  guint i;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_audio_info_init (&info);
  gst_audio_info_set_format (&info, inputs[input].format, inputs[input].rate,
      inputs[input].channels, NULL);
  gst_whisper_live_encoder_set_format (encoder, &info);
  buffer = make_noise (&info);

  begin = cpu_time ();
  for (i = 0; i < SECONDS * BUFFERS_PER_SECOND; i++) {
    gst_whisper_live_encoder_push (encoder, buffer, &segment);
    while ((chunk = gst_whisper_live_encoder_pop (encoder))) {
      g_bytes_unref (whisperlive_wire_make (WHISPERLIVE_FORMAT_FLOAT32,
              chunk->data));
      whisperlive_chunk_free (chunk);
    }
  }
  begin = cpu_time () - begin;

  gst_buffer_unref (buffer);
  gst_whisper_live_encoder_free (encoder);
  return begin / SECONDS;
}

int
main (int argc, char **argv)
{
  gdouble first = 0;
  guint i;

  gst_init (&argc, &argv);
  g_print ("%-26s %16s %8s\n", "input", "% of real time", "ratio");
  for (i = 0; i < G_N_ELEMENTS (inputs); i++) {
    gdouble cost = measure (i);

    if (i == 0)
      first = cost;
    g_print ("%-26s %16.4f %8.1f\n", inputs[i].name, 100 * cost, cost / first);
  }
  return 0;
}
