/* stuck-resolver: looks names up, and never finds out anything
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stuck-resolver.h"

typedef struct
{
  GResolver parent;
  GMutex lock;
  GCond cond;
  guint lookups;                /* under the lock */
} StuckResolver;

typedef GResolverClass StuckResolverClass;

static GType stuck_resolver_get_type (void);
G_DEFINE_TYPE (StuckResolver, stuck_resolver, G_TYPE_RESOLVER);

static gboolean
on_cancelled (GCancellable * cancellable, gpointer task)
{
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

static void
look_up (GResolver * resolver, const gchar * name,
    GResolverNameLookupFlags flags, GCancellable * cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  StuckResolver *self = (StuckResolver *) resolver;
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback,
      user_data);
  g_autoptr (GSource) source = g_cancellable_source_new (cancellable);

  g_task_attach_source (task, source, G_SOURCE_FUNC (on_cancelled));
  g_mutex_lock (&self->lock);
  self->lookups++;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static GList *
look_up_finish (GResolver * resolver, GAsyncResult * result, GError ** error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
stuck_resolver_finalize (GObject * object)
{
  StuckResolver *self = (StuckResolver *) object;

  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (stuck_resolver_parent_class)->finalize (object);
}

static void
stuck_resolver_class_init (StuckResolverClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = stuck_resolver_finalize;
  klass->lookup_by_name_with_flags_async = look_up;
  klass->lookup_by_name_with_flags_finish = look_up_finish;
}

static void
stuck_resolver_init (StuckResolver * self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

GResolver *
stuck_resolver_new (void)
{
  return g_object_new (stuck_resolver_get_type (), NULL);
}

gboolean
stuck_resolver_wait (GResolver * resolver)
{
  StuckResolver *self = (StuckResolver *) resolver;
  gint64 deadline = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  gboolean there = TRUE;

  g_mutex_lock (&self->lock);
  while (there && self->lookups == 0)
    there = g_cond_wait_until (&self->cond, &self->lock, deadline);
  g_mutex_unlock (&self->lock);
  return there;
}
