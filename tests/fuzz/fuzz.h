/* fuzz: what the targets share
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

#include "whisperlive-protocol.h"

G_BEGIN_DECLS

/* What has come out as text so far */
typedef struct
{
  guint64 settled;              /* the end of the last final */
  guint64 id;
  guint revision;
  gboolean any;
} FuzzText;

int LLVMFuzzerTestOneInput (const uint8_t * data, size_t size);

/* What the parser promises. */
void fuzz_check_message (const WhisperLiveMessage * message);
/* What an application may rely on; @updates: of WhisperLiveUpdate. */
void fuzz_check_updates (FuzzText * text, const GPtrArray * updates);

typedef void (*FuzzLine) (gpointer user_data, const gchar * line, gsize length);
/* No line is empty. */
void fuzz_each_line (const uint8_t * data, size_t size, FuzzLine on_line, gpointer user_data);
/* Behind the first character of a line; 0 when there is none. */
guint fuzz_number (const gchar * line, gsize length);

G_END_DECLS
