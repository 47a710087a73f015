/* scripted-server: a WhisperLive server on a real loopback socket, in a thread of its own
 *
 * Without a script it behaves as the genuine one does (whisper_live/server.py and backend/base.py, 0.10), with
 * spoken-words for speech. The script makes it misbehave.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "transcriber.h"

G_BEGIN_DECLS

/* A close code that is none: the connection is reset instead. */
#define SCRIPTED_RESET (-1)

/* Everything may be changed while the server runs; what waits for it goes on. Durations are in milliseconds,
 * strings static. */
typedef struct
{
  /* at the door */
  gboolean hold_upgrade;        /* the request stays unanswered until this is FALSE */
  guint upgrade_delay;
  guint http_status;            /* answered instead of an upgrade; 0: none */
  const gchar *api_key;         /* else 401 */
  /* between upgrade and SERVER_READY */
  gint close_at_upgrade;        /* code; 0: not */
  gint close_at_handshake;      /* code; 0: not */
  guint load_delay;
  gboolean hold_ready;          /* the model loads until this is FALSE */
  gboolean full;                /* WAIT, however many clients there are */
  gdouble wait_minutes;         /* NAN: from the oldest client's remaining time, as the server computes it */
  guint max_clients;
  const gchar *error;           /* status ERROR and 1000 */
  const gchar *warning;         /* status WARNING, then on */
  /* streaming; passes of all sessions run one after the other: there is one model */
  guint pass_base;              /* a pass lasts this long, */
  gdouble pass_factor;          /* and this many ms for each second of audio */
  gdouble jitter;               /* delays and passes vary by this part of them, up and down */
  gdouble load;                 /* and passes take so many times as long: what else the machine does */
  gboolean transcribe;          /* FALSE: no pass ends any more (the shared model's lock is stuck); pings are answered */
  gboolean read;                /* FALSE: nothing is read from the sockets */
  guint socket_buffer;          /* bytes that either end of a connection can hold or about that; from the next start on; 0: megabytes */
  guint64 close_after_samples;  /* of one session; 0: never */
  guint close_after_messages;   /* with segments, of one session; 0: never */
  gint close_code;              /* of both */
  guint max_connection_time;    /* DISCONNECT and 1000, looked at when a frame has come */
  guint ping_timeout;           /* seconds: pings so often, and 1011 for who has not answered the last; 0: no pings */
  TranscriberOptions model;
} ScriptedScript;

typedef enum
{
  SCRIPTED_REQUESTS,            /* HTTP requests */
  SCRIPTED_UPGRADES,            /* WebSockets opened */
  SCRIPTED_HANDSHAKES,          /* handshakes read, good or bad */
  SCRIPTED_READY,               /* SERVER_READY sent */
  SCRIPTED_WAITS,               /* WAIT sent */
  SCRIPTED_FRAMES,              /* binary frames with audio */
  SCRIPTED_SAMPLES,
  SCRIPTED_PASSES_BEGUN,
  SCRIPTED_PASSES,              /* ended */
  SCRIPTED_MESSAGES,            /* with segments */
  SCRIPTED_END_OF_AUDIO,
  SCRIPTED_PONGS,               /* answers to our pings */
  SCRIPTED_CLOSE_FRAMES,        /* closing frames that clients sent */
  SCRIPTED_CLOSED,              /* WebSockets gone */
  SCRIPTED_LIVE,                /* WebSockets open */
  SCRIPTED_N_COUNTERS
} ScriptedCounter;

/* One connection, as it was when asked for. */
typedef struct
{
  gchar *handshake;             /* JSON, or NULL */
  gchar *uid;
  gchar *heard;                 /* spoken-words text of all the audio, or NULL */
  GArray *frame_sizes;          /* of guint, bytes of each audio frame */
  guint early_frames;           /* came before SERVER_READY */
  gboolean ready, end_of_audio, closed;
  gushort close_code;           /* of the client's closing frame; 0: there was none */
  TranscriberStats stats;
} ScriptedSession;

void scripted_session_free (ScriptedSession * session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScriptedSession, scripted_session_free)

typedef struct _ScriptedServer ScriptedServer;

/* Listens on 127.0.0.1, on a port of its own. */
ScriptedServer *scripted_server_new (void);
/* On this @port, 0 for any. @seed: how loaded it is, and how its delays vary. */
ScriptedServer *scripted_server_new_at (guint port, guint seed);
/* WHISPERLIVE_SEED of the environment, or a random one; told on stderr. */
guint scripted_server_seed (void);
void scripted_server_free (ScriptedServer * server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScriptedServer, scripted_server_free)

guint scripted_server_port (const ScriptedServer * server);
/* "ws://127.0.0.1:PORT", owned by the server */
const gchar *scripted_server_uri (const ScriptedServer * server);

void scripted_server_get_script (ScriptedServer * server, ScriptedScript * script);
/* In force when this returns. */
void scripted_server_set_script (ScriptedServer * server, const ScriptedScript * script);

guint64 scripted_server_count (ScriptedServer * server, ScriptedCounter counter);
/* FALSE when it did not come to that within 30 s. */
gboolean scripted_server_wait (ScriptedServer * server, ScriptedCounter counter, guint64 at_least);
gboolean scripted_server_wait_equal (ScriptedServer * server, ScriptedCounter counter, guint64 value);

/* NULL when there was none; the first is 0. */
ScriptedSession *scripted_server_session (ScriptedServer * server, guint index);
gchar *scripted_server_dup_header (ScriptedServer * server, guint request, const gchar * name);

/* To every open connection, now. "$UID" in @text becomes the session's. */
void scripted_server_send_text (ScriptedServer * server, const gchar * text);
void scripted_server_send_binary (ScriptedServer * server, GBytes * data);
void scripted_server_close (ScriptedServer * server, gint code);

/* The whole thread stands still, as after SIGSTOP. Only count(), wait() and thaw() may be called then. */
void scripted_server_freeze (ScriptedServer * server);
void scripted_server_thaw (ScriptedServer * server);

/* As after SIGKILL: no closing frame, and the port is refused until it is started again. */
void scripted_server_kill (ScriptedServer * server);
void scripted_server_start (ScriptedServer * server);

/* A port that accepts and says nothing (for as long as the socket lives), and one where nobody listens. */
GSocket *silent_port_new (guint * port);
guint unused_port (void);

G_END_DECLS
