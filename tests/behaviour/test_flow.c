/* Flow control: nothing is received while it is off, nothing is lost, nobody spins. */
#include "harness.h"
#include "suites.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/contract.h"

/* Stops receiving inside each RECEIVE. The contract checker sees that none comes until it is on. */
static int stopping_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RECEIVE)
        ck_assert_int_eq(libwebsocket_rx_flow_control(wsi, 0), 0);
    return 0;
}

static struct libwebsocket_protocols stopping_protocols[] = {
    {.name = "stopping", .callback = stopping_callback, .rx_buffer_size = 100},
    {.name = NULL},
};

static void receive_again(struct server *server, void *argument)
{
    size_t before = server_count(server, LWS_CALLBACK_RECEIVE);

    (void)argument;
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(server), 1), 0);
    /* It does not call back. */
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), before);
}

START_TEST(delivers_what_was_held_back)
{
    struct server_options options = {.protocols = stopping_protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);
    unsigned char out[20 * (WS_HEADER_MOST + 2)];
    size_t length = 0;
    char text[16];

    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%02d", i);
        length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, text, 2);
    }
    ws_send(client, out, length);
    for (size_t i = 0; i < 20; i++) {
        const struct server_record *record = server_record(server, LWS_CALLBACK_RECEIVE, i);

        snprintf(text, sizeof text, "%02zu", i);
        ck_assert_str_eq((const char *)record->bytes, text);
        /* All the rest is there already, and stays. */
        ws_expect_silence(client, 2);
        ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), i + 1);
        server_run(server, receive_again, NULL);
    }
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(holds_back_pieces_of_a_frame)
{
    struct server_options options = {.protocols = stopping_protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), NULL);
    unsigned char *pattern = harness_pattern(1050, 3);

    ws_send_frame(client, WS_FIN | WS_TEXT, pattern, 1050);
    for (size_t i = 0; i < 11; i++) {
        const struct server_record *record = server_record(server, LWS_CALLBACK_RECEIVE, i);

        ck_assert_uint_eq(record->len, i < 10 ? 100 : 50);
        ck_assert_mem_eq(record->bytes, pattern + i * 100, record->len);
        harness_expect_remaining(record->remaining, i < 10 ? 950 - i * 100 : 0);
        ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), i + 1);
        server_run(server, receive_again, NULL);
    }
    free(pattern);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void stop_receiving(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(server), 0), 0);
    ck_assert_int_eq(libwebsocket_rx_flow_control(server_last_wsi(server), 0), 0);
}

/* Less then fits between the two ends, which matters where it is to be read a byte at a time. */
static void narrow(int fd)
{
    int size = 4096;

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void narrow_last(struct server *server, void *argument)
{
    (void)argument;
    narrow(libwebsocket_get_socket_fd(server_last_wsi(server)));
}

START_TEST(pushes_back_on_the_peer)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");
    static unsigned char zeros[65536];
    unsigned char *out = malloc(sizeof zeros + WS_HEADER_MOST);
    size_t size = harness_scale(sizeof zeros, 4096);
    static const unsigned char mask[4] = {1, 2, 3, 4};
    /* Not compressed, or it would be next to nothing. */
    size_t length = ws_build_frame(out, WS_FIN | WS_BINARY, mask, 0, size, zeros, size);
    ssize_t count;
    size_t at = 0;
    size_t frames = 0;

    ck_assert_ptr_nonnull(out);
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    if (harness_cut()) {
        narrow(client->fd);
        server_run(server, narrow_last, NULL);
    }
    server_run(server, stop_receiving, NULL);
    /* Until TCP takes no more. */
    while ((count = ws_send_some(client, out + at, length - at, 300)) != 0) {
        ck_assert_int_gt(count, 0);
        at += (size_t)count;
        frames += at == length;
        at %= length;
        ck_assert_uint_lt(frames, 2000);
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 0);
    server_run(server, receive_again, NULL);
    ws_send(client, out + at, length - at);
    frames++;
    server_wait(server, LWS_CALLBACK_RECEIVE, frames * (size / 4096));
    free(out);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void allow_all(struct server *server, void *argument)
{
    (void)server;
    (void)argument;
    libwebsocket_rx_flow_allow_all_protocol(NULL);
    libwebsocket_rx_flow_allow_all_protocol(&stopping_protocols[0]);
}

START_TEST(allows_all_of_a_protocol)
{
    enum { CLIENTS = 10 };
    struct server_options options = {.protocols = stopping_protocols};
    struct server *server = server_start(&options);
    struct ws_client *clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        unsigned char out[64];
        size_t length;

        clients[i] = ws_open(server_port(server), NULL);
        length = ws_put_frame(clients[i], out, WS_FIN | WS_TEXT, "one", 3);
        length += ws_put_frame(clients[i], out + length, WS_FIN | WS_TEXT, "two", 3);
        ws_send(clients[i], out, length);
    }
    server_wait(server, LWS_CALLBACK_RECEIVE, CLIENTS);
    server_run(server, allow_all, NULL);
    server_wait(server, LWS_CALLBACK_RECEIVE, 2 * (size_t)CLIENTS);
    server_run(server, allow_all, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        ws_finish(clients[i]);
        ws_free(clients[i]);
    }
    server_stop(server);
}
END_TEST

/* A stopped connection still sends. */
static void write_while_stopped(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(send_text(server_last_wsi(server), "hello"), 5);
    ck_assert_int_eq(
        libwebsocket_callback_on_writable(server_context(server), server_last_wsi(server)), 1);
}

START_TEST(sends_while_stopped)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, stop_receiving, NULL);
    server_run(server, write_while_stopped, NULL);
    ws_expect_text(client, "hello");
    server_wait(server, LWS_CALLBACK_SERVER_WRITEABLE, 1);
    server_run(server, receive_again, NULL);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Service calls and naps of the loop's thread in a while in which nothing should happen. */
static void expect_quiet(struct server *server, unsigned int milliseconds)
{
    unsigned long calls = server_service_calls();
    unsigned long sleeps = server_sleeps(server);

    usleep(milliseconds * 1000);
    ck_assert_uint_le(server_service_calls() - calls, 5);
    ck_assert_uint_le(server_sleeps(server) - sleeps, 10);
}

static bool has_one_live(struct server *server, void *argument)
{
    int fd = *(const int *)argument;

    (void)server;
    return !contract_is_announced(fd) || contract_events(fd) == 0;
}

static void find_fd(struct server *server, void *argument)
{
    *(int *)argument = libwebsocket_get_socket_fd(server_last_wsi(server));
}

/* How the peer goes: by FIN with and without data before it, or by reset. */
START_TEST(does_not_spin_when_the_peer_is_gone)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");
    int fd = -1;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, find_fd, &fd);
    server_run(server, stop_receiving, NULL);
    server_wait_until(server, has_one_live, &fd);
    if (_i == 1)
        ws_send_frame(client, WS_FIN | WS_TEXT, "last", 4);
    if (_i == 2)
        ws_reset(client);
    else
        ws_free(client);
    expect_quiet(server, 300);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 0);

    /* What the peer sent before it went is still delivered, unless it was a reset; then CLOSED. */
    if (server_count(server, LWS_CALLBACK_CLOSED) == 0)
        server_run(server, receive_again, NULL);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), _i == 1);
    server_stop(server);
}
END_TEST

/* The same, and the program destroys the context, or closes, while the descriptor is taken out. */
START_TEST(ends_while_taken_out)
{
    struct server_options options = {.extras = {.close_timeout_ms = 100}};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "discard");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, stop_receiving, NULL);
    ws_reset(client);
    expect_quiet(server, 50);
    server_stop(server);
}
END_TEST

static void close_stopped(struct server *server, void *argument)
{
    (void)argument;
    ck_assert_int_eq(lws_close(server_last_wsi(server), 1000, NULL, 0), 0);
}

START_TEST(closes_while_stopped)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, stop_receiving, NULL);
    ws_send_frame(client, WS_FIN | WS_TEXT, "never", 5);
    server_run(server, close_stopped, NULL);
    ws_expect_close_and_answer(client, 1000);
    ck_assert_int_eq(server_record(server, LWS_CALLBACK_CLOSED, 0)->close_code, 1000);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* Bits that were not asked for never cause a read. */
static void serve_unasked(struct server *server, void *argument)
{
    struct pollfd pollfd = {
        .fd = libwebsocket_get_socket_fd(server_last_wsi(server)), .events = POLLIN};

    (void)argument;
    for (int i = 0; i < 3; i++) {
        pollfd.revents = POLLIN | POLLOUT;
        ck_assert_int_eq(libwebsocket_service_fd(server_context(server), &pollfd), 0);
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), 0);
}

START_TEST(does_not_read_what_is_not_wanted)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "discard");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    server_run(server, stop_receiving, NULL);
    ws_send_frame(client, WS_FIN | WS_TEXT, "later", 5);
    server_run(server, serve_unasked, NULL);
    server_run(server, receive_again, NULL);
    server_wait(server, LWS_CALLBACK_RECEIVE, 1);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

Suite *flow_suite(void)
{
    Suite *suite = suite_create("flow control");
    TCase *held = harness_case("held back");
    TCase *gone = harness_case("peer gone");

    tcase_add_test(held, delivers_what_was_held_back);
    tcase_add_test(held, holds_back_pieces_of_a_frame);
    tcase_add_test(held, pushes_back_on_the_peer);
    tcase_add_test(held, allows_all_of_a_protocol);
    tcase_add_test(held, sends_while_stopped);
    tcase_add_test(held, closes_while_stopped);
    tcase_add_test(held, does_not_read_what_is_not_wanted);
    suite_add_tcase(suite, held);

    tcase_add_loop_test(gone, does_not_spin_when_the_peer_is_gone, 0, 3);
    tcase_add_test(gone, ends_while_taken_out);
    suite_add_tcase(suite, gone);
    return suite;
}
