/* harness: a pipeline with a whisperlivesink, a scripted server for it, and the story that the bus tells
 *
 * For gst-check tests: what does not come within 60 s fails the test, and one that hangs tells where. harness_setup() and
 * harness_teardown() are a checked fixture; after teardown no thread, socket or object of GStreamer's is left, or the test fails.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/check/gstcheck.h>

#include "census.h"
#include "scripted-server.h"

G_BEGIN_DECLS

typedef struct
{
  ScriptedServer *server;
  GstElement *pipeline, *src, *sink;    /* src: an appsrc, or NULL */
  GstBus *bus;
  GPtrArray *story;             /* of GstMessage: all that came from the bus, in order */
  guint cursor;                 /* where the next wait starts to look */
  gboolean failed;              /* there was an ERROR, ever */

  /* of what is pushed; S16LE */
  guint rate, channels;
  GstClockTime pts;             /* of the next buffer */
  guint64 frames;               /* pushed */
  guint segment_words;

  Census *before;
} Harness;

extern Harness *h;

/* GST_END_TEST waits for every streaming thread, before the teardown could stop one. */
#define HARNESS_END_TEST \
  harness_unmake (); \
  GST_END_TEST

void harness_setup (void);
void harness_teardown (void);

/* "appsrc name=src ! @middle ! whisperlivesink name=sink", @middle may be "". The sink gets the server's uri, then the
 * properties, as g_object_set() has them. */
void harness_make (const gchar * middle, const gchar * first_property, ...);
/* After harness_make(), before it starts: an appsrc that can be sought in, and that forgets what was pushed before. */
void harness_make_seekable (void);
/* A flushing seek; what is pushed next is at @position. */
void harness_seek (GstClockTime position);
/* The whole pipeline; a sink with the name "sink" is in it. */
void harness_launch (const gchar * description);
/* Stops and frees the pipeline, keeps the story. */
void harness_unmake (void);

void harness_script (void (*edit) (ScriptedScript * script));
/* For tests that change one field. */
#define HARNESS_SCRIPT(field, value) G_STMT_START { \
  ScriptedScript script_; \
  scripted_server_get_script (h->server, &script_); \
  script_.field = (value); \
  scripted_server_set_script (h->server, &script_); \
} G_STMT_END

#define harness_wait_server(counter, n) \
  fail_unless (scripted_server_wait (h->server, counter, n), "the server never counted " #n " " #counter)
#define harness_server_count(counter) scripted_server_count (h->server, counter)

/* Words in buffers of 20 ms, with timestamps that go on. */
void harness_push_words (guint first, guint count, gdouble lead, gdouble tail);
void harness_push_silence (gdouble seconds);
/* Loud, and no word */
void harness_push_hiss (gdouble seconds);
void harness_eos (void);
/* S16LE, interleaved; also the caps when rate and channels changed */
void harness_push_pcm (GBytes * pcm);
void harness_set_format (guint rate, guint channels);

/* Starts a state change. */
void harness_start (GstState state);
/* And waits until it is there. */
void harness_state (GstState state);
/* Forgets what was told so far. */
void harness_forget (void);

/* Pops until a message of @type (and for elements' ones: with that @name) has come; an ERROR that nobody
 * waits for fails the test. The next wait looks at later messages only. */
GstMessage *harness_wait (GstMessageType type, const gchar * name);
/* And with @field (a string) being @value. */
GstMessage *harness_wait_field (const gchar * name, const gchar * field, const gchar * value);
/* A final whose text ends so. */
GstMessage *harness_wait_final (const gchar * text_end);
GError *harness_wait_error (void);
/* EOS or ERROR */
GstMessage *harness_wait_end (void);
/* All that is on the bus by now. */
void harness_collect (void);

guint harness_n (GstMessageType type, const gchar * name);
/* The nth in the story, or NULL. */
const GstStructure *harness_nth (const gchar * name, guint n);
gint harness_index (GstMessageType type, const gchar * name);
/* Texts of all finals of @name, with a space between. */
gchar *harness_finals (const gchar * name);
void harness_assert_finals (const gchar * expected);
/* Finals are words @first and so on, each once, at the times at which they were pushed: word @first began at @start. */
void harness_assert_words (guint first, guint count, GstClockTime start);
gchar *harness_state_path (void);

guint64 harness_stat (const gchar * name);
/* received = settled + lost */
void harness_assert_balanced (void);
/* Prints the states, the story so far and what the sink says, for one who wonders why nothing happens any more. On any
 * thread; the test's own must be stuck. */
void harness_tell (void);
/* "@needle" is in no message of the story */
void harness_assert_nowhere (const gchar * needle);

G_END_DECLS
