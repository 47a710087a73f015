/* whisperlive-loop: a thread with a main context of its own, that is woken from anywhere and by one timer
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WhisperLiveLoop WhisperLiveLoop;
typedef void (*WhisperLiveLoopFunc) (gpointer user_data);

/* Starts the thread, with its context as thread-default. @work runs on it whenever the loop was woken or the timer has come, @tear_down
 * once at its end. */
WhisperLiveLoop *whisperlive_loop_new (const gchar * name, WhisperLiveLoopFunc work, WhisperLiveLoopFunc tear_down,
    gpointer user_data);
/* Ends and joins the thread: never from the thread itself. What was invoked and has not run is dropped. */
void whisperlive_loop_free (WhisperLiveLoop * loop);

gboolean whisperlive_loop_is_current (WhisperLiveLoop * loop);
/* From any thread; several calls before work() are one. */
void whisperlive_loop_wake (WhisperLiveLoop * loop);
/* From any thread: @func once, and work() after it. */
void whisperlive_loop_invoke (WhisperLiveLoop * loop, GSourceFunc func, gpointer data, GDestroyNotify notify);
/* On the loop's thread: work() at this monotonic time, µs; G_MAXINT64: not at all. There is only one timer. */
void whisperlive_loop_set_timer (WhisperLiveLoop * loop, gint64 time);
/* On the loop's thread, for a source that may not return for long: runs here what waits for its turn. */
void whisperlive_loop_catch_up (WhisperLiveLoop * loop);
/* On the loop's thread: runs what is in the context until *@count is 0, or for @timeout µs: then it returns FALSE. */
gboolean whisperlive_loop_iterate_until_zero (WhisperLiveLoop * loop, const guint * count, gint64 timeout);

G_END_DECLS
