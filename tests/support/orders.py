#!/usr/bin/env python3
# orders.py: each test function of the C programs alone in a process of its own, in any order, side by side, on a busy core
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unit and element tests of a build folder, each function of them alone.

A test that passes only after another one, or only on an idle machine, fails here. The last line is
"N passed, N failed, N skipped"; not zero is returned when a test failed or none ran.
"""

import argparse
import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SUITES = ("unit", "element")
PROGRESS = 50  # tests
BUSY = 4  # times slower, at most


@dataclass(frozen=True)
class Test:
    suite: str
    program: str
    function: str
    path: str
    environment: dict

    def __str__(self):
        return f"{self.suite}/{self.program} {self.function}"


def find_tests(build):
    listed = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, text=True, check=True)
    for entry in json.loads(listed.stdout):
        suite = entry["suite"][0].rpartition(":")[2]
        if suite in SUITES:
            source = (TESTS / suite / f"{entry['name']}.c").read_text(encoding="utf-8")
            for function in re.findall(r"^GST_START_TEST \((\w+)\)", source, re.MULTILINE):
                yield Test(suite, entry["name"], function, entry["cmd"][0], entry["env"])


def in_order(tests, options):
    dice = random.Random(options.shuffle)
    for _ in range(options.rounds):
        if options.shuffle is not None:
            dice.shuffle(tests)
        for test in tests:
            for _ in range(options.repeat):
                yield test


# --- processes ---


def lives(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"


def session(leader):
    """All processes of a session; Check's children have groups of their own"""
    found = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # gone meanwhile
            if os.getsid(pid) == leader and lives(pid):
                found.append(pid)
    return found


def end_session(leader):
    while pids := session(leader):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def stacks(pids):
    """Of all threads"""
    if not shutil.which("gdb"):
        return "no stacks: gdb is not installed\n"
    command = ["gdb", "--batch", "--nx", "-iex", "set debuginfod enabled off", "-ex", "thread apply all backtrace", "-p"]
    told = [subprocess.run([*command, str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace").stdout for pid in pids]
    return "".join(f"stacks of process {pid}:\n{text}" for pid, text in zip(pids, told))


class Child:
    """A test on its way, in a session and with a folder of its own"""

    def __init__(self, test, registry, options):
        self.test = test
        self.folder = Path(tempfile.mkdtemp(dir=registry.parent))
        slower = int(os.environ.get("CK_TIMEOUT_MULTIPLIER", 1)) * (BUSY if options.busy else 1)
        environment = {**os.environ, **test.environment, "GST_CHECKS": test.function,
                       "GST_REGISTRY": str(self.folder / "registry"), "CK_TIMEOUT_MULTIPLIER": str(slower)}
        shutil.copyfile(registry, self.folder / "registry")
        self.output = self.folder / "output"
        self.start = time.monotonic()
        # before Check would kill it, which tells nothing
        self.due = self.start + (options.deadline or 0.9 * float(environment["CK_DEFAULT_TIMEOUT"]) * slower)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen([test.path], env=environment, start_new_session=True,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.ended = os.pidfd_open(self.process.pid)

    def judge(self):
        """("passed", "failed" or "skipped", why)"""
        if self.process.poll() is None:
            return "failed", "hangs\n" + stacks(session(self.process.pid))
        if left := session(self.process.pid):
            return "failed", f"left processes behind: {left}"
        checks = re.search(r"Checks: (\d+), Failures: 0, Errors: 0", self.output.read_text(errors="replace"))
        if self.process.returncode != 0 or not checks:
            return "failed", f"returned {self.process.returncode}"
        return ("passed", "") if int(checks[1]) > 0 else ("skipped", "is in no suite")

    def finish(self):
        verdict, why = self.judge()
        took = time.monotonic() - self.start
        if verdict != "passed":
            print(f"{verdict.upper()} {self.test} ({took:.1f} s): {why}", flush=True)
        if verdict == "failed":
            print(self.output.read_text(errors="replace"), flush=True)
        self.clean_up()
        return verdict

    def clean_up(self):
        end_session(self.process.pid)
        self.process.wait()
        os.close(self.ended)
        shutil.rmtree(self.folder)


def interruption():
    """Can be read from as soon as somebody wants this to end; nothing is interrupted halfway"""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *unused: None)
    return told


def run(tests, registries, options):
    """The verdict of each, as they end"""
    interrupted = interruption()
    running = {}
    try:
        while True:
            while len(running) < options.jobs and (test := next(tests, None)):
                child = Child(test, registries[test.suite], options)
                running[child.ended] = child
            if not running:
                return
            patience = min(child.due for child in running.values()) - time.monotonic()
            ready = select.select([interrupted, *running], [], [], max(0, patience))[0]
            if interrupted in ready:
                return
            late = [fd for fd, child in running.items() if child.due <= time.monotonic()]
            for fd in {*ready, *late}:
                yield running[fd].finish()
                del running[fd]
    finally:
        for child in running.values():
            child.clean_up()


def warm_registry(test, folder):
    """What GStreamer would else look for in every process"""
    path = Path(folder) / f"{test.suite}.registry"
    environment = {**os.environ, **test.environment, "GST_REGISTRY": str(path), "GST_CHECKS": "none"}
    subprocess.run([test.path], env=environment, capture_output=True, check=True)
    return path


@contextlib.contextmanager
def busy_core():
    """This process and its children share one core with somebody who never waits"""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    burn = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    burner = subprocess.Popen([sys.executable, "-c", burn], start_new_session=True)
    try:
        yield
    finally:
        burner.kill()
        burner.wait()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build folder of meson")
    parser.add_argument("--shuffle", metavar="SEED", type=int, nargs="?", const=random.randrange(2**32),
                        help="in a random order, another one in each round; SEED repeats an earlier run")
    parser.add_argument("--rounds", metavar="N", type=int, default=1, help="all tests N times over")
    parser.add_argument("--repeat", metavar="N", type=int, default=1, help="each test N times in a row")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="N tests side by side")
    parser.add_argument("--busy", action="store_true", help="all on one core, which another process burns")
    parser.add_argument("--suite", choices=SUITES, help="only these")
    parser.add_argument("--deadline", metavar="SECONDS", type=float, help="of each test, instead of the build's")
    parser.add_argument("-k", metavar="TEXT", default="", help="only tests with TEXT in “suite/program function”")
    return parser.parse_args()


def main():
    options = parse_arguments()
    tests = [test for test in find_tests(options.build)
             if options.suite in (None, test.suite) and options.k in str(test)]
    total = len(tests) * options.rounds * options.repeat
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if options.shuffle is not None:
        print(f"--shuffle {options.shuffle}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="orders-"))
        if options.busy:
            stack.enter_context(busy_core())
        registries = {test.suite: warm_registry(test, folder) for test in {test.suite: test for test in tests}.values()}
        for number, verdict in enumerate(run(in_order(tests, options), registries, options), 1):
            counts[verdict] += 1
            if number % PROGRESS == 0:
                print(f"{number} of {total}, {counts['failed']} failed", flush=True)
    complete = sum(counts.values()) == total
    if not complete:
        print("interrupted")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return counts["failed"] > 0 or counts["passed"] == 0 or not complete


if __name__ == "__main__":
    sys.exit(main())
