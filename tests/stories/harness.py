# harness.py: what the stories share
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs of tests/examples/transcribe against either server, the fault proxy between them, and checks of what was heard."""

import dataclasses
import functools
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import documents
from options import options
from transports import missing_sentences, word_error_rate

HERE = Path(__file__).resolve().parent
FAULT_PROXY = HERE.parent / "support" / "fault-proxy.py"
SECOND = 1_000_000_000
DEADLINE = 120  # s, for what has to happen
# Whisper decodes up to six times over when it is not sure, which takes a busy machine tens of seconds
PATIENCE = {"drain-timeout": 120_000, "response-timeout": 90_000}

def report(line):
    print(f"    {line}", file=sys.stderr, flush=True)


# Programs that tell what they do in lines of JSON


class Programs:
    """What a story waits for, besides its server; given up together"""

    def __init__(self):
        self.running = set()
        self.given_up = False

    def add(self, process):
        self.running.add(process)
        if self.given_up:
            process.kill()

    def remove(self, process):
        self.running.remove(process)

    def give_up(self):
        self.given_up = True
        for process in list(self.running):
            process.kill()


programs = Programs()


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

    def wait(self, **fields):
        """The next message with these fields; earlier waits' messages do not come again"""
        found = self.wait_or_end(**fields)
        if not found:
            raise AssertionError(f"{fields} did not come before the end; last:\n{self.tail()}")
        return found

    def wait_or_end(self, timeout=DEADLINE, **fields):
        """None: there will be none"""
        def find():
            while self.seen < len(self.all):
                self.seen += 1
                if fields.items() <= self.all[self.seen - 1].items():
                    return self.all[self.seen - 1]
            return None

        with self.news:
            found = self.news.wait_for(lambda: find() or self.ended, timeout)
        if not found:
            raise AssertionError(f"{fields} did not come within {timeout} s; last:\n{self.tail()}")
        return found if isinstance(found, dict) else None

    def tail(self):
        return "\n".join(json.dumps(message) for message in self.all[-8:])


class FaultProxy:
    """fault-proxy.py in front of a server"""

    def __init__(self, server):
        self.process = subprocess.Popen(
            [sys.executable, FAULT_PROXY, "--to", str(server.port), "--seed", str(options.seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        programs.add(self.process)
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
        programs.remove(self.process)
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

    def script(self):
        """What was said when, and of the session and of losses: tells text that the model left out from audio that got lost"""
        lines = []
        for message in self.messages:
            at = message.get("running-time", 0) / SECOND
            if message["name"] == "whisperlive/transcript" and message["final"]:
                lines.append(f"{at:.2f}-{at + message['duration'] / SECOND:.2f} {message['text']}")
            elif message["name"] == "whisperlive/state":
                lines.append(f"    {message['state']}: {message['reason']}")
            elif message["name"] in ("whisperlive/audio-lost", "WARNING"):
                lines.append(f"    {message}")
        return "\n".join(["", *lines])

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
        programs.add(self.process)
        self.messages = Messages(self.process.stdout)

    def __enter__(self):
        return self

    def wait(self, name, **fields):
        return self.messages.wait(name=name, **fields)

    def wait_state(self, **fields):
        return self.wait("whisperlive/state", **fields)

    def wait_finals(self, count):
        """FALSE: it has ended before there were so many more"""
        for _ in range(count):
            if not self.messages.wait_or_end(name="whisperlive/transcript", final=True):
                return False
        return True

    @property
    def age(self):
        return time.monotonic() - self.started

    def play_until(self, moment):
        """Lets it go on until it has been there for so many seconds"""
        if not self.lasts(moment - self.age):
            raise AssertionError(f"transcribe ended before {moment:.1f} s; {self.finish().tail()}")

    def lasts(self, seconds):
        try:
            self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return True
        return False

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
        for message in self.messages.all:
            documents.check(message)
        return Run(self.process.returncode, self.messages.all, self.stderr.read() + late, self.age)

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        programs.remove(self.process)
        self.messages.reader.join()
        self.process.stdout.close()
        self.stderr.close()


def transcribe(uri, path, *arguments, timeout=DEADLINE, **properties):
    with Transcription(uri, path, *arguments, **properties) as transcription:
        return transcription.finish(timeout)


# Stories


def only(name, why):
    """A story, or all of a class, that this transport alone can tell"""
    def mark(story):
        story.only = name, why
        return story

    return mark


def live(story):
    """A story, or all of a class, that takes as long as the speech in it, and mostly waits"""
    story.is_live = True
    return story


def not_by_default(story):
    """With --all"""
    story.is_extra = True
    return story


class Story(unittest.TestCase):
    """suite.py makes a class of each for each transport"""

    transport = None
    server_arguments = None  # None: the server that many share

    @classmethod
    def setUpClass(cls):
        if cls.server_arguments is None:
            cls.server = cls.transport.shared
        else:
            cls.server = cls.enterClassContext(cls.transport.server(*cls.server_arguments))

    def setUp(self):
        self.deaths = []
        programs.given_up = False
        # the story before may have killed it
        self.server.start()
        self.mind(self.server)

    def tearDown(self):
        self.server.on_death = None
        if self.deaths:
            self.fail("\n".join(self.deaths))

    def mind(self, server):
        """When it is ended by somebody else, this story ends at once, and not when its patience does"""
        server.on_death = self.give_up
        return server

    def give_up(self, why):
        self.deaths.append(why)
        programs.give_up()

    def own_server(self, *arguments):
        return self.mind(self.transport.server(*arguments))

    def audio(self, *pieces):
        return self.transport.audio(*pieces)

    def report(self, line):
        report(f"{self.transport.name}: {line}")

    def check_accounts(self, counts):
        self.assertEqual(counts["audio-received"], counts["audio-settled"] + counts["audio-lost"], counts)

    def check_ended_well(self, run, complete=True, silent=()):
        """The end of every run that has no error: EOS, drained, accounted for to the sample

        @silent: warnings that the server has said nothing for 45 s, where that can be
        """
        self.assertEqual(run.exit_code, 0, run.tail())
        self.assertFalse(run.named("ERROR"), run.tail())
        late = [warning for warning in run.named("WARNING") if warning["code"] == "busy"]
        if late:
            # true, where a machine has more to do than a server that keeps up
            self.report(f"a machine that is too slow: {late[-1]['message']}")
        self.assertEqual([warning for warning in run.named("WARNING") if warning not in silent], late, run.tail())
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

    def check_whole(self, run, audio, worst=None):
        """All of it, once, in order"""
        self.check_ended_well(run)
        self.check_received(run, audio.seconds)
        self.check_finals(run, audio.seconds)
        rate = self.check_text(run, audio, self.transport.get_worst(audio) if worst is None else worst)
        self.assertEqual(len(run.sessions), len(set(run.sessions)), "session ids")
        self.assertEqual(run.one("STATS")["sessions"], len(run.sessions))
        return rate

    def check_text(self, run, audio, worst):
        heard = self.transport.join(run.text)
        self.assertEqual(missing_sentences(audio.sentences, heard), [], run.script())
        rate = word_error_rate(audio.text, heard)
        self.assertLessEqual(rate, worst, run.script())
        return rate

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
        done = set()
        for transcript in run.named("whisperlive/transcript"):
            self.assertNotIn(transcript["segment-id"], done, "an update after its final")
            if transcript["final"]:
                done.add(transcript["segment-id"])

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
