/* whisperlive-json: text from the network to a JSON object, with nothing that could hurt on the way
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-json.h"

#include <string.h>

#include "whisperlive-protocol.h"

/* Bounds on what a server may say. A genuine one stays far below all of them. */
#define MAX_DEPTH 32
#define MAX_VALUES (256 * 1024)
#define MAX_DIGITS 18           /* any such integer fits */

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

/* @p is after the backslash. Its length with the backslash, or 0 if it is none of JSON's. */
static gsize
escape_length (const gchar * p, const gchar * end)
{
  guint i, code = 0;

  if (p == end)
    return 0;
  if (*p != 'u')
    return strchr ("\"\\/bfnrt", *p) && *p ? 2 : 0;
  if (end - p < 5)
    return 0;
  for (i = 1; i <= 4; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return 0;
    code = code * 16 + g_ascii_xdigit_value (p[i]);
  }
  /* a NUL would end the string early; half a surrogate pair is not text */
  if (code == 0 || (code >= 0xdc00 && code <= 0xdfff))
    return 0;
  if (code < 0xd800 || code > 0xdbff)
    return 6;
  if (end - p < 11 || p[5] != '\\' || p[6] != 'u'
      || (p[7] != 'd' && p[7] != 'D') || !strchr ("cdefCDEF", p[8])
      || !g_ascii_isxdigit (p[9]) || !g_ascii_isxdigit (p[10]))
    return 0;
  return 12;
}

/* From after the opening quote to the closing one; NULL if there is none */
static gchar *
skip_string (gchar * p, const gchar * end, GError ** error)
{
  while (p < end && *p != '"') {
    gsize length = 1;

    if (*p == '\\')
      length = escape_length (p + 1, end);
    if (length == 0) {
      refuse (error, "a string has a bad escape sequence");
      return NULL;
    }
    p += length;
  }
  if (p < end)
    return p;
  refuse (error, "a string does not end");
  return NULL;
}

/* From the first digit to the last one; NULL if the parser, which wraps around, would get it wrong */
static gchar *
skip_digits (gchar * p, const gchar * end, GError ** error)
{
  const gchar *first = p;
  gboolean fraction = p[-1] == '.';

  while (p + 1 < end && g_ascii_isdigit (p[1]))
    p++;
  if (fraction || p - first < MAX_DIGITS)
    return p;
  refuse (error, "a number is too long");
  return NULL;
}

static gboolean
replace (gchar * p, const gchar * end, const gchar * name,
    const gchar * replacement)
{
  gsize length = strlen (name);

  if ((gsize) (end - p) < length || memcmp (p, name, length) != 0)
    return FALSE;
  memcpy (p, replacement, length);
  return TRUE;
}

/* json-glib takes more than JSON (comments, quotes of another kind, octal escapes, a second value) and recurses as
 * deep as the input does: nothing of that gets to it. Python, on the other hand, writes NaN and Infinity, which
 * are not JSON: they become numbers that pass as no time. */
static gboolean
prepare (gchar * json, gsize length, GError ** error)
{
  gchar *p, *end = json + length;
  guint depth = 0, values = 0;

  for (p = json; p < end; p++) {
    if (strchr (" \t\r\n", *p))
      continue;
    /* an object, and nothing else before it or after it */
    if (*p == '{' || *p == '[') {
      if (depth == 0 && values++ > 0)
        return refuse (error, "it is more than one value");
      if (++depth > MAX_DEPTH)
        return refuse (error, "it is nested too deeply");
    } else if (depth == 0) {
      return refuse (error, "it is not a JSON object");
    } else if (*p == '}' || *p == ']') {
      depth--;
    } else if (*p == ',') {
      if (++values > MAX_VALUES)
        return refuse (error, "it holds too many values");
    } else if (*p == '"') {
      if (!(p = skip_string (p + 1, end, error)))
        return FALSE;
    } else if (g_ascii_isdigit (*p)) {
      if (!(p = skip_digits (p, end, error)))
        return FALSE;
    } else if (!replace (p, end, "NaN", "-1 ")
        && !replace (p, end, "Infinity", "1e999   ")
        && !g_ascii_isalpha (*p) && !strchr (":+-.", *p)) {
      return refuse (error, "it is not JSON");
    }
  }
  return TRUE;
}

JsonObject *
whisperlive_json_load (const gchar * json, gsize length, GError ** error)
{
  g_autoptr (JsonParser) parser = NULL;
  g_autofree gchar *copy = NULL;
  g_autoptr (GError) parse_error = NULL;
  JsonNode *root;

  if (length > WHISPERLIVE_MAX_MESSAGE_SIZE) {
    refuse (error, "%" G_GSIZE_FORMAT " bytes are too many", length);
    return NULL;
  }
  if (!g_utf8_validate_len (json, length, NULL)) {
    refuse (error, "it is not UTF-8");
    return NULL;
  }
  copy = g_strndup (json, length);
  if (!prepare (copy, length, error))
    return NULL;

  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, copy, length, &parse_error)) {
    /* quotes the input: cut it short, wherever that is in a character */
    g_autofree gchar *head = g_strndup (parse_error->message, 200);
    g_autofree gchar *quoted = g_utf8_make_valid (head, -1);

    refuse (error, "it is not JSON: %s", quoted);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT (root)) {
    refuse (error, "it is not a JSON object");
    return NULL;
  }
  return json_node_dup_object (root);
}
