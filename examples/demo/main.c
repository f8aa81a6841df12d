/*
 * A live room in the browser: HTTP and WebSockets on one port, on the loop of your choice.
 *
 *   demo [--loop poll|uv|event] [--port N] [--page DIR]
 *
 * page.c serves the files, session.c and command.c speak with one browser, room.c is what they
 * have in common, frame.c the JSON they are sent, loop_*.c the event loops. Open the address that
 * it prints in two tabs of a browser, or type "join Ada" and "say Hello" to
 *
 *   npx wscat -s lwsloop-room -c ws://localhost:7681/
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "loops.h"
#include "page.h"
#include "session.h"

#ifndef DEMO_PAGE
#define DEMO_PAGE "examples/demo"
#endif

static struct libwebsocket_protocols protocols[] = {
    {.name = "http", .callback = page_callback},
    {.name = "lwsloop-room",
        .callback = session_callback,
        .per_session_data_size = sizeof(struct session)},
    {.name = NULL},
};

struct options {
    const struct loop *loop;
    int port;
    const char *page;
};

static int usage(void)
{
    fputs("usage: demo [--loop poll|uv|event] [--port N] [--page DIR]\n", stderr);
    return -1;
}

static int parse_port(const char *text, int *port)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 1 || number > 65535) {
        fprintf(stderr, "demo: %s is not a port\n", text);
        return -1;
    }
    *port = (int)number;
    return 0;
}

static int parse_options(int count, char **words, struct options *options)
{
    for (int i = 1; i < count; i += 2) {
        const char *value = words[i + 1];
        if (!value)
            return usage();
        if (strcmp(words[i], "--loop") == 0) {
            options->loop = loop_find(value);
            if (!options->loop)
                return usage();
        } else if (strcmp(words[i], "--port") == 0) {
            if (parse_port(value, &options->port) != 0)
                return -1;
        } else if (strcmp(words[i], "--page") == 0) {
            options->page = value;
        } else {
            return usage();
        }
    }
    if (!options->loop->run) {
        fprintf(stderr, "demo: this demo was built without the loop %s\n", options->loop->name);
        return -1;
    }
    return 0;
}

static struct libwebsocket_context *create_context(int port, struct room *room)
{
    char error[256] = "";
    struct lws_context_creation_info info = {
        .port = port,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .user = room,
    };
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
        .max_connections = 4 * ROOM_SEATS,
        .ping_interval_ms = 20000,
        .ping_timeout_ms = 10000,
    };

    lws_set_log_level(0, NULL);
    struct libwebsocket_context *context = lws_create_context(&info, &extras);
    if (!context)
        fprintf(stderr, "demo: %s\n", error);
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    return context;
}

int main(int argc, char **argv)
{
    struct options options = {loop_find("poll"), 7681, DEMO_PAGE};
    char announcement[64];
    struct room room;

    if (parse_options(argc, argv, &options) != 0 || page_open(options.page) != 0)
        return EXIT_FAILURE;
    room_open(&room, options.loop->name);
    struct libwebsocket_context *context = create_context(options.port, &room);
    if (!context)
        return EXIT_FAILURE;

    snprintf(announcement, sizeof(announcement), "http://localhost:%d/", options.port);
    int result = options.loop->run(context, announcement);
    room_free(&room);
    if (result != 0)
        fprintf(stderr, "demo: the %s loop failed\n", options.loop->name);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
