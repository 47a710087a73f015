/* The scripted server, checked with a bare libsoup client: it has to behave as the genuine one does before the element
 * is measured by it.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <libsoup/soup.h>
#include <string.h>

#include "census.h"
#include "scripted-server.h"
#include "watchdog.h"

#define CHUNK 1600              /* samples */

typedef struct
{
  GMainContext *context;
  ScriptedServer *server;
  SoupSession *session;
  SoupWebsocketConnection *websocket;
  GError *error;
  guint status;
  gboolean answered, closed;
  GPtrArray *texts;
  Census *before;
} Client;

static Client *c;

static void
setup (void)
{
  watchdog_start (NULL);
  c = g_new0 (Client, 1);
  c->before = census_new ();
  c->context = g_main_context_new ();
  g_main_context_push_thread_default (c->context);
  c->server = scripted_server_new ();
  c->session = soup_session_new ();
  c->texts = g_ptr_array_new_with_free_func (g_free);
}

static void
teardown (void)
{
  g_clear_object (&c->websocket);
  g_clear_object (&c->session);
  scripted_server_free (c->server);
  while (g_main_context_iteration (c->context, FALSE));
  g_main_context_pop_thread_default (c->context);
  g_main_context_unref (c->context);
  g_clear_error (&c->error);
  g_ptr_array_unref (c->texts);
  census_assert_no_more (c->before, "by this test");
  watchdog_stop ();
  census_free (c->before);
  g_free (c);
}

static void
on_message (SoupWebsocketConnection * websocket, SoupWebsocketDataType type,
    GBytes * message, gpointer unused)
{
  fail_unless_equals_int (type, SOUP_WEBSOCKET_DATA_TEXT);
  g_ptr_array_add (c->texts, g_strndup (g_bytes_get_data (message, NULL),
          g_bytes_get_size (message)));
}

static void
on_closed (SoupWebsocketConnection * websocket, gpointer unused)
{
  c->closed = TRUE;
}

static void
on_answer (GObject * session, GAsyncResult * result, gpointer message)
{
  c->websocket =
      soup_session_websocket_connect_finish (SOUP_SESSION (session), result,
      &c->error);
  c->status = soup_message_get_status (message);
  c->answered = TRUE;
  if (c->websocket == NULL)
    return;
  g_signal_connect (c->websocket, "message", G_CALLBACK (on_message), NULL);
  g_signal_connect (c->websocket, "closed", G_CALLBACK (on_closed), NULL);
}

static void
request (const gchar * authorization)
{
  g_autofree gchar *uri = g_strdup_printf ("http://127.0.0.1:%u/",
      scripted_server_port (c->server));
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);

  if (authorization != NULL)
    soup_message_headers_append (soup_message_get_request_headers (message),
        "Authorization", authorization);
  c->answered = c->closed = FALSE;
  g_clear_object (&c->websocket);
  g_ptr_array_set_size (c->texts, 0);
  soup_session_websocket_connect_async (c->session, message, NULL, NULL,
      G_PRIORITY_DEFAULT, NULL, on_answer, message);
  while (!c->answered)
    g_main_context_iteration (c->context, TRUE);
}

static void
handshake (const gchar * more)
{
  g_autofree gchar *json =
      g_strdup_printf
      ("{\"uid\":\"me\",\"language\":\"en\",\"task\":\"transcribe\","
      "\"model\":\"small\",\"use_vad\":true,\"send_last_n_segments\":50%s}",
      more);

  soup_websocket_connection_send_text (c->websocket, json);
}

/* Until one of the messages after @from has @part in it. */
static guint
wait_text_from (guint from, const gchar * part)
{
  guint i = from;

  for (;; i++) {
    while (i >= c->texts->len && !c->closed)
      g_main_context_iteration (c->context, TRUE);
    fail_unless (i < c->texts->len, "closed before \"%s\" came", part);
    if (strstr (g_ptr_array_index (c->texts, i), part) != NULL)
      return i;
  }
}

static void
wait_text (const gchar * part)
{
  wait_text_from (0, part);
}

static void
wait_closed (gushort code)
{
  while (!c->closed)
    g_main_context_iteration (c->context, TRUE);
  fail_unless_equals_int (soup_websocket_connection_get_close_code
      (c->websocket), code);
}

typedef struct
{
  ScriptedCounter counter;
  guint64 value;
  gint done;
} Waiter;

static gpointer
wait_in_thread (gpointer user_data)
{
  Waiter *waiter = user_data;

  fail_unless (scripted_server_wait (c->server, waiter->counter,
          waiter->value));
  g_atomic_int_set (&waiter->done, TRUE);
  g_main_context_wakeup (c->context);
  return NULL;
}

/* While the client goes on sending. */
static void
wait_count (ScriptedCounter counter, guint64 value)
{
  Waiter waiter = { counter, value, FALSE };
  GThread *thread = g_thread_new ("wait", wait_in_thread, &waiter);

  while (!g_atomic_int_get (&waiter.done))
    g_main_context_iteration (c->context, TRUE);
  g_thread_join (thread);
}

static void
connect_ready (const gchar * more)
{
  request (NULL);
  fail_unless (c->websocket != NULL, "no connection");
  handshake (more);
  wait_text ("SERVER_READY");
}

static void
send_words (guint first, guint count, gdouble lead, gdouble tail)
{
  g_autoptr (GBytes) pcm = spoken_words (first, count, 16000, 1, lead, tail);
  gsize size, i, n;
  const gint16 *samples = g_bytes_get_data (pcm, &size);
  gfloat chunk[CHUNK];

  for (i = 0, n = 0; i < size / 2; i++) {
    chunk[n++] = samples[i] / 32768.0f;
    if (n == CHUNK || i + 1 == size / 2) {
      soup_websocket_connection_send_binary (c->websocket, chunk, n * 4);
      n = 0;
    }
  }
  fail_unless (i * 2 == size);
}

static void
script (void (*edit) (ScriptedScript * script))
{
  ScriptedScript s;

  scripted_server_get_script (c->server, &s);
  edit (&s);
  scripted_server_set_script (c->server, &s);
}

GST_START_TEST (test_words)
{
  guint rates[] = { 8000, 16000, 44100, 48000 };
  g_autoptr (GBytes) pcm = spoken_words (3, 300, 16000, 1, 0.25, 1);
  g_autofree gfloat *samples = g_new (gfloat, g_bytes_get_size (pcm) / 2);
  const gint16 *data = g_bytes_get_data (pcm, NULL);
  g_autoptr (GArray) words = NULL;
  g_autofree gchar *text = NULL, *expected = spoken_text (3, 300);
  gsize i;

  for (i = 0; i < g_bytes_get_size (pcm) / 2; i++)
    samples[i] = data[i] / 32768.0f;
  words = spoken_words_recognise (samples, i);
  text = spoken_words_to_text (words);
  fail_unless_equals_string (text, expected);
  for (i = 0; i < words->len; i++) {
    const SpokenWord *word = &g_array_index (words, SpokenWord, i);

    fail_unless (ABS (word->start - 0.25 - i * SPOKEN_WORD_SECONDS) < 0.005);
    fail_unless (ABS (word->end - word->start - SPOKEN_TONE_SECONDS) < 0.01);
  }
  for (i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autoptr (GBytes) other = spoken_words (1, 2, rates[i], 6, 0.5, 0.5);

    fail_unless_equals_int (g_bytes_get_size (other), 2 * rates[i] * 6 * 2);
  }
}

GST_END_TEST;

GST_START_TEST (test_session)
{
  g_autoptr (ScriptedSession) session = NULL;
  g_autofree gchar *expected = spoken_text (1, 12), *agent = NULL;

  connect_ready ("");
  send_words (1, 12, 0, 1.5);
  wait_text ("\"text\":\" w1 w2 w3 w4 w5\",\"completed\":true}");
  wait_text ("\"text\":\" w6 w7 w8 w9 w10\",\"completed\":true}");
  /* the last one is a partial until the same text has come eleven times */
  wait_text ("\"text\":\" w11 w12\",\"completed\":false}");
  wait_text ("\"text\":\" w11 w12\",\"completed\":true}");
  soup_websocket_connection_send_binary (c->websocket, "END_OF_AUDIO", 12);
  wait_closed (1000);

  wait_count (SCRIPTED_CLOSED, 1);
  session = scripted_server_session (c->server, 0);
  fail_unless_equals_string (session->heard, expected);
  fail_unless_equals_string (session->uid, "me");
  fail_unless (session->end_of_audio && session->closed && session->ready);
  fail_unless_equals_int (session->close_code, 1000);
  fail_unless_equals_uint64 (session->stats.samples, 7.5 * 16000);
  fail_unless_equals_int (session->frame_sizes->len, 75);
  fail_unless_equals_uint64 (scripted_server_count (c->server, SCRIPTED_LIVE),
      0);
  agent = scripted_server_dup_header (c->server, 0, "Upgrade");
  fail_unless_equals_string (agent, "websocket");
}

GST_END_TEST;

/* 45 s in the buffer, then 30 s go: what was sent at once and not transcribed is lost, as facts say. */
GST_START_TEST (test_trim)
{
  g_autoptr (ScriptedSession) session = NULL;

  connect_ready ("");
  send_words (1, 180, 0, 0);
  wait_count (SCRIPTED_SAMPLES, 90 * 16000);
  session = scripted_server_session (c->server, 0);
  fail_unless (session->stats.trims >= 1);
  fail_unless (session->stats.trimmed_samples > 0
      && session->stats.trimmed_words > 0);
  fail_unless (session->stats.max_unsettled_at_trim > 15);
}

GST_END_TEST;

GST_START_TEST (test_silence_and_end)
{
  guint at;

  connect_ready ("");
  send_words (1, 0, 0, 5);
  wait_count (SCRIPTED_PASSES, 1);
  fail_unless_equals_uint64 (scripted_server_count (c->server,
          SCRIPTED_MESSAGES), 0);
  send_words (1, 6, 0, 0);
  at = wait_text_from (1, " w1 w2 w3 w4 w5");
  fail_unless (at >= 1);
  /* what is pending is thrown away */
  soup_websocket_connection_send_binary (c->websocket, "END_OF_AUDIO", 12);
  wait_closed (1000);
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  static const gchar *const bad[] =
      { "{", "[]", "{\"uid\":\"x\",\"language\":null,\"task\":\"transcribe\"}",
    "{\"uid\":\"x\",\"language\":null,\"task\":\"transcribe\",\"model\":\"s\",\"audio_format\":\"mp3\"}"
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++) {
    request (NULL);
    soup_websocket_connection_send_text (c->websocket, bad[i]);
    wait_closed (1000);
    fail_unless_equals_int (c->texts->len, 0);
  }

  connect_ready ("");
  soup_websocket_connection_send_binary (c->websocket, "abc", 3);
  wait_closed (1000);
}

GST_END_TEST;

static void
one_client (ScriptedScript * s)
{
  s->max_clients = 1;
  s->max_connection_time = 60000;
}

static void
now_overtime (ScriptedScript * s)
{
  s->max_connection_time = 0;
}

GST_START_TEST (test_full_and_overtime)
{
  SoupWebsocketConnection *first;

  script (one_client);
  connect_ready ("");
  first = g_steal_pointer (&c->websocket);

  request (NULL);
  handshake ("");
  wait_text ("\"status\":\"WAIT\",\"message\":0.9");
  wait_closed (1000);

  /* it looks at the time only when a frame comes */
  g_clear_object (&c->websocket);
  c->websocket = first;
  c->closed = FALSE;
  script (now_overtime);
  send_words (1, 1, 0, 0);
  wait_text ("\"DISCONNECT\"");
  wait_closed (1000);
}

GST_END_TEST;

static void
with_key (ScriptedScript * s)
{
  s->api_key = "secret";
}

static void
with_404 (ScriptedScript * s)
{
  s->http_status = 404;
}

GST_START_TEST (test_door)
{
  script (with_key);
  request (NULL);
  fail_unless_equals_int (c->status, 401);
  g_clear_error (&c->error);
  request ("bearer secret");
  fail_unless_equals_int (c->status, 401);
  g_clear_error (&c->error);
  request ("Bearer secret");
  fail_unless_equals_int (c->status, 101);
  script (with_404);
  request ("Bearer secret");
  fail_unless_equals_int (c->status, 404);
}

GST_END_TEST;

static void
detect (ScriptedScript * s)
{
  s->model.language = "de";
  s->model.language_probability = 0.75;
}

GST_START_TEST (test_language_words_translation)
{
  script (detect);
  request (NULL);
  soup_websocket_connection_send_text (c->websocket,
      "{\"uid\":\"l\",\"language\":null,\"task\":\"transcribe\","
      "\"model\":\"small\",\"use_vad\":true,\"word_timestamps\":true,\"enable_translation\":true}");
  wait_text ("SERVER_READY");
  send_words (1, 7, 0, 0);
  wait_text ("{\"uid\":\"l\",\"language\":\"de\",\"language_prob\":0.75}");
  wait_text ("{\"word\":\" w2\",\"start\":\"0.50");
  wait_text ("\"text\":\" t1 t2 t3 t4 t5\",\"completed\":true}]}");
}

GST_END_TEST;

static void
trouble (ScriptedScript * s)
{
  s->hold_upgrade = s->hold_ready = TRUE;
  s->warning = "mind the gap";
}

static void
no_trouble (ScriptedScript * s)
{
  s->hold_upgrade = s->hold_ready = FALSE;
}

static gpointer
release_upgrade (gpointer unused)
{
  ScriptedScript s;

  fail_unless (scripted_server_wait (c->server, SCRIPTED_REQUESTS, 1));
  scripted_server_get_script (c->server, &s);
  s.hold_upgrade = FALSE;
  scripted_server_set_script (c->server, &s);
  return NULL;
}

static void
deaf (ScriptedScript * s)
{
  s->read = FALSE;
}

static void
hearing (ScriptedScript * s)
{
  s->read = TRUE;
}

static void
dumb (ScriptedScript * s)
{
  s->transcribe = FALSE;
}

static void
speaking (ScriptedScript * s)
{
  s->transcribe = TRUE;
}

GST_START_TEST (test_held)
{
  GThread *other;

  script (trouble);
  other = g_thread_new ("release", release_upgrade, NULL);
  request (NULL);
  g_thread_join (other);
  fail_unless (c->websocket != NULL);
  handshake ("");
  wait_text ("mind the gap");
  script (no_trouble);
  wait_text ("SERVER_READY");

  /* nothing is read while it is deaf, and all of it afterwards */
  script (deaf);
  send_words (1, 6, 0, 0);
  scripted_server_send_text (c->server, "{\"uid\":\"$UID\",\"mark\":1}");
  wait_text ("{\"uid\":\"me\",\"mark\":1}");
  fail_unless_equals_uint64 (scripted_server_count (c->server,
          SCRIPTED_SAMPLES), 0);
  script (hearing);
  wait_text (" w1 w2 w3 w4 w5");

  script (dumb);
  scripted_server_freeze (c->server);
  send_words (7, 8, 0, 0);
  scripted_server_thaw (c->server);
  wait_count (SCRIPTED_SAMPLES, 7 * 16000);
  script (speaking);
  wait_text (" w6 w7 w8 w9 w10");
}

GST_END_TEST;

GST_START_TEST (test_ends)
{
  static const gint codes[] = { 1000, 1009, 1011, 4000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codes); i++) {
    connect_ready ("");
    scripted_server_close (c->server, codes[i]);
    wait_closed (codes[i]);
  }
  connect_ready ("");
  scripted_server_close (c->server, SCRIPTED_RESET);
  wait_closed (0);
  connect_ready ("");
  scripted_server_kill (c->server);
  wait_closed (0);
  request (NULL);
  fail_unless (g_error_matches (c->error, G_IO_ERROR,
          G_IO_ERROR_CONNECTION_REFUSED));
  g_clear_error (&c->error);
  scripted_server_start (c->server);
  connect_ready ("");
  fail_unless_equals_uint64 (scripted_server_count (c->server, SCRIPTED_READY),
      G_N_ELEMENTS (codes) + 3);
  wait_count (SCRIPTED_CLOSED, G_N_ELEMENTS (codes) + 2);
  fail_unless_equals_uint64 (scripted_server_count (c->server, SCRIPTED_LIVE),
      1);
}

GST_END_TEST;

/* What comes while a pass works on silence is looked at without another frame. */
GST_START_TEST (test_words_during_silence)
{
  connect_ready ("");
  send_words (1, 7, 1.2, 1);
  wait_text ("w6 w7");
}

GST_END_TEST;

static Suite *
server_suite (void)
{
  Suite *s = suite_create ("scripted-server");
  TCase *tc = tcase_create ("server");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_words);
  tcase_add_test (tc, test_session);
  tcase_add_test (tc, test_trim);
  tcase_add_test (tc, test_silence_and_end);
  tcase_add_test (tc, test_words_during_silence);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_full_and_overtime);
  tcase_add_test (tc, test_door);
  tcase_add_test (tc, test_language_words_translation);
  tcase_add_test (tc, test_held);
  tcase_add_test (tc, test_ends);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (server);
