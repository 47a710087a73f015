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
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import contract
import faults
import transcription
from harness import report
from options import options
from transports import TRANSPORTS

BUILD = Path(__file__).resolve().parents[2] / "build"


def stories(loader, transport):
    """Each story that this transport can tell, under its name"""
    for module in (transcription, faults, contract):
        for story in loader.loadTestsFromModule(module):
            for test in story:
                kind, name = type(test), test._testMethodName
                only, why = getattr(getattr(kind, name), "only", getattr(kind, "only", (transport.name, None)))
                if only != transport.name:
                    report(f"not for {transport.name}: {kind.__name__}.{name}: {why}")
                    continue
                yield kind, name


def make_suite(loader, transport):
    suite, kinds = unittest.TestSuite(), {}
    for kind, name in stories(loader, transport):
        if kind not in kinds:
            kinds[kind] = type(kind.__name__, (kind,), {"transport": transport, "__module__": transport.name})
        suite.addTest(kinds[kind](name))
    return suite


# Running them


class Result(unittest.TextTestResult):
    """Counts every test once, whatever number of its subtests failed"""

    def counts(self):
        bad = {getattr(test, "test_case", test).id() for test, _ in self.failures + self.errors}
        passed = self.testsRun - len([name for name in bad if "setUpClass" not in name]) - len(self.skipped)
        return passed, len(bad), len(self.skipped)


def run(transport):
    """(passed, failed, skipped)"""
    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{text}*" for text in options.k]
    # a server and a plugin that hang must not leave anything behind either: children end with this process
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as transport.stack:
        options.work = Path(folder)
        os.environ.setdefault("GST_REGISTRY", str(options.work / "registry.bin"))
        report(f"--transport {transport.name} --seed {options.seed}")
        return unittest.TextTestRunner(verbosity=2, resultclass=Result).run(make_suite(loader, transport)).counts()


@contextlib.contextmanager
def meanwhile(name):
    """The stories of this transport, in a process of their own, which mostly waits; what it says follows"""
    command = [sys.executable, __file__, *sys.argv[1:], "--transport", name, "--seed", str(options.seed)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        counts = Path(folder) / "counts"
        process = subprocess.Popen([*command, "--count-file", counts], stdout=log, stderr=log)
        try:
            numbers = []
            yield numbers
            process.wait()
            log.seek(0)
            sys.stderr.write(log.read())
            numbers += [int(number) for number in re.findall(r"\d+", counts.read_text())] if counts.exists() else (0, 1, 0)
        finally:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", choices=[*TRANSPORTS, "both"], default="both", help="which server (both)")
    parser.add_argument("--transcribe", default=BUILD / "tests/examples/transcribe", metavar="PROGRAM")
    parser.add_argument("--scripted", default=BUILD / "tests/support/scripted-whisperlive", metavar="PROGRAM")
    parser.add_argument("--all", action="store_true", help="every combination of audio formats, every fault in every phase")
    parser.add_argument("--record", action="store_true", help="writes down what the genuine server does, for Contract")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="the word error rates N times over")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of moments and jitter, to have the same again")
    parser.add_argument("--count-file", metavar="FILE", help="write “N passed, N failed, N skipped” there as well")
    parser.add_argument("-k", action="append", metavar="TEXT", help="only tests with TEXT in their names")
    vars(options).update(vars(parser.parse_args()))

    if options.transport == "both":
        with meanwhile("scripted") as counts:
            genuine = run(TRANSPORTS["genuine"])
        counts = [sum(pair) for pair in zip(genuine, counts, strict=True)]
    else:
        counts = run(TRANSPORTS[options.transport])
    line = "{} passed, {} failed, {} skipped".format(*counts)
    if options.count_file:
        Path(options.count_file).write_text(line + "\n", encoding="utf-8")
    print(line)
    sys.exit(0 if counts[0] and not counts[1] else 1)


if __name__ == "__main__":
    main()
