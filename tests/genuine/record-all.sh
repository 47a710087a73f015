#!/usr/bin/env bash
# Records the traces of tests/data/traces anew (see the README there), about two minutes. Needs scripts/setup to have run.
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${WHISPERLIVE_PYTHON:-$here/../../.venv/bin/python}
traces=${1:-$here/../data/traces}
work=$(mktemp -d)
server=
stop() { if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; fi; }
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

start() { # server options
  stop
  rm -f "$work/port"
  "$python" "$here/server.py" --warm-up --port-file "$work/port" --log-file "$work/log" "$@" >"$work/ready" &
  server=$!
  until [ -e "$work/port" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.2
  done
}

record() { # name, recorder options
  echo "recording $1"
  "$python" "$here/record-trace.py" --uri "ws://127.0.0.1:$(cat "$work/port")" -o "$traces/$1.jsonl" "${@:2}"
}

mkdir -p "$traces"
start
record librivox-25s-1x librivox
record librivox-74s-paced --speed 0 librivox librivox librivox
record words --speed 0 --option word_timestamps=true librivox
record silence-between librivox:5 silence:8 librivox:2
record repeated-phrase librivox:2 silence:3 librivox:2 silence:12
record language --speed 0 --option language=null librivox:1 librivox:2
start --max-connection-time 10
record overtime librivox
start --max-clients 1
record wait --occupy 1 librivox:2
