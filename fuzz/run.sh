#!/bin/sh
# Runs fuzzers that `make fuzz` has built, one after the other, from their seeds and from what
# earlier runs have found.
#
# Usage: fuzz/run.sh BUILD-FOLDER SECONDS [TARGET…]
#
# BUILD-FOLDER is the fuzz folder of the build. Inputs that reach new code are kept in
# BUILD-FOLDER/found/TARGET, those that break something are named BUILD-FOLDER/broken/TARGET-….
# Ends with 0 if nothing broke. FUZZ_OPTIONS has further options of libFuzzer's.
set -u
if [ $# -lt 2 ]; then
    sed -n '/^# Usage/s/^# //p' "$0" >&2
    exit 2
fi
source=$(cd "$(dirname "$0")" && pwd) || exit 1
seeds=$source/corpus
build=$1/fuzzers
kept=$1/found
broken=$1/broken
seconds=$2
shift 2
if [ $# -eq 0 ]; then
    for folder in "$seeds"/*/; do
        set -- "$@" "$(basename "$folder")"
    done
fi
status=0
for target; do
    mkdir -p "$kept/$target" "$broken" || exit 1
    echo "== $target"
    # Words are to be split: it is a list.
    # shellcheck disable=SC2086
    "$build/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -dict="$source/http.dict" -artifact_prefix="$broken/$target-" ${FUZZ_OPTIONS:-} "$kept/$target" \
        "$seeds/$target" >"$broken/$target.log" 2>&1 || status=1
    grep -a -E 'cov: [0-9]+.*DONE|does not hold|ERROR: |SUMMARY|Test unit written|runtime error|stat::(number|average|peak)' \
        "$broken/$target.log"
done
exit $status
