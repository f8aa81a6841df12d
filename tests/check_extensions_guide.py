#!/usr/bin/python3
"""Holds docs/extensions.md against the example that it quotes, and speaks with the programs.

Usage: check_extensions_guide.py GUIDE EXAMPLE-SOURCE EXAMPLE FOLDER, where FOLDER has the programs
that the guide contains in full.
"""
import base64
import contextlib
import hashlib
import os
import re
import socket
import struct
import subprocess
import sys
import zlib

GUIDE, SOURCE, EXAMPLE, FOLDER = sys.argv[1:]
STEP_SECONDS = 30
PORTS_TO_TRY = 5
TEXT, BINARY, CLOSE = 1, 2, 8
MARK, COMPRESSED = 0x20, 0x40
OFFER = "x-checksum; algorithm=crc32"


def equal(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r:.200}, expected {expected!r:.200}")


def with_sum(message):
    return message + struct.pack(">I", zlib.crc32(message))


class Peer:
    """One end of a WebSocket, which sends and gets frames as they are."""

    def __init__(self, connection, masks):
        self.connection = connection
        self.connection.settimeout(STEP_SECONDS)
        self.masks = masks
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.connection.close()

    def take(self, count):
        while len(self.received) < count:
            more = self.connection.recv(65536)
            if not more:
                raise AssertionError(f"it hung up after {self.received!r:.200}")
            self.received += more
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(1)
        return head.decode()

    def send(self, payload, bits=0, opcode=TEXT, final=True, slowly=False):
        mask = b"\x11\x22\x33\x44" if self.masks else b""
        length = len(payload)
        if length < 126:
            size = bytes([length])
        elif length < 65536:
            size = struct.pack(">BH", 126, length)
        else:
            size = struct.pack(">BQ", 127, length)
        if self.masks:
            size = bytes([size[0] | 0x80]) + size[1:]
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        frame = bytes([opcode | bits | (0x80 if final else 0)]) + size + mask + payload
        for at in range(0, len(frame), 1 if slowly else len(frame)):
            self.connection.sendall(frame[at:at + 1] if slowly else frame)

    def frame(self):
        first, length = self.take(2)
        mask = b""
        masked, length = length & 0x80, length & 0x7f
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        if masked:
            mask = self.take(4)
        payload = self.take(length)
        if masked:
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        return first, payload

    def message(self):
        """Opcode, reserved bits and payload."""
        first, payload = self.frame()
        opcode, bits, whole = first & 15, first & 0x70, payload
        while not first & 0x80:
            first, payload = self.frame()
            equal(first & 0x7f, 0)
            whole += payload
        return opcode, bits, whole

    def closed(self, code, reason):
        """Part of a message may have been sent back before it turned out to be wrong."""
        while (frame := self.frame())[0] & 15 != CLOSE:
            equal(frame[0] & 0x80, 0)
        equal(frame, (0x80 | CLOSE, struct.pack(">H", code) + reason.encode()))


# --- servers


def free_port():
    """A port that was free a moment ago: somebody else may be quicker."""
    with socket.socket(socket.AF_INET6) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(path):
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        process = subprocess.Popen([path, str(port)], env={**os.environ, "PORT": str(port)},
                                   stdin=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                except ConnectionRefusedError:
                    continue
                yield port
                equal(process.poll(), None)
                return
        finally:
            process.kill()
            process.wait()
    raise AssertionError(f"{path} does not start")


def connect(port, offer, answer):
    """A client, after its handshake, for which `answer` is agreed."""
    peer = Peer(socket.create_connection(("127.0.0.1", port)), masks=True)
    lines = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
    peer.connection.sendall(
        ("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
         f"{lines}\r\n").encode())
    head = peer.head()
    equal(head.split()[1], "101")
    said = re.search(r"\r\nSec-WebSocket-Extensions: ([^\r]*)\r\n", head, re.IGNORECASE)
    equal(said and said[1], answer)
    return peer


def offers(port):
    for offer, answer in (
        (OFFER, OFFER),
        ('x-checksum; algorithm="crc32"', OFFER),
        ("x-other, x-checksum; algorithm=md5, x-checksum;algorithm=crc32", OFFER),
        ("x-checksum; algorithm=md5", None),
        ("x-checksum", None),
        ("x-checksum; algorithm", None),
        ("x-checksum; algorithm=crc32; more", None),
        (None, None),
    ):
        with connect(port, offer, answer) as peer:
            bits = MARK if answer else 0
            peer.send(with_sum(b"hello") if answer else b"hello", bits)
            equal(peer.message(), (TEXT, bits, with_sum(b"hello") if answer else b"hello"))


def messages(port):
    with connect(port, OFFER, OFFER) as peer:
        for message in b"", b"a", b"abc", b"abcd", b"a longer one", b"x" * 4096, b"12345" * 40000:
            peer.send(with_sum(message), MARK)
            equal(peer.message(), (TEXT, MARK, with_sum(message)))
        message = bytes(range(256)) * 20
        peer.send(with_sum(message), MARK, BINARY)
        equal(peer.message(), (BINARY, MARK, with_sum(message)))
        peer.send(with_sum(b"byte by byte"), MARK, slowly=True)
        equal(peer.message(), (TEXT, MARK, with_sum(b"byte by byte")))


def fragments(port):
    whole = with_sum(b"fragments")
    with connect(port, OFFER, OFFER) as peer:
        for first in range(len(whole) + 1):
            for second in range(first, len(whole) + 1):
                peer.send(whole[:first], MARK, final=False)
                peer.send(whole[first:second], opcode=0, final=False)
                peer.send(whole[second:], opcode=0)
                equal(peer.message(), (TEXT, MARK, whole))


def faults(port):
    with connect(port, OFFER, OFFER) as healthy:
        wrong = "the checksum does not match"
        for message in with_sum(b"hello")[:-1] + b"\x00", b"j" + with_sum(b"hello")[1:], b"abc", b"":
            with connect(port, OFFER, OFFER) as peer:
                peer.send(message, MARK)
                peer.closed(1007, wrong)
        with connect(port, OFFER, OFFER) as peer:
            peer.send(b"hello", MARK, final=False)
            peer.send(b"hello", opcode=0)
            peer.closed(1007, wrong)
        with connect(port, OFFER, OFFER) as peer:
            peer.send(b"hello")
            peer.closed(1002, "a message without a checksum")
        healthy.send(with_sum(b"hello"), MARK)
        equal(healthy.message(), (TEXT, MARK, with_sum(b"hello")))


# --- the client


@contextlib.contextmanager
def talking(answer, *words):
    """The example as a client, and the server's end of its connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(STEP_SECONDS)
    with listener, subprocess.Popen(
            [EXAMPLE, str(listener.getsockname()[1]), *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            with Peer(listener.accept()[0], masks=False) as peer:
                head = peer.head()
                key = re.search(r"Sec-WebSocket-Key: ([^\r]*)", head, re.IGNORECASE)[1]
                if f"Sec-WebSocket-Extensions: {OFFER}\r\n" not in head:
                    raise AssertionError(f"no offer in {head}")
                accept = base64.b64encode(hashlib.sha1(
                    (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
                lines = f"Sec-WebSocket-Extensions: {answer}\r\n" if answer else ""
                peer.connection.sendall(
                    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{lines}\r\n").encode())
                yield peer, process
        finally:
            process.kill()


def ends(process, status, output, errors):
    got_output, got_errors = process.communicate(timeout=STEP_SECONDS)
    equal((process.returncode, got_output.decode()), (status, output))
    if errors not in got_errors.decode():
        raise AssertionError(f"got {got_errors!r}, expected {errors!r} in it")


def client():
    with talking(OFFER, "one", "two") as (peer, process):
        for word in b"one", b"two":
            equal(peer.message(), (TEXT, MARK, with_sum(word)))
            peer.send(with_sum(word), MARK)
        equal(peer.message()[0], CLOSE)
        peer.send(struct.pack(">H", 1000), opcode=CLOSE)
        peer.connection.shutdown(socket.SHUT_RDWR)
        ends(process, 0, "one\ntwo\n", "")
    with talking(OFFER, "one") as (peer, process):
        peer.message()
        peer.send(with_sum(b"one")[:-1] + b"\x00", MARK)
        peer.closed(1007, "the checksum does not match")
        peer.send(struct.pack(">H", 1007), opcode=CLOSE)
        peer.connection.shutdown(socket.SHUT_RDWR)
        ends(process, 1, "", "failed with 1007: the checksum does not match")
    with talking("x-checksum; algorithm=md5", "one") as (peer, process):
        ends(process, 1, "", "in a way that was not offered")
    with talking(None, "one") as (peer, process):
        equal(peer.message(), (TEXT, 0, b"one"))
        peer.send(b"one")
        equal(peer.message()[0], CLOSE)
        peer.connection.shutdown(socket.SHUT_RDWR)
        ends(process, 0, "one\n", "the server has no checksums")


def both(port):
    """The two halves of the example with each other."""
    words = ["one message", "", "another", "long " * 20000]
    done = subprocess.run([EXAMPLE, str(port), *words], stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, timeout=STEP_SECONDS)
    equal((done.returncode, done.stdout.decode(), done.stderr),
          (0, "".join(word + "\n" for word in words), b""))


# --- the guide


def quotations():
    """Each block of C that is no program of its own stands in the example, as it is."""
    with open(GUIDE, encoding="utf-8") as file:
        blocks = re.findall(r"^```c\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    with open(SOURCE, encoding="utf-8") as file:
        source = file.read()
    quoted = [block for block in blocks if not re.match(r"/\* [a-z]+\.c \*/\n", block)]
    for block in quoted:
        if "\n" + block not in source:
            raise AssertionError(f"{GUIDE} has what is not in {SOURCE}:\n{block}")
    if len(quoted) < 6:
        raise AssertionError(f"{GUIDE} quotes only {len(quoted)} parts of {SOURCE}")


def packed(port):
    """The guide's server with permessage-deflate: what is said of it there."""
    answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    for offer in "permessage-deflate", "permessage-deflate; client_max_window_bits":
        with connect(port, offer, answer) as peer:
            message = b"the same again and again, " * 200
            packer = zlib.compressobj(wbits=-15)
            peer.send(packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4], COMPRESSED)
            opcode, bits, payload = peer.message()
            equal((opcode, bits), (TEXT, COMPRESSED))
            equal(zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff"), message)
            peer.send(b"short")
            equal(peer.message(), (TEXT, 0, b"short"))
            packer = zlib.compressobj(wbits=-15)
            peer.send(packer.compress(bytes(2 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4],
                      COMPRESSED, BINARY)
            peer.closed(1009, "message too large")


def main():
    quotations()
    with serving(EXAMPLE) as port:
        for step in offers, messages, fragments, faults, both:
            step(port)
    client()
    with serving(os.path.join(FOLDER, "packed")) as port:
        packed(port)


main()
