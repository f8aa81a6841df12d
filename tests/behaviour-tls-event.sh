#!/bin/sh
# The behaviour tests over TLS on one loop; run from the top of the build folder.
# LWS_TEST_BRIEF=1 has each kind of them on one adapter only, and this is another.
[ "${LWS_TEST_BRIEF:-}" != 1 ] || exit 77
LWS_TEST_LOOP=event
LWS_TEST_TLS=1
export LWS_TEST_LOOP LWS_TEST_TLS
exec tests/behaviour/behaviour_tests
