"""Today's peers of the programs: Python's websockets, and bytes by hand."""
import asyncio
import contextlib
import re

import websockets

from harness import STEP_SECONDS


def connect(port, protocol, path="/", **options):
    options.setdefault("compression", None)
    return websockets.connect(f"ws://127.0.0.1:{port}{path}", subprotocols=[protocol],
                              max_size=None, open_timeout=STEP_SECONDS, **options)


async def receive(ws):
    return await asyncio.wait_for(ws.recv(), STEP_SECONDS)


async def closed(ws):
    """Waits for the end of the connection; the code, 1005 where a close frame had none."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await receive(ws)
    return ws.close_code


async def refused(port, protocol, path="/"):
    try:
        async with connect(port, protocol, path):
            raise AssertionError("a handshake was accepted that should not be")
    except (websockets.InvalidHandshake, websockets.InvalidMessage, ConnectionError, EOFError):
        pass


async def http(port, target, reader=None, writer=None, version="1.1"):
    """Status and body of one GET, and the streams where the connection may live on."""
    if reader is None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/{version}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), STEP_SECONDS)).decode()
    length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
    if length:
        body = await asyncio.wait_for(reader.readexactly(int(length[1])), STEP_SECONDS)
    else:
        body = await asyncio.wait_for(reader.read(), STEP_SECONDS)
    return int(head.split()[1]), body, reader, writer


@contextlib.asynccontextmanager
async def server(handler, subprotocols, **options):
    options.setdefault("compression", None)
    async with websockets.serve(handler, "127.0.0.1", 0, subprotocols=subprotocols,
                                max_size=None, **options) as listening:
        yield listening.sockets[0].getsockname()[1]


async def raw_handshake(port, protocol, extensions=None):
    """A WebSocket by hand, for offers that Python's websockets does not make."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    offer = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    writer.write((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}"
                  f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), STEP_SECONDS)).decode()
    assert head.startswith("HTTP/1.1 101"), head
    return head, reader, writer


def frame(opcode, payload, final=True):
    """A client's frame of up to 125 bytes with a mask of zeros."""
    return bytes([(0x80 if final else 0) | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


async def read_frame(reader):
    first, length = await asyncio.wait_for(reader.readexactly(2), STEP_SECONDS)
    return first, await asyncio.wait_for(reader.readexactly(length), STEP_SECONDS)


