/* subtitles: writes SubRip or WebVTT subtitles of a file or stream, with whisperlivesink
 *
 * An example of an application that turns messages into a stream again: each final transcript becomes a buffer of text,
 * which GStreamer's srtenc or webvttenc (of the bad plugins) formats. The file grows with each cue, so it can be followed.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib-unix.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* Of a film, only the sound is decoded. The file is not prerolled: its first text comes long after PAUSED. */
#define PIPELINE \
    "uridecodebin name=source caps=audio/x-raw expose-all-streams=false " \
    "! whisperlivesink name=listener post-partials=false " \
    "appsrc name=cues format=time ! %s " \
    "! filesink name=file buffer-mode=unbuffered async=false sync=false"

#define UNKNOWN_DURATION (2 * GST_SECOND)

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  GstAppSrc *cues;
  gboolean webvtt;
  gboolean interrupted;
  guint n_cues;
  int exit_code;
} App;

typedef struct
{
  gchar *uri;
  gchar *format;
  gchar **properties;
  gchar **files;
} Options;

static void
finish (App * app, int exit_code)
{
  app->exit_code = exit_code;
  g_main_loop_quit (app->loop);
}

/* Cues */

/* A text that is one line, for an empty line ends a cue; WebVTT has markup besides, SubRip has no way to escape any */
static gchar *
escape (const gchar * text, gboolean webvtt)
{
  g_autoptr (GString) line = g_string_new (text);

  g_strdelimit (line->str, "\r\n", ' ');
  if (webvtt) {
    g_string_replace (line, "&", "&amp;", 0);
    g_string_replace (line, "<", "&lt;", 0);
    g_string_replace (line, ">", "&gt;", 0);
  }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

static void
add_cue (App * app, const GstStructure * transcript)
{
  GstClockTime start = GST_CLOCK_TIME_NONE, duration = 0;
  gboolean final = FALSE;
  GstBuffer *buffer;
  gchar *text;

  gst_structure_get (transcript, "final", G_TYPE_BOOLEAN, &final,
      "stream-time", G_TYPE_UINT64, &start,
      "duration", G_TYPE_UINT64, &duration, NULL);
  if (!final || !GST_CLOCK_TIME_IS_VALID (start))
    return;

  text = escape (gst_structure_get_string (transcript, "text"), app->webvtt);
  buffer = gst_buffer_new_wrapped (text, strlen (text));
  GST_BUFFER_PTS (buffer) = start;
  GST_BUFFER_DURATION (buffer) = duration ? duration : UNKNOWN_DURATION;
  if (gst_app_src_push_buffer (app->cues, buffer) == GST_FLOW_OK)
    app->n_cues++;
}

/* Messages */

static void
on_element (GstBus * bus, GstMessage * message, App * app)
{
  if (gst_message_has_name (message, "whisperlive/transcript"))
    add_cue (app, gst_message_get_structure (message));
  else if (gst_message_has_name (message, "whisperlive/drained"))
    /* there was the last text; the pipeline's EOS comes when it is in the file */
    gst_app_src_end_of_stream (app->cues);
}

static void
on_error (GstBus * bus, GstMessage * message, App * app)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s: %s\n", GST_OBJECT_NAME (GST_MESSAGE_SRC (message)),
      error->message);
  finish (app, EXIT_FAILURE);
}

static void
on_warning (GstBus * bus, GstMessage * message, App * app)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  g_printerr ("%s\n", error->message);
}

static void
on_eos (GstBus * bus, GstMessage * message, App * app)
{
  finish (app, EXIT_SUCCESS);
}

/* The first Ctrl-C asks for the last words, the second one does not wait for them */
static gboolean
on_interrupt (gpointer user_data)
{
  App *app = user_data;
  g_autoptr (GstElement) source = NULL;

  if (app->interrupted) {
    finish (app, EXIT_FAILURE);
  } else {
    app->interrupted = TRUE;
    /* not to the pipeline: the cues go on */
    source = gst_bin_get_by_name (GST_BIN (app->pipeline), "source");
    gst_element_send_event (source, gst_event_new_eos ());
  }
  return G_SOURCE_CONTINUE;
}

/* The pipeline */

/* --format, or else what the name of the file ends in */
static gboolean
choose_format (App * app, const Options * options, GError ** error)
{
  const gchar *dot = strrchr (options->files[1], '.');
  const gchar *format = options->format ? options->format : dot ? dot + 1 : "";

  app->webvtt = g_ascii_strcasecmp (format, "vtt") == 0
      || g_ascii_strcasecmp (format, "webvtt") == 0;
  if (app->webvtt || g_ascii_strcasecmp (format, "srt") == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "“%s” is neither “srt” nor “webvtt”: give FILE.srt, FILE.vtt or --format",
      format);
  return FALSE;
}

static gboolean
set_properties (GObject * object, gchar ** properties, GError ** error)
{
  for (; properties && *properties; properties++) {
    g_auto (GStrv) pair = g_strsplit (*properties, "=", 2);

    if (!pair[0] || !pair[1]
        || !g_object_class_find_property (G_OBJECT_GET_CLASS (object), pair[0])) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "“%s” is not NAME=VALUE with a NAME that gst-inspect-1.0 lists",
          *properties);
      return FALSE;
    }
    gst_util_set_object_arg (object, pair[0], pair[1]);
  }
  return TRUE;
}

static gboolean
build_pipeline (App * app, const Options * options, GError ** error)
{
  g_autofree gchar *uri = NULL;
  g_autofree gchar *description = NULL;
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) listener = NULL;
  g_autoptr (GstElement) file = NULL;
  g_autoptr (GstCaps) caps = NULL;

  if (!choose_format (app, options, error))
    return FALSE;
  uri = gst_uri_is_valid (options->files[0]) ? g_strdup (options->files[0])
      : gst_filename_to_uri (options->files[0], error);
  if (!uri)
    return FALSE;

  description = g_strdup_printf (PIPELINE,
      app->webvtt ? "webvttenc" : "srtenc");
  app->pipeline = gst_parse_launch_full (description, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!app->pipeline) {
    g_prefix_error (error, "whisperlivesink is looked for in GST_PLUGIN_PATH, "
        "srtenc and webvttenc are in GStreamer's bad plugins: ");
    return FALSE;
  }

  source = gst_bin_get_by_name (GST_BIN (app->pipeline), "source");
  listener = gst_bin_get_by_name (GST_BIN (app->pipeline), "listener");
  file = gst_bin_get_by_name (GST_BIN (app->pipeline), "file");
  app->cues = GST_APP_SRC (gst_bin_get_by_name (GST_BIN (app->pipeline),
          "cues"));
  caps = gst_caps_new_simple ("text/x-raw", "format", G_TYPE_STRING,
      app->webvtt ? "pango-markup" : "utf8", NULL);
  gst_app_src_set_caps (app->cues, caps);
  g_object_set (source, "uri", uri, NULL);
  g_object_set (file, "location", options->files[1], NULL);
  if (options->uri)
    g_object_set (listener, "uri", options->uri, NULL);
  return set_properties (G_OBJECT (listener), options->properties, error);
}

static void
run (App * app)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (app->pipeline);
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, app);
  guint terminate = g_unix_signal_add (SIGTERM, on_interrupt, app);

  gst_bus_add_signal_watch (bus);
  g_signal_connect (bus, "message::element", G_CALLBACK (on_element), app);
  g_signal_connect (bus, "message::error", G_CALLBACK (on_error), app);
  g_signal_connect (bus, "message::warning", G_CALLBACK (on_warning), app);
  g_signal_connect (bus, "message::eos", G_CALLBACK (on_eos), app);

  /* a failure to start comes with an error message, which the loop has still to see */
  if (gst_element_set_state (app->pipeline,
          GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE
      || gst_bus_have_pending (bus))
    g_main_loop_run (app->loop);
  gst_element_set_state (app->pipeline, GST_STATE_NULL);

  gst_bus_remove_signal_watch (bus);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

static gboolean
parse_options (Options * options, int *argc, char ***argv, GError ** error)
{
  const GOptionEntry entries[] = {
    {"uri", 'u', 0, G_OPTION_ARG_STRING, &options->uri,
        "WhisperLive server (default: ws://127.0.0.1:9090)", "URI"},
    {"format", 'f', 0, G_OPTION_ARG_STRING, &options->format,
        "srt or webvtt (default: as OUTPUT's name ends)", "FORMAT"},
    {"property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options->properties,
          "Set a property of whisperlivesink; may be given more than once",
        "NAME=VALUE"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files,
        NULL, "FILE|URI OUTPUT"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
      "Writes subtitles of what is said in a file or stream, as a WhisperLive server hears it.");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (!options->files || g_strv_length (options->files) != 2) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "A FILE or URI and an OUTPUT are needed");
    return FALSE;
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Options options = { 0 };
  App app = { 0 };

  setlocale (LC_ALL, "");
  app.exit_code = EXIT_FAILURE;
  app.loop = g_main_loop_new (NULL, FALSE);
  if (!parse_options (&options, &argc, &argv, &error)) {
    g_printerr ("%s\nTry “%s --help”\n", error->message, argv[0]);
    app.exit_code = 2;
  } else if (!build_pipeline (&app, &options, &error)) {
    g_printerr ("%s\n", error->message);
  } else {
    run (&app);
    g_print ("%s: %u cues\n", options.files[1], app.n_cues);
  }

  gst_clear_object (&app.cues);
  gst_clear_object (&app.pipeline);
  g_main_loop_unref (app.loop);
  g_free (options.uri);
  g_free (options.format);
  g_strfreev (options.properties);
  g_strfreev (options.files);
  return app.exit_code;
}
