/* Clients that go through an HTTP proxy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/fake_names.h"
#include "../support/tls_stream.h"
#include "client_ground.h"
#include "suites.h"

static struct ws_server *listen_as_proxy(void)
{
    struct ws_server *proxy = ws_listen(NULL, 0);

    proxy->plain = true;
    return proxy;
}

/* A proxy's address, with its port in place of the '#'. */
static const char *address_of(const struct ws_server *proxy, const char *form)
{
    static char address[128];

    snprintf(address, sizeof address, "%.*s%d%s", (int)strcspn(form, "#"), form, proxy->port,
        strchr(form, '#') + 1);
    return address;
}

/* A server with a certificate that is for 127.0.0.1, at a port that nobody listens at. */
static const struct client beyond = {.address = "127.0.0.1", .port = 7, .protocol = "chat"};

/* Has the other end of the tunnel speak TLS where the tests do. */
static void begin_tunnel(struct ws_client *peer)
{
    const struct tls_files files = {
        .certificate = certificates_path("server.pem"), .key = certificates_path("server.key")};
    static SSL_CTX *settings;

    if (!harness_tls())
        return;
    if (settings == NULL)
        settings = tls_server_settings(&files);
    tls_carry_server(peer, settings);
}

static void serve_tunnel(struct server *loop, struct ws_client *peer)
{
    size_t before = server_count(loop, LWS_CALLBACK_CLIENT_ESTABLISHED);
    char *request;
    char *answer;

    begin_tunnel(peer);
    request = ws_receive_request(peer);
    ck_assert_int_eq(strncmp(request, "GET / HTTP/1.1\r\n", 16), 0);
    ck_assert_ptr_null(strstr(request, "Proxy-"));
    answer = ws_acceptance(request, "chat", NULL);
    ws_send_text(peer, answer);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, before + 1);
    ws_send_frame(peer, WS_FIN | WS_TEXT, "through", 7);
    server_wait(loop, LWS_CALLBACK_CLIENT_RECEIVE, before + 1);
    client_finish(loop, peer);
    free(answer);
    free(request);
}

static const struct {
    const char *address; /* # is the port */
    const char *field;   /* Proxy-Authorization */
} forms[] = {
    {"127.0.0.1:#", NULL},
    {"http://127.0.0.1:#", NULL},
    {"http://127.0.0.1:#/", NULL},
    {"localhost:#", NULL},
    {"user:pass@127.0.0.1:#", "Basic dXNlcjpwYXNz"},
    {"http://Aladdin:open%20sesame@127.0.0.1:#/", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    {"user@127.0.0.1:#", "Basic dXNlcjo="},
};

static const char *const good[] = {
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.0 200 Connection established\r\n\r\n",
    "HTTP/1.1 200 \r\nProxy-Agent: odd\r\nVia: 1.1 somebody\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 299 Odd\r\n\r\n",
    /* RFC 9110 section 9.3.6: these mean nothing here. */
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
};

static void go_through(const char *form, const char *authorization, const char *answer)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = beyond;
    struct ws_client *peer;
    char *request;
    char *field;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, form)), 0);
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    request = ws_receive_request(peer);
    ck_assert_int_eq(strncmp(request, "CONNECT 127.0.0.1:7 HTTP/1.1\r\n", 30), 0);
    field = ws_head_field(request, "Host");
    ck_assert_str_eq(field, "127.0.0.1:7");
    free(field);
    field = ws_head_field(request, "Proxy-Authorization");
    if (authorization == NULL)
        ck_assert_ptr_null(field);
    else
        ck_assert_str_eq(field, authorization);
    free(field);
    free(request);
    ws_send_text(peer, answer);
    serve_tunnel(loop, peer);
    ws_server_free(proxy);
    server_stop(loop);
}

START_TEST(takes_addresses_of_proxies)
{
    go_through(forms[_i].address, forms[_i].field, good[0]);
}
END_TEST

START_TEST(takes_answers_of_proxies)
{
    go_through("127.0.0.1:#", NULL, good[_i]);
}
END_TEST

static const char *const nonsense[] = {":8080", "host:", "host:0", "host:65536", "host:port",
    "host:80:80", "https://host:80", "socks5://host:80", "host:80/path", "user:pa ss@host:80",
    "@host:80:", "[::1", "::1:80", "ho st:80", "host:80\r\n", "a:b:c@d:e", "%zz:a@host:80"};

START_TEST(refuses_what_is_no_address)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = beyond;
    struct ws_client *peer;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    ck_assert_msg(client_set_proxy(loop, nonsense[_i]) == -1, "%s", nonsense[_i]);
    /* The one before is still it. */
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    free(ws_receive_request(peer));
    ws_free(peer);
    client_expect_error(loop, 0, "the proxy hung up");
    ws_server_free(proxy);
    server_stop(loop);
    ck_assert_int_eq(libwebsocket_set_proxy(NULL, "host:80"), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static const struct {
    const char *answer;
    const char *why;
} bad[] = {
    {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        "proxy answered 407"},
    {"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy answered 403"},
    {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n", "proxy answered 502"},
    {"HTTP/1.1 301 Moved\r\nLocation: http://localhost/\r\n\r\n", "proxy answered 301"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "proxy answered 101"},
    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "proxy: "},
    {"\x05\x01\xff\r\n\r\n", "proxy: "},
    {"HTTP/2.0 200 OK\r\n\r\n", "proxy: "},
    {"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", "proxy: "},
    {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", "the proxy sent more"},
};

START_TEST(says_what_is_wrong_with_a_proxy)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = beyond;
    struct ws_client *peer;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    free(ws_receive_request(peer));
    ws_send_text(peer, bad[_i].answer);
    client_expect_error(loop, 0, bad[_i].why);
    ws_expect_eof(peer);
    ws_free(peer);
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

START_TEST(survives_a_proxy_that_hangs_up)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = beyond;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    for (size_t count = 0; count < strlen(good[0]); count++) {
        struct ws_client *peer;

        client_begin(loop, &client);
        peer = ws_accept(proxy);
        free(ws_receive_request(peer));
        ws_send(peer, good[0], count);
        ws_free(peer);
        client_expect_error(loop, count, "the proxy hung up");
    }
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

START_TEST(gives_up_a_silent_proxy)
{
    struct server_options options = {.extras = {.proxy_timeout_ms = 400}};
    struct server *loop = client_start(&options);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = beyond;
    int64_t begin = ws_now_ms();
    unsigned long ticks = server_ticks(loop);
    struct ws_client *peer;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    free(ws_receive_request(peer));
    if (_i == 1)
        ws_send_text(peer, "HTTP/1.1 200 ");
    client_expect_error(loop, 0, "the proxy did not answer in time");
    ck_assert_int_ge(ws_now_ms() - begin, 380);
    ck_assert_int_le(ws_now_ms() - begin, 4000);
    ck_assert_uint_ge(server_ticks(loop) - ticks, harness_ticks(10));
    ws_free(peer);
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

START_TEST(says_that_there_is_no_proxy)
{
    static const struct fake_name names[] = {
        {.name = "unknown.test", .error = -2 /* EAI_NONAME */}, {.name = NULL}};
    struct server *loop = client_start(NULL);
    struct client client = beyond;

    fake_names(names);
    ck_assert_int_eq(client_set_proxy(loop, "127.0.0.1:1"), 0);
    client_begin(loop, &client);
    client_expect_error(loop, 0, "connection refused");
    ck_assert_int_eq(client_set_proxy(loop, "unknown.test:80"), 0);
    client_begin(loop, &client);
    client_expect_error(loop, 1, "host not found");
    server_stop(loop);
}
END_TEST

/* Names are looked up by the proxy. */
START_TEST(leaves_names_to_the_proxy)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct client client = {.address = _i == 0 ? "nowhere.test" : "::1", .port = 7};
    struct ws_client *peer;
    char *request;

    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    request = ws_receive_request(peer);
    ck_assert_ptr_nonnull(
        strstr(request, _i == 0 ? "CONNECT nowhere.test:7 HTTP/1.1\r\nHost: nowhere.test:7\r\n"
                                : "CONNECT [::1]:7 HTTP/1.1\r\nHost: [::1]:7\r\n"));
    free(request);
    ws_free(peer);
    client_expect_error(loop, 0, "the proxy hung up");
    ck_assert_uint_eq(fake_names_begun(), 0);
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

/* No proxy any more; and never for a socket of this machine. */
START_TEST(goes_past_the_proxy)
{
    char folder[] = "/tmp/lwsloop-test-XXXXXX";
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = listen_as_proxy();
    struct ws_server *server;
    struct client client = {0};
    char path[64];
    char address[80];
    struct ws_client *peer;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    ck_assert_int_eq(client_set_proxy(loop, address_of(proxy, "127.0.0.1:#")), 0);
    server = ws_listen_unix(path);
    client.address = address;
    client.protocol = "chat";
    client_begin(loop, &client);
    peer = ws_serve(server, "chat");
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    client_finish(loop, peer);
    ws_server_free(server);

    ck_assert_int_eq(client_set_proxy(loop, _i == 0 ? NULL : ""), 0);
    server = ws_listen(NULL, 0);
    peer = client_open(loop, server, NULL);
    client_finish(loop, peer);
    ck_assert(!ws_is_called(proxy, 0));
    ws_server_free(server);
    ws_server_free(proxy);
    server_stop(loop);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* From the extras, from the environment where that was asked for, and not otherwise. */
START_TEST(finds_its_proxy)
{
    struct ws_server *proxy = listen_as_proxy();
    struct server_options options = {.extras = {.http_proxy_from_environment = _i != 2}};
    struct client client = beyond;
    struct server *loop;
    struct ws_client *peer;

    if (_i == 0)
        options.extras.http_proxy = address_of(proxy, "127.0.0.1:#");
    ck_assert_int_eq(
        setenv("http_proxy", _i == 0 ? "127.0.0.1:1" : address_of(proxy, "http://127.0.0.1:#/"), 1),
        0);
    loop = client_start(&options);
    client.port = 1;
    client_begin(loop, &client);
    if (_i == 2) {
        client_expect_error(loop, 0, "connection refused");
        ck_assert(!ws_is_called(proxy, 0));
    } else {
        peer = ws_accept(proxy);
        free(ws_receive_request(peer));
        ws_send_text(peer, good[0]);
        serve_tunnel(loop, peer);
    }
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

START_TEST(refuses_a_proxy_that_is_none)
{
    struct server_options options = {.may_fail = true, .extras = {.http_proxy = "host:port"}};
    struct server *loop;

    if (_i == 1) {
        options.extras.http_proxy = NULL;
        options.extras.http_proxy_from_environment = 1;
        ck_assert_int_eq(setenv("http_proxy", "socks5://host:80", 1), 0);
    }
    loop = client_start(&options);
    ck_assert_ptr_null(server_context(loop));
    ck_assert_str_ne(server_error(loop), "");
    server_stop(loop);
}
END_TEST

Suite *client_proxy_suite(void)
{
    Suite *suite = suite_create("client proxy");
    TCase *forms_case = harness_case("addresses");
    TCase *ways = harness_case("ways");
    int bad_count = (int)(sizeof bad / sizeof bad[0]);

    /* What comes byte by byte behind an answer is not known for the proxy's. */
    if (harness_cut())
        bad_count--;
    tcase_add_loop_test(
        forms_case, takes_addresses_of_proxies, 0, (int)(sizeof forms / sizeof forms[0]));
    tcase_add_loop_test(
        forms_case, refuses_what_is_no_address, 0, (int)(sizeof nonsense / sizeof nonsense[0]));
    tcase_add_loop_test(forms_case, finds_its_proxy, 0, 3);
    tcase_add_loop_test(forms_case, refuses_a_proxy_that_is_none, 0, 2);
    suite_add_tcase(suite, forms_case);

    tcase_add_loop_test(ways, takes_answers_of_proxies, 0, (int)(sizeof good / sizeof good[0]));
    tcase_add_loop_test(ways, says_what_is_wrong_with_a_proxy, 0, bad_count);
    tcase_add_test(ways, survives_a_proxy_that_hangs_up);
    tcase_add_loop_test(ways, gives_up_a_silent_proxy, 0, 2);
    tcase_add_test(ways, says_that_there_is_no_proxy);
    tcase_add_loop_test(ways, leaves_names_to_the_proxy, 0, 2);
    tcase_add_loop_test(ways, goes_past_the_proxy, 0, 2);
    suite_add_tcase(suite, ways);
    return suite;
}
