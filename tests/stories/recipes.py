# recipes.py: the commands of docs/recipes.md and README.md, as they are there
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each block of a page that is marked as “sh” is run by a story, and prints what the block “text” after it shows.

A block belongs to the heading above it. What is replaced in it is in Recipe.replacements(); the files that it names are
made in a folder that it is run in.
"""

import contextlib
import functools
import http.server
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import types
import wave
from pathlib import Path

from harness import DEADLINE, PATIENCE, Story, live, only, programs
from options import options
from transports import normalise, speech
from websockets.sync.client import connect
from websockets.sync.server import serve

ROOT = Path(__file__).resolve().parents[2]
RTSP_SERVER = ROOT / "tests" / "support" / "rtsp-server.py"
DEBIAN_PYTHON = "/usr/bin/python3"  # PyGObject is for that one
PAGE = "docs/recipes.md"
# What the pages have people say; anything may be there
SAID = (
    "He was not an ill-disposed young man.",
    "He might even have been made amiable himself.",
    "Unless to be rather cold-hearted is to be ill-disposed.",
    "Er war kein übler junger Mann.",
    "Ce n'était pas un jeune homme malveillant.",
    "…",
)
# From WAV
ENCODERS = {
    ".flac": "flacenc",
    ".ogg": "flacenc ! oggmux",
    ".wav": "wavenc",
}
# A machine that halts is no speaker who does: no text is complete because it came again and again
STEADY = 1000
ONE_SERVER = "with a genuine server, the recipes that differ in what it hears are enough"


# The pages


@functools.cache
def blocks(page):
    """{heading: [(language, text)]}"""
    found, heading, language, lines = {}, "", None, []
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if language:
                found.setdefault(heading, []).append((language, "\n".join(lines)))
            language, lines = line[3:].strip() if language is None else None, []
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
    return found


def recipe(heading, page=PAGE):
    """A story that runs what is under this heading"""
    def mark(story):
        story.recipe = page, heading
        return story

    return mark


def shape(line):
    """What fits a line of a page, whatever was said and when"""
    pattern = re.escape(line)
    for said in SAID:
        pattern = pattern.replace(re.escape(said), ".*")
        # as it is in a structure
        pattern = pattern.replace(re.escape(said.replace(" ", "\\ ")), ".*")
    return re.sub(r"\d+", r"\\d+", pattern)


# What gst-launch-1.0 prints


def tags(printed):
    return re.findall(r"^ *transcript: (.*)$", printed, re.MULTILINE)


def texts(printed, name):
    """Of the final messages that -m prints"""
    found = re.findall(rf"whisperlive/{name}, text=\(string\)(.*?), final=\(boolean\)true", printed)
    return [text.replace("\\", "").strip('"') for text in found]


# The stories


class Command:
    """A block, while the shell runs it"""

    def __init__(self, script, folder):
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.stderr = tempfile.TemporaryFile("w+", dir=folder)
        # with a group of its own, for all the programs of a pipe; it ends with this process, whatever becomes of that
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "bash", "-e", "-o", "pipefail", "-c", script], cwd=folder,
            env={**environment, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.stderr, encoding="utf-8", start_new_session=True)
        self.script = script
        self.printed = ""
        self.patience = threading.Timer(DEADLINE, self.kill)
        self.patience.start()
        programs.add(self)

    def __enter__(self):
        return self

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)

    def wait_line(self, pattern):
        for line in self.process.stdout:
            self.printed += line
            if re.search(pattern, line):
                return line
        raise AssertionError(f"{pattern} did not come; {self.tail()}")

    def finish(self):
        """All that it printed"""
        self.printed += self.process.stdout.read()
        if self.process.wait() != 0:
            raise AssertionError(self.tail())
        return self.printed

    def tail(self):
        self.stderr.seek(0)
        return (f"{self.script}\nexit code {self.process.poll()} (SIGKILL: not within {DEADLINE} s); printed:\n"
                f"{self.printed[-3000:]}\nstderr:\n{self.stderr.read()[-2000:]}")

    def __exit__(self, *exception):
        self.patience.cancel()
        self.kill()
        self.process.wait()
        programs.remove(self)
        self.process.stdout.close()
        self.stderr.close()


class Recipe(Story):
    more = ""  # properties

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(dir=options.work)))
        self.streams = {}  # of the pages, and here

    def replacements(self):
        """(pattern of a page, what stands for it here)"""
        uri = self.server.uri
        examples = Path(options.transcribe).parent
        patience = " ".join(f"{name}={value}" for name, value in PATIENCE.items())
        yield r"\bwhisperlivesink\b", f"whisperlivesink uri={uri} {patience} {self.more}"
        yield r"\bbuild/tests/examples/(\w+)", rf"{examples}/\1 --uri {uri}"
        yield r"\btests/examples/(\w+\.py)", rf"{ROOT}/tests/examples/\1 --uri {uri}"
        yield r"^python3 ", f"{DEBIAN_PYTHON} "
        yield r"\bws://127\.0\.0\.1:9090", uri
        # there is no sound card
        yield r"\bpulsesrc\b", "filesrc location=microphone.wav ! wavparse ! identity sync=true"
        for stream, local in self.streams.items():
            yield re.escape(stream), local

    def here(self, command):
        for pattern, replacement in self.replacements():
            command = re.sub(pattern, replacement, command)
        return command

    # what the recipes read

    def make(self, name, audio):
        """The file that a page calls so"""
        path = self.folder / name
        encoder = "vorbisenc ! oggmux" if path.suffix == ".ogg" and self.transport.name == "genuine" else ENCODERS[path.suffix]
        self.run_command(f"gst-launch-1.0 -q filesrc location='{audio.path}' ! wavparse ! audioconvert ! {encoder} ! "
                         f"filesink location={name}")
        return audio

    def spoken(self, *numbers):
        """Samples of the scripted server's words; 0 is a pause"""
        return b"".join(self.transport.tone(100 + 10 * word, 0.4) if word else bytes(2 * speech.RATE * 6 // 10) for word in numbers)

    # and what is done with them

    def run_command(self, script):
        with Command(script, self.folder) as command:
            return command.finish()

    def recipe(self, *languages):
        """The blocks under the story's heading, which are in these languages"""
        page, heading = getattr(type(self), self._testMethodName).recipe
        found = blocks(page)[heading]
        self.assertEqual(tuple(language for language, _ in found), languages, f"{page}, {heading}")
        return [text for _, text in found]

    def run_recipe(self):
        command, shown = self.recipe("sh", "text")
        printed = self.run_command(self.here(command))
        self.check_printed(shown, printed)
        return printed

    def check_printed(self, shown, printed):
        lines = printed.splitlines()
        for line in shown.splitlines():
            self.assertTrue(any(re.fullmatch(shape(line), other) for other in lines),
                            f"the page shows “{line}”, but this was printed:\n{printed}")

    def check_said(self, said, audio):
        self.assertTrue(said)
        self.check_text(types.SimpleNamespace(text=" ".join(said), script=lambda: said), audio, self.transport.get_worst(audio))


class Pages(Story):
    PAGES = (PAGE, "README.md")

    @only("scripted", "it is about the pages")
    def test_each_recipe_has_a_story(self):
        kinds = [kind for kind in vars(sys.modules[__name__]).values() if isinstance(kind, type) and issubclass(kind, Recipe)]
        told = {story.recipe for kind in kinds for story in vars(kind).values() if hasattr(story, "recipe")}
        there = {(page, heading) for page in self.PAGES for heading, found in blocks(page).items()
                 if any(language in ("sh", "c", "python") for language, _ in found)}
        self.assertEqual(told, there)
        self.assertGreater(len(there), 10)

    @only("scripted", "it is about the pages")
    def test_no_command_is_elsewhere(self):
        for page in self.PAGES:
            marked = [text for found in blocks(page).values() for language, text in found if language == "sh"]
            commands = (ROOT / page).read_text(encoding="utf-8").count("\n    gst-launch-1.0")
            commands += len(re.findall(r"^gst-launch-1.0", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
            self.assertEqual(commands, len(re.findall(r"^gst-launch-1.0", "\n".join(marked), re.MULTILINE)), page)


class Files(Recipe):
    @recipe("A file")
    def test_file(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        self.check_said(tags(self.run_recipe()), audio)

    @recipe("Only the text")
    @only("scripted", ONE_SERVER)
    def test_only_the_text(self):
        audio = self.make("speech.flac", self.audio("speech:2"))
        self.check_said(self.run_recipe().splitlines(), audio)

    @recipe("Clean speech")
    def test_clean_speech(self):
        audio = self.make("speech.flac", self.audio("speech"))
        self.check_said(tags(self.run_recipe()), audio)


@live
class Live(Recipe):
    @recipe("A microphone")
    @only("scripted", ONE_SERVER)
    def test_microphone(self):
        """Ctrl-C when there is a text: what was said since comes as well"""
        audio = self.make("microphone.wav", self.audio("speech:1"))
        command, shown = self.recipe("sh", "text")
        with Command(self.here(command), self.folder) as command:
            command.wait_line(r"^ *transcript: ")
            before = tags(command.printed)
            command.signal(signal.SIGINT)
            printed = command.finish()
        self.check_printed(shown, printed)
        self.assertGreater(len(tags(printed)), len(before), printed)
        said = normalise(self.transport.join(" ".join(tags(printed))))
        self.assertTrue(normalise(audio.text).startswith(said), printed)

    @recipe("A camera")
    def test_camera(self):
        audio = self.audio("speech:2")
        # most cameras have A-law
        pipeline = (f"( filesrc location=\"{audio.path}\" ! wavparse ! audioconvert ! audioresample ! alawenc ! rtppcmapay name=pay0 "
                    f"videotestsrc num-buffers={5 * audio.seconds:.0f} ! video/x-raw,format=I420,width=64,height=48,framerate=5/1 "
                    "! jpegenc ! rtpjpegpay name=pay1 )")
        with subprocess.Popen([DEBIAN_PYTHON, RTSP_SERVER, pipeline], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as camera:
            port = camera.stdout.readline().strip()
            self.streams["rtsp://camera.example/"] = f"rtsp://127.0.0.1:{port}/"
            self.check_said(tags(self.run_recipe()), audio)
            camera.stdin.close()  # which is its end

    @recipe("A radio station")
    @only("scripted", ONE_SERVER)
    def test_radio_station(self):
        audio = self.audio("speech:2")
        self.run_command(f"gst-launch-1.0 -q filesrc location='{audio.path}' ! wavparse ! audioconvert ! lamemp3enc ! mpegaudioparse "
                         "! mpegtsmux ! multifilesink next-file=max-duration max-file-duration=1000000000 location=%05d.ts")
        self.write_playlist(sorted(self.folder.glob("*.ts")))
        handler = functools.partial(Handler, directory=self.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                self.streams["https://radio.example/"] = f"http://127.0.0.1:{server.server_port}/"
                self.check_said(tags(self.run_recipe()), audio)
            finally:
                server.shutdown()
                thread.join()

    def write_playlist(self, parts):
        """By hand: hlssink2 of GStreamer 1.22 hangs, on a busy machine one time in ten"""
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1"]
        for part in parts:
            lines += ["#EXTINF:1.0,", part.name]
        (self.folder / "live.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]), encoding="ascii")

    @recipe("Transcribe and record")
    @only("scripted", ONE_SERVER)
    def test_record(self):
        audio = self.make("microphone.wav", self.audio("speech:2"))
        self.check_said(tags(self.run_recipe()), audio)
        self.run_command("gst-launch-1.0 -q filesrc location=recording.flac ! flacparse ! flacdec ! audioconvert dithering=none "
                         "! audio/x-raw,format=S16LE ! filesink location=recording.raw")
        with wave.open(str(audio.path)) as original:
            self.assertEqual((self.folder / "recording.raw").read_bytes(), original.readframes(original.getnframes()))


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@only("scripted", "the genuine one here knows only English, and nobody's voice")
class Languages(Recipe):
    @recipe("A language that is not known")
    def test_not_known(self):
        self.make("speech.ogg", self.audio("speech:2"))
        self.run_recipe()

    @recipe("Two languages")
    def test_two(self):
        left, right = range(1, 7), range(15, 21)
        samples = zip(*[memoryview(self.spoken(*words)).cast("h") for words in (left, right)], strict=True)
        with wave.open(str(self.folder / "both.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(speech.RATE)
            file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in itertools.chain(*samples)))
        self.make("conference.flac", types.SimpleNamespace(path=self.folder / "both.wav"))
        printed = self.run_recipe()
        for element, language, words in (("german", "de", left), ("english", "en", right)):
            self.assertRegex(printed, rf'found by element "{element}"\.\n *language code: {language}\n')
            said = re.findall(rf'found by element "{element}"\.\n *transcript: (.*)', printed)
            self.assertEqual(self.transport.join(" ".join(said)), " ".join(f"w{word}" for word in words), printed)

    @recipe("Translation")
    def test_translation(self):
        audio = self.make("speech.ogg", self.audio("speech:1"))
        said = texts(self.run_recipe(), "translation")
        self.assertTrue(said)
        # those of the last words may be missing
        self.assertTrue(audio.text.replace("w", "t").startswith(" ".join(said)), said)


@only("scripted", "the genuine one here knows only English, and nobody's voice")
class Speakers(Recipe):
    more = f"same-output-threshold={STEADY}"
    FIRST, SECOND, LAST = (151, 152, 153), (1, 2, 3), (154, 155)

    def dialogue(self):
        """Somebody, another, and the first one again"""
        path = self.folder / "dialogue.wav"
        speech.write(path, self.spoken(*self.FIRST, 0, *self.SECOND, 0, *self.LAST))
        self.make("dialogue.flac", types.SimpleNamespace(path=path))

    def check_dialogue(self, printed, first, second):
        expected = []
        for words, speaker in ((self.FIRST, first), (self.SECOND, second), (self.LAST, None)):
            expected += [f"text=(string)\"{' '.join(f'w{word}' for word in words)}\", final=(boolean)true"]
            expected += [f"speaker=(string){speaker}"] if speaker else []
        self.assertEqual(printed.splitlines(), expected)

    @recipe("Who speaks")
    def test_who_speaks(self):
        self.dialogue()
        self.check_dialogue(self.run_recipe(), "SPEAKER_00", "SPEAKER_01")

    @recipe("Speakers with names")
    def test_names(self):
        self.dialogue()
        speech.write(self.folder / "ann.wav", self.spoken(200))
        speech.write(self.folder / "ben.wav", self.spoken(100))
        self.check_dialogue(self.run_recipe(), "Ann", "Ben")


class Subtitles(Recipe):
    """With every character of the file"""

    def check_cues(self, cues, audio):
        """[(start, end, text)], times as they are written"""
        times = [self.seconds(time) for start, end, _ in cues for time in (start, end)]
        self.assertEqual(times, sorted(times), cues)
        self.assertLess(times[0], 1)
        self.assertLessEqual(times[-1], audio.seconds + 0.5)
        self.assertGreater(times[-1], audio.seconds / 2)
        self.check_said([text for _, _, text in cues], audio)

    @staticmethod
    def seconds(time):
        hours, minutes, seconds = time.replace(",", ".").split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)

    @recipe("SRT subtitles")
    def test_srt(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        self.run_recipe()
        written = (self.folder / "speech.srt").read_text(encoding="utf-8")
        self.assertRegex(written, r"\A(\d+\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n.+\n\n)+\Z")
        cues = re.findall(r"(\d+)\n(.+) --> (.+)\n(.+)\n\n", written)
        self.assertEqual([int(number) for number, *_ in cues], list(range(1, len(cues) + 1)))
        self.check_cues([cue for _, *cue in cues], audio)

    @only("scripted", "the genuine one says no such things")
    def test_markup(self):
        """Text that the formats would take for their own"""
        self.make("speech.ogg", self.audio("speech:5"))
        with reworded(self.server.uri, r"\bw2\b", r"<i> & \\n\\nw7 -->") as uri:
            for name, said in (("speech.srt", "w1 <i> &   w7 --> w3 w4 w5"),
                               ("speech.vtt", "w1 &lt;i&gt; &amp;   w7 --&gt; w3 w4 w5")):
                self.run_command(f"'{Path(options.transcribe).parent}/subtitles' --uri {uri} "
                                 f"--property same-output-threshold={STEADY} speech.ogg {name}")
                written = (self.folder / name).read_text(encoding="utf-8")
                self.assertRegex(written, rf"\A(1|WEBVTT\n)\n.+ --> [\d:,.]+\n{said}\n\n\Z")

    @recipe("WebVTT subtitles")
    @only("scripted", ONE_SERVER)
    def test_webvtt(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        self.run_recipe()
        written = (self.folder / "speech.vtt").read_text(encoding="utf-8")
        self.assertRegex(written, r"\AWEBVTT\n\n(\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}\n.+\n\n)+\Z")
        self.check_cues(re.findall(r"(.+) --> (.+)\n(.+)\n\n", written), audio)


@contextlib.contextmanager
def reworded(uri, pattern, words):
    """The uri of a proxy in front of a server, which has that say something else"""
    def pass_up(client, upstream):
        for message in client:
            upstream.send(message)
        upstream.close()

    def serve_client(client):
        with connect(uri, proxy=None) as upstream:
            up = threading.Thread(target=pass_up, args=[client, upstream])
            up.start()
            for message in upstream:
                client.send(re.sub(pattern, words, message))
            client.close()
            up.join()

    with serve(serve_client, "127.0.0.1", 0) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{proxy.socket.getsockname()[1]}"
        finally:
            proxy.shutdown()
            thread.join()


class Applications(Recipe):
    @recipe("Python")
    def test_python(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        printed = self.run_recipe()
        self.check_said(re.findall(r"^ *[\d.]+ s  (.*)$", printed, re.MULTILINE), audio)
        partials = re.findall(r"^ *-  (.*)$", printed, re.MULTILINE)
        self.assertTrue(partials, printed)

    @recipe("Partial texts")
    @only("scripted", "every other story does that")
    def test_transcribe(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        self.check_said(re.findall(r"^\[.*?\] (.*)$", self.run_recipe(), re.MULTILINE), audio)


@only("scripted", ONE_SERVER)
class Readme(Recipe):
    @live
    @recipe("Pipelines", "README.md")
    def test_pipelines(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        self.make("microphone.wav", audio)
        for command in self.recipe("sh", "sh"):
            self.check_said(tags(self.run_command(self.here(command))), audio)

    @recipe("Read the messages", "README.md")
    def test_read_the_messages(self):
        audio = self.make("speech.ogg", self.audio("speech:2"))
        c, in_c, python, in_python = self.recipe("c", "sh", "python", "sh")
        (self.folder / "listen.c").write_text(c, encoding="utf-8")
        (self.folder / "listen.py").write_text(python, encoding="utf-8")
        for commands in (in_c, in_python):
            printed = self.run_command(self.here(commands))
            self.check_said(re.findall(r"^.*? s: (.*)$", printed, re.MULTILINE), audio)
