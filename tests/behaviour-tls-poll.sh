#!/bin/sh
# The behaviour tests over TLS on one loop; run from the top of the build folder.
# LWS_TEST_BRIEF has them on another adapter only, unless it is "own".
case ${LWS_TEST_BRIEF:-own} in
own) ;;
*) exit 77 ;;
esac
LWS_TEST_LOOP=poll
LWS_TEST_TLS=1
export LWS_TEST_LOOP LWS_TEST_TLS
exec "$(dirname "$0")/behaviour/run.sh"
