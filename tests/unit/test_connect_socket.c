#include "suites.h"

#include "platform/connect_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000 };

static const char *const hosts[] = {"127.0.0.1", "::1"};
enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]) };

static char folder[] = "/tmp/lwsloop-connect-XXXXXX";
static char path[64];

static void make_folder(void)
{
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* Binds a socket, and writes the address it got. -1 where the system has no such addresses. */
static int bind_host(const char *host, struct socket_address *address)
{
    struct socket_addresses *addresses = socket_addresses_numeric(host, 0);
    int fd;

    ck_assert_ptr_nonnull(addresses);
    *address = addresses->list[0];
    free(addresses);
    fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT)
        return -1;
    ck_assert_int_ge(fd, 0);
    if (bind(fd, &address->any, address->length) < 0) {
        ck_assert_int_eq(errno, EADDRNOTAVAIL);
        ck_assert_int_eq(close(fd), 0);
        return -1;
    }
    ck_assert_int_eq(getsockname(fd, &address->any, &address->length), 0);
    return fd;
}

static int listen_on(const char *host, struct socket_address *address, int backlog)
{
    int fd = bind_host(host, address);

    if (fd >= 0)
        ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

static int bind_path(struct socket_address *address)
{
    struct socket_addresses *addresses = socket_addresses_unix(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_ptr_nonnull(addresses);
    *address = addresses->list[0];
    free(addresses);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, &address->any, address->length), 0);
    return fd;
}

static bool wait_for(int fd, short events)
{
    struct pollfd pollfd = {.fd = fd, .events = events};

    return poll(&pollfd, 1, PATIENCE_MS) == 1;
}

static int accept_one(int listener)
{
    int fd;

    ck_assert(wait_for(listener, POLLIN));
    fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* As long as it is in progress, asks again when the socket is writable. */
static enum connect_result finish(
    int fd, const struct socket_address *address, enum connect_result result)
{
    while (result == CONNECT_AGAIN) {
        ck_assert(wait_for(fd, POLLOUT));
        result = connect_check(fd, address);
    }
    return result;
}

static void expect_linked(int fd, int peer)
{
    char byte = 0;

    ck_assert_int_eq(send(fd, "a", 1, MSG_NOSIGNAL), 1);
    ck_assert(wait_for(peer, POLLIN));
    ck_assert_int_eq(recv(peer, &byte, 1, 0), 1);
    ck_assert_int_eq(byte, 'a');
    ck_assert_int_eq(send(peer, "b", 1, MSG_NOSIGNAL), 1);
    ck_assert(wait_for(fd, POLLIN));
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    ck_assert_int_eq(byte, 'b');
}

static void expect_flags(int fd)
{
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* The lowest descriptor that is free: it stays the same where none is left open. */
static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    return fd;
}

static void expect_no_socket(const struct socket_address *address, int error)
{
    enum connect_result result = CONNECT_AGAIN;
    int before = lowest_free();

    errno = 0;
    ck_assert_int_eq(connect_begin(address, &result), -1);
    ck_assert_msg(errno == error, "%s in place of %s", strerror(errno), strerror(error));
    ck_assert_int_eq(lowest_free(), before);
}

START_TEST(a_server_that_listens)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = listen_on(hosts[_i], &address, 1);
    int no_delay = 0;
    socklen_t length = sizeof(no_delay);
    int fd;
    int peer;

    if (listener < 0)
        return;
    fd = connect_begin(&address, &result);
    ck_assert_int_ge(fd, 0);
    expect_flags(fd);
    ck_assert_int_eq(finish(fd, &address, result), CONNECT_DONE);
    ck_assert_int_eq(connect_check(fd, &address), CONNECT_DONE);
    ck_assert_int_eq(connect_check(fd, &address), CONNECT_DONE);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
    ck_assert_int_eq(no_delay, 1);
    peer = accept_one(listener);
    expect_linked(fd, peer);
    close(peer);
    close(fd);
    close(listener);
}
END_TEST

/* A port that is bound but not listened on is nobody else's. */
START_TEST(a_port_that_refuses)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int bound = bind_host(hosts[_i], &address);
    int fd;

    if (bound < 0)
        return;
    errno = 0;
    fd = connect_begin(&address, &result);
    if (fd >= 0) {
        ck_assert_int_eq(result, CONNECT_AGAIN);
        ck_assert_int_eq(finish(fd, &address, result), CONNECT_FAILED);
    }
    ck_assert_int_eq(errno, ECONNREFUSED);
    close(fd);
    close(bound);
}
END_TEST

START_TEST(an_error_that_was_read_already)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int bound = bind_host(hosts[_i], &address);
    int error = 0;
    socklen_t length = sizeof(error);
    int fd;

    if (bound < 0)
        return;
    fd = connect_begin(&address, &result);
    if (fd >= 0) {
        ck_assert(wait_for(fd, POLLOUT));
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
        ck_assert_int_eq(error, ECONNREFUSED);
        errno = 0;
        ck_assert_int_eq(connect_check(fd, &address), CONNECT_FAILED);
        ck_assert_int_ne(errno, 0);
        close(fd);
    }
    close(bound);
}
END_TEST

/* The second is not answered while the first waits to be accepted, but sends its SYN again. */
START_TEST(one_that_is_not_decided)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = listen_on(hosts[_i], &address, 0);
    int first;
    int second;

    if (listener < 0)
        return;
    first = connect_begin(&address, &result);
    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(finish(first, &address, result), CONNECT_DONE);
    ck_assert(wait_for(listener, POLLIN));
    second = connect_begin(&address, &result);
    ck_assert_int_ge(second, 0);
    ck_assert_int_eq(result, CONNECT_AGAIN);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(connect_check(second, &address), CONNECT_AGAIN);
    close(accept_one(listener));
    ck_assert_int_eq(finish(second, &address, result), CONNECT_DONE);
    close(accept_one(listener));
    close(second);
    close(first);
    close(listener);
}
END_TEST

START_TEST(one_that_was_reset_meanwhile)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = listen_on(hosts[_i], &address, 1);
    int fd;

    if (listener < 0)
        return;
    fd = connect_begin(&address, &result);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(result, CONNECT_AGAIN);
    reset(accept_one(listener));
    ck_assert(wait_for(fd, POLLIN));
    errno = 0;
    ck_assert_int_eq(connect_check(fd, &address), CONNECT_FAILED);
    ck_assert_int_eq(errno, ECONNRESET);
    close(fd);
    close(listener);
}
END_TEST

/* It was connected: what the server sent is still to be read. */
START_TEST(one_that_was_closed_meanwhile)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = listen_on(hosts[_i], &address, 1);
    char byte = 0;
    int fd;
    int peer;

    if (listener < 0)
        return;
    fd = connect_begin(&address, &result);
    ck_assert_int_ge(fd, 0);
    peer = accept_one(listener);
    ck_assert_int_eq(send(peer, "a", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(close(peer), 0);
    ck_assert(wait_for(fd, POLLIN));
    ck_assert_int_eq(finish(fd, &address, result), CONNECT_DONE);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    ck_assert(wait_for(fd, POLLIN));
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(a_unix_socket)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = bind_path(&address);
    int fd;
    int peer;

    ck_assert_int_eq(listen(listener, 1), 0);
    fd = connect_begin(&address, &result);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(result, CONNECT_DONE);
    expect_flags(fd);
    ck_assert_int_eq(connect_check(fd, &address), CONNECT_DONE);
    peer = accept_one(listener);
    expect_linked(fd, peer);
    close(peer);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(unix_sockets_that_do_not_answer)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = bind_path(&address);
    int fd;

    expect_no_socket(&address, ECONNREFUSED); /* bound, but nobody listens */
    ck_assert_int_eq(listen(listener, 0), 0);
    fd = connect_begin(&address, &result);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(result, CONNECT_DONE);
    expect_no_socket(&address, EAGAIN); /* the backlog is full */
    close(fd);
    close(listener);
    expect_no_socket(&address, ECONNREFUSED); /* left over */
    ck_assert_int_eq(unlink(path), 0);
    expect_no_socket(&address, ENOENT);
}
END_TEST

START_TEST(descriptors_run_out)
{
    struct socket_address address;
    enum connect_result result = CONNECT_FAILED;
    int listener = listen_on("127.0.0.1", &address, 1);
    struct rlimit before;
    struct rlimit none;

    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)lowest_free();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    errno = 0;
    ck_assert_int_eq(connect_begin(&address, &result), -1);
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(listener);
}
END_TEST

Suite *connect_socket_suite(void)
{
    Suite *suite = suite_create("connect_socket");
    TCase *tcp = tcase_create("tcp");
    TCase *local = tcase_create("local");

    tcase_set_timeout(tcp, 60);
    tcase_add_loop_test(tcp, a_server_that_listens, 0, HOSTS);
    tcase_add_loop_test(tcp, a_port_that_refuses, 0, HOSTS);
    tcase_add_loop_test(tcp, an_error_that_was_read_already, 0, HOSTS);
    tcase_add_loop_test(tcp, one_that_is_not_decided, 0, HOSTS);
    tcase_add_loop_test(tcp, one_that_was_reset_meanwhile, 0, HOSTS);
    tcase_add_loop_test(tcp, one_that_was_closed_meanwhile, 0, HOSTS);
    tcase_add_test(tcp, descriptors_run_out);
    suite_add_tcase(suite, tcp);

    tcase_set_timeout(local, 60);
    tcase_add_checked_fixture(local, make_folder, remove_folder);
    tcase_add_test(local, a_unix_socket);
    tcase_add_test(local, unix_sockets_that_do_not_answer);
    suite_add_tcase(suite, local);
    return suite;
}
