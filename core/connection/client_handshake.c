#include "connection/client_handshake.h"

#include "base/text.h"
#include "codec/token_list.h"
#include "codec/websocket_key.h"
#include "connection/client_answer.h"
#include "connection/extension_negotiation.h"
#include "connection/subprotocol.h"
#include "connection/websocket_establish.h"
#include "platform/socket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONCE_SIZE = 16,
    FIXED_PART = 512, /* more than the request has besides what the program said */
    ROOM_FOR_PROGRAM = 4096
};

static bool make_key(char key[CLIENT_KEY_SIZE])
{
    unsigned char nonce[NONCE_SIZE];

    return RAND_bytes(nonce, sizeof(nonce)) == 1 &&
           EVP_EncodeBlock((unsigned char *)key, nonce, sizeof(nonce)) == CLIENT_KEY_SIZE - 1;
}

static void write_request(const struct client *client, struct text *request)
{
    text_add(request,
        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: %d\r\n",
        client->target, client->host, client->key, client->version);
    if (client->origin)
        text_add(request, "%s: %s\r\n", client->version == 13 ? "Origin" : "Sec-WebSocket-Origin",
            client->origin);
    if (client->protocols)
        text_add(request, "Sec-WebSocket-Protocol: %s\r\n", client->protocols);
}

static bool is_field_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' ? text[i] != '\t' : text[i] == 0x7f)
            return false;
    return true;
}

/* Whether it is nothing, or whole lines that are header fields: no other line can hide in them. */
static bool are_header_lines(const char *lines, size_t length)
{
    const char *end = lines + length;

    while (lines < end) {
        const char *line_end = memmem(lines, (size_t)(end - lines), "\r\n", 2);
        const char *colon = line_end ? memchr(lines, ':', (size_t)(line_end - lines)) : NULL;

        if (!colon || !token_is_valid(lines, (size_t)(colon - lines)) ||
            !is_field_value(colon, (size_t)(line_end - colon)))
            return false;
        lines = line_end + 2;
    }
    return true;
}

/* False where memory is short. */
static bool add_extensions(struct libwebsocket *wsi, struct text *request)
{
    size_t size = extension_text_size(engine_of(wsi));
    struct text offer;
    char *bytes;

    if (engine_of(wsi)->extension_count == 0)
        return true;
    bytes = malloc(size);
    if (!bytes)
        return false;
    text_init(&offer, bytes, size);
    extension_offer(wsi, &offer);
    if (offer.length > 0)
        text_add(request, "Sec-WebSocket-Extensions: %s\r\n", bytes);
    free(bytes);
    return true;
}

/* Lets the program add lines of its own. False where the connection is over. */
static bool ask_program(struct libwebsocket *wsi, struct text *request)
{
    char *start = request->bytes + request->length;
    char *at = start;
    size_t room = request->size - request->length - sizeof("\r\n");

    (void)connection_callback_as(wsi, &engine_of(wsi)->protocols[0],
        LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, wsi->session, &at, room);
    if (engine_of(wsi)->ending || wsi->state != CONNECTION_HANDSHAKE)
        return false;
    if (at < start || at > start + room || !are_header_lines(start, (size_t)(at - start))) {
        client_fail(wsi, "the program's header lines are none");
        return false;
    }
    request->length += (size_t)(at - start);
    request->bytes[request->length] = '\0';
    text_add(request, "\r\n");
    return true;
}

void client_handshake_ask(struct libwebsocket *wsi)
{
    struct client *client = wsi->client;
    size_t size = FIXED_PART + ROOM_FOR_PROGRAM + strlen(client->target) + strlen(client->host) +
                  (client->origin ? strlen(client->origin) : 0) +
                  (client->protocols ? strlen(client->protocols) : 0) +
                  extension_text_size(engine_of(wsi));
    char *bytes = malloc(size);
    struct text request;

    wsi->state = CONNECTION_HANDSHAKE;
    connection_set_due(wsi, engine_of(wsi)->limits.handshake_timeout);
    if (!bytes) {
        client_fail(wsi, "out of memory");
        return;
    }
    if (!make_key(client->key)) {
        client_fail(wsi, "no random numbers are to be had");
        free(bytes);
        return;
    }
    text_init(&request, bytes, size);
    write_request(client, &request);
    if (!add_extensions(wsi, &request))
        client_fail(wsi, "out of memory");
    /* Where it cannot be sent the connection is over, and says so itself. */
    if (wsi->state == CONNECTION_HANDSHAKE && !engine_of(wsi)->ending && ask_program(wsi, &request))
        (void)connection_send(wsi, request.bytes, request.length);
    free(bytes);
}

/* Whether a name occurs once, with this value in any case of letters. */
static bool field_is(const struct http_head *head, const char *name, const char *value)
{
    uint32_t at = 0;
    const struct http_field *field = http_head_find(head, name, &at);

    return field && http_head_count(head, name) == 1 &&
           token_equal(http_head_text(head, field->value), field->value_length, value);
}

/* NULL where the server accepted as it should; else what is wrong. */
static const char *find_fault(const struct client *client)
{
    const struct http_head *head = &client->answer.head;
    const struct header_tokens *tokens = &client->answer.tokens;
    const char *connection = header_tokens_text(tokens, WSI_TOKEN_CONNECTION);
    const char *accept = header_tokens_text(tokens, WSI_TOKEN_ACCEPT);
    char expected[WEBSOCKET_ACCEPT_SIZE];

    if (head->version_minor == 0)
        return "the server speaks HTTP/1.0";
    if (!field_is(head, "Upgrade", "websocket"))
        return "the answer has no Upgrade: websocket";
    if (!connection || !token_list_has(connection, "upgrade"))
        return "the answer has no Connection: Upgrade";
    if (!websocket_accept(client->key, expected))
        return "SHA-1 is not to be had";
    if (!accept || http_head_count(head, "Sec-WebSocket-Accept") != 1 ||
        strcmp(accept, expected) != 0)
        return "wrong Sec-WebSocket-Accept";
    return NULL;
}

/* Whether the server's choice is one of those that were asked for. */
static bool was_offered(const char *offer, const char *name)
{
    const char *element;
    size_t length;

    while (offer && token_list_next(&offer, &element, &length))
        if (strlen(name) == length && memcmp(name, element, length) == 0)
            return true;
    return false;
}

/* Finds the protocol by what the server chose. Returns what is wrong, or NULL. */
static const char *choose(struct libwebsocket *wsi, struct protocol **protocol)
{
    const struct client *client = wsi->client;
    const char *name = header_tokens_text(&client->answer.tokens, WSI_TOKEN_PROTOCOL);

    if (!name) {
        *protocol = wsi->protocol;
        return NULL;
    }
    if (http_head_count(&client->answer.head, "Sec-WebSocket-Protocol") != 1 ||
        !was_offered(client->protocols, name))
        return "the server chose a subprotocol that was not asked for";
    *protocol = subprotocol_find(engine_of(wsi), name, strlen(name));
    return *protocol ? NULL : "the server chose a subprotocol that the context does not have";
}

static bool fill_tokens(struct libwebsocket *wsi)
{
    struct client *client = wsi->client;
    struct client_answer *answer = &client->answer;
    struct header_tokens *tokens = &answer->tokens;

    if (!header_tokens_fill(tokens, &answer->head))
        return false;
    header_tokens_set(tokens, WSI_TOKEN_HTTP, http_head_text(&answer->head, answer->head.reason));
    header_tokens_set(tokens, _WSI_TOKEN_CLIENT_SENT_PROTOCOLS, client->protocols);
    header_tokens_set(tokens, _WSI_TOKEN_CLIENT_PEER_ADDRESS, client->address);
    header_tokens_set(tokens, _WSI_TOKEN_CLIENT_URI, client->target);
    header_tokens_set(tokens, _WSI_TOKEN_CLIENT_HOST, client->host);
    header_tokens_set(tokens, _WSI_TOKEN_CLIENT_ORIGIN, client->origin);
    return true;
}

static void accept_answer(struct libwebsocket *wsi, struct protocol *protocol)
{
    const struct protocol *before = wsi->protocol;
    void *session;

    wsi->protocol = protocol;
    /* The program may have had memory made before there was an answer. */
    if (!wsi->session_lent && (!wsi->session || protocol != before)) {
        free(wsi->session);
        if (!websocket_session(protocol, &wsi->session)) {
            client_fail(wsi, "out of memory");
            return;
        }
    }
    if (connection_callback(wsi, LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH, NULL, 0)) {
        client_fail(wsi, "rejected by the program");
        return;
    }
    if (engine_of(wsi)->ending || wsi->state != CONNECTION_HANDSHAKE)
        return;
    session = wsi->session;
    client_free(wsi);
    websocket_establish(wsi, protocol, session);
}

static void judge(struct libwebsocket *wsi)
{
    struct protocol *protocol = NULL;
    char words[CLIENT_FAILURE_SIZE];
    const char *extensions;
    const char *fault;

    if (wsi->client->answer.head.status != 101) {
        snprintf(words, sizeof(words), "server answered %d", wsi->client->answer.head.status);
        client_fail(wsi, words);
        return;
    }
    if (!fill_tokens(wsi)) {
        client_fail(wsi, "out of memory");
        return;
    }
    fault = find_fault(wsi->client);
    if (!fault)
        fault = choose(wsi, &protocol);
    extensions = header_tokens_text(&wsi->client->answer.tokens, WSI_TOKEN_EXTENSIONS);
    if (!fault && extensions && extensions[0])
        fault = extension_confirm(wsi, extensions);
    if (fault)
        client_fail(wsi, fault);
    else
        accept_answer(wsi, protocol);
}

size_t client_handshake_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    const char *why = NULL;
    size_t used = 0;

    switch (client_answer_read(
        &wsi->client->answer, &engine_of(wsi)->limits, bytes, length, &used, &why)) {
    case CLIENT_ANSWER_MORE:
        break;
    case CLIENT_ANSWER_DONE:
        judge(wsi);
        break;
    case CLIENT_ANSWER_BAD:
        client_fail(wsi, why);
        return length;
    }
    return used;
}
