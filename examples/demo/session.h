/*
 * One connection to the room. Its subprotocol, "lwsloop-room", is lines of text from the browser
 *
 *   join NAME    comes first; later, it gives oneself another name
 *   say TEXT
 *   ping WORD    answered with a pong that has the same word
 *
 * and JSON from the server, one object in each message: welcome, people, pong, and the numbered
 * lines joined, renamed, said and left.
 */
#ifndef DEMO_SESSION_H
#define DEMO_SESSION_H

#include <libwebsockets.h>

#include "room.h"

enum { SESSION_COMMAND_SIZE = 3100, SESSION_PING_SIZE = 24 };

struct session {
    struct person person; /* its id is 0 before it has joined */
    bool welcomed;
    unsigned int people_version; /* of the list it has been sent */
    uint64_t next_line;
    char ping[SESSION_PING_SIZE]; /* the newest that is not answered yet, or empty */
    long long allowance;          /* how much it may send, as milliseconds it has been quiet */
    long long allowance_time;
    size_t length; /* of what has arrived of a command */
    char command[SESSION_COMMAND_SIZE];
};

/* The protocol of the room; the context's user is a struct room. */
callback_function session_callback;

#endif
