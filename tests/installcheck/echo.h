/* What the three programs share: a protocol that echoes, and a client in a process of its own. */
#ifndef INSTALLCHECK_ECHO_H
#define INSTALLCHECK_ECHO_H

#include <libwebsockets.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The one WebSocket is over: a program destroys its context, and its loop comes to an end. */
static int over;
static int destroy_when_over;

static int echo(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    if (reason == LWS_CALLBACK_RECEIVE)
        return libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT) == (int)len ? 0 : -1;
    if (reason == LWS_CALLBACK_CLOSED) {
        over = 1;
        if (destroy_when_over)
            libwebsocket_context_destroy(context);
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"echo", echo, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int bytes_are(int fd, const void *expected, size_t length)
{
    unsigned char bytes[256];

    return recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length &&
           memcmp(bytes, expected, length) == 0;
}

/* Leaves with 0 where the handshake is accepted, the echo right and the close answered. */
static void be_client(const struct sockaddr_in *address)
{
    static const char request[] = "GET / HTTP/1.1\r\n"
                                  "Host: localhost\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Protocol: echo\r\n"
                                  "\r\n";
    static const unsigned char hello[] = {
        0x81, 0x85, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1};
    static const unsigned char goodbye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
    char head[2048] = "";
    size_t have = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    alarm(20);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        fail("client: connect");
    if (send(fd, request, sizeof request - 1, 0) != sizeof request - 1)
        fail("client: send");
    while (strstr(head, "\r\n\r\n") == NULL) {
        if (have == sizeof head - 1 || recv(fd, head + have, 1, 0) != 1)
            fail("client: the response has no end");
        have++;
    }
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0 ||
        strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL)
        fail("client: the handshake was not accepted");
    if (send(fd, hello, sizeof hello, 0) != sizeof hello || !bytes_are(fd, "\x81\x05hello", 7))
        fail("client: no echo");
    if (send(fd, goodbye, sizeof goodbye, 0) != sizeof goodbye ||
        !bytes_are(fd, "\x88\x02\x03\xe8", 4))
        fail("client: the close was not answered");
    _exit(EXIT_SUCCESS);
}

/* A context that listens on a free port, and a client that is on its way to it. */
static struct libwebsocket_context *start_with_client(pid_t *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    struct lws_context_creation_info info = {.protocols = protocols, .gid = -1, .uid = -1};
    struct lws_context_extras extras = {.struct_size = sizeof extras};
    struct libwebsocket_context *context;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        fail("listen");
    *client = fork();
    if (*client < 0)
        fail("fork");
    if (*client == 0)
        be_client(&address);
    alarm(30);
    extras.listen_fds = &fd;
    extras.listen_fd_count = 1;
    context = lws_create_context(&info, &extras);
    if (context == NULL)
        fail("lws_create_context");
    return context;
}

/* What main returns. */
static int result_of(pid_t client)
{
    int status;

    if (waitpid(client, &status, 0) != client)
        fail("waitpid");
    return over && status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
