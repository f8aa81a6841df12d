/* On libuv. When the context is gone the loop is empty, and ends by itself. */
#include "loops.h"

#ifdef HAVE_LWS_UV

#include <libwebsockets.h>
#include <lws_uv.h>

int loop_run_uv(struct libwebsocket_context *context, const bool *ended)
{
    uv_loop_t loop;
    int result = -1;

    if (uv_loop_init(&loop) != 0) {
        libwebsocket_context_destroy(context);
        return -1;
    }
    if (lws_uv_attach(context, &loop) == 0)
        result = uv_run(&loop, UV_RUN_DEFAULT) == 0 && *ended ? 0 : -1;
    if (!*ended) {
        libwebsocket_context_destroy(context);
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    }
    return uv_loop_close(&loop) == 0 ? result : -1;
}

#endif
