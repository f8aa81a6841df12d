/* One connection, from the handshake to its end. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include <stdbool.h>

#include <libwebsockets.h>

#include "input.h"
#include "messages.h"
#include "options.h"
#include "output.h"

/* How it went: the program's exit status. */
enum outcome {
    OUTCOME_GOOD = 0,
    OUTCOME_FAILED = 1, /* no connection, or input or output did not work */
    OUTCOME_USAGE = 2,
    OUTCOME_CUT = 3 /* closed with another code than 1000 and 1001, or too early for --count */
};

struct session {
    const struct options *options; /* to be set, like output, before there is a connection */
    struct output output;
    struct input input;
    struct messages messages;

    struct libwebsocket *wsi; /* while it is open */
    bool input_waits;         /* something was read, and is not sent */
    bool input_ended;
    bool closing;         /* by us */
    bool enough;          /* nobody reads our output any more */
    int received;         /* messages, up to --count */
    long long ping_us;    /* when the last ping was sent; 0 where it was answered */
    const char *rejected; /* why the connection is not to be established after all */

    bool ended; /* and the context with it */
    enum outcome outcome;
};

/* For contexts whose user is a struct session. */
callback_function session_callback;

/* Reports what went wrong, with an errno, and returns -1. */
int session_fail(struct session *session, const char *what, int error);

#endif
