#!/usr/bin/python3
# transcribe.py: prints what is said in a file or stream, with whisperlivesink
#
# An example of an application in Python, which needs Debian's python3-gi and gir1.2-gstreamer-1.0.
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints partial texts, after a dash, and final ones, after the time that they begin at."""

import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

PIPELINE = "uridecodebin name=source caps=audio/x-raw expose-all-streams=false ! whisperlivesink name=listener"


class Transcriber:
    def __init__(self, arguments):
        self.loop = GLib.MainLoop()
        self.failed = False
        self.pipeline = Gst.parse_launch(PIPELINE)
        source, listener = map(self.pipeline.get_by_name, ("source", "listener"))
        is_uri = Gst.uri_is_valid(arguments.input)
        source.set_property("uri", arguments.input if is_uri else Gst.filename_to_uri(arguments.input))
        listener.set_property("uri", arguments.uri)
        listener.set_property("language-code", arguments.language)

        self.bus = self.pipeline.get_bus()
        self.bus.add_signal_watch()
        self.bus.connect("message::element", self.on_element)
        self.bus.connect("message::error", self.on_error)
        self.bus.connect("message::eos", lambda bus, message: self.loop.quit())
        # Ctrl-C becomes EOS, so that the last words come
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, lambda: self.pipeline.send_event(Gst.Event.new_eos()))

    def on_element(self, bus, message):
        fields = message.get_structure()
        if not fields.has_name("whisperlive/transcript"):
            return
        text = fields.get_value("text")
        if fields.get_value("final"):
            print(f"{fields.get_value('stream-time') / Gst.SECOND:6.1f} s  {text}", flush=True)
        else:
            print(f"       -  {text}", flush=True)

    def on_error(self, bus, message):
        print(message.parse_error().gerror.message, file=sys.stderr)
        self.failed = True
        self.loop.quit()

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        self.bus.remove_signal_watch()
        return self.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", metavar="FILE|URI")
    parser.add_argument("--uri", default="ws://127.0.0.1:9090", help="WhisperLive server (%(default)s)")
    parser.add_argument("--language", metavar="CODE", help="that is spoken; the server detects it if it is not given")
    arguments = parser.parse_args()
    Gst.init(None)
    return Transcriber(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
