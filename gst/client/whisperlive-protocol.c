/* whisperlive-protocol: JSON of the WhisperLive WebSocket protocol and typed structs, both ways
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-protocol.h"

#include <math.h>
#include <string.h>

#include "whisperlive-json.h"

/* Bounds on what a server may say. A genuine one stays far below all of them. */
#define MAX_SEGMENTS 4096
#define MAX_WORDS 4096
#define MAX_TEXT (64 * 1024)
#define MAX_NAME 256
#define MAX_NUMBER 64
#define MAX_SECONDS 1e9
#define MAX_WAIT_MINUTES 1e6

GQuark
whisperlive_protocol_error_quark (void)
{
  return g_quark_from_static_string ("whisperlive-protocol-error-quark");
}

static gboolean
G_GNUC_PRINTF (2, 3)
refuse (GError ** error, const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, WHISPERLIVE_PROTOCOL_ERROR, 0, text);
  return FALSE;
}

/* Typed fields. What is missing or null leaves @value as it is. */

static JsonNode *
get_member (JsonObject * object, const gchar * key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

/* Without the white space around it, as Python's strip() does */
static gchar *
dup_stripped (const gchar * text)
{
  const gchar *end = text + strlen (text);

  while (*text && g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  while (end > text) {
    const gchar *last = g_utf8_prev_char (end);

    if (!g_unichar_isspace (g_utf8_get_char (last)))
      break;
    end = last;
  }
  return g_strndup (text, end - text);
}

static gboolean
get_string (JsonObject * object, const gchar * key, gsize max, gchar ** value,
    GError ** error)
{
  JsonNode *node = get_member (object, key);
  const gchar *string;

  if (!node)
    return TRUE;
  if (json_node_get_value_type (node) != G_TYPE_STRING)
    return refuse (error, "\"%s\" is not a string", key);
  string = json_node_get_string (node);
  if (!g_utf8_validate (string, -1, NULL))
    return refuse (error, "\"%s\" is not UTF-8", key);
  if (strlen (string) > max)
    return refuse (error, "\"%s\" is too long", key);
  *value = dup_stripped (string);
  return TRUE;
}

/* A number, or a string that holds nothing else */
static gboolean
node_to_number (JsonNode * node, gdouble * number)
{
  GType type = json_node_get_value_type (node);
  const gchar *string;
  gchar *end;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
    *number = json_node_get_double (node);
    return TRUE;
  }
  if (type != G_TYPE_STRING)
    return FALSE;
  string = json_node_get_string (node);
  /* g_ascii_strtod() would take hexadecimal and names as well */
  if (*string == '\0' || strlen (string) > MAX_NUMBER
      || strspn (string, "0123456789+-.eE") != strlen (string))
    return FALSE;
  *number = g_ascii_strtod (string, &end);
  return *end == '\0';
}

static gboolean
get_time (JsonObject * object, const gchar * key, GstClockTime * time,
    GError ** error)
{
  JsonNode *node = get_member (object, key);
  gdouble seconds;

  if (!node)
    return TRUE;
  if (!node_to_number (node, &seconds))
    return refuse (error, "\"%s\" is not a time", key);
  if (!(seconds >= 0.0 && seconds <= MAX_SECONDS))
    return refuse (error, "\"%s\" is not a possible time", key);
  *time = (GstClockTime) llround (seconds * 1000.0) * GST_MSECOND;
  return TRUE;
}

static gboolean
get_times (JsonObject * object, GstClockTime * start, GstClockTime * end,
    GError ** error)
{
  *start = *end = GST_CLOCK_TIME_NONE;
  if (!get_time (object, "start", start, error)
      || !get_time (object, "end", end, error))
    return FALSE;
  if (GST_CLOCK_TIME_IS_VALID (*start) != GST_CLOCK_TIME_IS_VALID (*end))
    return refuse (error, "one of \"start\" and \"end\" is missing");
  /* a genuine server cuts the end of its last segment off at the end of the audio, but not its start */
  *start = MIN (*start, *end);
  return TRUE;
}

static gboolean
get_probability (JsonObject * object, const gchar * key, gdouble * probability,
    GError ** error)
{
  JsonNode *node = get_member (object, key);

  if (!node)
    return TRUE;
  if (!node_to_number (node, probability))
    return refuse (error, "\"%s\" is not a number", key);
  *probability = CLAMP (*probability, 0.0, 1.0);
  return TRUE;
}

/* Segments */

static gboolean
parse_words (JsonObject * object, GPtrArray ** words, GError ** error)
{
  JsonNode *node = get_member (object, "words");
  JsonArray *array;
  guint i, length;

  if (!node)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (error, "\"words\" is not an array");
  array = json_node_get_array (node);
  length = json_array_get_length (array);
  if (length > MAX_WORDS)
    return refuse (error, "a segment has too many words");
  *words = g_ptr_array_new_full (length,
      (GDestroyNotify) whisperlive_word_free);
  for (i = 0; i < length; i++) {
    JsonNode *element = json_array_get_element (array, i);
    WhisperLiveWord *word;

    if (!JSON_NODE_HOLDS_OBJECT (element))
      return refuse (error, "word %u is not an object", i);
    word = g_new0 (WhisperLiveWord, 1);
    g_ptr_array_add (*words, word);
    if (!get_string (json_node_get_object (element), "word", MAX_TEXT,
            &word->text, error)
        || !get_times (json_node_get_object (element), &word->start,
            &word->end, error)
        || !get_probability (json_node_get_object (element), "probability",
            &word->probability, error))
      return FALSE;
    if (!word->text)
      return refuse (error, "word %u has no text", i);
  }
  return TRUE;
}

/* A name, or the number of one */
static gboolean
parse_speaker (JsonObject * object, gchar ** speaker, GError ** error)
{
  JsonNode *node = get_member (object, "speaker");
  gchar buffer[G_ASCII_DTOSTR_BUF_SIZE];
  GType type = node ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type == G_TYPE_INT64)
    *speaker = g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
  else if (type == G_TYPE_DOUBLE)
    *speaker = g_strdup (g_ascii_dtostr (buffer, sizeof buffer,
            json_node_get_double (node)));
  else if (!get_string (object, "speaker", MAX_NAME, speaker, error))
    return FALSE;
  if (*speaker && **speaker == '\0')
    g_clear_pointer (speaker, g_free);
  return TRUE;
}

static gboolean
parse_segment (JsonNode * node, WhisperLiveSegment * segment, GError ** error)
{
  JsonObject *object;
  JsonNode *completed;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, "it is not an object");
  object = json_node_get_object (node);
  if (!get_string (object, "text", MAX_TEXT, &segment->text, error)
      || !get_times (object, &segment->start, &segment->end, error)
      || !parse_speaker (object, &segment->speaker, error)
      || !parse_words (object, &segment->words, error))
    return FALSE;
  if (!segment->text)
    return refuse (error, "it has no \"text\"");
  completed = get_member (object, "completed");
  if (completed && json_node_get_value_type (completed) != G_TYPE_BOOLEAN)
    return refuse (error, "\"completed\" is not a boolean");
  segment->completed = completed && json_node_get_boolean (completed);
  return TRUE;
}

static GPtrArray *
parse_segments (JsonNode * node, GError ** error)
{
  g_autoptr (GPtrArray) segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
      whisperlive_segment_free);
  JsonArray *array;
  guint i, length;

  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    refuse (error, "the segments are not an array");
    return NULL;
  }
  array = json_node_get_array (node);
  length = json_array_get_length (array);
  if (length > MAX_SEGMENTS) {
    refuse (error, "%u segments are too many", length);
    return NULL;
  }
  for (i = 0; i < length; i++) {
    WhisperLiveSegment *segment = g_new0 (WhisperLiveSegment, 1);

    g_ptr_array_add (segments, segment);
    if (!parse_segment (json_array_get_element (array, i), segment, error)) {
      g_prefix_error (error, "segment %u: ", i);
      return NULL;
    }
  }
  return g_steal_pointer (&segments);
}

/* What each message is */

static gboolean
parse_status (JsonObject * object, const gchar * status,
    WhisperLiveMessage * message, GError ** error)
{
  JsonNode *node = get_member (object, "message");
  gdouble minutes;

  if (g_str_equal (status, "WAIT")) {
    message->type = WHISPERLIVE_MESSAGE_WAIT;
    /* words instead of minutes say as much as no minutes */
    if (node && node_to_number (node, &minutes))
      message->wait_minutes =
          CLAMP (minutes, -MAX_WAIT_MINUTES, MAX_WAIT_MINUTES);
    return TRUE;
  }
  if (g_str_equal (status, "ERROR"))
    message->type = WHISPERLIVE_MESSAGE_ERROR;
  else if (g_str_equal (status, "WARNING"))
    message->type = WHISPERLIVE_MESSAGE_WARNING;
  else
    return TRUE;
  /* what it says is beside the point */
  if (!get_string (object, "message", MAX_TEXT, &message->text, NULL)
      || !message->text)
    message->text = g_strdup ("(the server did not say what)");
  return TRUE;
}

static gboolean
parse_language (JsonObject * object, WhisperLiveMessage * message,
    GError ** error)
{
  message->type = WHISPERLIVE_MESSAGE_LANGUAGE;
  if (!get_string (object, "language", MAX_NAME, &message->language, error)
      || !get_probability (object, "language_prob",
          &message->language_probability, error))
    return FALSE;
  if (!message->language || message->language[0] == '\0')
    return refuse (error, "\"language\" is empty");
  return TRUE;
}

static gboolean
parse_message (JsonObject * object, WhisperLiveMessage * message,
    GError ** error)
{
  g_autofree gchar *status = NULL;
  JsonNode *node, *words = get_member (object, "message");
  const gchar *announcement = "";

  if (!get_string (object, "uid", MAX_NAME, &message->session_id, error)
      || !get_string (object, "status", MAX_NAME, &status, error))
    return FALSE;
  if (status)
    return parse_status (object, status, message, error);

  if (words && json_node_get_value_type (words) == G_TYPE_STRING)
    announcement = json_node_get_string (words);
  if (g_str_equal (announcement, "SERVER_READY")) {
    message->type = WHISPERLIVE_MESSAGE_READY;
    return get_string (object, "backend", MAX_NAME, &message->text, error);
  }
  if (g_str_equal (announcement, "DISCONNECT")) {
    message->type = WHISPERLIVE_MESSAGE_DISCONNECT;
    return TRUE;
  }
  if ((node = get_member (object, "segments"))) {
    message->type = WHISPERLIVE_MESSAGE_SEGMENTS;
    return (message->segments = parse_segments (node, error)) != NULL;
  }
  if ((node = get_member (object, "translated_segments"))) {
    message->type = WHISPERLIVE_MESSAGE_TRANSLATION;
    return (message->segments = parse_segments (node, error)) != NULL;
  }
  if (get_member (object, "language"))
    return parse_language (object, message, error);
  return TRUE;
}

WhisperLiveMessage *
whisperlive_protocol_parse (const gchar * json, gsize length, GError ** error)
{
  g_autoptr (WhisperLiveMessage) message = NULL;
  g_autoptr (JsonObject) object = NULL;

  g_return_val_if_fail (json != NULL || length == 0, NULL);

  object = whisperlive_json_load (json ? json : "", length, error);
  if (!object)
    return NULL;
  message = g_new0 (WhisperLiveMessage, 1);
  message->type = WHISPERLIVE_MESSAGE_OTHER;
  if (!parse_message (object, message, error))
    return NULL;
  return g_steal_pointer (&message);
}

/* Structs */

void
whisperlive_message_free (WhisperLiveMessage * message)
{
  if (!message)
    return;
  g_free (message->session_id);
  g_free (message->text);
  g_free (message->language);
  g_clear_pointer (&message->segments, g_ptr_array_unref);
  g_free (message);
}

WhisperLiveWord *
whisperlive_word_copy (const WhisperLiveWord * word)
{
  WhisperLiveWord *copy = g_memdup2 (word, sizeof *word);

  copy->text = g_strdup (word->text);
  return copy;
}

void
whisperlive_word_free (WhisperLiveWord * word)
{
  if (!word)
    return;
  g_free (word->text);
  g_free (word);
}

WhisperLiveSegment *
whisperlive_segment_copy (const WhisperLiveSegment * segment)
{
  WhisperLiveSegment *copy = g_memdup2 (segment, sizeof *segment);
  guint i;

  copy->text = g_strdup (segment->text);
  copy->speaker = g_strdup (segment->speaker);
  if (segment->words) {
    copy->words = g_ptr_array_new_full (segment->words->len,
        (GDestroyNotify) whisperlive_word_free);
    for (i = 0; i < segment->words->len; i++)
      g_ptr_array_add (copy->words,
          whisperlive_word_copy (g_ptr_array_index (segment->words, i)));
  }
  return copy;
}

void
whisperlive_segment_free (WhisperLiveSegment * segment)
{
  if (!segment)
    return;
  g_free (segment->text);
  g_free (segment->speaker);
  g_clear_pointer (&segment->words, g_ptr_array_unref);
  g_free (segment);
}
