#!/bin/sh
# The example client against Python's WebSocket server, on each loop. Run from the top of the build
# folder.
set -u
srcdir=${srcdir:-.}
python=${PYTHON:-/usr/bin/python3}

if ! "$python" -c 'import websockets' 2>/dev/null; then
    echo "Python's websockets is not there"
    exit 77
fi
exec "$python" "$srcdir/tests/check_client.py" examples/client/client
