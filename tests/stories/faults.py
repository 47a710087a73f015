# faults.py: a server that dies, hangs, is full or hangs up, and a network that stalls, resets or swallows
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stories for both servers. Whatever happens, every spoken word is transcribed once, or reported lost to the sample."""

import concurrent.futures
import contextlib
import itertools
import json
import random
import uuid

from harness import DEADLINE, SECOND, FaultProxy, Story, Transcription, live, transcribe
from options import options
from transports import speech
from websockets.sync.client import connect

# Faults are noticed soon, and there is no end of trying again. The session that is lost may keep the server busy for a while.
QUICK = {"keepalive-interval": 2500, "connect-timeout": 2000, "ready-timeout": 5000, "close-timeout": 1000,
         "drain-timeout": 180_000, "retry-delay": 100, "retry-delay-max": 500, "retries": -1}
# The same, and soon given up
GIVES_UP = {**QUICK, "retries": 2}
# Only what a story is about can end a wait
PATIENT = {"keepalive-interval": 0, "response-timeout": 0, "drain-timeout": 600_000, "connect-timeout": 600_000}
OVERTIME = "The session's time at the server is over"


class FaultStory(Story):
    def check_gave_up(self, run):
        """Counted by waits: a session whose silence is noticed before the ping without an answer is replaced first"""
        waits = [state for state in run.named("whisperlive/state") if state["state"] == "waiting"]
        self.assertEqual(len(waits), GIVES_UP["retries"], run.tail())

    def check_lost_from_there(self, run):
        """One loss, of all that follows what was settled"""
        self.check_lost(run)
        lost, drained = run.one("whisperlive/audio-lost"), run.one("whisperlive/drained")
        self.assertEqual(lost["running-time"], drained["audio-settled"])
        for final in run.finals:
            self.assertLessEqual(final["running-time"] + final["duration"], drained["audio-settled"])
        return lost


@live
class RealTime(FaultStory):
    """As it is spoken; the genuine server is told 74 s"""

    def check_sessions(self, run):
        """How many were lost. There is another for each, and for each that the element itself replaced because it was
        stuck"""
        lost = sum(change in (("ready", "waiting"), ("draining", "waiting")) for change in run.changes)
        self.assertEqual(len(run.sessions), 1 + lost + run.changes.count(("closing", "connecting")))
        return lost

    def killed(self, seed):
        audio = self.audio(*["speech"] * self.transport.long)
        chance, third = random.Random(seed), audio.seconds / 3
        moments = [third * (i + chance.uniform(0.1, 0.9)) for i in range(3)]
        with Transcription(self.server.uri, audio.path, "--sync", **QUICK) as transcription:
            for moment in moments:
                transcription.wait_state(state="ready")
                transcription.play_until(moment)
                self.server.kill()
                transcription.wait_state(previous="ready", state="waiting")
                self.server.start()
            run = transcription.finish(DEADLINE + 3 * audio.seconds)
        rate = self.check_whole(run, audio)
        # a server that has far more to do than it can is also lost by keepalive-interval
        self.assertGreaterEqual(self.check_sessions(run), 3)
        self.report("killed at {:.1f}, {:.1f} and {:.1f} s (--seed {}): WER {:.3f}, {} sessions".format(
            *moments, seed, rate, len(run.sessions)))

    def overtime(self):
        audio = self.audio(*["speech"] * self.transport.long)
        with self.own_server("--max-connection-time", "10") as server:
            run = transcribe(server.uri, audio.path, "--sync", timeout=DEADLINE + 3 * audio.seconds)
        rate = self.check_whole(run, audio)
        self.check_sessions(run)
        # it looks at its clock when a frame arrives, and a busy one is sent none for a while
        hung_up = sum(state["reason"] == OVERTIME for state in run.named("whisperlive/state"))
        self.assertGreaterEqual(hung_up, audio.seconds // 20)
        self.report(f"{audio.seconds:.0f} s, 10 s a session: WER {rate:.3f}, {len(run.sessions)} sessions")

    def test_killed_and_overtime(self):
        """SIGKILL three times; and at the same time, on another server, hung up on every 10 s"""
        for i in range(options.runs):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                overtime = pool.submit(self.overtime)
                # not in a thread that ends: what that has started ends with it
                with self.subTest("killed"):
                    self.killed(options.seed + i)
                with self.subTest("overtime"):
                    overtime.result()


@live
class Replaced(FaultStory):
    """max-session-duration: before the server hangs up"""

    def test_seams(self):
        times, duration = (self.transport.long, 10_000) if options.all else (1, 8000)
        audio = self.audio(*["speech"] * times)
        run = transcribe(self.server.uri, audio.path, "--sync", **{"max-session-duration": duration})
        rate = self.check_whole(run, audio)
        reasons = [state["reason"] for state in run.named("whisperlive/state") if state["state"] == "closing"]
        self.assertGreaterEqual(reasons.count("max-session-duration"), 2, reasons)
        self.assertNotIn("waiting", [state for change in run.changes for state in change])
        self.report(f"{audio.seconds:.0f} s, {duration / 1000:.0f} s a session: WER {rate:.3f}, "
                    f"{len(run.sessions)} sessions")


@live
class NoSpeech(FaultStory):
    """Sound that the server says nothing about, as if it hung"""

    def between(self, kind, seconds, timeout):
        audio = self.audio("speech:1", f"{kind}:{seconds}", "speech:5")
        run = transcribe(self.server.uri, audio.path, "--sync", timeout=DEADLINE + 3 * audio.seconds,
                         **{"response-timeout": timeout})
        self.assertNotIn("waiting", [state for change in run.changes for state in change], "a loss")
        drained = run.one("whisperlive/drained")
        self.assertTrue(drained["complete"], run.tail())
        self.assertEqual(drained["audio-lost"], 0)
        self.check_received(run, audio.seconds)
        # a sentence of which no more than half is heard is not there
        self.check_text(run, audio, 0.5 * bool(self.transport.worst))
        trials = [state for state in run.named("whisperlive/state") if "does the server work?" in state["reason"]]
        self.assertTrue(trials, "the server was not tried")
        self.report(f"{seconds} s of {kind}: {run.seconds:.0f} s for {audio.seconds:.0f} s, {len(trials)} trials, "
                    f"{len(run.sessions)} sessions, heard: {run.text}")

    def test_noise_and_music(self):
        """Nothing is lost, nor the sentence after it"""
        seconds, timeout = (600, 30_000) if options.all else (40, 20_000)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            stories = {kind: pool.submit(self.between, kind, seconds, timeout) for kind in ("noise", "music")}
        for kind, story in stories.items():
            with self.subTest(kind):
                story.result()


class Frozen(FaultStory):
    """SIGSTOP"""

    def test_frozen_for_a_moment(self):
        """Less than keepalive-interval: nothing has happened"""
        audio = self.audio("speech:1")
        with Transcription(self.server.uri, audio.path) as transcription:
            transcription.wait("whisperlive/transcript")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.play_until(transcription.age + 2)
            self.server.thaw()
            run = transcription.finish()
        self.check_whole(run, audio)
        # one that a slow machine says nothing in for too long is replaced, but none is lost
        self.assertNotIn("waiting", [state for change in run.changes for state in change])

    def test_frozen(self):
        audio = self.audio("speech:1", "speech:2", "speech:3")
        with Transcription(self.server.uri, audio.path, **QUICK) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.wait_state(previous="connecting", state="waiting")
            self.server.thaw()
            run = transcription.finish()
        self.check_whole(run, audio)
        self.assertGreaterEqual(len(run.sessions), 2)

    def test_frozen_for_good(self):
        audio = self.audio("speech")
        with Transcription(self.server.uri, audio.path, **GIVES_UP) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            run = transcription.finish()
        self.check_error(run, "resource", "write")
        self.check_gave_up(run)
        self.check_lost_from_there(run)

    def test_frozen_while_draining(self):
        audio = self.audio("speech:1")
        with Transcription(self.server.uri, audio.path, **{**PATIENT, "drain-timeout": 3000}) as transcription:
            transcription.wait_state(state="draining")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            run = transcription.finish()
        self.check_ended_well(run, complete=False)
        self.check_received(run, audio.seconds)
        self.assertEqual(self.check_lost_from_there(run)["reason"], "drain-timeout")

    def test_frozen_while_closing(self):
        """The second Ctrl-C does not wait for the last words, nor for anything but close-timeout"""
        audio = self.audio("speech")
        with Transcription(self.server.uri, audio.path, "--sync", **PATIENT) as transcription:
            transcription.wait("whisperlive/transcript")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.interrupt()
            transcription.wait("END-OF-INPUT")
            transcription.interrupt()
            run = transcription.finish()
        self.assertEqual(run.exit_code, 1, run.tail())
        self.report(f"closed in spite of a frozen server, {run.seconds:.1f} s after the start")


class Places(FaultStory):
    """No server, and no place on it"""

    def test_gone_for_good(self):
        audio = self.audio("speech")
        with Transcription(self.server.uri, audio.path, **{**QUICK, "retries": 3}) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.kill()
            run = transcription.finish()
        self.check_error(run, "resource", "write")
        self.assertEqual(run.one("STATS")["connect-attempts"], 1 + 3)
        self.assertEqual(self.check_lost_from_there(run)["reason"], "session-failed")

    def test_full(self):
        audio = self.audio("speech:1")
        with self.own_server("--max-clients", "1") as server, connect(server.uri, proxy=None) as other:
            other.send(json.dumps({"uid": str(uuid.uuid4()), "language": "en", "task": "transcribe", "model": "tiny.en"}))
            other.recv(timeout=30)
            with Transcription(server.uri, audio.path, **QUICK) as transcription:
                transcription.wait_state(previous="connected", state="waiting")
                other.send(b"END_OF_AUDIO")
                run = transcription.finish()
        self.check_whole(run, audio)
        self.assertGreaterEqual(run.one("STATS")["waits"], 1)
        self.assertEqual(len(run.sessions), 1)

    def test_two_clients(self):
        """Each has its own words, and its own session"""
        audios = self.audio("speech:1", "speech:2"), self.audio("speech:4")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda audio: transcribe(self.server.uri, audio.path), audios))
        for run, audio in zip(runs, audios, strict=True):
            self.check_whole(run, audio)
        self.assertNotEqual(*(run.sessions[0] for run in runs))

    @live
    def test_four_clients(self):
        """More than a genuine server on two cores keeps up with: all of it is there, or told as lost"""
        audio = self.audio("speech")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda _: transcribe(self.server.uri, audio.path, "--sync", timeout=600), range(4)))
        for run in runs:
            whole = run.one("whisperlive/drained")["complete"]
            # on a machine that stands still, a server that has four to serve may say nothing to one of them for so long
            silent = [warning for warning in run.named("WARNING") if "has said nothing" in warning["message"]]
            self.check_ended_well(run, whole, silent)
            if silent:
                self.report(f"one of four: {silent[0]['message']}")
            if whole:
                rate = self.check_text(run, audio, self.transport.worst_crowded)
                self.report(f"one of four: WER {rate:.3f}, {run.seconds:.0f} s for {audio.seconds:.0f}")
            else:
                self.check_lost(run)
                self.report(f"one of four: {run.one('STATS')['audio-lost'] / SECOND:.1f} s lost, and told")


class Network(FaultStory):
    """A proxy that fails in every phase of a session"""

    FAULTS = ("stall", "reset", "blackhole")
    # when the fault comes, the states that it may be noticed in, and how many sentences are said
    PHASES = {
        "upgrade": ("before up GET", ["connecting"], 1),
        "ready": ("before down SERVER_READY", ["connected"], 1),
        "streaming": ("before down segments", ["ready", "draining"], 3),
        # a session without text for what it was sent may be replaced before its ping goes without an answer
        "draining": (None, ["draining", "connecting"], 1),
        "closing": ("before up END_OF_AUDIO", ["closing"], 1),
    }

    @contextlib.contextmanager
    def fault(self, phase, fault, properties):
        """The fault happens in its phase of (transcription, proxy)"""
        when, states, n = self.PHASES[phase]
        with FaultProxy(self.server) as proxy:
            if when:
                proxy.do(f"{when} {fault}")
            with Transcription(proxy.uri, self.said(n).path, **properties) as transcription:
                if when:
                    proxy.wait_done(fault)
                else:
                    transcription.wait_state(state=states[0])
                    proxy.do(fault)
                yield transcription, proxy

    def said(self, n):
        return self.audio(*(f"speech:{i + 1}" for i in range(n)))

    def lifted(self, phase, fault):
        _, states, n = self.PHASES[phase]
        noticed = "disconnected" if phase == "closing" else "waiting"
        with self.fault(phase, fault, QUICK) as (transcription, proxy):
            previous = transcription.wait_state(state=noticed)["previous"]
            proxy.do("go")
            run = transcription.finish()
        self.assertIn(previous, states)
        rate = self.check_whole(run, self.said(n))
        self.report(f"{fault} while {phase}: WER {rate:.3f}, {run.seconds:.1f} s, {len(run.sessions)} sessions")

    def never_lifted(self, phase, fault, code):
        with self.fault(phase, fault, GIVES_UP) as (transcription, _):
            run = transcription.finish()
        self.check_error(run, "resource", code)
        self.check_lost(run)
        self.check_gave_up(run)
        stats = run.one("STATS")
        self.report(f"{fault} while {phase}, for good: {run.seconds:.1f} s, {stats['audio-lost'] / SECOND:.1f} s lost")

    SOME = {"upgrade": "blackhole", "ready": "stall", "streaming": "reset", "draining": "blackhole", "closing": "stall"}

    def test_lifted(self):
        stories = list(self.SOME.items())
        if options.all:
            stories = [*itertools.product(self.PHASES, self.FAULTS),
                       *itertools.product(("streaming", "draining"), ("stall up", "stall down"))]
        for phase, fault in stories:
            with self.subTest(f"{fault} while {phase}"):
                self.lifted(phase, fault)

    def test_never_lifted(self):
        codes = {"upgrade": "open-write", "ready": "open-write", "streaming": "write", "draining": "write"}
        for fault in ("stall", "blackhole") if options.all else ("blackhole",):
            # they mostly wait
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                stories = {phase: pool.submit(self.never_lifted, phase, fault, code) for phase, code in codes.items()}
            for phase, story in stories.items():
                with self.subTest(f"{fault} while {phase}"):
                    story.result()

    def test_refused(self):
        audio = self.audio("speech:1")
        with FaultProxy(self.server) as proxy:
            proxy.do("refuse")
            with Transcription(proxy.uri, audio.path, **QUICK) as transcription:
                transcription.wait_state(previous="connecting", state="waiting")
                proxy.do("go")
                run = transcription.finish()
        self.check_whole(run, audio)

    def test_cut(self):
        """Every connection ends after 14 s of audio"""
        audio = self.audio("speech")
        with FaultProxy(self.server) as proxy:
            proxy.do(f"cut up {14 * speech.RATE * 4}")
            run = transcribe(proxy.uri, audio.path, **QUICK)
        rate = self.check_whole(run, audio)
        self.assertGreaterEqual(len(run.sessions), 2)
        self.report(f"cut every 14 s: WER {rate:.3f}, {len(run.sessions)} sessions")

    def test_bad_line(self):
        """Slow, late, irregular and in small pieces, but a line"""
        audio = self.audio("speech:1")
        with FaultProxy(self.server) as proxy:
            for command in "latency 150 100", "bandwidth 200000", "slice 100":
                proxy.do(command)
            run = transcribe(proxy.uri, audio.path, **{"keepalive-interval": 60_000})
        rate = self.check_whole(run, audio)
        self.assertNotIn("waiting", [state for change in run.changes for state in change], "a loss")
        self.report(f"a bad line: WER {rate:.3f}, {run.seconds:.1f} s")
