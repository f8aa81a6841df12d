#include "loop.h"

#include <check.h>

#include "fake_engine.h"
#include "lws_poll.h"

#ifdef LWS_POLL_PORTABLE
const char loop_name[] = "adapter-poll-portable";
const int loop_refuses_files = 0;
#else
const char loop_name[] = "adapter-poll";
const int loop_refuses_files = 1;
#endif
const int loop_forwards = 1;
const int loop_reports_unwanted = 1;
const int loop_is_held_by_helpers = 1;
const int loop_nests = 1;
const int loop_adopts = 1;
const int loop_tells_owner = 0;
const int loop_closes_all = 0;

void loop_open(void)
{
}

int loop_attach(void)
{
    return lws_poll_attach(fake_context);
}

void loop_turn(void)
{
    ck_assert_int_eq(libwebsocket_service(fake_context, 0), 0);
}

int loop_is_held(void)
{
    return 1;
}

void loop_reinit(void)
{
}

void loop_close_all(void)
{
}

void loop_close(void)
{
}
