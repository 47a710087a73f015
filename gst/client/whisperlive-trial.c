/* whisperlive-trial: does the server hang, or is there no speech in what it has?
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-trial.h"

/* A sentence. More text is not better: Whisper makes much of noise when it repeats itself. */
#define ENOUGH_TEXT 30
/* Each answered trial doubles the time to the next, so often. */
#define MAX_DOUBLINGS 4

void
whisperlive_trial_clear (WhisperLiveTrial * trial)
{
  g_clear_pointer (&trial->speech, g_ptr_array_unref);
}

gboolean
whisperlive_trial_wants (const WhisperLiveTrial * trial, guint characters)
{
  return trial->speech == NULL || (trial->characters < ENOUGH_TEXT
      && characters > trial->characters);
}

void
whisperlive_trial_set_speech (WhisperLiveTrial * trial, GPtrArray * speech,
    guint characters)
{
  g_clear_pointer (&trial->speech, g_ptr_array_unref);
  trial->speech = speech;
  trial->characters = characters;
}

void
whisperlive_trial_set_alive (WhisperLiveTrial * trial)
{
  trial->answered = 0;
}

gint64
whisperlive_trial_get_time (const WhisperLiveTrial * trial, gint64 since,
    gint64 timeout)
{
  if (trial->speech == NULL || since == G_MAXINT64 || timeout == G_MAXINT64)
    return G_MAXINT64;
  return since + (timeout << MIN (trial->answered, MAX_DOUBLINGS));
}

void
whisperlive_trial_start (WhisperLiveTrial * trial, gint64 now)
{
  trial->state = WHISPERLIVE_TRIAL_WANTED;
  trial->wanted_at = now;
}

gboolean
whisperlive_trial_begin (WhisperLiveTrial * trial)
{
  trial->sent = 0;
  trial->sent_at = 0;
  if (trial->state == WHISPERLIVE_TRIAL_ANSWERED)
    trial->state = WHISPERLIVE_TRIAL_NONE;
  if (trial->state == WHISPERLIVE_TRIAL_NONE)
    return FALSE;
  trial->state = WHISPERLIVE_TRIAL_RUNNING;
  return TRUE;
}

gboolean
whisperlive_trial_is_on (const WhisperLiveTrial * trial)
{
  return trial->state == WHISPERLIVE_TRIAL_RUNNING
      || trial->state == WHISPERLIVE_TRIAL_ANSWERED;
}

GBytes *
whisperlive_trial_pull (WhisperLiveTrial * trial, gint64 now)
{
  if (trial->sent == trial->speech->len)
    return NULL;
  if (trial->sent + 1 == trial->speech->len)
    trial->sent_at = now;
  return g_bytes_ref (g_ptr_array_index (trial->speech, trial->sent++));
}

void
whisperlive_trial_answer (WhisperLiveTrial * trial)
{
  if (trial->state != WHISPERLIVE_TRIAL_RUNNING)
    return;
  trial->state = WHISPERLIVE_TRIAL_ANSWERED;
  trial->answered++;
}
