/* certificates: a certificate authority of the test's own
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "certificates.h"

#include <glib/gstdio.h>

#define NEW_KEY "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc "
#define HERE "subjectAltName=IP:127.0.0.1,DNS:localhost"

static gchar *folder;

/* No GSubprocess: its thread would not be there any more in the tests that Check forks. */
static void
openssl (const gchar * format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *arguments = NULL, *command = NULL, *told = NULL;
  g_auto (GStrv) argv = NULL;
  gint status;
  va_list args;

  va_start (args, format);
  arguments = g_strdup_vprintf (format, args);
  va_end (args);
  command = g_strconcat ("openssl ", arguments, NULL);
  if (!g_shell_parse_argv (command, NULL, &argv, &error)
      || !g_spawn_sync (folder, argv, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
          &told, &status, &error))
    g_error ("%s: %s", command, error->message);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s: %s", command, told);
}

static void
make (const gchar * name, const gchar * alternative_name, gint days)
{
  openssl ("req " NEW_KEY "-keyout %s.key -out %s.csr -subj /CN=%s -addext %s",
      name, name, name, alternative_name);
  openssl ("x509 -req -in %s.csr -CA authority.pem -CAkey authority.key "
      "-days %d -copy_extensions copyall -out %s.pem", name, days, name);
}

void
certificates_make (void)
{
  g_autoptr (GError) error = NULL;

  folder = g_dir_make_tmp ("certificates-XXXXXX", &error);
  if (!folder)
    g_error ("%s", error->message);
  openssl ("req -x509 " NEW_KEY "-keyout authority.key -out authority.pem "
      "-subj '/CN=authority of a test' -days 2 "
      "-addext keyUsage=critical,keyCertSign");
  openssl ("req -x509 " NEW_KEY "-keyout self-signed.key -out self-signed.pem "
      "-subj /CN=self-signed -days 2 -addext " HERE);
  make ("good", HERE, 2);
  make ("expired", HERE, -1);
  make ("elsewhere", "subjectAltName=DNS:whisper.invalid", 2);
  make ("client", "extendedKeyUsage=clientAuth", 2);
}

void
certificates_remove (void)
{
  GDir *entries = g_dir_open (folder, 0, NULL);
  const gchar *entry;

  while ((entry = g_dir_read_name (entries))) {
    g_autofree gchar *path = g_build_filename (folder, entry, NULL);

    g_unlink (path);
  }
  g_dir_close (entries);
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}

static gchar *
get_path (const gchar * name, const gchar * suffix)
{
  g_autofree gchar *file = g_strconcat (name, suffix, NULL);

  return g_build_filename (folder, file, NULL);
}

GTlsCertificate *
certificates_load (const gchar * name)
{
  g_autofree gchar *certificate = get_path (name, ".pem");
  g_autofree gchar *key = get_path (name, ".key");
  g_autoptr (GError) error = NULL;
  GTlsCertificate *loaded =
      g_tls_certificate_new_from_files (certificate, key, &error);

  if (!loaded)
    g_error ("%s: %s", certificate, error->message);
  return loaded;
}

GTlsDatabase *
certificates_authority (void)
{
  g_autofree gchar *path = get_path ("authority", ".pem");
  g_autoptr (GError) error = NULL;
  GTlsDatabase *database = g_tls_file_database_new (path, &error);

  if (!database)
    g_error ("%s: %s", path, error->message);
  return database;
}
