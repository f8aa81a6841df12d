#!/bin/bash
# What openssl s_client finds out about the TLS of tests/interop/server.c.
#
# Usage: tls_openssl.sh SERVER CLIENT LOOP DIRECTORY CERTIFICATES
# CLIENT is not used.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
server=$1
loop=$3
directory=$4
certificates=$5
root=$certificates/root.pem
request='GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

# What s_client says that tells why a step has failed.
telling='error|errno|alert|erif|ALPN|Cipher is|RENEGOTIATING|hello'

# connect ARGUMENT…: sends a request and leaves what s_client says in $work/said, answer included.
connect() {
    # shellcheck disable=SC2059
    printf "$request" | timeout 30 openssl s_client -connect "127.0.0.1:$port" \
        -servername localhost -CAfile "$root" -verify_return_error -verify_hostname localhost \
        -ign_eof "$@" >"$work/said" 2>&1
    local result=$?
    grep -E -e "$telling" "$work/said"
    return $result
}

answered() {
    connect "$@" && said 'hello, file'
}

# said PATTERN: whether s_client has said so, or the server.
said() {
    grep -qE -e "$1" "$work/said" || { echo "nothing like \"$1\""; return 1; }
}

not_answered() {
    ! connect "$@" || { echo "status 0"; return 1; }
    ! said 'hello, file'
}

version() {
    answered "-tls1_$1" && said "Protocol *: TLSv1.$1|New, TLSv1.$1" && said 'Verify return code: 0'
}

# OpenSSL itself speaks these versions at its lowest level of security only.
old_version() {
    not_answered "$1" -cipher DEFAULT@SECLEVEL=0 && said 'alert protocol version'
}

# Of what a server could choose, the best.
best_version() {
    answered && said 'New, TLSv1.3'
}

chain() {
    answered -showcerts && same "$(grep -c 'BEGIN CERTIFICATE' "$work/said")" 2
}

ipv4_address() {
    answered -verify_ip 127.0.0.1
}

alpn() {
    answered -alpn h2,http/1.1 && said 'ALPN protocol: http/1.1' &&
        answered -alpn http/1.1 && said 'ALPN protocol: http/1.1' &&
        answered && said 'No ALPN negotiated'
}

close_is_notified() {
    answered "-tls1_$1" -state && said 'alert read:warning:close notify'
}

ciphers() {
    answered -tls1_2 && said 'Cipher is ECDHE-ECDSA-AES128-GCM-SHA256' &&
        answered -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256 &&
        said 'Cipher is ECDHE-ECDSA-AES128-GCM-SHA256' &&
        not_answered -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384 && said 'alert handshake failure' &&
        answered -tls1_3
}

all_ciphers() {
    answered -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384 &&
        said 'Cipher is ECDHE-ECDSA-AES256-GCM-SHA384'
}

weak_ciphers() {
    not_answered -tls1_2 -cipher NULL-SHA256:ECDHE-ECDSA-NULL-SHA:AECDH-NULL-SHA@SECLEVEL=0 &&
        said 'alert handshake failure'
}

client_certificate() {
    answered "-tls1_$1" -cert "$certificates/client.pem" -key "$certificates/client.key"
}

no_client_certificate() {
    not_answered "-tls1_$1" && said 'alert (handshake failure|certificate required)'
}

# wrong_client_certificate VERSION NAME ALERT
wrong_client_certificate() {
    not_answered "-tls1_$1" -cert "$certificates/$2.pem" -key "$certificates/$2.key" \
        -cert_chain "$certificates/intermediate.pem" && said "alert $3"
}

# A command to s_client is a line that consists of its letter; it does not look for one with
# -ign_eof, and so its input has to stay open.
renegotiation() {
    mkfifo "$work/input"
    openssl s_client -connect "127.0.0.1:$port" -tls1_2 -CAfile "$root" -verify_return_error \
        <"$work/input" >"$work/said" 2>&1 &
    local pid=$! result=0
    exec 6>"$work/input"
    until_good 20 grep -q 'Verify return code: 0' "$work/said" || result=1
    echo R >&6
    until_good 20 grep -q 'no renegotiation' "$work/said" || result=1
    exec 6>&-
    kill $pid 2>/dev/null
    wait $pid
    rm "$work/input"
    grep -E -e "$telling" "$work/said"
    [ $result = 0 ] && said RENEGOTIATING
}

resumption() {
    answered "-tls1_$1" -sess_out "$work/session.$1" && said 'New, TLSv1' &&
        answered "-tls1_$1" -sess_in "$work/session.$1" && said "Reused, TLSv1.$1"
}

# The session ID context and the verification must not get in the way of each other.
resumption_with_a_client_certificate() {
    local identity=(-cert "$certificates/client.pem" -key "$certificates/client.key")
    answered "-tls1_$1" "${identity[@]}" -sess_out "$work/session.c$1" && said 'New, TLSv1' &&
        answered "-tls1_$1" "${identity[@]}" -sess_in "$work/session.c$1" &&
        said "Reused, TLSv1.$1"
}

http() {
    curl --silent --show-error --max-time 30 --cacert "$root" --output "$work/body" "$@" &&
        cmp "$work/body" "$directory/large.bin"
}

plain_is_refused() {
    http "https://127.0.0.1:$port/large.bin" && ! http "http://127.0.0.1:$port/large.bin"
}

plain_too() {
    http "http://127.0.0.1:$port/large.bin" && http "https://127.0.0.1:$port/large.bin"
}

websockets_over_both() {
    "$python" "$here/python_websockets.py" "ws://127.0.0.1:$port/" &&
        "$python" "$here/python_websockets.py" "wss://127.0.0.1:$port/" "$root"
}

# on WHAT OPTION…: a server with these, on which the steps below it are made.
on() {
    local what=$1
    shift
    if start_listening "$what" "$server" --loop "$loop" --directory "$directory" \
        --tls "$certificates" "$@"; then
        return
    fi
    step "the server starts, $what" told_by "$work/$what.errors"
    summary
    exit 1
}

on ordinary
step 'TLS 1.3' version 3
step 'TLS 1.2' version 2
step 'TLS 1.1 is refused' old_version -tls1_1
step 'TLS 1.0 is refused' old_version -tls1
step 'the best version is chosen' best_version
step 'the chain is sent' chain
step 'an address for a name' ipv4_address
step 'ALPN' alpn
step 'close_notify, TLS 1.3' close_is_notified 3
step 'close_notify, TLS 1.2' close_is_notified 2
step 'ciphers, none in particular' all_ciphers
step 'ciphers that encrypt nothing' weak_ciphers
step 'renegotiation is refused' renegotiation
step 'a session is resumed, TLS 1.3' resumption 3
step 'a session is resumed, TLS 1.2' resumption 2
step 'HTTP without TLS is refused' plain_is_refused
step 'the server ends' stop ordinary

on ciphers --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
step 'ciphers, one in particular' ciphers
step 'the server with one cipher ends' stop ciphers

on identified --client-ca
for minor in 2 3; do
    step "a client's certificate, TLS 1.$minor" client_certificate $minor
    step "no client's certificate, TLS 1.$minor" no_client_certificate $minor
    step "a client's certificate of another authority, TLS 1.$minor" \
        wrong_client_certificate $minor other-client 'unknown ca'
    step "a client's certificate that has expired, TLS 1.$minor" \
        wrong_client_certificate $minor client-expired 'certificate expired'
    step "a client's certificate that is a server's, TLS 1.$minor" \
        wrong_client_certificate $minor server 'unsupported certificate'
    step "a session with a client's certificate is resumed, TLS 1.$minor" \
        resumption_with_a_client_certificate $minor
done
step "the server that wants clients' certificates ends" stop identified

on plain-too --plain-too
step 'HTTP without TLS on the same port' plain_too
step 'TLS on the same port' version 3
step 'WebSockets without and with TLS on the same port' websockets_over_both
step 'the server with both ends' stop plain-too
summary
