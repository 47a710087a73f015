# cpu.py: the processor time and the memory of one session in real time
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import clients
from figures import median, show, table
from options import options
from transports import TRANSPORTS

# client, what is pushed at a time in ms
WAYS = {
    "whisperlivesink": ("sink", 100),
    "whisperlivesink, buffers of 20 ms": ("sink", 20),
    "its application with a fakesink": ("fakesink", 100),
    "its application with a fakesink, buffers of 20 ms": ("fakesink", 20),
    "bare libsoup client": ("bare", 100),
    "reference client": ("reference", 100),
    "reference client, as it plays files": ("reference", 256),
}


def measure():
    """With the scripted server, which leaves the processor to the client and speaks as often as the genuine one"""
    scripted = TRANSPORTS["scripted"]
    audio = scripted.audio(*["speech:2"] if options.quick else ["speech"] * 2)
    runs = {way: [] for way in WAYS}
    with scripted.server(*scripted.lifelike()) as server:
        for number in range(options.runs):
            for way, (client, piece) in WAYS.items():
                options.say(f"cpu: run {number + 1} of {options.runs}: {way}")
                runs[way].append(clients.session(client, server.uri, audio, piece, quiet=True).usage)
    return runs


def show_result(result):
    return table(f"Processor time of a session, medians of {options.runs} runs",
                 ["", "ms per second of audio", "resident at most, MiB"],
                 [[way, show(median(run["cpu"] * 1000 / run["audio"] for run in runs)),
                   show(median(run["resident"] / 1024 for run in runs), ".1f")] for way, runs in result.items()])
