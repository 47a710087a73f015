#!/usr/bin/env python3
# speech.py: the speech that the genuine suite, the demo and the traces use, from Debian's pocketsphinx-testdata
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Concatenates pieces of 16 kHz mono speech into a WAV file.

A piece is a WAV file, "librivox" (the five LibriVox sentences, 25 s), "librivox:N" (the Nth of them, from 1),
"cards:N" (a phrase of a card game, from 1), "silence:SECONDS", "noise:SECONDS" or "music:SECONDS", both as loud as the
speech.
"""

import argparse
import array
import math
import random
import re
import sys
import wave
from pathlib import Path

RATE = 16000
DATA = Path("/usr/share/pocketsphinx/test/data")


def _transcriptions(path):
    """[(name, text)] of a Sphinx transcription file: lines of "<s> text </s> (name)" """
    found = re.findall(r"<s>\s*(.*?)\s*</s>\s*\((.*?)\)", path.read_text(encoding="utf-8"))
    return [(name, text) for text, name in found]


def _read(path):
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
            raise ValueError(f"{path} is not 16 kHz mono with 16 bits a sample")
        return file.readframes(file.getnframes())


def _corpus(folder, transcription, argument):
    entries = _transcriptions(DATA / folder / transcription)
    if argument:
        entries = [entries[int(argument) - 1]]
    return b"".join(_read(DATA / folder / f"{name}.wav") for name, _ in entries), " ".join(text for _, text in entries)


def _noise(count):
    """White noise"""
    chance = random.Random(1)
    return [chance.gauss(0, 2500) for _ in range(count)]


def _music(count):
    """A tune and a bass of notes with some harmonics, a quarter or half a second each"""
    chance, notes, samples = random.Random(1), (220, 247, 262, 294, 330, 349, 392, 440), []
    while len(samples) < count:
        tune, bass = chance.choice(notes), chance.choice(notes) / 2
        for i in range(chance.choice((RATE // 4, RATE // 2))):
            angle, fade = 2 * math.pi * i / RATE, math.exp(-3 * i / RATE)
            samples.append(4000 * (fade * sum(math.sin(tune * k * angle) / k for k in (1, 2, 3, 4))
                                   + 0.7 * sum(math.sin(bass * k * angle) / k for k in (1, 2, 3))))
    return samples[:count]


def _pcm(samples):
    pcm = array.array("h", (max(-32768, min(32767, round(sample))) for sample in samples))
    if sys.byteorder == "big":
        pcm.byteswap()
    return pcm.tobytes()


def load(*pieces):
    """The samples (16-bit, little endian) of the pieces one after the other, and the text spoken in them"""
    audio, text = b"", []
    for piece in pieces:
        kind, _, argument = piece.partition(":")
        if kind == "librivox":
            samples, spoken = _corpus("librivox", "transcription", argument)
        elif kind == "cards":
            samples, spoken = _corpus("cards", "cards.transcription", argument)
        elif kind == "silence":
            samples, spoken = bytes(2 * int(float(argument) * RATE)), ""
        elif kind in ("noise", "music"):
            samples, spoken = _pcm({"noise": _noise, "music": _music}[kind](int(float(argument) * RATE))), ""
        else:
            samples, spoken = _read(piece), ""
        audio += samples
        text += [spoken] if spoken else []
    return audio, " ".join(text)


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="+", metavar="PIECE")
    parser.add_argument("-o", "--output", required=True, metavar="WAV")
    arguments = parser.parse_args()
    try:
        samples, text = load(*arguments.pieces)
    except (OSError, ValueError, IndexError) as error:
        sys.exit(f"speech.py: {error}")
    write(arguments.output, samples)
    print(text)


if __name__ == "__main__":
    main()
