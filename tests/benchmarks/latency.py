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
# client, what is pushed at a time in ms
WAYS = {
    "bare libsoup client": ("bare", 100),
    "whisperlivesink": ("sink", 100),
    "whisperlivesink, buffers of 20 ms": ("sink", 20),
}


def measure():
    result = {way: {"uplink": [], "downlink": []} for way in WAYS}
    for number in range(options.runs):
        for way, (client, piece) in WAYS.items():
            options.say(f"latency: run {number + 1} of {options.runs}: {way}")
            times = json.loads(clients.run(clients.program("latency"), "--client", client, "--piece", piece,
                                           "--seconds", 5 if options.quick else SECONDS))
            for which in ("uplink", "downlink"):
                result[way][which] += times[which]
    return result


def show_result(result):
    def row(way, times):
        cells = [way]
        for which in ("uplink", "downlink"):
            for percent in (50, 99):
                value, floor = (percentile(of[which], percent) for of in (times, next(iter(result.values()))))
                cells += [show(value / 1000), show(value / floor if floor else None, ".1f")]
        return [*cells, str(len(times["uplink"])), str(len(times["downlink"]))]

    return table("Latency, ms; × is how many times the bare client's",
                 ["", "up p50", "×", "up p99", "×", "down p50", "×", "down p99", "×", "chunks", "messages"],
                 [row(way, times) for way, times in result.items()])
