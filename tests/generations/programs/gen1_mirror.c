/*
 * Level 20101218 (to 2011-01-18). Generation 1: what one browser says all see. The broadcast is
 * done inside the callback, in the service process, with the received bytes themselves.
 *
 * Uses: broadcast of `in` from RECEIVE, so that RECEIVE's bytes need padding on both sides;
 * libwebsockets_get_protocol(); two protocols that must not see each other's broadcasts; a
 * nonzero return from RECEIVE, which means nothing in this generation.
 *
 * Run: gen1_mirror PORT SESSIONS
 * Peers: A and B on "mirror", C on "other". A sends "hello" -> A and B receive "hello", C nothing.
 * C sends "alone" -> C receives "alone", A and B nothing. B sends binary 1000 bytes -> A and B get
 * them as binary, if their first byte is 0 (the program writes text otherwise).
 *
 * Prints: "create_server returned 0"; for each session "established NAME"; per message
 * "received NAME LEN", then for each session of that protocol "told NAME LEN"; "broadcast gave 0"
 * after them (in the service process the callbacks have come before it returns); "closed NAME".
 * Ends with 0 when SESSIONS sessions have closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libwebsockets.h>

static int finished[2];

static int callback_http(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    /* there is no page here */
    printf("unexpected %d in http\n", (int)reason);
    return -1;
}

static int callback_mirror(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason,
    void *user, void *in, size_t len)
{
    const struct libwebsocket_protocols *protocol = libwebsockets_get_protocol(wsi);
    unsigned char *data = (unsigned char *)in;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        printf("established %s\n", protocol->name);
        break;
    case LWS_CALLBACK_RECEIVE:
        printf("received %s %d\n", protocol->name, (int)len);
        printf("broadcast gave %d\n", libwebsockets_broadcast(protocol, data, len));
        return -1;
    case LWS_CALLBACK_BROADCAST:
        printf("told %s %d\n", protocol->name, (int)len);
        if (libwebsocket_write(wsi, data, len, data[0] ? LWS_WRITE_TEXT : LWS_WRITE_BINARY))
            printf("write failed\n");
        break;
    case LWS_CALLBACK_CLOSED:
        printf("closed %s\n", protocol->name);
        if (write(finished[1], "c", 1) != 1)
            perror("write");
        break;
    default:
        printf("unexpected %d in %s\n", (int)reason, protocol->name);
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"mirror", callback_mirror, 0, NULL, 0, 0, 0}, {"other", callback_mirror, 0, NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0}};

int main(int argc, char **argv)
{
    int sessions;
    char c;
    int n;

    if (argc != 3)
        return 2;
    sessions = atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    if (pipe(finished) < 0)
        return 2;
    n = libwebsocket_create_server(atoi(argv[1]), protocols, NULL, NULL, -1, -1);
    printf("create_server returned %d\n", n);
    if (n < 0)
        return 1;
    while (sessions && read(finished[0], &c, 1) == 1)
        sessions--;
    return sessions;
}
