#!/usr/bin/env python3
# record-trace.py: records a session with a WhisperLive server as a JSON-lines trace for the unit tests
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends speech to a WhisperLive server and records what went over the wire, with times.

Pieces of audio are named as speech.py names them: WAV files (16 kHz mono), "librivox", "cards:N", "silence:SECONDS".
tests/data/README.md describes the format and how the traces there were recorded.
"""

import argparse
import array
import asyncio
import contextlib
import datetime
import importlib.metadata
import json
import time
import uuid

import speech
import websockets

RATE = speech.RATE
WINDOW = 14.0  # s of audio that no completed segment covers, at most, when paced
STALL = 3.0  # s without a completed segment after which the paced sender goes on at real time
HELD, TRIM = 45.0, 30.0  # s that the server holds, and that it drops, transcribed or not, when it holds more
MERGE = 1.0  # s of audio that one "send" line stands for, at most
TAIL = 1.0  # s of silence after the last sample
DRAIN_MESSAGES = 2
DRAIN_TIMEOUT = 15.0


class Trace:
    """The lines, with runs of sent audio merged"""

    def __init__(self):
        self.lines = []
        self.start = time.monotonic()

    def now(self):
        return round(time.monotonic() - self.start, 4)

    def add(self, **fields):
        self.lines.append({"t": self.now(), **fields})

    def add_audio(self, samples):
        last = self.lines[-1] if self.lines else {}
        if "samples" in last and last["samples"] + samples <= MERGE * RATE:
            last["samples"] += samples
            last["t"] = self.now()
        else:
            self.add(dir="send", samples=samples)

    def write(self, path, header):
        with open(path, "w", encoding="utf-8") as file:
            for line in [header, *self.lines]:
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


class Recorder:
    def __init__(self, arguments):
        self.arguments = arguments
        self.options = {
            "uid": str(uuid.uuid4()), "language": "en", "task": "transcribe", "model": "tiny.en", "use_vad": True,
            "send_last_n_segments": 50, "no_speech_thresh": 0.45, "clip_audio": False, "same_output_threshold": 10,
        }
        for option in arguments.option:
            key, _, value = option.partition("=")
            try:
                self.options[key] = json.loads(value)
            except json.JSONDecodeError:
                self.options[key] = value
        self.trace = Trace()
        self.ready = asyncio.Event()
        self.news = asyncio.Event()
        self.closed = False
        self.messages = 0  # with segments
        self.covered = 0.0  # s that completed segments reach to
        self.covered_at = 0.0
        self.sent = 0

    async def receive(self, websocket):
        try:
            async for text in websocket:
                self.trace.add(dir="recv", text=text)
                self.take(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        self.trace.add(dir="close", code=websocket.close_code)
        self.closed = True
        self.ready.set()
        self.news.set()

    def take(self, message):
        if message.get("message") == "SERVER_READY":
            self.ready.set()
        if "segments" in message:
            self.messages += 1
            ends = [float(segment["end"]) for segment in message["segments"] if segment.get("completed")]
            if ends and max(ends) > self.covered:
                self.covered, self.covered_at = max(ends), time.monotonic()
        self.news.set()

    async def wait_for_news(self, timeout):
        self.news.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.news.wait(), timeout)

    def safe(self):
        """Audio sent from here on would push out of the server's buffer what no completed segment covers"""
        return self.sent / RATE < HELD - 0.5 + TRIM * (self.covered // TRIM)

    async def pace(self, started):
        """Waits until the next chunk may go"""
        if self.arguments.speed > 0:
            due = started + self.sent / RATE / self.arguments.speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            return
        await asyncio.sleep(0)
        while not self.closed and self.sent / RATE - self.covered > WINDOW:
            stalled = time.monotonic() - max(self.covered_at, started)
            if stalled > STALL and (self.safe() or stalled > DRAIN_TIMEOUT):
                await asyncio.sleep(self.arguments.chunk / 1000)
                return
            await self.wait_for_news(max(STALL - stalled, 0.1))

    async def send(self, websocket, samples):
        step = RATE * self.arguments.chunk // 1000
        started = time.monotonic()
        for offset in range(0, len(samples), step):
            await self.pace(started)
            if self.closed:
                return
            chunk = samples[offset:offset + step]
            with contextlib.suppress(websockets.ConnectionClosed):
                await websocket.send(chunk.tobytes())
                self.sent += len(chunk)
                self.trace.add_audio(len(chunk))

    async def drain(self):
        enough = self.messages + DRAIN_MESSAGES
        until = time.monotonic() + DRAIN_TIMEOUT
        while not self.closed and self.messages < enough and time.monotonic() < until:
            await self.wait_for_news(until - time.monotonic())

    async def occupy(self, stack):
        """Takes places on the server, so that it is full"""
        for _ in range(self.arguments.occupy):
            websocket = await stack.enter_async_context(websockets.connect(self.arguments.uri, proxy=None))
            await websocket.send(json.dumps({**self.options, "uid": str(uuid.uuid4())}))
            await websocket.recv()

    async def run(self):
        pcm, reference = speech.load(*self.arguments.audio)
        samples = array.array("f", (sample / 32768 for sample in array.array("h", pcm + bytes(2 * int(TAIL * RATE)))))
        async with contextlib.AsyncExitStack() as stack:
            await self.occupy(stack)
            websocket = await stack.enter_async_context(
                websockets.connect(self.arguments.uri, proxy=None, compression=None, max_size=None))
            self.trace.start = time.monotonic()
            text = json.dumps(self.options)
            await websocket.send(text)
            self.trace.add(dir="send", text=text)
            receiver = asyncio.create_task(self.receive(websocket))
            await self.ready.wait()
            await self.send(websocket, samples)
            await self.drain()
            if not self.closed:
                await websocket.send(b"END_OF_AUDIO")
                self.trace.add(dir="send", text="END_OF_AUDIO")
            await receiver
        self.trace.write(self.arguments.output, {
            "trace": 1, "server": f"whisper-live {importlib.metadata.version('whisper-live')}", "model": "tiny.en",
            "date": datetime.date.today().isoformat(),
            "audio": f"{' + '.join(self.arguments.audio)}, {len(pcm) / 2 / RATE:.3f} s, then {TAIL:g} s of silence, "
                     + ("paced" if self.arguments.speed == 0 else f"{self.arguments.speed:g} times real time"),
            "reference": reference, "options": self.options,
        })


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", metavar="PIECE")
    parser.add_argument("--uri", required=True)
    parser.add_argument("-o", "--output", required=True, metavar="TRACE")
    parser.add_argument("--speed", type=float, default=1.0, help="1 is real time; 0 goes by completed segments")
    parser.add_argument("--chunk", type=int, default=100, metavar="MS", help="audio per message")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of the handshake; JSON or text")
    parser.add_argument("--occupy", type=int, default=0, metavar="N", help="take N places on the server first")
    asyncio.run(Recorder(parser.parse_args()).run())


if __name__ == "__main__":
    main()
