#!/usr/bin/python3
"""Runs the example client against servers that see what it sends, and say what it has to print.

Usage: check_client.py CLIENT
"""
import asyncio
import base64
import contextlib
import hashlib
import http
import os
import pty
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import traceback

import websockets

STEP_SECONDS = 60
CLIENT = os.path.abspath(sys.argv[1])


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r:.300}, expected {expected!r:.300}")


def contains(got, expected):
    if expected not in got:
        raise AssertionError(f"got {got!r:.300}, expected {expected!r:.300} in it")


class Server:
    """Echoes, unless the path or a test says otherwise, and remembers what has come."""

    def __init__(self, script=None):
        self.script = script or Server.echo
        self.messages = []
        self.headers = None
        self.target = None
        self.closed = asyncio.get_running_loop().create_future()

    async def echo(self, ws):
        async for message in ws:
            self.messages.append(message)
            await ws.send(message)

    async def listen(self, ws):
        async for message in ws:
            self.messages.append(message)

    async def serve(self, ws):
        self.headers, self.target = ws.request_headers, ws.path
        with contextlib.suppress(websockets.ConnectionClosed):
            await self.script(self, ws)
        await ws.wait_closed()
        if not self.closed.done():
            self.closed.set_result(ws.close_code)


@contextlib.asynccontextmanager
async def serving(script=None, path=None, **options):
    server = Server(script)
    options = {"max_size": None, "compression": None, **options}
    if path:
        async with websockets.unix_serve(server.serve, path, **options):
            yield server
        return
    async with websockets.serve(server.serve, "127.0.0.1", 0, **options) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


class Client:
    """The client on one of the loops."""

    def __init__(self, loop):
        self.loop = loop
        self.started = []

    async def start(self, *words, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   **options}
        process = await asyncio.create_subprocess_exec(CLIENT, "--loop", self.loop, *words, **options)
        self.started.append(process)
        return process

    async def run(self, *words, given=b""):
        """Returns its status and what it wrote."""
        process = await self.start(*words)
        output, errors = await process.communicate(given)
        return process.returncode, output, errors.decode()

    async def end(self):
        """What a step that failed has left behind."""
        for process in self.started:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.started = []


async def lines(client):
    async with serving() as server:
        given = b"hello\nw\xc3\xb6rld\n\nlast"
        status, output, errors = await client.run(
            "--count", "4", f"ws://127.0.0.1:{server.port}/a?b", given=given)
        equal((status, output), (0, given + b"\n"))
        equal(server.messages, ["hello", "wörld", "", "last"])
        equal(server.target, "/a?b")
        equal(errors, "connected\nclosed: 1000 normal closure\n")


async def end_of_input(client):
    async with serving(Server.listen) as server:
        status, output, errors = await client.run(
            "--quiet", f"ws://localhost:{server.port}", given=b"one\ntwo\n")
        equal((status, output, errors), (0, b"", ""))
        equal((server.messages, server.target), (["one", "two"], "/"))
        equal(await server.closed, 1000)


async def long_line(client):
    async with serving() as server:
        given = b"0123456789abcde\xc3\xa9" * 300000
        status, output, _ = await client.run(
            "--count", "1", f"ws://127.0.0.1:{server.port}/", given=given)
        equal((status, output), (0, given + b"\n"))
        equal(len(server.messages), 1)


async def binary(client):
    async def scatter(_, ws):
        await ws.send([b"\x00\n", b"\xff"])
        await ws.send(b"\r\n")

    given = bytes(range(256)) * 2000
    async with serving(Server.listen) as server:
        status, _, _ = await client.run(
            "--binary", f"ws://127.0.0.1:{server.port}/", given=given)
        equal((status, b"".join(server.messages)), (0, given))
    async with serving(scatter) as server:
        status, output, _ = await client.run("--count", "2", f"ws://127.0.0.1:{server.port}/")
        equal((status, output), (0, b"\x00\n\xff\r\n"))


async def handshake(client):
    async with serving(subprotocols=["chat"]) as server:
        status, _, errors = await client.run(
            "--subprotocol", "news, chat", "--header", "X-One: 1", "--header=X-Two:2",
            "--origin", "http://example.org", "--host", "example.net:81",
            f"ws://me:s%3acret@127.0.0.1:{server.port}/")
        equal(status, 0)
        contains(errors, "connected (protocol chat)\n")
        for name, value in {"X-One": "1", "X-Two": "2", "Origin": "http://example.org",
                            "Host": "example.net:81"}.items():
            equal(server.headers[name], value)
        scheme, credentials = server.headers["Authorization"].split()
        equal((scheme, base64.b64decode(credentials)), ("Basic", b"me:s:cret"))


async def close_codes(client):
    for code, expected in ((1000, 0), (1001, 0), (1008, 3), (1011, 3), (4001, 3)):
        async def close(_, ws, code=code):
            await ws.close(code, "so it is\x1b")

        async with serving(close) as server:
            process = await client.start(f"ws://127.0.0.1:{server.port}/")
            errors = (await process.stderr.read()).decode()
            equal((code, await process.wait()), (code, expected))
            contains(errors, f"closed: {code} ")
            contains(errors, "(so it is\\x1b)\n")


async def cut_off(client):
    async def drop(_, ws):
        ws.transport.abort()

    async with serving(drop) as server:
        process = await client.start(f"ws://127.0.0.1:{server.port}/")
        contains(await process.stderr.read(), b"closed: 1006 ")
        equal(await process.wait(), 3)


async def not_enough(client):
    async def one(_, ws):
        await ws.send("one")
        await ws.close()

    async with serving(one) as server:
        status, output, errors = await client.run("--count", "2", f"ws://127.0.0.1:{server.port}/")
        equal((status, output), (3, b"one\n"))
        contains(errors, "1 of 2 messages")


async def refused(client):
    async def forbid(path, _):
        return http.HTTPStatus.FORBIDDEN, [], b""

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        status, _, errors = await client.run(f"ws://127.0.0.1:{bound.getsockname()[1]}/")
        equal((status, errors), (1, "cannot connect: connection refused\n"))
    async with serving(process_request=forbid) as server:
        status, _, errors = await client.run(f"ws://127.0.0.1:{server.port}/")
        equal((status, errors), (1, "cannot connect: server answered 403\n"))


async def linger(client):
    async def late(server, ws):
        server.messages.append(await ws.recv())
        await asyncio.sleep(0.2)
        await ws.send("answer")

    async with serving(late) as server:
        status, output, _ = await client.run(
            "--linger", "2", f"ws://127.0.0.1:{server.port}/", given=b"question\n")
        equal((status, output), (0, b"answer\n"))


async def pings(client):
    async with serving() as server:
        process = await client.start("--ping", "1", f"ws://127.0.0.1:{server.port}/")
        equal(await process.stderr.readline(), b"connected\n")
        contains(await process.stderr.readline(), b"pong after ")
        process.stdin.close()
        equal(await process.wait(), 0)


async def interrupt(client):
    for number in signal.SIGINT, signal.SIGTERM:
        async with serving() as server:
            process = await client.start(f"ws://127.0.0.1:{server.port}/")
            equal(await process.stderr.readline(), b"connected\n")
            process.stdin.write(b"before\n")
            equal(await process.stdout.readline(), b"before\n")
            process.send_signal(number)
            equal(await process.wait(), 0)
            equal(await server.closed, 1000)


async def interrupt_twice(client):
    """A server that never answers the close frame."""
    closing = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                     + base64.b64encode(accept) + b"\r\n\r\n")
        closing.set_result((await reader.readexactly(1))[0])
        await over.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        process = await client.start(f"ws://127.0.0.1:{port}/")
        equal(await process.stderr.readline(), b"connected\n")
        process.send_signal(signal.SIGINT)
        equal(await closing, 0x88)
        equal(process.returncode, None)
        process.send_signal(signal.SIGINT)
        equal(await process.wait(), -signal.SIGINT)
        over.set()


async def back_pressure(client):
    """A server that does not read slows down whoever writes to the client."""
    reading = asyncio.Event()

    async def slow(server, ws):
        await reading.wait()
        async for message in ws:
            server.messages.append(len(message))

    line = b"x" * 65535 + b"\n"
    async with serving(slow) as server:
        process = await client.start(f"ws://127.0.0.1:{server.port}/")
        written = 0
        with contextlib.suppress(asyncio.TimeoutError):
            for written in range(1000):
                process.stdin.write(line)
                await asyncio.wait_for(process.stdin.drain(), 1)
        if written > 500:
            raise AssertionError(f"{written} lines were taken")
        reading.set()
        await process.stdin.drain()
        process.stdin.close()
        equal(await process.wait(), 0)
        await server.closed
        equal(server.messages, [65535] * (written + 1))


async def seen_enough(client):
    async def talk(_, ws):
        while True:
            await ws.send("word " * 1000)

    async with serving(talk) as server:
        reader, writer = os.pipe()
        process = await client.start(f"ws://127.0.0.1:{server.port}/", stdout=writer)
        os.close(writer)
        equal(await asyncio.to_thread(os.read, reader, 5), b"word ")
        os.close(reader)
        equal(await process.wait(), 0)


async def unix(client):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        async with serving(path=path) as server:
            status, output, _ = await client.run(
                "--unix", path, "--count", "1", "ws://somewhere:99/", given=b"hello\n")
            equal((status, output, server.headers["Host"]), (0, b"hello\n", "somewhere:99"))


async def tls(client):
    if not shutil.which("openssl"):
        print("openssl is not there: no TLS")
        return
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = (os.path.join(folder, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
             certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        async with serving(ssl=context) as server:
            local, numeric = (f"wss://{name}:{server.port}/" for name in ("localhost", "127.0.0.1"))
            for words, url, expected in (
                    (["--ca", certificate], local, 0), (["--insecure"], local, 0), ([], local, 1),
                    (["--ca", certificate], numeric, 1)):
                status, output, errors = await client.run(
                    *words, "--count", "1", url, given=b"secret\n")
                equal((status, output), (expected, b"" if expected else b"secret\n"))
                contains(errors, "certificate" if expected else "connected")


async def usage(client):
    for words in (
            [], ["--nothing", "ws://h"], ["ws://h", "ws://h"], ["--header"], ["--quiet=1", "ws://h"],
            ["--ping", "0", "ws://h"], ["--count", "x", "ws://h"], ["--cert", "file", "ws://h"],
            ["--header", "a", "ws://h"], ["--header", "Host: a", "ws://h"],
            ["--header", "A: b\r\nC: d", "ws://h"], ["--loop", "other", "ws://h"],
            ["http://h"], ["ws:h"], ["ws://"], ["ws:///a"], ["ws://h:0"], ["ws://h:65536"],
            ["ws://h:1x"], ["ws://a b"], ["ws://h/ä"], ["ws://h/#a"], ["ws://[::1"], ["ws://[::1]2"],
            ["ws://[1::2::3]"], ["ws://::1"], ["ws://%0a@h"], ["ws://%2@h"],
            ["ws://" + "a" * 300], ["ws://" + "a" * 300 + "@h"]):
        status, output, errors = await client.run(*words)
        equal((words, status, output), (words, 2, b""))
        contains(errors, "client" if words else "usage")
    status, output, _ = await client.run("--help")
    equal((status, output[:14]), (0, b"usage: client "))


async def terminal(client):
    async def talk(server, ws):
        server.messages.append(await ws.recv())
        await ws.send("es\x1bc\x9b\nwörd")
        await ws.send(bytes(range(60, 80)))
        await server.listen(ws)

    controller, controlled = pty.openpty()
    shown = b""

    async def wait_for(text):
        nonlocal shown
        while text not in shown:
            shown += await asyncio.to_thread(os.read, controller, 4096)

    try:
        async with serving(talk) as server:
            process = await client.start(
                f"ws://127.0.0.1:{server.port}/", stdin=controlled, stdout=controlled,
                stderr=controlled, start_new_session=True)
            await wait_for(b"connected\r\n> ")
            os.write(controller, b"hello\n")
            await wait_for(b"\r\x1b[K< es\\x1bc\\x9b\r\n  w\xc3\xb6rd\r\n")
            await wait_for(b"< binary\r\n  00000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b"
                           b"  |<=>?@ABCDEFGHIJK|\r\n  00000010  4c 4d 4e 4f ")
            await wait_for(b"|LMNO|\r\n  20 bytes\r\n> ")
            os.write(controller, b"bye\n\x04")
            await wait_for(b"\r\x1b[Kclosed: 1000 normal closure\r\n")
            equal(await process.wait(), 0)
            equal(server.messages, ["hello", "bye"])
    finally:
        await client.end()
        os.close(controlled)
        os.close(controller)


STEPS = (lines, end_of_input, long_line, binary, handshake, close_codes, cut_off, not_enough,
         refused, linger, pings, interrupt, interrupt_twice, back_pressure, seen_enough, unix, tls,
         usage, terminal)


async def passes(step, client):
    try:
        await asyncio.wait_for(step(client), STEP_SECONDS)
        return True
    except Exception:  # whatever it is, the others have their turn
        print(f"FAILED: {step.__name__} on {client.loop}")
        traceback.print_exc(file=sys.stdout)
        return False
    finally:
        await client.end()


async def main():
    passed = failed = 0
    for loop in "poll", "uv", "event":
        client = Client(loop)
        if "built without" in (await client.run("--help"))[2]:
            continue
        for step in STEPS:
            if await passes(step, client):
                passed += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
