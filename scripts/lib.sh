# What scripts/setup, scripts/demo and scripts/test share. Sourced, not run.
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# absolute: not all of it runs in the folder that one is in
build=$(realpath -ms "${WHISPERLIVE_BUILD_DIR:-$repo/build}")
venv=$(realpath -ms "${WHISPERLIVE_VENV:-$repo/.venv}")
genuine=$repo/tests/genuine

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
[ -t 2 ] || say() { printf '==> %s\n' "$*" >&2; }

# fail MESSAGE HINT...: what went wrong, and what to do about it
fail() {
  printf '\n%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# One mebibyte of log is not what one wants to read when it went well: shows the command's output only if it fails
quietly() {
  local log
  log=$(mktemp)
  at_exit "rm -f '$log'"
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 40 "$log" >&2
    rm -f "$log"
    return 1
  fi
}

# Cleanups run last first, once, whatever ends the script. A command that is running in the foreground gets Ctrl-C itself.
cleanups=()
at_exit() { cleanups+=("$1"); }
clean_up() {
  local status=$? i
  trap '' INT TERM HUP
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" || true; done
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# stop PID: ends a process that this script has started, and waits until it is gone
stop() {
  local tries
  kill "$1" 2>/dev/null || return 0
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "root is needed, and there is no sudo" "As root, run: $*"
  fi
}

# install_packages NAME...: those that are not there yet
install_packages() {
  local package missing=()
  [ -z "${WHISPERLIVE_SKIP_PACKAGES:-}" ] || return 0
  command -v dpkg-query >/dev/null || fail "this is no Debian system" \
    "Install what corresponds to these packages, then set WHISPERLIVE_SKIP_PACKAGES=1:" "$*"
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    fail "root is needed to install Debian packages, and there is no sudo" \
      "As root, run: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  as_root apt-get update -q >&2 || fail "apt-get update failed" "Is the network up, and /etc/apt/sources.list right?"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install ${missing[*]}" "Try it by hand: apt-get install ${missing[*]}"
}

build_packages=(
  meson ninja-build gcc libc6-dev pkg-config libglib2.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  libsoup-3.0-dev libjson-glib-dev
)
# glib-networking is TLS for wss://; gstreamer1.0-plugins-good reads WAV, FLAC, MP3 and MP4 files
run_packages=(
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good glib-networking ca-certificates
  python3 python3-venv pocketsphinx-testdata
)
# gstreamer1.0-plugins-bad, gir1.2-gst-rtsp-server-1.0: recipes with subtitles, HLS and RTSP;
# libc6-dbg: valgrind does not start without the symbols of the dynamic loader; gdb tells where a test hangs
test_packages=(
  clang gdb haproxy openssl tinyproxy-bin valgrind libc6-dbg python3-gi gir1.2-gstreamer-1.0 gstreamer1.0-plugins-bad
  gir1.2-gst-rtsp-server-1.0
)

# build_plugin: the plugin, the tests and the examples
build_plugin() {
  local log
  if [ ! -e "$build/build.ninja" ]; then
    say "configuring $build"
    quietly meson setup "$build" "$repo" -Dtests=true -Dexamples=true ||
      fail "meson setup failed" "More is in $build/meson-logs/meson-log.txt; if the folder is an old one, remove it: rm -r $build"
  fi
  say "building"
  log=$(mktemp)
  at_exit "rm -f '$log'"
  meson compile -C "$build" >"$log" 2>&1 || { tail -n 60 "$log" >&2; fail "the build failed" "Try again with: rm -r $build"; }
}

# make_venv: a genuine WhisperLive and what the genuine suite needs. The stamp makes a second run instant.
make_venv() {
  local stamp=$venv/.whisperlivesink-stamp wanted
  wanted=$(cat "$genuine/requirements.txt" "$genuine/requirements-no-deps.txt" | sha256sum)
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    return
  fi

  # A machine whose package index has no CPU-only torch gets the larger build with CUDA libraries (several GB). It works as well.
  say "installing a genuine WhisperLive with Whisper tiny.en into $venv (a few minutes; about 2 GB, more where torch comes with CUDA)"
  [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv "$venv" ||
    fail "no Python environment could be made in $venv" "Try again with: rm -rf $venv"
  "$venv/bin/pip" install --progress-bar off -r "$genuine/requirements.txt" >&2 &&
    "$venv/bin/pip" install --progress-bar off --no-deps -r "$genuine/requirements-no-deps.txt" >&2 ||
    fail "pip could not install what tests/genuine/requirements*.txt name" \
      "Is the network up and the disk not full (df -h $venv)? Running it again goes on where it stopped."
  printf '%s\n' "$wanted" >"$stamp"
}

# plugin_environment: GStreamer finds the plugin that was built here, and the user's own registry stays as it is
plugin_environment() {
  export GST_PLUGIN_PATH=$build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
  export GST_REGISTRY=$build/gstreamer-registry.bin
}
