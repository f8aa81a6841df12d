/* On libuv. When the context and the signals are gone the loop is empty, and ends by itself. */
#include "loops.h"

#ifdef HAVE_LWS_UV

#include <signal.h>

#include <libwebsockets.h>
#include <lws_uv.h>

struct uv_demo {
    struct libwebsocket_context *context;
    uv_signal_t interrupt;
    uv_signal_t terminate;
};

static void end(uv_signal_t *signal, int number)
{
    struct uv_demo *demo = signal->data;
    (void)number;
    libwebsocket_context_destroy(demo->context);
    demo->context = NULL;
    uv_close((uv_handle_t *)&demo->interrupt, NULL);
    uv_close((uv_handle_t *)&demo->terminate, NULL);
}

static int start(uv_loop_t *loop, struct uv_demo *demo, const char *announcement)
{
    if (uv_signal_start(&demo->interrupt, end, SIGINT) != 0 ||
        uv_signal_start(&demo->terminate, end, SIGTERM) != 0 ||
        lws_uv_attach(demo->context, loop) != 0)
        return -1;
    return loop_announce(announcement);
}

int loop_run_uv(struct libwebsocket_context *context, const char *announcement)
{
    struct uv_demo demo = {.context = context};
    uv_loop_t loop;
    int result = -1;

    if (uv_loop_init(&loop) != 0) {
        libwebsocket_context_destroy(context);
        return -1;
    }
    demo.interrupt.data = &demo;
    demo.terminate.data = &demo;
    if (uv_signal_init(&loop, &demo.interrupt) != 0)
        goto done;
    if (uv_signal_init(&loop, &demo.terminate) != 0) {
        uv_close((uv_handle_t *)&demo.interrupt, NULL);
        goto done;
    }
    result = start(&loop, &demo, announcement);
    if (result != 0)
        end(&demo.interrupt, 0);
done:
    if (uv_run(&loop, UV_RUN_DEFAULT) != 0)
        result = -1;
    libwebsocket_context_destroy(demo.context);
    if (uv_loop_close(&loop) != 0)
        result = -1;
    return result;
}

#endif
