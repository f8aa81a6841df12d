/*
 * Levels 20130222, 20130223 (to 2013-10-16): the same program, and on the second day
 * libwebsocket_write() returns how many bytes went instead of 0. ssl_cipher_list has come (and is
 * given by position).
 *
 * Run: feb2013_write PORT
 * Peer: one WebSocket to "sizes"; sends the texts "0", "1", "200", "70000"; receives for each a
 * binary of so many bytes (for "0", an empty message or nothing at all); then closes.
 *
 * Prints for each "size N gives M": M is 0 at 20130222 and N at 20130223. "ping gives M" comes
 * first, for a ping of 4 bytes: 0 at 20130222, positive at 20130223. "closed", "done".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#define LARGEST 70000

static unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + LARGEST + LWS_SEND_BUFFER_POST_PADDING];
static int closed;

static int callback_sizes(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    char number[16];
    int size;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("ping gives %d\n", libwebsocket_write(wsi, p, 4, LWS_WRITE_PING));
        break;
    case LWS_CALLBACK_RECEIVE:
        if (len >= sizeof(number))
            break;
        memcpy(number, in, len);
        number[len] = '\0';
        size = atoi(number);
        if (size < 0 || size > LARGEST)
            break;
        printf(
            "size %d gives %d\n", size, libwebsocket_write(wsi, p, (size_t)size, LWS_WRITE_BINARY));
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed = 1;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {
    {"sizes", callback_sizes, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    {
        struct lws_context_creation_info info = {atoi(argv[1]), NULL, protocols, NULL, NULL, NULL,
            NULL, "HIGH:!aNULL", -1, -1, 0, NULL, 0, 0, 0};

        context = libwebsocket_create_context(&info);
    }
    if (context == NULL)
        return 1;
    while (!closed)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
