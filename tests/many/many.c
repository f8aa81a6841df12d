/*
 * Thousands of idle connections on one loop: they open, a broadcast reaches each of them exactly
 * once, they close. The server is a process of its own, so that what its memory grows by is theirs.
 *
 * Usage: many poll|uv|event [COUNT [CERTIFICATES]]      (10000)
 *
 * CERTIFICATES is a folder made by tests/support/certificates.sh; with it all are encrypted.
 * Lost connections and messages are failures; the figures are for reading.
 */
#include "many.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors that are not connections, on either side. */
#define OTHER_DESCRIPTORS 100

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

/* What the connections cost, against what they should cost at most where they are plain. */
static void tell_memory(const char *loop, bool encrypted, const struct server_state *before,
    const struct server_state *after)
{
    double bytes = (double)(after->resident - before->resident) /
                   (double)(after->established - before->established);
    int aim = strcmp(loop, "poll") == 0 ? 256 : 420;

    printf("        the server's resident memory (statm), with %ld connections open and idle: %ld "
           "KiB\n"
           "        before the first of them, when one had come and gone: %ld KiB\n"
           "        difference for each connection: %.0f bytes",
        after->established - before->established, after->resident / 1024, before->resident / 1024,
        bytes);
    if (encrypted)
        printf(", with TLS\n");
    else
        printf("; the aim is %d: %s\n", aim, bytes <= aim ? "met" : "missed");
}

static void talk(int control, int port, const char *loop, int count, bool encrypted)
{
    struct server_state before, open, after;
    struct clients *clients = clients_make(port, count, encrypted);
    struct clients *first = clients_make(port, 1, encrypted);
    bool good = clients && first && clients_open(first) && clients_close(first);

    step(good, "a first connection opens and closes");
    if (!good || !server_ask(control, 1, &before))
        goto done;

    good = clients_open(clients);
    step(good, "all connections open");
    if (!good || !server_ask(control, 1, &open))
        goto done;
    step(open.established - before.established == count, "the server knows of each");
    step(open.closed == before.closed, "none has ended");
    tell_memory(loop, encrypted, &before, &open);

    step(server_broadcast(control), "the broadcast is asked for");
    step(clients_receive(clients), "it reaches each exactly once");
    step(clients_close(clients), "all close with 1000, and the server hangs up first");
    step(server_ask(control, count + 1, &after), "the server has seen the end of each");
    step(after.established == after.closed, "each ESTABLISHED has had its CLOSED");
    step(after.written == count, "one message was written for each");

done:
    clients_free(first);
    clients_free(clients);
}

int main(int argc, char **argv)
{
    const char *loop = argc > 1 ? argv[1] : "";
    int count = argc > 2 ? atoi(argv[2]) : 10000;
    const char *certificates = argc > 3 ? argv[3] : NULL;
    struct rlimit limit;
    int control[2], address[2];
    int port = 0, status = 0;
    pid_t server;

    if (argc < 2 || count < 1) {
        fprintf(stderr, "usage: many poll|uv|event [COUNT [CERTIFICATES]]\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur < (rlim_t)count + OTHER_DESCRIPTORS) {
        fprintf(stderr, "%d connections need more descriptors than the limit of %llu\n", count,
            (unsigned long long)limit.rlim_cur);
        printf("0 passed, 1 failed\n");
        return 1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0 || pipe(address) < 0)
        return 1;

    server = fork();
    if (server < 0)
        return 1;
    if (server == 0) {
        close(control[0]);
        close(address[0]);
        _exit(server_main(loop, control[1], address[1], certificates));
    }
    close(control[1]);
    close(address[1]);
    /* OpenSSL writes to connections that may have ended. */
    signal(SIGPIPE, SIG_IGN);
    if (read(address[0], &port, sizeof(port)) == (ssize_t)sizeof(port))
        talk(control[0], port, loop, count, certificates != NULL);
    else
        step(false, "the server starts");

    /* The server ends with this. */
    close(control[0]);
    close(address[0]);
    step(waitpid(server, &status, 0) == server && WIFEXITED(status) && WEXITSTATUS(status) == 0,
        "the server ends in good order");
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
