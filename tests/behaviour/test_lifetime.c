/* The life of a context: destroyed from anywhere, and created in vain. */
#include "harness.h"
#include "suites.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Destroys the context in the first callback of the reason that the test is about. */
static atomic_int fatal_reason;

static int destroying_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    if (reason == LWS_CALLBACK_RECEIVE) {
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        ck_assert_int_eq(libwebsocket_write(wsi, in, len, LWS_WRITE_TEXT), (int)len);
    }
    if ((int)reason == atomic_load(&fatal_reason)) {
        atomic_store(&fatal_reason, -1);
        server_destroy_context(server_here());
        /* It lives on until the outermost call returns. */
        ck_assert_ptr_eq(libwebsocket_context_user(context), server_here());
        libwebsocket_context_destroy(context);
        if (reason == LWS_CALLBACK_RECEIVE)
            ck_assert_str_eq(in, "go");
    }
    /* Hangs up. */
    if (reason == LWS_CALLBACK_HTTP)
        return -1;
    return 0;
}

static struct libwebsocket_protocols destroying_protocols[] = {
    {.name = "http", .callback = destroying_callback, .per_session_data_size = 16},
    {.name = "other", .callback = destroying_callback, .per_session_data_size = 16},
    {.name = NULL},
};

static const enum libwebsocket_callback_reasons fatal_reasons[] = {
    LWS_CALLBACK_FILTER_NETWORK_CONNECTION, LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION,
    LWS_CALLBACK_ESTABLISHED, LWS_CALLBACK_RECEIVE, LWS_CALLBACK_SERVER_WRITEABLE,
    LWS_CALLBACK_CLOSED, LWS_CALLBACK_HTTP, LWS_CALLBACK_CLOSED_HTTP};

START_TEST(destroys_inside_a_callback)
{
    struct server_options options = {.protocols = destroying_protocols};
    enum libwebsocket_callback_reasons reason = fatal_reasons[_i];
    bool http = reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_CLOSED_HTTP;
    struct ws_client *bystander;
    struct ws_client *client;
    struct server *server;
    unsigned long ticks;

    atomic_store(&fatal_reason, -1);
    server = server_start(&options);
    bystander = ws_open(server_port(server), "other");
    server_wait(server, LWS_CALLBACK_ESTABLISHED, 1);
    atomic_store(&fatal_reason, (int)reason);
    client = ws_connect(server_port(server));
    if (http) {
        ws_send_text(client, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
        if (reason == LWS_CALLBACK_CLOSED_HTTP) {
            free(ws_receive_all(client, NULL));
            ws_free(client);
            client = NULL;
        }
    } else {
        char *text = ws_handshake_text("/", "other", NULL);
        unsigned char out[512];
        size_t length = strlen(text);

        memcpy(out, text, length);
        length += ws_put_frame(client, out + length, WS_FIN | WS_TEXT, "go", 2);
        if (reason == LWS_CALLBACK_CLOSED)
            length += ws_put_frame(client, out + length, WS_FIN | WS_CLOSE, "\x03\xe8", 2);
        /* The server may hang up before it has read all. */
        ws_try_send(client, out, length);
        free(text);
    }

    /* The one that has nothing to do with it is told to go away. */
    server_wait(server, LWS_CALLBACK_PROTOCOL_DESTROY, 2);
    ck_assert_int_eq(atomic_load(&fatal_reason), -1);
    if (!harness_refuses_io()) {
        ws_expect_close(bystander, 1001);
        ws_expect_eof(bystander);
    }
    ws_free(bystander);
    if (client != NULL)
        free(ws_receive_all(client, NULL));
    ws_free(client);
    ck_assert_uint_eq(
        server_count(server, LWS_CALLBACK_CLOSED), server_count(server, LWS_CALLBACK_ESTABLISHED));

    /* The host's loop goes on. */
    ticks = server_ticks(server);
    while (server_ticks(server) < ticks + 3)
        usleep(1000);
    server_stop(server);
}
END_TEST

START_TEST(destroys_while_being_created)
{
    struct server_options options = {.protocols = destroying_protocols, .may_fail = true};
    struct server *server;

    atomic_store(&fatal_reason, LWS_CALLBACK_PROTOCOL_INIT);
    server = server_start(&options);
    ck_assert_ptr_null(server_context(server));
    ck_assert_int_eq(atomic_load(&fatal_reason), -1);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_PROTOCOL_INIT),
        server_count(server, LWS_CALLBACK_PROTOCOL_DESTROY));
    server_stop(server);
}
END_TEST

static int never_called(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    (void)context;
    (void)ext;
    (void)wsi;
    (void)user;
    (void)in;
    ck_abort_msg("called with %d, %zu", (int)reason, len);
    return 0;
}

static void bad_extension(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    static struct libwebsocket_extension nameless[] = {
        {"no token", never_called, 0, NULL}, {NULL, NULL, 0, NULL}};

    (void)extras;
    info->extensions = nameless;
}

static void bad_certificate(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->ssl_cert_filepath = "/nowhere";
}

static void bad_port(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->port = 65536;
}

static void bad_interface(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->port = 1;
    info->iface = "no-such-interface";
}

static void bad_descriptor(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    static const int fds[] = {9999};

    (void)info;
    extras->listen_fds = fds;
    extras->listen_fd_count = 1;
}

static void bad_path(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)info;
    extras->unix_path = "/nowhere/at/all";
}

static void no_protocols(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->protocols = NULL;
}

static void bad_struct_size(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)info;
    extras->struct_size = 3;
}

static void (*const bad_infos[])(struct lws_context_creation_info *info,
    struct lws_context_extras *extras) = {bad_extension, bad_certificate, bad_port, bad_interface,
    bad_descriptor, bad_path, no_protocols, bad_struct_size};

/* The contract checker sees that nothing is left open; the log, that INIT and DESTROY balance. */
START_TEST(says_why_it_cannot_be_created)
{
    struct server_options options = {.may_fail = true, .adjust = bad_infos[_i]};
    struct server *server = server_start(&options);

    ck_assert_ptr_null(server_context(server));
    if (bad_infos[_i] != bad_struct_size)
        ck_assert_uint_gt(strlen(server_error(server)), 10);
    ck_assert_uint_eq(server_count(server, LWS_CALLBACK_PROTOCOL_INIT),
        server_count(server, LWS_CALLBACK_PROTOCOL_DESTROY));
    server_stop(server);
}
END_TEST

static void name_a_key(struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->ssl_private_key_filepath = "/nowhere/at/all.key";
}

/* As the documents of all generations have it. */
START_TEST(ignores_a_key_without_a_certificate)
{
    struct server_options options = {.plain = true, .adjust = name_a_key};
    struct server *server = server_start(&options);
    struct ws_client *client = ws_open(server_port(server), "echo");

    ws_send_frame(client, WS_FIN | WS_TEXT, "plain", 5);
    ws_expect_text(client, "plain");
    ws_finish(client);
    ws_free(client);
    server_stop(server);
}
END_TEST

static void listen_on_path(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)info;
    extras->unix_path = server_user(server_here());
}

START_TEST(listens_on_a_path)
{
    char folder[] = "/tmp/lwsloop-test-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct server_options options = {.adjust = listen_on_path};
    struct ws_client *client;
    struct server *server;
    struct ws_response response;
    char *text = ws_handshake_text("/", "echo", NULL);

    ck_assert_ptr_nonnull(mkdtemp(folder));
    strcpy(address.sun_path, folder);
    strcat(address.sun_path, "/socket");
    options.user = address.sun_path;
    for (int round = 0; round < 2; round++) {
        if (round == 1) {
            /* One that an earlier process left there is replaced. */
            int left = socket(AF_UNIX, SOCK_STREAM, 0);

            ck_assert_int_eq(bind(left, (struct sockaddr *)&address, sizeof address), 0);
            close(left);
        }
        server = server_start(&options);
        /* Without TLS, whatever the others do. */
        client = ws_adopt(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&address, sizeof address), 0);
        ws_send_text(client, text);
        response = ws_receive_head(client);
        ck_assert_int_eq(response.status, 101);
        ws_response_free(&response);
        ws_finish(client);
        ws_free(client);
        server_stop(server);
        ck_assert_int_ne(access(address.sun_path, F_OK), 0);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    free(text);
}
END_TEST

Suite *lifetime_suite(void)
{
    Suite *suite = suite_create("lifetime");
    TCase *creation = harness_case("creation");
    TCase *destruction = harness_case("destruction");

    tcase_add_loop_test(
        creation, says_why_it_cannot_be_created, 0, sizeof bad_infos / sizeof bad_infos[0]);
    tcase_add_test(creation, ignores_a_key_without_a_certificate);
    tcase_add_test(creation, listens_on_a_path);
    suite_add_tcase(suite, creation);

    tcase_add_loop_test(
        destruction, destroys_inside_a_callback, 0, sizeof fatal_reasons / sizeof fatal_reasons[0]);
    tcase_add_test(destruction, destroys_while_being_created);
    suite_add_tcase(suite, destruction);
    return suite;
}
