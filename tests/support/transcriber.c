/* transcriber: what a WhisperLive server does with one client's audio
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "transcriber.h"

#include <string.h>

#define MAX_BUFFER_SECONDS 45
#define BUFFER_TRIM_SECONDS 30
#define CLIP_THRESHOLD_SECONDS 25
#define CLIP_TAIL_SECONDS 5
#define MAX_TRANSCRIPT_LENGTH 500
#define SEGMENT_GAP_SECONDS 0.5
/* The probability of what a pass takes for that */
#define NO_SPEECH 0.9
#define WAV_HEADER 44

typedef struct
{
  gchar *text;                  /* starts with a space, as Whisper's */
  gdouble start, end;
  gboolean completed;
  const gchar *speaker;         /* of Transcriber.speakers, or NULL */
  GArray *words;                /* of SpokenWord, or NULL */
} Segment;

struct _Transcriber
{
  gchar *uid, *language;
  guint send_last_n, same_output_threshold;
  gdouble no_speech_threshold;
  gboolean use_vad, clip_audio, word_timestamps, diarization, translation;
  TranscriberOptions options;
  TranscriberStats stats;

  GArray *heard;                /* every sample, for the tests */
  gsize buffer_start;           /* in heard: the buffer's first sample, frames_offset of base.py */
  gdouble timestamp_offset;     /* seconds; what lies before is completed */

  gsize pass_start, pass_end;   /* in heard */
  guint passes;
  GPtrArray *transcript;        /* of Segment */
  gchar *current_out, *prev_out, *last_text;
  guint same_output_count;
  gdouble same_output_end;      /* -1: not set */
  guint translated;
  gchar *speakers[SPOKEN_VOICES];       /* by voice; NULL: not met yet */
  guint strangers;              /* of those, the ones without a name */
};

static void
segment_free (Segment * segment)
{
  g_free (segment->text);
  g_clear_pointer (&segment->words, g_array_unref);
  g_free (segment);
}

static gboolean
get_boolean (JsonObject * object, const gchar * name, gboolean fallback)
{
  return json_object_get_boolean_member_with_default (object, name, fallback);
}

static gchar *
dup_string (JsonObject * object, const gchar * name)
{
  return g_strdup (json_object_get_string_member_with_default (object, name,
          NULL));
}

/* enroll_speaker() of diarization.py: @clip is a WAV file, whose voice has that name from now on */
static void
enroll (Transcriber * self, const gchar * name, const gchar * clip)
{
  gsize size = 0;
  g_autofree guchar *wav = g_base64_decode (clip, &size);
  gsize n = size > WAV_HEADER ? (size - WAV_HEADER) / 2 : 0;
  g_autofree gfloat *samples = g_new0 (gfloat, n + 1);
  g_autoptr (GArray) words = NULL;
  guint voice;

  for (gsize i = 0; i < n; i++) {
    gint16 pcm;

    memcpy (&pcm, wav + WAV_HEADER + 2 * i, 2);
    samples[i] = GINT16_FROM_LE (pcm) / 32768.0f;
  }
  words = spoken_words_recognise (samples, n);
  if (words->len == 0)
    return;
  voice = spoken_word_voice (&g_array_index (words, SpokenWord, 0));
  g_free (self->speakers[voice]);
  self->speakers[voice] = g_strdup (name);
}

static void
enroll_all (Transcriber * self, JsonObject * handshake)
{
  JsonArray *known;

  if (!json_object_has_member (handshake, "known_speakers"))
    return;
  known = json_object_get_array_member (handshake, "known_speakers");
  for (guint i = 0; i < json_array_get_length (known); i++) {
    JsonObject *speaker = json_array_get_object_element (known, i);

    self->diarization = TRUE;
    enroll (self, json_object_get_string_member (speaker, "name"),
        json_object_get_string_member (speaker, "audio_base64"));
  }
}

/* identify_speaker() of diarization.py */
static const gchar *
identify (Transcriber * self, const Segment * segment)
{
  guint voice;

  if (!self->diarization || segment->words->len == 0)
    return NULL;
  voice = spoken_word_voice (&g_array_index (segment->words, SpokenWord, 0));
  if (self->speakers[voice] == NULL)
    self->speakers[voice] = g_strdup_printf ("SPEAKER_%02u", self->strangers++);
  return self->speakers[voice];
}

Transcriber *
transcriber_new (JsonObject * handshake, const TranscriberOptions * options)
{
  Transcriber *self = g_new0 (Transcriber, 1);
  const gchar *model =
      json_object_get_string_member_with_default (handshake, "model", "");

  self->options = *options;
  self->uid = dup_string (handshake, "uid");
  self->language = !options->own_model && g_str_has_suffix (model, "en") ?
      g_strdup ("en") : dup_string (handshake, "language");
  self->send_last_n =
      json_object_get_int_member_with_default (handshake,
      "send_last_n_segments", 10);
  self->same_output_threshold =
      json_object_get_int_member_with_default (handshake,
      "same_output_threshold", 10);
  self->no_speech_threshold =
      json_object_get_double_member_with_default (handshake,
      "no_speech_thresh", 0.45);
  self->use_vad = get_boolean (handshake, "use_vad", FALSE);
  self->clip_audio = get_boolean (handshake, "clip_audio", FALSE);
  self->word_timestamps = get_boolean (handshake, "word_timestamps", FALSE);
  self->diarization = get_boolean (handshake, "enable_diarization", FALSE);
  self->translation = get_boolean (handshake, "enable_translation", FALSE);
  enroll_all (self, handshake);
  self->heard = g_array_new (FALSE, FALSE, sizeof (gfloat));
  self->transcript =
      g_ptr_array_new_with_free_func ((GDestroyNotify) segment_free);
  self->current_out = g_strdup ("");
  self->prev_out = g_strdup ("");
  self->same_output_end = -1;
  return self;
}

void
transcriber_free (Transcriber * self)
{
  g_free (self->uid);
  g_free (self->language);
  g_array_unref (self->heard);
  g_ptr_array_unref (self->transcript);
  g_free (self->current_out);
  g_free (self->prev_out);
  g_free (self->last_text);
  for (guint i = 0; i < SPOKEN_VOICES; i++)
    g_free (self->speakers[i]);
  g_free (self);
}

static gsize
settled_sample (const Transcriber * self)
{
  return MAX (self->buffer_start,
      (gsize) (self->timestamp_offset * TRANSCRIBER_RATE));
}

static void
trim (Transcriber * self)
{
  gsize start = self->buffer_start + BUFFER_TRIM_SECONDS * TRANSCRIBER_RATE;
  gsize settled = settled_sample (self);
  gdouble unsettled = (gdouble) (self->heard->len - settled) / TRANSCRIBER_RATE;

  self->stats.trims++;
  self->stats.max_unsettled_at_trim =
      MAX (self->stats.max_unsettled_at_trim, unsettled);
  if (settled < start) {
    g_autoptr (GArray) lost = NULL;

    lost =
        spoken_words_recognise (&g_array_index (self->heard, gfloat, settled),
        start - settled);
    self->stats.trimmed_samples += start - settled;
    self->stats.trimmed_words += lost->len;
    self->timestamp_offset = (gdouble) start / TRANSCRIBER_RATE;
  }
  self->buffer_start = start;
}

void
transcriber_add_frames (Transcriber * self, const gfloat * samples,
    gsize n_samples)
{
  gdouble unsettled;

  /* before the new ones are in, as add_frames() of base.py */
  if (self->heard->len - self->buffer_start >
      MAX_BUFFER_SECONDS * TRANSCRIBER_RATE)
    trim (self);
  g_array_append_vals (self->heard, samples, n_samples);
  self->stats.samples += n_samples;
  unsettled =
      (gdouble) (self->heard->len - settled_sample (self)) / TRANSCRIBER_RATE;
  self->stats.max_unsettled = MAX (self->stats.max_unsettled, unsettled);
}

gdouble
transcriber_begin_pass (Transcriber * self)
{
  gdouble end = (gdouble) self->heard->len / TRANSCRIBER_RATE;

  if (self->clip_audio && end - self->timestamp_offset > CLIP_THRESHOLD_SECONDS)
    self->timestamp_offset = end - CLIP_TAIL_SECONDS;
  self->pass_start = settled_sample (self);
  self->pass_end = self->heard->len;
  if (self->pass_end < self->pass_start + TRANSCRIBER_RATE)
    return 0;
  return (gdouble) (self->pass_end - self->pass_start) / TRANSCRIBER_RATE;
}

/* What the model gives: segments with times from the start of the pass. */
static GPtrArray *
recognise (Transcriber * self)
{
  GPtrArray *segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) segment_free);
  g_autoptr (GArray) words = NULL;
  Segment *segment = NULL;
  guint i;

  words =
      spoken_words_recognise (&g_array_index (self->heard, gfloat,
          self->pass_start), self->pass_end - self->pass_start);
  for (i = 0; i < words->len; i++) {
    const SpokenWord *word = &g_array_index (words, SpokenWord, i);
    GString *text;

    if (segment == NULL
        || segment->words->len >= self->options.words_per_segment
        || word->start - segment->end >= SEGMENT_GAP_SECONDS) {
      segment = g_new0 (Segment, 1);
      segment->start = word->start;
      segment->text = g_strdup ("");
      segment->words = g_array_new (FALSE, FALSE, sizeof (SpokenWord));
      g_ptr_array_add (segments, segment);
    }
    text = g_string_new (segment->text);
    g_string_append_c (text, ' ');
    spoken_word_append_text (text, word);
    g_free (segment->text);
    segment->text = g_string_free (text, FALSE);
    segment->end = word->end;
    g_array_append_val (segment->words, *word);
  }
  return segments;
}

/* format_segment(): a copy on the connection's time */
static Segment *
format_segment (Transcriber * self, const Segment * from, gdouble start,
    gdouble end, gboolean completed)
{
  Segment *segment = g_new0 (Segment, 1);
  guint i;

  segment->text = g_strdup (from->text);
  segment->start = start;
  segment->end = end;
  segment->completed = completed;
  if (self->word_timestamps && from->words != NULL) {
    segment->words = g_array_copy (from->words);
    for (i = 0; i < segment->words->len; i++) {
      SpokenWord *word = &g_array_index (segment->words, SpokenWord, i);

      word->start += self->timestamp_offset;
      word->end += self->timestamp_offset;
    }
  }
  return segment;
}

static gboolean
same_text (const gchar * a, const gchar * b)
{
  g_autofree gchar *left = g_strstrip (g_strdup (a)), *right =
      g_strstrip (g_strdup (b));

  return g_ascii_strcasecmp (left, right) == 0;
}

static void
set_text (gchar ** where, const gchar * text)
{
  g_free (*where);
  *where = g_strdup (text);
}

static void
complete (Transcriber * self, Segment * segment)
{
  g_ptr_array_add (self->transcript, segment);
  if (self->transcript->len > MAX_TRANSCRIPT_LENGTH) {
    g_ptr_array_remove_index (self->transcript, 0);
    self->translated -= MIN (self->translated, 1);
  }
}

/* The text that came again and again is complete now, from where the last one ended. */
static void
complete_repeated (Transcriber * self, gdouble duration)
{
  if (self->last_text == NULL
      || !same_text (self->last_text, self->current_out)) {
    Segment spoken = { self->current_out, 0, 0, TRUE, NULL, NULL };

    set_text (&self->last_text, self->current_out);
    complete (self, format_segment (self, &spoken, self->timestamp_offset,
            self->timestamp_offset + MIN (duration, self->same_output_end),
            TRUE));
  }
}

/* update_segments() of base.py, step by step. Returns the one that is not complete yet, or NULL. */
static Segment *
update_segments (Transcriber * self, const GPtrArray * segments,
    gdouble duration, gboolean noise, gboolean * repeated)
{
  const Segment *last = g_ptr_array_index (segments, segments->len - 1);
  Segment *partial = NULL;
  gdouble offset = -1;
  guint i;

  set_text (&self->current_out, "");
  for (i = 0; !noise && i + 1 < segments->len; i++) {
    const Segment *spoken = g_ptr_array_index (segments, i);
    Segment *segment;

    set_text (&self->last_text, spoken->text);
    segment =
        format_segment (self, spoken, self->timestamp_offset + spoken->start,
        self->timestamp_offset + MIN (duration, spoken->end), TRUE);
    segment->speaker = identify (self, spoken);
    complete (self, segment);
    offset = MIN (duration, spoken->end);
  }
  if (!noise) {
    set_text (&self->current_out, last->text);
    partial = format_segment (self, last, self->timestamp_offset + last->start,
        self->timestamp_offset + MIN (duration, last->end), FALSE);
  }

  *repeated = *self->current_out != '\0'
      && same_text (self->current_out, self->prev_out);
  if (*repeated) {
    self->same_output_count++;
    if (self->same_output_end < 0)
      self->same_output_end = last->end;
  } else {
    self->same_output_count = 0;
    self->same_output_end = -1;
  }

  if (self->same_output_count > self->same_output_threshold) {
    complete_repeated (self, duration);
    set_text (&self->current_out, "");
    offset = MIN (duration, self->same_output_end);
    self->same_output_count = 0;
    self->same_output_end = -1;
    g_clear_pointer (&partial, segment_free);
  } else {
    set_text (&self->prev_out, self->current_out);
  }

  if (offset >= 0)
    self->timestamp_offset += offset;
  return partial;
}

static void
add_string (JsonBuilder * builder, const gchar * name, const gchar * value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_seconds (JsonBuilder * builder, const gchar * name, gdouble seconds)
{
  gchar buffer[G_ASCII_DTOSTR_BUF_SIZE];

  add_string (builder, name, g_ascii_formatd (buffer, sizeof (buffer), "%.3f",
          seconds));
}

static void
add_words (JsonBuilder * builder, const GArray * words)
{
  guint i;

  json_builder_set_member_name (builder, "words");
  json_builder_begin_array (builder);
  for (i = 0; i < words->len; i++) {
    const SpokenWord *word = &g_array_index (words, SpokenWord, i);
    g_autoptr (GString) text = g_string_new (" ");

    spoken_word_append_text (text, word);
    json_builder_begin_object (builder);
    add_string (builder, "word", text->str);
    add_seconds (builder, "start", word->start);
    add_seconds (builder, "end", word->end);
    json_builder_set_member_name (builder, "probability");
    json_builder_add_double_value (builder, 0.9375);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_segment (JsonBuilder * builder, const Segment * segment,
    gboolean translated)
{
  g_autofree gchar *text = g_strdup (segment->text);

  /* the translation of "w7" is "t7" */
  if (translated)
    g_strdelimit (text, "w", 't');
  json_builder_begin_object (builder);
  add_seconds (builder, "start", segment->start);
  add_seconds (builder, "end", segment->end);
  add_string (builder, "text", text);
  json_builder_set_member_name (builder, "completed");
  json_builder_add_boolean_value (builder, segment->completed);
  if (segment->speaker && !translated)
    add_string (builder, "speaker", segment->speaker);
  if (segment->words != NULL && !translated)
    add_words (builder, segment->words);
  json_builder_end_object (builder);
}

gchar *
transcriber_json (JsonBuilder * builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);

  return json_to_string (root, FALSE);
}

/* prepare_segments() and its send; @partial may be NULL */
static gchar *
segments_message (Transcriber * self, const gchar * member, guint end,
    const Segment * partial)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  gboolean translated = g_str_equal (member, "translated_segments");
  /* transcript[-0:] is all of it */
  guint i = self->send_last_n > 0
      && end > self->send_last_n ? end - self->send_last_n : 0;

  json_builder_begin_object (builder);
  add_string (builder, "uid", self->uid);
  json_builder_set_member_name (builder, member);
  json_builder_begin_array (builder);
  for (; i < end; i++)
    add_segment (builder, g_ptr_array_index (self->transcript, i), translated);
  if (partial != NULL)
    add_segment (builder, partial, translated);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return transcriber_json (builder);
}

static gchar *
language_message (Transcriber * self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "uid", self->uid);
  add_string (builder, "language", self->language);
  json_builder_set_member_name (builder, "language_prob");
  json_builder_add_double_value (builder, self->options.language_probability);
  json_builder_end_object (builder);
  return transcriber_json (builder);
}

TranscriberOutcome
transcriber_end_pass (Transcriber * self, GPtrArray * messages)
{
  gdouble duration =
      (gdouble) (self->pass_end - self->pass_start) / TRANSCRIBER_RATE;
  g_autoptr (GPtrArray) segments = NULL;
  Segment *partial;
  gdouble after;
  gboolean noise, repeated = FALSE;

  self->passes++;
  segments = recognise (self);
  if (segments->len > 0 && self->language == NULL
      && self->options.language_probability > 0.5) {
    self->language = g_strdup (self->options.language);
    g_ptr_array_add (messages, language_message (self));
  }
  if ((segments->len == 0 && self->use_vad) || self->language == NULL) {
    self->timestamp_offset += duration;
    return TRANSCRIBER_SILENCE;
  }
  /* without VAD the model says nothing about silence, and keeps it */
  if (segments->len == 0)
    return TRANSCRIBER_SILENCE;

  after = duration - ((Segment *) g_ptr_array_index (segments,
          segments->len - 1))->end;
  noise = ((self->options.flicker_every > 0
          && self->passes % self->options.flicker_every == 0)
      || (after > self->options.no_speech_from
          && after < self->options.no_speech_to))
      && NO_SPEECH > self->no_speech_threshold;
  partial = update_segments (self, segments, duration, noise, &repeated);
  if (self->transcript->len > 0 || partial != NULL)
    g_ptr_array_add (messages, segments_message (self, "segments",
            self->transcript->len, partial));
  for (; self->translation && self->translated < self->transcript->len;
      self->translated++)
    g_ptr_array_add (messages, segments_message (self, "translated_segments",
            self->translated + 1, NULL));
  g_clear_pointer (&partial, segment_free);
  return repeated ? TRANSCRIBER_REPEATED : TRANSCRIBER_HEARD;
}

const TranscriberStats *
transcriber_stats (const Transcriber * self)
{
  return &self->stats;
}

gchar *
transcriber_heard (const Transcriber * self)
{
  g_autoptr (GArray) words =
      spoken_words_recognise ((const gfloat *) self->heard->data,
      self->heard->len);

  return spoken_words_to_text (words);
}
