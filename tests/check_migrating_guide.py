#!/usr/bin/python3
"""Runs one of the programs in docs/migrating.md, and is its peer.

Usage: check_migrating_guide.py FOLDER NAME. The program takes its port from the environment's PORT.
The exit status is 77 where Python's websockets is not there.
"""
import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import sys

try:
    import websockets
except ImportError:
    sys.exit(77)

STEP_SECONDS = 60
PORTS_TO_TRY = 5


def free_port():
    """A port that was free a moment ago: somebody else may be quicker."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return probe.getsockname()[1]


def expect(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r:.200}, expected {expected!r:.200}")


def processes_of(group):
    """Those of a process group that run. A zombie has ended."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


async def all_ended(group):
    while processes_of(group):
        await asyncio.sleep(0.02)


async def accepts(process, port):
    """Whether it got the port, and listens."""
    while process.returncode is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    return False


@contextlib.asynccontextmanager
async def running(folder, name):
    """The program, in a process group of its own, and its port."""
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            os.path.join(folder, name), env={**os.environ, "PORT": str(port)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True)
        try:
            if await accepts(process, port):
                yield process, port
                return
        finally:
            for pid in processes_of(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await process.wait()
    raise AssertionError(f"{name} does not start")


def connect(port, protocol):
    return websockets.connect(f"ws://127.0.0.1:{port}/", subprotocols=[protocol],
                              open_timeout=STEP_SECONDS)


async def closed(client):
    """The code with which the other side closes."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await client.recv()
    return client.close_code


async def shout(folder, name):
    """What is typed in comes to all, what one says is printed, and the end of the input is the
    end."""
    async with running(folder, name) as (process, port):
        async with connect(port, "shout") as one, connect(port, "shout") as other:
            for client, words in (one, "hello"), (other, "and hello"):
                await client.send(words)
                expect(await process.stdout.readline(), words.encode() + b"\n")
            for line in b"first\n", b"second\n":
                process.stdin.write(line)
                for client in one, other:
                    got = await client.recv()
                    expect(got, line.decode())
            process.stdin.close()
            expect([await closed(one), await closed(other)], [1001, 1001])
        expect(await process.wait(), 0)


def number(text):
    word, count = text.split()
    expect(word, "news")
    return int(count)


async def hears_news(client):
    first = number(await client.recv())
    expect(number(await client.recv()), first + 1)


async def news(folder, name):
    """The other process, and what ends with what: first the one that goes on, then the one that
    serves."""
    async with running(folder, name) as (process, port):
        async with connect(port, "news") as one, connect(port, "news") as other:
            await hears_news(one)
            await hears_news(other)
            sender, = (pid for pid in processes_of(process.pid) if pid != process.pid)
            os.kill(sender, signal.SIGTERM)
            expect([await closed(one), await closed(other)], [1001, 1001])
        expect(await process.wait(), 128 + signal.SIGTERM)
    async with running(folder, name) as (process, port):
        async with connect(port, "news") as one:
            await hears_news(one)
            process.kill()
        await all_ended(process.pid)


async def news_thread(folder, name):
    async with running(folder, name) as (process, port):
        async with connect(port, "news") as one, connect(port, "news") as other:
            await hears_news(one)
            await hears_news(other)
        expect(process.returncode, None)


STEPS = {
    "shout": shout,
    "shout_uv": shout,
    "shout_event": shout,
    "news": news,
    "news_thread": news_thread,
}


async def main(folder, name):
    await asyncio.wait_for(STEPS[name](folder, name), STEP_SECONDS)


asyncio.run(main(sys.argv[1], sys.argv[2]))
