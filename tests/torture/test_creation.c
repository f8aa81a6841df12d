/* Contexts that cannot be made: NULL, a reason, nothing left over, and listen_fds still good. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/contract.h"
#include "creation.h"
#include "extension.h"
#include "failures.h"
#include "program.h"
#include "stage.h"
#include "suites.h"

void creation_setup(struct creation *creation)
{
    static const struct failure_plan nothing = {.call = FAIL_NOTHING};

    memset(creation, 0, sizeof *creation);
    failures_begin(&nothing);
    creation->info =
        (struct lws_context_creation_info){.protocols = program_protocols, .gid = -1, .uid = -1};
    creation->extras = (struct lws_context_extras){.struct_size = sizeof creation->extras,
        .error = creation->error,
        .error_len = sizeof creation->error};
    descriptors_note(&creation->before);
}

int creation_try(struct creation *creation)
{
    struct libwebsocket_context *context;

    creation->error[0] = '\0';
    INSIDE_LIBRARY(context = lws_create_context(&creation->info, &creation->extras));
    creation->context = context;
    if (context == NULL) {
        ck_assert_msg(strlen(creation->error) > 10, "no good reason: \"%s\"", creation->error);
        ck_assert_uint_eq(program_fd_count, 0);
        for (size_t i = 0; program_protocols[i].callback != NULL; i++)
            ck_assert_ptr_null(program_protocols[i].owning_server);
        descriptors_compare(&creation->before, "creation that failed");
        ck_assert_msg(failures_outstanding() == 0, "%zu allocations were never freed",
            failures_outstanding());
        contract_finish();
        extension_check();
        return -1;
    }
    ck_assert_str_eq(creation->error, "");
    return 0;
}

void creation_destroy(struct creation *creation)
{
    INSIDE_LIBRARY(libwebsocket_context_destroy(creation->context));
    ck_assert_uint_eq(program_fd_count, 0);
    ck_assert_msg(
        failures_outstanding() == 0, "%zu allocations were never freed", failures_outstanding());
    contract_finish();
    extension_check();
}

/* It has to fail, and to say why. */
static void expect_failure(struct creation *creation, const char *part)
{
    ck_assert_int_eq(creation_try(creation), -1);
    ck_assert_msg(strstr(creation->error, part) != NULL, "the reason is \"%s\", without \"%s\"",
        creation->error, part);
}

static void expect_success(struct creation *creation)
{
    ck_assert_msg(creation_try(creation) == 0, "%s", creation->error);
    creation_destroy(creation);
    descriptors_compare(&creation->before, "creation and destruction");
}

bool connects(int family, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return false;
    if (family == AF_INET)
        connected = connect(fd, (const struct sockaddr *)&v4, sizeof v4) == 0;
    else
        connected = connect(fd, (const struct sockaddr *)&v6, sizeof v6) == 0;
    ck_assert_int_eq(close(fd), 0);
    return connected;
}

/* Another process may take the port in between; then a second one is tried, and a third. */
static void expect_listening(const char *iface, bool v4, bool v6)
{
    struct creation creation;

    for (int i = 0; i < 5; i++) {
        creation_setup(&creation);
        creation.info.port = free_port();
        creation.info.iface = iface;
        if (creation_try(&creation) == 0)
            break;
        ck_assert_msg(strstr(creation.error, strerror(EADDRINUSE)) != NULL, "%s", creation.error);
    }
    ck_assert_ptr_nonnull(creation.context);
    ck_assert_int_eq(connects(AF_INET, creation.info.port), v4);
    ck_assert_int_eq(connects(AF_INET6, creation.info.port), v6);
    creation_destroy(&creation);
    ck_assert(!connects(AF_INET, creation.info.port));
    descriptors_compare(&creation.before, "creation and destruction");
}

static bool has_v6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has;

    if (fd < 0)
        return false;
    has = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    ck_assert_int_eq(close(fd), 0);
    return has;
}

START_TEST(listens_where_it_is_told)
{
    expect_listening(NULL, true, has_v6());
    expect_listening("lo", true, has_v6());
    expect_listening("127.0.0.1", true, false);
    if (has_v6())
        expect_listening("::1", false, true);
}
END_TEST

START_TEST(wrong_ports_and_interfaces)
{
    struct creation creation;
    int port;
    int fd = listen_somewhere(&port);

    creation_setup(&creation);
    creation.info.port = port;
    expect_failure(&creation, strerror(EADDRINUSE));
    creation.info.iface = "127.0.0.1";
    expect_failure(&creation, strerror(EADDRINUSE));
    creation.info.iface = "lo";
    expect_failure(&creation, strerror(EADDRINUSE));
    creation.info.port = free_port();
    creation.info.iface = "no-such-interface";
    expect_failure(&creation, "no-such-interface");
    creation.info.iface = "";
    expect_failure(&creation, "cannot listen");
    creation.info.iface = "192.0.2.1";
    expect_failure(&creation, strerror(EADDRNOTAVAIL));
    creation.info.iface = NULL;
    creation.info.port = 65536;
    expect_failure(&creation, "65536");
    creation.info.port = -1;
    expect_failure(&creation, "-1");
    ck_assert_int_eq(close(fd), 0);
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

START_TEST(wrong_info)
{
    static const struct libwebsocket_protocols none[] = {{.callback = NULL}};
    static struct libwebsocket_extension no_extensions[] = {
        {"no token", never_called, 0, NULL}, {NULL, NULL, 0, NULL}};
    struct libwebsocket_protocols no_protocols[1];
    struct libwebsocket_context *context;
    struct creation creation;

    memcpy(no_protocols, none, sizeof none);
    creation_setup(&creation);
    creation.info.protocols = NULL;
    expect_failure(&creation, "protocols");
    creation.info.protocols = no_protocols;
    expect_failure(&creation, "protocols");
    creation.info.protocols = program_protocols;
    program_protocols[1].rx_buffer_size = SIZE_MAX;
    expect_failure(&creation, "rx_buffer_size");
    program_protocols[1].rx_buffer_size = 0;
    creation.info.extensions = no_extensions;
    expect_failure(&creation, "extension");
    creation.info.extensions = NULL;
    creation.info.ssl_cert_filepath = "cert.pem";
    expect_failure(&creation, "private key");
    creation.info.ssl_cert_filepath = NULL;
    creation.info.ssl_ca_filepath = "no-such-ca.pem";
    expect_failure(&creation, "no-such-ca.pem");
    creation.info.ssl_ca_filepath = NULL;
    creation.extras.max_head_size = 1;
    expect_failure(&creation, "max_head_size");
    creation.extras.max_head_size = SIZE_MAX;
    expect_failure(&creation, "max_head_size");
    creation.extras.max_head_size = 0;
    creation.extras.max_header_fields = SIZE_MAX;
    expect_failure(&creation, "max_header_fields");

    context = lws_create_context(NULL, &creation.extras);
    ck_assert_ptr_null(context);
    context = libwebsocket_create_context(NULL);
    ck_assert_ptr_null(context);
}
END_TEST

/* A struct of a newer version is larger: what it asks for beyond this one must be nothing. */
START_TEST(extras_of_other_sizes)
{
    struct future {
        struct lws_context_extras extras;
        char more[64];
    } future;
    struct lws_context_creation_info info = {.protocols = program_protocols, .gid = -1, .uid = -1};
    struct libwebsocket_context *context;
    struct creation creation;
    size_t wrong[] = {0, 1, sizeof(size_t) - 1};

    creation_setup(&creation);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        creation.extras.struct_size = wrong[i];
        context = lws_create_context(&creation.info, &creation.extras);
        ck_assert_ptr_null(context);
        descriptors_compare(&creation.before, "creation that failed");
    }
    /* An older one has less. */
    creation.extras.struct_size = offsetof(struct lws_context_extras, unix_path);
    creation.extras.unix_path = "/nowhere/at/all";
    expect_success(&creation);

    memset(&future, 0, sizeof future);
    future.extras.struct_size = sizeof future;
    future.extras.error = creation.error;
    future.extras.error_len = sizeof creation.error;
    context = lws_create_context(&info, &future.extras);
    ck_assert_ptr_nonnull(context);
    libwebsocket_context_destroy(context);
    future.more[sizeof future.more - 1] = 1;
    context = lws_create_context(&info, &future.extras);
    ck_assert_ptr_null(context);
    ck_assert_ptr_nonnull(strstr(creation.error, "does not have"));
    descriptors_compare(&creation.before, "extras from the future");

    /* Room for a reason that is too small, and none. */
    creation_setup(&creation);
    creation.info.port = -1;
    creation.extras.error_len = 5;
    memset(creation.error, 'x', sizeof creation.error);
    ck_assert_ptr_null(lws_create_context(&creation.info, &creation.extras));
    ck_assert_uint_eq(strlen(creation.error), 4);
    creation.extras.error = NULL;
    ck_assert_ptr_null(lws_create_context(&creation.info, &creation.extras));
    ck_assert_ptr_null(lws_create_context(&creation.info, NULL));
    contract_finish();
}
END_TEST

/* --- Unix-domain sockets */

int listen_at_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    return fd;
}

START_TEST(unix_paths)
{
    struct creation creation;
    char path[128];
    char long_path[200];
    struct stat status;
    FILE *file;
    int fd;

    stage_open();
    snprintf(path, sizeof path, "%s", stage_path("socket"));
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';

    creation_setup(&creation);
    creation.extras.unix_path = long_path;
    expect_failure(&creation, "longer");
    creation.extras.unix_path = "/no/such/folder/socket";
    expect_failure(&creation, strerror(ENOENT));
    creation.extras.unix_path = stage_path("");
    expect_failure(&creation, "cannot listen");

    creation.extras.unix_path = path;
    expect_success(&creation);
    ck_assert_int_eq(lstat(path, &status), -1);

    /* In use. */
    fd = listen_at_path(path);
    creation_setup(&creation);
    creation.extras.unix_path = path;
    expect_failure(&creation, strerror(EADDRINUSE));
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_int_eq(close(fd), 0);

    /* Left over. */
    creation_setup(&creation);
    creation.extras.unix_path = path;
    expect_success(&creation);
    ck_assert_int_eq(lstat(path, &status), -1);

    /* Something else; it stays. */
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fclose(file), 0);
    expect_failure(&creation, strerror(EADDRINUSE));
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISREG(status.st_mode));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(stage_path("file"), path), 0);
    expect_failure(&creation, strerror(EADDRINUSE));
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_int_eq(unlink(path), 0);

    /* What was listened at already is given up where something later fails. */
    creation.extras.listen_fds = (const int[]){0x7ffffff};
    creation.extras.listen_fd_count = 1;
    expect_failure(&creation, strerror(EBADF));
    ck_assert_int_eq(lstat(path, &status), -1);
    stage_close();
}
END_TEST

/* --- listen_fds */

START_TEST(listen_fds_that_cannot_be)
{
    struct creation creation;
    int ports[3];
    int good[2];
    int given[70];
    int unbound;
    int datagram;
    int file;

    good[0] = listen_somewhere(&ports[0]);
    good[1] = listen_somewhere(&ports[1]);
    unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert(unbound >= 0 && datagram >= 0 && file >= 0);

    creation_setup(&creation);
    creation.extras.listen_fds = given;
    creation.extras.listen_fd_count = 3;
    given[0] = good[0];
    given[1] = good[1];
    given[2] = unbound;
    expect_failure(&creation, "not listen");
    given[2] = datagram;
    expect_failure(&creation, "descriptor");
    given[2] = file;
    expect_failure(&creation, strerror(ENOTSOCK));
    given[2] = -1;
    expect_failure(&creation, strerror(EBADF));
    given[2] = good[0];
    expect_failure(&creation, "twice");
    given[2] = given[1];
    expect_failure(&creation, "twice");
    creation.extras.listen_fds = NULL;
    expect_failure(&creation, "listen_fds");
    creation.extras.listen_fds = given;
    creation.extras.listen_fd_count = 65;
    expect_failure(&creation, "64");
    creation.extras.listen_fd_count = SIZE_MAX;
    expect_failure(&creation, "64");

    /* They were refused each time, and are as they were. */
    ck_assert(connects(AF_INET, ports[0]) && connects(AF_INET, ports[1]));
    creation.extras.listen_fd_count = 2;
    ck_assert_int_eq(creation_try(&creation), 0);
    creation_destroy(&creation);
    ck_assert(!connects(AF_INET, ports[0]) && !connects(AF_INET, ports[1]));
    ck_assert_int_eq(close(unbound) + close(datagram) + close(file), 0);
}
END_TEST

Suite *creation_suite(void)
{
    Suite *suite = suite_create("Contexts that cannot be made");
    TCase *arguments = tcase_create("arguments");

    tcase_set_timeout(arguments, 60);
    tcase_add_test(arguments, listens_where_it_is_told);
    tcase_add_test(arguments, wrong_ports_and_interfaces);
    tcase_add_test(arguments, wrong_info);
    tcase_add_test(arguments, extras_of_other_sizes);
    tcase_add_test(arguments, unix_paths);
    tcase_add_test(arguments, listen_fds_that_cannot_be);
    suite_add_tcase(suite, arguments);
    suite_add_tcase(suite, privileges_case());
    suite_add_tcase(suite, creation_failures_case());
    return suite;
}
