#!/usr/bin/python3
"""Compiles, at every day on which the API changed and at the day before, a program that names
everything of that day: each function with that day's arguments, the constants, the structs' members
and the macros. Then one that names what the day is without, and calls each function with an
argument less and one more: every line of it must be an error. What the headers declare on the day
must be in the table. Then levels that are no days.

Usage: matrix.py [--dates] [--link] [--compiler COMPILER]… [FLAG…]
  --dates      prints the days, and does nothing else
  --link       also links each day's program and starts it
  --compiler   gcc, g++ and the like; those of gcc and clang that are there if none is given
  FLAG         for the compiler; if none is given, what pkg-config has for lwsloop-poll

The last line says how many passed and failed; a day with a compiler counts as one.
"""
import argparse
import concurrent.futures
import datetime
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import api_table as api

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
C_FLAGS = ["-std=c11", *WARNINGS]
CXX_FLAGS = ["-std=c++17", *WARNINGS, "-Wno-invalid-offsetof"]
WRONG_LEVELS = ["20101217", "20131109", "20130231", "20110229", "20130016", "20131301", "20130400",
                "foo", "", "2013-03-16", "1"]
GOOD_LEVELS = ["20120229", "20110131", "20101231"]

VARIABLES = {
    "context": "struct libwebsocket_context *", "wsi": "struct libwebsocket *",
    "protocols": "struct libwebsocket_protocols *", "text": "const char *", "chars": "char *",
    "bytes": "unsigned char *", "pointer": "void *", "number": "int ", "bits": "unsigned int ",
    "size": "size_t ",
}
# The words of the table's arguments, where they are not a variable's name.
EXPRESSIONS = {
    "protocol": "protocols", "int": "number", "constbytes": "bytes", "constpointer": "pointer",
    "pointers": "&pointer", "texts": "&text", "sizes": "&size", "write": "LWS_WRITE_TEXT",
    "status": "LWS_CLOSE_STATUS_NORMAL", "timeout": "NO_PENDING_TIMEOUT",
    "token": "WSI_TOKEN_HOST", "reason": "LWS_CALLBACK_ESTABLISHED", "...": "number",
}
CALLBACK = {
    "wsi": "struct libwebsocket *w, ",
    "context": "struct libwebsocket_context *c, struct libwebsocket *w, ",
}
FUNCTIONS = api.FUNCTIONS + api.ADDITIONS
CONSTANTS = api.CONSTANTS + api.ADDED_CONSTANTS
MACROS = api.MACROS + api.SYSTEM_MACROS


def day_before(day):
    date = datetime.datetime.strptime(str(day), "%Y%m%d") - datetime.timedelta(days=1)
    return int(date.strftime("%Y%m%d"))


def dates():
    flips = {api.FIRST, api.LAST, *(row.since for row in api.BEHAVIOUR)}
    for row in (FUNCTIONS + CONSTANTS + MACROS + api.VALUES + api.TYPEDEFS + api.VARIABLES +
                api.STRUCTS):
        flips |= {row.since, row.before}
    flips = {day for day in flips if api.FIRST <= day <= api.LAST}
    return sorted(flips | {day_before(day) for day in flips - {api.FIRST}})


# --- the sources ----------------------------------------------------------------------------------


def expression(word):
    if word in VARIABLES:
        return word
    # Text that is no literal, so that -Wformat-security has something to say about none of them.
    return EXPRESSIONS.get(word) or f"({api.TYPES[word]})pointer".replace("(*)(", "(*)(")


def arguments_of(row):
    words = row.arguments.split()
    if "..." in words:
        return ['"%d"' if word == "text" else expression(word) for word in words]
    if any("(*)" in api.TYPES[word] or word == "sink" for word in words):
        return [f"({api.TYPES[word]})0" if "(*)" in api.TYPES[word] or word == "sink" else
                expression(word) for word in words]
    return [expression(word) for word in words]


def function(name, statement):
    return f"void {name}(void);\nvoid {name}(void) {{ {statement} }}"


def call(row):
    text = f"{row.name}({', '.join(arguments_of(row))});"
    if row.result != "void":
        text = f"{api.TYPES[row.result]} result = {text} (void)result;"
    return text


def layout(row):
    """The order of a struct's members, and that there is nothing behind the last one."""
    struct = f"struct {row.struct}"
    names = [member.split(":")[0] for member in row.members.split()]
    for first, second in zip(names, names[1:]):
        yield (f"extern char {row.struct}_{second}[offsetof({struct}, {first}) < "
               f"offsetof({struct}, {second}) ? 1 : -1];")
    yield (f"extern char {row.struct}_end[offsetof({struct}, {names[-1]}) + "
           f"sizeof((({struct} *)0)->{names[-1]}) + sizeof(void *) > sizeof({struct}) ? 1 : -1];")
    for member in row.members.split():
        name, _, form = member.partition(":")
        if form:
            yield (f"int called({CALLBACK[form]}enum libwebsocket_callback_reasons r, void *u, "
                   "void *i, size_t l);")
            yield f"void set_{name}({struct} *s);"
            yield f"void set_{name}({struct} *s) {{ s->{name} = called; }}"


def good_source(day, whole=False):
    """Names all that the day has. Where it is `whole` it can be linked and run."""
    lines = ["#include <libwebsockets.h>", "#include <stddef.h>"]
    lines += [f"extern {kind}{name};" for name, kind in VARIABLES.items()]
    names = []
    for row in FUNCTIONS:
        if api.holds(row, day):
            names.append(f"call_{row.name}")
            lines.append(function(names[-1], call(row)))
    for row in CONSTANTS:
        if api.holds(row, day):
            lines.append(f"extern char constant_{row.name}[({row.name}) >= 0 ? 1 : -1];")
    for number, row in enumerate(api.VALUES):
        if api.holds(row, day):
            lines.append(f"extern char value_{number}[({row.expression}) ? 1 : -1];")
    for row in api.STRUCTS:
        if api.holds(row, day):
            lines += layout(row)
    for row in api.TYPEDEFS:
        if api.holds(row, day):
            lines.append(f"extern {row.name} *typed_{row.name};")
    for row in api.VARIABLES:
        if api.holds(row, day):
            names.append(f"use_{row.name}")
            lines.append(function(names[-1], f"pointer = &{row.name}[0];"))
    # <stddef.h> above brings none of them.
    for row in MACROS:
        lines.append(f"#if{'n' if api.holds(row, day) else ''}def {row.name}")
        lines.append(f"#error {row.name}\n#endif")
    if whole:
        lines += [f"{kind}{name};" for name, kind in VARIABLES.items()]
        lines.append("void (*volatile used[])(void) = {" + ", ".join(names) + "};")
        if any("called" in line for line in lines):
            lines.append(next(line for line in lines if line.startswith("int called"))[:-1] + " {")
            form = "wsi" if day < 20110214 else "context"
            lines.append(("(void)c; " if form == "context" else "") +
                         "(void)w; (void)r; (void)u; (void)i; (void)l; return 0; }")
        lines.append("int main(void) { return used[0] == NULL; }")
    return "\n".join(lines) + "\n"


def bad_source(day):
    """A source, and what its lines are by their numbers, each of which must be an error."""
    head = ["#include <libwebsockets.h>", "#include <stddef.h>"]
    head += [f"extern {kind}{name};" for name, kind in VARIABLES.items()]
    lines = []

    def add(text, what):
        lines.append((text.replace("@", str(len(lines))), what))

    now = [row for row in FUNCTIONS if api.holds(row, day)]
    for row in now:
        arguments = arguments_of(row)
        if "..." in row.arguments:
            add(f"void f@(void) {{ {row.name}({arguments[0]}); }}", f"{row.name} with less")
            continue
        add(f"void f@(void) {{ {row.name}({', '.join([*arguments, 'number'])}); }}",
            f"{row.name} with one more")
        if arguments:
            add(f"void f@(void) {{ {row.name}({', '.join(arguments[:-1])}); }}",
                f"{row.name} with one less")
    for name in sorted({row.name for row in FUNCTIONS} - {row.name for row in now}):
        add(f"void *a@(void) {{ return (void *)&{name}; }}", f"{name} is not there yet, or gone")
    here = {row.name for row in CONSTANTS if api.holds(row, day)}
    for name in sorted({row.name for row in CONSTANTS} - here):
        add(f"extern char c@[1 + {name}];", f"{name} is not there yet, or gone")
    for struct in sorted({row.struct for row in api.STRUCTS}):
        forms = [row for row in api.STRUCTS if row.struct == struct]
        # The form of the day comes last and has the last word.
        forms.sort(key=lambda row: api.holds(row, day))
        members = {name.split(":")[0]: api.holds(row, day)
                   for row in forms for name in row.members.split()}
        for name in sorted(name for name, there in members.items() if not there):
            add(f"extern char m@[1 + offsetof(struct {struct}, {name})];", f"{struct}.{name}")
    for row in api.TYPEDEFS + api.VARIABLES:
        if not api.holds(row, day):
            add(f"extern char t@[sizeof({row.name} *)]; extern char s@[sizeof(&{row.name}[0])];",
                f"{row.name} is not there yet, or gone")
    return "\n".join([*head, *(text for text, _ in lines)]) + "\n", {
        len(head) + 1 + number: what for number, (_, what) in enumerate(lines)}


# --- compiling them -------------------------------------------------------------------------------


class Compiler:
    def __init__(self, command, flags, libraries, folder):
        self.command = shlex.split(command)
        self.cxx = self.command[0].endswith("++")
        self.clang = "clang" in self.command[0]
        self.name = command
        self.flags = flags
        self.libraries = libraries
        self.folder = folder

    def source(self, name, text):
        compiler = self.command[0].replace("/", "_")
        path = self.folder / f"{compiler}-{name}.{'cc' if self.cxx else 'c'}"
        path.write_text(text)
        return path

    def run(self, path, level, *more):
        return subprocess.run([*self.command, *(CXX_FLAGS if self.cxx else C_FLAGS), *self.flags,
                               f"-DLWS_API_LEVEL={level}", *more, str(path)], capture_output=True,
                              text=True, check=False, env={**os.environ, "LC_ALL": "C"})

    def good(self, day):
        """The day's program, and the header alone by the language's rules of the time."""
        header = self.source(f"header-{day}", "#include <libwebsockets.h>\n")
        for path, standard in ((self.source(f"good-{day}", good_source(day)), []),
                               (header, ["-std=c++98" if self.cxx else "-std=gnu89"])):
            done = self.run(path, day, "-fsyntax-only", *standard)
            if done.returncode:
                return done.stderr[:1500]
        return ""

    def bad(self, day):
        text, lines = bad_source(day)
        done = self.run(self.source(f"bad-{day}", text), day, "-fsyntax-only", "-Wno-error",
                        *([] if self.cxx else ["-Werror=implicit-function-declaration"]),
                        "-ferror-limit=0" if self.clang else "-fmax-errors=0")
        errors = {int(line) for line in re.findall(r"-bad-\d+\.cc?:(\d+):\d+: error", done.stderr)}
        return "\n".join(f"no error: {what}" for line, what in lines.items() if line not in errors)

    def names(self, day):
        """The headers' functions, variables and enums, and nothing else, are in the table."""
        done = self.run(self.source(f"names-{day}", "#include <libwebsockets.h>\n"), day, "-E", "-P")
        text = " ".join(done.stdout.split())
        text = re.sub(r"__attribute__ ?\(\((?:[^()]|\([^()]*\))*\)\)", "", text)
        declared = set(re.findall(r"(\w+) ?(?:\([^;{}]*?\)|\[\]) ?__asm__", text))
        listed = {row.name for row in FUNCTIONS + api.VARIABLES if api.holds(row, day)}
        enums = re.findall(r"enum (\w+) ?{([^}]*)}", text)
        declared |= {(kind, name) for kind, body in enums
                     if kind.startswith(("lws_", "libwebsocket", "pending_"))
                     for name in re.findall(r"[A-Z]\w+|_WSI\w+", body)}
        listed |= {(row.kind, row.name) for row in CONSTANTS
                   if api.holds(row, day) and row.kind != "macro"}
        return "\n".join(f"only {where}: {name}" for where, names in (
            ("in the headers", declared - listed), ("in the table", listed - declared))
                         for name in sorted(names, key=str))

    def link(self, day):
        path = self.source(f"whole-{day}", good_source(day, whole=True))
        program = path.with_suffix("")
        done = subprocess.run([*self.command, *(CXX_FLAGS if self.cxx else C_FLAGS), *self.flags,
                               f"-DLWS_API_LEVEL={day}", str(path), "-o", str(program),
                               *self.libraries], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr[:1500]
        done = subprocess.run([str(program)], capture_output=True, text=True, check=False,
                              env={**os.environ, "LD_BIND_NOW": "1"}, timeout=60)
        return f"ended with {done.returncode}: {done.stderr[:1500]}" if done.returncode else ""

    def level(self, level):
        """One error, which says what it is about, and that is all."""
        path = self.source("level-" + re.sub(r"\W", "_", level or "empty"),
                           "#include <libwebsockets.h>\n")
        done = self.run(path, level, "-fsyntax-only")
        errors = [line for line in done.stderr.splitlines() if re.search(r"(error|warning): ", line)]
        if level in GOOD_LEVELS:
            return done.stderr[:1500] if done.returncode else ""
        if done.returncode == 0 or len(errors) != 1 or "LWS_API_LEVEL" not in errors[0]:
            return f"not one error about LWS_API_LEVEL: {errors}"
        return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dates", action="store_true")
    parser.add_argument("--link", action="store_true")
    parser.add_argument("--compiler", action="append")
    options, flags = parser.parse_known_args()
    if options.dates:
        print(*dates(), sep="\n")
        return 0
    libraries = []
    if not flags:
        flags, libraries = (shlex.split(subprocess.check_output(
            ["pkg-config", what, "lwsloop-poll"], text=True)) for what in ("--cflags", "--libs"))
    commands = options.compiler or [name for name in ("gcc", "g++", "clang", "clang++")
                                    if shutil.which(name)]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = []
        for command in commands:
            compiler = Compiler(command, flags, libraries, pathlib.Path(folder))
            for kind in ("good", "bad", "names", *(["link"] if options.link else [])):
                for day in dates():
                    results.append((f"{compiler.name}: {kind} {day}",
                                    pool.submit(getattr(compiler, kind), day)))
            for level in WRONG_LEVELS + GOOD_LEVELS:
                results.append((f"{compiler.name}: level {level!r}",
                                pool.submit(compiler.level, level)))
        for what, result in results:
            trouble = result.result()
            passed += not trouble
            failed += bool(trouble)
            if trouble:
                print(f"FAILED  {what}\n{trouble}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
