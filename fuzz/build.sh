#!/bin/sh
# Builds the fuzzers with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer. The
# whole engine is compiled for each of them, so that coverage and sanitizers see all of it.
#
# Usage: fuzz/build.sh SOURCE-FOLDER BUILD-FOLDER TARGET… -- ENGINE-SOURCE…
# Set in the environment by `make fuzz`: FUZZ_CC, FUZZ_CPPFLAGS, FUZZ_LIBS.
set -eu
FUZZ_CC=${FUZZ_CC:-clang}
source=$1
build=$2
shift 2
targets=
while [ "$1" != -- ]; do
    targets="$targets $1"
    shift
done
shift
flags="-g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -std=gnu11 -pthread"
flags="$flags -fsanitize=address,undefined"

if ! command -v "$FUZZ_CC" >/dev/null; then
    echo "$FUZZ_CC is needed (on Debian: clang and libclang-rt-14-dev), or another in FUZZ_CC" >&2
    exit 1
fi
objects=$build/objects
rm -rf "$objects"
mkdir -p "$objects"
# Words are to be split here and below: these are lists.
# shellcheck disable=SC2086
compile() {
    name=$(echo "${1%.c}.o" | tr / _)
    echo "  FUZZ     $1"
    "$FUZZ_CC" $flags -fsanitize=fuzzer-no-link ${FUZZ_CPPFLAGS:-} -I"$source/core" \
        -I"$source/core/include" -c "$source/$1" -o "$objects/$name"
}
for file; do
    case $file in
    *.c) compile "$file" ;;
    esac
done
rm -f "$build/libengine.a"
ar cr "$build/libengine.a" "$objects"/*.o
for target in $targets; do
    compile "fuzz/$target.c"
    # shellcheck disable=SC2086
    "$FUZZ_CC" $flags -fsanitize=fuzzer "$objects/fuzz_$target.o" "$build/libengine.a" \
        ${FUZZ_LIBS:-} -o "$build/$target"
done
echo "Built in $build; fuzz/run.sh runs them"
