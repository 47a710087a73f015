/* memory-use: how much memory this process takes
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that are allocated */
gsize memory_use_heap (void);
/* Bytes that the process takes of the machine; 0 where that tells nothing about it */
gsize memory_use_resident (void);

G_END_DECLS
