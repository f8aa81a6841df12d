"""Programs that run, what they print, and the list of tests."""
import asyncio
import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import subprocess

STEP_SECONDS = int(os.environ.get("LWS_STEP_SECONDS", "60"))
TESTS = []
given_ports = set()


def test(levels, name=None):
    """Registers a test: one run of a program for each level it is for. It is called with the path of
    the program and that of PAGE."""

    def register(function):
        TESTS.append((name or function.__name__, levels, function))
        return function

    return register


# What the file holds that servers are told to serve.
PAGE = b"<!doctype html><title>page</title>" + b"<p>words</p>\n" * 3000


def listening(port):
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def free_port():
    """One that is not among those that connections are given, of which there are many here."""
    text = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    lowest = int(text.split()[0])
    while True:
        port = random.randrange(lowest * 2 // 3, lowest)
        if port in given_ports:
            continue
        with contextlib.suppress(OSError), listening(port):
            given_ports.add(port)
            return port


@contextlib.contextmanager
def taken_port():
    """A port on which somebody else listens, on all addresses."""
    with listening(free_port()) as other:
        yield other.getsockname()[1]


def processes_of(group):
    """The pids of a process group that run: a zombie nobody waits for has ended all the same."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


async def until(condition, what, program=None):
    """Waits until it is true."""
    for _ in range(STEP_SECONDS * 50):
        if condition():
            return
        if program:
            await program.goes_on(what)
        await asyncio.sleep(0.02)
    raise AssertionError(what)


class Program:
    """A program in a process group of its own; its lines, those of its children among them."""

    def __init__(self, path, *arguments):
        self.command = [str(path), *map(str, arguments)]
        self.lines = []
        self.news = asyncio.Event()
        self.errors = b""

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)
        self.reader = asyncio.create_task(self.read())
        self.error_reader = asyncio.create_task(self.read_errors())
        return self

    async def __aexit__(self, *unused):
        for pid in processes_of(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for task in (self.reader, self.error_reader):
            task.cancel()
        await self.process.wait()

    async def read(self):
        async for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))
            self.news.set()
        self.lines.append(None)
        self.news.set()

    async def read_errors(self):
        self.errors = await self.process.stderr.read()

    async def goes_on(self, what):
        if None in self.lines:
            await asyncio.wait_for(self.error_reader, STEP_SECONDS)
            raise AssertionError(f"it ended, {what}; it said {self.errors.decode()}")

    async def line(self, pattern, times=1):
        """Waits until so many lines match, and gives the last match."""
        while True:
            self.news.clear()
            found = [match for match in (re.fullmatch(pattern, line) for line in self.lines if line)
                     if match]
            if len(found) >= times:
                return found[times - 1]
            await self.goes_on(f"no {pattern!r}")
            try:
                await asyncio.wait_for(self.news.wait(), STEP_SECONDS)
            except asyncio.TimeoutError:
                latest = "\n".join(self.lines[-20:])
                raise AssertionError(
                    f"{len(found)} lines are {pattern!r}, not {times}; the latest:\n{latest}"
                ) from None

    async def end(self, status=0):
        """Waits until it and all its children have ended."""
        await asyncio.wait_for(self.reader, STEP_SECONDS)
        await asyncio.wait_for(self.error_reader, STEP_SECONDS)
        result = await asyncio.wait_for(self.process.wait(), STEP_SECONDS)
        if status is not None:
            assert result == status, f"ended with {result}, and said {self.errors.decode()}"
        for _ in range(STEP_SECONDS * 20):
            if not processes_of(self.process.pid):
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("a process is left")
        self.never(r".*(unexpected|wrong|dirty|somebody else).*")
        self.never(r".*mistakes [1-9].*")

    def has(self, pattern, times=1):
        count = sum(bool(re.fullmatch(pattern, line)) for line in self.lines if line)
        assert count == times, f"{count} lines are {pattern!r}, not {times}"

    def some(self, pattern):
        assert any(re.fullmatch(pattern, line) for line in self.lines if line), f"no {pattern!r}"

    def never(self, pattern):
        for line in self.lines:
            assert not line or not re.fullmatch(pattern, line), f"it printed {line!r}"

    def order(self, *patterns):
        """Lines that match come in this order, others between them."""
        rest = iter(line for line in self.lines if line is not None)
        for pattern in patterns:
            assert any(re.fullmatch(pattern, line) for line in rest), f"no {pattern!r} in its place"


async def listens(port, program=None):
    """Waits until the port is open, without a connection that the program would see."""

    def is_open():
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in pathlib.Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
                    return True
        return False

    await until(is_open, "it does not listen", program)
