/* Many pipelines in one process: how long they take to connect and to stop, and what each costs while it streams in real time.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/gst.h>
#include <stdlib.h>

#include "spoken-words.h"
#include "usage.h"

#define RATE 16000
#define TICK_MS 10
#define DEADLINE 120            /* s, for what has to happen */
#define CYCLE 60                /* words, then the first again */

typedef struct
{
  GstElement *pipeline, *src, *sink;
  gint64 next;                  /* when its next buffer is due, monotonic */
  guint64 buffers;              /* pushed */
  gboolean ready, ended;
} Instance;

static gchar *uri, *sink_name = "whisperlivesink", *audio = "words";
static gchar *properties = "";
static gint count = 10, seconds = 10, piece = 100, stop_threads = -1;
static gboolean no_eos;

static const GOptionEntry entries[] = {
  {"uri", 0, 0, G_OPTION_ARG_STRING, &uri, "The server", "URI"},
  {"sink", 0, 0, G_OPTION_ARG_STRING, &sink_name,
      "fakesink: what the pipelines cost without ours", "NAME"},
  {"count", 0, 0, G_OPTION_ARG_INT, &count, "Pipelines (10)", "N"},
  {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Of streaming (10)", "N"},
  {"piece", 0, 0, G_OPTION_ARG_INT, &piece,
      "Duration of a buffer, divides a second (100)", "MS"},
  {"audio", 0, 0, G_OPTION_ARG_STRING, &audio, "words or silence", "WHAT"},
  {"properties", 0, 0, G_OPTION_ARG_STRING, &properties,
      "Of the sink, as gst-launch has them", "TEXT"},
  {"stop-threads", 0, 0, G_OPTION_ARG_INT, &stop_threads,
      "So many pipelines are stopped at a time; -1, the default, for all, as "
        "gst_element_call_async() does", "N"},
  {"no-eos", 0, 0, G_OPTION_ARG_NONE, &no_eos,
      "Stop in the middle of the stream", NULL},
  {NULL, 0, 0, 0, NULL, NULL, NULL}
};

static GMainLoop *loop;
static GstBus *bus;             /* of all */
static Instance *instances;
static gint n_ready, n_ended, n_complaints;
static gint *awaited;           /* one of these; the loop ends when it is all of them */
static gint64 feed_end;         /* no buffer is due from then on */
static GstBuffer *pcm;

static gboolean
is_ours (void)
{
  return g_str_equal (sink_name, "whisperlivesink");
}

/* --- the source: one timer pushes for all, of memory that all share --- */

static void
make_audio (void)
{
  gboolean silence = g_str_equal (audio, "silence");
  g_autoptr (GBytes) bytes = spoken_words (1, silence ? 0 : CYCLE, RATE, 1, 0,
      silence ? CYCLE * SPOKEN_WORD_SECONDS : 0);

  pcm = gst_buffer_new_wrapped_bytes (bytes);
}

static void
push (Instance * instance)
{
  GstClockTime duration = piece * GST_MSECOND;
  guint size = RATE / 1000 * piece * 2;
  guint cycle = gst_buffer_get_size (pcm) / size;
  GstBuffer *buffer = gst_buffer_copy_region (pcm, GST_BUFFER_COPY_MEMORY,
      instance->buffers % cycle * size, size);
  GstFlowReturn flow;

  GST_BUFFER_PTS (buffer) = instance->buffers * duration;
  GST_BUFFER_DURATION (buffer) = duration;
  g_signal_emit_by_name (instance->src, "push-buffer", buffer, &flow);
  gst_buffer_unref (buffer);
  instance->buffers++;
  instance->next += GST_TIME_AS_USECONDS (duration);
}

static gboolean
on_tick (gpointer unused)
{
  gint64 now = g_get_monotonic_time ();
  gint i;

  for (i = 0; i < count; i++)
    while (instances[i].next <= now && instances[i].next < feed_end)
      push (&instances[i]);
  if (now >= feed_end)
    g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

/* --- pipelines --- */

static void
make (Instance * instance)
{
  g_autofree gchar *target =
      is_ours ()? g_strdup_printf ("uri=%s", uri) : g_strdup ("sync=false");
  g_autofree gchar *description = g_strdup_printf ("appsrc name=src is-live=1 "
      "format=time max-bytes=0 emit-signals=0 caps=audio/x-raw,format=S16LE,"
      "layout=interleaved,rate=%u,channels=1 ! %s name=sink %s %s", RATE,
      sink_name, target, properties);
  g_autoptr (GError) error = NULL;

  instance->pipeline = gst_parse_launch (description, &error);
  if (error)
    g_error ("%s", error->message);
  g_object_set (instance->pipeline, "auto-flush-bus", FALSE, NULL);
  gst_element_set_bus (instance->pipeline, bus);
  instance->src = gst_bin_get_by_name (GST_BIN (instance->pipeline), "src");
  instance->sink = gst_bin_get_by_name (GST_BIN (instance->pipeline), "sink");
  g_object_set_data (G_OBJECT (instance->sink), "instance", instance);
  g_object_set_data (G_OBJECT (instance->pipeline), "instance", instance);
}

static void
make_all (void)
{
  gint i;

  for (i = 0; i < count; i++)
    make (&instances[i]);
}

static void
release (Instance * instance)
{
  g_clear_object (&instance->src);
  g_clear_object (&instance->sink);
  g_clear_object (&instance->pipeline);
}

static void
count_once (gboolean * already, gint * n)
{
  if (!*already)
    (*n)++;
  *already = TRUE;
  if (n == awaited && *n == count)
    g_main_loop_quit (loop);
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer unused)
{
  Instance *instance =
      g_object_get_data (G_OBJECT (GST_MESSAGE_SRC (message)), "instance");
  const GstStructure *structure = gst_message_get_structure (message);

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      if (gst_structure_has_name (structure, "whisperlive/state")
          && g_str_equal (gst_structure_get_string (structure, "state"),
              "ready"))
        count_once (&instance->ready, &n_ready);
      break;
    case GST_MESSAGE_EOS:
      count_once (&instance->ended, &n_ended);
      break;
    case GST_MESSAGE_ERROR:
      gst_printerrln ("%" GST_PTR_FORMAT, message);
      n_complaints++;
      break;
    case GST_MESSAGE_WARNING:
      n_complaints++;
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_too_late (gpointer what)
{
  g_printerr ("%d of %d pipelines %s within %d s\n", *awaited, count,
      (const gchar *) what, DEADLINE);
  exit (1);
}

/* Until @n of them have come to @count; the time that this took. */
static gdouble
wait_for (gint * n, const gchar * what, gint64 since)
{
  guint timeout = g_timeout_add_seconds (DEADLINE, on_too_late,
      (gpointer) what);

  awaited = n;
  if (*n < count)
    g_main_loop_run (loop);
  g_source_remove (timeout);
  return (g_get_monotonic_time () - since) / 1e6;
}

/* --- the phases; each returns how long it took --- */

static gdouble
start_all (void)
{
  gint64 since = g_get_monotonic_time ();
  gint i;

  for (i = 0; i < count; i++) {
    if (gst_element_set_state (instances[i].pipeline, GST_STATE_PLAYING) ==
        GST_STATE_CHANGE_FAILURE)
      g_error ("pipeline %d does not start", i);
    /* only ours has somebody to connect to */
    if (!is_ours ())
      count_once (&instances[i].ready, &n_ready);
  }
  return wait_for (&n_ready, "were ready", since);
}

/* Each at a moment of its own in the time that a buffer lasts */
static void
stream_all (void)
{
  gint64 now = g_get_monotonic_time ();
  guint timer = g_timeout_add (TICK_MS, on_tick, NULL);
  gint i;

  feed_end = now + seconds * G_USEC_PER_SEC;
  for (i = 0; i < count; i++)
    instances[i].next = now + piece * G_GINT64_CONSTANT (1000) * i / count;
  awaited = NULL;
  g_main_loop_run (loop);
  g_source_remove (timer);
}

static gdouble
end_all (void)
{
  gint64 since = g_get_monotonic_time ();
  GstFlowReturn flow;
  gint i;

  for (i = 0; i < count; i++)
    g_signal_emit_by_name (instances[i].src, "end-of-stream", &flow);
  return wait_for (&n_ended, "had ended", since);
}

static void
stop (gpointer pipeline, gpointer unused)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static gdouble
stop_all (void)
{
  gint64 since = g_get_monotonic_time ();
  GThreadPool *pool = g_thread_pool_new (stop, NULL, stop_threads, FALSE, NULL);
  gint i;

  for (i = 0; i < count; i++)
    g_thread_pool_push (pool, instances[i].pipeline, NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  return (g_get_monotonic_time () - since) / 1e6;
}

/* What the first session brings into the process is not the others' own. */
static void
warm_up (void)
{
  gint all = count;

  count = 1;
  make_all ();
  start_all ();
  stop_all ();
  release (&instances[0]);
  instances[0] = (Instance) {
  NULL,};
  n_ready = 0;
  count = all;
}

/* --- what came of it --- */

static gdouble
sum (const gchar * field)
{
  guint64 total = 0, value;
  gint i;

  for (i = 0; is_ours () && i < count; i++) {
    g_autoptr (GstStructure) stats = NULL;

    g_object_get (instances[i].sink, "stats", &stats, NULL);
    if (gst_structure_get_uint64 (stats, field, &value))
      total += value;
  }
  return total;
}

static void
print (const gchar * name, gdouble value)
{
  g_print (", \"%s\": %.6g", name, value);
}

static void
run (void)
{
  Usage before, begin, end;
  gdouble held, ready, ended = 0, stopped, pushed;

  usage_get (&before);
  make_all ();
  ready = start_all ();
  usage_get (&begin);
  stream_all ();
  usage_get (&end);
  held = sum ("audio-received") - sum ("audio-settled") - sum ("audio-lost");
  pushed = count * (gdouble) seconds;
  if (!no_eos)
    ended = end_all ();
  stopped = stop_all ();

  g_print ("{\"sink\": \"%s\", \"count\": %d, \"seconds\": %d", sink_name,
      count, seconds);
  print ("ready_s", ready);
  print ("ended_s", ended);
  print ("stopped_s", stopped);
  print ("start_cpu_ms_each", 1000 * (begin.cpu - before.cpu) / count);
  print ("cpu_ms_per_audio_s", 1000 * (end.cpu - begin.cpu) / pushed);
  print ("resident_kib_each",
      ((gdouble) end.resident - before.resident) / count);
  print ("held_s_each", held / GST_SECOND / count);
  print ("threads", end.threads);
  print ("received_s", sum ("audio-received") / GST_SECOND);
  print ("settled_s", sum ("audio-settled") / GST_SECOND);
  print ("lost_s", sum ("audio-lost") / GST_SECOND);
  print ("finals", sum ("segments-final"));
  print ("sessions", sum ("sessions"));
  print ("connect_attempts", sum ("connect-attempts"));
  print ("complaints", n_complaints);
  g_print ("}\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  gint i;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || (is_ours () && !uri) || piece < 1 || 1000 % piece != 0) {
    g_printerr ("%s\n", error ? error->message : "see --help");
    return 2;
  }
  usage_raise_files ();
  loop = g_main_loop_new (NULL, FALSE);
  bus = gst_bus_new ();
  gst_bus_add_watch (bus, on_message, NULL);
  instances = g_new0 (Instance, count);
  make_audio ();
  warm_up ();
  run ();

  for (i = 0; i < count; i++)
    release (&instances[i]);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  gst_buffer_unref (pcm);
  g_free (instances);
  g_main_loop_unref (loop);
  return 0;
}
