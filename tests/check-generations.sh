#!/bin/sh
# The programs of tests/generations, each at its first level, with the library in this build folder
# and today's peers. Run from the top of the build folder.
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}

if ! "$python" -c 'import websockets' 2>/dev/null; then
    echo "Python's websockets is not there"
    [ "${LWS_REQUIRE_PEERS:-}" != 1 ] || exit 1
    exit 77
fi
exec "$python" "$srcdir/tests/generations/generations.py" --in-build-folder --first --compiler "$CC"
