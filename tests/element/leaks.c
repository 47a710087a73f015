/* Nothing is left of a session: GStreamer's "leaks" tracer is asked which elements, pads, messages, buffers, caps and
 * so on still live.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "harness.h"

#define N_CYCLES 100
/* What lets go late (a thread that posted the last message) does so within this. */
#define DEADLINE (30 * G_TIME_SPAN_SECOND)

/* --- the tracer --- */

static GstTracer *
get_tracer (void)
{
  GList *tracers = gst_tracing_get_active_tracers (), *l;
  GstTracer *tracer = NULL;

  for (l = tracers; l != NULL; l = l->next)
    if (g_str_equal (G_OBJECT_TYPE_NAME (l->data), "GstLeaksTracer"))
      tracer = gst_object_ref (l->data);
  g_list_free_full (tracers, gst_object_unref);
  return tracer;
}

typedef struct
{
  gpointer object;
  GType type;
} Live;

/* The tracer's list takes references that it does not have; nobody may give them back. */
static void
disown (GValue * object)
{
  memset (object, 0, sizeof *object);
  g_value_init (object, G_TYPE_POINTER);
}

static GArray *
get_live (void)
{
  GArray *lives = g_array_new (FALSE, FALSE, sizeof (Live));
  g_autoptr (GstTracer) tracer = get_tracer ();
  g_autoptr (GstStructure) answer = NULL;
  const GValue *list;
  guint i;

  fail_unless (tracer != NULL, "run it with GST_TRACERS=leaks");
  g_signal_emit_by_name (tracer, "get-live-objects", &answer);
  list = gst_structure_get_value (answer, "live-objects-list");
  for (i = 0; i < gst_value_list_get_size (list); i++) {
    const GstStructure *info =
        gst_value_get_structure (gst_value_list_get_value (list, i));
    const GValue *object = gst_structure_get_value (info, "object");
    Live live = { NULL, G_VALUE_TYPE (object) };

    /* an object or a boxed one */
    live.object = g_value_peek_pointer (object);
    g_array_append_val (lives, live);
    disown ((GValue *) object);
  }
  return lives;
}

static gboolean
is_among (GArray * lives, gconstpointer object)
{
  guint i;

  for (i = 0; i < lives->len; i++)
    if (g_array_index (lives, Live, i).object == object)
      return TRUE;
  return FALSE;
}

/* "GstMessage GstCaps …", and how many */
static gchar *
get_types (guint * n)
{
  g_autoptr (GArray) lives = get_live ();
  GString *types = g_string_new (NULL);
  guint i;

  for (i = 0; i < lives->len; i++)
    g_string_append_printf (types, "%s%s", i > 0 ? " " : "",
        g_type_name (g_array_index (lives, Live, i).type));
  *n = lives->len;
  return g_string_free (types, FALSE);
}

/* Waits until no more than @at_most live; nothing tells when a thread has let go of its last message. */
static void
assert_live (guint at_most, const gchar * when)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  for (;;) {
    guint n;
    g_autofree gchar *types = get_types (&n);

    if (n <= at_most)
      return;
    fail_unless (g_get_monotonic_time () < deadline,
        "%u live %s, instead of %u: %s", n, when, at_most, types);
    /* no event tells of an object that is gone */
    g_usleep (G_TIME_SPAN_MILLISECOND);
  }
}

/* --- the cycles --- */

/* Down again from four places: at once, as soon as it streams, with words, after the end */
static void
run_cycle (guint i)
{
  guint64 frames = harness_server_count (SCRIPTED_FRAMES);

  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  if (i % 4 == 1)
    harness_wait_server (SCRIPTED_FRAMES, frames + 1);
  else if (i % 4 == 2)
    harness_wait_final ("w5");
  else if (i % 4 == 3) {
    harness_eos ();
    harness_wait (GST_MESSAGE_EOS, NULL);
    harness_assert_words (1, 7, 0);
  }
  harness_start (GST_STATE_NULL);
  harness_forget ();
}

static void
make (void)
{
  harness_make ("", "same-output-threshold", 1000, NULL);
}

GST_START_TEST (test_hundred_cycles)
{
  g_autofree gchar *types = NULL;
  guint i, n_made = 0;

  /* what is made once for the process: templates' caps, clocks, thread pools */
  make ();
  for (i = 0; i < 4; i++)
    run_cycle (i);
  harness_unmake ();
  assert_live (0, "after the first pipeline");

  make ();
  types = get_types (&n_made);
  GST_INFO ("%u live before they start: %s", n_made, types);
  for (i = 0; i < N_CYCLES; i++)
    run_cycle (i);
  /* nothing piles up in the element, */
  assert_live (n_made, "in NULL after all cycles");
  harness_unmake ();
  /* and nothing outlives it. */
  assert_live (0, "after the pipeline");
}

HARNESS_END_TEST;

/* Could that fail at all? */
GST_START_TEST (test_tracer_sees)
{
  g_autoptr (GArray) with = NULL, without = NULL;
  GstMessage *kept;

  make ();
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  kept = gst_message_ref (harness_wait_final ("w7"));
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_start (GST_STATE_NULL);
  harness_forget ();
  with = get_live ();
  gst_message_unref (kept);
  without = get_live ();
  fail_unless (is_among (with, kept) && is_among (with, h->sink));
  fail_unless (!is_among (without, kept) && is_among (without, h->sink));
}

HARNESS_END_TEST;

static Suite *
leaks_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-leaks");
  TCase *tc = tcase_create ("leaks");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_hundred_cycles);
  tcase_add_test (tc, test_tracer_sees);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (leaks);
