#!/usr/bin/env python3
"""Reads what strace -f -T has written about tests/blocking/blocking --traced, and looks for system
calls with which the loop's thread could have waited for something.

Usage: trace.py FILE CERTIFICATES

The program marks the begin and the end of each call into the library. In between, the thread may
make no calls but those named here: sockets only where they do not block, files only of the
certificates. Outside, the loop may wait, and no one else.
"""
import re
import sys

MARK_BEGIN, MARK_END = -1001, -1002

# A call that waits takes at least a second here; others have the machine, too.
LONGEST = 0.3

# On descriptors that must not block.
TRANSFERS = {
    "accept", "accept4", "connect", "read", "readv", "recvfrom", "recvmsg", "sendfile", "sendmsg",
    "sendto", "write", "writev",
}
# They never wait for a peer, a name server or a time. A futex has its limit in LONGEST.
HARMLESS = {
    "bind", "brk", "clock_gettime", "clone", "clone3", "close", "dup", "epoll_create1",
    "epoll_ctl", "eventfd2", "fcntl", "fstat", "futex", "getdents64", "getegid", "geteuid",
    "getgid", "getpeername", "getpid", "getrandom", "getsockname", "getsockopt", "gettid",
    "getuid", "ioctl", "lseek", "madvise", "mmap", "mprotect", "mremap", "munmap", "newfstatat",
    "pipe2", "pread64", "rt_sigprocmask", "setsockopt", "shutdown", "timerfd_create",
    "timerfd_settime",
}
OPENING = {"openat", "socket"}
# What the C library reads by itself when it is asked for a time, once.
ZONE = '"/etc/localtime"'
# The loops' own.
WAITS = {"epoll_pwait", "epoll_pwait2", "epoll_wait", "poll", "ppoll"}

WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?)[^<]*?(?:\([^)]*\))?(?: <([\d.]+)>)?$")
BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)$")


class Call:
    def __init__(self, match):
        self.thread = int(match[1])
        self.name = match[2]
        self.arguments = match[3]
        self.result = -1 if match[4] == "?" else int(match[4])
        self.seconds = float(match[5] or 0)

    def descriptor(self):
        first = re.match(r"-?\d+", self.arguments)
        return int(first[0]) if first else None

    def __str__(self):
        return f"{self.name}({self.arguments}) = {self.result} <{self.seconds:.6f}>"


def read_calls(lines):
    """The calls in the order in which they ended."""
    unfinished = {}
    for line in lines:
        line = line.rstrip("\n")
        if match := BEGUN.match(line):
            unfinished[match[1]] = f"{match[1]} {match[2]}({match[3]}"
            continue
        if match := RESUMED.match(line):
            line = unfinished.pop(match[1], f"{match[1]} {match[2]}(") + match[3]
        if match := WHOLE.match(line):
            yield Call(match)


class Descriptors:
    """What is known of the process's descriptors: whether using one may wait."""

    def __init__(self):
        self.waits = {}

    def follow(self, call):
        if call.result < 0:
            return
        if call.name in ("socket", "accept4", "eventfd2", "timerfd_create"):
            self.waits[call.result] = "NONBLOCK" not in call.arguments
        elif call.name == "accept":
            self.waits[call.result] = True
        elif call.name == "openat":
            self.waits[call.result] = False
        elif call.name in ("socketpair", "pipe2"):
            for end in re.search(r"\[(\d+), (\d+)\]", call.arguments).groups():
                self.waits[int(end)] = "NONBLOCK" not in call.arguments
        elif call.name == "fcntl" and "F_SETFL" in call.arguments:
            self.waits[call.descriptor()] = "O_NONBLOCK" not in call.arguments
        elif call.name == "ioctl" and "FIONBIO" in call.arguments:
            self.waits[call.descriptor()] = "[1]" not in call.arguments
        elif call.name == "close":
            self.waits.pop(call.descriptor(), None)

    def may_wait(self, call):
        return self.waits.get(call.descriptor(), True) and "MSG_DONTWAIT" not in call.arguments


def find_fault(call, inside, descriptors, certificates):
    """What is wrong with a call of the loop's thread; None where nothing is."""
    name = call.name
    if not inside and name in WAITS:
        return None
    if call.seconds > LONGEST:
        return "took long"
    if name in TRANSFERS:
        return "on a descriptor that blocks" if descriptors.may_wait(call) else None
    if name == "socket" and "SOCK_STREAM" not in call.arguments:
        return "not a stream: whose is it?"
    if name == "openat" and f'"{certificates}/' not in call.arguments and ZONE not in call.arguments:
        return "a file that is none of the library's"
    return None if name in HARMLESS | OPENING else "not expected here"


def main():
    path, certificates = sys.argv[1], sys.argv[2].rstrip("/")
    with open(path, encoding="utf-8", errors="replace") as file:
        calls = list(read_calls(file))
    marks = [call for call in calls if call.name == "close" and call.descriptor() == MARK_BEGIN]
    if not marks:
        print("FAILED  the trace has no marks\n0 passed, 1 failed")
        return 1
    loop = marks[0].thread
    last = max(i for i, call in enumerate(calls)
               if call.name == "close" and call.descriptor() == MARK_END)

    descriptors = Descriptors()
    inside = began = False
    faults = []
    seen = {}
    for call in calls[:last]:
        if call.thread == loop:
            mark = call.descriptor() if call.name == "close" else None
            if mark in (MARK_BEGIN, MARK_END):
                inside = mark == MARK_BEGIN
                began = True
                continue
            if began:
                fault = find_fault(call, inside, descriptors, certificates)
                if fault:
                    faults.append(f"{'in a call' if inside else 'outside'}: {fault}: {call}")
                if inside:
                    seen[call.name] = seen.get(call.name, 0) + 1
                else:
                    seen["wait"] = seen.get("wait", 0) + (call.name in WAITS)
        descriptors.follow(call)

    results = [
        ("the thread never waited for anything but its loop's descriptors", not faults),
        ("the loop has waited", seen.get("wait", 0) >= 50),
        ("sockets were connected", seen.get("connect", 0) >= 10),
        ("bytes went both ways",
         seen.get("sendmsg", 0) >= 20 and seen.get("recvfrom", 0) >= 20),
        ("connections were accepted", seen.get("accept4", 0) >= 3),
        ("threads were made for the look-ups",
         seen.get("clone3", 0) + seen.get("clone", 0) >= 2),
    ]
    for fault in faults[:20]:
        print(f"        {fault}")
    for what, good in results:
        print("ok     " if good else "FAILED ", what)
    passed = sum(good for _, good in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
