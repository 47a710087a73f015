/* Memory stays what it is over a thousand reconnects: each session gets ready, takes audio, gives a final and ends.
 *
 * The server is a process of its own, so that what it remembers does not count.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "memory-use.h"

#define N_WARM_UP 100
#define N_RECONNECTS 1000
#define MAX_GROWTH (1024 * 1024)

/* --- the server --- */

static guint port;
static pid_t server_process;
static int leash;               /* the server lives until this is closed */

static void
serve (int tell, int until_closed)
{
  ScriptedServer *server = scripted_server_new ();
  guint own_port = scripted_server_port (server);
  ScriptedScript script;
  gchar nothing;

  scripted_server_get_script (server, &script);
  script.load_delay = 0;
  script.pass_base = 1;
  script.pass_factor = 0;
  script.model.words_per_segment = 1;
  script.close_after_messages = 1;
  script.close_code = 1011;
  scripted_server_set_script (server, &script);
  if (write (tell, &own_port, sizeof (own_port)) == sizeof (own_port))
    while (read (until_closed, &nothing, 1) > 0);
  _exit (0);
}

static void
setup (void)
{
  int told[2], held[2];

  fail_unless (pipe (told) == 0 && pipe (held) == 0);
  /* before there is any thread that would not be copied */
  server_process = fork ();
  fail_unless (server_process >= 0);
  if (server_process == 0) {
    close (held[1]);
    serve (told[1], held[0]);
  }
  close (told[1]);
  close (held[0]);
  leash = held[1];
  fail_unless (read (told[0], &port, sizeof (port)) == sizeof (port));
  close (told[0]);
  harness_setup ();
}

static void
teardown (void)
{
  close (leash);
  fail_unless (waitpid (server_process, NULL, 0) == server_process);
  harness_teardown ();
}

/* --- the measure --- */

/* A session takes two words: of one it gives the final, the other is sent again to the next. */
static void
reconnect (guint times)
{
  guint i;

  for (i = 0; i < times; i++) {
    harness_push_words (1 + i, 1, 0, 0);
    harness_wait_field ("whisperlive/state", "state", "ready");
    harness_forget ();
  }
}

GST_START_TEST (test_thousand_reconnects)
{
  g_autofree gchar *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  gsize heap, resident;
  guint i;

  harness_make ("", "uri", uri, "retries", -1, "retry-delay", 1, NULL);
  harness_push_words (N_WARM_UP, 1, 0, 0);
  harness_start (GST_STATE_PLAYING);
  reconnect (N_WARM_UP);
  heap = memory_use_heap ();
  resident = memory_use_resident ();
  for (i = 2 * N_WARM_UP; i <= N_RECONNECTS; i += N_WARM_UP) {
    reconnect (N_WARM_UP);
    fail_unless (memory_use_heap () <= heap + MAX_GROWTH,
        "after %u reconnects the heap has grown from %zu to %zu bytes", i,
        heap, memory_use_heap ());
    fail_unless (memory_use_resident () <= resident + MAX_GROWTH,
        "after %u reconnects the process has grown from %zu to %zu bytes", i,
        resident, memory_use_resident ());
  }
  fail_unless (harness_stat ("segments-final") >= N_RECONNECTS - 1);
}

HARNESS_END_TEST;

static Suite *
memory_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-memory");
  TCase *tc = tcase_create ("memory");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_thousand_reconnects);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (memory);
