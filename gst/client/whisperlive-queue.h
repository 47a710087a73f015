/* whisperlive-queue: audio between the streaming thread and the session thread, the only object that both touch
 *
 * Holds every chunk from the moment it is received until a final transcript settles it: first waiting, then sent.
 * What was sent can be sent again after a reconnect. Bounded by duration. All functions may be called from any thread;
 * none calls out while it holds the lock, which is a leaf.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The sample at @offset of a chunk was heard at this time; see whisperlive_timeline_mark() */
typedef struct
{
  guint offset;
  GstClockTime running_time, stream_time;
  gdouble rate, applied_rate;
} WhisperLiveMark;

typedef struct
{
  GBytes *data;                 /* of gint16 */
  guint samples;
  gfloat level;                 /* loudest 10 ms, RMS, full scale is 1.0 */
  WhisperLiveMark mark;
  guint64 position;             /* of the first sample; written by the queue */
  gboolean sent;                /* ever; written by the queue */
  gint64 since;                 /* how long a server that works has had it, monotonic time, µs, 0: none has; written by the queue */
} WhisperLiveChunk;

/* Takes @data. */
WhisperLiveChunk *whisperlive_chunk_new (GBytes * data, guint samples, gfloat level, const WhisperLiveMark * mark);
void whisperlive_chunk_free (WhisperLiveChunk * chunk);

/* Below this level there is nothing in a chunk that a server could make text of: -60 dBFS */
#define WHISPERLIVE_SILENCE_LEVEL 0.001f

/* A server's pass takes no less than that, samples */
#define WHISPERLIVE_SHORTEST_PASS 16000

/* How much sooner than its last sound a final may end, samples */
#define WHISPERLIVE_AFTERSOUND 8000

typedef enum
{
  WHISPERLIVE_LOSS_OVERFLOW,
  WHISPERLIVE_LOSS_DRAIN_TIMEOUT,
  WHISPERLIVE_LOSS_SESSION_FAILED,
  WHISPERLIVE_LOSS_FLUSH,
  WHISPERLIVE_LOSS_STOPPED,
} WhisperLiveLossReason;

typedef struct
{
  WhisperLiveLossReason reason;
  guint64 position, samples;
  GstClockTime running_time, end;
} WhisperLiveLoss;

/* In samples, since the last start. received = settled + lost + held; sent counts each sample once, lag is what was sent and
 * is not settled. */
typedef struct
{
  guint64 received, sent, settled, lost, lag;
} WhisperLiveCounters;

/* What the session has to decide by; positions are those of the stream */
typedef struct
{
  guint64 head;                 /* oldest sample held */
  guint64 sent;                 /* up to here it has been sent to the present connection */
  guint64 tail;                 /* end of what was received */
  guint64 sound;                /* first sample after head, and sent, of a chunk that is not silent; else == sent */
  gint64 sound_at;              /* when a server that works was first sent that, µs; G_MAXINT64: there is none */
  guint64 speech;               /* likewise, but not the end of what was settled: finals often end before their last sound */
  gint64 speech_at;             /* as sound_at */
  gint64 pass_at;               /* since when the server has had enough for a pass over that, µs; 0: it has not */
  guint64 loud;                 /* samples after head, and sent, of chunks that are not silent */
  gfloat level;                 /* loudest of the chunks that are sent and not settled, but for one of 100 ms or less: a click */
  guint64 lag;                  /* samples that are sent and not settled */
  guint waiting;                /* samples of the next chunk to send, 0 if there is none */
  gboolean again;               /* a server that works has had that chunk before */
  gboolean ended;               /* no more audio is coming for now, and the last words are awaited */
  guint generation;             /* counts flushes */
  gboolean stale;               /* the present connection was sent sound that has been flushed since */
} WhisperLiveFlow;

typedef struct _WhisperLiveQueue WhisperLiveQueue;

WhisperLiveQueue *whisperlive_queue_new (void);
void whisperlive_queue_free (WhisperLiveQueue * queue);
/* Called without any lock held, from any thread, when the session has something new to look at. */
void whisperlive_queue_set_wake (WhisperLiveQueue * queue, GFunc wake, gpointer user_data);
/* Empty, open, not ready, counters at 0. @max_time, in ns, bounds what is held, without silence that was sent. */
void whisperlive_queue_start (WhisperLiveQueue * queue, guint64 max_time);

/* What push() does when max_time is reached */
typedef enum
{
  WHISPERLIVE_FULL_BLOCK,
  WHISPERLIVE_FULL_DROP_NEW,
  WHISPERLIVE_FULL_DROP_OLD,    /* the oldest chunk that waits: one that was sent may yet be settled */
} WhisperLiveFull;

/* The streaming thread's side. FLUSHING: unlocked; ERROR: closed. */

/* Takes @chunk if it returns OK; else it has not been received. */
GstFlowReturn whisperlive_queue_push (WhisperLiveQueue * queue, WhisperLiveChunk * chunk, WhisperLiveFull full);
/* Who has no chunk yet: is this still worth while? */
GstFlowReturn whisperlive_queue_check (WhisperLiveQueue * queue);
/* Until a session has been ready for audio. */
GstFlowReturn whisperlive_queue_wait_ready (WhisperLiveQueue * queue);
/* No more audio for now; then until the session has drained. The next push() or flush() ends that state. */
void whisperlive_queue_end (WhisperLiveQueue * queue);
GstFlowReturn whisperlive_queue_wait_drained (WhisperLiveQueue * queue);
/* Whoever unlocks locks again, and as often: the streaming thread waits for nothing before all have. */
void whisperlive_queue_unlock (WhisperLiveQueue * queue, gboolean unlocked);
/* Drops everything that is held; it counts as lost. */
void whisperlive_queue_flush (WhisperLiveQueue * queue);

/* The session's side. */
void whisperlive_queue_get_flow (WhisperLiveQueue * queue, WhisperLiveFlow * flow);
/* The next chunk counts as sent, @copy is what it is and owns a reference to the data. FALSE: nothing waits. */
gboolean whisperlive_queue_send (WhisperLiveQueue * queue, gint64 now, WhisperLiveChunk * copy);
/* Samples from the next one to send up to the quietest place in the first @max; 0: no more than these wait. */
guint64 whisperlive_queue_find_pause (WhisperLiveQueue * queue, guint64 max);
/* The middle of the last pause in what was sent after @start: 0.3 s below @level, and 0.5 s before the end, at least. 0: there is none. */
guint64 whisperlive_queue_find_sent_pause (WhisperLiveQueue * queue, guint64 start, gfloat level);
/* Everything before @position is settled, as far as it has been sent. */
void whisperlive_queue_settle (WhisperLiveQueue * queue, guint64 position);
/* Whole chunks, as GBytes, that are held and overlap with @start to @end. */
GPtrArray *whisperlive_queue_copy (WhisperLiveQueue * queue, guint64 start, guint64 end);
/* The end of what a server that works has had since before @time, for settling by age. */
guint64 whisperlive_queue_sent_before (WhisperLiveQueue * queue, gint64 time);
/* All that is held waits again. Returns the position of the first. The server that had it worked, and @away, in µs, have passed since then;
 * NOT_HEARD: nobody knows whether it did. */
guint64 whisperlive_queue_rewind (WhisperLiveQueue * queue, gint64 away);
#define WHISPERLIVE_NOT_HEARD G_MAXINT64
/* All that is held is lost. */
void whisperlive_queue_lose (WhisperLiveQueue * queue, WhisperLiveLossReason reason);
/* Losses that nobody has been told of yet, in order: array of WhisperLiveLoss, or NULL. */
GArray *whisperlive_queue_take_losses (WhisperLiveQueue * queue);
/* Until the next start, also when that session is lost: it is only waited for at the beginning. */
void whisperlive_queue_set_ready (WhisperLiveQueue * queue);
/* Unless it was flushed again since @generation. */
void whisperlive_queue_set_drained (WhisperLiveQueue * queue, guint generation);
/* The error is about to be posted, or to be told to the session: push() waits for close(), for upstream is not to post one of its own before. */
void whisperlive_queue_fail (WhisperLiveQueue * queue);
/* For good (until the next start): push and waits return ERROR. */
void whisperlive_queue_close (WhisperLiveQueue * queue);

void whisperlive_queue_get_counters (WhisperLiveQueue * queue, WhisperLiveCounters * counters);

G_END_DECLS
