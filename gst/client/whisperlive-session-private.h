/* whisperlive-session-private: a session's state, for the three files that make it up
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-loop.h"
#include "whisperlive-session.h"
#include "whisperlive-stream.h"
#include "whisperlive-websocket.h"

G_BEGIN_DECLS

/* Settling by age looks this often. */
#define WHISPERLIVE_AGING_PERIOD G_USEC_PER_SEC
/* And losses that go on are told so often: else an hour without a server would be 36,000 messages. */
#define WHISPERLIVE_LOSS_PERIOD G_USEC_PER_SEC

struct _WhisperLiveSession
{
  const WhisperLiveSessionEvents *events;
  gpointer owner;
  WhisperLiveLoop *loop;
  WhisperLiveQueue *queue;

  gint64 close_timeout;         /* start() and stop(), which come one after the other: how long the latter waits for the thread */
  gint playing;                 /* atomic: what was told last */

  GMutex stop_lock;
  GCond stop_cond;
  /* under stop_lock */
  gboolean stopping;            /* the session thread knows that stop() waits */
  gboolean stopped;             /* stop() may return */
  GSocket *socket;              /* of the present connection, from TCP on */

  /* all below: session thread */
  WhisperLiveSettings *settings;        /* NULL: not started */
  GRand *rand;
  WhisperLiveLifecycle lifecycle;
  WhisperLiveStream *stream;
  WhisperLiveWebsocket *websocket;
  guint live;                   /* sockets that are not closed yet */
  GError *error;                /* of the last connection */
  gchar *session_id;
  gchar *language;
  WhisperLiveStats stats;
  guint generation;             /* flushes seen */
  gboolean complete;            /* of the last drain */
  enum
  {
    MARKER_NONE,
    MARKER_WAITS,               /* for the answer to an earlier ping */
    MARKER_SENT,
  } marker;                     /* the ping after the last of the audio */
  gint64 state_since;           /* the present state */
  gint64 began;                 /* the present session became ready */
  gint64 next_ping, next_aging, next_losses;
  gint64 heard;                 /* when the server last gave a sign of life */
};

/* whisperlive-session-step: tells the lifecycle what has happened, and carries out what it decides */
void whisperlive_session_step (WhisperLiveSession * self, WhisperLiveEventType type, const gchar * reason);
void whisperlive_session_step_full (WhisperLiveSession * self, const WhisperLiveEvent * event, const gchar * reason);
/* NULL: there is no connection */
void whisperlive_session_set_socket (WhisperLiveSession * self, GSocket * socket);
void whisperlive_session_report_stats (WhisperLiveSession * self);
void whisperlive_session_report_losses (WhisperLiveSession * self);
void whisperlive_session_report_text (WhisperLiveSession * self, const WhisperLiveUpdate * update, gboolean translation);
/* Takes @updates. */
void whisperlive_session_report_updates (WhisperLiveSession * self, GPtrArray * updates);

/* whisperlive-session-incoming: what the connection tells */
extern const WhisperLiveWebsocketEvents whisperlive_session_websocket_events;
/* FALSE: the last ping has not been answered. */
gboolean whisperlive_session_ping (WhisperLiveSession * self);
/* A ping after the audio: when it is answered, the audio is there. */
void whisperlive_session_mark_arrival (WhisperLiveSession * self);

G_END_DECLS
