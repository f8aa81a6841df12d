/*
 * Level 20130201 (to 2013-02-05): broadcast is gone from the documents; lws_daemonize(); notices
 * in a file of the program's own.
 *
 * Run: feb2013_daemon PORT LOCK-FILE LOG-FILE
 * Peer: one WebSocket to "ticks", which receives "0", "1", "2" by writable callbacks and then is
 * closed.
 *
 * The process that was started ends with status 0 once the daemon is on its way. LOCK-FILE holds
 * the daemon's pid in decimal (a newline may follow). LOG-FILE gets: "daemon pid PID",
 * "own session yes" (it leads a session, or is in one that is not the starter's), "established",
 * "sent 0", "sent 1", "sent 2", "closed", "done". No daemon is left after "done".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static FILE *log_file;
static int closed;

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static int callback_ticks(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 16 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    int *tick = (int *)user;
    int n;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        fprintf(log_file, "established\n");
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (*tick == 3) {
            libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_NORMAL);
            break;
        }
        n = sprintf((char *)p, "%d", *tick);
        if (libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT))
            break;
        fprintf(log_file, "sent %d\n", (*tick)++);
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        fprintf(log_file, "closed\n");
        closed = 1;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0},
    {"ticks", callback_ticks, sizeof(int), NULL, 0}, {NULL, NULL, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    pid_t session = getsid(0);

    if (argc != 4)
        return 2;
    if (lws_daemonize(argv[2])) {
        fprintf(stderr, "cannot become a daemon\n");
        return 1;
    }
    alarm(300);
    log_file = fopen(argv[3], "w");
    if (log_file == NULL)
        return 1;
    setvbuf(log_file, NULL, _IOLBF, 0);
    fprintf(log_file, "daemon pid %d\n", (int)getpid());
    fprintf(log_file, "own session %s\n", getsid(0) != session ? "yes" : "no");
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    fprintf(log_file, "done\n");
    return 0;
}
