/* session: one session at the pace of the audio, with a server that runs already; prints what the client hears, and when
 *
 * Lines of JSON: {"name": "message", "at": seconds since the first sample, "message": …} for each one, unless --quiet, and at
 * the end {"name": "usage"} with the processor time that was used while audio was pushed, and the resident memory at most.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"
#include "feeder.h"

/* What Python's module wave writes before the samples */
#define WAV_HEADER 44

typedef struct
{
  GMainLoop *loop;
  const ClientKind *kind;
  gpointer client;
  Feeder *feeder;
  const gint16 *samples;
  gsize n_samples;
  guint piece_samples;
  gdouble cpu;                  /* while audio was pushed, seconds */
  gboolean failed;
} Session;

static gdouble
seconds (const struct timeval *time)
{
  return time->tv_sec + time->tv_usec / 1e6;
}

static gdouble
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return seconds (&usage.ru_utime) + seconds (&usage.ru_stime);
}

static void
on_done (gpointer owner)
{
  Session *self = owner;

  self->cpu = cpu_time () - self->cpu;
  self->kind->finish (self->client);
}

static void
on_ready (gpointer owner)
{
  static const FeederEvents events = { NULL, on_done };
  Session *self = owner;

  self->cpu = cpu_time ();
  self->feeder = feeder_start (self->kind, self->client, self->samples,
      self->n_samples, self->piece_samples, &events, self);
}

static void
on_message (gpointer owner, gint64 at, const gchar * json)
{
  Session *self = owner;
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  /* before the first sample, as of a language: no matter of time */
  if (!self->feeder)
    return;
  g_ascii_formatd (text, sizeof text, "%.4f",
      (gdouble) (at - feeder_since (self->feeder)) / G_USEC_PER_SEC);
  printf ("{\"name\": \"message\", \"at\": %s, \"message\": %s}\n", text, json);
}

static void
on_ended (gpointer owner, const gchar * error)
{
  Session *self = owner;

  if (error)
    g_printerr ("session: %s: %s\n", self->kind->name, error);
  self->failed = error != NULL;
  g_main_loop_quit (self->loop);
}

/* KiB. Not of getrusage(), which also knows the process before exec(). */
static guint64
most_resident (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    line = strstr (status, "VmHWM:");
  return line ? g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) : 0;
}

static void
print_usage (Session * self)
{
  gchar cpu[G_ASCII_DTOSTR_BUF_SIZE], audio[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (cpu, sizeof cpu, "%.6f", self->cpu);
  g_ascii_formatd (audio, sizeof audio, "%.3f",
      (gdouble) self->n_samples / CLIENT_RATE);
  printf ("{\"name\": \"usage\", \"cpu\": %s, \"audio\": %s, "
      "\"resident\": %" G_GUINT64_FORMAT "}\n", cpu, audio, most_resident ());
}

static void
run (Session * self, const gchar * uri, gboolean quiet)
{
  const ClientEvents events =
      { on_ready, quiet ? NULL : on_message, NULL, on_ended };

  self->loop = g_main_loop_new (NULL, FALSE);
  self->client = self->kind->open (uri, &events, self);
  g_main_loop_run (self->loop);
  self->kind->free (self->client);
  if (!self->failed)
    print_usage (self);
  g_clear_pointer (&self->feeder, feeder_free);
  g_main_loop_unref (self->loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE.wav");
  g_autofree gchar *name = NULL;
  g_autofree gchar *uri = NULL;
  g_autofree gchar *file = NULL;
  gboolean quiet = FALSE;
  gint piece = 100;
  gsize size = 0;
  Session self = { 0 };
  const GOptionEntry entries[] = {
    {"client", 'c', 0, G_OPTION_ARG_STRING, &name, "Whose",
        "bare|sink|fakesink"},
    {"uri", 'u', 0, G_OPTION_ARG_STRING, &uri, "The server's", "URI"},
    {"piece", 'p', 0, G_OPTION_ARG_INT, &piece,
        "What is handed over at a time (100)", "MS"},
    {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Nothing but the usage", NULL},
    G_OPTION_ENTRY_NULL
  };

  setvbuf (stdout, NULL, _IOLBF, 0);
  g_option_context_set_summary (context, "FILE has 16 kHz mono, 16 bits");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2
      || !uri || piece < 1 || !(self.kind = client_kind (name))
      || !g_file_get_contents (argv[1], &file, &size, &error)
      || size <= WAV_HEADER || memcmp (file, "RIFF", 4) != 0) {
    g_printerr ("session: %s\n", error ? error->message : "see --help");
    return 2;
  }
  self.samples = (const gint16 *) (file + WAV_HEADER);
  self.n_samples = (size - WAV_HEADER) / sizeof (gint16);
  self.piece_samples = piece * CLIENT_RATE / 1000;
  run (&self, uri, quiet);
  return self.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
