/*
 * Peers that take what they are sent little by little, while the system has a large buffer for
 * them: it reports room long after the first of their deadlines. They are slow, not stalled.
 */
#include "http_site.h"
#include "suites.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SEND_BUFFER = 200000, /* which Linux doubles: it reports room when 133 KB of it are free */
    RECEIVE_BUFFER = 4096,
    SIP = 2048, /* ten times a second, */
    PATIENCE_MS = 3000,
    SIPPING_MS = 6500
};

/* Takes a little now and then; returns how many bytes that was. */
static size_t sip(struct ws_client *client)
{
    static unsigned char bytes[SIP];
    int64_t end = ws_now_ms() + SIPPING_MS;
    size_t total = 0;

    while (ws_now_ms() < end) {
        ws_receive(client, bytes, SIP);
        total += SIP;
        usleep(100000);
    }
    return total;
}

static void drink(struct ws_client *client, size_t length)
{
    static unsigned char bytes[65536];

    while (length > 0) {
        size_t now = length < sizeof bytes ? length : sizeof bytes;

        ws_receive(client, bytes, now);
        length -= now;
    }
}

START_TEST(takes_a_file)
{
    struct server_options options = {
        .send_buffer = SEND_BUFFER, .extras = {.http_stall_timeout_ms = PATIENCE_MS}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), RECEIVE_BUFFER);
    size_t size = 2000000;
    struct ws_response response;

    site_write("large.bin", NULL, size);
    site_get(client, "/large.bin", NULL);
    response = ws_receive_head(client);
    ws_response_free(&response);
    size -= sip(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
    drink(client, size);
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* What a program is to send, and whether it closes behind that. */
struct sending {
    size_t size;
    bool closes;
};

static int send_it(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const struct sending *sending = server_user(server_here());
    unsigned char *bytes;

    (void)context, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_RECEIVE && reason != LWS_CALLBACK_HTTP)
        return 0;
    bytes = calloc(1, sending->size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(send_bytes(wsi, bytes, sending->size,
                         reason == LWS_CALLBACK_HTTP ? LWS_WRITE_HTTP : LWS_WRITE_BINARY),
        (int)sending->size);
    free(bytes);
    return sending->closes ? -1 : 0;
}

static struct libwebsocket_protocols sending_protocols[] = {
    {.name = "sending", .callback = send_it}, {.name = NULL}};

/* Part of it waits for the system, or all of it has been handed over. */
static const size_t sizes[] = {700000, 200000};
enum { FRAME_HEADER = 10 };

static struct server *start_sending(struct sending *sending, struct lws_context_extras extras)
{
    struct server_options options = {.send_buffer = SEND_BUFFER,
        .protocols = sending_protocols,
        .user = sending,
        .extras = extras};

    return server_start(&options);
}

START_TEST(takes_an_answer)
{
    struct sending sending = {.size = sizes[_i], .closes = true};
    struct server *server =
        start_sending(&sending, (struct lws_context_extras){.http_stall_timeout_ms = PATIENCE_MS,
                                    .close_timeout_ms = PATIENCE_MS});
    struct ws_client *client = ws_connect_small(server_port(server), RECEIVE_BUFFER);

    site_get(client, "/", NULL);
    sending.size -= sip(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
    drink(client, sending.size);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    server_stop(server);
}
END_TEST

START_TEST(takes_what_is_before_a_close_frame)
{
    struct sending sending = {.size = sizes[_i], .closes = true};
    struct server *server =
        start_sending(&sending, (struct lws_context_extras){.close_timeout_ms = PATIENCE_MS});
    struct ws_client *client = ws_open_small(server_port(server), RECEIVE_BUFFER, "sending");
    size_t taken;

    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    taken = sip(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED), 0);
    drink(client, FRAME_HEADER + sending.size - taken);
    ws_expect_close_and_answer(client, 1000);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}
END_TEST

START_TEST(takes_what_is_before_a_ping)
{
    struct sending sending = {.size = sizes[0]};
    struct server *server = start_sending(&sending,
        (struct lws_context_extras){.ping_interval_ms = 300, .ping_timeout_ms = PATIENCE_MS});
    struct ws_client *client = ws_open_small(server_port(server), RECEIVE_BUFFER, "sending");
    struct ws_frame frame;
    size_t taken;

    ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    taken = sip(client);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED), 0);
    drink(client, FRAME_HEADER + sending.size - taken);
    ws_receive_frame(client, &frame);
    ck_assert_uint_eq(frame.first, WS_FIN | WS_PING);
    ws_frame_free(&frame);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    server_stop(server);
}
END_TEST

/* With the same buffers, and the first bytes taken. */
START_TEST(takes_no_more)
{
    struct sending sending = {.size = sizes[_i % 2], .closes = true};
    struct server *server = start_sending(&sending,
        (struct lws_context_extras){.http_stall_timeout_ms = 400, .close_timeout_ms = 400});
    struct ws_client *client;

    if (_i < 2) {
        client = ws_connect_small(server_port(server), RECEIVE_BUFFER);
        site_get(client, "/", NULL);
    } else {
        client = ws_open_small(server_port(server), RECEIVE_BUFFER, "sending");
        ws_send_frame(client, WS_FIN | WS_TEXT, "go", 2);
    }
    drink(client, SIP);
    server_wait(server, _i < 2 ? LWS_CALLBACK_CLOSED_HTTP : LWS_CALLBACK_CLOSED, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

enum { REFUSED = 300 };

/*
 * Requests that the engine refuses at once: the answers are gathered, and are more than the system
 * takes. Returns when a part of them has come.
 */
static void ask_for_refusals(struct server *server, struct ws_client *client, const char *behind)
{
    char *requests = NULL;
    size_t length;
    FILE *stream = open_memstream(&requests, &length);

    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < REFUSED; i++)
        fprintf(stream, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fprintf(stream, "%s", behind);
    ck_assert_int_eq(fclose(stream), 0);
    /* With TLS, so that its handshake is over. */
    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    /* They are to be read together. */
    server_hold(server);
    ws_send(client, requests, length);
    server_go_on(server);
    ck_assert(ws_wait_for(client, POLLIN, ws_now_ms() + WS_PATIENCE_MS));
    free(requests);
}

/* The time between requests does not begin before the answers have been taken. */
START_TEST(takes_its_time_for_answers)
{
    struct server_options options = {.send_buffer = 4096,
        .extras = {.http_idle_timeout_ms = 300, .http_stall_timeout_ms = 20000}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), RECEIVE_BUFFER);

    ask_for_refusals(server, client, "");
    usleep(1200000);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
    for (int i = 0; i < REFUSED; i++)
        site_expect(client, 405, NULL);
    ws_expect_eof(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int answer_itself(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst of all";

    if (reason != LWS_CALLBACK_HTTP || strcmp(in, "/answer") != 0)
        return site_callback(context, wsi, reason, user, in, len);
    ck_assert_int_eq(send_bytes(wsi, answer, strlen(answer), LWS_WRITE_HTTP), (int)strlen(answer));
    return 0;
}

/* Until TCP takes no more, which it may do a little of after a while. */
static void wait_until_all_is_full(struct server *server)
{
    unsigned long calls;

    do {
        calls = server_service_calls();
        usleep(500000);
    } while (server_service_calls() != calls);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
}

/* The program's own answer, of which nothing was sent yet: there was no room from the beginning. */
START_TEST(takes_nothing_of_an_answer)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = answer_itself}};
    struct server_options options = {
        .protocols = protocols, .send_buffer = 4096, .extras = {.http_stall_timeout_ms = 500}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), RECEIVE_BUFFER);

    ask_for_refusals(
        server, client, "GET /answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n");
    wait_until_all_is_full(server);
    ws_send(client, "x", 1);
    server_wait(server, LWS_CALLBACK_HTTP, 2);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Fills the connection's socket behind the engine's back, to the last byte, as what went before may
 * by chance. */
static void fill(struct libwebsocket *wsi)
{
    static const char bytes[1024];
    int fd = libwebsocket_get_socket_fd(wsi);
    bool more = true;

    while (more) {
        more = false;
        while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            more = true;
        while (send(fd, bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            more = true;
        usleep(300000);
    }
}

static struct libwebsocket *asking;

static void answer_into_nothing(struct server *server, void *argument)
{
    (void)server, (void)argument;
    /* Perhaps TCP took a little in the last moment. */
    do {
        fill(asking);
        ck_assert_int_eq(send_bytes(asking, "HTTP/1.1 200 OK\r\n\r\n", 19, LWS_WRITE_HTTP), 19);
    } while (!lws_send_pipe_choked(asking));
}

static int answer_now_or_later(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    asking = wsi;
    if (strcmp(in, "/now") == 0)
        answer_into_nothing(NULL, NULL);
    return 0;
}

START_TEST(has_no_room_for_an_answer)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = answer_now_or_later}};
    struct server_options options = {
        .protocols = protocols, .send_buffer = 4096, .extras = {.http_stall_timeout_ms = 500}};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), RECEIVE_BUFFER);

    site_get(client, _i == 0 ? "/now" : "/later", NULL);
    server_wait(server, LWS_CALLBACK_HTTP, 1);
    if (_i == 1)
        server_run(server, answer_into_nothing, NULL);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *slow_peers_suite(void)
{
    Suite *suite = suite_create("slow peers");
    TCase *slow = tcase_create("slow");
    TCase *stalled = harness_case("stalled");

    /* A byte at a time no buffer gets full, and requests do not come together. */
    if (harness_cut())
        return suite;
    tcase_add_unchecked_fixture(slow, site_set_up, site_tear_down);
    tcase_set_timeout(slow, 120);
    tcase_add_test(slow, takes_a_file);
    tcase_add_loop_test(slow, takes_an_answer, 0, 2);
    tcase_add_test(slow, takes_its_time_for_answers);
    /* Compressed it would be a few bytes. */
    if (!harness_deflate()) {
        tcase_add_loop_test(slow, takes_what_is_before_a_close_frame, 0, 2);
        tcase_add_test(slow, takes_what_is_before_a_ping);
    }
    suite_add_tcase(suite, slow);

    tcase_add_unchecked_fixture(stalled, site_set_up, site_tear_down);
    tcase_add_loop_test(stalled, takes_no_more, 0, harness_deflate() ? 2 : 4);
    tcase_add_test(stalled, takes_nothing_of_an_answer);
    tcase_add_loop_test(stalled, has_no_room_for_an_answer, 0, 2);
    suite_add_tcase(suite, stalled);
    return suite;
}
