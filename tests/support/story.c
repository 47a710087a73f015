/* story: what the bus tells, waited for and judged
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "harness.h"

/* Far more than anything here takes on a busy machine */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)

static gboolean
is_message (GstMessage * message, GstMessageType type, const gchar * name)
{
  return (GST_MESSAGE_TYPE (message) & type) != 0 && (name == NULL
      || gst_message_has_name (message, name));
}

static void
fail_with_error (GstMessage * message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  fail ("unexpected error: %s (%s)", error->message, debug);
}

static void
keep (GstMessage * message)
{
  h->failed |= GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  g_ptr_array_add (h->story, message);
}

/* The next message of the story, popped when there is none; NULL after the deadline. */
static GstMessage *
next_message (gint64 deadline)
{
  gint64 left = MAX (deadline - g_get_monotonic_time (), 0);
  GstMessage *message;

  if (h->cursor == h->story->len) {
    message = gst_bus_timed_pop (h->bus, left * 1000);
    if (message == NULL)
      return NULL;
    keep (message);
  }
  return g_ptr_array_index (h->story, h->cursor++);
}

typedef gboolean (*Match) (GstMessage * message, gconstpointer data);

static GstMessage *
wait_until (Match match, gconstpointer data, gboolean errors_welcome,
    const gchar * what)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;
  GstMessage *message;

  while ((message = next_message (deadline)) != NULL) {
    if (match (message, data))
      return message;
    if (!errors_welcome && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      fail_with_error (message);
  }
  fail ("%s never came; finals so far: %s; states: %s", what,
      harness_finals ("whisperlive/transcript"), harness_state_path ());
  return NULL;
}

typedef struct
{
  GstMessageType type;
  const gchar *name, *field, *value;
} Wanted;

static gboolean
is_wanted (GstMessage * message, gconstpointer data)
{
  const Wanted *wanted = data;

  if (!is_message (message, wanted->type, wanted->name))
    return FALSE;
  return wanted->field == NULL ||
      g_strcmp0 (gst_structure_get_string (gst_message_get_structure (message),
          wanted->field), wanted->value) == 0;
}

GstMessage *
harness_wait (GstMessageType type, const gchar * name)
{
  Wanted wanted = { type, name, NULL, NULL };

  return wait_until (is_wanted, &wanted, (type & GST_MESSAGE_ERROR) != 0,
      name != NULL ? name : gst_message_type_get_name (type));
}

GstMessage *
harness_wait_field (const gchar * name, const gchar * field,
    const gchar * value)
{
  Wanted wanted = { GST_MESSAGE_ELEMENT, name, field, value };
  g_autofree gchar *what =
      g_strdup_printf ("%s with %s=%s", name, field, value);

  return wait_until (is_wanted, &wanted, FALSE, what);
}

static gboolean
is_final (const GstStructure * structure)
{
  gboolean final = FALSE;

  gst_structure_get_boolean (structure, "final", &final);
  return final;
}

static gboolean
is_wanted_final (GstMessage * message, gconstpointer text_end)
{
  const GstStructure *structure = gst_message_get_structure (message);

  return is_message (message, GST_MESSAGE_ELEMENT, "whisperlive/transcript")
      && is_final (structure)
      && g_str_has_suffix (gst_structure_get_string (structure, "text"),
      text_end);
}

GstMessage *
harness_wait_final (const gchar * text_end)
{
  g_autofree gchar *what = g_strdup_printf ("final \"%s\"", text_end);

  return wait_until (is_wanted_final, text_end, FALSE, what);
}

GError *
harness_wait_error (void)
{
  GError *error = NULL;

  gst_message_parse_error (harness_wait (GST_MESSAGE_ERROR, NULL), &error,
      NULL);
  return error;
}

GstMessage *
harness_wait_end (void)
{
  return harness_wait (GST_MESSAGE_EOS | GST_MESSAGE_ERROR, NULL);
}

void
harness_collect (void)
{
  GstMessage *message;

  while (h->bus != NULL && (message = gst_bus_pop (h->bus)) != NULL)
    keep (message);
}

void
harness_forget (void)
{
  harness_collect ();
  g_ptr_array_set_size (h->story, 0);
  h->cursor = 0;
}

guint
harness_n (GstMessageType type, const gchar * name)
{
  guint i, n = 0;

  harness_collect ();
  for (i = 0; i < h->story->len; i++)
    n += is_message (g_ptr_array_index (h->story, i), type, name);
  return n;
}

gint
harness_index (GstMessageType type, const gchar * name)
{
  guint i;

  for (i = 0; i < h->story->len; i++)
    if (is_message (g_ptr_array_index (h->story, i), type, name))
      return i;
  return -1;
}

const GstStructure *
harness_nth (const gchar * name, guint n)
{
  guint i;

  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);

    if (is_message (message, GST_MESSAGE_ELEMENT, name) && n-- == 0)
      return gst_message_get_structure (message);
  }
  return NULL;
}

/* --- what it says --- */

gchar *
harness_finals (const gchar * name)
{
  GString *all = g_string_new (NULL);
  const GstStructure *structure;
  guint i;

  harness_collect ();
  for (i = 0; (structure = harness_nth (name, i)) != NULL; i++)
    if (is_final (structure))
      g_string_append_printf (all, "%s%s", all->len ? " " : "",
          gst_structure_get_string (structure, "text"));
  return g_string_free (all, FALSE);
}

void
harness_assert_finals (const gchar * expected)
{
  g_autofree gchar *finals = harness_finals ("whisperlive/transcript");

  fail_unless_equals_string (finals, expected);
}

/* Ascending and without overlap; returns the end. */
static GstClockTime
assert_times (const GstStructure * final, guint first, guint word,
    guint n_words, GstClockTime start, GstClockTime last)
{
  guint64 time = 0, duration = 0;
  GstClockTimeDiff expected =
      start + (word - first) * (guint64) (SPOKEN_WORD_SECONDS * GST_SECOND);
  GstClockTimeDiff expected_end =
      expected + (n_words - 1) * (guint64) (SPOKEN_WORD_SECONDS * GST_SECOND) +
      (guint64) (SPOKEN_TONE_SECONDS * GST_SECOND);
  const gchar *text = gst_structure_get_string (final, "text");

  fail_unless (gst_structure_get_uint64 (final, "running-time", &time));
  fail_unless (gst_structure_get_uint64 (final, "duration", &duration));
  fail_unless (time >= last, "\"%s\" overlaps the one before", text);
  /* what the server completes because it did not change begins where the one before ended */
  fail_unless (ABS (GST_CLOCK_DIFF (expected, time)) <= 20 * GST_MSECOND
      || (GstClockTimeDiff) time < expected,
      "\"%s\" at %" GST_TIME_FORMAT " instead of %" GST_TIME_FORMAT, text,
      GST_TIME_ARGS (time), GST_TIME_ARGS (expected));
  fail_unless (ABS (GST_CLOCK_DIFF (expected_end,
              time + duration)) <= 20 * GST_MSECOND,
      "\"%s\" ends at %" GST_TIME_FORMAT " instead of %" GST_TIME_FORMAT, text,
      GST_TIME_ARGS (time + duration), GST_TIME_ARGS (expected_end));
  return time + duration;
}

void
harness_assert_words (guint first, guint count, GstClockTime start)
{
  g_autofree gchar *expected = spoken_text (first, count);
  const GstStructure *structure;
  GstClockTime last = 0;
  guint i, word = first;

  harness_assert_finals (expected);
  for (i = 0; (structure = harness_nth ("whisperlive/transcript", i)) != NULL;
      i++) {
    g_auto (GStrv) words = NULL;

    if (!is_final (structure))
      continue;
    words = g_strsplit (gst_structure_get_string (structure, "text"), " ", -1);
    last =
        assert_times (structure, first, word, g_strv_length (words), start,
        last);
    word += g_strv_length (words);
  }
}

/* "connecting connected ready …" */
gchar *
harness_state_path (void)
{
  GString *path = g_string_new (NULL);
  const GstStructure *structure;
  guint i;

  harness_collect ();
  for (i = 0; (structure = harness_nth ("whisperlive/state", i)) != NULL; i++)
    g_string_append_printf (path, "%s%s", path->len ? " " : "",
        gst_structure_get_string (structure, "state"));
  return g_string_free (path, FALSE);
}

guint64
harness_stat (const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (h->sink, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "no %s in stats",
      name);
  return value;
}

void
harness_assert_balanced (void)
{
  guint64 received = harness_stat ("audio-received");

  fail_unless_equals_uint64 (received,
      harness_stat ("audio-settled") + harness_stat ("audio-lost"));
  fail_unless_equals_uint64 (received % 62500, 0);
}

void
harness_assert_nowhere (const gchar * needle)
{
  guint i;

  harness_collect ();
  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);
    const GstStructure *structure = gst_message_get_structure (message);
    g_autoptr (GError) error = NULL;
    g_autofree gchar *text =
        structure != NULL ? gst_structure_to_string (structure) : NULL;

    /* a structure's text has nothing of a GError */
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &error, NULL);
    else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
      gst_message_parse_warning (message, &error, NULL);
    fail_unless (error == NULL || strstr (error->message, needle) == NULL,
        "\"%s\" is in %s", needle, error ? error->message : "");
    fail_unless (text == NULL
        || strstr (text, needle) == NULL, "\"%s\" is in %s", needle, text);
  }
}

/* --- for the watchdog --- */

static void
tell_message (GstMessage * message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree gchar *text =
      structure != NULL ? gst_structure_to_string (structure) : NULL;

  g_print ("  %s of %s: %s\n", GST_MESSAGE_TYPE_NAME (message),
      GST_MESSAGE_SRC_NAME (message), text != NULL ? text : "");
}

static void
tell_state (GstElement * element)
{
  g_print ("%s: %s on its way to %s\n", GST_ELEMENT_NAME (element),
      gst_element_state_get_name (GST_STATE (element)),
      gst_element_state_get_name (GST_STATE_PENDING (element)));
}

static void
tell_property (const gchar * name)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  g_object_get_property (G_OBJECT (h->sink), name, &value);
  /* serialized, a structure would be in quotes, each character of it escaped */
  text = GST_VALUE_HOLDS_STRUCTURE (&value) ?
      gst_structure_to_string (gst_value_get_structure (&value)) :
      gst_value_serialize (&value);
  g_print ("%s: %s\n", name, text);
}

void
harness_tell (void)
{
  GstMessage *message;
  guint i;

  if (h->sink == NULL) {
    g_print ("no sink\n");
    return;
  }
  tell_state (h->pipeline);
  tell_state (h->sink);
  g_print ("story (%u messages, %u of them looked at):\n", h->story->len,
      h->cursor);
  for (i = 0; i < h->story->len; i++)
    tell_message (g_ptr_array_index (h->story, i));
  g_print ("still on the bus:\n");
  while ((message = gst_bus_pop (h->bus)) != NULL) {
    tell_message (message);
    gst_message_unref (message);
  }
  /* at last, because these take locks, which may be what hangs */
  tell_property ("connection-state");
  tell_property ("stats");
}
