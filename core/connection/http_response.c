#include "connection/http_response.h"

#include "codec/http_date.h"
#include "connection/drain.h"
#include "connection/receive.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

static const struct {
    int status;
    const char *phrase;
    const char *fields;
} statuses[] = {
    {200, "OK", ""},
    {206, "Partial Content", ""},
    {304, "Not Modified", ""},
    {400, "Bad Request", ""},
    {403, "Forbidden", ""},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", "Allow: GET, HEAD\r\n"},
    {408, "Request Timeout", ""},
    {412, "Precondition Failed", ""},
    {413, "Content Too Large", ""},
    {414, "URI Too Long", ""},
    {416, "Range Not Satisfiable", ""},
    {417, "Expectation Failed", ""},
    {426, "Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13, 8, 7\r\n"},
    {431, "Request Header Fields Too Large", ""},
    {500, "Internal Server Error", ""},
    {501, "Not Implemented", ""},
    {503, "Service Unavailable", ""},
    {505, "HTTP Version Not Supported", ""},
};

static size_t status_index(int status)
{
    size_t index = 0;

    while (index + 1 < sizeof(statuses) / sizeof(statuses[0]) && statuses[index].status != status)
        index++;
    return index;
}

/* What the client must be told about the connection, given what it would assume (RFC 9112, 9.3). */
static const char *connection_field(const struct http_exchange *exchange, int status)
{
    bool goes_on = exchange && exchange->keep_alive;
    bool assumed = exchange && exchange->head_complete && exchange->head.version_minor > 0;

    if (status == 426)
        return goes_on ? "Connection: Upgrade\r\n" : "Connection: Upgrade, close\r\n";
    if (!goes_on)
        return "Connection: close\r\n";
    return assumed ? "" : "Connection: keep-alive\r\n";
}

void http_response_begin(struct text *text, const struct http_exchange *exchange, int status)
{
    char date[HTTP_DATE_SIZE];

    text_add(text, "HTTP/1.1 %d %s\r\n", status, statuses[status_index(status)].phrase);
    if (http_date_format(time(NULL), date))
        text_add(text, "Date: %s\r\n", date);
    text_add(text, "%s", connection_field(exchange, status));
}

bool http_response_send_status(struct libwebsocket *wsi, int status)
{
    struct http_exchange *exchange = wsi->http;
    size_t index = status_index(status);
    char bytes[HTTP_RESPONSE_HEAD_MAX];
    char body[128];
    struct text head, page;

    text_init(&page, body, sizeof(body));
    text_add(&page, "%d %s\n", status, statuses[index].phrase);
    text_init(&head, bytes, sizeof(bytes));
    http_response_begin(&head, exchange, status);
    text_add(&head, "%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
        statuses[index].fields, page.length);
    if (!exchange || !exchange->without_body)
        text_add(&head, "%s", body);
    return connection_send(wsi, head.bytes, head.length);
}

void http_response_status(struct libwebsocket *wsi, int status)
{
    if (http_response_send_status(wsi, status))
        http_response_end(wsi);
}

void http_response_refuse(struct libwebsocket *wsi, int status, const char *why)
{
    lwsl_notice("connection %d: refused with %d: %s\n", wsi->transport.fd, status, why);
    if (wsi->http)
        wsi->http->keep_alive = false;
    http_response_status(wsi, status);
}

void http_response_end(struct libwebsocket *wsi)
{
    bool keep_alive = wsi->http && wsi->http->keep_alive && !wsi->input_ended;

    if (wsi->state == CONNECTION_DEAD || wsi->state == CONNECTION_DRAINING)
        return;
    wsi->wants_writable = false;
    if (!keep_alive) {
        connection_drain(wsi);
        return;
    }
    http_exchange_free(wsi);
    wsi->state = CONNECTION_HTTP_HEAD;
    connection_progress(wsi);
    connection_attend(wsi);
}

void http_response_abandon(struct libwebsocket *wsi)
{
    if (!connection_is_http(wsi))
        return;
    if (wsi->http)
        wsi->http->keep_alive = false;
    if (!wsi->http || wsi->http->answer != HTTP_ANSWER_FILE)
        http_response_end(wsi);
}

/* How many bytes of what the program writes are still head. */
static size_t raw_head_length(
    struct http_exchange *exchange, const unsigned char *bytes, size_t length)
{
    size_t at = 0;

    for (; at < length && exchange->raw_head != RAW_BODY; at++) {
        if (bytes[at] == '\r' && exchange->raw_head == RAW_LINE_START)
            exchange->raw_head = RAW_LINE_START_CR;
        else if (bytes[at] == '\n')
            exchange->raw_head = exchange->raw_head == RAW_LINE ? RAW_LINE_START : RAW_BODY;
        else if (bytes[at] != '\r')
            exchange->raw_head = RAW_LINE;
    }
    return at;
}

int http_response_write(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    struct http_exchange *exchange = wsi->http;

    if (wsi->state == CONNECTION_DRAINING || wsi->state == CONNECTION_DEAD) {
        errno = EPIPE;
        return -1;
    }
    if (wsi->state != CONNECTION_HTTP_RESPONSE || !exchange ||
        (exchange->answer != HTTP_ANSWER_NONE && exchange->answer != HTTP_ANSWER_RAW) ||
        (!bytes && length > 0) || length > INT_MAX) {
        lwsl_warn("libwebsocket_write: connection %d: no request waits for these bytes\n",
            wsi->transport.fd);
        errno = EINVAL;
        return -1;
    }
    if (wsi->backlog.bytes >= engine_of(wsi)->limits.backlog && !wsi->choked &&
        !connection_flush(wsi) && wsi->state == CONNECTION_DEAD) {
        errno = EPIPE;
        return -1;
    }
    if (wsi->backlog.bytes >= engine_of(wsi)->limits.backlog) {
        errno = EAGAIN;
        return -1;
    }
    exchange->answer = HTTP_ANSWER_RAW;
    exchange->keep_alive = false;
    connection_attend(wsi);
    /* The answer to HEAD has no body, whatever the program thinks it answers. */
    if (exchange->without_body)
        return connection_send(wsi, bytes, raw_head_length(exchange, bytes, length)) ? (int)length
                                                                                     : -1;
    return connection_send(wsi, bytes, length) ? (int)length : -1;
}

void http_response_late(struct libwebsocket *wsi)
{
    if (wsi->state == CONNECTION_HTTP_RESPONSE ||
        (wsi->state == CONNECTION_HTTP_HEAD &&
            (wsi->choked || !wsi->http || !http_head_started(&wsi->http->head)))) {
        connection_die(wsi);
        return;
    }
    http_response_refuse(wsi, 408, "the request did not arrive in time");
}
