#!/bin/bash
# The commands and programs in docs/tls.md do what is said there: they are run as they stand, in a
# folder of their own, with a free port in the place of 7681. Run from the top of the build folder.
#
# It is skipped where openssl or curl is not there, unless LWS_REQUIRE_PEERS=1 is set.
#
# Functions are called by name, and by the commands of the guide.
# shellcheck disable=SC2317
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
build=$PWD
source=$(cd "$srcdir" && pwd) || exit 99
guide=$source/docs/tls.md
top=$(mktemp -d) || exit 99
server=
running=
status=0
checked=0
TRIES=3
STEP_SECONDS=60

end_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}

# A step that fails ends this shell.
clean_up() {
    local result=$?
    if [ -n "$running" ]; then
        echo "docs/tls.md: this fails: $(cat "$running" "$running.out")"
        result=1
    fi
    end_server
    rm -rf "$top"
    exit "$result"
}
trap clean_up EXIT

complain() {
    echo "$1"
    status=1
}

for command in openssl curl; do
    command -v $command >/dev/null && continue
    [ "${LWS_REQUIRE_PEERS:-}" != 1 ] || { echo "$command is not there" && exit 1; }
    echo "SKIP: $command is not there"
    exit 77
done
if [ ! -e adapters/poll/liblwsloop-poll.la ] || [ ! -x examples/client/client ]; then
    echo "the poll adapter and examples/client/client have to be built"
    exit 1
fi
# What is in the environment must not matter.
unset OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY

# --- what the guide's commands find

# pkg-config --cflags --libs lwsloop-LOOP: of what was built.
pkg-config() {
    local loop=${3#lwsloop-}
    echo "-I$source/core/include -I$source/adapters/$loop" \
        "$build/adapters/$loop/liblwsloop-$loop.la $build/core/liblwsloop.la"
    case $loop in
    uv) echo "${UV_CFLAGS:-} ${UV_LIBS:-}" ;;
    event) echo "${EVENT_CFLAGS:-} ${EVENT_LIBS:-}" ;;
    esac
}

cc() {
    # The flags are lists of words.
    # shellcheck disable=SC2086
    "$build/libtool" --silent --tag=CC --mode=link $CC -std=gnu11 -Wall -Wextra -Werror \
        ${SANITIZER_FLAGS:-} -no-install "$@"
}
PATH=$build/examples/client:$PATH

# free_port: one that was free a moment ago. Sockets that listen have state 0A in these files.
free_port() {
    local port hexadecimal
    while :; do
        port=$((20000 + RANDOM % 10000))
        printf -v hexadecimal '%04X' "$port"
        grep -q -i ":$hexadecimal [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
    done
    echo "$port"
}

# --- taking the guide apart

# C blocks begin with a comment that has the file's name; blocks of commands are numbered.
take_apart() {
    awk -v folder="$work" '
        /^```/ {
            inside = ""
            if ($0 == "```c")
                inside = "c"
            else if ($0 == "```sh")
                inside = sprintf("%s/step-%02d", folder, ++steps)
            next
        }
        inside == "c" {
            inside = $0 ~ /^\/\* [a-z_]+\.c \*\/$/ ? folder "/" $2 : folder "/nameless"
        }
        inside { print >inside }' "$guide" || return 1
    [ ! -e "$work/nameless" ] || complain "docs/tls.md: a C block does not begin with its file's name"
    sed -i "s/7681/$port/g" "$work"/*.c "$work"/step-*
}

# --- looking at what came of it

# accepts: whether somebody listens on the port.
accepts() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# await SECONDS COMMAND…: until it succeeds.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

started_or_gone() {
    accepts || is_gone "$server"
}

serial() {
    openssl s_client -connect "localhost:$port" </dev/null 2>/dev/null |
        openssl x509 -noout -serial 2>/dev/null
}

has_changed() {
    local now
    now=$(serial)
    [ -n "$now" ] && [ "$now" != "$1" ]
}

# expect STEP TEXT…: that its output has each of these.
expect() {
    local step=$1 text
    shift
    for text; do
        if grep -q -F -e "$text" "$step.out"; then
            checked=$((checked + 1))
        else
            complain "docs/tls.md: no \"$text\" came of this: $(cat "$step" "$step.out")"
        fi
    done
}

# start_server: what was started in the background accepts connections. 75: the port was taken.
start_server() {
    server=$!
    await $STEP_SECONDS started_or_gone
    ! is_gone "$server" && return 0
    wait "$server"
    server=
    cat "$1.out"
    if grep -q -F "Address already in use" "$1.out"; then
        return 75
    fi
    complain "docs/tls.md: the server does not start in $1"
    return 1
}

# run_step STEP: in this shell, because later ones use what earlier ones have set.
run_step() {
    local step=$1 text before=
    text=$(cat "$step")
    case $text in
    *"kill -HUP"*) before=$(serial) ;;
    esac
    running=$step
    set -e
    # shellcheck disable=SC1090
    . "./$step" >"$step.out" 2>&1
    set +e
    running=
    case $text in
    *'/wss '*'&') start_server "$step" || return ;;
    *"through TLS"*) expect "$step" "hello" "Verification: OK" "TLSv1.3" "through TLS" ;;
    *"I am Ada"*) expect "$step" "hello" "I am Ada" "refused" ;;
    *"openssl verify"*) expect "$step" "server-only.pem: OK" ;;
    *"-serial"*) expect "$step" "serial=" ;;
    *"kill -HUP"*)
        if await $STEP_SECONDS has_changed "$before"; then
            checked=$((checked + 1))
        else
            complain "docs/tls.md: the certificate is not renewed"
        fi
        ;;
    esac
}

run_steps() {
    local step
    for step in step-??; do
        run_step "$step" || return
    done
    end_server
}

# reloads LOOP: that a bad file changes nothing on this loop, and a good one is seen.
reloads() {
    local before
    [ -e "$build/adapters/$1/liblwsloop-$1.la" ] || return 0
    expected=$((expected + 2))
    # The flags are lists of words.
    # shellcheck disable=SC2046
    if ! cc -o wss wss.c "run_$1.c" $(pkg-config --cflags --libs "lwsloop-$1"); then
        complain "docs/tls.md: run_$1.c does not compile"
        return 1
    fi
    ./wss >"$1.out" 2>&1 &
    start_server "$1" || return
    before=$(serial)
    echo "no certificate" >server.pem
    kill -HUP "$server"
    if await $STEP_SECONDS grep -q -F "cannot use server.pem as certificate" "$1.out" &&
        [ "$(serial)" = "$before" ]; then
        checked=$((checked + 1))
    else
        complain "docs/tls.md: a bad file, with run_$1.c: $(cat "$1.out")"
    fi
    run_step "$(grep -l "kill -HUP" step-??)"
    end_server
}

run_all() {
    take_apart || return
    run_steps && reloads poll && reloads uv && reloads event
}

for ((try = 1; try <= TRIES; try++)); do
    port=$(free_port)
    work=$top/$try
    checked=0
    expected=10 # results of the guide's own steps; each loop adds two
    mkdir "$work" && cd "$work" || exit 99
    run_all
    result=$?
    end_server
    [ "$result" -eq 75 ] || break
done
[ "$result" -eq 0 ] || complain "docs/tls.md: not all of it was done"
[ "$checked" -eq "$expected" ] || complain "docs/tls.md: $expected results were to be looked at"
echo "$checked results of docs/tls.md are as they should be"
exit $status
