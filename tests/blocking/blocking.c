/*
 * Nothing that a peer or a name service does or does not do holds up the loop. Everything that can
 * hang hangs at one time: name look-ups, connects, TLS handshakes both ways, proxies, servers. Each
 * ends at its deadline with the reason that belongs to it; meanwhile a timer of the host's ticks, a
 * healthy connection goes on, and no call into the library takes much of the thread's time.
 *
 * Usage: blocking poll|uv|event|own CERTIFICATES [--traced]
 *
 * CERTIFICATES is a folder made by tests/support/certificates.sh. With --traced calls are marked
 * for trace.py, and their cost does not count.
 */
#include "../support/run_loop.h"
#include "../support/sanitized.h"
#include "attempts.h"
#include "cost.h"
#include "host.h"
#include "peers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 20000
/* How long to look on after the last has ended. */
#define AFTERWARDS_MS 100
/* Others are at work on the machine, too. */
#define LATE_MS 2000
#define GAP_MOST_MS 900
#define COST_MOST_US 50000

static struct {
    const char *folder;
    int port;
    struct libwebsocket *wsi; /* the healthy connection's client side */
    bool ended;
    bool begun;
    unsigned int ticks; /* of the host, since the attempts began */
    unsigned int sent;
    unsigned int answered;
    int64_t over; /* when the last attempt ended; 0: not yet */
    int64_t deadline;
    struct libwebsocket_context *context;
} stage;

static int passed, failed;

static void step(bool good, const char *what)
{
    if (good)
        passed++;
    else
        failed++;
    printf("%s  %s\n", good ? "ok    " : "FAILED", what);
}

static int say(struct libwebsocket *wsi, const void *text, size_t length)
{
    unsigned char buffer[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];

    if (length > 16)
        return -1;
    memcpy(buffer + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    return libwebsocket_write(wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, length, LWS_WRITE_TEXT) < 0
               ? -1
               : 0;
}

static int healthy(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        stage.wsi = wsi;
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLOSED:
        stage.wsi = NULL;
        stage.ended = true;
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        stage.sent++;
        return say(wsi, "tick", 4);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        stage.answered++;
        break;
    default:
        break;
    }
    return 0;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        if (libwebsocket_context_user(context) != NULL)
            host_poll_fd(reason, (int)(intptr_t)in, (int)len);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return say(wsi, in, len);
    default:
        return user == &stage ? healthy(wsi, reason) : 0;
    }
}

static int silent_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)wsi;
    if (user != NULL)
        attempts_callback(reason, user, in, len);
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {.name = "healthy", .callback = callback},
    {.name = "silent", .callback = silent_callback},
    {.name = NULL},
};

/* By a name that is really looked up. */
static bool connect_healthy(void)
{
    bool good;

    cost_begin();
    good = libwebsocket_client_connect_extended(stage.context, "localhost", stage.port, 1, "/",
               NULL, NULL, "healthy", -1, &stage) != NULL;
    cost_end();
    return good;
}

static bool callers_have_ended(void)
{
    return peers_call_lasted(CALLER_SILENT) >= 0 && peers_call_lasted(CALLER_HALF) >= 0;
}

static bool tick(void *argument)
{
    int64_t now = host_now_ms();

    (void)argument;
    if (now > stage.deadline || stage.ended)
        return false;
    if (!stage.wsi)
        return true;
    if (!stage.begun) {
        stage.begun = true;
        return attempts_begin(stage.context, stage.folder) && peers_call(stage.port);
    }
    stage.ticks++;
    cost_begin();
    libwebsocket_callback_on_writable(stage.context, stage.wsi);
    cost_end();
    if (stage.over == 0 && attempts_are_over() && callers_have_ended())
        stage.over = now;
    return stage.over == 0 || now < stage.over + AFTERWARDS_MS;
}

static struct libwebsocket_context *create(const char *loop)
{
    static char files[3][160];
    static char error[256];
    int fd = run_loop_listen("127.0.0.1", 16, &stage.port);
    struct lws_context_creation_info info = {.protocols = protocols,
        .ssl_cert_filepath = files[0],
        .ssl_private_key_filepath = files[1],
        .gid = -1,
        .uid = -1,
        .user = strcmp(loop, "own") == 0 ? &stage : NULL};
    struct lws_context_extras extras = {
        .struct_size = sizeof extras,
        .error = error,
        .error_len = sizeof error,
        .listen_fds = &fd,
        .listen_fd_count = 1,
        .client_ssl_ca_filepath = files[2],
        .resolve_timeout_ms = RESOLVE_MS,
        .connect_timeout_ms = CONNECT_MS,
        .proxy_timeout_ms = PROXY_MS,
        .tls_timeout_ms = TLS_MS,
        .handshake_timeout_ms = HANDSHAKE_MS,
    };

    if (fd < 0)
        return NULL;
    snprintf(files[0], sizeof files[0], "%s/server.pem", stage.folder);
    snprintf(files[1], sizeof files[1], "%s/server.key", stage.folder);
    snprintf(files[2], sizeof files[2], "%s/root.pem", stage.folder);
    stage.context = lws_create_context(&info, &extras);
    if (!stage.context)
        fprintf(stderr, "%s\n", error);
    return stage.context;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void tell_callers(void)
{
    static const char *const what[CALLERS] = {
        [CALLER_SILENT] = "a TLS client that is silent is hung up on at the deadline",
        [CALLER_HALF] = "so is one that stops in the middle",
    };

    for (enum caller caller = 0; caller < CALLERS; caller++) {
        int64_t lasted = peers_call_lasted(caller);

        step(lasted >= TLS_MS && lasted <= TLS_MS + LATE_MS, what[caller]);
        if (lasted < TLS_MS || lasted > TLS_MS + LATE_MS)
            printf("        after %ld ms\n", (long)lasted);
    }
    step(peers_were_answered(), "it had been answered before");
}

/* The look-ups go on in their threads, which know of no context any more. */
static void end_lookups(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    step(fake_names_busy() > 0, "the name service is still at it when the context is gone");
    fake_names_release();
    for (int i = 0; i < PATIENCE_MS && fake_names_busy() > 0; i++)
        nanosleep(&moment, NULL);
    step(fake_names_busy() == 0, "the threads come to their end");
}

static void talk(const char *loop, bool traced)
{
    struct host host = {.name = loop, .context = stage.context, .tick = tick};
    bool good;

    stage.deadline = host_now_ms() + PATIENCE_MS;
    good = connect_healthy();
    step(host_run(&host) && good, "the loop runs, and can be taken down");
    attempts_tell(LATE_MS, step);
    tell_callers();
    step(stage.sent > stage.ticks / 2 && stage.answered + 2 > stage.sent,
        "a healthy connection goes on meanwhile");
    step(host.longest_gap_ms <= GAP_MOST_MS, "the host's timer ticks all the time");
    step(cost_calls() > 100, "calls into the library are measured");
    if (!traced && !IS_SANITIZED)
        step(cost_most() <= COST_MOST_US, "none takes more than 50 ms of the thread's CPU time");
    printf("        %u ticks, at most %ld ms apart; %u messages were answered; of %lu calls the "
           "dearest took %.1f ms\n",
        host.ticks, (long)host.longest_gap_ms, stage.answered, cost_calls(),
        (double)cost_most() / 1000);
    end_lookups();
}

int main(int argc, char **argv)
{
    bool traced = argc == 4 && strcmp(argv[3], "--traced") == 0;
    int before;

    if (argc < 3 || (argc == 4 && !traced) || argc > 4) {
        fprintf(stderr, "usage: blocking poll|uv|event|own CERTIFICATES [--traced]\n");
        return 2;
    }
    stage.folder = argv[2];
    lws_set_log_level(LLL_ERR, NULL);
    fake_names(attempts_names);
    if (traced)
        cost_mark_calls();
    if (!host_prepare())
        return 1;
    before = open_descriptors();
    if (peers_start(stage.folder) && create(argv[1]))
        talk(argv[1], traced);
    else
        step(false, "everybody is there");
    peers_stop();
    step(open_descriptors() == before, "no descriptor is left");
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
