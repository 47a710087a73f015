#!/usr/bin/env python3
# test-no-sleeps.py: no-sleeps.py rejects each kind of sleep that is planted in a copy of the sources
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The copy is as it is in the repository, but for one line."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]

PLANTED = (
    ("gst/plugin.c", "  g_usleep (1000);"),
    ("gst/client/whisperlive-loop.c", "  nanosleep (&pause, NULL);"),
    ("tests/unit/queue.c", "  sleep(1);"),
    ("tests/element/eos.c", "  poll (NULL,\n      0, 100);"),
    ("tests/element/eos.c", "  g_poll (NULL, 0, 100);"),
    ("tests/element/eos.c", "  select (0, NULL, NULL, NULL, &pause);"),
    ("tests/element/leaks.c", "    g_usleep (G_TIME_SPAN_MILLISECOND);"),  # one more than there may be
    ("tests/stories/suite.py", "time.sleep(0.5)"),
    ("tests/stories/suite.py", "from time import sleep as nap"),
    ("tests/stories/suite.py", 'subprocess.run(["sleep", "1"])'),
    ("tests/stories/suite.py", "select.select([], [], [], 0.5)"),
    ("tests/stories/suite.py", "threading.Event().wait(0.5)"),
    ("tests/support/fault-proxy.py", "    await asyncio.sleep(1)"),
    ("tests/genuine/record-all.sh", "sleep 5"),
    ("scripts/test", "[ $unit = 0 ] || sleep 1"),
    ("scripts/test", "read -t 1 nothing"),
)
INNOCENT = (
    ("gst/plugin.c", "  n = g_poll (fds, n_fds, timeout); /* nobody sleeps */"),
    ("tests/stories/suite.py", "if process.poll() is None: select.select([process.stdout], [], [], 1)  # no sleep"),
    ("scripts/test", "  # it does not sleep here\nasleep=1"),
)


class NoSleeps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.copy = Path(folder.name)
        for name in ("gst", "tests", "scripts"):
            shutil.copytree(REPO / name, self.copy / name, ignore=shutil.ignore_patterns("data", "__pycache__"))

    def check(self):
        run = subprocess.run([sys.executable, HERE / "no-sleeps.py", self.copy], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def plant(self, file, line):
        """Returns the text as it was"""
        text = (self.copy / file).read_text(encoding="utf-8")
        (self.copy / file).write_text(f"{text}\n{line}\n", encoding="utf-8")
        return text

    def test_planted(self):
        for file, line in PLANTED:
            with self.subTest(file=file, line=line):
                text = self.plant(file, line)
                status, output = self.check()
                (self.copy / file).write_text(text, encoding="utf-8")
                self.assertEqual(status, 1, output)
                self.assertIn(f"{file}:{len(text.splitlines()) + 2}: ", output)
                self.assertEqual(len(output.splitlines()), 1, output)

    def test_innocent(self):
        for file, line in INNOCENT:
            self.plant(file, line)
        status, output = self.check()
        self.assertEqual(status, 0, output)

    def test_allowed_for_nothing(self):
        path = self.copy / "scripts/demo"
        path.write_text(path.read_text(encoding="utf-8").replace("sleep 0.2", "true"), encoding="utf-8")
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertEqual(output, "scripts/demo: is not there any more: sleep 0.2\n")


if __name__ == "__main__":
    unittest.main()
