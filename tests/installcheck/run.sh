#!/bin/sh
# Builds and runs one small program for each adapter given, from what `make install` has installed
# and with nothing but what pkg-config says. `make installcheck` calls it.
#
# Usage: run.sh ADAPTER… with CC, CFLAGS, PKG_CONFIG, pkgconfigdir and libdir in the environment
set -u
: "${pkgconfigdir:?}" "${libdir:?}"
programs=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
PKG_CONFIG_PATH=$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH
passed=0
failed=0

# Inside $work, so that nothing of the tree or the build folder is found by accident.
cd "$work" || exit 1
for adapter; do
    # shellcheck disable=SC2086
    if flags=$($PKG_CONFIG --cflags --libs "lwsloop-$adapter") &&
        $CC $CFLAGS -o "$adapter" "$programs/$adapter.c" $flags &&
        LD_LIBRARY_PATH=$LD_LIBRARY_PATH "./$adapter"; then
        echo "PASS: installcheck $adapter"
        passed=$((passed + 1))
    else
        echo "FAIL: installcheck $adapter"
        failed=$((failed + 1))
    fi
done
echo "installcheck: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
