/* How clients come to be: arguments, addresses, places to connect from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "client_ground.h"
#include "suites.h"

/* The reasons of a record list, in order, from the n-th on. */
static void expect_order(
    struct server *loop, const enum libwebsocket_callback_reasons *reasons, size_t count)
{
    size_t at = 0;

    for (size_t n = 0; at < count; n++) {
        const struct server_record *record = server_nth(loop, n);

        ck_assert_ptr_nonnull(record);
        if (record->reason == LWS_CALLBACK_PROTOCOL_INIT ||
            record->reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS ||
            record->reason == LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED)
            continue;
        ck_assert_int_eq(record->reason, reasons[at]);
        at++;
    }
}

START_TEST(connects)
{
    static const enum libwebsocket_callback_reasons order[] = {
        LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH,
        LWS_CALLBACK_CLIENT_ESTABLISHED, LWS_CALLBACK_CLIENT_RECEIVE, LWS_CALLBACK_CLOSED};
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {0};
    struct ws_client *peer = client_open(loop, server, &client);

    ws_send_frame(peer, WS_FIN | WS_TEXT, "hello", 5);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, 1);
    client_finish(loop, peer);
    expect_order(loop, order, sizeof order / sizeof order[0]);
    ck_assert_str_eq((char *)server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE, 0)->bytes, "hello");
    ck_assert_int_eq(server_record(loop, LWS_CALLBACK_CLOSED, 0)->close_code, 1000);
    ck_assert_int_eq(
        server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->protocol, CLIENT_CHAT);
    ck_assert_ptr_nonnull(server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->user);
    ck_assert_ptr_eq(server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->wsi, client.wsi);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static void look_before(struct server *loop, void *argument)
{
    struct client *client = argument;

    (void)loop;
    client_begin_here(client);
    ck_assert_int_eq(libwebsocket_get_socket_fd(client->wsi), -1);
    ck_assert_ptr_eq(
        libwebsockets_get_protocol(client->wsi), &client_protocols[client->protocol ? 2 : 0]);
    ck_assert_int_eq(send_text(client->wsi, "too early"), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(libwebsockets_remaining_packet_payload(client->wsi), 0);
    ck_assert_int_eq(lws_hdr_total_length(client->wsi, WSI_TOKEN_HOST), 0);
}

static void look_after(struct server *loop, void *argument)
{
    (void)loop;
    ck_assert_int_ge(libwebsocket_get_socket_fd(argument), 0);
}

START_TEST(is_harmless_before_it_is_established)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = _i == 0 ? "second" : NULL};
    struct ws_client *peer;

    server_run(loop, look_before, &client);
    peer = ws_serve(server, client.protocol);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    server_run(loop, look_after, client.wsi);
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The caller's session memory comes in every callback and stays his: the contract checker looks. */
START_TEST(has_the_callers_memory)
{
    char memory[] = "never cleared";
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.userdata = memory};
    struct ws_client *peer = client_open(loop, server, &client);

    ws_send_frame(peer, WS_FIN | WS_TEXT, "hello", 5);
    client_finish(loop, peer);
    ck_assert_str_eq(memory, "never cleared");
    ck_assert_ptr_eq(server_record(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 0)->user, memory);
    ck_assert_ptr_eq(server_record(loop, LWS_CALLBACK_CLOSED, 0)->user, memory);
    client.port = 1;
    client_begin(loop, &client);
    ck_assert_ptr_eq(server_record(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 0)->user, memory);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* The session memory can be had before there is an answer, and is kept where that names the
 * protocol it is for. */
static void make_memory(struct server *loop, void *argument)
{
    struct client *client = argument;
    char *memory;

    client_begin_here(client);
    memory = libwebsocket_ensure_user_space(client->wsi);
    ck_assert_ptr_nonnull(memory);
    ck_assert_mem_eq(memory, "\0\0\0\0", 4);
    strcpy(memory, "kept");
    ck_assert_ptr_eq(libwebsocket_ensure_user_space(client->wsi), memory);
    (void)loop;
}

static int look_into_memory(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *chosen = server_user(server_here());

    (void)context, (void)in, (void)len;
    if (reason != LWS_CALLBACK_CLIENT_ESTABLISHED)
        return 0;
    ck_assert_ptr_eq(libwebsocket_ensure_user_space(wsi), user);
    if (strcmp(chosen, "chat") == 0)
        ck_assert_str_eq(user, "kept");
    else
        ck_assert_ptr_null(user);
    return 0;
}

START_TEST(keeps_memory_made_before_the_answer)
{
    static char chosen[2][8] = {"chat", "second"};
    struct server_options options = {.user = chosen[_i]};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = "chat, second"};
    struct ws_client *peer;

    client_hook = look_into_memory;
    server_run(loop, make_memory, &client);
    peer = ws_serve(server, chosen[_i]);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const struct {
    const char *what;
    struct client client;
} nonsense[] = {
    {"no port", {.port = 0}},
    {"port below 0", {.port = -1}},
    {"port too large", {.port = 65536}},
    {"empty address", {.port = 1, .address = ""}},
    {"line break in the address", {.port = 1, .address = "a\r\nX: y"}},
    {"empty path of a socket", {.port = 1, .address = "unix:"}},
    {"nothing between brackets", {.port = 1, .address = "[]"}},
    {"a name between brackets", {.port = 1, .address = "[localhost]"}},
    {"a name with a port", {.port = 1, .address = "localhost:80"}},
    {"a name with blanks", {.port = 1, .address = "a name"}},
    {"a request in the address", {.port = 1, .address = "a:1 HTTP/1.1\r\nX: y\r\n\r\n"}},
    {"a line break in the zone", {.port = 1, .address = "fe80::1%lo\r\nX: y"}},
    {"host of a dot", {.port = 1, .host = "."}},
    {"host with a dot in front", {.port = 1, .host = ".example.com"}},
    {"host with a dot in front, and a port", {.port = 1, .host = ".example.com:443"}},
    {"address with a dot in front", {.port = 1, .address = ".localhost"}},
    {"host that is a port", {.port = 1, .host = ":80"}},
    {"ssl 3", {.port = 1, .ssl = 4}},
    {"ssl -1", {.port = 1, .ssl = -1}},
    {"version 0", {.port = 1, .version = -2}},
    {"version 6", {.port = 1, .version = 6}},
    {"version 12", {.port = 1, .version = 12}},
    {"version 14", {.port = 1, .version = 14}},
    {"fragment in the path", {.port = 1, .path = "/a#b"}},
    {"space in the path", {.port = 1, .path = "/a b"}},
    {"line break in the path", {.port = 1, .path = "/a\r\nX: y"}},
    {"control character in the path", {.port = 1, .path = "/\x7f"}},
    {"letter beyond ASCII in the path", {.port = 1, .path = "/\xc3\xa4"}},
    {"empty host", {.port = 1, .host = ""}},
    {"line break in the host", {.port = 1, .host = "a\r\nX: y"}},
    {"space in the host", {.port = 1, .host = "a b"}},
    {"slash in the host", {.port = 1, .host = "a/b"}},
    {"empty origin", {.port = 1, .origin = ""}},
    {"line break in the origin", {.port = 1, .origin = "a\nb"}},
    {"space in the origin", {.port = 1, .origin = "a b"}},
    {"unknown protocol", {.port = 1, .protocol = "unknown"}},
    {"unknown protocols", {.port = 1, .protocol = "these, are, all-unknown"}},
    {"protocol that is no token", {.port = 1, .protocol = "ch at"}},
    {"line break in the protocol", {.port = 1, .protocol = "chat\r\nX: y"}},
    {"same protocol twice", {.port = 1, .protocol = "chat, second, chat"}},
    {"empty protocol", {.port = 1, .protocol = ""}},
    {"protocol in other letters", {.port = 1, .protocol = "CHAT"}},
};

START_TEST(refuses_nonsense)
{
    struct server *loop = client_start(NULL);
    struct client client = nonsense[_i].client;

    client_try(loop, &client);
    ck_assert_msg(client.wsi == NULL, "%s", nonsense[_i].what);
    ck_assert_msg(client.error == EINVAL, "%s: %s", nonsense[_i].what, strerror(client.error));
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 0);
    server_stop(loop);
    ck_assert_ptr_null(
        libwebsocket_client_connect(NULL, "127.0.0.1", 1, 0, NULL, NULL, NULL, NULL, -1));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static void connect_nowhere(struct server *loop, void *argument)
{
    struct libwebsocket_context *context = server_context(loop);

    (void)argument;
    ck_assert_ptr_null(
        libwebsocket_client_connect(context, NULL, 1, 0, NULL, NULL, NULL, NULL, -1));
    ck_assert_int_eq(errno, EINVAL);
}

START_TEST(refuses_no_address)
{
    struct server *loop = client_start(NULL);

    server_run(loop, connect_nowhere, NULL);
    server_stop(loop);
}
END_TEST

START_TEST(refuses_more_than_max_connections)
{
    struct server_options options = {.extras = {.max_connections = 2}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *first = client_open(loop, server, NULL);
    struct ws_client *second = client_open(loop, server, NULL);
    struct client client = {.port = server->port};

    client_try(loop, &client);
    ck_assert_ptr_null(client.wsi);
    ck_assert_int_eq(client.error, ENFILE);
    client_finish(loop, second);
    second = client_open(loop, server, NULL);
    client_finish(loop, second);
    client_finish(loop, first);
    /* One that failed makes room again. */
    client.port = 1;
    for (size_t i = 0; i < 5; i++) {
        client_begin(loop, &client);
        client_expect_error(loop, i, "connection refused");
    }
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(tells_that_it_is_refused)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port};

    ws_server_free(server);
    client_begin(loop, &client);
    client_expect_error(loop, 0, "connection refused");
    server_stop(loop);
}
END_TEST

static const char *const addresses[][2] = {
    {"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"::1", "[::1]"}, {"127.0.0.1", "localhost"}};

START_TEST(connects_to_addresses)
{
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(addresses[_i][0], 0);
    struct client client = {.address = addresses[_i][1]};
    struct ws_client *peer = client_open(loop, server, &client);

    client_finish(loop, peer);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

START_TEST(connects_to_a_path)
{
    char folder[] = "/tmp/lwsloop-test-XXXXXX";
    struct server *loop = client_start(NULL);
    struct ws_server *server;
    struct client client = {.protocol = "chat"};
    char address[128];
    struct ws_client *peer;
    char *request;
    char *answer;
    char *host;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address, sizeof address, "unix:%s/socket", folder);
    client.address = address;
    /* Nobody has made it yet. */
    client_begin(loop, &client);
    client_expect_error(loop, 0, "no such file or directory");

    server = ws_listen_unix(address + strlen("unix:"));
    client_begin(loop, &client);
    peer = ws_accept(server);
    request = ws_receive_request(peer);
    host = ws_head_field(request, "Host");
    ck_assert_str_eq(host, "localhost");
    answer = ws_acceptance(request, "chat", NULL);
    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    free(host);
    free(answer);
    free(request);
    ws_server_free(server);

    /* Nobody listens any more. */
    client_begin(loop, &client);
    client_expect_error(loop, 1, "connection refused");
    ck_assert_int_eq(unlink(address + strlen("unix:")), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    server_stop(loop);
}
END_TEST

START_TEST(refuses_a_path_that_is_too_long)
{
    struct server *loop = client_start(NULL);
    char address[300] = "unix:/";
    struct client client = {.address = address};

    memset(address + 6, 'x', sizeof address - 7);
    client_try(loop, &client);
    if (client.wsi != NULL)
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
    server_stop(loop);
}
END_TEST

static struct client chained;
static size_t chain_left;

/* Each connection that is established begins the next one; and each that ends. */
static int chain(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if ((reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_WRITEABLE ||
            reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
            reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER ||
            reason == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH) &&
        chain_left > 0) {
        chain_left--;
        client_begin_here(&chained);
    }
    return 0;
}

START_TEST(connects_from_inside_callbacks)
{
    enum { LINKS = 12 };
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peers[LINKS + 1];

    client_hook = chain;
    chained = (struct client){.port = server->port, .protocol = "chat"};
    chain_left = LINKS;
    client_begin(loop, &(struct client){.port = server->port, .protocol = "chat"});
    for (size_t i = 0; i <= LINKS; i++) {
        peers[i] = ws_serve(server, "chat");
        ws_send_frame(peers[i], WS_FIN | WS_TEXT, "next", 4);
    }
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, LINKS + 1);
    for (size_t i = 0; i <= LINKS; i++) {
        ws_finish(peers[i]);
        ws_free(peers[i]);
    }
    server_wait(loop, LWS_CALLBACK_CLOSED, LINKS + 1);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

/* Again and again until somebody listens. */
static int retry(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR && chain_left > 0) {
        if (--chain_left == 0)
            chained.port = *(int *)server_user(server_here());
        client_begin_here(&chained);
    }
    return 0;
}

START_TEST(connects_again_after_an_error)
{
    struct ws_server *server = ws_listen(NULL, 0);
    struct server_options options = {.user = &server->port};
    struct server *loop = client_start(&options);
    struct ws_client *peer;

    client_hook = retry;
    chained = (struct client){.port = 1, .protocol = "chat"};
    chain_left = 50;
    client_begin(loop, &(struct client){.port = 1, .protocol = "chat"});
    peer = ws_serve(server, "chat");
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 50);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

struct crowd {
    int port;
    int count;
};

static void begin_crowd(struct server *loop, void *argument)
{
    const struct crowd *crowd = argument;

    (void)loop;
    for (int i = 0; i < crowd->count; i++) {
        struct client client = {.port = crowd->port, .protocol = "chat"};

        client_begin_here(&client);
    }
}

START_TEST(connects_many_at_once)
{
    enum { MANY = 200 };
    struct server *loop = client_start(NULL);
    struct ws_server *server = ws_listen(NULL, 0);
    struct crowd crowd = {.port = server->port, .count = (int)harness_scale(MANY, 40)};
    struct ws_client *peers[MANY];

    server_run(loop, begin_crowd, &crowd);
    for (int i = 0; i < crowd.count; i++)
        peers[i] = ws_serve(server, "chat");
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, (size_t)crowd.count);
    for (int i = 0; i < crowd.count; i++) {
        ws_finish(peers[i]);
        ws_free(peers[i]);
    }
    server_wait(loop, LWS_CALLBACK_CLOSED, (size_t)crowd.count);
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static int say_hello(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE)
        ck_assert_int_eq(send_text(wsi, "hello"), 5);
    else if (reason == LWS_CALLBACK_CLIENT_RECEIVE)
        return -1;
    return 0;
}

/* The library at both ends, each on a loop of its own. */
START_TEST(talks_to_the_librarys_server)
{
    enum { MANY = 100 };
    struct server *server = server_start(NULL);
    struct server_options options = {.protocols = client_protocols};
    struct server *loop;
    struct crowd crowd = {.port = server_port(server), .count = (int)harness_scale(MANY, 20)};

    client_hook = say_hello;
    client_protocols[CLIENT_CHAT].name = "echo";
    loop = client_start(&options);
    for (int i = 0; i < crowd.count; i++)
        client_begin(loop, &(struct client){.port = crowd.port, .protocol = "echo"});
    server_wait(loop, LWS_CALLBACK_CLOSED, (size_t)crowd.count);
    server_wait(server, LWS_CALLBACK_CLOSED, (size_t)crowd.count);
    for (size_t i = 0; i < (size_t)crowd.count; i++) {
        ck_assert_str_eq(
            (char *)server_record(loop, LWS_CALLBACK_CLIENT_RECEIVE, i)->bytes, "hello");
        ck_assert_int_eq(server_record(loop, LWS_CALLBACK_CLOSED, i)->close_code, 1000);
        ck_assert_int_eq(server_record(server, LWS_CALLBACK_CLOSED, i)->close_code, 1000);
    }
    server_stop(loop);
    server_stop(server);
}
END_TEST

static void trust_itself(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)info;
    if (harness_tls())
        extras->client_ssl_ca_filepath = certificates_path("root.pem");
}

static int both_ends(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    /* What a client has of its session memory is empty. */
    if (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLOSED)
        return echo_callback(context, wsi, reason, user, in, len);
    return say_hello(context, wsi, reason, user, in, len);
}

/* Servers and clients of one context, on one loop. */
START_TEST(talks_to_itself)
{
    enum { MANY = 100 };
    struct libwebsocket_protocols protocols[] = {default_protocols[PROTOCOL_ECHO], {.name = NULL}};
    struct server_options options = {.protocols = protocols, .adjust = trust_itself};
    struct crowd crowd = {.count = (int)harness_scale(MANY, 20)};
    struct server *server;

    protocols[0].name = "chat";
    protocols[0].callback = both_ends;
    server = server_start(&options);
    crowd.port = server_port(server);
    server_run(server, begin_crowd, &crowd);
    server_wait(server, LWS_CALLBACK_CLOSED, 2 * (size_t)crowd.count);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_CLIENT_RECEIVE), (size_t)crowd.count);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_RECEIVE), (size_t)crowd.count);
    server_stop(server);
}
END_TEST

Suite *client_connect_suite(void)
{
    Suite *suite = suite_create("client connect");
    TCase *calls = harness_case("calls");
    TCase *places = harness_case("places");

    tcase_add_test(calls, connects);
    tcase_add_loop_test(calls, is_harmless_before_it_is_established, 0, 2);
    tcase_add_test(calls, has_the_callers_memory);
    tcase_add_loop_test(calls, keeps_memory_made_before_the_answer, 0, 2);
    tcase_add_loop_test(calls, refuses_nonsense, 0, (int)(sizeof nonsense / sizeof nonsense[0]));
    tcase_add_test(calls, refuses_no_address);
    tcase_add_test(calls, refuses_more_than_max_connections);
    tcase_add_test(calls, tells_that_it_is_refused);
    tcase_add_loop_test(calls, connects_to_addresses, 0, 4);
    tcase_add_test(calls, connects_to_a_path);
    tcase_add_test(calls, refuses_a_path_that_is_too_long);
    suite_add_tcase(suite, calls);

    tcase_add_test(places, connects_from_inside_callbacks);
    tcase_add_test(places, connects_again_after_an_error);
    tcase_add_test(places, connects_many_at_once);
    tcase_add_test(places, talks_to_the_librarys_server);
    tcase_add_test(places, talks_to_itself);
    suite_add_tcase(suite, places);
    return suite;
}
