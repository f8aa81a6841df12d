"""Building the programs: with what pkg-config has, or in a build folder by its libtool."""
import asyncio
import os
import pathlib
import shlex
import shutil
import subprocess

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
TOP = pathlib.Path(__file__).resolve().parents[2]
# The contract checker. It stands between a program and the library, at the present level.
CHECKER = [TOP / "tests" / "support" / f"contract{part}.c" for part in (
    "", "_blocking", "_callbacks", "_calls", "_client", "_older")]
CHECKER.append(TOP / "tests" / "generations" / "checked.c")
# Programs that are made of others, each compiled for a level of its own.
PARTS = {"both": [("levels", 20110219), ("levels", 20130316)]}
# Callbacks have more arguments than most need, which nobody named in a special way.
WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
CXX_OF = {"gcc": "g++", "clang": "clang++", "cc": "c++"}


def is_cxx(compiler):
    return shlex.split(compiler)[0].endswith("++")


def default_compilers():
    return [name for name in ("gcc", "g++", "clang", "clang++") if shutil.which(name)]


def source_of(name):
    return next(path for path in (PROGRAMS / f"{name}.c", PROGRAMS / f"{name}.cpp") if path.exists())


def compilers_for(name, compilers):
    """Those that can build a program: one in C++ is not for a C compiler, but for its sibling."""
    if source_of(name).suffix == ".c":
        return list(compilers)
    chosen = []
    for compiler in compilers:
        words = shlex.split(compiler)
        if not is_cxx(compiler):
            words[0] = CXX_OF.get(words[0], "c++")
        if shutil.which(words[0]) and shlex.join(words) not in chosen:
            chosen.append(shlex.join(words))
    return chosen


class Installed:
    """Nothing but the level, and what pkg-config says."""

    def __init__(self):
        self.cflags, self.libraries = (shlex.split(subprocess.check_output(
            ["pkg-config", what, "lwsloop-poll"], text=True)) for what in ("--cflags", "--libs"))

    def command(self, compile_words, source, target):
        return [*compile_words, *self.cflags, *source, "-o", target, *self.libraries]


class BuildFolder:
    """In the present folder, where the library was built and is not installed."""

    cflags = [*shlex.split(os.environ.get("SANITIZER_FLAGS", "")), f"-I{TOP}/core/include",
              f"-I{TOP}/adapters/poll"]

    def command(self, compile_words, source, target):
        return ["./libtool", "--silent", "--tag=CC", "--mode=link", *compile_words,
                *self.cflags, "-no-install", "-o", target, *source,
                "adapters/poll/liblwsloop-poll.la", "core/liblwsloop.la"]


async def run(command):
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{shlex.join(command)}\n{output.decode(errors='replace')}"


async def build_checker(place, compiler, folder):
    """Returns what a program is linked with, to be checked."""
    objects = [str(folder / source.with_suffix(".o").name) for source in CHECKER]
    for source, target in zip(CHECKER, objects):
        await run([*shlex.split(compiler), "-std=gnu11", "-D_GNU_SOURCE", "-g", "-O1",
                   *place.cflags, "-c", str(source), "-o", target])
    return [*objects, "-rdynamic", "-ldl"]


async def build(place, name, level, compiler, folder, checker=()):
    """Returns the path of the program."""
    source = source_of(name)
    words = shlex.split(compiler)
    kind = "c++" if is_cxx(compiler) else "c"
    target = folder / f"{name}-{level}-{pathlib.Path(words[0]).name}"
    general = [*words, "-std=gnu++17" if kind == "c++" else "-std=gnu11", *WARNINGS, "-g",
               "-pthread"]
    more = [*checker]
    for part, of_level in PARTS.get(name, []):
        more.append(f"{target}-{of_level}.o")
        await run([*general, *place.cflags, f"-DLWS_API_LEVEL={of_level}", "-include",
                   str(PROGRAMS / "beside.h"), "-x", kind, "-c", str(source_of(part)),
                   "-o", more[-1]])
    command = place.command([*general, f"-DLWS_API_LEVEL={level}"],
                            ["-x", kind, str(source), "-x", "none", *more], str(target))
    await run(command)
    return target
