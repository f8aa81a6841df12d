/*
 * Broadcasts under stress: several processes send messages of all sizes to the connections of one
 * that serves, and some of them are killed in the middle of it. Every connection has to get every
 * message whole and in the order of its sender.
 *
 * Usage: stress [LOOP…] [-s SENDERS] [-m MESSAGES] [-c CONNECTIONS] [-t SECONDS]
 *   LOOP      poll, uv, event or own; all four where none is named
 *   MESSAGES  of all senders together
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SENDERS_MOST = 8, /* that live; as many are killed */
    VICTIMS = 6,
    NUMBERS = SENDERS_MOST + VICTIMS + 1, /* the last one is this process, which says the end */
    LAST = NUMBERS - 1,
    CONNECTIONS_MOST = 64,
    SHIFTS = 21, /* sizes are 2^0 to 2^20 */
    LARGEST = 1 << (SHIFTS - 1),
    PATTERN = LARGEST + 65536,
    WINDOW = 64, /* messages that the slowest connection may be behind */
    HEADER_MOST = 10
};

struct connection {
    int fd;
    unsigned char *buffer;
    size_t have;
    unsigned int next[NUMBERS]; /* the number of the next message of each sender */
    unsigned int received;
    bool over; /* the end has been said */
};

static unsigned int senders = SENDERS_MOST;
static unsigned int messages = 420;
static unsigned int connection_count = 10;
static unsigned int seconds = 120;

static unsigned char pattern[PATTERN];
static struct connection connections[CONNECTIONS_MOST];
static pid_t processes[NUMBERS]; /* by the sender's number; in the last place the one that serves */
static int tokens[2];            /* a byte is the permission to send a message */
static unsigned int permitted;   /* how many of them were given */

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void make_pattern(void)
{
    uint32_t state = 1;

    for (size_t i = 0; i < PATTERN; i++) {
        state = state * 1664525 + 1013904223;
        pattern[i] = (unsigned char)(' ' + (state >> 16) % 95);
    }
}

static size_t length_of(unsigned int sender, unsigned int number)
{
    return (size_t)1 << ((number + sender) % SHIFTS);
}

/* What follows the first byte, which says who it is from. */
static const unsigned char *bytes_of(unsigned int sender, unsigned int number)
{
    return pattern + (sender * 4099 + number * 257) % (PATTERN - LARGEST);
}

static unsigned char mark_of(unsigned int sender, unsigned int number)
{
    return (unsigned char)(sender << 4 | (number & 15));
}

static bool broadcast(unsigned int sender, unsigned int number)
{
    static unsigned char message[LARGEST];
    size_t length = length_of(sender, number);

    memcpy(message, bytes_of(sender, number), length);
    message[0] = mark_of(sender, number);
    if (libwebsockets_broadcast(&host_protocols[1], message, length) == 0)
        return true;
    fprintf(stderr, "sender %u, message %u: %s\n", sender, number, strerror(errno));
    return false;
}

static int send_all(unsigned int sender, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        unsigned char token;

        if (read(tokens[0], &token, 1) != 1 || !broadcast(sender, i))
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* Returns true in the child. */
static bool begin(unsigned int number)
{
    pid_t child = fork();

    if (child < 0)
        fail("fork");
    processes[number] = child;
    if (child == 0)
        alarm(seconds);
    return child == 0;
}

static void begin_sender(unsigned int sender, unsigned int count)
{
    if (begin(sender))
        _exit(send_all(sender, count));
}

/* Serves until the other end of the pipe is closed. */
static _Noreturn void serve(int end)
{
    struct pollfd pollfd = {.fd = end, .events = POLLIN};

    if (lws_adopt(host.context) < 0 || !host_attach())
        _exit(EXIT_FAILURE);
    while (poll(&pollfd, 1, 0) == 0)
        host_turn(20);
    libwebsocket_context_destroy(host.context);
    _exit(EXIT_SUCCESS);
}

static void connect_one(struct connection *connection)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: news\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)host.port)};
    char head[4] = "";

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *connection = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        .buffer = malloc(HEADER_MOST + LARGEST)};
    if (connection->fd < 0 || !connection->buffer ||
        connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        send(connection->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) !=
            (ssize_t)sizeof(request) - 1)
        fail("connecting");
    while (memcmp(head, "\r\n\r\n", 4) != 0) {
        memmove(head, head + 1, 3);
        if (read(connection->fd, head + 3, 1) != 1)
            fail("handshake");
    }
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0)
        fail("fcntl");
}

/* The next byte's message, as it has to be. False with a line where it is not. */
static bool check_message(
    struct connection *connection, const unsigned char *message, size_t length)
{
    unsigned int sender = length > 0 ? message[0] >> 4 : NUMBERS;
    unsigned int number;

    if (sender >= NUMBERS) {
        fprintf(stderr, "a message of nobody\n");
        return false;
    }
    number = connection->next[sender]++;
    connection->received++;
    connection->over = sender == LAST;
    if (length == length_of(sender, number) && message[0] == mark_of(sender, number) &&
        memcmp(message + 1, bytes_of(sender, number) + 1, length - 1) == 0)
        return true;
    fprintf(stderr, "message %u of sender %u: %zu bytes, or other ones\n", number, sender, length);
    return false;
}

/* The size of the header and of the payload; false where they have not arrived. */
static bool measure(const unsigned char *at, size_t have, size_t *header, size_t *length)
{
    if (have < 2)
        return false;
    *length = at[1];
    *header = *length == 127 ? 10 : *length == 126 ? 4 : 2;
    if (have < *header)
        return false;
    if (*header > 2)
        *length = 0;
    for (size_t i = 2; i < *header; i++)
        *length = *length << 8 | at[i];
    return true;
}

/* Every frame is a message. */
static bool take_frames(struct connection *connection)
{
    const unsigned char *at = connection->buffer;
    size_t header, length;

    while (measure(at, connection->have, &header, &length)) {
        if (at[0] != 0x81 || length > LARGEST || connection->over) {
            fprintf(stderr, "a frame that nobody sent\n");
            return false;
        }
        if (connection->have < header + length)
            break;
        if (!check_message(connection, at + header, length))
            return false;
        at += header + length;
        connection->have -= header + length;
    }
    memmove(connection->buffer, at, connection->have);
    return true;
}

static bool receive(struct connection *connection)
{
    ssize_t got = read(connection->fd, connection->buffer + connection->have,
        HEADER_MOST + LARGEST - connection->have);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0) {
        fprintf(stderr, "a connection has ended\n");
        return false;
    }
    connection->have += (size_t)got;
    return take_frames(connection);
}

static unsigned int slowest(void)
{
    unsigned int least = UINT32_MAX;

    for (unsigned int i = 0; i < connection_count; i++)
        if (connections[i].received < least)
            least = connections[i].received;
    return least;
}

static void permit(void)
{
    while (permitted < slowest() + WINDOW) {
        if (write(tokens[1], "t", 1) != 1)
            fail("tokens");
        permitted++;
    }
}

static bool receive_some(void)
{
    struct pollfd pollfds[CONNECTIONS_MOST];

    for (unsigned int i = 0; i < connection_count; i++)
        pollfds[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
    if (poll(pollfds, connection_count, -1) < 0 && errno != EINTR)
        fail("poll");
    for (unsigned int i = 0; i < connection_count; i++)
        if (pollfds[i].revents && !receive(&connections[i]))
            return false;
    permit();
    return true;
}

static bool have_all(unsigned int each)
{
    for (unsigned int i = 0; i < connection_count; i++)
        for (unsigned int sender = 0; sender < senders; sender++)
            if (connections[i].next[sender] < each)
                return false;
    return true;
}

static bool all_over(void)
{
    for (unsigned int i = 0; i < connection_count; i++)
        if (!connections[i].over)
            return false;
    return true;
}

static int status_of(unsigned int number)
{
    int status;

    if (waitpid(processes[number], &status, 0) < 0)
        fail("waitpid");
    processes[number] = 0;
    return status;
}

static bool ends_well(unsigned int number)
{
    int status = status_of(number);

    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void kill_one(unsigned int number)
{
    if (kill(processes[number], SIGKILL) < 0)
        fail("kill");
    (void)status_of(number);
}

/* One that sends without end, until it is killed when something of it has arrived. */
struct victim {
    unsigned int number; /* among the senders */
    unsigned int lives;  /* messages */
};

static void begin_victim(struct victim *victim, unsigned int number)
{
    *victim = (struct victim){number, 3 + number * 5 % 16};
    begin_sender(number, UINT32_MAX);
}

static void kill_victim(const struct victim *victim)
{
    kill_one(victim->number);
    /* It may have taken a permission with it. */
    permitted--;
    permit();
}

/* Until all that the living have sent is there, and the others are dead. */
static bool receive_all(unsigned int each)
{
    struct victim victim;

    begin_victim(&victim, SENDERS_MOST);
    while (processes[victim.number] || !have_all(each)) {
        if (!receive_some())
            return false;
        if (!processes[victim.number] || connections[0].next[victim.number] < victim.lives)
            continue;
        kill_victim(&victim);
        if (victim.number + 1 < LAST)
            begin_victim(&victim, victim.number + 1);
    }
    return true;
}

/* What was sent by those that were killed came to all or to none. */
static bool same_everywhere(unsigned int each)
{
    for (unsigned int i = 0; i < connection_count; i++)
        for (unsigned int sender = 0; sender < NUMBERS; sender++)
            if (connections[i].next[sender] != connections[0].next[sender] ||
                (sender < senders && connections[i].next[sender] != each)) {
                fprintf(stderr, "connection %u has %u messages of sender %u\n", i,
                    connections[i].next[sender], sender);
                return false;
            }
    return true;
}

static bool stress(enum host_loop loop)
{
    const struct lws_context_extras extras = {.max_backlog = (size_t)WINDOW * 2 * LARGEST};
    unsigned int each = messages / senders;
    int end[2];
    bool good;

    if (!host_open(loop, &extras, NULL, NULL) || pipe2(end, O_CLOEXEC) < 0 ||
        pipe2(tokens, O_CLOEXEC) < 0)
        fail("beginning");
    if (begin(LAST)) {
        close(end[1]);
        serve(end[0]);
    }
    for (unsigned int i = 0; i < connection_count; i++)
        connect_one(&connections[i]);
    if (lws_renounce(host.context) < 0)
        fail("renouncing");
    permitted = 0;
    permit();
    for (unsigned int i = 0; i < senders; i++)
        begin_sender(i, each);
    good = receive_all(each);
    for (unsigned int i = 0; good && i < senders; i++)
        good = ends_well(i);
    good = good && broadcast(LAST, 0);
    while (good && !all_over())
        good = receive_some();
    good = good && same_everywhere(each);
    close(end[0]);
    close(end[1]);
    good = good && ends_well(LAST);
    /* What is left after something has gone wrong. */
    for (unsigned int i = 0; i < NUMBERS; i++)
        if (processes[i])
            kill_one(i);
    libwebsocket_context_destroy(host.context);
    for (unsigned int i = 0; i < connection_count; i++) {
        close(connections[i].fd);
        free(connections[i].buffer);
    }
    close(tokens[0]);
    close(tokens[1]);
    return good;
}

static unsigned int number_from(const char *text, unsigned int most)
{
    unsigned long number = strtoul(text, NULL, 10);

    if (number < 1 || number > most) {
        fprintf(stderr, "%s: from 1 to %u\n", text, most);
        exit(2);
    }
    return (unsigned int)number;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"poll", "uv", "event", "own"};
    unsigned int passed = 0, failed = 0;
    int option;

    while ((option = getopt(argc, argv, "s:m:c:t:")) != -1) {
        if (option == 's')
            senders = number_from(optarg, SENDERS_MOST);
        else if (option == 'm')
            messages = number_from(optarg, 1000000);
        else if (option == 'c')
            connection_count = number_from(optarg, CONNECTIONS_MOST);
        else if (option == 't')
            seconds = number_from(optarg, 86400);
        else
            return 2;
    }
    make_pattern();
    for (int loop = 0; loop < HOST_LOOPS; loop++) {
        bool wanted = optind == argc;
        bool good;

        for (int i = optind; i < argc; i++)
            wanted = wanted || strcmp(argv[i], names[loop]) == 0;
        if (!wanted)
            continue;
        alarm(seconds);
        good = stress((enum host_loop)loop);
        printf("%s %s\n", good ? "ok" : "not ok", names[loop]);
        fflush(stdout);
        passed += good;
        failed += !good;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
