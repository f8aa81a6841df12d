/* A context in two processes: who serves, who ends, and who notices. */
#include "ground.h"
#include "suites.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/children.h"
#include "../support/tls_stream.h"
#include "../support/ws_client.h"
#include "../support/ws_server.h"

static void carry_by_tls(struct ws_client *client)
{
    static SSL_CTX *settings;
    const struct tls_files files = {.authorities = certificates_path("root.pem")};

    if (!settings)
        settings = tls_client_settings(&files);
    tls_carry_client(client, settings);
}

START_TEST(child_goes_on_without_its_parent)
{
    struct ws_client *first, *second;

    options.tls = _i % 2 != 0;
    if (options.tls)
        ws_carry(carry_by_tls);
    start((enum host_loop)(_i / 2));
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    first = ws_open(port, "news");
    expect_echo(first, "of the parent");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    expect_echo(first, "of the child");
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    expect_echo(first, "still there");
    end_program();
    expect_echo(first, "all alone");
    second = ws_open(port, "news");
    expect_echo(second, "new");
    ck_assert_int_eq(ask(CHILD, PAUSE), 0);
    ck_assert_int_eq(ask(CHILD, DESTROY), 0);
    ws_expect_close(first, 1001);
    ws_expect_close(second, 1001);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ws_free(first);
    ws_free(second);
}
END_TEST

START_TEST(child_sends_what_was_left_to_be_sent)
{
    struct ws_client *client;
    struct ws_frame frame;

    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    client = ws_open(port, "news");
    expect_echo(client, "before");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_eq(ask(PARENT, WRITE_LARGE), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    /* It has served by the time it answers for the second time. */
    ck_assert_int_eq(ask(CHILD, TURN), 0);
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    end_program();
    ws_receive_frame(client, &frame);
    ck_assert_uint_eq(frame.length, PROGRAM_LARGE);
    /* All are what the first is. */
    ck_assert_int_eq(frame.payload[0], 'l');
    ck_assert_mem_eq(frame.payload, frame.payload + 1, frame.length - 1);
    ws_frame_free(&frame);
    expect_echo(client, "after");
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ws_free(client);
}
END_TEST

START_TEST(child_goes_on_connecting)
{
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;

    role_peer_port = server->port;
    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, CONNECT), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    end_program();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    peer = ws_serve(server, "news");
    ask_until(CHILD, ESTABLISHED, 1);
    ck_assert_int_eq(ask(CHILD, WRITE), 0);
    ws_expect_text(peer, "m");
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ws_free(peer);
    ws_server_free(server);
}
END_TEST

START_TEST(looking_up_a_name_is_the_parents)
{
    struct ws_server *server = ws_listen(NULL, 0);
    struct ws_client *peer;

    role_peer_port = server->port;
    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, CONNECT_BY_NAME), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    ask_until(CHILD, FAILED, 1);
    ck_assert_int_eq(ask(CHILD, DESTROY), 0);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    peer = ws_serve(server, "news");
    ask_until(PARENT, ESTABLISHED, 1);
    ck_assert_int_eq(ask(PARENT, FAILED), 0);
    end_program();
    ws_free(peer);
    ws_server_free(server);
}
END_TEST

/* The timer is the parent's own, whatever a child does with the descriptor. */
static void expect_pings(struct ws_client *client)
{
    for (int i = 0; i < 2; i++) {
        struct ws_frame frame;

        ws_receive_frame(client, &frame);
        ck_assert_int_eq(frame.first, WS_FIN | WS_PING);
        ws_send_frame(client, WS_FIN | WS_PONG, frame.payload, frame.length);
        ws_frame_free(&frame);
    }
}

/* One that may come first is not answered: the next one waits for that. */
static void expect_text_among_pings(struct ws_client *client, const char *text)
{
    struct ws_frame frame;

    ws_receive_frame(client, &frame);
    if (frame.first == (WS_FIN | WS_PING)) {
        ws_frame_free(&frame);
        ws_receive_frame(client, &frame);
        ws_send_frame(client, WS_FIN | WS_PONG, "", 0);
    }
    ck_assert_int_eq(frame.first, WS_FIN | WS_TEXT);
    ck_assert_str_eq((char *)frame.payload, text);
    ws_frame_free(&frame);
}

static const char *const ways[] = {"x", "dx", "ax", "adx", "ndx", "abdx"};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

START_TEST(parent_goes_on_without_its_child)
{
    const char *way = ways[_i % WAYS];
    struct ws_client *client;

    options.ping_interval_ms = 20;
    start((enum host_loop)(_i / WAYS));
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    client = ws_open(port, "news");
    expect_pings(client);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    for (; *way; way++) {
        int error = *way == ADOPT && shares_its_loop() ? EBUSY : 0;

        ck_assert_int_eq(ask(CHILD, *way), error);
        /* What is broadcast comes as a message, in between. */
        if (*way == BROADCAST)
            expect_text_among_pings(client, "nnnn");
        expect_pings(client);
    }
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ws_free(client);
    end_program();
}
END_TEST

/* Each has connections and timers of its own. */
START_TEST(both_serve)
{
    struct ws_client *of_parent, *of_child;

    options.ping_interval_ms = 20;
    start((enum host_loop)_i);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    of_parent = ws_open(port, "news");
    ask_until(PARENT, ESTABLISHED, 1);
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    of_child = ws_open(port, "news");
    ask_until(CHILD, ESTABLISHED, 1);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    for (int i = 0; i < 5; i++) {
        expect_pings(of_parent);
        expect_pings(of_child);
    }
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    expect_pings(of_parent);
    end_program();
    ws_free(of_parent);
    ws_free(of_child);
}
END_TEST

static void collect_masks(struct ws_client *peer, unsigned char masks[][4], int count)
{
    for (int i = 0; i < count; i++) {
        struct ws_frame frame;

        ws_receive_frame(peer, &frame);
        ck_assert(frame.masked);
        memcpy(masks[i], frame.mask, 4);
        ws_frame_free(&frame);
    }
}

START_TEST(masks_are_never_the_same)
{
    enum { EACH = 100 };
    struct ws_server *server = ws_listen(NULL, 0);
    unsigned char masks[3 * EACH][4];
    struct ws_client *peer;
    int same = 0;

    role_peer_port = server->port;
    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, CONNECT), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    peer = ws_serve(server, "news");
    ask_until(PARENT, ESTABLISHED, 1);
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    /* Some of what the generator gave is left for both. */
    ck_assert_int_eq(ask(PARENT, WRITE), 0);
    collect_masks(peer, masks, EACH);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, WRITE), 0);
    collect_masks(peer, masks + EACH, EACH);
    ck_assert_int_eq(ask(PARENT, WRITE), 0);
    collect_masks(peer, masks + 2 * EACH, EACH);
    for (int i = 0; i < 3 * EACH; i++)
        for (int j = 0; j < i; j++)
            same += memcmp(masks[i], masks[j], 4) == 0;
    /* Once may be chance. */
    ck_assert_int_le(same, 1);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    end_program();
    ws_free(peer);
    ws_server_free(server);
}
END_TEST

START_TEST(calls_are_made_in_each)
{
    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, CALL), 0);
    ck_assert_int_gt(ask(PARENT, FORK), 0);
    ck_assert_int_eq(ask(CHILD, CALL), EPIPE);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, CALL), 0);
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    ask_until(CHILD, COUNT, 2);
    ck_assert_int_eq(ask(PARENT, COUNT), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    ask_until(PARENT, COUNT, 1);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    end_program();
}
END_TEST

/* What the callback has written goes out once. */
START_TEST(fork_inside_a_callback)
{
    struct ws_client *client;

    start((enum host_loop)_i);
    ck_assert_int_eq(ask(PARENT, FORK_INSIDE), 0);
    ck_assert_int_eq(ask(PARENT, SERVE), 0);
    client = ws_open(port, "news");
    for (int i = 0; i < 20; i++)
        expect_echo(client, "once");
    ck_assert_int_eq(ask(PARENT, PAUSE), 0);
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ws_expect_close(client, 1001);
    ws_free(client);
    end_program();
}
END_TEST

static int connect_error(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;

    ck_assert_int_ge(fd, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return error;
}

/* What a process had is closed one by one as it is killed. */
static void expect_nobody_listens(void)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;

    while (connect_error() != ECONNREFUSED)
        ck_assert_msg(ws_now_ms() < deadline, "somebody listens");
}

START_TEST(who_renounces_can_broadcast)
{
    struct ws_client *client;
    pid_t child;

    start((enum host_loop)_i);
    ck_assert_int_gt(child = ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    client = ws_open(port, "news");
    expect_echo(client, "of the child");
    ck_assert_int_eq(ask(PARENT, RENOUNCE), 0);
    ck_assert_int_eq(ask(PARENT, RENOUNCE), 0);
    expect_echo(client, "still there");
    ck_assert_int_eq(ask(PARENT, BROADCAST), 0);
    ws_expect_text(client, "nnnn");
    ck_assert_int_eq(ask(PARENT, ADOPT), EPIPE);
    ck_assert_int_eq(ask(PARENT, CALL), EPIPE);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ask_until(PARENT, BROADCAST, EPIPE);
    ws_expect_eof(client);
    expect_nobody_listens();
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ws_free(client);
    end_program();
}
END_TEST

static bool is_socket(const char *path)
{
    struct stat status;

    if (lstat(path, &status) == 0)
        return S_ISSOCK(status.st_mode);
    ck_assert_int_eq(errno, ENOENT);
    return false;
}

/* Whoever is the last that could serve it, though another one did. */
START_TEST(the_last_removes_the_path)
{
    char folder[] = "/tmp/lwsloop-path-XXXXXX";
    bool killed = _i % 2 != 0;
    struct ws_client *peer;
    char path[64];
    pid_t child;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    options.unix_path = path;
    start((enum host_loop)(_i / 2));
    ck_assert(is_socket(path));
    ck_assert_int_gt(child = ask(PARENT, FORK), 0);
    adopt_in_child();
    ck_assert_int_eq(ask(CHILD, SERVE), 0);
    /* That it begins to is no sign that it has. */
    peer = ws_open(port, "news");
    if (killed) {
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ask_until(PARENT, BROADCAST, EPIPE);
        ck_assert(is_socket(path));
    }
    ck_assert_int_eq(ask(PARENT, DESTROY), 0);
    ck_assert_int_eq(is_socket(path), !killed);
    if (!killed) {
        ck_assert_int_eq(ask(CHILD, PAUSE), 0);
        ck_assert_int_eq(ask(CHILD, DESTROY), 0);
        ck_assert(!is_socket(path));
        ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    }
    end_program();
    ws_free(peer);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* Of a process, after which it has given up the context; or it was destroyed, and is not there. */
static void expect_calls_and_an_end(enum role role, bool destroys)
{
    enum { GIVEN = 3 };
    int before = ask(role, COUNT);
    int destroyed = ask(role, DESTROYED);

    for (int i = 0; i < GIVEN - 1; i++)
        ck_assert_int_eq(ask(role, CALL), 0);
    ck_assert_int_eq(ask(role, destroys ? CALL_TO_DESTROY : CALL), 0);
    ck_assert_int_eq(ask(role, COUNT), before);
    ck_assert_int_eq(ask(role, RENOUNCE), 0);
    ck_assert_int_eq(ask(role, COUNT), before + GIVEN);
    if (destroys) {
        ck_assert_int_gt(ask(role, DESTROYED), destroyed);
        return;
    }
    ck_assert_int_eq(ask(role, DESTROYED), destroyed);
    ck_assert_int_eq(ask(role, CALL), EPIPE);
    ck_assert_int_eq(ask(role, DESTROY), 0);
}

START_TEST(who_renounces_is_called_before)
{
    enum role role = _i / HOST_LOOPS % 2 ? CHILD : PARENT;

    start((enum host_loop)(_i % HOST_LOOPS));
    if (role == CHILD) {
        ck_assert_int_gt(ask(PARENT, FORK), 0);
        adopt_in_child();
    }
    expect_calls_and_an_end(role, _i / HOST_LOOPS / 2);
    if (role == CHILD)
        ck_assert_int_eq(ask(CHILD, LEAVE), 0);
    end_program();
}
END_TEST

/* Waits until a process waits itself, in a call of the system's. */
static void await_call(int process, long number)
{
    int64_t end = ws_now_ms() + WS_PATIENCE_MS;
    char path[64];
    long call;

    snprintf(path, sizeof path, "/proc/%d/syscall", process);
    do {
        FILE *file = fopen(path, "re");

        ck_assert_ptr_nonnull(file);
        if (fscanf(file, "%ld", &call) != 1)
            call = -1;
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_lt(ws_now_ms(), end);
    } while (call != number);
}

/* It waits for a service that takes nothing, until there is none. */
START_TEST(a_sender_that_waits_is_told_of_the_end)
{
    int child;

    start((enum host_loop)(_i / 2));
    child = ask(PARENT, FORK);
    ck_assert_int_gt(child, 0);
    if (_i % 2)
        ck_assert_int_eq(ask(PARENT, SERVE), 0);
    tell(CHILD, FLOOD);
    await_call(child, SYS_sendmsg);
    ck_assert_int_eq(kill(program, SIGKILL), 0);
    ck_assert_int_eq(answer_of(CHILD), EPIPE);
    ck_assert_int_eq(status_of(program), 128 + SIGKILL);
    ck_assert_int_eq(ask(CHILD, BROADCAST), EPIPE);
    ck_assert_int_eq(ask(CHILD, LEAVE), 0);
}
END_TEST

Suite *adoption_suite(void)
{
    Suite *suite = suite_create("adoption");
    TCase *tests = tcase_create("two processes");

    tcase_set_timeout(tests, ROLE_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, child_goes_on_without_its_parent, 0, HOST_LOOPS * 2);
    tcase_add_loop_test(tests, child_sends_what_was_left_to_be_sent, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, child_goes_on_connecting, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, looking_up_a_name_is_the_parents, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, parent_goes_on_without_its_child, 0, HOST_LOOPS * WAYS);
    tcase_add_loop_test(tests, both_serve, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, masks_are_never_the_same, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, calls_are_made_in_each, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, fork_inside_a_callback, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, who_renounces_can_broadcast, 0, HOST_LOOPS);
    tcase_add_loop_test(tests, the_last_removes_the_path, 0, HOST_LOOPS * 2);
    tcase_add_loop_test(tests, who_renounces_is_called_before, 0, HOST_LOOPS * 4);
    tcase_add_loop_test(tests, a_sender_that_waits_is_told_of_the_end, 0, HOST_LOOPS * 2);
    suite_add_tcase(suite, tests);
    return suite;
}
