/* spoken-words: speech with a known truth, made of tones
 *
 * Word k is a tone of 100 + 10 k Hz, 0.4 s long and followed by 0.1 s of nothing. No model is needed to read it. A hiss is no word.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SPOKEN_WORD_SECONDS 0.5
#define SPOKEN_TONE_SECONDS 0.4
/* Of speakers: words up to 150 are the voice of one, those above that of the other */
#define SPOKEN_VOICES 2
#define SPOKEN_VOICE_WORDS 150

/* Words @first to @first + @count - 1 as interleaved S16LE, the same in each channel, with silence before and after.
 * Words up to 300 survive 8 kHz. */
GBytes *spoken_words (guint first, guint count, guint rate, guint channels, gdouble lead, gdouble tail);
/* As loud as the words, and followed by 0.1 s of nothing; at 16 kHz and more */
GBytes *spoken_hiss (gdouble seconds, guint rate, guint channels);
/* "w1 w2 w3" */
gchar *spoken_text (guint first, guint count);

typedef struct
{
  gint number;                  /* -1: a sound that is no word */
  gboolean cut;                 /* shorter than a word: an edge of the audio went through it */
  gdouble start, end;           /* seconds */
} SpokenWord;

/* What is heard in 16 kHz mono, of SpokenWord. */
GArray *spoken_words_recognise (const gfloat * samples, gsize n_samples);
/* "w1 w2 w3-": a cut word has a dash, an unknown sound is "?" */
gchar *spoken_words_to_text (const GArray * words);
/* Less than SPOKEN_VOICES */
guint spoken_word_voice (const SpokenWord * word);
void spoken_word_append_text (GString * text, const SpokenWord * word);

G_END_DECLS
