/* scripted-server-private: what the server's door and its connections share
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <libsoup/soup.h>

#include "scripted-server.h"

G_BEGIN_DECLS

typedef struct _Connection Connection;

struct _ScriptedServer
{
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  guint port;
  gchar *uri;

  /* server thread only */
  SoupServer *soup;
  ScriptedScript script;
  GPtrArray *connections;       /* of Connection, in the order in which they came; none is ever removed */
  GPtrArray *requests;          /* of SoupMessageHeaders */
  GPtrArray *held;              /* of SoupServerMessage */
  GRand *rand;
  GSource *pass;                /* the one that runs, NULL: the model is free */
  Connection *passing;          /* whose it is; NULL: of one that is gone */
  GQueue waiting;               /* of Connection, for the model */

  GMutex lock;                  /* a leaf */
  GCond cond;
  guint64 counts[SCRIPTED_N_COUNTERS];
  gboolean frozen;
};

/* Takes the socket over from @message, whose upgrade was answered. */
Connection *connection_new (ScriptedServer * server, SoupServerMessage * message);
void connection_free (Connection * connection);
/* The connection has the model for as long as @seconds of audio take, after those that wait already; then pass_ended() is called. */
void scripted_server_pass (ScriptedServer * server, Connection * connection, gdouble seconds);
/* It is gone. What runs, runs on. */
void scripted_server_forget (ScriptedServer * server, Connection * connection);
void connection_pass_ended (Connection * connection);
/* In ms, with jitter */
guint scripted_server_vary (ScriptedServer * server, gdouble delay);
/* The script has changed. */
void connection_update (Connection * connection);
void connection_send_text (Connection * connection, const gchar * text);
void connection_send_binary (Connection * connection, GBytes * data);
/* SCRIPTED_RESET, or a code */
void connection_close (Connection * connection, gint code);
/* No closing frame, no reset. */
void connection_drop (Connection * connection);
ScriptedSession *connection_describe (const Connection * connection);

void scripted_server_note (ScriptedServer * server, ScriptedCounter counter, gint64 difference);

G_END_DECLS
