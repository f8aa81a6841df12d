/*
 * What the user does: standard input, Ctrl-C, and the clock that pings go by. A thread waits for
 * it, since standard input may be a file or a device, which not every loop can watch, and hands it
 * to the thread of the loop with lws_call_in_service().
 */
#ifndef CLIENT_INPUT_H
#define CLIENT_INPUT_H

#include <pthread.h>
#include <stdbool.h>

#include <libwebsockets.h>

enum { INPUT_MOST = 65536 };

/* Called inside the engine. */
typedef void(input_function)(struct libwebsocket_context *context, void *argument);

struct input {
    /* What is called, and with what; to be filled in before input_start(). */
    input_function *arrived;     /* something was read: see below */
    input_function *interrupted; /* SIGINT or SIGTERM: the first one; a second ends the process */
    input_function *ping_due;
    void *argument;
    int ping_seconds; /* 0 for no pings */

    /*
     * From `arrived` to input_more() this is the loop's, otherwise the thread's: length bytes at
     * input_bytes(), or none at the end of the input, with errno in error where it could not be
     * read. What is around them is for libwebsocket_write().
     */
    size_t length;
    int error;
    unsigned char space[LWS_SEND_BUFFER_PRE_PADDING + INPUT_MOST + LWS_SEND_BUFFER_POST_PADDING];

    struct libwebsocket_context *context;
    pthread_t thread;
    int commands[2]; /* a pipe, for single bytes to the thread */
    bool started;
};

static inline unsigned char *input_bytes(struct input *input)
{
    return input->space + LWS_SEND_BUFFER_PRE_PADDING;
}

/* Returns 0, or -1 with errno. */
int input_start(struct input *input, struct libwebsocket_context *context);

/* Asks for more after `arrived`; not after the end of the input. */
void input_more(struct input *input);

/* Nothing is called any more, except what was on its way. Harmless where it is not started. */
void input_stop(struct input *input);

#endif
