/* message-json: what GStreamer messages carry, as JSON
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "message-json.h"

typedef const GValue *(*GetItem) (const GValue * list, guint index);

static JsonNode *value_to_json (const GValue * value);

static JsonNode *
list_to_json (const GValue * list, guint size, GetItem get_item)
{
  g_autoptr (JsonArray) array = json_array_sized_new (size);
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  for (guint i = 0; i < size; i++)
    json_array_add_element (array, value_to_json (get_item (list, i)));
  json_node_set_array (node, array);
  return node;
}

static JsonNode *
uint64_to_json (guint64 number)
{
  JsonNode *node = json_node_new (JSON_NODE_NULL);

  /* a time that is not known, and the one number that JSON's signed 64 bits cannot hold */
  if (number <= G_MAXINT64)
    json_node_init_int (node, (gint64) number);
  return node;
}

static JsonNode *
value_to_json (const GValue * value)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_NULL);
  g_auto (GValue) text = G_VALUE_INIT;

  if (G_VALUE_HOLDS_STRING (value))
    json_node_init_string (node, g_value_get_string (value));
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    json_node_init_boolean (node, g_value_get_boolean (value));
  else if (G_VALUE_HOLDS_INT (value))
    json_node_init_int (node, g_value_get_int (value));
  else if (G_VALUE_HOLDS_UINT (value))
    json_node_init_int (node, g_value_get_uint (value));
  else if (G_VALUE_HOLDS_INT64 (value))
    json_node_init_int (node, g_value_get_int64 (value));
  else if (G_VALUE_HOLDS_UINT64 (value))
    return uint64_to_json (g_value_get_uint64 (value));
  else if (G_VALUE_HOLDS_DOUBLE (value))
    json_node_init_double (node, g_value_get_double (value));
  else if (GST_VALUE_HOLDS_ARRAY (value))
    return list_to_json (value, gst_value_array_get_size (value),
        gst_value_array_get_value);
  else if (GST_VALUE_HOLDS_LIST (value))
    return list_to_json (value, gst_value_list_get_size (value),
        gst_value_list_get_value);
  else if (GST_VALUE_HOLDS_STRUCTURE (value)
      && gst_value_get_structure (value))
    json_node_take_object (json_node_init (node, JSON_NODE_OBJECT),
        structure_to_json (gst_value_get_structure (value)));
  else {
    g_value_init (&text, G_TYPE_STRING);
    if (g_value_transform (value, &text))
      json_node_init_string (node, g_value_get_string (&text));
  }

  return g_steal_pointer (&node);
}

static gboolean
add_field (GQuark field, const GValue * value, gpointer object)
{
  json_object_set_member (object, g_quark_to_string (field),
      value_to_json (value));
  return TRUE;
}

static void
add_tag (const GstTagList * tags, const gchar * tag, gpointer object)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (gst_tag_list_copy_value (&value, tags, tag))
    json_object_set_member (object, tag, value_to_json (&value));
}

JsonObject *
structure_to_json (const GstStructure * structure)
{
  JsonObject *object = json_object_new ();

  gst_structure_foreach (structure, add_field, object);
  return object;
}

JsonObject *
tags_to_json (const GstTagList * tags)
{
  JsonObject *object = json_object_new ();

  gst_tag_list_foreach (tags, add_tag, object);
  return object;
}
