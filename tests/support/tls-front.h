/* tls-front: TLS on a port of its own in front of a server without, as a reverse proxy has it
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TlsFront TlsFront;

/* For the server on @port of 127.0.0.1. @clients: who vouches for clients; NULL: they need no certificate. */
TlsFront *tls_front_new (guint port, GTlsCertificate * certificate, GTlsDatabase * clients);
/* Cuts what is connected. */
void tls_front_free (TlsFront * front);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsFront, tls_front_free)

guint tls_front_port (const TlsFront * front);

G_END_DECLS
