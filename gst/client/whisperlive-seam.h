/* whisperlive-seam: words that are lost where the server cuts
 *
 * When the server completes a segment, it cuts its audio at that segment's end, which Whisper only estimates. The next passes begin with
 * half a word, and do not hear it any more: of "He might even have been" stays "might even have been". The pass before the cut had
 * heard it.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @text with the one or two first words of @before in front, if it goes on after them as @before does; else NULL. */
gchar *whisperlive_seam_mend (const gchar * before, const gchar * text);

G_END_DECLS
