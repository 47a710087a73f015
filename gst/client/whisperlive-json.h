/* whisperlive-json: text from the network to a JSON object, with nothing that could hurt on the way
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* NULL and a WHISPERLIVE_PROTOCOL_ERROR unless @json, which need not be terminated, is one JSON object in UTF-8 that is neither too
 * large nor nested too deeply. Every string in it is valid and whole. NaN, which Python writes, comes as -1. */
JsonObject *whisperlive_json_load (const gchar * json, gsize length, GError ** error);

G_END_DECLS
