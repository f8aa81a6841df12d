#include "extension_ground.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/certificates.h"

struct probe probes[PROBES] = {{.name = "x-one"}, {.name = "x-two"}, {.name = "x-three"}};
struct libwebsocket_extension *given_extensions;
char probe_notes[4096];

struct end ends[SIDES];
callback_function *pair_hook;

/* --- Probes */

void probe_note(const char *format, ...)
{
    size_t used = strlen(probe_notes);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(probe_notes + used, sizeof probe_notes - used, format, arguments);
    va_end(arguments);
}

static size_t index_of(enum libwebsocket_extension_callback_reasons reason)
{
    if (reason == LWS_EXT_CALLBACK_OFFER)
        return PROBE_REASONS - 1;
    ck_assert_int_ge((int)reason, 0);
    ck_assert_int_le((int)reason, LWS_EXT_CALLBACK_PAYLOAD_RX);
    return (size_t)reason;
}

unsigned int probe_counted(
    const struct probe *probe, enum libwebsocket_extension_callback_reasons reason)
{
    return probe->counts[index_of(reason)];
}

struct probe_question {
    const struct probe *probe;
    enum libwebsocket_extension_callback_reasons reason;
    unsigned int count;
};

static void count_now(struct server *loop, void *argument)
{
    struct probe_question *question = argument;

    (void)loop;
    question->count = probe_counted(question->probe, question->reason);
}

unsigned int probe_count(struct server *loop, const struct probe *probe,
    enum libwebsocket_extension_callback_reasons reason)
{
    struct probe_question question = {.probe = probe, .reason = reason};

    server_run(loop, count_now, &question);
    return question.count;
}

static bool has_counted(struct server *loop, void *argument)
{
    const struct probe_question *question = argument;

    (void)loop;
    return probe_counted(question->probe, question->reason) >= question->count;
}

void probe_wait(struct server *loop, const struct probe *probe,
    enum libwebsocket_extension_callback_reasons reason, unsigned int count)
{
    struct probe_question question = {.probe = probe, .reason = reason, .count = count};

    server_wait_until(loop, has_counted, &question);
}

void probes_expect_balance(void)
{
    for (size_t i = 0; i < PROBES; i++) {
        ck_assert_uint_eq(probes[i].live, 0);
        ck_assert_uint_eq(probes[i].contexts, 0);
    }
}

static size_t session_size(const struct probe *probe)
{
    return sizeof(struct probe_session) + 8 * (size_t)(probe - probes);
}

static void check_negotiation(
    const struct probe *probe, const struct lws_extension_negotiation *negotiation)
{
    (void)probe;
    ck_assert_ptr_nonnull(negotiation);
    ck_assert_uint_eq(negotiation->reserved_bits, 0);
    for (size_t i = 0; i < negotiation->parameter_count; i++)
        ck_assert_ptr_nonnull(negotiation->parameters[i].name);
}

static void check_construct(
    const struct probe *probe, const unsigned char *user, struct libwebsocket *wsi)
{
    ck_assert_ptr_nonnull(user);
    for (size_t i = 0; i < session_size(probe); i++)
        ck_assert_uint_eq(user[i], 0);
    ck_assert_int_eq(lws_extension_is_active(wsi, probe->name), 0);
}

static void check_payload(const struct lws_extension_payload *payload, bool sends)
{
    ck_assert_ptr_nonnull(payload);
    ck_assert_int_ge(payload->data.token_len, 0);
    ck_assert(payload->data.token != NULL || payload->data.token_len == 0);
    ck_assert_int_eq(payload->close_reason == NULL, 1);
    if (payload->room != NULL)
        ck_assert_int_ge(payload->room_size, 1);
    if (!sends)
        ck_assert_int_eq(payload->uncompressed, 0);
}

static void check_active(const struct probe *probe, struct libwebsocket *wsi,
    const struct probe_session *session, enum libwebsocket_extension_callback_reasons reason)
{
    ck_assert_ptr_nonnull(session);
    ck_assert_ptr_eq(session->probe, probe);
    ck_assert_ptr_eq(session->wsi, wsi);
    if (reason != LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX && reason != LWS_EXT_CALLBACK_DESTROY)
        ck_assert_int_eq(lws_extension_is_active(wsi, probe->name), 1);
}

/* Whether all is as lws_extension.h says, but for what a test is about. */
static void check(const struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    switch ((int)reason) {
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT:
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT:
        ck_assert_ptr_null(wsi);
        ck_assert_ptr_null(user);
        break;
    case LWS_EXT_CALLBACK_CONSTRUCT:
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        check_negotiation(probe, in);
        check_construct(probe, user, wsi);
        break;
    case LWS_EXT_CALLBACK_OFFER:
        check_negotiation(probe, in);
        ck_assert_uint_eq(((struct lws_extension_negotiation *)in)->parameter_count, 0);
        ck_assert_ptr_null(user);
        break;
    case LWS_EXT_CALLBACK_CHECK_OK_TO_PROPOSE_EXTENSION:
        ck_assert_ptr_nonnull(in);
        ck_assert_ptr_null(user);
        break;
    case LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING:
    case LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED:
        ck_assert_ptr_nonnull(wsi);
        ck_assert_ptr_null(user);
        break;
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        check_payload(in, reason == LWS_EXT_CALLBACK_PAYLOAD_TX);
        check_active(probe, wsi, user, reason);
        break;
    default:
        check_active(probe, wsi, user, reason);
        break;
    }
    if (reason != LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX && reason != LWS_EXT_CALLBACK_1HZ)
        ck_assert_uint_eq(len, 0);
}

static void begin_session(const struct probe *probe, struct libwebsocket *wsi,
    struct probe_session *session, bool is_client)
{
    session->probe = probe;
    session->wsi = wsi;
    session->is_client = is_client;
    /* The whole of it is the extension's. */
    memset(session + 1, 0x5a, session_size(probe) - sizeof *session);
}

static void end_session(struct probe_session *session)
{
    session->probe = NULL;
    free(session->bytes);
    session->bytes = NULL;
}

int probe_callback(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct probe *probe = ext->per_context_private_data;
    bool begins =
        reason == LWS_EXT_CALLBACK_CONSTRUCT || reason == LWS_EXT_CALLBACK_CLIENT_CONSTRUCT;
    int result;

    ck_assert_ptr_nonnull(context);
    ck_assert_ptr_nonnull(server_here());
    ck_assert_str_eq(ext->name, probe->name);
    ck_assert(ext->callback == probe_callback);
    check(probe, wsi, reason, user, in, len);
    probe->counts[index_of(reason)]++;
    if (begins)
        ((struct lws_extension_negotiation *)in)->reserved_bits = probe->reserved_bits;
    result = probe->hook == NULL ? 0 : probe->hook(probe, wsi, reason, user, in, len);
    if (begins && result == 0) {
        probe->live++;
        begin_session(probe, wsi, user, reason == LWS_EXT_CALLBACK_CLIENT_CONSTRUCT);
    } else if (reason == LWS_EXT_CALLBACK_DESTROY) {
        probe->live--;
        end_session(user);
    } else if (reason <= LWS_EXT_CALLBACK_CLIENT_CONTEXT_CONSTRUCT && result >= 0) {
        probe->contexts++;
    } else if (reason <= LWS_EXT_CALLBACK_CLIENT_CONTEXT_DESTRUCT && result >= 0) {
        probe->contexts--;
    }
    return result;
}

void give_probes(unsigned int count)
{
    static struct libwebsocket_extension elements[PROBES + 1];

    memset(elements, 0, sizeof elements);
    for (unsigned int i = 0; i < count; i++) {
        elements[i] = (struct libwebsocket_extension){.name = probes[i].name,
            .callback = probe_callback,
            .per_session_data_size = session_size(&probes[i]),
            .per_context_private_data = &probes[i]};
    }
    given_extensions = elements;
}

void give_extensions(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->extensions = given_extensions;
}

/* --- A pair */

enum side pair_side(const struct libwebsocket *wsi)
{
    if (wsi == ends[SERVER_SIDE].wsi)
        return SERVER_SIDE;
    return wsi == ends[CLIENT_SIDE].wsi ? CLIENT_SIDE : SIDES;
}

/* The pieces of a frame are of one size, but for the last. */
static void take(struct end *end, struct libwebsocket *wsi, const void *in, size_t len)
{
    size_t size = libwebsockets_get_protocol(wsi)->rx_buffer_size;
    size_t remaining = libwebsockets_remaining_packet_payload(wsi);
    struct message *message;

    ck_assert_uint_le(len, size);
    if (remaining > 0)
        ck_assert_uint_eq(len, size);
    end->messages = realloc(end->messages, (end->count + 1) * sizeof *end->messages);
    ck_assert_ptr_nonnull(end->messages);
    message = &end->messages[end->count];
    if (message->pieces == 0)
        message->reserved_bits = libwebsocket_get_reserved_bits(wsi);
    message->bytes = realloc(message->bytes, message->length + len + 1);
    ck_assert_ptr_nonnull(message->bytes);
    if (len > 0)
        memcpy(message->bytes + message->length, in, len);
    message->length += len;
    message->bytes[message->length] = '\0';
    message->binary = lws_frame_is_binary(wsi) != 0;
    message->pieces++;
    end->received += len;
    if (remaining > 0 || !libwebsocket_is_final_fragment(wsi))
        return;
    end->count++;
    end->messages = realloc(end->messages, (end->count + 1) * sizeof *end->messages);
    ck_assert_ptr_nonnull(end->messages);
    end->messages[end->count] = (struct message){.bytes = NULL};
}

static void begin_end(struct end *end, struct libwebsocket *wsi)
{
    if (end->wsi != NULL || end->closed)
        return;
    end->wsi = wsi;
    end->messages = calloc(1, sizeof *end->messages);
    ck_assert_ptr_nonnull(end->messages);
}

static void finish_end(struct end *end, struct libwebsocket *wsi)
{
    const char *reason;
    size_t length;

    end->close_code = lws_get_close(wsi, &reason, &length);
    memcpy(end->close_reason, reason, length);
    end->close_reason[length] = '\0';
    end->closed = true;
    end->wsi = NULL;
}

static void follow_pair(
    struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *in, size_t len)
{
    enum side side;

    if (reason == LWS_CALLBACK_ESTABLISHED)
        begin_end(&ends[SERVER_SIDE], wsi);
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        begin_end(&ends[CLIENT_SIDE], wsi);
    side = wsi == NULL ? SIDES : pair_side(wsi);
    if (side == SIDES)
        return;
    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE)
        take(&ends[side], wsi, in, len);
    if (reason == LWS_CALLBACK_CLIENT_RECEIVE_PONG)
        ends[side].pongs++;
}

static int pair_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    enum side side;
    int result;

    follow_pair(wsi, reason, in, len);
    result = pair_hook == NULL ? 0 : pair_hook(context, wsi, reason, user, in, len);
    side = wsi == NULL ? SIDES : pair_side(wsi);
    if (reason == LWS_CALLBACK_CLOSED && side != SIDES)
        finish_end(&ends[side], wsi);
    return result;
}

struct libwebsocket_protocols pair_protocols[] = {
    [PROTOCOL_PAIR] = {.name = "pair", .callback = pair_callback, .rx_buffer_size = 4096},
    /* The session is that of the default protocols. */
    [PROTOCOL_BESIDE] = {.name = "echo",
        .callback = echo_callback,
        .per_session_data_size = 64,
        .rx_buffer_size = 4096},
    {.name = NULL},
};

struct server *pair_start(const struct server_options *options)
{
    struct server_options with = options == NULL ? (struct server_options){0} : *options;

    with.protocols = pair_protocols;
    if (with.adjust == NULL)
        with.adjust = give_extensions;
    if (harness_tls())
        with.extras.client_ssl_ca_filepath = certificates_path("root.pem");
    return server_start(&with);
}

static bool is_connected(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    return ends[SERVER_SIDE].messages != NULL && ends[CLIENT_SIDE].messages != NULL;
}

void pair_connect(struct server *loop)
{
    struct client client = {.port = server_port(loop), .protocol = "pair"};

    client_begin(loop, &client);
    server_wait_until(loop, is_connected, NULL);
}

struct writing {
    enum side side;
    const void *bytes;
    size_t length;
    enum libwebsocket_write_protocol protocol;
    int result;
    int error;
};

static void write_now(struct server *loop, void *argument)
{
    struct writing *writing = argument;

    (void)loop;
    errno = 0;
    writing->result =
        send_bytes(ends[writing->side].wsi, writing->bytes, writing->length, writing->protocol);
    writing->error = errno;
}

int pair_write(struct server *loop, enum side side, const void *bytes, size_t length,
    unsigned int protocol, int *error)
{
    struct writing writing = {.side = side,
        .bytes = bytes,
        .length = length,
        .protocol = (enum libwebsocket_write_protocol)protocol};

    server_run(loop, write_now, &writing);
    if (error != NULL)
        *error = writing.error;
    return writing.result;
}

void pair_send(
    struct server *loop, enum side side, const void *bytes, size_t length, unsigned int protocol)
{
    int error;
    int result = pair_write(loop, side, bytes, length, protocol, &error);

    ck_assert_msg(result == (int)length, "wrote %d: %s", result, strerror(error));
}

struct expectation {
    enum side side;
    size_t n;
    const void *bytes;
    size_t length;
};

static bool has_message(struct server *loop, void *argument)
{
    const struct expectation *expectation = argument;

    (void)loop;
    return ends[expectation->side].count > expectation->n;
}

static void compare(struct server *loop, void *argument)
{
    const struct expectation *expectation = argument;
    const struct message *message = &ends[expectation->side].messages[expectation->n];

    (void)loop;
    ck_assert_uint_eq(message->length, expectation->length);
    if (message->length > 0)
        ck_assert(memcmp(message->bytes, expectation->bytes, message->length) == 0);
}

void pair_expect(struct server *loop, enum side side, size_t n, const void *bytes, size_t length)
{
    struct expectation expectation = {.side = side, .n = n, .bytes = bytes, .length = length};

    server_wait_until(loop, has_message, &expectation);
    server_run(loop, compare, &expectation);
}

static void count_messages(struct server *loop, void *argument)
{
    struct expectation *expectation = argument;

    (void)loop;
    expectation->n = ends[expectation->side].count;
}

size_t pair_count(struct server *loop, enum side side)
{
    struct expectation expectation = {.side = side};

    server_run(loop, count_messages, &expectation);
    return expectation.n;
}

void pair_carry(
    struct server *loop, enum side from, const void *bytes, size_t length, unsigned int protocol)
{
    enum side to = from == SERVER_SIDE ? CLIENT_SIDE : SERVER_SIDE;
    size_t n = pair_count(loop, to);

    pair_send(loop, from, bytes, length, protocol);
    pair_expect(loop, to, n, bytes, length);
}

struct closing {
    enum side side;
    int code;
    const char *reason;
};

static void close_now(struct server *loop, void *argument)
{
    const struct closing *closing = argument;

    (void)loop;
    ck_assert_int_eq(
        lws_close(ends[closing->side].wsi, closing->code, closing->reason, strlen(closing->reason)),
        0);
}

void pair_close(struct server *loop, enum side side, int code, const char *reason)
{
    struct closing closing = {.side = side, .code = code, .reason = reason};

    server_run(loop, close_now, &closing);
}

static bool is_closed(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    return ends[SERVER_SIDE].closed && ends[CLIENT_SIDE].closed;
}

void pair_wait_closed(struct server *loop)
{
    server_wait_until(loop, is_closed, NULL);
}

void pair_stop(struct server *loop)
{
    server_stop(loop);
    for (int side = 0; side < SIDES; side++) {
        struct end *end = &ends[side];

        for (size_t i = 0; end->messages != NULL && i <= end->count; i++)
            free(end->messages[i].bytes);
        free(end->messages);
        *end = (struct end){.wsi = NULL};
    }
    probes_expect_balance();
}

void pair_finish(struct server *loop)
{
    pair_close(loop, SERVER_SIDE, LWS_CLOSE_STATUS_NORMAL, "done");
    pair_wait_closed(loop);
    for (int side = 0; side < SIDES; side++) {
        ck_assert_int_eq(ends[side].close_code, LWS_CLOSE_STATUS_NORMAL);
        ck_assert_str_eq(ends[side].close_reason, "done");
    }
    pair_stop(loop);
}

/* --- Connections of raw clients */

struct ws_client *raw_open(struct server *loop, const char *lines, char **answer)
{
    size_t before = server_count(loop, LWS_CALLBACK_ESTABLISHED);
    struct ws_client *client = ws_connect(server_port(loop));
    char *request = ws_handshake_text("/", "pair", lines);
    struct ws_response response;

    ws_send_text(client, request);
    free(request);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    *answer = ws_response_field(&response, "Sec-WebSocket-Extensions");
    ws_response_free(&response);
    server_wait(loop, LWS_CALLBACK_ESTABLISHED, before + 1);
    return client;
}

struct ws_client *raw_extended(struct server *loop, const char *list)
{
    struct ws_client *client;
    char lines[512];
    char *answer;

    snprintf(lines, sizeof lines, "Sec-WebSocket-Extensions: %s\r\n", list);
    client = raw_open(loop, lines, &answer);
    ck_assert_ptr_nonnull(answer);
    ck_assert_str_eq(answer, list);
    free(answer);
    return client;
}

struct ws_client *beside_open(struct server *loop)
{
    return ws_open(server_port(loop), "echo");
}

void beside_expect_well(struct ws_client *beside)
{
    ws_send_frame(beside, WS_FIN | WS_TEXT, "how do you do", 13);
    ws_expect_text(beside, "how do you do");
}
