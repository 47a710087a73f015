/* whisperlive-drain: has the server put everything that it was sent into text?
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "whisperlive-drain.h"

/* The server rounds times to 1 ms, twice. */
#define ROUNDING (2 * GST_MSECOND)
#define SHORTEST_PASS GST_SECOND
/* The server's WebSocket library answers pings, and may be so much ahead of the server. */
#define BEHIND_SOCKET (50 * G_TIME_SPAN_MILLISECOND)
#define QUIET (3 * G_USEC_PER_SEC)
#define QUIET_AT_FIRST (5 * G_USEC_PER_SEC)

void
whisperlive_drain_start (WhisperLiveDrain * drain, GstClockTime last_message,
    GstClockTime audio_end, GstClockTime padding_end, gint64 round_trip,
    gint64 now)
{
  *drain = (WhisperLiveDrain) {
  .since = now,.arrived = round_trip == WHISPERLIVE_DRAIN_UNKNOWN ?
        G_MAXINT64 : now + round_trip,.last_message =
        last_message,.audio_end = audio_end,.padding_end =
        padding_end,.quiet_at = G_MAXINT64,};
}

void
whisperlive_drain_set_arrived (WhisperLiveDrain * drain, gint64 now)
{
  drain->arrived = MIN (drain->arrived, now + BEHIND_SOCKET);
}

static gboolean
is_in_last_message (const WhisperLiveDrain * drain, GstClockTime end)
{
  return end > drain->last_message + ROUNDING
      && end + SHORTEST_PASS > drain->audio_end + ROUNDING
      && end + ROUNDING < drain->audio_end;
}

gboolean
whisperlive_drain_heard (WhisperLiveDrain * drain, GstClockTime last_end,
    GstClockTime completed_end, gint64 now)
{
  if (last_end > drain->audio_end + ROUNDING)
    return TRUE;
  if (now < drain->arrived)
    return FALSE;
  if (is_in_last_message (drain, last_end))
    return TRUE;
  if (completed_end + SHORTEST_PASS > drain->padding_end + ROUNDING)
    return TRUE;
  return ++drain->messages >= 2;
}

gint64
whisperlive_drain_get_patience (gint64 slowest, gboolean heard, gint64 timeout)
{
  /* in time for what comes of it */
  if (slowest)
    return MAX (QUIET, MIN (4 * slowest, timeout / 2));
  return heard ? QUIET_AT_FIRST : MAX (QUIET_AT_FIRST, timeout * 2 / 3);
}

void
whisperlive_drain_expect_quiet (WhisperLiveDrain * drain, gint64 slowest,
    gboolean open, gfloat level, gfloat speech, gint64 timeout, gint64 now)
{
  if (drain->arrived == G_MAXINT64 || open || slowest == 0
      || level > speech * WHISPERLIVE_FAR_BELOW)
    drain->quiet_at = G_MAXINT64;
  else
    drain->quiet_at = now + whisperlive_drain_get_patience (slowest, TRUE,
        timeout);
}
