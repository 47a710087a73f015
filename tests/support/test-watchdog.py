#!/usr/bin/env python3
# test-watchdog.py: a test that hangs says in which function, with what it knew, and fails before Check kills it
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: test-watchdog.py PROGRAM: the one of hang.c"""

import shutil
import subprocess
import sys

EXPECTED = (
    "hang_on_purpose (",
    "run_server (",  # another thread's stack
    "\nsink: PLAYING on its way to VOID_PENDING",
    "whisperlive/transcript, ",
    'text=(string)"w1\\ w2\\ w3\\ w4\\ w5"',
    "\nconnection-state: ready",
    "\nstats: ",
    "audio-received=(guint64)",
    "hangs: not finished after 0.1 s",
    "Failures: 1, Errors: 0",  # a kill by Check would be an error
)
SKIPPED = 77

if not shutil.which("gdb"):
    print("gdb is not installed")
    sys.exit(SKIPPED)

run = subprocess.run(sys.argv[1:2], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(run.stdout)
missing = [text for text in EXPECTED if text not in run.stdout]
print("exit status", run.returncode, "missing:", missing)
sys.exit(run.returncode == 0 or bool(missing))
