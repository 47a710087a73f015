/* gstwhisperlivesink-private: the element's state, for the two files that make it up
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstwhisperlivesink.h"

#include "gstwhisperliveencoder.h"
#include "whisperlive-session.h"

G_BEGIN_DECLS

struct _GstWhisperLiveSink
{
  GstBaseSink parent;

  WhisperLiveQueue *queue;
  WhisperLiveSession *session;  /* from NULL→READY to READY→NULL */
  gint live;                    /* atomic, of upstream: -1 when it has not been asked yet */

  /* streaming thread, while there is one; else state changes */
  GstWhisperLiveEncoder *encoder;
  WhisperLiveChunk *chunk;      /* of the encoder, and not let into the queue yet */
  GstBuffer *encoded;           /* comes again after a step */

  /* session thread, while there is a session; else state changes */
  GstClockTime delay;           /* the longest that was warned of; 0: none was */

  /* object lock */
  WhisperLiveSettings *settings;
  WhisperLiveState state;
  gchar *session_id;
  WhisperLiveStats stats;
};

/* What the session reports, on its thread */
extern const WhisperLiveSessionEvents gst_whisper_live_sink_session_events;

void gst_whisper_live_sink_post_error (GstWhisperLiveSink * self, const GError * error);

G_END_DECLS
