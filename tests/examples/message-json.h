/* message-json: what GStreamer messages carry, as JSON
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

JsonObject *structure_to_json (const GstStructure *structure);
JsonObject *tags_to_json (const GstTagList *tags);

G_END_DECLS
