/* Tests of whisperlive-transcript against a small model of the server
 *
 * The model does with made-up words what the server does with a model's: it hears all audio that is not yet consumed,
 * splits it into segments, completes all but the last, takes a text that comes too often for done, and sends the
 * last n. Every word that it has ever sent has to come out as final, once and in order, whatever the history.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "whisperlive-transcript.h"

/* Times are in milliseconds since the audio began. */
typedef struct
{
  gchar *text;
  guint start, end;
  guint sentence;
  gboolean shown;               /* sent as partial, */
  gboolean completed;           /* completed by the server, */
  gboolean sent;                /* and sent as completed */
} Word;

/* Some of the words one after the other */
typedef struct
{
  guint first, last;
  guint start, end;
  gchar *text;
} Segment;

typedef struct
{
  GRand *rand;
  GArray *words;                /* of Word */

  /* what a server has of one connection */
  guint origin;                 /* when its audio began */
  guint offset;                 /* from then on it is not yet consumed; counts from origin */
  gchar *previous_text;
  guint repeats;
  gint repeats_end;             /* from offset, or -1 */
  gchar *last_completed;        /* text */
  GPtrArray *completed;         /* of Segment */

  /* what it was asked for */
  guint threshold;
  guint n;

  /* the client, and what came out of it */
  WhisperLiveTimeline *timeline;
  WhisperLiveTranscript *transcript;
  GString *finals;
  guint64 settled, id;
  guint revision;
  gboolean open;
} Model;

static void
word_clear (Word * word)
{
  g_free (word->text);
}

static void
segment_free (Segment * segment)
{
  g_free (segment->text);
  g_free (segment);
}

/* Sentences of one to eight words of their own, and every third one a plain "Yes." */
static void
make_words (Model * model, guint sentences)
{
  guint i, j, now = 300, count = 0;

  for (i = 0; i < sentences; i++) {
    gboolean yes = g_rand_int_range (model->rand, 0, 3) == 0;
    guint length = yes ? 1 : g_rand_int_range (model->rand, 1, 9);

    for (j = 0; j < length; j++) {
      Word word = { NULL, now, now, i, FALSE, FALSE, FALSE };

      word.text = yes ? g_strdup ("Yes.") : g_strdup_printf ("w%u", count++);
      word.end += g_rand_int_range (model->rand, 150, 700);
      now = word.end + g_rand_int_range (model->rand, 0, 50);
      g_array_append_val (model->words, word);
    }
    /* now and then a long silence */
    now += g_rand_int_range (model->rand, 50,
        g_rand_int_range (model->rand, 0, 4) ? 900 : 20000);
  }
}

static void
connect_to_server (Model * model, guint origin)
{
  model->origin = origin;
  model->offset = 0;
  g_clear_pointer (&model->previous_text, g_free);
  model->previous_text = g_strdup ("");
  model->repeats = 0;
  model->repeats_end = -1;
  g_clear_pointer (&model->last_completed, g_free);
  g_ptr_array_set_size (model->completed, 0);
  whisperlive_timeline_begin (model->timeline, origin * 16);
  whisperlive_transcript_begin (model->transcript);
}

static void
model_init (Model * model, guint seed)
{
  memset (model, 0, sizeof *model);
  model->rand = g_rand_new_with_seed (seed);
  model->words = g_array_new (FALSE, FALSE, sizeof (Word));
  g_array_set_clear_func (model->words, (GDestroyNotify) word_clear);
  model->completed = g_ptr_array_new_with_free_func ((GDestroyNotify)
      segment_free);
  model->n = g_rand_int_range (model->rand, 0, 2) ? 50 :
      g_rand_int_range (model->rand, 1, 5);
  /* where so few come that some are never seen, and a text is done as soon as it comes again, there is no telling
   * which "Yes." is which */
  model->threshold = g_rand_int_range (model->rand, model->n < 50, 6);
  model->timeline = whisperlive_timeline_new ();
  model->transcript = whisperlive_transcript_new (model->threshold);
  model->finals = g_string_new (NULL);
  make_words (model, 40);
  connect_to_server (model, 0);
}

static void
model_clear (Model * model)
{
  g_rand_free (model->rand);
  g_array_unref (model->words);
  g_free (model->previous_text);
  g_free (model->last_completed);
  g_ptr_array_unref (model->completed);
  whisperlive_timeline_free (model->timeline);
  whisperlive_transcript_free (model->transcript);
  g_string_free (model->finals, TRUE);
}

/* The client's side */

static void
hear_updates (Model * model, GPtrArray * updates)
{
  guint i;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    fail_unless (update->start <= update->end);
    fail_unless (update->start >= model->settled, "finals overlap");
    if (model->open && update->id == model->id) {
      fail_unless_equals_int (update->revision, model->revision + 1);
    } else {
      fail_unless (update->id == model->id, "an id is missing or old");
      fail_unless_equals_int (update->revision, 0);
    }
    model->open = !update->final;
    model->id = update->id + update->final;
    model->revision = update->revision;
    if (!update->final)
      continue;
    model->settled = update->end;
    g_string_append_printf (model->finals, "%s ", update->segment->text);
  }
  g_ptr_array_unref (updates);
  fail_unless (whisperlive_transcript_settled (model->transcript) >=
      model->settled);
  model->settled = whisperlive_transcript_settled (model->transcript);
}

static void
append_segment (GString * json, const Segment * segment, gboolean completed)
{
  g_string_append_printf (json, "%s{\"start\": \"%u.%03u\", \"end\": "
      "\"%u.%03u\", \"text\": \" %s\", \"completed\": %s}",
      json->str[json->len - 1] == '[' ? "" : ", ", segment->start / 1000,
      segment->start % 1000, segment->end / 1000, segment->end % 1000,
      segment->text, completed ? "true" : "false");
}

static void
mark_words (Model * model, const Segment * segment, gboolean completed)
{
  guint i;

  for (i = segment->first; i <= segment->last; i++) {
    if (completed)
      g_array_index (model->words, Word, i).sent = TRUE;
    else
      g_array_index (model->words, Word, i).shown = TRUE;
  }
}

/* The last n completed ones and the one that is not; nothing at all if there is neither. */
static void
send_segments (Model * model, const Segment * last)
{
  g_autoptr (GString) json = g_string_new ("{\"uid\": \"x\", \"segments\": [");
  g_autoptr (WhisperLiveMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  guint i, first = 0;

  if (model->completed->len == 0 && !last)
    return;
  if (model->completed->len > model->n)
    first = model->completed->len - model->n;
  for (i = first; i < model->completed->len; i++) {
    append_segment (json, g_ptr_array_index (model->completed, i), TRUE);
    mark_words (model, g_ptr_array_index (model->completed, i), TRUE);
  }
  if (last) {
    append_segment (json, last, FALSE);
    mark_words (model, last, FALSE);
  }
  g_string_append (json, "]}");
  GST_LOG ("%s", json->str);

  message = whisperlive_protocol_parse (json->str, json->len, &error);
  fail_unless (message != NULL, "%s: %s", json->str,
      error ? error->message : "");
  hear_updates (model, whisperlive_transcript_take (model->transcript,
          message->segments, model->timeline));
}

/* The server's side */

/* What is to be heard in the audio from offset to @now: a segment for each sentence, without the words that have
 * not been said to their end, or that have lost their beginning */
static GPtrArray *
listen (Model * model, guint now)
{
  GPtrArray *segments = g_ptr_array_new_with_free_func ((GDestroyNotify)
      segment_free);
  guint begin = model->origin + model->offset;
  guint i, sentence = G_MAXUINT;

  for (i = 0; i < model->words->len; i++) {
    const Word *word = &g_array_index (model->words, Word, i);
    Segment *segment;
    gchar *text;

    /* rounding may have cut off a millisecond */
    if (word->start + 1 < begin || word->end > now)
      continue;
    if (word->sentence != sentence) {
      segment = g_new0 (Segment, 1);
      segment->first = i;
      segment->start = MAX (word->start, begin) - model->origin;
      segment->text = g_strdup ("");
      g_ptr_array_add (segments, segment);
      sentence = word->sentence;
    }
    segment = g_ptr_array_index (segments, segments->len - 1);
    segment->last = i;
    segment->end = word->end - model->origin;
    text = g_strjoin (*segment->text ? " " : "", segment->text, word->text,
        NULL);
    g_free (segment->text);
    segment->text = text;
  }
  return segments;
}

static void
complete (Model * model, const Segment * segment, guint start, guint end)
{
  Segment *completed = g_memdup2 (segment, sizeof *segment);
  guint i;

  for (i = segment->first; i <= segment->last; i++)
    g_array_index (model->words, Word, i).completed = TRUE;
  completed->text = g_strdup (segment->text);
  completed->start = start;
  completed->end = end;
  g_ptr_array_add (model->completed, completed);
  g_free (model->last_completed);
  model->last_completed = g_strdup (segment->text);
}

/* TRUE if the last segment's text has come so often that its audio was consumed */
static gboolean
count_repeats (Model * model, const Segment * last, gboolean heard,
    guint duration, guint offset)
{
  const gchar *text = heard ? last->text : "";

  if (*text && g_str_equal (text, model->previous_text)) {
    model->repeats++;
    if (model->repeats_end < 0)
      model->repeats_end = last->end - offset;
  } else {
    model->repeats = 0;
    model->repeats_end = -1;
  }
  if (model->repeats > model->threshold) {
    if (g_strcmp0 (model->last_completed, text) != 0)
      complete (model, last, offset,
          offset + MIN (duration, (guint) model->repeats_end));
    return TRUE;
  }
  g_free (model->previous_text);
  model->previous_text = g_strdup (text);
  return FALSE;
}

/* One pass over all audio up to @now */
static void
transcribe (Model * model, guint now)
{
  g_autoptr (GPtrArray) segments = NULL;
  guint before = model->offset, duration;
  const Segment *last;
  gboolean heard, consumed;
  guint i;

  if (now < model->origin + model->offset + 1000)
    return;
  duration = now - model->origin - model->offset;
  segments = listen (model, now);
  if (segments->len == 0)
    return;

  last = g_ptr_array_index (segments, segments->len - 1);
  /* the model may doubt its last segment, though not at the very moment when it would be consumed: that
   * nobody can tell from here */
  heard = model->repeats >= model->threshold
      || g_rand_int_range (model->rand, 0, 8) > 0;
  for (i = 0; heard && i + 1 < segments->len; i++) {
    const Segment *segment = g_ptr_array_index (segments, i);

    complete (model, segment, segment->start, segment->end);
    model->offset = segment->end;
  }
  consumed = count_repeats (model, last, heard, duration, before);
  if (consumed) {
    model->offset = before + MIN (duration, (guint) model->repeats_end);
    model->repeats = 0;
    model->repeats_end = -1;
  }
  send_segments (model, heard && !consumed ? last : NULL);
}

static gboolean
is_required (const Word * word)
{
  /* of more than n that it completes at once the server never sends the first: nobody can know */
  return word->sent || (word->shown && !word->completed);
}

/* Whether the finals are all words that have to be, in order, and none twice. Some that were only shown may be
 * among them or not, and every "Yes." looks alike: so all ways to read them are followed at once. */
static void
check_finals (Model * model, guint seed)
{
  g_auto (GStrv) told = g_strsplit (model->finals->str, " ", -1);
  guint n = model->words->len, i, j;
  /* where the next word may be looked for */
  g_autofree gboolean *reached = g_new0 (gboolean, n + 1);
  const Word *words = (const Word *) model->words->data;

  reached[0] = TRUE;
  for (i = 0; told[i] && *told[i]; i++) {
    gboolean any = FALSE, open = FALSE;
    g_autofree gboolean *next = g_new0 (gboolean, n + 1);

    for (j = 0; j < n; j++) {
      open |= reached[j];
      if (open && g_str_equal (words[j].text, told[i]))
        any = next[j + 1] = TRUE;
      if (is_required (&words[j]))
        open = FALSE;
    }
    fail_unless (any, "seed %u (n %u, threshold %u): \"%s\" after \"%s %s\" "
        "is too much, or something is missing before it", seed, model->n,
        model->threshold, told[i], i > 1 ? told[i - 2] : "",
        i > 0 ? told[i - 1] : "");
    memcpy (reached, next, (n + 1) * sizeof *reached);
  }
  for (j = n; j > 0 && !reached[j]; j--)
    fail_if (is_required (&words[j - 1]),
        "seed %u (n %u, threshold %u): \"%s\" at the end is missing", seed,
        model->n, model->threshold, words[j - 1].text);
}

static void
run_model (Model * model, guint seed, gboolean reconnects)
{
  const Word *last = &g_array_index (model->words, Word,
      model->words->len - 1);
  guint now = 0, end = last->end;

  while (now < end) {
    now += g_rand_int_range (model->rand, 100, 3000);
    transcribe (model, now);
    if (reconnects && g_rand_int_range (model->rand, 0, 15) == 0)
      connect_to_server (model, model->settled / 16);
  }
  /* silence, until the last words were heard */
  transcribe (model, now + 2000);
  transcribe (model, now + 4000);
  hear_updates (model, whisperlive_transcript_finish (model->transcript));

  check_finals (model, seed);
}

/* A test is some seeds: a process for each would take longer than the test. */
#define SEEDS 20

static void
run_seeds (guint first, gboolean reconnects)
{
  guint seed;

  for (seed = first; seed < first + SEEDS; seed++) {
    Model model;

    model_init (&model, seed);
    run_model (&model, seed, reconnects);
    model_clear (&model);
  }
}

GST_START_TEST (test_one_connection)
{
  run_seeds (1000 + __i__ * SEEDS, FALSE);
}

GST_END_TEST;

GST_START_TEST (test_reconnects)
{
  run_seeds (50000 + __i__ * SEEDS, TRUE);
}

GST_END_TEST;

static Suite *
transcript_model_suite (void)
{
  Suite *suite = suite_create ("transcript-model");
  TCase *tc = tcase_create ("histories");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_one_connection, 0, 15);
  tcase_add_loop_test (tc, test_reconnects, 0, 15);
  return suite;
}

GST_CHECK_MAIN (transcript_model);
