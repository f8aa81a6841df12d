/* On libevent. When the context and the signals are gone the base has no event, and ends. */
#include "loops.h"

#ifdef HAVE_LWS_EVENT

#include <signal.h>

#include <libwebsockets.h>
#include <lws_event.h>

struct event_demo {
    struct libwebsocket_context *context;
    struct event *interrupt;
    struct event *terminate;
    int failed;
};

static void end(evutil_socket_t number, short what, void *argument)
{
    struct event_demo *demo = argument;
    (void)number;
    (void)what;
    libwebsocket_context_destroy(demo->context);
    demo->context = NULL;
    if (event_del(demo->interrupt) != 0 || event_del(demo->terminate) != 0)
        demo->failed = 1;
}

int loop_run_event(struct libwebsocket_context *context, const char *announcement)
{
    struct event_demo demo = {.context = context};
    struct event_base *base = event_base_new();
    int result = -1;

    if (!base)
        goto done;
    demo.interrupt = evsignal_new(base, SIGINT, end, &demo);
    demo.terminate = evsignal_new(base, SIGTERM, end, &demo);
    if (!demo.interrupt || !demo.terminate || event_add(demo.interrupt, NULL) != 0 ||
        event_add(demo.terminate, NULL) != 0 || lws_event_attach(context, base) != 0)
        goto done;
    if (loop_announce(announcement) == 0 && event_base_dispatch(base) >= 0 && !demo.failed)
        result = 0;
done:
    libwebsocket_context_destroy(demo.context);
    if (demo.interrupt)
        event_free(demo.interrupt);
    if (demo.terminate)
        event_free(demo.terminate);
    if (base)
        event_base_free(base);
    return result;
}

#endif
