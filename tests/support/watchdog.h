/* watchdog: a test that hangs tells where, and fails, before Check kills it without a word
 *
 * Check's limit is CK_DEFAULT_TIMEOUT times CK_TIMEOUT_MULTIPLIER; WHISPERLIVE_WATCHDOG is a limit of the watchdog's own,
 * in seconds. Where Check has no limit or does not fork (under a debugger), there is no watchdog.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @tell prints what else is worth knowing, on a thread of the watchdog; it may be NULL. */
void watchdog_start (void (*tell) (void));
void watchdog_stop (void);

G_END_DECLS
