#!/usr/bin/env python3
# mutate.py: breaks the sources in the ways that mutations.toml names, and sees whether the tests notice
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Works on copies in a temporary folder. The last line is “N passed, N failed, N skipped”; a mutation has passed when
one of the tests that it names has failed."""

import argparse
import contextlib
import dataclasses
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SUITES = ("unit", "element")
PATIENCE = 20  # s, for a child that was told to end
# of Check's time-outs, 50 s and 150 s: many mutations hang, and no function takes longer than some seconds otherwise
HURRY = "0.2"


class Failed(Exception):
    """What is wrong with a mutation, or with the tests"""


class Interrupted(Exception):
    """Somebody does not want to wait for the rest"""


@dataclasses.dataclass
class Mutation:
    """An exact text that occurs once in a file, and what to put in its place"""

    name: str
    file: str
    old: str
    new: str
    caught_by: list  # "suite/test" as meson calls them, or "suite/test:function", the function without its "test_"
    sanitize: str = "none"  # as meson's b_sanitize: a lock that is missing is seen by "thread"

    @property
    def programs(self):
        return {test.partition(":")[0] for test in self.caught_by}

    def apply(self, text):
        found = text.count(self.old)
        if found != 1:
            raise Failed(f"its text occurs {found} times in {self.file} instead of once")
        return text.replace(self.old, self.new)


def load(path):
    with path.open("rb") as file:
        mutations = [Mutation(**entry) for entry in tomllib.load(file)["mutation"]]
    names = [mutation.name for mutation in mutations]
    if twice := {name for name in names if names.count(name) > 1}:
        sys.exit(f"{path.name}: more than one is called {', '.join(sorted(twice))}")
    return mutations


# Children


class Children:
    """The processes that run, so that all of them can be ended"""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.stopping = False

    def run(self, *command, cwd, env=None):
        """The exit code, and what it printed"""
        with tempfile.TemporaryFile(dir=cwd) as output:
            with self.lock:
                if self.stopping:
                    raise Interrupted
                # a session of its own: Ctrl-C is ours to pass on
                process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=subprocess.STDOUT, start_new_session=True)
                self.running.add(process)
            process.wait()
            with self.lock:
                self.running.remove(process)
                if self.stopping:
                    raise Interrupted
            output.seek(0)
            return process.returncode, output.read().decode(errors="replace")

    def stop(self):
        """meson ends its tests when it is terminated; what does not listen is killed with all of its group"""
        with self.lock:
            self.stopping = True
            running = list(self.running)
        for number, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    if process.poll() is None:
                        os.killpg(process.pid, number)
            deadline = time.monotonic() + patience
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, deadline - time.monotonic()))


# A copy of the sources, and its builds


class Build:
    """With one sanitizer or none, in a folder beside the sources"""

    def __init__(self, folder, children, jobs, sanitizer):
        self.children = children
        self.source = folder / "source"
        self.build = folder / f"build-{sanitizer}"
        self.jobs = jobs
        # nothing outside: no registry of GStreamer's, no files of tests
        self.env = os.environ | {"TMPDIR": str(folder / "tmp"), "GST_REGISTRY": str(folder / f"registry-{sanitizer}"),
                                 "CK_TIMEOUT_MULTIPLIER": HURRY}
        self.options = []
        if sanitizer != "none":
            # as scripts/test does it
            self.options = ["--timeout-multiplier", "10"]
            self.env |= {"GST_REGISTRY_FORK": "no", "G_SLICE": "always-malloc", "CK_TIMEOUT_MULTIPLIER": "10",
                         "TSAN_OPTIONS": f"detect_deadlocks=0:suppressions={self.source}/tests/support/tsan.supp"}
        self.tests = {}
        self.set_up(sanitizer)

    def run(self, *command, **env):
        return self.children.run(*command, cwd=self.source, env=self.env | env)

    def set_up(self, sanitizer):
        code, output = self.run("meson", "setup", self.build, self.source, "-Dbuildtype=plain", "-Dtests=true",
                                "-Dexamples=false", "-Ddocs=false", f"-Db_sanitize={sanitizer}")
        if code:
            raise Failed("meson setup failed:\n" + output)
        folder = self.build / "meson-info"
        targets = json.loads((folder / "intro-targets.json").read_text(encoding="utf-8"))
        files = {target["id"]: target["filename"] for target in targets}
        for test in json.loads((folder / "intro-tests.json").read_text(encoding="utf-8")):
            suite = test["suite"][0].rpartition(":")[2]
            if suite in SUITES:
                self.tests[f"{suite}/{test['name']}"] = [file for name in test["depends"] for file in files[name]]

    def compile(self, names):
        """Only what these tests need"""
        if unknown := [name for name in names if name not in self.tests]:
            raise Failed(f"there are no tests {', '.join(unknown)}")
        files = {os.path.relpath(file, self.build) for name in names for file in self.tests[name]}
        code, output = self.run("ninja", "-C", self.build, "-j", str(self.jobs), *sorted(files))
        if code:
            raise Failed("it does not compile:\n" + output[-3000:])

    def passes(self, test):
        """Its own time-out makes a hang a failure."""
        name, _, functions = test.partition(":")
        suite, _, name = name.partition("/")
        env = {"GST_CHECKS": ",".join("test_" + function for function in functions.split(","))} if functions else {}
        code, _ = self.run("meson", "test", "-C", self.build, "--no-rebuild", "--num-processes", "1", *self.options,
                           "--suite", suite, name, **env)
        return code == 0

    def find_catcher(self, without):
        """Any other test that fails; those that passed in part come last"""
        names = [name for suite in SUITES for name in self.tests if name.startswith(suite + "/")]
        names.sort(key=lambda name: name in without)
        self.compile(names)
        return next((name for name in names if not self.passes(name)), None)


class Copy:
    """The tracked files with what is in them now"""

    def __init__(self, folder, children, jobs):
        self.source = folder / "source"
        self.make_build = lambda sanitizer: Build(folder, children, jobs, sanitizer)
        self.builds = {}
        (folder / "tmp").mkdir(parents=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (self.source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, self.source / name)

    def get_build(self, sanitizer):
        if sanitizer not in self.builds:
            self.builds[sanitizer] = self.make_build(sanitizer)
        return self.builds[sanitizer]

    def check_unmutated(self, sanitizer, test):
        """Else there would be nothing to learn from a failure."""
        build = self.get_build(sanitizer)
        build.compile([test.partition(":")[0]])
        if not build.passes(test):
            raise Failed(f"without any mutation {test} fails")

    def try_out(self, mutation):
        """The test that caught it, or Failed"""
        path = self.source / mutation.file
        if not path.is_file():
            raise Failed(f"there is no file {mutation.file}")
        text = path.read_text(encoding="utf-8")
        build = self.get_build(mutation.sanitize)
        path.write_text(mutation.apply(text), encoding="utf-8")
        try:
            build.compile(mutation.programs)
            for test in mutation.caught_by:
                if not build.passes(test):
                    return test
            if catcher := build.find_catcher(mutation.programs):
                raise Failed(f"caught by {catcher}, but not by {', '.join(mutation.caught_by)}")
            raise Failed("SURVIVED")
        finally:
            path.write_text(text, encoding="utf-8")


# The run


class Run:
    """All the mutations, and some threads that try them out"""

    def __init__(self, mutations, folder, jobs):
        self.mutations = mutations
        self.folder = folder
        self.jobs = jobs
        self.children = Children()
        self.waiting = queue.SimpleQueue()
        self.workers = []
        self.lock = threading.Lock()
        self.passed = self.failed = 0

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def make_copy(self, number):
        processors = len(os.sched_getaffinity(0))
        return Copy(self.folder / str(number), self.children, max(1, processors // self.jobs))

    def check_unmutated(self, copy):
        """Each program once, with all of its functions that are named, or as a whole"""
        began = time.monotonic()
        programs = {}
        for mutation in self.mutations:
            for test in mutation.caught_by:
                name, _, function = test.partition(":")
                programs.setdefault((mutation.sanitize, name), set()).add(function)
        for (sanitizer, name), functions in sorted(programs.items()):
            test = name if "" in functions else f"{name}:{','.join(sorted(functions))}"
            copy.check_unmutated(sanitizer, test)
        self.say(f"without any mutation {len(programs)} tests pass, {time.monotonic() - began:.1f} s")

    def work(self, number, copy=None):
        try:
            copy = copy or self.make_copy(number)
            while True:
                self.try_next(copy, self.waiting.get_nowait())
        except (queue.Empty, Interrupted):
            pass
        except Failed as failure:
            self.say(str(failure))

    def try_next(self, copy, mutation):
        began = time.monotonic()
        try:
            result, passed = f"caught by {copy.try_out(mutation)}", True
        except Failed as failure:
            result, passed = str(failure), False
        with self.lock:
            self.passed += passed
            self.failed += not passed
            print(f"{self.passed + self.failed}/{len(self.mutations)} {mutation.name}: {result}, "
                  f"{time.monotonic() - began:.1f} s", flush=True)

    def run(self):
        first = self.make_copy(0)
        self.check_unmutated(first)
        for mutation in self.mutations:
            self.waiting.put(mutation)
        self.workers = [threading.Thread(target=self.work, args=(number, None if number else first))
                        for number in range(self.jobs)]
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.join()

    def stop(self):
        # once is enough
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.children.stop()
        for worker in self.workers:
            if worker.ident:
                worker.join()


def check(mutations):
    stale = 0
    for mutation in mutations:
        try:
            mutation.apply((REPOSITORY / mutation.file).read_text(encoding="utf-8"))
        except Failed as failure:
            print(f"{mutation.name}: {failure}")
            stale += 1
    return 1 if stale else 0


def select(mutations, names, text):
    known = {mutation.name for mutation in mutations}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"there are no mutations {', '.join(unknown)}")
    return [mutation for mutation in mutations
            if (not names or mutation.name in names) and (not text or text in mutation.name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutations")
    parser.add_argument("-k", metavar="TEXT", help="only mutations with TEXT in their names")
    parser.add_argument("--list", action="store_true", help="tells their names, files and tests, and that is all")
    parser.add_argument("--check", action="store_true", help="tells which of them the sources do not have any more, and that is all")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="builds and tests N of them side by side")
    parser.add_argument("--mutations", type=Path, default=HERE / "mutations.toml", metavar="FILE", help="others")
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        parser.error("--jobs is at least 1")

    mutations = select(load(arguments.mutations), arguments.names, arguments.k)
    if arguments.list:
        for mutation in mutations:
            print(f"{mutation.name}: {mutation.file}, {', '.join(mutation.caught_by)}")
        return 0

    if arguments.check:
        return check(mutations)

    # the same as Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="whisperlive-mutation-") as folder:
        run = Run(mutations, Path(folder), arguments.jobs)
        try:
            run.run()
        except Failed as failure:
            print(failure)
        except KeyboardInterrupt:
            run.stop()
            print("interrupted")
    skipped = len(mutations) - run.passed - run.failed
    print(f"\n{run.passed} passed, {run.failed} failed, {skipped} skipped")
    return 1 if run.failed or skipped or not run.passed else 0


if __name__ == "__main__":
    sys.exit(main())
