/* usage: what this process has used so far
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gdouble cpu;                  /* s, user and system, of all threads */
  guint64 resident;             /* KiB */
  guint threads;
} Usage;

void usage_get (Usage * usage);
/* As many files and sockets as the system allows. */
void usage_raise_files (void);

G_END_DECLS
