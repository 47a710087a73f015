/* client: what the benchmarks compare, behind one interface
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  /* Audio may be pushed; on the main context's thread, once. */
  void (*ready) (gpointer owner);
  /* On the thread that the client has for it, which received this at @at (monotonic, µs). @json: of the bare client the
   * server's message, of the sink the transcript. May be NULL: then nobody makes the JSON. */
  void (*message) (gpointer owner, gint64 at, const gchar * json);
  /* It takes the audio that ends with sample @end, on its thread, in order. May be NULL. */
  void (*taken) (gpointer owner, guint64 end, gint64 now);
  /* The last that comes, on the main context's thread, after finish() or when it failed; @error: NULL, or why. */
  void (*ended) (gpointer owner, const gchar * error);
} ClientEvents;

typedef struct
{
  const gchar *name;
  gpointer (*open) (const gchar * uri, const ClientEvents * events, gpointer owner);
  /* 16 kHz mono; @position: samples pushed before */
  void (*push) (gpointer client, const gint16 * samples, gsize n_samples, guint64 position);
  /* There is no more audio. */
  void (*finish) (gpointer client);
  void (*free) (gpointer client);
} ClientKind;

#define CLIENT_RATE 16000

extern const ClientKind bare_client;
extern const ClientKind sink_client;
/* Of no server: the application of sink_client, with a sink that does nothing */
extern const ClientKind fakesink_client;

/* By its name, or NULL */
const ClientKind *client_kind (const gchar * name);

G_END_DECLS
