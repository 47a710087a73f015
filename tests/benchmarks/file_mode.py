# file_mode.py: a file to a genuine server: how fast, how right, and whether the end is there
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import math
import random
import re

import clients
from figures import median, show, table
from harness import PATIENCE, transcribe
from options import options
from transports import TRANSPORTS, normalise, word_error_rate

LAST = 3  # words
# what gst-launch-1.0 prints: of tags, and from PLAYING, when the server is ready, to EOS
TAG = re.compile(r"^\s*transcript: (.*)$", re.MULTILINE)
TOOK = re.compile(r"^Execution ended after (\d+):(\d+):([\d.]+)$", re.MULTILINE)


def by_application(uri, audio):
    run = transcribe(uri, audio.path, timeout=audio.seconds * 4 + clients.PATIENCE)
    if run.exit_code:
        raise RuntimeError(run.tail())
    return run.one("EOS")["wall"], run.text


def by_launch(uri, audio):
    output = clients.run("gst-launch-1.0", "-t", "filesrc", f"location={audio.path}", "!", "decodebin", "!", "whisperlivesink",
                         f"uri={uri}", "language-code=en", "model=tiny.en",
                         *(f"{name}={value}" for name, value in PATIENCE.items()),
                         timeout=audio.seconds * 4 + clients.PATIENCE)
    hours, minutes, seconds = TOOK.search(output).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds), " ".join(TAG.findall(output))


def by_reference(uri, audio):
    played = clients.json.loads(clients.run_python("reference-client.py", "--uri", uri, "--file", audio.path,
                                                   timeout=audio.seconds * 2 + clients.PATIENCE))
    return played["seconds"], played["text"]


def by_streaming_reference(uri, audio):
    session = clients.session("reference", uri, audio, piece=256)
    return session.usage["seconds"], session.text


def by_nobody(uri, audio):
    done = clients.offline(audio)
    return done["seconds"], done["text"]


WAYS = {
    "whisperlivesink, application": by_application,
    "whisperlivesink, gst-launch-1.0": by_launch,
    "reference, TranscriptionClient (1×)": by_reference,
    "reference, StreamingTranscriptionClient (1×)": by_streaming_reference,
    "faster-whisper, no server": by_nobody,
}


def describe(audio, seconds, text):
    heard = normalise(text).split()
    return {
        "seconds": seconds,
        "speed": audio.seconds / seconds,
        "wer": word_error_rate(audio.text, text),
        "end": heard[-LAST:] == normalise(audio.text).split()[-LAST:],
        "text": text,
    }


def in_order(number, rounds):
    """All sentences so many times. What comes of a pass depends on what lies before its end: each run has an order of its
    own, the first one that of the corpus"""
    chance, order = random.Random(number), []
    for _ in range(rounds):
        some = list(range(1, 6))
        while number and (some[0] in order[-1:] or some == sorted(some)):
            chance.shuffle(some)
        order += some
    return [f"speech:{sentence}" for sentence in order]


def measure():
    genuine = TRANSPORTS["genuine"]
    minute = genuine.audio("speech").seconds / 60
    rounds = math.ceil(options.minutes / minute) if options.minutes else 3
    runs, seconds = {way: [] for way in WAYS}, 0
    for number in range(options.runs):
        audio = genuine.audio("speech:1") if options.quick else genuine.audio(*in_order(number, rounds))
        seconds = audio.seconds
        for way, transcribe_it in WAYS.items():
            options.say(f"file: run {number + 1} of {options.runs}: {way}")
            runs[way].append(describe(audio, *transcribe_it(genuine.shared.uri, audio)))
    return {"audio": seconds, "runs": runs}


def show_result(result):
    alone = [run["speed"] for run in result["runs"]["faster-whisper, no server"]]

    def row(way, runs):
        speeds, errors = [run["speed"] for run in runs], [run["wer"] for run in runs]
        return [way, show(median(speeds), ".1f"), f"{min(speeds):.1f}–{max(speeds):.1f}",
                show(median(speed / limit for speed, limit in zip(speeds, alone, strict=True)), ".2f"),
                show(median(errors), ".3f"), f"{min(errors):.3f}–{max(errors):.3f}",
                f"{sum(run['end'] for run in runs)} of {len(runs)}"]

    return table(f"File of {result['audio']:.0f} s, genuine server, medians of {options.runs} runs",
                 ["", "× real time", "least–most", "of the limit", "WER", "least–most", f"last {LAST} words"],
                 [row(way, runs) for way, runs in result["runs"].items()])
