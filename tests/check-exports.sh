#!/bin/sh
# Each library exports the functions in its list in tests/exports/, and nothing else; all lists
# together are what the public headers declare. Run from the top of the build folder.
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
NM=${NM:-nm}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
status=0

complain() {
    echo "$1"
    status=1
}

# exported LIBRARY: what it defines for others, apart from what linkers and sanitizers add.
exported() {
    $NM -D --defined-only --format=posix "$1" | awk '$2 != "A" { sub(/@.*/, "", $1); print $1 }' |
        grep -v -x -E '_init|_fini|_end|_edata|__bss_start|__(odr_)?(asan|ubsan|tsan|msan|sanitizer|sancov|start|stop)[_.].*|___asan_.*' |
        sort -u
}

# compare TITLE EXPECTED FOUND: names on one side only are an error.
compare() {
    comm -13 "$2" "$3" >"$work/extra"
    comm -23 "$2" "$3" >"$work/missing"
    [ ! -s "$work/extra" ] || complain "$1, not in the list: $(tr '\n' ' ' <"$work/extra")"
    [ ! -s "$work/missing" ] || complain "$1, missing: $(tr '\n' ' ' <"$work/missing")"
}

if [ ! -e core/.libs/liblwsloop.so ]; then
    echo "there are no shared libraries to look at"
    exit 77
fi

: >"$work/listed"
headers=$(cd "$srcdir/core/include" && echo *.h)
folders="-I$srcdir/core/include"
for library in core/liblwsloop adapters/poll/liblwsloop-poll adapters/uv/liblwsloop-uv \
    adapters/event/liblwsloop-event; do
    name=${library##*/}
    file=${library%/*}/.libs/$name.so
    if [ ! -e "$file" ]; then
        echo "$name is not built, and not checked"
        continue
    fi
    case $library in
    adapters/*)
        folders="$folders -I$srcdir/${library%/*}"
        headers="$headers $(cd "$srcdir/${library%/*}" && echo lws_"${name#liblwsloop-}".h)"
        ;;
    esac
    sort -u "$srcdir/tests/exports/$name.txt" >"$work/list"
    cat "$work/list" >>"$work/listed"
    exported "$file" >"$work/exported"
    compare "$name" "$work/list" "$work/exported"
    foreign=$(grep -v '^lwsloop_' "$work/exported" | tr '\n' ' ')
    [ -z "$foreign" ] || complain "$name, without lwsloop_ in front: $foreign"
    echo "$name: $(wc -l <"$work/exported") names"
done

for header in $headers; do
    echo "#include <$header>"
done >"$work/all.c"
# What is declared depends on the level: each day on which it changes counts.
for day in $("$srcdir/tests/api-days.sh" "$srcdir/core/include"); do
    # The flags are lists of words.
    # shellcheck disable=SC2086
    $CC "-DLWS_API_LEVEL=$day" $folders ${UV_CFLAGS:-} ${EVENT_CFLAGS:-} -E "$work/all.c" \
        >>"$work/all.i" || exit 1
done
grep -o -E '"lwsloop_"( *"[^"]*")+' "$work/all.i" | sed 's/[" ]//g' | sort -u >"$work/declared"
[ -s "$work/declared" ] || complain "no declarations were found in the headers"
sort -u "$work/listed" -o "$work/listed"
compare "declared in the headers" "$work/listed" "$work/declared"
exit $status
