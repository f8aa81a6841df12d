"""What is called back for in a standard session, in which order: the gen*_session programs print it,
and sessions/ has what it has to be."""
import asyncio
import contextlib
import pathlib

from harness import STEP_SECONDS, PAGE, Program, free_port, listens, test
from peers import frame, raw_handshake, read_frame, refused

SESSIONS = pathlib.Path(__file__).resolve().parent / "sessions"


def session(generation):
    async def run(path, page):
        async def bye(reader, writer, code):
            """Reads to the end, where a close frame with this code stands; answers it."""
            first, payload = await read_frame(reader)
            assert first == 0x88 and payload[:2] == code.to_bytes(2, "big"), (first, payload)
            with contextlib.suppress(ConnectionError):
                writer.write(frame(8, payload[:2]))
                assert await asyncio.wait_for(reader.read(), STEP_SECONDS) == b""
            writer.close()

        port = free_port()
        async with Program(path, port, page) as program:
            await listens(port, program)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), STEP_SECONDS)
            assert answer.endswith(b"\r\n\r\n" + PAGE), answer[:200]
            writer.close()
            if generation >= 3:
                await program.line("DEL_POLL_FD .*", 1)

            _, reader, writer = await raw_handshake(port, "session")
            writer.write(frame(1, b"hello"))
            writer.write(frame(1, b"frag", final=False) + frame(0, b"ment") + frame(9, b"ping"))
            assert await read_frame(reader) == (0x8A, b"ping")
            writer.write(frame(8, b"\x03\xe8"))
            await bye(reader, writer, 1000)
            await program.line(r"CLOSED .*", 1)

            if generation >= 2:
                _, reader, writer = await raw_handshake(port, "session")
                writer.write(frame(1, b"write"))
                assert await read_frame(reader) == (0x81, b"written")
                writer.write(frame(1, b"close") if generation >= 3 else frame(8, b"\x03\xe8"))
                await bye(reader, writer, 1000)

            await program.line(r"CLOSED .*", 1 if generation == 1 else 2)
            await refused(port, "unknown")
            if generation >= 3:
                await program.line("DEL_POLL_FD .*", 4)

            _, reader, writer = await raw_handshake(port, "session")
            writer.write(frame(1, b"finish"))
            await bye(reader, writer, 1001)
            await program.end()
            got = program.lines[:-1]
            expected = (SESSIONS / f"gen{generation}_session.txt").read_text().splitlines()
            assert got == expected, "\n".join(["got:", *got, "expected:", *expected])

    return run


for number, days in enumerate(([20101218, 20110118], [20110212, 20110213], [20110221, 20110225],
                               [20130115, 20130130], [20130316, 20131016]), 1):
    test(days, f"gen{number}_session")(session(number))
