/* What extensions do to the stream of bytes, and to its end. */
#include <errno.h>
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

/* --- PACKET_TX_PRESEND and PACKET_RX_PREPARSE */

/* Hides the bytes of the stream, a few at a time, and remembers what they were. */
enum { AT_A_TIME = 60 };

static unsigned char *pieces;
static size_t pieces_length;
static size_t pieces_at;
static unsigned int piece_count;

static int hide(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    static char made[AT_A_TIME];
    struct lws_tokens *tokens = in;
    size_t count = 0;

    (void)probe;
    (void)wsi;
    (void)session;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_PACKET_RX_PREPARSE) {
        for (int i = 0; i < tokens->token_len; i++)
            tokens->token[i] = (char)(tokens->token[i] ^ 0x55);
        return 0;
    }
    if (reason != LWS_EXT_CALLBACK_PACKET_TX_PRESEND)
        return 0;
    if (tokens->token_len > 0) {
        /* What came before is finished. */
        ck_assert_uint_eq(pieces_at, pieces_length);
        piece_count++;
        pieces = realloc(pieces, pieces_length + (size_t)tokens->token_len);
        ck_assert_ptr_nonnull(pieces);
        memcpy(pieces + pieces_length, tokens->token, (size_t)tokens->token_len);
        pieces_length += (size_t)tokens->token_len;
    }
    while (count < AT_A_TIME && pieces_at < pieces_length)
        made[count++] = (char)(pieces[pieces_at++] ^ 0x55);
    tokens->token = made;
    tokens->token_len = (int)count;
    return pieces_at < pieces_length;
}

static void write_many(struct server *loop, void *argument)
{
    unsigned char *pattern = harness_pattern(500, 2);

    (void)loop;
    (void)argument;
    for (size_t i = 0; i < 500; i++)
        ck_assert_int_eq(send_bytes(ends[SERVER_SIDE].wsi, pattern, i, LWS_WRITE_BINARY), (int)i);
    free(pattern);
}

/* Each piece once and in order: what has been seen is what is received. */
START_TEST(sees_each_piece_once)
{
    struct server *loop;
    struct ws_client *client;
    unsigned char *received;
    size_t length = 0;

    probes[0].hook = hide;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    for (size_t i = 0; i < 500; i++)
        length += i + (i < 126 ? 2 : 4);
    server_run(loop, write_many, NULL);
    received = malloc(length);
    ck_assert_ptr_nonnull(received);
    ws_receive(client, received, length);
    for (size_t i = 0; i < length; i++)
        received[i] ^= 0x55;
    ck_assert_uint_eq(pieces_length, length);
    ck_assert(memcmp(received, pieces, length) == 0);
    ck_assert_uint_ge(piece_count, 500);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
    free(received);
    free(pieces);
}
END_TEST

/* The chain of two, of which each hides again; and each end undoes what the other does. */
START_TEST(passes_through_both)
{
    struct server *loop;
    size_t size = harness_scale(20000, 2000);
    unsigned char *pattern = harness_pattern(size, 4);

    probes[1].hook = hide;
    give_probes(2);
    loop = pair_start(NULL);
    pair_connect(loop);
    pair_carry(loop, SERVER_SIDE, pattern, size, LWS_WRITE_TEXT);
    pair_carry(loop, CLIENT_SIDE, pattern, size, LWS_WRITE_TEXT);
    pair_finish(loop);
    ck_assert_uint_gt(probe_counted(&probes[0], LWS_EXT_CALLBACK_PACKET_TX_PRESEND), 0);
    ck_assert_uint_gt(probe_counted(&probes[0], LWS_EXT_CALLBACK_PACKET_RX_PREPARSE), 0);
    free(pattern);
    free(pieces);
}
END_TEST

/* --- Refusing to go on */

static enum libwebsocket_extension_callback_reasons refused;
static bool refuses;

static int refuse(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)probe;
    (void)wsi;
    (void)session;
    (void)in;
    (void)len;
    return reason == refused && refuses ? -1 : 0;
}

static const enum libwebsocket_extension_callback_reasons refusals[] = {
    LWS_EXT_CALLBACK_PACKET_RX_PREPARSE, LWS_EXT_CALLBACK_PACKET_TX_PRESEND,
    LWS_EXT_CALLBACK_PACKET_TX_DO_SEND};

static void set_refuses(struct server *loop, void *argument)
{
    (void)loop;
    refuses = argument != NULL;
}

START_TEST(fails_one_connection)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;
    int error = 0;

    refused = refusals[_i];
    probes[0].hook = refuse;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    beside = beside_open(loop);
    ws_send_frame(client, WS_FIN | WS_TEXT, "good", 4);
    pair_expect(loop, SERVER_SIDE, 0, "good", 4);
    server_run(loop, set_refuses, &refuses);
    if (refused == LWS_EXT_CALLBACK_PACKET_RX_PREPARSE) {
        ws_send_frame(client, WS_FIN | WS_TEXT, "bad", 3);
        ws_expect_close(client, 1002);
    } else {
        ck_assert_int_eq(pair_write(loop, SERVER_SIDE, "bad", 3, LWS_WRITE_TEXT, &error), -1);
        ck_assert_int_ne(error, EAGAIN);
        ck_assert_int_ne(error, EINVAL);
        ck_assert_int_ne(error, EBUSY);
    }
    ws_expect_eof(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(pair_count(loop, SERVER_SIDE), 1);
    beside_expect_well(beside);
    ws_finish(beside);
    ws_free(client);
    ws_free(beside);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    pair_stop(loop);
}
END_TEST

/* --- PACKET_TX_DO_SEND */

static bool takes;

static int take(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    const struct lws_tokens *tokens = in;

    (void)wsi;
    (void)len;
    if (reason != LWS_EXT_CALLBACK_PACKET_TX_DO_SEND || !takes)
        return 0;
    probe_note("[%s: %d]", probe->name, tokens->token_len);
    session->at++;
    return probe == &probes[1];
}

static void set_takes(struct server *loop, void *argument)
{
    (void)loop;
    takes = argument != NULL;
}

START_TEST(takes_what_is_to_be_sent)
{
    struct server *loop;
    struct ws_client *client;

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = take;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one, x-two, x-three");
    server_run(loop, set_takes, &takes);
    pair_send(loop, SERVER_SIDE, "taken", 5, LWS_WRITE_TEXT);
    server_run(loop, set_takes, NULL);
    pair_send(loop, SERVER_SIDE, "sent", 4, LWS_WRITE_TEXT);
    ws_expect_text(client, "sent");
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    pair_stop(loop);
    /* The one that took it was the last to be asked. */
    ck_assert_str_eq(probe_notes, "[x-one: 7][x-two: 7]");
}
END_TEST

/* --- FLUSH_PENDING_TX */

/* The first keeps everything back until it is asked for it, and gives it out a bit at a time; the
 * second hides what it then gets. */
static int keep(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct lws_tokens *tokens = in;

    (void)probe;
    (void)wsi;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_PACKET_TX_PRESEND) {
        session->bytes = realloc(session->bytes, session->length + (size_t)tokens->token_len + 1);
        ck_assert_ptr_nonnull(session->bytes);
        memcpy(session->bytes + session->length, tokens->token, (size_t)tokens->token_len);
        session->length += (size_t)tokens->token_len;
        tokens->token_len = 0;
    } else if (reason == LWS_EXT_CALLBACK_FLUSH_PENDING_TX) {
        ck_assert_int_eq(tokens->token_len, 0);
        if (session->at < session->length) {
            tokens->token = (char *)session->bytes + session->at++;
            tokens->token_len = 1;
        }
        return session->at < session->length;
    }
    return 0;
}

static int hide_in_place(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    return reason == LWS_EXT_CALLBACK_PACKET_RX_PREPARSE
               ? 0
               : hide(probe, wsi, reason, session, in, len);
}

static void destroy(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

START_TEST(flushes_what_was_kept_back)
{
    static const unsigned char by_peer[] = "\x81\x03one\x82\x03two\x88\x02\x03\xe8";
    static const unsigned char by_context[] = "\x81\x03one\x82\x03two\x88\x02\x03\xe9";
    const unsigned char *expected = _i == 1 ? by_context : by_peer;
    struct server *loop;
    struct ws_client *client;
    unsigned char received[14];

    if (_i == 1 && harness_refuses_io())
        return;
    probes[0].hook = keep;
    probes[1].hook = hide_in_place;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one, x-two");
    pair_send(loop, SERVER_SIDE, "one", 3, LWS_WRITE_TEXT);
    pair_send(loop, SERVER_SIDE, "two", 3, LWS_WRITE_BINARY);
    if (_i == 0)
        ws_send_close(client, 1000, NULL);
    else if (_i == 1)
        server_run(loop, destroy, NULL);
    else
        pair_close(loop, SERVER_SIDE, 1000, "");
    ws_receive(client, received, sizeof received);
    for (size_t i = 0; i < sizeof received; i++)
        received[i] ^= 0x55;
    ck_assert_mem_eq(received, expected, sizeof received);
    if (_i == 2)
        ws_send_close(client, 1000, NULL);
    ws_expect_eof(client);
    ws_free(client);
    pair_stop(loop);
    free(pieces);
}
END_TEST

/* --- CHECK_OK_TO_REALLY_CLOSE */

static bool may_close;

static int put_off(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)probe;
    (void)wsi;
    (void)session;
    (void)in;
    (void)len;
    return reason == LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE && !may_close;
}

static void set_may_close(struct server *loop, void *argument)
{
    (void)loop;
    (void)argument;
    may_close = true;
}

START_TEST(puts_the_end_off)
{
    struct server *loop;
    struct ws_client *client;

    probes[0].hook = put_off;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one, x-two");
    ws_send_close(client, 1000, NULL);
    ws_expect_close(client, 1000);
    probe_wait(loop, &probes[0], LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE, 1);
    ws_expect_silence(client, 100);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLOSED), 0);
    server_run(loop, set_may_close, NULL);
    /* Something happens to it. */
    ws_shutdown(client);
    ws_expect_eof(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    pair_stop(loop);
}
END_TEST

START_TEST(puts_the_end_off_for_so_long)
{
    struct server_options options = {.extras = {.close_timeout_ms = 400}};
    struct server *loop;
    struct ws_client *client;
    int64_t begin;

    probes[0].hook = put_off;
    give_probes(1);
    loop = pair_start(&options);
    client = raw_extended(loop, "x-one");
    begin = ws_now_ms();
    ws_send_close(client, 1000, NULL);
    ws_expect_close(client, 1000);
    ws_expect_eof(client);
    ck_assert_int_ge(ws_now_ms() - begin, 300);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    pair_stop(loop);
    ck_assert_uint_ge(probe_counted(&probes[0], LWS_EXT_CALLBACK_CHECK_OK_TO_REALLY_CLOSE), 1);
}
END_TEST

/* --- Calls from inside */

static enum libwebsocket_extension_callback_reasons inside;
static struct libwebsocket *other;
static unsigned int tried;

static int call_from_inside(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)probe;
    (void)session;
    (void)in;
    (void)len;
    if (reason != inside || tried > 0)
        return 0;
    tried++;
    errno = 0;
    ck_assert_int_eq(send_text(wsi, "from inside"), -1);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_int_eq(send_bytes(wsi, "ping", 4, LWS_WRITE_PING), -1);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_int_eq(lws_close(wsi, 1000, NULL, 0), -1);
    ck_assert_int_eq(errno, EBUSY);
    /* Another one is free. */
    ck_assert_int_eq(send_text(other, "to another"), 10);
    return 0;
}

static const enum libwebsocket_extension_callback_reasons insides[] = {LWS_EXT_CALLBACK_PAYLOAD_TX,
    LWS_EXT_CALLBACK_PACKET_TX_PRESEND, LWS_EXT_CALLBACK_PACKET_TX_DO_SEND,
    LWS_EXT_CALLBACK_FLUSH_PENDING_TX};

static struct ws_client *open_other(struct server *loop)
{
    struct ws_client *client = beside_open(loop);

    server_wait(loop, LWS_CALLBACK_ESTABLISHED, 2);
    other = server_last_wsi(loop);
    return client;
}

START_TEST(refuses_calls_from_inside)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;

    inside = insides[_i];
    probes[0].hook = call_from_inside;
    give_probes(1);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one");
    beside = open_other(loop);
    pair_send(loop, SERVER_SIDE, "sent", 4, LWS_WRITE_TEXT);
    ws_expect_text(client, "sent");
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(tried, 1);
    ws_expect_text(beside, "to another");
    beside_expect_well(beside);
    ws_finish(beside);
    ws_free(beside);
    pair_stop(loop);
}
END_TEST

Suite *extension_hooks_suite(void)
{
    Suite *suite = suite_create("extension hooks");
    TCase *test_case = harness_case("stream");

    tcase_add_test(test_case, sees_each_piece_once);
    tcase_add_test(test_case, passes_through_both);
    tcase_add_loop_test(test_case, fails_one_connection, 0, 3);
    tcase_add_test(test_case, takes_what_is_to_be_sent);
    tcase_add_loop_test(test_case, flushes_what_was_kept_back, 0, 3);
    tcase_add_test(test_case, puts_the_end_off);
    tcase_add_test(test_case, puts_the_end_off_for_so_long);
    tcase_add_loop_test(test_case, refuses_calls_from_inside, 0, 4);
    suite_add_tcase(suite, test_case);
    return suite;
}
