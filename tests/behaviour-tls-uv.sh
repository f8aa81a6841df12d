#!/bin/sh
# The behaviour tests over TLS on one loop; run from the top of the build folder.
# LWS_TEST_BRIEF=1 leaves them out: most of what they meet is met without it, too.
[ "${LWS_TEST_BRIEF:-}" != 1 ] || exit 77
LWS_TEST_LOOP=uv
LWS_TEST_TLS=1
export LWS_TEST_LOOP LWS_TEST_TLS
exec "$(dirname "$0")/behaviour/run.sh"
