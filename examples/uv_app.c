/*
 * A libuv program, with a TCP echo server and a timer, that has gained WebSockets. Every second all
 * WebSocket clients are told how much the echo server, one port higher, has echoed. To try it:
 *
 *   ./uv_app 7681                                (and, to have something echoed: nc localhost 7682)
 *   python3 -m websockets ws://localhost:7681
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "lws_uv.h"

struct echo {
    uv_write_t request;
    uv_buf_t buffer;
};

static unsigned long long echoed; /* bytes */
static uv_tcp_t server;
static uv_timer_t timer;
static uv_signal_t signals[2];
static struct libwebsocket_context *context;

static int callback_count(struct libwebsocket_context *this_context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char room[LWS_SEND_BUFFER_PRE_PADDING + 64 + LWS_SEND_BUFFER_POST_PADDING];
    char *text = (char *)room + LWS_SEND_BUFFER_PRE_PADDING;
    int length = snprintf(text, 64, "%llu bytes echoed", echoed);

    (void)this_context, (void)user, (void)in, (void)len;
    if (reason == LWS_CALLBACK_HTTP)
        return -1; /* no pages here, only WebSockets */
    if (reason != LWS_CALLBACK_SERVER_WRITEABLE)
        return 0;
    return libwebsocket_write(wsi, (unsigned char *)text, (size_t)length, LWS_WRITE_TEXT) < 0;
}

static struct libwebsocket_protocols protocols[] = {
    {.name = NULL, .callback = callback_count},
    {.callback = NULL},
};

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    libwebsocket_callback_on_writable_all_protocol(&protocols[0]);
}

static void on_closed(uv_handle_t *handle)
{
    if (handle->type == UV_TCP && handle != (uv_handle_t *)&server)
        free(handle);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    /* The context closes its own handles; without the others too uv_run() returns. */
    libwebsocket_context_destroy(context);
    uv_walk(handle->loop, close_handle, NULL);
}

static void on_written(uv_write_t *request, int status)
{
    struct echo *echo = (struct echo *)request;

    if (status == 0)
        echoed += echo->buffer.len;
    free(echo->buffer.base);
    free(echo);
}

static void allocate(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buffer)
{
    (void)handle;
    buffer->base = malloc(suggested_size);
    buffer->len = buffer->base ? suggested_size : 0; /* 0 becomes UV_ENOBUFS in on_read() */
}

static void on_read(uv_stream_t *client, ssize_t count, const uv_buf_t *buffer)
{
    struct echo *echo = count > 0 ? malloc(sizeof(*echo)) : NULL;

    if (echo) {
        echo->buffer = uv_buf_init(buffer->base, (unsigned int)count);
        if (uv_write(&echo->request, client, &echo->buffer, 1, on_written) == 0)
            return;
        free(echo);
    }
    free(buffer->base);
    if (count != 0)
        close_handle((uv_handle_t *)client, NULL);
}

static void on_connection(uv_stream_t *stream, int status)
{
    uv_tcp_t *client = status == 0 ? malloc(sizeof(*client)) : NULL;

    if (!client)
        return;
    if (uv_tcp_init(stream->loop, client) != 0) {
        free(client);
        return;
    }
    if (uv_accept(stream, (uv_stream_t *)client) != 0 ||
        uv_read_start((uv_stream_t *)client, allocate, on_read) != 0)
        close_handle((uv_handle_t *)client, NULL);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct lws_context_creation_info info = {.gid = -1, .uid = -1, .protocols = protocols};
    struct sockaddr_in address;

    info.port = argc > 1 ? atoi(argv[1]) : 7681;
    signal(SIGPIPE, SIG_IGN); /* libuv wants this of every program */
    if (!loop || uv_ip4_addr("127.0.0.1", info.port + 1, &address) != 0 ||
        uv_tcp_init(loop, &server) != 0 ||
        uv_tcp_bind(&server, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&server, 128, on_connection) != 0 ||
        uv_timer_init(loop, &timer) != 0 || uv_timer_start(&timer, on_timer, 1000, 1000) != 0 ||
        uv_signal_init(loop, &signals[0]) != 0 || uv_signal_init(loop, &signals[1]) != 0 ||
        uv_signal_start(&signals[0], on_signal, SIGINT) != 0 ||
        uv_signal_start(&signals[1], on_signal, SIGTERM) != 0) {
        fprintf(stderr, "the echo server could not be started\n");
        return 1;
    }

    /* All that WebSockets need, beside the two functions at the top. */
    context = libwebsocket_create_context(&info);
    if (!context || lws_uv_attach(context, loop) < 0)
        return 1; /* the log says why */

    printf("listening on ws://localhost:%d, echo server on port %d\n", info.port, info.port + 1);
    fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) != 0;
}
