#!/usr/bin/env python3
# many.py: many sinks in one process, next to the same pipelines without ours and to bare clients
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts the scripted server anew for each run of many-sinks and bare-clients, and prints a table and the results as JSON.

Needs a build with -Dbenchmarks=true. The server shares the machine with what is measured; its own use of the processor
is in the table, as what is missing there is missing to both.

"KiB each" is resident memory at the end of streaming, less that of before, by the number of pipelines. "audio KiB" is
reckoned: what the queue takes for the "held s" that are not settled by then; "base KiB" is what is left. "beyond KiB" is
how much more "KiB each" is than the fakesink's, if that ran before with as many pipelines. A server that gets too little
of the processor settles late: more is held then, and the base remains.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import processor

ROOT = Path(__file__).resolve().parents[2]
SINKS = ("fakesink", "bare", "whisperlivesink")
COLUMNS = (  # heading, field, digits
    ("ready s", "ready_s", 2),
    ("ended s", "ended_s", 2),
    ("stopped s", "stopped_s", 2),
    ("start ms CPU", "start_cpu_ms_each", 1),
    ("ms/s CPU", "cpu_ms_per_audio_s", 3),
    ("KiB each", "resident_kib_each", 0),
    ("held s", "held_s_each", 1),
    ("audio KiB", "audio_kib_each", 0),
    ("base KiB", "base_kib_each", 0),
    ("beyond KiB", "beyond_kib_each", 0),
    ("threads", "threads", 0),
    ("settled %", "settled_percent", 2),
    ("lost s", "lost_s", 1),
    ("sessions", "sessions", 0),
    ("server ms/s", "server_cpu_ms_per_audio_s", 3),
)
# What the queue has for a chunk of 100 ms, with malloc's own: samples of 16 bits and their GBytes, unless there is nothing but
# zeros in them, as in each fifth chunk of words; and the chunk with its place in the list
SAMPLES = 3216 + 48
CHUNK = 96 + 32
HELD_KIB = {"words": 10 * (SAMPLES * 4 / 5 + CHUNK) / 1024, "silence": 10 * CHUNK / 1024}  # a second


class Server:
    """The scripted server: its only model is so quick that each client has two passes a second, if the processor allows"""

    def __init__(self, build, clients):
        self.process = subprocess.Popen(
            [build / "tests/support/scripted-whisperlive", "--max-clients", str(clients), "--load-delay", "0",
             "--pass-base", str(0.5 / clients), "--pass-factor", "0", "--seed", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.uri = self.process.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def run(arguments, audio, sink, count):
    benchmarks = arguments.build / "tests/benchmarks"
    options = ["--count", str(count), "--seconds", str(arguments.seconds)]
    if sink == "bare":
        command = [benchmarks / "bare-clients", *options]
    else:
        command = [benchmarks / "many-sinks", "--sink", sink, "--audio", audio, "--piece", str(arguments.piece), *options]
        if sink == "whisperlivesink":
            command += ["--properties", arguments.properties] + ["--no-eos"] * arguments.no_eos
    environment = os.environ | {
        "GST_PLUGIN_PATH_1_0": str(arguments.build / "gst"),
        "GST_REGISTRY": str(arguments.build / "tests/benchmarks/many.registry"),
    } | ({"G_SLICE": "always-malloc"} if arguments.no_slices else {})
    with Server(arguments.build, count + 1) as server:
        done = subprocess.run([*command, "--uri", server.uri], env=environment, stdout=subprocess.PIPE, text=True)
        cpu = processor.get_used(server.process)
    if done.returncode:
        return {"sink": sink, "audio": audio, "count": count, "failed": done.returncode}
    result = json.loads(done.stdout) | {"audio": audio}
    result["server_cpu_ms_per_audio_s"] = 1000 * cpu / count / arguments.seconds
    if result.get("received_s"):
        result["settled_percent"] = 100 * result["settled_s"] / result["received_s"]
        result["audio_kib_each"] = result["held_s_each"] * HELD_KIB[audio]
        result["base_kib_each"] = result["resident_kib_each"] - result["audio_kib_each"]
    return result


def compare(result, results):
    """How much more memory it has than the pipelines without ours, if these are among @results"""
    for other in results:
        if other["sink"] == "fakesink" and other["count"] == result["count"] and "failed" not in other | result:
            result["beyond_kib_each"] = result["resident_kib_each"] - other["resident_kib_each"]


def format_row(result):
    if "failed" in result:
        return f"{result['sink']:<16}{result['audio']:<9}{result['count']:>6}  failed"
    cells = (f"{result[field]:.{digits}f}" if field in result else "" for _, field, digits in COLUMNS)
    return f"{result['sink']:<16}{result['audio']:<9}{result['count']:>6}" + "".join(f"{cell:>13}" for cell in cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build directory (build)")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 50, 100, 1000], metavar="N")
    parser.add_argument("--sinks", nargs="+", choices=SINKS, default=SINKS, metavar="SINK", help=", ".join(SINKS))
    parser.add_argument("--seconds", type=int, default=60, help="of streaming (60)")
    parser.add_argument("--piece", type=int, default=100, metavar="MS", help="that is pushed at a time (100)")
    parser.add_argument("--audio", nargs="+", choices=tuple(HELD_KIB), default=["words"], metavar="AUDIO",
                        help=f"one after the other: {', '.join(HELD_KIB)} (words); bare sends words")
    parser.add_argument("--properties", default="", help="of whisperlivesink, as gst-launch has them")
    parser.add_argument("--no-eos", action="store_true", help="stop in the middle of the stream")
    parser.add_argument("--no-slices", action="store_true", help="memory as with GLib 2.76 and later: G_SLICE=always-malloc")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()

    results = []
    print(f"{'sink':<16}{'audio':<9}{'count':>6}" + "".join(f"{heading:>13}" for heading, _, _ in COLUMNS))
    for count in arguments.counts:
        for audio in arguments.audio:
            for sink in arguments.sinks:
                result = run(arguments, audio, sink, count)
                if sink != "fakesink":
                    compare(result, results)
                results.append(result)
                print(format_row(result), flush=True)
    print(json.dumps(results))
    return any("failed" in result for result in results)


if __name__ == "__main__":
    sys.exit(main())
