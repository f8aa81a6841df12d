#!/bin/bash
# This library's client talks to the servers of Python's websockets and of Node's ws with
# permessage-deflate.
#
# Usage: deflate_client.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
# SERVER and DIRECTORY are not used. With LWS_INTEROP_FULL=1 everything is tried with and without
# TLS and on each loop, else on poll without TLS, and what has a star everywhere; messages of 16 MiB
# then here and there.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
client=$2
loop=$3
certificates=$5
root=$certificates/root.pem

# What the client is started with, and offers then.
declare -A settings=(
    [defaults]=''
    [keeping]='takeover=3'
    [sends]='takeover=1,threshold=1,level=1,memory_level=1'
    [receives]='takeover=2,level=9,memory_level=9'
    [sends-9]='takeover=3,send_bits=9'
    [sends-8]='takeover=1,send_bits=8,threshold=1'
    [receives-10]='takeover=3,receive_bits=10'
    [receives-8]='takeover=2,receive_bits=8'
)
any='client_max_window_bits'
without_server='server_no_context_takeover'
without_client='client_no_context_takeover'
without_both="$without_server; $without_client"
extension='permessage-deflate'
declare -A offers=(
    [defaults]="$extension; $without_both; $any"
    [keeping]="$extension; $any"
    [sends]="$extension; $without_server; $any"
    [receives]="$extension; $without_client; $any"
    [sends-9]="$extension; $any=9"
    [sends-8]="$extension; $without_server; $any=8"
    [receives-10]="$extension; server_max_window_bits=10; $any, $extension; $any"
    [receives-8]="$extension; $without_client; server_max_window_bits=8; $any, $extension; $without_client; $any"
)

# Star, peer, its options, the client's settings, and the parameters of the peer's answer, or
# "declined" or "refused". Python's zlib cannot compress with 8 bits.
cases() {
    cat <<END
* | python | true | defaults | $without_both; server_max_window_bits=12; client_max_window_bits=12
* | python | true | keeping | server_max_window_bits=12; client_max_window_bits=12
  | python | true | sends | $without_server; server_max_window_bits=12; client_max_window_bits=12
  | python | true | receives | $without_client; server_max_window_bits=12; client_max_window_bits=12
  | python | true | sends-9 | server_max_window_bits=12; client_max_window_bits=9
* | python | true | sends-8 | $without_server; server_max_window_bits=12; client_max_window_bits=8
* | python | true | receives-10 | server_max_window_bits=10; client_max_window_bits=12
  | python | {} | defaults | $without_both
* | python | {} | keeping |
  | python | {} | sends | $without_server
  | python | {} | receives | $without_client
  | python | {} | sends-9 | client_max_window_bits=9
* | python | {} | receives-10 | server_max_window_bits=10
* | python | false | keeping | declined
  | python | false | defaults | declined
  | python | {"server_no_context_takeover": true} | keeping | $without_server
* | python | {"client_no_context_takeover": true} | keeping | $without_client
  | python | {"server_max_window_bits": 9} | keeping | server_max_window_bits=9
  | python | {"server_max_window_bits": 9} | receives-10 | server_max_window_bits=9
  | python | {"client_max_window_bits": 8} | keeping | client_max_window_bits=8
* | python | {"client_max_window_bits": 9} | keeping | client_max_window_bits=9
  | python | {"client_max_window_bits": 8} | sends-9 | client_max_window_bits=8
  | python | {"client_max_window_bits": 14, "require_client_max_window_bits": true} | keeping | client_max_window_bits=14
  | python | {"compress_settings": {"level": 0}} | keeping |
  | python | {"compress_settings": {"level": 1, "memLevel": 1}} | keeping |
  | python | {"compress_settings": {"level": 9, "memLevel": 9}} | defaults | $without_both
  | python | {"compress_settings": {"strategy": 2}} | keeping |
* | python | {"compress_settings": {"strategy": 4}} | keeping |
* | node | true | defaults | $without_both
* | node | true | keeping |
  | node | true | sends | $without_server
  | node | true | receives | $without_client
  | node | true | sends-9 | client_max_window_bits=9
* | node | true | sends-8 | $without_server; client_max_window_bits=8
  | node | true | receives-10 | server_max_window_bits=10
* | node | true | receives-8 | $without_client; server_max_window_bits=8
* | node | false | keeping | declined
  | node | false | receives-10 | declined
  | node | {"serverNoContextTakeover": true} | keeping | $without_server
  | node | {"serverNoContextTakeover": false} | keeping |
* | node | {"serverNoContextTakeover": false} | defaults | refused
* | node | {"clientNoContextTakeover": true} | keeping | $without_client
  | node | {"clientNoContextTakeover": false} | keeping |
  | node | {"serverMaxWindowBits": 8} | keeping | server_max_window_bits=8
  | node | {"serverMaxWindowBits": 9} | receives-10 | server_max_window_bits=9
* | node | {"serverMaxWindowBits": 12} | receives-10 | server_max_window_bits=12
* | node | {"serverMaxWindowBits": false} | receives-10 |
* | node | {"clientMaxWindowBits": 9} | keeping | client_max_window_bits=9
  | node | {"clientMaxWindowBits": 8} | keeping | client_max_window_bits=8
  | node | {"clientMaxWindowBits": 8} | sends-9 | client_max_window_bits=8
* | node | {"clientMaxWindowBits": 12} | sends-9 | refused
  | node | {"clientMaxWindowBits": false} | keeping |
* | node | {"clientMaxWindowBits": false} | sends-9 |
* | node | {"threshold": 0} | defaults | $without_both
  | node | {"threshold": 1000000000} | defaults | $without_both
  | node | {"zlibDeflateOptions": {"level": 0}} | keeping |
  | node | {"zlibDeflateOptions": {"level": 1, "memLevel": 1, "chunkSize": 64}} | keeping |
  | node | {"zlibDeflateOptions": {"level": 9, "memLevel": 9}} | defaults | $without_both
  | node | {"zlibDeflateOptions": {"strategy": 2}} | keeping |
* | node | {"zlibDeflateOptions": {"strategy": 4}} | keeping |
  | node | {"zlibInflateOptions": {"chunkSize": 64}, "concurrencyLimit": 1} | keeping |
END
}

# chosen_cases: those of $peer for $scheme.
chosen_cases() {
    cases | sed 's/ *| */|/g; s/^ *//' |
        if [ -n "${LWS_INTEROP_FULL:-}" ] || [ "$loop $scheme" = "poll ws" ]; then
            grep "^[*]\?|$peer|"
        else
            grep "^[*]|$peer|"
        fi
}

# The peer with a port for each of its options, in $port_of.
start_peer() {
    local options arguments=(--keepalive) number=0
    declare -gA port_of=()
    [ "$scheme" = ws ] || arguments+=(--tls "$certificates")
    mapfile -t options < <(cases | sed 's/ *| */|/g' | grep "|$peer|" | cut -d '|' -f 3 | sort -u)
    for option in "${options[@]}"; do
        arguments+=(--deflate "$option")
    done
    case $peer in
    python) start "$peer-$scheme" "$python" "$here/python_server.py" "${arguments[@]}" ;;
    node) start "$peer-$scheme" node "$node_scripts/node_server.mjs" "${arguments[@]}" ;;
    esac
    for option in "${options[@]}"; do
        number=$((number + 1))
        port_of[$option]=$(line "$peer-$scheme" $number) || return 1
    done
}

# to_peer OPTIONS SETTINGS: the client's arguments, in $to; and a path of their own, in $path.
paths=0
to_peer() {
    paths=$((paths + 1))
    path=/$paths
    to=(--address 127.0.0.1 --port "${port_of[$1]}")
    [ "$scheme" = ws ] || to=(--address localhost --port "${port_of[$1]}" --ssl 1 --ca "$root")
    to+=(--path "$path" --deflate "${settings[$2]}")
}

peer_tells() {
    grep -q "^deflate $path " "$work/$peer-$scheme"
}

# The line that the peer prints about $path, but for its first words.
told() {
    until_good 20 peer_tells || { echo "nothing was told about $path" >&2; return 1; }
    sed -n "s|^deflate $path ||p" "$work/$peer-$scheme"
}

# compressed MESSAGES OF PACKED UNPACKED: as this client does it with the series.
compressed() {
    echo "compressed: $1 of $2 messages, $3 bytes for $4"
    [ "$1" -gt 0 ] && [ "$1" -lt "$2" ] && [ "$3" -gt 0 ] && [ "$3" -lt $(($4 / 2)) ]
}

# one_case OPTIONS NAME PARAMETERS
one_case() {
    local answer=$extension fields
    to_peer "$1" "$2"
    [ -z "$3" ] || answer="$extension; $3"
    case $3 in
    refused)
        refused 'server answered 400' "${to[@]}"
        return
        ;;
    declined) answer=- ;;
    esac
    talk "${to[@]}" echo packed && printed 'closed 1000 done' || return 1
    if [ "$answer" = - ]; then
        printed 'none -'
    else
        printed "$extension $answer"
    fi || return 1
    fields=$(told) || return 1
    same "${fields%]*}]" "[${offers[$2]}] [$answer]" || return 1
    read -r -a fields <<<"${fields##*]}"
    if [ "$answer" = - ]; then
        same "${fields[0]}" 0
    else
        compressed "${fields[@]}"
    fi
}

sixteen_mebibytes() {
    to_peer "$1" "$2"
    talk "${to[@]}" --seconds 200 echo large && printed 'closed 1000 done' && printed "$extension $extension${3:+; $3}"
}

# Twice the same: how many bytes that takes.
twice() {
    local digits fields
    digits=$(head -c 1000 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
    to_peer "$1" "$2"
    talk "${to[@]}" --protocol command ask "say $digits" "say $digits" &&
        printed "message $digits" && printed 'closed 1000 done' || return 1
    fields=$(told) || return 1
    read -r -a fields <<<"${fields##*]}"
    same "${fields[0]} ${fields[3]}" '2 4008' || return 1
    bytes=${fields[2]}
}

what_was_sent_is_remembered() {
    twice "$1" keeping || return 1
    [ "$bytes" -lt 1500 ] || { echo "$bytes bytes"; return 1; }
}

what_was_sent_is_forgotten() {
    twice "$1" defaults || return 1
    [ "$bytes" -gt 2000 ] || { echo "$bytes bytes"; return 1; }
}

messages_of_the_server() {
    to_peer "$1" "$2"
    talk "${to[@]}" --protocol command ask 'fragments 3000' 'header Host' &&
        printed "message $(seq -s ' ' 0 2999) " && printed "message ${to[1]}:${to[3]}" &&
        printed 'closed 1000 done' || return 1
    talk "${to[@]}" --protocol command close 'burst 3000' && printed 'closed 1000 ' &&
        same "$(awk '/^message / { print $2 }' "$lines")" "$(seq 0 2999)" || return 1
    talk "${to[@]}" --protocol command close 'farewell 300000' && printed 'closed 1000 ' &&
        same "$(grep '^message ' "$lines" | wc -c)" $((8 + 300000 + 1))
}

again_and_again() {
    to_peer "$1" "$2"
    talk "${to[@]}" --times 20 ask hello "$(seq -s ' ' 1000)" &&
        same "$(grep -cxF "message $(seq -s ' ' 1000)" "$lines")" 20 &&
        same "$(grep -cx 'closed 1000 done' "$lines")" 20
}

too_much_when_decompressed() {
    to_peer "$1" "$2"
    ! talk "${to[@]}" --deflate "${settings[$2]:+${settings[$2]},}unpacked=100000" \
        --protocol command ask 'farewell 100000' 'farewell 100001' || return 1
    same "$(grep -c '^message f*$' "$lines")" 1
}

for scheme in ws wss; do
    for peer in python node; do
        if ! start_peer; then
            step "$peer, $scheme: the server starts" told_by "$work/$peer-$scheme.errors"
            continue
        fi
        while IFS='|' read -r _ _ options setting answer; do
            step "$peer, $scheme, $options: $setting" one_case "$options" "$setting" "$answer"
        done < <(chosen_cases)
        options='{}'
        [ $peer = python ] || options=true
        step "$peer, $scheme: what was sent is remembered" what_was_sent_is_remembered "$options"
        step "$peer, $scheme: what was sent is forgotten" what_was_sent_is_forgotten "$options"
        for setting in defaults keeping; do
            step "$peer, $scheme, $setting: messages of the server" \
                messages_of_the_server "$options" $setting
            step "$peer, $scheme, $setting: again and again" again_and_again "$options" $setting
            step "$peer, $scheme, $setting: too much when decompressed" \
                too_much_when_decompressed "$options" $setting
        done
        large=$peer-$scheme-$loop
        if [ -n "${LWS_INTEROP_FULL:-}" ] || [[ $large == @(node-wss-*|python-ws-poll) ]]; then
            step "$peer, $scheme, keeping: 16 MiB" sixteen_mebibytes "$options" keeping
        fi
        if [ -n "${LWS_INTEROP_FULL:-}" ] || [ "$large" = node-ws-poll ]; then
            step "$peer, $scheme, defaults: 16 MiB" \
                sixteen_mebibytes "$options" defaults "$without_both"
        fi
    done
done
summary
