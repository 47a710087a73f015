#!/usr/bin/python3
# rtsp-server.py: a camera of the tests, GStreamer's RTSP server on a loopback port
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: rtsp-server.py PIPELINE

PIPELINE has the payloaders pay0, pay1 …, and is played to each client of rtsp://127.0.0.1:PORT/stream. Prints PORT, and
ends when stdin does.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main():
    Gst.init(None)
    loop = GLib.MainLoop()
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(sys.argv[1])
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service="0")
    server.get_mount_points().add_factory("/stream", factory)
    if not server.attach(None):
        sys.exit("rtsp-server.py: no port of 127.0.0.1 could be had")
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print(server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
