/* The program of a user of lwsloop-poll: libwebsocket_service() is its loop. */
#include "echo.h"

#include <lws_poll.h>

int main(void)
{
    pid_t client;
    struct libwebsocket_context *context = start_with_client(&client);

    if (lws_poll_attach(context) < 0)
        fail("lws_poll_attach");
    while (!over) {
        if (libwebsocket_service(context, 1000) < 0)
            fail("libwebsocket_service");
    }
    libwebsocket_context_destroy(context);
    return result_of(client);
}
