/* whisperlive-seam: words that are lost where the server cuts
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-seam.h"

#include <string.h>

/* A cut costs no more words than that. */
#define MAX_LOST 2
/* As many words have to be the same behind them: one may be chance. */
#define MIN_SAME 2
#define MAX_SAME 3

/* Without case and punctuation */
static gchar *
normalize (const gchar * word)
{
  g_autofree gchar *folded = g_utf8_casefold (word, -1);
  GString *string = g_string_new (NULL);
  const gchar *p;

  for (p = folded; *p; p = g_utf8_next_char (p)) {
    if (g_unichar_isalnum (g_utf8_get_char (p)))
      g_string_append_unichar (string, g_utf8_get_char (p));
  }
  return g_string_free (string, FALSE);
}

/* The first words of @text, normalized */
static GPtrArray *
split (const gchar * text, guint max)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) parts = g_strsplit_set (text, " \t\n", -1);
  guint i;

  for (i = 0; parts[i] && words->len < max; i++) {
    if (*parts[i])
      g_ptr_array_add (words, normalize (parts[i]));
  }
  return words;
}

static guint
count_same (const GPtrArray * before, guint lost, const GPtrArray * after)
{
  guint n = 0;

  while (n < after->len && lost + n < before->len
      && g_str_equal (g_ptr_array_index (before, lost + n),
          g_ptr_array_index (after, n)))
    n++;
  return n;
}

/* The end of the first @n words of @text */
static const gchar *
skip_words (const gchar * text, guint n)
{
  const gchar *p = text;

  while (n--) {
    p += strspn (p, " \t\n");
    p += strcspn (p, " \t\n");
  }
  return p;
}

gchar *
whisperlive_seam_mend (const gchar * before, const gchar * text)
{
  g_autoptr (GPtrArray) old = split (before, MAX_LOST + MAX_SAME);
  g_autoptr (GPtrArray) new = split (text, MAX_SAME);
  guint lost;

  for (lost = 0; lost <= MAX_LOST && lost < old->len; lost++) {
    guint same = count_same (old, lost, new);

    /* as far as both go */
    if (same < MIN_SAME || (same < new->len && lost + same < old->len))
      continue;
    if (lost == 0)
      return NULL;
    return g_strdup_printf ("%.*s %s", (int) (skip_words (before, lost) -
            before), before, text);
  }
  return NULL;
}
