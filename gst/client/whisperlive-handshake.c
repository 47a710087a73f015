/* whisperlive-handshake: the first text frame of a connection (the other half is whisperlive-protocol)
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-protocol.h"

#include <json-glib/json-glib.h>
#include <math.h>

#include "whisperlive-wire.h"

static JsonNode *value_to_node (const GValue * value);

static gboolean
add_field (GQuark field, const GValue * value, gpointer object)
{
  JsonNode *node = value_to_node (value);

  if (node)
    json_object_set_member (object, g_quark_to_string (field), node);
  return TRUE;
}

static JsonNode *
structure_to_node (const GstStructure * structure)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, json_object_new ());
  gst_structure_foreach (structure, add_field, json_node_get_object (node));
  return node;
}

static JsonNode *
list_to_node (const GValue * list)
{
  gboolean is_array = GST_VALUE_HOLDS_ARRAY (list);
  guint length = is_array ? gst_value_array_get_size (list)
      : gst_value_list_get_size (list);
  JsonArray *array = json_array_new ();
  JsonNode *node;
  guint i;

  for (i = 0; i < length; i++) {
    node = value_to_node (is_array ? gst_value_array_get_value (list, i)
        : gst_value_list_get_value (list, i));
    if (node)
      json_array_add_element (array, node);
  }
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, array);
  return node;
}

static JsonNode *
scalar_to_node (const GValue * value)
{
  GValue wide = G_VALUE_INIT;
  JsonNode *node;
  gboolean fractional = G_VALUE_HOLDS_FLOAT (value)
      || G_VALUE_HOLDS_DOUBLE (value);

  /* JSON's integers are signed here: what does not fit goes as a double */
  if (G_VALUE_HOLDS_UINT64 (value) && g_value_get_uint64 (value) > G_MAXINT64)
    fractional = TRUE;
  g_value_init (&wide, fractional ? G_TYPE_DOUBLE : G_TYPE_INT64);
  if (!g_value_transform (value, &wide)
      || (fractional && !isfinite (g_value_get_double (&wide)))) {
    g_value_unset (&wide);
    return NULL;
  }
  node = json_node_new (JSON_NODE_VALUE);
  json_node_set_value (node, &wide);
  g_value_unset (&wide);
  return node;
}

/* NULL for what JSON cannot carry; whisperlive_settings_check() refuses it before. */
static JsonNode *
value_to_node (const GValue * value)
{
  JsonNode *node;

  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    const GstStructure *structure = gst_value_get_structure (value);

    return structure ? structure_to_node (structure)
        : json_node_new (JSON_NODE_NULL);
  }
  if (GST_VALUE_HOLDS_ARRAY (value) || GST_VALUE_HOLDS_LIST (value))
    return list_to_node (value);
  if (G_VALUE_HOLDS_STRING (value)) {
    if (!g_value_get_string (value))
      return json_node_new (JSON_NODE_NULL);
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_string (node, g_value_get_string (value));
    return node;
  }
  if (G_VALUE_HOLDS_BOOLEAN (value)) {
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_boolean (node, g_value_get_boolean (value));
    return node;
  }
  return scalar_to_node (value);
}

static void
set_string_if (JsonObject * object, const gchar * key, const gchar * value)
{
  if (value && *value)
    json_object_set_string_member (object, key, value);
}

static guint
add_speakers (JsonObject * object, const GValue * speakers)
{
  JsonArray *array;
  guint i, length;

  if (!G_IS_VALUE (speakers) || !GST_VALUE_HOLDS_ARRAY (speakers))
    return 0;
  length = gst_value_array_get_size (speakers);
  if (length == 0)
    return 0;
  array = json_array_new ();
  for (i = 0; i < length; i++) {
    const GstStructure *speaker =
        gst_value_get_structure (gst_value_array_get_value (speakers, i));
    const gchar *audio = gst_structure_get_string (speaker, "audio-base64");
    JsonObject *entry = json_object_new ();

    if (!audio)
      audio = gst_structure_get_string (speaker, "audio_base64");
    json_object_set_string_member (entry, "name",
        gst_structure_get_string (speaker, "name"));
    json_object_set_string_member (entry, "audio_base64", audio);
    json_array_add_object_element (array, entry);
  }
  json_object_set_array_member (object, "known_speakers", array);
  return length;
}

static void
add_diarization (JsonObject * object, const WhisperLiveSettings * settings)
{
  guint speakers = add_speakers (object, &settings->known_speakers);

  if (!settings->diarization && speakers == 0)
    return;
  json_object_set_boolean_member (object, "enable_diarization", TRUE);
  json_object_set_int_member (object, "max_speakers", settings->max_speakers);
  json_object_set_double_member (object, "diarization_threshold",
      settings->diarization_threshold);
}

gchar *
whisperlive_protocol_handshake (const WhisperLiveSettings * settings,
    const gchar * session_id, const gchar * detected, gboolean stuck)
{
  static const gchar *const tasks[] = { "transcribe", "translate" };
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree gchar *language = whisperlive_settings_dup_language (settings);
  g_autofree gchar *target =
      whisperlive_settings_dup_translation_language (settings);

  if (!language && detected && whisperlive_settings_is_language (detected))
    language = g_strdup (detected);
  json_object_set_string_member (object, "uid", session_id);
  /* has to be there: null lets the server detect it */
  if (language)
    json_object_set_string_member (object, "language", language);
  else
    json_object_set_null_member (object, "language");
  json_object_set_string_member (object, "task", tasks[settings->task]);
  json_object_set_string_member (object, "model", settings->model);
  json_object_set_boolean_member (object, "use_vad", settings->use_vad);
  if (settings->vad_parameters)
    json_object_set_member (object, "vad_parameters",
        structure_to_node (settings->vad_parameters));
  json_object_set_int_member (object, "send_last_n_segments",
      settings->send_last_n_segments);
  json_object_set_double_member (object, "no_speech_thresh",
      whisperlive_settings_get_no_speech_threshold (settings, stuck));
  json_object_set_boolean_member (object, "clip_audio", settings->clip_audio);
  json_object_set_int_member (object, "same_output_threshold",
      settings->same_output_threshold);
  if (target) {
    json_object_set_boolean_member (object, "enable_translation", TRUE);
    json_object_set_string_member (object, "target_language", target);
  }
  set_string_if (object, "initial_prompt", settings->initial_prompt);
  set_string_if (object, "hotwords", settings->hotwords);
  add_diarization (object, settings);
  json_object_set_boolean_member (object, "word_timestamps",
      settings->word_timestamps);
  json_object_set_string_member (object, "audio_format",
      whisperlive_wire_get_name (settings->audio_format));
  if (settings->session_options)
    gst_structure_foreach (settings->session_options, add_field, object);

  json_node_set_object (root, object);
  return json_to_string (root, FALSE);
}
