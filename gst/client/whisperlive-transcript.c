/* whisperlive-transcript: the server's repeated, vanishing and renumbered segments made into one story
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-transcript.h"

#include <string.h>

#include "whisperlive-seam.h"

/* As many completed segments without times are remembered: a server keeps 500 */
#define MAX_KNOWN 4096

/* The server rounds times to milliseconds: two that mean the same may be this far apart. */
#define JITTER WHISPERLIVE_TIME_TO_SAMPLES (GST_MSECOND)

/* The same utterance heard once more may begin a little later. What begins this much after the open one's end is
 * another one. */
#define SKIPPED WHISPERLIVE_RATE

/* A segment, and where in the stream it lies */
typedef struct
{
  WhisperLiveSegment *segment;  /* owned, or NULL: nothing */
  guint64 start, end;           /* positions */
} Place;

struct _WhisperLiveTranscript
{
  guint same_output_threshold;
  guint64 next_id;

  /* the utterance that has been begun and has no final yet */
  gboolean open;
  guint64 id;
  guint revision;               /* of its next update */
  Place partial;                /* its last text, as the server has it */
  gchar *shown;                 /* and as it was given out */
  WhisperLiveSegment *seam;     /* what the pass before the cut had heard of it, or NULL */

  /* what the server counts: the same partial text in messages one after the other */
  gchar *repeated;              /* or NULL */
  guint repeats;
  guint64 repeats_end;          /* where the text ended when it first came again: as far as its audio is consumed */

  GPtrArray *known;             /* of WhisperLiveSegment: this connection's completed ones without times */
  guint64 settled;              /* end of the last final */
  guint64 discarded;            /* what ends before nobody wants to hear */
  Place closed;                 /* the last final that the server did not give: it may still do so */
};

void
whisperlive_update_free (WhisperLiveUpdate * update)
{
  if (!update)
    return;
  whisperlive_segment_free (update->segment);
  g_free (update);
}

static void
place_clear (Place * place)
{
  g_clear_pointer (&place->segment, whisperlive_segment_free);
  place->start = place->end = 0;
}

static void
place_move (Place * to, Place * from)
{
  place_clear (to);
  *to = *from;
  from->segment = NULL;
}

WhisperLiveTranscript *
whisperlive_transcript_new (guint same_output_threshold)
{
  WhisperLiveTranscript *self = g_new0 (WhisperLiveTranscript, 1);

  self->same_output_threshold = same_output_threshold;
  self->known = g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);
  return self;
}

void
whisperlive_transcript_free (WhisperLiveTranscript * self)
{
  if (!self)
    return;
  place_clear (&self->partial);
  place_clear (&self->closed);
  g_free (self->shown);
  whisperlive_segment_free (self->seam);
  g_free (self->repeated);
  g_ptr_array_unref (self->known);
  g_free (self);
}

static void
forget_repeats (WhisperLiveTranscript * self)
{
  g_clear_pointer (&self->repeated, g_free);
  self->repeats = 0;
}

/* Their times are those of the connection that ended. */
static void
forget_words (WhisperLiveSegment * segment)
{
  if (segment)
    g_clear_pointer (&segment->words, g_ptr_array_unref);
}

void
whisperlive_transcript_begin (WhisperLiveTranscript * self)
{
  forget_words (self->seam);
  forget_words (self->partial.segment);
  g_ptr_array_set_size (self->known, 0);
  forget_repeats (self);
}

void
whisperlive_transcript_discard (WhisperLiveTranscript * self, guint64 position)
{
  self->open = FALSE;
  place_clear (&self->partial);
  g_clear_pointer (&self->shown, g_free);
  g_clear_pointer (&self->seam, whisperlive_segment_free);
  self->discarded = MAX (self->discarded, position);
}

guint64
whisperlive_transcript_settled (const WhisperLiveTranscript * self)
{
  return self->settled;
}

/* Which of a message's segments are new */

static gboolean
has_times (const WhisperLiveSegment * segment)
{
  return GST_CLOCK_TIME_IS_VALID (segment->start);
}

static gboolean
same_texts (const GPtrArray * a, const GPtrArray * b, guint b_first,
    guint length)
{
  guint i;

  for (i = 0; i < length; i++) {
    const WhisperLiveSegment *one = g_ptr_array_index (a, i);
    const WhisperLiveSegment *other = g_ptr_array_index (b, b_first + i);

    if (!g_str_equal (one->text, other->text))
      return FALSE;
  }
  return TRUE;
}

/* The index of the first new one in @untimed, where there are only texts to tell by */
static guint
find_new (const WhisperLiveTranscript * self, const GPtrArray * untimed)
{
  const GPtrArray *known = self->known;
  guint length, i;

  /* as it should be: the message goes on where the known ones end */
  for (length = MIN (untimed->len, known->len); length > 0; length--) {
    if (same_texts (untimed, known, known->len - length, length))
      return length;
  }
  /* the list has shrunk: one text alone tells too little, but several in a row do */
  for (i = known->len; untimed->len > 1 && i >= untimed->len; i--) {
    if (same_texts (untimed, known, i - untimed->len, untimed->len))
      return untimed->len;
  }
  return 0;
}

static void
place_on (Place * place, const WhisperLiveSegment * segment,
    const WhisperLiveTimeline * timeline, guint64 edge)
{
  place->segment = whisperlive_segment_copy (segment);
  if (has_times (segment)) {
    place->start = whisperlive_timeline_position (timeline, segment->start);
    place->end = whisperlive_timeline_position (timeline, segment->end);
  } else {
    place->start = place->end = edge;
  }
}

/* Nothing new begins before this */
static guint64
get_edge (const WhisperLiveTranscript * self)
{
  return MAX (self->settled, self->discarded);
}

/* The final that was given out without the server's word for it, told by the server after all: the same text, or another one for hardly
 * more than its last part. */
static gboolean
is_closed (const WhisperLiveTranscript * self, const Place * place)
{
  const Place *closed = &self->closed;

  if (!closed->segment || !has_times (place->segment)
      || !has_times (closed->segment) || place->start + JITTER >= closed->end)
    return FALSE;
  return g_str_equal (place->segment->text, closed->segment->text)
      || place->end < closed->end + MIN (SKIPPED,
      (closed->end - place->start) / 2);
}

/* Updates */

/* As many of the first of @heard as make @text, or none */
static guint
count_words (const GPtrArray * heard, const gchar * text)
{
  guint i;

  for (i = 0; i < heard->len && *text; i++) {
    const WhisperLiveWord *word = g_ptr_array_index (heard, i);
    g_autofree gchar *stripped = g_strstrip (g_strdup (word->text));

    if (!g_str_has_prefix (text, stripped))
      return 0;
    text += strlen (stripped);
    text += strspn (text, " \t\n");
  }
  return *text ? 0 : i;
}

static void
mend_words (WhisperLiveSegment * segment, const GPtrArray * heard,
    const gchar * lost)
{
  guint i, n = count_words (heard, lost);

  for (i = 0; i < n; i++)
    g_ptr_array_insert (segment->words, i,
        whisperlive_word_copy (g_ptr_array_index (heard, i)));
}

/* What the server's cut took from the beginning of @segment is put back. */
static void
mend (const WhisperLiveTranscript * self, WhisperLiveSegment * segment)
{
  const WhisperLiveSegment *seam = self->seam;
  gchar *text = seam ? whisperlive_seam_mend (seam->text, segment->text) : NULL;
  g_autofree gchar *lost = NULL;

  if (!text)
    return;
  lost = g_strndup (text, strlen (text) - strlen (segment->text));
  if (segment->words && seam->words)
    mend_words (segment, seam->words, lost);
  g_free (segment->text);
  segment->text = text;
}

/* Takes the segment out of @place. */
static void
add_update (WhisperLiveTranscript * self, GPtrArray * updates, Place * place,
    gboolean final)
{
  WhisperLiveUpdate *update = g_new0 (WhisperLiveUpdate, 1);

  if (!self->open) {
    self->open = TRUE;
    self->id = self->next_id++;
    self->revision = 0;
  }
  update->final = final;
  update->id = self->id;
  update->revision = self->revision++;
  update->start = MAX (place->start, get_edge (self));
  update->end = MAX (place->end, update->start);
  update->segment = g_steal_pointer (&place->segment);
  update->segment->completed = final;
  mend (self, update->segment);
  g_free (self->shown);
  self->shown = final ? NULL : g_strdup (update->segment->text);
  g_ptr_array_add (updates, update);
  if (!final)
    return;

  self->settled = update->end;
  self->open = FALSE;
  g_clear_pointer (&self->seam, whisperlive_segment_free);
  place_clear (&self->partial);
  place_clear (&self->closed);
}

/* The open partial becomes final without the server's word for it, or with its word for another place, with its
 * audio up to @end. */
static void
close_partial (WhisperLiveTranscript * self, GPtrArray * updates, guint64 end)
{
  Place place = { NULL, 0, 0 };
  Place copy = { NULL, 0, 0 };

  place_move (&place, &self->partial);
  place.end = MAX (place.start, end);
  copy.segment = whisperlive_segment_copy (place.segment);
  copy.start = place.start;
  copy.end = place.end;
  add_update (self, updates, &place, TRUE);
  place_move (&self->closed, &copy);
}

/* Whether @place is the open partial, completed for having come again and again */
static gboolean
is_repeated_partial (const WhisperLiveTranscript * self, const Place * place)
{
  const Place *partial = &self->partial;

  return partial->segment && self->repeated
      && g_str_equal (partial->segment->text, self->repeated)
      && g_str_equal (partial->segment->text, place->segment->text)
      && has_times (partial->segment) && has_times (place->segment);
}

/* Such a segment has lost what its partial had: it begins where the last one ended, and has no words. */
static void
restore_partial (const WhisperLiveTranscript * self, Place * place)
{
  const Place *partial = &self->partial;

  if (!place->segment->words && partial->segment->words)
    place->segment->words = g_steal_pointer (&partial->segment->words);
  if (partial->start > place->start) {
    place->segment->start = partial->segment->start;
    place->start = partial->start;
  }
}

/* @last: it is the last segment of the message, which only one that was repeated can be. */
static void
take_completed (WhisperLiveTranscript * self, GPtrArray * updates,
    Place * place, gboolean last)
{
  gboolean repeated = last && is_repeated_partial (self, place);

  if (is_closed (self, place)) {
    self->settled = MAX (self->settled, place->end);
  } else if (place->segment->text[0] == '\0') {
    self->settled = MAX (self->settled, place->end);
    if (self->partial.segment && self->partial.end <= self->settled)
      place_clear (&self->partial);
  } else if (repeated && place->end <= self->partial.start) {
    /* counted together with the same text before, and consumed as far as that one: it will be heard once more */
    close_partial (self, updates, self->partial.end);
  } else {
    if (repeated)
      restore_partial (self, place);
    add_update (self, updates, place, TRUE);
  }
}

static void
take_partial (WhisperLiveTranscript * self, GPtrArray * updates,
    Place * partial)
{
  const Place *last = &self->partial;
  Place copy = { NULL, 0, 0 };

  if (partial->segment->text[0] == '\0' || is_closed (self, partial)
      || (has_times (partial->segment) && partial->end <= get_edge (self)))
    return;
  copy.segment = whisperlive_segment_copy (partial->segment);
  copy.start = partial->start;
  copy.end = partial->end;
  mend (self, copy.segment);
  if (last->segment && last->start == partial->start
      && last->end == partial->end
      && g_strcmp0 (self->shown, copy.segment->text) == 0)
    place_clear (&copy);
  else
    add_update (self, updates, &copy, FALSE);
  place_move (&self->partial, partial);
}

/* The server's count of messages with the same partial text, and what it makes of it */

/* Whether the server would take one more of the open partial's text for done */
static gboolean
is_due (const WhisperLiveTranscript * self)
{
  return self->partial.segment && self->repeated
      && self->repeats >= self->same_output_threshold
      && g_str_equal (self->repeated, self->partial.segment->text);
}

/* As far as the server has consumed the open partial's audio */
static guint64
get_consumed (const WhisperLiveTranscript * self)
{
  if (self->repeats_end > self->partial.start
      && self->repeats_end < self->partial.end)
    return self->repeats_end;
  return self->partial.end;
}

/* The server may be done with the open partial's audio without ever completing it. A repeated text that equals the
 * last final is consumed, and is just gone. And audio that overflows its buffer is skipped.
 * @first: the first new thing in the message, or NULL. */
static void
close_passed (WhisperLiveTranscript * self, GPtrArray * updates,
    const Place * first)
{
  gboolean due = is_due (self);
  guint64 end;

  if (!self->partial.segment)
    return;
  if (!first && !due)
    return;                     /* it may come back */
  if (first && !(has_times (first->segment)
          && has_times (self->partial.segment)))
    return;
  end = due ? get_consumed (self) : self->partial.end;
  if (first && first->start + JITTER < end + (due ? 0 : SKIPPED))
    return;
  close_partial (self, updates, end);
  if (due)
    self->repeats = 0;
}

static void
count_repeats (WhisperLiveTranscript * self, const Place * partial,
    gboolean any_final)
{
  if (!partial->segment) {
    /* completed or consumed: the server still compares with that text. Anything else resets it. */
    if (any_final || self->repeats >= self->same_output_threshold)
      self->repeats = 0;
    else
      forget_repeats (self);
  } else if (self->repeated && *self->repeated
      && g_str_equal (self->repeated, partial->segment->text)) {
    if (++self->repeats == 1)
      self->repeats_end = partial->end;
  } else {
    forget_repeats (self);
    self->repeated = g_strdup (partial->segment->text);
    self->repeats_end = partial->end;
  }
}

/* What comes after the last completed one is open, even if an old server does not mark the completed ones. */
static guint
count_completed (const GPtrArray * segments)
{
  const WhisperLiveSegment *last;

  if (segments->len == 0)
    return 0;
  last = g_ptr_array_index (segments, segments->len - 1);
  return last->completed ? segments->len : segments->len - 1;
}

/* The completed ones of @segments that were not given out yet, as an array of Place. What has times is new if it ends
 * after all that was given out: the server repeats the last n, may say once more what it said on another connection, or
 * completes twice when it has gone back to where a repeated text ended. */
static GArray *
collect_new (WhisperLiveTranscript * self, const GPtrArray * segments,
    const WhisperLiveTimeline * timeline)
{
  g_autoptr (GPtrArray) untimed = g_ptr_array_new ();
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  guint64 edge = get_edge (self);
  guint completed = count_completed (segments);
  guint i, known;

  g_array_set_clear_func (places, (GDestroyNotify) place_clear);
  for (i = 0; i < completed; i++) {
    if (!has_times (g_ptr_array_index (segments, i)))
      g_ptr_array_add (untimed, g_ptr_array_index (segments, i));
  }
  known = find_new (self, untimed);
  for (i = known; i < untimed->len; i++)
    g_ptr_array_add (self->known,
        whisperlive_segment_copy (g_ptr_array_index (untimed, i)));

  for (i = 0; i < completed; i++) {
    const WhisperLiveSegment *segment = g_ptr_array_index (segments, i);
    Place place = { NULL, 0, 0 };

    if (!has_times (segment) && known > 0) {
      known--;
      continue;
    }
    place_on (&place, segment, timeline, edge);
    if (has_times (segment) && place.end <= edge + JITTER) {
      place_clear (&place);
      continue;
    }
    edge = MAX (edge, place.end);
    g_array_append_val (places, place);
  }
  /* not at every message: it moves all of them */
  if (self->known->len > 2 * MAX_KNOWN)
    g_ptr_array_remove_range (self->known, 0, self->known->len - MAX_KNOWN);
  return places;
}

GPtrArray *
whisperlive_transcript_take (WhisperLiveTranscript * self,
    const GPtrArray * segments, const WhisperLiveTimeline * timeline)
{
  GPtrArray *updates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) whisperlive_update_free);
  g_autoptr (GArray) places = collect_new (self, segments, timeline);
  Place partial = { NULL, 0, 0 };
  const Place *first = NULL;
  guint i;

  if (count_completed (segments) < segments->len) {
    place_on (&partial, g_ptr_array_index (segments, segments->len - 1),
        timeline, get_edge (self));
    first = &partial;
  }
  if (places->len > 0)
    first = &g_array_index (places, Place, 0);

  close_passed (self, updates, first);
  for (i = 0; i < places->len; i++)
    take_completed (self, updates, &g_array_index (places, Place, i),
        !partial.segment && i == places->len - 1);
  count_repeats (self, &partial, places->len > 0 || updates->len > 0);
  if (partial.segment)
    take_partial (self, updates, &partial);
  /* the pass that completed something heard what follows it in one piece; the server cuts now */
  if (places->len > 0 && self->partial.segment) {
    whisperlive_segment_free (self->seam);
    self->seam = whisperlive_segment_copy (self->partial.segment);
  }
  place_clear (&partial);
  return updates;
}

GPtrArray *
whisperlive_transcript_finish (WhisperLiveTranscript * self)
{
  GPtrArray *updates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) whisperlive_update_free);

  if (self->partial.segment)
    close_partial (self, updates, self->partial.end);
  forget_repeats (self);
  return updates;
}
