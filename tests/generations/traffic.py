"""Mixed traffic for the programs that poll by themselves: many clients side by side, each doing one
thing after the other, some of them rudely."""
import asyncio
import contextlib
import random
import signal
import socket
import struct

from harness import PAGE, STEP_SECONDS, Program, free_port, listens
from peers import closed, connect, http, receive, refused

TESTS = []
CLIENTS = 8


def test(level, name, *arguments):
    """Registers what a client of the program does: a list of coroutines, one of which is called
    with the port and the random numbers whenever it has ended another."""

    def register(function):
        def of_seconds(seconds):
            async def run(path, page):
                await talk(path, page, seconds, arguments, function())

            return run

        TESTS.append((name, level, of_seconds))
        return function

    return register


async def talk(path, page, seconds, arguments, acts):
    port = free_port()
    counts = {}
    end = asyncio.get_running_loop().time() + seconds

    async def client(number):
        choice = random.Random(number)
        while asyncio.get_running_loop().time() < end:
            act = choice.choice(acts + EVERYWHERE)
            try:
                await asyncio.wait_for(act(port, choice), 2 * STEP_SECONDS)
            except Exception as error:
                raise AssertionError(f"{act.__name__} after {counts}") from error
            counts[act.__name__] = counts.get(act.__name__, 0) + 1

    async with Program(path, port, 10**9, page, *arguments) as program:
        await listens(port, program)
        # gen3_poll hangs up on the first one.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
        try:
            await asyncio.gather(*clients)
        except Exception as error:
            await program.goes_on("while clients talk to it")
            lines = [line for line in program.lines[-20:] if line]
            raise AssertionError(f"it printed {lines}") from error
        finally:
            for task in clients:
                task.cancel()
        await program.goes_on("with clients left")
        program.process.send_signal(signal.SIGTERM)
        await program.end()
        program.some(r"destroyed, polled 0, mistakes 0")
        print(f"        {path.name}: {counts}")
        assert all(act.__name__ in counts for act in acts + EVERYWHERE) or seconds < 30, counts


# --- what makes sense everywhere ------------------------------------------------------------------


async def pages(port, choice):
    reader = writer = None
    for _ in range(choice.randint(1, 3)):
        status, body, reader, writer = await http(port, "/", reader, writer)
        assert (status, body) == (200, PAGE)
    writer.close()


async def nobody(port, choice):
    """A protocol that is not there."""
    await refused(port, f"nobody{choice.randint(0, 9)}")


async def rude(port, choice):
    """A connection that says nothing, or not enough, or nonsense, and is gone or reset."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(choice.choice([b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\x16\x03\x01\0\0",
                                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3]))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    if choice.random() < 0.5:
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


EVERYWHERE = [pages, nobody, rude]


def gone_without_a_word(protocol, path="/"):
    async def gone(port, choice):
        async with connect(port, protocol, path) as ws:
            if choice.random() < 0.5:
                pong = await ws.ping(b"are you there")
                # Nobody waits for it, nor minds that it does not come.
                pong.add_done_callback(lambda done: done.cancelled() or done.exception())
            ws.transport.abort()

    return gone


def bytes_of(choice, largest):
    return choice.randbytes(choice.choice([1, 125, 126, 1000, 4096, 65536, largest]) % (largest + 1))


# --- and what each program is for -----------------------------------------------------------------


@test(20110221, "gen3_poll")
def echoes():
    # It remembers one at a time.
    hanging_up = asyncio.Lock()

    async def echo(port, choice):
        async with connect(port, "echo", "/room?7", max_queue=None) as ws:
            for _ in range(choice.randint(1, 20)):
                data = bytes_of(choice, 100000) or b"x"
                await ws.send(data)
                assert await receive(ws) == data

    async def hang_up(port, _):
        async with hanging_up, connect(port, "echo") as ws:
            await ws.send("hang up")
            await closed(ws)

    async def forbidden(port, _):
        await refused(port, "echo", "/forbidden")

    return [echo, echo, hang_up, forbidden, gone_without_a_word("echo")]


@test(20110221, "gen3_mixed")
def clocks():
    async def clock(port, choice):
        mine = f"{choice.randbytes(8).hex()} of {port}"
        async with connect(port, "clock") as ws:
            expected, heard = 1, set()
            until = choice.randint(1, 100)
            await ws.send(mine)
            while expected <= until or f"all: {mine}" not in heard:
                text = await receive(ws)
                if text.startswith("all: "):
                    assert text not in heard, text
                    heard.add(text)
                else:
                    assert text == str(expected), (text, expected)
                    expected += 1

    async def free_me(port, _):
        async with connect(port, "clock") as ws:
            await ws.send("free me")
            await closed(ws)

    return [clock, clock, free_me, gone_without_a_word("clock")]


@test(20130115, "gen4_poll")
def counters():
    async def counter(port, choice):
        async with connect(port, "dumb-counter", "/c") as ws:
            number = 0
            for _ in range(choice.randint(1, 100)):
                assert await receive(ws) == str(number)
                number += 1
            await ws.send("reset")
            while (text := await receive(ws)) != "0":
                assert text == str(number), (text, number)
                number += 1
            assert await receive(ws) == "1"

    async def mirror(port, choice):
        async with connect(port, "backpressure", "/m", max_queue=None) as ws:
            data = [choice.randbytes(choice.randint(1, 4000)) for _ in range(choice.randint(1, 300))]
            sending = asyncio.create_task(send(ws, data))
            for each in data:
                assert await receive(ws) == each
            await sending

    async def send(ws, data):
        for each in data:
            await ws.send(each)

    return [counter, mirror, gone_without_a_word("dumb-counter"),
            gone_without_a_word("backpressure")]


@test(20130316, "gen5_poll", "mixed")
def relays():
    async def relay(port, choice):
        async with connect(port, "relay", max_queue=None) as ws:
            for number in range(choice.randint(1, 50)):
                data = choice.randbytes(choice.randint(1, 256))
                await ws.send(f"{number} " + "word " * choice.randint(0, 40))
                await ws.send(data)
                # What others have said comes between.
                while isinstance(got := await receive(ws), str):
                    pass
                assert got == data

    async def lurk(port, choice):
        async with connect(port, "relay", max_queue=None) as ws:
            with contextlib.suppress(asyncio.TimeoutError):
                for _ in range(choice.randint(1, 100)):
                    text = await asyncio.wait_for(ws.recv(), 1)
                    assert text.split(" ")[0].isdigit(), text

    return [relay, relay, lurk, gone_without_a_word("relay")]
