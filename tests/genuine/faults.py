# faults.py: a genuine server that dies, hangs, is full or hangs up, and a network that stalls, resets or swallows
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stories for suite.py. Whatever happens, every spoken word is transcribed once, or reported lost to the sample."""

import concurrent.futures
import contextlib
import itertools
import json
import random
import unittest
import uuid

import speech
from harness import (
    SECOND, FaultProxy, GenuineTest, Server, Transcription, audio, missing_sentences, options, report, transcribe,
    word_error_rate,
)
from websockets.sync.client import connect

SENTENCES = [speech.load(f"librivox:{i}")[1] for i in range(1, 6)]
LONG = 3  # times the sentences: 74 s
WORST, WORST_SENTENCE = 0.08, 0.15  # word error rates, of a text and of 22 words
# Faults are noticed soon, and there is no end of trying again. The session that is lost may keep the server busy for a while.
QUICK = {"keepalive-interval": 2500, "connect-timeout": 2000, "ready-timeout": 5000, "close-timeout": 1000,
         "drain-timeout": 60_000, "retry-delay": 100, "retry-delay-max": 500, "retries": -1}
# The same, and soon given up
GIVES_UP = {**QUICK, "retries": 2}
# Only what a story is about can end a wait
PATIENT = {"keepalive-interval": 0, "response-timeout": 0, "drain-timeout": 600_000, "connect-timeout": 600_000}


def setUpModule():
    global shared
    shared = unittest.enterModuleContext(Server("--max-clients", "20"))


class FaultTest(GenuineTest):
    """With the server that all share"""

    @classmethod
    def setUpClass(cls):
        cls.server = shared

    def setUp(self):
        self.server.start()

    def check_whole(self, run, sentences, seconds, worst=WORST):
        """All of it, once, in order"""
        self.check_ended_well(run)
        self.check_received(run, seconds)
        self.check_finals(run, seconds)
        self.assertEqual(missing_sentences(sentences, run.text), [], run.text)
        rate = word_error_rate(" ".join(sentences), run.text)
        self.assertLessEqual(rate, worst, run.text)
        self.assertEqual(len(run.sessions), len(set(run.sessions)), "session ids")
        self.assertEqual(run.one("STATS")["sessions"], len(run.sessions))
        return rate

    def check_lost_from_there(self, run):
        """One loss, of all that follows what was settled"""
        self.check_lost(run)
        lost, drained = run.one("whisperlive/audio-lost"), run.one("whisperlive/drained")
        self.assertEqual(lost["running-time"], drained["audio-settled"])
        for final in run.finals:
            self.assertLessEqual(final["running-time"] + final["duration"], drained["audio-settled"])
        return lost


class RealTime(FaultTest):
    """74 s of speech, as it is spoken"""

    def killed(self, seed):
        path, _, seconds = audio(*["librivox"] * LONG)
        chance, third = random.Random(seed), seconds / 3
        moments = [third * (i + chance.uniform(0.1, 0.9)) for i in range(3)]
        with Transcription(self.server.uri, path, "--sync", **QUICK) as transcription:
            for moment in moments:
                transcription.wait_state(state="ready")
                transcription.play_until(moment)
                self.server.kill()
                transcription.wait_state(previous="ready", state="waiting")
                self.server.start()
            run = transcription.finish(3 * seconds)
        rate = self.check_whole(run, SENTENCES * LONG, seconds)
        lost = [change for change in run.changes if change in (("ready", "waiting"), ("draining", "waiting"))]
        self.assertEqual(len(lost), 3)
        # one more for each session that the element itself replaced because it was stuck
        self.assertEqual(len(run.sessions), 4 + run.changes.count(("closing", "connecting")))
        report("killed at {:.1f}, {:.1f} and {:.1f} s (--seed {}): WER {:.3f}, {} sessions".format(
            *moments, seed, rate, len(run.sessions)))

    def overtime(self):
        path, _, seconds = audio(*["librivox"] * LONG)
        with Server("--max-connection-time", "10") as server:
            run = transcribe(server.uri, path, "--sync", timeout=3 * seconds)
        rate = self.check_whole(run, SENTENCES * LONG, seconds)
        self.assertGreaterEqual(len(run.sessions), 7)
        report(f"{seconds:.0f} s, 10 s a session: WER {rate:.3f}, {len(run.sessions)} sessions")

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


class Replaced(FaultTest):
    """max-session-duration: before the server hangs up"""

    def test_seams(self):
        times, duration = (LONG, 10_000) if options.all else (1, 8000)
        path, _, seconds = audio(*["librivox"] * times)
        run = transcribe(self.server.uri, path, "--sync", **{"max-session-duration": duration})
        rate = self.check_whole(run, SENTENCES * times, seconds)
        reasons = [state["reason"] for state in run.named("whisperlive/state") if state["state"] == "closing"]
        self.assertGreaterEqual(reasons.count("max-session-duration"), 2, reasons)
        self.assertNotIn("waiting", [state for change in run.changes for state in change])
        report(f"{seconds:.0f} s, {duration / 1000:.0f} s a session: WER {rate:.3f}, {len(run.sessions)} sessions")


class NoSpeech(FaultTest):
    """Sound that the server says nothing about, as if it hung"""

    def between(self, kind, seconds, timeout):
        path, _, total = audio("librivox:1", f"{kind}:{seconds}", "librivox:5")
        run = transcribe(self.server.uri, path, "--sync", timeout=3 * total, **{"response-timeout": timeout})
        self.assertNotIn("waiting", [state for change in run.changes for state in change], "a loss")
        drained = run.one("whisperlive/drained")
        self.assertTrue(drained["complete"], run.tail())
        self.assertEqual(drained["audio-lost"], 0)
        self.check_received(run, total)
        self.assertEqual(missing_sentences([SENTENCES[0], SENTENCES[4]], run.text), [], run.text)
        trials = [state for state in run.named("whisperlive/state") if "does the server work?" in state["reason"]]
        self.assertTrue(trials, "the server was not tried")
        report(f"{seconds} s of {kind}: {run.seconds:.0f} s for {total:.0f} s, {len(trials)} trials, "
               f"{len(run.sessions)} sessions, heard: {run.text}")

    def test_noise_and_music(self):
        """Nothing is lost, nor the sentence after it"""
        seconds, timeout = (600, 30_000) if options.all else (30, 10_000)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            stories = {kind: pool.submit(self.between, kind, seconds, timeout) for kind in ("noise", "music")}
        for kind, story in stories.items():
            with self.subTest(kind):
                story.result()


class Frozen(FaultTest):
    """SIGSTOP"""

    def test_frozen_for_a_moment(self):
        """Less than keepalive-interval: nothing has happened"""
        path, _, seconds = audio("librivox:1")
        with Transcription(self.server.uri, path) as transcription:
            transcription.wait("whisperlive/transcript")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.play_until(transcription.age + 2)
            self.server.thaw()
            run = transcription.finish()
        self.check_whole(run, SENTENCES[:1], seconds, WORST_SENTENCE)
        self.assertEqual(len(run.sessions), 1)

    def test_frozen(self):
        path, _, seconds = audio("librivox:1", "librivox:2", "librivox:3")
        with Transcription(self.server.uri, path, **QUICK) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.wait_state(previous="connecting", state="waiting")
            self.server.thaw()
            run = transcription.finish()
        self.check_whole(run, SENTENCES[:3], seconds)
        self.assertGreaterEqual(len(run.sessions), 2)

    def test_frozen_for_good(self):
        path, _, _ = audio("librivox")
        with Transcription(self.server.uri, path, **GIVES_UP) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            run = transcription.finish()
        self.check_error(run, "resource", "write")
        self.assertEqual(run.one("STATS")["connect-attempts"], 1 + GIVES_UP["retries"])
        self.check_lost_from_there(run)

    def test_frozen_while_draining(self):
        path, _, seconds = audio("librivox:1")
        with Transcription(self.server.uri, path, **{**PATIENT, "drain-timeout": 3000}) as transcription:
            transcription.wait_state(state="draining")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            run = transcription.finish()
        self.check_ended_well(run, complete=False)
        self.check_received(run, seconds)
        self.assertEqual(self.check_lost_from_there(run)["reason"], "drain-timeout")

    def test_frozen_while_closing(self):
        """The second Ctrl-C does not wait for the last words, nor for anything but close-timeout"""
        path, _, _ = audio("librivox")
        with Transcription(self.server.uri, path, "--sync", **PATIENT) as transcription:
            transcription.wait("whisperlive/transcript")
            self.server.freeze()
            self.addCleanup(self.server.thaw)
            transcription.interrupt()
            transcription.wait("END-OF-INPUT")
            transcription.interrupt()
            run = transcription.finish()
        self.assertEqual(run.exit_code, 1, run.tail())
        report(f"closed in spite of a frozen server, {run.seconds:.1f} s after the start")


class Places(FaultTest):
    """No server, and no place on it"""

    def test_gone_for_good(self):
        path, _, _ = audio("librivox")
        with Transcription(self.server.uri, path, **{**QUICK, "retries": 3}) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            self.server.kill()
            run = transcription.finish()
        self.check_error(run, "resource", "write")
        self.assertEqual(run.one("STATS")["connect-attempts"], 1 + 3)
        self.assertEqual(self.check_lost_from_there(run)["reason"], "session-failed")

    def test_full(self):
        path, _, seconds = audio("librivox:1")
        with Server("--max-clients", "1") as server, connect(server.uri, proxy=None) as other:
            other.send(json.dumps({"uid": str(uuid.uuid4()), "language": "en", "task": "transcribe", "model": "tiny.en"}))
            other.recv(timeout=30)
            with Transcription(server.uri, path, **QUICK) as transcription:
                transcription.wait_state(previous="connected", state="waiting")
                other.send(b"END_OF_AUDIO")
                run = transcription.finish()
        self.check_whole(run, SENTENCES[:1], seconds, WORST_SENTENCE)
        self.assertGreaterEqual(run.one("STATS")["waits"], 1)
        self.assertEqual(len(run.sessions), 1)


class Network(FaultTest):
    """A proxy that fails in every phase of a session"""

    FAULTS = ("stall", "reset", "blackhole")
    # when the fault comes, the states that it may be noticed in, and how many sentences are said
    PHASES = {
        "upgrade": ("before up GET", ["connecting"], 1),
        "ready": ("before down SERVER_READY", ["connected"], 1),
        "streaming": ("before down segments", ["ready", "draining"], 3),
        "draining": (None, ["draining"], 1),
        "closing": ("before up END_OF_AUDIO", ["closing"], 1),
    }

    @contextlib.contextmanager
    def fault(self, phase, fault, properties):
        """The fault happens in its phase of (transcription, proxy)"""
        when, states, n = self.PHASES[phase]
        with FaultProxy(self.server) as proxy:
            if when:
                proxy.do(f"{when} {fault}")
            with Transcription(proxy.uri, self.said(n)[0], **properties) as transcription:
                if when:
                    proxy.wait_done(fault)
                else:
                    transcription.wait_state(state=states[0])
                    proxy.do(fault)
                yield transcription, proxy

    @staticmethod
    def said(n):
        return audio(*(f"librivox:{i + 1}" for i in range(n)))

    def lifted(self, phase, fault):
        _, states, n = self.PHASES[phase]
        noticed = "disconnected" if phase == "closing" else "waiting"
        with self.fault(phase, fault, QUICK) as (transcription, proxy):
            previous = transcription.wait_state(state=noticed)["previous"]
            proxy.do("go")
            run = transcription.finish()
        self.assertIn(previous, states)
        rate = self.check_whole(run, SENTENCES[:n], self.said(n)[2], WORST_SENTENCE if n == 1 else WORST)
        report(f"{fault} while {phase}: WER {rate:.3f}, {run.seconds:.1f} s, {len(run.sessions)} sessions")

    def never_lifted(self, phase, fault, code):
        with self.fault(phase, fault, GIVES_UP) as (transcription, _):
            run = transcription.finish()
        self.check_error(run, "resource", code)
        self.check_lost(run)
        stats = run.one("STATS")
        self.assertEqual(stats["connect-attempts"], max(1, stats["sessions"]) + GIVES_UP["retries"])
        report(f"{fault} while {phase}, for good: {run.seconds:.1f} s, {stats['audio-lost'] / SECOND:.1f} s lost")

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
        path, _, seconds = audio("librivox:1")
        with FaultProxy(self.server) as proxy:
            proxy.do("refuse")
            with Transcription(proxy.uri, path, **QUICK) as transcription:
                transcription.wait_state(previous="connecting", state="waiting")
                proxy.do("go")
                run = transcription.finish()
        self.check_whole(run, SENTENCES[:1], seconds, WORST_SENTENCE)

    def test_cut(self):
        """Every connection ends after 14 s of audio"""
        path, _, seconds = audio("librivox")
        with FaultProxy(self.server) as proxy:
            proxy.do(f"cut up {14 * speech.RATE * 4}")
            run = transcribe(proxy.uri, path, **QUICK)
        rate = self.check_whole(run, SENTENCES, seconds)
        self.assertGreaterEqual(len(run.sessions), 2)
        report(f"cut every 14 s: WER {rate:.3f}, {len(run.sessions)} sessions")

    def test_bad_line(self):
        """Slow, late, irregular and in small pieces, but a line"""
        path, _, seconds = audio("librivox:1")
        with FaultProxy(self.server) as proxy:
            for command in "latency 150 100", "bandwidth 200000", "slice 100":
                proxy.do(command)
            run = transcribe(proxy.uri, path)
        rate = self.check_whole(run, SENTENCES[:1], seconds, WORST_SENTENCE)
        self.assertEqual(len(run.sessions), 1)
        report(f"a bad line: WER {rate:.3f}, {run.seconds:.1f} s")
