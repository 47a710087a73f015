/* spoken-words: speech with a known truth, made of tones
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "spoken-words.h"

#include <math.h>
#include <string.h>

#define RATE 16000
/* Half a period of the lowest tone (100 Hz) is 5 ms: each hop sees a peak. */
#define HOP (RATE / 200)
#define LOUD 0.05f
#define EDGE 0.02f
/* Hz, above every word */
#define HISS 5000.0
#define AMPLITUDE 0.4
#define RAMP_SECONDS 0.005

static gdouble
tone (guint number, gdouble t)
{
  gdouble gain = AMPLITUDE;

  if (t < RAMP_SECONDS)
    gain *= t / RAMP_SECONDS;
  else if (t > SPOKEN_TONE_SECONDS - RAMP_SECONDS)
    gain *= (SPOKEN_TONE_SECONDS - t) / RAMP_SECONDS;
  return gain * sin (2 * G_PI * (100.0 + 10.0 * number) * t);
}

GBytes *
spoken_words (guint first, guint count, guint rate, guint channels,
    gdouble lead, gdouble tail)
{
  gsize n_lead = lround (lead * rate);
  gsize n_words = lround (count * SPOKEN_WORD_SECONDS * rate);
  gsize n_frames = n_lead + n_words + (gsize) lround (tail * rate);
  gint16 *samples = g_new0 (gint16, MAX (n_frames * channels, 1));
  gsize i;
  guint c;

  for (i = 0; i < n_words; i++) {
    guint word = i / (SPOKEN_WORD_SECONDS * rate);
    gdouble t = (gdouble) i / rate - word * SPOKEN_WORD_SECONDS;

    if (t < 0 || t >= SPOKEN_TONE_SECONDS)
      continue;
    for (c = 0; c < channels; c++)
      samples[(n_lead + i) * channels + c] =
          GINT16_TO_LE ((gint16) lround (32767 * tone (first + word, t)));
  }
  return g_bytes_new_take (samples, n_frames * channels * sizeof (gint16));
}

GBytes *
spoken_hiss (gdouble seconds, guint rate, guint channels)
{
  gsize n_frames = lround (seconds * rate);
  gint16 *samples = g_new0 (gint16, n_frames * channels);
  gsize i;
  guint c;

  for (i = 0; i + rate / 10 < n_frames; i++)
    for (c = 0; c < channels; c++)
      samples[i * channels + c] =
          GINT16_TO_LE ((gint16) lround (32767 * AMPLITUDE *
              sin (2 * G_PI * HISS * i / rate)));
  return g_bytes_new_take (samples, n_frames * channels * sizeof (gint16));
}

gchar *
spoken_text (guint first, guint count)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < count; i++)
    g_string_append_printf (text, "%sw%u", i ? " " : "", first + i);
  return g_string_free (text, FALSE);
}

/* From the first to the last upward passage through a quarter of the peak; the distance keeps noise near zero out. */
static gdouble
frequency (const gfloat * x, gsize n)
{
  gdouble first = -1, last = -1;
  gfloat level = 0;
  gboolean low = FALSE;
  guint periods = 0;
  gsize i;

  for (i = 0; i < n; i++)
    level = MAX (level, fabsf (x[i]));
  level /= 4;

  for (i = 1; i < n; i++) {
    if (x[i] < -level)
      low = TRUE;
    if (!low || x[i] < level || x[i - 1] >= level)
      continue;
    last = i - 1 + (level - x[i - 1]) / (x[i] - x[i - 1]);
    if (first < 0)
      first = last;
    else
      periods++;
    low = FALSE;
  }
  return periods > 0 ? periods * RATE / (last - first) : 0;
}

static void
add_word (GArray * words, const gfloat * samples, gsize begin, gsize end)
{
  SpokenWord word = { -1, FALSE, 0, 0 };
  gsize margin;
  gdouble f;

  while (begin < end && fabsf (samples[begin]) < EDGE)
    begin++;
  while (end > begin && fabsf (samples[end - 1]) < EDGE)
    end--;
  /* shorter than a click: not worth a word */
  if (end - begin < RATE * 3 / 100)
    return;

  word.start = (gdouble) begin / RATE;
  word.end = (gdouble) end / RATE;
  word.cut = end - begin < RATE * 37 / 100;
  margin = word.cut ? 0 : RATE / 100;
  f = frequency (samples + begin + margin, end - begin - 2 * margin);
  if (f > HISS - 1000)
    return;
  word.number = lround ((f - 100) / 10);
  if (word.number < 0 || fabs (f - 100 - 10.0 * word.number) > 4)
    word.number = -1;
  g_array_append_val (words, word);
}

GArray *
spoken_words_recognise (const gfloat * samples, gsize n_samples)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (SpokenWord));
  gsize begin = 0, end = 0, at, i;

  for (at = 0; at < n_samples; at += HOP) {
    gsize stop = MIN (at + HOP, n_samples);
    gfloat peak = 0;

    for (i = at; i < stop; i++)
      peak = MAX (peak, fabsf (samples[i]));
    if (peak < LOUD)
      continue;
    if (end == 0) {
      begin = at;
    } else if (at - end > RATE / 25) {
      add_word (words, samples, begin, end);
      begin = at;
    }
    end = stop;
  }
  if (end > 0)
    add_word (words, samples, begin, end);
  return words;
}

guint
spoken_word_voice (const SpokenWord * word)
{
  return word->number > SPOKEN_VOICE_WORDS ? 1 : 0;
}

void
spoken_word_append_text (GString * text, const SpokenWord * word)
{
  if (word->number < 0)
    g_string_append (text, "?");
  else
    g_string_append_printf (text, "w%d%s", word->number, word->cut ? "-" : "");
}

gchar *
spoken_words_to_text (const GArray * words)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < words->len; i++) {
    if (i > 0)
      g_string_append_c (text, ' ');
    spoken_word_append_text (text, &g_array_index (words, SpokenWord, i));
  }
  return g_string_free (text, FALSE);
}
