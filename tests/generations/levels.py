"""What changes from day to day behind the same names: one program, at each level that a context
knows of and at the day before. sessions/levels.txt has what it prints, and from when until when."""
import asyncio
import contextlib
import os
import pathlib
import re
import ssl

import websockets

from building import run
from harness import PAGE, STEP_SECONDS, Program, free_port, listens, test
from peers import closed, connect, frame, http, raw_handshake, read_frame, receive

LINES = pathlib.Path(__file__).resolve().parent / "sessions" / "levels.txt"
CERTIFICATES = pathlib.Path(__file__).resolve().parents[1] / "support" / "certificates.sh"
# On which the function that makes a context, or its struct, had another form.
FORMS = [20101218, 20110119, 20110122, 20110130, 20110219, 20110305, 20121019, 20130109, 20130209,
         20130211, 20130222, 20131017]
LEVELS = [20101218, 20110118, 20110119, 20110121, 20110122, 20110129, 20110130, 20110211, 20110213,
          20110214, 20110218, 20110219, 20110225, 20110226, 20110304, 20110305, 20110306, 20110307,
          20120419, 20120420, 20121018, 20121019, 20130108, 20130109, 20130114, 20130115, 20130116,
          20130117, 20130118, 20130119, 20130130, 20130131, 20130205, 20130206, 20130208, 20130209,
          20130211, 20130212, 20130213, 20130214, 20130215, 20130221, 20130222, 20130223, 20130315,
          20130316, 20131016, 20131017, 20131108]


def expected(level):
    """The lines of the last part, with those of others in the place of their names."""
    parts, name = {}, None
    for line in LINES.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            name = line
            parts[name] = []
            continue
        since, before, text = re.fullmatch(r"(\d{8}|-) +(\d{8}|-) +(.*)", line).groups()
        if (since == "-" or int(since) <= level) and (before == "-" or level < int(before)):
            parts[name] += parts.get(text, [text])
    return parts[name]


class Steps:
    """What the peers do, one after the other: each waits until the one before is gone."""

    def __init__(self, program, port, level):
        self.program = program
        self.port = port
        self.level = level
        self.connections = 0
        self.websockets = 0

    async def over(self):
        self.connections += 1
        if self.level >= 20110219:
            await self.program.line(r"DEL_POLL_FD .*", self.connections)

    async def pages(self):
        status, body, reader, writer = await http(self.port, "/file")
        assert (status, body) == (200, PAGE)
        assert (await http(self.port, "/file", reader, writer))[:2] == (200, PAGE)
        writer.close()
        await self.over()

        status, body, reader, writer = await http(self.port, "/one")
        assert (status, body) == (200, PAGE)
        if self.level < 20130115:
            assert (await http(self.port, "/file", reader, writer))[:2] == (200, PAGE)
        else:
            assert await asyncio.wait_for(reader.read(), STEP_SECONDS) == b""
        writer.close()
        await self.over()

        if self.level >= 20110119:
            status, body, _, writer = await http(self.port, "/later")
            assert (status, body) == (200, b"later")
            writer.close()
            await self.over()

    async def get(self, target):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await self.program.line(f"HTTP {target}")
        return reader, writer

    async def not_answered(self):
        """Where HTTP's return means nothing, the rule ends them that ends idle connections."""
        if self.level not in (20130114, 20130115):
            return
        begin = asyncio.get_running_loop().time()
        late = self.level == 20130114
        first = await self.get("/raw")
        if not late:
            assert (await asyncio.wait_for(first[0].read(), STEP_SECONDS)).endswith(b"raw")
            first[1].close()
            await self.over()
        second = await self.get("/nothing")
        if late:
            assert (await asyncio.wait_for(first[0].read(), STEP_SECONDS)).endswith(b"raw")
        assert await asyncio.wait_for(second[0].read(), STEP_SECONDS) == b""
        # Fifteen seconds, as http_idle_timeout_ms is where nobody says another.
        assert (asyncio.get_running_loop().time() - begin > 14) == late
        for _, writer in (first, second):
            writer.close()
        for _ in range(2 if late else 1):
            await self.over()

    async def no_protocol(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     b"\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), STEP_SECONDS)
        if self.level < 20130131:
            assert head.startswith(b"HTTP/1.1 400"), head
        else:
            assert head.startswith(b"HTTP/1.1 101"), head
            writer.write(frame(8, b"\x03\xe8"))
            assert (await read_frame(reader))[1][:2] == b"\x03\xe8"
        await asyncio.wait_for(reader.read(), STEP_SECONDS)
        writer.close()
        await self.over()

    @contextlib.asynccontextmanager
    async def session(self):
        async with connect(self.port, "session") as ws:
            yield ws
        self.websockets += 1
        await self.over()
        await self.program.line(r"CLOSED nth [1-9].*", self.websockets)

    async def messages(self):
        async with self.session() as ws:
            await ws.send("hello")
            await ws.send(bytes([120]) * 10000)
            if self.level >= 20110119:
                for word in ("write", "all"):
                    await ws.send(word)
                    assert await receive(ws) == "written"

    async def returns(self):
        async with self.session() as ws:
            await ws.send("minus one")
            if self.level < 20130214:
                await ws.send("hello")
            else:
                assert await closed(ws) == 1000
        if self.level >= 20110119:
            async with self.session() as ws:
                await ws.send("write and end")
                assert await receive(ws) == "written"
                if self.level < 20130214:
                    await ws.send("hello")
                else:
                    assert await closed(ws) == 1000

    async def nobody_there(self):
        if self.level >= 20110122:
            async with self.session() as ws:
                await ws.send("connect")
                await self.program.line(r"CLOSED nth 0|CLIENT_CONNECTION_ERROR .*")

    async def ends(self):
        ways = []
        if 20110219 <= self.level < 20130214:
            ways.append(("hang up", 1000))
        if 20110214 <= self.level < 20130212:
            ways.append(("free", 1000 if self.level < 20110226 else 1001))
        for way, code in ways:
            for place in ("inside", "outside"):
                async with self.session() as ws:
                    await ws.send(f"{place} {way}")
                    assert await closed(ws) == code

    async def handed_in(self):
        if self.level >= 20130117:
            async with self.session() as ws:
                await ws.send("outside read")
                assert await closed(ws) == 1000

    async def finish(self):
        _, reader, writer = await raw_handshake(self.port, "session")
        writer.write(frame(1, b"finish"))
        if self.level >= 20110119:
            first, payload = await read_frame(reader)
            assert (first, payload[:2]) == (0x88, b"\x03\xe9")
        writer.close()


class Part:
    """A program's lines that have a level in front."""

    def __init__(self, program, level):
        self.program = program
        self.front = f"{level} "

    async def goes_on(self, what):
        await self.program.goes_on(what)

    @property
    def lines(self):
        return [line and line.removeprefix(self.front) for line in self.program.lines
                if line is None or line.startswith(self.front)]

    async def line(self, pattern, times=1):
        return await self.program.line(f"{self.front}(?:{pattern})", times)


async def talk(program, port, level):
    await listens(port, program)
    # In the days of create_server() another process says so.
    await program.line(r"made, .*")
    steps = Steps(program, port, level)
    await steps.pages()
    await steps.not_answered()
    await steps.no_protocol()
    await steps.messages()
    await steps.returns()
    await steps.nobody_there()
    await steps.ends()
    await steps.handed_in()
    await steps.finish()


def compare(got, wanted):
    assert got == wanted, "\n".join(["got:", *got, "expected:", *wanted])


async def arguments(path, page, level):
    """Each of the create function's arguments in its place."""
    folder = page.parent / f"certificates-{path.name}"
    await run([str(CERTIFICATES), str(folder)])
    ids = (65533, 65534) if os.getuid() == 0 else (os.getgid(), os.getuid())
    words = ["lo", folder / "server.pem", folder / "server.key", folder / "root.pem"]
    port = free_port()
    tls = ssl.create_default_context(cafile=folder / "root.pem")
    async with Program(path, port, page, 1, *words,
                       *(ids if os.getuid() == 0 else (-1, -1))) as program:
        await program.line(r"made, .*")
        await listens(port, program)
        async with websockets.connect(f"wss://localhost:{port}", subprotocols=["session"], ssl=tls,
                                      host="127.0.0.1", open_timeout=STEP_SECONDS) as ws:
            await ws.send("ids")
            await ws.send("finish")
            await closed(ws)
        await program.end()
        program.has(f"group {ids[0]}, user {ids[1]}")
    # Where one is given that is not there, no context is made.
    for place in range(0 if level >= 20110219 else 1, 4 if level >= 20130109 else 3):
        wrong = [*words]
        wrong[place] = "nowhere"
        async with Program(path, free_port(), page, 1, *wrong, -1, -1) as program:
            await program.end(status=1)
            program.never(r"made.*")


@test(LEVELS)
async def levels(path, page):
    level = int(path.name.split("-")[1])
    port = free_port()
    async with Program(path, port, page, free_port()) as program:
        await talk(program, port, level)
        await program.end()
        got = program.lines[:-1]
        # The process that serves may be gone before it gets there.
        if level < 20110119 and got[-1].startswith("CLOSED"):
            got.pop()
        compare(got, expected(level))
    if level in FORMS:
        await arguments(path, page, level)


@test([20130316])
async def both(path, page):
    """Two levels in one process."""
    pair = {20110219: free_port(), 20130316: free_port()}
    async with Program(path, *pair.values(), page, free_port()) as program:
        parts = {level: Part(program, level) for level in pair}
        await asyncio.gather(*(talk(parts[level], port, level) for level, port in pair.items()))
        await program.end()
        for level, part in parts.items():
            compare(part.lines[:-1], expected(level))
