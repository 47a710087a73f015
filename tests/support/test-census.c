/* Tests of census: each thread, socket and object that is left has its name in what a failing test says.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gio/gio.h>
#include <gst/check/gstcheck.h>

#include "census.h"
#include "scripted-server.h"

static Census *before;

static void
setup (void)
{
  before = census_new ();
}

static void
teardown (void)
{
  census_assert_no_more (before, "by this test");
  census_free (before);
}

static void
assert_more (const gchar * expected)
{
  g_autoptr (Census) now = census_new ();
  g_autofree gchar *more = census_more (now, before);

  fail_unless_equals_string (more, expected);
}

GST_START_TEST (test_nothing)
{
  assert_more (NULL);
}

GST_END_TEST;

typedef struct
{
  GAsyncQueue *begun, *ending;
} Straggler;

static gpointer
straggle (gpointer data)
{
  Straggler *self = data;

  /* the kernel has the thread's name by now */
  g_async_queue_push (self->begun, self);
  return g_async_queue_pop (self->ending);
}

GST_START_TEST (test_thread)
{
  Straggler straggler = { g_async_queue_new (), g_async_queue_new () };
  GThread *thread = g_thread_new ("straggler", straggle, &straggler);

  fail_unless (g_async_queue_pop (straggler.begun) == &straggler);
  assert_more ("1 threads: straggler");
  g_async_queue_push (straggler.ending, &straggler);
  g_thread_join (thread);
  g_async_queue_unref (straggler.begun);
  g_async_queue_unref (straggler.ending);
}

GST_END_TEST;

GST_START_TEST (test_sockets)
{
  g_autoptr (GSocket) listening = NULL, client = NULL;
  g_autoptr (GSocketAddress) there = NULL, here = NULL;
  g_autofree gchar *one = NULL, *two = NULL, *name = NULL;
  guint port;

  listening = silent_port_new (&port);
  one = g_strdup_printf ("1 sockets: 127.0.0.1:%u to nobody", port);
  assert_more (one);
  client = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL);
  there = g_inet_socket_address_new_from_string ("127.0.0.1", port);
  fail_unless (g_socket_connect (client, there, NULL, NULL));
  here = g_socket_get_local_address (client, NULL);
  name = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (here));
  two = g_strdup_printf ("2 sockets: 127.0.0.1:%u to nobody, "
      "%s to 127.0.0.1:%u", port, name, port);
  assert_more (two);
}

GST_END_TEST;

GST_START_TEST (test_objects)
{
  GstMessage *message = gst_message_new_eos (NULL);
  GstElement *bin = gst_bin_new (NULL);

  assert_more ("3 objects: GstMessage, GstBus, GstBin");
  fail_unless (census_sees (message) && census_sees (bin));
  gst_object_unref (bin);
  assert_more ("1 objects: GstMessage");
  fail_unless (census_sees (message) && !census_sees (bin));
  /* which teardown drops */
  census_forgive (before, GST_TYPE_MESSAGE);
}

GST_END_TEST;

static Suite *
census_suite (void)
{
  Suite *s = suite_create ("census");
  TCase *tc = tcase_create ("census");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_nothing);
  tcase_add_test (tc, test_thread);
  tcase_add_test (tc, test_sockets);
  tcase_add_test (tc, test_objects);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (census);
