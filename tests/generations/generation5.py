"""What the programs of February 2013 and of generation 5 do."""
import asyncio
import contextlib
import os
import pathlib
import re
import signal
import tempfile

import websockets

from harness import STEP_SECONDS, PAGE, Program, free_port, listens, test, until
from peers import closed, connect, frame, http, raw_handshake, read_frame, receive, refused, server


@test([20130201, 20130205])
async def feb2013_daemon(path, page):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        lock, log = pathlib.Path(folder, "lock"), pathlib.Path(folder, "log")
        daemon = None
        try:
            starter = await asyncio.create_subprocess_exec(
                str(path), str(port), str(lock), str(log))
            assert await asyncio.wait_for(starter.wait(), STEP_SECONDS) == 0
            await until(lambda: log.exists() and log.read_text().count("\n") >= 2, "no notice")
            started = re.match(r"daemon pid (\d+)\nown session (\w+)\n", log.read_text())
            daemon = int(started[1])
            assert started[2] == "yes" and daemon != starter.pid
            assert int(lock.read_text()) == daemon
            await listens(port)
            async with connect(port, "ticks") as ws:
                assert [await receive(ws) for _ in range(3)] == ["0", "1", "2"]
                assert await closed(ws) == 1000
            await until(lambda: log.read_text().endswith("done\n"), "it does not end")
            assert log.read_text().splitlines()[2:] == ["established", "sent 0", "sent 1", "sent 2",
                                                        "closed", "done"]
        finally:
            if daemon:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(daemon, signal.SIGKILL)


@test([20130206, 20130208])
async def feb2013_rx(path, page):
    port = free_port()
    async with Program(path, port, 3) as program:
        await listens(port, program)
        async with connect(port, "ten") as ws:
            await ws.send("x" * 25)
            await ws.send("y" * 10)
        async with connect(port, "usual") as ws:
            await ws.send(bytes(10000))
        async with connect(port, "large") as ws:
            await ws.send(bytes(70000))
        await program.end()
        assert [line for line in program.lines if line and line.startswith("ten")] == [
            "ten: 10 rest 15", "ten: 10 rest 5", "ten: 5 rest 0", "ten: 10 rest 0"]
        program.order(r"usual: 4096 rest 5904", r"usual: 4096 rest 1808", r"usual: 1808 rest 0")
        program.has(r"large: 70000 rest 0")
        program.has(r"large: .*")
        program.has(r"closed .*", 3)


@test([20130209, 20130210])
async def feb2013_interface(path, page):
    for interface in ("lo", "-"):
        port = free_port()
        async with Program(path, port, interface) as program:
            await program.line(r"index 0 1, owner ok")
            async with connect(port, "where") as ws:
                await ws.send("here")
                assert await receive(ws) == "yes"
            await program.end()
            program.order(r"made", r"user 42", r"established", r"received: here", r"wrote 0",
                          r"closed", r"done")


@test([20130211])
async def feb2013_iface(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await program.line(r"user 17")
        async with connect(port, "last") as ws:
            await ws.send("anything")
            assert await closed(ws) == 1002
        await program.end()
        program.order(r"made", r"user 17", r"received: anything", r"closed", r"done")


@test([20130213, 20131016])
async def feb2013_extensions(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await listens(port, program)
        head, reader, writer = await raw_handshake(port, "any", "x-counting, x-unknown")
        assert re.search(r"(?i)\r\nsec-websocket-extensions: *x-counting\r\n", head), head
        for text in (b"first", b"second", b"third"):
            writer.write(frame(1, text))
            assert await read_frame(reader) == (0x81, text)
        writer.write(frame(8, b"\x03\xe8"))
        await asyncio.wait_for(reader.read(), STEP_SECONDS)
        writer.close()
        await program.end()
        program.order(r"offered x-counting", r"received: first", r"received: second",
                      r"received: third", r"closed")
        program.has(r"counting saw [1-9]\d*, payload of 16")


async def pulse(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await program.line(r"made, polled yes")
        async with connect(port, "pulse") as ws:
            for number in range(1, 6):
                await ws.send("next")
                assert await receive(ws) == f"beat {number}"
        await program.end()
        program.order(r"init .*", r"init .*", r"made, polled yes", r"network 127\.0\.0\.1",
                      r"established", *[r"beat"] * 5,
                      r"closed", r"destroy .*", r"destroy .*", r"destroyed, polled 0, mistakes 0")
        for protocol in ("http-only", "pulse"):
            program.has(f"init {protocol}")
            program.has(f"destroy {protocol}")


test([20130214], "feb2013_fd_in_user")(pulse)
test([20130215, 20131016], "feb2013_fd_in_in")(pulse)


@test([20130222, 20130223, 20131016])
async def feb2013_write(path, page):
    counts = int(path.name.split("-")[1]) >= 20130223
    port = free_port()
    async with Program(path, port) as program:
        await listens(port, program)
        async with connect(port, "sizes") as ws:
            for size in (1, 200, 70000):
                await ws.send(str(size))
                assert len(await receive(ws)) == size
            await ws.send("0")
        await program.end()
        program.has(r"ping gives [1-9]\d*" if counts else r"ping gives 0")
        for size in (0, 1, 200, 70000):
            program.has(f"size {size} gives {size if counts else 0}")


@test([20130316, 20131016])
async def gen5_server(path, page):
    port = free_port()
    async with Program(path, port, page, 5) as program:
        await program.line(r"made, user ok, index 0 1 2, owner ok")
        assert (await http(port, "/index.html?x"))[:2] == (200, PAGE)
        long_text = b"".join(b"line %d\n" % number for number in range(1, 1001))
        assert (await http(port, "/long"))[:2] == (200, long_text)
        assert (await http(port, "/missing"))[0] == 404
        async with connect(port, "lines") as ws:
            await ws.send("rude")
            await closed(ws)
        async with connect(port, "lines") as ws:
            await ws.send("quiet")
            await ws.send("late")
            assert await receive(ws) == "text late"
        async with connect(port, "lines") as ws:
            await ws.send("write and go")
            assert await receive(ws) == "text write and go"
            assert await closed(ws) == 1000
        async with connect(port, "lines") as ws:
            await ws.send("timeout")
            await closed(ws)
        await refused(port, "unknown")
        async with connect(port, "other") as ws:
            await ws.send(b"\1\2\3")
            assert await receive(ws) == "binary 3"
        await program.end()
        program.has(r"version yes")
        program.order(r"init .*", r"init .*", r"init .*", r"made, .*", r"network ok 127\.0\.0\.1",
                      r"http /index\.html\?x", r"file complete", r"http /long", r"writeable http",
                      r"http /missing", r"protocol uri / host yes version 13",
                      r"established lines own yes", r"received text 4", r"closed lines",
                      r"received text 5", r"allowed", r"received text 4", r"closed lines",
                      r"received text 12", r"closed lines", r"received text 7", r"closed lines",
                      r"established other own yes", r"received binary 3", r"closed other",
                      r"destroy .*", r"destroy .*", r"destroy .*", r"destroyed")
        program.has(r"closed lines", 4)
        program.has(r"closed other")


async def relay(path, page, *more):
    port = free_port()
    async with Program(path, port, 4, page, *more) as program:
        await program.line(r"made")
        async with contextlib.AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(connect(port, "relay")) for _ in range(4)]
            await program.line(r"joined", 4)
            for turn in range(20):
                speaker = peers[turn % 4]
                await speaker.send(f"turn {turn}")
                for peer in peers:
                    if peer is not speaker:
                        assert await receive(peer) == f"turn {turn}"
                await speaker.send(bytes([turn]) * 200)
                assert await receive(speaker) == bytes([turn]) * 200
        await program.end()
        program.has(r"left", 4)
        program.order(r"own [1-9]\d*", r"foreign left alone yes", r"ours cleared yes",
                      r"unknown descriptor gave 0", r"destroyed, polled 0, mistakes 0")


@test([20130316, 20131016])
async def gen5_poll(path, page):
    await relay(path, page)
    await relay(path, page, "mixed")


@test([20130316, 20131016])
async def gen5_client(path, page):
    async def handler(ws):
        assert ws.path == "/books"
        if ws.subprotocol == "ledger":
            await ws.send(bytes(5000))
            assert await receive(ws) == "sum 5000"
            await ws.close(1000)
            return
        for text in ("one", "two", "three"):
            with contextlib.suppress(websockets.ConnectionClosed):
                await ws.send(text)
        await closed(ws)

    async with server(handler, ["ledger", "enough"]) as port:
        async with Program(path, port, free_port()) as program:
            await program.end()
            program.order(r"ledger: filter ledger", r"ledger: established",
                          r"ledger: piece 1024 rest 3976", r"ledger: piece 904 rest 0",
                          r"ledger: writeable, wrote 8", r"ledger: closed")
            program.order(r"enough: filter enough", r"enough: established",
                          r"enough: received one", r"enough: closed")
            program.never(r"enough: received t.*")
            program.has(r"nobody: connection error")
            program.has(r".*: closed", 2)


@test([20130316, 20131016])
async def gen5_broadcast(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await listens(port, program)
        async with connect(port, "all") as a, connect(port, "all") as b:
            for ws in (a, b):
                heard = {await receive(ws) for _ in range(3)}
                assert heard == {"from the service", "from a thread", "from a process"}, heard
        await program.end()
        for who in ("service", "thread", "process"):
            program.has(f"{who} gave ok")
        program.has(r"left", 2)


@test([20130316, 20131016])
async def gen5_room(path, page):
    port = free_port()
    async with Program(path, port, 2) as program:
        await program.line(r"open")
        async with connect(port, "room") as a, connect(port, "room") as b:
            await a.send("good morning")
            assert [await receive(a), await receive(b)] == ["somebody: good morning"] * 2
            await b.send("I am Bea")
            await b.send("good evening")
            assert [await receive(a), await receive(b)] == ["Bea: good evening"] * 2
        await program.end()
        program.order(r"open", r"somebody says good morning", r"Bea says good evening",
                      r"room empty", r"shut")


@test([20131017])
async def oct2013_partial(path, page):
    async def read(port, protocol):
        async with connect(port, protocol) as ws:
            await ws.send("go")
            await asyncio.sleep(0.3)
            got = b""
            for number in range(20):
                while len(got) < 100000:
                    got += await receive(ws)
                assert got == bytes([ord("a") + number]) * 100000
                got = b""

    port = free_port()
    async with Program(path, port) as program:
        await program.line(r"index 0 1 2, owner ok, partial 0 0 1")
        await asyncio.gather(read(port, "bulk"), read(port, "bulk-unbuffered"))
        await program.end()
        for name in ("bulk", "bulk-unbuffered"):
            program.order(f"established {name}", f"all written {name}", f"closed {name}", r"done")
