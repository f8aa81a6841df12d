#!/bin/bash
# Measures lwsloop on each loop, and beside it, in the same minute and with the same client, what is
# there of Node's ws and libwebsockets. Prints tables; never fails because of a figure.
#
# Usage: bench/run.sh BUILD-FOLDER [LOOP…]
#
# BUILD-FOLDER has bench/server and bench/client, as `make bench` makes them. BENCH_IDLE is how many
# idle connections there are (1000), CC and PKG_CONFIG are the compiler and pkg-config.
set -u
if [ $# -lt 1 ]; then
    sed -n '/^# Usage/s/^# //p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
build=$(cd "$1" && pwd) || exit 1
shift
[ $# -gt 0 ] || set -- poll uv event
idle=${BENCH_IDLE:-1000}
ulimit -n "$(ulimit -Hn)"

# shellcheck source=bench/servers.sh disable=SC1091
. "$here/servers.sh"

work_files
for loop; do
    start "$loop" "$work" "$build/bench/server" "$loop" "$work/files"
done
# shellcheck disable=SC2119 # without settings
start_node
# shellcheck disable=SC2119
start_libwebsockets
choose_baseline
[ ${#names[@]} -gt 0 ] || exit 0

: >"$work/results"
row "$idle connections" idle "$idle"
table 1 "bytes per idle connection"

: >"$work/results"
for size in 32 1024 65536; do
    row "echo $size bytes, 1 connection" echo 1 $size 1
    row "echo $size bytes, 100 connections" echo 100 $size 1
done
row "echo 32 bytes, 1, 64 under way" echo 1 32 64
row "file of 1 KiB, 10 connections" file 10 /small.txt
row "file of 1 MiB, 10 connections" file 10 /large.txt
table 1 "per second of processor time"
table 2 "per second on the clock"
if [ "$baseline" = ws ]; then
    printf '\nIn brackets: how many times what ws does, in the same minute.\n'
else
    printf '\nws is not there; in brackets: how many times what %s does.\n' "$baseline"
fi
exit 0
