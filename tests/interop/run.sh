#!/bin/bash
# Python's websockets, Node's ws and curl against a server on each of the loops named.
#
# Usage: run.sh SERVER [poll] [uv] [event]
# SERVER is the program built from server.c; without a loop, all three. The modules of
# package.json must have been installed, here or where NODE_MODULES says.
set -u
here=$(cd "$(dirname "$0")" && pwd)
server=$(realpath "$1") || exit 1
shift
[ $# -gt 0 ] || set -- poll uv event
python=${PYTHON:-/usr/bin/python3}
passed=0
failed=0
pid=
work=$(mktemp -d)
directory=$work/files

clean_up() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

mkdir "$directory" "$directory/folder"
echo 'hello, file' >"$directory/hello.txt"
echo 'name with a space' >"$directory/a b.txt"
: >"$directory/empty"
head -c 3000001 /dev/urandom >"$directory/large.bin"
# Older than a minute: until then its date is too weak a validator for If-Range.
touch -d "2 hours ago" "$directory/large.bin"
mkfifo "$directory/pipe"

# The module resolution of ES modules goes by the file's place alone.
client=$here/node_ws.mjs
if [ -n "${NODE_MODULES:-}" ]; then
    cp "$client" "$work/node_ws.mjs"
    ln -s "$(realpath "$NODE_MODULES")" "$work/node_modules"
    client=$work/node_ws.mjs
fi

# count NAME COMMAND...: runs it and adds its last line to the sums.
count() {
    local name=$1 line
    shift
    echo "-- $name"
    "$@" 2>&1 | tee "$work/output"
    line=$(tail -n 1 "$work/output")
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
    else
        echo "FAILED  $name came to no end"
        failed=$((failed + 1))
    fi
}

for loop in "$@"; do
    # The server ends with its standard input, and so with this script at the latest.
    rm -f "$work/input" "$work/port"
    mkfifo "$work/input"
    exec 3<>"$work/input"
    "$server" --loop "$loop" --directory "$directory" <"$work/input" >"$work/port" 3>&- &
    pid=$!
    for _ in $(seq 200); do
        [ ! -s "$work/port" ] || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    port=$(head -n 1 "$work/port")
    if [ -z "$port" ]; then
        echo "FAILED  the server on $loop did not start"
        failed=$((failed + 1))
        exec 3>&-
        pid=
        continue
    fi

    count "$loop: websockets" timeout 300 "$python" "$here/python_websockets.py" "$port"
    count "$loop: ws" timeout 300 node "$client" "$port"
    count "$loop: curl" timeout 300 "$here/curl_http.sh" "$port" "$directory"

    kill "$pid"
    wait "$pid"
    status=$?
    pid=
    exec 3>&-
    if [ "$status" = 0 ]; then
        echo "ok      $loop: the server ends with status 0"
        passed=$((passed + 1))
    else
        echo "FAILED  $loop: the server ended with status $status"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
