#!/bin/bash
# Runs tests/many/pairs on each loop, encrypted and not; run from the top of the build folder.
#
# Usage: run.sh [COUNT]      (100)
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
count=${1:-100}
work=$(mktemp -d /tmp/lwsloop-many-XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# run NAME LOOP [CERTIFICATES]
run() {
    local good bad
    echo "--- $1, $2"
    tests/many/pairs "$2" "$count" ${3:+"$3"} >"$work/log" 2>&1
    grep -v -E '^[0-9]+ passed, ' "$work/log"
    if read -r good _ bad _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/log"); then
        passed=$((passed + good))
        failed=$((failed + bad))
    else
        echo "FAILED  it comes to its end"
        failed=$((failed + 1))
    fi
}

"$here/../support/certificates.sh" "$work/certificates" || exit 1
for loop in poll uv event; do
    run ws "$loop"
    run wss "$loop" "$work/certificates"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
