#!/bin/sh
# The behaviour tests with permessage-deflate on one loop; run from the top of the build folder.
LWS_TEST_LOOP=event
LWS_TEST_DEFLATE=1
export LWS_TEST_LOOP LWS_TEST_DEFLATE
exec tests/behaviour/behaviour_tests
