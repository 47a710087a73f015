/* flood-server: gets ready, and then sends the same bytes for ever, as fast as they are taken; it reads nothing
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
/* The connection has to be gone. */
void flood_server_free (FloodServer * server);

/* "ws://127.0.0.1:PORT", owned by the server */
const gchar *flood_server_uri (const FloodServer * server);

G_END_DECLS
