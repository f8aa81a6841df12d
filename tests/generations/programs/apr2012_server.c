/*
 * Level 20120420 (to 2012-10-18): 9 arguments, an extension of the program's own by position, and
 * the helpers that had come by then.
 *
 * Uses: extensions array; CONFIRM_EXTENSION_OKAY at protocols[0]; libwebsocket_ensure_user_space;
 * libwebsocket_is_final_fragment; fragments written with NO_FIN and CONTINUATION;
 * lws_send_pipe_choked; get_random, SHA1, base64; SERVER_WRITEABLE.
 *
 * Run: apr2012_server PORT
 * Peers: (1) a handshake to "join" that offers "Sec-WebSocket-Extensions: x-quiet, x-unknown": the
 * answer accepts x-quiet alone. It sends the text "one two" in two fragments ("one ", "two"); it
 * receives a message "one two" in two fragments of its own, then closes. (2) the same without an
 * offer.
 *
 * Prints:
 *   helpers: random 16, sha1 a9993e36, base64 YWJj, back abc
 *   extension: context made
 *   confirm x-quiet            extension: made zero          (first peer only, before established)
 *   user space yes, same as user yes
 *   established choked 0
 *   received: one  final 0 / received: two final 1
 *   wrote 0 0
 *   closed                     extension: gone               (gone: first peer only, after closed)
 *   extension: context gone
 *   done
 * Exit status 0 after two sessions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct quiet {
    int touched;
};

struct join {
    char text[128];
    size_t cut;
    size_t len;
};

static int closed;

static int quiet_callback(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    struct quiet *quiet = (struct quiet *)user;

    switch (reason) {
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_CONSTRUCT:
        printf("extension: context made\n");
        break;
    case LWS_EXT_CALLBACK_SERVER_CONTEXT_DESTRUCT:
        printf("extension: context gone\n");
        break;
    case LWS_EXT_CALLBACK_CONSTRUCT:
        printf("extension: made %s\n", quiet->touched ? "dirty" : "zero");
        quiet->touched = 1;
        break;
    case LWS_EXT_CALLBACK_DESTROY:
        printf("extension: gone\n");
        break;
    default:
        if ((int)reason > LWS_EXT_CALLBACK_IS_WRITEABLE)
            printf("unexpected %d in extension\n", (int)reason);
        break;
    }
    return 0;
}

static int callback_http(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_CONFIRM_EXTENSION_OKAY)
        printf("confirm %s\n", (char *)in);
    return 0;
}

static int callback_join(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 128 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct join *join = (struct join *)user;
    void *space;
    int first;
    int second;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        space = libwebsocket_ensure_user_space(wsi);
        printf(
            "user space %s, same as user %s\n", space ? "yes" : "no", space == user ? "yes" : "no");
        printf("established choked %d\n", lws_send_pipe_choked(wsi));
        break;

    case LWS_CALLBACK_RECEIVE:
        printf(
            "received: %.*s final %d\n", (int)len, (char *)in, libwebsocket_is_final_fragment(wsi));
        if (join->len + len > sizeof(join->text))
            break;
        memcpy(join->text + join->len, in, len);
        join->len += len;
        if (!libwebsocket_is_final_fragment(wsi))
            join->cut = join->len;
        else
            libwebsocket_callback_on_writable(context, wsi);
        break;

    case LWS_CALLBACK_SERVER_WRITEABLE:
        memcpy(p, join->text, join->cut);
        first = libwebsocket_write(wsi, p, join->cut,
            (enum libwebsocket_write_protocol)(LWS_WRITE_TEXT | LWS_WRITE_NO_FIN));
        memcpy(p, join->text + join->cut, join->len - join->cut);
        second = libwebsocket_write(wsi, p, join->len - join->cut, LWS_WRITE_CONTINUATION);
        printf("wrote %d %d\n", first, second);
        break;

    case LWS_CALLBACK_CLOSED:
        printf("closed\n");
        closed++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"http-only", callback_http, 0, NULL, 0, 0, 0},
    {"join", callback_join, sizeof(struct join), NULL, 0, 0, 0}, {NULL, NULL, 0, NULL, 0, 0, 0}};

static struct libwebsocket_extension extensions[] = {
    {"x-quiet", quiet_callback, sizeof(struct quiet), NULL}, {NULL, NULL, 0, NULL}};

int main(int argc, char **argv)
{
    struct libwebsocket_context *context;
    unsigned char hash[20];
    char code[32];
    char back[32];
    int n;

    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    context = libwebsocket_create_context(
        atoi(argv[1]), NULL, protocols, extensions, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    n = libwebsockets_get_random(context, hash, 16);
    libwebsockets_SHA1((const unsigned char *)"abc", 3, hash);
    lws_b64_encode_string("abc", 3, code, (int)sizeof(code));
    memset(back, 0, sizeof(back));
    lws_b64_decode_string(code, back, (int)sizeof(back));
    printf("helpers: random %d, sha1 %02x%02x%02x%02x, base64 %s, back %s\n", n, hash[0], hash[1],
        hash[2], hash[3], code, back);
    while (closed < 2)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
