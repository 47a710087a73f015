/* protocol: any bytes as a message of the server
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WhisperLiveMessage) message =
      whisperlive_protocol_parse ((const gchar *) data, size, &error);

  g_assert_true ((message == NULL) == (error != NULL));
  if (message)
    fuzz_check_message (message);
  return 0;
}
