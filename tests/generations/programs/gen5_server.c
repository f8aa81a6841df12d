/*
 * Level 20130316 (to 2013-10-16). Generation 5: a server with pages and three protocols.
 *
 * Uses: info with every member set; PROTOCOL_INIT and PROTOCOL_DESTROY; HTTP with a page, a missing
 * one, and a body of unknown length that is written by HTTP_WRITEABLE; HTTP_FILE_COMPLETION;
 * FILTER_NETWORK_CONNECTION with the descriptor in `in`; FILTER_PROTOCOL_CONNECTION with struct
 * lws_tokens; lws_hdr_copy; RECEIVE's negative return, which closes; WRITEABLE's nonzero return,
 * which closes; rx_flow_control and rx_flow_allow_all_protocol; set_timeout; lws_frame_is_binary;
 * get_library_version; get_protocol, which gives the program's own element.
 *
 * Run: gen5_server PORT PAGE-FILE SESSIONS
 * Peers: http GET /index.html?x -> PAGE-FILE; GET /long -> "line 1\n" ... "line 1000\n", and the
 * connection ends; GET /missing -> 404. Then WebSockets:
 *   "lines": sends "rude" -> closed by the server (RECEIVE returned -1)
 *   "lines": sends "quiet" and then "late" without waiting; "late" is answered with
 *            "text late" after a while (the flow is allowed again by protocol)
 *   "lines": sends "write and go"; receives "text write and go", and is closed at once
 *   "lines": sends "timeout"; is closed about a second later
 *   "other": sends the binary 01 02 03, receives "binary 3", closes itself
 *   none at all, nor one that is not there: a handshake for "unknown" is refused
 * SESSIONS is the number of those that are established.
 *
 * Prints:
 *   version yes
 *   init http-only, init lines, init other (before "made")
 *   made, user ok, index 0 1 2, owner ok
 *   network ok 127.0.0.1
 *   protocol uri / host yes version 13
 *   http /index.html?x, http /long, http /missing
 *   writeable http (at least once)
 *   file complete (once; for the missing file perhaps too)
 *   established NAME own yes
 *   received text 5 / received binary 3 ...
 *   allowed
 *   closed NAME, one for each "established"
 *   destroy http-only, destroy lines, destroy other (after the last "closed")
 *   destroyed
 * Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct http_session {
    int line;
};

struct lines_session {
    char answer[128];
    int leave;
};

#define OWN(wsi, n) (libwebsockets_get_protocol(wsi) == own_protocols + (n))
static struct libwebsocket_protocols *own_protocols;
static const char *page;
static int held;
static int closed;

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    static const char head[] = "HTTP/1.0 200 OK\x0d\x0a"
                               "Content-Type: text/plain\x0d\x0a\x0d\x0a";
    struct http_session *pss = (struct http_session *)user;
    unsigned char buf[256];
    char name[64];
    char rip[64];
    int n;

    switch (reason) {
    case LWS_CALLBACK_PROTOCOL_INIT:
        printf("init http-only\n");
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        printf("destroy http-only\n");
        break;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        libwebsockets_get_peer_addresses(
            context, wsi, (int)(long)in, name, sizeof(name), rip, sizeof(rip));
        printf("network ok %s\n", rip);
        break;
    case LWS_CALLBACK_HTTP:
        printf("http %s\n", (char *)in);
        if (strcmp((char *)in, "/long") == 0) {
            memcpy(buf, head, sizeof(head));
            if (libwebsocket_write(wsi, buf, sizeof(head) - 1, LWS_WRITE_HTTP) < 0)
                return 1;
            pss->line = 0;
            libwebsocket_callback_on_writable(context, wsi);
            break;
        }
        if (strcmp((char *)in, "/missing") == 0)
            return libwebsockets_serve_http_file(context, wsi, "/nowhere/missing", "text/html");
        n = libwebsockets_serve_http_file(context, wsi, page, "text/html");
        return n != 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (pss->line % 250 == 0)
            printf("writeable http\n");
        n = sprintf((char *)buf, "line %d\n", ++pss->line);
        if (libwebsocket_write(wsi, buf, (size_t)n, LWS_WRITE_HTTP) < 0)
            return -1;
        if (pss->line == 1000)
            return -1;
        libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        printf("file complete\n");
        return 1;
    default:
        break;
    }
    return 0;
}

static int callback_lines(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 128 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct lines_session *pss = (struct lines_session *)user;
    struct lws_tokens *tokens = (struct lws_tokens *)user;
    char version[16] = "none";
    const char *kind;
    size_t n;

    switch (reason) {
    case LWS_CALLBACK_PROTOCOL_INIT:
        printf("init lines\n");
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        printf("destroy lines\n");
        break;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION);
        printf("protocol uri %s host %s version %s\n", tokens[WSI_TOKEN_GET_URI].token,
            lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0 ? "yes" : "no", version);
        break;
    case LWS_CALLBACK_ESTABLISHED:
        printf("established %s own %s\n", libwebsockets_get_protocol(wsi)->name,
            OWN(wsi, 1) ? "yes" : "no");
        break;
    case LWS_CALLBACK_RECEIVE:
        kind = lws_frame_is_binary(wsi) ? "binary" : "text";
        printf("received %s %d\n", kind, (int)len);
        if (len == 4 && memcmp(in, "rude", 4) == 0)
            return -1;
        if (len == 5 && memcmp(in, "quiet", 5) == 0) {
            libwebsocket_rx_flow_control(wsi, 0);
            held = 1;
            break;
        }
        if (len == 7 && memcmp(in, "timeout", 7) == 0) {
            libwebsocket_set_timeout(wsi, PENDING_TIMEOUT_AWAITING_PING, 1);
            break;
        }
        pss->leave = len == 12;
        snprintf(pss->answer, sizeof(pss->answer), "%s %.*s", kind, (int)len, (char *)in);
        libwebsocket_callback_on_writable(context, wsi);
        return 1; /* positive: nothing happens */
    case LWS_CALLBACK_SERVER_WRITEABLE:
        n = strlen(pss->answer);
        memcpy(p, pss->answer, n);
        if (libwebsocket_write(wsi, p, n, LWS_WRITE_TEXT) != (int)n)
            printf("unexpected result of write\n");
        return pss->leave;
    case LWS_CALLBACK_CLOSED:
        printf("closed lines\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static int callback_other(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 32 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    int n;

    switch (reason) {
    case LWS_CALLBACK_PROTOCOL_INIT:
        printf("init other\n");
        break;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
        printf("destroy other\n");
        break;
    case LWS_CALLBACK_ESTABLISHED:
        printf("established %s own %s\n", libwebsockets_get_protocol(wsi)->name,
            OWN(wsi, 2) ? "yes" : "no");
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received %s %d\n", lws_frame_is_binary(wsi) ? "binary" : "text", (int)len);
        n = sprintf((char *)p, "%s %d", lws_frame_is_binary(wsi) ? "binary" : "text", (int)len);
        if (libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT) < n)
            return -1;
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed other\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"http-only", callback_http, sizeof(struct http_session), 0, NULL, 0},
    {"lines", callback_lines, sizeof(struct lines_session), 128, NULL, 0},
    {"other", callback_other, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    int turns = 0;

    if (argc != 4)
        return 2;
    page = argv[2];
    own_protocols = protocols;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    printf("version %s\n", lws_get_library_version()[0] ? "yes" : "no");
    info.port = atoi(argv[1]);
    info.iface = NULL;
    info.protocols = protocols;
    info.extensions = libwebsocket_get_internal_extensions();
    info.ssl_cert_filepath = NULL;
    info.ssl_private_key_filepath = NULL;
    info.ssl_ca_filepath = NULL;
    info.ssl_cipher_list = NULL;
    info.gid = -1;
    info.uid = -1;
    info.options = 0;
    info.user = &turns;
    info.ka_time = 0;
    info.ka_probes = 0;
    info.ka_interval = 0;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    printf("made, user %s, index %d %d %d, owner %s\n",
        libwebsocket_context_user(context) == &turns ? "ok" : "lost", protocols[0].protocol_index,
        protocols[1].protocol_index, protocols[2].protocol_index,
        protocols[2].owning_server == context ? "ok" : "wrong");
    while (closed < atoi(argv[3]) && libwebsocket_service(context, 20) >= 0) {
        if (held && ++turns > 10) {
            printf("allowed\n");
            libwebsocket_rx_flow_allow_all_protocol(&protocols[1]);
            held = turns = 0;
        }
    }
    libwebsocket_context_destroy(context);
    printf("destroyed\n");
    return 0;
}
