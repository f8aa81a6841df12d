"""What the public header declares on a day: the preprocessor's output, taken apart."""
import pathlib
import re
import shlex
import subprocess

# Macros by which the headers are made, and no part of the API.
MACHINERY = re.compile(
    r"LWSLOOP_\w+|LWS_(API_LEVEL|SINCE|BEFORE|LEVEL_OF_\w+|LINK\w*|(BEGIN|END)_DECLARATIONS)")


def flips(include):
    """The days that the headers themselves tell apart."""
    text = "".join(path.read_text() for path in sorted(include.glob("*.h")))
    return {int(day) for day in re.findall(r"LWS_(?:SINCE|BEFORE)\((\d{8})\)", text)}


def preprocess(compiler, include, day):
    """The lines that are the library's own, with the macros that they define."""
    command = [*shlex.split(compiler), "-std=gnu11", "-E", "-dD", f"-DLWS_API_LEVEL={day}",
               f"-I{include}", "-x", "c", "-"]
    done = subprocess.run(command, input="#include <libwebsockets.h>\n", capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise SystemExit(f"level {day}: {done.stderr}")
    ours = False
    lines = []
    for line in done.stdout.splitlines():
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            ours = pathlib.Path(marker[1]).parent == include
        elif ours:
            lines.append(line)
    return lines


def without(word, text):
    """The text without `word(…)`, parentheses inside it being matched."""
    while match := re.search(rf"\b{word}\s*\(", text):
        depth, at = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        text = text[:match.start()] + text[at:]
    return text


def split(text, separator):
    """The parts of a text, separators inside any kind of parentheses being none."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(character, 0)
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in (" ".join(part.split()) for part in parts) if part]


def parameter(text):
    """A parameter's type and its name."""
    if text in ("void", "..."):
        return text, ""
    if match := re.fullmatch(r"(.*\(\*)\s*(\w+)\)\s*\((.*)\)", text):
        inner = ", ".join(parameter(part)[0] for part in split(match[3], ","))
        return f"{match[1]})({inner})", match[2]
    match = re.fullmatch(r"(.*?)\s*(\w+)", text)
    return match[1], match[2]


def function(declaration):
    """A declaration as a prototype without names, the function's name, and the names."""
    match = re.fullmatch(r"(.*?)(\w+) ?\((.*)\)", declaration)
    if not match:
        raise SystemExit(f"not understood: {declaration}")
    parameters = [parameter(part) for part in split(match[3], ",")]
    types = ", ".join(kind for kind, _ in parameters)
    return f"{match[1]}{match[2]}({types})", match[2], [name for _, name in parameters if name]


def member(text):
    match = re.search(r"\(\*\s*(\w+)\)", text) or re.search(r"(\w+)$", text)
    return match[1]


def declared(compiler, include, day):
    """All that is there on a day, as a dictionary from facts to what else is known of them. A fact is
    a tuple: its kind, and names."""
    facts = {}
    text = ""
    for line in preprocess(compiler, include, day):
        if match := re.match(r"#define (\w+)", line):
            if not MACHINERY.fullmatch(match[1]):
                facts["macro", match[1]] = None
        elif not line.startswith("#"):
            text += line + "\n"
    text = without("__asm__", without("__attribute__", text))
    for declaration in split(text, ";"):
        if match := re.fullmatch(r"enum (\w+) \{(.*)\}", declaration):
            for part in split(match[2], ","):
                facts["constant", match[1], re.match(r"\w+", part)[0]] = None
        elif match := re.fullmatch(r"struct (\w+) \{(.*)\}", declaration):
            for part in split(match[2], ";"):
                facts["member", match[1], member(part)] = None
        elif match := re.match(r"typedef .*?\( ?(\w+) ?\)", declaration):
            facts["type", match[1]] = None
        elif match := re.fullmatch(r"extern .*?(\w+) ?\[\]", declaration):
            facts["variable", match[1]] = None
        elif not re.fullmatch(r"struct \w+", declaration):
            prototype, name, names = function(declaration)
            facts["function", name, prototype] = names
    return facts
