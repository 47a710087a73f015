#!/usr/bin/env python3
# fault-proxy.py: a bad network between a WebSocket client and its server, on loopback
#
# Copyright (C) 2026 the whisperlivesink authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Forwards TCP connections from one port of 127.0.0.1 to another, as badly as it is told to.

Commands are read from stdin, one a line, until its end; events go to stdout, each a line of JSON. The first event is
"listening", with the port and the seed of the jitter; "done" or "error" answers each command.

  latency MS [JITTER]   every byte comes MS ms later, plus up to JITTER more; the order stays
  bandwidth BYTES       so many a second, each way; 0: no limit
  slice BYTES           no write is longer; 0: no limit
  stall [up|down]       nothing is forwarded any more that way, or both ways; it is kept
  blackhole             what comes is swallowed; new connections are accepted, and that is all
  refuse                new connections are refused
  cut up|down BYTES     every connection is reset after so many bytes that way
  reset                 every connection is reset, now
  go                    ends stall, blackhole, refuse and cut; what has lost bytes by then is reset
  watch                 tells everything that passes
  before up|down TEXT COMMAND...
  after up|down TEXT COMMAND...
                        once, when TEXT passes: COMMAND is carried out before or after it is forwarded

"up" is to the server. TEXT, without blanks, is looked for in what WebSocket carries: the head of the HTTP request or
response, and each frame: its text, "PING", "PONG", "CLOSE 1000", or "BINARY 6400" for many bytes. For instance:

  before down SERVER_READY stall        after up GET reset        before up END_OF_AUDIO blackhole
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import sys
import threading

CHUNK = 16 * 1024  # bytes read at once
AHEAD = 64  # chunks that are read while latency or bandwidth hold the first one back
LONGEST = 1024 * 1024  # head or frame that is looked into
PERIODS = 20  # a second, of a limited bandwidth
OPCODES = {8: "CLOSE", 9: "PING", 10: "PONG"}


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


class Watcher:
    """What one direction of a WebSocket connection carries, as text"""

    def __init__(self):
        self.rest = b""
        self.next = self.head

    def feed(self, data):
        """The head and the frames that are complete with data"""
        self.rest += data
        texts = []
        while (text := self.next()) is not None:
            texts.append(text)
        if len(self.rest) > LONGEST:
            self.rest, self.next = b"", self.blind
        return texts

    def blind(self):
        self.rest = b""

    def head(self):
        head, end, rest = self.rest.partition(b"\r\n\r\n")
        if not end:
            return None
        self.rest, self.next = rest, self.frame
        return head.decode("latin-1")

    def frame(self):
        if len(self.rest) < 2:
            return None
        opcode, masked, length, start = self.rest[0] & 15, self.rest[1] >> 7, self.rest[1] & 127, 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(self.rest[2:start], "big")
        end = start + 4 * masked + length
        if len(self.rest) < max(start, end):
            return None
        payload, mask = self.rest[end - length:end], self.rest[start:start + 4]
        self.rest = self.rest[end:]
        if opcode == 2 and length > 125:
            return f"BINARY {length}"
        if masked:
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        if opcode == 8:
            return " ".join(["CLOSE", *(str(code) for code in struct.unpack("!H", payload[:2]))] if payload else ["CLOSE"])
        return OPCODES.get(opcode) or payload.decode("utf-8", "replace")


class Direction:
    """Takes bytes from one side of a connection to the other"""

    def __init__(self, connection, name, reader, writer):
        self.connection, self.proxy, self.name = connection, connection.proxy, name
        self.reader, self.writer = reader, writer
        self.random = random.Random(f"{self.proxy.seed} {connection.number} {name}")
        self.watcher = Watcher()
        self.queue = asyncio.Queue(AHEAD)
        self.due = 0.0
        self.forwarded = 0

    async def read(self):
        clock = asyncio.get_running_loop().time
        while data := await self.reader.read(CHUNK):
            afterwards = await self.watch(data)
            if self.proxy.hole:
                self.connection.swallowed = True
                continue
            delay = self.proxy.latency + self.random.random() * self.proxy.jitter
            self.due = max(self.due, clock() + delay)
            await self.queue.put((self.due, data, afterwards))
            # what is not taken off the sender's hands fills its buffers, as on a real network
            await self.proxy.open[self.name].wait()
        await self.queue.put(None)

    async def watch(self, data):
        """Carries out the commands that precede data; returns those that follow it"""
        afterwards = []
        for text in self.watcher.feed(data):
            if self.proxy.watching:
                tell("passes", connection=self.connection.number, direction=self.name, text=text[:200])
            for trigger in [trigger for trigger in self.proxy.triggers if trigger.matches(self.name, text)]:
                self.proxy.triggers.remove(trigger)
                if trigger.when == "before":
                    await self.proxy.carry_out(trigger.command)
                else:
                    afterwards.append(trigger.command)
        return afterwards

    async def write(self):
        clock = asyncio.get_running_loop().time
        while item := await self.queue.get():
            due, data, afterwards = item
            await asyncio.sleep(due - clock())
            while data:
                await self.proxy.open[self.name].wait()
                data = await self.write_some(data)
            for command in afterwards:
                await self.proxy.carry_out(command)
        if not self.connection.swallowed:
            self.writer.write_eof()

    async def write_some(self, data):
        """Returns what is left to be written"""
        if self.proxy.hole:
            self.connection.swallowed = True
            return b""
        size, bandwidth, cut = len(data), self.proxy.bandwidth, self.proxy.cut.get(self.name)
        if self.proxy.slice:
            size = min(size, self.proxy.slice)
        if bandwidth:
            size = min(size, max(1, bandwidth // PERIODS))
        if cut is not None:
            size = max(0, min(size, cut - self.forwarded))
        self.writer.write(data[:size])
        await self.writer.drain()
        self.forwarded += size
        if cut is not None and self.forwarded >= cut:
            self.connection.reset()
        if bandwidth:
            await asyncio.sleep(size / bandwidth)
        return data[size:]


class Connection:
    """A client's, and the one to the server that belongs to it"""

    def __init__(self, proxy, number):
        self.proxy, self.number = proxy, number
        self.task = asyncio.current_task()
        self.writers = []
        self.directions = []
        self.swallowed = False  # bytes are missing: it can never work again

    async def run(self, reader, writer):
        self.writers.append(writer)
        try:
            if self.proxy.hole:
                self.swallowed = True
                while await reader.read(CHUNK):
                    pass
            else:
                await self.forward(reader, writer)
        except* OSError:
            self.abort()  # what one side suffers, the other one has to know
        finally:
            for writer in self.writers:
                writer.close()

    async def forward(self, reader, writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.proxy.target)
        self.writers.append(server_writer)
        for each in self.writers:
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.directions = [Direction(self, "up", reader, server_writer), Direction(self, "down", server_reader, writer)]
        async with asyncio.TaskGroup() as group:
            for direction in self.directions:
                group.create_task(direction.read())
                group.create_task(direction.write())

    def abort(self):
        """Closes both sides with RST instead of FIN"""
        for writer in self.writers:
            if not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    def reset(self):
        self.abort()
        self.task.cancel()


class Trigger:
    def __init__(self, when, direction, text, *command):
        if direction not in ("up", "down") or not command:
            raise ValueError(f"{when} what?")
        self.when, self.direction, self.text, self.command = when, direction, text, " ".join(command)

    def matches(self, direction, text):
        return direction == self.direction and self.text in text


class Proxy:
    def __init__(self, target, seed):
        self.target, self.seed = target, seed
        self.port = 0
        self.listener = None
        self.connections = []
        self.count = 0
        self.latency = self.jitter = 0.0  # s
        self.bandwidth = self.slice = 0
        self.hole = self.watching = False
        self.cut = {}
        self.triggers = []
        self.open = {"up": asyncio.Event(), "down": asyncio.Event()}
        for event in self.open.values():
            event.set()

    async def listen(self, port):
        self.listener = await asyncio.start_server(self.accept, "127.0.0.1", port)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.count += 1
        connection = Connection(self, self.count)
        self.connections.append(connection)
        tell("accepted", connection=connection.number)
        try:
            await connection.run(reader, writer)
        except asyncio.CancelledError:
            pass  # reset
        finally:
            self.connections.remove(connection)
            tell("closed", connection=connection.number,
                 **{direction.name: direction.forwarded for direction in connection.directions})

    async def carry_out(self, line):
        name, *arguments = line.split()
        try:
            command = self.COMMANDS.get(name)
            if not command:
                raise ValueError("there is no such command")
            await command(self, *arguments)
            tell("done", command=line)
        except (TypeError, ValueError, OSError) as error:
            tell("error", command=line, message=str(error))

    async def do_latency(self, latency, jitter="0"):
        self.latency, self.jitter = float(latency) / 1000, float(jitter) / 1000

    async def do_bandwidth(self, bandwidth):
        self.bandwidth = int(bandwidth)

    async def do_slice(self, size):
        self.slice = int(size)

    async def do_stall(self, *directions):
        if set(directions) - {"up", "down"}:
            raise ValueError("up or down")
        for direction in directions or self.open:
            self.open[direction].clear()

    async def do_blackhole(self):
        self.hole = True

    async def do_refuse(self):
        if self.listener:
            self.listener.close()
            self.listener = None

    async def do_cut(self, direction, size):
        if direction not in self.open:
            raise ValueError("up or down")
        self.cut[direction] = int(size)

    async def do_reset(self):
        for connection in self.connections:
            connection.reset()

    async def do_go(self):
        self.hole = False
        self.cut.clear()
        for connection in self.connections:
            if connection.swallowed:
                connection.reset()
        for event in self.open.values():
            event.set()
        if not self.listener:
            await self.listen(self.port)

    async def do_watch(self):
        self.watching = True

    async def do_before(self, *trigger):
        self.triggers.append(Trigger("before", *trigger))

    async def do_after(self, *trigger):
        self.triggers.append(Trigger("after", *trigger))

    COMMANDS = {name[3:]: function for name, function in list(locals().items()) if name.startswith("do_")}

    async def end(self):
        await self.do_refuse()
        await self.do_reset()
        await asyncio.gather(*(connection.task for connection in self.connections))


def read_commands(loop, commands):
    """In a thread of its own: stdin may be a pipe, a file or a terminal"""
    for line in sys.stdin:
        if line.strip():
            loop.call_soon_threadsafe(commands.put_nowait, line.strip())
    loop.call_soon_threadsafe(commands.put_nowait, None)


async def run(arguments):
    proxy = Proxy(arguments.to, arguments.seed)
    commands = asyncio.Queue()
    await proxy.listen(arguments.port)
    tell("listening", port=proxy.port, seed=proxy.seed)
    for command in arguments.do:
        await proxy.carry_out(command)
    threading.Thread(target=read_commands, args=(asyncio.get_running_loop(), commands), daemon=True).start()
    while command := await commands.get():
        await proxy.carry_out(command)
    await proxy.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=int, required=True, metavar="PORT", help="of the server, on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="to listen on; 0, the default, takes a free one")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the jitter, to have the same again")
    parser.add_argument("--do", action="append", default=[], metavar="COMMAND", help="the first commands")
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
