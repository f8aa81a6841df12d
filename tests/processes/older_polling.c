/* As a program of February 2011 does it that polls by itself. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20110221

#include <libwebsockets.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "older.h"

enum { POLLED_MOST = 32, TURN_MS = 20, ROUNDS = 2 };

static struct libwebsocket_context *context;
static struct pollfd polled[POLLED_MOST];
static nfds_t polled_count;
static int result_inside;
static int error_inside;

static void keep_array(enum libwebsocket_callback_reasons reason, int fd, short events)
{
    nfds_t i = 0;

    while (i < polled_count && polled[i].fd != fd)
        i++;
    if (reason == LWS_CALLBACK_ADD_POLL_FD && polled_count < POLLED_MOST)
        polled[polled_count++] = (struct pollfd){.fd = fd, .events = events};
    else if (reason == LWS_CALLBACK_DEL_POLL_FD && i < polled_count)
        polled[i] = polled[--polled_count];
    else if (reason == LWS_CALLBACK_SET_MODE_POLL_FD && i < polled_count)
        polled[i].events |= events;
    else if (reason == LWS_CALLBACK_CLEAR_MODE_POLL_FD && i < polled_count)
        polled[i].events &= (short)~events;
}

static void fork_inside(void)
{
    errno = 0;
    result_inside = libwebsockets_fork_service_loop(context);
    error_inside = errno;
}

static int http_callback(struct libwebsocket_context *its_context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + sizeof(page)];

    (void)its_context;
    (void)in;
    if (reason >= LWS_CALLBACK_ADD_POLL_FD && reason <= LWS_CALLBACK_CLEAR_MODE_POLL_FD)
        keep_array(reason, (int)(intptr_t)user, (short)len);
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    fork_inside();
    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, page, sizeof(page) - 1);
    return libwebsocket_write(
        wsi, room + LWS_SEND_BUFFER_PRE_PADDING, sizeof(page) - 1, LWS_WRITE_HTTP);
}

static int news_callback(struct libwebsocket_context *its_context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)its_context;
    (void)user;
    if (reason != LWS_CALLBACK_BROADCAST)
        return 0;
    fork_inside();
    return libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT);
}

static struct libwebsocket_protocols protocols[] = {
    {.name = "http-only", .callback = http_callback},
    {.name = "news", .callback = news_callback},
    {.name = NULL},
};

static bool turn(void)
{
    struct pollfd ready[POLLED_MOST];
    nfds_t count = polled_count;

    memcpy(ready, polled, sizeof(ready));
    if (poll(ready, count, TURN_MS) < 0)
        return errno == EINTR;
    for (nfds_t i = 0; i < count; i++)
        if (ready[i].revents && libwebsocket_service_fd(context, &ready[i]) < 0)
            return false;
    return true;
}

static int connect_and_send(int port, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Serves until this has come, and nothing behind it; the alarm ends it where it does not. */
static bool comes(int fd, const char *end)
{
    size_t length = strlen(end), have = 0;
    char received[1024];

    while (have < length || memcmp(received + have - length, end, length) != 0) {
        ssize_t got = turn() ? recv(fd, received + have, sizeof(received) - have, MSG_DONTWAIT) : 0;

        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
            return false;
        have += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool ask_for_page(int port)
{
    int fd = connect_and_send(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    bool good = fd >= 0 && comes(fd, "page");

    if (fd >= 0)
        close(fd);
    return good;
}

/* Outside of service calls. */
static bool broadcast_to_one(int port)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 4 + LWS_SEND_BUFFER_POST_PADDING];
    int fd = connect_and_send(port,
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: news\r\n\r\n");
    bool good = fd >= 0 && comes(fd, "\r\n\r\n");

    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, "news", 4);
    good = good &&
           libwebsockets_broadcast(&protocols[1], room + LWS_SEND_BUFFER_PRE_PADDING, 4) == 0 &&
           comes(fd, "news");
    if (fd >= 0)
        close(fd);
    return good;
}

int older_polling_inside(int port, bool broadcasts)
{
    int error = -1;
    bool good = true;

    context = libwebsocket_create_context(port, NULL, protocols, NULL, NULL, -1, -1, 0);
    if (!context)
        return -1;
    /* The program goes on as before. */
    for (int i = 0; i < ROUNDS && good; i++)
        good = (broadcasts ? broadcast_to_one(port) : ask_for_page(port)) && result_inside == -1;
    if (good && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
        error = error_inside;
    libwebsocket_context_destroy(context);
    return polled_count == 0 ? error : -1;
}
