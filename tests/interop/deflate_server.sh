#!/bin/bash
# Python's websockets, Node's ws and Chromium talk to this library's server with permessage-deflate.
#
# Usage: deflate_server.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
# CLIENT is not used. With LWS_INTEROP_FULL=1 all of deflate_cases.txt is tried with and without TLS
# and on each loop, else on poll without TLS, and what has a star everywhere; messages of 16 MiB then
# here and there. CHROMIUM is as run.sh has it.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
server=$1
loop=$3
directory=$4
certificates=$5
root=$certificates/root.pem
chromium=${CHROMIUM-/usr/bin/chromium}
cases=$here/deflate_cases.txt

mapfile -t settings < <(sed -n 's/^[^#|]*| *\([^|]*[^| ]\)\? *|.*/\1/p' "$cases" | sort -u)

# start_servers SCHEME HOST OPTION…: one with each settings; "SETTINGS SCHEME://HOST:PORT/" for all
# of them is put into $servers.
start_servers() {
    local scheme=$1 host=$2 one
    shift 2
    servers=()
    for one in "${settings[@]}"; do
        start_listening "server-$scheme-$one" "$server" --loop "$loop" --directory "$directory" \
            --deflate "$one" "$@" || return 1
        servers+=("$one" "$scheme://$host:$port/")
    done
}

stop_servers() {
    local scheme one
    for scheme in ws wss; do
        for one in "${settings[@]}"; do
            stop "server-$scheme-$one" || return 1
        done
    done
}

# extent PEER: how much of it, as options.
extent() {
    if [ -n "${LWS_INTEROP_FULL:-}" ]; then
        printf '%s\n' --all --large
        return
    fi
    [ "$loop-$scheme" != poll-ws ] || echo --all
    [[ $1-$scheme-$loop != @(node-wss-*|python-ws-poll|chromium-*-poll) ]] || echo --large
}

web_servers=()
for scheme in ws wss; do
    if [ $scheme = ws ]; then
        ca=()
        start_servers ws 127.0.0.1
    else
        ca=(--ca "$root")
        start_servers wss localhost --tls "$certificates"
    fi || {
        step "$scheme: the servers start" told_by "$work"/server-*.errors
        continue
    }
    mapfile -t extent < <(extent python)
    others "$scheme: websockets" "$python" "$here/python_deflate.py" "${extent[@]}" "${ca[@]}" \
        "$cases" "${servers[@]}"
    mapfile -t extent < <(extent node)
    others "$scheme: ws" node "$node_scripts/node_deflate.mjs" "${extent[@]}" "${ca[@]}" "$cases" \
        "${servers[@]}"
    web_servers+=("${servers[@]/#ws/http}")
done
if [ -n "$chromium" ]; then
    mapfile -t extent < <(extent chromium)
    others Chromium node "$node_scripts/chromium_deflate.mjs" "${extent[@]}" --browser "$chromium" \
        "$root" "$cases" "${web_servers[@]}"
fi
step 'the servers end with status 0' stop_servers
summary
