/* The server's process. */
#include "many.h"

#include "../support/run_loop.h"

#include <libwebsockets.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static atomic_long established, closed, written;

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char
        buffer[LWS_SEND_BUFFER_PRE_PADDING + sizeof(BROADCAST) + LWS_SEND_BUFFER_POST_PADDING];

    (void)context, (void)user, (void)in, (void)len;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        atomic_fetch_add(&established, 1);
        break;
    case LWS_CALLBACK_CLOSED:
        atomic_fetch_add(&closed, 1);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        memcpy(buffer + LWS_SEND_BUFFER_PRE_PADDING, BROADCAST, strlen(BROADCAST));
        if (libwebsocket_write(
                wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, strlen(BROADCAST), LWS_WRITE_TEXT) < 0)
            return -1;
        atomic_fetch_add(&written, 1);
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"many", callback, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};

static long resident(void)
{
    long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return -1;
    if (fscanf(file, "%ld %ld", &total, &pages) != 2)
        pages = -1;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void wait_for_closed(long count)
{
    for (int waited = 0; atomic_load(&closed) < count && waited < PATIENCE_MS; waited++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* What is asked: 0 is a broadcast, every other number the connections that must have ended. */
static void *obey(void *argument)
{
    struct run_loop *loop = argument;
    int control = *(const int *)libwebsocket_context_user(loop->context);
    long asked;

    while (read(control, &asked, sizeof(asked)) == (ssize_t)sizeof(asked)) {
        struct server_state state = {0};

        if (asked == 0) {
            state.written = libwebsocket_callback_on_writable_all_protocol(&protocols[0]);
        } else {
            wait_for_closed(asked);
            state.resident = resident();
            state.established = atomic_load(&established);
            state.closed = atomic_load(&closed);
            state.written = atomic_load(&written);
        }
        if (write(control, &state, sizeof(state)) != (ssize_t)sizeof(state))
            break;
    }
    run_loop_stop(loop);
    return NULL;
}

int server_main(const char *name, int control, int address, const char *certificates)
{
    char certificate[160], key[160];
    struct lws_context_creation_info info = {
        .protocols = protocols, .gid = -1, .uid = -1, .user = &control};
    struct run_loop loop = {.name = name};
    pthread_t thread;
    char error[256] = "";
    int port, result = 1;
    int fd = run_loop_listen("127.0.0.1", 4096, &port);
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
        .listen_fds = &fd,
        .listen_fd_count = 1,
    };

    if (fd < 0)
        return 1;
    if (certificates) {
        snprintf(certificate, sizeof(certificate), "%s/server.pem", certificates);
        snprintf(key, sizeof(key), "%s/server.key", certificates);
        info.ssl_cert_filepath = certificate;
        info.ssl_private_key_filepath = key;
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    loop.context = lws_create_context(&info, &extras);
    if (!loop.context) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    if (pthread_create(&thread, NULL, obey, &loop) != 0 ||
        write(address, &port, sizeof(port)) != (ssize_t)sizeof(port)) {
        libwebsocket_context_destroy(loop.context);
        return 1;
    }
    close(address);
    if (run_loop(&loop) && pthread_join(thread, NULL) == 0)
        result = 0;
    return result;
}

bool server_ask(int control, long count, struct server_state *state)
{
    return write(control, &count, sizeof(count)) == (ssize_t)sizeof(count) &&
           read(control, state, sizeof(*state)) == (ssize_t)sizeof(*state) &&
           state->closed >= count && state->resident > 0;
}

bool server_broadcast(int control)
{
    struct server_state state;
    long broadcast = 0;

    return write(control, &broadcast, sizeof(broadcast)) == (ssize_t)sizeof(broadcast) &&
           read(control, &state, sizeof(state)) == (ssize_t)sizeof(state) && state.written == 0;
}
