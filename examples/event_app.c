/*
 * A libevent program, with an evhttp server, that has gained WebSockets on the same event_base. The
 * server counts the requests for its page, which keeps itself up to date through a WebSocket on the
 * port below: every request is told to all clients. To try it:
 *
 *   ./event_app 7681                            (and, again and again: curl http://localhost:7682/)
 *   python3 -m websockets ws://localhost:7681
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lws_event.h"

static unsigned long long requests;
static int websocket_port;

static int write_count(struct libwebsocket *wsi)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)room + LWS_SEND_BUFFER_PRE_PADDING;
    int length = snprintf(text, 64, "%llu requests", requests);

    return libwebsocket_write(wsi, (unsigned char *)text, (size_t)length, LWS_WRITE_TEXT) < 0;
}

static int callback_count(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user, (void)in, (void)len;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        libwebsocket_callback_on_writable(context, wsi);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_count(wsi);
    case LWS_CALLBACK_HTTP:
        return -1; /* pages are evhttp's business */
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {.name = NULL, .callback = callback_count},
    {.callback = NULL},
};

static void on_request(struct evhttp_request *request, void *unused)
{
    struct evbuffer *page = evbuffer_new();

    (void)unused;
    requests++;
    libwebsocket_callback_on_writable_all_protocol(&protocols[0]);
    if (!page ||
        evbuffer_add_printf(page,
            "<!DOCTYPE html><title>Requests</title><p id=\"count\">%llu requests</p><script>\n"
            "new WebSocket('ws://' + location.hostname + ':%d/').onmessage = event =>\n"
            "    document.getElementById('count').textContent = event.data;\n"
            "</script>\n",
            requests, websocket_port) < 0 ||
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
            "text/html; charset=utf-8") < 0)
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
    else
        evhttp_send_reply(request, HTTP_OK, NULL, page);
    if (page)
        evbuffer_free(page);
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number, (void)what;
    event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {.gid = -1, .uid = -1, .protocols = protocols};
    struct event_base *base = event_base_new();
    struct evhttp *server = base ? evhttp_new(base) : NULL;
    struct event *interrupt = base ? evsignal_new(base, SIGINT, on_signal, base) : NULL;
    struct event *terminate = base ? evsignal_new(base, SIGTERM, on_signal, base) : NULL;
    struct libwebsocket_context *context = NULL;
    int result = 1;

    info.port = argc > 1 ? atoi(argv[1]) : 7681;
    websocket_port = info.port;
    signal(SIGPIPE, SIG_IGN); /* libevent wants this of every program */
    if (!server || !interrupt || !terminate || event_add(interrupt, NULL) < 0 ||
        event_add(terminate, NULL) < 0 ||
        evhttp_bind_socket(server, "127.0.0.1", (unsigned short)(info.port + 1)) < 0) {
        fprintf(stderr, "the HTTP server could not be started\n");
        goto done;
    }
    evhttp_set_gencb(server, on_request, NULL);

    /* All that WebSockets need, beside the two functions and the protocols above. */
    context = libwebsocket_create_context(&info);
    if (!context || lws_event_attach(context, base) < 0)
        goto done; /* the log says why */

    printf("listening on ws://localhost:%d and http://localhost:%d/\n", info.port, info.port + 1);
    fflush(stdout);
    result = event_base_dispatch(base) < 0;

done:
    /* Before the base: the context's events are on it. */
    libwebsocket_context_destroy(context);
    if (server)
        evhttp_free(server);
    if (interrupt)
        event_free(interrupt);
    if (terminate)
        event_free(terminate);
    if (base)
        event_base_free(base);
    return result;
}
