/* What goes wrong is told once, with the code of the Errors table, and the streaming thread gets GST_FLOW_ERROR.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "flood-server.h"
#include "harness.h"

#define SECRET "hunter2-very-secret"

static void
set_port (guint port)
{
  g_autofree gchar *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);

  g_object_set (h->sink, "uri", uri, NULL);
}

/* The way down is not held up, and the key is told to nobody. */
static void
finish (void)
{
  harness_start (GST_STATE_NULL);
  harness_assert_nowhere (SECRET);
}

/* Errors of the element itself; a source adds its own when it gets GST_FLOW_ERROR. */
static guint
n_errors (void)
{
  guint i, n = 0;

  harness_collect ();
  for (i = 0; i < h->story->len; i++) {
    GstMessage *message = g_ptr_array_index (h->story, i);

    n += GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
        && GST_MESSAGE_SRC (message) == GST_OBJECT (h->sink);
  }
  return n;
}

static void
assert_connection_state (const gchar * nick)
{
  g_autofree gchar *value = NULL;
  GValue state = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (h->sink), "connection-state", &state);
  value = gst_value_serialize (&state);
  fail_unless_equals_string (value, nick);
  g_value_unset (&state);
}

static gchar *
assert_error (gint code)
{
  g_autoptr (GError) error = harness_wait_error ();
  g_autofree gchar *text = g_strdup (error->message);

  assert_connection_state ("failed");
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, error->message);
  fail_unless (GST_MESSAGE_SRC (g_ptr_array_index (h->story,
              h->cursor - 1)) == GST_OBJECT (h->sink),
      "the error is not the element's own");
  finish ();
  fail_unless_equals_int (n_errors (), 1);
  return g_steal_pointer (&text);
}

static void
run (void)
{
  g_object_set (h->sink, "api-key", SECRET, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_start (GST_STATE_PLAYING);
}

static void
expect (gint code)
{
  g_free (assert_error (code));
}

/* @retries more attempts, each after a delay, then the error */
static void
assert_refused (gint retries)
{
  harness_make ("", "retries", retries, "retry-delay", 10, "retry-delay-max",
      20, NULL);
  set_port (unused_port ());
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts"), retries + 1);
  /* there has been nothing to connect to again */
  fail_unless_equals_uint64 (harness_stat ("reconnects"), 0);
}

GST_START_TEST (test_nothing_listens)
{
  assert_refused (0);
}

HARNESS_END_TEST;

GST_START_TEST (test_nothing_listens_retries)
{
  assert_refused (2);
}

HARNESS_END_TEST;

/* The error says where, and keeps to itself what else the address holds. */
GST_START_TEST (test_secrets_in_the_address)
{
  guint port = unused_port ();
  g_autofree gchar *uri = g_strdup_printf ("ws://me:" SECRET
      "@127.0.0.1:%u?token=" SECRET, port);
  g_autofree gchar *shown = g_strdup_printf ("ws://127.0.0.1:%u", port);
  g_autofree gchar *text = NULL;

  harness_make ("", "retries", 0, "uri", uri, NULL);
  run ();
  text = assert_error (GST_RESOURCE_ERROR_OPEN_WRITE);
  fail_unless (strstr (text, shown) != NULL, "%s is not in \"%s\"", shown,
      text);
}

HARNESS_END_TEST;

GST_START_TEST (test_says_nothing)
{
  guint port;
  GSocket *silent = silent_port_new (&port);

  harness_make ("", "retries", 0, "connect-timeout", 200, NULL);
  set_port (port);
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
  g_object_unref (silent);
}

HARNESS_END_TEST;

GST_START_TEST (test_upgrade_held)
{
  HARNESS_SCRIPT (hold_upgrade, TRUE);
  harness_make ("", "retries", 0, "connect-timeout", 200, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
}

HARNESS_END_TEST;

GST_START_TEST (test_no_such_host)
{
  harness_make ("", "retries", 0, "uri", "ws://does-not-exist.invalid:9090",
      NULL);
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
}

HARNESS_END_TEST;

GST_START_TEST (test_plain_http)
{
  static const guint statuses[] = { 200, 302, 404, 500 };

  HARNESS_SCRIPT (http_status, statuses[__i__]);
  harness_make ("", "retries", 0, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
  /* the key goes to nobody else */
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 1);
}

HARNESS_END_TEST;

GST_START_TEST (test_not_authorized)
{
  static const guint statuses[] = { 401, 403 };

  HARNESS_SCRIPT (http_status, statuses[__i__]);
  harness_make ("", "retries", 10, "retry-delay", 10, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts"), 1);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 1);
}

HARNESS_END_TEST;

/* All that matters is in the first line: the rest of such an answer may never come. */
GST_START_TEST (test_not_authorized_without_an_end)
{
  static const gchar *const answers[] = {
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nno",
    "HTTP/1.1 403 Forbidden\r\n\r\nno",
  };
  FloodServer *server = flood_server_new_raw (answers[__i__], NULL);

  harness_make ("", "uri", flood_server_uri (server), NULL);
  run ();
  expect (GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts"), 1);
  harness_unmake ();
  flood_server_free (server);
}

HARNESS_END_TEST;

/* What was put right in READY works; no NULL is needed. */
GST_START_TEST (test_again_after_error)
{
  HARNESS_SCRIPT (http_status, 401);
  harness_make ("", NULL);
  run ();
  /* the sink's, and the source's when it has got GST_FLOW_ERROR: preroll has failed */
  harness_wait (GST_MESSAGE_ERROR, NULL);
  harness_wait (GST_MESSAGE_ERROR, NULL);
  harness_start (__i__ ? GST_STATE_NULL : GST_STATE_READY);
  harness_forget ();
  HARNESS_SCRIPT (http_status, 0);
  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (21, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 7, 0);
}

HARNESS_END_TEST;

static GstPadProbeReturn
drop_eos (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  return GST_EVENT_TYPE (info->data) == GST_EVENT_EOS ? GST_PAD_PROBE_DROP :
      GST_PAD_PROBE_OK;
}

/* The element is in READY then, though nothing has told it to stop; the source's EOS would preroll after all. */
GST_START_TEST (test_set_after_error)
{
  g_autoptr (GstPad) pad = NULL;

  HARNESS_SCRIPT (http_status, 401);
  harness_make ("", NULL);
  pad = gst_element_get_static_pad (h->src, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, drop_eos, NULL,
      NULL);
  run ();
  harness_wait (GST_MESSAGE_ERROR, NULL);
  harness_wait (GST_MESSAGE_ERROR, NULL);
  if (__i__)
    gst_element_set_state (h->sink, GST_STATE_READY);
  g_object_set (h->sink, "model", "another", NULL);
  harness_collect ();
  fail_unless_equals_int (harness_n (GST_MESSAGE_WARNING, NULL), 0);
}

HARNESS_END_TEST;

static void
tell (const gchar * what)
{
  gst_element_post_message (h->src,
      gst_message_new_application (GST_OBJECT (h->src),
          gst_structure_new_empty (what)));
}

static GstPadProbeReturn
block_eos (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  if (GST_EVENT_TYPE (info->data) != GST_EVENT_EOS)
    return GST_PAD_PROBE_PASS;
  tell ("blocked");
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
tell_idle (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  tell ("idle");
  return GST_PAD_PROBE_REMOVE;
}

/* A source that gets GST_FLOW_ERROR tells of the error first, and then sends EOS: the sink may be in READY by then. */
GST_START_TEST (test_again_after_error_and_late_eos)
{
  g_autoptr (GstPad) pad = NULL;
  gulong probe;

  HARNESS_SCRIPT (http_status, 401);
  harness_make ("", NULL);
  pad = gst_element_get_static_pad (h->src, "src");
  probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, block_eos, NULL, NULL);
  run ();
  harness_wait (GST_MESSAGE_ERROR, NULL);
  harness_wait (GST_MESSAGE_ERROR, NULL);
  harness_wait (GST_MESSAGE_APPLICATION, "blocked");
  fail_unless_equals_int (gst_element_set_state (h->sink, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, tell_idle, NULL, NULL);
  gst_pad_remove_probe (pad, probe);
  harness_wait (GST_MESSAGE_APPLICATION, "idle");
  harness_start (GST_STATE_READY);
  harness_forget ();
  HARNESS_SCRIPT (http_status, 0);
  h->pts = 0;
  harness_start (GST_STATE_PLAYING);
  harness_push_words (21, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (21, 7, 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_wrong_key)
{
  HARNESS_SCRIPT (api_key, "another");
  harness_make ("", "retries", 10, "retry-delay", 10, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 1);
}

HARNESS_END_TEST;

GST_START_TEST (test_right_key)
{
  HARNESS_SCRIPT (api_key, SECRET);
  harness_make ("", NULL);
  run ();
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
  harness_assert_nowhere (SECRET);
}

HARNESS_END_TEST;

/* No one speaks TLS there. */
GST_START_TEST (test_tls_to_a_plain_port)
{
  g_autofree gchar *uri =
      g_strdup_printf ("wss://127.0.0.1:%u", scripted_server_port (h->server));
  g_autoptr (GError) error = NULL;

  harness_make ("", "retries", 0, "uri", uri, "connect-timeout", 2000, NULL);
  run ();
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_WRITE)
      || g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_AUTHORIZED), "%s", error->message);
}

HARNESS_END_TEST;

GST_START_TEST (test_never_ready)
{
  g_autoptr (ScriptedSession) session = NULL;

  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", "retries", 0, "ready-timeout", 300, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_OPEN_WRITE);
  session = scripted_server_session (h->server, 0);
  fail_unless_equals_int (session->early_frames, 0);
}

HARNESS_END_TEST;

GST_START_TEST (test_status_error)
{
  static const gchar words[] = "Failed to load model: enormous, which neither "
      "this machine nor any other that is known of has the memory for";
  g_autofree gchar *text = NULL;

  HARNESS_SCRIPT (error, words);
  harness_make ("", "retries", 10, "retry-delay", 10, NULL);
  run ();
  text = assert_error (GST_RESOURCE_ERROR_FAILED);
  fail_unless (strstr (text, words) != NULL,
      "the server's words are not in \"%s\"", text);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 1);
}

HARNESS_END_TEST;

/* 1000 before SERVER_READY is how the server refuses what it is asked for; asking again does not help. */
GST_START_TEST (test_configuration_refused)
{
  HARNESS_SCRIPT (close_at_handshake, 1000);
  harness_make ("", "retries", 10, "retry-delay", 10, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_SETTINGS);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 1);
}

HARNESS_END_TEST;

GST_START_TEST (test_full)
{
  HARNESS_SCRIPT (full, TRUE);
  HARNESS_SCRIPT (wait_minutes, -0.5);
  harness_make ("", "retries", 1, "retry-delay", 10, "retry-delay-max", 20,
      NULL);
  run ();
  expect (GST_RESOURCE_ERROR_BUSY);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_WAITS), 2);
}

HARNESS_END_TEST;

/* One that does not hang up is left, and long before ready-timeout. */
GST_START_TEST (test_full_without_an_end)
{
  HARNESS_SCRIPT (hold_ready, TRUE);
  harness_make ("", "retries", 0, "close-timeout", 100, "ready-timeout",
      3600000, NULL);
  harness_start (GST_STATE_PLAYING);
  /* before that it would have no uid to name */
  harness_wait_server (SCRIPTED_HANDSHAKES, 1);
  scripted_server_send_text (h->server,
      "{\"uid\":\"$UID\",\"status\":\"WAIT\",\"message\":1.0}");
  expect (GST_RESOURCE_ERROR_BUSY);
}

HARNESS_END_TEST;

/* The figures are there with the state, not only when there is a session. */
static void
assert_figure_of_state (const gchar * name)
{
  harness_start (GST_STATE_PLAYING);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  fail_unless_equals_uint64 (harness_stat (name), 1);
}

GST_START_TEST (test_attempts_are_counted_at_once)
{
  harness_make ("", "retries", -1, "retry-delay", 60000, "retry-delay-max",
      60000, NULL);
  set_port (unused_port ());
  assert_figure_of_state ("connect-attempts");
}

HARNESS_END_TEST;

GST_START_TEST (test_waits_are_counted_at_once)
{
  HARNESS_SCRIPT (full, TRUE);
  harness_make ("", "retries", -1, "retry-delay", 60000, "retry-delay-max",
      60000, NULL);
  assert_figure_of_state ("waits");
}

HARNESS_END_TEST;

GST_START_TEST (test_lost_without_retries)
{
  HARNESS_SCRIPT (close_after_samples, 8000);
  HARNESS_SCRIPT (close_code, __i__ == 0 ? SCRIPTED_RESET : 1011);
  harness_make ("", "retries", 0, NULL);
  run ();
  expect (GST_RESOURCE_ERROR_WRITE);
}

HARNESS_END_TEST;

/* 0: before SERVER_READY; 1: in the middle of the stream */
GST_START_TEST (test_warning)
{
  g_autoptr (GError) error = NULL;

  if (__i__ == 0)
    HARNESS_SCRIPT (warning, "TensorRT-LLM not supported on Server yet.");
  harness_make ("", NULL);
  run ();
  if (__i__) {
    harness_wait_field ("whisperlive/state", "state", "ready");
    scripted_server_send_text (h->server,
        "{\"uid\":\"$UID\",\"status\":\"WARNING\","
        "\"message\":\"TensorRT-LLM not supported on Server yet.\"}");
  }
  gst_message_parse_warning (harness_wait (GST_MESSAGE_WARNING, NULL), &error,
      NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_FAILED), "%s %d",
      g_quark_to_string (error->domain), error->code);
  fail_unless (strstr (error->message, "TensorRT-LLM not supported") != NULL,
      "%s", error->message);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 7, 0);
}

HARNESS_END_TEST;

/* The reference client drops what has another uid, too. */
#define NOT_MINE "{\"uid\":\"somebody else\",\"segments\":[{\"start\":\"0.000\"," \
    "\"end\":\"1.000\",\"text\":\"not yours\",\"completed\":true}]}"

static const gchar *const nonsense[] = {
  "{",
  "[]",
  "null",
  "\"SERVER_READY\"",
  "{\"uid\":\"$UID\",\"segments\":7}",
  "{\"uid\":\"$UID\",\"segments\":[7,null,{}]}",
  "{\"uid\":\"$UID\",\"segments\":[{\"start\":\"x\",\"end\":{},\"text\":[]}]}",
  "{\"uid\":\"$UID\",\"segments\":[{\"start\":\"-1\",\"end\":\"1e400\",\"text\":\"\",\"completed\":\"no\"}]}",
  "{\"uid\":\"$UID\",\"status\":{},\"message\":[]}",
  "{\"uid\":\"$UID\",\"language\":7,\"language_prob\":\"much\"}",
  NOT_MINE,
};

/* A server that has gone mad for a moment: the session goes on, and nothing of it gets out. */
GST_START_TEST (test_nonsense)
{
  g_autoptr (GBytes) binary = g_bytes_new_static ("\x00\xff{}", 4);
  guint i;

  harness_make ("", NULL);
  harness_push_words (1, 3, 0, 0);
  harness_state (GST_STATE_PLAYING);
  for (i = 0; i < G_N_ELEMENTS (nonsense); i++)
    scripted_server_send_text (h->server, nonsense[i]);
  scripted_server_send_binary (h->server, binary);
  harness_push_words (4, 4, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  fail_unless (harness_stat ("messages-rejected") >= 4,
      "only %" G_GUINT64_FORMAT " rejected",
      harness_stat ("messages-rejected"));
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
  harness_assert_nowhere ("not yours");
}

HARNESS_END_TEST;

/* It counts as rejected, however well it is formed. */
GST_START_TEST (test_not_mine)
{
  harness_make ("", NULL);
  harness_push_words (1, 7, 0, 0);
  harness_state (GST_STATE_PLAYING);
  scripted_server_send_text (h->server, NOT_MINE);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  fail_unless_equals_uint64 (harness_stat ("messages-rejected"), 1);
}

HARNESS_END_TEST;

/* A long session's message is larger than libsoup's default of 128 KiB. */
GST_START_TEST (test_large_message)
{
  g_autofree gchar *padding = g_strnfill (300 * 1024, 'x');
  g_autofree gchar *json =
      g_strdup_printf ("{\"uid\":\"$UID\",\"other\":\"%s\"}", padding);

  harness_make ("", NULL);
  harness_push_words (1, 3, 0, 0);
  harness_state (GST_STATE_PLAYING);
  scripted_server_send_text (h->server, json);
  harness_push_words (4, 4, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
}

HARNESS_END_TEST;

/* One of 16 MiB is heard to its end, and refused; the session does not end. */
GST_START_TEST (test_oversized_message)
{
  const gsize size = __i__ ? 16 * 1024 * 1024 : 4 * 1024 * 1024 + 1;
  g_autofree gchar *json = g_strnfill (size, ' ');

  memcpy (json, "{}", 2);
  harness_make ("", NULL);
  harness_push_words (1, 3, 0, 0);
  harness_state (GST_STATE_PLAYING);
  scripted_server_send_text (h->server, json);
  harness_push_words (4, 4, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_finals ("w1 w2 w3 w4 w5 w6 w7");
  fail_unless_equals_uint64 (harness_stat ("sessions"), 1);
  fail_unless_equals_uint64 (harness_stat ("messages-rejected"), 1);
}

HARNESS_END_TEST;

#define PAYLOAD "{\"nothing\":\"that anybody would know\"}"
#define FLOOD(once, type) { once, sizeof (once) - 1, type "\x25" PAYLOAD }

/* As libsoup reads on while there is anything, nothing else of the session's thread would get its turn. */
static const struct
{
  const gchar *once;
  gsize once_length;
  gchar frame[2 + sizeof PAYLOAD];
}
floods[] = {
  FLOOD ("", "\x81"),
  FLOOD ("", "\x82"),
  FLOOD ("", "\x8a"),
  /* of these libsoup does not tell: pings, and a message that does not end */
  FLOOD ("", "\x89"),
  FLOOD ("\x01\x00", "\x00"),
};

#define N_TOLD_FLOODS 3

static FloodServer *
make_flooded (guint flood, guint keepalive_interval)
{
  FloodServer *server =
      flood_server_new (floods[flood].once, floods[flood].once_length,
      floods[flood].frame, 2 + strlen (PAYLOAD));

  harness_make ("", "uri", flood_server_uri (server), "drain-timeout", 500,
      "close-timeout", 500, "keepalive-interval", keepalive_interval,
      "retries", 0, NULL);
  harness_push_words (1, 7, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait_field ("whisperlive/state", "state", "ready");
  return server;
}

GST_START_TEST (test_stopped_in_a_flood)
{
  FloodServer *server = make_flooded (__i__, 0);

  harness_start (GST_STATE_READY);
  harness_unmake ();
  flood_server_free (server);
}

HARNESS_END_TEST;

/* Nor does libsoup come back from answers that are none yet. */
GST_START_TEST (test_stopped_in_a_flood_of_answers)
{
  /* long, as each takes its time */
  g_autofree gchar *value = g_strnfill (8000, 'x');
  g_autofree gchar *answer = g_strdup_printf ("HTTP/1.1 102 Processing\r\n"
      "X-Progress: %s\r\n\r\n", value);
  FloodServer *server = flood_server_new_raw ("", answer);

  harness_make ("", "uri", flood_server_uri (server), "close-timeout", 500,
      NULL);
  harness_start (GST_STATE_PAUSED);
  harness_wait_field ("whisperlive/state", "state", "connecting");
  flood_server_wait (server);
  harness_start (GST_STATE_READY);
  harness_unmake ();
  flood_server_free (server);
}

HARNESS_END_TEST;

GST_START_TEST (test_time_goes_on_in_a_flood)
{
  FloodServer *server = make_flooded (__i__, 0);

  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 3500 * GST_MSECOND);
  harness_unmake ();
  flood_server_free (server);
}

HARNESS_END_TEST;

/* Pings are not answered. */
GST_START_TEST (test_lost_in_a_flood)
{
  FloodServer *server = make_flooded (__i__, 500);

  expect (GST_RESOURCE_ERROR_WRITE);
  harness_unmake ();
  flood_server_free (server);
}

HARNESS_END_TEST;

/* EOS follows the error, and gst-launch ends. */
GST_START_TEST (test_eos_without_connection)
{
  harness_make ("", "retries", -1, "retry-delay", 50, "drain-timeout", 500,
      NULL);
  set_port (unused_port ());
  g_object_set (h->src, "is-live", TRUE, NULL);
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, 7, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 3500 * GST_MSECOND);
  harness_assert_balanced ();
}

HARNESS_END_TEST;

GST_START_TEST (test_eos_without_connection_or_data)
{
  harness_make ("", "retries", -1, "retry-delay", 50, "drain-timeout", 500,
      NULL);
  set_port (unused_port ());
  harness_start (GST_STATE_PLAYING);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
}

HARNESS_END_TEST;

static GstStaticPadTemplate src_template =
GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("audio/x-raw"));

static GstFlowReturn
push_zeros (GstPad * src, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, 0, size);
  return gst_pad_push (src, buffer);
}

/* By itself, without a source that has errors of its own. 0: there is no server; 1: there has been one, and the buffers that come after the
 * error are smaller than a chunk. */
GST_START_TEST (test_flow_error)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("whisperlivesink", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstPad *src = gst_check_setup_src_pad (sink, &src_template);
  g_autofree gchar *nowhere =
      g_strdup_printf ("ws://127.0.0.1:%u", unused_port ());
  g_autoptr (GstCaps) caps =
      gst_caps_from_string
      ("audio/x-raw, format=S16LE, layout=interleaved, rate=16000, "
      "channels=1");
  GstMessage *message;

  g_object_set (sink, "uri", __i__ ? scripted_server_uri (h->server) : nowhere,
      "retries", 0, "async", FALSE, NULL);
  gst_element_set_bus (sink, bus);
  gst_pad_set_active (src, TRUE);
  fail_unless (gst_element_set_state (sink,
          GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  gst_check_setup_events (src, sink, caps, GST_FORMAT_TIME);
  if (__i__) {
    fail_unless_equals_int (push_zeros (src, 3200), GST_FLOW_OK);
    harness_wait_server (SCRIPTED_FRAMES, 1);
    scripted_server_kill (h->server);
  }
  message =
      gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_unref (message);
  fail_unless_equals_int (push_zeros (src, __i__ ? 320 : 3200), GST_FLOW_ERROR);
  fail_unless (gst_bus_timed_pop_filtered (bus, 0, GST_MESSAGE_ERROR) == NULL,
      "a second error");
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_element_set_bus (sink, NULL);
  gst_pad_set_active (src, FALSE);
  gst_check_teardown_src_pad (sink);
}

HARNESS_END_TEST;

/* A thread cannot wait for its own end. */
static GstBusSyncReply
stop_in_handler (GstBus * bus, GstMessage * message, gpointer user_data)
{
  gint *result = user_data;

  if (gst_message_has_name (message, "whisperlive/transcript"))
    g_atomic_int_set (result, gst_element_set_state (h->sink, GST_STATE_NULL));
  return GST_BUS_PASS;
}

GST_START_TEST (test_stopped_by_its_own_thread)
{
  gint result = -1;

  harness_make ("", NULL);
  gst_bus_set_sync_handler (h->bus, stop_in_handler, &result, NULL);
  harness_push_words (1, 10, 0, 0);
  harness_state (GST_STATE_PLAYING);
  harness_wait_final ("w5");
  /* the next text may come meanwhile */
  fail_unless_equals_int (g_atomic_int_get (&result), GST_STATE_CHANGE_FAILURE);
  gst_bus_set_sync_handler (h->bus, NULL, NULL, NULL);
}

HARNESS_END_TEST;

static GstBusSyncReply
restart_in_handler (GstBus * bus, GstMessage * message, gpointer user_data)
{
  gint *results = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR
      && GST_MESSAGE_SRC (message) == GST_OBJECT (h->sink)) {
    results[0] = gst_element_set_state (h->sink, GST_STATE_NULL);
    results[1] = gst_element_set_state (h->sink, GST_STATE_PLAYING);
  }
  return GST_BUS_PASS;
}

/* The preroll fails, so the next start has to end the last one first. */
GST_START_TEST (test_restarted_by_its_own_thread)
{
  gint results[] = { -1, -1 };

  HARNESS_SCRIPT (http_status, 401);
  harness_make ("", NULL);
  gst_bus_set_sync_handler (h->bus, restart_in_handler, results, NULL);
  run ();
  g_error_free (harness_wait_error ());
  fail_unless_equals_int (results[0], GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int (results[1], GST_STATE_CHANGE_FAILURE);
  gst_bus_set_sync_handler (h->bus, NULL, NULL, NULL);
  finish ();
}

HARNESS_END_TEST;

/* Pushes one buffer, without caps when these are NULL. */
static GstFlowReturn
push_one (GstPad * src, GstCaps * caps, GstBuffer * buffer)
{
  g_autofree gchar *description =
      g_strdup_printf ("pipeline.( whisperlivesink name=sink uri=%s )",
      scripted_server_uri (h->server));
  g_autoptr (GstPad) sink = NULL;
  GstSegment segment;

  harness_launch (description);
  sink = gst_element_get_static_pad (h->sink, "sink");
  harness_start (GST_STATE_PLAYING);
  gst_pad_set_active (src, TRUE);
  fail_unless (GST_PAD_LINK_SUCCESSFUL (gst_pad_link (src, sink)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (src, gst_event_new_stream_start ("one"));
  if (caps)
    gst_pad_push_event (src, gst_event_new_caps (caps));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
  return gst_pad_push (src, buffer);
}

/* Planar audio without its meta: whoever makes such a buffer is told by a critical as well. */
GST_START_TEST (test_buffer_that_does_not_fit)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw, "
      "format=F32LE, layout=non-interleaved, rate=16000, channels=2, "
      "channel-mask=(bitmask)0x3");
  g_autoptr (GError) error = NULL;
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);

  ASSERT_CRITICAL (fail_unless_equals_int (push_one (src, caps,
              gst_buffer_new_allocate (NULL, 64, NULL)), GST_FLOW_ERROR));
  g_log_set_always_fatal (fatal);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_FORMAT), "%s", error->message);
  finish ();
  fail_unless_equals_int (n_errors (), 1);
}

HARNESS_END_TEST;

/* What there is by then is accounted for, and nobody hears of it again. */
GST_START_TEST (test_buffers_that_do_not_fit)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw, "
      "format=S16LE, layout=interleaved, rate=16000, channels=1");
  g_autoptr (GstCaps) planar = gst_caps_from_string ("audio/x-raw, "
      "format=F32LE, layout=non-interleaved, rate=16000, channels=2, "
      "channel-mask=(bitmask)0x3");
  g_autoptr (GError) error = NULL;
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  gboolean complete = TRUE;
  guint i;

  fail_unless_equals_int (push_one (src, caps,
          gst_buffer_new_wrapped (g_malloc0 (64000), 64000)), GST_FLOW_OK);
  gst_pad_push_event (src, gst_event_new_caps (planar));
  for (i = 0; i < 3; i++) {
    if (i == 0)
      ASSERT_CRITICAL (fail_unless_equals_int (gst_pad_push (src,
                  gst_buffer_new_allocate (NULL, 64, NULL)), GST_FLOW_ERROR));
    else
      fail_unless_equals_int (gst_pad_push (src,
              gst_buffer_new_allocate (NULL, 64, NULL)), GST_FLOW_ERROR);
  }
  g_log_set_always_fatal (fatal);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_FORMAT), "%s", error->message);
  fail_unless_equals_uint64 (harness_stat ("audio-lost"), 2 * GST_SECOND);
  fail_unless (gst_structure_get_boolean (harness_nth
          ("whisperlive/drained", 0), "complete", &complete));
  fail_if (complete);
  finish ();
  fail_unless_equals_int (n_errors (), 1);
}

HARNESS_END_TEST;

/* GstAudioConverter says yes to them, and then has no mixer. */
GST_START_TEST (test_too_many_channels)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw, "
      "format=S16LE, layout=interleaved, rate=16000, channels=64, "
      "channel-mask=(bitmask)0");

  fail_unless_equals_int (push_one (src, caps,
          gst_buffer_new_allocate (NULL, 128 * 160, NULL)),
      GST_FLOW_NOT_NEGOTIATED);
  finish ();
}

HARNESS_END_TEST;

/* As a source of bytes sends it. 0: with a time, 1: without. */
GST_START_TEST (test_buffer_without_caps)
{
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64, NULL);

  if (__i__ == 0)
    GST_BUFFER_PTS (buffer) = 0;
  fail_unless_equals_int (push_one (src, NULL, buffer),
      GST_FLOW_NOT_NEGOTIATED);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_CORE_ERROR,
          GST_CORE_ERROR_NEGOTIATION), "%s", error->message);
  finish ();
  fail_unless_equals_int (n_errors (), 1);
}

HARNESS_END_TEST;

static Suite *
errors_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-errors");
  TCase *tc = tcase_create ("errors");

  tcase_add_checked_fixture (tc, harness_setup, harness_teardown);
  tcase_add_test (tc, test_nothing_listens);
  tcase_add_test (tc, test_nothing_listens_retries);
  tcase_add_test (tc, test_secrets_in_the_address);
  tcase_add_test (tc, test_says_nothing);
  tcase_add_test (tc, test_upgrade_held);
  tcase_add_test (tc, test_no_such_host);
  tcase_add_loop_test (tc, test_plain_http, 0, 4);
  tcase_add_loop_test (tc, test_not_authorized, 0, 2);
  tcase_add_loop_test (tc, test_not_authorized_without_an_end, 0, 2);
  tcase_add_loop_test (tc, test_again_after_error, 0, 2);
  tcase_add_loop_test (tc, test_set_after_error, 0, 2);
  tcase_add_test (tc, test_again_after_error_and_late_eos);
  tcase_add_test (tc, test_wrong_key);
  tcase_add_test (tc, test_right_key);
  tcase_add_test (tc, test_tls_to_a_plain_port);
  tcase_add_test (tc, test_never_ready);
  tcase_add_test (tc, test_status_error);
  tcase_add_test (tc, test_configuration_refused);
  tcase_add_test (tc, test_full);
  tcase_add_test (tc, test_full_without_an_end);
  tcase_add_test (tc, test_attempts_are_counted_at_once);
  tcase_add_test (tc, test_waits_are_counted_at_once);
  tcase_add_loop_test (tc, test_lost_without_retries, 0, 2);
  tcase_add_loop_test (tc, test_warning, 0, 2);
  tcase_add_test (tc, test_nonsense);
  tcase_add_test (tc, test_not_mine);
  tcase_add_test (tc, test_large_message);
  tcase_add_loop_test (tc, test_oversized_message, 0, 2);
  tcase_add_loop_test (tc, test_stopped_in_a_flood, 0, G_N_ELEMENTS (floods));
  tcase_add_test (tc, test_stopped_in_a_flood_of_answers);
  tcase_add_loop_test (tc, test_time_goes_on_in_a_flood, 0, N_TOLD_FLOODS);
  tcase_add_loop_test (tc, test_lost_in_a_flood, 0, 2);
  tcase_add_test (tc, test_eos_without_connection);
  tcase_add_test (tc, test_eos_without_connection_or_data);
  tcase_add_loop_test (tc, test_flow_error, 0, 2);
  tcase_add_test (tc, test_stopped_by_its_own_thread);
  tcase_add_test (tc, test_restarted_by_its_own_thread);
  tcase_add_test (tc, test_buffer_that_does_not_fit);
  tcase_add_test (tc, test_buffers_that_do_not_fit);
  tcase_add_test (tc, test_too_many_channels);
  tcase_add_loop_test (tc, test_buffer_without_caps, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (errors);
