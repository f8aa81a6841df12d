/* Answers that the program writes itself, its session memory, and HTTP connections that upgrade. */
#include "http_site.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int write_http(struct libwebsocket *wsi, const char *text)
{
    size_t length = strlen(text);
    unsigned char *copy = malloc(length + 1);
    int result;

    /* Exactly its size: no padding is needed around it. */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, length);
    result = libwebsocket_write(wsi, copy, length, LWS_WRITE_HTTP);
    free(copy);
    return result;
}

static void close_first(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_record(server, LWS_CALLBACK_HTTP, 0)->wsi;

    (void)argument;
    ck_assert_int_eq(lws_close(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0), 0);
}

#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"

static int respond(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    ck_assert_int_eq(write_http(wsi, RESPONSE), (int)strlen(RESPONSE));
    ck_assert_int_eq(write_http(wsi, "body"), 4);
    return 0;
}

/* The response has no end that the library knows of, so nothing behind the request is read. */
START_TEST(no_request_is_read_behind_own_answer)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = respond}};
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char received[sizeof(RESPONSE "body") - 1];

    site_get(client, "/1", NULL);
    site_get(client, "/2", NULL);
    ws_receive(client, received, sizeof(received));
    ck_assert_mem_eq(received, RESPONSE "body", sizeof(received));
    site_get(client, "/3", NULL);
    ws_expect_silence(client, 100);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_run(server, close_first, NULL);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_stop(server);
}
END_TEST

#define LONG_BODY 500000u

static int respond_and_close(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char *body;

    (void)context, (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_HTTP)
        return 0;
    body = malloc(LONG_BODY);
    ck_assert_ptr_nonnull(body);
    memset(body, 'x', LONG_BODY);
    ck_assert_int_gt(write_http(wsi, RESPONSE), 0);
    ck_assert_int_eq(libwebsocket_write(wsi, body, LONG_BODY, LWS_WRITE_HTTP), (int)LONG_BODY);
    free(body);
    return 1;
}

START_TEST(all_is_sent_before_the_close)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = respond_and_close}};
    struct server_options options = {.protocols = protocols, .send_buffer = 16384};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    size_t length;
    char *all;

    site_get(client, "/", NULL);
    site_get(client, "/", NULL);
    all = ws_receive_all(client, &length);
    ck_assert_uint_eq(length, strlen(RESPONSE) + LONG_BODY);
    ck_assert_mem_eq(all, RESPONSE, strlen(RESPONSE));
    ck_assert_uint_eq(strspn(all + strlen(RESPONSE), "x"), LONG_BODY);
    free(all);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_stop(server);
}
END_TEST

/* Writes a piece at each HTTP_WRITEABLE, and closes by a negative return. */
struct stream {
    size_t pieces;
};
#define PIECES 40u
#define PIECE 32768u

static int stream_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct stream *stream = user;
    unsigned char *piece;

    (void)in, (void)len;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        ck_assert_int_gt(write_http(wsi, RESPONSE), 0);
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (stream->pieces == PIECES)
            return -1;
        piece = malloc(PIECE);
        ck_assert_ptr_nonnull(piece);
        memset(piece, 'a' + (int)(stream->pieces % 26), PIECE);
        ck_assert_int_eq(libwebsocket_write(wsi, piece, PIECE, LWS_WRITE_HTTP), (int)PIECE);
        free(piece);
        stream->pieces++;
        libwebsocket_callback_on_writable(context, wsi);
        return 1; /* only a negative return closes */
    default:
        return 0;
    }
}

START_TEST(written_by_writeable)
{
    struct libwebsocket_protocols protocols[2] = {
        {.callback = stream_callback, .per_session_data_size = sizeof(struct stream)}};
    struct server_options options = {.protocols = protocols, .send_buffer = 16384};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    size_t length;
    char *all;
    const char *at;

    site_get(client, "/", NULL);
    all = ws_receive_all(client, &length);
    ck_assert_uint_eq(length, strlen(RESPONSE) + (size_t)PIECES * PIECE);
    at = all + strlen(RESPONSE);
    for (size_t i = 0; i < PIECES; i++, at += PIECE) {
        ck_assert_int_eq(at[0], 'a' + (int)(i % 26));
        ck_assert_int_eq(at[PIECE - 1], 'a' + (int)(i % 26));
    }
    free(all);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP_WRITEABLE), PIECES + 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_SERVER_WRITEABLE), 0);
    server_stop(server);
}
END_TEST

static int silent_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context, (void)wsi, (void)reason, (void)user, (void)in, (void)len;
    return 0;
}

static void answer_first(struct server *server, void *argument)
{
    struct libwebsocket *wsi = server_record(server, LWS_CALLBACK_HTTP, 0)->wsi;
    unsigned char frame[LWS_SEND_BUFFER_PRE_PADDING + 8 + LWS_SEND_BUFFER_POST_PADDING] = {0};

    (void)argument;
    errno = 0;
    ck_assert_int_eq(
        libwebsocket_write(wsi, frame + LWS_SEND_BUFFER_PRE_PADDING, 2, LWS_WRITE_TEXT), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_gt(write_http(wsi, RESPONSE "later"), 0);
    ck_assert_int_eq(lws_close(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0), 0);
}

START_TEST(answered_later)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = silent_callback}};
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char *all;

    site_get(client, "/", NULL);
    server_wait(server, LWS_CALLBACK_HTTP, 1);
    site_get(client, "/", NULL);
    ws_expect_silence(client, 50);
    server_run(server, answer_first, NULL);
    all = ws_receive_all(client, NULL);
    ck_assert_str_eq(all, RESPONSE "later");
    free(all);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_stop(server);
}
END_TEST

/* HTTP returns at once with nothing, and the connection is hung up without an answer. */
static int refuse(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context, (void)wsi, (void)user, (void)in, (void)len;
    return reason == LWS_CALLBACK_HTTP ? 1 : 0;
}

START_TEST(nonzero_return_closes)
{
    struct libwebsocket_protocols protocols[2] = {{.callback = refuse}};
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    site_get(client, "/", NULL);
    site_get(client, "/", NULL);
    ws_expect_eof(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 1);
    server_stop(server);
}
END_TEST

/* Session memory: zeroed, kept from request to request, freed after CLOSED_HTTP, new on upgrade. */
struct session {
    unsigned char untouched[100];
    unsigned int requests;
    bool websocket;
};

struct session_log {
    unsigned int requests[8]; /* as each HTTP callback found it */
    unsigned int count;
    unsigned int at_closed_http;
    unsigned int closed_http;
    bool zero_at_established;
    bool websocket_at_closed;
    void *http_session;
};

static bool is_zero(const struct session *session)
{
    static const struct session zero;

    return memcmp(session->untouched, zero.untouched, sizeof(zero.untouched)) == 0 &&
           session->requests == 0 && !session->websocket;
}

static int session_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct session_log *log = server_user(server_here());
    struct session *session = user;

    (void)in, (void)len;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        ck_assert_uint_lt(log->count, 8);
        if (session->requests == 0)
            ck_assert(is_zero(session));
        log->requests[log->count++] = session->requests++;
        log->http_session = session;
        memset(session->untouched, 0xff, sizeof(session->untouched));
        return libwebsockets_serve_http_file(context, wsi, site_path("hello.txt"), NULL);
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        ck_assert_ptr_eq(session, log->http_session);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        log->closed_http++;
        log->at_closed_http = session->requests;
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        log->zero_at_established = is_zero(session);
        session->websocket = true;
        return 0;
    case LWS_CALLBACK_CLOSED:
        log->websocket_at_closed = session->websocket;
        return 0;
    default:
        return 0;
    }
}

START_TEST(session_memory)
{
    struct session_log log = {.count = 0};
    struct libwebsocket_protocols protocols[2] = {
        {.callback = session_callback, .per_session_data_size = sizeof(struct session)}};
    struct server_options options = {.protocols = protocols, .user = &log};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    for (int i = 0; i < 3; i++) {
        site_get(client, "/", NULL);
        site_expect(client, 200, SITE_HELLO);
    }
    ws_handshake(client, NULL);
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 1);
    ws_finish(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 1);
    server_stop(server);

    ck_assert_uint_eq(log.count, 3);
    for (unsigned int i = 0; i < 3; i++)
        ck_assert_uint_eq(log.requests[i], i);
    ck_assert_uint_eq(log.closed_http, 1);
    ck_assert_uint_eq(log.at_closed_http, 3);
    ck_assert(log.zero_at_established);
    ck_assert(log.websocket_at_closed);
}
END_TEST

/* Kept alive with files, then a WebSocket on the same connection: the order of the callbacks. */
START_TEST(keep_alive_then_upgrade)
{
    static const enum libwebsocket_callback_reasons expected[] = {LWS_CALLBACK_HTTP,
        LWS_CALLBACK_HTTP_FILE_COMPLETION, LWS_CALLBACK_HTTP, LWS_CALLBACK_HTTP_FILE_COMPLETION,
        LWS_CALLBACK_CLOSED_HTTP, LWS_CALLBACK_ESTABLISHED, LWS_CALLBACK_RECEIVE,
        LWS_CALLBACK_CLOSED};
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    size_t order = 0;

    for (int i = 0; i < 2; i++) {
        site_get(client, "/hello.txt", NULL);
        site_expect(client, 200, SITE_HELLO);
    }
    ws_handshake(client, "echo");
    ws_send_frame(client, WS_FIN | WS_TEXT, "hi", 2);
    ws_expect_text(client, "hi");
    ws_finish(client);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    for (size_t i = 0; server_nth(server, i); i++) {
        enum libwebsocket_callback_reasons reason = server_nth(server, i)->reason;

        if (reason == LWS_CALLBACK_PROTOCOL_INIT ||
            reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS ||
            reason == LWS_CALLBACK_FILTER_NETWORK_CONNECTION ||
            reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION ||
            reason == LWS_CALLBACK_CONFIRM_EXTENSION_OKAY)
            continue;
        ck_assert_uint_lt(order, sizeof(expected) / sizeof(expected[0]));
        ck_assert_int_eq(reason, expected[order]);
        order++;
    }
    ck_assert_uint_eq(order, sizeof(expected) / sizeof(expected[0]));
    server_stop(server);
}
END_TEST

/* A handshake, pipelined behind a request for a file that takes its time. */
START_TEST(upgrade_pipelined_behind_a_file)
{
    struct server_options options = {.send_buffer = 16384};
    struct server *server = site_start(&options);
    struct ws_client *client = ws_connect_small(server_port(server), 8192);
    size_t size = harness_scale((size_t)2 << 20, 100000);
    char *handshake = ws_handshake_text("/", "echo", NULL);
    struct ws_response response;

    site_write("large.bin", NULL, size);
    site_get(client, "/large.bin", NULL);
    ws_send_text(client, handshake);
    ws_send_frame(client, WS_FIN | WS_TEXT, "early", 5);
    {
        struct answer answer = site_receive(client);

        ck_assert_uint_eq(answer.length, size);
        answer_free(&answer);
    }
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    ws_response_free(&response);
    ws_expect_text(client, "early");
    ws_finish(client);
    ws_free(client);
    free(handshake);
    server_stop(server);
}
END_TEST

/* Connections without an HTTP callback have no CLOSED_HTTP. */
START_TEST(no_http_callback_no_closed_http)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_finish(client);
    ws_free(client);
    client = ws_connect(server_port(server));
    ws_send_text(client, "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    site_expect(client, 405, NULL);
    ws_expect_eof(client);
    ws_free(client);
    client = ws_connect(server_port(server));
    ws_send_text(client, "rubbish\r\n\r\n");
    site_expect(client, 400, NULL);
    ws_expect_eof(client);
    ws_free(client);
    client = ws_connect(server_port(server));
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 0);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_HTTP), 0);
    server_stop(server);
}
END_TEST

/* A refused handshake leaves an HTTP connection as it was. */
START_TEST(refused_handshake_then_requests)
{
    struct server *server = site_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    char *handshake = ws_handshake_text("/", "no-such-protocol", NULL);
    struct answer answer;

    site_get(client, "/hello.txt", NULL);
    site_expect(client, 200, SITE_HELLO);
    ws_send_text(client, handshake);
    answer = site_receive(client);
    ck_assert_int_eq(answer.response.status, 400);
    if (answer_says_close(&answer)) {
        ws_expect_eof(client);
    } else {
        site_get(client, "/hello.txt", NULL);
        site_expect(client, 200, SITE_HELLO);
    }
    answer_free(&answer);
    ws_free(client);
    server_wait(server, LWS_CALLBACK_CLOSED_HTTP, 1);
    free(handshake);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLOSED_HTTP), 1);
    server_stop(server);
}
END_TEST

Suite *http_answers_suite(void)
{
    Suite *suite = suite_create("HTTP answers");
    TCase *tcase = tcase_create("answers");

    tcase_add_unchecked_fixture(tcase, site_set_up, site_tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, no_request_is_read_behind_own_answer);
    tcase_add_test(tcase, all_is_sent_before_the_close);
    tcase_add_test(tcase, written_by_writeable);
    tcase_add_test(tcase, answered_later);
    tcase_add_test(tcase, nonzero_return_closes);
    tcase_add_test(tcase, session_memory);
    tcase_add_test(tcase, keep_alive_then_upgrade);
    tcase_add_test(tcase, upgrade_pipelined_behind_a_file);
    tcase_add_test(tcase, no_http_callback_no_closed_http);
    tcase_add_test(tcase, refused_handshake_then_requests);
    suite_add_tcase(suite, tcase);
    return suite;
}
