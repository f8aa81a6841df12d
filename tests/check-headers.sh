#!/bin/sh
# Each public header compiles by itself, in C11 and C++17, with every compiler that is there, without
# a warning, at the default level and the first; and all of them do at each. Run from the top of the
# build folder.
set -u
srcdir=${srcdir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0
tried=0

folders="-I$srcdir/core/include -I$srcdir/adapters/poll -I$srcdir/adapters/uv -I$srcdir/adapters/event"
headers="$(cd "$srcdir/core/include" && echo *.h) lws_poll.h"
[ ! -e adapters/uv/liblwsloop-uv.la ] || headers="$headers lws_uv.h"
[ ! -e adapters/event/liblwsloop-event.la ] || headers="$headers lws_event.h"

# compile COMPILER LANGUAGE STANDARD LEVEL HEADER
compile() {
    # <uv.h> wants more of the system's names than plain C11 shows.
    names=
    [ "$5" != lws_uv.h ] || names=-D_GNU_SOURCE
    # Twice, for the guard.
    printf '#include <%s>\n#include <%s>\nextern int alone;\n' "$5" "$5" >"$work/alone.$2"
    tried=$((tried + 1))
    # The flags are lists of words.
    # shellcheck disable=SC2086
    if ! "$1" "-std=$3" -Wall -Wextra -Werror -pedantic -fsyntax-only "-DLWS_API_LEVEL=$4" $names \
        $folders ${UV_CFLAGS:-} ${EVENT_CFLAGS:-} "$work/alone.$2"; then
        echo "$5 does not compile alone: $1 -std=$3 -DLWS_API_LEVEL=$4"
        status=1
    fi
}

# compile_all COMPILER LANGUAGE STANDARD
compile_all() {
    command -v "$1" >/dev/null || return 0
    for header in $headers; do
        compile "$1" "$2" "$3" 20130316 "$header"
        compile "$1" "$2" "$3" 20101218 "$header"
    done
    for level in $levels; do
        compile "$1" "$2" "$3" "$level" libwebsockets.h
    done
}

levels=$("$srcdir/tests/api-days.sh" "$srcdir/core/include")
compile_all gcc c c11
compile_all g++ cc c++17
compile_all clang c c11
compile_all clang++ cc c++17
if [ "$tried" -eq 0 ]; then
    echo "neither gcc nor clang is there"
    exit 77
fi
echo "$tried compilations"
exit $status
