/* whisperlive-loop: a thread with a main context of its own, that is woken from anywhere and by one timer
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-loop.h"

struct _WhisperLiveLoop
{
  WhisperLiveLoopFunc work, tear_down;
  gpointer user_data;
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  GSource *wake, *timer;
  gint64 time;                  /* of the timer */
  gint woken;                   /* atomic */
  GMutex lock;
  GQueue commands;              /* under the lock: of Command */
};

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Command;

static void
command_free (Command * command)
{
  if (command->notify)
    command->notify (command->data);
  g_free (command);
}

static Command *
pop_command (WhisperLiveLoop * self)
{
  Command *command;

  g_mutex_lock (&self->lock);
  command = g_queue_pop_head (&self->commands);
  g_mutex_unlock (&self->lock);
  return command;
}

static void
run (WhisperLiveLoop * self)
{
  Command *command;

  g_atomic_int_set (&self->woken, FALSE);
  while ((command = pop_command (self))) {
    command->func (command->data);
    command_free (command);
  }
  self->work (self->user_data);
}

static gboolean
dispatch (GSource * source, GSourceFunc callback, gpointer user_data)
{
  /* first: what comes from now on makes it ready again */
  g_source_set_ready_time (source, -1);
  run (user_data);
  return G_SOURCE_CONTINUE;
}

static GSource *
make_source (WhisperLiveLoop * self, const gchar * name)
{
  static GSourceFuncs funcs = {.dispatch = dispatch };
  GSource *source = g_source_new (&funcs, sizeof (GSource));

  g_source_set_static_name (source, name);
  /* only for its user data: GLib dispatches no source without a callback */
  g_source_set_callback (source, G_SOURCE_FUNC (dispatch), self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static gpointer
thread_main (gpointer user_data)
{
  WhisperLiveLoop *self = user_data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  self->tear_down (self->user_data);
  while (g_main_context_iteration (self->context, FALSE));
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

WhisperLiveLoop *
whisperlive_loop_new (const gchar * name, WhisperLiveLoopFunc work,
    WhisperLiveLoopFunc tear_down, gpointer user_data)
{
  WhisperLiveLoop *self = g_new0 (WhisperLiveLoop, 1);

  self->work = work;
  self->tear_down = tear_down;
  self->user_data = user_data;
  self->time = G_MAXINT64;
  g_mutex_init (&self->lock);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->wake = make_source (self, "whisperlive wake");
  self->timer = make_source (self, "whisperlive timer");
  self->thread = g_thread_new (name, thread_main, self);
  return self;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

void
whisperlive_loop_free (WhisperLiveLoop * self)
{
  GSource *source = g_idle_source_new ();
  Command *command;

  g_assert (!whisperlive_loop_is_current (self));

  /* from inside: a quit before run() would be forgotten */
  g_source_set_callback (source, quit, self->loop, NULL);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_attach (source, self->context);
  g_source_unref (source);
  g_thread_join (self->thread);

  g_source_destroy (self->wake);
  g_source_unref (self->wake);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  while ((command = pop_command (self)))
    command_free (command);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
whisperlive_loop_is_current (WhisperLiveLoop * self)
{
  return g_thread_self () == self->thread;
}

void
whisperlive_loop_wake (WhisperLiveLoop * self)
{
  g_atomic_int_set (&self->woken, TRUE);
  g_source_set_ready_time (self->wake, 0);
}

void
whisperlive_loop_invoke (WhisperLiveLoop * self, GSourceFunc func,
    gpointer data, GDestroyNotify notify)
{
  Command *command = g_new (Command, 1);

  command->func = func;
  command->data = data;
  command->notify = notify;
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->commands, command);
  g_mutex_unlock (&self->lock);
  whisperlive_loop_wake (self);
}

void
whisperlive_loop_set_timer (WhisperLiveLoop * self, gint64 time)
{
  self->time = time;
  g_source_set_ready_time (self->timer, time == G_MAXINT64 ? -1 : time);
}

void
whisperlive_loop_catch_up (WhisperLiveLoop * self)
{
  if (!g_atomic_int_get (&self->woken)
      && g_get_monotonic_time () < self->time)
    return;
  g_source_set_ready_time (self->wake, -1);
  whisperlive_loop_set_timer (self, G_MAXINT64);
  run (self);
}

static gboolean
on_timeout (gpointer timed_out)
{
  *(gboolean *) timed_out = TRUE;
  return G_SOURCE_CONTINUE;
}

gboolean
whisperlive_loop_iterate_until_zero (WhisperLiveLoop * self,
    const guint * count, gint64 timeout)
{
  GSource *source = g_timeout_source_new (timeout / 1000);
  gboolean timed_out = FALSE;

  g_source_set_callback (source, on_timeout, &timed_out, NULL);
  g_source_attach (source, self->context);
  while (*count && !timed_out)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (source);
  g_source_unref (source);
  return *count == 0;
}
