/* Words that are lost where the server cuts.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-seam.h"

static const struct
{
  const gchar *before, *text, *mended;
} cases[] = {
  {"He might even have been", "might even have been made amiable himself.",
      "He might even have been made amiable himself."},
  {"And then he was ill", "he was ill", "And then he was ill"},
  /* case and punctuation do not count */
  {"Well, Might even", "might even. So", "Well, might even. So"},
  {"Ça, été là déjà", "Été là, déjà vu",
      "Ça, Été là, déjà vu"},
  /* nothing is missing */
  {"He might even have", "He might even have been", NULL},
  {"no no no no", "no no no no", NULL},
  /* another beginning */
  {"One less to be rather", "Unless to be rather", NULL},
  {"He might even", "even so", NULL},
  /* one word that is the same may be chance */
  {"He was", "was", NULL},
  {"He was not", "was ill", NULL},
  /* a cut does not take more than two words */
  {"a b c d e f", "d e f", NULL},
  {"", "might even", NULL},
  {"He might even", "", NULL},
  {"", "", NULL},
  {"... ... --", "-- ...", NULL},
};

GST_START_TEST (test_mend)
{
  g_autofree gchar *mended = whisperlive_seam_mend (cases[__i__].before,
      cases[__i__].text);

  fail_unless_equals_string (mended, cases[__i__].mended);
}

GST_END_TEST;

static Suite *
seam_suite (void)
{
  Suite *s = suite_create ("seam");
  TCase *tc = tcase_create ("mend");

  tcase_add_loop_test (tc, test_mend, 0, G_N_ELEMENTS (cases));
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (seam);
