#!/usr/bin/python3
"""Runs one of the programs in README.md, and is a client or two of it.

Usage: check_readme.py PROGRAM, whose name says what it should do
"""
import asyncio
import os
import socket
import subprocess
import sys

import websockets

STEP_SECONDS = 20
PORTS_TO_TRY = 5


def free_port():
    """A port that was free a moment ago: somebody else may be quicker."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return probe.getsockname()[1]


async def start(path):
    """Returns the program and its address once it accepts connections."""
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        program = subprocess.Popen([path, str(port)], stdin=subprocess.DEVNULL)
        while program.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return program, f"ws://127.0.0.1:{port}/"
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
    raise AssertionError("it does not start")


async def expect(client, expected):
    got = await client.recv()
    if got != expected:
        raise AssertionError(f"got {got!r:.80}, expected {expected!r:.80}")


async def ticks(url):
    async with websockets.connect(url) as client:
        first, second = await client.recv(), await client.recv()
    if not int(first.removesuffix(" ms")) < int(second.removesuffix(" ms")):
        raise AssertionError(f"no time that goes on: {first!r}, {second!r}")


async def count(url):
    async with websockets.connect(url) as one:
        await expect(one, "1 here")
        async with websockets.connect(url) as other:
            await expect(one, "2 here")
            await expect(other, "2 here")
        await expect(one, "1 here")


async def echo(url):
    async with websockets.connect(url) as client:
        for message in "hello", b"\x00\xff", "", "aä€😀" * 10000:
            await client.send(message)
            await expect(client, message)
        await client.send(["in ", "three ", "fragments"])
        await expect(client, "in three fragments")


async def own(url):
    async with websockets.connect(url) as client:
        await client.send("hello")
        await expect(client, b"hello")


async def main(path):
    steps = {"ticks": ticks, "count": count, "echo": echo, "own": own}
    program, url = await asyncio.wait_for(start(path), STEP_SECONDS)
    try:
        await asyncio.wait_for(steps[os.path.basename(path)](url), STEP_SECONDS)
        if program.poll() is not None:
            raise AssertionError(f"it ended with {program.returncode}")
    finally:
        program.kill()
        program.wait()


asyncio.run(main(sys.argv[1]))
