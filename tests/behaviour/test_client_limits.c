/* Limits of clients, and pushing back. */
#include <errno.h>
#include <stdlib.h>

#include "client_ground.h"
#include "suites.h"

START_TEST(refuses_a_message_that_is_too_large)
{
    struct server_options options = {.extras = {.max_message_size = 1000}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    unsigned char *pattern = harness_pattern(1001, 0);

    ws_send_frame(peer, WS_FIN | WS_TEXT, pattern, 1000);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, 1);
    if (_i == 0) {
        ws_send_frame(peer, WS_FIN | WS_TEXT, pattern, 1001);
    } else {
        ws_send_frame(peer, WS_TEXT, pattern, 999);
        ws_send_frame(peer, WS_FIN | WS_CONTINUATION, pattern, 2);
    }
    ws_expect_close(peer, 1009);
    ws_shutdown(peer);
    free(ws_receive_all(peer, NULL));
    server_wait(loop, LWS_CALLBACK_CLOSED, 1);
    free(pattern);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void fill(struct server *loop, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(loop);
    size_t size = harness_scale(50000, 2000);
    unsigned char *pattern = harness_pattern(size, 1);
    size_t *taken = argument;

    for (;;) {
        int result = send_bytes(wsi, pattern, size,
            (enum libwebsocket_write_protocol)(LWS_WRITE_BINARY | LWS_WRITE_UNCOMPRESSED));

        if (result < 0)
            break;
        ck_assert_int_eq(result, (int)size);
        ck_assert_uint_lt(++*taken, 10000);
    }
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(lws_send_pipe_choked(wsi), 1);
    ck_assert_int_eq(libwebsocket_callback_on_writable(server_context(loop), wsi), 1);
    free(pattern);
}

/* Above the backlog's limit a write is refused and nothing else happens. */
START_TEST(refuses_to_write_more_than_max_backlog)
{
    struct server_options options = {.extras = {.max_backlog = 20000}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    size_t size = harness_scale(50000, 2000);
    unsigned char *pattern = harness_pattern(size, 1);
    size_t taken = 0;

    server_run(loop, fill, &taken);
    ck_assert_uint_ge(taken, 1);
    /* Where I/O is cut there is room behind what was refused for a moment. */
    if (!harness_cut())
        ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_WRITEABLE), 0);
    for (size_t i = 0; i < taken; i++)
        ws_expect_frame(peer, WS_FIN | WS_BINARY, pattern, size);
    server_wait(loop, LWS_CALLBACK_CLIENT_WRITEABLE, 1);
    client_finish(loop, peer);
    free(pattern);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void set_receiving(struct server *loop, void *argument)
{
    ck_assert_int_eq(
        libwebsocket_rx_flow_control(server_last_wsi(loop), *(const int *)argument), 0);
}

START_TEST(stops_and_resumes_receiving)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer = client_open(loop, server, NULL);
    int off = 0;
    int on = 1;

    for (int i = 0; i < 3; i++) {
        size_t before = server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE);

        server_run(loop, set_receiving, &off);
        ws_send_frame(peer, WS_FIN | WS_TEXT, "one", 3);
        ws_send_frame(peer, WS_FIN | WS_TEXT, "two", 3);
        ws_expect_silence(peer, 100);
        ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE), before);
        server_run(loop, set_receiving, &on);
        server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, before + 2);
    }
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int stop_at_once(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_RECEIVE)
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    return 0;
}

/* From the very first: frames that came with the server's answer wait as well. */
START_TEST(stops_before_the_first_frame)
{
    struct server *loop;
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = "chat"};
    struct ws_client *peer;
    unsigned char out[4096];
    char *request;
    char *answer;
    size_t length;
    int on = 1;

    client_hook = stop_at_once;
    loop = client_start(NULL);
    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    answer = ws_acceptance(request, "chat", NULL);
    length = strlen(answer);
    memcpy(out, answer, length);
    for (int i = 0; i < 5; i++)
        length += ws_put_frame(peer, out + length, WS_FIN | WS_TEXT, "text", 4);
    ws_send(peer, out, length);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    for (size_t i = 0; i < 5; i++) {
        ws_expect_silence(peer, 50);
        ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_RECEIVE), i);
        server_run(loop, set_receiving, &on);
        server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, i + 1);
    }
    server_run(loop, set_receiving, &on);
    client_finish(loop, peer);
    free(answer);
    free(request);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

Suite *client_limits_suite(void)
{
    Suite *suite = suite_create("client limits");
    TCase *limits = harness_case("limits");

    tcase_add_loop_test(limits, refuses_a_message_that_is_too_large, 0, 2);
    tcase_add_test(limits, refuses_to_write_more_than_max_backlog);
    tcase_add_test(limits, stops_and_resumes_receiving);
    tcase_add_test(limits, stops_before_the_first_frame);
    suite_add_tcase(suite, limits);
    return suite;
}
