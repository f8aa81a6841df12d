#include "relay.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

#define PAIRS 16

struct relay {
    int client;
    int server; /* -1 until the head of a request is there */
    bool client_ended;
    bool server_ended;
    char head[512];
    size_t have;
};

static int listener = -1;
static int port;
static struct relay relays[PAIRS];
static size_t count;

void relay_open(void)
{
    listener = listen_somewhere(&port);
}

int relay_port(void)
{
    return port;
}

nfds_t relay_wants(struct pollfd *fds)
{
    nfds_t wanted = 0;

    if (listener < 0)
        return 0;
    fds[wanted++] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        if (!relays[i].client_ended)
            fds[wanted++] = (struct pollfd){.fd = relays[i].client, .events = POLLIN};
        if (relays[i].server >= 0 && !relays[i].server_ended)
            fds[wanted++] = (struct pollfd){.fd = relays[i].server, .events = POLLIN};
    }
    return wanted;
}

static void hang_up(struct relay *relay)
{
    ck_assert_int_eq(close(relay->client), 0);
    if (relay->server >= 0)
        ck_assert_int_eq(close(relay->server), 0);
}

static void accept_one(void)
{
    struct pollfd pollfd = {.fd = listener, .events = POLLIN};
    int fd;

    if (poll(&pollfd, 1, 0) <= 0)
        return;
    fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(count, PAIRS);
    relays[count++] = (struct relay){.client = fd, .server = -1};
}

static void connect_to(struct relay *relay, int to)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    relay->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(relay->server, 0);
    /* The kernel completes it: there is room in the queue of the listening socket. */
    ck_assert_int_eq(connect(relay->server, (const struct sockaddr *)&address, sizeof address), 0);
    (void)send(relay->client, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

/* The client waits for the answer: nothing comes behind the head. */
static void read_head(struct relay *relay)
{
    ssize_t got = recv(relay->client, relay->head + relay->have,
        sizeof relay->head - 1 - relay->have, MSG_DONTWAIT);
    int to;

    if (got == 0 || (got < 0 && errno != EAGAIN))
        relay->client_ended = true;
    if (got <= 0)
        return;
    relay->have += (size_t)got;
    relay->head[relay->have] = '\0';
    if (strstr(relay->head, "\r\n\r\n") == NULL)
        return;
    ck_assert_int_eq(sscanf(relay->head, "CONNECT talk.example:%d HTTP/1.1\r\n", &to), 1);
    connect_to(relay, to);
}

/* Little is under way at one time, and the socket takes it. */
static void hand_on(int from, int to, bool *ended)
{
    char bytes[4096];
    ssize_t got;

    if (*ended)
        return;
    do {
        got = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0)
            (void)send(to, bytes, (size_t)got, MSG_NOSIGNAL);
    } while (got > 0);
    if (got == 0 || errno != EAGAIN) {
        *ended = true;
        (void)shutdown(to, SHUT_WR);
    }
}

void relay_turn(void)
{
    if (listener < 0)
        return;
    accept_one();
    for (size_t i = 0; i < count; i++) {
        struct relay *relay = &relays[i];

        if (relay->server < 0 && !relay->client_ended)
            read_head(relay);
        if (relay->server >= 0) {
            hand_on(relay->client, relay->server, &relay->client_ended);
            hand_on(relay->server, relay->client, &relay->server_ended);
        }
        if (relay->client_ended && (relay->server < 0 || relay->server_ended)) {
            hang_up(relay);
            relays[i--] = relays[--count];
        }
    }
}

void relay_reset(void)
{
    for (size_t i = 0; i < count; i++)
        hang_up(&relays[i]);
    count = 0;
    /* Whoever is in the queue has gone with the context. */
    if (listener >= 0) {
        accept_one();
        while (count > 0) {
            hang_up(&relays[--count]);
            accept_one();
        }
    }
}
