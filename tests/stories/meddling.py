# meddling.py: what becomes of the stories when somebody ends their server
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The story that needs the server fails at once, with the reason; those after it have a server again."""

import os
import signal
import unittest

from harness import Story, Transcription, only, transcribe


class Told(Story):
    """Not told by suite.py itself: its names do not begin with “test”"""

    server_arguments = ()

    def ended_server(self):
        audio = self.audio("speech")
        with Transcription(self.server.uri, audio.path, "--sync", retries=-1) as transcription:
            transcription.wait_state(state="ready")
            os.kill(self.server.process.pid, signal.SIGKILL)
            # without its server it would try for ever
            transcription.wait_finals(1000)

    def server_again(self):
        audio = self.audio("speech:5")
        self.check_whole(transcribe(self.server.uri, audio.path), audio)


class Meddling(Story):
    @only("scripted", "it is about the suite, and the scripted server starts sooner")
    def test_server_ended_by_somebody(self):
        told = type("Told", (Told,), {"transport": self.transport})
        result = unittest.TestResult()
        unittest.TestSuite(map(told, ("ended_server", "server_again"))).run(result)
        self.assertEqual(result.testsRun, 2)
        self.assertEqual(result.errors, [])
        self.assertEqual({test.id().rpartition(".")[2] for test, _ in result.failures}, {"ended_server"})
        self.assertIn("has ended, and no story has ended it", "".join(text for _, text in result.failures))
