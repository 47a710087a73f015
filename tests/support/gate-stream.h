/* gate-stream: a GIOStream whose reading side can be shut and opened again
 *
 * What a server looks like that does not read any more while it still writes. Used by one thread.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define GATE_TYPE_STREAM (gate_stream_get_type ())
G_DECLARE_FINAL_TYPE (GateStream, gate_stream, GATE, STREAM, GIOStream)

GateStream *gate_stream_new (GIOStream * base);
void gate_stream_set_open (GateStream * stream, gboolean open);

G_END_DECLS
