#!/usr/bin/python3
"""Talks to tests/interop/server.c with Python's websockets.

Usage: python_websockets.py URL [CA] [--without STEP,…]

URL is ws://127.0.0.1:PORT/ or wss://…; CA is the file of the authority to trust then.
"""
import argparse
import asyncio
import ssl
import sys
import time

import websockets

MEBIBYTE = 1024 * 1024
STEP_SECONDS = 60
SIZES = [0, 1, 2, 124, 125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536, 65537, MEBIBYTE,
         16 * MEBIBYTE]
TOO_LARGE = 17 * MEBIBYTE

url = None
tls = None
passed = 0
failed = 0


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def connect(**options):
    """Without compression and without keepalive pings, unless a step asks for them."""
    options.setdefault("compression", None)
    options.setdefault("ping_interval", None)
    options.setdefault("max_size", 64 * MEBIBYTE)
    options.setdefault("close_timeout", 20)
    return websockets.connect(url, ssl=tls, **options)


def text_of(size):
    """`size` bytes of UTF-8 with characters of one to four bytes."""
    pattern = "aä€😀"
    text = pattern * (size // len(pattern.encode()))
    return text + "z" * (size - len(text.encode()))


def bytes_of(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


async def echo(socket, message):
    await socket.send(message)
    expected = message if isinstance(message, (str, bytes)) else type(message[0])().join(message)
    reply = await socket.recv()
    expect(type(reply) is type(expected), "the reply is of the other type")
    expect(reply == expected, f"the reply differs, length {len(reply)} for {len(expected)}")


async def command(socket, line):
    await socket.send(line)
    return await socket.recv()


async def closes_seen(socket):
    count, code, reason = (await command(socket, "closes")).split(" ", 2)
    return int(count), int(code), reason


async def next_close(observer, before):
    """Waits until the server has seen one more connection end; the step's deadline applies."""
    while True:
        count, code, reason = await closes_seen(observer)
        if count > before:
            return code, reason
        await asyncio.sleep(0.01)


async def text_of_every_size():
    async with connect() as socket:
        for size in SIZES:
            await echo(socket, text_of(size))


async def binary_of_every_size():
    async with connect() as socket:
        for size in SIZES:
            await echo(socket, bytes_of(size))


async def many_messages_under_way():
    async with connect() as socket:
        count = 2000

        async def send():
            for number in range(count):
                await socket.send(f"message {number} " + "x" * (number % 700))

        sender = asyncio.create_task(send())
        for number in range(count):
            reply = await socket.recv()
            expect(reply.startswith(f"message {number} "), "a message is lost or out of order")
        await sender


async def fragmented_text():
    async with connect() as socket:
        await echo(socket, ["one, ", "zwei, ", "trois", "", " und €"])
        await echo(socket, ["", ""])
        await echo(socket, ["x" * 100000, "y", "z" * 70000])


async def fragmented_binary():
    async with connect() as socket:
        await echo(socket, [bytes_of(size) for size in (1, 125, 126, 65535, 65536, 0, 300000)])
        await echo(socket, [b"x"] * 5000)


async def concurrent_connections():
    async def talk(number):
        async with connect() as socket:
            for round_number in range(10):
                await echo(socket, f"connection {number}, round {round_number} " + "." * number)

    await asyncio.gather(*(talk(number) for number in range(100)))


async def pings_are_answered():
    async with connect() as socket:
        for payload in (b"", b"p", bytes_of(125)):
            answered = await socket.ping(payload)
            await answered
        await echo(socket, "after the pings")


async def pings_inside_a_message():
    async with connect() as socket:
        async def pieces():
            for piece in ("first ", "second ", "third"):
                yield piece
                await (await socket.ping())

        await socket.send(pieces())
        expect(await socket.recv() == "first second third", "the message was put together wrong")


async def keepalive_of_the_client():
    async with connect(ping_interval=0.05, ping_timeout=10) as socket:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            await echo(socket, "x" * 1000)


async def ping_from_the_server():
    async with connect(subprotocols=["command"]) as socket:
        expect(await command(socket, "ping hello") == "pinged", "no reply to the command")
        expect(await command(socket, "ping " + "x" * 120) == "pinged", "no reply to the command")
        expect(await command(socket, "say still here") == "still here", "no reply after pings")


async def subprotocols():
    for offer, chosen in (
            (["echo"], "echo"),
            (["second"], "second"),
            (["second", "echo"], "second"),
            (["unknown", "echo", "second"], "echo"),
            (["a", "b", "c", "second"], "second")):
        async with connect(subprotocols=offer) as socket:
            expect(socket.subprotocol == chosen, f"{offer} gave {socket.subprotocol}")
            await echo(socket, "hello")
    async with connect() as socket:
        expect(socket.subprotocol is None, "a subprotocol that was not asked for")


async def unknown_subprotocol_is_refused():
    try:
        async with connect(subprotocols=["unknown", "neither"]):
            expect(False, "the handshake was accepted")
    except websockets.InvalidStatusCode as refusal:
        expect(refusal.status_code == 400, f"refused with {refusal.status_code}")


async def compression_is_declined():
    async with connect(compression="deflate") as socket:
        expect(socket.extensions == [], f"extensions {socket.extensions}")
        await echo(socket, text_of(100000))


async def close_codes_of_the_client():
    async with connect(subprotocols=["command"]) as observer:
        for code, reason in ((1000, ""), (1000, "done"), (1001, "going"), (1002, "odd"),
                             (1003, "no"), (1007, "bad"), (1008, "no"), (1009, "much"),
                             (1010, "need"), (1011, "oops"), (3000, "registered"),
                             (4000, "own"), (4999, "€" * 41)):
            before, _, _ = await closes_seen(observer)
            socket = await connect()
            await echo(socket, "hello")
            await socket.close(code, reason)
            expect(socket.close_code == code, f"{code} was answered with {socket.close_code}")
            seen = await next_close(observer, before)
            expect(seen == (code, reason), f"the server saw {seen} for {(code, reason)}")


async def vanished_client_is_1006():
    async with connect(subprotocols=["command"]) as observer:
        before, _, _ = await closes_seen(observer)
        socket = await connect()
        await echo(socket, "hello")
        socket.transport.abort()
        seen = await next_close(observer, before)
        expect(seen == (1006, ""), f"the server saw {seen}")


async def close_codes_of_the_server():
    for code, reason in ((1000, ""), (1001, "restart"), (1008, "rules"), (1011, "oops"),
                         (1012, "soon"), (1013, "later"), (1014, "gateway"), (3999, "x"),
                         (4001, "€" * 41)):
        socket = await connect(subprotocols=["command"])
        await socket.send(f"close {code} {reason}")
        try:
            await socket.recv()
            expect(False, "a message instead of a close")
        except websockets.ConnectionClosed as closed:
            expect(closed.rcvd is not None, f"no close frame came for {code}")
            expect((closed.rcvd.code, closed.rcvd.reason) == (code, reason),
                   f"{closed.rcvd} for {(code, reason)}")


async def close_by_return_value():
    socket = await connect(subprotocols=["command"])
    await socket.send("return")
    try:
        await socket.recv()
        expect(False, "a message instead of a close")
    except websockets.ConnectionClosed as closed:
        expect(closed.rcvd is not None and closed.rcvd.code == 1000, f"{closed.rcvd}")


async def last_words_before_the_close():
    socket = await connect(subprotocols=["command"])
    await socket.send("farewell 300000")
    reply = await socket.recv()
    expect(reply == "f" * 300000, f"{len(reply)} bytes of 300000 came before the close")
    try:
        await socket.recv()
        expect(False, "a message instead of a close")
    except websockets.ConnectionClosed as closed:
        expect(closed.rcvd is not None and closed.rcvd.code == 1000, f"{closed.rcvd}")


async def too_large_message_is_1009():
    socket = await connect()
    try:
        await socket.send(bytes(TOO_LARGE))
        await socket.recv()
        expect(False, "the message was accepted")
    except websockets.ConnectionClosed as closed:
        expect(closed.rcvd is not None and closed.rcvd.code == 1009, f"{closed.rcvd}")


async def burst_from_the_server():
    async with connect(subprotocols=["command"]) as socket:
        await socket.send("burst 3000")
        for number in range(3000):
            message = await socket.recv()
            expect(message.startswith(f"{number} "), f"{message[:20]} in place of {number}")
        expect(await command(socket, "say done") == "done", "no reply after the burst")


STEPS = [
    text_of_every_size,
    binary_of_every_size,
    many_messages_under_way,
    fragmented_text,
    fragmented_binary,
    concurrent_connections,
    pings_are_answered,
    pings_inside_a_message,
    keepalive_of_the_client,
    ping_from_the_server,
    subprotocols,
    unknown_subprotocol_is_refused,
    compression_is_declined,
    close_codes_of_the_client,
    vanished_client_is_1006,
    close_codes_of_the_server,
    close_by_return_value,
    last_words_before_the_close,
    too_large_message_is_1009,
    burst_from_the_server,
]


async def run(without):
    global passed, failed
    for step in STEPS:
        name = step.__name__.replace("_", " ")
        if name in without:
            continue
        try:
            await asyncio.wait_for(step(), STEP_SECONDS)
            passed += 1
            print(f"ok      {name}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url")
    arguments.add_argument("ca", nargs="?")
    arguments.add_argument("--without", default="")
    given = arguments.parse_args()
    url = given.url
    if url.startswith("wss:"):
        tls = ssl.create_default_context(cafile=given.ca)
    asyncio.run(run(given.without.split(",")))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
