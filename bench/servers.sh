# Servers that are measured side by side, and tables of what comes of it: for run.sh and deflate.sh,
# which set here, the folder of this file, and build, the build folder.
# shellcheck shell=bash
# shellcheck disable=SC2154 # here and build

names=()
declare -A port process
declare -A how # what the client is given as its last argument for a server, if anything
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

# The servers end, and others may be started.
stop_all() {
    local id
    for id in "${process[@]}"; do
        kill "$id"
        wait "$id"
    done 2>/dev/null
    names=()
    process=()
    port=()
    how=()
    rm -f "$work"/*.in "$work"/*.out
}

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

# start_node [SETTING…]
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
    start ws "$peers" node "$here/peers/ws_server.mjs" "$work/files" "$@"
}

# start_libwebsockets [SETTING…]
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
    start libwebsockets "$work" "$work/libwebsockets_server" "$work/files" "$@"
}

# row TITLE CLIENT-ARGUMENT…: a line of results for all servers, each the median of BENCH_TURNS (3)
# that are taken in turns; "-" where a server fails.
row() {
    local title=$1 name turn
    shift
    for ((turn = 0; turn < ${BENCH_TURNS:-3}; turn++)); do
        for name in "${names[@]}"; do
            "$build/bench/client" "${port[$name]}" "${process[$name]}" "$@" \
                ${how[$name]:+"${how[$name]}"} >>"$work/$name.turns" 2>"$work/client.log" ||
                echo "$title, $name: $(head -n 1 "$work/client.log")" >&2
        done
        # Memory that has been in use once is there already.
        case $1 in
        *idle) break ;;
        esac
    done
    printf '%s' "$title" >>"$work/results"
    for name in "${names[@]}"; do
        printf '|%s' "$(sort -n "$work/$name.turns" | awk '
            { line[NR] = $0 }
            END { print NR ? line[int((NR + 1) / 2)] : "- - -" }')" >>"$work/results"
        rm -f "$work/$name.turns"
    done
    echo >>"$work/results"
}

# table WHICH TITLE: the first, second or third figure of each result, and its ratio to the baseline.
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

# What the ratios are to: ws, where it is there.
choose_baseline() {
    baseline=ws
    [ -n "${port[ws]:-}" ] || baseline=${names[0]:-}
}

work_files() {
    mkdir "$work/files"
    head -c 1024 /dev/urandom >"$work/files/small.txt"
    head -c 1048576 /dev/urandom >"$work/files/large.txt"
}
