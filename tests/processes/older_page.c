/* As a program of February 2011 does it that makes a page as it goes. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20110221

#include <libwebsockets.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "held_clock.h"
#include "older.h"

enum {
    PIECES = 8,
    STEP = 10, /* seconds, of the 15 that a connection may be idle */
    TURNS = 3,
    TURN_MS = 20
};

static struct libwebsocket_context *context;
static struct libwebsocket *page;

static int http_callback(struct libwebsocket_context *its_context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)its_context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_HTTP)
        page = wsi;
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {.name = "http-only", .callback = http_callback},
    {.name = NULL},
};

static int begin(int port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        return -1;
    while (!page)
        if (libwebsocket_service(context, TURN_MS) < 0)
            return -1;
    return fd;
}

/* Outside of service calls. */
static bool write_piece(const char *text)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    size_t length = strlen(text);

    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    return libwebsocket_write(page, room + LWS_SEND_BUFFER_PRE_PADDING, length, LWS_WRITE_HTTP) >=
           0;
}

/* What the peer has got by then; 0 for the end, -1 for nothing. */
static ssize_t pass(int fd, int seconds)
{
    char received[64];

    clock_go_on(seconds);
    for (int i = 0; i < TURNS; i++)
        if (libwebsocket_service(context, TURN_MS) < 0)
            return 0;
    return recv(fd, received, sizeof(received), MSG_DONTWAIT);
}

/* True where the end comes; the alarm ends it where it does not. */
static bool is_cut(int fd)
{
    ssize_t received;

    do
        received = pass(fd, 0);
    while (received < 0 && errno == EAGAIN);
    return received == 0;
}

enum page_end older_page_in_pieces(int port)
{
    enum page_end end = PAGE_CAME_WRONG;
    int fd;

    clock_hold();
    context = libwebsocket_create_context(port, NULL, protocols, NULL, NULL, -1, -1, 0);
    if (!context)
        return PAGE_WITHOUT_PORT;
    fd = begin(port);
    if (fd < 0 || !write_piece("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n") ||
        pass(fd, 0) <= 0)
        goto done;
    for (int i = 0; i < PIECES; i++) {
        if (pass(fd, STEP) != -1)
            end = PAGE_WAS_CUT_EARLY;
        if (end == PAGE_WAS_CUT_EARLY || !write_piece("piece") || pass(fd, 0) != 5)
            goto done;
    }
    if (pass(fd, STEP) == -1) {
        clock_go_on(STEP);
        end = is_cut(fd) ? PAGE_WAS_CUT : PAGE_CAME_WRONG;
    } else {
        end = PAGE_WAS_CUT_EARLY;
    }
done:
    if (fd >= 0)
        close(fd);
    libwebsocket_context_destroy(context);
    return end;
}
