#!/usr/bin/python3
"""Talks to tests/interop/server.c with Python's websockets and permessage-deflate.

Usage: python_deflate.py [--all] [--large] [--ca CA] CASES SETTINGS URL [SETTINGS URL]…

CASES is deflate_cases.txt, of which those with a star are run, or all of them. URL is that of a
server with SETTINGS, for each settings that occur there. With --large there are messages of 16 MiB.
"""
import argparse
import asyncio
import random
import re
import ssl
import sys
import zlib

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

MEBIBYTE = 1024 * 1024
STEP_SECONDS = 60
SIZES = [1, 2, 255, 256, 257, 3000, 16384, 65537, 300000]
DEFAULTS, KEEPING = "", "takeover=3"

servers = {}
tls = None
passed = 0
failed = 0
chance = random.Random(7692)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


class Traffic:
    """Counts what an extension makes of data frames, in the latest message of each direction."""

    def __init__(self, extension):
        self.sent = self.received = 0  # compressed bytes; 0 where it went as it is
        self.packing = self.unpacking = False
        self.encode, self.decode = extension.encode, extension.decode
        extension.encode, extension.decode = self.count_encode, self.count_decode

    def count_encode(self, frame):
        begins = frame.opcode != websockets.frames.OP_CONT
        frame = self.encode(frame)
        if frame.opcode in websockets.frames.DATA_OPCODES:
            if begins:
                self.packing, self.sent = frame.rsv1, 0
            self.sent += len(frame.data) if self.packing else 0
        return frame

    def count_decode(self, frame, *, max_size=None):
        if frame.opcode in websockets.frames.DATA_OPCODES:
            if frame.opcode != websockets.frames.OP_CONT:
                self.unpacking, self.received = frame.rsv1, 0
            self.received += len(frame.data) if self.unpacking else 0
        return self.decode(frame, max_size=max_size)


class Offer(ClientPerMessageDeflateFactory):
    """As the library's own, and counts."""
    agreed = None
    traffic = None

    def process_response_params(self, params, accepted_extensions):
        self.agreed = super().process_response_params(params, accepted_extensions)
        self.traffic = Traffic(self.agreed)
        return self.agreed


def parameters_of(text):
    """Those of a header field, as a dictionary; True where there is no value."""
    parts = [part.strip().partition("=") for part in text.split(";") if part.strip()]
    return {name: int(value) if value else True for name, _, value in parts}


def offer_of(text, **options):
    """What offers exactly these parameters."""
    return Offer(**{"client_max_window_bits": None, **parameters_of(text), **options})


def connect(settings, offers, protocol="extension", **options):
    options.setdefault("max_size", 64 * MEBIBYTE)
    return websockets.connect(
        servers[settings], ssl=tls, compression=None, extensions=offers, subprotocols=[protocol],
        ping_interval=None, close_timeout=20, **options)


def records(size):
    """`size` bytes of text like JSON, with characters of one to four bytes."""
    text = ""
    while len(text) < min(size, 300000) or not text:
        text += (f'{{"id":{chance.randrange(10000)},"name":"Zoë 😀","price":'
                 f'"€ {chance.random():.2f}","sold":false}},\n')
    encoded = text.encode()
    encoded *= size // len(encoded) + 1
    cut = encoded[:size].decode(errors="ignore")
    return cut + "z" * (size - len(cut.encode()))


def length_of(message):
    return len(message.encode() if isinstance(message, str) else message)


async def echo(socket, message):
    """The message, or list of fragments, is sent and comes back."""
    await socket.send(message)
    expected = message if isinstance(message, (str, bytes)) else type(message[0])().join(message)
    reply = await socket.recv()
    expect(type(reply) is type(expected), "the reply is of the other type")
    expect(reply == expected, f"the reply differs, length {len(reply)} for {len(expected)}")


async def fragments(socket, pieces):
    """The pieces are sent as a message, and a ping after each."""
    async def one_by_one():
        for piece in pieces:
            yield piece
            await (await socket.ping())

    await socket.send(one_by_one())
    expect(await socket.recv() == type(pieces[0])().join(pieces), "the message came back otherwise")


def cut(message, *sizes):
    pieces = []
    for size in sizes:
        pieces.append(message[:size])
        message = message[size:]
    return pieces + [message]


async def echo_counted(socket, message, traffic, threshold):
    """Compressed in both directions, but where our server had better not."""
    await echo(socket, message)
    size = length_of(message)
    expect(traffic.sent > 0, "websockets has not compressed")
    if size < threshold or isinstance(message, bytes) or size == 1:
        expect(traffic.received == 0,
               f"{type(message).__name__} of {size} bytes was compressed to {traffic.received}")
    elif size >= 255:
        expect(0 < traffic.received < size, f"{traffic.received} bytes came for {size}")
    if size >= 3000 and traffic.received:
        expect(traffic.received < size // 2, f"{traffic.received} bytes came for {size}")


async def takeover(socket, offer, threshold):
    """Whether a message that comes twice is remembered."""
    reach = min(4000, (1 << offer.agreed.remote_max_window_bits) - 280)
    size = reach if reach > 0 else 200
    if size < threshold:
        return
    message = "".join(chance.choices("0123456789abcdef", k=size))
    await echo(socket, message)
    first = offer.traffic.received
    await echo(socket, message)
    second = offer.traffic.received
    expect(0 < first < size, f"{first} bytes for {size}")
    if offer.agreed.remote_no_context_takeover:
        expect(second == first, f"{second} bytes after {first} without a memory")
    else:
        expect(second < first // 4, f"{second} bytes after {first} in spite of a memory")


def threshold_of(settings):
    found = re.search(r"threshold=(\d+)", settings)
    return int(found[1]) if found else 256


def check_agreed(agreed, answer, offered):
    """That websockets has understood what was agreed as we do."""
    expected = parameters_of(answer)
    wished = offered.get("client_max_window_bits", 15)
    expect(agreed.remote_no_context_takeover == ("server_no_context_takeover" in expected) and
           agreed.local_no_context_takeover == ("client_no_context_takeover" in expected) and
           agreed.remote_max_window_bits == expected.get("server_max_window_bits", 15) and
           agreed.local_max_window_bits == expected.get(
               "client_max_window_bits", 15 if wished is True else wished), f"agreed on {agreed}")


def answer_in(socket):
    return socket.response_headers.get("Sec-WebSocket-Extensions")


async def case(settings, offered, answer):
    offer = offer_of(offered)
    async with connect(settings, [offer]) as socket:
        told = await socket.recv()
        if answer == "declined":
            expect(answer_in(socket) is None and told == "none", f"{answer_in(socket)}, {told}")
            await echo(socket, records(3000))
            return
        expected = "; ".join(["permessage-deflate"] + ([answer] if answer else []))
        expect(answer_in(socket) == expected, f"the answer is {answer_in(socket)}")
        expect(told == "permessage-deflate", f"the server has {told}")
        check_agreed(offer.agreed, answer, parameters_of(offered))
        threshold = threshold_of(settings)
        for size in SIZES:
            await echo_counted(socket, records(size), offer.traffic, threshold)
            await echo_counted(socket, chance.randbytes(size), offer.traffic, threshold)
        await takeover(socket, offer, threshold)
        await fragments(socket, cut(records(100000), 1, 0, 300, 70000))
        await fragments(socket, cut(chance.randbytes(100000), 300, 0, 1, 70000))
        await echo(socket, cut(records(10000), *[10] * 500))
        await echo(socket, "")


async def compress_settings():
    for chosen in [{"level": level} for level in (0, 1, 9)] + \
            [{"memLevel": level} for level in (1, 9)] + \
            [{"strategy": strategy} for strategy in (
                zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)]:
        for settings in DEFAULTS, KEEPING:
            offer = offer_of("client_max_window_bits", compress_settings=chosen)
            async with connect(settings, [offer]) as socket:
                await socket.recv()
                for message in records(100000), chance.randbytes(100000):
                    await echo(socket, message)
                    await fragments(socket, cut(message, 1000, 50000))


async def several_offers():
    """The first that our server can do with."""
    settings = next(settings for settings in servers if "receive_bits=12" in settings)
    offers = [offer_of("server_max_window_bits=10"), offer_of("client_max_window_bits=11")]
    async with connect(settings, offers) as socket:
        expect(await socket.recv() == "permessage-deflate", "it is not active")
        expect(answer_in(socket) == "permessage-deflate; server_no_context_takeover; "
               "client_max_window_bits=11", f"the answer is {answer_in(socket)}")
        await echo(socket, records(100000))


async def compression_by_default():
    """As websockets has it where nobody asks for anything."""
    async with websockets.connect(servers[KEEPING], ssl=tls, subprotocols=["extension"]) as socket:
        expect(answer_in(socket) == "permessage-deflate", f"the answer is {answer_in(socket)}")
        expect(await socket.recv() == "permessage-deflate", "it is not active")
        await echo(socket, records(100000))


async def many_messages_under_way():
    for settings in DEFAULTS, KEEPING:
        async with connect(settings, [offer_of("client_max_window_bits")]) as socket:
            await socket.recv()
            messages = [f"{number} " + records(number % 700) for number in range(1000)]

            async def send():
                for message in messages:
                    await socket.send(message)

            sender = asyncio.create_task(send())
            for message in messages:
                expect(await socket.recv() == message, "a message is lost or out of order")
            await sender


async def concurrent_connections():
    async def talk(settings, number):
        async with connect(settings, [offer_of("client_max_window_bits")]) as socket:
            await socket.recv()
            for round_number in range(5):
                await echo(socket, f"connection {number}, round {round_number}" + records(1000))

    await asyncio.gather(*(talk(settings, number)
                           for settings in (DEFAULTS, KEEPING) for number in range(50)))


async def messages_of_the_server():
    """Its own fragments, bursts and last words, and what it was asked not to compress."""
    for settings in DEFAULTS, KEEPING:
        offer = offer_of("client_max_window_bits")
        async with connect(settings, [offer], "command") as socket:
            await socket.send("fragments 1000")
            expect(await socket.recv() == "".join(f"{number} " for number in range(1000)),
                   "the fragments were put together wrong")
            await socket.send("burst 1000")
            for number in range(1000):
                message = await socket.recv()
                expect(message == f"{number} " + "b" * 1000, f"{message[:20]} for {number}")
                expect(0 < offer.traffic.received < 100, f"{offer.traffic.received} bytes")
            await socket.send("uncompressed " + "u" * 900)
            expect(await socket.recv() == "u" * 900, "the message differs")
            expect(offer.traffic.received == 0, "it was compressed")
            await socket.send("say " + "u" * 900)
            expect(await socket.recv() == "u" * 900, "the message differs")
            expect(0 < offer.traffic.received < 100, "it was not compressed")
            await socket.send("farewell 300000")
            expect(await socket.recv() == "f" * 300000, "the last words differ")
            await socket.wait_closed()
            expect(socket.close_code == 1000, f"closed with {socket.close_code}")


async def closed_with(socket, code):
    try:
        await socket.recv()
        expect(False, "a message instead of a close")
    except websockets.ConnectionClosed as closed:
        expect(closed.rcvd is not None and closed.rcvd.code == code, f"{closed.rcvd}")


async def too_much_when_decompressed():
    for settings in DEFAULTS, KEEPING:
        socket = await connect(settings, [offer_of("client_max_window_bits")])
        await socket.recv()
        await socket.send(bytes(17 * MEBIBYTE))
        await closed_with(socket, 1009)


async def text_that_is_no_utf8():
    """What is under the compression counts."""
    offer = offer_of("client_max_window_bits")
    socket = await connect(KEEPING, [offer])
    await socket.recv()
    encode = offer.agreed.encode
    offer.agreed.encode = lambda frame: encode(
        websockets.frames.Frame(frame.opcode, b"x" * 1000 + b"\xff", frame.fin))
    await socket.send("something else")
    await closed_with(socket, 1007)


async def what_is_not_compressed_text():
    offer = offer_of("client_max_window_bits")
    socket = await connect(KEEPING, [offer])
    await socket.recv()
    offer.agreed.encode = lambda frame: websockets.frames.Frame(
        frame.opcode, b"\xff" * 100, frame.fin, rsv1=True)
    await socket.send("something else")
    await closed_with(socket, 1007)


async def messages_of_16_mebibytes():
    for settings, message in (DEFAULTS, chance.randbytes(16 * MEBIBYTE)), \
            (KEEPING, records(16 * MEBIBYTE)):
        async with connect(settings, [offer_of("client_max_window_bits")]) as socket:
            await socket.recv()
            await echo(socket, message)


OWN_STEPS = [
    compression_by_default,
    compress_settings,
    several_offers,
    many_messages_under_way,
    concurrent_connections,
    messages_of_the_server,
    too_much_when_decompressed,
    text_that_is_no_utf8,
    what_is_not_compressed_text,
]


def read_cases(path, everything):
    """(settings, offer, answer) of each, but where it takes a raw 8, which Python's zlib has not."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split("|") for line in file if not line.startswith("#") and line.strip()]
    cases = [[column.strip() for column in line] for line in lines]
    return [rest for star, *rest in cases if (star or everything) and
            8 not in (parameters_of(column).get("client_max_window_bits") for column in rest[1:])]


async def step(name, action, *arguments):
    global passed, failed
    try:
        await asyncio.wait_for(action(*arguments), STEP_SECONDS)
        passed += 1
        print(f"ok      {name}", flush=True)
    except Exception as error:
        failed += 1
        print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)


async def main(given):
    for settings, offer, answer in read_cases(given.cases, given.all):
        await step(f"[{settings}] is offered [{offer}]", case, settings, offer, answer)
    for own in OWN_STEPS + ([messages_of_16_mebibytes] if given.large else []):
        await step(own.__name__.replace("_", " "), own)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--large", action="store_true")
    arguments.add_argument("--ca")
    arguments.add_argument("cases")
    arguments.add_argument("servers", nargs="+")
    parsed = arguments.parse_args()
    servers = dict(zip(parsed.servers[::2], parsed.servers[1::2]))
    if parsed.ca:
        tls = ssl.create_default_context(cafile=parsed.ca)
    asyncio.run(main(parsed))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
