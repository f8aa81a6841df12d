#include "program.h"

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extension.h"
#include "failures.h"
#include "stage.h"
#include "talk.h"

struct pollfd program_fds[PROGRAM_DESCRIPTORS];
nfds_t program_fd_count;

struct http_session {
    unsigned int requests;
};

struct victim_session {
    size_t length; /* of the message so far */
    char command[16];
    bool flooded;
};

static unsigned char
    flood[LWS_SEND_BUFFER_PRE_PADDING + STAGE_FLOOD_SIZE + LWS_SEND_BUFFER_POST_PADDING];

/* A write may fail only where something was made to fail. */
static int written(int result, size_t length)
{
    if (result == -1)
        ck_assert_msg(
            failures_made() > 0, "libwebsocket_write failed by itself: %s", strerror(errno));
    else
        ck_assert_uint_eq((size_t)result, length);
    return result;
}

int program_write(
    struct libwebsocket *wsi, const char *text, size_t length, enum libwebsocket_write_protocol as)
{
    static unsigned char buffer[LWS_SEND_BUFFER_PRE_PADDING + 4096 + LWS_SEND_BUFFER_POST_PADDING];

    ck_assert_uint_le(length, 4096);
    memcpy(buffer + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    return written(
        libwebsocket_write(wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, length, as), length);
}

static struct pollfd *find(int fd)
{
    for (nfds_t i = 0; i < program_fd_count; i++) {
        if (program_fds[i].fd == fd)
            return &program_fds[i];
    }
    ck_abort_msg("descriptor %d is not known", fd);
}

static void watch(enum libwebsocket_callback_reasons reason, int fd, int events)
{
    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
        ck_assert_uint_lt(program_fd_count, PROGRAM_DESCRIPTORS);
        program_fds[program_fd_count++] = (struct pollfd){.fd = fd, .events = (short)events};
        break;
    case LWS_CALLBACK_DEL_POLL_FD:
        *find(fd) = program_fds[program_fd_count - 1];
        program_fd_count--;
        break;
    case LWS_CALLBACK_SET_MODE_POLL_FD:
        find(fd)->events = (short)(find(fd)->events | events);
        break;
    default:
        find(fd)->events = (short)(find(fd)->events & ~events);
        break;
    }
}

static int answer(
    struct libwebsocket_context *context, struct libwebsocket *wsi, void *user, const char *path)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct http_session *session = user;
    char host[64];

    session->requests++;
    ck_assert_int_gt(lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST), 0);
    if (strcmp(path, "/written") == 0) {
        (void)program_write(wsi, page, sizeof page - 1, LWS_WRITE_HTTP);
        return 1;
    }
    libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE, 60);
    return libwebsockets_serve_http_file(
        context, wsi, stage_path(path + 1), "text/plain; charset=utf-8");
}

static int http_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char name[64];
    char address[64];

    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        watch(reason, (int)(intptr_t)in, (int)len);
        return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        libwebsockets_get_peer_addresses(
            context, wsi, (int)(intptr_t)in, name, sizeof name, address, sizeof address);
        return 0;
    case LWS_CALLBACK_HTTP:
        return answer(context, wsi, user, in);
    default:
        return 0;
    }
}

static int healthy_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        stage.healthy_wsi = wsi;
        ck_assert(extension_is_idle(wsi));
        break;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_BROADCAST:
        ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
        break;
    case LWS_CALLBACK_CLOSED:
        stage.healthy_wsi = NULL;
        break;
    default:
        break;
    }
    return 0;
}

/* More than the socket takes, and once more than that, which is too much. */
static void back_up(struct libwebsocket *wsi, struct victim_session *session)
{
    unsigned char *payload = flood + LWS_SEND_BUFFER_PRE_PADDING;
    int result;

    session->flooded = true;
    if (written(libwebsocket_write(wsi, payload, STAGE_FLOOD_SIZE, LWS_WRITE_BINARY),
            STAGE_FLOOD_SIZE) < 0)
        return;
    result = libwebsocket_write(wsi, payload, 1, LWS_WRITE_BINARY);
    ck_assert_int_eq(result, -1);
    if (errno == EAGAIN)
        stage.refused_as_full = true;
    else
        ck_assert_uint_gt(failures_made(), 0);
    (void)libwebsocket_callback_on_writable(NULL, wsi);
}

static int obey(struct libwebsocket *wsi, struct victim_session *session, unsigned char *in,
    size_t len, size_t length)
{
    static const char reason[] = "enough";

    if (strncmp(session->command, "flood", 5) == 0) {
        back_up(wsi, session);
    } else if (strncmp(session->command, "stop", 4) == 0) {
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    } else if (strncmp(session->command, "leave", 5) == 0) {
        if (lws_close_reason(wsi, 4001, reason, sizeof reason - 1) != 0)
            ck_assert_uint_gt(failures_made(), 0);
        return -1;
    } else if (length == len) {
        (void)written(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), len);
    } else {
        (void)program_write(wsi, "long", 4, LWS_WRITE_TEXT);
    }
    return 0;
}

static int victim_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct victim_session *session = user;
    size_t length;

    (void)context;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        stage.victim_wsi = wsi;
        stage.victims_established++;
        break;
    case LWS_CALLBACK_CLOSED:
        if (stage.victim_wsi == wsi)
            stage.victim_wsi = NULL;
        break;
    case LWS_CALLBACK_RECEIVE:
        for (size_t i = 0; i < len && session->length + i < sizeof session->command; i++)
            session->command[session->length + i] = ((const char *)in)[i];
        session->length += len;
        if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
            break;
        length = session->length;
        session->length = 0;
        return obey(wsi, session, in, len, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (session->flooded)
            (void)program_write(wsi, "drained", 7, LWS_WRITE_TEXT);
        session->flooded = false;
        break;
    default:
        break;
    }
    return 0;
}

struct libwebsocket_protocols program_protocols[] = {
    {.name = "http",
        .callback = http_callback,
        .per_session_data_size = sizeof(struct http_session)},
    {.name = "healthy", .callback = healthy_callback, .per_session_data_size = 16},
    {.name = "victim",
        .callback = victim_callback,
        .per_session_data_size = sizeof(struct victim_session),
        .rx_buffer_size = 512},
    {.name = "talk",
        .callback = talk_callback,
        .per_session_data_size = sizeof(struct talk_session),
        .rx_buffer_size = 512},
    {.name = "count",
        .callback = talk_callback,
        .per_session_data_size = sizeof(struct talk_session),
        .rx_buffer_size = 20000},
    {.callback = NULL},
};
