/* stuck-resolver: looks names up, and never finds out anything
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* To be the default for a while. A look-up ends when it is cancelled; it wakes who waits for the first one. */
GResolver *stuck_resolver_new (void);
/* FALSE when nobody has looked up anything within 30 s. */
gboolean stuck_resolver_wait (GResolver * resolver);

G_END_DECLS
