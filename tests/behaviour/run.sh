#!/bin/sh
# The behaviour tests as LWS_TEST_LOOP and others say, in parts side by side: what they do most is
# wait. Run from the top of the build folder.
set -u
parts=3
output=$(mktemp -d) || exit 1
running=
# shellcheck disable=SC2086
trap '[ -z "$running" ] || kill $running 2>/dev/null; rm -rf "$output"' EXIT
trap 'exit 1' HUP INT TERM

part=0
while [ $part -lt $parts ]; do
    tests/behaviour/behaviour_tests $part $parts >"$output/$part" 2>&1 &
    running="$running $!"
    part=$((part + 1))
done
result=0
for pid in $running; do
    wait "$pid" || result=1
done
running=
cat "$output"/*
exit $result
