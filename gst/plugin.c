/* plugin: registration of the element and of its tag
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstwhisperlivemessage.h"
#include "gstwhisperlivesink.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gst_whisper_live_message_register_tags ();
  return GST_ELEMENT_REGISTER (whisperlivesink, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, whisperlive,
    "Speech to text by a WhisperLive server", plugin_init, PACKAGE_VERSION,
    "LGPL", PACKAGE, "https://github.com/collabora/WhisperLive")
