#!/usr/bin/env python3
# suite.py: whisperlivesink against a genuine WhisperLive server
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs tests/examples/transcribe on real speech against genuine servers, and checks what it says.

scripts/test runs this; by hand, GST_PLUGIN_PATH has to name the folder with the plugin.
"""

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import faults
import speech
from harness import (
    HERE, SECOND, GenuineTest, Server, audio, normalise, options, report, transcribe, word_error_rate,
)
from websockets.sync.client import connect

LAST_SENTENCE = "he might even have been made amiable himself"
EACH_RUN, MEDIAN = 0.07, 0.05  # word error rates, at most


class WordErrors(GenuineTest):
    """The main job: LibriVox speech, as fast as possible and in real time"""

    def story(self, times, sync):
        path, spoken, seconds = audio(*["librivox"] * times)
        rates, drains, speeds = [], [], []
        for _ in range(options.runs):
            run = transcribe(self.server.uri, path, *["--sync"] * sync, timeout=60 + 3 * seconds)
            self.check_ended_well(run)
            self.check_received(run, seconds)
            self.check_finals(run, seconds)
            rates.append(word_error_rate(spoken, run.text))
            drains.append(run.one("EOS")["wall"] - run.draining_at)
            speeds.append(seconds / run.one("EOS")["wall"])
            report(f"{seconds:.0f} s, sync={str(sync).lower()}: WER {rates[-1]:.3f}, {speeds[-1]:.1f} times real time, "
                   f"EOS {drains[-1]:.2f} s after the last sample was sent, "
                   f"server lag at most {run.one('STATS')['max-server-lag-seen'] / SECOND:.1f} s")
            heard = normalise(run.text)
            self.assertTrue(heard.endswith(LAST_SENTENCE), f"the last sentence is not there: …{heard[-120:]}")
            self.assertLessEqual(rates[-1], EACH_RUN, f"heard: {heard}")
        if len(rates) > 1:
            report(f"{seconds:.0f} s, sync={str(sync).lower()}, {len(rates)} runs, min / median / max: " + "; ".join(
                f"{name} {min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f}"
                for name, values in (("WER", rates), ("end (s)", drains), ("speed", speeds))))
            self.assertLessEqual(statistics.median(rates), MEDIAN)

    def test_25_seconds_fast(self):
        self.story(1, False)

    def test_25_seconds_real_time(self):
        self.story(1, True)

    def test_74_seconds_fast(self):
        self.story(3, False)

    def test_74_seconds_real_time(self):
        self.story(3, True)


class Formats(GenuineTest):
    """Whatever audio comes, the element converts it itself"""

    FORMATS = ("S16LE", "S24LE", "F32LE", "F64BE", "U8", "F32LE planar")
    RATES = (8000, 16000, 44100, 48000)
    CHANNELS = (1, 2, 6)
    SOME = (
        ("S16LE", 8000, 1), ("S24LE", 44100, 2), ("F32LE", 48000, 6), ("F64BE", 16000, 1), ("U8", 44100, 1),
        ("F32LE planar", 48000, 2),
    )

    @staticmethod
    def caps(sample_format, rate, channels):
        sample_format, _, planar = sample_format.partition(" ")
        caps = f"audio/x-raw,format={sample_format},rate={rate},channels={channels}"
        caps += ",layout=non-interleaved" if planar else ",layout=interleaved"
        return caps + (",channel-mask=(bitmask)0x3f" if channels == 6 else "")

    def rate_of(self, *sample_format):
        path, spoken, seconds = audio("librivox")
        run = transcribe(self.server.uri, path, "--caps", self.caps(*sample_format), timeout=120)
        self.check_ended_well(run)
        self.check_received(run, seconds)
        self.check_finals(run, seconds)
        rate = word_error_rate(spoken, run.text)
        report("{}, {} Hz, {} channels: WER {:.3f}".format(*sample_format, rate))
        return rate

    def test_formats(self):
        bound = self.rate_of("S16LE", 16000, 1) + 0.05
        every = itertools.product(self.FORMATS, self.RATES, self.CHANNELS)
        for sample_format in every if options.all else self.SOME:
            with self.subTest(sample_format):
                self.assertLessEqual(self.rate_of(*sample_format), bound)


class Edges(GenuineTest):
    """Audio with nothing in it, or with hardly anything"""

    def test_pure_silence(self):
        path, _, seconds = audio("silence:20")
        run = transcribe(self.server.uri, path)
        self.check_ended_well(run)
        self.check_received(run, seconds)
        report(f"20 s of silence: {run.seconds:.1f} s, heard “{run.text}”")

    def test_a_third_of_a_second(self):
        samples, _ = speech.load("librivox:2")
        path = options.work / "short.wav"
        speech.write(path, samples[:2 * speech.RATE * 3 // 10])
        run = transcribe(self.server.uri, path, drain_timeout=5000)
        # the server may say nothing at all about so little, and then nobody knows whether it is done
        self.check_ended_well(run, complete=False)
        self.check_received(run, 0.3)
        report(f"0.3 s of speech: {run.seconds:.1f} s, heard “{run.text}”")

    def test_silence_between(self):
        path, spoken, seconds = audio("librivox:5", "silence:8", "librivox:4")
        run = transcribe(self.server.uri, path, "--sync")
        self.check_ended_well(run)
        self.check_finals(run, seconds)
        rate = word_error_rate(spoken, run.text)
        report(f"a sentence, 8 s of silence, a sentence: WER {rate:.3f}")
        self.assertLessEqual(rate, 0.1)


class Reports(GenuineTest):
    """What else is told about a session"""

    def test_language(self):
        path, _, _ = audio("librivox:1")
        run = transcribe(self.server.uri, path, language_code=None)
        self.check_ended_well(run)
        self.assertEqual(run.one("whisperlive/language")["language-code"], "en")
        self.assertTrue(all(final["language-code"] == "en" for final in run.finals), run.finals)

    def test_tags(self):
        path, _, _ = audio("librivox:1")
        run = transcribe(self.server.uri, path)
        tags = [message["tags"] for message in run.named("TAG")]
        self.assertIn("en", [tag.get("language-code") for tag in tags])
        told = [tag["whisperlive-transcript"] for tag in tags if "whisperlive-transcript" in tag]
        self.assertEqual(told, [final["text"] for final in run.finals])

    def test_words(self):
        path, _, _ = audio("librivox:1")
        run = transcribe(self.server.uri, path, word_timestamps="true")
        self.check_ended_well(run)
        for final in run.finals:
            words = "".join(word["text"] for word in final["words"])
            self.assertEqual("".join(words.split()), "".join(final["text"].split()))
            starts = [word["running-time"] for word in final["words"]]
            self.assertEqual(starts, sorted(starts))

    def test_states(self):
        path, _, _ = audio("librivox:2")
        run = transcribe(self.server.uri, path)
        states = [message["state"] for message in run.named("whisperlive/state")]
        for state in ("connecting", "ready", "draining"):
            self.assertIn(state, states)
        self.assertEqual(states.index("connecting"), 0, states)

    def test_gst_launch(self):
        path, _, _ = audio("librivox:5")
        result = subprocess.run(
            ["gst-launch-1.0", "-m", "-t", "filesrc", f"location={path}", "!", "decodebin", "!",
             "whisperlivesink", f"uri={self.server.uri}"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("whisperlive/transcript", result.stdout)
        self.assertIn("amiable himself", result.stdout)


class ApiKey(GenuineTest):
    server_arguments = ("--api-key", "right")

    def test_wrong_key(self):
        path, _, _ = audio("librivox:2")
        run = transcribe(self.server.uri, path, api_key="wrong-and-secret")
        self.check_error(run, "resource", "not-authorized")
        self.assertNotIn("wrong-and-secret", json.dumps(run.messages) + run.stderr)

    def test_right_key(self):
        path, _, _ = audio("librivox:2")
        run = transcribe(self.server.uri, path, api_key="right")
        self.check_ended_well(run)
        self.assertTrue(run.text)


class Full(GenuineTest):
    server_arguments = ("--max-clients", "1")

    def test_busy(self):
        path, _, _ = audio("librivox:2")
        with connect(self.server.uri, proxy=None) as other:
            other.send(json.dumps({"uid": "other", "language": "en", "task": "transcribe", "model": "tiny.en"}))
            other.recv(timeout=30)
            run = transcribe(self.server.uri, path, retries=0)
        self.check_error(run, "resource", "busy")


class Gone(unittest.TestCase):
    def test_no_server(self):
        path, _, _ = audio("librivox:2")
        with Server() as server:
            uri = server.uri
        run = transcribe(uri, path, retries=0)
        GenuineTest.check_error(self, run, "resource", "open-write")


# Running them


class Result(unittest.TextTestResult):
    """Counts every test once, whatever number of its subtests failed"""

    def counts(self):
        bad = {getattr(test, "test_case", test).id() for test, _ in self.failures + self.errors}
        return self.testsRun - len([name for name in bad if "setUpClass" not in name]) - len(self.skipped), len(bad), len(
            self.skipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transcribe", default=HERE.parent.parent / "build/tests/examples/transcribe", metavar="PROGRAM")
    parser.add_argument("--all", action="store_true", help="every combination of audio formats, every fault in every phase")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="the word error rates N times over")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of moments and jitter, to have the same again")
    parser.add_argument("--count-file", metavar="FILE", help="write “N passed, N failed, N skipped” there as well")
    parser.add_argument("-k", action="append", metavar="TEXT", help="only tests with TEXT in their names")
    vars(options).update(vars(parser.parse_args()))

    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{text}*" for text in options.k]
    # a server and a plugin that hang must not leave anything behind either: children end with this process
    with tempfile.TemporaryDirectory() as folder:
        options.work = Path(folder)
        os.environ.setdefault("GST_REGISTRY", str(options.work / "registry.bin"))
        report(f"--seed {options.seed}")
        tests = unittest.TestSuite(map(loader.loadTestsFromModule, (sys.modules[__name__], faults)))
        result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(tests)
    line = "{} passed, {} failed, {} skipped".format(*result.counts())
    if options.count_file:
        Path(options.count_file).write_text(line + "\n", encoding="utf-8")
    print(line)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
