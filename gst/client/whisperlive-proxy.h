/* whisperlive-proxy: how to get to the server
 *
 * libsoup makes a tunnel through an HTTP proxy for wss:// only, and asks it to GET a ws:// address, which proxies know nothing of. GIO
 * can make one for anything, with CONNECT. This resolver sees to it that GIO does.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-settings.h"

G_BEGIN_DECLS

/* The proxy of @settings, or the system's, with the user and password of @settings if it has none of its own. */
GProxyResolver *whisperlive_proxy_resolver_new (const WhisperLiveSettings * settings);

G_END_DECLS
