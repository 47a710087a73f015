/* whisperlive-wire: the sample formats that servers take, made of the one that audio has inside
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-wire.h"

static const struct
{
  const gchar *name;            /* in the handshake */
  gsize size;                   /* of a sample */
} formats[] = {
  [WHISPERLIVE_FORMAT_FLOAT32] = {"float32", sizeof (gfloat)},
  [WHISPERLIVE_FORMAT_INT16] = {"int16", sizeof (gint16)},
  [WHISPERLIVE_FORMAT_UINT8] = {"uint8", sizeof (guint8)},
};

static GBytes *
make_float32 (const gint16 * in, gsize samples)
{
  gfloat *out = g_new (gfloat, samples);
  gsize i;

  for (i = 0; i < samples; i++)
    GST_WRITE_FLOAT_LE ((guint8 *) & out[i], in[i] / 32768.0f);
  return g_bytes_new_take (out, samples * sizeof *out);
}

static GBytes *
make_int16 (const gint16 * in, gsize samples)
{
  gint16 *out = g_new (gint16, samples);
  gsize i;

  for (i = 0; i < samples; i++)
    out[i] = GINT16_TO_LE (in[i]);
  return g_bytes_new_take (out, samples * sizeof *out);
}

/* To the nearest of 256 steps; 0 becomes 128 */
static GBytes *
make_uint8 (const gint16 * in, gsize samples)
{
  guint8 *out = g_new (guint8, samples);
  gsize i;

  for (i = 0; i < samples; i++)
    out[i] = MIN ((in[i] + 32768 + 128) / 256, 255);
  return g_bytes_new_take (out, samples);
}

GBytes *
whisperlive_wire_make (WhisperLiveFormat format, GBytes * samples)
{
  gsize size;
  const gint16 *data = g_bytes_get_data (samples, &size);

  switch (format) {
    case WHISPERLIVE_FORMAT_INT16:
      return make_int16 (data, size / sizeof *data);
    case WHISPERLIVE_FORMAT_UINT8:
      return make_uint8 (data, size / sizeof *data);
    default:
      return make_float32 (data, size / sizeof *data);
  }
}

const gchar *
whisperlive_wire_get_name (WhisperLiveFormat format)
{
  return formats[format].name;
}

gsize
whisperlive_wire_get_size (WhisperLiveFormat format, gsize samples)
{
  return samples * formats[format].size;
}

GBytes *
whisperlive_wire_make_silence (WhisperLiveFormat format, guint samples)
{
  g_autoptr (GBytes) nothing = g_bytes_new_take (g_new0 (gint16, samples),
      samples * sizeof (gint16));

  return whisperlive_wire_make (format, nothing);
}
