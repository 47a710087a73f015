/* raw-upgrade: the opening handshake of a WebSocket server that is a plain socket
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "raw-upgrade.h"

#include <string.h>

#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static gchar *
read_key (GInputStream * stream)
{
  static const gchar field[] = "sec-websocket-key:";
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (stream);
  gchar *line, *key = NULL;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (input),
      FALSE);
  while ((line = g_data_input_stream_read_line (input, NULL, NULL, NULL))) {
    gboolean last = *g_strchomp (line) == '\0';

    if (!key && g_ascii_strncasecmp (line, field, strlen (field)) == 0)
      key = g_strdup (g_strstrip (line + strlen (field)));
    g_free (line);
    if (last)
      break;
  }
  return key;
}

gboolean
raw_upgrade (GIOStream * connection)
{
  g_autofree gchar *key = read_key (g_io_stream_get_input_stream (connection));
  g_autofree gchar *whole = NULL, *accept = NULL, *response = NULL;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize length = sizeof digest;

  if (!key)
    return FALSE;
  whole = g_strconcat (key, WEBSOCKET_GUID, NULL);
  g_checksum_update (checksum, (const guchar *) whole, -1);
  g_checksum_get_digest (checksum, digest, &length);
  accept = g_base64_encode (digest, length);
  response = g_strdup_printf ("HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
  return g_output_stream_write_all (g_io_stream_get_output_stream (connection),
      response, strlen (response), NULL, NULL, NULL);
}
