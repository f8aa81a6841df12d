#!/bin/sh
# What docs/extensions.md quotes of examples/checksum.c is there, and that example, and the program
# in the guide itself, do what is said of them. Run from the top of the build folder.
#
# It is skipped where Python is not there; with LWS_REQUIRE_PEERS=1 it fails.
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}
guide=$srcdir/docs/extensions.md
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# The port in the guide is a fixed one; here it has to be free.
awk '
    /^```/ {
        inside = $0 == "```c"
        next
    }
    inside && /^\/\* packed\.c \*\/$/ { whole = 1 }
    !inside { whole = 0 }
    whole' "$guide" | sed 's/\<7681\>/atoi(getenv("PORT"))/' >"$work/packed.c" || exit 1
# The flags are lists of words.
# shellcheck disable=SC2086
if ! ./libtool --silent --tag=CC --mode=link $CC -std=gnu11 -include stdlib.h -Wall -Wextra -Werror \
    ${SANITIZER_FLAGS:-} "-I$srcdir/core/include" "-I$srcdir/adapters/poll" -no-install \
    -o "$work/packed" "$work/packed.c" adapters/poll/liblwsloop-poll.la core/liblwsloop.la; then
    echo "docs/extensions.md: packed.c does not compile"
    exit 1
fi
if ! command -v "$python" >/dev/null; then
    [ "${LWS_REQUIRE_PEERS:-}" != 1 ] || { echo "Python is not there" && exit 1; }
    echo "SKIP: Python is not there"
    exit 77
fi
"$python" "$srcdir/tests/check_extensions_guide.py" "$guide" "$srcdir/examples/checksum.c" \
    "$PWD/examples/checksum" "$work"
