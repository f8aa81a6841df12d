/*
 * Level 20130115 (to 2013-01-18). Generation 4: a server with pages, a log function of its own,
 * and a page that closes behind itself.
 *
 * Uses: create_context with 11 arguments; lws_set_log_level(level, function(line)); the log levels'
 * values; serve_http_file with context; HTTP_FILE_COMPLETION; LWS_WRITE_HTTP and a return of 1,
 * which closes from this generation on; SERVER_WRITEABLE; broadcast; get_peer_addresses(fd, ...);
 * serve_http_file_fragment, which a program may call whenever it likes.
 *
 * Run: gen4_server PORT TAKEN-PORT PAGE-FILE SESSIONS
 * Peers: somebody else listens on TAKEN-PORT. http GET / -> PAGE-FILE; GET /missing -> an error
 * status (404 today, 400 then); GET /hand-made -> "by hand\n", and the connection ends though the
 * response has no length. Then SESSIONS WebSockets to "shout" (two, say): a text from one reaches
 * all as "ADDRESS: TEXT".
 *
 * Prints:
 *   levels 1 2 4 8 16 32 64 128, count 8
 *   log: ... (at least once, before "no context")
 *   no context on the taken port
 *   http /, http /missing, http /hand-made
 *   file complete                       (once, for "/")
 *   fragment called                     (whatever it gave, the file arrives whole, and once)
 *   established 127.0.0.1
 *   received: TEXT
 *   broadcast 0
 *   writeable server                    (one for each session, after its "established")
 *   closed
 *   done
 * never "unexpected". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct per_session_data__shout {
    char rip[64];
};

static const char *page;
static int closed;

static void log_line(const char *line)
{
    printf("log: %.*s\n", (int)strcspn(line, "\n"), line);
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char head[] = "HTTP/1.0 200 OK\x0d\x0a"
                               "Content-Type: text/plain\x0d\x0a\x0d\x0a"
                               "by hand\n";
    unsigned char buf[sizeof(head)];

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        printf("http %s\n", (char *)in);
        if (strcmp((char *)in, "/hand-made") == 0) {
            memcpy(buf, head, sizeof(head));
            libwebsocket_write(wsi, buf, sizeof(head) - 1, LWS_WRITE_HTTP);
            return 1;
        }
        if (strcmp((char *)in, "/missing") == 0) {
            libwebsockets_serve_http_file(context, wsi, "/nowhere/missing", "text/html");
            return 0;
        }
        if (libwebsockets_serve_http_file(context, wsi, page, "text/html") < 0)
            return 1;
        libwebsockets_serve_http_file_fragment(context, wsi);
        printf("fragment called\n");
        break;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        printf("file complete\n");
        return 1;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        break;
    default:
        printf("unexpected %d in http\n", (int)reason);
        break;
    }
    return 0;
}

static int callback_shout(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct per_session_data__shout *pss = (struct per_session_data__shout *)user;
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 512 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    char name[128];
    int n;

    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        break;
    case LWS_CALLBACK_ESTABLISHED:
        libwebsockets_get_peer_addresses(
            libwebsocket_get_socket_fd(wsi), name, sizeof(name), pss->rip, sizeof(pss->rip));
        printf("established %s\n", pss->rip);
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        printf("writeable server\n");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received: %.*s\n", (int)len, (char *)in);
        n = snprintf((char *)p, 512, "%s: %.*s", pss->rip, (int)len, (char *)in);
        n = libwebsockets_broadcast(libwebsockets_get_protocol(wsi), p, (size_t)n);
        printf("broadcast %d\n", n);
        break;
    case LWS_CALLBACK_BROADCAST:
        if (libwebsocket_write(wsi, (unsigned char *)in, len, LWS_WRITE_TEXT) != 0)
            printf("unexpected result of write\n");
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed++;
        break;
    default:
        printf("unexpected %d in shout\n", (int)reason);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"shout", callback_shout, sizeof(struct per_session_data__shout), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 5)
        return 2;
    page = argv[3];
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    printf("levels %d %d %d %d %d %d %d %d, count %d\n", LLL_ERR, LLL_WARN, LLL_INFO, LLL_DEBUG,
        LLL_PARSER, LLL_HEADER, LLL_EXT, LLL_CLIENT, LLL_COUNT);
    lws_set_log_level(LLL_ERR | LLL_WARN, log_line);
    context = libwebsocket_create_context(
        atoi(argv[2]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    printf("%s on the taken port\n", context ? "context" : "no context");
    lws_set_log_level(0, NULL);
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    if (context == NULL)
        return 1;
    while (closed < atoi(argv[4]))
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
