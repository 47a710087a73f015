# transcription.py: the main job, its edges, and what else is told
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stories for both servers, in which nothing fails but by the server's own rules."""

import concurrent.futures
import itertools
import json
import statistics
import subprocess

from faults import QUICK
from harness import DEADLINE, SECOND, FaultProxy, Story, Transcription, live, only, transcribe
from options import options
from transports import normalise, speech, word_error_rate
from websockets.sync.client import connect


class MainJob(Story):
    """Speech, as fast as possible and in real time"""

    # pass after pass ends where Whisper takes the end for no speech, be it the last
    HARD = (3, 1, 5, 2, 4, 5, 2, 4, 3, 1, 5, 4, 3, 1, 2)

    def story(self, pieces, sync):
        audio = self.audio(*pieces)
        rates, drains, speeds = [], [], []
        for _ in range(options.runs):
            run = transcribe(self.server.uri, audio.path, *["--sync"] * sync, timeout=DEADLINE + 3 * audio.seconds)
            rates.append(self.check_whole(run, audio, self.transport.worst_run if options.runs > 1 else None))
            self.assertEqual(len(run.sessions), 1 + run.changes.count(("closing", "connecting")))
            drains.append(run.one("EOS")["wall"] - run.draining_at)
            speeds.append(audio.seconds / run.one("EOS")["wall"])
            self.report(f"{audio.seconds:.0f} s, sync={str(sync).lower()}: WER {rates[-1]:.3f}, {speeds[-1]:.1f} times "
                        f"real time, EOS {drains[-1]:.2f} s after the last sample was sent, server lag at most "
                        f"{run.one('STATS')['max-server-lag-seen'] / SECOND:.1f} s")
            # that the last sentence is there, check_whole() has seen; these are its last words
            heard, last = normalise(run.text), " ".join(normalise(audio.sentences[-1]).split()[-3:])
            self.assertTrue(heard.endswith(last), f"the last words are not there: …{heard[-120:]}")
        if len(rates) > 1:
            self.report(f"{audio.seconds:.0f} s, sync={str(sync).lower()}, {len(rates)} runs, min / median / max: "
                        + "; ".join(f"{name} {min(values):.3f} / {statistics.median(values):.3f} / {max(values):.3f}"
                                    for name, values in (("WER", rates), ("end (s)", drains), ("speed", speeds))))
            self.assertLessEqual(statistics.median(rates), self.transport.worst_median)

    def test_once_fast(self):
        self.story(["speech"], False)

    @live
    @only("scripted", "the genuine server is told thrice as much")
    def test_once_real_time(self):
        self.story(["speech"], True)

    def test_thrice_fast(self):
        self.story(["speech"] * 3, False)

    @live
    @only("genuine", "it takes 74 s, and the scripted server has nothing that could get tired")
    def test_thrice_real_time(self):
        self.story(["speech"] * 3, True)

    @only("genuine", "the scripted one takes nothing for no speech, unless it is told to: element/eos")
    def test_hard(self):
        self.story([f"speech:{number}" for number in self.HARD], False)


class Formats(Story):
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
        audio = self.audio("speech")
        run = transcribe(self.server.uri, audio.path, "--caps", self.caps(*sample_format), timeout=120)
        self.check_ended_well(run)
        self.check_received(run, audio.seconds)
        self.check_finals(run, audio.seconds)
        rate = word_error_rate(audio.text, run.text)
        self.report("{}, {} Hz, {} channels: WER {:.3f}".format(*sample_format, rate))
        return rate

    def test_formats(self):
        bound = max(self.rate_of("S16LE", 16000, 1), self.transport.worst_median)
        # audio of another rate, or with noise, may cost a word or two
        bound += 0.05 * bool(self.transport.worst)
        every = itertools.product(self.FORMATS, self.RATES, self.CHANNELS)
        for sample_format in every if options.all else self.SOME:
            with self.subTest(sample_format):
                rate = self.rate_of(*sample_format)
                if rate > bound > 0:
                    # Whisper's passes are not the same each time: the median of three tells more than one of them
                    rate = statistics.median([rate, self.rate_of(*sample_format), self.rate_of(*sample_format)])
                self.assertLessEqual(rate, bound)


class Edges(Story):
    """Audio with nothing in it, or with hardly anything"""

    def test_pure_silence(self):
        audio = self.audio("silence:20")
        run = transcribe(self.server.uri, audio.path)
        self.check_ended_well(run)
        self.check_received(run, audio.seconds)
        self.report(f"20 s of silence: {run.seconds:.1f} s, heard “{run.text}”")

    @only("genuine", "the scripted server knows no speech that is too short to be understood")
    def test_a_third_of_a_second(self):
        samples, _ = speech.load("librivox:2")
        path = options.work / "short.wav"
        speech.write(path, samples[:2 * speech.RATE * 3 // 10])
        run = transcribe(self.server.uri, path, drain_timeout=5000)
        # the server may say nothing at all about so little, and then nobody knows whether it is done
        self.check_ended_well(run, complete=False)
        self.check_received(run, 0.3)
        self.report(f"0.3 s of speech: {run.seconds:.1f} s, heard “{run.text}”")

    @live
    def test_silence_between(self):
        audio = self.audio("speech:5", "silence:8", "speech:4")
        run = transcribe(self.server.uri, audio.path, "--sync")
        rate = self.check_whole(run, audio)
        self.report(f"a sentence, 8 s of silence, a sentence: WER {rate:.3f}")


class Times(Story):
    """Each word lies where it was spoken, as far as Whisper's own times allow"""

    PAUSE = 4
    # a word may be told a good deal before it is spoken, or after
    WHISPER = 1.2
    WORDS = {"word-timestamps": "true"}

    def spoken(self):
        """The audio, and where each of its sentences begins and ends"""
        sentences = [self.audio(f"speech:{number}") for number in (5, 2, 1)]
        ends = list(itertools.accumulate(sentence.seconds + self.PAUSE for sentence in sentences))
        places = [(end - self.PAUSE - sentence.seconds, end - self.PAUSE) for end, sentence in zip(ends, sentences)]
        return self.audio("speech:5", f"silence:{self.PAUSE}", "speech:2", f"silence:{self.PAUSE}", "speech:1"), places

    def check_times(self, run, places):
        words = [(word["running-time"] / SECOND, (word["running-time"] + word["duration"]) / SECOND, word["text"])
                 for final in run.finals for word in final["words"]]
        for begin, end in places:
            inside = [word for word in words if begin - self.WHISPER <= word[0] and word[1] <= end + self.WHISPER]
            words = [word for word in words if word not in inside]
            self.assertTrue(inside, f"no word between {begin} and {end}: {run.script()}")
            self.assertLess(abs(inside[0][0] - begin), self.WHISPER, inside)
            self.assertLess(abs(inside[-1][1] - end), self.WHISPER, inside)
        self.assertEqual(words, [], f"not in {places}")

    def test_words_where_they_are(self):
        audio, places = self.spoken()
        run = transcribe(self.server.uri, audio.path, **self.WORDS)
        self.check_whole(run, audio)
        self.check_times(run, places)

    def test_words_after_a_reset(self):
        """On the next connection the server's times begin anew"""
        audio, places = self.spoken()
        with FaultProxy(self.server) as proxy, Transcription(proxy.uri, audio.path, **QUICK, **self.WORDS) as transcription:
            transcription.wait("whisperlive/transcript", final=True)
            proxy.do("reset")
            run = transcription.finish()
        self.check_whole(run, audio)
        self.assertGreater(len(run.sessions), 1)
        self.check_times(run, places)


class Lifelike(Story):
    """A scripted server that is as slow as the genuine one when it was recorded"""

    def once(self, server, *arguments, **properties):
        audio = self.audio("speech")
        run = transcribe(server.uri, audio.path, *arguments, **properties)
        self.check_whole(run, audio)
        return audio.seconds / run.one("EOS")["wall"]

    @live
    @only("scripted", "with a genuine server every story is like that")
    def test_alone_and_together(self):
        """The sessions share the model"""
        with self.own_server(*self.transport.lifelike()) as server:
            alone = self.once(server)
            # what it is asked for can be more than it can do: then it is behind, and nothing is lost
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                together = list(pool.map(self.once, [server] * 3, ["--sync"] * 3))
        self.report(f"{alone:.1f} times real time alone, {statistics.mean(together):.1f} each of three in real time")


class Reports(Story):
    """What else is told about a session"""

    def test_language(self):
        """Found out by the server: it is not told, and the model knows others"""
        run = transcribe(self.server.uri, self.audio("speech:1").path, language_code=None)
        self.check_ended_well(run)
        self.assertEqual(run.one("whisperlive/language")["language-code"], "en")
        self.assertTrue(all(final["language-code"] == "en" for final in run.finals), run.finals)

    def test_tags(self):
        run = transcribe(self.server.uri, self.audio("speech:1").path)
        tags = [message["tags"] for message in run.named("TAG")]
        self.assertIn("en", [tag.get("language-code") for tag in tags])
        told = [tag["whisperlive-transcript"] for tag in tags if "whisperlive-transcript" in tag]
        self.assertEqual(told, [final["text"] for final in run.finals])

    def test_words(self):
        run = transcribe(self.server.uri, self.audio("speech:1").path, word_timestamps="true")
        self.check_ended_well(run)
        for final in run.finals:
            words = "".join(word["text"] for word in final["words"])
            self.assertEqual("".join(words.split()), "".join(final["text"].split()))
            starts = [word["running-time"] for word in final["words"]]
            self.assertEqual(starts, sorted(starts))

    def test_states(self):
        """Each verified before the next"""
        run = transcribe(self.server.uri, self.audio("speech:2").path)
        states = " ".join(message["state"] for message in run.named("whisperlive/state"))
        # a session that a slow machine says nothing in for too long is replaced
        self.assertRegex(states, "^(connecting connected ready (draining )?closing ){1,3}disconnected$")

    def test_gst_launch(self):
        audio = self.audio("speech:5")
        result = subprocess.run(
            ["gst-launch-1.0", "-m", "-t", "filesrc", f"location={audio.path}", "!", "decodebin", "!",
             "whisperlivesink", f"uri={self.server.uri}"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("whisperlive/transcript", result.stdout)
        self.assertIn(audio.sentences[-1].split()[-1], result.stdout)


class ApiKey(Story):
    server_arguments = ("--api-key", "right")

    def test_wrong_key(self):
        run = transcribe(self.server.uri, self.audio("speech:2").path, api_key="wrong-and-secret")
        self.check_error(run, "resource", "not-authorized")
        self.assertNotIn("wrong-and-secret", json.dumps(run.messages) + run.stderr)

    def test_right_key(self):
        audio = self.audio("speech:1")
        run = transcribe(self.server.uri, audio.path, api_key="right")
        self.check_whole(run, audio)


class Full(Story):
    server_arguments = ("--max-clients", "1")

    def test_busy(self):
        with connect(self.server.uri, proxy=None) as other:
            other.send(json.dumps({"uid": "other", "language": "en", "task": "transcribe", "model": "tiny.en"}))
            other.recv(timeout=30)
            run = transcribe(self.server.uri, self.audio("speech:2").path, retries=0)
        self.check_error(run, "resource", "busy")


class Gone(Story):
    def test_no_server(self):
        with self.own_server() as server:
            uri = server.uri
        run = transcribe(uri, self.audio("speech:2").path, retries=0)
        self.check_error(run, "resource", "open-write")
