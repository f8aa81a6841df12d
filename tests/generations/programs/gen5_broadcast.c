/*
 * Level 20130316 (to 2013-10-16), though not in its document: broadcast, which this library offers
 * in generation 5 too; from the service thread, from another thread, and from a forked process.
 *
 * Run: gen5_broadcast PORT
 * Peers: two WebSockets to "all"; when the second has come, each receives "from the service", once,
 * "from a thread" and "from a process" once each, in any order; then both close.
 *
 * Prints: "joined" twice, "service gave ok", "thread gave ok", "process gave ok", "left" twice,
 * "done". Exit status 0.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libwebsockets.h>

static struct libwebsocket_protocols *all;
static pthread_t thread;
static int joined;
static int left;
static int process_pipe[2];

static void tell(const char *who, const char *words)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    size_t len = strlen(words);

    memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], words, len);
    printf("%s gave %s\n", who,
        libwebsockets_broadcast(all, &buf[LWS_SEND_BUFFER_PRE_PADDING], len) < 0 ? "-1" : "ok");
}

static void *run_thread(void *argument)
{
    tell("thread", "from a thread");
    return argument;
}

static int callback_all(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("joined\n");
        if (++joined < 2)
            break;
        tell("service", "from the service");
        if (write(process_pipe[1], "g", 1) != 1 || pthread_create(&thread, NULL, run_thread, NULL))
            abort();
        break;
    case LWS_CALLBACK_BROADCAST:
        if (libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT) < 0)
            return -1;
        break;
    case LWS_CALLBACK_CLOSED:
        printf("left\n");
        left++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"all", callback_all, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    pid_t child;
    char c;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    all = protocols;
    if (pipe(process_pipe) < 0)
        return 2;
    memset(&info, 0, sizeof(info));
    info.port = atoi(argv[1]);
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        alarm(300);
        if (read(process_pipe[0], &c, 1) == 1)
            tell("process", "from a process");
        /* not exit(): the parent's copy of the context is the parent's */
        _exit(0);
    }
    while (left < 2)
        libwebsocket_service(context, 50);
    pthread_join(thread, NULL);
    waitpid(child, NULL, 0);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
