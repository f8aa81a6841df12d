#!/usr/bin/python3
"""Runs one of the programs in README.md, and is its peer, or starts another of them as that.

Usage: check_readme.py FOLDER NAME, where NAME says what the program should do. It takes its port
from the environment's PORT. The exit status is 77 where the peer would need Python's websockets and
that is not there.
"""
import asyncio
import os
import pty
import socket
import subprocess
import sys

try:
    import websockets
except ImportError:
    websockets = None

STEP_SECONDS = 20
PORTS_TO_TRY = 5
SKIPPED = 77


def free_port():
    """A port that was free a moment ago: somebody else may be quicker."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return probe.getsockname()[1]


class Program:
    """One of the programs, on a terminal of its own, so that its lines come at once."""

    def __init__(self, folder, name, port):
        ours, theirs = pty.openpty()
        self.lines = os.fdopen(ours, "rb", buffering=0)
        self.seen = b""
        self.process = subprocess.Popen(
            [os.path.join(folder, name)],
            env={**os.environ, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.lines.close()

    def still_runs(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}")

    async def line(self):
        while b"\n" not in self.seen:
            try:
                more = await asyncio.to_thread(self.lines.read, 4096)
            except OSError:  # the other end of the terminal is closed
                more = b""
            if not more:
                raise AssertionError(f"it ended after {self.seen!r}")
            self.seen += more
        line, self.seen = self.seen.split(b"\n", 1)
        return line.decode().rstrip("\r")

    async def end(self):
        while self.process.poll() is None:
            await asyncio.sleep(0.01)
        return self.process.returncode


async def accepts(program, port):
    """Whether it got the port, and listens."""
    while program.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    return False


async def serve(folder, name, port=None):
    """Starts a server, on a free port if it has not been chosen. Returns it and its port."""
    for _ in range(PORTS_TO_TRY):
        chosen = port or free_port()
        program = Program(folder, name, chosen)
        if await accepts(program, chosen):
            return program, chosen
        program.__exit__()
    raise AssertionError(f"{name} does not start")


def expect(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r:.80}, expected {expected!r:.80}")


def seconds(text):
    return float(text.removesuffix(" seconds"))


# --- servers, each with clients of Python's


async def ticks(url):
    async with websockets.connect(url) as client:
        first, second = await client.recv(), await client.recv()
    if not seconds(first) < seconds(second):
        raise AssertionError(f"no time that goes on: {first!r}, {second!r}")


async def count(url):
    async with websockets.connect(url) as one:
        expect(await one.recv(), "1 here")
        async with websockets.connect(url) as other:
            expect(await one.recv(), "2 here")
            expect(await other.recv(), "2 here")
        expect(await one.recv(), "1 here")


async def echo(url):
    async with websockets.connect(url) as client:
        for message in "hello", b"\x00\xff", "", "aä€😀" * 10000:
            await client.send(message)
            expect(await client.recv(), message)
        await client.send(["in ", "three ", "fragments"])
        expect(await client.recv(), "in three fragments")


async def first(url):
    async with websockets.connect(url) as client:
        for message in "hello", "", "aä€😀":
            await client.send(message)
            expect(await client.recv(), message)


async def own(url):
    async with websockets.connect(url) as client:
        await client.send("hello")
        expect(await client.recv(), b"hello")


async def check_server(folder, name):
    if websockets is None:
        sys.exit(SKIPPED)
    program, port = await serve(folder, name)
    with program:
        await SERVERS[name](f"ws://127.0.0.1:{port}/")
        program.still_runs()


# --- clients, each with the server that it is next to


async def watch(folder):
    """It comes back, before there is a server and after there was one."""
    first, port = await serve(folder, "ticks")
    with Program(folder, "watch", port) as client:
        with first:
            seconds(await client.line())
        expect(await client.line(), "connection refused")
        again, _ = await serve(folder, "ticks", port)
        with again:
            while (line := await client.line()) == "connection refused":
                pass
            seconds(line)
            client.still_runs()


async def ask(folder):
    server, port = await serve(folder, "count")
    with server:
        with Program(folder, "ask", port) as client:
            expect(await client.line(), "1 here")
            expect(await client.end(), 0)
        server.still_runs()
    with Program(folder, "ask", port) as client:
        expect(await client.line(), "connection refused")
        expect(await client.end(), 0)


async def say(folder):
    server, port = await serve(folder, "echo")
    with server:
        with Program(folder, "say", port) as client:
            expect(await client.line(), "hello")
            expect(await client.end(), 0)
        server.still_runs()


SERVERS = {
    "first_uv": first,
    "first_event": first,
    "first_poll": first,
    "ticks": ticks,
    "count": count,
    "echo": echo,
    "own": own,
}
CLIENTS = {"watch": watch, "ask": ask, "say": say}


async def main(folder, name):
    steps = check_server(folder, name) if name in SERVERS else CLIENTS[name](folder)
    await asyncio.wait_for(steps, STEP_SECONDS)


asyncio.run(main(sys.argv[1], sys.argv[2]))
