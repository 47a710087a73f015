/* memory-use: how much memory this process takes
 *
 * Copyright (C) 2026 the whisperlivesink authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "memory-use.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
/* A sanitizer keeps what was freed for a while; it knows itself what is in use. */
gsize __sanitizer_get_current_allocated_bytes (void);

gsize
memory_use_heap (void)
{
  return __sanitizer_get_current_allocated_bytes ();
}

gsize
memory_use_resident (void)
{
  return 0;
}
#else
gsize
memory_use_heap (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* Under valgrind it is that of valgrind. */
gsize
memory_use_resident (void)
{
  const gchar *preload = g_getenv ("LD_PRELOAD");
  gulong size, resident = 0;
  FILE *file;

  if (preload != NULL && strstr (preload, "vgpreload") != NULL)
    return 0;
  file = fopen ("/proc/self/statm", "r");
  if (file == NULL || fscanf (file, "%lu %lu", &size, &resident) != 2)
    g_error ("no /proc/self/statm");
  fclose (file);
  return resident * sysconf (_SC_PAGESIZE);
}
#endif
