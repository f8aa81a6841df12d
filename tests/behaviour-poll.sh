#!/bin/sh
# The behaviour tests on one loop; run from the top of the build folder.
LWS_TEST_LOOP=poll
export LWS_TEST_LOOP
exec "$(dirname "$0")/behaviour/run.sh"
