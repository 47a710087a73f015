# latency.py: what a client adds to the way there and back, without a model in between
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import json

import clients
from figures import percentile, show, table
from options import options

SECONDS = 30
# of each run, chunks and messages: the first second, in which caps are agreed on and what is needed is made
FIRST = {"uplink": 10, "downlink": 6}
# client, what is pushed at a time in ms
WAYS = {
    "bare libsoup client": ("bare", 100),
    "whisperlivesink": ("sink", 100),
    "whisperlivesink, buffers of 20 ms": ("sink", 20),
}


def measure():
    runs = {way: [] for way in WAYS}
    for number in range(options.runs):
        for way, (client, piece) in WAYS.items():
            options.say(f"latency: run {number + 1} of {options.runs}: {way}")
            runs[way].append(json.loads(clients.run(clients.program("latency"), "--client", client, "--piece", piece,
                                                    "--seconds", 5 if options.quick else SECONDS)))
    return runs


def pool(runs, which):
    """µs"""
    return [time for run in runs for time in run[which][FIRST[which]:]]


def show_result(result):
    floor = next(iter(result.values()))

    def row(way, runs):
        cells, counts = [way], []
        for which in FIRST:
            times, least = pool(runs, which), pool(floor, which)
            for percent in (50, 99):
                value = percentile(times, percent)
                cells += [show(value / 1000), show(value / percentile(least, percent), ".1f")]
            counts.append(str(len(times)))
        return cells + counts

    return table("Latency, ms; × is how many times the bare client's",
                 ["", "up p50", "×", "up p99", "×", "down p50", "×", "down p99", "×", "chunks", "messages"],
                 [row(way, runs) for way, runs in result.items()])
