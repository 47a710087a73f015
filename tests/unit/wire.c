/* Tests of whisperlive-wire: what is held inside as 16 bits, in each format that servers take
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-wire.h"

static GBytes *
make (WhisperLiveFormat format, const gint16 * values, gsize samples)
{
  g_autoptr (GBytes) inside = g_bytes_new (values, samples * sizeof *values);

  return whisperlive_wire_make (format, inside);
}

/* Every value there is, to the last bit */
GST_START_TEST (test_float32)
{
  gint16 value = G_MININT16;

  do {
    g_autoptr (GBytes) frame = make (WHISPERLIVE_FORMAT_FLOAT32, &value, 1);

    fail_unless_equals_int (g_bytes_get_size (frame), 4);
    fail_unless (GST_READ_FLOAT_LE (g_bytes_get_data (frame, NULL)) ==
        value / 32768.0f);
  } while (value++ < G_MAXINT16);
}

GST_END_TEST;

GST_START_TEST (test_int16)
{
  static const gint16 values[] = { 0, 1, -1, 258, G_MAXINT16, G_MININT16 };
  static const guint8 expected[] =
      { 0, 0, 1, 0, 0xff, 0xff, 2, 1, 0xff, 0x7f, 0, 0x80 };
  g_autoptr (GBytes) frame = make (WHISPERLIVE_FORMAT_INT16, values,
      G_N_ELEMENTS (values));

  fail_unless_equals_int (g_bytes_get_size (frame), sizeof expected);
  fail_unless (!memcmp (g_bytes_get_data (frame, NULL), expected,
          sizeof expected));
}

GST_END_TEST;

/* To the nearest, and not over the edge */
GST_START_TEST (test_uint8)
{
  static const gint16 values[] = { 0, 127, 128, 256, -128, -129, 8192, 32511,
    32512, G_MAXINT16, G_MININT16
  };
  static const guint8 expected[] = { 128, 128, 129, 129, 128, 127, 160, 255,
    255, 255, 0
  };
  g_autoptr (GBytes) frame = make (WHISPERLIVE_FORMAT_UINT8, values,
      G_N_ELEMENTS (values));
  const guint8 *data = g_bytes_get_data (frame, NULL);
  guint i;

  fail_unless_equals_int (g_bytes_get_size (frame), sizeof expected);
  for (i = 0; i < sizeof expected; i++)
    fail_unless_equals_int (data[i], expected[i]);
}

GST_END_TEST;

GST_START_TEST (test_silence)
{
  static const gsize sizes[] = { 4, 2, 1 };
  static const guint8 silence[] = { 0, 0, 0x80 };
  g_autoptr (GBytes) frame = whisperlive_wire_make_silence (__i__, 1000);
  gsize size, i;
  const guint8 *data = g_bytes_get_data (frame, &size);

  fail_unless_equals_int (size, 1000 * sizes[__i__]);
  for (i = 0; i < size; i++)
    fail_unless_equals_int (data[i], silence[__i__]);
}

GST_END_TEST;

static Suite *
wire_suite (void)
{
  Suite *suite = suite_create ("wire");
  TCase *tc = tcase_create ("formats");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_float32);
  tcase_add_test (tc, test_int16);
  tcase_add_test (tc, test_uint8);
  tcase_add_loop_test (tc, test_silence, 0, 3);
  return suite;
}

GST_CHECK_MAIN (wire);
