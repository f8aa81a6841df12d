#include "ws_client.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ws_bytes.h"
#include "ws_deflate.h"

#define HEAD_MOST 65536u

/* Ends the test, and names the place where it called. */
#define FAIL(...) ws_fail_at(file, line, __VA_ARGS__)

void ws_fail_at(const char *file, int line, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ck_abort_msg("%s:%d: %s", file, line, message);
    abort();
}

int64_t ws_now_ms(void)
{
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool ws_wait_for(const struct ws_client *client, short events, int64_t deadline)
{
    struct pollfd pollfd = {.fd = client->fd, .events = events};

    for (;;) {
        int64_t left = deadline - ws_now_ms();
        int ready = poll(&pollfd, 1, left < 0 ? 0 : (int)left);

        if (ready > 0)
            return true;
        if (ready == 0 && left <= 0)
            return false;
        ck_assert(ready >= 0 || errno == EINTR);
    }
}

static bool compresses;

void ws_compress(bool on)
{
    compresses = on;
}

bool ws_compresses(void)
{
    return compresses;
}

void ws_agree(struct ws_client *client, const char *extensions)
{
    struct ws_deflate_terms terms;

    if (extensions == NULL)
        return;
    terms = ws_deflate_terms_of(extensions);
    ws_deflate_free(client->deflate);
    client->deflate = ws_deflate_new(&terms, client->serves);
}

static void (*carry_new)(struct ws_client *client);

void ws_carry(void (*carry)(struct ws_client *client))
{
    carry_new = carry;
}

struct ws_client *ws_adopt(int fd)
{
    struct ws_client *client = calloc(1, sizeof *client);

    ck_assert_ptr_nonnull(client);
    ck_assert_int_ge(fd, 0);
    client->fd = fd;
    client->mask = 0x37fa213d;
    return client;
}

struct ws_client *ws_connect_at(int port, int receive_bytes, const char *file, int line)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct ws_client *client;
    int on = 1;

    client = ws_adopt(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (receive_bytes > 0)
        ck_assert_int_eq(
            setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
    ck_assert_int_eq(setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        socklen_t length = sizeof error;

        if (error != EINPROGRESS)
            FAIL("connect: %s", strerror(error));
        if (!ws_wait_for(client, POLLOUT, ws_now_ms() + WS_PATIENCE_MS))
            FAIL("connect: nothing in %d ms", WS_PATIENCE_MS);
        ck_assert_int_eq(getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
        if (error != 0)
            FAIL("connect: %s", strerror(error));
    }
    if (carry_new != NULL)
        carry_new(client);
    return client;
}

static ssize_t send_now(struct ws_client *client, const void *data, size_t length, short *wanted)
{
    *wanted = POLLOUT;
    if (client->carrier != NULL)
        return client->carrier->send(client->carried, data, length, wanted);
    return send(client->fd, data, length, MSG_NOSIGNAL);
}

static ssize_t receive_now(struct ws_client *client, void *data, size_t room, short *wanted)
{
    *wanted = POLLIN;
    if (client->carrier != NULL)
        return client->carrier->receive(client->carried, data, room, wanted);
    return recv(client->fd, data, room, 0);
}

ssize_t ws_send_some(struct ws_client *client, const void *data, size_t length, int milliseconds)
{
    int64_t deadline = ws_now_ms() + milliseconds;

    for (;;) {
        short wanted;
        ssize_t count = send_now(client, data, length, &wanted);

        if (count >= 0 || (errno != EAGAIN && errno != EINTR))
            return count;
        if (errno == EAGAIN && !ws_wait_for(client, wanted, deadline))
            return 0;
    }
}

/* Sends what it can until the deadline. Returns the number of bytes; errno is 0 at the deadline. */
static size_t send_some(struct ws_client *client, const void *data, size_t length)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;
    size_t sent = 0;

    while (sent < length) {
        short wanted;
        ssize_t count = send_now(client, (const char *)data + sent, length - sent, &wanted);

        if (count > 0) {
            sent += (size_t)count;
            deadline = ws_now_ms() + WS_PATIENCE_MS;
        } else if (errno == EAGAIN) {
            if (!ws_wait_for(client, wanted, deadline)) {
                errno = 0;
                break;
            }
        } else if (errno != EINTR) {
            break;
        }
    }
    return sent;
}

void ws_send_at(
    struct ws_client *client, const void *data, size_t length, const char *file, int line)
{
    size_t sent = send_some(client, data, length);

    if (sent < length)
        FAIL("the server took %zu of %zu bytes: %s", sent, length,
            errno == 0 ? "no more in time" : strerror(errno));
}

bool ws_try_send(struct ws_client *client, const void *data, size_t length)
{
    return send_some(client, data, length) == length;
}

void ws_send_ahead(struct ws_client *client, const char *text)
{
    if (client->carrier == NULL) {
        ck_assert(ws_try_send(client, text, strlen(text)));
        return;
    }
    ck_assert_ptr_null(client->later);
    client->later = (unsigned char *)strdup(text);
    ck_assert_ptr_nonnull(client->later);
    client->later_length = strlen(text);
}

/* Sends what waits, if it is taken now. Returns whether it has been, or cannot be. */
static bool send_later(struct ws_client *client)
{
    short wanted;
    ssize_t count;

    if (client->later == NULL)
        return false;
    count = send_now(client, client->later, client->later_length, &wanted);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count > 0)
        ck_assert_uint_eq((size_t)count, client->later_length);
    free(client->later);
    client->later = NULL;
    return true;
}

/*
 * Reads what is there into the buffer. Returns the number of bytes, 0 at the end of the stream, -1
 * where nothing came before the deadline.
 */
static ssize_t receive_some(struct ws_client *client, int64_t deadline, const char *file, int line)
{
    if (client->have == client->room) {
        size_t room = client->room == 0 ? 4096 : client->room * 2;
        unsigned char *buffer = realloc(client->buffer, room);

        ck_assert_ptr_nonnull(buffer);
        client->buffer = buffer;
        client->room = room;
    }
    for (;;) {
        short wanted;
        ssize_t count;

        (void)send_later(client);
        count = receive_now(
            client, client->buffer + client->have, client->room - client->have, &wanted);

        if (count >= 0) {
            client->have += (size_t)count;
            return count;
        }
        if (errno == ECONNRESET || errno == EPIPE)
            return 0;
        if (errno != EAGAIN && errno != EINTR)
            FAIL("recv: %s", strerror(errno));
        if (errno == EAGAIN && !send_later(client) && !ws_wait_for(client, wanted, deadline))
            return -1;
    }
}

void ws_need(struct ws_client *client, size_t length, const char *what, const char *file, int line)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;

    while (client->have < length) {
        ssize_t count = receive_some(client, deadline, file, line);

        if (count == 0)
            FAIL("the server hung up instead of sending %s (%zu of %zu bytes)", what, client->have,
                length);
        if (count < 0)
            FAIL("no %s came (%zu of %zu bytes)", what, client->have, length);
        deadline = ws_now_ms() + WS_PATIENCE_MS;
    }
}

void ws_take(struct ws_client *client, size_t length)
{
    memmove(client->buffer, client->buffer + length, client->have - length);
    client->have -= length;
}

void ws_receive_at(struct ws_client *client, void *data, size_t length, const char *file, int line)
{
    ws_need(client, length, "bytes", file, line);
    memcpy(data, client->buffer, length);
    ws_take(client, length);
}

ssize_t ws_receive_some_at(
    struct ws_client *client, void *data, size_t room, int milliseconds, const char *file, int line)
{
    if (client->have == 0) {
        ssize_t count = receive_some(client, ws_now_ms() + milliseconds, file, line);

        if (count <= 0)
            return count;
    }
    if (room > client->have)
        room = client->have;
    memcpy(data, client->buffer, room);
    ws_take(client, room);
    return (ssize_t)room;
}

char *ws_receive_all_at(struct ws_client *client, size_t *length, const char *file, int line)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;
    ssize_t count;
    char *all;

    while ((count = receive_some(client, deadline, file, line)) > 0)
        deadline = ws_now_ms() + WS_PATIENCE_MS;
    if (count < 0)
        FAIL("the server did not hang up (%zu bytes came)", client->have);
    all = malloc(client->have + 1);
    ck_assert_ptr_nonnull(all);
    if (client->have > 0)
        memcpy(all, client->buffer, client->have);
    all[client->have] = '\0';
    if (length != NULL)
        *length = client->have;
    client->have = 0;
    return all;
}

char *ws_receive_until_at(struct ws_client *client, const char *text, const char *file, int line)
{
    const unsigned char *end;
    size_t length;
    char *all;

    for (size_t have = 1;; have = client->have + 1) {
        ws_need(client, have, "head", file, line);
        end = memmem(client->buffer, client->have, text, strlen(text));
        if (end != NULL)
            break;
        if (client->have > HEAD_MOST)
            FAIL("the head has no end");
    }
    length = (size_t)(end - client->buffer) + strlen(text);
    all = malloc(length + 1);
    ck_assert_ptr_nonnull(all);
    memcpy(all, client->buffer, length);
    all[length] = '\0';
    ws_take(client, length);
    return all;
}

struct ws_response ws_receive_head_at(struct ws_client *client, const char *file, int line)
{
    struct ws_response response = {.head = ws_receive_until_at(client, "\r\n\r\n", file, line)};

    if (sscanf(response.head, "HTTP/1.1 %3d ", &response.status) != 1)
        FAIL("this is no HTTP/1.1 response: %.60s", response.head);
    return response;
}

void ws_response_free(struct ws_response *response)
{
    free(response->head);
    response->head = NULL;
}

char *ws_response_field(const struct ws_response *response, const char *name)
{
    const char *line = strstr(response->head, "\r\n");
    size_t length = strlen(name);

    while (line != NULL && strncmp(line, "\r\n\r\n", 4) != 0) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            size_t size;
            char *copy;

            value += strspn(value, " \t");
            size = strcspn(value, "\r");
            while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
                size--;
            copy = strndup(value, size);
            ck_assert_ptr_nonnull(copy);
            return copy;
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

char *ws_handshake_text(const char *path, const char *subprotocols, const char *extra)
{
    char *text;
    int length = asprintf(&text,
        "GET %s HTTP/1.1\r\n"
        "Host: localhost\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Key: " WS_KEY "\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "%s%s%s%s\r\n",
        path, subprotocols == NULL ? "" : "Sec-WebSocket-Protocol: ",
        subprotocols == NULL ? "" : subprotocols, subprotocols == NULL ? "" : "\r\n",
        extra == NULL ? "" : extra);

    ck_assert_int_gt(length, 0);
    return text;
}

static void expect_field(const struct ws_response *response, const char *name, const char *value,
    const char *file, int line)
{
    char *found = ws_response_field(response, name);

    if (found == NULL)
        FAIL("the response has no %s", name);
    if (strcasecmp(found, value) != 0)
        FAIL("the response has %s: %s, not %s", name, found, value);
    free(found);
}

void ws_handshake_at(struct ws_client *client, const char *subprotocols, const char *file, int line)
{
    char *text = ws_handshake_text("/", subprotocols,
        compresses ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                   : NULL);
    struct ws_response response;
    char *extensions;

    ws_send_at(client, text, strlen(text), file, line);
    free(text);
    response = ws_receive_head_at(client, file, line);
    if (response.status != 101)
        FAIL("the handshake was answered with: %.100s", response.head);
    expect_field(&response, "Upgrade", "websocket", file, line);
    expect_field(&response, "Connection", "Upgrade", file, line);
    if (strstr(response.head, "\r\nSec-WebSocket-Accept: " WS_ACCEPT "\r\n") == NULL)
        FAIL("Sec-WebSocket-Accept is wrong: %s", response.head);
    extensions = ws_response_field(&response, "Sec-WebSocket-Extensions");
    if (extensions != NULL && !compresses)
        FAIL("the server agrees on %s", extensions);
    ws_agree(client, extensions);
    free(extensions);
    ws_response_free(&response);
}

struct ws_client *ws_open_at(
    int port, int receive_bytes, const char *subprotocols, const char *file, int line)
{
    struct ws_client *client = ws_connect_at(port, receive_bytes, file, line);

    ws_handshake_at(client, subprotocols, file, line);
    return client;
}

void ws_expect_eof_at(struct ws_client *client, const char *file, int line)
{
    ssize_t count = (ssize_t)client->have;

    if (count == 0)
        count = receive_some(client, ws_now_ms() + WS_PATIENCE_MS, file, line);
    if (count < 0)
        FAIL("the server did not hang up");
    if (count > 0)
        FAIL("%zd bytes came before the end, the first is %#x", count, client->buffer[0]);
}

/* A server is the one that ends the connection. */
static void hang_up_first(struct ws_client *client)
{
    if (client->serves)
        ws_shutdown(client);
}

void ws_expect_close_and_answer_at(struct ws_client *client, int code, const char *file, int line)
{
    unsigned char payload[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    unsigned char out[WS_HEADER_MOST + sizeof payload];

    ws_expect_close_at(client, code, NULL, file, line);
    /* A server that failed the connection may have hung up already. */
    ws_try_send(client, out,
        ws_put_frame(client, out, WS_FIN | WS_CLOSE, payload, code == 0 ? 0 : sizeof payload));
    hang_up_first(client);
    ws_expect_eof_at(client, file, line);
}

void ws_finish_at(struct ws_client *client, const char *file, int line)
{
    ws_send_close_at(client, 1000, NULL, file, line);
    ws_expect_close_at(client, 1000, NULL, file, line);
    hang_up_first(client);
    ws_expect_eof_at(client, file, line);
}

void ws_expect_silence_at(struct ws_client *client, int milliseconds, const char *file, int line)
{
    ssize_t count = client->have > 0 ? (ssize_t)client->have
                                     : receive_some(client, ws_now_ms() + milliseconds, file, line);

    if (count == 0)
        FAIL("the server hung up");
    if (count > 0)
        FAIL("%zd bytes came, the first is %#x", count, client->buffer[0]);
}

void ws_shutdown(struct ws_client *client)
{
    if (client->carrier != NULL)
        client->carrier->finish(client->carried);
    else if (shutdown(client->fd, SHUT_WR) != 0)
        ck_assert_int_eq(errno, ENOTCONN);
}

static void free_client(struct ws_client *client)
{
    if (client->carrier != NULL)
        client->carrier->free(client->carried);
    ck_assert_int_eq(close(client->fd), 0);
    ws_deflate_free(client->deflate);
    free(client->later);
    free(client->buffer);
    free(client);
}

void ws_free(struct ws_client *client)
{
    if (client == NULL)
        return;
    if (client->carrier != NULL)
        client->carrier->finish(client->carried);
    free_client(client);
}

void ws_reset(struct ws_client *client)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    free_client(client);
}
