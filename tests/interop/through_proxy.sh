#!/bin/bash
# This library's client goes through tinyproxy, by CONNECT, to the servers of Python's websockets and
# Node's ws and to tests/interop/server.c.
#
# Usage: through_proxy.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
server=$1
client=$2
loop=$3
directory=$4
certificates=$5
root=$certificates/root.pem

# start_proxy NAME LINE…: tinyproxy with these lines in its configuration; its port is in $port. It
# does not choose one itself, so that it may be taken by the time it gets there.
start_proxy() {
    local name=$1 attempt
    shift
    for attempt in 1 2 3 4 5; do
        port=$(free_port) || return 1
        {
            cat <<END
Listen 127.0.0.1
Port $port
PidFile "$work/$name.pid"
LogFile "$work/$name.log"
LogLevel Connect
MaxClients 100
Timeout 60
Allow 127.0.0.1
END
            printf '%s\n' "$@"
        } >"$work/$name.conf"
        start "$name" tinyproxy -d -c "$work/$name.conf"
        until_good 20 listening_or_gone "$name"
        ! alive "$name" || return 0
        echo "attempt $attempt"
        cat "$work/$name.errors" "$work/$name.log"
        stop "$name"
    done
    return 1
}

# Its own file, too, for somebody else may listen there.
listening_or_gone() {
    gone "$1" || { [ -s "$work/$1.pid" ] && (: <>"/dev/tcp/127.0.0.1/$port"); }
}

# asked PROXY HOST:PORT: how often that proxy was asked to connect there.
asked() {
    grep -c "CONNECT $2 HTTP/1.1" "$work/$1.log"
}

# The proxy is told the name, and each message of all sizes goes through.
echo_through() {
    local target=$1
    shift
    echo_ends_well --address "${target%:*}" --port "${target##*:}" --proxy "127.0.0.1:$open" "$@" &&
        same "$(asked open "$target")" 1
}

# side_by_side NAME TARGET ARGUMENT…: echo_through, begun now and counted by all_of_them. What one
# of them does most is wait: tinyproxy holds small packets back.
begun=()
side_by_side() {
    local number=${#begun[@]} name=$1
    shift
    lines=$work/lines.$number echo_through "$@" >"$work/begun.$number" 2>&1 &
    begun+=("$! $name")
}

# As it went, for step.
outcome() {
    cat "$work/begun.$1"
    return "$2"
}

all_of_them() {
    local number result
    for number in "${!begun[@]}"; do
        wait "${begun[$number]%% *}"
        result=$?
        step "${begun[$number]#* }" outcome "$number" $result
    done
}

host_and_origin() {
    talk --address localhost --port "$python_plain" --proxy "127.0.0.1:$open" \
        --protocol command --path /some/path ask 'header Host' path 'header Proxy-Authorization' &&
        printed "message localhost:$python_plain" && printed 'message /some/path' &&
        printed 'message none'
}

again_and_again() {
    talk --address localhost --port "$node_tls" --ssl 1 --ca "$root" --proxy "127.0.0.1:$open" \
        --times 10 ask hello && same "$(grep -cx 'message hello' "$lines")" 10
}

closes() {
    talk --address localhost --port "$python_plain" --proxy "127.0.0.1:$open" \
        --protocol command close 'close 4001 own words' && printed 'closed 4001 own words' &&
        talk --address localhost --port "$node_tls" --ssl 1 --ca "$root" \
            --proxy "127.0.0.1:$open" --protocol command close vanish && printed 'closed 1006 '
}

certificates_are_verified() {
    refused 'certificate: hostname mismatch' --address localhost --port "$node_tls" --ssl 1 \
        --ca "$root" --host wrong.example --proxy "127.0.0.1:$open" &&
        refused 'certificate: .+' --address localhost --port "$node_tls" --ssl 1 \
            --ca "$certificates/other-root.pem" --proxy "127.0.0.1:$open"
}

to_plain=()
to_tls=()

# In the proxy's configuration it is "pass-wo.rd".
right_password() {
    echo_once "${to_plain[@]}" --proxy "user:pass%2Dwo%2Erd@127.0.0.1:$closed" &&
        echo_once "${to_tls[@]}" --proxy "http://user:pass%2Dwo%2Erd@127.0.0.1:$closed/" &&
        talk "${to_plain[@]}" --protocol command --proxy "user:pass%2Dwo%2Erd@127.0.0.1:$closed" \
            ask 'header Proxy-Authorization' && printed 'message none'
}

# tinyproxy says 401 here, and 407 only where there is no password at all.
wrong_password() {
    refused 'proxy answered 401' "${to_plain[@]}" --proxy "user:wrong@127.0.0.1:$closed" &&
        refused 'proxy answered 401' "${to_tls[@]}" --proxy "user:wrong@127.0.0.1:$closed" &&
        refused 'proxy answered 401' "${to_tls[@]}" --proxy "nobody:pass%2Dwo%2Erd@127.0.0.1:$closed"
}

no_password() {
    refused 'proxy answered 407' "${to_plain[@]}" --proxy "127.0.0.1:$closed" &&
        refused 'proxy answered 407' "${to_tls[@]}" --proxy "127.0.0.1:$closed"
}

nobody_behind_it() {
    refused 'proxy answered 500' --address 127.0.0.1 --port "$(free_port)" \
        --proxy "127.0.0.1:$open"
}

port_not_allowed() {
    refused 'proxy answered 403' "${to_plain[@]}" --proxy "127.0.0.1:$choosy"
}

no_proxy_there() {
    refused '.*connection refused.*' "${to_plain[@]}" --proxy "127.0.0.1:$(free_port)"
}

start_all() {
    start_proxy open && open=$port &&
        start_proxy closed 'BasicAuth user pass-wo.rd' && closed=$port &&
        start_proxy choosy 'ConnectPort 443' && choosy=$port &&
        start_listening python "$python" "$here/python_server.py" && python_plain=$port &&
        start_listening python-tls "$python" "$here/python_server.py" --tls "$certificates" &&
        python_tls=$port &&
        start_listening node node "$node_scripts/node_server.mjs" && node_plain=$port &&
        start_listening node-tls node "$node_scripts/node_server.mjs" --tls "$certificates" &&
        node_tls=$port &&
        start_listening server "$server" --loop "$loop" --directory "$directory" &&
        server_plain=$port &&
        start_listening server-tls "$server" --loop "$loop" --directory "$directory" \
            --tls "$certificates" && server_tls=$port
}

if ! start_all; then
    step 'tinyproxy and the servers start' told_by "$work"/*.errors
    summary
    exit 1
fi
to_plain=(--address localhost --port "$python_plain")
to_tls=(--address localhost --port "$node_tls" --ssl 1 --ca "$root")
secure=(--ssl 1 --ca "$root")
side_by_side 'websockets, ws' "localhost:$python_plain"
side_by_side 'websockets, wss' "localhost:$python_tls" "${secure[@]}"
side_by_side 'ws, ws' "localhost:$node_plain"
side_by_side 'ws, wss' "127.0.0.1:$node_tls" "${secure[@]}"
side_by_side 'this library, ws' "127.0.0.1:$server_plain"
side_by_side 'this library, wss' "localhost:$server_tls" "${secure[@]}"
all_of_them
step 'what the request has' host_and_origin
step 'again and again' again_and_again
step 'closes' closes
step 'certificates are verified' certificates_are_verified
step 'the right password' right_password
step 'a wrong password' wrong_password
step 'no password' no_password
step 'nobody is behind the proxy' nobody_behind_it
step 'a port that the proxy does not allow' port_not_allowed
step 'no proxy is there' no_proxy_there
step 'the server ends' stop server
step 'the server with TLS ends' stop server-tls
summary
