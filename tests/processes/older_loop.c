/* As a program of February 2011 does it. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20110212

#include <libwebsockets.h>

#include <lws_uv.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* What is to be forked inside a callback. */
static struct libwebsocket_context *forked_inside;
static int pages;
static int result_inside;
static int error_inside;

static int answer_page(struct libwebsocket *wsi)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + sizeof(page)];

    pages++;
    errno = 0;
    result_inside = libwebsockets_fork_service_loop(forked_inside);
    error_inside = errno;
    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, page, sizeof(page) - 1);
    return libwebsocket_write(
        wsi, room + LWS_SEND_BUFFER_PRE_PADDING, sizeof(page) - 1, LWS_WRITE_HTTP);
}

static int http_callback(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_HTTP && forked_inside)
        return answer_page(wsi) < 0;
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

static bool ask_for_page(int port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[256];
    ssize_t received = -1;
    int before = pages;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        goto done;
    while (pages == before)
        if (libwebsocket_service(forked_inside, 100) < 0)
            goto done;
    /* What was written inside the callback leaves as it returns. */
    received = recv(fd, answer, sizeof(answer), 0);
done:
    if (fd >= 0)
        close(fd);
    return received > 4 && memcmp(answer + received - 4, "page", 4) == 0;
}

int older_loop_inside(int port)
{
    int error = -1;

    forked_inside = libwebsocket_create_context(port, protocols, NULL, NULL, -1, -1, 0);
    if (!forked_inside)
        return -1;
    if (ask_for_page(port) && ask_for_page(port) && result_inside == -1 &&
        waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
        error = error_inside;
    libwebsocket_context_destroy(forked_inside);
    return error;
}
