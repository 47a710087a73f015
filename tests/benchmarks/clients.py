# clients.py: sessions of each client, and what was heard in them
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

from options import options

HERE = Path(__file__).resolve().parent
PATIENCE = 180  # s, for what takes no longer than the audio otherwise


def run(*command, timeout=PATIENCE):
    """What it printed. It ends with this process, whatever ends that"""
    done = subprocess.run(["setpriv", "--pdeathsig", "TERM", *map(str, command)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def program(name):
    return options.build / "tests" / "benchmarks" / f"benchmark-{name}"


def run_python(name, *arguments, timeout=PATIENCE):
    return run(sys.executable, HERE / name, *arguments, timeout=timeout)


@dataclasses.dataclass
class Session:
    heard: list  # (seconds since the first sample, is it final, text)
    usage: dict

    @property
    def text(self):
        return " ".join(text for _, final, text in self.heard if final)

    @property
    def shown(self):
        """What stands there at the end"""
        return self.text if not self.heard or self.heard[-1][1] else f"{self.text} {self.heard[-1][2]}"


def read_segments(messages):
    """What a server's messages say; the completed segments of each are repeated in the next"""
    seen = set()
    for message in messages:
        for segment in message["message"].get("segments", ()):
            final, text = segment.get("completed", False), segment["text"].strip()
            key = segment["start"], segment["end"], text
            if not final or key not in seen:
                yield message["at"], final, text
            if final:
                seen.add(key)


def session(client, uri, audio, piece=100, quiet=False):
    """Of the reference client, or of one of session.c's, at the pace of the audio; @piece: what is pushed at a time, in ms"""
    arguments = ["--uri", uri, "--piece", piece, *(["--quiet"] if quiet else []), audio.path]
    timeout = audio.seconds + PATIENCE
    if client == "reference":
        output = run_python("reference-client.py", *arguments, timeout=timeout)
    else:
        output = run(program("session"), "--client", client, *arguments, timeout=timeout)
    lines = [json.loads(line) for line in output.splitlines()]
    messages = [line for line in lines if line["name"] == "message"]
    if client == "bare":
        heard = list(read_segments(messages))
    else:
        heard = [(line["at"], line["message"]["final"], line["message"]["text"].strip()) for line in messages]
    return Session(heard, lines[-1])


def offline(audio, *arguments):
    return json.loads(run_python("offline.py", *arguments, audio.path, timeout=audio.seconds + PATIENCE))
