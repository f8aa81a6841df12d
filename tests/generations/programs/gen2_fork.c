/*
 * Level 20110212 (to 2011-02-13). Generation 2: libwebsockets_fork_service_loop(), and broadcasts
 * from the process that goes on in the program.
 *
 * The process that was started stays in the library's loop, and the new one returns 0 to the
 * program, which tests for n < 0 only: when that process ends, the loop's ends inside the call.
 *
 * Run: gen2_fork PORT COUNT
 * Peer: one WebSocket to "ticker"; receives "tick 0" ... "tick COUNT-1" in order, and then a last
 * message of 100000 times '#', whole; then closes.
 *
 * Prints: "context made", "user process is the new one yes", "established in the started process
 * yes", "sent all", "last gave ok", "closed", "user process ends", and nothing
 * after that. The started process ends with the status of the other one, and soon; no process is
 * left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define LAST 100000

static int news[2];
static pid_t started;

static int callback_ticker(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established in the started process %s\n", getpid() == started ? "yes" : "no");
        if (write(news[1], "e", 1) != 1)
            perror("write");
        break;
    case LWS_CALLBACK_BROADCAST:
        libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        if (write(news[1], "c", 1) != 1)
            perror("write");
        break;
    default:
        printf("unexpected %d\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"ticker", callback_ticker, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    static unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + LAST + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct libwebsocket_context *context;
    int count;
    char c;
    int n;

    if (argc != 3)
        return 2;
    count = atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    started = getpid();
    if (pipe(news) < 0)
        return 2;
    context = libwebsocket_create_context(atoi(argv[1]), protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    printf("context made\n");

    n = libwebsockets_fork_service_loop(context);
    if (n < 0) {
        printf("could not fork: %d\n", n);
        return 1;
    }
    if (getpid() == started) {
        printf("service loop returned %d\n", n);
        return 0;
    }
    alarm(300); /* does not pass through fork */
    printf("user process is the new one %s\n", n == 0 ? "yes" : "no");

    if (read(news[0], &c, 1) != 1 || c != 'e')
        return 1;
    for (n = 0; n < count; n++)
        if (libwebsockets_broadcast(&protocols[0], p, (size_t)sprintf((char *)p, "tick %d", n)) < 0)
            return 1;
    printf("sent all\n");
    memset(p, '#', LAST);
    printf("last gave %s\n", libwebsockets_broadcast(&protocols[0], p, LAST) < 0 ? "-1" : "ok");
    if (read(news[0], &c, 1) != 1 || c != 'c')
        return 1;
    printf("user process ends\n");
    return 0;
}
