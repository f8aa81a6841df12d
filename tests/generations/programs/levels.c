/*
 * One program for all levels: what its day is without it leaves out. Unlike the others, nobody
 * would have written it so.
 *
 * Run: levels PORT PAGE-FILE CLOSED-PORT [INTERFACE CERTIFICATE KEY AUTHORITIES GID UID]
 * Peers, one after the other:
 *   http GET /file twice on one connection; GET /one, whose callback returns 1 once the file is on
 *     its way; from 2011-01-19 on GET /later, which is answered when the connection is writable
 *   a handshake that asks for no protocol
 *   WebSockets to "session", whose texts are words of command: see command() below
 *
 * It prints each callback with its arguments, what functions have returned, and what it has done
 * outside of callbacks. ../sessions/levels.txt has the lines, each with the days for which it is
 * there. Exit status 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#if LWS_SINCE(20110214)
#define WITH_CONTEXT struct libwebsocket_context *context,
#define ON_WRITABLE(wsi) libwebsocket_callback_on_writable(context, wsi)
#else
#define WITH_CONTEXT
#define ON_WRITABLE(wsi) libwebsocket_callback_on_writable(wsi)
#endif

struct session {
    int callbacks;
    int ends; /* WRITEABLE returns 1 */
};

static const char *page;
static int finish;

/* What a context is made with. */
static const char *interface;
static const char *certificate;
static const char *key;
static const char *authorities;
static int gid = -1;
static int uid = -1;

/* What is to be done outside of callbacks, and to whom. */
static char outside[32];
static struct libwebsocket *outside_wsi;

#if LWS_BEFORE(20110119)
static int finished[2];
#else
static struct libwebsocket_context *the_context;
#endif
#if LWS_SINCE(20110122)
static int closed_port;
#endif
/* The element of the program's array, further down. */
static const struct libwebsocket_protocols *session_protocol;

static int received;

static const char *name_of(enum libwebsocket_callback_reasons reason)
{
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return "ESTABLISHED";
    case LWS_CALLBACK_CLOSED:
        return "CLOSED";
    case LWS_CALLBACK_RECEIVE:
        return "RECEIVE";
    case LWS_CALLBACK_HTTP:
        return "HTTP";
    case LWS_CALLBACK_BROADCAST:
        return "BROADCAST";
    case LWS_CALLBACK_ADD_POLL_FD:
        return "ADD_POLL_FD";
    case LWS_CALLBACK_DEL_POLL_FD:
        return "DEL_POLL_FD";
#if LWS_SINCE(20110119)
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return "CLIENT_WRITEABLE";
#endif
#if LWS_SINCE(20110219)
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return "FILTER_NETWORK_CONNECTION";
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return "FILTER_PROTOCOL_CONNECTION";
#endif
#if LWS_SINCE(20110305)
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return "CLIENT_APPEND_HANDSHAKE_HEADER";
#endif
#if LWS_SINCE(20110307)
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return "SERVER_WRITEABLE";
#endif
#if LWS_SINCE(20120420)
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        return "CLIENT_CONNECTION_ERROR";
#endif
#if LWS_SINCE(20130115)
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        return "HTTP_FILE_COMPLETION";
#endif
#if LWS_SINCE(20130209)
    case LWS_CALLBACK_PROTOCOL_INIT:
        return "PROTOCOL_INIT";
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        return "PROTOCOL_DESTROY";
#endif
#if LWS_SINCE(20130316)
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return "HTTP_WRITEABLE";
    case LWS_CALLBACK_CLOSED_HTTP:
        return "CLOSED_HTTP";
#endif
    default:
        return "a reason of another time";
    }
}

/* Descriptors are printed as where they are, and the library's own not at all. */
static int print_descriptor(enum libwebsocket_callback_reasons reason, void *user, void *in)
{
    static char is_peer[1024];
    static int last = -1;
    const char *where = in == NULL ? "user" : "in";
    int fd = (int)(long)(in == NULL ? user : in);
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    if (fd < 0 || fd >= (int)sizeof(is_peer)) {
        printf("%s wrong descriptor\n", name_of(reason));
        return 0;
    }
    if (strncmp(name_of(reason), "FILTER", 6) == 0) {
        last = fd;
        printf("%s in %s, %s\n", name_of(reason), where,
            getpeername(fd, (struct sockaddr *)&address, &length) ? "nobody's" : "a peer's");
    } else if (reason == LWS_CALLBACK_ADD_POLL_FD && fd == last) {
        last = -1;
        is_peer[fd] = 1;
        printf("ADD_POLL_FD in %s\n", where);
    } else if (reason == LWS_CALLBACK_DEL_POLL_FD && is_peer[fd]) {
        is_peer[fd] = 0;
        printf("DEL_POLL_FD in %s\n", where);
    }
    return 0;
}

static int serve(WITH_CONTEXT struct libwebsocket *wsi)
{
#if LWS_SINCE(20130115)
    return libwebsockets_serve_http_file(context, wsi, page, "text/plain");
#else
    return libwebsockets_serve_http_file(wsi, page, "text/plain");
#endif
}

#if LWS_SINCE(20110214)
#define CONTEXT context,
#else
#define CONTEXT
#endif

static int callback_http(WITH_CONTEXT struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char raw[] = "HTTP/1.0 200 OK\r\n\r\nraw";
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlater";
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + sizeof(answer)];
    int n;

#if LWS_SINCE(20110219)
    if (reason == LWS_CALLBACK_FILTER_NETWORK_CONNECTION)
        return print_descriptor(reason, user, in);
#endif
    switch ((int)reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
        return print_descriptor(reason, user, in);
    case LWS_CALLBACK_SET_MODE_POLL_FD:
    case LWS_CALLBACK_CLEAR_MODE_POLL_FD:
        return 0;
    case LWS_CALLBACK_HTTP:
        printf("HTTP %.*s\n", (int)len, (char *)in);
#if LWS_SINCE(20110119)
        if (strcmp((char *)in, "/later") == 0) {
            ON_WRITABLE(wsi);
            return 0;
        }
#endif
        if (strcmp((char *)in, "/nothing") == 0)
            return 1;
        if (strcmp((char *)in, "/raw") == 0) {
            memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], raw, sizeof(raw) - 1);
            libwebsocket_write(
                wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], sizeof(raw) - 1, LWS_WRITE_HTTP);
            return 1;
        }
        n = serve(CONTEXT wsi);
        printf("serve_http_file %d\n", n);
        return strcmp((char *)in, "/one") == 0;
    default:
        break;
    }
#if LWS_SINCE(20130115)
    if (reason == LWS_CALLBACK_HTTP_FILE_COMPLETION) {
        printf("HTTP_FILE_COMPLETION of %s, %d bytes\n",
            in == NULL                      ? "nothing"
            : strcmp((char *)in, page) == 0 ? "the file"
                                            : "another file",
            (int)len);
        return 0;
    }
#endif
    printf("%s http-only\n", name_of(reason));
    if (strstr(name_of(reason), "WRITEABLE") != NULL) {
        memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], answer, sizeof(answer) - 1);
        libwebsocket_write(
            wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], sizeof(answer) - 1, LWS_WRITE_HTTP);
        /* On days on which this return means nothing. */
        strcpy(outside, "hang up");
        outside_wsi = wsi;
        return -1;
    }
    return 0;
}

#if LWS_SINCE(20110122)
static void connect_to_nobody(WITH_CONTEXT int port)
{
    struct libwebsocket *wsi;

#if LWS_BEFORE(20110214)
    struct libwebsocket_context *context = the_context;
#endif
#if LWS_BEFORE(20110130)
    wsi = libwebsocket_client_connect(context, "127.0.0.1", port, "/", "h", "o", "session");
#elif LWS_BEFORE(20110212)
    wsi = libwebsocket_client_connect(context, "127.0.0.1", port, 0, "/", "h", "o", "session");
#else
    wsi = libwebsocket_client_connect(context, "127.0.0.1", port, 0, "/", "h", "o", "session", -1);
#endif
    printf("client_connect %s\n", wsi == NULL ? "NULL" : "wsi");
}
#endif

/* Ends a connection in the ways of the day; 0 where the day has not that one. */
static int end_connection(WITH_CONTEXT struct libwebsocket *wsi, const char *way)
{
#if LWS_SINCE(20110219) && LWS_BEFORE(20130214)
    if (strcmp(way, "hang up") == 0) {
        libwebsockets_hangup_on_client(context, libwebsocket_get_socket_fd(wsi));
        return 1;
    }
#endif
#if LWS_SINCE(20110226) && LWS_BEFORE(20130212)
    if (strcmp(way, "free") == 0) {
        libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_GOINGAWAY);
        return 1;
    }
#elif LWS_SINCE(20110214) && LWS_BEFORE(20110226)
    if (strcmp(way, "free") == 0) {
        libwebsocket_close_and_free_session(context, wsi);
        return 1;
    }
#endif
#if LWS_SINCE(20110122) && LWS_BEFORE(20110221)
    if (strcmp(way, "client close") == 0) {
        libwebsocket_client_close(wsi);
        return 1;
    }
#endif
    return wsi == NULL || strcmp(way, "no way") == 0;
}

static int command(WITH_CONTEXT struct libwebsocket *wsi, struct session *session, const char *word)
{
    if (strcmp(word, "minus one") == 0)
        return -1;
    if (strcmp(word, "ids") == 0)
        printf("group %d, user %d\n", (int)getgid(), (int)getuid());
    if (strcmp(word, "finish") == 0) {
        finish = 1;
#if LWS_BEFORE(20110119)
        if (write(finished[1], "f", 1) != 1)
            perror("write");
#endif
        return 0;
    }
    if (strncmp(word, "outside ", 8) == 0) {
        sprintf(outside, "%.20s", word + 8);
        outside_wsi = wsi;
        return 0;
    }
    if (strncmp(word, "inside ", 7) == 0) {
        if (end_connection(CONTEXT wsi, word + 7))
            printf("still in RECEIVE, nth %d\n", session->callbacks);
        return 0;
    }
#if LWS_SINCE(20110119)
    if (strcmp(word, "write") == 0 || strcmp(word, "write and end") == 0) {
        session->ends = strcmp(word, "write") != 0;
        ON_WRITABLE(wsi);
    }
    if (strcmp(word, "all") == 0)
        libwebsocket_callback_on_writable_all_protocol(libwebsockets_get_protocol(wsi));
#endif
#if LWS_SINCE(20110122)
    if (strcmp(word, "connect") == 0)
        connect_to_nobody(CONTEXT closed_port);
#endif
    return 0;
}

static int callback_session(WITH_CONTEXT struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 8 + LWS_SEND_BUFFER_POST_PADDING];
    struct session *session = (struct session *)user;
    char word[32];

    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("ESTABLISHED nth %d protocol %s\n", session->callbacks++,
            libwebsockets_get_protocol(wsi) == session_protocol ? "own" : "another");
        return 0;
    case LWS_CALLBACK_CLOSED:
        printf("CLOSED nth %d\n", session->callbacks++);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        received++;
        sprintf(word, "%.*s", len > 20 ? 20 : (int)len, (char *)in);
        printf("RECEIVE nth %d %d %s\n", session->callbacks++, (int)len, len > 20 ? "bytes" : word);
        return len > 20 ? 0 : command(CONTEXT wsi, session, word);
    default:
        break;
    }
#if LWS_SINCE(20110219)
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) {
        struct lws_tokens *tokens = (struct lws_tokens *)user;

        printf("FILTER_PROTOCOL_CONNECTION %s %s of %d\n", (char *)in,
            tokens[WSI_TOKEN_GET_URI].token, WSI_TOKEN_COUNT);
        return 0;
    }
#endif
#if LWS_SINCE(20120420)
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        printf("CLIENT_CONNECTION_ERROR user %s\n", user == NULL ? "NULL" : "memory");
        return 0;
    }
#endif
    printf("%s session\n", name_of(reason));
    if (strstr(name_of(reason), "WRITEABLE") != NULL) {
        memcpy(&buf[LWS_SEND_BUFFER_PRE_PADDING], "written", 7);
        printf("write %d\n",
            libwebsocket_write(wsi, &buf[LWS_SEND_BUFFER_PRE_PADDING], 7, LWS_WRITE_TEXT));
        return session->ends;
    }
    return 0;
}

#if LWS_SINCE(20130117)
/* A whole frame, then one in two pieces; then a close frame, after which there is nothing to read.
 */
static void hand_in(WITH_CONTEXT struct libwebsocket *wsi)
{
    static unsigned char whole[] = {0x81, 0x85, 0, 0, 0, 0, 'w', 'h', 'o', 'l', 'e'};
    static unsigned char pieces[] = {
        0x81, 0x86, 1, 2, 3, 4, 'p' ^ 1, 'i' ^ 2, 'e' ^ 3, 'c' ^ 4, 'e' ^ 1, 's' ^ 2};
    static unsigned char end[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
    int n;

    printf("read %d\n", libwebsocket_read(context, wsi, whole, sizeof(whole)));
    n = libwebsocket_read(context, wsi, pieces, 8);
    printf("read %d\n", n);
    n = libwebsocket_read(context, wsi, pieces + 8, sizeof(pieces) - 8);
    printf("read %d\n", n);
    libwebsocket_rx_flow_control(wsi, 0);
    n = libwebsocket_read(context, wsi, whole, sizeof(whole));
    printf("read %d\n", n);
    n = libwebsocket_read(context, wsi, whole, sizeof(whole));
    printf("read %d %s\n", n, n < 0 && errno == EAGAIN ? "EAGAIN" : "-");
    libwebsocket_rx_flow_control(wsi, 1);
    printf("flows again\n");
    for (n = received + 1; received < n;)
        libwebsocket_service(context, 50);
    libwebsocket_read(context, wsi, end, sizeof(end));
}
#endif

#if LWS_SINCE(20110119)
static void work_outside(struct libwebsocket_context *context)
{
    struct libwebsocket *wsi = outside_wsi;
    char way[sizeof(outside)];

    if (outside[0] == '\0')
        return;
    strcpy(way, outside);
    outside[0] = '\0';
#if LWS_SINCE(20130117)
    if (strcmp(way, "read") == 0) {
        hand_in(context, wsi);
        return;
    }
#endif
#if LWS_BEFORE(20110214)
    (void)context;
#endif
    if (end_connection(CONTEXT wsi, way))
        printf("outside again\n");
}
#endif

static struct libwebsocket_protocols protocols[] = {
#if LWS_BEFORE(20130131)
    {"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"session", callback_session, sizeof(struct session), NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}
#elif LWS_BEFORE(20130206)
    {"http-only", callback_http, 0, NULL, 0},
    {"session", callback_session, sizeof(struct session), NULL, 0}, {NULL, NULL, 0, NULL, 0}
#elif LWS_BEFORE(20131017)
    {"http-only", callback_http, 0, 0, NULL, 0},
    {"session", callback_session, sizeof(struct session), 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}
#else
    {"http-only", callback_http, 0, 0, 0, NULL, 0},
    {"session", callback_session, sizeof(struct session), 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0}
#endif
};

#if LWS_SINCE(20110119)
static struct libwebsocket_context *create(int port)
{
#if LWS_BEFORE(20110122)
    return libwebsocket_create_server(port, protocols, certificate, key, gid, uid);
#elif LWS_BEFORE(20110130)
    return libwebsocket_create_context(port, protocols, certificate, key, gid, uid);
#elif LWS_BEFORE(20110219)
    return libwebsocket_create_context(port, protocols, certificate, key, gid, uid, 0);
#elif LWS_BEFORE(20110305)
    return libwebsocket_create_context(port, interface, protocols, certificate, key, gid, uid, 0);
#elif LWS_BEFORE(20121019)
    return libwebsocket_create_context(
        port, interface, protocols, NULL, certificate, key, gid, uid, 0);
#elif LWS_BEFORE(20130109)
    return libwebsocket_create_context(port, interface, protocols, NULL, certificate, key, gid, uid,
        LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME, &page);
#elif LWS_BEFORE(20130209)
    return libwebsocket_create_context(port, interface, protocols, NULL, certificate, key,
        authorities, gid, uid, LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME, &page);
#else
    /* By position, as far as the members are the same on all days. */
    struct lws_context_creation_info info = {
        port,
        interface,
        protocols,
        NULL,
        certificate,
        key,
        authorities,
#if LWS_SINCE(20130222)
        NULL,
#endif
        gid,
        uid,
        LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        &page,
        0,
        0,
        0
    };

    return libwebsocket_create_context(&info);
#endif
}
#endif

int main(int argc, char **argv)
{
#if LWS_BEFORE(20110119)
    char c;
#endif

    if (argc != 4 && argc != 10)
        return 2;
    page = argv[2];
    if (argc == 10) {
        interface = argv[4];
        certificate = argv[5];
        key = argv[6];
        authorities = argv[7];
        gid = atoi(argv[8]);
        uid = atoi(argv[9]);
    }
    session_protocol = &protocols[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
#if LWS_BEFORE(20110119)
    if (pipe(finished) < 0 ||
        libwebsocket_create_server(atoi(argv[1]), protocols, certificate, key, gid, uid) < 0)
        return 1;
    printf("made, index %d %d, owner %s\n", protocols[0].protocol_index,
        protocols[1].protocol_index, protocols[1].owning_server != NULL ? "set" : "not set");
    return read(finished[0], &c, 1) != 1;
#else
#if LWS_SINCE(20110122)
    closed_port = atoi(argv[3]);
#endif
    the_context = create(atoi(argv[1]));
    if (the_context == NULL)
        return 1;
    printf("made, index %d %d, owner %s\n", protocols[0].protocol_index,
        protocols[1].protocol_index,
        protocols[0].owning_server == the_context && protocols[1].owning_server == the_context
            ? "set"
            : "not set");
#if LWS_SINCE(20121019)
    printf("user %s, host %s\n",
        libwebsocket_context_user(the_context) == &page ? "own" : "another",
        libwebsocket_canonical_hostname(the_context));
#endif
    while (!finish) {
        libwebsocket_service(the_context, 50);
        work_outside(the_context);
    }
    libwebsocket_context_destroy(the_context);
    printf("destroyed\n");
    return 0;
#endif
}
