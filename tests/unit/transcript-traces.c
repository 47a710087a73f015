/* Tests of whisperlive-protocol and -transcript on what a genuine server said: see tests/data/traces
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <json-glib/json-glib.h>

#include "whisperlive-transcript.h"

static GPtrArray *traces;       /* of file names */

typedef struct
{
  const gchar *name;
  WhisperLiveTimeline *timeline;
  WhisperLiveTranscript *transcript;
  guint64 sent;                 /* samples */
  guint messages;
  GHashTable *seen;             /* every completed segment, told apart by its times and text */
  GPtrArray *completed;         /* their texts, in order */
  GPtrArray *finals;

  guint64 settled, id;
  guint revision;
  gboolean open;
  gchar *partial;
} Replay;

static void
check_update (Replay * replay, const WhisperLiveUpdate * update)
{
  g_autofree gchar *description = g_strdup_printf ("%s %" G_GUINT64_FORMAT "-%"
      G_GUINT64_FORMAT " %s", update->final ? "final" : "partial",
      update->start, update->end, update->segment->text);

  GST_INFO ("%s: %s", replay->name, description);
  fail_unless (update->start <= update->end, "%s: %s", replay->name,
      description);
  fail_unless (update->start >= replay->settled, "%s: overlap: %s",
      replay->name, description);
  fail_unless (update->end <= replay->sent, "%s: not sent yet: %s",
      replay->name, description);
  fail_unless_equals_uint64 (update->id, replay->id);
  fail_unless_equals_int (update->revision,
      replay->open ? replay->revision + 1 : 0);
  fail_if (!update->final && replay->open
      && g_strcmp0 (replay->partial, description) == 0, "%s: told twice: %s",
      replay->name, description);

  replay->open = !update->final;
  replay->id = update->id + update->final;
  replay->revision = update->revision;
  g_free (replay->partial);
  replay->partial = g_steal_pointer (&description);
  if (update->final) {
    replay->settled = update->end;
    g_ptr_array_add (replay->finals, g_strdup (update->segment->text));
  }
}

static void
hear_updates (Replay * replay, GPtrArray * updates)
{
  guint i;

  for (i = 0; i < updates->len; i++)
    check_update (replay, g_ptr_array_index (updates, i));
  g_ptr_array_unref (updates);
}

static void
remember_completed (Replay * replay, const GPtrArray * segments)
{
  guint i;

  for (i = 0; i < segments->len; i++) {
    const WhisperLiveSegment *segment = g_ptr_array_index (segments, i);

    if (segment->completed && g_hash_table_add (replay->seen,
            g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
                segment->start, segment->end, segment->text)))
      g_ptr_array_add (replay->completed, g_strdup (segment->text));
  }
}

static void
replay_message (Replay * replay, const gchar * text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WhisperLiveMessage) message =
      whisperlive_protocol_parse (text, strlen (text), &error);

  fail_unless (message != NULL, "%s: %s: %s", replay->name,
      error ? error->message : "", text);
  replay->messages++;
  fail_if (message->type == WHISPERLIVE_MESSAGE_OTHER, "%s: unknown: %s",
      replay->name, text);
  if (message->type == WHISPERLIVE_MESSAGE_SEGMENTS) {
    remember_completed (replay, message->segments);
    hear_updates (replay, whisperlive_transcript_take (replay->transcript,
            message->segments, replay->timeline));
  }
}

static void
replay_line (Replay * replay, JsonObject * line)
{
  const gchar *direction = json_object_get_string_member (line, "dir");

  if (g_str_equal (direction, "send"))
    replay->sent += json_object_get_int_member_with_default (line, "samples",
        0);
  else if (g_str_equal (direction, "recv"))
    replay_message (replay, json_object_get_string_member (line, "text"));
}

/* Each final is what the server completed next, or was consumed by it without that. */
static void
check_finals (Replay * replay)
{
  guint i, next = 0;

  for (i = 0; i < replay->finals->len; i++) {
    if (next < replay->completed->len
        && g_str_equal (g_ptr_array_index (replay->finals, i),
            g_ptr_array_index (replay->completed, next)))
      next++;
  }
  fail_unless (next == replay->completed->len, "%s: \"%s\" was not told",
      replay->name, next < replay->completed->len ?
      (gchar *) g_ptr_array_index (replay->completed, next) : "");
}

static void
check_header (Replay * replay, JsonObject * header)
{
  g_autofree gchar *text = NULL;

  g_ptr_array_add (replay->finals, NULL);
  text = g_strjoinv (" ", (gchar **) replay->finals->pdata);
  GST_INFO ("%s: %s", replay->name, text);
  if (json_object_has_member (header, "final"))
    fail_unless_equals_string (text,
        json_object_get_string_member (header, "final"));
}

static void
replay_lines (Replay * replay, gchar ** lines)
{
  g_autoptr (JsonNode) header = json_from_string (lines[0], NULL);
  gint64 threshold = 10;
  JsonObject *options;
  guint i;

  fail_unless (header != NULL && JSON_NODE_HOLDS_OBJECT (header));
  options = json_object_get_object_member (json_node_get_object (header),
      "options");
  if (options)
    threshold = json_object_get_int_member_with_default (options,
        "same_output_threshold", threshold);
  replay->timeline = whisperlive_timeline_new ();
  replay->transcript = whisperlive_transcript_new (threshold);
  for (i = 1; lines[i]; i++) {
    g_autoptr (JsonNode) line = NULL;

    if (lines[i][0] == '\0')
      continue;
    line = json_from_string (lines[i], NULL);
    fail_unless (line != NULL && JSON_NODE_HOLDS_OBJECT (line));
    replay_line (replay, json_node_get_object (line));
  }
  fail_unless (replay->messages > 0, "%s: no message", replay->name);
  hear_updates (replay, whisperlive_transcript_finish (replay->transcript));
  check_finals (replay);
  check_header (replay, json_node_get_object (header));
  whisperlive_transcript_free (replay->transcript);
  whisperlive_timeline_free (replay->timeline);
}

GST_START_TEST (test_trace)
{
  const gchar *name = g_ptr_array_index (traces, __i__);
  Replay replay = {.name = name };
  g_auto (GStrv) lines = NULL;
  g_autofree gchar *text = NULL;

  fail_unless (g_file_get_contents (name, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  replay.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  replay.completed = g_ptr_array_new_with_free_func (g_free);
  replay.finals = g_ptr_array_new_with_free_func (g_free);
  replay_lines (&replay, lines);
  g_hash_table_unref (replay.seen);
  g_ptr_array_unref (replay.completed);
  g_ptr_array_unref (replay.finals);
  g_free (replay.partial);
}

GST_END_TEST;

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const gchar **) a, *(const gchar **) b);
}

static void
find_traces (void)
{
  const gchar *path = g_getenv ("WHISPERLIVE_TRACES");
  g_autoptr (GDir) directory = path ? g_dir_open (path, 0, NULL) : NULL;
  const gchar *name;

  traces = g_ptr_array_new_with_free_func (g_free);
  while (directory && (name = g_dir_read_name (directory))) {
    if (g_str_has_suffix (name, ".jsonl"))
      g_ptr_array_add (traces, g_build_filename (path, name, NULL));
  }
  g_ptr_array_sort (traces, compare_names);
}

GST_START_TEST (test_there_are_traces)
{
  fail_unless (traces->len > 0, "no traces in WHISPERLIVE_TRACES");
}

GST_END_TEST;

static Suite *
transcript_traces_suite (void)
{
  Suite *suite = suite_create ("transcript-traces");
  TCase *tc = tcase_create ("traces");

  find_traces ();
  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_there_are_traces);
  tcase_add_loop_test (tc, test_trace, 0, traces->len);
  return suite;
}

GST_CHECK_MAIN (transcript_traces);
