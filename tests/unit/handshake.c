/* Tests of whisperlive-handshake
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "whisperlive-protocol.h"

static JsonObject *
handshake_again (const WhisperLiveSettings * settings, const gchar * detected,
    gboolean stuck)
{
  g_autofree gchar *text =
      whisperlive_protocol_handshake (settings, "id", detected, stuck);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);

  fail_unless (node != NULL && JSON_NODE_HOLDS_OBJECT (node), "%s", text);
  return json_node_dup_object (node);
}

static JsonObject *
handshake (const WhisperLiveSettings * settings)
{
  return handshake_again (settings, NULL, FALSE);
}

static gchar *
list_members (JsonObject * object)
{
  g_autoptr (GList) members =
      g_list_sort (json_object_get_members (object), (GCompareFunc) strcmp);
  GString *list = g_string_new (NULL);
  GList *l;

  for (l = members; l; l = l->next)
    g_string_append_printf (list, "%s ", (const gchar *) l->data);
  return g_string_free (list, FALSE);
}

GST_START_TEST (test_handshake)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = handshake (settings);
  g_autofree gchar *members = list_members (object);

  fail_unless_equals_string (members, "audio_format clip_audio language model "
      "no_speech_thresh same_output_threshold send_last_n_segments task uid "
      "use_vad word_timestamps ");
  fail_unless_equals_string (json_object_get_string_member (object, "uid"),
      "id");
  fail_unless (json_object_get_null_member (object, "language"));
  fail_unless_equals_string (json_object_get_string_member (object, "task"),
      "transcribe");
  fail_unless_equals_string (json_object_get_string_member (object, "model"),
      "small");
  fail_unless (json_object_get_boolean_member (object, "use_vad"));
  fail_unless_equals_int (json_object_get_int_member (object,
          "send_last_n_segments"), 50);
  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 0.45);
  fail_if (json_object_get_boolean_member (object, "clip_audio"));
  fail_unless_equals_int (json_object_get_int_member (object,
          "same_output_threshold"), 10);
  fail_if (json_object_get_boolean_member (object, "word_timestamps"));
  fail_unless_equals_string (json_object_get_string_member (object,
          "audio_format"), "float32");
}

GST_END_TEST;

GST_START_TEST (test_handshake_in_another_language)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;

  settings->language_code = g_strdup ("en-US");
  settings->task = WHISPERLIVE_TASK_TRANSLATE;
  settings->translation_language_code = g_strdup ("pt_BR");
  settings->audio_format = WHISPERLIVE_FORMAT_INT16;
  object = handshake (settings);
  fail_unless_equals_string (json_object_get_string_member (object,
          "language"), "en");
  fail_unless_equals_string (json_object_get_string_member (object, "task"),
      "translate");
  fail_unless (json_object_get_boolean_member (object, "enable_translation"));
  fail_unless_equals_string (json_object_get_string_member (object,
          "target_language"), "pt");
  fail_unless_equals_string (json_object_get_string_member (object,
          "audio_format"), "int16");
}

GST_END_TEST;

/* What was detected is told, unless something else was set. */
GST_START_TEST (test_handshake_in_a_detected_language)
{
  static const struct
  {
    const gchar *set, *option, *detected, *told;
  } cases[] = {
    {NULL, NULL, NULL, NULL},
    {NULL, NULL, "de", "de"},
    {NULL, NULL, "xx", NULL},
    {NULL, NULL, "", NULL},
    {"en-US", NULL, "de", "en"},
    {NULL, "fr", "de", "fr"},
  };
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;

  settings->language_code = g_strdup (cases[__i__].set);
  if (cases[__i__].option)
    settings->session_options = gst_structure_new ("options", "language",
        G_TYPE_STRING, cases[__i__].option, NULL);
  object = handshake_again (settings, cases[__i__].detected, FALSE);
  fail_unless (json_object_has_member (object, "language"));
  fail_unless_equals_string (json_object_get_string_member_with_default (object,
          "language", NULL), cases[__i__].told);
}

GST_END_TEST;

GST_START_TEST (test_handshake_with_prompts)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;

  settings->initial_prompt = g_strdup ("Say \"ä\"\n");
  settings->hotwords = g_strdup ("GStreamer");
  object = handshake (settings);
  fail_unless_equals_string (json_object_get_string_member (object,
          "initial_prompt"), "Say \"ä\"\n");
  fail_unless_equals_string (json_object_get_string_member (object,
          "hotwords"), "GStreamer");
}

GST_END_TEST;

GST_START_TEST (test_handshake_with_vad_parameters)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;
  JsonObject *vad;

  settings->vad_parameters = gst_structure_new ("vad", "threshold",
      G_TYPE_DOUBLE, 0.25, "speech_pad_ms", G_TYPE_INT, 200, NULL);
  object = handshake (settings);
  vad = json_object_get_object_member (object, "vad_parameters");
  fail_unless (json_object_get_double_member (vad, "threshold") == 0.25);
  fail_unless_equals_int (json_object_get_int_member (vad, "speech_pad_ms"),
      200);
}

GST_END_TEST;

GST_START_TEST (test_handshake_with_diarization)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;

  settings->diarization = TRUE;
  settings->max_speakers = 3;
  settings->diarization_threshold = 0.5;
  object = handshake (settings);
  fail_unless (json_object_get_boolean_member (object, "enable_diarization"));
  fail_unless_equals_int (json_object_get_int_member (object, "max_speakers"),
      3);
  fail_unless (json_object_get_double_member (object,
          "diarization_threshold") == 0.5);
  fail_if (json_object_has_member (object, "known_speakers"));
}

GST_END_TEST;

static void
add_speaker (GValue * speakers, const gchar * key, const gchar * name)
{
  GValue value = G_VALUE_INIT;

  if (!G_IS_VALUE (speakers))
    g_value_init (speakers, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, gst_structure_new ("speaker", "name",
          G_TYPE_STRING, name, key, G_TYPE_STRING, "QUJD", NULL));
  gst_value_array_append_and_take_value (speakers, &value);
}

GST_START_TEST (test_handshake_with_speakers)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;
  JsonArray *speakers;
  guint i;

  add_speaker (&settings->known_speakers, "audio-base64", "Ann");
  add_speaker (&settings->known_speakers, "audio_base64", "Bob");
  object = handshake (settings);
  fail_unless (json_object_get_boolean_member (object, "enable_diarization"));
  speakers = json_object_get_array_member (object, "known_speakers");
  fail_unless_equals_int (json_array_get_length (speakers), 2);
  for (i = 0; i < 2; i++) {
    JsonObject *speaker = json_array_get_object_element (speakers, i);

    fail_unless_equals_string (json_object_get_string_member (speaker, "name"),
        i == 0 ? "Ann" : "Bob");
    fail_unless_equals_string (json_object_get_string_member (speaker,
            "audio_base64"), "QUJD");
  }
}

GST_END_TEST;

GST_START_TEST (test_session_options_override)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;

  settings->session_options = gst_structure_new ("options", "model",
      G_TYPE_STRING, "tiny", "use_vad", G_TYPE_BOOLEAN, FALSE, "new_option",
      G_TYPE_INT, 7, NULL);
  object = handshake (settings);
  fail_unless_equals_string (json_object_get_string_member (object, "model"),
      "tiny");
  fail_if (json_object_get_boolean_member (object, "use_vad"));
  fail_unless_equals_int (json_object_get_int_member (object, "new_option"), 7);
}

GST_END_TEST;

/* What the last connection took for no speech, the next takes for speech: unless it would have to with all noise. */
GST_START_TEST (test_handshake_after_a_stuck_one)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = handshake_again (settings, NULL, TRUE);

  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 1.0);
  settings->use_vad = FALSE;
  json_object_unref (object);
  object = handshake_again (settings, NULL, TRUE);
  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 0.45);
  /* an option has the last word */
  settings->use_vad = TRUE;
  settings->session_options =
      gst_structure_new ("options", "no_speech_thresh", G_TYPE_DOUBLE, 0.5,
      NULL);
  json_object_unref (object);
  object = handshake_again (settings, NULL, TRUE);
  fail_unless (json_object_get_double_member (object,
          "no_speech_thresh") == 0.5);
}

GST_END_TEST;

GST_START_TEST (test_session_options_of_every_type)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autoptr (JsonObject) object = NULL;
  g_autofree gchar *nested = NULL;

  settings->session_options = gst_structure_from_string ("options, "
      "s=(string)\"a b\", i=(int)-5, u=(uint)4294967295, "
      "l=(gint64)-9000000000, m=(guint64)9000000000, d=(double)0.5, "
      "f=(float)0.25, b=(boolean)true, a=(int)<1, 2>, e=(int)<>, "
      "n=(structure)\"inner\\,x\\=(int)1\\,y\\=(string)z\\;\", "
      "o=(int){3, 4}, h=(guint64)18446744073709551615;", NULL);
  fail_unless (settings->session_options != NULL);
  object = handshake (settings);
  fail_unless_equals_string (json_object_get_string_member (object, "s"),
      "a b");
  fail_unless_equals_int64 (json_object_get_int_member (object, "i"), -5);
  fail_unless_equals_int64 (json_object_get_int_member (object, "u"),
      G_MAXUINT32);
  fail_unless_equals_int64 (json_object_get_int_member (object, "l"),
      G_GINT64_CONSTANT (-9000000000));
  fail_unless_equals_int64 (json_object_get_int_member (object, "m"),
      G_GINT64_CONSTANT (9000000000));
  /* an integer of JSON would be negative */
  fail_unless (json_object_get_double_member (object, "h") ==
      (gdouble) G_MAXUINT64);
  fail_unless (json_object_get_double_member (object, "d") == 0.5);
  fail_unless (json_object_get_double_member (object, "f") == 0.25);
  fail_unless (json_object_get_boolean_member (object, "b"));
  fail_unless_equals_int (json_array_get_length (json_object_get_array_member
          (object, "a")), 2);
  fail_unless_equals_int (json_array_get_length (json_object_get_array_member
          (object, "e")), 0);
  fail_unless_equals_int (json_array_get_int_element
      (json_object_get_array_member (object, "o"), 1), 4);
  nested = json_to_string (json_object_get_member (object, "n"), FALSE);
  fail_unless_equals_string (nested, "{\"x\":1,\"y\":\"z\"}");
}

GST_END_TEST;

GST_START_TEST (test_handshake_keeps_the_secrets)
{
  g_autoptr (WhisperLiveSettings) settings = whisperlive_settings_new ();
  g_autofree gchar *text = NULL;

  settings->api_key = g_strdup ("SECRET");
  settings->proxy_pw = g_strdup ("SECRET");
  text = whisperlive_protocol_handshake (settings, "id", NULL, FALSE);
  fail_unless (strstr (text, "SECRET") == NULL);
}

GST_END_TEST;

static Suite *
handshake_suite (void)
{
  Suite *suite = suite_create ("handshake");
  TCase *tc = tcase_create ("handshake");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_handshake);
  tcase_add_test (tc, test_handshake_in_another_language);
  tcase_add_loop_test (tc, test_handshake_in_a_detected_language, 0, 6);
  tcase_add_test (tc, test_handshake_with_prompts);
  tcase_add_test (tc, test_handshake_with_vad_parameters);
  tcase_add_test (tc, test_handshake_with_diarization);
  tcase_add_test (tc, test_handshake_with_speakers);
  tcase_add_test (tc, test_session_options_override);
  tcase_add_test (tc, test_handshake_after_a_stuck_one);
  tcase_add_test (tc, test_session_options_of_every_type);
  tcase_add_test (tc, test_handshake_keeps_the_secrets);
  return suite;
}

GST_CHECK_MAIN (handshake);
