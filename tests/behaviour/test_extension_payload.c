/* Extensions that change the payload of messages. */
#include <errno.h>
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

/* --- Three transformations that can be told from each other */

static unsigned char *grow(struct probe_session *session, size_t length)
{
    session->bytes = realloc(session->bytes, length + 1);
    ck_assert_ptr_nonnull(session->bytes);
    return session->bytes;
}

static bool is_payload(enum libwebsocket_extension_callback_reasons reason)
{
    return reason == LWS_EXT_CALLBACK_PAYLOAD_TX || reason == LWS_EXT_CALLBACK_PAYLOAD_RX;
}

static void replace(struct lws_extension_payload *payload, unsigned char *bytes, size_t length)
{
    payload->data.token = (char *)bytes;
    payload->data.token_len = (int)length;
}

/* Its memory for one direction, so that the other one may come in between. */
struct work {
    unsigned char *bytes;
    size_t length;
    size_t room;
    size_t at;
    bool inside; /* a message */
};

struct works {
    struct work out;
    struct work in;
};

static struct work *work_of(
    struct probe_session *session, enum libwebsocket_extension_callback_reasons reason)
{
    struct works *works;

    if (session->bytes == NULL) {
        grow(session, sizeof *works);
        memset(session->bytes, 0, sizeof *works);
    }
    works = (struct works *)(void *)session->bytes;
    return reason == LWS_EXT_CALLBACK_PAYLOAD_TX ? &works->out : &works->in;
}

static void forget_works(
    struct probe_session *session, enum libwebsocket_extension_callback_reasons reason)
{
    struct works *works = session == NULL ? NULL : (struct works *)(void *)session->bytes;

    if (reason != LWS_EXT_CALLBACK_DESTROY || works == NULL)
        return;
    free(works->out.bytes);
    free(works->in.bytes);
}

static void add(struct work *work, const char *bytes, size_t length)
{
    if (work->bytes == NULL || work->room < work->length + length) {
        work->room = 2 * (work->length + length) + 1;
        work->bytes = realloc(work->bytes, work->room);
        ck_assert_ptr_nonnull(work->bytes);
    }
    if (length > 0)
        memcpy(work->bytes + work->length, bytes, length);
    work->length += length;
}

/* What is said about where the message begins is true. */
static void follow(struct work *work, const struct lws_extension_payload *payload)
{
    ck_assert_int_eq(payload->begins_message != 0, !work->inside);
    work->inside = true;
}

/* Puts a letter of its own before each message, and takes it away again. */
static int letter(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    char own = (char)('A' + (probe - probes));
    struct lws_extension_payload *payload = in;
    struct work *work;

    (void)wsi;
    (void)len;
    forget_works(session, reason);
    if (!is_payload(reason))
        return 0;
    work = work_of(session, reason);
    follow(work, payload);
    work->inside = !payload->ends_message;
    if (payload->begins_message && reason == LWS_EXT_CALLBACK_PAYLOAD_TX) {
        work->length = 0;
        add(work, &own, 1);
        add(work, payload->data.token, (size_t)payload->data.token_len);
        replace(payload, work->bytes, work->length);
        work->at = 0;
    } else if (reason == LWS_EXT_CALLBACK_PAYLOAD_RX && payload->begins_message) {
        work->at = 0;
    }
    if (reason == LWS_EXT_CALLBACK_PAYLOAD_RX && work->at == 0 && payload->data.token_len > 0) {
        ck_assert_int_eq(payload->data.token[0], own);
        payload->data.token++;
        payload->data.token_len--;
        work->at = 1;
    }
    return 0;
}

/* Each byte three times, of which a call puts out few. */
enum { AT_A_TIME = 100 };

static int triple(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    static unsigned char made[2][AT_A_TIME];
    struct lws_extension_payload *payload = in;
    struct work *work;
    size_t count = 0;

    (void)probe;
    (void)wsi;
    (void)len;
    forget_works(session, reason);
    if (!is_payload(reason))
        return 0;
    work = work_of(session, reason);
    follow(work, payload);
    add(work, payload->data.token, (size_t)payload->data.token_len);
    if (reason == LWS_EXT_CALLBACK_PAYLOAD_TX) {
        /* `at` counts what has been made. */
        while (work->at < 3 * work->length && count < AT_A_TIME)
            made[0][count++] = work->bytes[work->at++ / 3];
        replace(payload, made[0], count);
    } else {
        while (work->at + 3 <= work->length && count < AT_A_TIME) {
            ck_assert_int_eq(work->bytes[work->at], work->bytes[work->at + 2]);
            made[1][count++] = work->bytes[work->at];
            work->at += 3;
        }
        replace(payload, made[1], count);
    }
    if (count == AT_A_TIME)
        return 1;
    if (payload->ends_message)
        ck_assert_uint_eq(
            work->at, reason == LWS_EXT_CALLBACK_PAYLOAD_TX ? 3 * work->length : work->length);
    work->inside = !payload->ends_message;
    if (reason == LWS_EXT_CALLBACK_PAYLOAD_TX || payload->ends_message) {
        work->length = 0;
        work->at = 0;
    }
    return 0;
}

/* Keeps all of a message back until its end, and turns it round. */
static int turn_round(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;
    struct work *work;

    (void)probe;
    (void)wsi;
    (void)len;
    forget_works(session, reason);
    if (!is_payload(reason))
        return 0;
    work = work_of(session, reason);
    follow(work, payload);
    if (payload->begins_message)
        work->length = 0;
    add(work, payload->data.token, (size_t)payload->data.token_len);
    payload->data.token_len = 0;
    if (!payload->ends_message)
        return 0;
    work->inside = false;
    for (size_t i = 0; i < work->length / 2; i++) {
        unsigned char other = work->bytes[work->length - 1 - i];

        work->bytes[work->length - 1 - i] = work->bytes[i];
        work->bytes[i] = other;
    }
    replace(payload, work->bytes, work->length);
    return 0;
}

/* Takes and puts back all that comes on the wire of a message. */
static char *receive_message(struct ws_client *client, unsigned int first, size_t *length)
{
    char *message = NULL;
    struct ws_frame frame;
    bool more = true;

    *length = 0;
    for (size_t i = 0; more; i++) {
        ws_receive_frame(client, &frame);
        ck_assert_uint_eq(frame.first & ~(unsigned int)WS_FIN, i == 0 ? first : WS_CONTINUATION);
        message = realloc(message, *length + frame.length + 1);
        ck_assert_ptr_nonnull(message);
        memcpy(message + *length, frame.payload, frame.length);
        *length += frame.length;
        message[*length] = '\0';
        more = (frame.first & WS_FIN) == 0;
        ws_frame_free(&frame);
    }
    return message;
}

START_TEST(works_in_the_order_agreed)
{
    static const char *const lists[] = {"x-one, x-two, x-three", "x-three, x-one, x-two"};
    static const char *const wires[] = {"CBAmessage", "BACmessage"};
    struct server *loop;
    struct ws_client *client;
    size_t length;
    char *wire;

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = letter;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client = raw_extended(loop, lists[_i]);
    for (size_t i = 0; i < 2; i++) {
        pair_send(loop, SERVER_SIDE, "message", 7, LWS_WRITE_TEXT);
        wire = receive_message(client, WS_TEXT, &length);
        ck_assert_str_eq(wire, wires[_i]);
        free(wire);
        ws_send_frame(client, WS_BINARY, wires[_i], 2);
        ws_send_frame(client, WS_FIN | WS_PING, "as it is", 8);
        ws_expect_frame(client, WS_FIN | WS_PONG, "as it is", 8);
        ws_send_frame(client, WS_FIN | WS_CONTINUATION, wires[_i] + 2, 8);
        pair_expect(loop, SERVER_SIDE, i, "message", 7);
    }
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
}
END_TEST

static probe_hook *const hooks[] = {letter, triple, turn_round};
static const size_t sizes[] = {0, 1, 2, 33, 34, 100, 1000, 4095, 4096, 4097, 40000};
static const size_t receive_sizes[] = {1, 100, 4096, 10000};
enum {
    HOOK_COUNT = sizeof hooks / sizeof hooks[0],
    SIZE_COUNT = sizeof sizes / sizeof sizes[0],
    RECEIVE_SIZE_COUNT = sizeof receive_sizes / sizeof receive_sizes[0]
};

static void carry_all(struct server *loop, enum side from, const unsigned char *bytes, size_t size)
{
    enum side to = from == SERVER_SIDE ? CLIENT_SIDE : SERVER_SIDE;
    size_t n = pair_count(loop, to);

    pair_carry(loop, from, bytes, size, LWS_WRITE_TEXT);
    pair_send(loop, from, bytes, size, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN);
    pair_send(loop, from, NULL, 0, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    pair_send(loop, from, "in between", 10, LWS_WRITE_PING);
    pair_send(loop, from, bytes + size, size, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN);
    pair_send(loop, from, bytes + 2 * size, 1, LWS_WRITE_CONTINUATION);
    pair_expect(loop, to, n + 1, bytes, 2 * size + 1);
}

/* Six orders of three. */
START_TEST(carries_messages_through_three)
{
    int order = _i % 6;
    size_t size = sizes[_i / 6];
    struct server_options options = {.extras = {.max_backlog = 8000000}};
    unsigned char *bytes;
    struct server *loop;

    size = harness_scale(size, size < 500 ? size : 500);
    bytes = harness_pattern(2 * size + 1, 5);
    probes[0].hook = hooks[order % HOOK_COUNT];
    probes[1].hook = hooks[(order + 1 + order / HOOK_COUNT) % HOOK_COUNT];
    probes[2].hook = hooks[(order + 2 - order / HOOK_COUNT) % HOOK_COUNT];
    pair_protocols[PROTOCOL_PAIR].rx_buffer_size = receive_sizes[_i % RECEIVE_SIZE_COUNT];
    if (receive_sizes[_i % RECEIVE_SIZE_COUNT] == 1)
        size = size < 1000 ? size : 1000;
    give_probes(PROBES);
    loop = pair_start(&options);
    pair_connect(loop);
    carry_all(loop, SERVER_SIDE, bytes, size);
    carry_all(loop, CLIENT_SIDE, bytes, size);
    pair_finish(loop);
    free(bytes);
}
END_TEST

/* --- Nothing, and what is wrong */

static int swallow(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;

    (void)probe;
    (void)wsi;
    (void)session;
    (void)len;
    if (is_payload(reason))
        payload->data = (struct lws_tokens){.token = NULL, .token_len = 0};
    return 0;
}

START_TEST(may_leave_nothing)
{
    struct server *loop;
    struct ws_client *client;
    size_t length;

    probes[0].hook = swallow;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    for (size_t i = 0; i < 3; i++) {
        pair_send(loop, SERVER_SIDE, "seen by nobody", 14, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN);
        pair_send(loop, SERVER_SIDE, "this too", 8, LWS_WRITE_CONTINUATION);
        free(receive_message(client, WS_BINARY, &length));
        ck_assert_uint_eq(length, 0);
        ws_send_frame(client, WS_TEXT, "nor this", 8);
        ws_send_frame(client, WS_FIN | WS_CONTINUATION, "and this", 8);
        pair_expect(loop, SERVER_SIDE, i, NULL, 0);
    }
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_RECEIVE), 3);
    ws_finish(client);
    ws_free(client);
    pair_stop(loop);
}
END_TEST

static struct failing {
    enum libwebsocket_extension_callback_reasons where;
    int status;
    const char *why;
    int expected;
    const char *expected_why; /* NULL: any */
} failings[] = {
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 0, NULL, 1007, ""},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 0, "a few words", 1007, "a few words"},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 1009, NULL, 1009, ""},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 1002, "that was wrong", 1002, "that was wrong"},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 4321, "of its own", 4321, "of its own"},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, 1005, "not to be sent", 1011, NULL},
    {LWS_EXT_CALLBACK_PAYLOAD_RX, -1, "none at all", 1011, NULL},
    {LWS_EXT_CALLBACK_PAYLOAD_TX, 0, NULL, 1011, ""},
    {LWS_EXT_CALLBACK_PAYLOAD_TX, 4321, "of its own", 4321, "of its own"},
};
static const struct failing *failing;

static int refuse(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;

    (void)probe;
    (void)wsi;
    (void)session;
    (void)len;
    if (!is_payload(reason))
        return 0;
    if (reason != failing->where)
        return 0;
    ck_assert_int_eq(payload->close_status, reason == LWS_EXT_CALLBACK_PAYLOAD_RX ? 1007 : 1011);
    if (memchr(payload->data.token, '!', (size_t)payload->data.token_len) == NULL)
        return 0;
    if (failing->status != 0)
        payload->close_status = failing->status;
    payload->close_reason = failing->why;
    return -1;
}

START_TEST(fails_one_connection)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;
    int error = 0;

    failing = &failings[_i];
    probes[0].hook = refuse;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    beside = beside_open(loop);
    ws_send_frame(client, WS_FIN | WS_TEXT, "good", 4);
    pair_expect(loop, SERVER_SIDE, 0, "good", 4);
    pair_send(loop, SERVER_SIDE, "good", 4, LWS_WRITE_TEXT);
    ws_expect_text(client, "good");
    if (failing->where == LWS_EXT_CALLBACK_PAYLOAD_TX) {
        ck_assert_int_eq(pair_write(loop, SERVER_SIDE, "bad!", 4, LWS_WRITE_TEXT, &error), -1);
        ck_assert_int_eq(error, EIO);
    } else {
        ws_send_frame(client, WS_FIN | WS_TEXT, "bad!", 4);
    }
    if (failing->expected_why == NULL)
        ws_expect_close(client, failing->expected);
    else
        ws_expect_close_reason(client, failing->expected, failing->expected_why);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_RECEIVE), 1);
    beside_expect_well(beside);
    ws_finish(beside);
    ws_free(beside);
    pair_stop(loop);
}
END_TEST

static int spoil_text(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;

    (void)probe;
    (void)wsi;
    (void)session;
    (void)len;
    /* Changed in place, which may be done here. */
    for (int i = 0; reason == LWS_EXT_CALLBACK_PAYLOAD_RX && i < payload->data.token_len; i++)
        payload->data.token[i] = (char)(payload->data.token[i] ^ 0x80);
    return 0;
}

/* It is the result that is to be UTF-8. */
START_TEST(checks_the_text_that_results)
{
    static const unsigned char umlaut[] = {0xc3 ^ 0x80, 0xa4 ^ 0x80};
    struct server *loop;
    struct ws_client *client;

    probes[0].hook = spoil_text;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    ws_send_frame(client, WS_TEXT, umlaut, 1);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, umlaut + 1, 1);
    pair_expect(loop, SERVER_SIDE, 0, "\xc3\xa4", 2);
    ws_send_frame(client, WS_FIN | WS_BINARY, "any", 3);
    pair_expect(loop, SERVER_SIDE, 1, "\xe1\xee\xf9", 3);
    ws_send_frame(client, WS_FIN | WS_TEXT, umlaut, _i == 0 ? 1 : 0);
    if (_i == 1)
        ws_send_frame(client, WS_FIN | WS_TEXT, "any", 3);
    ws_expect_close(client, 1007);
    ws_expect_eof(client);
    ws_free(client);
    pair_stop(loop);
}
END_TEST

/* --- Marks */

/* Marks every other message, and says so again where it makes no difference any more. */
static int mark(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_extension_payload *payload = in;

    (void)probe;
    (void)wsi;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_PAYLOAD_RX && payload->begins_message)
        probe_note("%x", payload->reserved_bits);
    if (reason != LWS_EXT_CALLBACK_PAYLOAD_TX)
        return 0;
    session->at += payload->begins_message != 0;
    probe_note("%c%c%c", payload->uncompressed ? 'u' : 'c', payload->binary ? 'b' : 't',
        payload->ends_message ? '.' : '-');
    if (session->at % 2 == 1)
        payload->reserved_bits = probe->reserved_bits;
    else if (!payload->begins_message)
        payload->reserved_bits = probe->reserved_bits;
    return 0;
}

START_TEST(marks_messages)
{
    struct server *loop;
    struct ws_client *client;

    probes[0].hook = mark;
    probes[0].reserved_bits = 0x20;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    for (unsigned int i = 0; i < 4; i++) {
        unsigned int bit = i % 2 == 0 ? WS_RSV2 : 0;

        pair_send(loop, SERVER_SIDE, "be", 2,
            LWS_WRITE_BINARY | LWS_WRITE_NO_FIN | (i == 1 ? LWS_WRITE_UNCOMPRESSED : 0));
        pair_send(loop, SERVER_SIDE, "hind", 4, LWS_WRITE_CONTINUATION);
        ws_expect_frame(client, WS_BINARY | bit, "be", 2);
        ws_expect_frame(client, WS_FIN | WS_CONTINUATION, "hind", 4);
        ws_send_frame(client, WS_FIN | WS_TEXT | bit, "marked", 6);
        pair_expect(loop, SERVER_SIDE, i, "marked", 6);
        ck_assert_uint_eq(ends[SERVER_SIDE].messages[i].reserved_bits, i % 2 == 0 ? 0x20 : 0);
    }
    ws_send_frame(client, WS_TEXT, "a", 1);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION | WS_RSV2, "b", 1);
    ws_expect_close(client, 1002);
    ws_expect_eof(client);
    ws_free(client);
    pair_stop(loop);
    ck_assert_str_eq(probe_notes, "cb-cb.20ub-ub.0cb-cb.20cb-cb.00");
}
END_TEST

Suite *extension_payload_suite(void)
{
    Suite *suite = suite_create("extension payload");
    TCase *test_case = harness_case("payload");

    tcase_add_loop_test(test_case, works_in_the_order_agreed, 0, 2);
    tcase_add_loop_test(test_case, carries_messages_through_three, 0, 6 * SIZE_COUNT);
    tcase_add_test(test_case, may_leave_nothing);
    tcase_add_loop_test(
        test_case, fails_one_connection, 0, (int)(sizeof failings / sizeof failings[0]));
    tcase_add_loop_test(test_case, checks_the_text_that_results, 0, 2);
    tcase_add_test(test_case, marks_messages);
    suite_add_tcase(suite, test_case);
    return suite;
}
