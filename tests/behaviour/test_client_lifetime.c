/* The end of clients, at every stage of their way and from every place. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/fake_names.h"
#include "../support/tls_stream.h"
#include "client_ground.h"
#include "suites.h"

enum stage {
    STAGE_LOOK_UP,
    STAGE_CONNECT,
    STAGE_PROXY,
    STAGE_TLS,
    STAGE_HANDSHAKE,
    STAGE_ANSWER,
    STAGE_ESTABLISHED,
    STAGES
};

static const struct fake_name names[] = {
    {.name = "never.test", .delay_ms = 60000, .addresses = {"127.0.0.1"}},
    {.name = NULL},
};

/* A client that has come so far and no further. */
struct scene {
    struct server *loop;
    struct ws_server *server;
    struct ws_client *peer;
    struct client client;
};

static struct scene set_scene(enum stage stage, const struct server_options *options)
{
    struct scene scene = {.loop = NULL};
    char proxy[64];
    char *request;

    fake_names(names);
    scene.loop = client_start(options);
    scene.server = stage == STAGE_CONNECT ? ws_listen_deaf(NULL, 0) : ws_listen(NULL, 0);
    scene.server->plain = stage == STAGE_PROXY;
    scene.client = (struct client){.port = scene.server->port, .protocol = "chat"};
    if (stage == STAGE_LOOK_UP)
        scene.client.address = "never.test";
    if (stage == STAGE_TLS)
        scene.client.ssl = 1;
    if (stage == STAGE_PROXY) {
        snprintf(proxy, sizeof proxy, "127.0.0.1:%d", scene.server->port);
        ck_assert_int_eq(client_set_proxy(scene.loop, proxy), 0);
    }
    client_begin(scene.loop, &scene.client);
    if (stage <= STAGE_CONNECT)
        return scene;
    scene.peer = ws_accept(scene.server);
    if (stage == STAGE_TLS) {
        /* The first bytes of its hello, as they are. */
        ck_assert(ws_wait_for(scene.peer, POLLIN, ws_now_ms() + WS_PATIENCE_MS));
        return scene;
    }
    request = ws_receive_request(scene.peer);
    if (stage == STAGE_ANSWER)
        ws_send_text(scene.peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: web");
    if (stage == STAGE_ESTABLISHED) {
        char *answer = ws_acceptance(request, "chat", NULL);

        ws_send_text(scene.peer, answer);
        free(answer);
        server_wait(scene.loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    }
    free(request);
    return scene;
}

static void clear_scene(struct scene *scene)
{
    fake_names_release();
    server_stop(scene->loop);
    ws_free(scene->peer);
    ws_server_free(scene->server);
}

static void expect_one_end(const struct scene *scene, enum stage stage, const char *why)
{
    if (stage == STAGE_ESTABLISHED) {
        server_wait(scene->loop, LWS_CALLBACK_CLOSED, 1);
    } else {
        client_expect_error(scene->loop, 0, why);
        ck_assert_uint_eq(server_count(scene->loop, LWS_CALLBACK_CLOSED), 0);
    }
}

static void destroy(struct server *loop, void *argument)
{
    (void)argument;
    server_destroy_context(loop);
}

static int64_t begin_ms;

START_TEST(is_destroyed)
{
    struct scene scene = set_scene((enum stage)_i, NULL);

    begin_ms = ws_now_ms();
    server_run(scene.loop, destroy, NULL);
    expect_one_end(&scene, (enum stage)_i, "being destroyed");
    ck_assert_int_lt(ws_now_ms() - begin_ms, 3000);
    clear_scene(&scene);
}
END_TEST

static void give_up(struct server *loop, void *argument)
{
    (void)loop;
    ck_assert_int_eq(lws_close(argument, 1000, NULL, 0), 0);
}

START_TEST(is_given_up)
{
    struct server_options options = {.extras = {.close_timeout_ms = 300}};
    struct scene scene = set_scene((enum stage)_i, &options);

    server_run(scene.loop, give_up, scene.client.wsi);
    expect_one_end(&scene, (enum stage)_i, "given up");
    clear_scene(&scene);
}
END_TEST

static void set_deadline(struct server *loop, void *argument)
{
    (void)loop;
    libwebsocket_set_timeout(argument, PENDING_TIMEOUT_AWAITING_CONNECT_RESPONSE, 1);
}

START_TEST(has_a_deadline_of_the_programs)
{
    struct server_options options = {.extras = {.close_timeout_ms = 300}};
    struct scene scene = set_scene((enum stage)_i, &options);

    begin_ms = ws_now_ms();
    server_run(scene.loop, set_deadline, scene.client.wsi);
    expect_one_end(&scene, (enum stage)_i, "");
    ck_assert_int_ge(ws_now_ms() - begin_ms, 900);
    ck_assert_int_le(ws_now_ms() - begin_ms, 5000);
    clear_scene(&scene);
}
END_TEST

/* Each stage has its own, and only that. */
START_TEST(has_a_deadline_of_its_own)
{
    static const char *const whys[] = {"name look-up timed out", "connect timed out",
        "the proxy did not answer in time", "TLS handshake timed out",
        "the server did not answer in time", "the server did not answer in time"};
    struct server_options options = {.extras = {.resolve_timeout_ms = 30000,
                                         .connect_timeout_ms = 30000,
                                         .proxy_timeout_ms = 30000,
                                         .tls_timeout_ms = 30000,
                                         .handshake_timeout_ms = 30000}};
    unsigned int *members[] = {&options.extras.resolve_timeout_ms,
        &options.extras.connect_timeout_ms, &options.extras.proxy_timeout_ms,
        &options.extras.tls_timeout_ms, &options.extras.handshake_timeout_ms,
        &options.extras.handshake_timeout_ms};
    unsigned long ticks;
    struct scene scene;

    *members[_i] = 600;
    scene = set_scene((enum stage)_i, &options);
    begin_ms = ws_now_ms();
    ticks = server_ticks(scene.loop);
    client_expect_error(scene.loop, 0, whys[_i]);
    ck_assert_int_ge(ws_now_ms() - begin_ms, 300);
    ck_assert_int_le(ws_now_ms() - begin_ms, 5000);
    ck_assert_uint_ge(server_ticks(scene.loop) - ticks, harness_ticks(15));
    clear_scene(&scene);
}
END_TEST

/* The server goes in the middle. */
START_TEST(is_left_alone)
{
    struct scene scene = set_scene((enum stage)_i, NULL);

    ws_reset(scene.peer);
    scene.peer = NULL;
    expect_one_end(&scene, (enum stage)_i, "");
    clear_scene(&scene);
}
END_TEST

/* Callbacks in which the end comes, by each of the ways to ask for it. */
static enum libwebsocket_callback_reasons where;
static int how;

static int end_inside(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED && where != reason)
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
    if (reason != where)
        return 0;
    if (how == 0)
        server_destroy_context(server_here());
    else if (how == 1)
        (void)lws_close(wsi, 1000, NULL, 0);
    else
        libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_PING, 0);
    return 0;
}

static const enum libwebsocket_callback_reasons places[] = {
    LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH,
    LWS_CALLBACK_CLIENT_ESTABLISHED, LWS_CALLBACK_CLIENT_WRITEABLE, LWS_CALLBACK_CLIENT_RECEIVE,
    LWS_CALLBACK_CLIENT_RECEIVE_PONG, LWS_CALLBACK_CLOSED, LWS_CALLBACK_CLIENT_CONNECTION_ERROR};
enum { PLACES = sizeof places / sizeof places[0] };

START_TEST(ends_inside_a_callback)
{
    struct server_options options = {.extras = {.close_timeout_ms = 300}};
    struct server *loop = client_start(&options);
    struct ws_server *server = ws_listen(NULL, 0);
    struct client client = {.port = server->port, .protocol = "chat"};
    struct ws_client *peer = NULL;

    where = places[_i % PLACES];
    how = _i / PLACES;
    client_hook = end_inside;
    if (where == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        client.port = 1;
        client_begin(loop, &client);
        server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
    } else {
        unsigned char out[4096];
        struct ws_response request;
        char *answer;
        size_t length;

        client_begin(loop, &client);
        peer = ws_accept(server);
        if (where == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER) {
            if (harness_tls())
                (void)tls_handshake(peer);
            server_wait(loop, where, 1);
            /* Perhaps it comes to ask, perhaps not. */
            server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 1);
        } else {
            request.head = ws_receive_request(peer);
            answer = ws_acceptance(request.head, "chat", NULL);
            length = strlen(answer);
            memcpy(out, answer, length);
            if (where == LWS_CALLBACK_CLIENT_WRITEABLE) {
                ws_send(peer, out, length);
                server_wait(loop, where, 1);
                length = 0;
            }
            length += ws_put_frame(peer, out + length, WS_FIN | WS_PONG, "pong", 4);
            length += ws_put_frame(peer, out + length, WS_FIN | WS_TEXT, "text", 4);
            length += ws_put_frame(peer, out + length, WS_FIN | WS_CLOSE, "\x03\xe8", 2);
            (void)ws_try_send(peer, out, length);
            free(answer);
            free(request.head);
            ws_shutdown(peer);
            free(ws_receive_all(peer, NULL));
            server_wait(loop, where, 1);
            /* A deadline comes later. */
            server_wait(loop,
                where == LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH && how < 2
                    ? LWS_CALLBACK_CLIENT_CONNECTION_ERROR
                    : LWS_CALLBACK_CLOSED,
                1);
        }
    }
    server_stop(loop);
    ws_free(peer);
    ws_server_free(server);
}
END_TEST

/* Crowds at all stages at once, and the end of the context. */
START_TEST(is_destroyed_with_many)
{
    struct server *loop;
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_server *deaf = ws_listen_deaf(NULL, 0);
    struct ws_client *peers[10];
    struct client slow = {.address = "never.test", .port = server->port};
    struct client stuck = {.port = deaf->port};

    fake_names(names);
    loop = client_start(NULL);
    for (int i = 0; i < 10; i++) {
        client_begin(loop, &slow);
        client_begin(loop, &stuck);
        client_begin(loop, &(struct client){.port = server->port});
        peers[i] = ws_accept(server);
    }
    for (int i = 0; i < 5; i++) {
        char *request = ws_receive_request(peers[i]);
        char *answer = ws_acceptance(request, NULL, NULL);

        ws_send_text(peers[i], answer);
        free(answer);
        free(request);
    }
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, 5);
    server_run(loop, destroy, NULL);
    server_wait(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, 25);
    server_wait(loop, LWS_CALLBACK_CLOSED, 5);
    server_stop(loop);
    fake_names_release();
    for (int i = 0; i < 10; i++)
        ws_free(peers[i]);
    ws_server_free(deaf);
    ws_server_free(server);
}
END_TEST

/* A call on a context that ends is refused. */
static int connect_in_the_end(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)wsi;
    (void)user;
    (void)in;
    (void)len;
    if (reason != LWS_CALLBACK_CLOSED && reason != LWS_CALLBACK_CLIENT_CONNECTION_ERROR &&
        reason != LWS_CALLBACK_PROTOCOL_DESTROY)
        return 0;
    ck_assert_ptr_null(
        libwebsocket_client_connect(context, "127.0.0.1", 1, 0, "/", NULL, NULL, NULL, -1));
    ck_assert_int_eq(errno, EINVAL);
    return 0;
}

START_TEST(connects_not_in_the_end)
{
    struct scene scene;

    client_hook = connect_in_the_end;
    scene = set_scene(_i == 0 ? STAGE_HANDSHAKE : STAGE_ESTABLISHED, NULL);
    server_run(scene.loop, destroy, NULL);
    expect_one_end(&scene, _i == 0 ? STAGE_HANDSHAKE : STAGE_ESTABLISHED, "");
    clear_scene(&scene);
}
END_TEST

Suite *client_lifetime_suite(void)
{
    Suite *suite = suite_create("client lifetime");
    TCase *stages = harness_case("stages");
    TCase *insides = harness_case("inside callbacks");

    for (int stage = 0; stage < STAGES; stage++) {
        /* Where all speak TLS that stage is a part of the others. */
        if (stage == STAGE_TLS && harness_tls())
            continue;
        tcase_add_loop_test(stages, is_destroyed, stage, stage + 1);
        tcase_add_loop_test(stages, is_given_up, stage, stage + 1);
        tcase_add_loop_test(stages, has_a_deadline_of_the_programs, stage, stage + 1);
        if (stage < STAGE_ESTABLISHED)
            tcase_add_loop_test(stages, has_a_deadline_of_its_own, stage, stage + 1);
        if (stage > STAGE_CONNECT)
            tcase_add_loop_test(stages, is_left_alone, stage, stage + 1);
    }
    tcase_add_test(stages, is_destroyed_with_many);
    tcase_add_loop_test(stages, connects_not_in_the_end, 0, 2);
    suite_add_tcase(suite, stages);

    tcase_add_loop_test(insides, ends_inside_a_callback, 0, 3 * PLACES);
    suite_add_tcase(suite, insides);
    return suite;
}
