#!/usr/bin/python3
"""Holds docs/api-by-level.md and api_table.py against the headers, the documents and the tests.

Usage: api_coverage.py [--compiler CC] [--write] SOURCE-FOLDER

On each day on which the headers or the table change, and on the day before, what the preprocessor
shows of the headers must be what the table has; and the engine must know of the same days for what
it calls back. Each name of the five documents must have a row that holds on the document's day.
Each row must have a test that uses the name at one of its levels. The file in docs must be what
comes of the table; --write makes it anew, and leaves a test that is named there as long as it covers
its row.
"""
import argparse
import datetime
import pathlib
import re
import sys
from typing import NamedTuple

import api_documents
import api_headers
import api_table
import api_tests

# Types that are additions; their members are not in the table.
ADDED_TYPES = {
    "lws_context_extras",
    "lws_extension_negotiation",
    "lws_extension_parameter",
    "lws_extension_payload",
    "lws_poll_fd_function",
}

# Names that nothing is done with, here only so that programs which name them compile: that they
# are there is all there is to test, and the matrix does.
ONLY_THERE = {
    "MAX_MUX_RECURSION",
    "WSI_INIT_TOKEN_MUXURL",
    "WSI_PARSING_COMPLETE",
    "WSI_TOKEN_NAME_PART",
    "WSI_TOKEN_SKIPPING",
    "WSI_TOKEN_SKIPPING_SAW_CR",
}
MATRIX = "generations/matrix.py"

# Reasons that are declared at all levels, for sinks, and since when programs are called for them.
CALLED_SINCE = {f"LWS_CALLBACK_{name}_POLL_FD": 20110219
                for name in ("ADD", "DEL", "SET_MODE", "CLEAR_MODE")}
CLIENTS_SINCE = 20110119  # the engine has no entry for a reason that is not newer than this

HEAD = """\
# The API by level

Each name of the API as it was from December 2010 to November 2013, the levels that have it
([migrating.md](migrating.md) says what a level is), those of the five documents that mention it,
and a test that uses it at one of these levels. A level stands for the first day, or the last, that
has the name as it is there; without a last one it is there up to the newest, {last}.

The documents are of 2010-12-18 (1), 2011-02-12 (2), 2011-02-21 (3), 2013-01-15 (4) and of the
middle of 2013, level 20130316 (5). Names that none of them mentions were in the headers of their
time, and programs use them. Additions of this library are not listed here: the
[headers](../core/include/) have them.

`tests/check-api-table.sh` holds this file against the headers and the tests at each build, and
says how to make it anew.
"""


class Row(NamedTuple):
    """One line of the document."""

    title: str
    name: str
    shown: str
    since: int
    before: int
    documents: str
    struct: str = ""


def day_before(day):
    date = datetime.datetime.strptime(str(day), "%Y%m%d") - datetime.timedelta(days=1)
    return int(date.strftime("%Y%m%d"))


def days(include):
    """All days to look at."""
    rows = (api_table.FUNCTIONS + api_table.ADDITIONS + api_table.CONSTANTS +
            api_table.ADDED_CONSTANTS + api_table.STRUCTS + api_table.MACROS + api_table.TYPEDEFS +
            api_table.VARIABLES)
    found = api_headers.flips(include) | {day for row in rows for day in (row.since, row.before)}
    found |= {api_table.FIRST, api_table.LAST}
    found |= {day_before(day) for day in found if day != api_table.END}
    return sorted(day for day in found if api_table.FIRST <= day <= api_table.LAST)


def members_of(row):
    return [word.split(":")[0] for word in row.members.split()]


# --- the headers


def table_facts(day):
    """What the headers should declare on a day, in the words of api_headers.declared()."""
    facts = set()
    for row in api_table.FUNCTIONS + api_table.ADDITIONS:
        if api_table.holds(row, day):
            facts.add(("function", row.name, api_table.prototype(row)))
    for row in api_table.CONSTANTS + api_table.ADDED_CONSTANTS:
        if api_table.holds(row, day):
            facts.add(("macro", row.name) if row.kind == "macro" else
                      ("constant", row.kind, row.name))
    for row in api_table.STRUCTS:
        if api_table.holds(row, day):
            facts |= {("member", row.struct, name) for name in members_of(row)}
    for kind, rows in (("macro", api_table.MACROS), ("type", api_table.TYPEDEFS),
                       ("variable", api_table.VARIABLES)):
        facts |= {(kind, row.name) for row in rows if api_table.holds(row, day)}
    return facts


def is_added(fact):
    return fact[0] in ("type", "member") and fact[1] in ADDED_TYPES


def compare_headers(header_facts, complain):
    """Where table and headers differ, each difference with the days on which it is there."""
    differences = {}
    for day, facts in header_facts.items():
        there = {fact for fact in facts if not is_added(fact)}
        expected = table_facts(day)
        for fact in there - expected:
            differences.setdefault(("the headers have, and api_table.py has not", fact), []).append(day)
        for fact in expected - there:
            differences.setdefault(("api_table.py has, and the headers have not", fact), []).append(day)
    for (what, fact), when in sorted(differences.items()):
        complain(f"{what}: {' '.join(fact)}, from {when[0]} to {when[-1]}")


def compare_engine(source, complain):
    """The days that the engine has for reasons."""
    text = (source / "core/service/level_callback.c").read_text()
    engine = {name: int(day) for name, day in re.findall(r"\[(LWS_CALLBACK_\w+)\] = \{(\d+),", text)}
    for row in api_table.CONSTANTS:
        if row.kind == "libwebsocket_callback_reasons":
            since = CALLED_SINCE.get(row.name, row.since)
            if engine.get(row.name, CLIENTS_SINCE) != max(since, CLIENTS_SINCE):
                complain(f"{row.name}: level_callback.c has {engine.get(row.name)}, the table {since}")


# --- the rows


def function_rows(header_facts):
    documents = api_documents.FUNCTIONS
    for row in api_table.FUNCTIONS:
        fact = ("function", row.name, api_table.prototype(row))
        names = next((facts[fact] for facts in header_facts.values() if fact in facts), ["?"])
        # A document is about one form.
        about = "".join(document for document in documents.get(row.name, "")
                        if api_table.holds(row, api_table.DOCUMENTS[int(document)]))
        shown = f"{row.name}({', '.join(names)})"
        if row.name == "libwebsocket_create_server" and row.result != "int":
            shown = f"struct libwebsocket_context *{shown}"
        yield Row("Functions", row.name, shown, row.since, row.before, about)


CONSTANT_TITLES = {
    "libwebsocket_callback_reasons": "Reasons of the callback",
    "libwebsocket_extension_callback_reasons": "Reasons of an extension's callback",
    "macro": "Macros",
}


def constant_rows():
    for row in api_table.CONSTANTS:
        title = CONSTANT_TITLES.get(row.kind, f"Members of `enum {row.kind}`")
        yield Row(title, row.name, row.name, row.since, row.before,
                  api_documents.CONSTANTS.get(row.name, ""))


def member_rows():
    spans = {}
    for row in api_table.STRUCTS:
        for name in members_of(row):
            since, _ = spans.get((row.struct, name), (row.since, 0))
            spans[row.struct, name] = (since, row.before)
    for (struct, name), (since, before) in spans.items():
        yield Row(f"Members of `struct {struct}`", name, name, since, before,
                  api_documents.MEMBERS.get(struct, {}).get(name, ""), struct)


def other_rows():
    for row in api_table.MACROS:
        yield Row("Macros", row.name, row.name, row.since, row.before,
                  api_documents.MACROS.get(row.name, ""))
    for row in api_table.TYPEDEFS + api_table.VARIABLES:
        yield Row("Types and variables", row.name, row.name, row.since, row.before,
                  api_documents.TYPES.get(row.name, ""))


def all_rows(header_facts):
    rows = [*function_rows(header_facts), *constant_rows(), *member_rows(), *other_rows()]
    titles = list(dict.fromkeys(row.title for row in rows))
    return sorted(rows, key=lambda row: titles.index(row.title))


def compare_documents(rows, header_facts, complain):
    """Each name that a document has must have a row that holds on that document's day."""
    wanted = {("", name): documents for table in (api_documents.FUNCTIONS, api_documents.CONSTANTS,
                                                  api_documents.MACROS, api_documents.TYPES)
              for name, documents in table.items()}
    for struct, members in api_documents.MEMBERS.items():
        wanted |= {(struct, name): documents for name, documents in members.items()}
    for (struct, name), documents in wanted.items():
        forms = [row for row in rows if (row.struct, row.name) == (struct, name)]
        for number in documents:
            day = api_table.DOCUMENTS[int(number)]
            if not any(api_table.holds(row, day) for row in forms):
                complain(f"{struct} {name}: document {number} has it, and no row does".strip())
    newest = header_facts[api_table.LAST]
    tags = {fact[1] for fact in newest if fact[0] in ("constant", "member")}
    for tag in api_documents.TAGS:
        if tag not in tags | {"libwebsocket", "libwebsocket_context"}:
            complain(f"{tag}: the documents have it, and the headers have not")


# --- the tests


def kinship(row, test):
    """How many words of the name are in the test's."""
    words = set(pathlib.PurePath(test.name).stem.lower().split("_"))
    return len(words & set(row.name.lower().split("_")))


def uses(row, code, level):
    if not row.struct:
        return row.name in code.words
    form = next(members_of(form) for form in api_table.STRUCTS
                if form.struct == row.struct and api_table.holds(form, level))
    return code.uses_member(row.struct, row.name, form)


def candidates(row, tests):
    """Those that cover a row, the best first: what was written for its first days, then what is
    called like it."""
    since = CALLED_SINCE.get(row.name, row.since)
    found = []
    for test in tests:
        levels = [level for level, code in test.code.items()
                  if since <= level < row.before and uses(row, code, level)]
        if levels:
            found.append((not test.is_program(), levels[0], "/test_" not in test.name,
                          -kinship(row, test), test.name, test))
    return [test for *_, test in sorted(found, key=lambda entry: entry[:-1])]


def choose(row, tests, earlier, anew):
    """The tests to name: a program of a generation, and one of the others. What is named already
    stays as long as it is right, and is enough unless the document is made anew."""
    found = candidates(row, tests)
    if not found and row.name in ONLY_THERE:
        return [MATRIX]
    chosen = [test.name for test in found if test.name in earlier]
    if chosen and not anew:
        return chosen
    for kind in (True, False):
        names = [test.name for test in found if test.is_program() == kind]
        if not set(names) & set(chosen):
            chosen += names[:1]
    return sorted(chosen, key=lambda name: not name.startswith("generations/"))


# --- the document


def range_of(row):
    last = "" if row.before > api_table.LAST else f" {day_before(row.before)}"
    if row.name in CALLED_SINCE:
        last += f", comes since {CALLED_SINCE[row.name]}"
    return f"{row.since} –{last}"


def key(row):
    return f"| `{row.shown}` | {range_of(row)} |"


def earlier_choices(path):
    """The tests that the document has now, by the beginnings of its lines."""
    choices = {}
    if path.exists():
        for line in path.read_text().splitlines():
            if match := re.match(r"(\| `.*?` \| \d{8} –.*? \|)", line):
                choices[match[1]] = re.findall(r"\]\(\.\./tests/(.*?)\)", line)
    return choices


def link(name):
    return f"[{pathlib.PurePath(name).name}](../tests/{name})"


def document(rows, chosen):
    lines = [HEAD.format(last=api_table.LAST)]
    title = None
    for row in rows:
        if row.title != title:
            title = row.title
            lines += ["", f"## {title}", "", "| | levels | documents | tests |", "|---|---|---|---|"]
        tests = ", ".join(link(name) for name in chosen[row])
        lines.append(f"{key(row)} {' '.join(row.documents)} | {tests} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    source = arguments.source.resolve()
    include = source / "core/include"
    path = source / "docs/api-by-level.md"
    complaints = []
    header_facts = {day: api_headers.declared(arguments.compiler, include, day)
                    for day in days(include)}
    compare_headers(header_facts, complaints.append)
    compare_engine(source, complaints.append)
    rows = all_rows(header_facts)
    compare_documents(rows, header_facts, complaints.append)
    tests = api_tests.sources(source / "tests", api_table.DEFAULT)
    earlier = earlier_choices(path)
    chosen = {row: choose(row, tests, earlier.get(key(row), []), arguments.write) for row in rows}
    for row in rows:
        if not chosen[row]:
            where = f"{row.struct}." if row.struct else ""
            complaints.append(f"no test uses {where}{row.shown} at a level of its time: {range_of(row)}")
    text = document(rows, chosen)
    if arguments.write:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        complaints.append("docs/api-by-level.md is not what comes of api_table.py and the tests: "
                          "tests/generations/api_coverage.py --write makes it anew")
    for line in complaints:
        print(line)
    print(f"{len(header_facts)} days, {len(rows)} rows, {len(tests)} sources of tests, "
          f"{len(complaints)} complaints")
    return 1 if complaints else 0


sys.exit(main())
