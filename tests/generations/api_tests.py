"""Which tests use a name, and at which levels they are compiled and run."""
import re
import sys
import types

# Comments, and what is in quotation marks.
NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
# The first element of an array, or the one struct, where it is initialised by position.
POSITIONAL = re.compile(r"\bstruct (\w+) \w+(?:\[\w*\])? = \{\s*\{?((?:[^{}]|\{[^{}]*\})*)\}")


def holds(condition, level):
    """A condition of the preprocessor's about levels; any other may hold."""
    condition = re.sub(r"LWS_SINCE\((\d+)\)", rf"({level} >= \1)", condition)
    condition = re.sub(r"LWS_BEFORE\((\d+)\)", rf"({level} < \1)", condition)
    if re.fullmatch(r"[\d\s()<>=!&|]+", condition) is None:
        return None
    words = condition.replace("&&", " and ").replace("||", " or ")
    return bool(eval(re.sub(r"!(?!=)", " not ", words).strip()))  # pylint: disable=eval-used


def of_level(code, level):
    """The code without what a level does not see of it."""
    lines = []
    stack = []  # for each #if around: whether its present branch is seen, and whether one was
    for line in code.splitlines():
        match = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)", line)
        if not match:
            if all(seen for seen, _ in stack):
                lines.append(line)
            continue
        kind, condition = match.groups()
        value = holds(condition, level) if kind in ("if", "elif") else None
        if kind in ("if", "ifdef", "ifndef"):
            stack.append((value is not False, value is True))
        elif kind == "endif":
            stack.pop()
        else:
            done = stack[-1][1]
            stack[-1] = (not done and value is not False, done or value is True)
    return "\n".join(lines)


class Code:
    """What is in it: its words, those that follow a dot or an arrow, and how many members of a
    struct it initialises by position."""

    def __init__(self, text):
        self.words = set(re.findall(r"\w+", text))
        self.selected = set(re.findall(r"(?:\.|->)\s*(\w+)", text))
        self.positions = {}
        for struct, values in POSITIONAL.findall(text):
            if not values.lstrip().startswith("."):
                count = len([value for value in values.split(",") if value.strip()])
                self.positions[struct] = max(count, self.positions.get(struct, 0))

    def uses_member(self, struct, name, members):
        """`members` are those of the level's struct, in their order."""
        if struct not in self.words:
            return False
        return name in self.selected or name in members[:self.positions.get(struct, 0)]


class Source:
    """A file of the tests, and what each of the levels at which it is run has of it."""

    def __init__(self, name, text, levels):
        self.name = name
        text = NO_CODE.sub(" ", text)
        if re.search(r"LWS_(SINCE|BEFORE)\(", text):
            self.code = {level: Code(of_level(text, level)) for level in sorted(levels)}
        else:
            self.code = dict.fromkeys(sorted(levels), Code(text))

    def is_program(self):
        """Whether it was written for other levels than the newest."""
        return self.name.startswith("generations/")


def program_levels():
    """The levels at which each of the programs is run."""
    try:
        import websockets  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        # It is not needed to be told of them.
        sys.modules["websockets"] = types.ModuleType("websockets")
    import generations  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    from harness import TESTS  # pylint: disable=import-outside-toplevel

    levels = {}
    for name, days, _ in TESTS:
        levels.setdefault(name, set()).update(days)
    return levels


def sources(folder, default):
    """All sources of tests that are run, below the folder `tests`."""
    found = []
    levels_of = program_levels()
    for path in sorted(path for pattern in ("*.c", "*.cpp") for path in folder.rglob(pattern)):
        place = path.relative_to(folder)
        if place.parts[0] == "support" or "node_modules" in place.parts:
            continue
        text = path.read_text()
        levels = {default}
        own = re.search(r"^#define LWS_API_LEVEL (\d{8})", text, re.MULTILINE)
        if place.parts[0] == "generations":
            levels = levels_of.get(path.stem, set())
        elif own:
            levels = {int(own[1])}
            for name in re.findall(r'^#include "(\w+\.h)"', text, re.MULTILINE):
                if (path.parent / name).exists():
                    text += (path.parent / name).read_text()
        found.append(Source(place.as_posix(), text, levels))
    return found
