# live_mode.py: live speech to a genuine server: how long after it was spoken each word is there
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import bisect
import statistics

import chart
import clients
import processor
from alignment import Alignment
from figures import median, percentile, show, table
from options import options
from transports import TRANSPORTS, normalise, word_error_rate

# client, what is pushed at a time in ms
WAYS = {
    "whisperlivesink": ("sink", 100),
    "reference client": ("reference", 100),
    "reference client, its 256 ms": ("reference", 256),
    "bare libsoup client": ("bare", 100),
}


def spoken_words(audio):
    """[(word, start, end)] by faster-whisper with word times, as its words are compared: in lower case, without punctuation"""
    return [(word, timed["start"], timed["end"]) for timed in clients.offline(audio, "--words")["words"]
            for word in normalise(timed["text"]).split()]


def find_words(words, heard):
    """For each word, when it was first there at all, and in a final text; None: never"""
    starts = [start for _, start, _ in words]
    first, final = [None] * len(words), [None] * len(words)
    alignment = Alignment([word for word, _, _ in words])
    for at, is_final, text in heard:
        spoken = bisect.bisect(starts, at)
        pieces = normalise(text).split()
        for piece in pieces:
            alignment.push(piece)
        for i in alignment.found(spoken):
            if first[i] is None:
                first[i] = at
            if is_final and final[i] is None:
                final[i] = at
        if not is_final:
            for _ in pieces:
                alignment.pop()
    return first, final


def delays(words, times):
    return [None if time is None else time - end for (_, _, end), time in zip(words, times, strict=True)]


def describe(audio, words, session):
    first, final = find_words(words, session.heard)
    return {
        "wer": word_error_rate(audio.text, session.text),
        "wer-shown": word_error_rate(audio.text, session.shown),
        "first": delays(words, first),
        "final": delays(words, final),
        "text": session.shown,
    }


def pool(runs, which):
    return [delay for run in runs for delay in run[which] if delay is not None]


def rotate(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def measure():
    genuine = TRANSPORTS["genuine"]
    audio = genuine.audio("speech:1") if options.quick else genuine.audio(*["speech"] * 3)
    words = spoken_words(audio)
    runs = {way: [] for way in WAYS}
    for number in range(options.runs):
        # a server is slower at first: not always for the same one
        for way in rotate([*WAYS], number):
            options.say(f"live: run {number + 1} of {options.runs}: {way}")
            processor.wait_idle(genuine.shared)
            client, piece = WAYS[way]
            runs[way].append(describe(audio, words, clients.session(client, genuine.shared.uri, audio, piece)))
    return {"audio": audio.seconds, "words": [{"text": text, "start": start, "end": end} for text, start, end in words],
            "runs": runs}


def draw(result, path):
    """The median of the runs for each word, where half of the runs had it"""
    def line(runs, which):
        points = []
        for i, word in enumerate(result["words"]):
            there = [run[which][i] for run in runs if run[which][i] is not None]
            if 2 * len(there) >= len(runs):
                points.append((word["end"], statistics.median(there)))
        return points

    panels = [(title, {way: line(runs, which) for way, runs in result["runs"].items()})
              for title, which in (("to the first text that has the word", "first"), ("to the final text that has it", "final"))]
    chart.write(path, f"From the end of a word, seconds (medians of {options.runs} runs)", "audio, seconds", panels)


def show_result(result):
    def row(way, runs):
        first, final = pool(runs, "first"), pool(runs, "final")
        return [way, show(median(run["wer"] for run in runs), ".3f"),
                show(median(run["wer-shown"] for run in runs), ".3f"),
                *(show(percentile(delays, percent)) for delays in (first, final) for percent in (50, 90)),
                *(f"{100 * len(delays) / len(result['words']) / len(runs):.1f} %" for delays in (first, final))]

    if options.plot:
        draw(result, options.plot)
    return table(f"Live, {result['audio']:.0f} s, genuine server, {options.runs} runs; seconds after the end of a word",
                 ["", "WER of finals", "with last partial", "first p50", "p90", "final p50", "p90", "words ever", "words final"],
                 [row(way, runs) for way, runs in result["runs"].items()])
