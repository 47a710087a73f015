# endurance.py: long streams, with faults at random moments
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hours of speech in minutes with the scripted server, twenty minutes of it as it is spoken with a genuine one."""

import random
from pathlib import Path

from faults import QUICK, FaultStory
from harness import FaultProxy, Transcription, live, not_by_default, only
from options import options

MIB = 1024 * 1024
FLAT = 4 * MIB  # what resident memory may grow by after the first quarter; the queue alone holds up to 60 s, which is 3.7


class Endurance(FaultStory):
    # each until it is noticed, or for a moment that may be too short for that
    FAULTS = ("kill", "freeze", "reset", "stall", "stall up", "stall down", "blackhole", "refuse")

    @staticmethod
    def resident(transcription):
        return int(Path(f"/proc/{transcription.process.pid}/statm").read_text(encoding="ascii").split()[1]) * 4096

    @staticmethod
    def do(fault, transcription, server, proxy, moment):
        if fault == "kill":
            server.kill()
        elif fault == "freeze":
            server.freeze()
        else:
            proxy.do(fault)
        if fault == "refuse":
            proxy.do("reset")
        transcription.lasts(moment)
        if fault == "kill":
            server.start()
        elif fault == "freeze":
            server.thaw()
        elif fault != "reset":
            proxy.do("go")

    def endure(self, audio, *arguments, every, **properties):
        """A fault each so many finals, until all is said"""
        chance = random.Random(options.seed)
        done, resident = [], []
        with self.own_server(*self.transport.slow) as server, FaultProxy(server) as proxy, \
                Transcription(proxy.uri, audio.path, *arguments, **{**QUICK, **properties}) as transcription:
            while transcription.wait_finals(chance.randint(1, 2 * every - 1)) and transcription.lasts(0):
                resident.append(self.resident(transcription))
                done.append(chance.choice(self.FAULTS))
                self.do(done[-1], transcription, server, proxy, chance.choice((0.05, 0.5, 6)))
            run = transcription.finish()
        self.assertGreaterEqual(len(done), 5, "too few faults to tell")
        rate = self.check_whole(run, audio)
        quarter = max(resident[:len(resident) // 4 + 1])
        grown = max(resident) - quarter
        stats = run.one("STATS")
        self.report(f"{audio.seconds / 60:.0f} minutes in {run.seconds / 60:.1f}, --seed {options.seed}: WER {rate:.3f}, "
                    f"{len(done)} faults, {stats['sessions']} sessions, {stats['reconnects']} reconnects, "
                    f"{quarter / MIB:.1f} MiB resident, at most {grown / MIB:.1f} more after the first quarter")
        self.assertLessEqual(grown, FLAT)

    @only("scripted", "a genuine server would take an hour")
    def test_hours(self):
        # ten minutes by default
        times, every = (307, 50) if options.all else (25, 12)
        self.endure(self.audio(*["speech"] * times), every=every)

    @live
    @only("genuine", "the scripted server has its own, and longer")
    @not_by_default
    def test_twenty_minutes(self):
        self.endure(self.audio(*["speech"] * 49), "--sync", every=4)
