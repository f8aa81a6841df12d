#include "loop.h"

#include <check.h>

#include "fake_engine.h"
#include "lws_uv.h"

const char loop_name[] = "adapter-uv";
const int loop_forwards = 0;
const int loop_refuses_files = 1;
const int loop_reports_unwanted = 0;
const int loop_is_held_by_helpers = 0;
const int loop_nests = 0;
const int loop_adopts = 0;
const int loop_tells_owner = 1;
const int loop_closes_all = 1;

static uv_loop_t loop;

void loop_open(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

int loop_attach(void)
{
    return lws_uv_attach(fake_context, &loop);
}

void loop_turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

int loop_is_held(void)
{
    return uv_loop_alive(&loop) != 0;
}

void loop_reinit(void)
{
    ck_assert_int_eq(uv_loop_fork(&loop), 0);
}

static void close_one(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_close_all(void)
{
    uv_walk(&loop, close_one, NULL);
}

void loop_close(void)
{
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
