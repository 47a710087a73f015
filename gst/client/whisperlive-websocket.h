/* whisperlive-websocket: one WebSocket connection, and every libsoup call that there is
 *
 * Everything here happens on the thread whose thread-default main context is the one that was current in open(), and all callbacks come
 * from there. After free() none comes any more.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-settings.h"

G_BEGIN_DECLS

typedef struct _WhisperLiveWebsocket WhisperLiveWebsocket;

typedef struct
{
  /* There is one, TLS and all, and libsoup may never come back from reading it: then another thread has to shut it. */
  void (*socket) (gpointer owner, GSocket * socket);
  /* The upgrade succeeded. @elapsed: µs since open(). */
  void (*opened) (gpointer owner, gint64 elapsed);
  void (*text) (gpointer owner, const gchar * text, gsize length);
  /* After each message, of whatever kind: as long as more has come, libsoup reads on, and no other source gets its turn. */
  void (*busy) (gpointer owner);
  /* @round_trip, µs */
  void (*pong) (gpointer owner, gint64 round_trip);
  /* The last callback of a connection. @error: GST_RESOURCE_ERROR: NOT_AUTHORIZED when it was refused for good, OPEN_WRITE
   * when it never came about, else WRITE. NULL: a closing handshake was completed, with @code. */
  void (*closed) (gpointer owner, gushort code, const GError * error);
  gboolean (*accept_certificate) (gpointer owner, GTlsCertificate * certificate, GTlsCertificateFlags errors);
} WhisperLiveWebsocketEvents;

/* Starts to connect; the answer is opened() or closed(), never from within this call. @live counts the connections whose sockets
 * are not closed yet: it may outlast free(), while the context runs, and has to stay valid until it is down again. */
WhisperLiveWebsocket *whisperlive_websocket_open (const WhisperLiveSettings * settings,
    const WhisperLiveWebsocketEvents * events, gpointer owner, guint * live);
/* Drops the connection if it is still there, at once, without a handshake. */
void whisperlive_websocket_free (WhisperLiveWebsocket * websocket);

void whisperlive_websocket_send_text (WhisperLiveWebsocket * websocket, const gchar * text);
void whisperlive_websocket_send_binary (WhisperLiveWebsocket * websocket, GBytes * data);
/* FALSE: the socket is full, and what is sent would only pile up. */
gboolean whisperlive_websocket_takes_more (WhisperLiveWebsocket * websocket);
/* FALSE: the last ping has not been answered yet, none is sent. */
gboolean whisperlive_websocket_ping (WhisperLiveWebsocket * websocket);
/* The closing handshake; closed() tells its end. Without a connection: no-op. */
void whisperlive_websocket_close (WhisperLiveWebsocket * websocket);

G_END_DECLS
