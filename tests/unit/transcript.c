/* Tests of whisperlive-transcript, one rule each, on histories made by hand
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-transcript.h"

#define SECOND WHISPERLIVE_RATE

static WhisperLiveTimeline *timeline;
static WhisperLiveTranscript *transcript;

static void
setup (void)
{
  timeline = whisperlive_timeline_new ();
  transcript = whisperlive_transcript_new (2);
}

static void
teardown (void)
{
  whisperlive_transcript_free (transcript);
  whisperlive_timeline_free (timeline);
}

/* "C 0 2.5 Text" is completed, "P 0 2.5 Text" is not, "T Text" has no times */
static WhisperLiveSegment *
make_segment (const gchar * spec)
{
  WhisperLiveSegment *segment = g_new0 (WhisperLiveSegment, 1);
  gchar *p = (gchar *) spec + 2;

  segment->start = segment->end = GST_CLOCK_TIME_NONE;
  if (spec[0] != 'T') {
    segment->start = g_ascii_strtod (p, &p) * 1000 + 0.5;
    segment->start *= GST_MSECOND;
    segment->end = g_ascii_strtod (p + 1, &p) * 1000 + 0.5;
    segment->end *= GST_MSECOND;
    p++;
  }
  segment->completed = spec[0] == 'C';
  segment->text = g_strdup (p);
  return segment;
}

/* "p 0.1 0-2500 Text; f …": a partial or a final, id.revision, positions in ms */
static gchar *
describe (const GPtrArray * updates)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    fail_unless_equals_int (update->final, update->segment->completed);
    g_string_append_printf (text, "%s%c %" G_GUINT64_FORMAT ".%u %"
        G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " %s", i ? "; " : "",
        update->final ? 'f' : 'p', update->id, update->revision,
        update->start / 16, update->end / 16, update->segment->text);
  }
  return g_string_free (text, FALSE);
}

static void
check_updates (GPtrArray * updates, const gchar * expected)
{
  g_autofree gchar *told = describe (updates);

  fail_unless_equals_string (told, expected);
  g_ptr_array_unref (updates);
}

static void
check_take (const gchar * expected, const gchar * const *specs)
{
  g_autoptr (GPtrArray) segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);

  for (; *specs; specs++)
    g_ptr_array_add (segments, make_segment (*specs));
  check_updates (whisperlive_transcript_take (transcript, segments, timeline),
      expected);
}

#define take(expected, ...) \
    check_take (expected, (const gchar *[]) { __VA_ARGS__, NULL })
#define finish(expected) \
    check_updates (whisperlive_transcript_finish (transcript), expected)

static void
begin (guint64 position)
{
  whisperlive_timeline_begin (timeline, position);
  whisperlive_transcript_begin (transcript);
}

/* The utterance */

GST_START_TEST (test_final_takes_the_partials_id)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("p 0.1 0-2000 One two", "P 0 2 One two");
  take ("f 0.2 0-2000 One two.; p 1.0 2000-3000 Three",
      "C 0 2 One two.", "P 2 3 Three");
  take ("f 1.1 2000-4000 Three four.; p 2.0 4000-5000 Five",
      "C 0 2 One two.", "C 2 4 Three four.", "P 4 5 Five");
}

GST_END_TEST;

GST_START_TEST (test_unchanged_partial_is_not_told_again)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("", "P 0 1 One");
}

GST_END_TEST;

GST_START_TEST (test_partial_with_other_times_is_told)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("p 0.1 0-2000 One", "P 0 2 One");
  take ("p 0.2 500-2000 One", "P 0.5 2 One");
}

GST_END_TEST;

GST_START_TEST (test_finals_of_one_message_have_ids_of_their_own)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("f 0.1 0-1000 One.; f 1.0 1000-2000 Two.; f 2.0 2000-3000 Three.; "
      "p 3.0 3000-4000 Four",
      "C 0 1 One.", "C 1 2 Two.", "C 2 3 Three.", "P 3 4 Four");
}

GST_END_TEST;

GST_START_TEST (test_nothing_from_nothing)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  check_updates (whisperlive_transcript_take (transcript, none, timeline), "");
  finish ("");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript), 0);
}

GST_END_TEST;

/* Repeated segments */

GST_START_TEST (test_final_is_told_once)
{
  take ("f 0.0 0-1000 One.", "C 0 1 One.");
  take ("", "C 0 1 One.");
  take ("f 1.0 1000-2000 Two.", "C 0 1 One.", "C 1 2 Two.");
  take ("", "C 0 1 One.", "C 1 2 Two.");
}

GST_END_TEST;

GST_START_TEST (test_same_words_again_are_new)
{
  take ("f 0.0 0-1000 Yes.", "C 0 1 Yes.");
  take ("f 1.0 2000-3000 Yes.", "C 0 1 Yes.", "C 2 3 Yes.");
  take ("f 2.0 4000-5000 Yes.", "C 2 3 Yes.", "C 4 5 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_only_the_last_n_come_again)
{
  take ("f 0.0 0-1000 One.; f 1.0 1000-2000 Two.", "C 0 1 One.", "C 1 2 Two.");
  take ("f 2.0 2000-3000 Three.", "C 1 2 Two.", "C 2 3 Three.");
  take ("f 3.0 3000-4000 Four.", "C 2 3 Three.", "C 3 4 Four.");
}

GST_END_TEST;

GST_START_TEST (test_more_than_n_at_once)
{
  take ("f 0.0 0-1000 One.", "C 0 1 One.");
  take ("f 1.0 2000-3000 Three.; f 2.0 3000-4000 Four.",
      "C 2 3 Three.", "C 3 4 Four.");
  take ("f 3.0 4000-5000 Five.; f 4.0 5000-6000 Six.",
      "C 4 5 Five.", "C 5 6 Six.");
}

GST_END_TEST;

GST_START_TEST (test_shrunk_list_is_no_news)
{
  take ("f 0.0 0-1000 One.; f 1.0 1000-2000 Two.; f 2.0 2000-3000 Three.",
      "C 0 1 One.", "C 1 2 Two.", "C 2 3 Three.");
  take ("", "C 0 1 One.", "C 1 2 Two.");
  take ("", "C 1 2 Two.");
  take ("f 3.0 3000-4000 Four.",
      "C 0 1 One.", "C 1 2 Two.", "C 2 3 Three.", "C 3 4 Four.");
}

GST_END_TEST;

GST_START_TEST (test_list_with_a_hole)
{
  take ("f 0.0 0-1000 One.; f 1.0 1000-2000 Two.; f 2.0 2000-3000 Three.",
      "C 0 1 One.", "C 1 2 Two.", "C 2 3 Three.");
  take ("f 3.0 3000-4000 Four.", "C 0 1 One.", "C 2 3 Three.", "C 3 4 Four.");
}

GST_END_TEST;

GST_START_TEST (test_rewritten_list_is_no_news)
{
  take ("f 0.0 0-1000 One.; f 1.0 1000-2000 Two.", "C 0 1 One.", "C 1 2 Two.");
  take ("", "C 0 1 Won.", "C 1 2 Too.");
  take ("f 2.0 2000-3000 Three.", "C 0 1 Won.", "C 1 2 Too.", "C 2 3 Three.");
}

GST_END_TEST;

/* Times */

GST_START_TEST (test_rounded_start_drops_nothing)
{
  take ("f 0.0 0-1001 One.", "C 0 1.001 One.");
  take ("f 1.0 1001-2000 Two.", "C 0 1.001 One.", "C 1 2 Two.");
}

GST_END_TEST;

GST_START_TEST (test_rounded_end_is_no_news)
{
  take ("f 0.0 0-1000 One.", "C 0 1 One.");
  take ("", "C 0 1.001 One.");
  take ("f 1.0 1001-1500 Two.", "C 0 1.001 One.", "C 1.001 1.5 Two.");
}

GST_END_TEST;

GST_START_TEST (test_overlap_is_cut)
{
  take ("f 0.0 0-3000 One.", "C 0 3 One.");
  take ("f 1.0 3000-5000 Two.", "C 0 3 One.", "C 1 5 Two.");
}

GST_END_TEST;

/* When the last of several segments in a pass is taken for done, the server goes back to before the others. */
GST_START_TEST (test_completed_twice_is_told_once)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; f 1.0 2000-3000 No.",
      "C 0 1 Yes.", "C 2 3 No.", "C 0 1 Yes.");
  take ("p 2.0 4000-5000 Yes.",
      "C 0 1 Yes.", "C 2 3 No.", "C 0 1 Yes.", "C 2 3 No.", "P 4 5 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_old_partial_is_not_told)
{
  take ("f 0.0 0-3000 One.", "C 0 3 One.", "P 2 3 One");
  take ("", "C 0 3 One.", "P 1 2 One");
  take ("p 1.0 3000-3001 Two", "C 0 3 One.", "P 2 3.001 Two");
}

GST_END_TEST;

GST_START_TEST (test_settled_is_the_last_finals_end)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript), 0);
  take ("f 0.1 0-2000 One.; p 1.0 2000-3000 Two", "C 0 2 One.", "P 2 3 Two");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      2 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_positions_follow_the_timeline)
{
  begin (100 * SECOND);
  take ("f 0.0 101000-102000 One.; p 1.0 102000-103000 Two",
      "C 1 2 One.", "P 2 3 Two");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      102 * SECOND);
}

GST_END_TEST;

/* A partial that vanishes; the threshold is 2 */

GST_START_TEST (test_vanished_partial_may_come_back)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("", "C 0 1 One.");
  take ("", "C 0 1 One.", "P 1 2 Two");
  take ("p 1.1 1000-3000 Two three", "C 0 1 One.", "P 1 3 Two three");
}

GST_END_TEST;

GST_START_TEST (test_vanished_partial_is_completed_later)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("", "C 0 1 One.");
  take ("f 1.1 1000-2000 Two.", "C 0 1 One.", "C 1 2 Two.");
}

GST_END_TEST;

GST_START_TEST (test_second_yes_is_consumed)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("f 1.1 2000-3000 Yes.", "C 0 1 Yes.");
  take ("", "C 0 1 Yes.");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      3 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_not_repeated_enough_to_be_consumed)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      1 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_vanishing_starts_the_count_anew)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_other_text_starts_the_count_anew)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("p 1.1 2000-3000 Yet", "C 0 1 Yes.", "P 2 3 Yet");
  take ("p 1.2 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.");
}

GST_END_TEST;

/* The server goes on counting with the text of the consumed one: the next needs one message less. */
GST_START_TEST (test_third_yes_is_consumed_sooner)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("f 1.1 2000-3000 Yes.", "C 0 1 Yes.");
  take ("p 2.0 4000-5000 Yes.", "C 0 1 Yes.", "P 4 5 Yes.");
  take ("", "C 0 1 Yes.", "P 4 5 Yes.");
  take ("f 2.1 4000-5000 Yes.", "C 0 1 Yes.");
}

GST_END_TEST;

/* As far as the server heard the same text before is too short for the second one: it is consumed once more, and counted
 * like any other. */
GST_START_TEST (test_consumed_twice)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 5000-6000 Yes.", "C 0 1 Yes.", "P 5 6 Yes.");
  take ("", "C 0 1 Yes.", "P 5 6 Yes.");
  take ("", "C 0 1 Yes.", "P 5 6 Yes.");
  take ("f 1.1 5000-6000 Yes.", "C 0 1 Yes.");
  take ("", "C 0 1 Yes.", "P 5 6 Yes.");
  take ("", "C 0 1 Yes.", "P 5 6 Yes.");
  take ("", "C 0 1 Yes.");
  take ("p 2.0 8000-9000 Yes.", "C 0 1 Yes.", "P 8 9 Yes.");
  take ("", "C 0 1 Yes.", "P 8 9 Yes.");
  take ("f 2.1 8000-9000 Yes.", "C 0 1 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_consumed_to_the_millisecond)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; p 1.0 1000-2000 Yes.", "P 0.999 2 Yes.");
}

GST_END_TEST;

/* It begins where the last one ended, before the one that was made final: but another one is between them. */
GST_START_TEST (test_completed_after_another_is_new)
{
  take ("p 0.0 1000-2000 Yes.", "P 1 2 Yes.");
  take ("", "P 1 2 Yes.");
  take ("", "P 1 2 Yes.");
  take ("f 0.1 1000-2000 Yes.; f 1.0 3000-4000 No.; f 2.0 4000-6000 Yes.",
      "C 3 4 No.", "C 0 6 Yes.");
}

GST_END_TEST;

/* Audio is consumed up to where the text ended when it came again for the first time. */
GST_START_TEST (test_consumed_as_far_as_it_was_first_repeated)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-2900 Yes.",
      "C 0 1 Yes.", "P 2 2.9 Yes.");
  take ("p 1.1 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("p 1.2 2000-4000 Yes.", "C 0 1 Yes.", "P 2 4 Yes.");
  take ("f 1.3 2000-3000 Yes.", "C 0 1 Yes.");
  take ("f 2.0 3000-3900 No.", "C 0 1 Yes.", "C 3 3.9 No.");
}

GST_END_TEST;

/* As long as the server has completed nothing, it sends no message when it consumes. */
GST_START_TEST (test_consumed_in_silence_before_a_partial)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; p 1.0 1000-2000 No", "P 1 2 No");
}

GST_END_TEST;

GST_START_TEST (test_consumed_in_silence_before_the_same_text)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; p 1.0 3000-4000 Yes.", "P 3 4 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_consumed_in_silence_before_a_final)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; f 1.0 2000-3000 No.; p 2.0 3000-4000 So",
      "C 2 3 No.", "P 3 4 So");
}

GST_END_TEST;

GST_START_TEST (test_repeated_and_replaced_is_not_consumed)
{
  take ("p 0.0 0-1000 Yes", "P 0 1 Yes");
  take ("", "P 0 1 Yes");
  take ("", "P 0 1 Yes");
  take ("p 0.1 0-2000 Yes sir", "P 0 2 Yes sir");
}

GST_END_TEST;

GST_START_TEST (test_consumed_is_not_told_again)
{
  take ("f 0.0 0-1000 Yes.; p 1.0 2000-3000 Yes.", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("", "C 0 1 Yes.", "P 2 3 Yes.");
  take ("f 1.1 2000-3000 Yes.", "C 0 1 Yes.");
  /* it was still there after all */
  take ("", "C 0 1 Yes.", "P 2 3.2 Yes.");
  take ("p 2.0 3200-4000 No", "C 0 1 Yes.", "C 2 3.2 Yes.", "P 3.2 4 No");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      3.2 * SECOND);
}

GST_END_TEST;

/* The server measures from where it stood when it heard the same text before: that is too short here, and the text
 * will be heard once more. */
GST_START_TEST (test_repeated_final_in_the_wrong_place)
{
  take ("p 0.0 0-1000 Yes.", "P 0 1 Yes.");
  take ("", "P 0 1 Yes.");
  take ("f 0.1 0-1000 Yes.; f 1.0 2000-3000 No.; p 2.0 6000-7000 Yes.",
      "C 0 1 Yes.", "C 2 3 No.", "P 6 7 Yes.");
  take ("f 2.1 6000-7000 Yes.", "C 0 1 Yes.", "C 2 3 No.", "C 3 4 Yes.");
  take ("", "C 0 1 Yes.", "C 2 3 No.", "C 3 4 Yes.", "P 6 7 Yes.");
  take ("p 3.0 8000-9000 So", "C 0 1 Yes.", "C 2 3 No.", "C 3 4 Yes.",
      "C 6 7 Yes.", "P 8 9 So");
}

GST_END_TEST;

/* When its buffer overflows, the server goes on with later audio. */
GST_START_TEST (test_skipped_before_a_final)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("", "C 0 1 One.");
  take ("f 1.1 1000-2000 Two; f 2.0 6000-7000 Three.; p 3.0 7000-8000 Four",
      "C 0 1 One.", "C 6 7 Three.", "P 7 8 Four");
}

GST_END_TEST;

GST_START_TEST (test_skipped_before_a_partial)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("f 1.1 1000-2000 Two; p 2.0 6000-7000 Three",
      "C 0 1 One.", "P 6 7 Three");
}

GST_END_TEST;

/* A pass may miss it, and the next one hear it after all, with other words and an end a little later. */
GST_START_TEST (test_skipped_is_not_told_again)
{
  take ("p 0.0 20000-25000 Two.", "P 20 25 Two.");
  take ("f 0.1 20000-25000 Two.; p 1.0 26500-30000 Three", "P 26.5 30 Three");
  take ("", "P 20 25.5 Two, well.");
  take ("p 1.1 26500-31000 Three four", "C 20 23 Two,", "C 23 25.5 well.",
      "P 26.5 31 Three four");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      25.5 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_skipped_before_what_goes_on)
{
  take ("p 0.0 20000-25000 Two.", "P 20 25 Two.");
  take ("f 0.1 20000-25000 Two.; p 1.0 26500-30000 Three", "P 26.5 30 Three");
  /* much more than it was */
  take ("f 1.1 25000-26000 Two, well.", "C 20 26 Two, well.");
}

GST_END_TEST;

GST_START_TEST (test_skipped_before_an_overlap)
{
  take ("p 0.0 20000-25000 Two.", "P 20 25 Two.");
  take ("f 0.1 20000-25000 Two.; p 1.0 26500-30000 Three", "P 26.5 30 Three");
  take ("f 1.1 25000-25500 Yes.", "C 24.5 25.5 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_begun_a_little_later_is_the_same)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("p 1.1 2500-3000 Two three", "C 0 1 One.", "P 2.5 3 Two three");
}

GST_END_TEST;

/* A text that is completed for having been repeated: its start is where the last segment ended, and it
 * has lost its words. */
GST_START_TEST (test_repeated_final_begins_where_its_partial_did)
{
  take ("f 0.0 0-1000 One.; p 1.0 5000-6000 Two.", "C 0 1 One.", "P 5 6 Two.");
  take ("", "C 0 1 One.", "P 5 6 Two.");
  take ("", "C 0 1 One.", "P 5 6 Two.");
  take ("f 1.1 5000-6000 Two.", "C 0 1 One.", "C 1 6 Two.");
  take ("", "C 0 1 One.", "C 1 6 Two.");
}

GST_END_TEST;

GST_START_TEST (test_repeated_final_has_its_partials_words)
{
  g_autoptr (GPtrArray) message =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);
  WhisperLiveSegment *segment = make_segment ("P 1 2 Two.");
  WhisperLiveWord word = { (gchar *) "Two.", GST_SECOND, 2 * GST_SECOND, 0.5 };
  GPtrArray *updates;
  WhisperLiveUpdate *update;
  guint i;

  segment->words =
      g_ptr_array_new_with_free_func ((GDestroyNotify) whisperlive_word_free);
  g_ptr_array_add (segment->words, whisperlive_word_copy (&word));
  g_ptr_array_add (message, segment);
  for (i = 0; i < 3; i++)
    g_ptr_array_unref (whisperlive_transcript_take (transcript, message,
            timeline));
  g_ptr_array_set_size (message, 0);
  g_ptr_array_add (message, make_segment ("C 0 2 Two."));
  updates = whisperlive_transcript_take (transcript, message, timeline);
  fail_unless_equals_int (updates->len, 1);
  update = g_ptr_array_index (updates, 0);
  fail_unless (update->segment->words != NULL);
  fail_unless_equals_int (update->segment->words->len, 1);
  g_ptr_array_unref (updates);
}

GST_END_TEST;

/* The end */

GST_START_TEST (test_finish_makes_the_partial_final)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  finish ("f 1.1 1000-2000 Two");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      2 * SECOND);
  finish ("");
}

GST_END_TEST;

GST_START_TEST (test_finish_keeps_a_vanished_partial)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  take ("", "C 0 1 One.");
  finish ("f 1.1 1000-2000 Two");
}

GST_END_TEST;

GST_START_TEST (test_finish_cuts_the_overlap)
{
  take ("f 0.0 0-2000 One.; p 1.0 2000-3000 Two", "C 0 2 One.", "P 1 3 Two");
  finish ("f 1.1 2000-3000 Two");
}

GST_END_TEST;

GST_START_TEST (test_finished_is_not_told_again)
{
  take ("p 0.0 1000-2000 Two", "P 1 2 Two");
  finish ("f 0.1 1000-2000 Two");
  take ("", "P 1 2 Two");
  take ("", "P 1 2.5 Two");
  take ("p 1.0 3000-4000 Three", "C 1 2.5 Two", "P 3 4 Three");
}

GST_END_TEST;

/* Flushes */

GST_START_TEST (test_discard_forgets_the_partial)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  whisperlive_transcript_discard (transcript, 2 * SECOND);
  finish ("");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript), 0);
}

GST_END_TEST;

GST_START_TEST (test_discard_ignores_what_was_before)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  whisperlive_transcript_discard (transcript, 2 * SECOND);
  take ("", "P 0 2 One two");
  take ("", "C 0 1.5 One two.", "P 1.5 2 Two");
  take ("f 1.0 2000-4000 Three.; p 2.0 4000-5000 Four",
      "C 0 1.5 One two.", "C 1.5 2 Two.", "C 2 4 Three.", "P 4 5 Four");
}

GST_END_TEST;

GST_START_TEST (test_discard_cuts_what_lies_across)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  whisperlive_transcript_discard (transcript, 2 * SECOND);
  take ("p 1.0 2000-3000 One two", "P 0 3 One two");
  take ("f 1.1 2000-3000 One two.", "C 0 3 One two.");
}

GST_END_TEST;

/* Reconnects */

GST_START_TEST (test_begin_keeps_the_open_utterance)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  begin (1 * SECOND);
  take ("", "P 0 1 Two");
  take ("p 1.1 1000-3000 Two three", "P 0 2 Two three");
  take ("f 1.2 1000-3000 Two three.; p 2.0 3000-4000 Four",
      "C 0 2 Two three.", "P 2 3 Four");
}

GST_END_TEST;

GST_START_TEST (test_begin_makes_nothing_final)
{
  take ("p 0.0 0-1000 Two", "P 0 1 Two");
  take ("", "P 0 1 Two");
  take ("", "P 0 1 Two");
  begin (0);
  take ("p 0.1 1500-2500 Two three", "P 1.5 2.5 Two three");
}

GST_END_TEST;

/* The next final would settle what it was made of. */
GST_START_TEST (test_skipped_on_the_next_connection)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-2000 Two", "C 0 1 One.", "P 1 2 Two");
  begin (1 * SECOND);
  take ("f 1.1 1000-2000 Two; p 2.0 6000-7000 Three", "P 5 6 Three");
  begin (2 * SECOND);
  take ("f 2.1 6000-7000 Three; f 3.0 10000-11000 Four.", "C 8 9 Four.");
}

GST_END_TEST;

GST_START_TEST (test_begin_keeps_what_is_settled)
{
  take ("f 0.0 0-3000 One.", "C 0 3 One.");
  begin (2 * SECOND);
  take ("f 1.0 3000-4000 Two.", "C 0 1 One.", "C 1 2 Two.");
  take ("", "C 0 1 One.", "C 1 2 Two.");
}

GST_END_TEST;

GST_START_TEST (test_begin_forgets_the_known)
{
  take ("f 0.0 0-1000 Yes.", "C 0 1 Yes.");
  begin (1 * SECOND);
  take ("f 1.0 1000-2000 Yes.", "C 0 1 Yes.");
  take ("f 2.0 2000-3000 Yes.", "C 0 1 Yes.", "C 1 2 Yes.");
}

GST_END_TEST;

GST_START_TEST (test_finish_after_begin_loses_no_words)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  begin (0);
  finish ("f 0.1 0-1000 One");
}

GST_END_TEST;

/* Words that the server's cut took */

GST_START_TEST (test_words_before_the_cut)
{
  take ("f 0.0 0-1000 One.; p 1.0 1000-3000 he might even", "C 0 1 One.",
      "P 1 3 he might even");
  take ("p 1.1 1000-4000 he might even have", "P 1 4 might even have");
  take ("f 1.2 1000-4000 he might even have.", "C 1 4 might even have.");
  /* the next utterance may begin as that one went on */
  take ("p 2.0 4000-6000 might even so", "P 4 6 might even so");
}

GST_END_TEST;

/* One for each word of the text, of 0.1 s, each after the other from its beginning */
static WhisperLiveSegment *
make_words (const gchar * spec)
{
  WhisperLiveSegment *segment = make_segment (spec);
  g_auto (GStrv) texts = g_strsplit (segment->text, " ", -1);
  guint i;

  segment->words =
      g_ptr_array_new_with_free_func ((GDestroyNotify) whisperlive_word_free);
  for (i = 0; texts[i]; i++) {
    WhisperLiveWord word = { texts[i], segment->start + i * 100 * GST_MSECOND,
      segment->start + (i + 1) * 100 * GST_MSECOND, 0.5
    };

    g_ptr_array_add (segment->words, whisperlive_word_copy (&word));
  }
  return segment;
}

/* "text ms, text ms": the words of the last update */
static void
check_words (const gchar * expected, WhisperLiveSegment * completed,
    WhisperLiveSegment * open)
{
  g_autoptr (GPtrArray) message =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);
  g_autoptr (GPtrArray) updates = NULL;
  g_autoptr (GString) told = g_string_new (NULL);
  const WhisperLiveUpdate *update;
  guint i;

  g_ptr_array_add (message, completed);
  if (open)
    g_ptr_array_add (message, open);
  updates = whisperlive_transcript_take (transcript, message, timeline);
  update = g_ptr_array_index (updates, updates->len - 1);
  for (i = 0; i < update->segment->words->len; i++) {
    const WhisperLiveWord *word = g_ptr_array_index (update->segment->words, i);

    g_string_append_printf (told, "%s%s %" G_GUINT64_FORMAT, i ? ", " : "",
        word->text, word->start / GST_MSECOND);
  }
  fail_unless_equals_string (told->str, expected);
}

/* The text and its words tell the same. */
GST_START_TEST (test_word_list_before_the_cut)
{
  check_words ("he 1000, might 1100, even 1200", make_words ("C 0 1 One."),
      make_words ("P 1 3 he might even"));
  check_words ("he 1000, might 1000, even 1100, have 1200",
      make_words ("P 1 4 might even have"), NULL);
  check_words ("he 1000, might 1000, even 1100, have 1200",
      make_words ("C 1 4 might even have"), NULL);
}

GST_END_TEST;

/* A word of an earlier connection has no time on this one. */
GST_START_TEST (test_word_list_before_the_end)
{
  check_words ("he 1000, might 1100, even 1200", make_words ("C 0 1 One."),
      make_words ("P 1 3 he might even"));
  begin (1);
  check_words ("might 0, even 100, have 200",
      make_words ("C 0 3 might even have"), NULL);
}

GST_END_TEST;

/* Nor have the words of a text that no later connection has told again. */
GST_START_TEST (test_word_list_of_a_lost_partial)
{
  g_autoptr (GPtrArray) updates = NULL;
  const WhisperLiveUpdate *update;

  check_words ("he 1000, might 1100", make_words ("C 0 1 One."),
      make_words ("P 1 3 he might"));
  begin (1 * SECOND);
  updates = whisperlive_transcript_finish (transcript);
  update = g_ptr_array_index (updates, 0);
  fail_unless_equals_string (update->segment->text, "he might");
  fail_unless (update->segment->words == NULL);
}

GST_END_TEST;

/* Empty texts */

GST_START_TEST (test_empty_partial_is_not_told)
{
  take ("", "P 0 1 ");
  finish ("");
}

GST_END_TEST;

GST_START_TEST (test_empty_final_settles)
{
  take ("", "C 0 1 ");
  fail_unless_equals_uint64 (whisperlive_transcript_settled (transcript),
      1 * SECOND);
  take ("f 0.0 1000-2000 One.", "C 0 1 ", "C 1 2 One.");
}

GST_END_TEST;

GST_START_TEST (test_empty_final_ends_the_partial)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("", "C 0 1 ");
  finish ("");
  take ("p 0.1 1000-2000 Two", "C 0 1 ", "P 1 2 Two");
}

GST_END_TEST;

/* Servers that say less */

GST_START_TEST (test_without_times)
{
  take ("p 0.0 0-0 One", "T One");
  take ("", "T One");
  take ("p 0.1 0-0 One two", "T One two");
  take ("f 0.2 0-0 One two; p 1.0 0-0 Three", "T One two", "T Three");
  take ("p 1.1 0-0 Three four", "T One two", "T Three four");
  take ("f 1.2 0-0 Three four; p 2.0 0-0 Five",
      "T One two", "T Three four", "T Five");
  finish ("f 2.1 0-0 Five");
}

GST_END_TEST;

GST_START_TEST (test_without_times_last_n)
{
  take ("f 0.0 0-0 One; f 1.0 0-0 Two; p 2.0 0-0 Three",
      "T One", "T Two", "T Three");
  take ("f 2.1 0-0 Three; p 3.0 0-0 Four", "T Two", "T Three", "T Four");
}

GST_END_TEST;

GST_START_TEST (test_without_times_same_words_again)
{
  take ("f 0.0 0-0 Yes; p 1.0 0-0 No", "T Yes", "T No");
  take ("f 1.1 0-0 No; p 2.0 0-0 Yes", "T Yes", "T No", "T Yes");
  take ("f 2.1 0-0 Yes; p 3.0 0-0 No", "T Yes", "T No", "T Yes", "T No");
}

GST_END_TEST;

GST_START_TEST (test_without_times_shrunk)
{
  take ("f 0.0 0-0 One; f 1.0 0-0 Two; f 2.0 0-0 Three; p 3.0 0-0 Four",
      "T One", "T Two", "T Three", "T Four");
  take ("", "T One", "T Two", "T Four");
}

GST_END_TEST;

GST_START_TEST (test_without_times_on_another_connection)
{
  take ("f 0.0 0-0 One; f 1.0 0-0 Two; p 2.0 0-0 Three",
      "T One", "T Two", "T Three");
  begin (0);
  take ("f 2.1 0-0 One; f 3.0 0-0 Two; p 4.0 0-0 Four",
      "T One", "T Two", "T Four");
}

GST_END_TEST;

GST_START_TEST (test_without_times_among_others)
{
  take ("f 0.0 0-1000 One; f 1.0 1000-1000 Two; f 2.0 2000-3000 Three",
      "C 0 1 One", "T Two", "C 2 3 Three");
  take ("", "C 0 1 One", "T Two", "C 2 3 Three");
}

GST_END_TEST;

GST_START_TEST (test_unmarked_segments_before_the_last_are_completed)
{
  take ("p 0.0 0-1000 One", "P 0 1 One");
  take ("f 0.1 0-1000 One.; p 1.0 1000-2000 Two", "P 0 1 One.", "P 1 2 Two");
  take ("", "P 0 1 One.");
}

GST_END_TEST;

/* Anything at all */

static void
check_story (const GPtrArray * updates, guint64 * settled, guint64 * id,
    guint * revision, gboolean * open)
{
  guint i;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    fail_unless (update->start <= update->end);
    fail_unless (update->start >= *settled);
    fail_unless (update->segment->text[0] != '\0');
    if (*open && update->id == *id) {
      fail_unless (update->revision == *revision + 1);
    } else {
      fail_unless (update->id >= *id);
      fail_unless (update->revision == 0);
    }
    fail_if (!update->final && i + 1 < updates->len);
    *id = update->id + update->final;
    *revision = update->revision;
    *open = !update->final;
    if (update->final)
      *settled = update->end;
  }
}

GST_START_TEST (test_garbage)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260101 + __i__);
  guint64 settled = 0, id = 0;
  gboolean open = FALSE;
  guint revision = 0, message;

  for (message = 0; message < 300; message++) {
    g_autoptr (GPtrArray) segments =
        g_ptr_array_new_with_free_func ((GDestroyNotify)
        whisperlive_segment_free);
    GPtrArray *updates;
    gint i, length = g_rand_int_range (rand, 0, 6);

    for (i = 0; i < length; i++) {
      g_autofree gchar *spec = NULL;
      gint start = g_rand_int_range (rand, 0, 20);
      gint end = start + g_rand_int_range (rand, 0, 5);

      spec = g_strdup_printf ("%c %d %d %.*s", "CCPP"[g_rand_int_range (rand,
                  0, 4)], start, end, g_rand_int_range (rand, 0, 3), "ab");
      if (g_rand_int_range (rand, 0, 10) == 0)
        spec[0] = 'T';
      g_ptr_array_add (segments, make_segment (spec));
    }
    if (g_rand_int_range (rand, 0, 20) == 0)
      begin (settled);
    if (g_rand_int_range (rand, 0, 20) == 0) {
      whisperlive_transcript_discard (transcript, settled + 16 * SECOND);
      id += open;
      open = FALSE;
    }
    updates = g_rand_int_range (rand, 0, 20) == 0 ?
        whisperlive_transcript_finish (transcript) :
        whisperlive_transcript_take (transcript, segments, timeline);
    check_story (updates, &settled, &id, &revision, &open);
    g_ptr_array_unref (updates);
    /* an empty final settles without being told */
    fail_unless (whisperlive_transcript_settled (transcript) >= settled);
    settled = whisperlive_transcript_settled (transcript);
  }
}

GST_END_TEST;

static TCase *
new_case (Suite * suite, const gchar * name)
{
  TCase *tc = tcase_create (name);

  tcase_add_checked_fixture (tc, setup, teardown);
  suite_add_tcase (suite, tc);
  return tc;
}

static void
add_vanishing_tests (Suite * suite)
{
  TCase *tc = new_case (suite, "vanishing");

  tcase_add_test (tc, test_vanished_partial_may_come_back);
  tcase_add_test (tc, test_vanished_partial_is_completed_later);
  tcase_add_test (tc, test_second_yes_is_consumed);
  tcase_add_test (tc, test_not_repeated_enough_to_be_consumed);
  tcase_add_test (tc, test_vanishing_starts_the_count_anew);
  tcase_add_test (tc, test_other_text_starts_the_count_anew);
  tcase_add_test (tc, test_third_yes_is_consumed_sooner);
  tcase_add_test (tc, test_consumed_twice);
  tcase_add_test (tc, test_consumed_to_the_millisecond);
  tcase_add_test (tc, test_completed_after_another_is_new);
  tcase_add_test (tc, test_consumed_as_far_as_it_was_first_repeated);
  tcase_add_test (tc, test_consumed_in_silence_before_a_partial);
  tcase_add_test (tc, test_consumed_in_silence_before_the_same_text);
  tcase_add_test (tc, test_consumed_in_silence_before_a_final);
  tcase_add_test (tc, test_repeated_and_replaced_is_not_consumed);
  tcase_add_test (tc, test_consumed_is_not_told_again);
  tcase_add_test (tc, test_repeated_final_in_the_wrong_place);
  tcase_add_test (tc, test_skipped_before_a_final);
  tcase_add_test (tc, test_skipped_before_a_partial);
  tcase_add_test (tc, test_skipped_is_not_told_again);
  tcase_add_test (tc, test_skipped_before_what_goes_on);
  tcase_add_test (tc, test_skipped_before_an_overlap);
  tcase_add_test (tc, test_begun_a_little_later_is_the_same);
  tcase_add_test (tc, test_repeated_final_begins_where_its_partial_did);
  tcase_add_test (tc, test_repeated_final_has_its_partials_words);
}

static Suite *
transcript_suite (void)
{
  Suite *suite = suite_create ("transcript");
  TCase *tc;

  tc = new_case (suite, "utterance");
  tcase_add_test (tc, test_final_takes_the_partials_id);
  tcase_add_test (tc, test_unchanged_partial_is_not_told_again);
  tcase_add_test (tc, test_partial_with_other_times_is_told);
  tcase_add_test (tc, test_finals_of_one_message_have_ids_of_their_own);
  tcase_add_test (tc, test_nothing_from_nothing);

  tc = new_case (suite, "repeated");
  tcase_add_test (tc, test_final_is_told_once);
  tcase_add_test (tc, test_same_words_again_are_new);
  tcase_add_test (tc, test_only_the_last_n_come_again);
  tcase_add_test (tc, test_more_than_n_at_once);
  tcase_add_test (tc, test_shrunk_list_is_no_news);
  tcase_add_test (tc, test_list_with_a_hole);
  tcase_add_test (tc, test_rewritten_list_is_no_news);

  tc = new_case (suite, "times");
  tcase_add_test (tc, test_rounded_start_drops_nothing);
  tcase_add_test (tc, test_rounded_end_is_no_news);
  tcase_add_test (tc, test_overlap_is_cut);
  tcase_add_test (tc, test_completed_twice_is_told_once);
  tcase_add_test (tc, test_old_partial_is_not_told);
  tcase_add_test (tc, test_settled_is_the_last_finals_end);
  tcase_add_test (tc, test_positions_follow_the_timeline);

  add_vanishing_tests (suite);

  tc = new_case (suite, "end");
  tcase_add_test (tc, test_finish_makes_the_partial_final);
  tcase_add_test (tc, test_finish_keeps_a_vanished_partial);
  tcase_add_test (tc, test_finish_cuts_the_overlap);
  tcase_add_test (tc, test_finished_is_not_told_again);

  tc = new_case (suite, "flush");
  tcase_add_test (tc, test_discard_forgets_the_partial);
  tcase_add_test (tc, test_discard_ignores_what_was_before);
  tcase_add_test (tc, test_discard_cuts_what_lies_across);

  tc = new_case (suite, "reconnect");
  tcase_add_test (tc, test_begin_keeps_the_open_utterance);
  tcase_add_test (tc, test_begin_makes_nothing_final);
  tcase_add_test (tc, test_skipped_on_the_next_connection);
  tcase_add_test (tc, test_begin_keeps_what_is_settled);
  tcase_add_test (tc, test_begin_forgets_the_known);
  tcase_add_test (tc, test_finish_after_begin_loses_no_words);

  tc = new_case (suite, "empty");
  tcase_add_test (tc, test_words_before_the_cut);
  tcase_add_test (tc, test_word_list_before_the_cut);
  tcase_add_test (tc, test_word_list_before_the_end);
  tcase_add_test (tc, test_word_list_of_a_lost_partial);
  tcase_add_test (tc, test_empty_partial_is_not_told);
  tcase_add_test (tc, test_empty_final_settles);
  tcase_add_test (tc, test_empty_final_ends_the_partial);

  tc = new_case (suite, "other-servers");
  tcase_add_test (tc, test_without_times);
  tcase_add_test (tc, test_without_times_last_n);
  tcase_add_test (tc, test_without_times_same_words_again);
  tcase_add_test (tc, test_without_times_shrunk);
  tcase_add_test (tc, test_without_times_on_another_connection);
  tcase_add_test (tc, test_without_times_among_others);
  tcase_add_test (tc, test_unmarked_segments_before_the_last_are_completed);

  tc = new_case (suite, "garbage");
  tcase_add_loop_test (tc, test_garbage, 0, 50);
  return suite;
}

GST_CHECK_MAIN (transcript);
