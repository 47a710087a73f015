/* transcribe: prints what is said in a file or stream, with whisperlivesink
 *
 * An example of an application: it links uridecodebin to whisperlivesink, shows partial transcripts in place and final
 * ones as lines, and the whole text at the end. With --json it prints every message instead, for other programs.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib-unix.h>
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "message-json.h"

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  GstElement *sink;
  GstElement *entry;            /* what the decoder is linked to */
  GString *text;                /* every final so far */
  gint64 playing_since;         /* monotonic, or 0 */
  gboolean json;
  gboolean terminal;
  gboolean interrupted;
  int exit_code;
} App;

typedef struct
{
  gchar *uri;
  gchar *caps;
  gchar **properties;
  gchar **inputs;
  gboolean sync;
  gboolean json;
} Options;

static void
options_free (Options * options)
{
  g_free (options->uri);
  g_free (options->caps);
  g_strfreev (options->properties);
  g_strfreev (options->inputs);
  g_free (options);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Options, options_free);

/* Prints one line; takes @object */
static void
print_json (App * app, const gchar * name, JsonObject * object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree gchar *line = NULL;
  gdouble wall = 0;

  if (app->playing_since != 0)
    wall = (gdouble) (g_get_monotonic_time () - app->playing_since)
        / G_USEC_PER_SEC;
  json_object_set_string_member (object, "name", name);
  json_object_set_double_member (object, "wall", wall);
  json_node_take_object (node, object);
  line = json_to_string (node, FALSE);
  printf ("%s\n", line);
}

/* Text, for people */

/* As much of the end of @text as fits into the line of the terminal */
static const gchar *
last_words (const gchar * text)
{
  struct winsize size = { 0 };
  const gchar *start = text + strlen (text);
  guint columns = 80;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
    columns = size.ws_col;
  for (columns--; start > text && columns > 1; columns--) {
    start = g_utf8_prev_char (start);
    if (g_unichar_iswide (g_utf8_get_char (start)))
      columns--;
  }
  return start;
}

static gchar *
format_time (GstClockTime time)
{
  guint64 tenths = time / (100 * GST_MSECOND);

  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u.%u", tenths / 600,
      (guint) (tenths / 10 % 60), (guint) (tenths % 10));
}

static void
print_transcript (App * app, const GstStructure * transcript)
{
  const gchar *text = gst_structure_get_string (transcript, "text");
  GstClockTime start = 0, duration = 0;
  gboolean final = FALSE;
  g_autofree gchar *from = NULL;
  g_autofree gchar *to = NULL;

  gst_structure_get_boolean (transcript, "final", &final);
  if (!final) {
    /* back to the start of the line, and whatever was there is erased */
    if (app->terminal) {
      printf ("\r\033[K%s", last_words (text));
      fflush (stdout);
    }
    return;
  }

  if (!gst_structure_get_uint64 (transcript, "stream-time", &start)
      || !GST_CLOCK_TIME_IS_VALID (start))
    gst_structure_get_uint64 (transcript, "running-time", &start);
  gst_structure_get_uint64 (transcript, "duration", &duration);
  from = format_time (start);
  to = format_time (start + duration);
  printf ("%s[%s – %s] %s\n", app->terminal ? "\r\033[K" : "", from, to,
      text);
  if (app->text->len > 0)
    g_string_append_c (app->text, ' ');
  g_string_append (app->text, text);
}

/* Messages */

static void
finish (App * app, int exit_code)
{
  app->exit_code = exit_code;
  g_main_loop_quit (app->loop);
}

static const gchar *
error_nick (GEnumClass * codes, gint code)
{
  GEnumValue *value = g_enum_get_value (codes, code);

  return value ? value->value_nick : "unknown";
}

/* An error or warning as {domain, code, message, debug}, with names instead of numbers */
static void
print_error (App * app, const gchar * name, const GError * error,
    const gchar * debug)
{
  const struct
  {
    GQuark domain;
    const gchar *nick;
    GType codes;
  } domains[] = {
    {GST_CORE_ERROR, "core", GST_TYPE_CORE_ERROR},
    {GST_LIBRARY_ERROR, "library", GST_TYPE_LIBRARY_ERROR},
    {GST_RESOURCE_ERROR, "resource", GST_TYPE_RESOURCE_ERROR},
    {GST_STREAM_ERROR, "stream", GST_TYPE_STREAM_ERROR},
  };
  JsonObject *object;

  if (!app->json) {
    g_printerr ("%s%s: %s\n", app->terminal ? "\n" : "", name, error->message);
    if (debug)
      g_printerr ("%s\n", debug);
    return;
  }

  object = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++) {
    if (error->domain == domains[i].domain) {
      GEnumClass *codes = g_type_class_ref (domains[i].codes);

      json_object_set_string_member (object, "domain", domains[i].nick);
      json_object_set_string_member (object, "code",
          error_nick (codes, error->code));
      g_type_class_unref (codes);
    }
  }
  json_object_set_string_member (object, "message", error->message);
  json_object_set_string_member (object, "debug", debug);
  print_json (app, name, object);
}

static void
on_error (GstBus * bus, GstMessage * message, App * app)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  print_error (app, "ERROR", error, debug);
  finish (app, EXIT_FAILURE);
}

static void
on_warning (GstBus * bus, GstMessage * message, App * app)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_warning (message, &error, &debug);
  print_error (app, "WARNING", error, debug);
}

static void
on_eos (GstBus * bus, GstMessage * message, App * app)
{
  if (app->json)
    print_json (app, "EOS", json_object_new ());
  finish (app, EXIT_SUCCESS);
}

static void
on_element (GstBus * bus, GstMessage * message, App * app)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (app->json)
    print_json (app, gst_structure_get_name (structure),
        structure_to_json (structure));
  else if (gst_message_has_name (message, "whisperlive/transcript"))
    print_transcript (app, structure);
}

/* What probe_eos() posted */
static void
on_application (GstBus * bus, GstMessage * message, App * app)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (app->json)
    print_json (app, gst_structure_get_name (structure),
        structure_to_json (structure));
}

static void
on_tag (GstBus * bus, GstMessage * message, App * app)
{
  g_autoptr (GstTagList) tags = NULL;
  JsonObject *object;

  if (!app->json || GST_MESSAGE_SRC (message) != GST_OBJECT (app->sink))
    return;
  gst_message_parse_tag (message, &tags);
  object = json_object_new ();
  json_object_set_object_member (object, "tags", tags_to_json (tags));
  print_json (app, "TAG", object);
}

static void
on_state_changed (GstBus * bus, GstMessage * message, App * app)
{
  GstState state;

  gst_message_parse_state_changed (message, NULL, &state, NULL);
  if (GST_MESSAGE_SRC (message) == GST_OBJECT (app->pipeline)
      && state == GST_STATE_PLAYING && app->playing_since == 0) {
    app->playing_since = g_get_monotonic_time ();
    if (app->json)
      print_json (app, "PLAYING", json_object_new ());
  }
}

/* The first Ctrl-C asks for the last words, the second one does not wait for them */
static gboolean
on_interrupt (gpointer user_data)
{
  App *app = user_data;

  if (app->interrupted) {
    finish (app, EXIT_FAILURE);
  } else {
    app->interrupted = TRUE;
    gst_element_send_event (app->pipeline, gst_event_new_eos ());
  }
  return G_SOURCE_CONTINUE;
}

/* The pipeline */

static void
on_pad_added (GstElement * decoder, GstPad * pad, App * app)
{
  g_autoptr (GstPad) entry = gst_element_get_static_pad (app->entry, "sink");

  if (!gst_pad_is_linked (entry))
    gst_pad_link (pad, entry);
}

/* Tells when the end of the stream came to the sink: the time that the last words took is counted from here */
static GstPadProbeReturn
probe_eos (GstPad * pad, GstPadProbeInfo * info, gpointer sink)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    gst_element_post_message (sink,
        gst_message_new_application (sink,
            gst_structure_new_empty ("END-OF-INPUT")));
  return GST_PAD_PROBE_OK;
}

static gboolean
set_properties (GstElement * element, gchar ** properties, GError ** error)
{
  for (; properties && *properties; properties++) {
    g_auto (GStrv) pair = g_strsplit (*properties, "=", 2);

    if (!pair[0] || !pair[1]
        || !g_object_class_find_property (G_OBJECT_GET_CLASS (element),
            pair[0])) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "“%s” is not NAME=VALUE with a NAME that gst-inspect-1.0 lists",
          *properties);
      return FALSE;
    }
    gst_util_set_object_arg (G_OBJECT (element), pair[0], pair[1]);
  }
  return TRUE;
}

/* What stands before the sink when other caps are wanted there than the decoder's: the same signal, without noise added to it */
static GstElement *
make_converter (const gchar * caps, GError ** error)
{
  g_autofree gchar *description =
      g_strdup_printf ("audioresample ! audioconvert dithering=none ! "
      "capsfilter caps=\"%s\"", caps);

  return gst_parse_bin_from_description (description, TRUE, error);
}

/* Elements that fail to be made are in the pipeline or not, but never leaked */
static gboolean
make_elements (App * app, GstElement ** decoder, const gchar * caps,
    GError ** error)
{
  *decoder = gst_element_factory_make ("uridecodebin", NULL);
  app->sink = gst_element_factory_make ("whisperlivesink", NULL);
  if (*decoder)
    gst_bin_add (GST_BIN (app->pipeline), *decoder);
  if (app->sink)
    gst_bin_add (GST_BIN (app->pipeline), app->sink);
  if (!*decoder || !app->sink) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "No element “%s”: is its plugin in GST_PLUGIN_PATH?",
        *decoder ? "whisperlivesink" : "uridecodebin");
    return FALSE;
  }

  app->entry = app->sink;
  if (caps) {
    app->entry = make_converter (caps, error);
    if (!app->entry)
      return FALSE;
    gst_bin_add (GST_BIN (app->pipeline), app->entry);
    gst_element_link (app->entry, app->sink);
  }
  return TRUE;
}

static gboolean
build_pipeline (App * app, const Options * options, GError ** error)
{
  const gchar *input = options->inputs[0];
  g_autofree gchar *uri = NULL;
  g_autoptr (GstCaps) audio = gst_caps_new_empty_simple ("audio/x-raw");
  g_autoptr (GstPad) pad = NULL;
  GstElement *decoder;

  app->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  if (!make_elements (app, &decoder, options->caps, error))
    return FALSE;

  uri = gst_uri_is_valid (input) ? g_strdup (input)
      : gst_filename_to_uri (input, error);
  if (!uri)
    return FALSE;
  /* of a film, only the sound is decoded */
  g_object_set (decoder, "uri", uri, "caps", audio, "expose-all-streams", FALSE,
      NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), app);

  if (options->uri)
    g_object_set (app->sink, "uri", options->uri, NULL);
  g_object_set (app->sink, "sync", options->sync, NULL);
  pad = gst_element_get_static_pad (app->sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, probe_eos,
      app->sink, NULL);
  return set_properties (app->sink, options->properties, error);
}

static void
print_summary (App * app)
{
  g_autoptr (GstStructure) stats = NULL;

  if (app->json) {
    g_object_get (app->sink, "stats", &stats, NULL);
    if (stats)
      print_json (app, "STATS", structure_to_json (stats));
  } else if (app->text->len > 0) {
    printf ("\n%s\n", app->text->str);
  }
}

static void
run (App * app)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (app->pipeline);
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, app);
  guint terminate = g_unix_signal_add (SIGTERM, on_interrupt, app);

  gst_bus_add_signal_watch (bus);
  g_signal_connect (bus, "message::error", G_CALLBACK (on_error), app);
  g_signal_connect (bus, "message::warning", G_CALLBACK (on_warning), app);
  g_signal_connect (bus, "message::eos", G_CALLBACK (on_eos), app);
  g_signal_connect (bus, "message::element", G_CALLBACK (on_element), app);
  g_signal_connect (bus, "message::application", G_CALLBACK (on_application),
      app);
  g_signal_connect (bus, "message::tag", G_CALLBACK (on_tag), app);
  g_signal_connect (bus, "message::state-changed",
      G_CALLBACK (on_state_changed), app);

  /* a failure to start comes with an error message, which the loop has still to see */
  if (gst_element_set_state (app->pipeline,
          GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE
      || gst_bus_have_pending (bus))
    g_main_loop_run (app->loop);
  print_summary (app);
  gst_element_set_state (app->pipeline, GST_STATE_NULL);

  gst_bus_remove_signal_watch (bus);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

static Options *
parse_options (int *argc, char ***argv, GError ** error)
{
  g_autoptr (Options) options = g_new0 (Options, 1);
  const GOptionEntry entries[] = {
    {"uri", 'u', 0, G_OPTION_ARG_STRING, &options->uri,
        "WhisperLive server (default: ws://127.0.0.1:9090)", "URI"},
    {"sync", 's', 0, G_OPTION_ARG_NONE, &options->sync,
        "At the pace of the clock instead of as fast as the server can", NULL},
    {"property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options->properties,
          "Set a property of whisperlivesink; may be given more than once",
        "NAME=VALUE"},
    {"caps", 'c', 0, G_OPTION_ARG_STRING, &options->caps,
        "Convert to these caps before the sink, to try formats", "CAPS"},
    {"json", 'j', 0, G_OPTION_ARG_NONE, &options->json,
        "Print every message as a line of JSON", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->inputs,
        NULL, "FILE|URI"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
      "Prints what is said in a file or stream, as a WhisperLive server hears it.");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return NULL;
  if (!options->inputs || g_strv_length (options->inputs) != 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "One FILE or URI is needed");
    return NULL;
  }
  return g_steal_pointer (&options);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Options) options = NULL;
  App app = { 0 };

  setlocale (LC_ALL, "");
  setvbuf (stdout, NULL, _IOLBF, 0);
  options = parse_options (&argc, &argv, &error);
  if (!options) {
    g_printerr ("%s\nTry “%s --help”\n", error->message, argv[0]);
    return 2;
  }

  app.exit_code = EXIT_FAILURE;
  app.json = options->json;
  app.terminal = !options->json && isatty (STDOUT_FILENO);
  app.text = g_string_new (NULL);
  app.loop = g_main_loop_new (NULL, FALSE);
  if (build_pipeline (&app, options, &error))
    run (&app);
  else
    g_printerr ("%s\n", error->message);

  g_clear_pointer (&app.loop, g_main_loop_unref);
  g_string_free (app.text, TRUE);
  gst_clear_object (&app.pipeline);
  return app.exit_code;
}
