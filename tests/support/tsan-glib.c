/* tsan-glib: tells ThreadSanitizer when GLib's and GStreamer's own primitives synchronise
 *
 * A distribution's GLib is not instrumented, and takes its locks with futexes, which ThreadSanitizer cannot see: everything
 * that a GMutex guards would be a race. These functions stand before GLib's, for a test program and all libraries that it
 * loads, and do what those do. GRecMutex, GRWLock, GPrivate and threads are made of pthreads, which it knows.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE             /* RTLD_NEXT */
#include <dlfcn.h>
#include <gst/gst.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>

/* So that reports have these functions in their stacks, where tsan.supp looks for them */
#pragma GCC optimize ("no-optimize-sibling-calls")

/* GLib's own function behind the one that stands before it. Racing threads find the same. */
#define REAL(name) ({ \
  static __typeof__ (&(name)) real_; \
  if (__atomic_load_n (&real_, __ATOMIC_RELAXED) == NULL) \
    __atomic_store_n (&real_, dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED); \
  __atomic_load_n (&real_, __ATOMIC_RELAXED); \
})

void
g_mutex_lock (GMutex * mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex * mutex)
{
  gboolean locked;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = REAL (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex, __tsan_mutex_try_lock | (locked ? 0 :
          __tsan_mutex_try_lock_failed), 0);
  return locked;
}

void
g_mutex_unlock (GMutex * mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  REAL (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

void
g_mutex_clear (GMutex * mutex)
{
  REAL (g_mutex_clear) (mutex);
  __tsan_mutex_destroy (mutex, 0);
}

/* Waiting gives the mutex away and takes it again. */
static void
before_wait (GMutex * mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
after_wait (GMutex * mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

void
g_cond_wait (GCond * cond, GMutex * mutex)
{
  before_wait (mutex);
  REAL (g_cond_wait) (cond, mutex);
  after_wait (mutex);
}

gboolean
g_cond_wait_until (GCond * cond, GMutex * mutex, gint64 end)
{
  gboolean signalled;

  before_wait (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end);
  after_wait (mutex);
  return signalled;
}

#undef g_once_init_enter
#undef g_once_init_leave

gboolean
g_once_init_enter (volatile void *location)
{
  gboolean first = REAL (g_once_init_enter) (location);

  __tsan_acquire ((void *) location);
  return first;
}

void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  REAL (g_once_init_leave) (location, result);
}

/* Who comes here later has seen what the others did before they came. */
static void
pass_on (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
}

/* The last reference takes the object down. */
void
g_object_unref (gpointer object)
{
  pass_on (object);
  REAL (g_object_unref) (object);
}

void
g_bytes_unref (GBytes * bytes)
{
  if (bytes != NULL)
    pass_on (bytes);
  REAL (g_bytes_unref) (bytes);
}

void
g_main_context_unref (GMainContext * context)
{
  pass_on (context);
  REAL (g_main_context_unref) (context);
}

void
gst_mini_object_unref (GstMiniObject * object)
{
  pass_on (object);
  REAL (gst_mini_object_unref) (object);
}

/* Strings that are kept for ever are put behind each other, under a lock within GLib. One that is seen stands for it. */
static pthread_mutex_t keep_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define KEPT(name, argument) ({ \
  __typeof__ (name (argument)) kept_; \
  pthread_mutex_lock (&keep_lock); \
  kept_ = REAL (name) (argument); \
  pthread_mutex_unlock (&keep_lock); \
  kept_; \
})

const gchar *
g_strerror (gint number)
{
  return KEPT (g_strerror, number);
}

GQuark
g_quark_from_string (const gchar * string)
{
  return KEPT (g_quark_from_string, string);
}

GQuark
g_quark_from_static_string (const gchar * string)
{
  return KEPT (g_quark_from_static_string, string);
}

const gchar *
g_intern_string (const gchar * string)
{
  return KEPT (g_intern_string, string);
}

const gchar *
g_intern_static_string (const gchar * string)
{
  return KEPT (g_intern_static_string, string);
}

/* --- from whoever attaches a source to the thread of its context --- */

static void
release (GMainContext * context)
{
  if (context != NULL)
    __tsan_release (context);
}

static gint
poll_and_acquire (GPollFD * fds, guint n_fds, gint timeout)
{
  gint n = g_poll (fds, n_fds, timeout);
  GMainContext *context = g_main_context_get_thread_default ();

  if (context != NULL)
    __tsan_acquire (context);
  return n;
}

GMainContext *
g_main_context_new (void)
{
  GMainContext *context = REAL (g_main_context_new) ();

  g_main_context_set_poll_func (context, poll_and_acquire);
  return context;
}

/* Functions of their own, for their callers to be in the stack */
static G_NO_INLINE guint
attach (GSource * source, GMainContext * context)
{
  return REAL (g_source_attach) (source, context);
}

static G_NO_INLINE void
invoke (GMainContext * context, gint priority, GSourceFunc func, gpointer data,
    GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full) (context, priority, func, data, notify);
}

/* What dispatches in the context sees it when it has polled. */
guint
g_source_attach (GSource * source, GMainContext * context)
{
  release (context);
  return attach (source, context);
}

void
g_main_context_invoke_full (GMainContext * context, gint priority,
    GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  release (context);
  invoke (context, priority, func, data, notify);
}

void
g_main_context_invoke (GMainContext * context, GSourceFunc func, gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, func, data, NULL);
}

/* --- from whoever pushes work to the thread of the pool that does it --- */

typedef struct
{
  GFunc func;
  gpointer user_data;
} Work;

static void
acquire_and_work (gpointer data, gpointer user_data)
{
  Work *work = user_data;

  __tsan_acquire (data);
  work->func (data, work->user_data);
}

/* What belongs to a pool is never freed: there are few, and leaks are looked for elsewhere. */
GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, gint max_threads,
    gboolean exclusive, GError ** error)
{
  Work *work = g_new (Work, 1);

  *work = (Work) {
  func, user_data};
  return REAL (g_thread_pool_new) (acquire_and_work, work, max_threads,
      exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool * pool, gpointer data, GError ** error)
{
  __tsan_release (data);
  return REAL (g_thread_pool_push) (pool, data, error);
}
