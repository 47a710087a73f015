/* whisperlive-lifecycle: what a session does next
 *
 * Pure: (state, event, now) → (state, actions, deadline). It decides about connecting, waiting for ready, streaming,
 * draining, backing off, closing and failing; the session carries that out.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-settings.h"

G_BEGIN_DECLS

typedef enum
{
  WHISPERLIVE_STATE_DISCONNECTED,
  WHISPERLIVE_STATE_CONNECTING, /* resolving, TCP, TLS, WebSocket upgrade */
  WHISPERLIVE_STATE_CONNECTED,  /* upgraded, handshake sent, SERVER_READY awaited */
  WHISPERLIVE_STATE_READY,
  WHISPERLIVE_STATE_DRAINING,   /* all audio sent, the last words awaited */
  WHISPERLIVE_STATE_CLOSING,
  WHISPERLIVE_STATE_WAITING,    /* back-off, or the server is full */
  WHISPERLIVE_STATE_FAILED,
} WhisperLiveState;

typedef enum
{
  WHISPERLIVE_EVENT_START,
  WHISPERLIVE_EVENT_STOP,
  WHISPERLIVE_EVENT_PAUSED,     /* nothing is sent: draining has no time limit meanwhile */
  WHISPERLIVE_EVENT_PLAYING,
  WHISPERLIVE_EVENT_AUDIO,      /* there is audio to send */
  WHISPERLIVE_EVENT_ENDED,      /* no more audio will come for now */
  WHISPERLIVE_EVENT_RESUMED,    /* it does come after all, or a flush */
  WHISPERLIVE_EVENT_UPGRADED,
  WHISPERLIVE_EVENT_SERVER_READY,
  WHISPERLIVE_EVENT_SERVER_FULL,        /* delay: the server's own guess, µs */
  WHISPERLIVE_EVENT_SERVER_BYE, /* DISCONNECT: it is about to close */
  WHISPERLIVE_EVENT_ALL_SENT,   /* nothing waits, after ENDED */
  WHISPERLIVE_EVENT_PROGRESS,   /* audio was sent for the first time, or text came */
  WHISPERLIVE_EVENT_HELD,       /* delay has to pass before that can be */
  WHISPERLIVE_EVENT_TEXT,       /* a final: the session works */
  WHISPERLIVE_EVENT_ALIVE,      /* the server made text of speech that it was tried with: the session works */
  WHISPERLIVE_EVENT_DRAINED,    /* the last words are there */
  WHISPERLIVE_EVENT_REPLACE,    /* this session is no good any more, a new one may be */
  WHISPERLIVE_EVENT_CLOSED,     /* the connection has ended, cleanly or not */
  WHISPERLIVE_EVENT_REFUSED,    /* and to try again would be no use */
  WHISPERLIVE_EVENT_BROKEN,     /* the stream itself cannot go on */
  WHISPERLIVE_EVENT_DEADLINE,   /* deadline has come */
} WhisperLiveEventType;

typedef struct
{
  WhisperLiveEventType type;
  gint64 delay;                 /* SERVER_FULL, HELD */
  gboolean idle;                /* CLOSED: there was nothing that the server could have made text of */
} WhisperLiveEvent;

typedef enum
{
  WHISPERLIVE_ACTION_NONE = 0,
  WHISPERLIVE_ACTION_OPEN = 1 << 0,     /* a new connection with a new session id */
  WHISPERLIVE_ACTION_HANDSHAKE = 1 << 1,
  WHISPERLIVE_ACTION_STREAM = 1 << 2,   /* the server is ready for audio */
  WHISPERLIVE_ACTION_FINISH = 1 << 3,   /* END_OF_AUDIO, to which the server answers by closing */
  WHISPERLIVE_ACTION_CLOSE = 1 << 4,    /* the closing handshake */
  WHISPERLIVE_ACTION_ABORT = 1 << 5,    /* drop the connection now */
  WHISPERLIVE_ACTION_REWIND = 1 << 6,   /* what is not settled has to be sent again */
  WHISPERLIVE_ACTION_SETTLE = 1 << 7,   /* the drain was complete */
  WHISPERLIVE_ACTION_LOSE = 1 << 8,     /* the drain was not: what is not settled is lost */
  WHISPERLIVE_ACTION_REPORT_DRAINED = 1 << 9,
  WHISPERLIVE_ACTION_FAIL = 1 << 10,    /* post the error; after that nothing comes any more */
} WhisperLiveActions;

/* What a failure is, for its error code */
typedef enum
{
  WHISPERLIVE_CAUSE_NONE,
  WHISPERLIVE_CAUSE_CONNECT_TIMEOUT,
  WHISPERLIVE_CAUSE_READY_TIMEOUT,
  WHISPERLIVE_CAUSE_CLOSED,     /* the connection's own error tells more */
  WHISPERLIVE_CAUSE_REFUSED,
  WHISPERLIVE_CAUSE_FULL,
} WhisperLiveCause;

/* What the state CLOSING is for */
typedef enum
{
  WHISPERLIVE_CLOSING_BY_US,
  WHISPERLIVE_CLOSING_BY_THE_SERVER,    /* it was told that there is no more audio */
  WHISPERLIVE_CLOSING_FOR_ANOTHER,      /* a new connection comes after this one */
} WhisperLiveClosing;

typedef struct
{
  /* from the settings, µs */
  gint64 connect_timeout, ready_timeout, drain_timeout, close_timeout;
  gint64 retry_delay, retry_delay_max;
  gdouble retry_backoff_factor;
  gint retries;
  GRand *rand;                  /* borrowed; NULL: no jitter */

  WhisperLiveState state;
  gint64 deadline;              /* µs, 0: none */
  gint64 state_deadline;        /* that of the state alone, without the drain's */
  guint failures;               /* in a row, without a working session between them */
  gint64 delay;                 /* the last back-off */
  WhisperLiveCause cause;       /* of the last failure */
  gboolean running;             /* between START and STOP */
  gboolean worked;              /* some session has been ready since the start */
  gboolean paused;
  gboolean ended;               /* an end of stream is waiting for the last words */
  gboolean drained;             /* that has its outcome: only the close is awaited */
  gint64 progress;              /* when that last got further */
  guint idle_sessions;          /* sessions in a row without any since: only the first gives it more time */
  gboolean full;                /* WAIT has come, the server is about to close */
  gint64 full_delay;
  gboolean bye;                 /* DISCONNECT has come, likewise */
  gint64 ready_at;              /* when the present session became ready, 0: a final came since */
  WhisperLiveClosing closing;
  gboolean wanted;              /* CLOSING, and audio waits for a connection, or is to come */
  gboolean replaced;            /* this connection came after such a one: no more time for the drain */
} WhisperLiveLifecycle;

void whisperlive_lifecycle_init (WhisperLiveLifecycle * lifecycle, const WhisperLiveSettings * settings, GRand * rand);
WhisperLiveActions whisperlive_lifecycle_step (WhisperLiveLifecycle * lifecycle, const WhisperLiveEvent * event, gint64 now);
const gchar *whisperlive_state_to_string (WhisperLiveState state);

G_END_DECLS
