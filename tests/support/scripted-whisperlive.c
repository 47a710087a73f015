/* scripted-whisperlive: the scripted server as a process of its own, with the options of tests/genuine/server.py
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scripted-server.h"

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static gint port, max_clients = 4, seed = -1;
static gdouble max_connection_time = 600;
static gdouble load_delay = 0.01, pass_base = 0.02, pass_factor = 0.002;
static gchar *api_key;
static gboolean warm_up;

static const GOptionEntry entries[] = {
  {"port", 0, 0, G_OPTION_ARG_INT, &port,
      "Port on 127.0.0.1; 0, the default, takes a free one", "PORT"},
  {"max-clients", 0, 0, G_OPTION_ARG_INT, &max_clients,
      "Others are told to wait (4)", "N"},
  {"max-connection-time", 0, 0, G_OPTION_ARG_DOUBLE, &max_connection_time,
      "After that, clients are disconnected (600)", "SECONDS"},
  {"api-key", 0, 0, G_OPTION_ARG_STRING, &api_key,
      "Refuse clients that do not send it", "KEY"},
  {"warm-up", 0, 0, G_OPTION_ARG_NONE, &warm_up,
      "Does nothing: there is no model", NULL},
  {"load-delay", 0, 0, G_OPTION_ARG_DOUBLE, &load_delay,
      "From the handshake to SERVER_READY (0.01)", "SECONDS"},
  {"pass-base", 0, 0, G_OPTION_ARG_DOUBLE, &pass_base,
      "What each pass takes (0.02)", "SECONDS"},
  {"pass-factor", 0, 0, G_OPTION_ARG_DOUBLE, &pass_factor,
      "And for each second of audio (0.002)", "SECONDS"},
  {"seed", 0, 0, G_OPTION_ARG_INT, &seed,
      "Of delays, jitter and load; random if not given, told on stderr", "N"},
  {NULL, 0, 0, 0, NULL, NULL, NULL}
};

/* Nothing may be left behind: not after kill -9 of the parent either */
static void
end_with_parent (void)
{
  pid_t parent = getppid ();

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (getppid () != parent)
    exit (0);
}

/* One for each client, of which there may be many */
static void
raise_files (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static ScriptedServer *
start (void)
{
  ScriptedServer *server;
  ScriptedScript script;

  server = scripted_server_new_at (port,
      seed < 0 ? scripted_server_seed () : (guint) seed);
  scripted_server_get_script (server, &script);
  script.max_clients = max_clients;
  script.max_connection_time = max_connection_time * 1000;
  script.api_key = api_key;
  script.load_delay = load_delay * 1000;
  script.pass_base = pass_base * 1000;
  script.pass_factor = pass_factor * 1000;
  script.model.own_model = TRUE;
  scripted_server_set_script (server, &script);
  return server;
}

int
main (int argc, char *argv[])
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  ScriptedServer *server;

  g_option_context_set_summary (context,
      "Behaves as WhisperLive does, but hears only the words of spoken-words.h");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);
    return 2;
  }
  end_with_parent ();
  raise_files ();
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGINT, on_signal, loop);
  server = start ();
  g_print ("READY %s\n", scripted_server_uri (server));
  fflush (stdout);
  g_main_loop_run (loop);
  scripted_server_free (server);
  g_free (api_key);
  return 0;
}
