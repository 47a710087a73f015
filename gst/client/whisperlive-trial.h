/* whisperlive-trial: does the server hang, or is there no speech in what it has?
 *
 * Either way its pings are answered and no text comes. So a connection is made for nothing but speech that has had its text: a server
 * that works makes text of it again. Nobody is told of that text, and the stream goes on with another connection.
 * Pure: the present time is an argument (monotonic, µs).
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  WHISPERLIVE_TRIAL_NONE,
  WHISPERLIVE_TRIAL_WANTED,     /* for the next connection */
  WHISPERLIVE_TRIAL_RUNNING,    /* this connection is for it, and when it is lost, so is the next */
  WHISPERLIVE_TRIAL_ANSWERED,   /* this connection was for it */
} WhisperLiveTrialState;

typedef struct
{
  WhisperLiveTrialState state;
  GBytes *speech;               /* as over a telephone: 8 kHz, 8 bits with a sign; NULL: nothing has had text yet */
  guint characters;             /* of the text that it had */
  gint64 wanted_at;
  guint sent;                   /* samples, on this connection */
  gint64 sent_at;               /* the last of them; 0: not yet */
  guint answered;               /* trials since the last final */
} WhisperLiveTrial;

void whisperlive_trial_clear (WhisperLiveTrial * trial);

/* Is speech with so much text a better one to try a server with than what there is? */
gboolean whisperlive_trial_wants (const WhisperLiveTrial * trial, guint characters);
/* @speech: of GBytes of gint16, in order. Keeps the loudest 3 s, if there is 1 s and sound in it. */
void whisperlive_trial_set_speech (WhisperLiveTrial * trial, const GPtrArray * speech, guint characters);
/* There was a final. */
void whisperlive_trial_set_alive (WhisperLiveTrial * trial);

/* When to try a server that has owed text since @since, G_MAXINT64 for never: each answered trial makes that rarer. */
gint64 whisperlive_trial_get_time (const WhisperLiveTrial * trial, gint64 since, gint64 timeout);
void whisperlive_trial_start (WhisperLiveTrial * trial, gint64 now);

/* A new connection. TRUE: it is for a trial. */
gboolean whisperlive_trial_begin (WhisperLiveTrial * trial);
/* This connection is for a trial, answered or not. */
gboolean whisperlive_trial_is_on (const WhisperLiveTrial * trial);
/* The next samples, of gint16, which then have to be sent; NULL: there are none. */
GBytes *whisperlive_trial_pull (WhisperLiveTrial * trial, gint64 now);
/* The server has said something. */
void whisperlive_trial_answer (WhisperLiveTrial * trial);

G_END_DECLS
