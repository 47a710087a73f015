/* whisperlive-queue: audio between the streaming thread and the session thread
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-queue-private.h"

#include "whisperlive-protocol.h"

WhisperLiveChunk *
whisperlive_chunk_new (GBytes * data, guint samples, gfloat level,
    const WhisperLiveMark * mark)
{
  WhisperLiveChunk *chunk = g_new0 (WhisperLiveChunk, 1);

  chunk->data = data;
  chunk->samples = samples;
  chunk->level = level;
  chunk->mark = *mark;
  return chunk;
}

void
whisperlive_chunk_free (WhisperLiveChunk * chunk)
{
  g_bytes_unref (chunk->data);
  g_free (chunk);
}

void
whisperlive_queue_set_wake (WhisperLiveQueue * queue, GFunc wake,
    gpointer user_data)
{
  g_mutex_lock (&queue->lock);
  queue->wake = wake;
  queue->wake_data = user_data;
  g_mutex_unlock (&queue->lock);
}

static void
wake (WhisperLiveQueue * queue)
{
  gpointer data;
  GFunc func;

  g_mutex_lock (&queue->lock);
  func = queue->wake;
  data = queue->wake_data;
  g_mutex_unlock (&queue->lock);
  if (func)
    func (queue, data);
}

static GstClockTime
chunk_running_time (const WhisperLiveChunk * chunk)
{
  const WhisperLiveMark *mark = &chunk->mark;
  GstClockTime before;

  if (!GST_CLOCK_TIME_IS_VALID (mark->running_time))
    return GST_CLOCK_TIME_NONE;
  before = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) mark->offset) / mark->rate;
  return mark->running_time - MIN (before, mark->running_time);
}

/* Cuts @n samples off the front. */
static void
chunk_trim (WhisperLiveChunk * chunk, guint n)
{
  WhisperLiveMark *mark = &chunk->mark;
  gsize stride = g_bytes_get_size (chunk->data) / chunk->samples;
  GBytes *rest = g_bytes_new_from_bytes (chunk->data, n * stride,
      (chunk->samples - n) * stride);

  g_bytes_unref (chunk->data);
  chunk->data = rest;
  chunk->samples -= n;
  chunk->position += n;
  if (n <= mark->offset) {
    mark->offset -= n;
  } else {
    guint64 past = WHISPERLIVE_SAMPLES_TO_TIME ((guint64) n - mark->offset);

    mark->offset = 0;
    if (GST_CLOCK_TIME_IS_VALID (mark->running_time))
      mark->running_time += past / mark->rate;
    if (GST_CLOCK_TIME_IS_VALID (mark->stream_time))
      mark->stream_time += past * mark->applied_rate;
  }
}

WhisperLiveQueue *
whisperlive_queue_new (void)
{
  WhisperLiveQueue *queue = g_new0 (WhisperLiveQueue, 1);

  g_mutex_init (&queue->lock);
  g_cond_init (&queue->cond);
  g_queue_init (&queue->chunks);
  queue->losses = g_array_new (FALSE, FALSE, sizeof (WhisperLiveLoss));
  queue->max_held = G_MAXUINT64;
  return queue;
}

void
whisperlive_queue_free (WhisperLiveQueue * queue)
{
  g_queue_clear_full (&queue->chunks, (GDestroyNotify) whisperlive_chunk_free);
  g_array_unref (queue->losses);
  g_mutex_clear (&queue->lock);
  g_cond_clear (&queue->cond);
  g_free (queue);
}

gboolean
whisperlive_chunk_is_sound (const WhisperLiveChunk * chunk)
{
  return chunk->level >= WHISPERLIVE_SILENCE_LEVEL;
}

/* Silence that a server has had waits for nothing but its age: room is for sound, and for what is still to be sent. */
static gboolean
takes_room (const WhisperLiveChunk * chunk)
{
  return whisperlive_chunk_is_sound (chunk) || !chunk->sent;
}

guint64
whisperlive_queue_get_held (const WhisperLiveQueue * queue,
    const WhisperLiveChunk * first)
{
  guint64 done = queue->head > first->position ?
      queue->head - first->position : 0;

  return first->samples - done;
}

/* Called with the lock: takes @chunk. What follows the last loss in the stream may be heard much later: that is another loss. */
static void
lose_chunk (WhisperLiveQueue * queue, WhisperLiveChunk * chunk,
    WhisperLiveLossReason reason)
{
  guint64 left = whisperlive_queue_get_held (queue, chunk);
  WhisperLiveLoss *last = NULL;
  WhisperLiveLoss loss = {.reason = reason,.samples = left };

  if (left < chunk->samples)
    chunk_trim (chunk, chunk->samples - left);
  loss.position = chunk->position;
  loss.running_time = loss.end = chunk_running_time (chunk);
  if (GST_CLOCK_TIME_IS_VALID (loss.end))
    loss.end += WHISPERLIVE_SAMPLES_TO_TIME (left) / chunk->mark.rate;
  whisperlive_chunk_free (chunk);

  queue->lost += left;
  if (queue->losses->len)
    last = &g_array_index (queue->losses, WhisperLiveLoss,
        queue->losses->len - 1);
  if (last && last->reason == reason
      && last->position + last->samples == loss.position
      && ABS (GST_CLOCK_DIFF (last->end, loss.running_time)) <= GST_MSECOND) {
    last->samples += left;
    last->end = loss.end;
  } else {
    g_array_append_val (queue->losses, loss);
  }
}

/* Called with the lock. */
static void
drop_all (WhisperLiveQueue * queue, WhisperLiveLossReason reason)
{
  WhisperLiveChunk *chunk;

  while ((chunk = g_queue_pop_head (&queue->chunks)))
    lose_chunk (queue, chunk, reason);
  queue->next = NULL;
  queue->held = 0;
  queue->head = queue->tail;
}

/* Called with the lock: the first from @link on that takes room. */
static GList *
find_room (GList * link)
{
  while (link && !takes_room (link->data))
    link = link->next;
  return link;
}

/* Called with the lock: the oldest chunk that waits; one that was sent may yet be settled, and goes only when there is no other. */
static void
drop_oldest (WhisperLiveQueue * queue)
{
  GList *waiting = find_room (queue->next);
  GList *link = waiting ? waiting : find_room (queue->chunks.head);
  WhisperLiveChunk *chunk = link->data;
  guint64 end = chunk->position + chunk->samples;
  gboolean first = !link->prev;

  if (queue->next == link)
    queue->next = link->next;
  queue->held -= whisperlive_queue_get_held (queue, chunk);
  g_queue_delete_link (&queue->chunks, link);
  lose_chunk (queue, chunk, WHISPERLIVE_LOSS_OVERFLOW);
  if (first)
    queue->head = end;
}

void
whisperlive_queue_start (WhisperLiveQueue * queue, guint64 max_time)
{
  g_mutex_lock (&queue->lock);
  g_queue_clear_full (&queue->chunks, (GDestroyNotify) whisperlive_chunk_free);
  g_array_set_size (queue->losses, 0);
  queue->next = NULL;
  queue->head = queue->tail = queue->held = 0;
  queue->settled = queue->lost = queue->sent = 0;
  queue->max_held = WHISPERLIVE_TIME_TO_SAMPLES (max_time);
  queue->stream = STREAM_FLOWING;
  queue->state = QUEUE_OPEN;
  queue->ready = queue->stale = FALSE;
  g_mutex_unlock (&queue->lock);
}

/* Called with the lock. A chunk longer than the bound is let in when it is alone. */
static gboolean
is_full (WhisperLiveQueue * queue, const WhisperLiveChunk * chunk)
{
  return queue->held > 0 && queue->held + chunk->samples > queue->max_held;
}

/* Called with the lock: whether to go on. */
static GstFlowReturn
get_flow_return (const WhisperLiveQueue * queue)
{
  if (queue->state == QUEUE_CLOSED)
    return GST_FLOW_ERROR;
  return queue->unlocked ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

GstFlowReturn
whisperlive_queue_push (WhisperLiveQueue * queue, WhisperLiveChunk * chunk,
    WhisperLiveFull full)
{
  GstFlowReturn ret;

  g_mutex_lock (&queue->lock);
  while ((ret = get_flow_return (queue)) == GST_FLOW_OK
      && (queue->state == QUEUE_FAILING
          || (full == WHISPERLIVE_FULL_BLOCK && is_full (queue, chunk))))
    g_cond_wait (&queue->cond, &queue->lock);

  if (ret != GST_FLOW_OK) {
    g_mutex_unlock (&queue->lock);
    return ret;
  }

  chunk->position = queue->tail;
  queue->tail += chunk->samples;
  queue->stream = STREAM_FLOWING;
  while (full == WHISPERLIVE_FULL_DROP_OLD && is_full (queue, chunk))
    drop_oldest (queue);
  if (is_full (queue, chunk)) {
    lose_chunk (queue, chunk, WHISPERLIVE_LOSS_OVERFLOW);
    if (queue->chunks.length == 0)
      queue->head = queue->tail;
  } else {
    g_queue_push_tail (&queue->chunks, chunk);
    queue->held += chunk->samples;
    if (!queue->next)
      queue->next = queue->chunks.tail;
  }
  g_mutex_unlock (&queue->lock);

  wake (queue);
  return ret;
}

GstFlowReturn
whisperlive_queue_check (WhisperLiveQueue * queue)
{
  GstFlowReturn ret;

  g_mutex_lock (&queue->lock);
  while ((ret = get_flow_return (queue)) == GST_FLOW_OK
      && queue->state == QUEUE_FAILING)
    g_cond_wait (&queue->cond, &queue->lock);
  g_mutex_unlock (&queue->lock);
  return ret;
}

GstFlowReturn
whisperlive_queue_wait_ready (WhisperLiveQueue * queue)
{
  GstFlowReturn ret;

  g_mutex_lock (&queue->lock);
  while ((ret = get_flow_return (queue)) == GST_FLOW_OK && !queue->ready)
    g_cond_wait (&queue->cond, &queue->lock);
  if (queue->ready && ret == GST_FLOW_FLUSHING)
    ret = GST_FLOW_OK;
  g_mutex_unlock (&queue->lock);
  return ret;
}

void
whisperlive_queue_end (WhisperLiveQueue * queue)
{
  g_mutex_lock (&queue->lock);
  if (queue->stream == STREAM_FLOWING)
    queue->stream = STREAM_ENDED;
  g_mutex_unlock (&queue->lock);
  wake (queue);
}

GstFlowReturn
whisperlive_queue_wait_drained (WhisperLiveQueue * queue)
{
  GstFlowReturn ret;

  g_mutex_lock (&queue->lock);
  while ((ret = get_flow_return (queue)) == GST_FLOW_OK
      && queue->stream != STREAM_DRAINED)
    g_cond_wait (&queue->cond, &queue->lock);
  if (queue->stream == STREAM_DRAINED)
    ret = GST_FLOW_OK;
  g_mutex_unlock (&queue->lock);
  return ret;
}

void
whisperlive_queue_unlock (WhisperLiveQueue * queue, gboolean unlocked)
{
  g_mutex_lock (&queue->lock);
  queue->unlocked += unlocked ? 1 : -1;
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}

void
whisperlive_queue_flush (WhisperLiveQueue * queue)
{
  GList *l;

  g_mutex_lock (&queue->lock);
  for (l = queue->chunks.head; l != queue->next; l = l->next)
    queue->stale |= whisperlive_chunk_is_sound (l->data);
  drop_all (queue, WHISPERLIVE_LOSS_FLUSH);
  queue->stream = STREAM_FLOWING;
  queue->generation++;
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
  wake (queue);
}

gboolean
whisperlive_queue_send (WhisperLiveQueue * queue, gint64 now,
    WhisperLiveChunk * copy)
{
  WhisperLiveChunk *chunk = NULL;

  g_mutex_lock (&queue->lock);
  if (queue->next) {
    chunk = queue->next->data;
    queue->next = queue->next->next;
    if (!chunk->sent)
      queue->sent += chunk->samples;
    if (takes_room (chunk) && !whisperlive_chunk_is_sound (chunk)) {
      queue->held -= whisperlive_queue_get_held (queue, chunk);
      g_cond_broadcast (&queue->cond);
    }
    chunk->sent = TRUE;
    if (!chunk->since)
      chunk->since = now;
    *copy = *chunk;
    g_bytes_ref (copy->data);
  }
  g_mutex_unlock (&queue->lock);
  return chunk != NULL;
}

void
whisperlive_queue_settle (WhisperLiveQueue * queue, guint64 position)
{
  WhisperLiveChunk *chunk;

  g_mutex_lock (&queue->lock);
  while ((chunk = g_queue_peek_head (&queue->chunks)) && chunk->sent
      && chunk->position < position) {
    guint64 end = chunk->position + chunk->samples;
    guint64 from = MAX (queue->head, chunk->position);
    guint64 to = MIN (end, position);

    if (to <= from)
      break;
    queue->settled += to - from;
    if (takes_room (chunk))
      queue->held -= to - from;
    queue->head = to;
    if (to < end)
      break;
    if (queue->next == queue->chunks.head)
      queue->next = queue->next->next;
    whisperlive_chunk_free (g_queue_pop_head (&queue->chunks));
    /* over a gap that a dropped chunk left */
    chunk = g_queue_peek_head (&queue->chunks);
    queue->head = chunk ? chunk->position : queue->tail;
  }
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}

guint64
whisperlive_queue_rewind (WhisperLiveQueue * queue, gint64 away)
{
  WhisperLiveChunk *first;
  guint64 head;
  GList *l;

  g_mutex_lock (&queue->lock);
  first = g_queue_peek_head (&queue->chunks);
  if (first && queue->head > first->position)
    chunk_trim (first, queue->head - first->position);
  for (l = queue->chunks.head; l; l = l->next) {
    WhisperLiveChunk *chunk = l->data;

    if (away == WHISPERLIVE_NOT_HEARD)
      chunk->since = 0;
    else if (chunk->since)
      chunk->since += away;
  }
  queue->next = queue->chunks.head;
  queue->stale = FALSE;
  head = queue->head;
  g_mutex_unlock (&queue->lock);
  return head;
}

void
whisperlive_queue_lose (WhisperLiveQueue * queue, WhisperLiveLossReason reason)
{
  g_mutex_lock (&queue->lock);
  drop_all (queue, reason);
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}

GArray *
whisperlive_queue_take_losses (WhisperLiveQueue * queue)
{
  GArray *losses = NULL;

  g_mutex_lock (&queue->lock);
  if (queue->losses->len) {
    losses = queue->losses;
    queue->losses = g_array_new (FALSE, FALSE, sizeof (WhisperLiveLoss));
  }
  g_mutex_unlock (&queue->lock);
  return losses;
}

void
whisperlive_queue_set_ready (WhisperLiveQueue * queue)
{
  g_mutex_lock (&queue->lock);
  queue->ready = TRUE;
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}

void
whisperlive_queue_set_drained (WhisperLiveQueue * queue, guint generation)
{
  g_mutex_lock (&queue->lock);
  if (queue->stream == STREAM_ENDED && queue->generation == generation)
    queue->stream = STREAM_DRAINED;
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}

void
whisperlive_queue_fail (WhisperLiveQueue * queue)
{
  g_mutex_lock (&queue->lock);
  if (queue->state == QUEUE_OPEN)
    queue->state = QUEUE_FAILING;
  g_mutex_unlock (&queue->lock);
}

void
whisperlive_queue_close (WhisperLiveQueue * queue)
{
  g_mutex_lock (&queue->lock);
  queue->state = QUEUE_CLOSED;
  g_cond_broadcast (&queue->cond);
  g_mutex_unlock (&queue->lock);
}
