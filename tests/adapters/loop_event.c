#include "loop.h"

#include <check.h>

#include "fake_engine.h"
#include "lws_event.h"

const char loop_name[] = "adapter-event";
const int loop_forwards = 0;
const int loop_refuses_files = 1;
const int loop_reports_unwanted = 0;
const int loop_is_held_by_helpers = 1;
const int loop_nests = 0;
const int loop_adopts = 0;
const int loop_tells_owner = 0;
const int loop_closes_all = 0;

static struct event_base *base;

void loop_open(void)
{
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
}

int loop_attach(void)
{
    return lws_event_attach(fake_context, base);
}

void loop_turn(void)
{
    ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

int loop_is_held(void)
{
    return event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) > 0;
}

void loop_reinit(void)
{
    ck_assert_int_eq(event_reinit(base), 0);
}

void loop_close_all(void)
{
}

void loop_close(void)
{
    ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
    event_base_free(base);
}
