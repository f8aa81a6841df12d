/* What extensions are told of connections, and asked about WRITEABLE. */
#include <stdlib.h>

#include "extension_ground.h"
#include "suites.h"

static int look_at_reply(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    static const char field[] = "\r\nSec-WebSocket-Extensions: x-two, x-one\r\n";
    char *copy;

    (void)probe;
    (void)wsi;
    if (reason != LWS_EXT_CALLBACK_HANDSHAKE_REPLY_TX)
        return 0;
    ck_assert(!session->is_client);
    copy = strndup(in, len);
    ck_assert_ptr_nonnull(copy);
    ck_assert_uint_eq(strlen(copy), len);
    ck_assert(strncmp(copy, "HTTP/1.1 101 ", 13) == 0);
    ck_assert_str_eq(copy + len - 4, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(copy, field));
    ck_assert_ptr_nonnull(strstr(copy, "\r\nSec-WebSocket-Protocol: pair\r\n"));
    probe_note("[%s]", probe->name);
    free(copy);
    return 0;
}

START_TEST(sees_the_reply)
{
    struct server *loop;
    struct ws_client *client;

    for (int i = 0; i < PROBES; i++)
        probes[i].hook = look_at_reply;
    give_probes(PROBES);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-two, x-one");
    ws_finish(client);
    ws_free(client);
    pair_stop(loop);
    ck_assert_str_eq(probe_notes, "[x-two][x-one]");
}
END_TEST

static size_t second_before;

static int count_seconds(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)wsi;
    if (reason != LWS_EXT_CALLBACK_1HZ)
        return 0;
    ck_assert_ptr_eq(probe, &probes[0]);
    ck_assert_ptr_null(in);
    if (session->at > 0)
        ck_assert_uint_gt(len, session->at);
    session->at = len;
    second_before = len;
    return 0;
}

START_TEST(is_told_the_seconds)
{
    struct server *loop;
    struct ws_client *client;
    struct ws_client *beside;
    int64_t begin = ws_now_ms();
    unsigned int count;

    probes[0].hook = count_seconds;
    probes[1].hook = count_seconds;
    give_probes(2);
    loop = pair_start(NULL);
    beside = beside_open(loop);
    client = raw_extended(loop, "x-one");
    probe_wait(loop, &probes[0], LWS_EXT_CALLBACK_1HZ, 2);
    ck_assert_int_ge(ws_now_ms() - begin, 1500);
    count = probe_count(loop, &probes[0], LWS_EXT_CALLBACK_1HZ);
    ck_assert_int_le((int64_t)count, (ws_now_ms() - begin) / 900 + 1);
    ck_assert_uint_gt(second_before, 0);
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    ws_finish(beside);
    ws_free(beside);
    pair_stop(loop);
}
END_TEST

static int note_ends(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)wsi;
    (void)session;
    (void)in;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED)
        probe_note("%s+ ", probe->name);
    if (reason == LWS_EXT_CALLBACK_DESTROY_ANY_WSI_CLOSING)
        probe_note("%s- ", probe->name);
    if (reason == LWS_EXT_CALLBACK_DESTROY)
        probe_note("%s. ", probe->name);
    return 0;
}

static int note_program(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_ESTABLISHED)
        probe_note("+ ");
    if (reason == LWS_CALLBACK_CLOSED)
        probe_note("- ");
    return 0;
}

START_TEST(is_told_of_all_connections)
{
    struct server *loop;
    struct ws_client *client;
    char *answer;

    for (int i = 0; i < 2; i++)
        probes[i].hook = note_ends;
    pair_hook = note_program;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_open(loop, NULL, &answer);
    ck_assert_ptr_null(answer);
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    client = raw_extended(loop, "x-two");
    ws_finish(client);
    ws_free(client);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    pair_stop(loop);
    ck_assert_str_eq(probe_notes, "+ x-one+ x-two+ x-one- x-two- - "
                                  "+ x-one+ x-two+ x-one- x-two- - x-two. ");
}
END_TEST

/* --- WRITEABLE */

static int sees_to_requests;
static int takes_turns;

static int see_to_it(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    (void)probe;
    (void)session;
    (void)in;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE && sees_to_requests > 0)
        return sees_to_requests--;
    if (reason == LWS_EXT_CALLBACK_IS_WRITEABLE && takes_turns > 0) {
        /* The turn after this one. */
        ck_assert_int_eq(libwebsocket_callback_on_writable(NULL, wsi), 1);
        return takes_turns--;
    }
    return 0;
}

/* For one, or for all of its protocol. */
static bool for_all;

static void ask(struct server *loop, void *argument)
{
    (void)argument;
    if (for_all)
        ck_assert_int_eq(
            libwebsocket_callback_on_writable_all_protocol(&pair_protocols[PROTOCOL_PAIR]), 0);
    else
        ck_assert_int_eq(
            libwebsocket_callback_on_writable(server_context(loop), ends[SERVER_SIDE].wsi), 1);
}

START_TEST(sees_to_writeable)
{
    struct server *loop;
    struct ws_client *client;

    for_all = _i == 1;
    probes[0].hook = see_to_it;
    give_probes(2);
    loop = pair_start(NULL);
    client = raw_extended(loop, "x-one, x-two");
    sees_to_requests = 1;
    server_run(loop, ask, NULL);
    ws_send_frame(client, WS_FIN | WS_PING, "", 0);
    ws_expect_frame(client, WS_FIN | WS_PONG, "", 0);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_SERVER_WRITEABLE), 0);
    ck_assert_uint_eq(probe_count(loop, &probes[0], LWS_EXT_CALLBACK_IS_WRITEABLE), 0);
    /* Whoever sees to it, the other one is not asked. */
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE), 0);

    server_run(loop, ask, NULL);
    server_wait(loop, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    ck_assert_uint_eq(probe_count(loop, &probes[0], LWS_EXT_CALLBACK_IS_WRITEABLE), 1);
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE), 1);

    takes_turns = 1;
    server_run(loop, ask, NULL);
    server_wait(loop, LWS_CALLBACK_SERVER_WRITEABLE, 2);
    ck_assert_uint_eq(probe_count(loop, &probes[0], LWS_EXT_CALLBACK_IS_WRITEABLE), 3);
    ck_assert_uint_eq(probe_count(loop, &probes[1], LWS_EXT_CALLBACK_IS_WRITEABLE), 2);
    ws_finish(client);
    ws_free(client);
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_IS_WRITEABLE), 3);
}
END_TEST

/* The first that is asked closes the other one. */
static int close_the_other(struct probe *probe, struct libwebsocket *wsi,
    enum libwebsocket_extension_callback_reasons reason, struct probe_session *session, void *in,
    size_t len)
{
    struct libwebsocket *first = ends[SERVER_SIDE].wsi;

    (void)probe;
    (void)session;
    (void)in;
    (void)len;
    if (reason == LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE)
        ck_assert_int_eq(
            lws_close(wsi == first ? server_last_wsi(server_here()) : first, 4001, "other", 5), 0);
    return 0;
}

START_TEST(closes_another_that_is_asked_for)
{
    struct server *loop;
    struct ws_client *clients[2];

    for_all = true;
    probes[0].hook = close_the_other;
    give_probes(1);
    loop = pair_start(NULL);
    for (int i = 0; i < 2; i++)
        clients[i] = raw_extended(loop, "x-one");
    server_wait(loop, LWS_CALLBACK_ESTABLISHED, 2);
    server_run(loop, ask, NULL);
    /* Those that came first are asked first. */
    ws_expect_close_and_answer(clients[1], 4001);
    ws_finish(clients[0]);
    for (int i = 0; i < 2; i++)
        ws_free(clients[i]);
    server_wait(loop, LWS_CALLBACK_CLOSED, 2);
    pair_stop(loop);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_REQUEST_ON_WRITEABLE), 1);
    ck_assert_uint_eq(probe_counted(&probes[0], LWS_EXT_CALLBACK_IS_WRITEABLE), 1);
}
END_TEST

Suite *extension_events_suite(void)
{
    Suite *suite = suite_create("extension events");
    TCase *test_case = harness_case("events");

    tcase_add_test(test_case, sees_the_reply);
    tcase_add_test(test_case, is_told_the_seconds);
    tcase_add_test(test_case, is_told_of_all_connections);
    tcase_add_loop_test(test_case, sees_to_writeable, 0, 2);
    tcase_add_test(test_case, closes_another_that_is_asked_for);
    suite_add_tcase(suite, test_case);
    return suite;
}
