/* whisperlive-wire: the sample formats that servers take, made of the one that audio has inside
 *
 * Inside, audio is 16 bits in the machine's byte order, 16 kHz mono: what is held until it is settled takes no more memory than that, and
 * WhisperLive's own client sends no more precision. It becomes what a server takes when it is sent.
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whisperlive-settings.h"

G_BEGIN_DECLS

/* The frame for @samples, which are of gint16. */
GBytes *whisperlive_wire_make (WhisperLiveFormat format, GBytes * samples);
/* What the handshake calls it */
const gchar *whisperlive_wire_get_name (WhisperLiveFormat format);
/* Bytes of a frame of so many. */
gsize whisperlive_wire_get_size (WhisperLiveFormat format, gsize samples);
/* So many samples of silence. */
GBytes *whisperlive_wire_make_silence (WhisperLiveFormat format, guint samples);

G_END_DECLS
