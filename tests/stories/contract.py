# contract.py: what a client can see of a server, the same with both
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each script of frames is played to a server, and what came of it is compared with what came of it when it was recorded
with a genuine one: kinds of messages and their order, fields and their types, close codes, who closes first, and after
which frame, which is all that can be said about time. The scripted server has to do the same; when WhisperLive changes,
the genuine one does not any more.

    suite.py --transport genuine -k Contract --record   records tests/data/contract.json again
"""

import datetime
import importlib.metadata
import json
import re
import statistics
import time
import uuid

from harness import Story, only
from options import options
from transports import CONTRACT, speech
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

ROUNDS = 3  # of measuring
TIMEOUT = 120  # s, for anything to come
CHUNK = speech.RATE // 10
END_OF_AUDIO = b"END_OF_AUDIO"
# of which each value is a word of the protocol
WORDS = {("message", "SERVER_READY"), ("message", "DISCONNECT"), ("status", "WAIT"), ("status", "ERROR"), ("backend", "faster_whisper")}


def shape(value, name=None, uid=None):
    """What kind of thing it is; lists are what kinds of things are in them"""
    if isinstance(value, dict):
        return {key: shape(value[key], key, uid) for key in sorted(value)}
    if isinstance(value, list):
        shapes = {json.dumps(shape(item, name, uid), sort_keys=True) for item in value}
        return [json.loads(item) for item in sorted(shapes)]
    if (name, value) in WORDS or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "UID" if value == uid else "seconds" if re.fullmatch(r"\d+\.\d{3}", value) else "text"
    return "number"


class Client:
    """One connection; log is what came, and what was sent when it made a difference"""

    def __init__(self, uri, **settings):
        self.log = []
        self.uid = str(uuid.uuid4())
        self.settings = {"uid": self.uid, "language": "en", "task": "transcribe", "model": "tiny.en", "use_vad": True, **settings}
        self.last = None
        try:
            self.websocket = connect(uri, proxy=None, open_timeout=TIMEOUT, compression=None)
        except InvalidStatus as refusal:
            self.websocket = None
            self.log.append({"http": refusal.response.status_code})

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.websocket:
            self.websocket.close()

    def send(self, *frames):
        for frame in frames:
            try:
                self.websocket.send(frame)
            except ConnectionClosed:
                return

    def shake_hands(self, *without):
        self.send(json.dumps({key: value for key, value in self.settings.items() if key not in without}))

    def say(self, pcm, size=CHUNK):
        """16-bit samples, as the float32 of the wire"""
        samples = memoryview(pcm).cast("h")
        for start in range(0, len(samples), size):
            chunk = samples[start:start + size]
            self.send(speech.array.array("f", (sample / 32768 for sample in chunk)).tobytes())

    def hear(self, enough=lambda message: False):
        """Until enough(message), or the end. The same kind again and again counts once."""
        while True:
            try:
                message = json.loads(self.websocket.recv(timeout=TIMEOUT))
            except ConnectionClosed as closed:
                received = closed.rcvd
                self.log.append({"close": received.code if received else None, "by": "server" if closed.rcvd_then_sent else "client"})
                return False
            kind = shape(message, uid=self.uid)
            if kind != self.last:
                self.log.append(kind)
            self.last = kind
            if enough(message):
                return True

    def mark(self, what):
        """What came before this came without it."""
        self.last = None
        self.log.append(what)


def is_ready(message):
    return message.get("message") == "SERVER_READY"


def has_segments(message):
    return bool(message.get("segments"))


def has_completed(message):
    return any(segment["completed"] for segment in message.get("segments", ()))


class Contract(Story):
    recorded = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recorded = json.loads(CONTRACT.read_text(encoding="utf-8")) if CONTRACT.exists() else {"scripts": {}}

    @property
    def records(self):
        return options.record and self.transport.name == "genuine"

    def record(self):
        self.recorded["server"] = f"whisper-live {importlib.metadata.version('whisper-live')}"
        self.recorded["date"] = datetime.date.today().isoformat()
        CONTRACT.write_text(json.dumps(self.recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def check(self, client):
        name = self._testMethodName.removeprefix("test_")
        if self.records:
            self.recorded["scripts"][name] = client.log
            self.record()
        self.maxDiff = None
        self.assertEqual(client.log, self.recorded["scripts"].get(name), f"recorded with {self.recorded.get('server')}")

    def client(self, server=None, **settings):
        return self.enterContext(Client((server or self.server).uri, **settings))

    def ready(self, server=None, **settings):
        client = self.client(server, **settings)
        client.shake_hands()
        self.assertTrue(client.hear(is_ready), client.log)
        return client

    def end(self, client):
        client.mark("END_OF_AUDIO")
        client.send(END_OF_AUDIO)
        client.hear()
        self.check(client)

    def pcm(self, *pieces):
        with speech.wave.open(str(self.audio(*pieces).path)) as file:
            return file.readframes(file.getnframes())

    # the handshake

    def test_ready(self):
        self.end(self.ready())

    def test_unknown_keys(self):
        self.end(self.ready(nobody_knows="this", nor=["that"]))

    def refused(self, *frames, without=()):
        client = self.client()
        if without:
            client.shake_hands(*without)
        client.send(*frames)
        if client.hear(is_ready):
            self.end(client)
        else:
            self.check(client)

    def test_no_json(self):
        self.refused("hello")

    def test_no_object(self):
        self.refused("[1]")

    def test_no_uid(self):
        self.refused(without=["uid"])

    def test_no_language(self):
        self.refused(without=["language"])

    def test_no_task(self):
        self.refused(without=["task"])

    def test_no_model(self):
        self.refused(without=["model"])

    def test_unknown_format(self):
        client = self.client(audio_format="flac")
        client.shake_hands()
        client.hear()
        self.check(client)

    # audio

    def test_speech(self):
        client = self.ready()
        client.mark("speech")
        client.say(self.pcm("speech:5"))
        client.hear(has_segments)
        self.end(client)

    def test_speech_before_ready(self):
        client = self.client()
        client.shake_hands()
        client.say(self.pcm("speech:5"))
        client.hear(has_segments)
        self.end(client)

    def test_completed(self):
        """By its sameness: no other segment follows"""
        client = self.ready(same_output_threshold=2)
        client.mark("speech")
        client.say(self.pcm("speech:5", "silence:2"))
        client.hear(has_completed)
        self.end(client)

    def test_words(self):
        client = self.ready(word_timestamps=True)
        client.mark("speech")
        client.say(self.pcm("speech:5"))
        client.hear(has_segments)
        self.end(client)

    def test_language(self):
        client = self.ready(language=None)
        client.mark("speech")
        client.say(self.pcm("speech:5"))
        client.hear(has_segments)
        self.end(client)

    def test_last_segments(self):
        """No more than one that is completed"""
        client = self.ready(send_last_n_segments=1, same_output_threshold=2)
        client.say(self.pcm("speech:5", "silence:3", "speech:2", "silence:2"))
        client.hear(lambda message: has_completed(message) and float(message["segments"][0]["start"]) > 4)
        most = max(len(kind["segments"]) for kind in client.log if "segments" in kind)
        client.log = [{"at most": most}]
        self.check(client)

    def test_too_short(self):
        """Half a second is never told"""
        client = self.ready()
        client.mark("speech")
        client.say(self.pcm("speech:5")[:speech.RATE])
        self.end(client)

    def test_silence(self):
        """Never told either, and what follows is"""
        client = self.ready()
        client.mark("silence, speech")
        client.say(self.pcm("silence:3", "speech:5"))
        client.hear(has_segments)
        self.end(client)

    def test_odd_frame(self):
        client = self.ready()
        client.mark("3 bytes")
        client.send(b"123")
        client.hear()
        self.check(client)

    def test_text_frame(self):
        client = self.ready()
        client.mark("text")
        client.send("hello")
        client.hear()
        self.check(client)

    def test_end_as_text(self):
        client = self.ready()
        client.mark("text END_OF_AUDIO")
        client.send(END_OF_AUDIO.decode())
        client.hear()
        self.check(client)

    # places and times

    def test_full(self):
        with self.own_server("--max-clients", "1") as server:
            self.ready(server)
            client = self.client(server)
            client.shake_hands()
            client.hear()
            self.check(client)

    def test_overtime(self):
        """Looked at when a frame comes"""
        with self.own_server("--max-connection-time", "0.001") as server:
            client = self.ready(server)
            client.mark("silence")
            client.say(bytes(2 * 200 * CHUNK))
            client.hear()
            self.check(client)

    def test_wrong_key(self):
        with self.own_server("--api-key", "right") as server:
            self.check(self.client(server))

    # seconds

    def first_passes(self):
        """Seconds from the handshake to SERVER_READY, and pairs: seconds of speech, seconds until there is text of it"""
        ready, passes = [], []
        for sentences in (("speech:2",), ("speech:1",), ("speech:1", "speech:5"), ("speech:3", "speech:4")) * ROUNDS:
            with Client(self.server.uri) as client:
                began = time.monotonic()
                client.shake_hands()
                self.assertTrue(client.hear(is_ready), client.log)
                ready.append(time.monotonic() - began)
                pcm = self.pcm(*sentences)
                began = time.monotonic()
                client.say(pcm, len(pcm))  # in one frame
                self.assertTrue(client.hear(has_segments), client.log)
                passes.append((len(pcm) / 2 / speech.RATE, time.monotonic() - began))
        return ready, passes

    @only("genuine", "it is what the scripted server's time is measured by")
    def test_time(self):
        """How long a pass over so much audio takes; a machine's, and so recorded, but not compared"""
        ready, passes = self.first_passes()
        factor, base = statistics.linear_regression(*zip(*passes))
        seconds = {"load-delay": statistics.median(ready), "pass-base": max(base, 0), "pass-factor": max(factor, 0)}
        self.report("; ".join(f"{name} {value:.3f} s" for name, value in seconds.items()))
        if self.records:
            self.recorded["time"] = {name: round(value, 3) for name, value in seconds.items()}
            self.record()
