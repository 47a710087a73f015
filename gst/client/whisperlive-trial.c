/* whisperlive-trial: does the server hang, or is there no speech in what it has?
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-trial.h"

#include "whisperlive-protocol.h"
#include "whisperlive-queue.h"

/* A sentence. More text is not better: Whisper makes much of noise when it repeats itself. */
#define ENOUGH_TEXT 30
/* Each answered trial doubles the time to the next, so often. */
#define MAX_DOUBLINGS 4
/* Of speech: some words. More would be kept in vain for as long as the session lives. */
#define LONGEST (3 * WHISPERLIVE_RATE)
#define SHORTEST WHISPERLIVE_RATE
/* Silence before and after it */
#define PAUSE WHISPERLIVE_RATE
#define FRAME (WHISPERLIVE_RATE / 10)

void
whisperlive_trial_clear (WhisperLiveTrial * trial)
{
  g_clear_pointer (&trial->speech, g_bytes_unref);
}

gboolean
whisperlive_trial_wants (const WhisperLiveTrial * trial, guint characters)
{
  return trial->speech == NULL || (trial->characters < ENOUGH_TEXT
      && characters > trial->characters);
}

/* Into short ones, whatever their length: they may last for 10 s each. */
static GPtrArray *
split (const GPtrArray * speech)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func
      ((GDestroyNotify) g_bytes_unref);
  gsize size, at, piece = FRAME * sizeof (gint16);
  guint i;

  for (i = 0; i < speech->len; i++) {
    GBytes *bytes = g_ptr_array_index (speech, i);

    size = g_bytes_get_size (bytes);
    for (at = 0; at < size; at += piece)
      g_ptr_array_add (frames, g_bytes_new_from_bytes (bytes, at,
              MIN (piece, size - at)));
  }
  return frames;
}

static const gint16 *
get_samples (GBytes * frame, guint * samples)
{
  gsize size;
  const gint16 *data = g_bytes_get_data (frame, &size);

  *samples = size / sizeof *data;
  return data;
}

static gdouble
get_energy (GBytes * frame, guint * samples)
{
  const gint16 *data = get_samples (frame, samples);
  gdouble energy = 0;
  guint i;

  for (i = 0; i < *samples; i++)
    energy += data[i] * data[i];
  return energy;
}

/* What had text may begin with a pause, or end with one. */
static void
find_loudest (const GPtrArray * frames, guint * first, guint * end)
{
  gdouble energy = 0, most = -1;
  guint i, n, samples = 0, from = 0;

  *first = *end = 0;
  for (i = 0; i < frames->len; i++) {
    energy += get_energy (g_ptr_array_index (frames, i), &n);
    for (samples += n; samples > LONGEST; samples -= n)
      energy -= get_energy (g_ptr_array_index (frames, from++), &n);
    if (energy >= most) {
      most = energy;
      *first = from;
      *end = i + 1;
    }
  }
}

static gint
get_peak (const GPtrArray * frames, guint first, guint end, guint * total)
{
  gint peak = 0;
  guint i, j, samples;

  *total = 0;
  for (i = first; i < end; i++) {
    const gint16 *data = get_samples (g_ptr_array_index (frames, i), &samples);

    for (j = 0; j < samples; j++)
      peak = MAX (peak, ABS (data[j]));
    *total += samples;
  }
  return peak;
}

/* Each two samples become one of 8 bits, as loud as these allow: a quarter of the memory, and no worse than over a telephone. */
void
whisperlive_trial_set_speech (WhisperLiveTrial * trial,
    const GPtrArray * speech, guint characters)
{
  g_autoptr (GPtrArray) frames = split (speech);
  gint8 *kept;
  guint first, end, i, j, samples, total, n = 0;
  gint peak, sum = 0;

  find_loudest (frames, &first, &end);
  peak = get_peak (frames, first, end, &total);
  /* it may not be held any more */
  if (total < SHORTEST || peak < WHISPERLIVE_SILENCE_LEVEL * G_MAXINT16)
    return;
  kept = g_new (gint8, total / 2);
  for (i = first; i < end; i++) {
    const gint16 *data = get_samples (g_ptr_array_index (frames, i), &samples);

    for (j = 0; j < samples; j++) {
      sum += data[j];
      if (++n % 2 == 0) {
        kept[n / 2 - 1] = sum * G_MAXINT8 / (2 * peak);
        sum = 0;
      }
    }
  }
  whisperlive_trial_clear (trial);
  trial->speech = g_bytes_new_take (kept, total / 2);
  trial->characters = characters;
}

void
whisperlive_trial_set_alive (WhisperLiveTrial * trial)
{
  trial->answered = 0;
}

gint64
whisperlive_trial_get_time (const WhisperLiveTrial * trial, gint64 since,
    gint64 timeout)
{
  if (trial->speech == NULL || since == G_MAXINT64 || timeout == G_MAXINT64)
    return G_MAXINT64;
  return since + (timeout << MIN (trial->answered, MAX_DOUBLINGS));
}

void
whisperlive_trial_start (WhisperLiveTrial * trial, gint64 now)
{
  trial->state = WHISPERLIVE_TRIAL_WANTED;
  trial->wanted_at = now;
}

gboolean
whisperlive_trial_begin (WhisperLiveTrial * trial)
{
  trial->sent = 0;
  trial->sent_at = 0;
  if (trial->state == WHISPERLIVE_TRIAL_ANSWERED)
    trial->state = WHISPERLIVE_TRIAL_NONE;
  if (trial->state == WHISPERLIVE_TRIAL_NONE)
    return FALSE;
  trial->state = WHISPERLIVE_TRIAL_RUNNING;
  return TRUE;
}

gboolean
whisperlive_trial_is_on (const WhisperLiveTrial * trial)
{
  return trial->state == WHISPERLIVE_TRIAL_RUNNING
      || trial->state == WHISPERLIVE_TRIAL_ANSWERED;
}

/* Sample @i of what is sent: a pause, the speech, and a pause. */
static gint16
get_sample (const WhisperLiveTrial * trial, guint i)
{
  gsize size;
  const gint8 *data = g_bytes_get_data (trial->speech, &size);
  guint at = (i - PAUSE) / 2;

  if (i < PAUSE || at >= size)
    return 0;
  /* every other one is between two */
  return (data[at] + data[MIN (at + i % 2, size - 1)]) * 128;
}

GBytes *
whisperlive_trial_pull (WhisperLiveTrial * trial, gint64 now)
{
  guint total = 2 * g_bytes_get_size (trial->speech) + 2 * PAUSE;
  guint n = MIN (FRAME, total - trial->sent), i;
  gint16 *samples;

  if (n == 0)
    return NULL;
  samples = g_new (gint16, n);
  for (i = 0; i < n; i++)
    samples[i] = get_sample (trial, trial->sent++);
  if (trial->sent == total)
    trial->sent_at = now;
  return g_bytes_new_take (samples, n * sizeof *samples);
}

void
whisperlive_trial_answer (WhisperLiveTrial * trial)
{
  if (trial->state != WHISPERLIVE_TRIAL_RUNNING)
    return;
  trial->state = WHISPERLIVE_TRIAL_ANSWERED;
  trial->answered++;
}
