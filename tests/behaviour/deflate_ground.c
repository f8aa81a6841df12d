#include "deflate_ground.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_last(struct libwebsocket *wsi)
{
    return libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
}

static unsigned int kind_of(struct libwebsocket *wsi)
{
    return lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
}

struct back_session {
    unsigned char *message; /* with the padding before and behind it */
    size_t length;
};

static void collect(struct back_session *session, const void *in, size_t len)
{
    session->message = realloc(session->message,
        LWS_SEND_BUFFER_PRE_PADDING + session->length + len + LWS_SEND_BUFFER_POST_PADDING);
    ck_assert_ptr_nonnull(session->message);
    if (len > 0)
        memcpy(session->message + LWS_SEND_BUFFER_PRE_PADDING + session->length, in, len);
    session->length += len;
}

static int back_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct back_session *session = user;

    (void)context;
    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE) {
        collect(session, in, len);
        if (!is_last(wsi))
            return 0;
        ck_assert_int_eq(libwebsocket_write(wsi, session->message + LWS_SEND_BUFFER_PRE_PADDING,
                             session->length, (enum libwebsocket_write_protocol)kind_of(wsi)),
            (int)session->length);
        session->length = 0;
    } else if (reason == LWS_CALLBACK_CLOSED) {
        free(session->message);
    }
    return 0;
}

struct pieces_session {
    bool inside; /* a message of which a fragment was sent */
};

static int pieces_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct pieces_session *session = user;
    unsigned int kind;

    (void)context;
    if (reason != LWS_CALLBACK_RECEIVE && reason != LWS_CALLBACK_CLIENT_RECEIVE)
        return 0;
    kind = session->inside ? LWS_WRITE_CONTINUATION : kind_of(wsi);
    if (!is_last(wsi))
        kind |= LWS_WRITE_NO_FIN;
    session->inside = !is_last(wsi);
    /* Straight from where it lies. */
    ck_assert_int_eq(
        libwebsocket_write(wsi, in, len, (enum libwebsocket_write_protocol)kind), (int)len);
    return 0;
}

struct libwebsocket_protocols deflate_protocols[] = {
    {.name = "first", .callback = discard_callback},
    {.name = "back",
        .callback = back_callback,
        .per_session_data_size = sizeof(struct back_session),
        .rx_buffer_size = 4096},
    {.name = "pieces",
        .callback = pieces_callback,
        .per_session_data_size = sizeof(struct pieces_session),
        .rx_buffer_size = 100},
    {.name = NULL},
};

struct deflate_end deflate_start(enum deflate_role role, const struct server_options *options)
{
    struct server_options with = options == NULL ? (struct server_options){0} : *options;
    struct deflate_end end = {.role = role};

    with.deflate = true;
    if (with.protocols == NULL)
        with.protocols = deflate_protocols;
    if (role == ROLE_SERVER) {
        end.loop = server_start(&with);
    } else {
        end.loop = client_start(&with);
        end.listener = ws_listen(NULL, 0);
    }
    return end;
}

void deflate_stop(struct deflate_end *end)
{
    ws_server_free(end->listener);
    server_stop(end->loop);
}

static void agree(struct deflate_peer *peer)
{
    if (peer->answer == NULL)
        return;
    peer->terms = ws_deflate_terms_of(peer->answer);
    peer->deflate = ws_deflate_new(&peer->terms, peer->ws->serves);
}

static char *field_with(const char *name, const char *value)
{
    char *line = NULL;

    ck_assert_int_gt(asprintf(&line, "%s: %s\r\n", name, value), 0);
    return line;
}

static struct deflate_peer connect_to_server(
    struct deflate_end *end, const char *subprotocol, const char *terms)
{
    struct deflate_peer peer = {.ws = ws_connect(server_port(end->loop))};
    char *extra = terms == NULL ? NULL : field_with("Sec-WebSocket-Extensions", terms);
    char *text = ws_handshake_text("/", subprotocol, extra);
    struct ws_response response;

    ws_send_text(peer.ws, text);
    response = ws_receive_head(peer.ws);
    ck_assert_int_eq(response.status, 101);
    peer.answer = ws_response_field(&response, "Sec-WebSocket-Extensions");
    agree(&peer);
    ws_response_free(&response);
    free(text);
    free(extra);
    return peer;
}

/* The first alternative of an offer; a client that can have a smaller window is not told to. */
static char *mirror(const char *request)
{
    static const char any[] = "; client_max_window_bits";
    char *offer = ws_head_field(request, "Sec-WebSocket-Extensions");
    char *found;

    ck_assert_ptr_nonnull(offer);
    offer[strcspn(offer, ",")] = '\0';
    found = strstr(offer, any);
    if (found != NULL && found[sizeof any - 1] != '=')
        memmove(found, found + sizeof any - 1, strlen(found + sizeof any - 1) + 1);
    return offer;
}

static struct deflate_peer connect_client(
    struct deflate_end *end, const char *subprotocol, const char *terms)
{
    size_t before = server_count(end->loop, LWS_CALLBACK_CLIENT_ESTABLISHED);
    struct client client = {.port = end->listener->port, .protocol = subprotocol};
    struct deflate_peer peer = {0};
    char *request;
    char *answer;
    char *extra;

    client_begin(end->loop, &client);
    peer.ws = ws_accept(end->listener);
    request = ws_receive_request(peer.ws);
    peer.answer = terms == NULL ? mirror(request) : strdup(terms);
    extra = field_with("Sec-WebSocket-Extensions", peer.answer);
    answer = ws_acceptance(request, subprotocol, extra);
    ws_send_text(peer.ws, answer);
    server_wait(end->loop, LWS_CALLBACK_CLIENT_ESTABLISHED, before + 1);
    agree(&peer);
    free(answer);
    free(extra);
    free(request);
    return peer;
}

struct deflate_peer deflate_connect(
    struct deflate_end *end, const char *subprotocol, const char *terms)
{
    size_t before = server_count(end->loop, LWS_CALLBACK_ESTABLISHED);
    struct deflate_peer peer;

    if (end->role == ROLE_CLIENT)
        return connect_client(end, subprotocol, terms);
    peer = connect_to_server(end, subprotocol, terms);
    server_wait(end->loop, LWS_CALLBACK_ESTABLISHED, before + 1);
    return peer;
}

void deflate_transparently(struct deflate_peer *peer)
{
    ck_assert_ptr_nonnull(peer->answer);
    ws_agree(peer->ws, peer->answer);
}

void deflate_send_raw(
    struct deflate_peer *peer, unsigned int first, const void *packed, size_t length)
{
    ws_send_frame(peer->ws, first, packed, length);
}

void deflate_send(struct deflate_peer *peer, unsigned int first, const void *bytes, size_t length)
{
    bool begins = (first & ~(unsigned int)WS_FIN) != WS_CONTINUATION;
    size_t packed_length;
    unsigned char *packed =
        ws_deflate_pack(peer->deflate, bytes, length, (first & WS_FIN) != 0, &packed_length);

    deflate_send_raw(peer, begins ? first | WS_RSV1 : first, packed, packed_length);
    free(packed);
}

size_t deflate_expect(
    struct deflate_peer *peer, unsigned int first, const void *bytes, size_t length)
{
    unsigned char *result = NULL;
    struct ws_frame frame;
    size_t have = 0;
    size_t packed;

    ws_receive_frame(peer->ws, &frame);
    ck_assert_uint_eq(frame.first, first);
    packed = frame.length;
    if ((first & WS_RSV1) != 0) {
        const char *fault =
            ws_deflate_unpack(peer->deflate, frame.payload, frame.length, true, &result, &have);

        ck_assert_msg(fault == NULL, "%s", fault);
    } else {
        have = frame.length;
    }
    ck_assert_uint_eq(have, length);
    if (length > 0)
        ck_assert_mem_eq(result == NULL ? frame.payload : result, bytes, length);
    free(result);
    ws_frame_free(&frame);
    return packed;
}

void deflate_free(struct deflate_peer *peer)
{
    ws_free(peer->ws);
    ws_deflate_free(peer->deflate);
    free(peer->answer);
    *peer = (struct deflate_peer){0};
}

void deflate_finish(struct deflate_end *end, struct deflate_peer *peer)
{
    size_t before = server_count(end->loop, LWS_CALLBACK_CLOSED);

    ws_finish(peer->ws);
    deflate_free(peer);
    server_wait(end->loop, LWS_CALLBACK_CLOSED, before + 1);
}

void deflate_expect_healthy(struct deflate_peer *healthy)
{
    static const char text[] = "here, and here, and here, and here, and well";

    ws_send_frame(healthy->ws, WS_FIN | WS_TEXT, text, sizeof text - 1);
    ws_expect_text(healthy->ws, text);
}

struct writing {
    const void *bytes;
    size_t length;
    unsigned int protocol;
    int result;
};

static void write_now(struct server *loop, void *argument)
{
    struct writing *writing = argument;

    writing->result = send_bytes(server_last_wsi(loop), writing->bytes, writing->length,
        (enum libwebsocket_write_protocol)writing->protocol);
}

void deflate_write(struct deflate_end *end, const void *bytes, size_t length, unsigned int protocol)
{
    struct writing writing = {.bytes = bytes, .length = length, .protocol = protocol};

    server_run(end->loop, write_now, &writing);
    ck_assert_int_eq(writing.result, (int)length);
}

static unsigned int next_number(unsigned int *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

unsigned char *deflate_noise(size_t length, unsigned int seed)
{
    unsigned char *noise = malloc(length + 1);

    ck_assert_ptr_nonnull(noise);
    for (size_t i = 0; i < length; i++)
        noise[i] = (unsigned char)next_number(&seed);
    noise[length] = '\0';
    return noise;
}

unsigned char *deflate_prose(size_t length, unsigned int seed)
{
    unsigned char *prose = malloc(length + 128);
    size_t used = 0;

    ck_assert_ptr_nonnull(prose);
    while (used < length)
        used += (size_t)snprintf((char *)prose + used, 128,
            "{\"name\": \"item %u\", \"price\": %u, \"unit\": \"piece\", \"left\": %s},",
            next_number(&seed), next_number(&seed) % 1000,
            next_number(&seed) % 2 == 0 ? "true" : "false");
    prose[length] = '\0';
    return prose;
}

enum libwebsocket_callback_reasons deflate_receive_reason(const struct deflate_end *end)
{
    return end->role == ROLE_SERVER ? LWS_CALLBACK_RECEIVE : LWS_CALLBACK_CLIENT_RECEIVE;
}
