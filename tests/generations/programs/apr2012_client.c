/*
 * Level 20120420 (to 2012-10-18): clients. CLIENT_CONNECTION_ERROR has come, and takes the place
 * of CLOSED for a connect that fails; client_connect_extended with session memory of the caller's;
 * CLIENT_APPEND_HANDSHAKE_HEADER at protocols[0]; an extension of its own, which says -1 to
 * whatever it is not interested in, and is offered all the same.
 *
 * Run: apr2012_client PORT CLOSED-PORT
 * Peer: a server on 127.0.0.1:PORT that speaks "talk", looks at the field "X-Flavour" of the
 * handshake, and sends its value as a text; but "/private" it answers with 403. It is offered the
 * extension "x-older", and takes no notice. Nothing listens on CLOSED-PORT.
 *
 * Prints, "good" and "barred" and "silent" in any interleaving:
 *   good: established
 *   good: received: vanilla
 *   good: closed
 *   barred: connection error            (the server answers 403)
 *   silent: connection error           (or "silent: no wsi": refused at once)
 *   done
 * Neither "barred: closed" nor "silent: closed". Exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct mine {
    const char *name;
};

static struct mine good = {"good"};
static struct mine barred = {"barred"};
static struct mine silent = {"silent"};
static int over;

static int callback_talk(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct mine *mine = (struct mine *)user;
    char **p = (char **)in;

    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        if (len < 100)
            return 1;
        *p += sprintf(*p, "X-Flavour: vanilla\x0d\x0a");
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        printf("%s: established\n", mine->name);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("%s: received: %.*s\n", mine->name, (int)len, (char *)in);
        libwebsocket_close_and_free_session(context, wsi, LWS_CLOSE_STATUS_GOINGAWAY);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        printf("%s: connection error\n", mine->name);
        over++;
        break;
    case LWS_CALLBACK_CLOSED:
        printf("%s: closed\n", mine->name);
        over++;
        break;
    default:
        break;
    }
    return 0;
}

static int callback_older(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    if (reason > LWS_EXT_CALLBACK_IS_WRITEABLE)
        printf("%s: unexpected reason %d\n", ext->name, (int)reason);
    return -1;
}

static struct libwebsocket_extension extensions[] = {
    {"x-older", callback_older, 0, NULL}, {NULL, NULL, 0, NULL}};

static struct libwebsocket_protocols protocols[] = {
    {"talk", callback_talk, 0, NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

static void start(
    struct libwebsocket_context *context, int port, const char *path, struct mine *mine)
{
    if (libwebsocket_client_connect_extended(context, "127.0.0.1", port, 0, path, "127.0.0.1",
            "127.0.0.1", "talk", -1, mine) == NULL) {
        printf("%s: no wsi\n", mine->name);
        over++;
    }
}

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(
        CONTEXT_PORT_NO_LISTEN, NULL, protocols, extensions, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    start(context, atoi(argv[1]), "/", &good);
    start(context, atoi(argv[1]), "/private", &barred);
    start(context, atoi(argv[2]), "/", &silent);
    while (over < 3 && libwebsocket_service(context, 50) >= 0)
        ;
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
