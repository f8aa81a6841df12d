/*
 * Many clients and their server in one process, one context and on one loop: all connect at one
 * time, talk, stop each other's flow, and end from either side. Callbacks are counted; descriptors
 * and memory must be given back.
 *
 * Usage: pairs poll|uv|event [COUNT [CERTIFICATES]]      (1000)
 *
 * CERTIFICATES is a folder made by tests/support/certificates.sh; with it all are encrypted.
 */
#include "../support/run_loop.h"
#include "../support/sanitized.h"
#include "pair.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that are not connections. */
#define OTHER_DESCRIPTORS 100
#define PATIENCE_S 240
#define PATIENCE_MS (1000 * PATIENCE_S)
/* So many fill what the C library keeps at hand of freed memory, and counts as used. */
#define FIRST_ROUND 300u
#define KEPT_MOST (32 * 1024)

enum phase { OPENING, TALKING, RESUMED, CLOSING, ENDED };

static enum phase phase;
static struct run_loop loop;
static const char *certificates; /* NULL: not encrypted */
static int port;
static long resident_idle;
static int passed, failed;

static void step(bool good, const char *what)
{
    if (good)
        passed++;
    else
        failed++;
    printf("%s  %s\n", good ? "ok    " : "FAILED", what);
    fflush(stdout);
}

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

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* --- the phases */

/* Those that end with the context, and those that have ended before. */
static unsigned int count_ends(enum pair_end end)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < pairs.count; i++)
        count += pair_ends(&pairs.all[i]) == end;
    return count;
}

static void go_on(struct libwebsocket_context *context, void *argument)
{
    (void)argument;
    for (unsigned int i = 0; i < pairs.count; i++) {
        struct pair *pair = &pairs.all[i];

        if (phase == TALKING)
            pair_talk(context, pair);
        else if (phase == RESUMED)
            pair_resume(pair);
        else if (phase == CLOSING)
            pair_close(context, pair);
    }
}

static void enter(struct libwebsocket_context *context, enum phase next)
{
    phase = next;
    if (next == CLOSING)
        resident_idle = resident();
    if (next == ENDED ? !run_loop_stop(&loop) : lws_call_in_service(context, go_on, NULL) != 0)
        pairs.faults++;
}

static void changed(struct libwebsocket_context *context)
{
    switch (phase) {
    case OPENING:
        if (pairs.established == 2 * pairs.count)
            enter(context, TALKING);
        break;
    case TALKING:
        if (pairs.finished + pairs.waiting == pairs.count)
            enter(context, RESUMED);
        break;
    case RESUMED:
        if (pairs.finished == pairs.count)
            enter(context, CLOSING);
        break;
    case CLOSING:
        if (pairs.closed == 2 * (pairs.count - count_ends(PAIR_STAYS)))
            enter(context, ENDED);
        break;
    case ENDED:
        break;
    }
    if (pairs.faults > 0 && phase != ENDED)
        enter(context, ENDED);
}

static void begin(struct libwebsocket_context *context, void *argument)
{
    (void)argument;
    for (unsigned int i = 0; i < pairs.count; i++) {
        if (!pair_connect(context, &pairs.all[i], port, certificates ? 1 : 0)) {
            perror("a client");
            pairs.faults++;
            enter(context, ENDED);
            return;
        }
    }
}

/* --- a round of them */

static const char *certificate(char *path, size_t size, const char *name)
{
    if (!certificates)
        return NULL;
    snprintf(path, size, "%s/%s", certificates, name);
    return path;
}

static bool create(void)
{
    char files[3][160];
    char error[256] = "";
    int fd = run_loop_listen("127.0.0.1", 4096, &port);
    struct lws_context_creation_info info = {.protocols = pair_protocols,
        .ssl_cert_filepath = certificate(files[0], sizeof(files[0]), "server.pem"),
        .ssl_private_key_filepath = certificate(files[1], sizeof(files[1]), "server.key"),
        .gid = -1,
        .uid = -1};
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
        .listen_fds = &fd,
        .listen_fd_count = 1,
        .client_ssl_ca_filepath = certificate(files[2], sizeof(files[2]), "root.pem"),
        .request_timeout_ms = PATIENCE_MS,
        .close_timeout_ms = PATIENCE_MS,
        .connect_timeout_ms = PATIENCE_MS,
        .tls_timeout_ms = PATIENCE_MS,
        .handshake_timeout_ms = PATIENCE_MS,
    };

    if (fd < 0)
        return false;
    loop.stopped = false;
    loop.context = lws_create_context(&info, &extras);
    if (!loop.context) {
        fprintf(stderr, "%s\n", error);
        close(fd);
        return false;
    }
    return lws_call_in_service(loop.context, begin, NULL) == 0;
}

static bool run_round(unsigned int count)
{
    bool good;

    pairs = (struct pairs){.count = count, .changed = changed};
    phase = OPENING;
    pairs.all = calloc(count, sizeof(*pairs.all));
    if (!pairs.all || !create()) {
        free(pairs.all);
        return false;
    }
    for (unsigned int i = 0; i < count; i++)
        pairs.all[i].number = i;
    good = run_loop(&loop) && phase == ENDED && pairs.faults == 0;
    for (unsigned int i = 0; i < count; i++)
        good = pair_is_right(&pairs.all[i]) && good;
    free(pairs.all);
    return good;
}

static void on_alarm(int number)
{
    static const char text[] = "FAILED  it does not come to its end\n0 passed, 1 failed\n";

    (void)number;
    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
        _exit(2);
    _exit(1);
}

static void run(unsigned int count)
{
    long before;
    size_t memory;
    int descriptors;

    /* What is made at first use, and kept, is made here. */
    step(run_round(FIRST_ROUND), "some pairs talk, stop, go on and end");
    if (failed)
        return;
    descriptors = open_descriptors();
    memory = memory_in_use();
    before = resident();
    step(run_round(count), "so do all, each with all its callbacks, once");
    step(open_descriptors() == descriptors, "no descriptor is left");
    if (!IS_SANITIZED) {
        memory = memory_in_use() > memory ? memory_in_use() - memory : 0;
        step(memory <= KEPT_MOST, "no memory is left");
        printf("        %zu bytes more are in use than before\n", memory);
        /* The first ones' memory is used again. */
        if (count >= 2 * FIRST_ROUND)
            printf("        resident memory for each pair after it has talked: %ld bytes\n",
                (resident_idle - before) / (long)(count - FIRST_ROUND));
    }
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 1000;
    struct rlimit limit;

    if (argc < 2 || argc > 4 || count < 1) {
        fprintf(stderr, "usage: pairs poll|uv|event [COUNT [CERTIFICATES]]\n");
        return 2;
    }
    loop.name = argv[1];
    certificates = argc > 3 ? argv[3] : NULL;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur <
            2 * (rlim_t)(count > (int)FIRST_ROUND ? count : (int)FIRST_ROUND) + OTHER_DESCRIPTORS) {
        fprintf(stderr, "%d pairs need more descriptors than the limit of %llu\n", count,
            (unsigned long long)limit.rlim_cur);
        printf("0 passed, 1 failed\n");
        return 1;
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    signal(SIGALRM, on_alarm);
    alarm(PATIENCE_S);
    run((unsigned int)count);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
