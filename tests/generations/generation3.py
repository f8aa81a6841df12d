"""What the programs of generation 3 and of the two years after it do."""
import asyncio
import contextlib
import re

from harness import STEP_SECONDS, Program, free_port, listens, test, until
from peers import closed, connect, frame, raw_handshake, read_frame, receive, refused, server


@test([20110221, 20110304])
async def gen3_poll(path, page):
    port = free_port()
    async with Program(path, port, 3, page) as program:
        await program.line(r"context made, polled yes")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), STEP_SECONDS) == b""
        writer.close()
        await refused(port, "echo", "/forbidden")
        options = {"path": "/room?7", "origin": "http://origin.example"}
        async with connect(port, "echo", **options) as a, connect(port, "echo", **options) as b, \
                connect(port, "echo", **options) as c:
            for size in (1, 125, 126, 4096, 4097, 65535, 65536, 100000):
                for ws in (a, b, c):
                    await ws.send(bytes([size % 251]) * size)
                for ws in (a, b, c):
                    assert await receive(ws) == bytes([size % 251]) * size
            await c.send("hang up")
            await closed(c)
            await a.send("still here")
            assert await receive(a) == b"still here"
        await program.end()
        program.order(r"filter network 127\.0\.0\.1: no", r"filter network 127\.0\.0\.1: yes",
                      r"filter protocol /forbidden origin -: no",
                      r"filter protocol /room\?7 origin http://origin\.example: yes",
                      r"established", r"hang up", r"closed", r"ticks yes",
                      r"destroyed, polled 0, mistakes 0")
        program.has(r"established", 3)
        program.has(r"closed", 3)


@test([20110221, 20110225])
async def gen3_mixed(path, page):
    async def numbers(ws, until):
        expected, heard = 1, []
        while expected <= until:
            text = await receive(ws)
            if text.startswith("all: "):
                heard.append(text)
            else:
                assert text == str(expected), (text, expected)
                expected += 1
        return heard

    port = free_port()
    async with Program(path, port, 3, page) as program:
        await listens(port, program)
        async with connect(port, "clock") as a, connect(port, "clock") as b, \
                connect(port, "clock") as c:
            await program.line(r"established", 3)
            await a.send("words of a")
            heard = await asyncio.gather(numbers(a, 40), numbers(b, 40), numbers(c, 40))
            assert all(each == ["all: words of a"] for each in heard), heard
            await c.send("free me")
            await closed(c)
        await program.end()
        program.order(r"broadcast 0", r"freed", r"closed", r"destroyed, polled 0, mistakes 0")
        program.has(r"closed", 3)


@test([20110221, 20110225])
async def gen3_client(path, page):
    async with Program(path, free_port()) as program:
        await program.end()
        program.order(r"client wsi yes", r"server established", r"server received: question",
                      r"server closed", r"polled 0")
        program.order(r"client wsi yes", r"client established", r"client received: answer 8",
                      r"client closed", r"polled 0")
        program.has(r"peer 127\.0\.0\.1")
        program.has(r"(server|client) closed", 2)


@test([20110221, 20110304])
async def gen3_board(path, page):
    port = free_port()
    async with Program(path, port, 2) as program:
        await program.line(r"open")
        async with connect(port, "board") as a:
            await a.send("beta=2")
            await a.send("alpha=1")
            assert [await receive(a), await receive(a)] == ["beta=2", "alpha=1"]
            async with connect(port, "board") as b:
                assert [await receive(b), await receive(b)] == ["alpha=1", "beta=2"]
                await b.send("beta=3")
                assert [await receive(a), await receive(b)] == ["beta=3", "beta=3"]
        await program.end()
        program.order(r"open", r"told 0", r"set beta to 2", r"set alpha to 1", r"told 2",
                      r"set beta to 3", r"shut")


@test([20110226, 20110304])
async def feb2011_close(path, page):
    codes = {"normal": 1000, "away": 1001, "protocol": 1002, "opcode": 1003, "large": 1009,
             "none": 1005}
    port = free_port()
    async with Program(path, port, len(codes)) as program:
        await listens(port, program)
        for word, code in codes.items():
            async with connect(port, "exit") as ws:
                await ws.send(word)
                got = await closed(ws)
                assert got == code, (word, got)
        await program.end()
        assert program.lines[:-1] == [line for word in codes for line in (
            "established", f"asked: {word}", "closed")] + ["done"]


async def count_down(path, page, reason):
    port = free_port()
    async with Program(path, port) as program:
        await listens(port, program)
        async with connect(port, "numbers") as ws:
            assert [await receive(ws) for _ in range(4)] == ["3", "2", "1", "0"]
            assert await closed(ws) == 1000
        await program.end()
        assert program.lines[:-1] == ["established"] + [
            f"{reason} {number} wrote 0" for number in (3, 2, 1, 0)] + ["closed", "done"]


@test([20110305, 20110306])
async def mar2011_nine(path, page):
    await count_down(path, page, "CLIENT_WRITEABLE")


@test([20110307, 20121018])
async def mar2011_writeable(path, page):
    await count_down(path, page, "SERVER_WRITEABLE")


@test([20120420, 20121018])
async def apr2012_server(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await listens(port, program)
        for offer in ("x-quiet, x-unknown", None):
            head, reader, writer = await raw_handshake(port, "join", offer)
            accepted = re.search(r"(?i)\r\nsec-websocket-extensions: *(\S+)\r\n", head)
            assert (accepted[1] if accepted else None) == ("x-quiet" if offer else None), head
            writer.write(frame(1, b"one ", final=False) + frame(0, b"two"))
            assert await read_frame(reader) == (0x01, b"one ")
            assert await read_frame(reader) == (0x80, b"two")
            writer.write(frame(8, b"\x03\xe8"))
            assert (await read_frame(reader))[0] == 0x88
            assert await asyncio.wait_for(reader.read(), STEP_SECONDS) == b""
            writer.close()
        await program.end()
        session = [r"user space yes, same as user yes", r"established choked 0",
                   r"received: one  final 0", r"received: two final 1", r"wrote 0 0", r"closed"]
        program.order(r"confirm x-quiet", r"extension: made zero", *session, r"extension: gone",
                      *session, r"extension: context gone", r"done")
        program.has(r"extension: context made")
        program.has(r"helpers: random 16, sha1 a9993e36, base64 YWJj, back abc")
        program.has(r"extension: made zero")
        program.has(r"extension: gone")


@test([20120420, 20121018])
async def apr2012_client(path, page):
    async def handler(ws):
        assert ws.request_headers["Sec-WebSocket-Extensions"] == "x-older"
        await ws.send(ws.request_headers["X-Flavour"])
        assert await closed(ws) == 1001

    async def request(target, headers):
        return (403, [], b"no\n") if target == "/private" else None

    async with server(handler, ["talk"], process_request=request) as port:
        async with Program(path, port, free_port()) as program:
            await program.end()
            program.order(r"good: established", r"good: received: vanilla", r"good: closed", r"done")
            program.has(r"barred: connection error")
            program.has(r"silent: (connection error|no wsi)")
            program.never(r"(barred|silent): (closed|established)")
            program.never(r"good: connection error")


@test([20121019, 20130108])
async def oct2012_server(path, page):
    for compression in (None, "deflate"):
        port = free_port()
        async with Program(path, port) as program:
            await program.line(r"context user mine")
            async with connect(port, "count", compression=compression) as ws:
                for number, name in enumerate(("a", "bb", "c" * 300), 1):
                    await ws.send(name)
                    assert await receive(ws) == f"{number} of {name}"
                await ws.send("leave")
                assert await closed(ws) == 1001
            await program.end()
            program.order(r"context user mine", r"established", r"received: a", r"wrote 0",
                          r"received: bb", r"wrote 0", r"received: c{300}", r"wrote 0",
                          r"received: leave", r"closed", r"done")
