/* Tests of gstwhisperliveencoder: every kind of audio in, chunks of the server's with their times out
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <math.h>

#include "../support/memory-use.h"
#include "gstwhisperliveencoder.h"
#include "whisperlive-protocol.h"

#define CHUNK (WHISPERLIVE_RATE / 10)
#define MS GST_MSECOND
/* What the server hears of a long gap */
#define SILENCE (2 * WHISPERLIVE_RATE)

static GstWhisperLiveEncoder *encoder;
static GstAudioInfo info;
static GstSegment segment;
static guint64 frames;          /* that were pushed */
/* of what came out */
static guint64 samples;
static GArray *marks;           /* of WhisperLiveMark, offset: from the first sample on */
static GByteArray *bytes;
static gfloat loudest;

static void
set_format (GstAudioFormat format, guint rate, guint channels)
{
  gst_audio_info_set_format (&info, format, rate, channels, NULL);
  fail_unless (gst_whisper_live_encoder_set_format (encoder, &info));
}

/* 16 kHz mono float in, 16 bits of it out */
static void
setup (void)
{
  encoder = gst_whisper_live_encoder_new (100);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  marks = g_array_new (FALSE, FALSE, sizeof (WhisperLiveMark));
  bytes = g_byte_array_new ();
  frames = samples = 0;
  loudest = 0;
  set_format (GST_AUDIO_FORMAT_F32, 16000, 1);
}

static void
teardown (void)
{
  gst_whisper_live_encoder_free (encoder);
  g_array_unref (marks);
  g_byte_array_unref (bytes);
}

/* Takes all chunks; their length is that of a chunk but for the last one's. */
static guint
pop (void)
{
  WhisperLiveChunk *chunk;
  guint n = 0, last = CHUNK;

  while ((chunk = gst_whisper_live_encoder_pop (encoder))) {
    fail_unless_equals_int (last, CHUNK);
    last = chunk->samples;
    chunk->mark.offset += samples;
    g_array_append_val (marks, chunk->mark);
    samples += chunk->samples;
    loudest = MAX (loudest, chunk->level);
    g_byte_array_append (bytes, g_bytes_get_data (chunk->data, NULL),
        g_bytes_get_size (chunk->data));
    whisperlive_chunk_free (chunk);
    n++;
  }
  return n;
}

static void
drain (void)
{
  gst_whisper_live_encoder_drain (encoder);
  pop ();
}

/* A buffer of float of the same value everywhere */
static GstBuffer *
make_buffer (guint n, gfloat value, GstClockTime time)
{
  guint i, total = n * GST_AUDIO_INFO_CHANNELS (&info);
  gfloat *data = g_new (gfloat, total);
  GstBuffer *buffer;

  for (i = 0; i < total; i++)
    data[i] = value;
  buffer = gst_buffer_new_wrapped (data, total * sizeof *data);
  GST_BUFFER_PTS (buffer) = time;
  return buffer;
}

static void
push_buffer (GstBuffer * buffer)
{
  fail_unless_equals_int (gst_whisper_live_encoder_push (encoder, buffer,
          &segment), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  pop ();
}

static void
push_at (GstClockTime time, guint n)
{
  push_buffer (make_buffer (n, 0.5, time));
}

/* As a source does, in buffers of @n frames each. */
static void
push (guint64 total, guint n)
{
  while (total > 0) {
    guint now = MIN (total, n);

    push_at (gst_util_uint64_scale (frames, GST_SECOND,
            GST_AUDIO_INFO_RATE (&info)), now);
    frames += now;
    total -= now;
  }
}

static gint16
get_sample (guint64 i)
{
  fail_unless ((i + 1) * sizeof (gint16) <= bytes->len);
  return ((gint16 *) bytes->data)[i];
}

static gfloat
get_float (guint64 i)
{
  return get_sample (i) / 32768.0f;
}

/* The time of a sample, by the last mark at or before it; before the first one by that. */
static GstClockTime
time_of (guint64 sample, gboolean stream_time)
{
  const WhisperLiveMark *mark = NULL;
  gdouble scale, time;
  guint i;

  for (i = 0; i < marks->len; i++) {
    const WhisperLiveMark *next = &g_array_index (marks, WhisperLiveMark, i);

    if (mark && next->offset > sample)
      break;
    mark = next;
  }
  fail_unless (mark != NULL);
  time = stream_time ? mark->stream_time : mark->running_time;
  scale = stream_time ? mark->applied_rate : 1 / mark->rate;
  return time + ((gdouble) sample - mark->offset) * 62500 * scale + 0.5;
}

#define fail_unless_time(sample, expected) \
    fail_unless_equals_uint64 (time_of (sample, FALSE), expected)
#define fail_unless_stream_time(sample, expected) \
    fail_unless_equals_uint64 (time_of (sample, TRUE), expected)

/* --- formats --- */

/* Not dithered: half of full scale is exactly that. */
GST_START_TEST (test_float)
{
  static const gfloat values[] = { 0.5, -0.5, 0.25, -1, 1, 2, -2 };
  static const gint16 expected[] =
      { 16384, -16384, 8192, -32768, 32767, 32767, -32768 };
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (values); i++) {
    push_buffer (make_buffer (CHUNK, values[i], i * 100 * MS));
    for (j = 0; j < CHUNK; j++)
      fail_unless_equals_int (get_sample (i * CHUNK + j), expected[i]);
  }
  fail_unless_equals_int (bytes->len, i * CHUNK * sizeof (gint16));
}

GST_END_TEST;

/* What has 16 bits is not touched. */
GST_START_TEST (test_int16)
{
  gsize size = 65536 * sizeof (gint16);
  gint16 *data = g_malloc (size);
  GstBuffer *buffer;
  gint i;

  set_format (GST_AUDIO_FORMAT_S16, 16000, 1);
  for (i = 0; i < 65536; i++)
    data[i] = i - 32768;
  buffer = gst_buffer_new_wrapped (data, size);
  GST_BUFFER_PTS (buffer) = 0;
  push_buffer (buffer);
  drain ();
  fail_unless_equals_uint64 (samples, 65536);
  for (i = 0; i < 65536; i++)
    fail_unless_equals_int (get_sample (i), i - 32768);
}

GST_END_TEST;

GST_START_TEST (test_silence_is_silent)
{
  push_buffer (make_buffer (CHUNK, 0, 0));
  fail_unless (loudest == 0);
  fail_unless_equals_int (get_sample (0), 0);
}

GST_END_TEST;

/* The data of the next chunk of @value */
static GBytes *
encode (gfloat value)
{
  GstBuffer *buffer = make_buffer (CHUNK, value, GST_CLOCK_TIME_NONE);
  WhisperLiveChunk *chunk;
  GBytes *data;

  fail_unless_equals_int (gst_whisper_live_encoder_push (encoder, buffer,
          &segment), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  chunk = gst_whisper_live_encoder_pop (encoder);
  fail_unless (chunk != NULL);
  data = g_bytes_ref (chunk->data);
  whisperlive_chunk_free (chunk);
  return data;
}

GST_START_TEST (test_silence_shares_its_memory)
{
  g_autoptr (GBytes) silence = NULL, sound = NULL, again = NULL;

  silence = encode (0);
  sound = encode (0.5);
  again = encode (0);
  fail_unless (again == silence);
  fail_unless_equals_int (g_bytes_get_size (silence), g_bytes_get_size (sound));
  fail_if (g_bytes_equal (silence, sound));
}

GST_END_TEST;

/* But for what is less than a chunk, which is heard with what comes next. */
GST_START_TEST (test_long_buffer_leaves_no_memory)
{
  const guint minute = 60 * WHISPERLIVE_RATE;
  gsize before;

  push (CHUNK / 2, CHUNK / 2);
  before = memory_use_heap ();
  push (minute, minute);
  fail_unless_equals_uint64 (samples, minute);
  g_byte_array_unref (bytes);
  bytes = g_byte_array_new ();
  fail_unless (memory_use_heap () < before + minute / 10 * sizeof (gint16),
      "%zu bytes more", memory_use_heap () - before);
  push (CHUNK / 2, CHUNK / 2);
  fail_unless_equals_uint64 (samples, minute + CHUNK);
}

GST_END_TEST;

GST_START_TEST (test_every_format)
{
  GstAudioFormat format;

  for (format = GST_AUDIO_FORMAT_S8; format <= GST_AUDIO_FORMAT_F64BE; format++) {
    guint64 before = samples;
    GstBuffer *buffer;

    set_format (format, 16000, 1);
    buffer = gst_buffer_new_allocate (NULL, CHUNK * info.bpf, NULL);
    gst_buffer_memset (buffer, 0, 0, -1);
    push_buffer (buffer);
    drain ();
    fail_unless_equals_uint64 (samples - before, CHUNK);
  }
}

GST_END_TEST;

GST_START_TEST (test_chunk_durations)
{
  static const guint durations[] = { 10, 20, 100, 1000 };
  WhisperLiveChunk *chunk;
  GstBuffer *buffer = make_buffer (WHISPERLIVE_RATE, 0.5, 0);

  gst_whisper_live_encoder_free (encoder);
  encoder = gst_whisper_live_encoder_new (durations[__i__]);
  set_format (GST_AUDIO_FORMAT_F32, 16000, 1);
  fail_unless_equals_int (gst_whisper_live_encoder_push (encoder, buffer,
          &segment), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  while ((chunk = gst_whisper_live_encoder_pop (encoder))) {
    fail_unless_equals_int (chunk->samples, durations[__i__] * 16);
    fail_unless_equals_uint64 (chunk->mark.running_time,
        WHISPERLIVE_SAMPLES_TO_TIME (samples));
    samples += chunk->samples;
    whisperlive_chunk_free (chunk);
  }
  fail_unless_equals_uint64 (samples, WHISPERLIVE_RATE);
}

GST_END_TEST;

GST_START_TEST (test_drain)
{
  push (2 * CHUNK + 7, 333);
  fail_unless_equals_uint64 (samples, 2 * CHUNK);
  drain ();
  fail_unless_equals_uint64 (samples, 2 * CHUNK + 7);
  drain ();
  fail_unless_equals_uint64 (samples, 2 * CHUNK + 7);
}

GST_END_TEST;

GST_START_TEST (test_drain_without_a_format)
{
  gst_whisper_live_encoder_free (encoder);
  encoder = gst_whisper_live_encoder_new (100);
  drain ();
  gst_whisper_live_encoder_reset (encoder);
  fail_unless_equals_uint64 (samples, 0);
}

GST_END_TEST;

GST_START_TEST (test_reset)
{
  push (CHUNK / 2, CHUNK);
  gst_whisper_live_encoder_reset (encoder);
  push_at (5 * GST_SECOND, CHUNK);
  drain ();
  fail_unless_equals_uint64 (samples, CHUNK);
  fail_unless_time (0, 5 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_buffer_that_does_not_fit)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4, NULL);

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, 16000, 2, NULL);
  info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  fail_unless (gst_whisper_live_encoder_set_format (encoder, &info));
  /* planar without its meta */
  ASSERT_CRITICAL (fail_unless_equals_int (gst_whisper_live_encoder_push
          (encoder, buffer, &segment), GST_FLOW_ERROR));
  gst_buffer_unref (buffer);
}

GST_END_TEST;

/* --- rates --- */

static const guint rates[] = { 8000, 11025, 22050, 32000, 44100, 48000, 96000 };

/* Of some of which no sample comes: in pro audio there are 6 and 48 in a packet. */
static const guint few_frames[] = { 1, 6, 24, 48, 64 };

GST_START_TEST (test_resampling_is_exact)
{
  guint rate = rates[__i__];
  guint64 expected;

  set_format (GST_AUDIO_FORMAT_F32, rate, 1);
  push (10 * rate + 123, rate / 50 + 1);
  drain ();
  expected = (10 * rate + 123) * G_GUINT64_CONSTANT (16000) / rate;
  fail_unless (ABS ((gint64) (samples - expected)) <= 1, "%u Hz: %"
      G_GUINT64_FORMAT " samples of %" G_GUINT64_FORMAT, rate, samples,
      expected);
}

GST_END_TEST;

GST_START_TEST (test_few_frames_at_a_time)
{
  guint rate = rates[__i__ % G_N_ELEMENTS (rates)];

  set_format (GST_AUDIO_FORMAT_F32, rate, 1);
  push (2 * rate, few_frames[__i__ / G_N_ELEMENTS (rates)]);
  drain ();
  fail_unless (ABS ((gint64) (samples - 32000)) <= 1, "%u Hz: %"
      G_GUINT64_FORMAT " samples", rate, samples);
  fail_unless (fabs (get_float (16000) - 0.5) < 0.01);
}

GST_END_TEST;

/* The centre of what is loud */
static gdouble
find_pulse (void)
{
  gdouble sum = 0, weighted = 0;
  guint64 i;

  for (i = 0; i < samples; i++) {
    gdouble energy = get_float (i) * get_float (i);

    sum += energy;
    weighted += energy * i;
  }
  fail_unless (sum > 0);
  return weighted / sum;
}

GST_START_TEST (test_resampling_takes_no_time)
{
  guint rate = rates[__i__];
  gdouble at;

  set_format (GST_AUDIO_FORMAT_F32, rate, 1);
  /* 10 ms of it from 500 ms on */
  push_buffer (make_buffer (rate / 2, 0, 0));
  push_buffer (make_buffer (rate / 100, 0.5, 500 * MS));
  push_buffer (make_buffer (rate / 2, 0, 510 * MS));
  drain ();
  at = find_pulse () / WHISPERLIVE_RATE;
  fail_unless (fabs (at - 0.505) < 0.0005, "%u Hz: at %f s", rate, at);
}

GST_END_TEST;

GST_START_TEST (test_tail_is_heard)
{
  set_format (GST_AUDIO_FORMAT_F32, 44100, 1);
  push_buffer (make_buffer (44100, 0, 0));
  push_buffer (make_buffer (441, 0.5, GST_SECOND));
  drain ();
  fail_unless (fabs (get_float (samples - 20) - 0.5) < 0.05);
}

GST_END_TEST;

/* --- channels --- */

/* One buffer of @n frames in which only @channel is not silent */
static GstBuffer *
make_channel_buffer (guint n, guint channel)
{
  GstBuffer *buffer = make_buffer (n, 0, 0);
  GstMapInfo map;
  guint i;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (i = 0; i < n; i++)
    ((gfloat *) map.data)[i * info.channels + channel] = 0.8;
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

GST_START_TEST (test_stereo)
{
  set_format (GST_AUDIO_FORMAT_F32, 16000, 2);
  push_buffer (make_channel_buffer (CHUNK, __i__));
  fail_unless (fabs (get_float (0) - 0.4) < 0.001);
}

GST_END_TEST;

GST_START_TEST (test_unpositioned_channels)
{
  static const GstAudioChannelPosition none[4] = {
    GST_AUDIO_CHANNEL_POSITION_NONE, GST_AUDIO_CHANNEL_POSITION_NONE,
    GST_AUDIO_CHANNEL_POSITION_NONE, GST_AUDIO_CHANNEL_POSITION_NONE
  };

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, 16000, 4, none);
  fail_unless (gst_whisper_live_encoder_set_format (encoder, &info));
  push_buffer (make_channel_buffer (CHUNK, __i__));
  fail_unless (fabs (get_float (0) - 0.2) < 0.001);
}

GST_END_TEST;

/* A second of a rising left and a silent right channel, in one buffer */
static GstBuffer *
make_ramp (GstAudioLayout layout)
{
  gboolean planar = layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  gfloat *data = g_new0 (gfloat, 2 * WHISPERLIVE_RATE);
  GstBuffer *buffer;
  guint i;

  for (i = 0; i < WHISPERLIVE_RATE; i++)
    data[planar ? i : 2 * i] = (gfloat) i / WHISPERLIVE_RATE;
  buffer = gst_buffer_new_wrapped (data, 2 * WHISPERLIVE_RATE * sizeof *data);
  if (planar)
    gst_buffer_add_audio_meta (buffer, &info, WHISPERLIVE_RATE, NULL);
  return buffer;
}

GST_START_TEST (test_layouts)
{
  guint i;

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, 16000, 2, NULL);
  info.layout = __i__;
  fail_unless (gst_whisper_live_encoder_set_format (encoder, &info));
  push_buffer (make_ramp (__i__));
  fail_unless_equals_uint64 (samples, WHISPERLIVE_RATE);
  for (i = 0; i < WHISPERLIVE_RATE; i++)
    fail_unless (fabs (get_float (i) - 0.5 * i / WHISPERLIVE_RATE) < 0.001,
        "sample %u: %f", i, get_float (i));
}

GST_END_TEST;

/* --- time --- */

GST_START_TEST (test_running_time_of_chunks)
{
  guint i;

  push (WHISPERLIVE_RATE, 700);
  for (i = 0; i < marks->len; i++)
    fail_unless_time (i * CHUNK, i * 100 * MS);
  fail_unless_equals_int (marks->len, 10);
}

GST_END_TEST;

GST_START_TEST (test_starts_later)
{
  push_at (7 * GST_SECOND, 2 * CHUNK);
  fail_unless_time (0, 7 * GST_SECOND);
  fail_unless_time (CHUNK, 7 * GST_SECOND + 100 * MS);
}

GST_END_TEST;

/* Samples @from to @to are nothing, those on either side are not. */
static void
fail_unless_silent (guint64 from, guint64 to)
{
  guint64 i;

  fail_unless (get_sample (from - 1) != 0 && get_sample (to) != 0);
  for (i = from; i < to; i++)
    fail_unless_equals_int (get_sample (i), 0);
}

GST_START_TEST (test_gap)
{
  /* in the middle of a chunk */
  push_at (0, CHUNK * 5 / 2);
  push_at (10 * GST_SECOND, CHUNK * 5 / 2);
  fail_unless_equals_uint64 (samples, SILENCE + 5 * CHUNK);
  fail_unless_silent (CHUNK * 5 / 2, SILENCE + CHUNK * 5 / 2);
  fail_unless_time (CHUNK, 100 * MS);
  fail_unless_time (2 * CHUNK + SILENCE, 200 * MS + 2 * GST_SECOND);
  fail_unless_time (CHUNK * 5 / 2 + SILENCE, 10 * GST_SECOND);
  fail_unless_time (3 * CHUNK + SILENCE, 10 * GST_SECOND + 50 * MS);
  fail_unless_time (4 * CHUNK + SILENCE, 10 * GST_SECOND + 150 * MS);
}

GST_END_TEST;

GST_START_TEST (test_gap_between_chunks)
{
  push_at (0, 2 * CHUNK);
  push_at (10 * GST_SECOND, 2 * CHUNK);
  fail_unless_silent (2 * CHUNK, SILENCE + 2 * CHUNK);
  fail_unless_time (CHUNK, 100 * MS);
  fail_unless_time (2 * CHUNK + SILENCE, 10 * GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_gap_behind_a_chunk)
{
  GstBuffer *buffer = make_buffer (CHUNK * 5 / 2, 0.5, 0);

  /* nothing is taken out yet */
  fail_unless_equals_int (gst_whisper_live_encoder_push (encoder, buffer,
          &segment), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  push_at (10 * GST_SECOND, CHUNK * 5 / 2);
  fail_unless_time (2 * CHUNK, 200 * MS);
  fail_unless_time (CHUNK * 5 / 2 + SILENCE, 10 * GST_SECOND);
  fail_unless_time (4 * CHUNK + SILENCE, 10 * GST_SECOND + 150 * MS);
}

GST_END_TEST;

/* Several jumps before a chunk is full: it ends where a second one would need a mark in it. */
GST_START_TEST (test_jumps_within_a_chunk)
{
  WhisperLiveChunk *chunk;
  guint i;

  gst_whisper_live_encoder_free (encoder);
  encoder = gst_whisper_live_encoder_new (5000);
  set_format (GST_AUDIO_FORMAT_F32, 16000, 1);
  for (i = 0; i < 3; i++) {
    GstBuffer *buffer = make_buffer (5 * CHUNK, 0.5, i * 60 * GST_SECOND);

    fail_unless_equals_int (gst_whisper_live_encoder_push (encoder, buffer,
            &segment), GST_FLOW_OK);
    gst_buffer_unref (buffer);
  }
  gst_whisper_live_encoder_drain (encoder);
  while ((chunk = gst_whisper_live_encoder_pop (encoder))) {
    chunk->mark.offset += samples;
    g_array_append_val (marks, chunk->mark);
    samples += chunk->samples;
    whisperlive_chunk_free (chunk);
  }
  fail_unless_equals_uint64 (samples, 15 * CHUNK + 2 * SILENCE);
  for (i = 0; i < 3; i++) {
    fail_unless_time (i * (5 * CHUNK + SILENCE), i * 60 * GST_SECOND);
    fail_unless_time (i * (5 * CHUNK + SILENCE) + 4 * CHUNK,
        i * 60 * GST_SECOND + 400 * MS);
  }
}

GST_END_TEST;

/* One that is shorter is as long as it is, and time just goes on. */
GST_START_TEST (test_short_gap)
{
  push_at (0, CHUNK * 5 / 2);
  push_at (1150 * MS, CHUNK * 5 / 2);
  fail_unless_equals_uint64 (samples, 14 * CHUNK);
  fail_unless_silent (CHUNK * 5 / 2, CHUNK * 23 / 2);
  fail_unless_time (13 * CHUNK, 1300 * MS);
}

GST_END_TEST;

GST_START_TEST (test_gap_while_resampling)
{
  set_format (GST_AUDIO_FORMAT_F32, 48000, 1);
  push_at (0, 48000 + 2400);
  push_at (10 * GST_SECOND, 48000);
  /* what the resampler held belongs before the gap */
  fail_unless_time (16800 + SILENCE, 10 * GST_SECOND);
  fail_unless_time (16000, GST_SECOND);
  drain ();
  fail_unless (ABS ((gint64) samples - SILENCE - 32800) <= 2);
}

GST_END_TEST;

static void
push_gap (GstClockTime time, GstClockTime duration)
{
  gst_whisper_live_encoder_gap (encoder, time, duration, &segment);
  pop ();
}

GST_START_TEST (test_gap_is_told)
{
  push_at (0, CHUNK);
  push_gap (100 * MS, 300 * MS);
  push_at (400 * MS, CHUNK);
  fail_unless_equals_uint64 (samples, 5 * CHUNK);
  fail_unless_silent (CHUNK, 4 * CHUNK);
  fail_unless_time (4 * CHUNK, 400 * MS);
}

GST_END_TEST;

/* No more than what is heard of any */
GST_START_TEST (test_long_gap_is_told)
{
  push_at (0, CHUNK);
  push_gap (100 * MS, 3600 * GST_SECOND);
  fail_unless_equals_uint64 (samples, CHUNK + SILENCE);
  push_at (100 * MS + 3600 * GST_SECOND, CHUNK);
  fail_unless_silent (CHUNK, CHUNK + SILENCE);
  fail_unless_equals_uint64 (samples, 2 * CHUNK + SILENCE);
  fail_unless_time (CHUNK + SILENCE, 100 * MS + 3600 * GST_SECOND);
}

GST_END_TEST;

/* Half a sample each: what they are rounded by does not add up. */
GST_START_TEST (test_many_gaps_are_told)
{
  guint i;

  for (i = 0; i < 1000; i++)
    push_gap (i * 10 * MS, 10 * MS);
  set_format (GST_AUDIO_FORMAT_F32, 44100, 1);
  for (i = 0; i < 1000; i++)
    push_gap (10 * GST_SECOND + i * (10 * MS + 31250), 10 * MS + 31250);
  fail_unless_equals_uint64 (samples, 320000);
  fail_unless_time (160000 + 160 * 999, 10 * GST_SECOND + 999 * (10 * MS +
          31250));
}

GST_END_TEST;

/* As a demuxer does that cannot know more; and what is outside of the segment is not heard. */
GST_START_TEST (test_gap_that_is_nothing)
{
  push_gap (GST_CLOCK_TIME_NONE, GST_SECOND);
  push_gap (0, GST_CLOCK_TIME_NONE);
  segment.stop = GST_SECOND;
  push_gap (2 * GST_SECOND, GST_SECOND);
  fail_unless_equals_uint64 (samples, 0);
  push_gap (900 * MS, 10 * GST_SECOND);
  fail_unless_equals_uint64 (samples, CHUNK);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  push_gap (0, GST_SECOND);
  fail_unless_equals_uint64 (samples, CHUNK);
}

GST_END_TEST;

GST_START_TEST (test_gap_without_a_format)
{
  gst_whisper_live_encoder_free (encoder);
  encoder = gst_whisper_live_encoder_new (100);
  push_gap (0, GST_SECOND);
  fail_unless_equals_uint64 (samples, 0);
}

GST_END_TEST;

GST_START_TEST (test_jump_back)
{
  push_at (10 * GST_SECOND, 2 * CHUNK);
  push_at (0, 2 * CHUNK);
  fail_unless_silent (2 * CHUNK, 2 * CHUNK + SILENCE);
  fail_unless_time (2 * CHUNK + SILENCE, 0);
}

GST_END_TEST;

/* Backwards, each buffer is before the last one. */
GST_START_TEST (test_no_silence_backwards)
{
  segment.rate = -1.0;
  segment.stop = 10 * GST_SECOND;
  push_at (5 * GST_SECOND, 2 * CHUNK);
  push_at (4800 * MS, 2 * CHUNK);
  push_at (4600 * MS, 2 * CHUNK);
  fail_unless_equals_uint64 (samples, 6 * CHUNK);
  fail_unless_time (2 * CHUNK, 5000 * MS);
  fail_unless_stream_time (2 * CHUNK, 4800 * MS);
}

GST_END_TEST;

/* Its length is that of what could have been heard, not of the time that it took. */
GST_START_TEST (test_gap_at_another_rate)
{
  segment.rate = 2.0;
  push_at (0, CHUNK);
  push_at (1100 * MS, CHUNK);
  fail_unless_equals_uint64 (samples, 12 * CHUNK);
  fail_unless_time (11 * CHUNK, 550 * MS);
}

GST_END_TEST;

GST_START_TEST (test_jitter)
{
  guint i;

  push_at (0, CHUNK);
  for (i = 1; i < 100; i++)
    push_at (i * 100 * MS + (i % 2 ? 40 * MS : -(40 * MS)), CHUNK);
  for (i = 0; i < 100; i++)
    fail_unless_time (i * CHUNK, i * 100 * MS);
  fail_unless_equals_uint64 (samples, 100 * CHUNK);
}

GST_END_TEST;

/* From a network: each burst has the time at which it came. */
GST_START_TEST (test_bursts)
{
  guint i;

  for (i = 0; i < 600; i++)
    push_at (i / 10 * 200 * MS, CHUNK / 5);
  drain ();
  fail_unless_equals_uint64 (samples, 600 * (CHUNK / 5));
  for (i = 0; i < 60; i++)
    fail_unless_time (i * 2 * CHUNK, i * 200 * MS);
}

GST_END_TEST;

/* The time of it is right again after a second; nothing was missing, and so nothing is put in between. */
GST_START_TEST (test_early_for_good)
{
  guint i;

  push_at (0, CHUNK);
  for (i = 0; i < 30; i++)
    push_at (i * 100 * MS, CHUNK);
  drain ();
  fail_unless_equals_uint64 (samples, 31 * CHUNK);
  for (i = 0; i < 10; i++)
    fail_unless_time ((1 + i) * CHUNK, (1 + i) * 100 * MS);
  for (; i < 30; i++)
    fail_unless_time ((1 + i) * CHUNK, i * 100 * MS);
}

GST_END_TEST;

/* Who says so is believed, and a second is no jitter. 0: with DISCONT. */
GST_START_TEST (test_jump_back_at_once)
{
  GstClockTime time = __i__ == 0 ? 2100 * MS : 1200 * MS - 1;
  GstBuffer *buffer = make_buffer (2 * CHUNK, 0.5, time);

  if (__i__ == 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  push_at (2 * GST_SECOND, 2 * CHUNK);
  push_buffer (buffer);
  drain ();
  fail_unless (samples > 4 * CHUNK);
  fail_unless_time (samples - 2 * CHUNK, time);
}

GST_END_TEST;

GST_START_TEST (test_more_than_jitter)
{
  push_at (0, CHUNK);
  push_at (140 * MS + 1, CHUNK);
  drain ();
  fail_unless_time (CHUNK + 640, 140 * MS + 1);
}

GST_END_TEST;

GST_START_TEST (test_no_timestamps)
{
  guint i;

  for (i = 0; i < 10; i++)
    push_at (GST_CLOCK_TIME_NONE, CHUNK);
  for (i = 0; i < 10; i++)
    fail_unless_time (i * CHUNK, i * 100 * MS);
}

GST_END_TEST;

/* The next file begins where its segment does. */
GST_START_TEST (test_no_timestamps_in_the_next_segment)
{
  push_at (GST_CLOCK_TIME_NONE, 10 * CHUNK);
  segment.start = segment.time = 100 * GST_SECOND;
  segment.base = GST_SECOND;
  push_at (GST_CLOCK_TIME_NONE, 10 * CHUNK);
  fail_unless_equals_uint64 (samples, 20 * CHUNK);
  fail_unless_time (10 * CHUNK, GST_SECOND);
  fail_unless_stream_time (10 * CHUNK, 100 * GST_SECOND);
  fail_unless_time (11 * CHUNK, 1100 * MS);
}

GST_END_TEST;

GST_START_TEST (test_some_timestamps)
{
  push_at (3 * GST_SECOND, CHUNK);
  push_at (GST_CLOCK_TIME_NONE, CHUNK);
  push_at (3 * GST_SECOND + 200 * MS, CHUNK);
  fail_unless_time (CHUNK, 3 * GST_SECOND + 100 * MS);
  fail_unless_time (2 * CHUNK, 3 * GST_SECOND + 200 * MS);
}

GST_END_TEST;

GST_START_TEST (test_segment)
{
  segment.start = 4 * GST_SECOND;
  segment.base = 100 * GST_SECOND;
  segment.time = 30 * GST_SECOND;
  push_at (5 * GST_SECOND, 2 * CHUNK);
  fail_unless_time (0, 101 * GST_SECOND);
  fail_unless_stream_time (0, 31 * GST_SECOND);
  fail_unless_time (CHUNK, 101 * GST_SECOND + 100 * MS);
}

GST_END_TEST;

GST_START_TEST (test_rate)
{
  segment.rate = 2.0;
  push_at (5 * GST_SECOND, 2 * CHUNK);
  fail_unless_time (0, 2500 * MS);
  fail_unless_time (CHUNK, 2550 * MS);
  fail_unless_stream_time (CHUNK, 5100 * MS);
}

GST_END_TEST;

GST_START_TEST (test_applied_rate)
{
  segment.applied_rate = 3.0;
  push_at (GST_SECOND, 2 * CHUNK);
  fail_unless_time (CHUNK, 1100 * MS);
  fail_unless_stream_time (CHUNK, 3300 * MS);
}

GST_END_TEST;

GST_START_TEST (test_segment_of_bytes)
{
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = 4711;
  push_at (GST_CLOCK_TIME_NONE, 2 * CHUNK);
  fail_unless_time (0, 0);
  fail_unless_time (CHUNK, 100 * MS);
}

GST_END_TEST;

/* --- other caps --- */

GST_START_TEST (test_caps_change)
{
  set_format (GST_AUDIO_FORMAT_F32, 48000, 2);
  push_at (0, 48000 + 2400);
  set_format (GST_AUDIO_FORMAT_F32, 8000, 1);
  push_at (1050 * MS, 8000);
  drain ();
  fail_unless (ABS ((gint64) samples - 32800) <= 2);
  fail_unless_time (16000, GST_SECOND);
  /* exact again from the change on */
  fail_unless (ABS (GST_CLOCK_DIFF (time_of (samples, FALSE), 2050 * MS)) <=
      MS / 5);
}

GST_END_TEST;

GST_START_TEST (test_caps_change_loses_no_sound)
{
  guint64 i;

  set_format (GST_AUDIO_FORMAT_F32, 48000, 1);
  push_at (0, 48000);
  set_format (GST_AUDIO_FORMAT_F32, 16000, 1);
  push_at (GST_SECOND, 16000);
  drain ();
  /* but for the steps of the filter at the beginning and the end */
  for (i = 100; i < 15900; i++)
    fail_unless (fabs (get_float (i) - 0.5) < 0.05);
  for (i = 16002; i < samples; i++)
    fail_unless (fabs (get_float (i) - 0.5) < 0.01);
}

GST_END_TEST;

GST_START_TEST (test_same_caps_again)
{
  set_format (GST_AUDIO_FORMAT_F32, 44100, 1);
  push (44100, 441);
  set_format (GST_AUDIO_FORMAT_F32, 44100, 1);
  push (44100, 441);
  drain ();
  fail_unless (ABS ((gint64) samples - 32000) <= 1);
}

GST_END_TEST;

GST_START_TEST (test_caps_change_without_timestamps)
{
  push_at (GST_CLOCK_TIME_NONE, 10 * CHUNK);
  set_format (GST_AUDIO_FORMAT_F32, 8000, 1);
  push_at (GST_CLOCK_TIME_NONE, 8000);
  drain ();
  fail_unless_time (10 * CHUNK, GST_SECOND);
}

GST_END_TEST;

GST_START_TEST (test_segment_changes_at_the_same_timestamp)
{
  push_at (0, 10 * CHUNK);
  segment.start = GST_SECOND;
  segment.base = 5 * GST_SECOND;
  segment.rate = 2.0;
  push_at (GST_SECOND, 10 * CHUNK);
  fail_unless_time (10 * CHUNK + SILENCE, 5 * GST_SECOND);
  fail_unless_time (11 * CHUNK + SILENCE, 5 * GST_SECOND + 50 * MS);
}

GST_END_TEST;

/* The next file, for example: other timestamps, the same running time. */
GST_START_TEST (test_segment_goes_on)
{
  push_at (0, 10 * CHUNK);
  segment.start = 100 * GST_SECOND;
  segment.base = GST_SECOND;
  push_at (100 * GST_SECOND, 10 * CHUNK);
  fail_unless_equals_uint64 (samples, 20 * CHUNK);
  fail_unless_time (10 * CHUNK, GST_SECOND);
  fail_unless_time (11 * CHUNK, 1100 * MS);
}

GST_END_TEST;

GST_START_TEST (test_starts_before_the_segment)
{
  segment.start = segment.time = GST_SECOND;
  push_at (950 * MS, 10 * CHUNK);
  fail_unless (marks->len > 0);
  fail_unless (GST_CLOCK_TIME_IS_VALID (g_array_index (marks,
              WhisperLiveMark, marks->len - 1).running_time));
}

GST_END_TEST;

/* --- level --- */

GST_START_TEST (test_level)
{
  push_buffer (make_buffer (CHUNK, 0.25, 0));
  fail_unless (fabs (loudest - 0.25) < 0.0001);
}

GST_END_TEST;

GST_START_TEST (test_level_of_the_loudest_moment)
{
  /* 10 ms of 100 */
  push_buffer (make_buffer (CHUNK / 2, 0, 0));
  push_buffer (make_buffer (CHUNK / 10, 0.5, 50 * MS));
  push_buffer (make_buffer (CHUNK * 4 / 10, 0, 60 * MS));
  fail_unless (fabs (loudest - 0.5) < 0.0001);
}

GST_END_TEST;

GST_START_TEST (test_level_gate)
{
  push_buffer (make_buffer (CHUNK, WHISPERLIVE_SILENCE_LEVEL * 0.9f, 0));
  fail_unless (loudest < WHISPERLIVE_SILENCE_LEVEL);
  push_buffer (make_buffer (CHUNK, WHISPERLIVE_SILENCE_LEVEL * 1.1f, 100 * MS));
  fail_unless (loudest > WHISPERLIVE_SILENCE_LEVEL);
}

GST_END_TEST;

static TCase *
add_case (Suite * suite, const gchar * name)
{
  TCase *tc = tcase_create (name);

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  return tc;
}

static Suite *
encoder_suite (void)
{
  Suite *suite = suite_create ("encoder");
  TCase *tc = add_case (suite, "formats");

  tcase_add_test (tc, test_float);
  tcase_add_test (tc, test_int16);
  tcase_add_test (tc, test_silence_is_silent);
  tcase_add_test (tc, test_silence_shares_its_memory);
  tcase_add_test (tc, test_long_buffer_leaves_no_memory);
  tcase_add_test (tc, test_every_format);
  tcase_add_loop_test (tc, test_chunk_durations, 0, 4);
  tcase_add_test (tc, test_drain);
  tcase_add_test (tc, test_drain_without_a_format);
  tcase_add_test (tc, test_reset);
  tcase_add_test (tc, test_buffer_that_does_not_fit);

  tc = add_case (suite, "rates");
  tcase_add_loop_test (tc, test_resampling_is_exact, 0, 7);
  tcase_add_loop_test (tc, test_few_frames_at_a_time, 0,
      G_N_ELEMENTS (few_frames) * G_N_ELEMENTS (rates));
  tcase_add_loop_test (tc, test_resampling_takes_no_time, 0, 7);
  tcase_add_test (tc, test_tail_is_heard);

  tc = add_case (suite, "channels");
  tcase_add_loop_test (tc, test_stereo, 0, 2);
  tcase_add_loop_test (tc, test_unpositioned_channels, 0, 4);
  tcase_add_loop_test (tc, test_layouts, GST_AUDIO_LAYOUT_INTERLEAVED,
      GST_AUDIO_LAYOUT_NON_INTERLEAVED + 1);

  tc = add_case (suite, "time");
  tcase_add_test (tc, test_running_time_of_chunks);
  tcase_add_test (tc, test_starts_later);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_gap_between_chunks);
  tcase_add_test (tc, test_gap_behind_a_chunk);
  tcase_add_test (tc, test_jumps_within_a_chunk);
  tcase_add_test (tc, test_short_gap);
  tcase_add_test (tc, test_gap_while_resampling);
  tcase_add_test (tc, test_gap_is_told);
  tcase_add_test (tc, test_long_gap_is_told);
  tcase_add_test (tc, test_many_gaps_are_told);
  tcase_add_test (tc, test_gap_that_is_nothing);
  tcase_add_test (tc, test_gap_without_a_format);
  tcase_add_test (tc, test_jump_back);
  tcase_add_test (tc, test_no_silence_backwards);
  tcase_add_test (tc, test_gap_at_another_rate);
  tcase_add_test (tc, test_jitter);
  tcase_add_test (tc, test_bursts);
  tcase_add_test (tc, test_early_for_good);
  tcase_add_loop_test (tc, test_jump_back_at_once, 0, 2);
  tcase_add_test (tc, test_more_than_jitter);
  tcase_add_test (tc, test_no_timestamps);
  tcase_add_test (tc, test_no_timestamps_in_the_next_segment);
  tcase_add_test (tc, test_some_timestamps);
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_rate);
  tcase_add_test (tc, test_applied_rate);
  tcase_add_test (tc, test_segment_of_bytes);

  tc = add_case (suite, "caps");
  tcase_add_test (tc, test_caps_change);
  tcase_add_test (tc, test_caps_change_loses_no_sound);
  tcase_add_test (tc, test_same_caps_again);
  tcase_add_test (tc, test_caps_change_without_timestamps);
  tcase_add_test (tc, test_segment_changes_at_the_same_timestamp);
  tcase_add_test (tc, test_segment_goes_on);
  tcase_add_test (tc, test_starts_before_the_segment);

  tc = add_case (suite, "level");
  tcase_add_test (tc, test_level);
  tcase_add_test (tc, test_level_of_the_loudest_moment);
  tcase_add_test (tc, test_level_gate);
  return suite;
}

GST_CHECK_MAIN (encoder);
