#!/bin/sh
# The behaviour tests on one loop; run from the top of the build folder.
# LWS_TEST_BRIEF=1 has each kind of them on one adapter only, and this is another.
[ "${LWS_TEST_BRIEF:-}" != 1 ] || exit 77
LWS_TEST_LOOP=event
export LWS_TEST_LOOP
exec "$(dirname "$0")/behaviour/run.sh"
