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

names=()
declare -A port process
work=$(mktemp -d) || exit 1

# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local id
    for id in "${process[@]}"; do
        kill "$id" 2>/dev/null
    done
    wait
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# start NAME FOLDER COMMAND…: a server that lives until its standard input is closed.
start() {
    local name=$1 folder=$2 number="" input
    shift 2
    mkfifo "$work/$name.in" "$work/$name.out" || return 1
    (cd "$folder" && exec "$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.log") &
    process[$name]=$!
    # Kept open for as long as this script lives, however it ends.
    # shellcheck disable=SC2034
    exec {input}>"$work/$name.in"
    read -r -t 10 number <"$work/$name.out"
    if [ -z "$number" ]; then
        echo "$name does not start and is left out: $(head -n 1 "$work/$name.log")"
        kill "${process[$name]}" 2>/dev/null
        unset "process[$name]"
        return
    fi
    names+=("$name")
    port[$name]=$number
}

start_node() {
    local peers=$build/bench/peers
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        echo "ws is left out: there is no node or no npm"
        return
    fi
    if [ ! -d "$peers/node_modules/ws" ]; then
        mkdir -p "$peers"
        [ "$peers" -ef "$here/peers" ] || cp "$here"/peers/package*.json "$peers"
        npm ci --prefix "$peers" --no-audit --no-fund >"$work/npm.log" 2>&1
    fi
    if [ ! -d "$peers/node_modules/ws" ]; then
        echo "ws is left out: npm could not install it"
        return
    fi
    start ws "$peers" node "$here/peers/ws_server.mjs" "$work/files"
}

start_libwebsockets() {
    local pkg_config=${PKG_CONFIG:-pkg-config} flags
    if ! read -r -a flags <<<"$($pkg_config --cflags --libs libwebsockets 2>/dev/null)" ||
        [ ${#flags[@]} -eq 0 ]; then
        echo "libwebsockets is left out: it is not there (on Debian: libwebsockets-dev)"
        return
    fi
    if ! ${CC:-cc} -O2 -o "$work/libwebsockets_server" "$here/peers/libwebsockets_server.c" \
        "${flags[@]}" -pthread 2>"$work/cc.log"; then
        echo "libwebsockets is left out: it does not compile: $(head -n 1 "$work/cc.log")"
        return
    fi
    start libwebsockets "$work" "$work/libwebsockets_server" "$work/files"
}

# row TITLE CLIENT-ARGUMENT…: a line of results for all servers, each the median of three that are
# taken in turns; "-" where a server fails.
row() {
    local title=$1 name turn
    shift
    for turn in 1 2 3; do
        for name in "${names[@]}"; do
            "$build/bench/client" "${port[$name]}" "${process[$name]}" "$@" \
                >>"$work/$name.$turn" 2>"$work/client.log" ||
                echo "$title, $name: $(head -n 1 "$work/client.log")" >&2
        done
        # Memory that has been in use once is there already.
        [ "$1" != idle ] || break
    done
    printf '%s' "$title" >>"$work/results"
    for name in "${names[@]}"; do
        printf '|%s' "$(sort -n "$work/$name".[123] | awk '
            { line[NR] = $0 }
            END { print NR ? line[int((NR + 1) / 2)] : "- -" }')" >>"$work/results"
        rm -f "$work/$name".[123]
    done
    echo >>"$work/results"
}

# table WHICH TITLE: the first or the second figure of each result, and its ratio to the baseline.
table() {
    awk -F '|' -v which="$1" -v title="$2" -v names="${names[*]}" -v baseline="$baseline" '
        BEGIN {
            count = split(names, name, " ")
            printf "\n%-34s", title
            for (i = 1; i <= count; i++) {
                printf "%22s", name[i]
                if (name[i] == baseline)
                    base = i
            }
            print ""
        }
        {
            printf "%-34s", $1
            if (base) {
                split($(base + 1), figures, " ")
                reference = figures[which]
            }
            for (i = 1; i <= count; i++) {
                split($(i + 1), figures, " ")
                ratio = ""
                if (reference > 0 && figures[which] != "-")
                    ratio = sprintf("(%.2f)", figures[which] / reference)
                printf "%14s %-7s", figures[which], ratio
            }
            print ""
        }' "$work/results"
}

mkdir "$work/files"
head -c 1024 /dev/urandom >"$work/files/small.txt"
head -c 1048576 /dev/urandom >"$work/files/large.txt"
for loop; do
    start "$loop" "$work" "$build/bench/server" "$loop" "$work/files"
done
start_node
start_libwebsockets
baseline=ws
[ -n "${port[ws]:-}" ] || baseline=${names[0]:-}
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
