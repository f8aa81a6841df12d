#!/bin/bash
# Runs tests/blocking/blocking on each of the loops named, all at one time; run from the top of the
# build folder.
#
# Usage: run.sh [--traced] [poll] [uv] [event] [own]
# Without a loop, all four. With --traced the system calls of the loops' threads are looked at, too,
# which takes strace and Python.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
program=tests/blocking/blocking
traced=
expected=1 # summaries of each loop
if [ "${1:-}" = --traced ]; then
    traced=--traced
    expected=2
    shift
fi
[ $# -gt 0 ] || set -- poll uv event own
work=$(mktemp -d /tmp/lwsloop-blocking-XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# run LOOP: each has a folder of certificates of its own, where it makes a socket.
run() {
    local under=()
    cp -r "$work/certificates" "$work/$1"
    [ -z "$traced" ] || under=(strace -f -T -qq -e signal=none -o "$work/$1.trace")
    timeout 120 "${under[@]}" "$program" "$1" "$work/$1" $traced
    [ -z "$traced" ] || python3 "$here/trace.py" "$work/$1.trace" "$work/$1"
}

"$here/../support/certificates.sh" "$work/certificates" || exit 1
for loop; do
    run "$loop" >"$work/$loop.log" 2>&1 &
done
wait
passed=0
failed=0
for loop; do
    echo "--- $loop"
    grep -v -E '^[0-9]+ passed, ' "$work/$loop.log"
    summaries=0
    while read -r good _ bad _; do
        passed=$((passed + good))
        failed=$((failed + bad))
        summaries=$((summaries + 1))
    done < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/$loop.log")
    if [ $summaries -ne "$expected" ]; then
        echo "FAILED  it comes to its end"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
