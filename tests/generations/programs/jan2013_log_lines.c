/*
 * Level 20130119 (to 2013-01-30): the log function is told the level; LLL_NOTICE; lwsl_ macros for
 * the program's own lines; get_peer_addresses has 5 arguments still.
 *
 * Run: jan2013_log_lines PORT TAKEN-PORT
 * Peer: somebody else listens on TAKEN-PORT, on all addresses; none on PORT.
 *
 * Prints, in this order:
 *   levels 1 2 4 8 16 32 64 128 256, count 10
 *   4: a notice 7
 *   1: an error
 *   8: information                     (after the program has asked for LLL_INFO)
 *   1: ...                             (the library's line about the taken port: some level that
 *   no context                          is LLL_ERR; other lines may be beside it)
 *   context
 * "a warning that nobody wants" never. Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

static void emit(int level, const char *line)
{
    printf("%d: %.*s\n", level, (int)strcspn(line, "\n"), line);
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"http-only", callback_http, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    printf("levels %d %d %d %d %d %d %d %d %d, count %d\n", LLL_ERR, LLL_WARN, LLL_NOTICE, LLL_INFO,
        LLL_DEBUG, LLL_PARSER, LLL_HEADER, LLL_EXT, LLL_CLIENT, LLL_COUNT);
    lws_set_log_level(LLL_ERR | LLL_NOTICE, emit);
    lwsl_notice("a notice %d\n", 7);
    lwsl_warn("a warning that nobody wants\n");
    lwsl_err("an error\n");
    lws_set_log_level(LLL_ERR | LLL_INFO, NULL); /* the function stays */
    lwsl_info("information\n");
    lws_set_log_level(LLL_ERR, NULL);
    context = libwebsocket_create_context(
        atoi(argv[2]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    printf("%s\n", context ? "context" : "no context");
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, NULL, NULL, NULL, NULL, -1, -1, 0, NULL);
    printf("%s\n", context ? "context" : "no context");
    libwebsocket_context_destroy(context);
    return 0;
}
