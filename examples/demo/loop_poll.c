/* Without a loop of one's own: the library waits, and a signal ends the waiting. */
#include <signal.h>

#include <libwebsockets.h>
#include <lws_poll.h>

#include "loops.h"

enum {
    /* A signal that arrives just before the wait does not interrupt it, so it is not for ever. */
    LONGEST_WAIT_MS = 500
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    ended = number;
}

int loop_run_poll(struct libwebsocket_context *context, const char *announcement)
{
    struct sigaction action = {.sa_handler = end};
    int result = -1;

    if (sigemptyset(&action.sa_mask) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
        sigaction(SIGTERM, &action, NULL) == 0 && lws_poll_attach(context) == 0)
        result = loop_announce(announcement);
    while (result == 0 && !ended)
        result = libwebsocket_service(context, LONGEST_WAIT_MS);
    libwebsocket_context_destroy(context);
    return result;
}
