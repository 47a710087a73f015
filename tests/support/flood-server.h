/* flood-server: sends the same bytes for ever, as fast as they are taken, ready or not; it does not listen
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _FloodServer FloodServer;

/* Listens on 127.0.0.1, on a port of its own. After SERVER_READY it sends the bytes @once, and @frame again and again. */
FloodServer *flood_server_new (const gchar * once, gsize once_length, const gchar * frame, gsize length);
/* Without an upgrade: sends @once, and @again after it (NULL: nothing). */
FloodServer *flood_server_new_raw (const gchar * once, const gchar * again);
/* Until so much has been taken that the other side is in the midst of it. */
void flood_server_wait (FloodServer * server);
/* The connection has to be gone. */
void flood_server_free (FloodServer * server);

/* "ws://127.0.0.1:PORT", owned by the server */
const gchar *flood_server_uri (const FloodServer * server);

G_END_DECLS
