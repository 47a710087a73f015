/* What an application finds before it does anything: properties, their defaults and limits, the pad, the rank.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gio/gio.h>
#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#define UINT_PROPERTY(name, value) { name, "guint", G_PARAM_READWRITE, #value }
#define RO G_PARAM_READABLE
#define RW G_PARAM_READWRITE
#define WO G_PARAM_WRITABLE

/* docs/properties; a default of NULL is not looked at */
static const struct
{
  const gchar *name, *type;
  GParamFlags flags;
  const gchar *value;
} table[] = {
  {"uri", "gchararray", RW, "ws://127.0.0.1:9090"},
  {"api-key", "gchararray", WO, NULL},
  {"extra-headers", "GstStructure", RW, "NULL"},
  {"user-agent", "gchararray", RW, NULL},
  {"proxy", "gchararray", RW, NULL},
  {"proxy-id", "gchararray", RW, NULL},
  {"proxy-pw", "gchararray", RW, NULL},
  {"tls-database", "GTlsDatabase", RW, "NULL"},
  {"tls-interaction", "GTlsInteraction", RW, "NULL"},
  {"ssl-strict", "gboolean", RW, "TRUE"},
  {"client-id", "gchararray", RW, NULL},
  {"session-id", "gchararray", RO, "NULL"},
  {"language-code", "gchararray", RW, "NULL"},
  {"model", "gchararray", RW, "small"},
  {"use-vad", "gboolean", RW, "TRUE"},
  {"vad-parameters", "GstStructure", RW, "NULL"},
  {"initial-prompt", "gchararray", RW, "NULL"},
  {"hotwords", "gchararray", RW, "NULL"},
  {"send-last-n-segments", "guint", RW, "50"},
  {"no-speech-threshold", "gdouble", RW, "0.450000"},
  {"same-output-threshold", "guint", RW, "10"},
  {"clip-audio", "gboolean", RW, "FALSE"},
  {"translation-language-code", "gchararray", RW, "NULL"},
  {"diarization", "gboolean", RW, "FALSE"},
  {"max-speakers", "guint", RW, NULL},
  {"diarization-threshold", "gdouble", RW, NULL},
  {"known-speakers", "GstValueArray", RW, NULL},
  {"word-timestamps", "gboolean", RW, "FALSE"},
  {"session-options", "GstStructure", RW, "NULL"},
  UINT_PROPERTY ("connect-timeout", 10000),
  UINT_PROPERTY ("ready-timeout", 60000),
  UINT_PROPERTY ("response-timeout", 30000),
  UINT_PROPERTY ("keepalive-interval", 10000),
  UINT_PROPERTY ("drain-timeout", 15000),
  UINT_PROPERTY ("close-timeout", 2000),
  {"retries", "gint", RW, "10"},
  UINT_PROPERTY ("retry-delay", 500),
  UINT_PROPERTY ("retry-delay-max", 30000),
  {"retry-backoff-factor", "gdouble", RW, "2.000000"},
  UINT_PROPERTY ("max-session-duration", 0),
  UINT_PROPERTY ("chunk-duration", 100),
  {"max-size-time", "guint64", RW, "60000000000"},
  UINT_PROPERTY ("max-server-lag", 14000),
  {"post-partials", "gboolean", RW, "TRUE"},
  {"post-raw", "gboolean", RW, "FALSE"},
  {"stats", "GstStructure", RO, NULL},
  /* GstBaseSink's */
  {"sync", "gboolean", RW, "FALSE"},
  {"async", "gboolean", RW, "TRUE"},
};

static GstElement *sink;

static void
setup (void)
{
  sink = gst_element_factory_make ("whisperlivesink", NULL);
  fail_unless (sink != NULL, "no element whisperlivesink");
  gst_object_ref_sink (sink);
}

static void
teardown (void)
{
  ASSERT_OBJECT_REFCOUNT (sink, "whisperlivesink", 1);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_clear_object (&sink);
}

static GParamSpec *
find (const gchar * name)
{
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (sink), name);

  fail_unless (pspec != NULL, "no property %s", name);
  return pspec;
}

static gchar *
to_string (const gchar * name)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (sink), name, &value);
  if (G_VALUE_HOLDS_STRING (&value))
    return g_strdup (g_value_get_string (&value) ? g_value_get_string (&value) :
        "NULL");
  /* gst_structure_to_string() does not take NULL */
  if (G_VALUE_HOLDS_BOXED (&value) && g_value_get_boxed (&value) == NULL)
    return g_strdup ("NULL");
  return g_strdup_value_contents (&value);
}

GST_START_TEST (test_table)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (table); i++) {
    GParamSpec *pspec = find (table[i].name);
    g_autofree gchar *value = NULL;

    fail_unless_equals_string (g_type_name (pspec->value_type), table[i].type);
    fail_unless ((pspec->flags & G_PARAM_READWRITE) == table[i].flags,
        "%s: wrong flags", table[i].name);
    fail_unless (g_param_spec_get_blurb (pspec) != NULL
        && strlen (g_param_spec_get_blurb (pspec)) > 10, "%s: no blurb",
        table[i].name);
    if (table[i].value == NULL)
      continue;
    value = to_string (table[i].name);
    fail_unless (g_str_equal (value, table[i].value), "%s is %s instead of %s",
        table[i].name, value, table[i].value);
  }
  fail_unless (g_signal_lookup ("accept-certificate",
          G_OBJECT_TYPE (sink)) != 0);
}

GST_END_TEST;

/* It would be a buffer that is held for nobody. */
GST_START_TEST (test_no_last_sample)
{
  gboolean enabled;

  g_object_get (sink, "enable-last-sample", &enabled, NULL);
  fail_if (enabled);
}

GST_END_TEST;

static void
assert_enum (const gchar * name, GParamFlags flags, const gchar * initial,
    const gchar * const *nicks)
{
  GParamSpec *pspec = find (name);
  GEnumClass *klass;
  GEnumValue *value;
  gint current;
  guint i;

  fail_unless (G_IS_PARAM_SPEC_ENUM (pspec), "%s is no enum", name);
  fail_unless ((pspec->flags & G_PARAM_READWRITE) == flags);
  klass = G_PARAM_SPEC_ENUM (pspec)->enum_class;
  for (i = 0; nicks[i] != NULL; i++)
    fail_unless (g_enum_get_value_by_nick (klass, nicks[i]) != NULL,
        "%s has no %s", name, nicks[i]);
  fail_unless_equals_int (klass->n_values, i);
  g_object_get (sink, name, &current, NULL);
  value = g_enum_get_value (klass, current);
  fail_unless_equals_string (value->value_nick, initial);
}

GST_START_TEST (test_enums)
{
  static const gchar *const tasks[] = { "transcribe", "translate", NULL };
  static const gchar *const formats[] = { "float32", "int16", "uint8", NULL };
  static const gchar *const leaky[] =
      { "auto", "none", "upstream", "downstream", NULL };
  static const gchar *const states[] =
      { "disconnected", "connecting", "connected", "ready", "draining",
    "closing",
    "waiting", "failed", NULL
  };

  assert_enum ("task", RW, "transcribe", tasks);
  assert_enum ("audio-format", RW, "float32", formats);
  assert_enum ("leaky", RW, "auto", leaky);
  assert_enum ("connection-state", RO, "disconnected", states);
}

GST_END_TEST;

/* What a GParamSpec refuses is changed to the nearest that it takes. */
GST_START_TEST (test_limits)
{
  GParamSpecInt *retries = G_PARAM_SPEC_INT (find ("retries"));
  GParamSpecDouble *threshold =
      G_PARAM_SPEC_DOUBLE (find ("no-speech-threshold"));
  GParamSpecDouble *factor =
      G_PARAM_SPEC_DOUBLE (find ("retry-backoff-factor"));
  GParamSpecUInt *chunk = G_PARAM_SPEC_UINT (find ("chunk-duration"));

  fail_unless_equals_int (retries->minimum, -1);
  fail_unless_equals_int (retries->maximum, G_MAXINT);
  fail_unless (threshold->minimum == 0.0 && threshold->maximum == 1.0);
  /* a back-off must not shrink */
  fail_unless (factor->minimum == 1.0);
  /* a message of no audio makes no sense, and one over 1 MiB is refused: 32 s of int16; READY sees to float32 */
  fail_unless (chunk->minimum >= 1
      && chunk->maximum <= 32000, "chunk-duration: %u to %u", chunk->minimum,
      chunk->maximum);
}

GST_END_TEST;

GST_START_TEST (test_identity)
{
  g_autoptr (GstElement) other =
      gst_object_ref_sink (gst_element_factory_make ("whisperlivesink", NULL));
  g_autofree gchar *id = NULL, *again = NULL, *others = NULL;

  g_object_get (sink, "client-id", &id, NULL);
  g_object_get (sink, "client-id", &again, NULL);
  g_object_get (other, "client-id", &others, NULL);
  fail_unless (g_uuid_string_is_valid (id), "%s is no UUID", id);
  fail_unless_equals_string (id, again);
  fail_if (g_str_equal (id, others));
}

GST_END_TEST;

GST_START_TEST (test_set_and_get)
{
  g_autoptr (GstStructure) headers =
      gst_structure_new ("headers", "X-Test", G_TYPE_STRING, "yes", NULL);
  g_autoptr (GstStructure) got = NULL;
  g_autofree gchar *uri = NULL, *language = NULL;
  guint chunk;
  guint64 size;

  g_object_set (sink, "uri", "wss://example.org/live?x=1", "extra-headers",
      headers, "language-code", "en-US", "chunk-duration", 250, "max-size-time",
      5 * GST_SECOND, "api-key", "hush", NULL);
  g_object_get (sink, "uri", &uri, "extra-headers", &got, "language-code",
      &language, "chunk-duration", &chunk, "max-size-time", &size, NULL);
  fail_unless_equals_string (uri, "wss://example.org/live?x=1");
  fail_unless_equals_string (language, "en-US");
  fail_unless (gst_structure_is_equal (headers, got));
  fail_unless_equals_int (chunk, 250);
  fail_unless_equals_uint64 (size, 5 * GST_SECOND);

  gst_util_set_object_arg (G_OBJECT (sink), "audio-format", "int16");
  gst_util_set_object_arg (G_OBJECT (sink), "leaky", "downstream");
  gst_util_set_object_arg (G_OBJECT (sink), "session-options",
      "options,beam=(int)5");
  g_object_set (sink, "extra-headers", NULL, "language-code", NULL, NULL);
  g_clear_pointer (&language, g_free);
  g_object_get (sink, "language-code", &language, NULL);
  fail_unless (language == NULL);
}

GST_END_TEST;

GST_START_TEST (test_object)
{
  GTlsInteraction *interaction = g_object_new (G_TYPE_TLS_INTERACTION, NULL);
  g_autoptr (GTlsInteraction) got = NULL;
  gpointer alive = interaction;

  g_object_add_weak_pointer (G_OBJECT (interaction), &alive);
  g_object_set (sink, "tls-interaction", interaction, NULL);
  g_object_unref (interaction);
  fail_unless (alive != NULL);
  g_object_get (sink, "tls-interaction", &got, NULL);
  fail_unless (got == interaction);
  g_clear_object (&got);
  g_object_set (sink, "tls-interaction", NULL, NULL);
  fail_unless (alive == NULL);
}

GST_END_TEST;

GST_START_TEST (test_stats)
{
  static const gchar *const numbers[] =
      { "audio-received", "audio-sent", "audio-settled", "audio-lost",
    "bytes-sent",
    "messages-received", "messages-rejected", "segments-final", "sessions",
    "connect-attempts", "reconnects", "waits",
    "round-trip", "server-lag", "max-server-lag-seen",
    /* GstBaseSink's */
    "rendered", "dropped"
  };
  g_autoptr (GstStructure) stats = NULL;
  guint i;

  g_object_get (sink, "stats", &stats, NULL);
  for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
    guint64 value = 1;

    fail_unless (gst_structure_get_uint64 (stats, numbers[i], &value),
        "no guint64 %s", numbers[i]);
    fail_unless (value == 0
        || g_str_equal (numbers[i], "round-trip"), "%s is not 0 at first",
        numbers[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_element)
{
  GstElementFactory *factory = gst_element_get_factory (sink);
  GstCaps *any =
      gst_caps_from_string
      ("audio/x-raw, format=(string){ F64BE, S24LE, U8, F32LE, S16BE }, "
      "layout=(string){ interleaved, non-interleaved }, rate=(int)[ 1, 2147483647 ], channels=(int)[ 1, 63 ]");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  GstPadTemplate *template = gst_pad_get_pad_template (pad);
  GstCaps *caps = gst_pad_template_get_caps (template);
  GstTagFlag flag;

  fail_unless_equals_string (gst_element_factory_get_metadata (factory,
          GST_ELEMENT_METADATA_KLASS), "Sink/Network/Audio");
  fail_unless_equals_int (gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE
          (factory)), GST_RANK_NONE);
  fail_unless_equals_string (gst_plugin_feature_get_plugin_name
      (GST_PLUGIN_FEATURE (factory)), "whisperlive");
  fail_unless (GST_OBJECT_FLAG_IS_SET (sink, GST_ELEMENT_FLAG_SINK));
  fail_unless_equals_int (sink->numpads, 1);
  fail_unless (gst_caps_is_subset (any, caps), "template: %s",
      gst_caps_to_string (caps));
  fail_unless_equals_int (GST_PAD_TEMPLATE_PRESENCE (template), GST_PAD_ALWAYS);

  fail_unless (gst_tag_exists ("whisperlive-transcript"));
  fail_unless (gst_tag_get_type ("whisperlive-transcript") == G_TYPE_STRING);
  flag = gst_tag_get_flag ("whisperlive-transcript");
  fail_unless (flag == GST_TAG_FLAG_META || flag == GST_TAG_FLAG_DECODED);
  gst_caps_unref (caps);
  gst_caps_unref (any);
  gst_object_unref (template);
}

GST_END_TEST;

static Suite *
properties_suite (void)
{
  Suite *s = suite_create ("whisperlivesink-properties");
  TCase *tc = tcase_create ("properties");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_table);
  tcase_add_test (tc, test_no_last_sample);
  tcase_add_test (tc, test_enums);
  tcase_add_test (tc, test_limits);
  tcase_add_test (tc, test_identity);
  tcase_add_test (tc, test_set_and_get);
  tcase_add_test (tc, test_object);
  tcase_add_test (tc, test_stats);
  tcase_add_test (tc, test_element);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (properties);
