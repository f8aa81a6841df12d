/*
 * The client that measures a server on 127.0.0.1.
 *
 * Usage: client PORT PID echo CONNECTIONS BYTES WINDOW
 *        client PORT PID file CONNECTIONS PATH
 *        client PORT PID idle CONNECTIONS
 *        client PORT PID text CONNECTIONS BYTES WINDOW plain|forget|keep
 *        client PORT PID text-idle CONNECTIONS BYTES MESSAGES plain|forget|keep
 *
 * PID is the server's. echo, file and text print messages, or responses, for each second of the
 * server's processor time, and for each second on the clock; WINDOW is how many messages are under
 * way on each connection. text also prints how many bytes the server sends for each 100 of a
 * message's. idle prints bytes of the server's memory for each connection, and so does text-idle,
 * for connections which have been silent since so many messages. All that comes back is checked.
 *
 * The messages of text are like JSON. They are sent, and wanted, as they are; by permessage-deflate
 * without context takeover; or with.
 */
#define _GNU_SOURCE 1 /* for memmem() */
#include "packed.h"
#include "usage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, RECEIVE_SIZE = 1 << 18, PATIENCE_MS = 10000, SETTLE_MS = 300 };

static const double warm_up = 0.15;
static const double measured = 0.45;

struct connection {
    int fd;
    size_t to_send; /* bytes of requests that have not been taken */
    size_t sent_at; /* in the requests */
    size_t at;      /* in the present answer */
    size_t size;    /* of the present answer; 0 while a response's head has not come */
    size_t asked;   /* messages of text so far */
    struct packed_reader *reader;
    char head[HEAD_MAX];
};

static struct {
    int port;
    int process;
    size_t count;
    struct connection *connections;
    int epoll;
    unsigned char *requests; /* as many as may be under way */
    size_t requests_size;
    size_t request_size;
    unsigned char *answer; /* to compare with; NULL for a response */
    size_t answer_size;
    unsigned char *received;
    unsigned long long answers;
    unsigned long long answers_size; /* bytes that have come */
    const char *offer;               /* a header field, and what has to be in the answer, or not */
    const char *wanted;
    const char *unwanted;
    struct packed_round *text; /* messages that differ, in place of one */
    size_t most;               /* of them on each connection; 0: no end */
} client;

_Noreturn static void give_up(const char *what)
{
    fprintf(stderr, "client: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        give_up("out of memory");
    return memory;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connect_to_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)client.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
        give_up("connect");
    return fd;
}

/* The server says nothing after its answer before it is spoken to. */
static void shake_hands(int fd)
{
    static const char lines[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    static const char accepted[] = "HTTP/1.1 101 ";
    char request[HEAD_MAX];
    char answer[HEAD_MAX];
    size_t have = 0;
    int length =
        snprintf(request, sizeof(request), "%s%s\r\n", lines, client.offer ? client.offer : "");

    if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        give_up("handshake");
    while (!memmem(answer, have, "\r\n\r\n", 4)) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        ssize_t count = -1;

        if (poll(&waiting, 1, PATIENCE_MS) == 1)
            count = recv(fd, answer + have, sizeof(answer) - have, 0);
        if (count <= 0)
            give_up("handshake");
        have += (size_t)count;
    }
    if (memcmp(answer, accepted, sizeof(accepted) - 1) != 0)
        give_up("the handshake was refused");
    if ((client.wanted && !memmem(answer, have, client.wanted, strlen(client.wanted))) ||
        (client.unwanted && memmem(answer, have, client.unwanted, strlen(client.unwanted))))
        give_up("the server does not agree");
}

static void open_connection(struct connection *connection, int websocket)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    connection->fd = connect_to_server();
    if (websocket)
        shake_hands(connection->fd);
    if (client.text)
        connection->reader = packed_reader_create(client.text);
    if (client.text && !connection->reader)
        give_up("out of memory");
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0 ||
        epoll_ctl(client.epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        give_up("epoll");
}

static void open_connections(int websocket)
{
    client.connections = allocate(client.count * sizeof(*client.connections));
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (client.epoll < 0)
        give_up("epoll");
    for (size_t i = 0; i < client.count; i++)
        open_connection(&client.connections[i], websocket);
}

static void watch(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};

    if (epoll_ctl(client.epoll, EPOLL_CTL_MOD, connection->fd, &event) < 0)
        give_up("epoll");
}

/* That many more requests are due. */
static void ask(struct connection *connection, size_t count)
{
    if (!client.text) {
        connection->to_send += count * client.request_size;
        return;
    }
    for (; count > 0 && (client.most == 0 || connection->asked < client.most); count--)
        connection->to_send += client.text->sizes[connection->asked++ % PACKED_MESSAGES];
}

static void send_requests(struct connection *connection)
{
    while (connection->to_send > 0) {
        size_t left = client.requests_size - connection->sent_at;
        ssize_t count;

        if (left > connection->to_send)
            left = connection->to_send;
        count = send(connection->fd, client.requests + connection->sent_at, left, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            watch(connection, EPOLLIN | EPOLLOUT);
            return;
        }
        if (count < 0)
            give_up("send");
        connection->sent_at = (connection->sent_at + (size_t)count) % client.requests_size;
        connection->to_send -= (size_t)count;
    }
}

/* Returns how many bytes belong to a response's head; the size is known once it is complete. */
static size_t take_head(struct connection *connection, const unsigned char *bytes, size_t length)
{
    static const char good[] = "HTTP/1.1 200 ";
    size_t before = connection->at;
    size_t room = HEAD_MAX - 1 - before;
    const char *end;
    const char *field;

    if (length > room)
        length = room;
    memcpy(connection->head + before, bytes, length);
    connection->head[before + length] = '\0';
    end = strstr(connection->head, "\r\n\r\n");
    if (!end && length == room)
        give_up("the head of a response is too long");
    if (!end)
        return length;
    length = (size_t)(end + 4 - connection->head);
    field = strcasestr(connection->head, "\r\nContent-Length:");
    if (memcmp(connection->head, good, sizeof(good) - 1) != 0 || !field || field > end)
        give_up("not the response that was expected");
    connection->size = length + strtoull(field + sizeof("\r\nContent-Length:") - 1, NULL, 10);
    return length - before;
}

static size_t take_body(struct connection *connection, const unsigned char *bytes, size_t length)
{
    size_t left = connection->size - connection->at;

    if (length > left)
        length = left;
    if (client.answer && memcmp(bytes, client.answer + connection->at, length) != 0)
        give_up("not the message that was sent");
    return length;
}

/* Returns how many answers have become complete. */
static size_t take_answers(struct connection *connection, const unsigned char *bytes, size_t length)
{
    size_t complete = 0;

    if (client.text) {
        int count = packed_reader_take(connection->reader, bytes, length);

        if (count < 0)
            give_up("not the message that was sent");
        return (size_t)count;
    }
    while (length > 0) {
        size_t taken;

        if (client.answer)
            connection->size = client.answer_size;
        if (connection->size == 0)
            taken = take_head(connection, bytes, length);
        else
            taken = take_body(connection, bytes, length);
        bytes += taken;
        length -= taken;
        connection->at += taken;
        if (connection->size > 0 && connection->at == connection->size) {
            connection->at = 0;
            connection->size = 0;
            complete++;
        }
    }
    return complete;
}

static void serve(const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;
    size_t complete;
    ssize_t count;

    if (event->events & EPOLLOUT)
        watch(connection, EPOLLIN);
    if (event->events & ~(uint32_t)EPOLLOUT) {
        count = recv(connection->fd, client.received, RECEIVE_SIZE, 0);
        if (count == 0)
            errno = 0;
        if (count <= 0)
            give_up("the server hung up");
        complete = take_answers(connection, client.received, (size_t)count);
        client.answers += complete;
        client.answers_size += (unsigned long long)count;
        ask(connection, complete);
    }
    send_requests(connection);
}

/* For so long, or until there have been so many answers. */
static void run(double seconds, unsigned long long answers)
{
    double end = now() + seconds;

    while (now() < end && client.answers < answers) {
        struct epoll_event events[64];
        int count = epoll_wait(client.epoll, events, 64, PATIENCE_MS);

        if (count == 0)
            errno = 0;
        if (count <= 0)
            give_up("the server is silent");
        for (int i = 0; i < count; i++)
            serve(&events[i]);
    }
}

static void measure(size_t window)
{
    double cpu_before;
    double cpu_after;
    double start;
    double seconds;

    client.received = allocate(RECEIVE_SIZE);
    for (size_t i = 0; i < client.count; i++) {
        ask(&client.connections[i], window);
        send_requests(&client.connections[i]);
    }
    run(warm_up, ULLONG_MAX);
    client.answers = 0;
    client.answers_size = 0;
    start = now();
    if (!usage_cpu(client.process, &cpu_before))
        give_up("the server's processor time is not to be had");
    run(measured, ULLONG_MAX);
    seconds = now() - start;
    if (!usage_cpu(client.process, &cpu_after) || cpu_after <= cpu_before)
        give_up("the server's processor time is not to be had");
    printf("%.0f %.0f", (double)client.answers / (cpu_after - cpu_before),
        (double)client.answers / seconds);
    if (client.text)
        printf(" %.1f", 100 * (double)client.answers_size /
                            ((double)client.answers * (double)client.text->length));
    printf("\n");
}

static void repeat_request(size_t window)
{
    client.requests_size = client.request_size * window;
    client.requests = realloc(client.requests, client.requests_size);
    if (!client.requests)
        give_up("out of memory");
    for (size_t i = 1; i < window; i++)
        memcpy(client.requests + i * client.request_size, client.requests, client.request_size);
}

/* The header of a frame, up to its mask. */
static size_t put_header(unsigned char *frame, size_t length, unsigned char masked)
{
    frame[0] = 0x82;
    if (length < 126) {
        frame[1] = (unsigned char)(masked | length);
        return 2;
    }
    if (length < 65536) {
        frame[1] = masked | 126;
        frame[2] = (unsigned char)(length >> 8);
        frame[3] = (unsigned char)length;
        return 4;
    }
    frame[1] = masked | 127;
    for (int i = 0; i < 8; i++)
        frame[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
    return 10;
}

static void measure_echo(size_t length, size_t window)
{
    static const unsigned char mask[4] = {0x3d, 0xa1, 0x07, 0xf2};
    size_t header;

    client.requests = allocate(length + 14);
    client.answer = allocate(length + 14);
    header = put_header(client.answer, length, 0);
    client.answer_size = header + length;
    for (size_t i = 0; i < length; i++)
        client.answer[header + i] = (unsigned char)(i * 7 + i / 256);
    header = put_header(client.requests, length, 0x80);
    memcpy(client.requests + header, mask, sizeof(mask));
    header += sizeof(mask);
    for (size_t i = 0; i < length; i++)
        client.requests[header + i] = (unsigned char)(i * 7 + i / 256) ^ mask[i % 4];
    client.request_size = header + length;
    repeat_request(window);
    open_connections(1);
    measure(window);
}

static void measure_file(const char *path)
{
    char request[HEAD_MAX];
    int length = snprintf(request, sizeof(request),
        "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", path);

    if (length < 0 || (size_t)length >= sizeof(request))
        give_up("the path is too long");
    client.request_size = (size_t)length;
    client.requests = allocate(client.request_size);
    memcpy(client.requests, request, client.request_size);
    repeat_request(1);
    open_connections(0);
    measure(1);
}

/* What has been let go of by then, such as what handshakes needed, does not count. */
static void measure_idle(void)
{
    static const struct timespec pause = {.tv_nsec = SETTLE_MS * 1000000L};
    double before;
    double after;

    shake_hands(connect_to_server());
    nanosleep(&pause, NULL);
    if (!usage_memory(client.process, &before))
        give_up("the server's memory is not to be had");
    open_connections(1);
    nanosleep(&pause, NULL);
    if (!usage_memory(client.process, &after))
        give_up("the server's memory is not to be had");
    printf("%.0f 0\n", (after - before) / (double)client.count);
}

static void make_text(size_t length, const char *how)
{
    static struct packed_round text;
    int packs = strcmp(how, "plain") != 0;
    int keeps = strcmp(how, "keep") == 0;

    if (packs && !keeps && strcmp(how, "forget") != 0)
        give_up("unknown arguments");
    if (!packed_round_make(&text, length, packs, keeps))
        give_up("out of memory");
    client.text = &text;
    client.requests = text.frames;
    client.requests_size = text.frames_size;
    client.wanted = packs ? "permessage-deflate" : NULL;
    client.unwanted = keeps ? "_no_context_takeover" : packs ? NULL : "permessage-deflate";
    if (packs)
        client.offer = keeps ? "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                             : "Sec-WebSocket-Extensions: permessage-deflate; "
                               "client_no_context_takeover; server_no_context_takeover\r\n";
}

static void exchange(struct connection *connections, size_t count)
{
    client.answers = 0;
    for (size_t i = 0; i < count; i++) {
        open_connection(&connections[i], 1);
        ask(&connections[i], 1);
        send_requests(&connections[i]);
    }
    run(HUGE_VAL, count * client.most);
}

/* What one connection has brought about does not count. */
static void measure_text_idle(size_t messages)
{
    static const struct timespec pause = {.tv_nsec = SETTLE_MS * 1000000L};
    double before;
    double after;

    client.received = allocate(RECEIVE_SIZE);
    client.connections = allocate((client.count + 1) * sizeof(*client.connections));
    client.epoll = epoll_create1(EPOLL_CLOEXEC);
    client.most = messages;
    if (client.epoll < 0)
        give_up("epoll");
    exchange(client.connections, 1);
    nanosleep(&pause, NULL);
    if (!usage_memory(client.process, &before))
        give_up("the server's memory is not to be had");
    exchange(client.connections + 1, client.count);
    nanosleep(&pause, NULL);
    if (!usage_memory(client.process, &after))
        give_up("the server's memory is not to be had");
    printf("%.0f 0\n", (after - before) / (double)client.count);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        give_up("limits");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < client.count + 32)
        give_up("there may not be so many connections");
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: client PORT PID echo|file|idle|text|text-idle CONNECTIONS …\n");
        return 2;
    }
    client.port = atoi(argv[1]);
    client.process = atoi(argv[2]);
    client.count = strtoul(argv[4], NULL, 10);
    if (client.count == 0)
        give_up("no connections");
    raise_descriptor_limit();
    errno = 0;
    if (strcmp(argv[3], "echo") == 0 && argc == 7)
        measure_echo(strtoul(argv[5], NULL, 10), strtoul(argv[6], NULL, 10));
    else if (strcmp(argv[3], "file") == 0 && argc == 6)
        measure_file(argv[5]);
    else if (strcmp(argv[3], "idle") == 0 && argc == 5)
        measure_idle();
    else if (strcmp(argv[3], "text") == 0 && argc == 8) {
        make_text(strtoul(argv[5], NULL, 10), argv[7]);
        open_connections(1);
        measure(strtoul(argv[6], NULL, 10));
    } else if (strcmp(argv[3], "text-idle") == 0 && argc == 8) {
        make_text(strtoul(argv[5], NULL, 10), argv[7]);
        measure_text_idle(strtoul(argv[6], NULL, 10));
    } else
        give_up("unknown arguments");
    return 0;
}
