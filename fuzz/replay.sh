#!/bin/sh
# Gives the seeds of each fuzzing target to a build of it that needs no fuzzer. Run from the top of
# the build folder.
set -u
seeds=${srcdir:-.}/fuzz/corpus
status=0
targets=0
for folder in "$seeds"/*/; do
    target=$(basename "$folder")
    targets=$((targets + 1))
    printf '%-20s' "$target"
    if ! output=$(fuzz/replay_"$target" "$folder" 2>&1); then
        echo "FAILED"
        status=1
    fi
    echo "$output" | tail -n "$((status * 20 + 1))"
done
if [ $targets -eq 0 ]; then
    echo "There are no seeds in $seeds"
    status=1
fi
exit $status
