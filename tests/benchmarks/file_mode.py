# file_mode.py: a file to a genuine server: how fast, how right, and whether the end is there
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import math
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


def measure():
    genuine = TRANSPORTS["genuine"]
    if options.quick:
        audio = genuine.audio("speech:1")
    else:
        minute = genuine.audio("speech").seconds / 60
        audio = genuine.audio(*["speech"] * (math.ceil(options.minutes / minute) if options.minutes else 3))
    runs = {way: [] for way in WAYS}
    for number in range(options.runs):
        for way, transcribe_it in WAYS.items():
            options.say(f"file: run {number + 1} of {options.runs}: {way}")
            runs[way].append(describe(audio, *transcribe_it(genuine.shared.uri, audio)))
    return {"audio": audio.seconds, "runs": runs}


def show_result(result):
    def row(way, runs):
        return [way, show(median(run["speed"] for run in runs), ".1f"),
                show(median(run["wer"] for run in runs), ".3f"),
                f"{min(run['wer'] for run in runs):.3f}–{max(run['wer'] for run in runs):.3f}",
                f"{sum(run['end'] for run in runs)} of {len(runs)}"]

    return table(f"File of {result['audio']:.0f} s, genuine server, medians of {options.runs} runs",
                 ["", "× real time", "WER", "least–most", f"last {LAST} words"],
                 [row(way, runs) for way, runs in result["runs"].items()])
