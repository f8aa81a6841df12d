#include "stage.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/contract.h"
#include "../support/ws_client.h"
#include "extension.h"
#include "failures.h"
#include "program.h"
#include "relay.h"

#define PATIENCE_MS 10000
#define TURN_MS 20
#define TURNS_MOST 3000u

struct stage stage = {.listener = -1, .healthy.fd = -1, .victim.fd = -1};

static char folder[] = "/tmp/lwsloop-torture-XXXXXX";
static struct descriptors before;

void descriptors_note(struct descriptors *descriptors)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        descriptors->open[fd] = fcntl(fd, F_GETFD) >= 0;
}

void descriptors_compare(const struct descriptors *earlier, const char *when)
{
    struct descriptors now;

    descriptors_note(&now);
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        ck_assert_msg(now.open[fd] == earlier->open[fd], "descriptor %d was %s after %s", fd,
            now.open[fd] ? "left open" : "closed", when);
}

const char *stage_path(const char *name)
{
    static char path[128];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    ck_assert_int_lt(length, (int)sizeof path);
    return path;
}

int listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Where the ports begin that the system gives to those who ask for any. */
static int lowest_given_port(void)
{
    FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    int lowest = 0;

    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(fscanf(range, "%d", &lowest), 1);
    ck_assert_int_eq(fclose(range), 0);
    ck_assert_int_gt(lowest, 2 * IPPORT_RESERVED);
    return lowest;
}

static bool is_free(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound;

    ck_assert_int_ge(fd, 0);
    bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    ck_assert_int_eq(close(fd), 0);
    return bound;
}

int free_port(void)
{
    unsigned int range = (unsigned int)lowest_given_port() - IPPORT_RESERVED;
    unsigned int chosen;
    int port;

    do {
        ck_assert_int_eq(getrandom(&chosen, sizeof chosen, 0), (int)sizeof chosen);
        port = IPPORT_RESERVED + (int)(chosen % range);
    } while (!is_free(port));
    return port;
}

static void make_file(void)
{
    char *bytes = malloc(STAGE_FILE_SIZE);
    FILE *file = fopen(stage_path("file"), "we");

    ck_assert_ptr_nonnull(bytes);
    ck_assert_ptr_nonnull(file);
    memset(bytes, 'x', STAGE_FILE_SIZE);
    ck_assert_uint_eq(fwrite(bytes, 1, STAGE_FILE_SIZE, file), STAGE_FILE_SIZE);
    ck_assert_int_eq(fclose(file), 0);
    free(bytes);
}

static void say_nothing(int level, const char *line)
{
    (void)level;
    ck_assert_ptr_nonnull(strchr(line, '\n'));
}

void stage_open(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_file();
    /* Every line is made, also those that nobody would see. */
    lws_set_log_level((1 << LLL_COUNT) - 1, say_nothing);
}

void stage_close(void)
{
    ck_assert_int_eq(unlink(stage_path("file")), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* The engine's table of descriptors begins with 64 of them, and shall have to grow for the victim:
 * the context takes 3 more, the healthy client 2, the victim's own side 1. */
static void fill_descriptors(int up_to)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    while (fd < up_to) {
        fd = dup(fd);
        ck_assert_int_ge(fd, 0);
    }
}

static void empty_descriptors(const struct descriptors *keep)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        if (!keep->open[fd] && fcntl(fd, F_GETFD) >= 0)
            ck_assert_int_eq(close(fd), 0);
    }
}

static struct descriptors filled;

static bool healthy_is_closed(void)
{
    return stage.healthy.ended;
}

void stage_begin(void)
{
    const int buffer = STAGE_SEND_BUFFER;
    struct lws_context_creation_info info = {.protocols = program_protocols,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME};
    struct lws_context_extras extras = {.struct_size = sizeof extras,
        .listen_fds = &stage.listener,
        .listen_fd_count = 1,
        .max_backlog = STAGE_MAX_BACKLOG,
        .close_timeout_ms = STAGE_CLOSE_TIMEOUT_MS};

    if (stage.with_path)
        extras.unix_path = stage_path("socket");
    if (stage.with_tls) {
        info.ssl_cert_filepath = certificates_path("server.pem");
        info.ssl_private_key_filepath = certificates_path("server.key");
        info.options |= LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT;
        extras.client_ssl_ca_filepath = certificates_path("root.pem");
    }
    if (stage.extensions != WITHOUT_EXTENSIONS)
        info.extensions = extension_list(stage.extensions == FORGETFUL_EXTENSIONS);
    if (stage.extensions == MINDFUL_EXTENSIONS)
        extras.deflate_takeover = LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE;
    descriptors_note(&before);
    fill_descriptors(57);
    descriptors_note(&filled);
    stage.listener = listen_somewhere(&stage.port);
    ck_assert_int_eq(setsockopt(stage.listener, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer), 0);
    stage.victim_wsi = NULL;
    stage.victims_established = 0;
    stage.functions_called = 0;
    stage.context = lws_create_context(&info, &extras);
    ck_assert_ptr_nonnull(stage.context);
    ck_assert(client_establish(&stage.healthy, "healthy", NULL));
    ck_assert(client_echo(&stage.healthy, "good morning"));
}

void stage_end(void)
{
    INSIDE_LIBRARY(libwebsocket_context_destroy(stage.context));
    stage.context = NULL;
    ck_assert_uint_eq(program_fd_count, 0);
    ck_assert_ptr_null(stage.healthy_wsi);
    ck_assert_ptr_null(stage.victim_wsi);
    (void)stage_wait(&stage.healthy, healthy_is_closed);
    client_close(&stage.healthy);
    client_close(&stage.victim);
    relay_reset();
    failures_hold_names(false);
    ck_assert_msg(failures_threads_ended(), "a thread does not end");
    contract_finish();
    extension_check();
    descriptors_compare(&filled, "destroying the context");
    empty_descriptors(&before);
    ck_assert_msg(
        failures_outstanding() == 0, "%zu allocations were never freed", failures_outstanding());
}

static void client_read(struct client *client)
{
    if (client->fd < 0 || client->ended || client->reads_not)
        return;
    for (;;) {
        ssize_t got =
            recv(client->fd, client->in + client->have, CLIENT_ROOM - client->have, MSG_DONTWAIT);

        if (got > 0) {
            client->have += (size_t)got;
            client->in[client->have] = '\0';
            continue;
        }
        ck_assert_uint_lt(client->have, CLIENT_ROOM);
        client->ended = got == 0 || (errno != EAGAIN && errno != EINTR);
        if (got == 0 || errno != EINTR)
            return;
    }
}

static void turn(int timeout_ms)
{
    struct pollfd fds[PROGRAM_DESCRIPTORS + 2 + RELAY_DESCRIPTORS];
    nfds_t count = program_fd_count;
    const struct client *clients[] = {&stage.healthy, &stage.victim};
    nfds_t all = count;

    memcpy(fds, program_fds, count * sizeof fds[0]);
    for (size_t i = 0; i < 2; i++) {
        if (clients[i]->fd >= 0 && !clients[i]->ended && !clients[i]->reads_not)
            fds[all++] = (struct pollfd){.fd = clients[i]->fd, .events = POLLIN};
    }
    all += relay_wants(fds + all);
    ck_assert_int_ge(poll(fds, all, timeout_ms), 0);
    for (nfds_t i = 0; i < count && stage.context != NULL; i++) {
        if (fds[i].revents != 0)
            INSIDE_LIBRARY((void)libwebsocket_service_fd(stage.context, &fds[i]));
    }
    client_read(&stage.healthy);
    client_read(&stage.victim);
    relay_turn();
}

void stage_turn(void)
{
    turn(0);
}

void stage_wait_turn(void)
{
    turn(TURN_MS);
}

bool stage_wait(const struct client *client, bool (*done)(void))
{
    int64_t deadline = ws_now_ms() + PATIENCE_MS;

    for (unsigned int turns = 0; !done(); turns++) {
        if (client->fd < 0 || client->ended)
            return false;
        ck_assert_msg(ws_now_ms() < deadline, "nothing happens any more");
        ck_assert_msg(turns < TURNS_MOST, "the loop spins");
        turn(TURN_MS);
    }
    return true;
}
