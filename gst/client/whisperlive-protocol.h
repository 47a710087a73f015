/* whisperlive-protocol: JSON of the WhisperLive WebSocket protocol and typed structs, both ways
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

#include "whisperlive-settings.h"

G_BEGIN_DECLS

/* Samples per second that every WhisperLive server takes, mono. One sample is 62500 ns and one millisecond
 * 16 samples, both exact: positions in samples and times in messages convert without rounding. */
#define WHISPERLIVE_RATE 16000
#define WHISPERLIVE_SAMPLES_TO_TIME(n) ((n) * (GST_SECOND / WHISPERLIVE_RATE))
#define WHISPERLIVE_TIME_TO_SAMPLES(t) ((t) / (GST_SECOND / WHISPERLIVE_RATE))

/* Largest server message that is parsed, in bytes */
#define WHISPERLIVE_MAX_MESSAGE_SIZE (4 * 1024 * 1024)

typedef enum
{
  WHISPERLIVE_MESSAGE_READY,    /* SERVER_READY */
  WHISPERLIVE_MESSAGE_WAIT,     /* the server is full */
  WHISPERLIVE_MESSAGE_ERROR,
  WHISPERLIVE_MESSAGE_WARNING,
  WHISPERLIVE_MESSAGE_DISCONNECT,       /* the server is about to close: overtime */
  WHISPERLIVE_MESSAGE_LANGUAGE,
  WHISPERLIVE_MESSAGE_SEGMENTS,
  WHISPERLIVE_MESSAGE_TRANSLATION,
  WHISPERLIVE_MESSAGE_OTHER,    /* a JSON object that this client does not know, e.g. a finalizer's */
} WhisperLiveMessageType;

/* Times are nanoseconds since the first sample of the connection, GST_CLOCK_TIME_NONE when not told. */
typedef struct
{
  gchar *text;
  GstClockTime start, end;
  gdouble probability;
} WhisperLiveWord;

typedef struct
{
  gchar *text;                  /* never NULL, valid UTF-8, leading and trailing space removed */
  GstClockTime start, end;      /* both valid and start <= end, or both NONE (TensorRT) */
  gboolean completed;
  gchar *speaker;               /* or NULL */
  GPtrArray *words;             /* of WhisperLiveWord, or NULL */
} WhisperLiveSegment;

typedef struct
{
  WhisperLiveMessageType type;
  gchar *session_id;            /* whom it is for, NULL when it does not say */
  gchar *text;                  /* ERROR, WARNING: the server's words; READY: the backend; else NULL */
  gdouble wait_minutes;         /* WAIT; may be negative */
  gchar *language;              /* LANGUAGE */
  gdouble language_probability; /* LANGUAGE */
  GPtrArray *segments;          /* SEGMENTS, TRANSLATION: of WhisperLiveSegment, as sent, in order */
} WhisperLiveMessage;

#define WHISPERLIVE_PROTOCOL_ERROR (whisperlive_protocol_error_quark ())
GQuark whisperlive_protocol_error_quark (void);

/* The first text frame of a connection. @detected: the language, if none is set, that an earlier one detected; or NULL. @stuck: the
 * connection before this one took speech for none. */
gchar *whisperlive_protocol_handshake (const WhisperLiveSettings * settings, const gchar * session_id, const gchar * detected, gboolean stuck);

/* @json need not be terminated. NULL and @error for anything that is not a well-formed message of
 * this protocol; nothing in @json can crash it. */
WhisperLiveMessage *whisperlive_protocol_parse (const gchar * json, gsize length, GError ** error);
void whisperlive_message_free (WhisperLiveMessage * message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhisperLiveMessage, whisperlive_message_free)

WhisperLiveWord *whisperlive_word_copy (const WhisperLiveWord * word);
void whisperlive_word_free (WhisperLiveWord * word);
WhisperLiveSegment *whisperlive_segment_copy (const WhisperLiveSegment * segment);
void whisperlive_segment_free (WhisperLiveSegment * segment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhisperLiveSegment, whisperlive_segment_free)

G_END_DECLS
