#!/usr/bin/env python3
# no-sleeps.py: nothing sleeps or polls until something should have happened, apart from what is listed here
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: no-sleeps.py [ROOT]

Looks for sleeps, and for waits for nothing but time, in gst, tests and scripts. Who sleeps waits too long on most
machines, and not long enough on a busy one.
"""

import re
import sys
from pathlib import Path

# file, what its line says, why. Each is one line; one that is not there any more is a failure, too.
ALLOWED = (
    ("tests/benchmarks/processor.py", "time.sleep(0.5)", "nothing tells that a server of another has nothing to do"),
    ("tests/benchmarks/reference-client.py", "time.sleep(max(0.0, due - time.monotonic()))", "audio at its own pace"),
    ("scripts/demo", "sleep 0.2", "a file of another process tells that it is ready"),
    ("scripts/lib.sh", "sleep 0.1", "the end of a process, which may not be a child of this shell"),
    ("tests/genuine/record-all.sh", "sleep 0.2", "a file of another process tells that it is ready"),
    ("tests/genuine/record-trace.py", "await asyncio.sleep(max(0.0, due - time.monotonic()))", "audio at its own pace"),
    ("tests/genuine/record-trace.py", "await asyncio.sleep(0)", "lets other tasks run"),
    ("tests/genuine/record-trace.py", "await asyncio.sleep(self.arguments.chunk / 1000)", "audio at its own pace"),
    ("tests/support/census.c", "g_usleep (G_TIME_SPAN_MILLISECOND);", "nothing tells that a thread, a socket or an object is gone"),
    ("tests/support/fault-proxy.py", "await asyncio.sleep(due - clock())", "it is what delays"),
    ("tests/support/fault-proxy.py", "await asyncio.sleep(size / bandwidth)", "it is what is slow"),
)

SLEEP = re.compile(r"""
      \b\w*sleep\s*\(                                   # sleep(), g_usleep (), nanosleep (), time.sleep()
    | import\b.*\bsleep\b                               # under another name
    | ["']sleep\b                                       # as a command
    | \bg?_?p?poll\s*\(\s*(?:NULL|0)\s*,                # of no descriptor
    | \bp?select\s*\(\s*\w+\s*(?:,\s*(?:NULL|0)\s*){3}, # likewise
    | \bselect\(\s*(?:\[\]\s*,\s*){3}
    | \bpoll\(\)\.poll\(
    | \b(?:Event|Condition)\(\)\.wait\(                 # which nobody else knows
""", re.VERBOSE)
SHELL_SLEEP = re.compile(r"^(?!\s*\#)(?:.*[^\w-])?(?:u?sleep\s|read\s+-t)", re.MULTILINE)

FOLDERS = ("gst", "tests", "scripts")
SUFFIXES = {".c", ".h", ".py", ".sh", ""}
OWN = {"no-sleeps.py", "test-no-sleeps.py"}  # have to name what they look for


def find_sleeps(root):
    """(file, number of the line, line)"""
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in OWN:
            text = path.read_text(encoding="utf-8", errors="replace")  # seeds of the fuzz targets are anything
            is_shell = path.suffix == ".sh" or re.match(r"#!.*sh\b", text)
            for found in (SHELL_SLEEP if is_shell else SLEEP).finditer(text):
                number = text.count("\n", 0, found.end()) + 1
                yield str(path.relative_to(root)), number, text.splitlines()[number - 1].strip()


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    allowed = [(file, line) for file, line, _ in ALLOWED]
    wrong = []
    for file, number, line in find_sleeps(root):
        if (file, line) in allowed:
            allowed.remove((file, line))
        else:
            wrong.append(f"{file}:{number}: wait for what happens instead: {line}")
    wrong += [f"{file}: is not there any more: {line}" for file, line in allowed]
    print("\n".join(wrong) or "nothing sleeps")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
