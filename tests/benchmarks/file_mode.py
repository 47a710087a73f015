# file_mode.py: a file to a genuine server: how fast, how right, and whether the end is there
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import functools
import itertools
import math
import random
import re

import clients
import processor
from figures import median, show, table
from harness import PATIENCE, transcribe
from options import options
from transports import TRANSPORTS, normalise, word_error_rate

LAST = 3  # words
# docs/recipes.md, clean speech
CLEAN = {"no-speech-threshold": 1, "max-server-lag": 50000, "chunk-duration": 22000, "audio-format": "int16"}
# what gst-launch-1.0 prints: of tags, and from PLAYING, when the server is ready, to EOS
TAG = re.compile(r"^\s*transcript: (.*)$", re.MULTILINE)
TOOK = re.compile(r"^Execution ended after (\d+):(\d+):([\d.]+)$", re.MULTILINE)


def by_application(uri, audio, **properties):
    run = transcribe(uri, audio.path, timeout=audio.seconds * 4 + clients.PATIENCE, **properties)
    if run.exit_code:
        raise RuntimeError(run.tail())
    return run.one("EOS")["wall"], run.text


def by_launch(uri, audio, **properties):
    output = clients.run("gst-launch-1.0", "-t", "filesrc", f"location={audio.path}", "!", "decodebin", "!", "whisperlivesink",
                         f"uri={uri}", "language-code=en", "model=tiny.en",
                         *(f"{name}={value}" for name, value in (PATIENCE | properties).items()),
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
    "whisperlivesink, as for clean speech": functools.partial(by_application, **CLEAN),
    "whisperlivesink, gst-launch-1.0": by_launch,
    "gst-launch-1.0, as for clean speech": functools.partial(by_launch, **CLEAN),
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


def get_orders(rounds):
    """All sentences so many times, for each run in another order, first in that of the corpus: what comes of a pass depends
    on what lies before its end"""
    chance, sentences = random.Random(1), range(1, 6)
    yield [*sentences] * rounds
    while True:
        order = []
        while len(order) < rounds * len(sentences):
            some = chance.sample(sentences, len(sentences))
            # the same sentence twice running could pass for one that the server has repeated
            order += some if some[:1] != order[-1:] else []
        yield order


def measure():
    genuine = TRANSPORTS["genuine"]
    round_minutes = genuine.audio("speech").seconds / 60
    rounds = math.ceil(options.minutes / round_minutes) if options.minutes else 3
    orders = [[1]] * options.runs if options.quick else itertools.islice(get_orders(rounds), options.runs)
    audios = [genuine.audio(*(f"speech:{sentence}" for sentence in order)) for order in orders]
    runs = {way: [] for way in WAYS}
    for number, audio in enumerate(audios):
        for way, transcribe_it in WAYS.items():
            options.say(f"file: run {number + 1} of {options.runs}: {way}")
            processor.wait_idle(genuine.shared)
            runs[way].append(describe(audio, *transcribe_it(genuine.shared.uri, audio)))
    return {"audio": audios[0].seconds, "runs": runs}


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
