/* As a program of February 2011 does it. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20110212

#include <libwebsockets.h>

#include <lws_uv.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "older.h"

static int news_callback(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 32 + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)room + LWS_SEND_BUFFER_PRE_PADDING;

    (void)user;
    if (reason == LWS_CALLBACK_BROADCAST)
        return libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT);
    if (reason != LWS_CALLBACK_RECEIVE)
        return 0;
    len = (size_t)snprintf(text, 32, "%ld", (long)getpid());
    return libwebsocket_write(wsi, room + LWS_SEND_BUFFER_PRE_PADDING, len, LWS_WRITE_TEXT);
}

static int http_callback(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    (void)wsi;
    (void)reason;
    (void)user;
    (void)in;
    (void)len;
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {.name = "http-only", .callback = http_callback},
    {.name = "news", .callback = news_callback},
    {.name = NULL},
};

static int start(int port)
{
    struct libwebsocket_context *context =
        libwebsocket_create_context(port, protocols, NULL, NULL, -1, -1, 0);

    return context ? libwebsockets_fork_service_loop(context) : -1;
}

static int broadcast(const char *text)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    size_t length = strlen(text);

    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    return libwebsockets_broadcast(&protocols[1], room + LWS_SEND_BUFFER_PRE_PADDING, length);
}

const struct older_program older_loop = {start, broadcast};

int older_loop_of_nothing(void)
{
    errno = 0;
    return libwebsockets_fork_service_loop(NULL) == -1 ? errno : 0;
}

int older_loop_of_another(void)
{
    struct libwebsocket_context *context =
        libwebsocket_create_context(CONTEXT_PORT_NO_LISTEN, protocols, NULL, NULL, -1, -1, 0);
    uv_loop_t uv;
    int error = 0;

    if (!context || uv_loop_init(&uv) < 0 || lws_uv_attach(context, &uv) < 0)
        return -1;
    if (libwebsockets_fork_service_loop(context) == -1)
        error = errno;
    libwebsocket_context_destroy(context);
    uv_run(&uv, UV_RUN_NOWAIT);
    return uv_loop_close(&uv) == 0 ? error : -1;
}
