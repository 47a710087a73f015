/* usage: what this process has used so far
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "usage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static guint64
get_number (const gchar * status, const gchar * field)
{
  const gchar *line = strstr (status, field);

  return line ? g_ascii_strtoull (line + strlen (field), NULL, 10) : 0;
}

void
usage_get (Usage * usage)
{
  g_autofree gchar *status = NULL;
  struct timespec time;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    abort ();
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  usage->cpu = time.tv_sec + time.tv_nsec / 1e9;
  usage->resident = get_number (status, "VmRSS:");
  usage->threads = get_number (status, "Threads:");
}

void
usage_raise_files (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}
