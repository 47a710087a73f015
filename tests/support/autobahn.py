#!/usr/bin/env python3
# autobahn.py: Autobahn's cases for WebSocket clients, run on the connection that the element makes
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves Autobahn's cases (by kosoku) to autobahn-client, which is built around gst/client/whisperlive-websocket.c.

Cases 12 and 13 are compression, which the element does not ask for. All others have to pass.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import kosoku

CLIENT = Path(__file__).resolve().parents[2] / "build/tests/support/autobahn-client"
COMPRESSION = ["12.*", "13.*"]
WORST = 1800  # s, for a server or client that hangs; a run takes 20, and minutes where all cores are busy


async def run(program):
    """(results of the cases, what the client said, by its name, of each that ended without a closing handshake)"""
    async with kosoku.run_fuzzingserver(None, COMPRESSION, host="127.0.0.1", port=0) as server:
        client = await asyncio.create_subprocess_exec(program, f"ws://{server.address}:{server.port}",
                                                      stdout=asyncio.subprocess.PIPE)
        try:
            output, _ = await asyncio.wait_for(client.communicate(), WORST)
            if client.returncode:
                sys.exit(f"autobahn-client returned {client.returncode}")
            results = await asyncio.wait_for(server.get_result(), WORST)
        except kosoku.FailureError as failure:
            results = failure.results
        finally:
            if client.returncode is None:
                client.kill()
                await client.wait()
    said = dict(line.split(" ", 1) for line in output.decode().splitlines())
    return results, {result.case_id: said.get(str(result.case_index), "") for result in results}


def tell(result, said):
    print(f"case {result.case_id} failed: {result.behavior.value}, {result.behavior_close.value}: {result.result} {said}\n"
          f"  {result.description.strip()}\n  {result.expectation.strip()}")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", nargs="?", default=CLIENT, metavar="PROGRAM")
    program = parser.parse_args().client

    passed = failed = 0
    results, said = await run(program)
    for result in results:
        passed, failed = passed + result.passed, failed + (not result.passed)
        if not result.passed:
            tell(result, said[result.case_id])
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    asyncio.run(main())
