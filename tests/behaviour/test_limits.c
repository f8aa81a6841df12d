/* Limits, and what happens where something runs out. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

START_TEST(limits_connections)
{
    enum { MOST = 5, MORE = 8 };
    struct server_options options = {.extras = {.max_connections = MOST}};
    struct server *server = server_start(&options);
    struct ws_client *clients[MORE];
    char *text = ws_handshake_text("/", "echo", NULL);
    unsigned long calls;

    for (int i = 0; i < MOST; i++)
        clients[i] = ws_open(server_port(server), "echo");
    for (int i = MOST; i < MORE; i++) {
        clients[i] = ws_connect(server_port(server));
        ws_send_ahead(clients[i], text);
    }
    ws_expect_silence(clients[MOST], 100);
    calls = server_service_calls();
    ws_expect_silence(clients[MOST], 200);
    ck_assert_uint_le(server_service_calls() - calls, 5);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), MOST);

    /* Each that ends lets another in. */
    for (int i = MOST; i < MORE; i++) {
        struct ws_response response;

        ws_finish(clients[i - MOST]);
        ws_free(clients[i - MOST]);
        response = ws_receive_head(clients[i]);
        ck_assert_int_eq(response.status, 101);
        ws_response_free(&response);
    }
    for (int i = MORE - MOST; i < MORE; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    free(text);
    server_stop(server);
}
END_TEST

START_TEST(limits_messages)
{
    struct server_options options = {.extras = {.max_message_size = 1000}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");
    unsigned char *pattern = harness_pattern(2000, 1);

    ws_send_frame(client, WS_FIN | WS_TEXT, pattern, 1000);
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, 1000);
    /* In fragments, with control frames, which do not count. */
    ws_send_frame(client, WS_TEXT, pattern, 500);
    ws_send_frame(client, WS_FIN | WS_PING, pattern, 100);
    ws_send_frame(client, WS_FIN | WS_CONTINUATION, pattern + 500, 500);
    ws_expect_frame(client, WS_FIN | WS_PONG, pattern, 100);
    ws_expect_frame(client, WS_FIN | WS_TEXT, pattern, 1000);

    if (_i == 0) {
        ws_send_frame(client, WS_FIN | WS_TEXT, pattern, 1001);
    } else if (_i == 1) {
        ws_send_frame(client, WS_TEXT, pattern, 999);
        ws_send_frame(client, WS_FIN | WS_CONTINUATION, pattern, 2);
    } else {
        /* The header is enough. */
        static const unsigned char mask[4] = {1, 2, 3, 4};
        unsigned char out[WS_HEADER_MOST];

        ws_send(client, out,
            ws_build_frame(out, WS_FIN | WS_BINARY, mask, 8, (uint64_t)INT64_MAX, NULL, 0));
    }
    ws_expect_close_and_answer(client, 1009);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    free(pattern);
    server_stop(server);
}
END_TEST

/* By default there is no limit but the wire's: bytes are delivered as they come. */
START_TEST(takes_the_beginning_of_an_endless_message)
{
    static const unsigned char mask[4] = {0, 0, 0, 0};
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");
    unsigned char *pattern = harness_pattern(3 * 4096 + 100, 1);
    unsigned char out[WS_HEADER_MOST];

    ws_send(client, out,
        ws_build_frame(out, WS_FIN | WS_BINARY, mask, 8, (uint64_t)INT64_MAX, NULL, 0));
    ws_send(client, pattern, 3 * 4096 + 100);
    for (size_t i = 0; i < 3; i++) {
        const struct server_record *record = server_record(server, LWS_CALLBACK_RECEIVE, i);

        ck_assert_uint_eq(record->len, 4096);
        ck_assert_mem_eq(record->bytes, pattern + i * 4096, 4096);
        ck_assert_uint_eq(record->remaining, (size_t)INT64_MAX - (i + 1) * 4096);
    }
    free(pattern);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}
END_TEST

START_TEST(refuses_a_length_with_the_highest_bit)
{
    static const unsigned char mask[4] = {1, 2, 3, 4};
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");
    unsigned char out[WS_HEADER_MOST];

    ws_send(
        client, out, ws_build_frame(out, WS_FIN | WS_BINARY, mask, 8, (uint64_t)1 << 63, NULL, 0));
    ws_expect_close_and_answer(client, 1002);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* The soft limit on descriptors, so that the next one to be opened is refused; or back. */
static void limit_descriptors(bool limited)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    if (limited) {
        int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

        ck_assert_int_ge(next, 0);
        close(next);
        limit.rlim_cur = (rlim_t)next;
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(survives_without_descriptors)
{
    enum { CLIENTS = 5 };
    struct server *server = server_start(NULL);
    struct ws_client *healthy = ws_open(server_port(server), "echo");
    struct ws_client *ending = ws_open(server_port(server), "echo");
    char *text = ws_handshake_text("/", "echo", NULL);
    struct ws_client *clients[CLIENTS];
    unsigned long calls;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 2);
    /* The system takes them in while the server is held up; then there is no descriptor left. */
    server_hold(server);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = ws_connect(server_port(server));
        ws_send_ahead(clients[i], text);
    }
    limit_descriptors(true);
    server_go_on(server);

    ws_expect_silence(clients[0], 100);
    calls = server_service_calls();
    ws_expect_silence(clients[0], 500);
    ck_assert_uint_le(server_service_calls() - calls, 20);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), 2);
    ws_send_frame(healthy, WS_FIN | WS_TEXT, "unharmed", 8);
    ws_expect_text(healthy, "unharmed");
    if (_i == 0) {
        limit_descriptors(false);
    } else {
        /* Its descriptor serves one after the other. */
        ws_finish(ending);
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct ws_response response = ws_receive_head(clients[i]);

        ck_assert_int_eq(response.status, 101);
        ws_response_free(&response);
        ws_finish(clients[i]);
    }
    limit_descriptors(false);
    for (int i = 0; i < CLIENTS; i++)
        ws_free(clients[i]);
    ws_free(ending);
    ws_finish(healthy);
    ws_free(healthy);
    free(text);
    server_stop(server);
}
END_TEST

Suite *limits_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *limits = harness_case("limits");
    TCase *shortage = harness_case("shortage");

    tcase_add_test(limits, limits_connections);
    tcase_add_loop_test(limits, limits_messages, 0, 3);
    tcase_add_test(limits, takes_the_beginning_of_an_endless_message);
    tcase_add_test(limits, refuses_a_length_with_the_highest_bit);
    suite_add_tcase(suite, limits);

    tcase_add_loop_test(shortage, survives_without_descriptors, 0, 2);
    suite_add_tcase(suite, shortage);
    return suite;
}
