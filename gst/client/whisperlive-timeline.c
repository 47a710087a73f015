/* whisperlive-timeline: seconds of one connection to positions in the stream, and those to running and stream time
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-timeline.h"

#include <math.h>

#include "whisperlive-protocol.h"

/* Buffers' timestamps are rounded: one that is off by less than this goes on from the last mark. The server
 * itself knows no finer time. As the comparison is with the stored mark, the error cannot add up. */
#define SLACK GST_MSECOND

/* No server has so much. */
#define FAR_BEYOND (45 * WHISPERLIVE_RATE)

#define NS_PER_SAMPLE (GST_SECOND / WHISPERLIVE_RATE)

typedef struct
{
  guint64 position;
  GstClockTime running_time;
  GstClockTime stream_time;
  gdouble running_per_sample;   /* ns */
  gdouble stream_per_sample;    /* ns */
} Mark;

/* From its sample @sample on, what the connection carries are the samples at @position and after */
typedef struct
{
  guint64 sample;
  guint64 position;
} Jump;

struct _WhisperLiveTimeline
{
  GArray *marks;                /* of Mark, positions strictly ascending */
  GArray *jumps;                /* of Jump, samples strictly ascending; never empty */
  guint64 sent;                 /* samples of the connection */
};

WhisperLiveTimeline *
whisperlive_timeline_new (void)
{
  WhisperLiveTimeline *timeline = g_new0 (WhisperLiveTimeline, 1);

  timeline->marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  timeline->jumps = g_array_new (FALSE, FALSE, sizeof (Jump));
  whisperlive_timeline_begin (timeline, 0);
  return timeline;
}

void
whisperlive_timeline_free (WhisperLiveTimeline * timeline)
{
  if (!timeline)
    return;
  g_array_unref (timeline->marks);
  g_array_unref (timeline->jumps);
  g_free (timeline);
}

/* Index of the mark in force at @position: the last one at or before it, else the first one; -1 without marks */
static gint
find_mark (const WhisperLiveTimeline * timeline, guint64 position)
{
  guint low = 0, high = timeline->marks->len;

  if (high == 0)
    return -1;
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (timeline->marks, Mark, middle).position <= position)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? (gint) low - 1 : 0;
}

/* @samples at @per_sample ns each; exact at the normal rate, saturating */
static guint64
scale_samples (guint64 samples, gdouble per_sample)
{
  gdouble scaled;

  if (per_sample == (gdouble) NS_PER_SAMPLE) {
    if (samples > (GST_CLOCK_TIME_NONE - 1) / NS_PER_SAMPLE)
      return GST_CLOCK_TIME_NONE - 1;
    return samples * NS_PER_SAMPLE;
  }
  scaled = (gdouble) samples *per_sample;

  /* the largest double below 2^64 */
  return scaled < 18446744073709549568.0 ? (guint64) scaled
      : GST_CLOCK_TIME_NONE - 1;
}

static GstClockTime
extrapolate (const Mark * mark, GstClockTime time, gdouble per_sample,
    guint64 position)
{
  guint64 distance;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return GST_CLOCK_TIME_NONE;
  if (position < mark->position) {
    distance = scale_samples (mark->position - position, per_sample);
    return time > distance ? time - distance : 0;
  }
  distance = scale_samples (position - mark->position, per_sample);
  if (distance > GST_CLOCK_TIME_NONE - 1 - time)
    return GST_CLOCK_TIME_NONE - 1;
  return time + distance;
}

static GstClockTime
running_time_from (const Mark * mark, guint64 position)
{
  return extrapolate (mark, mark->running_time, mark->running_per_sample,
      position);
}

static GstClockTime
stream_time_from (const Mark * mark, guint64 position)
{
  return extrapolate (mark, mark->stream_time, mark->stream_per_sample,
      position);
}

static gboolean
same_time (GstClockTime a, GstClockTime b)
{
  if (!GST_CLOCK_TIME_IS_VALID (a) || !GST_CLOCK_TIME_IS_VALID (b))
    return a == b;
  return (a > b ? a - b : b - a) < SLACK;
}

static gboolean
goes_on (const Mark * last, const Mark * mark)
{
  return last->running_per_sample == mark->running_per_sample
      && last->stream_per_sample == mark->stream_per_sample
      && same_time (running_time_from (last, mark->position),
      mark->running_time)
      && same_time (stream_time_from (last, mark->position), mark->stream_time);
}

void
whisperlive_timeline_mark (WhisperLiveTimeline * timeline, guint64 position,
    GstClockTime running_time, GstClockTime stream_time, gdouble rate,
    gdouble applied_rate)
{
  GArray *marks = timeline->marks;
  Mark mark = { position, running_time, stream_time, 0.0, 0.0 };

  /* played backwards, audio arrives forwards all the same: only the speed counts */
  rate = fabs (rate);
  applied_rate = fabs (applied_rate);
  if (!isfinite (rate) || rate == 0.0)
    rate = 1.0;
  if (!isfinite (applied_rate) || applied_rate == 0.0)
    applied_rate = 1.0;
  mark.running_per_sample = NS_PER_SAMPLE / rate;
  mark.stream_per_sample = NS_PER_SAMPLE * applied_rate;

  while (marks->len > 0
      && g_array_index (marks, Mark, marks->len - 1).position >= position)
    g_array_set_size (marks, marks->len - 1);

  if (marks->len == 0
      || !goes_on (&g_array_index (marks, Mark, marks->len - 1), &mark))
    g_array_append_val (marks, mark);
}

GstClockTime
whisperlive_timeline_running_time (const WhisperLiveTimeline * timeline,
    guint64 position)
{
  gint i = find_mark (timeline, position);

  if (i < 0)
    return GST_CLOCK_TIME_NONE;
  return running_time_from (&g_array_index (timeline->marks, Mark, i),
      position);
}

GstClockTime
whisperlive_timeline_stream_time (const WhisperLiveTimeline * timeline,
    guint64 position)
{
  gint i = find_mark (timeline, position);

  if (i < 0)
    return GST_CLOCK_TIME_NONE;
  return stream_time_from (&g_array_index (timeline->marks, Mark, i), position);
}

void
whisperlive_timeline_begin (WhisperLiveTimeline * timeline, guint64 position)
{
  Jump jump = { 0, position };

  g_array_set_size (timeline->jumps, 0);
  g_array_append_val (timeline->jumps, jump);
  timeline->sent = G_MAXUINT64;
}

void
whisperlive_timeline_set_sent (WhisperLiveTimeline * timeline, guint64 samples)
{
  timeline->sent = samples;
}

void
whisperlive_timeline_jump (WhisperLiveTimeline * timeline,
    GstClockTime connection_time, guint64 position)
{
  GArray *jumps = timeline->jumps;
  Jump jump = { WHISPERLIVE_TIME_TO_SAMPLES (connection_time), position };

  while (jumps->len > 0
      && g_array_index (jumps, Jump, jumps->len - 1).sample >= jump.sample)
    g_array_set_size (jumps, jumps->len - 1);
  g_array_append_val (jumps, jump);
}

/* Index of the jump in force at @sample of the connection: the last one at or before it, else the first one */
static guint
find_jump (const WhisperLiveTimeline * timeline, guint64 sample)
{
  guint low = 0, high = timeline->jumps->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (timeline->jumps, Jump, middle).sample <= sample)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? low - 1 : 0;
}

guint64
whisperlive_timeline_position (const WhisperLiveTimeline * timeline,
    GstClockTime connection_time)
{
  guint64 sample = WHISPERLIVE_TIME_TO_SAMPLES (connection_time);
  guint64 position;
  const Jump *jump;
  guint i;

  if (!GST_CLOCK_TIME_IS_VALID (connection_time))
    return G_MAXUINT64;
  /* else nothing would be new for as long as that */
  if (sample > timeline->sent && sample - timeline->sent > FAR_BEYOND)
    sample = timeline->sent;
  i = find_jump (timeline, sample);
  jump = &g_array_index (timeline->jumps, Jump, i);
  /* before the first jump: that was forgotten */
  if (sample < jump->sample)
    return jump->position - MIN (jump->position, jump->sample - sample);
  if (sample - jump->sample > G_MAXUINT64 - jump->position)
    return G_MAXUINT64;
  position = jump->position + (sample - jump->sample);
  /* samples that were added stand for none of the stream */
  if (i + 1 < timeline->jumps->len)
    position = MIN (position, jump[1].position);
  return position;
}

void
whisperlive_timeline_forget (WhisperLiveTimeline * timeline, guint64 position)
{
  gint i = find_mark (timeline, position);
  guint n = 0;

  if (i > 0)
    g_array_remove_range (timeline->marks, 0, i);
  while (n + 1 < timeline->jumps->len
      && g_array_index (timeline->jumps, Jump, n + 1).position <= position)
    n++;
  if (n > 0)
    g_array_remove_range (timeline->jumps, 0, n);
}
