/*
 * Level 20110212 (to 2011-02-13). Generation 2: the program forks by itself; the child calls
 * libwebsocket_service() in a loop, the parent broadcasts, as the document of
 * libwebsocket_service() proposes.
 *
 * Run: gen2_by_hand PORT
 * Peer: one WebSocket to "beacon"; receives "beacon 0", "beacon 1" ... in order without a gap.
 * After some of them the test kills the child, whose pid was printed, with SIGKILL.
 *
 * Prints: "service process PID", "first", "told" (a broadcast gave a negative value after the child
 * was killed, at the latest after some seconds), "child gone by signal 9". Exit status 0; "never
 * told" and 1 if broadcasts seem to work for ten seconds after the child's death. No broadcast
 * blocks for good.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libwebsockets.h>

static int callback_beacon(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len);

static struct libwebsocket_protocols protocols[] = {
    {"beacon", callback_beacon, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

static int news[2];

static int callback_beacon(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        if (write(news[1], "e", 1) != 1)
            return -1;
        break;
    case LWS_CALLBACK_BROADCAST:
        libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT);
        break;
    default:
        break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct libwebsocket_context *context;
    int since_death = 0;
    int number = 0;
    int status = 0;
    pid_t child;
    char c;
    int n;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    if (pipe(news) < 0)
        return 2;
    context = libwebsocket_create_context(atoi(argv[1]), protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        alarm(300);
        while (libwebsocket_service(context, 500) >= 0)
            ;
        _exit(1);
    }
    printf("service process %d\n", (int)child);
    if (read(news[0], &c, 1) != 1)
        return 1;
    printf("first\n");
    for (;;) {
        n = sprintf((char *)p, "beacon %d", number++);
        if (libwebsockets_broadcast(&protocols[0], p, (size_t)n) < 0) {
            printf("told\n");
            break;
        }
        /* the child is not waited for yet: its end is to be learned from the broadcast */
        if (kill(child, 0) < 0 && errno == ESRCH)
            return 1;
        if (since_death == 0) {
            siginfo_t info;

            memset(&info, 0, sizeof(info));
            if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid == child)
                since_death = 1;
        } else if (++since_death > 1000) {
            printf("never told\n");
            return 1;
        }
        usleep(10000);
    }
    if (waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("child gone by signal %d\n", WTERMSIG(status));
    libwebsocket_context_destroy(context);
    return 0;
}
