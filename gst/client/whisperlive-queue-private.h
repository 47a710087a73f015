/* whisperlive-queue-private: what the queue's two files share
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-queue.h"

G_BEGIN_DECLS

typedef enum
{
  STREAM_FLOWING,
  STREAM_ENDED,                 /* end() was called */
  STREAM_DRAINED,               /* and the session has got all the text */
} StreamState;

typedef enum
{
  QUEUE_OPEN,
  QUEUE_FAILING,                /* fail() was called */
  QUEUE_CLOSED,
} QueueState;

struct _WhisperLiveQueue
{
  GMutex lock;
  GCond cond;

  /* all below under the lock */
  GFunc wake;
  gpointer wake_data;
  GQueue chunks;                /* of WhisperLiveChunk, contiguous but for dropped ones, oldest first */
  GList *next;                  /* the first one that waits, NULL when all are sent */
  guint64 head, tail;           /* positions: of the oldest sample that is not settled, and of the next to come */
  guint64 held;                 /* samples in chunks that take room, from head on */
  guint64 max_held;
  guint64 settled, lost, sent;
  GArray *losses;
  StreamState stream;
  QueueState state;
  gboolean ready, stale;
  guint unlocked;               /* by so many */
  guint generation;
};

gboolean whisperlive_chunk_is_sound (const WhisperLiveChunk * chunk);
/* Called with the lock: samples that are still held of @first, the oldest chunk, or of any other. */
guint64 whisperlive_queue_get_held (const WhisperLiveQueue * queue, const WhisperLiveChunk * first);

G_END_DECLS
