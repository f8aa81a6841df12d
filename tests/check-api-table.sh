#!/bin/sh
# docs/api-by-level.md has every name of the API with the levels that the headers have it at, and a
# test for each. Run from the top of the build folder.
#
# It is skipped where Python is not there; with LWS_REQUIRE_PEERS=1 it fails.
set -u
srcdir=${srcdir:-.}
python=${PYTHON:-/usr/bin/python3}

if ! command -v "$python" >/dev/null; then
    [ "${LWS_REQUIRE_PEERS:-}" != 1 ] || { echo "Python is not there" && exit 1; }
    echo "SKIP: Python is not there"
    exit 77
fi
# -B: the source folder may be one that cannot be written to.
"$python" -B "$srcdir/tests/generations/api_coverage.py" --compiler "${CC:-cc}" "$srcdir"
