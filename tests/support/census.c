/* census: what lives in this process, to be compared before and after a test
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "census.h"

#include <gio/gio.h>
#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Far more than anything here takes on a busy machine */
#define DEADLINE (60 * G_TIME_SPAN_SECOND)

/* --- threads --- */

/* GLib starts these when it likes and keeps them; the watchdog is the tests' own. */
static gboolean
is_kept (const gchar * name)
{
  static const gchar *const prefixes[] =
      { "pool-", "gmain", "gdbus", "dconf", "GUnixSignal", "watchdog" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return TRUE;
  return FALSE;
}

static GPtrArray *
get_threads (void)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;

  while ((id = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path =
        g_build_filename ("/proc/self/task", id, "comm", NULL);
    gchar *name = NULL;

    /* it may have ended meanwhile */
    if (!g_file_get_contents (path, &name, NULL, NULL))
      continue;
    g_strchomp (name);
    if (is_kept (name))
      g_free (name);
    else
      g_ptr_array_add (names, name);
  }
  return names;
}

guint
census_count_threads (void)
{
  g_autoptr (GPtrArray) threads = get_threads ();

  return threads->len;
}

/* --- sockets --- */

typedef int (*GetName) (int fd, struct sockaddr * address, socklen_t * size);

/* "127.0.0.1:80"; NULL if it has none, or is no internet socket: GLib keeps a netlink one for its network monitor. */
static gchar *
get_name (int fd, GetName get)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof (native);
  g_autoptr (GSocketAddress) address = NULL;

  if (get (fd, (struct sockaddr *) &native, &size) != 0
      || (native.ss_family != AF_INET && native.ss_family != AF_INET6))
    return NULL;
  address = g_socket_address_new_from_native (&native, size);
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static GPtrArray *
get_sockets (void)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const gchar *id;

  while ((id = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *own = get_name (atoi (id), getsockname);
    g_autofree gchar *peer = get_name (atoi (id), getpeername);

    if (own != NULL)
      g_ptr_array_add (names,
          g_strdup_printf ("%s to %s", own, peer != NULL ? peer : "nobody"));
  }
  return names;
}

guint
census_count_sockets (void)
{
  g_autoptr (GPtrArray) sockets = get_sockets ();

  return sockets->len;
}

/* --- objects --- */

static GstTracer *
get_tracer (void)
{
  GList *tracers = gst_tracing_get_active_tracers (), *l;
  GstTracer *tracer = NULL;

  for (l = tracers; l != NULL; l = l->next)
    if (g_str_equal (G_OBJECT_TYPE_NAME (l->data), "GstLeaksTracer"))
      tracer = gst_object_ref (l->data);
  g_list_free_full (tracers, gst_object_unref);
  return tracer;
}

/* The tracer's list takes references that it does not have; nobody may give them back. */
static void
disown (GValue * object)
{
  memset (object, 0, sizeof *object);
  g_value_init (object, G_TYPE_POINTER);
}

typedef void (*Visit) (GType type, gconstpointer object, gpointer user_data);

/* Objects may be gone by the time of the visit: their address and type are all there is to look at. */
static void
visit_objects (Visit visit, gpointer user_data)
{
  g_autoptr (GstTracer) tracer = get_tracer ();
  g_autoptr (GstStructure) answer = NULL;
  const GValue *list;
  guint i;

  fail_unless (tracer != NULL, "run it with GST_TRACERS=leaks");
  g_signal_emit_by_name (tracer, "get-live-objects", &answer);
  list = gst_structure_get_value (answer, "live-objects-list");
  for (i = 0; i < gst_value_list_get_size (list); i++) {
    const GstStructure *info =
        gst_value_get_structure (gst_value_list_get_value (list, i));
    const GValue *object = gst_structure_get_value (info, "object");

    visit (G_VALUE_TYPE (object), g_value_peek_pointer (object), user_data);
    disown ((GValue *) object);
  }
}

static void
add_type (GType type, gconstpointer object, gpointer types)
{
  g_ptr_array_add (types, g_strdup (g_type_name (type)));
}

static void
compare (GType type, gconstpointer object, gpointer wanted)
{
  if (object == *(gconstpointer *) wanted)
    *(gconstpointer *) wanted = NULL;
}

gboolean
census_sees (gconstpointer object)
{
  visit_objects (compare, &object);
  return object == NULL;
}

/* --- all of them --- */

static gpointer
do_nothing (gpointer unused)
{
  return NULL;
}

static Census *
count (gboolean objects)
{
  Census *census = g_new0 (Census, 1);

  census->threads = get_threads ();
  census->sockets = get_sockets ();
  census->objects = g_ptr_array_new_with_free_func (g_free);
  if (objects)
    visit_objects (add_type, census->objects);
  return census;
}

Census *
census_new (void)
{
  static gboolean not_the_first;

  /* with the first thread, ThreadSanitizer starts one that it keeps */
  if (!not_the_first)
    g_thread_join (g_thread_new ("first", do_nothing, NULL));
  not_the_first = TRUE;
  return count (TRUE);
}

void
census_free (Census * census)
{
  g_ptr_array_unref (census->threads);
  g_ptr_array_unref (census->sockets);
  g_ptr_array_unref (census->objects);
  g_free (census);
}

typedef struct
{
  GType type;
  gpointer object;
} Wanted;

static void
find (GType type, gconstpointer object, gpointer user_data)
{
  Wanted *wanted = user_data;

  if (type == wanted->type)
    wanted->object = (gpointer) object;
}

void
census_forgive (Census * before, GType type)
{
  before->forgiven = type;
}

static void
drop_forgiven (Census * before)
{
  Wanted wanted = { before->forgiven, NULL };

  before->forgiven = G_TYPE_INVALID;
  visit_objects (find, &wanted);
  if (wanted.object != NULL)
    gst_mini_object_unref (wanted.object);
}

static void
add_more (GString * more, const gchar * what, GPtrArray * now,
    GPtrArray * before)
{
  g_autoptr (GPtrArray) rest = g_ptr_array_copy (before, NULL, NULL);
  g_autoptr (GPtrArray) added = g_ptr_array_new ();
  guint i, at;

  g_ptr_array_set_free_func (rest, NULL);
  for (i = 0; i < now->len; i++) {
    if (g_ptr_array_find_with_equal_func (rest, now->pdata[i], g_str_equal,
            &at))
      g_ptr_array_remove_index_fast (rest, at);
    else
      g_ptr_array_add (added, now->pdata[i]);
  }
  if (added->len == 0)
    return;
  g_string_append_printf (more, "%s%u %s:", more->len > 0 ? "; " : "",
      added->len, what);
  for (i = 0; i < added->len; i++)
    g_string_append_printf (more, "%s %s", i > 0 ? "," : "",
        (gchar *) added->pdata[i]);
}

gchar *
census_more (const Census * census, const Census * before)
{
  GString *more = g_string_new (NULL);

  add_more (more, "threads", census->threads, before->threads);
  add_more (more, "sockets", census->sockets, before->sockets);
  add_more (more, "objects", census->objects, before->objects);
  return g_string_free (more, more->len == 0);
}

/* The only place that polls: the end of a joined thread's kernel task, of a pool's idle thread, of a socket that a
 * closing callback still holds and of a message that a thread has just posted is told by nothing. */
void
census_assert_no_more (Census * before, const gchar * when)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;
  gboolean objects = FALSE;

  for (;;) {
    g_autoptr (Census) now = NULL;
    g_autofree gchar *more = NULL;

    g_thread_pool_stop_unused_threads ();
    now = count (objects);
    more = census_more (now, before);
    if (more == NULL && objects)
      return;
    /* not before the threads are gone: the tracer's list takes references and drops them, of objects that one of them may be freeing */
    objects |= more == NULL;
    if (objects && more != NULL && before->forgiven != G_TYPE_INVALID)
      drop_forgiven (before);
    fail_unless (g_get_monotonic_time () < deadline, "left %s: %s", when, more);
    g_usleep (G_TIME_SPAN_MILLISECOND);
  }
}
