/* client: those that there are
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "client.h"

const ClientKind *
client_kind (const gchar * name)
{
  const ClientKind *kinds[] = { &bare_client, &sink_client, &fakesink_client };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_strcmp0 (name, kinds[i]->name) == 0)
      return kinds[i];
  }
  return NULL;
}
