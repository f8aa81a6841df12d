/* Other threads, and deadlines. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, CALLS = 500 };

static atomic_int called[THREADS];
static atomic_int call_order_broken;

/* The number of the thread, and of the call in it. */
static void count_call(struct libwebsocket_context *context, void *argument)
{
    uintptr_t number = (uintptr_t)argument;

    (void)context;
    if (atomic_fetch_add(&called[number / CALLS], 1) != (int)(number % CALLS))
        atomic_store(&call_order_broken, 1);
    if (server_here() == NULL)
        atomic_store(&call_order_broken, 2);
}

struct caller {
    struct server *server;
    int number;
};

static void *call_often(void *argument)
{
    const struct caller *caller = argument;

    for (int i = 0; i < CALLS; i++) {
        uintptr_t number = (uintptr_t)(caller->number * CALLS + i);

        if (lws_call_in_service(server_context(caller->server), count_call, (void *)number) != 0)
            atomic_store(&call_order_broken, 3);
    }
    return NULL;
}

static bool all_called(struct server *server, void *argument)
{
    int sum = 0;

    (void)server;
    (void)argument;
    for (int i = 0; i < THREADS; i++)
        sum += atomic_load(&called[i]);
    return sum == THREADS * CALLS;
}

START_TEST(calls_in_order_from_any_thread)
{
    struct server *server = server_start(NULL);
    struct caller callers[THREADS];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.server = server, .number = i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    server_wait_until(server, all_called, NULL);
    ck_assert_int_eq(atomic_load(&call_order_broken), 0);

    errno = 0;
    ck_assert_int_eq(lws_call_in_service(NULL, count_call, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_int_eq(lws_call_in_service(server_context(server), NULL, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    server_stop(server);
}
END_TEST

static void call_when_ending(struct libwebsocket_context *context, void *argument)
{
    (void)argument;
    errno = 0;
    ck_assert_int_eq(lws_call_in_service(context, count_call, NULL), -1);
    ck_assert_int_eq(errno, ECANCELED);
    atomic_fetch_add(&called[0], 1);
}

static void call_and_destroy(struct server *server, void *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(lws_call_in_service(server_context(server), call_when_ending, NULL), 0);
    server_destroy_context(server);
}

/* On the poll adapter this runs inside a service call: what is pending is called all the same. */
START_TEST(calls_at_the_latest_on_destroy)
{
    struct server *server = server_start(NULL);

    server_run(server, call_and_destroy, NULL);
    server_stop(server);
    ck_assert_int_eq(atomic_load(&called[0]), 3);
}
END_TEST

static void *ask_for_all(void *argument)
{
    (void)argument;
    ck_assert_int_eq(
        libwebsocket_callback_on_writable_all_protocol(&default_protocols[PROTOCOL_DISCARD]), 0);
    return NULL;
}

static void on_signal(int number)
{
    (void)number;
    libwebsocket_callback_on_writable_all_protocol(&default_protocols[PROTOCOL_DISCARD]);
}

/* From another thread, and from a signal handler. */
START_TEST(asks_for_all_of_a_protocol)
{
    enum { CLIENTS = 30 };
    struct server *server = server_start(NULL);
    struct ws_client *clients[CLIENTS];
    struct ws_client *other = ws_open(server_port(server), "echo");
    pthread_t thread;

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = ws_open(server_port(server), "discard");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, CLIENTS + 1);
    if (_i == 0) {
        ck_assert_int_eq(pthread_create(&thread, NULL, ask_for_all, NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    } else {
        ck_assert_ptr_ne(signal(SIGUSR1, on_signal), SIG_ERR);
        ck_assert_int_eq(raise(SIGUSR1), 0);
    }
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(
            server_record(server, LWS_CALLBACK_SERVER_WRITEABLE, i)->protocol, PROTOCOL_DISCARD);
    ck_assert_int_eq(libwebsocket_callback_on_writable_all_protocol(NULL), -1);
    for (int i = 0; i < CLIENTS; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    ws_finish(other);
    ws_free(other);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), CLIENTS);
    server_stop(server);
}
END_TEST

static void set_deadline(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);

    ck_assert_int_eq(lws_close_reason(wsi, 4100, "too late", 8), 0);
    libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_PING, *(const int *)argument);
}

static void cancel_deadline(struct server *server, void *argument)
{
    (void)argument;
    libwebsocket_set_timeout(server_last_wsi(server), NO_PENDING_TIMEOUT, 0);
}

static const int deadlines[] = {1, 0, -5};

START_TEST(closes_when_the_deadline_passes)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    int seconds = deadlines[_i];
    int64_t begin = ws_now_ms();

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, set_deadline, &seconds);
    ws_expect_close_reason(client, 4100, "too late");
    ck_assert_int_ge(ws_now_ms() - begin, seconds > 0 ? 950 : 0);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ws_send_close(client, 4100, NULL);
    ws_expect_eof(client);
    ck_assert_int_eq(server_record(server, LWS_CALLBACK_CLOSED, 0)->close_code, 4100);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(forgets_a_deadline)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");
    int first = 1;
    int second = 100;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, set_deadline, &first);
    /* Replaced, or cancelled. */
    if (_i == 0)
        server_run(server, set_deadline, &second);
    else
        server_run(server, cancel_deadline, NULL);
    ws_expect_silence(client, 1300);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(pings_a_silent_peer)
{
    struct server_options options = {.extras = {.ping_interval_ms = 500, .ping_timeout_ms = 1500}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");
    struct ws_frame frame;
    int64_t begin;

    /* As long as it answers, with whatever it likes, it lives. */
    for (int i = 0; i < 4; i++) {
        ws_receive_frame(client, &frame);
        ck_assert_uint_eq(frame.first, WS_FIN | WS_PING);
        if (i == 0)
            ws_send_frame(client, WS_FIN | WS_TEXT, "a", 1);
        else
            ws_send_frame(client, WS_FIN | WS_PONG, frame.payload, frame.length);
        ws_frame_free(&frame);
        if (i == 0)
            ws_expect_text(client, "a");
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED), 0);
    begin = ws_now_ms();
    ws_receive_frame(client, &frame);
    ck_assert_uint_eq(frame.first, WS_FIN | WS_PING);
    ws_frame_free(&frame);
    if (!harness_refuses_io())
        ws_expect_close(client, 1011);
    else
        free(ws_receive_all(client, NULL));
    ck_assert_int_ge(ws_now_ms() - begin, 1900);
    ck_assert_int_le(ws_now_ms() - begin, 9000);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void write_a_line(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_last_wsi(server);

    (void)argument;
    if (wsi != NULL)
        (void)send_text(wsi, "news");
}

/* What is sent to a peer does not show that it is there. */
START_TEST(gives_up_a_silent_peer_that_is_written_to)
{
    struct server_options options = {.extras = {.ping_interval_ms = 500, .ping_timeout_ms = 500}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "discard");
    int64_t begin = ws_now_ms();

    while (server_count(server, LWS_CALLBACK_CLOSED) == 0) {
        ck_assert_int_le(ws_now_ms() - begin, 10000);
        server_run(server, write_a_line, NULL);
        usleep(50000);
    }
    ck_assert_int_ge(ws_now_ms() - begin, 900);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(pings_no_peer_that_talks)
{
    struct server_options options = {.extras = {.ping_interval_ms = 2000}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");

    for (int i = 0; i < 12; i++) {
        ws_send_frame(client, WS_FIN | WS_TEXT, "here", 4);
        ws_expect_text(client, "here");
        ws_expect_silence(client, 250);
    }
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const char *const unfinished[] = {
    "", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: web"};

START_TEST(gives_up_an_unfinished_handshake)
{
    struct server_options options = {
        .extras = {.request_timeout_ms = 200, .http_idle_timeout_ms = 300}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    int64_t begin = ws_now_ms();
    char *all;

    ws_send_text(client, unfinished[_i]);
    all = ws_receive_all(client, NULL);
    ck_assert_int_ge(ws_now_ms() - begin, 150);
    ck_assert_int_le(ws_now_ms() - begin, 5000);
    if (*unfinished[_i] != '\0')
        ck_assert_int_eq(strncmp(all, "HTTP/1.1 408 ", 13), 0);
    free(all);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Bytes that trickle in do not move the deadline. */
START_TEST(gives_up_a_slow_handshake)
{
    struct server_options options = {.extras = {.request_timeout_ms = 300}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/", "echo", NULL);
    int64_t begin = ws_now_ms();
    struct ws_response response;
    size_t at = 0;

    while (at < strlen(text) - 1 && ws_now_ms() - begin < 600) {
        if (!ws_try_send(client, text + at++, 1))
            break;
        usleep(10000);
    }
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 408);
    ws_response_free(&response);
    free(text);
    ws_free(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), 0);
    server_stop(server);
}
END_TEST

/* What is ready in the same round is served before deadlines are judged. */
static void sleep_past_the_deadline(struct server *server, void *argument)
{
    struct ws_client *client = argument;

    (void)server;
    ws_send_frame(client, WS_FIN | WS_TEXT, "in time", 7);
    usleep(1500000);
}

START_TEST(does_not_kill_a_healthy_peer)
{
    struct server_options options = {.extras = {.ping_interval_ms = 500, .ping_timeout_ms = 1000}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");
    struct ws_frame frame;

    for (int i = 0; i < 3; i++) {
        do {
            ws_receive_frame(client, &frame);
            ck_assert_uint_ne(frame.first, WS_FIN | WS_CLOSE);
            ws_frame_free(&frame);
        } while (frame.first != (WS_FIN | WS_PING));
        /* The ping waits for an answer, which comes while the process is stopped. */
        server_run(server, sleep_past_the_deadline, client);
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED), 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *service_suite(void)
{
    Suite *suite = suite_create("service");
    TCase *threads = harness_case("threads");
    TCase *deadline_case = harness_case("deadlines");

    tcase_add_test(threads, calls_in_order_from_any_thread);
    tcase_add_test(threads, calls_at_the_latest_on_destroy);
    tcase_add_loop_test(threads, asks_for_all_of_a_protocol, 0, 2);
    suite_add_tcase(suite, threads);

    tcase_add_loop_test(deadline_case, closes_when_the_deadline_passes, 0, 3);
    tcase_add_loop_test(deadline_case, forgets_a_deadline, 0, 2);
    tcase_add_test(deadline_case, pings_a_silent_peer);
    /* A peer that takes what has been held up is there. */
    if (!harness_cut())
        tcase_add_test(deadline_case, gives_up_a_silent_peer_that_is_written_to);
    tcase_add_test(deadline_case, pings_no_peer_that_talks);
    tcase_add_loop_test(deadline_case, gives_up_an_unfinished_handshake, 0, 3);
    tcase_add_test(deadline_case, gives_up_a_slow_handshake);
    /* What the system refuses to give is not there in time. */
    if (!harness_refuses_io())
        tcase_add_test(deadline_case, does_not_kill_a_healthy_peer);
    suite_add_tcase(suite, deadline_case);
    return suite;
}
