/* whisperlive-debug: makes the debug category of a file, once
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

/* GST_DEBUG_CATEGORY_INIT where the threads of several elements may be the first at the same time. */
#define WHISPERLIVE_DEBUG_CATEGORY_INIT(category, name, description) \
  G_STMT_START { \
    static gsize once_; \
    if (g_once_init_enter (&once_)) { \
      GST_DEBUG_CATEGORY_INIT (category, name, 0, description); \
      g_once_init_leave (&once_, 1); \
    } \
  } G_STMT_END
