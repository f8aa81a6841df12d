#!/bin/sh
# The programs in README.md compile without a warning against what was built, and do what is said
# there. Run from the top of the build folder.
#
# What the servers are tried with is Python's websockets. Where that is not there they are only
# compiled, and the test counts as skipped; with LWS_REQUIRE_PEERS=1 it fails.
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}
programs="first_uv first_event first_poll ticks watch count ask echo say own"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0
compiled=0
skipped=0

complain() {
    echo "$1"
    status=1
}

# The first line of each C block is a comment with the file's name.
awk -v folder="$work" '
    /^```/ {
        inside = $0 == "```c"
        file = ""
        next
    }
    inside && file == "" {
        file = $0 ~ /^\/\* [a-z_]+\.c \*\/$/ ? folder "/" $2 : folder "/nameless"
    }
    inside { print >file }' "$srcdir/README.md" || exit 1
[ ! -e "$work/nameless" ] || complain "README.md: a C block does not begin with its file's name"
# The port in the guides is a fixed one; here it has to be free.
sed -i 's/\<7681\>/atoi(getenv("PORT"))/' "$work"/*.c
for file in "$work"/*.c; do
    name=$(basename "$file" .c)
    case " $programs " in
    *" $name "*) ;;
    *) complain "README.md: nobody has said what $name.c should do" ;;
    esac
done

folders="-I$srcdir/core/include -I$srcdir/adapters/poll -I$srcdir/adapters/uv"
folders="$folders -I$srcdir/adapters/event ${UV_CFLAGS:-} ${EVENT_CFLAGS:-}"

# library_of FILE: the library that goes with the header it includes.
library_of() {
    case $(sed -n -E 's/^#include <(lws_[a-z]+|libwebsockets)\.h>$/\1/p' "$1") in
    lws_uv) echo adapters/uv/liblwsloop-uv.la ;;
    lws_event) echo adapters/event/liblwsloop-event.la ;;
    lws_poll) echo adapters/poll/liblwsloop-poll.la ;;
    libwebsockets) echo core/liblwsloop.la ;;
    esac
}

# libraries_for LIBRARY: what else a program has to be linked with.
libraries_for() {
    case $1 in
    *-uv.la) echo "${UV_LIBS:-}" ;;
    *-event.la) echo "${EVENT_LIBS:-}" ;;
    esac
}

for name in $programs; do
    if [ ! -e "$work/$name.c" ]; then
        complain "README.md: $name.c is not there"
        continue
    fi
    library=$(library_of "$work/$name.c")
    if [ -z "$library" ]; then
        complain "README.md: $name.c includes none of the headers"
        continue
    fi
    if [ ! -e "$library" ]; then
        echo "$name.c: $library is not built"
        continue
    fi
    # The flags are lists of words.
    # shellcheck disable=SC2046,SC2086
    if ! ./libtool --silent --tag=CC --mode=link $CC -std=gnu11 -include stdlib.h -Wall -Wextra -Werror \
        ${SANITIZER_FLAGS:-} $folders -no-install -o "$work/$name" "$work/$name.c" "$library" \
        core/liblwsloop.la $(libraries_for "$library"); then
        complain "README.md: $name.c does not compile"
        continue
    fi
    compiled=$((compiled + 1))
done
for name in $programs; do
    [ -x "$work/$name" ] || continue
    result=77
    if command -v "$python" >/dev/null; then
        "$python" "$srcdir/tests/check_readme.py" "$work" "$name"
        result=$?
    fi
    case $result in
    0) ;;
    77)
        echo "SKIP: $name.c was compiled and not run: Python or its websockets is not there"
        skipped=$((skipped + 1))
        ;;
    *) complain "README.md: $name.c does not do what is said of it" ;;
    esac
done
[ "$compiled" -gt 0 ] || complain "nothing was compiled"
if [ "$skipped" -gt 0 ] && [ "${LWS_REQUIRE_PEERS:-}" = 1 ]; then
    complain "$skipped programs were not run, and LWS_REQUIRE_PEERS=1 is set"
fi
echo "$compiled programs, $skipped of them only compiled"
[ "$status" -ne 0 ] || [ "$skipped" -eq 0 ] || exit 77
exit "$status"
