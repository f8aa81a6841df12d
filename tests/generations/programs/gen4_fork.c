/*
 * Level 20130115 (to 2013-01-30). Generation 4: fork_service_loop, with several processes that
 * broadcast.
 *
 * The program forks CHILDREN more after fork_service_loop() has returned 0; each of them broadcasts
 * ROUNDS messages "WHO ROUND #####...", with lengths that double from 16 to 65536 and begin again.
 *
 * Run: gen4_fork PORT CHILDREN ROUNDS PEERS
 * Peers: PEERS WebSockets to "news"; the last of them sends the text "go". Each receives CHILDREN *
 * ROUNDS messages, each whole, those of one WHO in the order of ROUND, and the text "end" from the
 * program itself (wherever it comes among them). Then they close.
 *
 * Prints: "context made", "user process is the new one yes", "go", for each child "sender ok",
 * "end ok", "user process ends"; from the started process after that at most "service loop
 * returned". No process is left, and none of the children is a zombie of a process that lives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libwebsockets.h>

#define LARGEST 65536

static unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + LARGEST + LWS_SEND_BUFFER_POST_PADDING];
static int news[2];

static int callback_news(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_BROADCAST:
        if (libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT) != 0)
            printf("unexpected result of write\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        if (len == 2 && memcmp(in, "go", 2) == 0 && write(news[1], "g", 1) != 1)
            perror("write");
        break;
    case LWS_CALLBACK_CLOSED:
        if (write(news[1], "c", 1) != 1)
            perror("write");
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"news", callback_news, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

static int send_rounds(int who, int rounds)
{
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    size_t len = 16;
    int n;

    for (n = 0; n < rounds; n++) {
        memset(p, '#', len);
        p[sprintf((char *)p, "%d %d ", who, n)] = '#';
        if (libwebsockets_broadcast(&protocols[0], p, len) < 0)
            return 1;
        len = len == LARGEST ? 16 : len * 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    pid_t started = getpid();
    int children;
    int status;
    char c;
    int n;

    if (argc != 5)
        return 2;
    children = atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    if (pipe(news) < 0)
        return 2;
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    printf("context made\n");
    n = libwebsockets_fork_service_loop(context);
    if (n < 0)
        return 1;
    if (getpid() == started) {
        printf("service loop returned\n");
        return 0;
    }
    alarm(300);
    printf("user process is the new one %s\n", n == 0 ? "yes" : "no");
    if (read(news[0], &c, 1) != 1 || c != 'g')
        return 1;
    printf("go\n");
    for (n = 0; n < children; n++) {
        switch (fork()) {
        case -1:
            return 1;
        case 0:
            _exit(send_rounds(n, atoi(argv[3])));
        default:
            break;
        }
    }
    for (n = 0; n < children; n++) {
        if (wait(&status) < 0)
            return 1;
        printf("sender %s\n", status == 0 ? "ok" : "failed");
    }
    memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], "end", 3);
    printf("end %s\n",
        libwebsockets_broadcast(&protocols[0], &buf[LWS_SEND_BUFFER_PRE_PADDING], 3) < 0 ? "-1"
                                                                                         : "ok");
    /* the other process ends with this one: the peers must have had everything */
    for (n = 0; n < atoi(argv[4]); n++)
        if (read(news[0], &c, 1) != 1 || c != 'c')
            return 1;
    printf("user process ends\n");
    return 0;
}
