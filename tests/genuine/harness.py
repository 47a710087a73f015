# harness.py: what the tests against a genuine WhisperLive server share
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Genuine servers, runs of tests/examples/transcribe, the fault proxy between them, and checks of what was heard."""

import argparse
import dataclasses
import functools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import jiwer
import speech

HERE = Path(__file__).resolve().parent
FAULT_PROXY = HERE.parent / "support" / "fault-proxy.py"
SECOND = 1_000_000_000
DEADLINE = 120  # s, for what has to happen
# Whisper decodes up to six times over when it is not sure, which takes a busy machine tens of seconds
PATIENCE = {"drain-timeout": 60_000, "response-timeout": 90_000}

# suite.py sets them; work is a folder for files
options = argparse.Namespace(transcribe=None, all=False, runs=1, seed=0, work=None)


def report(line):
    print(f"    {line}", file=sys.stderr, flush=True)


# The server


class Server:
    """A genuine WhisperLive on a port of its own, gone when the context ends"""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.port = 0
        self.process = None
        self.log = None

    @property
    def uri(self):
        return f"ws://127.0.0.1:{self.port}"

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile("w+", dir=options.work, suffix=".log")
        self.start("--warm-up")
        return self

    def start(self, *arguments):
        """Again, on the same port, unless it runs"""
        if self.process and self.process.poll() is None:
            return
        self.process = subprocess.Popen(
            [sys.executable, HERE / "server.py", "--port", str(self.port), *self.arguments, *arguments],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        readable, _, _ = select.select([self.process.stdout], [], [], 180)
        line = self.process.stdout.readline() if readable else ""
        if not line.startswith("READY "):
            last_words = Path(self.log.name).read_text(encoding="utf-8", errors="replace")[-2000:]
            self.__exit__()
            raise RuntimeError(f"the genuine server did not start; its last words: {last_words}")
        self.port = int(line.rpartition(":")[2])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def __exit__(self, *exception):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the genuine server did not end on SIGTERM") from None
        finally:
            self.process.stdout.close()
            self.log.close()


# Programs that tell what they do in lines of JSON


class Messages:
    """The lines of a pipe; they are read as they come"""

    def __init__(self, pipe):
        self.pipe = pipe
        self.all = []
        self.ended = False
        self.seen = 0  # wait() has been there
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.pipe:
            with self.news:
                self.all.append(json.loads(line))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait(self, timeout=DEADLINE, **fields):
        """The next message with these fields; earlier waits' messages do not come again"""
        def find():
            while self.seen < len(self.all):
                self.seen += 1
                if fields.items() <= self.all[self.seen - 1].items():
                    return self.all[self.seen - 1]
            return None

        with self.news:
            found = self.news.wait_for(lambda: find() or self.ended, timeout)
        if isinstance(found, dict):
            return found
        raise AssertionError(f"{fields} did not come" + (" before the end" if found else f" within {timeout} s") + "; last:\n"
                             + "\n".join(json.dumps(message) for message in self.all[-8:]))


class FaultProxy:
    """fault-proxy.py in front of a server"""

    def __init__(self, server):
        self.process = subprocess.Popen(
            [sys.executable, FAULT_PROXY, "--to", str(server.port), "--seed", str(options.seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = Messages(self.process.stdout)
        self.uri = f"ws://127.0.0.1:{self.events.wait(event='listening')['port']}"

    def __enter__(self):
        return self

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.events.wait(event="done", command=command)

    def wait_done(self, command):
        """What an earlier command has prepared"""
        self.events.wait(event="done", command=command)

    def __exit__(self, *exception):
        self.process.stdin.close()  # which is its end
        self.process.wait(DEADLINE)
        self.events.reader.join()
        self.process.stdout.close()


@dataclasses.dataclass
class Run:
    """A run of transcribe that has ended"""

    exit_code: int
    messages: list
    stderr: str
    seconds: float

    def named(self, name):
        return [message for message in self.messages if message["name"] == name]

    def one(self, name):
        found = self.named(name)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} messages {name} instead of one; {self.tail()}")
        return found[0]

    @functools.cached_property
    def finals(self):
        return [message for message in self.named("whisperlive/transcript") if message["final"]]

    @property
    def text(self):
        return " ".join(final["text"].strip() for final in self.finals)

    @property
    def changes(self):
        """[(previous, state)]"""
        return [(message["previous"], message["state"]) for message in self.named("whisperlive/state")]

    @property
    def sessions(self):
        """Ids of the sessions that became ready"""
        return [message["session-id"] for message in self.named("whisperlive/state") if message["state"] == "ready"]

    @property
    def draining_at(self):
        states = [state for state in self.named("whisperlive/state") if state["state"] == "draining"]
        return states[0]["wall"] if states else self.named("END-OF-INPUT")[0]["wall"]

    def tail(self):
        lines = [json.dumps(message, ensure_ascii=False) for message in self.messages[-8:]]
        return f"exit code {self.exit_code}, last messages:\n" + "\n".join(lines) + f"\nstderr:\n{self.stderr[-2000:]}"


class Transcription:
    """transcribe, while it runs"""

    def __init__(self, uri, path, *arguments, **properties):
        settings = {"language-code": "en", "model": "tiny.en", **PATIENCE}
        settings.update({name.replace("_", "-"): value for name, value in properties.items()})
        command = [options.transcribe, "--json", "--uri", uri, *arguments]
        for name, value in settings.items():
            if value is not None:
                command += ["--property", f"{name}={value}"]
        self.started = time.monotonic()
        self.stderr = tempfile.TemporaryFile("w+", dir=options.work)
        self.process = subprocess.Popen([*command, path], stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        self.messages = Messages(self.process.stdout)

    def __enter__(self):
        return self

    def wait(self, name, **fields):
        return self.messages.wait(name=name, **fields)

    def wait_state(self, **fields):
        return self.wait("whisperlive/state", **fields)

    @property
    def age(self):
        return time.monotonic() - self.started

    def play_until(self, moment):
        """Lets it go on until it has been there for so many seconds"""
        try:
            self.process.wait(max(0.0, moment - self.age))
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"transcribe ended before {moment:.1f} s; {self.finish().tail()}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def finish(self, timeout=DEADLINE):
        late = ""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            late = f"\ntranscribe did not end within {timeout} s"
        self.messages.reader.join()
        self.stderr.seek(0)
        return Run(self.process.returncode, self.messages.all, self.stderr.read() + late, self.age)

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.messages.reader.join()
        self.process.stdout.close()
        self.stderr.close()


def transcribe(uri, path, *arguments, timeout=DEADLINE, **properties):
    with Transcription(uri, path, *arguments, **properties) as transcription:
        return transcription.finish(timeout)


# What was said and what was heard

audio_lock = threading.Lock()


def audio(*pieces):
    """(path, spoken text, seconds) of the pieces, as speech.py names them"""
    with audio_lock:
        return make_audio(*pieces)


@functools.cache
def make_audio(*pieces):
    samples, text = speech.load(*pieces)
    path = options.work / ("+".join(pieces).replace("/", "_") + ".wav")
    speech.write(path, samples)
    return path, text, len(samples) / 2 / speech.RATE


def normalise(text):
    return jiwer.Compose([
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({r"[-–—]": " "}),
        jiwer.RemovePunctuation(),
        jiwer.SubstituteWords({"mr": "mister"}),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ])(text)


def word_error_rate(reference, heard):
    return jiwer.wer(normalise(reference), normalise(heard) or "nothing")


def missing_sentences(sentences, heard):
    """Those of which no more than half of the words were heard, in the order of them all"""
    sentences = [normalise(sentence).split() for sentence in sentences]
    aligned = jiwer.process_words(" ".join(sum(sentences, [])), normalise(heard) or "nothing").alignments[0]
    found = {i for part in aligned if part.type == "equal" for i in range(part.ref_start_idx, part.ref_end_idx)}
    missing, start = [], 0
    for words in sentences:
        end = start + len(words)
        if len(found.intersection(range(start, end))) * 2 <= len(words):
            missing.append(" ".join(words))
        start = end
    return missing


class GenuineTest(unittest.TestCase):
    server_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(*cls.server_arguments))

    def check_accounts(self, counts):
        self.assertEqual(counts["audio-received"], counts["audio-settled"] + counts["audio-lost"], counts)

    def check_ended_well(self, run, complete=True):
        """The end of every run that has no error: EOS, drained, accounted for to the sample"""
        self.assertEqual(run.exit_code, 0, run.tail())
        self.assertFalse(run.named("ERROR"), run.tail())
        self.assertFalse(run.named("WARNING"), run.tail())
        drained, eos, stats = run.one("whisperlive/drained"), run.one("EOS"), run.one("STATS")
        self.assertLess(run.messages.index(drained), run.messages.index(eos))
        self.check_accounts(drained)
        self.check_accounts(stats)
        if complete:
            self.assertTrue(drained["complete"], run.tail())
            self.assertEqual(stats["audio-lost"], 0, run.tail())

    def check_received(self, run, seconds):
        received = run.one("STATS")["audio-received"] / SECOND
        self.assertAlmostEqual(received, seconds, delta=0.05, msg="audio received")

    def check_finals(self, run, seconds):
        """Each once, in time order, without an overlap, within the audio"""
        end = 0
        for final in run.finals:
            start = final["running-time"]
            self.assertGreaterEqual(start, end, f"{final} overlaps the final before it")
            end = start + final["duration"]
            self.assertLessEqual(end, (seconds + 0.5) * SECOND, final)
        ids = [final["segment-id"] for final in run.finals]
        self.assertEqual(ids, sorted(set(ids)), "segment ids of finals")
        for partial in run.named("whisperlive/transcript"):
            if not partial["final"]:
                at = [final for final in run.finals if final["segment-id"] == partial["segment-id"]]
                if at:
                    self.assertLess(run.messages.index(partial), run.messages.index(at[0]), "a partial after its final")

    def check_lost(self, run):
        """What was not transcribed is told piece by piece, and adds up to the sample"""
        drained, stats = run.one("whisperlive/drained"), run.one("STATS")
        self.check_accounts(drained)
        self.check_accounts(stats)
        lost = sum(message["duration"] for message in run.named("whisperlive/audio-lost"))
        self.assertEqual(lost, drained["audio-lost"], run.tail())
        self.assertFalse(drained["complete"])

    def check_error(self, run, domain, code):
        self.assertEqual(run.exit_code, 1, run.tail())
        error = run.one("ERROR")
        self.assertEqual((error["domain"], error["code"]), (domain, code), run.tail())
        self.assertFalse(run.named("EOS"), run.tail())
