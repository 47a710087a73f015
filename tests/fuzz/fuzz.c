/* fuzz: what the targets share
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#include <string.h>

#include "whisperlive-transcript.h"

static void
check_text (const gchar * text)
{
  g_assert_nonnull (text);
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
check_times (GstClockTime start, GstClockTime end)
{
  g_assert_true (GST_CLOCK_TIME_IS_VALID (start) ==
      GST_CLOCK_TIME_IS_VALID (end));
  if (GST_CLOCK_TIME_IS_VALID (start))
    g_assert_cmpuint (start, <=, end);
}

static void
check_segment (const WhisperLiveSegment * segment)
{
  guint i;

  check_text (segment->text);
  check_times (segment->start, segment->end);
  if (segment->speaker)
    check_text (segment->speaker);
  for (i = 0; segment->words && i < segment->words->len; i++) {
    const WhisperLiveWord *word = g_ptr_array_index (segment->words, i);

    check_text (word->text);
    check_times (word->start, word->end);
    g_assert_true (word->probability >= 0 && word->probability <= 1);
  }
}

void
fuzz_check_message (const WhisperLiveMessage * message)
{
  guint i;

  if (message->session_id)
    check_text (message->session_id);
  if (message->text)
    check_text (message->text);
  switch (message->type) {
    case WHISPERLIVE_MESSAGE_SEGMENTS:
    case WHISPERLIVE_MESSAGE_TRANSLATION:
      g_assert_nonnull (message->segments);
      for (i = 0; i < message->segments->len; i++)
        check_segment (g_ptr_array_index (message->segments, i));
      break;
    case WHISPERLIVE_MESSAGE_LANGUAGE:
      check_text (message->language);
      g_assert_true (message->language_probability >= 0
          && message->language_probability <= 1);
      break;
    case WHISPERLIVE_MESSAGE_WAIT:
      g_assert_true (message->wait_minutes == message->wait_minutes);
      break;
    case WHISPERLIVE_MESSAGE_ERROR:
    case WHISPERLIVE_MESSAGE_WARNING:
      g_assert_nonnull (message->text);
      break;
    default:
      break;
  }
}

void
fuzz_check_updates (FuzzText * text, const GPtrArray * updates)
{
  guint i;

  for (i = 0; i < updates->len; i++) {
    const WhisperLiveUpdate *update = g_ptr_array_index (updates, i);

    check_text (update->segment->text);
    g_assert_cmpuint (update->start, <=, update->end);
    g_assert_cmpuint (update->start, >=, text->settled);
    if (text->any && update->id == text->id)
      g_assert_cmpuint (update->revision, >, text->revision);
    else if (text->any)
      g_assert_cmpuint (update->id, >, text->id);
    if (update->final)
      text->settled = update->end;
    text->id = update->id;
    text->revision = update->revision;
    text->any = TRUE;
  }
}

void
fuzz_each_line (const uint8_t * data, size_t size, FuzzLine on_line,
    gpointer user_data)
{
  const gchar *line = (const gchar *) data;
  const gchar *end = line + size;

  while (line < end) {
    const gchar *next = memchr (line, '\n', end - line);

    if (!next)
      next = end;
    if (next > line)
      on_line (user_data, line, next - line);
    line = next + 1;
  }
}

guint
fuzz_number (const gchar * line, gsize length)
{
  guint number = 0;
  gsize i;

  for (i = 1; i < length && i < 5 && g_ascii_isdigit (line[i]); i++)
    number = 10 * number + g_ascii_digit_value (line[i]);
  return number;
}
