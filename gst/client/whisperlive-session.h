/* whisperlive-session: owns the thread, the context, the connection and every timer, and carries out what the lifecycle decides
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-lifecycle.h"
#include "whisperlive-queue.h"
#include "whisperlive-transcript.h"

G_BEGIN_DECLS

typedef struct
{
  WhisperLiveState state, previous;
  const gchar *session_id;      /* of the present connection, or the last one; NULL before the first */
  guint attempt;                /* failed attempts in a row */
  GstClockTime retry_in;        /* WAITING: until the next attempt, else 0 */
  const gchar *reason;
} WhisperLiveStateReport;

typedef struct
{
  const WhisperLiveUpdate *update;
  gboolean translation;
  GstClockTime running_time, stream_time, duration;
  const GPtrArray *words;       /* of update->segment, if they were asked for, or NULL */
  const WhisperLiveTimeline *timeline;  /* for the times in them */
  const gchar *language;        /* or NULL */
  const gchar *session_id;
} WhisperLiveTextReport;

/* Of the session; those of the audio are the queue's. */
typedef struct
{
  guint64 bytes_sent;
  guint64 messages_received, messages_rejected;
  guint64 segments_final;
  guint64 sessions, connect_attempts, reconnects, waits;
  GstClockTime round_trip;
  GstClockTime max_server_lag;
} WhisperLiveStats;

/* All on the session thread, with no lock held. */
typedef struct
{
  void (*state) (gpointer owner, const WhisperLiveStateReport * report);
  void (*text) (gpointer owner, const WhisperLiveTextReport * report);
  /* FALSE: it was not @detected but set. @probability: 0 when that is not known. */
  void (*language) (gpointer owner, const gchar * language, gboolean detected, gdouble probability);
  void (*lost) (gpointer owner, const WhisperLiveLoss * loss);
  void (*drained) (gpointer owner, gboolean complete);
  void (*raw) (gpointer owner, const gchar * message, gsize length, GstClockTime running_time);
  void (*stats) (gpointer owner, const WhisperLiveStats * stats);
  void (*warning) (gpointer owner, const gchar * text);
  /* Once; after it nothing else is reported but losses and the state. @error: GST_RESOURCE_ERROR, or what break() was called with. */
  void (*error) (gpointer owner, const GError * error);
  gboolean (*accept_certificate) (gpointer owner, GTlsCertificate * certificate, GTlsCertificateFlags errors);
} WhisperLiveSessionEvents;

typedef struct _WhisperLiveSession WhisperLiveSession;

/* Starts the thread. @queue and @owner have to outlive the session. */
WhisperLiveSession *whisperlive_session_new (WhisperLiveQueue * queue, const WhisperLiveSessionEvents * events, gpointer owner);
/* Joins the thread: never from the session's own callbacks. */
void whisperlive_session_free (WhisperLiveSession * session);

/* Takes @settings. Returns at once. */
void whisperlive_session_start (WhisperLiveSession * session, WhisperLiveSettings * settings);
/* Audio is sent only while playing; after a start it is not. From any thread, as often as you like; returns at once. */
void whisperlive_session_set_playing (WhisperLiveSession * session, gboolean playing);
gboolean whisperlive_session_is_playing (WhisperLiveSession * session);
/* The stream cannot go on: takes @error, of any domain, which is the session's then. From the streaming thread; returns when that has been
 * told, or the queue was unlocked. */
void whisperlive_session_break (WhisperLiveSession * session, GError * error);
/* Returns when there is no connection any more: after a closing handshake, or close-timeout at the latest. Not on the session thread. */
void whisperlive_session_stop (WhisperLiveSession * session);
/* Is this the session thread? */
gboolean whisperlive_session_is_current (WhisperLiveSession * session);

G_END_DECLS
