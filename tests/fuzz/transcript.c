/* transcript: messages of the server, a line each, and what happens between them
 *
 * A line that begins with a brace is a message. Others: b: a new connection, d: a flush, f: no more messages will come; digits are
 * seconds of the stream.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#include "whisperlive-transcript.h"

typedef struct
{
  WhisperLiveTimeline *timeline;
  WhisperLiveTranscript *transcript;
  FuzzText text;
} Fuzz;

static void
take (Fuzz * fuzz, GPtrArray * updates)
{
  fuzz_check_updates (&fuzz->text, updates);
  g_ptr_array_unref (updates);
}

static void
on_line (gpointer user_data, const gchar * line, gsize length)
{
  Fuzz *fuzz = user_data;
  guint64 position = fuzz_number (line, length) * WHISPERLIVE_RATE;
  g_autoptr (WhisperLiveMessage) message = NULL;

  switch (*line) {
    case '{':
      message = whisperlive_protocol_parse (line, length, NULL);
      if (message && message->segments)
        take (fuzz, whisperlive_transcript_take (fuzz->transcript,
                message->segments, fuzz->timeline));
      break;
    case 'b':
      whisperlive_timeline_begin (fuzz->timeline,
          whisperlive_transcript_settled (fuzz->transcript));
      whisperlive_transcript_begin (fuzz->transcript);
      break;
    case 'd':
      whisperlive_transcript_discard (fuzz->transcript, position);
      break;
    case 'f':
      take (fuzz, whisperlive_transcript_finish (fuzz->transcript));
      break;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t size)
{
  Fuzz fuzz = {
    .timeline = whisperlive_timeline_new (),
    .transcript = whisperlive_transcript_new (10),
  };

  whisperlive_timeline_begin (fuzz.timeline, 0);
  fuzz_each_line (data, size, on_line, &fuzz);
  take (&fuzz, whisperlive_transcript_finish (fuzz.transcript));
  whisperlive_transcript_free (fuzz.transcript);
  whisperlive_timeline_free (fuzz.timeline);
  return 0;
}
