/* What clients send, and what programs see of the answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "client_ground.h"
#include "suites.h"

/* Runs a client up to its request, which is returned; the caller frees it. */
static char *take_request(struct server *loop, struct ws_server *server,
    const struct client *wanted, struct ws_client **peer)
{
    struct client client = *wanted;

    client.port = server->port;
    client_begin(loop, &client);
    *peer = ws_accept(server);
    return ws_receive_request(*peer);
}

static void accept_and_finish(
    struct server *loop, struct ws_client *peer, char *request, const char *subprotocol)
{
    size_t before = server_count(loop, LWS_CALLBACK_CLIENT_ESTABLISHED);
    char *answer = ws_acceptance(request, subprotocol, NULL);

    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, before + 1);
    client_finish(loop, peer);
    free(answer);
    free(request);
}

static char *expected_request(
    const char *target, const char *host, const char *key, const char *lines)
{
    char *text;

    ck_assert_int_gt(asprintf(&text,
                         "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n%s\r\n",
                         target, host, key, lines),
        0);
    return text;
}

/* That it is there belongs to permessage-deflate. */
static void take_out_line(char *head, const char *begin)
{
    char *line = strstr(head, begin);
    char *next;

    ck_assert_ptr_nonnull(line);
    next = strstr(line, "\r\n") + 2;
    memmove(line, next, strlen(next) + 1);
}

/* %d in a host is the port. */
static const struct {
    struct client client;
    const char *target;
    const char *host;
    const char *lines;
    const char *subprotocol;
} requests[] = {
    {{.protocol = NULL}, "/", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.path = "/chat?room=1&a=%20"}, "/chat?room=1&a=%20", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.path = "chat"}, "/chat", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.path = ""}, "/", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.path = "?query"}, "/?query", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.host = "localhost"}, "/", "localhost", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.host = "localhost:8443"}, "/", "localhost:8443", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.address = "localhost"}, "/", "localhost:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.address = "::1"}, "/", "[::1]:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.address = "[::1]"}, "/", "[::1]:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.origin = "http://example.org"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\nOrigin: http://example.org\r\n", NULL},
    {{.origin = "https://example.org:81"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\nOrigin: https://example.org:81\r\n", NULL},
    {{.origin = "example.org"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\nOrigin: http://example.org\r\n", NULL},
    {{.origin = "null"}, "/", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\nOrigin: null\r\n",
        NULL},
    {{.version = 13}, "/", "127.0.0.1:%d", "Sec-WebSocket-Version: 13\r\n", NULL},
    {{.version = 8, .origin = "http://a"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Origin: http://a\r\n", NULL},
    {{.version = 7, .origin = "http://a"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 7\r\nSec-WebSocket-Origin: http://a\r\n", NULL},
    {{.protocol = "chat"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n", "chat"},
    {{.protocol = "chat, second"}, "/", "127.0.0.1:%d",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, second\r\n", "second"},
};

/* Base64 of 16 bytes. */
static void check_key(const char *key)
{
    ck_assert_uint_eq(strlen(key), 24);
    ck_assert_uint_eq(strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789+/"),
        22);
    ck_assert_str_eq(key + 22, "==");
    /* The last four bits of it belong to nothing. */
    ck_assert_ptr_nonnull(strchr("AQgw", key[21]));
}

START_TEST(sends_a_request)
{
    bool six = requests[_i].client.address != NULL && strchr(requests[_i].client.address, ':');
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(six ? "::1" : "127.0.0.1", 0);
    struct ws_client *peer;
    char *request = take_request(loop, server, &requests[_i].client, &peer);
    char *key = ws_head_field(request, "Sec-WebSocket-Key");
    char host[64];
    char *expected;

    ck_assert_ptr_nonnull(key);
    check_key(key);
    snprintf(host, sizeof host, "%s", requests[_i].host);
    if (strchr(host, '%') != NULL)
        snprintf(strchr(host, '%'), 8, "%d", server->port);
    expected = expected_request(requests[_i].target, host, key, requests[_i].lines);
    if (harness_deflate())
        take_out_line(request, "Sec-WebSocket-Extensions:");
    ck_assert_str_eq(request, expected);
    free(expected);
    free(key);
    accept_and_finish(loop, peer, request, requests[_i].subprotocol);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(sends_another_key_each_time)
{
    enum { TIMES = 20 };
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    char *keys[TIMES];

    for (size_t i = 0; i < TIMES; i++) {
        struct ws_client *peer;
        char *request = take_request(loop, server, &(struct client){0}, &peer);

        keys[i] = ws_head_field(request, "Sec-WebSocket-Key");
        for (size_t before = 0; before < i; before++)
            ck_assert_str_ne(keys[i], keys[before]);
        free(request);
        ws_free(peer);
    }
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, TIMES);
    for (size_t i = 0; i < TIMES; i++)
        free(keys[i]);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *appended;

static int append(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char **at = in;

    (void)context;
    (void)wsi;
    (void)user;
    if (reason != LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER)
        return 0;
    ck_assert_uint_ge(len, 1024);
    if (appended == NULL) {
        /* All the room there is. */
        memset(*at, 'x', len);
        memcpy(*at, "X-Long: ", 8);
        memcpy(*at + len - 2, "\r\n", 2);
        *at += len;
    } else {
        ck_assert_uint_le(strlen(appended), len);
        memcpy(*at, appended, strlen(appended));
        *at += strlen(appended);
    }
    return 0;
}

START_TEST(sends_what_the_program_appends)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;
    char *request;
    char *field;

    client_hook = append;
    appended = _i == 0 ? "Cookie: a=b\r\nX-More: yes\r\n" : _i == 1 ? "" : NULL;
    request = take_request(loop, server, &(struct client){0}, &peer);
    field = ws_head_field(request, _i == 2 ? "X-Long" : "X-More");
    if (_i == 0) {
        ck_assert_str_eq(field, "yes");
        free(field);
        field = ws_head_field(request, "Cookie");
        ck_assert_str_eq(field, "a=b");
    } else if (_i == 1) {
        ck_assert_ptr_null(field);
    } else {
        ck_assert_uint_gt(strlen(field), 1000);
    }
    free(field);
    accept_and_finish(loop, peer, request, NULL);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const wrong_lines[] = {"\r\n", "X: y", "X: y\n", "\r\nX: y\r\n", "X: y\r\n\r\n",
    "X: y\r\n\r\nGET / HTTP/1.1\r\n", "X: y\rY: z\r\n", "X: y\r\n folded\r\n", "no colon\r\n",
    "X : y\r\n", "X: \001\r\n"};

/* They would end the request, or have another one behind it. */
START_TEST(refuses_lines_that_are_none)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port};
    struct ws_client *peer;
    char *sent;

    client_hook = append;
    appended = wrong_lines[_i];
    client_begin(loop, &client);
    peer = ws_accept(server);
    sent = ws_receive_all(peer, NULL);
    ck_assert_str_eq(sent, "");
    client_expect_error(loop, 0, "header lines");
    free(sent);
    ws_free(peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int filter_result;
static int filtered;

static void expect_token(
    struct libwebsocket *wsi, enum lws_token_indexes token, const char *expected)
{
    char value[256] = "untouched";

    if (expected == NULL) {
        ck_assert_int_eq(lws_hdr_total_length(wsi, token), 0);
        ck_assert_int_le(lws_hdr_copy(wsi, value, sizeof value, token), 0);
        return;
    }
    ck_assert_int_eq(lws_hdr_total_length(wsi, token), (int)strlen(expected));
    ck_assert_int_eq(lws_hdr_copy(wsi, value, sizeof value, token), (int)strlen(expected));
    ck_assert_str_eq(value, expected);
}

static int filter(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED) {
        ck_assert_str_eq(user, "kept");
        ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_HTTP), 0);
    }
    if (reason != LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH)
        return 0;
    filtered++;
    expect_token(wsi, WSI_TOKEN_HTTP, "101 Switching Protocols");
    expect_token(wsi, WSI_TOKEN_UPGRADE, "websocket");
    expect_token(wsi, WSI_TOKEN_CONNECTION, "Upgrade");
    expect_token(wsi, WSI_TOKEN_PROTOCOL, "chat");
    expect_token(wsi, WSI_TOKEN_EXTENSIONS, NULL);
    expect_token(wsi, WSI_TOKEN_GET_URI, NULL);
    expect_token(wsi, WSI_TOKEN_MUXURL, NULL);
    ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_ACCEPT), 28);
    expect_token(wsi, _WSI_TOKEN_CLIENT_SENT_PROTOCOLS, "second, chat");
    expect_token(wsi, _WSI_TOKEN_CLIENT_PEER_ADDRESS, "127.0.0.1");
    expect_token(wsi, _WSI_TOKEN_CLIENT_URI, "/some/path?q");
    expect_token(wsi, _WSI_TOKEN_CLIENT_HOST, "localhost");
    expect_token(wsi, _WSI_TOKEN_CLIENT_ORIGIN, "http://example.org");
    ck_assert_int_ge(libwebsocket_get_socket_fd(wsi), 0);
    strcpy(user, "kept");
    return filter_result;
}

static const int filter_results[] = {0, 1, -1};

START_TEST(shows_the_answer)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.protocol = "second, chat",
        .path = "/some/path?q",
        .origin = "example.org",
        .host = "localhost"};
    struct ws_client *peer;
    char *request;
    char *answer;

    client_hook = filter;
    filter_result = filter_results[_i];
    request = take_request(loop, server, &client, &peer);
    if (filter_result == 0) {
        accept_and_finish(loop, peer, request, "chat");
    } else {
        answer = ws_acceptance(request, "chat", NULL);
        ws_send_text(peer, answer);
        client_expect_error(loop, 0, "rejected");
        ws_expect_eof(peer);
        ws_free(peer);
        free(answer);
        free(request);
    }
    ck_assert_int_eq(filtered, 1);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const struct {
    const char *offer;
    const char *choice;
    int protocol;
} choices[] = {
    {NULL, NULL, CLIENT_FIRST},
    {"chat", "chat", CLIENT_CHAT},
    {"chat", NULL, CLIENT_CHAT},
    {"chat, second", "chat", CLIENT_CHAT},
    {"chat, second", "second", CLIENT_SECOND},
    {"chat,second", "second", CLIENT_SECOND},
    {" second ,\tchat ", "chat", CLIENT_CHAT},
    {"second, chat", NULL, CLIENT_SECOND},
    {"unknown, chat", "chat", CLIENT_CHAT},
    {"unknown, chat", NULL, CLIENT_CHAT},
};

START_TEST(follows_the_servers_choice)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.protocol = choices[_i].offer};
    struct ws_client *peer;
    char *request = take_request(loop, server, &client, &peer);

    accept_and_finish(loop, peer, request, choices[_i].choice);
    ck_assert_int_eq(
        server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->protocol, choices[_i].protocol);
    ck_assert_int_eq(server_record(loop, LWS_CALLBACK_CLOSED, 0)->protocol, choices[_i].protocol);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The protocol without a name is the one for no subprotocol. */
START_TEST(finds_the_protocol_without_a_name)
{
    struct libwebsocket_protocols protocols[4];
    struct server_options options = {.protocols = protocols};
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;
    struct server *loop;
    char *request;

    memcpy(protocols, client_protocols, 2 * sizeof protocols[0]);
    protocols[2] = (struct libwebsocket_protocols){.name = NULL, .callback = discard_callback};
    protocols[3] = (struct libwebsocket_protocols){.name = NULL};
    loop = client_start(&options);
    request = take_request(loop, server, &(struct client){0}, &peer);
    accept_and_finish(loop, peer, request, NULL);
    ck_assert_int_eq(server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->protocol, 2);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Frames in the same packet as the head; byte by byte; and byte by byte, but all there at once. */
START_TEST(takes_frames_with_the_answer)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.protocol = "chat"};
    struct ws_client *peer;
    char *request = take_request(loop, server, &client, &peer);
    char *answer = ws_acceptance(request, "chat", "X-Field: with spaces \t \r\n");
    unsigned char out[4096];
    size_t length = strlen(answer);

    memcpy(out, answer, length);
    length += ws_put_frame(peer, out + length, WS_FIN | WS_TEXT, "one", 3);
    length += ws_put_frame(peer, out + length, WS_FIN | WS_PING, "two", 3);
    length += ws_put_frame(peer, out + length, WS_TEXT, "th", 2);
    length += ws_put_frame(peer, out + length, WS_FIN | WS_CONTINUATION, "ree", 3);
    if (_i == 0) {
        ws_send(peer, out, length);
    } else {
        if (_i == 2)
            server_hold(loop);
        for (size_t i = 0; i < length; i++)
            ws_send(peer, out + i, 1);
        if (_i == 2)
            server_go_on(loop);
    }
    ws_expect_frame(peer, WS_FIN | WS_PONG, "two", 3);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, 3);
    ck_assert_str_eq((char *)server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE, 0)->bytes, "one");
    client_finish(loop, peer);
    free(answer);
    free(request);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const interim[] = {
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 102 Processing\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
};

START_TEST(passes_over_interim_answers)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;
    char *request = take_request(loop, server, &(struct client){0}, &peer);

    ws_send_text(peer, interim[_i]);
    accept_and_finish(loop, peer, request, NULL);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

Suite *client_handshake_suite(void)
{
    Suite *suite = suite_create("client handshake");
    TCase *asking = harness_case("requests");
    TCase *answers = harness_case("answers");

    tcase_add_loop_test(asking, sends_a_request, 0, (int)(sizeof requests / sizeof requests[0]));
    tcase_add_test(asking, sends_another_key_each_time);
    tcase_add_loop_test(asking, sends_what_the_program_appends, 0, 3);
    tcase_add_loop_test(
        asking, refuses_lines_that_are_none, 0, (int)(sizeof wrong_lines / sizeof wrong_lines[0]));
    suite_add_tcase(suite, asking);

    tcase_add_loop_test(answers, shows_the_answer, 0, 3);
    tcase_add_loop_test(
        answers, follows_the_servers_choice, 0, (int)(sizeof choices / sizeof choices[0]));
    tcase_add_test(answers, finds_the_protocol_without_a_name);
    tcase_add_loop_test(answers, takes_frames_with_the_answer, 0, 3);
    tcase_add_loop_test(answers, passes_over_interim_answers, 0, 2);
    suite_add_tcase(suite, answers);
    return suite;
}
