/* The program of a user of lwsloop-uv: the loop ends of itself when the context is destroyed. */
#include "echo.h"

#include <lws_uv.h>

int main(void)
{
    uv_loop_t loop;
    pid_t client;
    struct libwebsocket_context *context = start_with_client(&client);

    destroy_when_over = 1;
    if (uv_loop_init(&loop) < 0)
        fail("uv_loop_init");
    if (lws_uv_attach(context, &loop) < 0)
        fail("lws_uv_attach");
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0)
        fail("uv_run");
    if (uv_loop_close(&loop) < 0)
        fail("uv_loop_close");
    return result_of(client);
}
