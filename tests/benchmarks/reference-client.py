#!/usr/bin/env python3
# reference-client.py: a session of WhisperLive's own client, at the pace of the audio, as it does
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints lines of JSON as benchmark-session does. With --file, it is TranscriptionClient, which plays a file, and waits at its end;
else StreamingTranscriptionClient, for live audio, which is pushed as a microphone would have it."""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import types
import urllib.parse
import wave

RATE = 16000

# WhisperLive's client talks on stdout
out = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


class NoSound:
    """PyAudio, where there are neither a microphone nor a loudspeaker; no other part of it is called"""

    def open(self, **arguments):
        raise OSError("there is no sound")


sys.modules["pyaudio"] = types.SimpleNamespace(PyAudio=NoSound, paInt16=8)

from whisper_live import client as whisper_live  # noqa: E402


def say(**fields):
    print(json.dumps(fields), file=out)


def cpu_time():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def most_resident():
    """KiB; as session.c has it"""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def play_file(server, arguments):
    began = []
    genuine_send = whisper_live.Client.send_packet_to_server

    def send(self, message):
        began.append(time.monotonic())
        genuine_send(self, message)

    # the one look at when the first sample goes
    whisper_live.Client.send_packet_to_server = send
    with tempfile.TemporaryDirectory() as folder:
        # it writes files beside those that it reads
        os.chdir(folder)
        copy = os.path.join(folder, "audio.wav")
        os.symlink(arguments.file, copy)
        client = whisper_live.TranscriptionClient(
            server.hostname, server.port, lang="en", model="tiny.en", log_transcription=False, mute_audio_playback=True,
            output_transcription_path=os.path.join(folder, "output.srt"))
        text = client(copy)
        say(name="played", seconds=time.monotonic() - began[0], text=text)


def stream(server, arguments):
    with wave.open(arguments.file) as file:
        audio = file.readframes(file.getnframes())
    began = None

    def hear(text, final):
        if not arguments.quiet:
            say(name="message", at=time.monotonic() - began, message={"text": text, "final": final})

    client = whisper_live.StreamingTranscriptionClient(
        server.hostname, server.port, lang="en", model="tiny.en", on_partial_transcript=lambda text, _: hear(text, False),
        on_committed_transcript=lambda text, _: hear(text, True))
    piece = arguments.piece * RATE // 1000 * 2
    with client:
        began, cpu = time.monotonic(), cpu_time()
        for i in range(0, len(audio), piece):
            due = began + min(i + piece, len(audio)) / 2 / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            client.send(audio[i:i + piece])
        cpu = cpu_time() - cpu
    say(name="usage", cpu=cpu, audio=len(audio) / 2 / RATE, resident=most_resident(),
        seconds=time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--file", dest="play", action="store_true", help="TranscriptionClient")
    parser.add_argument("--piece", type=int, default=100, metavar="MS", help="what is pushed at a time (100)")
    parser.add_argument("--quiet", action="store_true", help="nothing but the usage")
    parser.add_argument("file", metavar="FILE.wav")
    arguments = parser.parse_args()
    (play_file if arguments.play else stream)(urllib.parse.urlsplit(arguments.uri), arguments)


if __name__ == "__main__":
    main()
