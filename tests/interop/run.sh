#!/bin/bash
# Other implementations talk to a server and a client of this library, on each of the loops named:
# Python's websockets, Node's ws, curl, openssl s_client, Chromium, tinyproxy and nginx, with and
# without TLS, with and without permessage-deflate.
#
# Usage: run.sh SERVER CLIENT [poll] [uv] [event]
# SERVER and CLIENT are the programs built from server.c and client.c; without a loop, all three.
# The modules of package.json must have been installed, here or where NODE_MODULES says. CHROMIUM is
# the browser's program, or empty to leave it out. With LWS_INTEROP_FULL=1 every way to agree on
# permessage-deflate is tried on each loop, else on poll.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
server=$(realpath "$1") && client=$(realpath "$2") || exit 1
shift 2
[ $# -gt 0 ] || set -- poll uv event
chromium=${CHROMIUM-/usr/bin/chromium}
directory=$work/files
certificates=$work/certificates
root=$certificates/root.pem

mkdir "$directory" "$directory/folder"
echo 'hello, file' >"$directory/hello.txt"
echo 'name with a space' >"$directory/a b.txt"
: >"$directory/empty"
head -c 3000001 /dev/urandom >"$directory/large.bin"
# Older than a minute: until then its date is too weak a validator for If-Range.
touch -d "2 hours ago" "$directory/large.bin"
mkfifo "$directory/pipe"
"$here/../support/certificates.sh" "$certificates" || exit 1

# serve SCHEME SCHEME OPTION…: those that talk to one server, over ws and http or wss and https.
serve() {
    local scheme=$1 web=$2 name="$loop, $1" ca=()
    shift 2
    [ "$scheme" = ws ] || ca=("$root")
    if ! start_listening server "$server" --loop "$loop" --directory "$directory" "$@"; then
        step "$name: the server starts" told_by "$work/server.errors"
        return
    fi
    others "$name: websockets" "$python" "$here/python_websockets.py" "$scheme://localhost:$port/" \
        "${ca[@]}"
    others "$name: ws" node "$node_scripts/node_ws.mjs" "$scheme://localhost:$port/" "${ca[@]}"
    others "$name: curl" "$here/curl_http.sh" "$web://127.0.0.1:$port" "$directory" "${ca[@]}"
    # The step "browser" of scripts/check has it do without TLS.
    if [ "$scheme" = wss ] && [ -n "$chromium" ]; then
        others "$name: Chromium" node "$node_scripts/chromium_echo.mjs" --browser "$chromium" \
            "$web://localhost:$port/" "${ca[@]}"
    fi
    step "$name: the server ends with status 0" stop server
}

for loop; do
    serve ws http
    serve wss https --tls "$certificates"
    for script in tls_openssl client_talks through_proxy through_nginx deflate_server \
        deflate_client; do
        others "$loop: $script" "$here/$script.sh" "$server" "$client" "$loop" "$directory" \
            "$certificates"
    done
done
summary
