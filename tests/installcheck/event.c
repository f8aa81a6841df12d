/* The program of a user of lwsloop-event: the loop ends of itself when the context is destroyed. */
#include "echo.h"

#include <lws_event.h>

int main(void)
{
    pid_t client;
    struct libwebsocket_context *context = start_with_client(&client);
    struct event_base *base = event_base_new();

    destroy_when_over = 1;
    if (!base)
        fail("event_base_new");
    if (lws_event_attach(context, base) < 0)
        fail("lws_event_attach");
    if (event_base_dispatch(base) < 0)
        fail("event_base_dispatch");
    event_base_free(base);
    return result_of(client);
}
