/* Element states and the session: what each step up promises, and that each step down ends, from every phase, with
 * nothing left over (the fixture counts threads and sockets).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE             /* RTLD_NEXT */
#include <dlfcn.h>
#include <gst/base/gstbasesink.h>

#include "harness.h"
#include "stuck-resolver.h"

static gint
connection_state (void)
{
  gint state;

  g_object_get (h->sink, "connection-state", &state, NULL);
  return state;
}

static void
assert_settings_refused (const gchar * what)
{
  g_autoptr (GError) error = NULL;

  fail_unless_equals_int (gst_element_set_state (h->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS), "%s: %s", what, error->message);
  fail_unless_equals_int (harness_n (GST_MESSAGE_ERROR, NULL), 1);
}

static const gchar *const bad_uris[] =
    { "", "nonsense", "http://127.0.0.1:9090", "ws://", "ws://127.0.0.1:99999",
  "file:///etc/passwd"
};

GST_START_TEST (test_bad_uri)
{
  harness_make ("", "uri", bad_uris[__i__], NULL);
  assert_settings_refused (bad_uris[__i__]);
}

HARNESS_END_TEST;

/* It was good when READY was reached. */
GST_START_TEST (test_bad_uri_in_ready)
{
  g_autoptr (GError) error = NULL;

  harness_make ("", NULL);
  harness_state (GST_STATE_READY);
  g_object_set (h->sink, "uri", "http://127.0.0.1:9090", NULL);
  fail_unless_equals_int (gst_element_set_state (h->pipeline, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS), "%s", error->message);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 0);
}

HARNESS_END_TEST;

/* Each of these would hang a genuine server for everybody. */
GST_START_TEST (test_bad_options)
{
  harness_make ("", NULL);
  if (__i__ == 0)
    g_object_set (h->sink, "language-code", "klingon", NULL);
  else
    gst_util_set_object_arg (G_OBJECT (h->sink), "vad-parameters",
        "vad,unheard-of=(int)1");
  assert_settings_refused (__i__ == 0 ? "language-code" : "vad-parameters");
}

HARNESS_END_TEST;

/* A wrong value can be put right. */
GST_START_TEST (test_better_uri)
{
  harness_make ("", "uri", "nonsense", NULL);
  assert_settings_refused ("uri");
  gst_element_set_state (h->pipeline, GST_STATE_NULL);
  harness_forget ();
  g_object_set (h->sink, "uri", scripted_server_uri (h->server), NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
}

HARNESS_END_TEST;

static void
assert_told_late (const gchar * property)
{
  g_autoptr (GError) warning = NULL;
  GstMessage *message = harness_wait (GST_MESSAGE_WARNING, NULL);

  gst_message_parse_warning (message, &warning, NULL);
  fail_unless (g_error_matches (warning, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS), "%s", warning->message);
  fail_unless (strstr (warning->message, property) != NULL, "%s",
      warning->message);
}

/* What is set too late is told, and taken at the next start. */
GST_START_TEST (test_set_while_playing)
{
  g_autofree gchar *model = NULL;
  g_autoptr (ScriptedSession) session = NULL;

  harness_make ("", "model", "first", NULL);
  harness_start (GST_STATE_PLAYING);
  /* this one holds at once */
  gst_util_set_object_arg (G_OBJECT (h->sink), "leaky", "upstream");
  g_object_set (h->sink, "model", "second", NULL);
  assert_told_late ("\"model\"");
  g_object_get (h->sink, "model", &model, NULL);
  fail_unless_equals_string (model, "second");
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  harness_state (GST_STATE_READY);
  g_object_set (h->sink, "hotwords", "in time", NULL);
  harness_start (GST_STATE_PLAYING);
  g_object_set (h->sink, "client-id", "late", NULL);
  assert_told_late ("\"client-id\"");
  harness_wait_server (SCRIPTED_HANDSHAKES, 2);
  session = scripted_server_session (h->server, 1);
  fail_unless (strstr (session->handshake, "\"second\"") != NULL, "%s",
      session->handshake);
  fail_unless (strstr (session->handshake, "\"in time\"") != NULL, "%s",
      session->handshake);
}

HARNESS_END_TEST;

GST_START_TEST (test_ready_makes_no_socket)
{
  guint sockets = census_count_sockets ();

  harness_make ("", NULL);
  harness_state (GST_STATE_READY);
  fail_unless_equals_int (census_count_sockets (), sockets);
  /* the session's and the server's are the only ones */
  fail_unless_equals_int (census_count_threads (), h->before->threads->len + 2);
  harness_state (GST_STATE_NULL);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 0);
  fail_unless_equals_int (connection_state (), 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_preroll_waits_for_server)
{
  g_autoptr (ScriptedSession) session = NULL;

  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_start (GST_STATE_PAUSED);
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  harness_wait_field ("whisperlive/state", "state", "connected");
  fail_unless_equals_int (gst_element_get_state (h->pipeline, NULL, NULL, 0),
      GST_STATE_CHANGE_ASYNC);
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_state (GST_STATE_PAUSED);
  harness_wait_field ("whisperlive/state", "state", "ready");
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  session = scripted_server_session (h->server, 0);
  fail_unless_equals_int (session->early_frames, 0);
}

HARNESS_END_TEST;

/* A microphone is not held up by a server that loads its model; what it says meanwhile is kept. */
GST_START_TEST (test_live_is_not_held_up)
{
  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", NULL);
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 12, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_READY), 0);
  HARNESS_SCRIPT (hold_ready, FALSE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_paused_keeps_the_session)
{
  g_autofree gchar *before = NULL, *after = NULL;

  harness_make ("", "same-output-threshold", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  g_object_get (h->sink, "session-id", &before, NULL);
  harness_start (GST_STATE_PAUSED);
  harness_push_words (8, 5, 0, 0);
  harness_state (GST_STATE_PAUSED);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_LIVE), 1);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, 0);
  g_object_get (h->sink, "session-id", &after, NULL);
  fail_unless_equals_string (before, after);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

/* The source has nothing any more: what was pushed has all been taken. */
static void
on_need_data (GstElement * src, guint length, gpointer unused)
{
  if (harness_stat ("audio-received") == 30 * GST_SECOND)
    gst_element_post_message (src,
        gst_message_new_application (GST_OBJECT (src),
            gst_structure_new_empty ("taken")));
}

/* What the server completes in PAUSED makes room, which PLAYING fills. */
GST_START_TEST (test_paused_sends_nothing)
{
  guint64 sent;

  HARNESS_SCRIPT (transcribe, FALSE);
  harness_make ("", NULL);
  g_signal_connect (h->src, "need-data", G_CALLBACK (on_need_data), NULL);
  harness_push_words (1, 60, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_server (SCRIPTED_SAMPLES, 8 * 16000);
  /* a buffer that is being taken would go on as in PLAYING */
  harness_wait (GST_MESSAGE_APPLICATION, NULL);
  harness_start (GST_STATE_PAUSED);
  harness_push_words (61, 5, 0, 0);
  harness_state (GST_STATE_PAUSED);
  HARNESS_SCRIPT (transcribe, TRUE);
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
  sent = harness_stat ("audio-sent");
  fail_unless (sent < 25 * GST_SECOND);
  harness_wait_server (SCRIPTED_MESSAGES,
      harness_server_count (SCRIPTED_MESSAGES) + 4);
  fail_unless_equals_uint64 (harness_stat ("audio-sent"), sent);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 65, 0);
}

HARNESS_END_TEST;

/* Only at the beginning is there no PAUSED without a server. */
GST_START_TEST (test_paused_without_a_server)
{
  harness_make ("", "retries", -1, "retry-delay", 20, "retry-delay-max", 100,
      "same-output-threshold", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_kill (h->server);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  harness_start (GST_STATE_PAUSED);
  harness_push_words (8, 5, 0, 0);
  harness_state (GST_STATE_PAUSED);
  scripted_server_start (h->server);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, 0);
}

HARNESS_END_TEST;

/* The server pings, and hangs up on who does not answer in time; PAUSED is no reason not to. */
GST_START_TEST (test_paused_longer_than_ping_timeout)
{
  guint64 pongs;

  HARNESS_SCRIPT (ping_timeout, 1);
  harness_make ("", "same-output-threshold", 1000, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  harness_start (GST_STATE_PAUSED);
  harness_push_words (8, 5, 0, 0);
  harness_state (GST_STATE_PAUSED);
  pongs = harness_server_count (SCRIPTED_PONGS);
  harness_wait_server (SCRIPTED_PONGS, pongs + 3);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 12, 0);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

GST_START_TEST (test_many_pauses)
{
  guint i;

  harness_make ("", "same-output-threshold", 1000, NULL);
  harness_push_words (1, 3, 0, 0);
  harness_state (GST_STATE_PLAYING);
  for (i = 0; i < 20; i++) {
    /* it is paused once there is a buffer again that waits */
    harness_start (GST_STATE_PAUSED);
    harness_push_words (4 + 3 * i, 3, 0, 0);
    harness_state (GST_STATE_PAUSED);
    harness_state (GST_STATE_PLAYING);
    /* GstBaseSink takes a thread that has not woken up yet for prerolled, and then lets it go on in PAUSED */
    harness_wait_server (SCRIPTED_SAMPLES, (6 + 3 * i) * 8000);
  }
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 63, 0);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_UPGRADES), 1);
}

HARNESS_END_TEST;

static GstStateChangeReturn (*base_change_state) (GstElement *, GstStateChange);
static gpointer interrupted;    /* thread */

static void
commit_playing (void)
{
  if (g_atomic_pointer_compare_and_exchange (&interrupted, g_thread_self (),
          NULL))
    GST_ELEMENT_GET_CLASS (h->sink)->change_state (h->sink,
        GST_STATE_CHANGE_PAUSED_TO_PLAYING);
}

/* Stands before GStreamer's: what the element does next is to tell the session of PAUSED. */
static GstStateChangeReturn
change_state_and_interrupt (GstElement * element, GstStateChange transition)
{
  GstStateChangeReturn ret = base_change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    g_atomic_pointer_set (&interrupted, g_thread_self ());
  return ret;
}

/* These stand before GLib's: a command is about to be queued, or the session to be woken up. */
void
g_source_set_ready_time (GSource * source, gint64 time)
{
  void (*real) (GSource *, gint64) =
      dlsym (RTLD_NEXT, "g_source_set_ready_time");

  commit_playing ();
  real (source, time);
}

/* ThreadSanitizer has one of its own */
#ifndef __SANITIZE_THREAD__
void
g_mutex_lock (GMutex * mutex)
{
  static void (*real) (GMutex *);

  if (!g_atomic_pointer_get (&real))
    g_atomic_pointer_set (&real, dlsym (RTLD_NEXT, "g_mutex_lock"));
  commit_playing ();
  real (mutex);
}
#endif

/* GstBaseSink's streaming thread can commit PLAYING while PAUSED is on its way to the session: it must not stay paused. */
GST_START_TEST (test_playing_overtakes_paused)
{
  GstElementClass *base;

  harness_make ("", NULL);
  harness_push_words (1, 3, 0, 0);
  harness_state (GST_STATE_PLAYING);
  base = g_type_class_peek (GST_TYPE_BASE_SINK);
  base_change_state = base->change_state;
  base->change_state = change_state_and_interrupt;
  harness_start (GST_STATE_PAUSED);
  base->change_state = base_change_state;
  fail_unless (g_atomic_pointer_get (&interrupted) == NULL);
  harness_push_words (4, 4, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_state_path)
{
  g_autofree gchar *path = NULL;

  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_start (GST_STATE_READY);
  path = harness_state_path ();
  fail_unless_equals_string (path,
      "connecting connected ready draining closing disconnected");
  fail_unless_equals_string (gst_structure_get_string (harness_nth
          ("whisperlive/state", 0), "previous"), "disconnected");
  fail_unless_equals_int (connection_state (), 0);
}

HARNESS_END_TEST;

/* What is notified and what is posted, in order */
typedef struct
{
  GMutex lock;
  GString *text;
} Told;

static void
add_told (Told * told, const gchar * format, ...)
{
  va_list args;

  va_start (args, format);
  g_mutex_lock (&told->lock);
  g_string_append_vprintf (told->text, format, args);
  g_mutex_unlock (&told->lock);
  va_end (args);
}

static void
on_connection_state (GstElement * sink, GParamSpec * pspec, gpointer told)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (sink), "connection-state", &value);
  add_told (told, "%s ", g_enum_get_value (G_ENUM_CLASS (g_type_class_peek
              (pspec->value_type)), g_value_get_enum (&value))->value_nick);
  g_value_unset (&value);
}

static void
on_session_id (GstElement * sink, GParamSpec * pspec, gpointer told)
{
  g_autofree gchar *id = NULL;

  g_object_get (sink, "session-id", &id, NULL);
  add_told (told, "%s ", id);
}

static GstBusSyncReply
on_posted (GstBus * bus, GstMessage * message, gpointer told)
{
  if (gst_message_has_name (message, "whisperlive/state"))
    add_told (told, "posted\n");
  return GST_BUS_PASS;
}

/* Who is told by a message of a state, or of a session, finds it in the properties, and has been notified of it. */
GST_START_TEST (test_notifies)
{
  Told told;
  g_autoptr (GString) expected = g_string_new (NULL);
  const gchar *last = NULL;
  const GstStructure *structure;
  guint i, n = 0;

  g_mutex_init (&told.lock);
  told.text = g_string_new (NULL);
  harness_make ("", "retry-delay", 20, NULL);
  g_signal_connect (h->sink, "notify::connection-state",
      G_CALLBACK (on_connection_state), &told);
  g_signal_connect (h->sink, "notify::session-id", G_CALLBACK (on_session_id),
      &told);
  gst_bus_set_sync_handler (h->bus, on_posted, &told, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  scripted_server_close (h->server, 1011);
  harness_wait_server (SCRIPTED_READY, 2);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_state (GST_STATE_READY);
  harness_collect ();
  for (i = 0; (structure = harness_nth ("whisperlive/state", i)) != NULL; i++) {
    const gchar *id = gst_structure_get_string (structure, "session-id");

    if (g_strcmp0 (id, last) != 0) {
      g_autoptr (ScriptedSession) session =
          scripted_server_session (h->server, n++);

      fail_unless_equals_string (id, session->uid);
      g_string_append_printf (expected, "%s ", id);
    }
    g_string_append_printf (expected, "%s posted\n",
        gst_structure_get_string (structure, "state"));
    last = id;
  }
  fail_unless_equals_int (n, 2);
  harness_unmake ();
  fail_unless_equals_string (told.text->str, expected->str);
  g_string_free (told.text, TRUE);
  g_mutex_clear (&told.lock);
}

HARNESS_END_TEST;

/* --- the way down from each phase --- */

typedef enum
{
  PHASE_RESOLVING,
  PHASE_CONNECTING,
  PHASE_TLS,
  PHASE_UPGRADING,
  PHASE_LOADING,
  PHASE_STREAMING,
  PHASE_BLOCKED,
  PHASE_DRAINING,
  PHASE_WAITING,
  PHASE_FULL,
  N_PHASES
} Phase;

static GSocket *silent;
static GResolver *resolver, *system_resolver;   /* that one is stuck */

static void
prepare (Phase phase)
{
  g_autofree gchar *uri = NULL;
  guint port = 0;

  if (phase == PHASE_UPGRADING)
    HARNESS_SCRIPT (hold_upgrade, TRUE);
  else if (phase == PHASE_LOADING)
    HARNESS_SCRIPT (hold_ready, TRUE);
  else if (phase == PHASE_DRAINING)
    HARNESS_SCRIPT (transcribe, FALSE);
  else if (phase == PHASE_BLOCKED)
    HARNESS_SCRIPT (read, TRUE);
  else if (phase == PHASE_FULL)
    HARNESS_SCRIPT (full, TRUE);
  else if (phase == PHASE_CONNECTING || phase == PHASE_TLS)
    silent = silent_port_new (&port);
  else if (phase == PHASE_WAITING)
    port = unused_port ();
  if (phase == PHASE_RESOLVING) {
    system_resolver = g_resolver_get_default ();
    resolver = stuck_resolver_new ();
    g_resolver_set_default (resolver);
    g_object_set (h->sink, "uri", "ws://whisperlive.example:9090", NULL);
  } else if (port != 0) {
    uri = g_strdup_printf ("%s://127.0.0.1:%u", phase == PHASE_TLS ? "wss" :
        "ws", port);
    g_object_set (h->sink, "uri", uri, NULL);
  }
  g_object_set (h->sink, "retries", -1, "retry-delay", 30000, "close-timeout",
      300, "same-output-threshold", 1000, NULL);
}

static void
reach (Phase phase)
{
  harness_push_words (1, 12, 0, 0);
  harness_start (phase == PHASE_STREAMING || phase == PHASE_DRAINING
      || phase == PHASE_BLOCKED ? GST_STATE_PLAYING : GST_STATE_PAUSED);
  if (phase == PHASE_RESOLVING)
    fail_unless (stuck_resolver_wait (resolver));
  else if (phase == PHASE_CONNECTING || phase == PHASE_TLS)
    harness_wait_field ("whisperlive/state", "state", "connecting");
  else if (phase == PHASE_UPGRADING)
    harness_wait_server (SCRIPTED_REQUESTS, 1);
  else if (phase == PHASE_LOADING)
    harness_wait_field ("whisperlive/state", "state", "connected");
  else if (phase == PHASE_WAITING || phase == PHASE_FULL)
    harness_wait_field ("whisperlive/state", "state", "waiting");
  else
    harness_wait_server (SCRIPTED_SAMPLES, 16000);
  if (phase == PHASE_BLOCKED) {
    HARNESS_SCRIPT (read, FALSE);
    harness_push_words (13, 200, 0, 0);
  }
  if (phase == PHASE_DRAINING) {
    harness_eos ();
    harness_wait_field ("whisperlive/state", "state", "draining");
  }
}

static void
leave (Phase phase)
{
  scripted_server_thaw (h->server);
  g_clear_object (&silent);
  harness_unmake ();
  if (resolver) {
    g_resolver_set_default (system_resolver);
    g_clear_object (&system_resolver);
    g_object_add_weak_pointer (G_OBJECT (resolver), (gpointer *) & resolver);
    g_object_unref (resolver);
    fail_unless (resolver == NULL, "a look-up goes on");
  }
  if (phase != PHASE_UPGRADING) {
    HARNESS_SCRIPT (read, TRUE);
    fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
  }
}

/* The server behaves; the closing handshake is done. */
GST_START_TEST (test_down)
{
  harness_make ("", NULL);
  prepare (__i__);
  reach (__i__);
  harness_start (GST_STATE_READY);
  fail_unless_equals_int (connection_state (), 0);
  if (__i__ == PHASE_STREAMING || __i__ == PHASE_LOADING) {
    g_autoptr (ScriptedSession) session = NULL;

    harness_wait_server (SCRIPTED_CLOSED, 1);
    session = scripted_server_session (h->server, 0);
    fail_unless (session->close_code != 0, "it left without a closing frame");
  }
  leave (__i__);
}

HARNESS_END_TEST;

/* The server stands still; it has to go without it. */
GST_START_TEST (test_down_frozen)
{
  harness_make ("", NULL);
  prepare (__i__);
  reach (__i__);
  scripted_server_freeze (h->server);
  harness_start (GST_STATE_READY);
  fail_unless_equals_int (connection_state (), 0);
  harness_start (GST_STATE_NULL);
  leave (__i__);
}

HARNESS_END_TEST;

/* From READY up again, which the last session must not disturb. */
GST_START_TEST (test_down_and_up)
{
  harness_make ("", NULL);
  prepare (__i__);
  reach (__i__);
  harness_start (GST_STATE_READY);
  harness_forget ();
  HARNESS_SCRIPT (hold_upgrade, FALSE);
  HARNESS_SCRIPT (hold_ready, FALSE);
  HARNESS_SCRIPT (transcribe, TRUE);
  HARNESS_SCRIPT (read, TRUE);
  HARNESS_SCRIPT (full, FALSE);
  g_object_set (h->sink, "uri", scripted_server_uri (h->server), NULL);
  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (21, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 7, 0);
  leave (__i__);
}

HARNESS_END_TEST;

/* What two threads do to an element at the same time */
static gpointer
change_states (gpointer seed)
{
  GRand *rand = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));
  guint i;

  for (i = 0; i < 50; i++)
    gst_element_set_state (h->pipeline, g_rand_int_range (rand,
            GST_STATE_NULL, GST_STATE_PLAYING + 1));
  g_rand_free (rand);
  return NULL;
}

GST_START_TEST (test_states_from_several_threads)
{
  GThread *threads[3];
  guint i;

  harness_launch ("audiotestsrc is-live=true ! whisperlivesink name=sink "
      "async=false");
  g_object_set (h->sink, "uri", scripted_server_uri (h->server),
      "close-timeout", 100, NULL);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("states", change_states, GUINT_TO_POINTER (i));
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  harness_start (GST_STATE_NULL);
  harness_unmake ();
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
}

HARNESS_END_TEST;

GST_START_TEST (test_hundred_times)
{
  guint i;

  harness_make ("", NULL);
  for (i = 0; i < 100; i++) {
    guint64 requests = harness_server_count (SCRIPTED_REQUESTS), ready =
        harness_server_count (SCRIPTED_READY);
    guint64 frames = harness_server_count (SCRIPTED_FRAMES);

    h->pts = 0;
    harness_start (GST_STATE_PLAYING);
    harness_push_words (1, 3, 0, 0);
    /* each time a little further */
    if (i % 4 == 1)
      harness_wait_server (SCRIPTED_REQUESTS, requests + 1);
    else if (i % 4 == 2)
      harness_wait_server (SCRIPTED_READY, ready + 1);
    else if (i % 4 == 3)
      harness_wait_server (SCRIPTED_FRAMES, frames + 1);
    harness_start (GST_STATE_NULL);
    fail_unless_equals_int (connection_state (), 0);
    fail_unless_equals_int (harness_n (GST_MESSAGE_ERROR, NULL), 0);
    harness_forget ();
  }
  harness_unmake ();
  fail_unless (scripted_server_wait_equal (h->server, SCRIPTED_LIVE, 0));
}

HARNESS_END_TEST;

static Suite *
states_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-states");
  TCase *tc = tcase_create ("states");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_loop_test (tc, test_bad_uri, 0, G_N_ELEMENTS (bad_uris));
  tcase_add_test (tc, test_bad_uri_in_ready);
  tcase_add_loop_test (tc, test_bad_options, 0, 2);
  tcase_add_test (tc, test_better_uri);
  tcase_add_test (tc, test_set_while_playing);
  tcase_add_test (tc, test_ready_makes_no_socket);
  tcase_add_test (tc, test_preroll_waits_for_server);
  tcase_add_test (tc, test_live_is_not_held_up);
  tcase_add_test (tc, test_paused_keeps_the_session);
  tcase_add_test (tc, test_paused_sends_nothing);
  tcase_add_test (tc, test_paused_without_a_server);
  tcase_add_test (tc, test_paused_longer_than_ping_timeout);
  tcase_add_test (tc, test_many_pauses);
  tcase_add_test (tc, test_playing_overtakes_paused);
  tcase_add_test (tc, test_state_path);
  tcase_add_test (tc, test_notifies);
  tcase_add_loop_test (tc, test_down, 0, N_PHASES);
  tcase_add_loop_test (tc, test_down_frozen, 0, N_PHASES);
  tcase_add_loop_test (tc, test_down_and_up, 0, N_PHASES);
  tcase_add_test (tc, test_states_from_several_threads);
  tcase_add_test (tc, test_hundred_times);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (states);
