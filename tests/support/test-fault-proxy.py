#!/usr/bin/env python3
# test-fault-proxy.py: fault-proxy.py does what it is told, to connections with a plain echo server
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing here waits for time to pass: what is held back is let go, and what was asked for is compared."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

PROXY = Path(__file__).resolve().parent / "fault-proxy.py"
DEADLINE = 30  # s, for what has to come
HEAD = b"GET / HTTP/1.1\r\n\r\n"


def frame(opcode, payload):
    """As a client sends it: masked"""
    mask = b"\x11\x22\x33\x44"
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    if len(payload) < 126:
        return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked
    return bytes([0x80 | opcode, 0xfe]) + len(payload).to_bytes(2, "big") + mask + masked


class Echo:
    """Echoes; tells the sizes of what it reads at once, and how each connection ended"""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sizes = []
        self.ends = []
        self.ended = threading.Condition()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        end = "eof"
        try:
            while data := connection.recv(65536):
                self.sizes.append(len(data))
                connection.sendall(data)
        except ConnectionError:
            end = "reset"
        connection.close()
        with self.ended:
            self.ends.append(end)
            self.ended.notify_all()

    def wait_end(self):
        with self.ended:
            if not self.ended.wait_for(lambda: self.ends, DEADLINE):
                raise AssertionError("the connection to the server did not end")
        return self.ends[0]

    def close(self):
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)  # accept() returns
            self.listener.close()


class Proxy:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, PROXY, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.port = self.wait("listening")["port"]

    def wait(self, event, **fields):
        for line in self.process.stdout:  # meson's time limit is the deadline
            message = json.loads(line)
            if message["event"] == event and fields.items() <= message.items():
                return message
        raise AssertionError(f"the proxy ended without {event} {fields}")

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command):
        self.say(command)
        self.wait("done", command=command)

    def end(self):
        """The end of its commands is its own"""
        self.process.communicate(timeout=DEADLINE)
        return self.process.returncode


class FaultProxy(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        self.proxy = Proxy("--to", str(self.echo.port), "--seed", "7")
        self.addCleanup(lambda: self.assertEqual(self.proxy.end(), 0))

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.proxy.port), DEADLINE)
        self.addCleanup(client.close)
        return client

    def receive(self, client, size):
        data = b""
        while len(data) < size:
            some = client.recv(size - len(data))
            self.assertTrue(some, f"the connection ended after {len(data)} of {size} bytes")
            data += some
        return data

    def echoed(self, client, data):
        client.sendall(data)
        self.assertEqual(self.receive(client, len(data)), data)

    def assert_reset(self, client):
        with self.assertRaises(ConnectionError):
            while client.recv(65536):
                pass
            self.fail("the connection was closed, not reset")

    def test_forwards(self):
        client, data = self.connect(), os.urandom(300_000)
        threading.Thread(target=client.sendall, args=(data,), daemon=True).start()
        self.assertEqual(self.receive(client, len(data)), data)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1), b"")
        self.assertEqual(self.echo.wait_end(), "eof")
        closed = self.proxy.wait("closed")
        self.assertEqual((closed["up"], closed["down"]), (len(data), len(data)))

    def test_seed(self):
        listening = subprocess.run([sys.executable, PROXY, "--to", "1", "--seed", "7"], input="", capture_output=True,
                                   text=True, timeout=DEADLINE).stdout
        self.assertEqual(json.loads(listening)["seed"], 7)

    def test_latency(self):
        client = self.connect()
        self.proxy.do("latency 150 50")
        started = time.monotonic()
        self.echoed(client, b"there and back")
        self.assertGreaterEqual(time.monotonic() - started, 0.3)
        # jitter never changes the order
        for i in range(200):
            client.sendall(b"%03d" % i)
        self.assertEqual(self.receive(client, 600), b"".join(b"%03d" % i for i in range(200)))

    def test_bandwidth(self):
        client = self.connect()
        self.proxy.do("bandwidth 20000")
        started = time.monotonic()
        self.echoed(client, bytes(10_000))
        self.assertGreaterEqual(time.monotonic() - started, 0.4)

    def test_slice(self):
        client = self.connect()
        self.proxy.do("slice 3")
        until = time.monotonic() + DEADLINE
        # pieces that come while the server does something else are one piece when it reads
        while not self.echo.sizes or min(self.echo.sizes) == 100:
            self.assertLess(time.monotonic(), until, "whatever came, came in one piece")
            self.echoed(client, bytes(100))

    def test_stall(self):
        self.proxy.do("watch")
        held = frame(1, b"held")
        for command, read in ("stall up", "up"), ("stall down", "down"), ("stall", "up"):
            with self.subTest(command):
                client = self.connect()
                self.echoed(client, HEAD)
                before = sum(self.echo.sizes)
                self.proxy.do(command)
                client.sendall(held)
                self.proxy.wait("passes", direction=read, text="held")
                self.proxy.do("watch")  # it would have been forwarded before this is answered
                client.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    client.recv(1)
                client.settimeout(DEADLINE)
                self.assertEqual(sum(self.echo.sizes) - before, len(held) if read == "down" else 0)
                self.proxy.do("go")
                self.assertEqual(self.receive(client, len(held)), held)

    def test_reset(self):
        client = self.connect()
        self.echoed(client, b"before")
        self.proxy.do("reset")
        self.assert_reset(client)
        self.assertEqual(self.echo.wait_end(), "reset")
        self.echoed(self.connect(), b"a new one works")

    def test_reset_while_stalled(self):
        client = self.connect()
        self.echoed(client, b"before")
        self.proxy.do("stall")
        client.sendall(b"held")
        self.proxy.do("reset")
        self.assert_reset(client)
        self.proxy.wait("closed")

    def test_cut(self):
        for direction, other in ("up", "down"), ("down", "up"):
            with self.subTest(direction):
                self.proxy.do(f"cut {direction} 1000")
                client = self.connect()
                self.echoed(client, bytes(999))
                client.sendall(bytes(500))
                self.assert_reset(client)
                closed = self.proxy.wait("closed")
                self.assertEqual(closed[direction], 1000)
                self.assertGreaterEqual(closed[other], 999)
                self.proxy.do("go")
                self.echoed(self.connect(), bytes(2000))

    def test_blackhole(self):
        old = self.connect()
        self.echoed(old, HEAD)
        self.proxy.do("watch")
        self.proxy.do("blackhole")
        old.sendall(frame(1, b"swallowed"))
        self.proxy.wait("passes", direction="up", text="swallowed")
        new = self.connect()
        new.sendall(HEAD)
        self.proxy.wait("accepted", connection=2)
        self.proxy.do("go")
        self.assert_reset(old)
        self.assert_reset(new)
        self.assertEqual(sum(self.echo.sizes), len(HEAD))
        self.echoed(self.connect(), b"a new one works")

    def test_refuse(self):
        old = self.connect()
        self.echoed(old, b"before")
        self.proxy.do("refuse")
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.echoed(old, b"after")
        self.proxy.do("go")
        self.echoed(self.connect(), b"a new one works")

    def test_no_server(self):
        self.echo.close()
        with self.assertRaises(ConnectionError):  # while it connects, or after that
            self.connect().recv(1)

    def test_before(self):
        client = self.connect()
        self.proxy.do("before up END_OF_AUDIO reset")
        self.echoed(client, HEAD + frame(2, bytes(6400)))
        self.echoed(client, frame(9, b"") + frame(1, b"END OF AUDIO"))
        forwarded = sum(self.echo.sizes)
        client.sendall(frame(2, b"END_OF_AUDIO"))
        self.assert_reset(client)
        self.assertEqual(sum(self.echo.sizes), forwarded)

    def test_after(self):
        client = self.connect()
        self.proxy.do("after down CLOSE reset")
        self.echoed(client, HEAD)
        closing = frame(8, (1000).to_bytes(2, "big"))
        client.sendall(closing[:3])  # a frame may come in pieces
        self.proxy.do("slice 1")
        client.sendall(closing[3:])
        self.assert_reset(client)
        self.assertEqual(self.proxy.wait("closed")["down"], len(HEAD + closing))

    def test_watch(self):
        client = self.connect()
        self.proxy.do("watch")
        sent = {HEAD: "GET / HTTP/1.1", frame(1, "Grüße".encode()): "Grüße", frame(2, bytes(6400)): "BINARY 6400",
                frame(2, b"END_OF_AUDIO"): "END_OF_AUDIO", frame(9, b"1"): "PING", frame(10, b"1"): "PONG",
                frame(8, b""): "CLOSE", frame(8, (1011).to_bytes(2, "big")): "CLOSE 1011"}
        for data, text in sent.items():
            self.echoed(client, data)
            self.proxy.wait("passes", connection=1, direction="up", text=text)
            self.proxy.wait("passes", connection=1, direction="down", text=text)

    def test_wrong_commands(self):
        for command in "nonsense", "latency", "latency x", "stall sideways", "cut up", "before up", "after x GET reset":
            self.proxy.say(command)
            self.assertTrue(self.proxy.wait("error", command=command)["message"])
        self.echoed(self.connect(), b"and it still works")


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    # as Check says it, for scripts/count-results.py
    print(f"Checks: {result.testsRun}, Failures: {len(result.failures)}, Errors: {len(result.errors)}")
    sys.exit(not result.wasSuccessful())
