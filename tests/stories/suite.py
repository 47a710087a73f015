#!/usr/bin/env python3
# suite.py: stories of whisperlivesink with a server, told to a genuine WhisperLive and to the scripted one
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs tests/examples/transcribe on speech against a genuine server, against the scripted one, or both, and checks what
it says. Each story is written once.

scripts/test runs this; by hand, GST_PLUGIN_PATH has to name the folder with the plugin.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import between
import contract
import endurance
import faults
import meddling
import recipes
import transcription
from harness import report
from options import options
from transports import TRANSPORTS

BUILD = Path(__file__).resolve().parents[2] / "build"


def stories(loader, transport, pace):
    """(class, name) of each story that this transport can tell"""
    for module in (transcription, faults, between, contract, endurance, meddling, recipes):
        for story in loader.loadTestsFromModule(module):
            for test in story:
                kind, name = type(test), test._testMethodName

                def mark(mark, default, kind=kind, name=name):
                    return getattr(getattr(kind, name), mark, getattr(kind, mark, default))

                only, why = mark("only", (transport.name, None))
                if pace not in ("any", "live" if mark("is_live", False) else "fast"):
                    continue
                if mark("is_extra", False) and not options.all:
                    continue
                if only == transport.name:
                    yield kind, name
                else:
                    report(f"not for {transport.name}: {kind.__name__}.{name}: {why}")


def make_suite(loader, transport, pace):
    kinds = {}
    for kind, name in stories(loader, transport, pace):
        kinds.setdefault(kind, []).append(name)
    order, chance = list(kinds), random.Random(options.seed)
    if options.shuffle:
        chance.shuffle(order)
    suite = unittest.TestSuite()
    for kind in order:
        told = type(kind.__name__, (kind,), {"transport": transport, "__module__": transport.name})
        if options.shuffle:
            chance.shuffle(kinds[kind])
        suite.addTests(map(told, kinds[kind]))
    return suite


class Result(unittest.TextTestResult):
    """Counts every test once, whatever number of its subtests failed, and tells how long each took"""

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test):
        report(f"{time.monotonic() - self.started:.1f} s")
        super().stopTest(test)

    def counts(self):
        bad = {getattr(test, "test_case", test).id() for test, _ in self.failures + self.errors}
        passed = self.testsRun - len([name for name in bad if "setUpClass" not in name]) - len(self.skipped)
        return passed, len(bad), len(self.skipped)


def run(transport, pace):
    """(passed, failed, skipped)"""
    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{text}*" for text in options.k]
    # a server and a plugin that hang must not leave anything behind either: children end with this process
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as transport.stack:
        options.work = Path(folder)
        os.environ.setdefault("GST_REGISTRY", str(options.work / "registry.bin"))
        report(f"--transport {transport.name} --pace {pace} --seed {options.seed}")
        tests = make_suite(loader, transport, pace)
        return unittest.TextTestRunner(verbosity=2, resultclass=Result).run(tests).counts()


@contextlib.contextmanager
def meanwhile(name, pace, counts):
    """These stories in a process of their own; what it says follows"""
    command = [sys.executable, __file__, *sys.argv[1:], "--transport", name, "--pace", pace, "--seed", str(options.seed)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        file = Path(folder) / "counts"
        process = subprocess.Popen([*command, "--count-file", file], stdout=log, stderr=log)
        try:
            yield
            process.wait()
            log.seek(0)
            sys.stderr.write(log.read())
            counts.append([int(n) for n in re.findall(r"\d+", file.read_text())] if file.exists() else (0, 1, 0))
        finally:
            # SIGTERM would leave its folder behind
            process.send_signal(signal.SIGINT)
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", choices=[*TRANSPORTS, "both"], default="both", help="which server (both)")
    parser.add_argument("--pace", choices=["live", "fast", "any", "all"], default="all",
                        help="the stories that take as long as the speech in them, or the others; any: one after the other; "
                        "all: side by side (all)")
    parser.add_argument("--transcribe", default=BUILD / "tests/examples/transcribe", metavar="PROGRAM")
    parser.add_argument("--scripted", default=BUILD / "tests/support/scripted-whisperlive", metavar="PROGRAM")
    parser.add_argument("--all", action="store_true", help="every combination of audio formats, every fault in every phase")
    parser.add_argument("--record", action="store_true", help="writes down what the genuine server does, for Contract")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="the word error rates N times over")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32),
                        help="of moments, jitter and order, to have the same again")
    parser.add_argument("--shuffle", action="store_true", help="in random order")
    parser.add_argument("--count-file", metavar="FILE", help="write “N passed, N failed, N skipped” there as well")
    parser.add_argument("-k", action="append", metavar="TEXT", help="only tests with TEXT in their names")
    vars(options).update(vars(parser.parse_args()))

    # live stories and those with the scripted server mostly wait
    paces = ("fast", "live") if options.pace == "all" else (options.pace,)
    jobs = [("genuine", pace) for pace in paces] if options.transport != "scripted" else []
    if options.transport != "genuine":
        jobs.append(("scripted", "any" if options.pace == "all" else options.pace))
    counts = []
    with contextlib.ExitStack() as others:
        for name, pace in jobs[1:]:
            others.enter_context(meanwhile(name, pace, counts))
        name, pace = jobs[0]
        counts.append(run(TRANSPORTS[name], pace))
    counts = [sum(numbers) for numbers in zip(*counts, strict=True)]
    line = "{} passed, {} failed, {} skipped".format(*counts)
    if options.count_file:
        Path(options.count_file).write_text(line + "\n", encoding="utf-8")
    print(line)
    sys.exit(0 if counts[0] and not counts[1] else 1)


if __name__ == "__main__":
    main()
