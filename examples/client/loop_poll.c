/* Without a loop of one's own: the library waits. */
#include <libwebsockets.h>
#include <lws_poll.h>

#include "loops.h"

int loop_run_poll(struct libwebsocket_context *context, const bool *ended)
{
    int result = lws_poll_attach(context);

    while (result == 0 && !*ended)
        result = libwebsocket_service(context, -1);
    if (!*ended)
        libwebsocket_context_destroy(context);
    return result;
}
