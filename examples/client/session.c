#include "session.h"

#include <errno.h>
#include <string.h>

#include "close_code.h"
#include "sending.h"

int session_fail(struct session *session, const char *what, int error)
{
    output_error(&session->output, "%s: %s", what, strerror(error));
    session->outcome = OUTCOME_FAILED;
    return -1;
}

static void append_header_lines(struct session *session, char **at, size_t room)
{
    const struct header_lines *lines = &session->options->headers;

    if (lines->length > room) {
        session->rejected = "there is no room for the header fields";
        return;
    }
    memcpy(*at, lines->text, lines->length);
    *at += lines->length;
}

static void established(
    struct session *session, struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    const char *subprotocol = libwebsockets_get_protocol(wsi)->name;

    session->wsi = wsi;
    if (sending_start(session, context) != 0) {
        session_fail(session, "cannot read standard input", errno);
        sending_close(session, context);
        return;
    }
    if (subprotocol)
        output_note(&session->output, "connected (protocol %s)", subprotocol);
    else
        output_note(&session->output, "connected");
    output_ask(&session->output);
}

/* Where whoever reads our output has seen enough, like head(1), that is no failure. */
static int not_written(struct session *session, struct libwebsocket_context *context, int error)
{
    if (error != EPIPE)
        return session_fail(session, "cannot write the output", error);
    session->enough = true;
    libwebsocket_context_destroy(context);
    return -1;
}

static int received(struct session *session, struct libwebsocket_context *context,
    struct libwebsocket *wsi, const char *piece, size_t length)
{
    bool last =
        libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;

    if (output_piece(&session->output, piece, length, lws_frame_is_binary(wsi), last) != 0)
        return not_written(session, context, errno);
    if (last && session->options->count && ++session->received == session->options->count)
        sending_close(session, context);
    return 0;
}

static void end(struct session *session, struct libwebsocket_context *context)
{
    input_stop(&session->input);
    session->wsi = NULL;
    session->ended = true;
    libwebsocket_context_destroy(context);
}

static void not_connected(struct session *session, const char *reason)
{
    output_error(
        &session->output, "cannot connect: %s", session->rejected ? session->rejected : reason);
    session->outcome = OUTCOME_FAILED;
}

static void closed(struct session *session, struct libwebsocket *wsi)
{
    const char *reason;
    size_t length;
    int code = lws_get_close(wsi, &reason, &length);
    bool good = code == LWS_CLOSE_STATUS_NORMAL || code == LWS_CLOSE_STATUS_GOINGAWAY ||
                code == LWS_CLOSE_STATUS_NO_STATUS;
    bool complete = session->received == session->options->count;
    bool unanswered = session->closing && code == LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
    const char *text = unanswered ? "no answer to the close" : close_code_text(code);

    output_end(&session->output);
    if (session->enough)
        return;
    (good ? output_note : output_error)(&session->output, "closed: %d %s%s%.*s%s", code, text,
        length > 0 ? " (" : "", (int)length, reason, length > 0 ? ")" : "");
    if (!complete)
        output_error(&session->output, "%d of %d messages have come", session->received,
            session->options->count);
    if (session->outcome == OUTCOME_GOOD && (!good || !complete))
        session->outcome = OUTCOME_CUT;
}

int session_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct session *session = libwebsocket_context_user(context);

    (void)user; /* there is one session only, and some reasons have no connection */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        append_header_lines(session, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        return session->rejected ? -1 : 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_connected(session, in);
        end(session, context);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established(session, context, wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return received(session, context, wsi, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        sending_pong(session);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return sending_writeable(session, context);
    case LWS_CALLBACK_CLOSED:
        closed(session, wsi);
        end(session, context);
        return 0;
    default:
        return 0;
    }
}
