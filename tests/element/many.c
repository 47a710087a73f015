/* One hundred sinks in one process, each with words of its own: every one gets what it was sent, and nothing else.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "harness.h"

#define N 100
#define WORDS 8
/* Below those that sound like a hiss */
#define FIRST_WORD(i) (3 * (i) + 1)

static GstElement *
get (const gchar * name, guint i)
{
  g_autofree gchar *full = g_strdup_printf ("%s%u", name, i);
  GstElement *element = gst_bin_get_by_name (GST_BIN (h->pipeline), full);

  fail_unless (element != NULL, "no %s", full);
  /* the pipeline has its own reference */
  gst_object_unref (element);
  return element;
}

/* Does @what with each source as if it were the only one. */
static void
for_each_source (void (*what) (guint i))
{
  GstElement *src = h->src;
  guint i;

  for (i = 0; i < N; i++) {
    h->src = get ("src", i);
    h->pts = 0;
    what (i);
  }
  h->src = src;
}

static void
prepare (guint i)
{
  harness_set_format (h->rate, h->channels);
  harness_push_words (FIRST_WORD (i), WORDS, 0, 0);
}

static void
end (guint i)
{
  harness_eos ();
}

/* All in one pipeline, as one bus then tells all of their stories; each source has its words. */
static void
make (void)
{
  g_autoptr (GString) description = g_string_new (NULL);
  guint i;

  HARNESS_SCRIPT (max_clients, N);
  /* one model for all */
  HARNESS_SCRIPT (pass_base, 1);
  HARNESS_SCRIPT (pass_factor, 0);
  for (i = 0; i < N; i++)
    g_string_append_printf (description, "appsrc name=src%u format=time "
        "max-bytes=0 ! whisperlivesink name=sink%u uri=%s ", i, i,
        scripted_server_uri (h->server));
  /* the harness wants one of this name */
  g_string_append (description, "fakesrc num-buffers=0 ! fakesink name=sink");
  harness_launch (description->str);
  for_each_source (prepare);
}

static gchar *
get_finals (GstElement * sink)
{
  GString *text = g_string_new (NULL);
  gboolean final;
  guint i;

  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);
    const GstStructure *structure = gst_message_get_structure (message);

    if (GST_MESSAGE_SRC (message) != GST_OBJECT (sink)
        || !gst_message_has_name (message, "whisperlive/transcript")
        || !gst_structure_get_boolean (structure, "final", &final) || !final)
      continue;
    g_string_append_printf (text, "%s%s", text->len ? " " : "",
        gst_structure_get_string (structure, "text"));
  }
  return g_string_free (text, FALSE);
}

static guint64
get_stat (GstElement * sink, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = G_MAXUINT64;

  g_object_get (sink, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static void
check (guint i)
{
  GstElement *sink = get ("sink", i);
  g_autofree gchar *expected = spoken_text (FIRST_WORD (i), WORDS);
  g_autofree gchar *finals = get_finals (sink);
  guint64 received = get_stat (sink, "audio-received");

  fail_unless (g_str_equal (finals, expected), "sink %u: \"%s\" instead of "
      "\"%s\"", i, finals, expected);
  fail_unless_equals_uint64 (get_stat (sink, "sessions"), 1);
  fail_unless_equals_uint64 (received,
      gst_util_uint64_scale (h->frames / N, GST_SECOND, h->rate));
  fail_unless_equals_uint64 (get_stat (sink, "audio-settled"), received);
  fail_unless_equals_uint64 (get_stat (sink, "audio-lost"), 0);
}

GST_START_TEST (test_to_the_end)
{
  guint i;

  make ();
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_READY, N);
  for_each_source (end);
  harness_wait (GST_MESSAGE_EOS, NULL);
  for (i = 0; i < N; i++)
    check (i);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), N);
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
}

HARNESS_END_TEST;

GST_START_TEST (test_stopped_while_streaming)
{
  make ();
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_FRAMES, N);
  harness_unmake ();
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
  /* none was cut off */
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_CLOSE_FRAMES), N);
}

HARNESS_END_TEST;

static Suite *
many_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-many");
  TCase *tc = tcase_create ("many");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_to_the_end);
  tcase_add_test (tc, test_stopped_while_streaming);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (many);
