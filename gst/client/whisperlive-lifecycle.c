/* whisperlive-lifecycle: what a session does next
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-lifecycle.h"

#include <math.h>

#define JITTER 0.2
/* A session that was ready for so long has worked, even if nobody spoke. */
#define WORKING_SESSION (5 * G_USEC_PER_SEC)

void
whisperlive_lifecycle_init (WhisperLiveLifecycle * l,
    const WhisperLiveSettings * settings, GRand * rand)
{
  *l = (WhisperLiveLifecycle) {
  .connect_timeout =
        settings->connect_timeout * G_GINT64_CONSTANT (1000),.ready_timeout =
        settings->ready_timeout * G_GINT64_CONSTANT (1000),.drain_timeout =
        settings->drain_timeout * G_GINT64_CONSTANT (1000),.close_timeout =
        settings->close_timeout * G_GINT64_CONSTANT (1000),.retry_delay =
        settings->retry_delay * G_GINT64_CONSTANT (1000),.retry_delay_max =
        settings->retry_delay_max *
        G_GINT64_CONSTANT (1000),.retry_backoff_factor =
        settings->retry_backoff_factor,.retries = settings->retries,.rand =
        rand,.paused = TRUE,};
}

const gchar *
whisperlive_state_to_string (WhisperLiveState state)
{
  static const gchar *const names[] = { "disconnected", "connecting",
    "connected", "ready", "draining", "closing", "waiting", "failed"
  };

  g_return_val_if_fail ((guint) state < G_N_ELEMENTS (names), NULL);
  return names[state];
}

static gboolean
has_connection (const WhisperLiveLifecycle * l)
{
  switch (l->state) {
    case WHISPERLIVE_STATE_CONNECTING:
    case WHISPERLIVE_STATE_CONNECTED:
    case WHISPERLIVE_STATE_READY:
    case WHISPERLIVE_STATE_DRAINING:
    case WHISPERLIVE_STATE_CLOSING:
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
is_streaming (const WhisperLiveLifecycle * l)
{
  return l->state == WHISPERLIVE_STATE_READY
      || l->state == WHISPERLIVE_STATE_DRAINING;
}

static void
enter (WhisperLiveLifecycle * l, WhisperLiveState state, gint64 deadline)
{
  l->state = state;
  l->state_deadline = deadline;
  l->closing = WHISPERLIVE_CLOSING_BY_US;
  l->wanted = FALSE;
}

static WhisperLiveActions
connect_now (WhisperLiveLifecycle * l, gint64 now)
{
  l->full = l->bye = l->replaced = FALSE;
  enter (l, WHISPERLIVE_STATE_CONNECTING, now + l->connect_timeout);
  return WHISPERLIVE_ACTION_OPEN;
}

static gint64
back_off (WhisperLiveLifecycle * l)
{
  gdouble factor = pow (l->retry_backoff_factor, l->failures - 1);
  /* never infinite: 0 times that is no number */
  gdouble delay = l->retry_delay * MIN (factor, G_MAXINT);

  if (l->full)
    delay = MAX (delay, l->full_delay);
  delay = MIN (delay, l->retry_delay_max);
  if (l->rand)
    delay *= g_rand_double_range (l->rand, 1 - JITTER, 1 + JITTER);
  return delay;
}

static WhisperLiveActions
give_up (WhisperLiveLifecycle * l, WhisperLiveCause cause)
{
  l->cause = cause;
  l->ended = FALSE;
  enter (l, WHISPERLIVE_STATE_FAILED, 0);
  return WHISPERLIVE_ACTION_ABORT | WHISPERLIVE_ACTION_FAIL;
}

/* The connection is lost, or never was. */
static WhisperLiveActions
fail (WhisperLiveLifecycle * l, WhisperLiveCause cause, gint64 now)
{
  /* a server that says goodbye after it has served us is not at fault: overtime */
  if (l->bye && now >= l->ready_at + WORKING_SESSION) {
    l->failures = 0;
    l->delay = 0;
    enter (l, WHISPERLIVE_STATE_WAITING, now);
    return WHISPERLIVE_ACTION_ABORT | WHISPERLIVE_ACTION_REWIND;
  }
  l->failures++;
  if (l->retries >= 0 && l->failures > (guint) l->retries)
    return give_up (l, cause);

  l->cause = cause;
  l->delay = back_off (l);
  enter (l, WHISPERLIVE_STATE_WAITING, now + l->delay);
  return WHISPERLIVE_ACTION_ABORT | WHISPERLIVE_ACTION_REWIND;
}

static void
get_further (WhisperLiveLifecycle * l, gint64 now)
{
  l->progress = now;
  l->idle_sessions = 0;
}

static WhisperLiveActions
finish (WhisperLiveLifecycle * l, WhisperLiveActions outcome, gint64 now)
{
  if (is_streaming (l)) {
    /* it may still have something to say; if it does not close in half the time, we do */
    enter (l, WHISPERLIVE_STATE_CLOSING, now + l->close_timeout / 2);
    l->closing = WHISPERLIVE_CLOSING_BY_THE_SERVER;
    l->drained = TRUE;
    return outcome | WHISPERLIVE_ACTION_FINISH;
  }
  if (has_connection (l))
    outcome |= WHISPERLIVE_ACTION_ABORT;
  l->ended = FALSE;
  enter (l, WHISPERLIVE_STATE_DISCONNECTED, 0);
  return outcome | WHISPERLIVE_ACTION_REPORT_DRAINED;
}

/* CLOSING is over. */
static WhisperLiveActions
closed (WhisperLiveLifecycle * l, gint64 now)
{
  WhisperLiveActions actions = WHISPERLIVE_ACTION_ABORT;

  if (l->running && l->closing == WHISPERLIVE_CLOSING_FOR_ANOTHER) {
    actions |= WHISPERLIVE_ACTION_REWIND | connect_now (l, now);
    l->replaced = TRUE;
    return actions;
  }
  if (l->running && l->ended && l->drained) {
    actions |= WHISPERLIVE_ACTION_REPORT_DRAINED;
    l->ended = FALSE;
  }
  if (l->running && l->wanted)
    return actions | connect_now (l, now);
  enter (l, WHISPERLIVE_STATE_DISCONNECTED, 0);
  return actions;
}

static WhisperLiveActions
stop (WhisperLiveLifecycle * l, gint64 now)
{
  l->running = l->ended = FALSE;
  switch (l->state) {
    case WHISPERLIVE_STATE_CONNECTED:
    case WHISPERLIVE_STATE_READY:
    case WHISPERLIVE_STATE_DRAINING:
      enter (l, WHISPERLIVE_STATE_CLOSING, now + l->close_timeout);
      return WHISPERLIVE_ACTION_CLOSE;
    case WHISPERLIVE_STATE_CLOSING:
      return WHISPERLIVE_ACTION_NONE;
    default:
      enter (l, WHISPERLIVE_STATE_DISCONNECTED, 0);
      return WHISPERLIVE_ACTION_ABORT;
  }
}

static gboolean
drain_expired (const WhisperLiveLifecycle * l, gint64 now)
{
  return l->ended && !l->paused && l->state != WHISPERLIVE_STATE_CLOSING
      && now >= l->progress + l->drain_timeout;
}

static WhisperLiveActions
deadline (WhisperLiveLifecycle * l, gint64 now)
{
  if (drain_expired (l, now))
    return finish (l, WHISPERLIVE_ACTION_LOSE, now);
  if (l->state_deadline == 0 || now < l->state_deadline)
    return WHISPERLIVE_ACTION_NONE;

  switch (l->state) {
    case WHISPERLIVE_STATE_CONNECTING:
      return fail (l, WHISPERLIVE_CAUSE_CONNECT_TIMEOUT, now);
    case WHISPERLIVE_STATE_CONNECTED:
      return fail (l, l->full ? WHISPERLIVE_CAUSE_FULL :
          WHISPERLIVE_CAUSE_READY_TIMEOUT, now);
    case WHISPERLIVE_STATE_CLOSING:
      if (l->closing != WHISPERLIVE_CLOSING_BY_THE_SERVER)
        return closed (l, now);
      l->closing = WHISPERLIVE_CLOSING_BY_US;
      l->state_deadline = now + l->close_timeout / 2;
      return WHISPERLIVE_ACTION_CLOSE;
    case WHISPERLIVE_STATE_WAITING:
      return connect_now (l, now);
    default:
      return WHISPERLIVE_ACTION_NONE;
  }
}

/* What the server or the network did. */
static WhisperLiveActions
step_connection (WhisperLiveLifecycle * l, const WhisperLiveEvent * event,
    gint64 now)
{
  switch (event->type) {
    case WHISPERLIVE_EVENT_UPGRADED:
      if (l->state != WHISPERLIVE_STATE_CONNECTING)
        break;
      enter (l, WHISPERLIVE_STATE_CONNECTED, now + l->ready_timeout);
      return WHISPERLIVE_ACTION_HANDSHAKE;
    case WHISPERLIVE_EVENT_SERVER_READY:
      if (l->state != WHISPERLIVE_STATE_CONNECTED || l->full)
        break;
      l->worked = TRUE;
      l->ready_at = now;
      if (!l->replaced && l->idle_sessions == 0)
        l->progress = now;
      l->idle_sessions++;
      enter (l, WHISPERLIVE_STATE_READY, 0);
      return WHISPERLIVE_ACTION_STREAM;
    case WHISPERLIVE_EVENT_SERVER_FULL:
      if (l->state != WHISPERLIVE_STATE_CONNECTED)
        break;
      l->full = TRUE;
      l->full_delay = event->delay;
      /* it closes right away; it is not waited for any longer than that */
      l->state_deadline = now + l->close_timeout;
      break;
    case WHISPERLIVE_EVENT_SERVER_BYE:
      l->bye = is_streaming (l);
      break;
    case WHISPERLIVE_EVENT_REPLACE:
      if (!is_streaming (l))
        break;
      enter (l, WHISPERLIVE_STATE_CLOSING, now + l->close_timeout);
      l->closing = WHISPERLIVE_CLOSING_FOR_ANOTHER;
      return WHISPERLIVE_ACTION_CLOSE;
    case WHISPERLIVE_EVENT_CLOSED:
      if (l->state == WHISPERLIVE_STATE_CLOSING)
        return closed (l, now);
      if (is_streaming (l) && event->idle
          && now >= l->ready_at + WORKING_SESSION)
        l->failures = 0;
      if (has_connection (l))
        return fail (l, l->full ? WHISPERLIVE_CAUSE_FULL :
            WHISPERLIVE_CAUSE_CLOSED, now);
      break;
    case WHISPERLIVE_EVENT_REFUSED:
      if (l->state == WHISPERLIVE_STATE_CLOSING)
        return closed (l, now);
      if (has_connection (l))
        return give_up (l, WHISPERLIVE_CAUSE_REFUSED);
      break;
    default:
      g_return_val_if_reached (WHISPERLIVE_ACTION_NONE);
  }
  return WHISPERLIVE_ACTION_NONE;
}

static WhisperLiveActions
step (WhisperLiveLifecycle * l, const WhisperLiveEvent * event, gint64 now)
{
  switch (event->type) {
    case WHISPERLIVE_EVENT_START:
      if (l->running)
        break;
      l->running = TRUE;
      return connect_now (l, now);
    case WHISPERLIVE_EVENT_STOP:
      return stop (l, now);
    case WHISPERLIVE_EVENT_PAUSED:
      l->paused = TRUE;
      break;
    case WHISPERLIVE_EVENT_PLAYING:
      l->paused = FALSE;
      l->progress = now;
      break;
    case WHISPERLIVE_EVENT_AUDIO:
      if (l->running && l->state == WHISPERLIVE_STATE_DISCONNECTED)
        return connect_now (l, now);
      l->wanted = l->state == WHISPERLIVE_STATE_CLOSING;
      break;
    case WHISPERLIVE_EVENT_ENDED:
      l->ended = l->running && l->state != WHISPERLIVE_STATE_FAILED;
      l->drained = FALSE;
      get_further (l, now);
      break;
    case WHISPERLIVE_EVENT_RESUMED:
      l->ended = FALSE;
      if (l->state == WHISPERLIVE_STATE_DRAINING)
        enter (l, WHISPERLIVE_STATE_READY, 0);
      break;
    case WHISPERLIVE_EVENT_ALL_SENT:
      if (l->ended && l->state == WHISPERLIVE_STATE_READY)
        enter (l, WHISPERLIVE_STATE_DRAINING, 0);
      break;
    case WHISPERLIVE_EVENT_PROGRESS:
      get_further (l, now);
      break;
    case WHISPERLIVE_EVENT_HELD:
      if (l->idle_sessions <= 1)
        l->progress = now + event->delay;
      break;
    case WHISPERLIVE_EVENT_TEXT:
      get_further (l, now);
      l->failures = 0;
      l->ready_at = 0;
      break;
    case WHISPERLIVE_EVENT_ALIVE:
      get_further (l, now);
      l->failures = 0;
      break;
    case WHISPERLIVE_EVENT_DRAINED:
      if (l->ended && l->state != WHISPERLIVE_STATE_CLOSING)
        return finish (l, WHISPERLIVE_ACTION_SETTLE, now);
      break;
    case WHISPERLIVE_EVENT_BROKEN:
      if (l->running && l->state != WHISPERLIVE_STATE_FAILED)
        return give_up (l, WHISPERLIVE_CAUSE_REFUSED);
      break;
    case WHISPERLIVE_EVENT_DEADLINE:
      return deadline (l, now);
    default:
      return step_connection (l, event, now);
  }
  return WHISPERLIVE_ACTION_NONE;
}

WhisperLiveActions
whisperlive_lifecycle_step (WhisperLiveLifecycle * l,
    const WhisperLiveEvent * event, gint64 now)
{
  WhisperLiveActions actions = step (l, event, now);

  l->deadline = l->state_deadline;
  if (l->ended && !l->paused && l->state != WHISPERLIVE_STATE_CLOSING) {
    gint64 drained = l->progress + l->drain_timeout;

    if (l->deadline == 0 || drained < l->deadline)
      l->deadline = drained;
  }
  return actions;
}
