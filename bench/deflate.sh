#!/bin/bash
# Measures permessage-deflate: lwsloop on one loop, and beside it, in the same minute and with the
# same client and settings, what is there of Node's ws and libwebsockets; then lwsloop's settings
# beside one another. Prints tables; never fails because of a figure.
#
# Usage: bench/deflate.sh BUILD-FOLDER [LOOP]
#
# BUILD-FOLDER has bench/server and bench/client, as `make bench` makes them. BENCH_LEVELS are the
# levels that servers are compared with (1 and 6), BENCH_IDLE is how many idle connections there are
# (1000), CC and PKG_CONFIG are the compiler and pkg-config.
set -u
if [ $# -lt 1 ]; then
    sed -n '/^# Usage/s/^# //p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
build=$(cd "$1" && pwd) || exit 1
loop=${2:-poll}
levels=${BENCH_LEVELS:-1 6}
idle=${BENCH_IDLE:-1000}
ulimit -n "$(ulimit -Hn)"

# shellcheck source=bench/servers.sh disable=SC1091
. "$here/servers.sh"

# measure TITLE: memory first, as long as there is none that was in use once.
measure() {
    : >"$work/results"
    row "$1" text-idle "$idle" 1024 20
    table 1 "bytes per idle connection"
    : >"$work/results"
    row "$1, 1 KiB" text 20 1024 1
    row "$1, 64 KiB" text 20 65536 1
    table 1 "per second of processor time"
    table 3 "bytes sent for 100 of text"
}

# --- beside others

# compare TITLE plain|forget|keep [SETTING…]
compare() {
    local title=$1 text=$2 name
    shift 2
    start "$loop" "$work" "$build/bench/server" "$loop" "$work/files" "$@"
    start_node "$@"
    # It compresses with level 1 unless told otherwise, and version 4.1 crashes if it is told.
    case " $* " in
    *" level="[02-9]*) ;;
    *) start_libwebsockets "$@" ;;
    esac
    choose_baseline
    for name in "${names[@]}"; do
        how["$name"]=$text
    done
    measure "$title"
    stop_all
}

work_files
compare "no compression" plain
for level in $levels; do
    compare "level $level" forget "level=$level" takeover=0
    compare "level $level, takeover" keep "level=$level" takeover=1
done
printf '\nIn brackets: how many times what %s does, in the same minute.\n' "$baseline"

# --- lwsloop's settings beside one another

# settings TITLE forget|keep NAME:SETTING…: a server for each, beside one that does not compress.
settings() {
    local title=$1 text=$2 each words
    shift 2
    for each in none: "$@"; do
        read -r -a words <<<"${each#*:}"
        start "${each%%:*}" "$work" "$build/bench/server" "$loop" "$work/files" "${words[@]}"
        how[${each%%:*}]=$text
    done
    how[none]=plain
    baseline=none
    measure "$title"
    stop_all
}

printf '\nSettings of lwsloop. In brackets: how many times what it does without compression.\n'
settings "no takeover" forget level1:level=1 level3:level=3 level6:level=6 level9:level=9
settings "level 6" forget memory4:memory=4 memory6:memory=6 window9:window=9 window12:window=12
settings "takeover" keep "level1:level=1 takeover=1" "level3:level=3 takeover=1" \
    "level6:level=6 takeover=1" "level9:level=9 takeover=1"
settings "level 6, takeover" keep "memory4:memory=4 takeover=1" "memory6:memory=6 takeover=1" \
    "window9:window=9 takeover=1" "window12:window=12 takeover=1" \
    "both:memory=4 window=11 takeover=1"
exit 0
