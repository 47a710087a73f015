/* gstwhisperliveencoder: raw audio of any kind in, chunks of the server's 16 kHz mono with running time out
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstwhisperliveencoder.h"

#include <math.h>
#include <string.h>

#include "whisperlive-debug.h"
#include "whisperlive-protocol.h"

GST_DEBUG_CATEGORY_STATIC (whisperlive_encoder_debug);
#define GST_CAT_DEFAULT whisperlive_encoder_debug

/* As GstAudioBaseSink's alignment-threshold: smaller jumps are jitter of timestamps. */
#define ALIGNMENT_THRESHOLD (40 * GST_MSECOND)
/* As its discont-wait: so are those back, unless all of so much audio is early. What comes from a network in bursts has the time of its
 * arrival. (A jump ahead is believed at once: that is a gap.) */
#define DISCONT_WAIT GST_SECOND
/* A gap is silence for the server, or words from either side of it would become one sentence; of a longer one it hears so much. It is
 * as much as its voice detection wants between two stretches of speech. */
#define MAX_SILENCE (2 * GST_SECOND)
#define LEVEL_WINDOW (WHISPERLIVE_RATE / 100)
/* Of a long buffer, so many frames are converted at a time: the converter keeps the memory that the most of them have taken. */
#define PIECE 4096

typedef struct
{
  WhisperLiveMark mark;
  gboolean goes_on;             /* from the one before it, but for jitter and what was rounded */
} Mark;

struct _GstWhisperLiveEncoder
{
  GstAudioInfo in, out;
  guint chunk_samples;
  GstAudioConverter *converter; /* NULL: no format yet */
  GByteArray *pending;          /* converted, less than a chunk after pop() */
  gsize popped;                 /* bytes of it, from its beginning */
  GBytes *silence;              /* a chunk of nothing, or NULL: all such chunks share it */
  gboolean flush;               /* what is pending goes out though it is less than a chunk */
  WhisperLiveMark mark;         /* of the first pending sample, if it goes on from what was popped */
  GArray *marks;                /* of Mark, in what is pending: jumps, and then perhaps one that goes on */
  GstClockTime expected;        /* timestamp of the next buffer, if there is no gap */
  GstClockTime early;           /* so much in a row had a timestamp before that, and was taken for jitter */
  GstSegment segment;           /* that of the last buffer */
  gboolean remark;              /* the next buffer needs a mark even if it goes on from the last */
};

GstWhisperLiveEncoder *
gst_whisper_live_encoder_new (guint chunk_duration_ms)
{
  GstWhisperLiveEncoder *encoder = g_new0 (GstWhisperLiveEncoder, 1);

  WHISPERLIVE_DEBUG_CATEGORY_INIT (whisperlive_encoder_debug,
      "whisperliveencoder", "WhisperLive audio encoder");
  gst_audio_info_set_format (&encoder->out, GST_AUDIO_FORMAT_S16,
      WHISPERLIVE_RATE, 1, NULL);
  encoder->chunk_samples = chunk_duration_ms * (WHISPERLIVE_RATE / 1000);
  encoder->pending = g_byte_array_new ();
  encoder->marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  gst_whisper_live_encoder_reset (encoder);
  return encoder;
}

void
gst_whisper_live_encoder_free (GstWhisperLiveEncoder * encoder)
{
  g_clear_pointer (&encoder->converter, gst_audio_converter_free);
  g_byte_array_unref (encoder->pending);
  g_array_unref (encoder->marks);
  g_clear_pointer (&encoder->silence, g_bytes_unref);
  g_free (encoder);
}

static guint
pending_samples (GstWhisperLiveEncoder * encoder)
{
  return (encoder->pending->len - encoder->popped) / encoder->out.bpf;
}

/* Channels without positions: a mix of all, for the speech may be on any of them. */
static void
set_mix_matrix (GstStructure * config, guint channels)
{
  GValue matrix = G_VALUE_INIT, row = G_VALUE_INIT, weight = G_VALUE_INIT;
  guint i;

  g_value_init (&matrix, GST_TYPE_ARRAY);
  g_value_init (&row, GST_TYPE_ARRAY);
  g_value_init (&weight, G_TYPE_FLOAT);
  g_value_set_float (&weight, 1.0f / channels);
  for (i = 0; i < channels; i++)
    gst_value_array_append_value (&row, &weight);
  gst_value_array_append_and_take_value (&matrix, &row);
  gst_structure_take_value (config, GST_AUDIO_CONVERTER_OPT_MIX_MATRIX,
      &matrix);
  g_value_unset (&weight);
}

/* Room for so many samples after what is pending. What was popped is removed here: by the chunk, that of a long buffer would take minutes. */
static gpointer
extend (GstWhisperLiveEncoder * encoder, gsize samples)
{
  gsize old;

  g_byte_array_remove_range (encoder->pending, 0, encoder->popped);
  encoder->popped = 0;
  old = encoder->pending->len;
  g_byte_array_set_size (encoder->pending, old + samples * encoder->out.bpf);
  return encoder->pending->data + old;
}

static void
convert (GstWhisperLiveEncoder * encoder, gpointer in[], gsize in_frames)
{
  gsize out_frames;
  gpointer out[1];

  out_frames = gst_audio_converter_get_out_frames (encoder->converter,
      in_frames);
  /* of few frames nothing may come yet: the resampler collects them */
  out[0] = extend (encoder, out_frames);
  if (!gst_audio_converter_samples (encoder->converter, 0, in, in_frames, out,
          out_frames))
    g_byte_array_set_size (encoder->pending,
        encoder->pending->len - out_frames * encoder->out.bpf);
}

static void
convert_buffer (GstWhisperLiveEncoder * encoder, GstAudioBuffer * audio)
{
  const GstAudioInfo *info = &audio->info;
  gsize stride = GST_AUDIO_INFO_LAYOUT (info) == GST_AUDIO_LAYOUT_INTERLEAVED ?
      GST_AUDIO_INFO_BPF (info) : GST_AUDIO_INFO_BPS (info);
  gsize done, n;
  gint i;

  for (done = 0; done < audio->n_samples; done += n) {
    n = MIN (PIECE, audio->n_samples - done);
    convert (encoder, audio->planes, n);
    for (i = 0; i < audio->n_planes; i++)
      audio->planes[i] = (guint8 *) audio->planes[i] + n * stride;
  }
}

/* Silence gets out what the resampler holds. (Without any input the converter means to take silence, but leaves some of what it had there.) */
static void
drain_converter (GstWhisperLiveEncoder * encoder)
{
  gint channels = GST_AUDIO_INFO_CHANNELS (&encoder->in), i;
  gsize n, size;
  g_autofree gpointer *planes = NULL;
  g_autofree guint8 *silence = NULL;

  if (!encoder->converter)
    return;
  n = gst_audio_converter_get_max_latency (encoder->converter);
  if (n == 0)
    return;
  size = n * GST_AUDIO_INFO_BPF (&encoder->in);
  silence = g_malloc (size);
  gst_audio_format_info_fill_silence (encoder->in.finfo, silence, size);
  planes = g_new (gpointer, channels);
  for (i = 0; i < channels; i++)
    planes[i] = silence;
  convert (encoder, planes, n);
  gst_audio_converter_reset (encoder->converter);
}

/* The converter takes frames of which nothing comes yet, but only when it has memory for what comes, which it makes when it is asked for some.
 * (One frame gives nothing where the rate changes; and the resampler's phase is not reset, so nothing must come of it.) */
static void
prime_converter (GstWhisperLiveEncoder * encoder)
{
  gint16 sample;
  gpointer out[1] = { &sample };

  gst_audio_converter_samples (encoder->converter, 0, NULL, 1, out, 1);
  gst_audio_converter_reset (encoder->converter);
}

gboolean
gst_whisper_live_encoder_set_format (GstWhisperLiveEncoder * encoder,
    const GstAudioInfo * info)
{
  GstStructure *config;

  if (encoder->converter && gst_audio_info_is_equal (info, &encoder->in))
    return TRUE;
  drain_converter (encoder);
  g_clear_pointer (&encoder->converter, gst_audio_converter_free);

  /* dither would make noise of silence */
  config = gst_structure_new ("GstAudioConverterConfig",
      GST_AUDIO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_AUDIO_DITHER_METHOD,
      GST_AUDIO_DITHER_NONE, NULL);
  if (GST_AUDIO_INFO_CHANNELS (info) > 1
      && GST_AUDIO_INFO_IS_UNPOSITIONED (info))
    set_mix_matrix (config, GST_AUDIO_INFO_CHANNELS (info));
  encoder->in = *info;
  encoder->converter = gst_audio_converter_new (GST_AUDIO_CONVERTER_FLAG_NONE,
      &encoder->in, &encoder->out, config);
  encoder->remark = TRUE;
  if (!encoder->converter)
    return FALSE;
  prime_converter (encoder);
  return TRUE;
}

static void
add_silence (GstWhisperLiveEncoder * encoder, GstClockTime duration)
{
  guint samples = WHISPERLIVE_TIME_TO_SAMPLES (MIN (duration, MAX_SILENCE));

  if (samples > 0)
    memset (extend (encoder, samples), 0, samples * encoder->out.bpf);
}

/* In ns, below 0 before the segment; anything can come in a timestamp, and not all of it fits into an integer. */
static gdouble
to_running_time (const GstSegment * segment, GstClockTime timestamp)
{
  guint64 time;
  gint sign =
      gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, timestamp,
      &time);

  return sign * (gdouble) time;
}

/* How much silence stands for what is between what was and what comes at @timestamp, or for a jump back. Other timestamps alone are
 * no jump: those of the next file, for example. Nor is what has been taken for jitter for a while: it was heard without a pause. */
static GstClockTime
get_silence (GstWhisperLiveEncoder * encoder, GstClockTime timestamp,
    const GstSegment * segment)
{
  gdouble jump = to_running_time (segment, timestamp) -
      to_running_time (&encoder->segment, encoder->expected);

  /* backwards every buffer is one */
  if (segment->rate < 0 || encoder->segment.rate < 0)
    return 0;
  if (jump < 0 && encoder->early >= DISCONT_WAIT)
    return 0;
  jump = fabs (jump) * segment->rate;
  return jump > ALIGNMENT_THRESHOLD ? MIN (jump, MAX_SILENCE) : 0;
}

/* The mark of the sample that is @samples after that of @mark. */
static void
advance (WhisperLiveMark * mark, guint64 samples)
{
  if (GST_CLOCK_TIME_IS_VALID (mark->running_time))
    mark->running_time += WHISPERLIVE_SAMPLES_TO_TIME (samples) / mark->rate;
  if (GST_CLOCK_TIME_IS_VALID (mark->stream_time))
    mark->stream_time +=
        WHISPERLIVE_SAMPLES_TO_TIME (samples) * mark->applied_rate;
  mark->offset = 0;
}

static const Mark *
get_last_mark (GstWhisperLiveEncoder * encoder)
{
  return encoder->marks->len ? &g_array_index (encoder->marks, Mark,
      encoder->marks->len - 1) : NULL;
}

static gboolean
is_near (GstClockTime a, GstClockTime b)
{
  return a == b || (GST_CLOCK_TIME_IS_VALID (a) && GST_CLOCK_TIME_IS_VALID (b)
      && ABS (GST_CLOCK_DIFF (a, b)) <= ALIGNMENT_THRESHOLD);
}

static gboolean
goes_on (WhisperLiveMark from, const WhisperLiveMark * to)
{
  advance (&from, to->offset - from.offset);
  return from.rate == to->rate && from.applied_rate == to->applied_rate
      && is_near (from.running_time, to->running_time)
      && is_near (from.stream_time, to->stream_time);
}

/* Backwards, running time goes from the end of the buffer to its beginning. */
static void
mark (GstWhisperLiveEncoder * encoder, GstClockTime timestamp,
    GstClockTime duration, const GstSegment * segment)
{
  GstClockTime first = segment->rate < 0 ? timestamp + duration : timestamp;
  Mark mark = {
    .mark = {
          .offset = pending_samples (encoder),
          .running_time =
          gst_segment_to_running_time (segment, GST_FORMAT_TIME, first),
          .stream_time =
          gst_segment_to_stream_time (segment, GST_FORMAT_TIME, timestamp),
          .rate = fabs (segment->rate),
          .applied_rate = fabs (segment->applied_rate),
        },
  };
  const Mark *last = get_last_mark (encoder);

  if (last && (last->goes_on || last->mark.offset == mark.mark.offset)) {
    g_array_set_size (encoder->marks, encoder->marks->len - 1);
    last = get_last_mark (encoder);
  }
  mark.goes_on = goes_on (last ? last->mark : encoder->mark, &mark.mark);
  g_array_append_val (encoder->marks, mark);
}

/* Without position, which GstBaseSink moves on */
static gboolean
is_same_segment (const GstSegment * a, const GstSegment * b)
{
  return a->rate == b->rate && a->applied_rate == b->applied_rate
      && a->base == b->base && a->offset == b->offset && a->start == b->start
      && a->time == b->time;
}

/* In the same segment */
static gboolean
is_jitter (GstWhisperLiveEncoder * encoder, GstClockTime timestamp,
    GstClockTime duration, gboolean discont)
{
  GstClockTimeDiff ahead = GST_CLOCK_DIFF (encoder->expected, timestamp);

  if (ABS (ahead) <= ALIGNMENT_THRESHOLD) {
    encoder->early = 0;
    return TRUE;
  }
  /* backwards every buffer is before the last */
  if (discont || encoder->segment.rate < 0 || ahead > 0
      || -ahead > DISCONT_WAIT || encoder->early >= DISCONT_WAIT)
    return FALSE;
  encoder->early += duration;
  return TRUE;
}

static void
take_time (GstWhisperLiveEncoder * encoder, GstClockTime timestamp,
    GstClockTime duration, gboolean discont, const GstSegment * segment)
{
  gboolean first = !GST_CLOCK_TIME_IS_VALID (encoder->expected);
  gboolean same = !first && is_same_segment (segment, &encoder->segment);

  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    timestamp = same ? encoder->expected : segment->start;
  if (same && !encoder->remark
      && is_jitter (encoder, timestamp, duration, discont))
    return;

  if (!first && encoder->expected != timestamp) {
    GST_DEBUG ("time jumps by %" GST_STIME_FORMAT,
        GST_STIME_ARGS (GST_CLOCK_DIFF (encoder->expected, timestamp)));
    drain_converter (encoder);
  }
  if (!first)
    add_silence (encoder, get_silence (encoder, timestamp, segment));
  mark (encoder, timestamp, duration, segment);
  encoder->expected = timestamp;
  encoder->early = 0;
  encoder->segment = *segment;
  encoder->remark = FALSE;
}

GstFlowReturn
gst_whisper_live_encoder_push (GstWhisperLiveEncoder * encoder,
    GstBuffer * buffer, const GstSegment * segment)
{
  const GstAudioInfo *in = &encoder->in;
  gboolean timed = segment->format == GST_FORMAT_TIME;
  gboolean discont = GST_BUFFER_IS_DISCONT (buffer);
  GstClockTime duration;
  GstAudioBuffer audio;
  GstSegment from_0;

  if (!encoder->converter)
    return GST_FLOW_NOT_NEGOTIATED;
  gst_segment_init (&from_0, GST_FORMAT_TIME);
  /* what is outside of the segment has no running time, and is not to be heard */
  buffer = gst_buffer_ref (buffer);
  if (timed && GST_BUFFER_PTS_IS_VALID (buffer))
    buffer = gst_audio_buffer_clip (buffer, segment, in->rate, in->bpf);
  if (!buffer)
    return GST_FLOW_OK;
  if (!gst_audio_buffer_map (&audio, in, buffer, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  /* bytes from somewhere: their time starts at 0 */
  duration = gst_util_uint64_scale (audio.n_samples, GST_SECOND, in->rate);
  take_time (encoder, timed ? GST_BUFFER_PTS (buffer) : GST_CLOCK_TIME_NONE,
      duration, discont, timed ? segment : &from_0);
  convert_buffer (encoder, &audio);
  encoder->expected += duration;
  gst_audio_buffer_unmap (&audio);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

void
gst_whisper_live_encoder_gap (GstWhisperLiveEncoder * encoder,
    GstClockTime timestamp, GstClockTime duration, const GstSegment * segment)
{
  guint64 start, stop;

  if (!encoder->converter || segment->format != GST_FORMAT_TIME
      || !GST_CLOCK_TIME_IS_VALID (timestamp)
      || !GST_CLOCK_TIME_IS_VALID (duration)
      || !gst_segment_clip (segment, GST_FORMAT_TIME, timestamp,
          timestamp + duration, &start, &stop))
    return;
  take_time (encoder, start, stop - start, TRUE, segment);
  drain_converter (encoder);
  add_silence (encoder, stop - start);
  encoder->expected = stop;
  /* the silence may be shorter, and is whole samples */
  encoder->remark = TRUE;
}

void
gst_whisper_live_encoder_drain (GstWhisperLiveEncoder * encoder)
{
  drain_converter (encoder);
  encoder->flush = pending_samples (encoder) > 0;
}

void
gst_whisper_live_encoder_reset (GstWhisperLiveEncoder * encoder)
{
  if (encoder->converter)
    gst_audio_converter_reset (encoder->converter);
  g_byte_array_set_size (encoder->pending, 0);
  encoder->popped = 0;
  encoder->flush = FALSE;
  encoder->expected = GST_CLOCK_TIME_NONE;
  encoder->mark = (WhisperLiveMark) {
  .running_time = GST_CLOCK_TIME_NONE,.stream_time =
        GST_CLOCK_TIME_NONE,.rate = 1.0,.applied_rate = 1.0,};
  g_array_set_size (encoder->marks, 0);
}

/* The loudest window's RMS. */
static gfloat
measure_level (GstWhisperLiveEncoder * encoder, guint samples)
{
  const gint16 *data =
      (const gint16 *) (encoder->pending->data + encoder->popped);
  gfloat loudest = 0;
  guint i, j;

  for (i = 0; i < samples; i += LEVEL_WINDOW) {
    guint n = MIN (LEVEL_WINDOW, samples - i);
    gfloat sum = 0;

    for (j = 0; j < n; j++) {
      gfloat value = data[i + j];

      sum += value * value;
    }
    loudest = MAX (loudest, sum / n);
  }
  return sqrtf (loudest) / 32768;
}

/* No second jump is in the next @samples. */
static WhisperLiveMark
take_mark (GstWhisperLiveEncoder * encoder, guint samples)
{
  const Mark *marks = (const Mark *) encoder->marks->data;
  WhisperLiveMark mark = encoder->mark;
  guint i, n = 0;

  while (n < encoder->marks->len && marks[n].mark.offset < samples)
    encoder->mark = marks[n++].mark;
  /* what is before it goes on from the chunk before */
  if (n > 0)
    mark = marks[0].mark;
  advance (&encoder->mark, samples - encoder->mark.offset);
  g_array_remove_range (encoder->marks, 0, n);
  for (i = 0; i < encoder->marks->len; i++)
    g_array_index (encoder->marks, Mark, i).mark.offset -= samples;
  return mark;
}

/* A chunk has one mark: where one more would be needed, it ends. */
static guint
until_second_jump (GstWhisperLiveEncoder * encoder, guint samples)
{
  const Mark *marks = (const Mark *) encoder->marks->data;

  return encoder->marks->len > 1 && !marks[1].goes_on ?
      MIN (samples, marks[1].mark.offset) : samples;
}

/* Who says nothing is held for as long as the server could have heard something: 45 s, which need not be 1.4 MB of zeros. */
static GBytes *
take_data (GstWhisperLiveEncoder * encoder, guint samples, gfloat level)
{
  gboolean silent = level == 0 && samples == encoder->chunk_samples;
  GBytes *data;

  if (silent && encoder->silence)
    return g_bytes_ref (encoder->silence);
  data = g_bytes_new (encoder->pending->data + encoder->popped,
      samples * encoder->out.bpf);
  if (silent)
    encoder->silence = g_bytes_ref (data);
  return data;
}

/* What a long buffer took is not kept. */
static void
shrink (GstWhisperLiveEncoder * encoder)
{
  GByteArray *rest;

  if (encoder->popped <= PIECE * sizeof (gint16))
    return;
  rest = g_byte_array_new ();
  g_byte_array_append (rest, encoder->pending->data + encoder->popped,
      encoder->pending->len - encoder->popped);
  g_byte_array_unref (encoder->pending);
  encoder->pending = rest;
  encoder->popped = 0;
}

WhisperLiveChunk *
gst_whisper_live_encoder_pop (GstWhisperLiveEncoder * encoder)
{
  guint available = pending_samples (encoder);
  guint samples = MIN (available, encoder->chunk_samples);
  WhisperLiveMark mark;
  gfloat level;
  GBytes *data;

  if (samples == 0 || (samples < encoder->chunk_samples && !encoder->flush)) {
    shrink (encoder);
    return NULL;
  }
  samples = until_second_jump (encoder, samples);
  level = measure_level (encoder, samples);
  mark = take_mark (encoder, samples);
  data = take_data (encoder, samples, level);
  encoder->popped += samples * encoder->out.bpf;
  if (samples == available)
    encoder->flush = FALSE;
  return whisperlive_chunk_new (data, samples, level, &mark);
}
