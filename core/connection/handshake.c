#include "connection/handshake.h"

#include "base/text.h"
#include "codec/extension_list.h"
#include "codec/token_list.h"
#include "codec/websocket_key.h"
#include "connection/extension.h"
#include "connection/extension_negotiation.h"
#include "connection/http_response.h"
#include "connection/subprotocol.h"
#include "connection/websocket_establish.h"

#include <stdlib.h>
#include <string.h>

enum { FIXED_PART = 256 /* more than the answer has besides what was agreed on */ };

/* What is wrong with a handshake; `status` is 0 where nothing is. */
struct verdict {
    int status;
    const char *why;
};

static const struct verdict good = {0, NULL};

static const char *token(const struct http_exchange *exchange, enum lws_token_indexes index)
{
    return header_tokens_text(&exchange->tokens, index);
}

bool handshake_is_meant(const struct http_head *head)
{
    const struct http_field *field;
    uint32_t at = 0;

    /* HTTP/1.0 has no Upgrade (RFC 9110, 7.8). */
    while (head->version_minor > 0 && (field = http_head_find(head, "Upgrade", &at)))
        if (token_list_has(http_head_text(head, field->value), "websocket"))
            return true;
    return http_head_count(head, "Sec-WebSocket-Key") > 0 ||
           http_head_count(head, "Sec-WebSocket-Version") > 0;
}

/* A number from 0 to 255 without leading zeros (RFC 6455, 4.3); -1 for anything else. */
static int version_number(const char *text)
{
    int number = 0;

    if (text[0] == '0' && text[1] != '\0')
        return -1;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || at - text >= 3)
            return -1;
        number = number * 10 + (*at - '0');
    }
    return text[0] && number <= 255 ? number : -1;
}

static struct verdict check_version(const struct http_exchange *exchange)
{
    const char *version = token(exchange, WSI_TOKEN_VERSION);
    int number;

    if (!version)
        return (struct verdict){426, "no Sec-WebSocket-Version: an old draft, or none"};
    if (http_head_count(&exchange->head, "Sec-WebSocket-Version") != 1)
        return (struct verdict){400, "several Sec-WebSocket-Version fields"};
    number = version_number(version);
    if (number < 0)
        return (struct verdict){400, "Sec-WebSocket-Version is not a version"};
    if (number != 13 && number != 8 && number != 7)
        return (struct verdict){426, "a version that is not spoken here"};
    return good;
}

static struct verdict check_request(const struct http_exchange *exchange, bool has_body)
{
    const char *upgrade = token(exchange, WSI_TOKEN_UPGRADE);
    const char *connection = token(exchange, WSI_TOKEN_CONNECTION);
    const char *key = token(exchange, WSI_TOKEN_KEY);
    const char *extensions = token(exchange, WSI_TOKEN_EXTENSIONS);
    struct verdict version;

    if (exchange->without_body)
        return (struct verdict){400, "a handshake with HEAD"};
    if (exchange->head.version_minor == 0)
        return (struct verdict){400, "a handshake with HTTP/1.0"};
    if (has_body)
        return (struct verdict){400, "a handshake with a body"};
    if (!upgrade || !token_list_has(upgrade, "websocket"))
        return (struct verdict){400, "a handshake without Upgrade: websocket"};
    if (!connection || !token_list_has(connection, "upgrade"))
        return (struct verdict){400, "a handshake without Connection: Upgrade"};
    version = check_version(exchange);
    if (version.status)
        return version;
    /* Clients of libwebsockets send the field though they have nothing to offer. */
    if (extensions && extensions[0] && !extension_list_is_valid(extensions))
        return (struct verdict){400, "Sec-WebSocket-Extensions is not a list of extensions"};
    if (!key || http_head_count(&exchange->head, "Sec-WebSocket-Key") != 1 ||
        !websocket_key_is_valid(key))
        return (struct verdict){400, "no good Sec-WebSocket-Key"};
    return good;
}

/* The client's order wins among the protocols the server has. */
static struct verdict choose(
    struct libwebsocket *wsi, struct protocol **chosen, const char **name, size_t *name_length)
{
    const char *offer = token(wsi->http, WSI_TOKEN_PROTOCOL);
    const char *fault;

    if (!offer) {
        *chosen = subprotocol_of_nobody(engine_of(wsi));
        if ((*chosen)->name && !engine_of(wsi)->serves_unasked)
            return (struct verdict){400, "no subprotocol was asked for"};
        return good;
    }
    fault = subprotocol_offer_fault(offer);
    if (fault)
        return (struct verdict){400, fault};
    *chosen = subprotocol_first_known(engine_of(wsi), offer, name, name_length);
    if (!*chosen)
        return (struct verdict){400, "no subprotocol in common"};
    return good;
}

/* What is said to a client whose handshake is good. */
struct acceptance {
    const char *name; /* of the subprotocol; NULL for none */
    size_t name_length;
    void *session;
};

/* False where that was the end of the handshake. */
static bool add_extensions(struct libwebsocket *wsi, void *session, struct text *head)
{
    const char *offer = token(wsi->http, WSI_TOKEN_EXTENSIONS);
    size_t size = extension_text_size(engine_of(wsi));
    struct text answer;
    char *bytes;
    bool accepted;

    if (!offer || engine_of(wsi)->extension_count == 0)
        return true;
    bytes = malloc(size);
    text_init(&answer, bytes, bytes ? size : 0);
    accepted = bytes && extension_accept(wsi, session, offer, &answer);
    if (answer.length > 0)
        text_add(head, "Sec-WebSocket-Extensions: %s\r\n", bytes);
    free(bytes);
    if (!accepted && wsi->state == CONNECTION_HTTP_HEAD && !engine_of(wsi)->ending)
        http_response_refuse(wsi, 503, "out of memory for extensions");
    return accepted;
}

static bool write_acceptance(
    struct libwebsocket *wsi, const struct acceptance *acceptance, struct text *head)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];

    if (!websocket_accept(token(wsi->http, WSI_TOKEN_KEY), accept)) {
        http_response_refuse(wsi, 500, "SHA-1 is not to be had");
        return false;
    }
    text_add(head,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n",
        accept);
    if (acceptance->name)
        text_add(head, "Sec-WebSocket-Protocol: %.*s\r\n", (int)acceptance->name_length,
            acceptance->name);
    if (!add_extensions(wsi, acceptance->session, head))
        return false;
    text_add(head, "\r\n");
    return true;
}

static bool send_acceptance(struct libwebsocket *wsi, const struct acceptance *acceptance)
{
    size_t size = FIXED_PART + acceptance->name_length + extension_text_size(engine_of(wsi));
    char *bytes = malloc(size);
    struct text head;
    bool sent = false;

    if (!bytes) {
        http_response_refuse(wsi, 503, "out of memory for an answer");
        return false;
    }
    text_init(&head, bytes, size);
    if (write_acceptance(wsi, acceptance, &head)) {
        extension_show_reply(wsi, &head);
        sent = connection_send(wsi, head.bytes, head.length);
    }
    free(bytes);
    return sent;
}

/* What was an HTTP connection for the program is one no more. */
static void leave_http(struct libwebsocket *wsi)
{
    http_exchange_free(wsi);
    if (wsi->http_called) {
        wsi->http_called = false;
        (void)connection_callback(wsi, LWS_CALLBACK_CLOSED_HTTP, NULL, 0);
    }
    free(wsi->session);
    wsi->session = NULL;
}

static bool is_over(const struct libwebsocket *wsi)
{
    return engine_of(wsi)->ending || wsi->state != CONNECTION_HTTP_HEAD;
}

static bool is_wanted(struct libwebsocket *wsi, struct protocol *protocol)
{
    /* Not const in the API: programs only read what is there. */
    if (connection_callback_as(wsi, protocol, LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION,
            wsi->http->tokens.list, (void *)(size_t)protocol->name, 0)) {
        http_response_refuse(wsi, 403, "the program does not want it");
        return false;
    }
    return !is_over(wsi);
}

void handshake(struct libwebsocket *wsi, bool has_body)
{
    struct http_exchange *exchange = wsi->http;
    struct verdict verdict = check_request(exchange, has_body);
    struct protocol *protocol = NULL;
    struct acceptance acceptance = {0};

    if (verdict.status == 0)
        verdict = choose(wsi, &protocol, &acceptance.name, &acceptance.name_length);
    if (verdict.status) {
        http_response_refuse(wsi, verdict.status, verdict.why);
        return;
    }
    if (!websocket_session(protocol, &acceptance.session)) {
        http_response_refuse(wsi, 503, "out of memory for a session");
        return;
    }
    exchange->acceptance = &acceptance;
    if (is_wanted(wsi, protocol) && send_acceptance(wsi, &acceptance)) {
        leave_http(wsi);
        if (!is_over(wsi)) {
            websocket_establish(wsi, protocol, acceptance.session);
            return;
        }
    }
    if (wsi->http)
        wsi->http->acceptance = NULL;
    extension_release(wsi);
    free(acceptance.session);
}

bool handshake_session(const struct libwebsocket *wsi, void **session)
{
    if (!connection_is_http(wsi) || !wsi->http || !wsi->http->acceptance)
        return false;
    *session = wsi->http->acceptance->session;
    return true;
}
