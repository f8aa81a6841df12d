/* Thousands of clients in one process, driven by epoll. */
#include "many.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Handshakes under way at one time. */
#define IN_FLIGHT_MOST 200
/* Connections from one address, far fewer than there are ports. */
#define PER_ADDRESS 5000
#define PATIENCE_MS 60000

enum client_state { CLIENT_NEW, CLIENT_CONNECTING, CLIENT_ENCRYPTING, CLIENT_OPEN, CLIENT_ENDED };

struct client {
    int fd;
    enum client_state state;
    SSL *ssl; /* NULL where it is not encrypted */
    unsigned int have;
    unsigned char received[300]; /* since the present phase began */
};

struct clients {
    int epoll;
    int port;
    int count;
    int started;
    int settled; /* are through with the present phase */
    int faults;
    SSL_CTX *settings; /* NULL: not encrypted */
    struct client *all;
};

static const char handshake[] =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
static const char close_frame[] = "\x88\x82\0\0\0\0\x03\xe8";

typedef bool phase_function(struct clients *clients, struct client *client);

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool fault(struct clients *clients, const struct client *client, const char *what)
{
    /* One line for each would bury the first. */
    if (clients->faults++ < 10)
        fprintf(stderr, "client %td: %s\n", client - clients->all, what);
    return false;
}

struct clients *clients_make(int port, int count, bool encrypted)
{
    struct clients *clients = calloc(1, sizeof(*clients));

    if (!clients)
        return NULL;
    clients->port = port;
    clients->count = count;
    clients->all = calloc((size_t)count, sizeof(*clients->all));
    clients->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (encrypted)
        clients->settings = SSL_CTX_new(TLS_client_method());
    if (!clients->all || clients->epoll < 0 || (encrypted && !clients->settings)) {
        perror("clients");
        clients_free(clients);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        clients->all[i].fd = -1;
    return clients;
}

static void hang_up(struct client *client)
{
    SSL_free(client->ssl);
    client->ssl = NULL;
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

void clients_free(struct clients *clients)
{
    if (!clients)
        return;
    if (clients->all)
        for (int i = 0; i < clients->count; i++)
            hang_up(&clients->all[i]);
    SSL_CTX_free(clients->settings);
    if (clients->epoll >= 0)
        close(clients->epoll);
    free(clients->all);
    free(clients);
}

static bool begin(struct clients *clients, struct client *client)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)clients->port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    uint32_t address = (uint32_t)((client - clients->all) / PER_ADDRESS);
    int on = 1;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return fault(clients, client, strerror(errno));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + address);
    if (setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
        bind(client->fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
        return fault(clients, client, strerror(errno));
    if (connect(client->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
        return fault(clients, client, strerror(errno));
    if (epoll_ctl(clients->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
        return fault(clients, client, strerror(errno));
    client->state = CLIENT_CONNECTING;
    return true;
}

static bool put(struct client *client, const void *bytes, size_t length)
{
    if (client->ssl)
        return SSL_write(client->ssl, bytes, (int)length) == (int)length;
    return send(client->fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool connected(struct clients *clients, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error != 0)
        return fault(clients, client, strerror(error));
    if (epoll_ctl(clients->epoll, EPOLL_CTL_MOD, client->fd, &event) < 0)
        return fault(clients, client, strerror(errno));
    client->state = CLIENT_ENCRYPTING;
    if (!clients->settings)
        return true;
    client->ssl = SSL_new(clients->settings);
    if (!client->ssl || SSL_set_fd(client->ssl, client->fd) != 1)
        return fault(clients, client, "no TLS");
    return true;
}

/* What it says is little, and always taken. */
static bool send_handshake(struct clients *clients, struct client *client)
{
    if (client->ssl) {
        int result = SSL_connect(client->ssl);

        if (result != 1)
            return SSL_get_error(client->ssl, result) == SSL_ERROR_WANT_READ ||
                   fault(clients, client, "the TLS handshake failed");
    }
    if (!put(client, handshake, sizeof(handshake) - 1))
        return fault(clients, client, "the handshake was not taken whole");
    client->state = CLIENT_OPEN;
    return true;
}

/* As recv(2). */
static ssize_t get(struct client *client, void *bytes, size_t room)
{
    int got;

    if (!client->ssl)
        return recv(client->fd, bytes, room, 0);
    got = SSL_read(client->ssl, bytes, (int)room);
    if (got > 0)
        return got;
    errno = EAGAIN;
    switch (SSL_get_error(client->ssl, got)) {
    case SSL_ERROR_WANT_READ:
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        errno = ECONNRESET;
        return -1;
    }
}

/* Takes what there is. False on a failure; the end of the stream is a state. */
static bool take(struct clients *clients, struct client *client)
{
    size_t room = sizeof(client->received) - 1 - client->have;
    ssize_t got;

    if (room == 0)
        return fault(clients, client, "more came than was expected");
    got = get(client, client->received + client->have, room);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR || fault(clients, client, strerror(errno));
    if (got == 0) {
        client->state = CLIENT_ENDED;
        hang_up(client);
    }
    client->have += (unsigned int)got;
    client->received[client->have] = '\0';
    return true;
}

static bool open_phase(struct clients *clients, struct client *client)
{
    const char *text = (const char *)client->received;

    if (client->state == CLIENT_CONNECTING && !connected(clients, client))
        return false;
    if (client->state == CLIENT_ENCRYPTING)
        return send_handshake(clients, client);
    if (!take(clients, client))
        return false;
    if (client->state == CLIENT_ENDED)
        return fault(clients, client, "ended inside the handshake");
    if (client->have < 4 || memcmp(client->received + client->have - 4, "\r\n\r\n", 4) != 0)
        return true;
    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0 || !strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        return fault(clients, client, "the handshake was refused");
    client->have = 0;
    clients->settled++;
    return true;
}

static bool receive_phase(struct clients *clients, struct client *client)
{
    static const char message[] = "\x81\x05" BROADCAST;
    const unsigned int length = sizeof(message) - 1;
    bool whole = client->have >= length;

    if (!take(clients, client))
        return false;
    if (client->state == CLIENT_ENDED)
        return fault(clients, client, "ended where a message was due");
    if (client->have > length || memcmp(client->received, message, client->have) != 0)
        return fault(clients, client, "something else than the one message came");
    if (!whole && client->have == length)
        clients->settled++;
    return true;
}

static bool close_phase(struct clients *clients, struct client *client)
{
    static const char answer[] = "\x88\x02\x03\xe8";

    if (!take(clients, client))
        return false;
    if (client->state != CLIENT_ENDED)
        return true;
    if (client->have != sizeof(answer) - 1 ||
        memcmp(client->received, answer, sizeof(answer) - 1) != 0)
        return fault(clients, client, "the close was not answered with 1000 alone");
    clients->settled++;
    return true;
}

static bool start_more(struct clients *clients)
{
    while (
        clients->started < clients->count && clients->started - clients->settled < IN_FLIGHT_MOST)
        if (!begin(clients, &clients->all[clients->started++]))
            return false;
    return true;
}

/* Turns until all are through, or one fails, or nothing comes in the time there is. */
static bool run(struct clients *clients, phase_function *phase, const char *name)
{
    long deadline = now_ms() + PATIENCE_MS;
    struct epoll_event events[256];

    clients->faults = 0;
    while (clients->settled < clients->count) {
        long left = deadline - now_ms();
        int ready;

        if (phase == open_phase && !start_more(clients))
            return false;
        ready = left > 0 ? epoll_wait(clients->epoll, events, 256, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            fprintf(stderr, "%s: only %d of %d in time\n", name, clients->settled, clients->count);
            return false;
        }
        for (int i = 0; i < ready; i++)
            if (!phase(clients, events[i].data.ptr))
                return false;
    }
    return true;
}

bool clients_open(struct clients *clients)
{
    clients->settled = 0;
    return run(clients, open_phase, "handshakes");
}

bool clients_receive(struct clients *clients)
{
    clients->settled = 0;
    if (!run(clients, receive_phase, "messages"))
        return false;
    for (int i = 0; i < clients->count; i++)
        clients->all[i].have = 0;
    return true;
}

bool clients_close(struct clients *clients)
{
    clients->settled = 0;
    for (int i = 0; i < clients->count; i++) {
        struct client *client = &clients->all[i];

        if (client->state != CLIENT_OPEN || !put(client, close_frame, sizeof(close_frame) - 1))
            return fault(clients, client, "the close frame was not taken");
    }
    return run(clients, close_phase, "closes");
}
