/* On libevent. When the context is gone the base has no event, and ends. */
#include "loops.h"

#ifdef HAVE_LWS_EVENT

#include <libwebsockets.h>
#include <lws_event.h>

int loop_run_event(struct libwebsocket_context *context, const bool *ended)
{
    struct event_base *base = event_base_new();
    int result = -1;

    if (base && lws_event_attach(context, base) == 0)
        result = event_base_dispatch(base) >= 0 && *ended ? 0 : -1;
    if (!*ended)
        libwebsocket_context_destroy(context);
    if (base)
        event_base_free(base);
    return result;
}

#endif
