# memory.py: the resident memory of an application while an hour of audio goes through it
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import re
from pathlib import Path

from figures import table
from harness import SECOND, Transcription
from options import options
from transports import TRANSPORTS

HOUR = 3600  # far longer than the minute that the element holds: it has all of the audio that much before the last final
MOMENTS = (10, 50, 100)  # per cent
PATIENCE = 1800  # s


def resident(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s*(\d+) kB$", status, re.MULTILINE)[1])


def watch(transcription, audio):
    """KiB when the finals have come so far, and at last when all the audio has: after the last final it is too late to look"""
    found = {}
    for moment in MOMENTS[:-1]:
        heard = 0
        while heard < moment / 100 * audio.seconds:
            final = transcription.wait("whisperlive/transcript", final=True)
            heard = (final["running-time"] + final["duration"]) / SECOND
        found[moment] = resident(transcription.process)
    transcription.wait("END-OF-INPUT")
    found[MOMENTS[-1]] = resident(transcription.process)
    return found


def measure():
    """With the scripted server, as fast as that goes: its words are the same however fast it is"""
    scripted = TRANSPORTS["scripted"]
    sentences = scripted.audio("speech")
    audio = scripted.audio(*["speech"] * round((600 if options.quick else HOUR) / sentences.seconds))
    options.say(f"memory: {audio.seconds / 60:.0f} minutes")
    with scripted.server("--max-connection-time", str(10 * HOUR)) as server, \
            Transcription(server.uri, audio.path) as transcription:
        found = watch(transcription, audio)
        run = transcription.finish(PATIENCE)
    if run.exit_code or scripted.join(run.text) != audio.text:
        raise RuntimeError(f"not all words were heard: {run.tail()}")
    return {"audio": audio.seconds, "seconds": run.one("EOS")["wall"], "resident": found}


def show_result(result):
    return table(f"Memory of an application, {result['audio'] / 60:.0f} min of audio in {result['seconds']:.0f} s",
                 ["audio, %", "resident, KiB"], [[str(moment), str(size)] for moment, size in result["resident"].items()])
