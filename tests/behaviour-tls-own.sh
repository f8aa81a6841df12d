#!/bin/sh
# The behaviour tests over TLS on one loop; run from the top of the build folder.
# LWS_TEST_BRIEF leaves them to the adapters.
[ -z "${LWS_TEST_BRIEF:-}" ] || exit 77
LWS_TEST_LOOP=own
LWS_TEST_TLS=1
export LWS_TEST_LOOP LWS_TEST_TLS
exec "$(dirname "$0")/behaviour/run.sh"
