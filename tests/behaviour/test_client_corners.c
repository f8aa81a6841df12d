/* Clients where the way to a server has corners: sockets that connect at once, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <lws_uv.h>

#include "client_ground.h"
#include "suites.h"

/* A Unix-domain socket in a folder of its own, with room for `backlog` and one more. */
struct local {
    char folder[64];
    struct sockaddr_un name;
    char address[128];
    int listener;
};

static void local_open(struct local *local, int backlog)
{
    strcpy(local->folder, "/tmp/lwsloop-corners-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(local->folder));
    memset(&local->name, 0, sizeof local->name);
    local->name.sun_family = AF_UNIX;
    snprintf(local->name.sun_path, sizeof local->name.sun_path, "%s/socket", local->folder);
    snprintf(local->address, sizeof local->address, "unix:%s", local->name.sun_path);
    local->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(local->listener, 0);
    ck_assert_int_eq(bind(local->listener, (struct sockaddr *)&local->name, sizeof local->name), 0);
    ck_assert_int_eq(listen(local->listener, backlog), 0);
}

static void local_hide(struct local *local)
{
    close(local->listener);
    unlink(local->name.sun_path);
    rmdir(local->folder);
}

/* Takes its bytes until the other end of them is there. */
static void expect_request_at(int fd)
{
    char head[2048];
    size_t have = 0;

    do {
        ssize_t got = recv(fd, head + have, sizeof head - 1 - have, 0);

        ck_assert_int_gt(got, 0);
        have += (size_t)got;
        head[have] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
    ck_assert_int_eq(strncmp(head, "GET / HTTP/1.1\r\n", 16), 0);
}

/* The queue is as full as it gets by the client's own connection, and then gone altogether. */
START_TEST(connects_to_a_socket_that_takes_one)
{
    struct server *loop = client_start(NULL);
    struct local local;
    struct client client = {.protocol = "chat"};
    int fd;

    local_open(&local, 0);
    client.address = local.address;
    client_begin(loop, &client);
    fd = accept(local.listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    local_hide(&local);
    expect_request_at(fd);
    close(fd);
    client_expect_error(loop, 0, "");
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 1);
    server_stop(loop);
}
END_TEST

START_TEST(waits_for_room_in_a_queue)
{
    enum { MOST = 16 };
    struct server *loop = client_start(NULL);
    struct local local;
    struct client client = {.protocol = "chat"};
    int others[MOST];
    size_t count = 0;
    int fd;

    local_open(&local, 0);
    client.address = local.address;
    for (;;) {
        ck_assert_uint_lt(count, MOST);
        others[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(others[count], 0);
        if (connect(others[count], (struct sockaddr *)&local.name, sizeof local.name) != 0)
            break;
        count++;
    }
    ck_assert_int_eq(errno, EAGAIN);
    close(others[count]);
    client_begin(loop, &client);
    usleep(200000);
    ck_assert_uint_eq(server_count(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR), 0);
    for (size_t i = 0; i < count; i++) {
        fd = accept(local.listener, NULL, NULL);
        ck_assert_int_ge(fd, 0);
        close(fd);
        close(others[i]);
    }
    fd = accept(local.listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    local_hide(&local);
    expect_request_at(fd);
    close(fd);
    client_expect_error(loop, 0, "");
    server_stop(loop);
}
END_TEST

START_TEST(gives_up_a_queue_that_stays_full)
{
    struct server_options options = {.extras = {.connect_timeout_ms = 300}};
    struct server *loop = client_start(&options);
    struct local local;
    struct client client = {.protocol = "chat"};
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    local_open(&local, 0);
    client.address = local.address;
    ck_assert_int_eq(connect(other, (struct sockaddr *)&local.name, sizeof local.name), 0);
    client_begin(loop, &client);
    client_expect_error(loop, 0, "connect timed out");
    close(other);
    local_hide(&local);
    server_stop(loop);
}
END_TEST

static char told[64];

static int telling_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    (void)user;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
        snprintf(told, sizeof told, "%.*s", (int)len, (const char *)in);
    return 0;
}

/* A loop that ends when nothing is left to wait for has to be kept until the client is told. */
START_TEST(keeps_a_loop_until_the_client_is_told)
{
    static const struct {
        const char *address;
        const char *reason;
    } ways[] = {
        {"unix:/nonexistent/socket", "no such file or directory"},
        {"127.0.0.1", "connection refused"},
    };
    struct libwebsocket_protocols protocols[] = {
        {.name = "chat", .callback = telling_callback}, {0}};
    struct lws_context_creation_info info = {.protocols = protocols, .gid = -1, .uid = -1};
    struct libwebsocket_context *context = libwebsocket_create_context(&info);
    struct ws_server *nobody = ws_listen(NULL, 0);
    int port = nobody->port;
    uv_loop_t loop;

    ws_server_free(nobody);
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(lws_uv_attach(context, &loop), 0);
    told[0] = '\0';
    ck_assert_ptr_nonnull(libwebsocket_client_connect(
        context, ways[_i].address, port, 0, NULL, NULL, NULL, "chat", -1));
    ck_assert_str_eq(told, "");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(told, ways[_i].reason);
    libwebsocket_context_destroy(context);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

/* Ends the client and serves inside the callback that comes before TLS begins. */
static int ending_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct client *client = server_user(server_here());

    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS && client->wsi != NULL) {
        ck_assert_int_eq(lws_close(client->wsi, 1000, NULL, 0), 0);
        ck_assert_int_eq(libwebsocket_service_fd(context, NULL), 0);
    }
    return 0;
}

static void without_files(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    info->ssl_ca_filepath = NULL;
    extras->client_ssl_ca_filepath = NULL;
}

START_TEST(ends_before_tls_begins)
{
    struct client client = {.ssl = 1, .protocol = "chat"};
    struct server_options options = {
        .extras = {.connect_timeout_ms = 60000, .tls_timeout_ms = 60000},
        .adjust = without_files,
        .user = &client};
    struct server *loop;
    struct ws_server *server = ws_listen(NULL, 0);

    client_hook = ending_callback;
    loop = client_start(&options);
    client.port = server->port;
    client_begin(loop, &client);
    client_expect_error(loop, 0, "given up by the program");
    ws_server_free(server);
    server_stop(loop);
}
END_TEST

static const char *const answers[] = {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n"};

/* One that goes on without the question is no proxy. */
START_TEST(takes_no_answer_that_nobody_asked_for)
{
    struct server *loop = client_start(NULL);
    struct ws_server *proxy = ws_listen(NULL, 0);
    struct client client = {.address = "[::1]", .port = 7, .protocol = "chat"};
    struct ws_client *peer;
    char address[64];

    proxy->plain = true;
    snprintf(address, sizeof address, "127.0.0.1:%d", proxy->port);
    ck_assert_int_eq(client_set_proxy(loop, address), 0);
    client_begin(loop, &client);
    peer = ws_accept(proxy);
    ws_send_text(peer, answers[_i]);
    ws_shutdown(peer);
    /* Whether it came before or after the question, the end is one. */
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
    ws_free(peer);
    ws_server_free(proxy);
    server_stop(loop);
}
END_TEST

Suite *client_corners_suite(void)
{
    Suite *suite = suite_create("client corners");
    TCase *corners = harness_case("corners");

    if (!harness_tls()) {
        tcase_add_test(corners, connects_to_a_socket_that_takes_one);
        tcase_add_test(corners, waits_for_room_in_a_queue);
    }
    tcase_add_test(corners, gives_up_a_queue_that_stays_full);
    if (harness_loop() == LOOP_UV && !harness_tls())
        tcase_add_loop_test(corners, keeps_a_loop_until_the_client_is_told, 0, 2);
    tcase_add_test(corners, ends_before_tls_begins);
    tcase_add_loop_test(corners, takes_no_answer_that_nobody_asked_for, 0, 2);
    suite_add_tcase(suite, corners);
    return suite;
}
