/* raw-upgrade: the opening handshake of a WebSocket server that is a plain socket
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Reads the request and answers it; FALSE: there was none. */
gboolean raw_upgrade (GIOStream * connection);

G_END_DECLS
