/* How an adapter maps descriptors to its loop. One program for each adapter, see loop.h. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_engine.h"
#include "loop.h"

/* Two socket pairs; [0] is the engine's, [1] the peer's. */
static int first[2], second[2];

static void make_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void drop_pair(int pair[2])
{
    if (fake_descriptor(pair[0])->live)
        fake_delete(pair[0]);
    close(pair[0]);
    close(pair[1]);
}

static void make_ready(const int pair[2])
{
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
}

static void take_all(int fd, int revents)
{
    char bytes[64];

    (void)revents;
    while (read(fd, bytes, sizeof(bytes)) > 0)
        ;
}

/* So many that a turn of any loop that was due has come. */
static void turn_loop(void)
{
    int i;

    for (i = 0; i < 3; i++)
        loop_turn();
}

static void set_up(void)
{
    loop_open();
    make_pair(first);
    make_pair(second);
    ck_assert_int_eq(fake_add(first[0], POLLIN, 0, take_all), 0);
    ck_assert_int_eq(fake_add(second[0], POLLIN, 0, take_all), 0);
    ck_assert_int_eq(loop_attach(), 0);
}

static void tear_down(void)
{
    lws_set_poll_fd_callback(fake_context, NULL, NULL);
    drop_pair(first);
    drop_pair(second);
    loop_close();
}

START_TEST(forwards_readiness)
{
    struct fake_descriptor *descriptor = fake_descriptor(first[0]);

    turn_loop();
    ck_assert_int_eq(descriptor->hits, 0);
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 1);
    ck_assert_int_eq(descriptor->revents, POLLIN);
    ck_assert_int_eq(fake_descriptor(second[0])->hits, 0);

    /* Level-triggered: each turn reports what is left. */
    descriptor->served = NULL;
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 4);
}
END_TEST

START_TEST(follows_modes)
{
    struct fake_descriptor *descriptor = fake_descriptor(first[0]);

    descriptor->served = NULL;
    make_ready(first);
    fake_clear(first[0], POLLIN);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 0);
    fake_set(first[0], POLLOUT);
    loop_turn();
    ck_assert_int_eq(descriptor->hits, 1);
    ck_assert_int_eq(descriptor->revents, POLLOUT);
    fake_set(first[0], POLLIN);
    loop_turn();
    ck_assert_int_eq(descriptor->hits, 2);
    ck_assert_int_eq(descriptor->revents, POLLIN | POLLOUT);
    fake_clear(first[0], POLLOUT);
    loop_turn();
    ck_assert_int_eq(descriptor->hits, 3);
    ck_assert_int_eq(descriptor->revents, POLLIN);
}
END_TEST

START_TEST(follows_modes_when_another_has_gone)
{
    struct fake_descriptor *descriptor = fake_descriptor(second[0]);

    descriptor->served = NULL;
    fake_delete(first[0]);
    make_ready(second);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 3);
    fake_clear(second[0], POLLIN);
    fake_set(second[0], POLLOUT);
    descriptor->hits = 0;
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 3);
    ck_assert_int_eq(descriptor->revents, POLLOUT);
}
END_TEST

static void toggle_writing(int fd, int revents)
{
    take_all(fd, revents);
    if (revents & POLLOUT)
        fake_clear(fd, POLLOUT);
    else
        fake_set(fd, POLLOUT);
}

START_TEST(follows_modes_set_while_served)
{
    struct fake_descriptor *descriptor = fake_descriptor(first[0]);

    descriptor->served = toggle_writing;
    make_ready(first);
    turn_loop();
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 2);
    ck_assert_int_eq(descriptor->revents, POLLOUT);
}
END_TEST

static void delete_and_close(int fd, int revents)
{
    (void)revents;
    fake_delete(fd);
    close(fd);
}

START_TEST(deletes_while_served)
{
    fake_descriptor(first[0])->served = delete_and_close;
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
    make_ready(second);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(second[0])->hits, 1);
    close(first[1]);
    make_pair(first);
}
END_TEST

static void delete_and_add(int fd, int revents)
{
    take_all(fd, revents);
    fake_delete(fd);
    ck_assert_int_eq(fake_add(fd, POLLIN, 0, take_all), 0);
}

START_TEST(adds_the_same_again_while_served)
{
    fake_descriptor(first[0])->served = delete_and_add;
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 0);
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
}
END_TEST

START_TEST(adds_another_with_the_same_number)
{
    int number = first[0];

    fake_delete(first[0]);
    close(first[0]);
    close(first[1]);
    make_pair(first);
    ck_assert_int_eq(first[0], number);
    ck_assert_int_eq(fake_add(first[0], POLLIN, 0, take_all), 0);
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
}
END_TEST

static int replaced_fd;

/* Puts a silent socket in the place of the other one, which is ready too and has not been served.
 */
static void replace_other(int fd, int revents)
{
    int *other = fd == first[0] ? second : first;

    take_all(fd, revents);
    if (replaced_fd >= 0)
        return;
    replaced_fd = other[0];
    fake_delete(other[0]);
    close(other[0]);
    close(other[1]);
    make_pair(other);
    ck_assert_int_eq(other[0], replaced_fd);
    ck_assert_int_eq(fake_add(other[0], POLLIN, 0, take_all), 0);
}

START_TEST(drops_stale_events)
{
    replaced_fd = -1;
    fake_descriptor(first[0])->served = replace_other;
    fake_descriptor(second[0])->served = replace_other;
    make_ready(first);
    make_ready(second);
    turn_loop();
    ck_assert_int_ge(replaced_fd, 0);
    ck_assert_int_eq(fake_descriptor(replaced_fd)->hits, 0);
    make_ready(replaced_fd == first[0] ? first : second);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(replaced_fd)->hits, 1);
}
END_TEST

START_TEST(keeps_reporting_an_error)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct linger reset = {.l_onoff = 1};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    int server;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, size), 0);
    server = accept(listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    ck_assert_int_eq(fake_add(server, POLLIN, 0, NULL), 0);

    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(client);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(server)->hits, 3);
    ck_assert_int_eq(fake_descriptor(server)->revents & POLLIN, POLLIN);
    fake_descriptor(server)->served = delete_and_close;
    turn_loop();
    ck_assert_int_eq(fake_descriptor(server)->live, 0);
    close(listener);
}
END_TEST

START_TEST(reports_a_hang_up_once_it_is_wanted)
{
    struct fake_descriptor *descriptor = fake_descriptor(first[0]);

    descriptor->served = NULL;
    fake_clear(first[0], POLLIN);
    close(first[1]);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, loop_reports_unwanted ? 3 : 0);
    descriptor->hits = 0;
    fake_set(first[0], POLLIN);
    turn_loop();
    ck_assert_int_eq(descriptor->hits, 3);
    ck_assert_int_eq(descriptor->revents & POLLIN, POLLIN);
    first[1] = dup(first[0]);
}
END_TEST

START_TEST(refuses_what_cannot_be_watched)
{
    int before = fake_detached();
    int regular = open("/etc/passwd", O_RDONLY);

    ck_assert_int_ge(regular, 0);
    ck_assert_int_eq(fake_add(regular, POLLIN, 0, NULL) != 0, loop_refuses_files);
    if (loop_refuses_files) {
        /* The attachment as a whole fails in the same case, and says why. */
        lws_set_poll_fd_callback(fake_context, NULL, NULL);
        ck_assert_int_eq(fake_add(regular, POLLIN, 0, NULL), 0);
        errno = 0;
        ck_assert_int_eq(loop_attach(), -1);
        ck_assert_int_eq(errno, EPERM);
        ck_assert_int_eq(fake_detached() - before, 1);
        fake_delete(regular);
        ck_assert_int_eq(loop_attach(), 0);
    } else {
        fake_delete(regular);
    }
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
    close(regular);
}
END_TEST

static void attach_again(int fd, int revents)
{
    take_all(fd, revents);
    ck_assert_int_eq(loop_attach(), 0);
}

START_TEST(attaches_again_while_served)
{
    int before = fake_detached();

    fake_descriptor(first[0])->served = attach_again;
    fake_descriptor(second[0])->served = attach_again;
    make_ready(first);
    make_ready(second);
    turn_loop();
    ck_assert_int_ge(fake_descriptor(first[0])->hits, 1);
    ck_assert_int_ge(fake_descriptor(second[0])->hits, 1);
    ck_assert_int_ge(fake_detached() - before, 2);
    make_ready(second);
    turn_loop();
    ck_assert_int_ge(fake_descriptor(second[0])->hits, 2);
}
END_TEST

static void detach(int fd, int revents)
{
    (void)fd, (void)revents;
    lws_set_poll_fd_callback(fake_context, NULL, NULL);
}

START_TEST(detaches_while_served)
{
    int before = fake_detached();

    fake_descriptor(first[0])->served = detach;
    fake_descriptor(second[0])->served = detach;
    make_ready(first);
    make_ready(second);
    loop_turn();
    ck_assert_int_eq(fake_detached() - before, 1);
    /* Who came first was the last. */
    ck_assert_int_eq(fake_descriptor(first[0])->hits + fake_descriptor(second[0])->hits, 1);
}
END_TEST

static int depth;

static void turn_again(int fd, int revents)
{
    if (depth++ < 4)
        loop_turn();
    take_all(fd, revents);
}

static void turn_again_and_detach(int fd, int revents)
{
    if (depth++ == 0)
        loop_turn();
    else
        detach(fd, revents);
}

/* Only the poll adapter's loop can be run from inside itself. */
START_TEST(turns_inside_a_turn)
{
    int before = fake_detached();

    if (!loop_nests)
        return;
    depth = 0;
    fake_descriptor(first[0])->served = turn_again;
    fake_descriptor(second[0])->served = turn_again;
    make_ready(first);
    make_ready(second);
    loop_turn();
    ck_assert_int_ge(fake_descriptor(first[0])->hits, 1);
    ck_assert_int_ge(fake_descriptor(second[0])->hits, 1);

    depth = 0;
    fake_descriptor(first[0])->served = turn_again_and_detach;
    fake_descriptor(second[0])->served = turn_again_and_detach;
    make_ready(first);
    make_ready(second);
    loop_turn();
    ck_assert_int_eq(fake_detached() - before, 1);
    ck_assert_int_eq(depth, 2);
}
END_TEST

START_TEST(gives_each_its_turn)
{
    enum { COUNT = 200, PORTION = 64 };
    static int pairs[COUNT][2];
    int i;

    for (i = 0; i < COUNT; i++) {
        make_pair(pairs[i]);
        ck_assert_int_eq(fake_add(pairs[i][0], POLLIN, 0, NULL), 0);
        make_ready(pairs[i]);
    }
    for (i = 0; i <= COUNT / PORTION; i++)
        loop_turn();
    for (i = 0; i < COUNT; i++) {
        ck_assert_int_ge(fake_descriptor(pairs[i][0])->hits, 1);
        drop_pair(pairs[i]);
    }
    turn_loop();
}
END_TEST

START_TEST(holds_the_loop_if_it_should)
{
    int helper[2];

    make_pair(helper);
    ck_assert_int_eq(fake_add(helper[0], POLLIN, LWS_POLL_HELPER, take_all), 0);
    ck_assert_int_eq(loop_is_held(), 1);
    make_ready(helper);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(helper[0])->hits, 1);

    fake_set(helper[0], POLLOUT);
    fake_clear(helper[0], POLLOUT);
    fake_delete(first[0]);
    fake_delete(second[0]);
    turn_loop();
    ck_assert_int_eq(loop_is_held(), loop_is_held_by_helpers);
    drop_pair(helper);
}
END_TEST

START_TEST(tells_protocols_if_it_should)
{
    int before = fake_forwarded();

    fake_set(first[0], POLLOUT);
    fake_clear(first[0], POLLOUT);
    fake_delete(first[0]);
    ck_assert_int_eq(fake_add(first[0], POLLIN, 0, take_all), 0);
    ck_assert_int_eq(fake_forwarded() - before, loop_forwards ? 4 : 0);
}
END_TEST

/* Leaves what it shares with its parent as it is. Returns 0 where all is as it should be. */
static int live_in_a_child(void)
{
    int before = fake_forwarded();

    if ((fake_adopt() == 0) != (loop_adopts != 0))
        return 1;
    /* DEL and ADD for each of the two. */
    if (fake_forwarded() - before != (loop_forwards ? 4 : 0))
        return 4;
    if (!loop_adopts) {
        fake_let_go();
        return 0;
    }
    make_ready(first);
    turn_loop();
    if (fake_descriptor(first[0])->hits != 1)
        return 2;
    fake_delete(second[0]);
    make_ready(second);
    turn_loop();
    if (fake_descriptor(second[0])->hits != 0)
        return 3;
    lws_set_poll_fd_callback(fake_context, NULL, NULL);
    return 0;
}

/* Returns 0 where the loop goes on as if nothing of the context had been in it. */
static int give_up_in_a_child(void)
{
    fake_give_up();
    loop_reinit();
    turn_loop();
    return loop_is_held() ? 4 : 0;
}

static int be_refused_in_a_child(void)
{
    loop_reinit();
    fake_refuse();
    make_ready(first);
    turn_loop();
    return fake_descriptor(first[0])->hits == 1 ? 0 : 5;
}

static int be_refused_without_reinit(void)
{
    fake_refuse();
    make_ready(first);
    turn_loop();
    turn_loop();
    take_all(first[0], 0);
    return 0;
}

static void run_in_child(int (*function)(void))
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(function());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(takes_nothing_from_the_parent_in_a_child)
{
    turn_loop();
    run_in_child(live_in_a_child);
    if (!loop_adopts) {
        run_in_child(give_up_in_a_child);
        run_in_child(be_refused_without_reinit);
        make_ready(second);
    }
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
    ck_assert_int_eq(fake_descriptor(second[0])->hits, 1);
}
END_TEST

START_TEST(stops_in_a_child_what_cannot_be_served)
{
    if (loop_tells_owner)
        run_in_child(be_refused_in_a_child);
}
END_TEST

/* With and without the turn in which the loop lets go of what was closed. */
START_TEST(ends_after_a_program_that_closes_all)
{
    if (!loop_closes_all)
        return;
    loop_close_all();
    if (_i % 2)
        loop_turn();
    if (_i / 2)
        ck_assert_int_ne(fake_try_set(first[0], POLLOUT), 0);
    fake_delete(first[0]);
    ck_assert_int_eq(fake_add(first[0], POLLIN, 0, take_all), 0);
    make_ready(first);
    turn_loop();
    ck_assert_int_eq(fake_descriptor(first[0])->hits, 1);
    loop_close_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create(loop_name);
    TCase *tcase = tcase_create("sink");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, forwards_readiness);
    tcase_add_test(tcase, follows_modes);
    tcase_add_test(tcase, follows_modes_when_another_has_gone);
    tcase_add_test(tcase, follows_modes_set_while_served);
    tcase_add_test(tcase, deletes_while_served);
    tcase_add_test(tcase, adds_the_same_again_while_served);
    tcase_add_test(tcase, adds_another_with_the_same_number);
    tcase_add_test(tcase, drops_stale_events);
    tcase_add_test(tcase, keeps_reporting_an_error);
    tcase_add_test(tcase, reports_a_hang_up_once_it_is_wanted);
    tcase_add_test(tcase, refuses_what_cannot_be_watched);
    tcase_add_test(tcase, attaches_again_while_served);
    tcase_add_test(tcase, detaches_while_served);
    tcase_add_test(tcase, turns_inside_a_turn);
    tcase_add_test(tcase, gives_each_its_turn);
    tcase_add_test(tcase, holds_the_loop_if_it_should);
    tcase_add_test(tcase, tells_protocols_if_it_should);
    tcase_add_test(tcase, takes_nothing_from_the_parent_in_a_child);
    tcase_add_test(tcase, stops_in_a_child_what_cannot_be_served);
    tcase_add_loop_test(tcase, ends_after_a_program_that_closes_all, 0, 4);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
