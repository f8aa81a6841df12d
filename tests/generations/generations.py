#!/usr/bin/python3
"""Builds the programs of the generations, runs each, is its peer, and checks what it printed.

Usage: generations.py [--in-build-folder] [--compiler COMPILER]… [--first] [--jobs N] [--list]
                      [--seconds N] [--build FOLDER] [NAME…]
  NAME               a program's name, or name@level; all, if none is given
  --in-build-folder  the present folder is one where the library was built; without it pkg-config
                     says how to compile and link
  --compiler         gcc, g++ and the like; those of gcc and clang that are there if none is given
  --first            only the first level of each program
  --jobs             how many at one time; three times as many as there are processors
  --list             prints NAME@LEVEL, and does nothing else
  --seconds          only those that poll by themselves, side by side and under the contract
                     checker, with mixed traffic so long
  --build            puts the programs there, as NAME-LEVEL-COMPILER, and does not run them

LWS_STEP_SECONDS is how long to wait for anything, 60 by default. The last line says how many passed
and failed.
"""
import argparse
import asyncio
import os
import pathlib
import sys
import tempfile
import traceback

import building
# Each of them has tests.
import generation1  # noqa: F401 pylint: disable=unused-import
import generation2  # noqa: F401 pylint: disable=unused-import
import generation3  # noqa: F401 pylint: disable=unused-import
import generation4  # noqa: F401 pylint: disable=unused-import
import generation5  # noqa: F401 pylint: disable=unused-import
import levels  # noqa: F401 pylint: disable=unused-import
import sessions  # noqa: F401 pylint: disable=unused-import
import traffic
from harness import PAGE, STEP_SECONDS, TESTS


def chosen(options):
    """(label, program, level, function, seconds it may take)"""
    if options.seconds:
        return [(f"{name}@{level}", name, level, function(options.seconds),
                 options.seconds + 3 * STEP_SECONDS) for name, level, function in traffic.TESTS]
    found = []
    for name, levels, function in TESTS:
        for level in levels[:1] if options.first else levels:
            label = f"{name}@{level}"
            if not options.names or name in options.names or label in options.names:
                found.append((label, name, level, function, 3 * STEP_SECONDS))
    return found


class Runner:
    def __init__(self, place, folder, jobs, runs):
        self.place = place
        self.folder = folder
        self.page = folder / "page.html"
        self.page.write_bytes(PAGE)
        self.turns = asyncio.Semaphore(jobs)
        self.runs = runs
        self.checker = ()
        self.passed = 0
        self.failed = 0

    async def run(self, label, name, level, function, seconds, compiler):
        async with self.turns:
            try:
                program = await building.build(self.place, name, level, compiler, self.folder,
                                               self.checker)
                if self.runs:
                    await asyncio.wait_for(function(program, self.page), seconds)
                self.passed += 1
                print(f"ok      {label} {compiler}", flush=True)
            except Exception:  # whatever it is, the others have their turn
                self.failed += 1
                print(f"FAILED  {label} {compiler}", flush=True)
                traceback.print_exc(file=sys.stdout)


async def run_all(options, tests):
    place = building.BuildFolder() if options.in_build_folder else building.Installed()
    compilers = options.compiler or building.default_compilers()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(place, options.build or pathlib.Path(folder), options.jobs,
                        not options.build)
        if options.seconds:
            runner.checker = await building.build_checker(place, compilers[0], runner.folder)
        await asyncio.gather(*(
            runner.run(*test, compiler) for test in tests
            for compiler in building.compilers_for(test[1], compilers)))
    print(f"{runner.passed} passed, {runner.failed} failed")
    return 1 if runner.failed or not runner.passed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--in-build-folder", action="store_true")
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--jobs", type=int, default=3 * (os.cpu_count() or 1))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tests = chosen(options)
    if options.list:
        print(*(test[0] for test in tests), sep="\n")
        return 0
    if options.seconds:
        options.jobs = len(tests)
    return asyncio.run(run_all(options, tests))


if __name__ == "__main__":
    sys.exit(main())
