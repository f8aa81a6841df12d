/* The clients: sockets that never block, driven by the script. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/ws_client.h"
#include "stage.h"

static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};

void client_connect(struct client *client)
{
    const int buffer = 16384;
    const int segment = 1400;
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stage.port)};

    client_close(client);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(client->fd, 0);
    ck_assert_int_eq(setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    /* With the loopback's large ones a small buffer makes TCP wait for its timers. */
    ck_assert_int_eq(setsockopt(client->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment), 0);
    ck_assert_int_eq(setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    /* The kernel completes it: there is room in the queue of the listening socket. */
    ck_assert_int_eq(connect(client->fd, (const struct sockaddr *)&address, sizeof address), 0);
    client->ended = false;
    client->reads_not = false;
    client->have = 0;
    client->in[0] = '\0';
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        ck_assert_int_eq(close(client->fd), 0);
    client->fd = -1;
}

void client_send(struct client *client, const void *bytes, size_t length)
{
    ssize_t sent;

    if (client->fd < 0 || client->ended)
        return;
    sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "send: %s", strerror(errno));
        return;
    }
    ck_assert_uint_eq((size_t)sent, length);
}

void client_send_text(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

void client_send_frame(
    struct client *client, unsigned int first, const void *payload, size_t length)
{
    unsigned char *frame = malloc(WS_HEADER_MOST + length);

    ck_assert_ptr_nonnull(frame);
    client_send(client, frame, ws_build_frame(frame, first, mask, 0, length, payload, length));
    free(frame);
}

void client_take(struct client *client, size_t length)
{
    ck_assert_uint_le(length, client->have);
    memmove(client->in, client->in + length, client->have - length + 1);
    client->have -= length;
}

const unsigned char *client_frame(
    const struct client *client, unsigned int *first, size_t *length, size_t *total)
{
    const unsigned char *in = client->in;
    size_t header = 2;

    if (client->have < 2)
        return NULL;
    *length = in[1];
    ck_assert_msg(*length < 128, "a masked frame came");
    if (*length >= 126) {
        size_t bytes = *length == 126 ? 2 : 8;

        if (client->have < header + bytes)
            return NULL;
        *length = 0;
        for (size_t i = 0; i < bytes; i++)
            *length = *length << 8 | in[header + i];
        header += bytes;
    }
    *first = in[0];
    *total = header + *length;
    return client->have < *total ? NULL : in + header;
}

int client_response(const struct client *client, size_t *total)
{
    const char *text = (const char *)client->in;
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "\r\nContent-Length: ");
    int status;

    if (end == NULL)
        return 0;
    ck_assert_int_eq(strncmp(text, "HTTP/1.1 ", 9), 0);
    status = atoi(text + 9);
    *total = (size_t)(end + 4 - text);
    if (length != NULL && length < end)
        *total += strtoul(length + 18, NULL, 10);
    else
        ck_assert_int_eq(status, 101);
    return client->have < *total ? 0 : status;
}

/* Who waits; the questions have no argument. */
static const struct client *asked;

static bool has_response(void)
{
    size_t total;

    return client_response(asked, &total) != 0;
}

static bool has_frame(void)
{
    unsigned int first;
    size_t length;
    size_t total;

    return client_frame(asked, &first, &length, &total) != NULL;
}

bool client_establish(struct client *client, const char *subprotocols, const char *extra)
{
    char *request = ws_handshake_text("/chat", subprotocols, extra);
    size_t total;
    int status;

    client_connect(client);
    client_send_text(client, request);
    free(request);
    asked = client;
    if (!stage_wait(client, has_response))
        return false;
    status = client_response(client, &total);
    client_take(client, total);
    return status == 101;
}

bool client_echo(struct client *client, const char *text)
{
    const unsigned char *payload;
    unsigned int first;
    size_t length;
    size_t total;
    bool same;

    client_send_frame(client, WS_FIN | WS_TEXT, text, strlen(text));
    asked = client;
    if (!stage_wait(client, has_frame))
        return false;
    payload = client_frame(client, &first, &length, &total);
    same =
        first == (WS_FIN | WS_TEXT) && length == strlen(text) && memcmp(payload, text, length) == 0;
    client_take(client, total);
    return same;
}
