/* The protocols that most tests use. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FLOOD_FRAME 65536u

/* A message that is being collected. */
struct echo_session {
    unsigned char *message; /* with the padding before and behind it */
    size_t length;
};

unsigned char *harness_pattern(size_t length, unsigned int seed)
{
    unsigned char *pattern = malloc(length + 1);

    ck_assert_ptr_nonnull(pattern);
    for (size_t i = 0; i < length; i++)
        pattern[i] = (unsigned char)(' ' + (i * 31 + i / 95 + seed) % 95);
    pattern[length] = '\0';
    return pattern;
}

int send_bytes(struct libwebsocket *wsi, const void *bytes, size_t len,
    enum libwebsocket_write_protocol protocol)
{
    unsigned char *buffer =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + len + LWS_SEND_BUFFER_POST_PADDING);
    int result;

    ck_assert_ptr_nonnull(buffer);
    if (len > 0)
        memcpy(buffer + LWS_SEND_BUFFER_PRE_PADDING, bytes, len);
    result = libwebsocket_write(wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, len, protocol);
    if (len > 0)
        ck_assert_mem_eq(buffer + LWS_SEND_BUFFER_PRE_PADDING, bytes, len);
    free(buffer);
    return result;
}

int send_text(struct libwebsocket *wsi, const char *text)
{
    return send_bytes(wsi, text, strlen(text), LWS_WRITE_TEXT);
}

static void collect(struct echo_session *session, const void *in, size_t len)
{
    size_t size =
        LWS_SEND_BUFFER_PRE_PADDING + session->length + len + LWS_SEND_BUFFER_POST_PADDING;

    session->message = realloc(session->message, size);
    ck_assert_ptr_nonnull(session->message);
    if (len > 0)
        memcpy(session->message + LWS_SEND_BUFFER_PRE_PADDING + session->length, in, len);
    session->length += len;
}

int echo_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct echo_session *session = user;
    enum libwebsocket_write_protocol kind;

    (void)context;
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        collect(session, in, len);
        if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
            break;
        kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        ck_assert_int_eq(libwebsocket_write(wsi, session->message + LWS_SEND_BUFFER_PRE_PADDING,
                             session->length, kind),
            (int)session->length);
        session->length = 0;
        break;
    case LWS_CALLBACK_CLOSED:
        free(session->message);
        break;
    default:
        break;
    }
    return 0;
}

struct mirror_session {
    bool inside; /* a message of which a fragment was sent */
};

static int mirror_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct mirror_session *session = user;
    unsigned int kind = LWS_WRITE_CONTINUATION;
    bool last;

    (void)context;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    last = libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
    if (!session->inside)
        kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    if (!last)
        kind |= LWS_WRITE_NO_FIN;
    session->inside = !last;
    /* Straight from where it lies. */
    ck_assert_int_eq(
        libwebsocket_write(wsi, in, len, (enum libwebsocket_write_protocol)kind), (int)len);
    return 0;
}

static int closer_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char *reason_text;
    long status;

    (void)context;
    (void)user;
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    if (len == 0)
        return -1;
    status = strtol(in, &reason_text, 10);
    if (*reason_text == ' ')
        reason_text++;
    ck_assert_int_eq(lws_close_reason(wsi, (int)status, reason_text, strlen(reason_text)), 0);
    return -1;
}

static int flood_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const unsigned char zeros[FLOOD_FRAME];

    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
        int result = send_bytes(wsi, zeros, harness_scale(sizeof zeros, 4096), LWS_WRITE_BINARY);

        /* The peer may be gone. */
        if (result < 0) {
            ck_assert_int_ne(errno, EAGAIN);
            ck_assert_int_ne(errno, EINVAL);
            return 0;
        }
    }
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE || reason == LWS_CALLBACK_RECEIVE)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    return 0;
}

int discard_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)reason;
    (void)user;
    (void)in;
    (void)len;
    return 0;
}

static int http_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char response[] = "HTTP/1.1 200 OK\r\n"
                                   "Content-Type: text/plain\r\n"
                                   "Content-Length: 6\r\n"
                                   "Connection: close\r\n"
                                   "\r\n"
                                   "hello\n";

    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    ck_assert_int_eq(
        send_bytes(wsi, response, sizeof response - 1, LWS_WRITE_HTTP), sizeof response - 1);
    return -1;
}

struct libwebsocket_protocols default_protocols[] = {
    [PROTOCOL_HTTP] = {.name = "http", .callback = http_callback},
    [PROTOCOL_ECHO] = {.name = "echo",
        .callback = echo_callback,
        .per_session_data_size = sizeof(struct echo_session),
        .rx_buffer_size = 4096},
    [PROTOCOL_MIRROR] = {.name = "mirror",
        .callback = mirror_callback,
        .per_session_data_size = sizeof(struct mirror_session),
        .rx_buffer_size = 512},
    [PROTOCOL_CLOSER] = {.name = "closer", .callback = closer_callback},
    [PROTOCOL_FLOOD] = {.name = "flood", .callback = flood_callback},
    [PROTOCOL_DISCARD] = {.name = "discard", .callback = discard_callback},
    {.name = NULL},
};
