#!/usr/bin/python3
"""The server of Python's websockets that tests/interop/client.c talks to.

Usage: python_server.py [--tls DIRECTORY] [--certificate NAME] [--keepalive] [--deflate JSON]…

It listens on a free port of 127.0.0.1, whose number is its first line; then it prints "closed CODE
REASON" for each connection that ends, and "vanished" where no close frame came. It ends with its
input. DIRECTORY is what tests/support/certificates.sh has made; with --keepalive each connection is
pinged twenty times a second. Each --deflate has a port of its own where permessage-deflate has these
options, or none with "false" and the default with "true", and before each "closed" there is
"deflate PATH [OFFER] [ANSWER] COMPRESSED MESSAGES PACKED UNPACKED": how many of the client's
messages were compressed, how many there were, and the bytes that those compressed had and have.
Every message is sent back, but where the subprotocol is "command":

    close CODE REASON   closes
    vanish              drops the TCP connection
    ping TEXT           sends a ping with this payload, and "pong TEXT" when it was answered
    say TEXT            sends the text
    fragments N         sends "0 1 2 … " in N fragments
    burst N             sends N messages, their number and filling, and closes with 1000
    farewell N          sends N bytes and closes with 1000
    header NAME         sends the value of the request's header field
    path                sends the path that was asked for
"""
import argparse
import asyncio
import json
import ssl
import sys

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

MEBIBYTE = 1024 * 1024


class Deflate(ServerPerMessageDeflateFactory):
    """As the library's own, and counts."""

    def process_request_params(self, params, accepted_extensions):
        answer, extension = super().process_request_params(params, accepted_extensions)
        extension.messages = extension.packed = extension.unpacked = 0
        extension.packing = False
        decode = extension.decode

        def count(frame, *, max_size=None):
            if frame.opcode not in websockets.frames.DATA_OPCODES:
                return decode(frame, max_size=max_size)
            if frame.opcode != websockets.frames.OP_CONT:
                extension.packing = frame.rsv1
                extension.messages += frame.rsv1
            decoded = decode(frame, max_size=max_size)
            if extension.packing:
                extension.packed += len(frame.data)
                extension.unpacked += len(decoded.data)
            return decoded

        extension.decode = count
        return answer, extension


def compression(options):
    """What websockets.serve() takes."""
    if options is True:
        return {"compression": "deflate", "extensions": [
            Deflate(server_max_window_bits=12, client_max_window_bits=12,
                    compress_settings={"memLevel": 5})]}
    return {"compression": None, "extensions": [] if options is False else [Deflate(**options)]}


def tell_compression(socket, count):
    offer = socket.request_headers.get("Sec-WebSocket-Extensions", "-")
    answer = socket.response_headers.get("Sec-WebSocket-Extensions", "-")
    numbers = f"0 {count} 0 0"
    for extension in socket.extensions:
        numbers = f"{extension.messages} {count} {extension.packed} {extension.unpacked}"
    print(f"deflate {socket.path} [{offer}] [{answer}] {numbers}", flush=True)


def choose(offered, spoken):
    """The first of those spoken, in place of what websockets weighs up."""
    return next((name for name in spoken if name in offered), None)


async def obey(socket, line):
    name, _, argument = line.partition(" ")
    if name == "close":
        code, _, reason = argument.partition(" ")
        await socket.close(int(code), reason)
    elif name == "vanish":
        socket.transport.abort()
    elif name == "ping":
        answered = await socket.ping(argument)
        await answered
        await socket.send(f"pong {argument}")
    elif name == "say":
        await socket.send(argument)
    elif name == "fragments":
        await socket.send([f"{number} " for number in range(int(argument))])
    elif name == "burst":
        for number in range(int(argument)):
            await socket.send(f"{number} " + "b" * 1000)
        await socket.close()
    elif name == "farewell":
        await socket.send("f" * int(argument))
        await socket.close()
    elif name == "header":
        await socket.send(socket.request_headers.get(argument, "none"))
    elif name == "path":
        await socket.send(socket.path)
    else:
        await socket.close(1008, "unknown command")


async def serve_one(socket, telling):
    count = 0
    try:
        async for message in socket:
            count += 1
            if socket.subprotocol == "command":
                await obey(socket, message)
            else:
                await socket.send(message)
    except websockets.ConnectionClosed:
        pass
    await socket.wait_closed()
    if telling:
        tell_compression(socket, count)
    if socket.close_code == 1006:
        print("vanished", flush=True)
    else:
        print(f"closed {socket.close_code} {socket.close_reason}", flush=True)


async def input_ended():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await reader.read()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls")
    parser.add_argument("--certificate", default="server")
    parser.add_argument("--keepalive", action="store_true")
    parser.add_argument("--deflate", action="append", type=json.loads)
    options = parser.parse_args()

    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        name = f"{options.tls}/{options.certificate}"
        tls.load_cert_chain(f"{name}.pem", f"{name}.key")
    telling = options.deflate is not None
    servers = []
    for deflate in options.deflate if telling else [True]:
        server = await websockets.serve(
            lambda socket: serve_one(socket, telling), "127.0.0.1", 0, ssl=tls,
            subprotocols=["second", "echo", "command"], select_subprotocol=choose,
            ping_interval=0.05 if options.keepalive else None, max_size=16 * MEBIBYTE,
            **compression(deflate))
        servers.append(server)
        print(server.sockets[0].getsockname()[1], flush=True)
    await input_ended()


asyncio.run(main())
