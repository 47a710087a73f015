/* whisperlive-queue-flow: what there is in the queue, for those who decide by it
 *
 * Changes nothing in it.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-queue-private.h"

#include "whisperlive-protocol.h"

/* One chunk that is no longer may be nothing but a click: speech is in more of them. */
#define CLICK (WHISPERLIVE_RATE / 10)
#define SHORTEST_PAUSE (WHISPERLIVE_RATE * 3 / 10)
#define SHORTEST_SEGMENT (WHISPERLIVE_RATE / 2)

/* @loudest: the short chunk that does not count so far */
static void
add_level (WhisperLiveFlow * flow, const WhisperLiveChunk * chunk,
    gfloat * loudest)
{
  gfloat level = chunk->level;

  if (chunk->samples <= CLICK && level > *loudest) {
    level = *loudest;
    *loudest = chunk->level;
  }
  flow->level = MAX (flow->level, level);
}

void
whisperlive_queue_get_flow (WhisperLiveQueue * queue, WhisperLiveFlow * flow)
{
  gboolean sound = FALSE, speech = FALSE;
  guint64 aftersound;
  gfloat loudest = 0;
  GList *l;

  g_mutex_lock (&queue->lock);
  aftersound = queue->settled ? WHISPERLIVE_AFTERSOUND : 0;
  *flow = (WhisperLiveFlow) {
  .head = queue->head,.sent = queue->tail,.tail = queue->tail,.ended =
        queue->stream == STREAM_ENDED,.generation = queue->generation,.stale =
        queue->stale,.sound_at = G_MAXINT64,.speech_at = G_MAXINT64,};
  if (queue->next) {
    WhisperLiveChunk *chunk = queue->next->data;

    flow->sent = chunk->position;
    flow->waiting = chunk->samples;
    flow->again = chunk->since != 0;
  }
  flow->sound = flow->speech = flow->sent;
  /* once over what may be 45 s in 450 chunks, for this is asked several times for each chunk */
  for (l = queue->chunks.head; l != queue->next; l = l->next) {
    WhisperLiveChunk *chunk = l->data;
    guint64 samples = whisperlive_queue_get_held (queue, chunk);

    flow->lag += samples;
    if (whisperlive_chunk_is_sound (chunk)) {
      if (!sound) {
        flow->sound = MAX (chunk->position, queue->head);
        flow->sound_at = chunk->since;
      }
      flow->loud += samples;
      sound = TRUE;
      if (!speech
          && chunk->position + chunk->samples > queue->head + aftersound) {
        flow->speech = MAX (chunk->position, queue->head);
        flow->speech_at = chunk->since;
        speech = TRUE;
      }
    }
    if (speech && flow->pass_at == 0 && chunk->position + chunk->samples >=
        flow->speech + WHISPERLIVE_SHORTEST_PASS)
      flow->pass_at = chunk->since;
    add_level (flow, chunk, &loudest);
  }
  g_mutex_unlock (&queue->lock);
}

guint64
whisperlive_queue_find_pause (WhisperLiveQueue * queue, guint64 max)
{
  guint64 end = 0, pause = 0;
  gfloat quietest = G_MAXFLOAT;
  GList *l;

  g_mutex_lock (&queue->lock);
  for (l = queue->next; l && end <= max; l = l->next) {
    const WhisperLiveChunk *chunk = l->data;
    const WhisperLiveChunk *after = l->next ? l->next->data : NULL;

    end += chunk->samples;
    /* the latest of those that are as quiet, between two chunks */
    if (end <= max && after && chunk->level + after->level <= quietest) {
      quietest = chunk->level + after->level;
      pause = end;
    }
  }
  g_mutex_unlock (&queue->lock);
  return end > max ? pause : 0;
}

guint64
whisperlive_queue_find_sent_pause (WhisperLiveQueue * queue, guint64 start,
    gfloat level)
{
  guint64 sent = 0, begin, end = 0, pause = 0;
  GList *l;

  g_mutex_lock (&queue->lock);
  for (l = queue->next ? queue->next->prev : queue->chunks.tail; l; l = l->prev) {
    const WhisperLiveChunk *chunk = l->data;

    begin = chunk->position + chunk->samples;
    if (!sent)
      sent = begin;
    if (chunk->position < start || chunk->level >= level) {
      if (end >= begin + SHORTEST_PAUSE && end + SHORTEST_SEGMENT <= sent)
        pause = (begin + end) / 2;
      if (pause || chunk->position < start)
        break;
      end = 0;
    } else if (!end) {
      end = begin;
    }
  }
  g_mutex_unlock (&queue->lock);
  return pause;
}

GPtrArray *
whisperlive_queue_copy (WhisperLiveQueue * queue, guint64 start, guint64 end)
{
  GPtrArray *frames = g_ptr_array_new_with_free_func
      ((GDestroyNotify) g_bytes_unref);
  GList *l;

  g_mutex_lock (&queue->lock);
  for (l = queue->chunks.head; l; l = l->next) {
    const WhisperLiveChunk *chunk = l->data;

    if (chunk->position < end && chunk->position + chunk->samples > start)
      g_ptr_array_add (frames, g_bytes_ref (chunk->data));
  }
  g_mutex_unlock (&queue->lock);
  return frames;
}

guint64
whisperlive_queue_sent_before (WhisperLiveQueue * queue, gint64 time)
{
  guint64 position;
  GList *l;

  g_mutex_lock (&queue->lock);
  position = queue->head;
  for (l = queue->chunks.head; l; l = l->next) {
    const WhisperLiveChunk *chunk = l->data;

    if (!chunk->since || chunk->since >= time)
      break;
    position = chunk->position + chunk->samples;
  }
  g_mutex_unlock (&queue->lock);
  return position;
}

/* Called with the lock: without the gaps that dropped chunks left. */
static guint64
get_lag (WhisperLiveQueue * queue)
{
  guint64 lag = 0;
  GList *l;

  for (l = queue->chunks.head; l != queue->next; l = l->next)
    lag += whisperlive_queue_get_held (queue, l->data);
  return lag;
}

void
whisperlive_queue_get_counters (WhisperLiveQueue * queue,
    WhisperLiveCounters * counters)
{
  g_mutex_lock (&queue->lock);
  counters->received = queue->tail;
  counters->sent = queue->sent;
  counters->lag = get_lag (queue);
  counters->settled = queue->settled;
  counters->lost = queue->lost;
  g_mutex_unlock (&queue->lock);
}
