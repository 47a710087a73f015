/* census: what lives in this process, to be compared before and after a test
 *
 * Threads, internet sockets, and GStreamer's objects: elements, pads, buses, messages, buffers, caps and so on, as the
 * "leaks" tracer knows them (GST_TRACERS=leaks).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Of strings that say what each is */
typedef struct
{
  GPtrArray *threads, *sockets, *objects;
  GType forgiven;
} Census;

Census *census_new (void);
void census_free (Census * census);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Census, census_free)

/* One mini object more of this type is not our fault: it loses its last reference when it is found. */
void census_forgive (Census * before, GType type);
/* "2 threads: a b; 1 socket: …" that are not in @before, or NULL. */
gchar *census_more (const Census * census, const Census * before);
/* Waits until no more lives than before; after 60 s it fails the test with what is left. */
void census_assert_no_more (Census * before, const gchar * when);

/* Of one kind, now */
guint census_count_threads (void);
guint census_count_sockets (void);
/* Is this object among those that live? */
gboolean census_sees (gconstpointer object);

G_END_DECLS
