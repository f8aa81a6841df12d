"""What the programs of generation 2, of February 2011, do."""
import contextlib
import os
import re
import signal

import websockets

from harness import PAGE, Program, free_port, test
from peers import closed, connect, http, receive, refused, server


@test([20110212, 20110213])
async def gen2_server(path, page):
    port = free_port()
    async with Program(path, port, page) as program:
        await program.line(r"index 0 1, owner ok, port 0 0")
        status, body, reader, writer = await http(port, "/")
        assert (status, body) == (200, PAGE)
        assert (await http(port, "/", reader, writer))[:2] == (200, PAGE)
        writer.close()
        async with connect(port, "reverse") as ws:
            await ws.send("stressed")
            assert await receive(ws) == "desserts"
            await ws.send("pause")
            await ws.send("next")
            await ws.send(bytes(10000))
            await ws.send("all")
            assert await receive(ws) == "all writable"
        await refused(port, "nonsense")
        await program.end()
        program.order(r"context made; host .+", r"http / returned 0", r"http / returned 0",
                      r"established fd ok", r"received 8 rest 0", r"writeable client", r"wrote 0",
                      r"received 5 rest 0", r"paused 0", r"resumed 0",
                      r"received 4 rest 0 after pause", r"binary piece .*", r"received 3 rest 0",
                      r"all 0", r"writeable client", r"wrote 0", r"closed", r"destroyed")
        rest = 10000
        for line in program.lines:
            if line and line.startswith("binary piece"):
                size, left = map(int, re.findall(r"\d+", line))
                assert 0 < size <= 4096 and left == rest - size, line
                rest = left
        assert rest == 0
        program.has(r"closed")


@test([20110212, 20110213])
async def gen2_fork(path, page):
    port = free_port()
    async with Program(path, port, 100) as program:
        await program.line(r"user process is the new one yes")
        async with connect(port, "ticker") as ws:
            for number in range(100):
                assert await receive(ws) == f"tick {number}"
            assert await receive(ws) == "#" * 100000
        await program.end()
        program.order(r"established in the started process yes", r"sent all", r"last gave ok",
                      r"user process ends")
        program.has(r"closed")
        program.never(r"service loop returned .*")


@test([20110212, 20110213])
async def gen2_by_hand(path, page):
    port = free_port()
    async with Program(path, port) as program:
        child = int((await program.line(r"service process (\d+)"))[1])
        async with connect(port, "beacon") as ws:
            for number in range(20):
                assert await receive(ws) == f"beacon {number}"
            os.kill(child, signal.SIGKILL)
            await closed(ws)
        await program.end()
        program.order(r"first", r"told", r"child gone by signal 9")


async def mirror_client(path, page, *more):
    async def handler(ws):
        assert ws.path == "/path?x=1" and ws.subprotocol == "first"
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await ws.send(await receive(ws))

    def choose(self, offered, have):
        assert offered == ["second", "first"], offered
        return "first"

    class Choosing(websockets.WebSocketServerProtocol):
        select_subprotocol = choose

    closed_port = free_port()
    async with server(handler, ["first", "second"], create_protocol=Choosing) as port:
        async with Program(path, port, closed_port, *more) as program:
            await program.end()
            program.order(r"wsi yes", r"first: established", r"first: writeable",
                          r"first: pong ping-ping", r"first: received: over to you",
                          r"first: closing", r"first: closed", r"done")
            program.has(r"first: closed")
            program.has(r"second: closed")
            program.never(r"second: established")


@test([20110212, 20110213])
async def gen2_client(path, page):
    await mirror_client(path, page)
    await mirror_client(path, page, "mask")
