/* certificates: a certificate authority of the test's own, made by openssl, and what it vouches for
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* All of them, in a folder of their own. */
void certificates_make (void);
void certificates_remove (void);

/* With its private key; for 127.0.0.1 and localhost: "good", "expired", "self-signed"; for another host: "elsewhere"; "client" */
GTlsCertificate *certificates_load (const gchar * name);
/* Trusts the authority, and nobody else. */
GTlsDatabase *certificates_authority (void);

G_END_DECLS
