#include "connection/http_request.h"

#include "codec/request_target.h"
#include "codec/token_list.h"
#include "connection/drain.h"
#include "connection/handshake.h"
#include "connection/head_storage.h"
#include "connection/http_response.h"

#include <stdlib.h>
#include <string.h>

/* The methods of RFC 9110 and 5789 that a server of files and WebSockets knows and does not serve.
 */
static bool is_known_method(const char *method)
{
    static const char *const known[] = {
        "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(method, known[i]) == 0)
            return true;
    return false;
}

static bool connection_lists(const struct http_head *head, const char *option)
{
    const struct http_field *field;
    uint32_t at = 0;

    while ((field = http_head_find(head, "Connection", &at)))
        if (token_list_has(http_head_text(head, field->value), option))
            return true;
    return false;
}

static bool wants_keep_alive(const struct http_head *head)
{
    if (connection_lists(head, "close"))
        return false;
    return head->version_minor > 0 || connection_lists(head, "keep-alive");
}

static bool has_good_host(const struct http_head *head)
{
    uint32_t at = 0;
    const struct http_field *host = http_head_find(head, "Host", &at);

    if (!host)
        return head->version_minor == 0;
    return http_head_count(head, "Host") == 1 && host_is_valid(http_head_text(head, host->value));
}

static void answer(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;

    wsi->state = CONNECTION_HTTP_RESPONSE;
    /* Behind answers that the client has not taken yet it is those that have their time. */
    connection_progress(wsi);
    if (exchange->refusal) {
        http_response_status(wsi, exchange->refusal);
        return;
    }
    if (!connection_session(wsi) && wsi->protocol->session_size) {
        http_response_refuse(wsi, 503, "out of memory for a session");
        return;
    }
    wsi->http_called = true;
    lwsl_info("connection %d: %s %s\n", wsi->transport.fd,
        http_head_text(&exchange->head, exchange->head.method),
        http_head_text(&exchange->head, exchange->head.target));
    if (connection_callback(wsi, LWS_CALLBACK_HTTP, exchange->path, strlen(exchange->path)))
        http_response_abandon(wsi);
}

/* The path, and the tokens that the program may read. False where the request was answered. */
static bool prepare(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;
    const char *target = http_head_text(&exchange->head, exchange->head.target);
    size_t size = strlen(target) + 2;

    exchange->path = malloc(size);
    if (!exchange->path) {
        http_response_refuse(wsi, 503, "out of memory for a path");
        return false;
    }
    if (request_target_decode(target, exchange->path, size) != REQUEST_TARGET_GOOD) {
        http_response_refuse(wsi, 400, "bad request target");
        return false;
    }
    if (!header_tokens_fill(&exchange->tokens, &exchange->head)) {
        http_response_refuse(wsi, 503, "out of memory for header fields");
        return false;
    }
    header_tokens_set(&exchange->tokens, WSI_TOKEN_GET_URI, exchange->path);
    return true;
}

/* Reads the body before the answer, which it must not be mistaken for a request after. */
static void begin_body(struct libwebsocket *wsi)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_exchange *exchange = wsi->http;
    bool expects =
        exchange->head.version_minor > 0 && http_head_count(&exchange->head, "Expect") > 0;

    if (expects && exchange->refusal) {
        /* The body may come or not, and so it cannot be known where the next request begins. */
        http_response_refuse(wsi, exchange->refusal, "a body was announced and is not wanted");
        return;
    }
    if (expects && !connection_send(wsi, go_on, sizeof(go_on) - 1))
        return;
    wsi->state = CONNECTION_HTTP_BODY;
}

static bool has_unknown_expectation(const struct http_head *head)
{
    const struct http_field *field;
    uint32_t at = 0;

    while ((field = http_head_find(head, "Expect", &at)))
        if (!token_equal(http_head_text(head, field->value), field->value_length, "100-continue"))
            return head->version_minor > 0;
    return false;
}

/* The head is complete. */
static void judge(struct libwebsocket *wsi)
{
    struct http_exchange *exchange = wsi->http;
    const struct http_head *head = &exchange->head;
    const char *method = http_head_text(head, head->method);
    enum http_body_status body;
    bool unknown_coding = false;

    exchange->head_complete = true;
    exchange->without_body = strcmp(method, "HEAD") == 0;
    if (!has_good_host(head)) {
        http_response_refuse(wsi, 400, "no good Host field");
        return;
    }
    body = http_body_begin(&exchange->body, head, engine_of(wsi)->limits.body, &unknown_coding);
    if (body == HTTP_BODY_BAD) {
        http_response_refuse(wsi, unknown_coding ? 501 : 400, "the body's length is not clear");
        return;
    }
    if (body == HTTP_BODY_TOO_LARGE) {
        http_response_refuse(wsi, 413, "the body is too large");
        return;
    }
    exchange->keep_alive = wants_keep_alive(head);
    if (has_unknown_expectation(head))
        exchange->refusal = 417;
    else if (strcmp(method, "GET") != 0 && !exchange->without_body)
        exchange->refusal = is_known_method(method) ? 405 : 501;
    else if (!prepare(wsi))
        return;
    else if (handshake_is_meant(head)) {
        handshake(wsi, body == HTTP_BODY_MORE);
        return;
    }
    if (body == HTTP_BODY_MORE)
        begin_body(wsi);
    else
        answer(wsi);
}

/* Makes room for a longer head. False where it may not be longer, or memory is short. */
static bool enlarge(struct libwebsocket *wsi)
{
    struct http_head *head = &wsi->http->head;

    switch (head_storage_grow(head, &engine_of(wsi)->limits)) {
    case HEAD_GROWN:
        return true;
    case HEAD_TOO_LARGE:
        http_response_refuse(wsi, http_head_in_target(head) ? 414 : 431, "the head is too large");
        break;
    case HEAD_NO_MEMORY:
        http_response_refuse(wsi, 503, "out of memory for a head");
        break;
    }
    return false;
}

size_t http_request_head(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    bool first = wsi->http == NULL;
    struct http_exchange *exchange = http_exchange_begin(wsi);
    size_t taken = 0;

    if (!exchange) {
        lwsl_err("connection %d: out of memory for a request\n", wsi->transport.fd);
        connection_die(wsi);
        return length;
    }
    if (first)
        connection_set_due(wsi, engine_of(wsi)->limits.request_timeout);
    for (;;) {
        size_t used = 0;
        enum http_head_status status =
            http_head_parse(&exchange->head, bytes + taken, length - taken, &used);

        taken += used;
        switch (status) {
        case HTTP_HEAD_MORE:
            return taken;
        case HTTP_HEAD_DONE:
            judge(wsi);
            return taken;
        case HTTP_HEAD_STORAGE_FULL:
            if (!enlarge(wsi))
                return length;
            break;
        case HTTP_HEAD_FIELDS_FULL:
            http_response_refuse(wsi, 431, "too many header fields");
            return length;
        case HTTP_HEAD_BAD:
            http_response_refuse(wsi, 400, "not an HTTP request");
            return length;
        case HTTP_HEAD_BAD_VERSION:
            http_response_refuse(wsi, 505, "not HTTP/1");
            return length;
        }
    }
}

size_t http_request_body(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    size_t used = 0;

    switch (http_body_skip(&wsi->http->body, bytes, length, &used)) {
    case HTTP_BODY_MORE:
        break;
    case HTTP_BODY_DONE:
        answer(wsi);
        break;
    case HTTP_BODY_TOO_LARGE:
        http_response_refuse(wsi, 413, "the body is too large");
        return length;
    case HTTP_BODY_BAD:
        http_response_refuse(wsi, 400, "bad chunked body");
        return length;
    }
    return used;
}
