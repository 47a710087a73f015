/* watchdog: a test that hangs tells where, and fails, before Check kills it without a word
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watchdog.h"

#include <gst/check/gstcheck.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Of Check's limit; the rest is for telling. */
#define SHARE 0.8

static GMutex lock;
static GCond changed;
static gboolean has_begun, has_ended;
static void (*tell_more) (void);
static GThread *thread;

static gdouble
number (const gchar * variable, gdouble otherwise)
{
  const gchar *value = g_getenv (variable);

  return value != NULL ? g_ascii_strtod (value, NULL) : otherwise;
}

/* In seconds; 0 is for ever. */
static gdouble
get_patience (void)
{
  if (g_strcmp0 (g_getenv ("CK_FORK"), "no") == 0)
    return 0;
  return number ("WHISPERLIVE_WATCHDOG", SHARE * number ("CK_DEFAULT_TIMEOUT",
          0) * number ("CK_TIMEOUT_MULTIPLIER", 1));
}

static void
tell_stacks (void)
{
  g_autofree gchar *pid = g_strdup_printf ("%d", getpid ());
  const gchar *gdb[] = { "gdb", "--batch", "--nx",
    "-iex", "set debuginfod enabled off",
    "-ex", "thread apply all backtrace", "-p", pid, NULL
  };
  g_autoptr (GError) error = NULL;

  /* some kernels let only ancestors trace */
  prctl (PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  if (!g_spawn_sync (NULL, (gchar **) gdb, NULL,
          G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, &error))
    g_print ("no stacks: %s\n", error->message);
}

static gpointer
watch (gpointer unused)
{
  gdouble patience = get_patience ();
  gint64 deadline = g_get_monotonic_time () + patience * G_USEC_PER_SEC;
  gboolean hangs;

  g_mutex_lock (&lock);
  has_begun = TRUE;
  g_cond_signal (&changed);
  while (!has_ended && g_cond_wait_until (&changed, &lock, deadline));
  hangs = !has_ended;
  g_mutex_unlock (&lock);
  if (!hangs)
    return NULL;

  g_print ("watchdog: not finished after %g s\n", patience);
  tell_stacks ();
  if (tell_more != NULL)
    tell_more ();
  fail ("hangs: not finished after %g s; the stacks are above", patience);
  return NULL;
}

void
watchdog_start (void (*tell) (void))
{
  if (get_patience () <= 0)
    return;
  has_begun = has_ended = FALSE;
  tell_more = tell;
  thread = g_thread_new ("watchdog", watch, NULL);
  /* by then it has its name, by which the census knows it */
  g_mutex_lock (&lock);
  while (!has_begun)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

void
watchdog_stop (void)
{
  if (thread == NULL)
    return;
  g_mutex_lock (&lock);
  has_ended = TRUE;
  g_cond_signal (&changed);
  g_mutex_unlock (&lock);
  g_clear_pointer (&thread, g_thread_join);
}
