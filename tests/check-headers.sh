#!/bin/sh
# Each public header compiles by itself, in C11 and C++17, with every compiler that is there, without
# a warning. Run from the top of the build folder.
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

# compile COMPILER LANGUAGE STANDARD
compile() {
    command -v "$1" >/dev/null || return 0
    for header in $headers; do
        # <uv.h> wants more of the system's names than plain C11 shows.
        names=
        [ "$header" != lws_uv.h ] || names=-D_GNU_SOURCE
        # Twice, for the guard.
        printf '#include <%s>\n#include <%s>\nextern int alone;\n' "$header" "$header" \
            >"$work/alone.$2"
        tried=$((tried + 1))
        # The flags are lists of words.
        # shellcheck disable=SC2086
        if ! "$1" "-std=$3" -Wall -Wextra -Werror -pedantic -fsyntax-only $names $folders \
            ${UV_CFLAGS:-} ${EVENT_CFLAGS:-} "$work/alone.$2"; then
            echo "$header does not compile alone: $1 -std=$3"
            status=1
        fi
    done
}

compile gcc c c11
compile g++ cc c++17
compile clang c c11
compile clang++ cc c++17
if [ "$tried" -eq 0 ]; then
    echo "neither gcc nor clang is there"
    exit 77
fi
echo "$tried compilations"
exit $status
