#include "ws_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void (*carry_accepted)(struct ws_client *peer);
static const char *(*explain_absence)(void);

void ws_carry_accepted(void (*carry)(struct ws_client *peer))
{
    carry_accepted = carry;
}

void ws_explain_absence(const char *(*explain)(void))
{
    explain_absence = explain;
}

static struct ws_server *new_server(
    int family, const struct sockaddr *address, socklen_t length, int backlog)
{
    struct ws_server *server = calloc(1, sizeof *server);
    int on = 1;

    ck_assert_ptr_nonnull(server);
    server->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(server->fd, 0);
    ck_assert_int_eq(setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    if (bind(server->fd, address, length) != 0) {
        ck_assert_msg(errno == EADDRINUSE, "bind: %s", strerror(errno));
        ws_server_free(server);
        return NULL;
    }
    ck_assert_int_eq(listen(server->fd, backlog), 0);
    return server;
}

static struct ws_server *listen_at(const char *address, int port, int backlog)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    struct ws_server *server;

    if (address == NULL)
        address = "127.0.0.1";
    if (strchr(address, ':') != NULL) {
        ck_assert_int_eq(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
        server = new_server(AF_INET6, (struct sockaddr *)&in6, sizeof in6, backlog);
    } else {
        ck_assert_int_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
        server = new_server(AF_INET, (struct sockaddr *)&in, sizeof in, backlog);
    }
    if (server == NULL)
        return NULL;
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&bound, &length), 0);
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                     : ((struct sockaddr_in *)&bound)->sin_port);
    return server;
}

struct ws_server *ws_listen(const char *address, int port)
{
    return listen_at(address, port, SOMAXCONN);
}

void ws_listen_both(const struct ws_place places[2], struct ws_server *servers[2])
{
    do {
        servers[0] =
            places[0].deaf ? ws_listen_deaf(places[0].address, 0) : ws_listen(places[0].address, 0);
        ck_assert_ptr_nonnull(servers[0]);
        servers[1] = places[1].deaf ? ws_listen_deaf(places[1].address, servers[0]->port)
                                    : ws_listen(places[1].address, servers[0]->port);
        if (servers[1] == NULL)
            ws_server_free(servers[0]);
    } while (servers[1] == NULL);
}

struct ws_server *ws_listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    strcpy(address.sun_path, path);
    return new_server(AF_UNIX, (struct sockaddr *)&address, sizeof address, SOMAXCONN);
}

/* The queue of one place is full with one connection in it. */
struct ws_server *ws_listen_deaf(const char *address, int port)
{
    struct ws_server *server = listen_at(address, port, 0);
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    int fd;

    if (server == NULL)
        return NULL;
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&bound, &length), 0);
    fd = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&bound, length), 0);
    ck_assert_int_eq(close(fd), 0);
    return server;
}

void ws_server_free(struct ws_server *server)
{
    if (server == NULL)
        return;
    ck_assert_int_eq(close(server->fd), 0);
    free(server);
}

static bool wait_for_call(struct ws_server *server, int milliseconds)
{
    const struct ws_client listener = {.fd = server->fd};

    return ws_wait_for(&listener, POLLIN, ws_now_ms() + milliseconds);
}

bool ws_is_called(struct ws_server *server, int milliseconds)
{
    int fd;

    if (!wait_for_call(server, milliseconds))
        return false;
    fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    return true;
}

struct ws_client *ws_accept_at(struct ws_server *server, const char *file, int line)
{
    struct ws_client *peer;
    int on = 1;

    if (!wait_for_call(server, WS_PATIENCE_MS))
        ck_abort_msg("%s:%d: nobody connects%s", file, line,
            explain_absence == NULL ? "" : explain_absence());
    peer = ws_adopt(accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (server->port != 0)
        ck_assert_int_eq(setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    peer->serves = true;
    if (carry_accepted != NULL && server->port != 0 && !server->plain)
        carry_accepted(peer);
    return peer;
}

char *ws_receive_request_at(struct ws_client *peer, const char *file, int line)
{
    return ws_receive_until_at(peer, "\r\n\r\n", file, line);
}

char *ws_head_field(const char *head, const char *name)
{
    const struct ws_response response = {.head = (char *)(uintptr_t)head};

    return ws_response_field(&response, name);
}

char *ws_accept_value(const char *request)
{
    char *key = ws_head_field(request, "Sec-WebSocket-Key");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length;
    char *value = calloc(1, 64);
    char text[128];

    ck_assert_ptr_nonnull(key);
    ck_assert_ptr_nonnull(value);
    ck_assert_uint_lt(strlen(key), 64);
    snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    ck_assert_int_eq(EVP_Digest(text, strlen(text), digest, &length, EVP_sha1(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)value, digest, (int)length);
    free(key);
    return value;
}

char *ws_acceptance(const char *request, const char *subprotocol, const char *extra)
{
    char *value = ws_accept_value(request);
    char *answer;

    ck_assert_int_gt(asprintf(&answer,
                         "HTTP/1.1 101 Switching Protocols\r\n"
                         "Upgrade: websocket\r\n"
                         "Connection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %s\r\n"
                         "%s%s%s%s\r\n",
                         value, subprotocol == NULL ? "" : "Sec-WebSocket-Protocol: ",
                         subprotocol == NULL ? "" : subprotocol, subprotocol == NULL ? "" : "\r\n",
                         extra == NULL ? "" : extra),
        0);
    free(value);
    return answer;
}

struct ws_client *ws_serve_at(
    struct ws_server *server, const char *subprotocol, const char *file, int line)
{
    struct ws_client *peer = ws_accept_at(server, file, line);
    char *request = ws_receive_request_at(peer, file, line);
    char *offer = ws_compresses() ? ws_head_field(request, "Sec-WebSocket-Extensions") : NULL;
    char *extra = NULL;
    char *answer;

    if (offer != NULL && strstr(offer, "permessage-deflate") != NULL) {
        extra = strdup("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        ck_assert_ptr_nonnull(extra);
        ws_agree(peer, "permessage-deflate");
    }
    answer = ws_acceptance(request, subprotocol, extra);
    ws_send_at(peer, answer, strlen(answer), file, line);
    free(extra);
    free(offer);
    free(answer);
    free(request);
    return peer;
}
