/* stamp-server: a server on loopback, in a thread of this process, that notes when audio comes and when messages go
 *
 * It is ready at once, transcribes nothing, and says numbers in even intervals: message N completes the one before and has
 * the partial text N. Its times are those of g_get_monotonic_time(), as are the client's.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _StampServer StampServer;

StampServer *stamp_server_new (void);
const gchar *stamp_server_uri (const StampServer * server);
/* No more stamps after that. */
void stamp_server_stop (StampServer * server);
void stamp_server_free (StampServer * server);

typedef struct
{
  guint64 end;                  /* samples that had come with it */
  gint64 at;
} StampFrame;

/* Only once it is stopped: array of StampFrame, and of gint64, when message N was sent */
const GArray *stamp_server_frames (const StampServer * server);
const GArray *stamp_server_messages (const StampServer * server);

G_END_DECLS
