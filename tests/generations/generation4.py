"""What the programs of generation 4, and of January 2013, do."""
import asyncio
import contextlib
import re

from harness import PAGE, Program, free_port, listens, taken_port, test
from peers import closed, connect, http, receive, refused, server


@test([20130110, 20130111])
async def jan2013_log_level(path, page):
    port = free_port()
    with taken_port() as taken:
        async with Program(path, port, taken) as program:
            await listens(port, program)
            await refused(port, "nobody")
            async with connect(port, "bits") as ws:
                await ws.send("more")
                await program.line(r"more")
                await refused(port, "nobody")
            await program.end()
            program.order(r"quiet: no context", r"loud: no context", r"reserved bits 0", r"more",
                          r"closed", r"done")
            _, quiet, loud, more = re.split(r"\((?:quiet|loud|more)\)\n", program.errors.decode())
            assert quiet == "" and loud != "" and "refused" not in loud, program.errors
            assert "refused" in more, program.errors


@test([20130115, 20130118])
async def gen4_server(path, page):
    port = free_port()
    with taken_port() as taken:
        async with Program(path, port, taken, page, 2) as program:
            await listens(port, program)
            assert (await http(port, "/"))[:2] == (200, PAGE)
            assert (await http(port, "/missing"))[0] in (400, 404)
            assert (await http(port, "/hand-made"))[:2] == (200, b"by hand\n")
            async with connect(port, "shout") as a, connect(port, "shout") as b:
                await program.line(r"writeable server", 2)
                await a.send("hey")
                assert [await receive(a), await receive(b)] == ["127.0.0.1: hey"] * 2
            await program.end()
            program.order(r"levels 1 2 4 8 16 32 64 128, count 8", r"log: .*",
                          r"no context on the taken port", r"http /", r"file complete",
                          r"http /missing", r"http /hand-made", r"established 127\.0\.0\.1",
                          r"writeable server", r"received: hey", r"broadcast 0", r"closed",
                          r"closed", r"done")
            program.has(r"established 127\.0\.0\.1", 2)
            program.has(r"writeable server", 2)


@test([20130115, 20130129])
async def gen4_poll(path, page):
    async def counter(port):
        async with connect(port, "dumb-counter", "/c") as ws:
            for number in range(20):
                assert await receive(ws) == str(number)
            await ws.send("reset")
            number = 20
            while True:
                text = await receive(ws)
                if text == "0":
                    break
                assert text == str(number), (text, number)
                number += 1
            for number in range(1, 10):
                assert await receive(ws) == str(number)

    async def mirror(port):
        async with connect(port, "backpressure", "/m", max_queue=None) as ws:
            data = [bytes([n % 256]) * (1 + n * 37 % 4000) for n in range(1000)]

            async def send():
                for each in data:
                    await ws.send(each)

            sending = asyncio.create_task(send())
            for each in data:
                assert await receive(ws) == each
            await sending

    port = free_port()
    async with Program(path, port, 4, page) as program:
        await program.line(r"context made")
        await asyncio.gather(counter(port), counter(port), mirror(port), mirror(port))
        await program.end()
        program.has(r"network filter 127\.0\.0\.1", 4)
        program.has(r"protocol filter dumb-counter uri /c", 2)
        program.has(r"protocol filter backpressure uri /m", 2)
        program.has(r"reset", 2)
        program.order(r"closed .*", r"destroyed, polled 0, mistakes 0")


@test([20130115, 20130130])
async def gen4_fork(path, page):
    children, rounds, peers = 4, 100, 3

    async def listen(ws):
        seen, ended = [0] * children, False
        while sum(seen) < children * rounds or not ended:
            text = await receive(ws)
            if text == "end":
                ended = True
                continue
            who, number, rest = text.split(" ")
            assert int(number) == seen[int(who)], text[:40]
            assert len(text) == 16 << int(number) % 13 and set(rest) == {"#"}, text[:40]
            seen[int(who)] += 1

    port = free_port()
    async with Program(path, port, children, rounds, peers) as program:
        await program.line(r"user process is the new one yes")
        async with contextlib.AsyncExitStack() as stack:
            all_peers = [await stack.enter_async_context(connect(port, "news", max_queue=None))
                         for _ in range(peers)]
            await all_peers[-1].send("go")
            await asyncio.gather(*(listen(ws) for ws in all_peers))
        await program.end()
        program.order(r"go", *[r"sender ok"] * children, r"end ok", r"user process ends")
        program.never(r"service loop returned")


async def telegraph(path, page, *more):
    async def handler(ws):
        assert ws.path == "/wire"
        await ws.send(ws.request_headers["Cookie"])
        await ws.send("extensions: " + ws.request_headers.get("Sec-WebSocket-Extensions", "-"))
        assert await receive(ws) == "stop"

    async with server(handler, ["telegraph"], compression="deflate") as port:
        async with Program(path, port, *more) as program:
            await program.end()
            program.order(r"established user mine", r"received: a=b", r"received: extensions: .+",
                          r"closed", r"done")
            if more:
                program.has(r"received: extensions: -")


@test([20130115, 20130130])
async def gen4_client(path, page):
    await telegraph(path, page)
    await telegraph(path, page, "plain")


@test([20130119, 20130130])
async def jan2013_log_lines(path, page):
    with taken_port() as taken:
        async with Program(path, free_port(), taken) as program:
            await program.end()
            program.order(r"levels 1 2 4 8 16 32 64 128 256, count 10", r"4: a notice 7",
                          r"1: an error", r"8: information", r"1: .*", r"no context", r"context")
            program.never(r".*nobody wants.*")


@test([20130130])
async def jan2013_addresses(path, page):
    port = free_port()
    async with Program(path, port, 2) as program:
        await listens(port, program)
        async with connect(port, "kind") as ws:
            await ws.send("words")
            await ws.send(b"\0\1\2")
            assert [await receive(ws), await receive(ws)] == ["text", "binary"]
        async with connect(port, "kind") as ws:
            await ws.send("hang up")
            await closed(ws)
        await program.end()
        program.order(r"established 127\.0\.0\.1", r"too short 127\.", r"frame text 5",
                      r"frame binary 3", r"closed", r"established 127\.0\.0\.1", r"frame text 7",
                      r"closed", r"done")


@test([20130131, 20130205])
async def jan2013_read(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await program.line(r"index 0 1, owner ok")
        async with connect(port, "fed") as ws:
            await ws.send("from the wire")
            assert [await receive(ws), await receive(ws)] == ["got it", "got it"]
        await program.end()
        program.order(r"established", r"received: from the wire", r"received: by hand", r"closed",
                      r"done")
        program.has(r"read ok")
