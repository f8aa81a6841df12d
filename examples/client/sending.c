#include "sending.h"

#include <errno.h>
#include <time.h>

static long long clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void sending_close(struct session *session, struct libwebsocket_context *context)
{
    session->closing = true;
    if (lws_close(session->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0) != 0)
        libwebsocket_context_destroy(context);
}

static void on_input(struct libwebsocket_context *context, void *argument)
{
    struct session *session = argument;

    if (!session->wsi)
        return;
    session->input_waits = true;
    libwebsocket_callback_on_writable(context, session->wsi);
}

static void on_interrupt(struct libwebsocket_context *context, void *argument)
{
    struct session *session = argument;

    if (session->wsi)
        sending_close(session, context);
}

/* A server that does not answer is the library's concern: see connect.c. */
static void on_ping_due(struct libwebsocket_context *context, void *argument)
{
    struct session *session = argument;

    (void)context;
    if (session->wsi && !session->ping_us &&
        libwebsocket_write(session->wsi, NULL, 0, LWS_WRITE_PING) == 0)
        session->ping_us = clock_us();
}

void sending_pong(struct session *session)
{
    if (session->ping_us)
        output_note(
            &session->output, "pong after %.1f ms", (double)(clock_us() - session->ping_us) / 1000);
    session->ping_us = 0;
}

int sending_start(struct session *session, struct libwebsocket_context *context)
{
    struct input *input = &session->input;

    session->messages.binary = session->options->binary;
    input->arrived = on_input;
    input->interrupted = on_interrupt;
    input->ping_due = on_ping_due;
    input->argument = session;
    input->ping_seconds = session->options->ping;
    return input_start(input, context);
}

/* Everything has been sent, and no more is to come. */
static void wait_for_answers(struct session *session, struct libwebsocket_context *context)
{
    if (session->options->linger)
        libwebsocket_set_timeout(
            session->wsi, PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE, session->options->linger);
    else if (!session->options->count)
        sending_close(session, context);
}

static int finish(struct session *session, struct libwebsocket_context *context)
{
    session->input_ended = true;
    if (session->input.error)
        session_fail(session, "cannot read standard input", session->input.error);
    if (messages_finish(&session->messages, session->wsi) != 0)
        return session_fail(session, "cannot send", errno);
    libwebsocket_callback_on_writable(context, session->wsi);
    return 0;
}

/*
 * All that was written before has been taken by the system. So no more than one reading waits in
 * the library, and another one in the program, and a slow server slows down whoever writes to us.
 */
int sending_writeable(struct session *session, struct libwebsocket_context *context)
{
    struct input *input = &session->input;

    if (session->input_ended) {
        wait_for_answers(session, context);
        return 0;
    }
    if (!session->input_waits)
        return 0;
    session->input_waits = false;
    if (input->length == 0)
        return finish(session, context);
    output_typed(&session->output);
    if (messages_send(&session->messages, session->wsi, input_bytes(input), input->length) != 0)
        return session_fail(session, "cannot send", errno);
    input_more(input);
    output_ask(&session->output);
    return 0;
}
