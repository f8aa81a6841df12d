#!/bin/bash
# This library's client talks to the servers of Python's websockets and of Node's ws.
#
# Usage: client_talks.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
# SERVER and DIRECTORY are not used.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
client=$2
loop=$3
certificates=$5
root=$certificates/root.pem
euros=$(printf '€%.0s' {1..41})

# peer NAME OPTION…: starts a server, "python" or "node" first in its name; its port is in $port.
peer() {
    local name=$1
    shift
    case $name in
    python*) start_listening "$name" "$python" "$here/python_server.py" "$@" ;;
    node*) start_listening "$name" node "$node_scripts/node_server.mjs" "$@" ;;
    esac
}

peer_has_line() {
    grep -qxF -e "$2" "$work/$1"
}

# peer_printed NAME LINE: waits for it.
peer_printed() {
    until_good 20 peer_has_line "$1" "$2" || { echo "$1 has printed: $(tail -n 3 "$work/$1")"; return 1; }
}

# command_talk ARGUMENT…: the client with the subprotocol that has servers do things.
command_talk() {
    talk "${to[@]}" --protocol command "$@"
}

subprotocols() {
    local offer chosen
    while read -r offer chosen; do
        talk "${to[@]}" --protocol "$offer" ask && printed "established $chosen" || return 1
    done <<<'echo echo
second second
echo,second second
second,echo second
command,echo echo'
    talk "${to[@]}" ask && printed 'established -'
}

questions() {
    command_talk --path '/some/where?a=b%20c' --origin example.org --header 'X-Test: one, two' \
        ask 'say héllo €' 'path' 'header Origin' 'header X-Test' 'header Host' 'fragments 5' &&
        printed 'message héllo €' && printed 'message /some/where?a=b%20c' &&
        printed 'message http://example.org' && printed 'message one, two' &&
        printed "message ${to[1]}:${to[3]}" && printed 'message 0 1 2 3 4 ' &&
        printed 'closed 1000 done'
}

many_fragments() {
    command_talk ask 'fragments 3000' && printed "message $(seq -s ' ' 0 2999) "
}

many_messages() {
    command_talk close 'burst 3000' && printed 'closed 1000 ' &&
        same "$(awk '/^message / { print $2 }' "$lines")" "$(seq 0 2999)"
}

pings_of_the_server() {
    command_talk ask 'ping hello' "ping $(printf 'x%.0s' {1..125})" 'say still here' &&
        printed 'message pong hello' && printed 'message still here'
}

pings_of_the_client() {
    talk "${to[@]}" ping && printed 'closed 1000 done'
}

closes_of_the_server() {
    local end
    for end in '1000 ' '1001 restart' '1008 rules' '1011 oops' '1012 soon' '1013 later' \
        '1014 gateway' '3999 x' "4001 $euros"; do
        command_talk close "close $end" && printed "closed $end" || return 1
    done
}

closes_of_the_client() {
    local end
    for end in '1000 done' '1001 going' '1003 no' '1008 rules' '1011 oops' '3000 registered' \
        "4999 $euros"; do
        talk "${to[@]}" leave "${end%% *}" "${end#* }" && printed "closed $end" &&
            peer_printed "$peer" "closed $end" || return 1
    done
}

a_server_that_vanishes() {
    command_talk close vanish && printed 'closed 1006 '
}

last_words() {
    command_talk close 'farewell 300000' && printed 'closed 1000 ' &&
        same "$(grep '^message ' "$lines" | wc -c)" $((8 + 300000 + 1))
}

again_and_again() {
    talk "${to[@]}" --times 20 ask hello && same "$(grep -cx 'message hello' "$lines")" 20 &&
        same "$(grep -cx 'closed 1000 done' "$lines")" 20
}

# The steps for any server: $to are the arguments with which the client finds $peer.
all_steps() {
    local what=$1
    step "$what: messages of all sizes, pinged meanwhile" echo_ends_well "${to[@]}"
    step "$what: subprotocols" subprotocols
    step "$what: what the request has" questions
    step "$what: many fragments" many_fragments
    step "$what: many messages" many_messages
    step "$what: pings of the server" pings_of_the_server
    step "$what: pings of the client" pings_of_the_client
    step "$what: closes of the server" closes_of_the_server
    step "$what: closes of the client" closes_of_the_client
    step "$what: a server that vanishes" a_server_that_vanishes
    step "$what: last words before a close" last_words
    step "$what: again and again" again_and_again
}

# --- what only one of them does

a_close_without_a_code() {
    command_talk close close && printed 'closed 1005 '
}

draft_8() {
    command_talk --version 8 --origin http://example.org ask 'header Sec-WebSocket-Version' \
        'header Sec-WebSocket-Origin' 'header Origin' && printed 'message 8' &&
        printed 'message http://example.org' && printed 'message none'
}

versions_not_spoken() {
    refused 'server answered 400' "${to[@]}" --version 7
}

nobody_there() {
    refused '.*connection refused.*' --port "$(free_port)"
}

# Both of these servers wait for something else, in vain.
tls_where_there_is_none() {
    refused '.+' --port "$plain_port" --ssl 1 --ca "$root"
}

none_where_there_is_tls() {
    refused '.+' --port "$tls_port"
}

without_the_authority() {
    refused 'certificate: .+' "${to[@]:0:4}" --ssl 1 &&
        refused 'certificate: .+' "${to[@]:0:4}" --ssl 1 --ca "$certificates/other-root.pem"
}

another_host() {
    refused 'certificate: hostname mismatch' "${to[@]}" --host wrong.example &&
        refused 'certificate: IP address mismatch' "${to[@]}" --host 127.0.0.2 &&
        talk "${to[@]}" --host localhost:99 ask hello && printed 'message hello'
}

# One port for each of these.
certificates_of_all_kinds() {
    local names=(expired not-yet-valid wrong-host self-signed self-signed-wrong-host
        self-signed-expired self-signed-not-yet-valid other-server server-leaf renewed)
    peer node-certificates --tls "$certificates" \
        --certificate "$(IFS=, && echo "${names[*]}")" || return 1
    local number=0 name
    declare -gA port_of
    for name in "${names[@]}"; do
        number=$((number + 1))
        port_of[$name]=$(line node-certificates $number) || return 1
    done
}

# certificate_refused NAME SSL REASON
certificate_refused() {
    refused "$3" --address localhost --port "${port_of[$1]}" --ssl "$2" --ca "$root"
}

certificate_taken() {
    echo_once --address localhost --port "${port_of[$1]}" --ssl "$2" --ca "$root"
}

# tls_version VERSION NAME: the second connection resumes the session of the first, and Node says
# that it was told NAME then.
tls_version() {
    local to
    peer "node-$1" --tls "$certificates" --tls-version "$1" || return 1
    to=(--address localhost --port "$port" --ssl 1 --ca "$root")
    talk "${to[@]}" --times 2 ask hello || return 1
    stop "node-$1"
    same "$(grep '^tls' "$work/node-$1")" "tls $1 new http/1.1 localhost -
tls $1 resumed http/1.1 $2 -"
}

old_tls_version() {
    peer node-old --tls "$certificates" --tls-version TLSv1.1 || return 1
    refused '.+' --address localhost --port "$port" --ssl 1 --ca "$root" || return 1
    stop node-old
    ! grep '^tls ' "$work/node-old"
}

no_name_for_an_address() {
    echo_once --address 127.0.0.1 --port "$tls_port" --ssl 1 --ca "$root" &&
        peer_printed node-tls 'tls TLSv1.3 new http/1.1 - -'
}

client_certificates() {
    local name
    peer node-identified --tls "$certificates" --client-ca || return 1
    identified=(--address localhost --port "$port" --ssl 1 --ca "$root")
    echo_once "${identified[@]}" --certificate "$certificates/client.pem" \
        --key "$certificates/client.key" &&
        peer_printed node-identified 'tls TLSv1.3 new http/1.1 localhost client' &&
        refused '.+' "${identified[@]}" || return 1
    for name in other-client client-expired; do
        refused '.+' "${identified[@]}" --certificate "$certificates/$name.pem" \
            --key "$certificates/$name.key" || return 1
    done
}

for kind in python node; do
    peer=$kind
    if ! peer "$peer" --keepalive; then
        step "the server on $kind starts" told_by "$work/$peer.errors"
        continue
    fi
    plain_port=$port
    to=(--address 127.0.0.1 --port "$port")
    all_steps "$kind, ws"
    if [ $kind = node ]; then
        step 'node: a close without a code' a_close_without_a_code
        step 'node: draft 8' draft_8
    else
        step 'python: draft 7 is not spoken' versions_not_spoken
    fi

    peer=$kind-tls
    if ! peer "$peer" --keepalive --tls "$certificates"; then
        step "the server on $kind with TLS starts" told_by "$work/$peer.errors"
        continue
    fi
    tls_port=$port
    to=(--address localhost --port "$port" --ssl 1 --ca "$root")
    all_steps "$kind, wss"
    step "$kind: the authority is not known" without_the_authority
    step "$kind: another host" another_host
    step "$kind: TLS where there is none" tls_where_there_is_none
    step "$kind: no TLS where there is" none_where_there_is_tls
done
step 'nobody is there' nobody_there
step 'an address has no name in TLS' no_name_for_an_address
step 'TLS 1.3, sessions resumed' tls_version TLSv1.3 localhost
step 'TLS 1.2, sessions resumed' tls_version TLSv1.2 -
step 'TLS 1.1 is refused' old_tls_version
step "a client's certificate" client_certificates

step 'certificates of all kinds are there' certificates_of_all_kinds
for ssl in 1 2; do
    step "a server's other certificate, ssl_connection $ssl" certificate_taken renewed $ssl
    step "expired, $ssl" certificate_refused expired $ssl 'certificate: .*expired.*'
    step "not yet valid, $ssl" certificate_refused not-yet-valid $ssl 'certificate: .*not yet valid.*'
    step "for another host, $ssl" certificate_refused wrong-host $ssl 'certificate: hostname mismatch'
    step "of another authority, $ssl" certificate_refused other-server $ssl 'certificate: .+'
    step "the chain is missing, $ssl" certificate_refused server-leaf $ssl 'certificate: .+'
    step "self-signed for another host, $ssl" \
        certificate_refused self-signed-wrong-host $ssl 'certificate: .+'
    step "self-signed and expired, $ssl" \
        certificate_refused self-signed-expired $ssl 'certificate: .+'
    step "self-signed and not yet valid, $ssl" \
        certificate_refused self-signed-not-yet-valid $ssl 'certificate: .+'
done
step 'self-signed, 1' certificate_refused self-signed 1 'certificate: .*self.signed.*'
step 'self-signed, 2' certificate_taken self-signed 2
summary
