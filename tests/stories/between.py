# between.py: what may stand between the element and a server: a proxy, a load balancer
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""With the real programs: tinyproxy, HAProxy."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from faults import GIVES_UP, QUICK
from harness import HERE, Story, Transcription, live, programs, transcribe
from options import options

HAPROXY_CONFIGURATION = HERE.parents[1] / "docs" / "haproxy.cfg"
USER, PASSWORD = "somebody", "hunter3-of-the-proxy"


def find(program):
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise unittest.SkipTest(f"{program} is not installed")
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


@contextlib.contextmanager
def running(command, **arguments):
    process = subprocess.Popen(command, **arguments)
    programs.add(process)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        programs.remove(process)
        if process.stdout:
            process.stdout.close()


@contextlib.contextmanager
def tinyproxy(server):
    """The address of a proxy that lets USER through to the server's port only"""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", dir=options.work, suffix=".conf") as configuration:
        configuration.write(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nLogLevel Info\n"
                            f"ConnectPort {server.port}\nBasicAuth {USER} {PASSWORD}\n")
        configuration.flush()
        with running([find("tinyproxy"), "-d", "-c", configuration.name], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if "Accepting connections" in line:
                    break
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def haproxy(*servers):
    """The address of a load balancer for them; it gets its socket from us, so clients can connect before it runs"""
    names = {f"WHISPERLIVE_{number}": f"127.0.0.1:{server.port}" for number, server in enumerate(servers, 1)}
    with socket.create_server(("127.0.0.1", 0)) as door:
        with running([find("haproxy"), "-db", "-f", HAPROXY_CONFIGURATION], pass_fds=[door.fileno()], stderr=subprocess.DEVNULL,
                     env={**os.environ, **names, "WHISPERLIVE_BIND": f"fd@{door.fileno()}"}):
            yield f"ws://127.0.0.1:{door.getsockname()[1]}"


class Proxy(Story):
    def test_tunnel(self):
        audio = self.audio("speech:1")
        with tinyproxy(self.server) as proxy:
            run = transcribe(self.server.uri, audio.path, proxy=proxy, proxy_id=USER, proxy_pw=PASSWORD)
        self.check_whole(run, audio)
        self.assertNotIn(PASSWORD, run.tail())

    def test_password_in_the_address(self):
        audio = self.audio("speech:1")
        with tinyproxy(self.server) as proxy:
            run = transcribe(self.server.uri, audio.path, proxy=proxy.replace("//", f"//{USER}:{PASSWORD}@"))
        self.check_whole(run, audio)

    def test_no_password(self):
        audio = self.audio("speech:1")
        with tinyproxy(self.server) as proxy:
            run = transcribe(self.server.uri, audio.path, proxy=proxy, **GIVES_UP)
        self.check_error(run, "resource", "not-authorized")
        self.assertEqual(run.one("STATS")["connect-attempts"], 1)

    def test_wrong_password(self):
        """tinyproxy says 401 and not 407 then, which GIO tells in words only: it is tried again"""
        audio = self.audio("speech:1")
        with tinyproxy(self.server) as proxy:
            run = transcribe(self.server.uri, audio.path, proxy=proxy, proxy_id=USER, proxy_pw=PASSWORD + "x", **GIVES_UP)
        self.check_error(run, "resource", "open-write")
        self.assertNotIn(PASSWORD, run.tail())

    def test_no_proxy_there(self):
        audio = self.audio("speech:1")
        run = transcribe(self.server.uri, audio.path, proxy=f"http://127.0.0.1:{free_port()}", **GIVES_UP)
        self.check_error(run, "resource", "open-write")


@live
class LoadBalancer(Story):
    def test_spread_and_killed(self):
        """Two sessions on two servers; then one of them dies"""
        audio = self.audio("speech")
        with self.own_server() as one, self.own_server() as two, haproxy(one, two) as uri:
            with Transcription(uri, audio.path, "--sync", **QUICK) as first:
                first.wait_state(state="ready")
                with Transcription(uri, audio.path, "--sync", **QUICK) as second:
                    second.wait_state(state="ready")
                    second.wait("whisperlive/transcript")
                    first.wait("whisperlive/transcript")
                    two.kill()
                    runs = [first.finish(), second.finish()]
        # two servers share the machine
        for run in runs:
            self.check_whole(run, audio, self.transport.worst_crowded)
        # one of them had to move; the other may have given its session up by itself, when the machine is too slow
        self.assertEqual(sorted(("ready", "waiting") in run.changes for run in runs), [False, True])
