/* Servers that do not answer as they must: each ends in one CLIENT_CONNECTION_ERROR that says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client_ground.h"
#include "suites.h"

/* What a row has not got is as it should be; "" leaves a line out. In lines, $ is the right value
 * of Sec-WebSocket-Accept. */
struct wrong_answer {
    const char *name; /* the section of RFC 6455, unless it is another, and what is wrong */
    const char *status;
    const char *upgrade;
    const char *connection;
    const char *accept;
    const char *extra;
    const char *reason;
    const char *offer; /* the subprotocols that were asked for */
    const char *raw;   /* in place of all of it */
};

static const struct wrong_answer wrong_answers[] = {
    {"4.1 status 200", .status = "HTTP/1.1 200 OK", .reason = "server answered 200"},
    {"4.1 status 204", .status = "HTTP/1.1 204 No Content", .reason = "server answered 204"},
    {"4.1 redirect", .status = "HTTP/1.1 301 Moved Permanently",
        .extra = "Location: ws://localhost/\r\n", .reason = "server answered 301"},
    {"4.1 redirect 307", .status = "HTTP/1.1 307 Temporary Redirect",
        .extra = "Location: ws://localhost/\r\n", .reason = "server answered 307"},
    {"4.1 unauthorized", .status = "HTTP/1.1 401 Unauthorized",
        .extra = "WWW-Authenticate: Basic\r\n", .reason = "server answered 401"},
    {"4.1 forbidden", .status = "HTTP/1.1 403 Forbidden", .reason = "server answered 403"},
    {"4.1 not found", .status = "HTTP/1.1 404 Not Found", .reason = "server answered 404"},
    {"4.1 upgrade required", .status = "HTTP/1.1 426 Upgrade Required",
        .extra = "Sec-WebSocket-Version: 7\r\n", .reason = "server answered 426"},
    {"4.1 server error", .status = "HTTP/1.1 503 Service Unavailable",
        .reason = "server answered 503"},
    {"9110 15: a status of its own", .status = "HTTP/1.1 599 Odd", .reason = "server answered 599"},

    {"4.1 no Upgrade", .upgrade = "", .reason = "Upgrade: websocket"},
    {"4.1 empty Upgrade", .upgrade = "Upgrade:", .reason = "Upgrade: websocket"},
    {"4.1 another Upgrade", .upgrade = "Upgrade: h2c", .reason = "Upgrade: websocket"},
    {"4.1 Upgrade with a version", .upgrade = "Upgrade: websocket/13",
        .reason = "Upgrade: websocket"},
    {"4.1 Upgrade of two", .upgrade = "Upgrade: websocket, h2c", .reason = "Upgrade: websocket"},
    {"4.1 two Upgrades", .upgrade = "Upgrade: websocket\r\nUpgrade: websocket",
        .reason = "Upgrade: websocket"},
    {"4.1 part of Upgrade", .upgrade = "Upgrade: websock", .reason = "Upgrade: websocket"},
    {"4.1 no Connection", .connection = "", .reason = "Connection: Upgrade"},
    {"4.1 empty Connection", .connection = "Connection:", .reason = "Connection: Upgrade"},
    {"4.1 another Connection", .connection = "Connection: keep-alive",
        .reason = "Connection: Upgrade"},
    {"4.1 Connection without that token", .connection = "Connection: NotUpgrade, close",
        .reason = "Connection: Upgrade"},

    {"4.1 no Accept", .accept = "", .reason = "Sec-WebSocket-Accept"},
    {"4.1 empty Accept", .accept = "Sec-WebSocket-Accept:", .reason = "Sec-WebSocket-Accept"},
    {"4.1 another Accept", .accept = "Sec-WebSocket-Accept: " WS_ACCEPT,
        .reason = "Sec-WebSocket-Accept"},
    {"4.1 more than Accept", .accept = "Sec-WebSocket-Accept: $x",
        .reason = "Sec-WebSocket-Accept"},
    {"4.1 Accept in quotes", .accept = "Sec-WebSocket-Accept: \"$\"",
        .reason = "Sec-WebSocket-Accept"},
    {"4.1 two Accepts", .accept = "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Accept: $",
        .reason = "Sec-WebSocket-Accept"},
    {"4.1 a right Accept and a wrong one",
        .accept = "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Accept: " WS_ACCEPT,
        .reason = "Sec-WebSocket-Accept"},

    {"4.1 extension", .extra = "Sec-WebSocket-Extensions: permessage-inflate\r\n",
        .reason = "extension"},
    {"4.1 extension with a parameter", .extra = "Sec-WebSocket-Extensions: x-other; a=b\r\n",
        .reason = "extension"},
    {"4.1 extensions in two fields",
        .extra = "Sec-WebSocket-Extensions:\r\nSec-WebSocket-Extensions: x-other\r\n",
        .reason = "extension"},

    {"4.1 subprotocol that was not asked for", .extra = "Sec-WebSocket-Protocol: chat\r\n",
        .reason = "subprotocol"},
    {"4.1 another subprotocol", .offer = "chat", .extra = "Sec-WebSocket-Protocol: second\r\n",
        .reason = "subprotocol"},
    {"4.1 empty subprotocol", .offer = "chat", .extra = "Sec-WebSocket-Protocol:\r\n",
        .reason = "subprotocol"},
    {"4.1 two subprotocols", .offer = "chat, second",
        .extra = "Sec-WebSocket-Protocol: chat, second\r\n", .reason = "subprotocol"},
    {"4.1 two fields of subprotocols", .offer = "chat, second",
        .extra = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: second\r\n",
        .reason = "subprotocol"},
    {"4.1 the same subprotocol twice", .offer = "chat",
        .extra = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n",
        .reason = "subprotocol"},
    {"4.1 subprotocol in other letters", .offer = "chat",
        .extra = "Sec-WebSocket-Protocol: Chat\r\n", .reason = "subprotocol"},
    {"4.1 subprotocol that only others have", .offer = "unknown, chat",
        .extra = "Sec-WebSocket-Protocol: unknown\r\n", .reason = "subprotocol"},

    {"4.1 HTTP/1.0", .status = "HTTP/1.0 101 Switching Protocols", .reason = "HTTP/1.0"},
    {"9112 2.3 HTTP/2", .status = "HTTP/2.0 101 Switching Protocols", .reason = "not HTTP/1"},
    {"9112 2.3 HTTP/0.9", .status = "HTTP/0.9 101 Switching Protocols", .reason = "not HTTP/1"},
    {"9112 4 no HTTP", .raw = "SSH-2.0-OpenSSH_9.2\r\n\r\n", .reason = "not HTTP"},
    {"9112 4 bytes", .raw = "\xff\xfe\xfd\x80\r\n\r\n", .reason = "not HTTP"},
    {"9112 4 a frame", .raw = "\x81\x05hello", .reason = "not HTTP"},
    {"9112 4 a request", .raw = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", .reason = "not HTTP"},
    {"9112 4 small letters", .status = "http/1.1 101 Switching Protocols", .reason = "not HTTP"},
    {"9112 4 no status", .status = "HTTP/1.1 ", .reason = "not HTTP"},
    {"9112 4 status of two digits", .status = "HTTP/1.1 10 Switching", .reason = "not HTTP"},
    {"9112 4 status of four digits", .status = "HTTP/1.1 1010 Switching", .reason = "not HTTP"},
    {"9112 4 status with letters", .status = "HTTP/1.1 1o1 Switching", .reason = "not HTTP"},
    {"9112 5 blank before the colon", .upgrade = "Upgrade : websocket", .reason = "not HTTP"},
    {"9112 5 no colon", .upgrade = "Upgrade websocket", .reason = "not HTTP"},
    {"9112 5 no name", .upgrade = ": websocket", .reason = "not HTTP"},
    {"9112 5.2 folded line", .upgrade = "Upgrade:\r\n websocket", .reason = "not HTTP"},
    {"9110 5.5 control character in a value",
        .extra = "X: a\x01"
                 "b\r\n",
        .reason = "not HTTP"},
    {"9112 2.2 bare CR", .extra = "X: a\rb\r\n", .reason = "not HTTP"},
};

/* Puts the value in the place of each $; freed by the caller. */
static char *put_in(const char *line, const char *value)
{
    char *result = calloc(1, strlen(line) + 8 * strlen(value) + 3);
    char *at = result;

    ck_assert_ptr_nonnull(result);
    for (; *line != '\0'; line++) {
        if (*line == '$')
            at = stpcpy(at, value);
        else
            *at++ = *line;
    }
    if (at > result)
        strcpy(at, "\r\n");
    return result;
}

static const char *or_else(const char *text, const char *usual)
{
    return text == NULL ? usual : text;
}

static char *compose(const struct wrong_answer *row, const char *request)
{
    char *value = ws_accept_value(request);
    char *accept = put_in(or_else(row->accept, "Sec-WebSocket-Accept: $"), value);
    char *upgrade = put_in(or_else(row->upgrade, "Upgrade: websocket"), "");
    char *connection = put_in(or_else(row->connection, "Connection: Upgrade"), "");
    char *answer;

    ck_assert_int_gt(asprintf(&answer, "%s\r\n%s%s%s%s\r\n",
                         or_else(row->status, "HTTP/1.1 101 Switching Protocols"), upgrade,
                         connection, accept, or_else(row->extra, "")),
        0);
    free(connection);
    free(upgrade);
    free(accept);
    free(value);
    return answer;
}

static int nothing_else(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    ck_assert(reason != LWS_CALLBACK_CLIENT_ESTABLISHED &&
              reason != LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH && reason != LWS_CALLBACK_CLOSED);
    return 0;
}

static void expect_failure(struct server *loop, const char *name, const char *reason)
{
    const struct server_record *record =
        server_record(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 0);

    ck_assert_msg(strstr((const char *)record->bytes, reason) != NULL,
        "%s: the reason is \"%s\" in place of \"%s\"", name, (const char *)record->bytes, reason);
}

START_TEST(says_what_is_wrong)
{
    const struct wrong_answer *row = &wrong_answers[_i];
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = row->offer};
    struct ws_client *peer;
    char *request;
    char *answer;

    client_hook = nothing_else;
    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    answer = row->raw == NULL ? compose(row, request) : strdup(row->raw);
    ws_send_text(peer, answer);
    expect_failure(loop, row->name, row->reason);
    /* It says no more, and no close frame either: there is no WebSocket. */
    ws_expect_eof(peer);
    ws_free(peer);
    free(answer);
    free(request);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Good ones that look odd. */
static const struct wrong_answer odd_answers[] = {
    {"4.1 Upgrade in capitals", .upgrade = "UPGRADE: WebSocket"},
    {"4.1 Connection in small letters", .connection = "connection: upgrade"},
    {"4.1 Connection of two", .connection = "Connection: keep-alive, Upgrade"},
    {"4.1 two Connections", .connection = "Connection: x\r\nConnection: Upgrade"},
    {"4.1 blanks around Accept", .accept = "Sec-WebSocket-Accept: \t $ \t"},
    {"4.1 no blank before Accept", .accept = "sec-websocket-accept:$"},
    {"4.1 subprotocol with blanks", .offer = "first",
        .extra = "Sec-WebSocket-Protocol:  first \r\n"},
    {"9112 4 another reason", .status = "HTTP/1.1 101 Web Socket Protocol Handshake"},
    {"9112 4 no reason", .status = "HTTP/1.1 101 "},
    {"9110 5 fields of its own", .extra = "Server: odd\r\nX-Empty:\r\nSet-Cookie: a=b\r\n"},
    {"9110 8.6 length 0", .extra = "Content-Length: 0\r\n"},
    {"9112 2.3 HTTP/1.2", .status = "HTTP/1.2 101 Switching Protocols"},
};

START_TEST(takes_what_is_only_odd)
{
    const struct wrong_answer *row = &odd_answers[_i];
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = row->offer};
    struct ws_client *peer;
    char *request;
    char *answer;

    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    answer = compose(row, request);
    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    free(answer);
    free(request);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static struct ws_client *begin(struct server *loop, struct ws_server *server, char **answer)
{
    struct client client = {.port = server->port, .protocol = "chat"};
    struct ws_client *peer;
    char *request;

    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    *answer = ws_acceptance(request, "chat", NULL);
    free(request);
    return peer;
}

/* After every byte of its answer the server hangs up: by FIN, or by RST. */
START_TEST(survives_a_server_that_hangs_up)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    size_t length = 2;

    client_hook = nothing_else;
    for (size_t count = 0; count < length - 1; count++) {
        char *answer;
        struct ws_client *peer = begin(loop, server, &answer);

        length = strlen(answer);
        ws_send(peer, answer, count);
        if (_i == 0)
            ws_free(peer);
        else
            ws_reset(peer);
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, count + 1);
        client_expect_error(loop, count, _i == 0 ? "hung up" : "");
        free(answer);
    }
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Before it has even read the request. */
START_TEST(survives_a_server_that_does_not_listen)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port};

    for (size_t i = 0; i < 20; i++) {
        client_begin(loop, &client);
        if (i % 2 == 0)
            ws_free(ws_accept(server));
        else
            ws_reset(ws_accept(server));
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, i + 1);
    }
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Accepts and hangs up at once: it is a connection then, and ends. */
START_TEST(survives_a_server_that_hangs_up_behind_its_answer)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    char *answer;
    struct ws_client *peer = begin(loop, server, &answer);

    ws_send_text(peer, answer);
    ws_free(peer);
    ck_assert_int_eq(server_record(loop, LWS_CALLBACK_CLOSED, 0)->close_code, 1006);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 0);
    free(answer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* A head that never ends, in one line, in many, or in one field after the other; and answers that
 * come before the answer, for ever. */
static const struct {
    const char *start;
    const char *filling;
    const char *reason;
} endless[] = {
    {"HTTP/1.1 101 ", "x", "too large"},
    {"HTTP/1.1 101 Switching Protocols\r\nX: ", "x", "too large"},
    {"HTTP/1.1 101 Switching Protocols\r\n", "X: y\r\n", "too many header fields"},
    {"HTTP/1.1 101 Switching Protocols\r\n", "X-Longer: a value that is not all that short\r\n",
        "too "},
    {"", "HTTP/1.1 100 Continue\r\n\r\n", "too many interim answers"},
    {"", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", "too many interim answers"},
    {"HTTP/1.1 103 Early Hints\r\n", "X: y\r\n", "too many header fields"},
    {"", "\r\n", "not HTTP"},
};

START_TEST(ends_what_does_not_end)
{
    struct server_options options = {.extras = {.max_head_size = 4096, .max_header_fields = 50}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    char piece[1024];
    char *answer;
    struct ws_client *peer;
    size_t unit = strlen(endless[_i].filling);

    client_hook = nothing_else;
    peer = begin(loop, server, &answer);
    ws_send_text(peer, endless[_i].start);
    for (size_t i = 0; i + unit <= sizeof piece; i += unit)
        memcpy(piece + i, endless[_i].filling, unit);
    for (int i = 0; i < 100; i++) {
        if (!ws_try_send(peer, piece, sizeof piece / unit * unit))
            break;
    }
    expect_failure(loop, endless[_i].filling, endless[_i].reason);
    ws_free(peer);
    free(answer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const silences[] = {
    "", "HTT", "HTTP/1.1 101 Switching Protocols\r\nUpg", "HTTP/1.1 100 Continue\r\n\r\n"};

START_TEST(gives_up_a_silent_server)
{
    struct server_options options = {.extras = {.handshake_timeout_ms = 400}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    int64_t start = ws_now_ms();
    unsigned long ticks = server_ticks(loop);
    char *answer;
    struct ws_client *peer = begin(loop, server, &answer);

    ws_send_text(peer, silences[_i]);
    client_expect_error(loop, 0, "the server did not answer in time");
    ck_assert_int_ge(ws_now_ms() - start, 380);
    ck_assert_int_le(ws_now_ms() - start, 4000);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(10));
    ws_expect_eof(peer);
    ws_free(peer);
    free(answer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Bytes that trickle in do not move the deadline. */
START_TEST(gives_up_a_slow_server)
{
    struct server_options options = {.extras = {.handshake_timeout_ms = 400}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    int64_t start = ws_now_ms();
    char *answer;
    struct ws_client *peer = begin(loop, server, &answer);

    for (size_t i = 0; i < strlen(answer) - 1; i++) {
        if (!ws_try_send(peer, answer + i, 1) ||
            server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR) > 0)
            break;
        usleep(10000);
    }
    client_expect_error(loop, 0, "the server did not answer in time");
    ck_assert_int_ge(ws_now_ms() - start, 380);
    ck_assert_int_le(ws_now_ms() - start, 4000);
    ws_free(peer);
    free(answer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

Suite *client_answers_suite(void)
{
    Suite *suite = suite_create("client answers");
    TCase *wrong = harness_case("wrong answers");
    TCase *ends = harness_case("ends");

    tcase_add_loop_test(
        wrong, says_what_is_wrong, 0, (int)(sizeof wrong_answers / sizeof wrong_answers[0]));
    tcase_add_loop_test(
        wrong, takes_what_is_only_odd, 0, (int)(sizeof odd_answers / sizeof odd_answers[0]));
    suite_add_tcase(suite, wrong);

    tcase_add_loop_test(ends, survives_a_server_that_hangs_up, 0, 2);
    tcase_add_test(ends, survives_a_server_that_does_not_listen);
    tcase_add_test(ends, survives_a_server_that_hangs_up_behind_its_answer);
    tcase_add_loop_test(ends, ends_what_does_not_end, 0, (int)(sizeof endless / sizeof endless[0]));
    tcase_add_loop_test(
        ends, gives_up_a_silent_server, 0, (int)(sizeof silences / sizeof silences[0]));
    tcase_add_test(ends, gives_up_a_slow_server);
    suite_add_tcase(suite, ends);
    return suite;
}
