/* Up and down again at random moments, against a server that each time misbehaves in another way: each way down ends,
 * and nothing is left.
 *
 * WHISPERLIVE_CYCLES says how many times, WHISPERLIVE_SEED repeats a run.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "harness.h"

#define N_CYCLES 40
#define CLOSE_TIMEOUT 300
/* On top of it: far more than a busy machine takes to run some threads */
#define SCHEDULING 15000

/* How far a session gets; each is an event that can be waited for. */
typedef enum
{
  STAGE_START,
  STAGE_CONNECTING,
  STAGE_REQUEST,
  STAGE_UPGRADED,
  STAGE_HANDSHAKE,
  STAGE_READY,
  STAGE_AUDIO,
  STAGE_TEXT,
  N_STAGES
} Stage;

static const gchar *const stage_names[] =
    { "start", "connecting", "request", "upgraded", "handshake", "ready",
  "audio", "text"
};

static const ScriptedCounter stage_counters[] = { 0, 0, SCRIPTED_REQUESTS,
  SCRIPTED_UPGRADES, SCRIPTED_HANDSHAKES, SCRIPTED_READY, SCRIPTED_FRAMES,
  SCRIPTED_MESSAGES
};

/* --- faults: from the beginning, or from the moment on when the stage is reached --- */

static GRand *dice;

static guint
roll (guint n)
{
  return g_rand_int_range (dice, 0, n);
}

static void
late_accept (ScriptedScript * script)
{
  scripted_server_freeze (h->server);
}

static void
late_upgrade (ScriptedScript * script)
{
  script->hold_upgrade = TRUE;
}

static void
late_ready (ScriptedScript * script)
{
  script->hold_ready = TRUE;
}

static void
not_authorized (ScriptedScript * script)
{
  script->http_status = 401;
}

static void
full (ScriptedScript * script)
{
  script->full = TRUE;
  script->wait_minutes = 0;
}

static void
hang_up (ScriptedScript * script)
{
  static const gint codes[] = { SCRIPTED_RESET, 1000, 1001, 1009, 1011, 4000 };

  script->close_after_samples = 1 + roll (32000);
  script->close_code = codes[roll (G_N_ELEMENTS (codes))];
}

static void
hang_up_early (ScriptedScript * script)
{
  if (roll (2))
    script->close_at_upgrade = 1011;
  else
    script->close_at_handshake = 1011;
}

static void
overtime (ScriptedScript * script)
{
  script->max_connection_time = 0;
}

static void
stop_reading (ScriptedScript * script)
{
  script->read = FALSE;
}

static void
stop_writing (ScriptedScript * script)
{
  script->transcribe = FALSE;
}

static void
freeze (ScriptedScript * script)
{
  scripted_server_freeze (h->server);
}

static void
restart (ScriptedScript * script)
{
  scripted_server_kill (h->server);
  scripted_server_start (h->server);
}

static void
reset (ScriptedScript * script)
{
  scripted_server_close (h->server, SCRIPTED_RESET);
}

static const struct
{
  const gchar *name;
  void (*from_start) (ScriptedScript * script);
  void (*from_stage) (ScriptedScript * script);
  Stage sure;                   /* a session gets this far in any case */
} faults[] = {
  {"none", NULL, NULL, STAGE_TEXT},
  {"late accept", late_accept, NULL, STAGE_CONNECTING},
  {"late upgrade", late_upgrade, NULL, STAGE_REQUEST},
  {"late READY", late_ready, NULL, STAGE_HANDSHAKE},
  {"401", not_authorized, NULL, STAGE_REQUEST},
  {"WAIT", full, NULL, STAGE_HANDSHAKE},
  {"close", hang_up, NULL, STAGE_AUDIO},
  {"close early", hang_up_early, NULL, STAGE_UPGRADED},
  {"DISCONNECT", overtime, NULL, STAGE_AUDIO},
  {"reset", NULL, reset, STAGE_TEXT},
  {"stop reading", NULL, stop_reading, STAGE_TEXT},
  {"stop writing", NULL, stop_writing, STAGE_TEXT},
  {"freeze", NULL, freeze, STAGE_TEXT},
  {"restart", NULL, restart, STAGE_TEXT},
};

/* --- a cycle --- */

static void
apply (void (*fault) (ScriptedScript * script))
{
  ScriptedScript script;

  if (fault == NULL)
    return;
  scripted_server_get_script (h->server, &script);
  fault (&script);
  /* who is frozen does not answer; nothing was changed then */
  if (fault != late_accept && fault != freeze)
    scripted_server_set_script (h->server, &script);
}

static void
wait_for_stage (Stage stage, const guint64 * counts)
{
  if (stage == STAGE_CONNECTING)
    harness_wait_field ("whisperlive/state", "state", "connecting");
  else if (stage > STAGE_CONNECTING)
    fail_unless (scripted_server_wait (h->server, stage_counters[stage],
            counts[stage] + 1), "no %s", stage_names[stage]);
}

static const gchar *const disturbances[] =
    { "nothing", "flush", "EOS", "pause", "EOS and flush", "pause and play" };

/* What a state change may meet; that it fails after an error is nothing special. */
static void
disturb (guint how)
{
  if (how == 2 || how == 4)
    harness_eos ();
  if (how == 1 || how == 4) {
    gst_element_seek_simple (h->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
        0);
    h->pts = 0;
    harness_push_words (21, 2, 0, 0);
  }
  if (how == 3 || how == 5)
    gst_element_set_state (h->pipeline, GST_STATE_PAUSED);
  if (how == 5)
    gst_element_set_state (h->pipeline, GST_STATE_PLAYING);
}

static void
go_down (GstState state, const gchar * plan)
{
  gint64 start = g_get_monotonic_time (), took;

  gst_element_set_state (h->pipeline, state);
  took = (g_get_monotonic_time () - start) / 1000;
  /* not what it returned: a pipeline that is in READY already, because of an error, returns that FAILURE once more */
  fail_unless_equals_int (GST_STATE (h->sink), state);
  fail_unless (took <= CLOSE_TIMEOUT + SCHEDULING,
      "%s: down took %" G_GINT64_FORMAT " ms", plan, took);
}

static void
run_cycle (guint number, const ScriptedScript * good)
{
  guint fault = roll (G_N_ELEMENTS (faults)), how =
      roll (G_N_ELEMENTS (disturbances));
  Stage stage = roll (faults[fault].sure + 1);
  GstState up = stage >= STAGE_AUDIO
      || roll (2) ? GST_STATE_PLAYING : GST_STATE_PAUSED;
  GstState down = roll (2) ? GST_STATE_READY : GST_STATE_NULL;
  guint64 counts[N_STAGES];
  g_autofree gchar *plan =
      g_strdup_printf ("cycle %u: %s, %s at %s, %s, %s", number,
      gst_element_state_get_name (up), faults[fault].name, stage_names[stage],
      disturbances[how], gst_element_state_get_name (down));
  guint i;

  g_print ("%s\n", plan);
  for (i = 0; i < N_STAGES; i++)
    counts[i] = harness_server_count (stage_counters[i]);
  apply (faults[fault].from_start);
  h->pts = 0;
  harness_start (up);
  harness_push_words (1, 4 + roll (20), 0, 0);
  wait_for_stage (stage, counts);
  apply (faults[fault].from_stage);
  disturb (how);
  go_down (down, plan);

  scripted_server_thaw (h->server);
  scripted_server_set_script (h->server, good);
  harness_forget ();
}

static guint
from_environment (const gchar * name, guint otherwise)
{
  const gchar *value = g_getenv (name);

  return value != NULL ? strtoul (value, NULL, 10) : otherwise;
}

GST_START_TEST (test_random_cycles)
{
  guint seed = from_environment ("WHISPERLIVE_SEED", g_random_int ());
  guint n = from_environment ("WHISPERLIVE_CYCLES", N_CYCLES);
  ScriptedScript good;
  guint i;

  g_print ("WHISPERLIVE_SEED=%u\n", seed);
  dice = g_rand_new_with_seed (seed);
  scripted_server_get_script (h->server, &good);
  harness_make ("", "retries", -1, "retry-delay", 10, "retry-delay-max", 50,
      "close-timeout", CLOSE_TIMEOUT, "drain-timeout", 200, NULL);
  harness_make_seekable ();
  for (i = 0; i < n; i++)
    run_cycle (i, &good);
  harness_unmake ();
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
  g_rand_free (dice);
}

HARNESS_END_TEST;

static Suite *
cycles_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-cycles");
  TCase *tc = tcase_create ("cycles");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_random_cycles);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (cycles);
