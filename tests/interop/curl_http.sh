#!/bin/bash
# Talks to tests/interop/server.c with curl, and with raw bytes where curl is too well-behaved.
#
# Usage: curl_http.sh URL DIRECTORY [CA]
# URL is http://127.0.0.1:PORT or https://…; CA is the file of the authority to trust then.
# DIRECTORY is what the server serves; run.sh has put the files there that are asked for.
set -u
# shellcheck source=tests/interop/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
base=$1
directory=$2
ca=${3:-}
port=${base##*:}
# curl reads its options from here, too.
export CURL_HOME=$work
[ -z "$ca" ] || echo "cacert = \"$ca\"" >"$work/.curlrc"

# get STATUS ARGUMENTS...: leaves the head in $work/head and the body in $work/body.
get() {
    local expected=$1 status
    shift
    rm -f "$work/head" "$work/body"
    status=$(curl --silent --show-error --max-time 30 --path-as-is --dump-header "$work/head" \
        --output "$work/body" --write-out '%{http_code}' "$@") || return 1
    touch "$work/body"
    [ "$status" = "$expected" ] || { echo "status $status in place of $expected"; return 1; }
}

# field NAME: its value in the latest response; fails where there is none, or more than one.
field() {
    local lines
    lines=$(grep -i "^$1:" "$work/head" | tr -d '\r') || return 1
    [ "$(echo "$lines" | wc -l)" = 1 ] || return 1
    echo "${lines#*: }"
}

absent() {
    ! grep -qi "^$1:" "$work/head" || { echo "there is a field $1"; return 1; }
}

# raw TEXT: sends the bytes that printf makes of it, and prints the answer up to the end.
raw() {
    local answer result
    if [ -n "$ca" ]; then
        answer=$(printf '%b' "$1" | timeout 30 openssl s_client -quiet -CAfile "$ca" \
            -verify_return_error -connect "127.0.0.1:$port" 2>"$work/s_client")
        result=$?
    else
        exec 5<>"/dev/tcp/127.0.0.1/$port" || return 1
        printf '%b' "$1" >&5
        answer=$(timeout 30 cat <&5)
        result=$?
        exec 5<&- 5>&-
    fi
    printf '%s\n' "$answer"
    return $result
}

whole_file() {
    get 200 "$base/large.bin" && cmp "$work/body" "$directory/large.bin" &&
        same "$(field Content-Length)" "$(stat -c %s "$directory/large.bin")" &&
        same "$(field Content-Type)" text/plain && field Last-Modified && field Date &&
        field Accept-Ranges && grep -q '^HTTP/1.1 200' "$work/head"
}

empty_file() {
    get 200 "$base/empty" && [ ! -s "$work/body" ] && same "$(field Content-Length)" 0
}

dates_are_http_dates() {
    get 200 "$base/hello.txt" || return 1
    same "$(field Last-Modified)" \
        "$(LC_ALL=C date -u -r "$directory/hello.txt" '+%a, %d %b %Y %H:%M:%S GMT')" || return 1
    local stated now
    stated=$(date -d "$(field Date)" +%s) && now=$(date +%s) || return 1
    [ $((now - stated)) -ge 0 ] && [ $((now - stated)) -le 5 ]
}

head_request() {
    get 200 --head "$base/large.bin" && [ "$(stat -c %s "$work/body")" -lt 2000 ] &&
        same "$(field Content-Length)" "$(stat -c %s "$directory/large.bin")" && field Last-Modified
}

head_ignores_ranges() {
    get 200 --head --range 0-9 "$base/large.bin" && absent Content-Range
}

head_and_get_agree() {
    get 200 --head "$base/hello.txt" || return 1
    grep -vi '^date:' "$work/head" >"$work/first"
    get 200 "$base/hello.txt" || return 1
    grep -vi '^date:' "$work/head" | cmp - "$work/first"
}

# range SPECIFICATION FIRST LENGTH
range() {
    local size last
    size=$(stat -c %s "$directory/large.bin")
    last=$(($2 + $3 - 1))
    get 206 --range "$1" "$base/large.bin" &&
        same "$(field Content-Range)" "bytes $2-$last/$size" &&
        same "$(field Content-Length)" "$3" &&
        tail -c +$(($2 + 1)) "$directory/large.bin" | head -c "$3" | cmp - "$work/body"
}

ranges() {
    local size
    size=$(stat -c %s "$directory/large.bin")
    range 0-0 0 1 && range 0-99 0 100 && range 100-199 100 100 &&
        range 1000000-2999999 1000000 2000000 && range $((size - 1))- $((size - 1)) 1 &&
        range 5- 5 $((size - 5)) && range -500 $((size - 500)) 500 &&
        range 0-999999999999 0 "$size" && range -999999999999 0 "$size"
}

unsatisfiable_ranges() {
    local size
    size=$(stat -c %s "$directory/large.bin")
    get 416 --range "$size-" "$base/large.bin" && same "$(field Content-Range)" "bytes */$size" &&
        get 416 --range "999999999999-" "$base/large.bin" &&
        get 416 --header 'Range: bytes=-0' "$base/large.bin" &&
        get 416 --range 0-0 "$base/empty" && same "$(field Content-Range)" "bytes */0"
}

ignored_ranges() {
    local value
    for value in 'bytes=5-2' 'bytes=a-b' 'bytes=' 'bytes 0-5' 'lines=1-5' 'bytes=-' 'bytes=0x1-5' \
        'bytes=1-2-3'; do
        get 200 --header "Range: $value" "$base/hello.txt" || { echo "$value"; return 1; }
        cmp "$work/body" "$directory/hello.txt" && absent Content-Range || return 1
    done
}

resumed_download() {
    head -c 1234567 "$directory/large.bin" >"$work/partial"
    curl --silent --show-error --max-time 30 --continue-at - --output "$work/partial" \
        "$base/large.bin" && cmp "$work/partial" "$directory/large.bin"
}

if_modified_since() {
    get 304 --time-cond "$directory/hello.txt" "$base/hello.txt" && [ ! -s "$work/body" ] &&
        field Date && field Last-Modified &&
        get 304 --header 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT' "$base/hello.txt" &&
        get 200 --header 'If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT' "$base/hello.txt" &&
        cmp "$work/body" "$directory/hello.txt" &&
        get 200 --header 'If-Modified-Since: yesterday' "$base/hello.txt"
}

obsolete_dates() {
    get 304 --header 'If-Modified-Since: Thursday, 31-Dec-37 23:59:59 GMT' "$base/hello.txt" &&
        get 304 --header 'If-Modified-Since: Thu Dec 31 23:59:59 2037' "$base/hello.txt" &&
        get 200 --header 'If-Modified-Since: Saturday, 01-Jan-00 00:00:00 GMT' "$base/hello.txt" &&
        get 200 --header 'If-Modified-Since: Sat Jan  1 00:00:00 2000' "$base/hello.txt"
}

if_range() {
    local date
    get 200 "$base/large.bin" && date=$(field Last-Modified) || return 1
    get 206 --range 0-9 --header "If-Range: $date" "$base/large.bin" &&
        get 200 --range 0-9 --header 'If-Range: Sat, 01 Jan 2000 00:00:00 GMT' "$base/large.bin" &&
        get 200 --range 0-9 --header 'If-Range: "etag"' "$base/large.bin"
}

kept_alive() {
    local counts
    counts=$(curl --silent --show-error --max-time 30 --output /dev/null --output /dev/null \
        --output /dev/null --output /dev/null --write-out '%{num_connects} ' \
        "$base/hello.txt" "$base/large.bin" "$base/nothing-here" "$base/hello.txt") || return 1
    same "$counts" '1 0 0 0 '
}

closed_when_asked() {
    get 200 --header 'Connection: close' "$base/hello.txt" && same "$(field Connection)" close &&
        raw 'GET /hello.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | grep -q 'hello, file'
}

# Without ALPN, because curl would offer "http/1.0" alone, which the server does not choose.
http_1_0() {
    get 200 --http1.0 --no-alpn "$base/hello.txt" && cmp "$work/body" "$directory/hello.txt" &&
        absent Transfer-Encoding &&
        raw 'GET /hello.txt HTTP/1.0\r\n\r\n' >"$work/answer" &&
        grep -q 'hello, file' "$work/answer" && grep -q '^HTTP/1.1 200' "$work/answer"
}

http_1_0_kept_alive() {
    raw "GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello.txt HTTP/1.0\r\n\r\n" \
        >"$work/answer"
    same "$(grep -c 'hello, file' "$work/answer")" 2 &&
        same "$(grep -ci '^connection: keep-alive' "$work/answer")" 1
}

pipelined() {
    local request='GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n' requests='' i
    for i in $(seq 100); do
        requests=$requests$request
    done
    raw "${requests}GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\nGET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" \
        | tr -d '\0' >"$work/answer"
    same "$(grep -a -c '^hello, file' "$work/answer")" 100 &&
        same "$(grep -a -c 'HTTP/1.1 200' "$work/answer")" 102
}

not_found() {
    get 404 "$base/nothing-here" && field Date && field Content-Length &&
        get 404 "$base/hello.txt/below"
}

refused_kinds_of_file() {
    get 403 "$base/folder" && get 403 "$base/pipe" && get 403 "$base/" &&
        get 200 "$base/hello.txt"
}

paths_are_decoded() {
    get 200 "$base/a%20b.txt" && same "$(cat "$work/body")" 'name with a space' &&
        get 200 "$base/show/x%2Fy/%41?q=%20&r" &&
        same "$(cat "$work/body")" '/show/x/y/A?q=%20&r' &&
        get 200 "$base/show/a/./b/../c" && same "$(cat "$work/body")" /show/a/c &&
        get 200 "$base/../../show/x" && same "$(cat "$work/body")" /show/x &&
        get 200 "$base/folder/%2e%2e/show/y" && same "$(cat "$work/body")" /show/y &&
        get 400 "$base/hello.txt%00" && get 400 "$base/%zz"
}

absolute_form() {
    get 200 --request-target "http://example.com/show/here?x" "$base/" &&
        same "$(cat "$work/body")" '/show/here?x'
}

other_methods() {
    local method
    for method in POST PUT DELETE OPTIONS TRACE PATCH; do
        get 405 --request "$method" "$base/hello.txt" || { echo "$method"; return 1; }
        field Allow | grep -qw GET && field Allow | grep -qw HEAD || return 1
    done
    get 501 --request BREW "$base/hello.txt"
}

upload_is_discarded() {
    head -c 100000 /dev/zero >"$work/upload"
    get 405 --data-binary "@$work/upload" "$base/hello.txt" &&
        get 200 --request GET --data-binary "@$work/upload" "$base/hello.txt" &&
        cmp "$work/body" "$directory/hello.txt" &&
        get 200 --request GET --header 'Transfer-Encoding: chunked' \
            --data-binary "@$work/upload" "$base/hello.txt" &&
        cmp "$work/body" "$directory/hello.txt"
}

upload_with_expect() {
    head -c 500000 /dev/zero >"$work/upload"
    get 200 --request GET --header 'Expect: 100-continue' --expect100-timeout 20 \
        --data-binary "@$work/upload" "$base/hello.txt" &&
        grep -q '^HTTP/1.1 100' "$work/head" && cmp "$work/body" "$directory/hello.txt"
}

too_large_an_upload() {
    head -c 5000000 /dev/zero >"$work/upload"
    get 413 --request GET --header 'Expect:' --data-binary "@$work/upload" "$base/hello.txt" &&
        same "$(field Connection)" close
}

h2c_offer_is_ignored() {
    get 200 --http2 "$base/hello.txt" && grep -q '^HTTP/1.1 200' "$work/head" &&
        absent Upgrade && cmp "$work/body" "$directory/hello.txt"
}

h2_preface_is_refused() {
    raw 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' | grep -q '^HTTP/1.1 505'
}

handshake_without_its_fields() {
    get 426 --header 'Connection: Upgrade' --header 'Upgrade: websocket' \
        --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$base/" &&
        same "$(field Upgrade)" websocket && same "$(field Sec-WebSocket-Version)" '13, 8, 7'
}

parallel_downloads() {
    local i arguments=()
    for i in $(seq 20); do
        arguments+=(--output "$work/parallel.$i" "$base/large.bin")
    done
    curl --silent --show-error --max-time 60 --parallel --parallel-max 20 "${arguments[@]}" ||
        return 1
    for i in $(seq 20); do
        cmp "$work/parallel.$i" "$directory/large.bin" || return 1
    done
}

slow_download() {
    curl --silent --show-error --max-time 30 --limit-rate 2M --output "$work/slow" \
        "$base/large.bin" && cmp "$work/slow" "$directory/large.bin"
}

broken_off_download() {
    curl --silent --max-time 30 "$base/large.bin" | head -c 100000 >"$work/part"
    head -c 100000 "$directory/large.bin" | cmp - "$work/part" && get 200 "$base/hello.txt"
}

step 'a whole file' whole_file
step 'an empty file' empty_file
step 'dates' dates_are_http_dates
step 'HEAD' head_request
step 'HEAD knows no ranges' head_ignores_ranges
step 'HEAD and GET have the same fields' head_and_get_agree
step 'ranges' ranges
step 'ranges that cannot be satisfied' unsatisfiable_ranges
step 'ranges that are ignored' ignored_ranges
step 'a resumed download' resumed_download
step 'If-Modified-Since' if_modified_since
step 'If-Modified-Since in the obsolete formats' obsolete_dates
step 'If-Range' if_range
step 'keep-alive' kept_alive
step 'Connection: close' closed_when_asked
step 'HTTP/1.0' http_1_0
step 'HTTP/1.0 with keep-alive' http_1_0_kept_alive
step 'pipelined requests' pipelined
step 'missing files' not_found
step 'a folder and a pipe' refused_kinds_of_file
step 'paths' paths_are_decoded
step 'absolute form' absolute_form
step 'other methods' other_methods
step 'an upload is discarded' upload_is_discarded
step 'an upload with Expect' upload_with_expect
step 'too large an upload' too_large_an_upload
step 'an offer of h2c is ignored' h2c_offer_is_ignored
step 'the preface of HTTP/2 is refused' h2_preface_is_refused
step 'a handshake without a version' handshake_without_its_fields
step 'parallel downloads' parallel_downloads
step 'a slow download' slow_download
step 'a download that is broken off' broken_off_download
summary
