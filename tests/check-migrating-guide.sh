#!/bin/bash
# The programs in docs/migrating.md compile without a warning by the commands that stand below them,
# and do what is said there. Run from the top of the build folder.
#
# What they are tried with is Python's websockets. Where that is not there they are only compiled,
# and the test counts as skipped; with LWS_REQUIRE_PEERS=1 it fails.
#
# Functions are called by the commands of the guide.
# shellcheck disable=SC2317
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}
build=$PWD
source=$(cd "$srcdir" && pwd) || exit 99
guide=$source/docs/migrating.md
programs="shout shout_uv shout_event news news_thread"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
status=0
compiled=0
skipped=0

complain() {
    echo "docs/migrating.md: $1"
    status=1
}

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
    "$build/libtool" --silent --tag=CC --mode=link $CC -std=gnu11 -include stdlib.h -Wall -Wextra \
        -Werror ${SANITIZER_FLAGS:-} -no-install "$@"
}

# The first line of each C block is a comment with the file's name; commands go into one file each.
awk -v folder="$work" '
    /^```/ {
        inside = ""
        if ($0 == "```c")
            inside = "c"
        else if ($0 == "```sh")
            inside = sprintf("%s/command-%02d", folder, ++commands)
        next
    }
    inside == "c" {
        inside = $0 ~ /^\/\* [a-z_]+\.c \*\/$/ ? folder "/" $2 : folder "/nameless"
    }
    inside { print >inside }' "$guide" || exit 1
[ ! -e "$work/nameless" ] || complain "a C block does not begin with its file's name"
# The port in the guides is a fixed one; here it has to be free.
sed -i 's/\<7681\>/atoi(getenv("PORT"))/' "$work"/*.c

cd "$work" || exit 99
for command in command-*; do
    library=$(grep -o 'lwsloop-[a-z]*' "$command")
    if [ ! -e "$build/adapters/${library#lwsloop-}/lib$library.la" ]; then
        echo "$library is not built"
        continue
    fi
    # shellcheck disable=SC1090
    if ! . "./$command"; then
        complain "this fails: $(cat "$command")"
        continue
    fi
    compiled=$((compiled + 1))
done
for file in *.c; do
    case " $programs " in
    *" ${file%.c} "*) ;;
    *) complain "nobody has said what $file should do" ;;
    esac
done
for name in $programs; do
    if ! grep -q -- "-o $name $name.c" command-*; then
        complain "no command makes $name of $name.c"
    fi
    [ -x "$name" ] || continue
    result=77
    if command -v "$python" >/dev/null; then
        "$python" "$source/tests/check_migrating_guide.py" "$work" "$name"
        result=$?
    fi
    case $result in
    0) ;;
    77)
        echo "SKIP: $name was compiled and not run: Python or its websockets is not there"
        skipped=$((skipped + 1))
        ;;
    *) complain "$name does not do what is said of it" ;;
    esac
done
[ "$compiled" -gt 0 ] || complain "nothing was compiled"
if [ "$skipped" -gt 0 ] && [ "${LWS_REQUIRE_PEERS:-}" = 1 ]; then
    complain "$skipped programs were not run, and LWS_REQUIRE_PEERS=1 is set"
fi
echo "$compiled programs, $skipped of them only compiled"
[ "$status" -ne 0 ] || [ "$skipped" -eq 0 ] || exit 77
exit "$status"
