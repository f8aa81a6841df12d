/* Good handshakes, and which protocol they lead to. What must be refused is in a table of its own.
 */
#include "harness.h"
#include "suites.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Sends a handshake text and expects 101 with this subprotocol (NULL: none). */
static struct ws_client *open_with(struct server *server, const char *text, const char *subprotocol)
{
    struct ws_client *client = ws_connect(server_port(server));
    struct ws_response response;
    char *found;

    ws_send_text(client, text);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    ck_assert_ptr_nonnull(strstr(response.head, "\r\nSec-WebSocket-Accept: " WS_ACCEPT "\r\n"));
    found = ws_response_field(&response, "Sec-WebSocket-Protocol");
    if (subprotocol == NULL)
        ck_assert_ptr_null(found);
    else
        ck_assert_str_eq(found, subprotocol);
    ck_assert_ptr_null(strstr(response.head, "Sec-WebSocket-Extensions"));
    free(found);
    ws_response_free(&response);
    return client;
}

static void expect_protocol(
    struct server *server, const char *offer, const char *subprotocol, int protocol)
{
    size_t before = server_count(server, LWS_CALLBACK_ESTABLISHED);
    char *text = ws_handshake_text("/", offer, NULL);
    struct ws_client *client = open_with(server, text, subprotocol);

    ck_assert_int_eq(server_record(server, LWS_CALLBACK_ESTABLISHED, before)->protocol, protocol);
    free(text);
    ws_finish(client);
    ws_free(client);
}

START_TEST(opens_and_closes)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_open(server_port(server), "echo");

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    ws_finish(client);
    server_wait(server, LWS_CALLBACK_CLOSED, 1);
    ck_assert_int_eq(server_record(server, LWS_CALLBACK_CLOSED, 0)->close_code, 1000);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(chooses_a_subprotocol)
{
    struct server *server = server_start(NULL);

    expect_protocol(server, "echo", "echo", PROTOCOL_ECHO);
    expect_protocol(server, "mirror", "mirror", PROTOCOL_MIRROR);
    /* The client's order wins among those that the server has. */
    expect_protocol(server, "mirror, echo", "mirror", PROTOCOL_MIRROR);
    expect_protocol(server, "echo, mirror", "echo", PROTOCOL_ECHO);
    expect_protocol(server, "unknown,discard,echo", "discard", PROTOCOL_DISCARD);
    expect_protocol(server, " ,unknown ,\tmirror\t, echo,", "mirror", PROTOCOL_MIRROR);
    /* A part of a name is not the name, and case counts. */
    expect_protocol(server, "ech, echoo, ECHO, discard", "discard", PROTOCOL_DISCARD);
    /* No offer: the first, where no protocol has no name. */
    expect_protocol(server, NULL, NULL, PROTOCOL_HTTP);
    server_stop(server);
}
END_TEST

START_TEST(joins_fields_of_an_offer)
{
    struct server *server = server_start(NULL);
    char *text = ws_handshake_text(
        "/", "unknown", "Sec-WebSocket-Protocol: mirror\r\nSec-WebSocket-Protocol: echo\r\n");
    struct ws_client *client = open_with(server, text, "mirror");

    free(text);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(without_offer_takes_the_nameless)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "first", .callback = discard_callback},
        {.name = NULL, .callback = discard_callback},
        {.name = "last", .callback = discard_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);

    expect_protocol(server, NULL, NULL, 1);
    expect_protocol(server, "first", "first", 0);
    expect_protocol(server, "last", "last", 2);
    server_stop(server);
}
END_TEST

START_TEST(refuses_an_offer_that_matches_nothing)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/", "unknown", NULL);
    struct ws_response response;

    ws_send_text(client, text);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 400);
    ws_response_free(&response);
    free(text);
    free(ws_receive_all(client, NULL));
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

static const char *const spellings[] = {
    /* Token lists, names in any case, values in any case where the RFC says so. */
    "GET / HTTP/1.1\r\nhost: h\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, Upgrade\r\n"
    "sec-websocket-key: " WS_KEY "\r\nSEC-WEBSOCKET-VERSION: 13\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: foo/1, websocket\r\nConnection: upgrade\r\n"
    "Sec-WebSocket-Key:" WS_KEY "\r\nSec-WebSocket-Version:13\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade:\twebsocket \r\nConnection: Keep-Alive\r\n"
    "Connection: UPGRADE\r\nSec-WebSocket-Key: \t" WS_KEY " \r\n"
    "Sec-WebSocket-Version: 13 \r\n\r\n",
    /* A path and query, an origin, cookies, unknown fields, an extension that is not there. */
    "GET /chat/room?a=b&c=%20 HTTP/1.1\r\nHost: localhost:7681\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 13\r\n"
    "Origin: http://localhost\r\nCookie: a=b; c=d\r\nX-Unknown: \x80\xff\r\nEmpty:\r\n"
    "Sec-WebSocket-Extensions: permessage-unknown; a=1; b=\"2\", other\r\n\r\n",
    /* The target in absolute form. */
    "GET http://localhost/x HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n",
    /* The versions before, which frame the same way. */
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 8\r\n"
    "Sec-WebSocket-Origin: http://localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 7\r\n\r\n",
};

START_TEST(takes_every_spelling)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = open_with(server, spellings[_i], NULL);

    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(takes_any_pieces)
{
    struct server *server = server_start(NULL);
    char *text = ws_handshake_text("/", "echo", NULL);
    size_t length = strlen(text);

    for (size_t at = 1; at < length; at++) {
        struct ws_client *client = ws_connect(server_port(server));
        struct ws_response response;

        ws_send(client, text, at);
        /* Nothing says that the first piece has been read, but often enough it has. */
        usleep(200);
        ws_send(client, text + at, length - at);
        response = ws_receive_head(client);
        ck_assert_int_eq(response.status, 101);
        ws_response_free(&response);
        ws_free(client);
    }
    server_wait(server, LWS_CALLBACK_CLOSED, length - 1);
    free(text);
    server_stop(server);
}
END_TEST

START_TEST(takes_frames_behind_the_head)
{
    struct server *server = server_start(NULL);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/", "echo", NULL);
    unsigned char out[2048];
    struct ws_response response;
    size_t length = strlen(text);

    memcpy(out, text, length);
    length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "one", 3);
    length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "two", 3);
    length += ws_put_frame(client, out + length, WS_FIN | WS_PING, "p", 1);
    ws_send(client, out, length);
    free(text);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, 101);
    ws_response_free(&response);
    ws_expect_text(client, "one");
    ws_expect_text(client, "two");
    ws_expect_frame(client, WS_FIN | WS_PONG, "p", 1);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static atomic_int seen_tokens;

static int filtering_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const struct lws_tokens *tokens = user;
    char value[64];

    (void)context;
    if (reason == LWS_CALLBACK_ESTABLISHED) {
        /* The header fields went with the handshake. */
        ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN), 0);
        return 0;
    }
    if (reason != LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
        return 0;
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(in, "filtered");
    ck_assert_str_eq(tokens[WSI_TOKEN_ORIGIN].token, "http://good");
    ck_assert_int_eq(tokens[WSI_TOKEN_ORIGIN].token_len, 11);
    ck_assert_str_eq(tokens[WSI_TOKEN_GET_URI].token, "/a b?c");
    ck_assert_str_eq(tokens[WSI_TOKEN_HOST].token, "localhost");
    ck_assert_str_eq(tokens[WSI_TOKEN_PROTOCOL].token, "filtered");
    ck_assert_str_eq(tokens[WSI_TOKEN_KEY].token, WS_KEY);
    ck_assert_str_eq(tokens[WSI_TOKEN_VERSION].token, "13");
    ck_assert_str_eq(tokens[WSI_TOKEN_KEY1].token, "1 of a draft");
    ck_assert_str_eq(tokens[WSI_TOKEN_KEY2].token, "2, of a draft");
    ck_assert_str_eq(tokens[WSI_TOKEN_SWORIGIN].token, "http://older");
    ck_assert_str_eq(tokens[WSI_TOKEN_NONCE].token, "once");
    ck_assert_ptr_null(tokens[WSI_TOKEN_DRAFT].token);
    ck_assert_ptr_null(tokens[WSI_TOKEN_CHALLENGE].token);
    for (int i = 0; i < WSI_TOKEN_COUNT; i++)
        ck_assert_int_eq(
            tokens[i].token_len, tokens[i].token == NULL ? 0 : (int)strlen(tokens[i].token));
    ck_assert_int_eq(lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN), 11);
    ck_assert_int_eq(lws_hdr_copy(wsi, value, sizeof value, WSI_TOKEN_ORIGIN), 11);
    ck_assert_str_eq(value, "http://good");
    ck_assert_int_eq(lws_hdr_copy(wsi, value, 11, WSI_TOKEN_ORIGIN), -1);
    ck_assert_int_eq(lws_hdr_copy(wsi, value, 12, WSI_TOKEN_ORIGIN), 11);
    ck_assert_int_eq(lws_hdr_copy(wsi, value, sizeof value, WSI_TOKEN_DRAFT), 0);
    atomic_fetch_add(&seen_tokens, 1);
    return *(int *)server_user(server_here());
}

START_TEST(filters_by_header_fields)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "http", .callback = discard_callback},
        {.name = "filtered", .callback = filtering_callback},
        {.name = NULL},
    };
    int verdict = _i;
    struct server_options options = {.protocols = protocols, .user = &verdict};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/a%20b?c", "filtered",
        "Origin: http://good\r\n"
        "Sec-WebSocket-Key1: 1 of a draft\r\n"
        "Sec-WebSocket-Key2: 2\r\n"
        "Sec-WebSocket-Origin: http://older\r\n"
        "Sec-WebSocket-Key2: of a draft\r\n"
        "Sec-WebSocket-Nonce: once\r\n");
    struct ws_response response;

    ws_send_text(client, text);
    free(text);
    response = ws_receive_head(client);
    ck_assert_int_eq(atomic_load(&seen_tokens), 1);
    ck_assert_int_eq(response.status, verdict == 0 ? 101 : 403);
    ws_response_free(&response);
    if (verdict == 0)
        ws_finish(client);
    else
        free(ws_receive_all(client, NULL));
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), verdict == 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

/* What the program puts there before the handshake is answered, ESTABLISHED finds. */
static int keeping_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char *memory = libwebsocket_ensure_user_space(wsi);

    (void)context;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) {
        ck_assert_ptr_nonnull(memory);
        ck_assert_ptr_eq(libwebsocket_ensure_user_space(wsi), memory);
        memset(memory, 'k', 1000);
        return *(int *)server_user(server_here());
    }
    if (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_RECEIVE) {
        ck_assert_ptr_eq(memory, user);
        for (size_t i = 0; i < 1000; i++)
            ck_assert_int_eq(memory[i], 'k');
    }
    return 0;
}

START_TEST(has_session_memory_while_it_is_filtered)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "http", .callback = discard_callback, .per_session_data_size = 4},
        {.name = "kept", .callback = keeping_callback, .per_session_data_size = 1000},
        {.name = NULL},
    };
    int verdict = _i;
    struct server_options options = {.protocols = protocols, .user = &verdict};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));
    char *text = ws_handshake_text("/", "kept", NULL);
    struct ws_response response;

    ws_send_text(client, text);
    free(text);
    response = ws_receive_head(client);
    ck_assert_int_eq(response.status, verdict == 0 ? 101 : 403);
    ws_response_free(&response);
    if (verdict == 0) {
        /* The callback asks for it in the middle of a frame, too. */
        unsigned char *pattern = harness_pattern(10000, 1);

        ws_send_frame(client, WS_BINARY, pattern, 10000);
        ws_send_frame(client, WS_FIN, pattern, 3);
        free(pattern);
        server_wait(server, LWS_CALLBACK_RECEIVE, 4);
        ws_finish(client);
    } else {
        free(ws_receive_all(client, NULL));
    }
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_ESTABLISHED), verdict == 0);
    ws_free(client);
    server_stop(server);
}
END_TEST

static int refusing_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    char name[64];
    char address[64];

    (void)wsi;
    (void)user;
    (void)len;
    if (reason != LWS_CALLBACK_FILTER_NETWORK_CONNECTION)
        return 0;
    libwebsockets_get_peer_addresses(
        context, wsi, (int)(intptr_t)in, name, sizeof name, address, sizeof address);
    ck_assert_str_eq(address, "127.0.0.1");
    ck_assert_str_eq(name, "127.0.0.1");
    return server_count(server_here(), LWS_CALLBACK_FILTER_NETWORK_CONNECTION) % 2 == 1;
}

START_TEST(filters_by_address)
{
    static struct libwebsocket_protocols protocols[] = {
        {.name = "http", .callback = refusing_callback},
        {.name = NULL},
    };
    struct server_options options = {.protocols = protocols};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_connect(server_port(server));

    ws_expect_eof(client);
    ws_free(client);
    client = ws_open(server_port(server), NULL);
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

START_TEST(knows_the_connection)
{
    struct server *server = server_start(NULL);
    struct ws_client *one = ws_open(server_port(server), "echo");
    struct ws_client *two;

    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    two = ws_open(server_port(server), "echo");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 2);
    ws_send_frame(two, WS_FIN | WS_TEXT, "2", 1);
    ws_expect_text(two, "2");
    ws_send_frame(one, WS_FIN | WS_TEXT, "1", 1);
    ws_expect_text(one, "1");
    ck_assert_uint_eq(server_record(server, LWS_CALLBACK_RECEIVE, 0)->connection, 2);
    ck_assert_uint_eq(server_record(server, LWS_CALLBACK_RECEIVE, 1)->connection, 1);
    ws_finish(one);
    ws_finish(two);
    ws_free(one);
    ws_free(two);
    server_stop(server);
}
END_TEST

Suite *handshake_suite(void)
{
    Suite *suite = suite_create("handshake");
    TCase *good = harness_case("good handshakes");
    TCase *choice = harness_case("choice of protocol");
    TCase *filters = harness_case("filters");

    tcase_add_test(good, opens_and_closes);
    tcase_add_loop_test(good, takes_every_spelling, 0, sizeof spellings / sizeof spellings[0]);
    tcase_add_test(good, takes_any_pieces);
    tcase_add_test(good, takes_frames_behind_the_head);
    tcase_add_test(good, knows_the_connection);
    suite_add_tcase(suite, good);

    tcase_add_test(choice, chooses_a_subprotocol);
    tcase_add_test(choice, joins_fields_of_an_offer);
    tcase_add_test(choice, without_offer_takes_the_nameless);
    tcase_add_test(choice, refuses_an_offer_that_matches_nothing);
    suite_add_tcase(suite, choice);

    tcase_add_loop_test(filters, filters_by_header_fields, 0, 2);
    tcase_add_loop_test(filters, has_session_memory_while_it_is_filtered, 0, 2);
    tcase_add_test(filters, filters_by_address);
    suite_add_tcase(suite, filters);
    return suite;
}
