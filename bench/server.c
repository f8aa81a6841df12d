/*
 * The server that is measured: it sends every frame back and serves the files of a directory. Its
 * port, on 127.0.0.1, is its first line on stdout; it ends when its standard input does.
 *
 * Usage: server poll|uv|event DIRECTORY [SETTING=VALUE…]
 *
 * With settings it takes permessage-deflate up: level, memory, threshold and window, as struct
 * lws_context_extras has them, and takeover=1 for both sides' context takeover.
 */
#include "../tests/support/run_loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_FRAME = 65536, LARGEST_BACKLOG = 1 << 24 };

static const char *directory;

static int serve_file(
    struct libwebsocket_context *context, struct libwebsocket *wsi, const char *path)
{
    char file[4096];
    int length = snprintf(file, sizeof(file), "%s%s", directory, path);

    if (length < 0 || (size_t)length >= sizeof(file))
        return -1;
    return libwebsockets_serve_http_file(context, wsi, file, "application/octet-stream");
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return libwebsocket_write(
                   wsi, in, len, lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0
                   ? -1
                   : 0;
    case LWS_CALLBACK_HTTP:
        return serve_file(context, wsi, in);
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {NULL, callback, 0, LARGEST_FRAME, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};

static void *wait_for_end(void *argument)
{
    char bytes[64];

    while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
        ;
    if (!run_loop_stop(argument))
        abort();
    return NULL;
}

static int read_setting(struct lws_context_extras *extras, const char *text)
{
    int value;

    if (sscanf(text, "level=%d", &value) == 1)
        extras->deflate_level = value;
    else if (sscanf(text, "memory=%d", &value) == 1)
        extras->deflate_memory_level = value;
    else if (sscanf(text, "threshold=%d", &value) == 1)
        extras->deflate_threshold = (size_t)value;
    else if (sscanf(text, "window=%d", &value) == 1)
        extras->deflate_send_window_bits = value;
    else if (strcmp(text, "takeover=1") == 0)
        extras->deflate_takeover = LWS_DEFLATE_TAKEOVER_SEND | LWS_DEFLATE_TAKEOVER_RECEIVE;
    else
        return strcmp(text, "takeover=0") == 0;
    return 1;
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {.protocols = protocols, .gid = -1, .uid = -1};
    struct run_loop loop = {.name = argc >= 3 ? argv[1] : NULL};
    pthread_t thread;
    int port;
    int fd;
    struct lws_context_extras extras = {.struct_size = sizeof(extras),
        .listen_fds = &fd,
        .listen_fd_count = 1,
        .max_backlog = LARGEST_BACKLOG};

    for (int i = 3; i < argc; i++) {
        info.extensions = libwebsocket_get_internal_extensions();
        if (!info.extensions || !read_setting(&extras, argv[i]))
            loop.name = NULL;
    }
    if (!loop.name) {
        fprintf(stderr, "usage: server poll|uv|event DIRECTORY [SETTING=VALUE…]\n");
        return 2;
    }
    directory = argv[2];
    fd = run_loop_listen("127.0.0.1", 1024, &port);
    if (fd < 0) {
        perror("listen");
        return 1;
    }
    loop.context = lws_create_context(&info, &extras);
    if (!loop.context || pthread_create(&thread, NULL, wait_for_end, &loop) != 0) {
        fprintf(stderr, "the server cannot be started\n");
        return 1;
    }
    printf("%d\n", port);
    fflush(stdout);
    return run_loop(&loop) ? 0 : 1;
}
