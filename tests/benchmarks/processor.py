# processor.py: who uses it, and for how long
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def get_used(process):
    """In seconds, so far"""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_idle(server):
    """A server may still go over what its last client has left it"""
    used = -1
    while (now := get_used(server.process)) > used + 0.05:
        used = now
        time.sleep(0.5)
