# transports.py: the two servers that a story runs against, and what can be said to them
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A genuine WhisperLive that is spoken to, and the scripted server, whose speech is tones (tests/support/spoken-words.h).

Both are processes with the same options, so that a story can kill, freeze and start either. Speech is made of five
sentences: "speech" are all of them, "speech:N" is one; "silence:SECONDS", "noise:SECONDS" and "music:SECONDS" are none.
"""

import array
import dataclasses
import functools
import json
import math
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENUINE = HERE.parent / "genuine"
LONG = 200  # words
CONTRACT = HERE.parent / "data" / "contract.json"  # what genuine servers do, and how long it takes them
sys.path.insert(0, str(GENUINE))

import jiwer  # noqa: E402
import speech  # noqa: E402
from options import options  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Audio:
    path: Path
    sentences: tuple  # what is said in it
    seconds: float

    @property
    def text(self):
        return " ".join(self.sentences)


class Server:
    """A server on a port of its own, gone when the context ends"""

    def __init__(self, command, *arguments):
        self.command = command
        self.arguments = arguments
        self.port = 0
        self.process = None
        self.log = None
        self.watcher = None
        self.ending = False  # by us
        self.on_death = None  # of anybody else's doing; called on a thread

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
        self.ending = False
        self.process = subprocess.Popen([*self.command, "--port", str(self.port), *self.arguments, *arguments],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        readable, _, _ = select.select([self.process.stdout], [], [], 180)
        line = self.process.stdout.readline() if readable else ""
        if not line.startswith("READY "):
            last_words = self.last_words()
            self.__exit__()
            raise RuntimeError(f"{self.command[-1]} did not start; its last words: {last_words}")
        self.port = int(line.rpartition(":")[2])
        self.watcher = threading.Thread(target=self.watch, args=[os.pidfd_open(self.process.pid)])
        self.watcher.start()

    def last_words(self):
        return Path(self.log.name).read_text(encoding="utf-8", errors="replace")[-2000:]

    def watch(self, pidfd):
        select.select([pidfd], [], [])
        os.close(pidfd)
        if not self.ending and self.on_death:
            self.on_death(f"the server at {self.uri} has ended, and no story has ended it; its last words: "
                          + self.last_words()[-500:])

    def kill(self):
        self.ending = True
        self.process.kill()
        self.process.wait()
        self.watcher.join()
        self.process.stdout.close()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def __exit__(self, *exception):
        self.ending = True
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.command[-1]} did not end on SIGTERM") from None
        finally:
            if self.watcher:
                self.watcher.join()
            self.process.stdout.close()
            self.log.close()


class Transport:
    name = None
    # word error rates, at most: of a long text; of each of many runs of the main job, and their median; where there is not enough time for all
    worst, worst_run, worst_median, worst_crowded = 0, 0, 0, 0
    grace = 0  # words more, in a text that is short
    slow = ()  # a server's arguments, for stories in which there shall be time for faults
    long = 1  # times the speech, where a story is about a long one
    stack = None  # suite.py's

    def __init__(self):
        self.lock = threading.Lock()
        self.made = functools.cache(self.make)

    def server(self, *arguments):
        return Server(self.command(), *arguments)

    @functools.cached_property
    def shared(self):
        """For all stories that do not need their own, until suite.py ends"""
        return self.stack.enter_context(self.server("--max-clients", "20"))

    def audio(self, *pieces):
        with self.lock:
            return self.made(*pieces)

    def get_worst(self, audio):
        words = len(normalise(audio.text).split())
        return self.worst + (self.grace / words if words < LONG else 0)

    @staticmethod
    def join(text):
        """What was heard, without what is nobody's fault"""
        return text

    def write(self, pieces, samples, sentences):
        path = options.work / f"{self.name}-{len(pieces)}-{'+'.join(pieces)[:100]}.wav"
        speech.write(path, samples)
        return Audio(path, tuple(sentences), len(samples) / 2 / speech.RATE)


class Genuine(Transport):
    """LibriVox, and Whisper tiny.en: a word in ten may be wrong"""

    name = "genuine"
    worst, worst_run, worst_median, worst_crowded = 0.08, 0.07, 0.05, 0.15
    grace = 2
    long = 3

    def command(self):
        return [sys.executable, GENUINE / "server.py"]

    def make(self, *pieces):
        samples, sentences = bytearray(), []
        for piece in pieces:
            numbers = range(1, 6) if piece == "speech" else [int(piece[7:])] if piece.startswith("speech:") else []
            for name in [f"librivox:{number}" for number in numbers] or [piece]:
                more, text = speech.load(name)
                samples += more
                sentences += [text] if text else []
        return self.write(pieces, samples, sentences)


class Scripted(Transport):
    """Words that cannot be misheard, of which 300 are known"""

    name = "scripted"
    slow = ("--pass-base", "0.1")
    WORDS = (14, 6, 10, 12, 5)  # of each sentence; a word lasts 0.5 s, and a segment is five of them at most

    def command(self):
        return [options.scripted, "--seed", str(options.seed % (1 << 31))]

    @staticmethod
    def lifelike():
        """Arguments of a server that takes as long as the genuine one when it was recorded"""
        recorded = json.loads(CONTRACT.read_text(encoding="utf-8"))
        return tuple(f"--{name}={seconds}" for name, seconds in recorded["time"].items())

    KNOWN = 300

    @staticmethod
    def join(text):
        """A line that stalls in mid-word leaves the server with the first piece until it is final, and then comes the rest"""
        return re.sub(r"\b(w\d+)- \1-", r"\1", text)

    @staticmethod
    @functools.cache
    def tone(frequency, seconds):
        """The rest of the half second is silent, and its edges are soft, as spoken-words.c has them"""
        ramp, count = 80, int(seconds * speech.RATE)
        samples = array.array("h", bytes(2 * int((seconds + 0.1) * speech.RATE)))
        for i in range(count):
            gain = 0.4 * min(1.0, i / ramp, (count - i) / ramp)
            samples[i] = round(32767 * gain * math.sin(2 * math.pi * frequency * i / speech.RATE))
        if sys.byteorder == "big":
            samples.byteswap()
        return samples.tobytes()

    def make(self, *pieces):
        samples, sentences, spoken = bytearray(), [], 0
        for piece in pieces:
            kind, _, argument = piece.partition(":")
            if kind == "speech":
                for count in [self.WORDS[int(argument) - 1]] if argument else self.WORDS:
                    words = [(spoken + i) % self.KNOWN + 1 for i in range(count)]
                    spoken += count
                    samples += b"".join(self.tone(100 + 10 * word, 0.4) for word in words)
                    sentences.append(" ".join(f"w{word}" for word in words))
            elif kind == "silence":
                samples += bytes(2 * int(float(argument) * speech.RATE))
            else:
                # a hiss, above every word
                samples += self.tone(5000, float(argument) - 0.1)
        return self.write(pieces, samples, sentences)


TRANSPORTS = {transport.name: transport for transport in (Genuine(), Scripted())}


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
