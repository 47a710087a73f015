/* wss://: who is let in and who is not, with certificates of an authority of the test's own; and secrets, which nobody is told
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "certificates.h"
#include "harness.h"
#include "tls-front.h"

#define SECRET "hunter2-very-secret"
#define PROXY_SECRET "hunter3-of-the-proxy"
#define WORDS 12

/* LeakSanitizer crashes here, in the threads' storage of what glib-networking loads; valgrind does not. */
int __lsan_is_turned_off (void);

int
__lsan_is_turned_off (void)
{
  return 1;
}

static TlsFront *front;

static void
serve (const gchar * certificate, gboolean clients_too)
{
  g_autoptr (GTlsCertificate) own = certificates_load (certificate);
  g_autoptr (GTlsDatabase) clients =
      clients_too ? certificates_authority () : NULL;

  front = tls_front_new (scripted_server_port (h->server), own, clients);
}

static void
teardown (void)
{
  g_clear_pointer (&front, tls_front_free);
  harness_teardown ();
}

/* A pipeline that goes to @host, and trusts the test's authority if @trusting */
static void
make (const gchar * host, gboolean trusting)
{
  g_autoptr (GTlsDatabase) database =
      trusting ? certificates_authority () : NULL;
  g_autofree gchar *uri =
      g_strdup_printf ("wss://%s:%u", host, tls_front_port (front));

  harness_make ("", "uri", uri, "api-key", SECRET, "tls-database", database,
      "retries", 10, "retry-delay", 10, "connect-timeout", 60000, NULL);
}

static void
expect_words (void)
{
  harness_start (GST_STATE_PLAYING);
  harness_push_words (1, WORDS, 0, 0);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, WORDS, 0);
  harness_assert_nowhere (SECRET);
}

static void
expect_refusal (void)
{
  g_autoptr (GError) error = NULL;

  harness_start (GST_STATE_PLAYING);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_AUTHORIZED), "%s", error->message);
  fail_unless_equals_uint64 (harness_stat ("connect-attempts"), 1);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 0);
  harness_start (GST_STATE_NULL);
  harness_assert_nowhere (SECRET);
}

GST_START_TEST (test_good)
{
  serve ("good", FALSE);
  make ("127.0.0.1", TRUE);
  expect_words ();
}

HARNESS_END_TEST;

GST_START_TEST (test_good_by_name)
{
  serve ("good", FALSE);
  make ("localhost", TRUE);
  expect_words ();
}

HARNESS_END_TEST;

/* The system's store does not know the authority. */
GST_START_TEST (test_unknown_authority)
{
  serve ("good", FALSE);
  make ("127.0.0.1", FALSE);
  expect_refusal ();
}

HARNESS_END_TEST;

GST_START_TEST (test_bad)
{
  static const gchar *const bad[] = { "expired", "self-signed", "elsewhere" };

  serve (bad[__i__], FALSE);
  make ("127.0.0.1", TRUE);
  expect_refusal ();
}

HARNESS_END_TEST;

GST_START_TEST (test_not_strict)
{
  static const gchar *const bad[] = { "expired", "self-signed", "elsewhere" };

  serve (bad[__i__], FALSE);
  make ("127.0.0.1", FALSE);
  g_object_set (h->sink, "ssl-strict", FALSE, NULL);
  expect_words ();
}

HARNESS_END_TEST;

typedef struct
{
  gboolean answer;
  guint asked;
  GTlsCertificateFlags errors;
} Judge;

static gboolean
judge (GstElement * sink, GTlsCertificate * certificate,
    GTlsCertificateFlags errors, Judge * self)
{
  fail_unless (G_IS_TLS_CERTIFICATE (certificate));
  self->asked++;
  self->errors = errors;
  return self->answer;
}

GST_START_TEST (test_accepted_by_a_handler)
{
  Judge self = {.answer = TRUE };

  serve ("self-signed", FALSE);
  make ("127.0.0.1", FALSE);
  g_signal_connect (h->sink, "accept-certificate", G_CALLBACK (judge), &self);
  expect_words ();
  fail_unless_equals_int (self.asked, 1);
  fail_unless (self.errors & G_TLS_CERTIFICATE_UNKNOWN_CA);
}

HARNESS_END_TEST;

GST_START_TEST (test_refused_by_a_handler)
{
  Judge self = {.answer = FALSE };

  serve ("expired", FALSE);
  make ("127.0.0.1", TRUE);
  g_signal_connect (h->sink, "accept-certificate", G_CALLBACK (judge), &self);
  expect_refusal ();
  fail_unless_equals_int (self.asked, 1);
  fail_unless (self.errors & G_TLS_CERTIFICATE_EXPIRED);
}

HARNESS_END_TEST;

/* Nobody has to be asked about a good one. */
GST_START_TEST (test_handler_of_a_good_one)
{
  Judge self = {.answer = FALSE };

  serve ("good", FALSE);
  make ("127.0.0.1", TRUE);
  g_signal_connect (h->sink, "accept-certificate", G_CALLBACK (judge), &self);
  expect_words ();
  fail_unless_equals_int (self.asked, 0);
}

HARNESS_END_TEST;

/* --- client certificates --- */

#define TEST_TYPE_INTERACTION (test_interaction_get_type ())
G_DECLARE_FINAL_TYPE (TestInteraction, test_interaction, TEST, INTERACTION,
    GTlsInteraction);

struct _TestInteraction
{
  GTlsInteraction parent;
};

G_DEFINE_TYPE (TestInteraction, test_interaction, G_TYPE_TLS_INTERACTION);

static GTlsInteractionResult
request_certificate (GTlsInteraction * interaction, GTlsConnection * connection,
    GTlsCertificateRequestFlags flags, GCancellable * cancellable,
    GError ** error)
{
  g_autoptr (GTlsCertificate) certificate = certificates_load ("client");

  g_tls_connection_set_certificate (connection, certificate);
  return G_TLS_INTERACTION_HANDLED;
}

static void
test_interaction_class_init (TestInteractionClass * klass)
{
  G_TLS_INTERACTION_CLASS (klass)->request_certificate = request_certificate;
}

static void
test_interaction_init (TestInteraction * self)
{
}

GST_START_TEST (test_client_certificate)
{
  g_autoptr (GTlsInteraction) interaction =
      g_object_new (TEST_TYPE_INTERACTION, NULL);

  serve ("good", TRUE);
  make ("127.0.0.1", TRUE);
  g_object_set (h->sink, "tls-interaction", interaction, NULL);
  expect_words ();
}

HARNESS_END_TEST;

/* With TLS 1.3 the client has done its part by then, and learns of it as of a connection that is lost. */
GST_START_TEST (test_no_client_certificate)
{
  g_autoptr (GError) error = NULL;

  serve ("good", TRUE);
  make ("127.0.0.1", TRUE);
  g_object_set (h->sink, "retries", 1, NULL);
  harness_start (GST_STATE_PLAYING);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_WRITE), "%s", error->message);
  fail_unless_equals_uint64 (harness_server_count (SCRIPTED_REQUESTS), 0);
}

HARNESS_END_TEST;

/* --- what TLS must not change --- */

GST_START_TEST (test_killed_server)
{
  serve ("good", FALSE);
  make ("127.0.0.1", TRUE);
  harness_push_words (1, 2 * WORDS, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
  scripted_server_kill (h->server);
  harness_wait_field ("whisperlive/state", "state", "waiting");
  scripted_server_start (h->server);
  harness_eos ();
  harness_wait (GST_MESSAGE_EOS, NULL);
  harness_assert_words (1, 2 * WORDS, 0);
}

HARNESS_END_TEST;

/* Nobody answers the closing handshake. */
GST_START_TEST (test_frozen_server)
{
  serve ("good", FALSE);
  make ("127.0.0.1", TRUE);
  g_object_set (h->sink, "close-timeout", 200, NULL);
  harness_push_words (1, WORDS, 0, 0);
  harness_start (GST_STATE_PLAYING);
  harness_wait (GST_MESSAGE_ELEMENT, "whisperlive/transcript");
  scripted_server_freeze (h->server);
  harness_state (GST_STATE_NULL);
  harness_unmake ();
  scripted_server_thaw (h->server);
}

HARNESS_END_TEST;

/* A port that accepts connections and never says a word of TLS */
GST_START_TEST (test_silent_port)
{
  guint port;
  GSocket *socket = silent_port_new (&port);
  g_autofree gchar *uri = g_strdup_printf ("wss://127.0.0.1:%u", port);
  g_autoptr (GError) error = NULL;

  harness_make ("", "uri", uri, "retries", 0, "connect-timeout", 200, NULL);
  harness_start (GST_STATE_PLAYING);
  error = harness_wait_error ();
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_WRITE), "%s", error->message);
  g_object_unref (socket);
}

HARNESS_END_TEST;

/* --- secrets --- */

static GMutex log_lock;
static guint log_lines;
static gchar *leak;             /* the first line that has the secret */

static void
search_log (GstDebugCategory * category, GstDebugLevel level,
    const gchar * file, const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer user_data)
{
  const gchar *text = gst_debug_message_get (message);

  g_mutex_lock (&log_lock);
  log_lines++;
  if (!leak && text && (strstr (text, SECRET) || strstr (text, PROXY_SECRET)))
    leak = g_strdup_printf ("%s: %s", gst_debug_category_get_name (category),
        text);
  g_mutex_unlock (&log_lock);
}

/* As with GST_DEBUG=*:9, and in a dot file; that has the proxy's, as with souphttpsrc, for it can be read */
GST_START_TEST (test_secrets_in_no_log)
{
  gboolean good = __i__;
  g_autofree gchar *dot = NULL;
  GParamSpec *spec;

  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (search_log, NULL, NULL);
  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_from_string ("*:9", TRUE);

  serve (good ? "good" : "expired", FALSE);
  make ("127.0.0.1", TRUE);
  g_object_set (h->sink, "proxy-pw", PROXY_SECRET, NULL);
  HARNESS_SCRIPT (api_key, SECRET);
  if (good)
    expect_words ();
  else
    expect_refusal ();
  dot = gst_debug_bin_to_dot_data (GST_BIN (h->pipeline),
      GST_DEBUG_GRAPH_SHOW_ALL);
  fail_if (strstr (dot, SECRET));
  spec = g_object_class_find_property (G_OBJECT_GET_CLASS (h->sink), "api-key");
  fail_if (spec->flags & G_PARAM_READABLE);
  harness_unmake ();

  gst_debug_set_active (FALSE);
  gst_debug_remove_log_function (search_log);
  fail_unless (log_lines > 1000);
  fail_if (leak, "%s", leak);
}

HARNESS_END_TEST;

static Suite *
tls_suite (void)
{
  Suite *suite = suite_create ("tls");
  TCase *tc = tcase_create ("tls");

  suite_add_tcase (suite, tc);
  tcase_add_unchecked_fixture (tc, certificates_make, certificates_remove);
  tcase_add_checked_fixture (tc, harness_setup, teardown);
  tcase_add_test (tc, test_good);
  tcase_add_test (tc, test_good_by_name);
  tcase_add_test (tc, test_unknown_authority);
  tcase_add_loop_test (tc, test_bad, 0, 3);
  tcase_add_loop_test (tc, test_not_strict, 0, 3);
  tcase_add_test (tc, test_accepted_by_a_handler);
  tcase_add_test (tc, test_refused_by_a_handler);
  tcase_add_test (tc, test_handler_of_a_good_one);
  tcase_add_test (tc, test_client_certificate);
  tcase_add_test (tc, test_no_client_certificate);
  tcase_add_test (tc, test_killed_server);
  tcase_add_test (tc, test_frozen_server);
  tcase_add_test (tc, test_silent_port);
  tcase_add_loop_test (tc, test_secrets_in_no_log, 0, 2);
  return suite;
}

GST_CHECK_MAIN (tls);
