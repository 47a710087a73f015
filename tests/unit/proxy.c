/* Tests of whisperlive-proxy: which proxy GIO is told to use
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>

#include "whisperlive-proxy.h"

typedef struct
{
  GMainLoop *loop;
  gchar **proxies;
  GError *error;
} Answer;

static void
on_answer (GObject * resolver, GAsyncResult * result, gpointer user_data)
{
  Answer *answer = user_data;

  answer->proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (resolver),
      result, &answer->error);
  g_main_loop_quit (answer->loop);
}

/* Asked in both ways: libsoup asks in the second */
static void
check (const gchar * proxy, const gchar * user, const gchar * password,
    const gchar * uri, const gchar * expected)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (GProxyResolver) resolver = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_auto (GStrv) proxies = NULL;
  Answer answer = {.loop = loop };

  settings->proxy = g_strdup (proxy);
  settings->proxy_id = g_strdup (user);
  settings->proxy_pw = g_strdup (password);
  resolver = whisperlive_proxy_resolver_new (settings);
  fail_unless (g_proxy_resolver_is_supported (resolver));

  proxies = g_proxy_resolver_lookup (resolver, uri, NULL, NULL);
  fail_unless_equals_int (g_strv_length (proxies), 1);
  fail_unless_equals_string (proxies[0], expected);

  g_proxy_resolver_lookup_async (resolver, uri, NULL, on_answer, &answer);
  g_main_loop_run (loop);
  g_assert_no_error (answer.error);
  fail_unless (g_strv_equal ((const gchar * const *) answer.proxies,
          (const gchar * const *) proxies));
  g_strfreev (answer.proxies);
}

GST_START_TEST (test_tunnel)
{
  check ("http://proxy:3128", NULL, NULL, "ws://server:9090",
      "whisperlive-http://proxy:3128");
  check ("http://proxy", NULL, NULL, "wss://server",
      "whisperlive-http://proxy:80");
  check ("proxy:3128", "somebody", NULL, "ws://server",
      "whisperlive-http://somebody:@proxy:3128");
  check ("127.0.0.1", NULL, NULL, "ws://server",
      "whisperlive-http://127.0.0.1:80");
  check ("http://[::1]:3128/", NULL, NULL, "ws://server",
      "whisperlive-http://[::1]:3128");
}

GST_END_TEST;

GST_START_TEST (test_user)
{
  check ("http://proxy:3128", "some:body", "p@ss word", "ws://server",
      "whisperlive-http://some%3Abody:p%40ss%20word@proxy:3128");
  check ("http://proxy:3128", "somebody", NULL, "ws://server",
      "whisperlive-http://somebody:@proxy:3128");
  check ("http://me:mine@proxy:3128", "somebody", "secret", "ws://server",
      "whisperlive-http://me:mine@proxy:3128");
}

GST_END_TEST;

GST_START_TEST (test_others)
{
  check ("socks5://proxy:1080", NULL, NULL, "ws://server",
      "socks5://proxy:1080");
  check ("socks5://proxy:1080", "somebody", "secret", "ws://server",
      "socks5://somebody:secret@proxy:1080");
  check ("https://proxy:443", NULL, NULL, "ws://server", "https://proxy:443");
}

GST_END_TEST;

/* The system's proxies are for http and https. GIO's settings here are the environment's. */
GST_START_TEST (test_none)
{
  check (NULL, NULL, NULL, "ws://127.0.0.1:9090", "direct://");
  check ("", "somebody", "secret", "wss://127.0.0.1", "direct://");
}

GST_END_TEST;

static Suite *
proxy_suite (void)
{
  Suite *suite = suite_create ("proxy");
  TCase *tc = tcase_create ("proxy");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_tunnel);
  tcase_add_test (tc, test_user);
  tcase_add_test (tc, test_others);
  tcase_add_test (tc, test_none);
  return suite;
}

GST_CHECK_MAIN (proxy);
