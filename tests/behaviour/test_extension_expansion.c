/* Extensions that make much of the little that comes. */
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

static unsigned char *grow(struct probe_session *session, size_t length)
{
    session->bytes = realloc(session->bytes, length + 1);
    ck_assert_ptr_nonnull(session->bytes);
    return session->bytes;
}

static void replace(struct lws_extension_payload *payload, unsigned char *bytes, size_t length)
{
    payload->data.token = (char *)bytes;
    payload->data.token_len = (int)length;
}

enum { EXPANSION = 4096 };

/* Each byte that comes is put out so many times, in as much room as there is. */
static int expand(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;
    size_t count = 0;
    size_t room;

    (void)probe;
    (void)wsi;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_PAYLOAD_RX)
        return 0;
    if (payload->data.token_len > 0) {
        ck_assert_uint_eq(session->at, EXPANSION * session->length);
        session->length = (size_t)payload->data.token_len;
        session->at = 0;
        memcpy(grow(session, session->length), payload->data.token, session->length);
    }
    ck_assert_ptr_nonnull(payload->room);
    room = (size_t)payload->room_size;
    while (count < room && session->at < EXPANSION * session->length)
        payload->room[count++] = (char)session->bytes[session->at++ / EXPANSION];
    replace(payload, (unsigned char *)payload->room, count);
    return session->at < EXPANSION * session->length;
}

static unsigned long call_of_it;
static size_t received_in_call;
static size_t most_in_call;
static unsigned int stops;
static bool stops_often;

static void go_on(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    if (ends[SERVER_SIDE].wsi != NULL)
        ck_assert_int_eq(libwebsocket_rx_flow_control(ends[SERVER_SIDE].wsi, 1), 0);
}

static int measure(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    if (reason != LWS_CALLBACK_RECEIVE || wsi != ends[SERVER_SIDE].wsi)
        return 0;
    if (server_service_calls() != call_of_it) {
        call_of_it = server_service_calls();
        received_in_call = 0;
    }
    received_in_call += len;
    if (received_in_call > most_in_call)
        most_in_call = received_in_call;
    if (!stops_often || ++stops % 16 != 0)
        return 0;
    ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    server_post(server_here(), go_on, NULL);
    return 0;
}

static void check_pieces(struct server *loop, void *argument)
{
    const struct message *message = &ends[SERVER_SIDE].messages[0];
    size_t size = pair_protocols[PROTOCOL_PAIR].rx_buffer_size;

    (void)loop;
    (void)argument;
    ck_assert_uint_eq(message->pieces, (message->length + size - 1) / size);
}

START_TEST(expands)
{
    static const size_t receive_size[] = {4096, 5000, 65536, 1000000};
    size_t count = harness_scale(1024, 128);
    unsigned char *small = harness_pattern(count, 1);
    unsigned char *large = malloc(count * EXPANSION);
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;

    ck_assert_ptr_nonnull(large);
    for (size_t i = 0; i < count * EXPANSION; i++)
        large[i] = small[i / EXPANSION];
    probes[0].hook = expand;
    give_probes(1);
    pair_protocols[PROTOCOL_PAIR].rx_buffer_size = receive_size[_i / 2];
    stops_often = _i % 2 == 1;
    pair_hook = measure;
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    beside = beside_open(loop);
    ws_send_frame(client, WS_FIN | WS_TEXT, small, count);
    ws_send_frame(client, WS_FIN | WS_PING, "behind it", 9);
    for (int i = 0; i < 10; i++)
        beside_expect_well(beside);
    pair_expect(loop, SERVER_SIDE, 0, large, count * EXPANSION);
    server_run(loop, check_pieces, NULL);
    ws_expect_frame(client, WS_FIN | WS_PONG, "behind it", 9);
    /* A service call has a share for what is ready, and one for what was left over. */
    ck_assert_uint_le(most_in_call, 2 * (131072 + receive_size[_i / 2]));
    ws_finish(client);
    ws_finish(beside);
    ws_free(client);
    ws_free(beside);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    pair_stop(loop);
    free(small);
    free(large);
}
END_TEST

/* In fragments, each of which ends with its last piece. */
START_TEST(expands_fragments)
{
    struct server *loop;
    struct ws_client *client;
    const struct server_record *record = NULL;
    size_t got = 0;

    probes[0].hook = expand;
    give_probes(1);
    pair_protocols[PROTOCOL_PAIR].rx_buffer_size = EXPANSION;
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    ws_send_frame(client, WS_BINARY, "ab", 2);
    ws_send_frame(client, WS_CONTINUATION, "", 0);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, "cde", 3);
    for (size_t n = 0; n < 5; n++) {
        record = server_record(loop, LWS_CALLBACK_RECEIVE, n);
        ck_assert_uint_eq(record->len, EXPANSION);
        ck_assert_int_eq(record->bytes[0], (int)('a' + n));
        ck_assert_int_eq(record->final, n >= 2);
        ck_assert_int_eq(record->remaining == 0, n == 1 || n == 4);
        got += record->len;
    }
    ck_assert_uint_eq(got, 5 * EXPANSION);
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_RECEIVE), 5);
    pair_stop(loop);
}
END_TEST

START_TEST(expands_up_to_a_limit)
{
    struct server_options options = {
        .extras = {.max_unpacked_size = _i == 0 ? 4 * EXPANSION - 1 : 4 * EXPANSION}};
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;

    probes[0].hook = expand;
    give_probes(1);
    loop = pair_start(&options);
    client = raw_extended(loop, "x-one");
    beside = beside_open(loop);
    ws_send_frame(client, WS_TEXT, "ab", 2);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, "cd", 2);
    if (_i == 0) {
        ws_expect_close(client, 1009);
        ws_expect_eof(client);
        server_wait(loop, LWS_CALLBACK_CLOSED, 1);
        ck_assert_uint_lt(ends[SERVER_SIDE].received, 4 * EXPANSION);
    } else {
        server_wait(loop, LWS_CALLBACK_RECEIVE, 4);
        ws_finish(client);
    }
    beside_expect_well(beside);
    ws_finish(beside);
    ws_free(client);
    ws_free(beside);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    pair_stop(loop);
}
END_TEST

Suite *extension_expansion_suite(void)
{
    Suite *suite = suite_create("extension expansion");
    TCase *test_case = harness_case("expansion");

    tcase_add_loop_test(test_case, expands, 0, 8);
    tcase_add_test(test_case, expands_fragments);
    tcase_add_loop_test(test_case, expands_up_to_a_limit, 0, 2);
    suite_add_tcase(suite, test_case);
    return suite;
}
