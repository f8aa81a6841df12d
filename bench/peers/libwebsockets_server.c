/*
 * What bench/server.c does, with libwebsockets 4 in place of lwsloop. Its port, on 127.0.0.1, is
 * its first line on stdout; it ends when its standard input does.
 *
 * Usage: libwebsockets_server DIRECTORY [SETTING=VALUE…]
 *
 * With settings it takes permessage-deflate up, with its level 1, and takeover as the client has
 * it.
 */
#include <libwebsockets.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_FRAME 65536

struct session {
    unsigned char *message;
    size_t length;
    enum lws_write_protocol kind;
};

static struct lws_context *context;
static volatile int stopped;

/* It may be written only when the connection is writable, so that until then no more is taken. */
static int gather(struct lws *wsi, struct session *session, const void *in, size_t len)
{
    if (!session->message)
        session->message = malloc(LWS_PRE + LARGEST_FRAME);
    if (!session->message || len > LARGEST_FRAME - session->length)
        return -1;
    memcpy(session->message + LWS_PRE + session->length, in, len);
    session->length += len;
    session->kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    lws_rx_flow_control(wsi, 0);
    lws_callback_on_writable(wsi);
    return 0;
}

static int callback(
    struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct session *session = user;

    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return gather(wsi, session, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (session->length == 0)
            return 0;
        if (lws_write(wsi, session->message + LWS_PRE, session->length, session->kind) < 0)
            return -1;
        session->length = 0;
        lws_rx_flow_control(wsi, 1);
        return 0;
    case LWS_CALLBACK_CLOSED:
        free(session->message);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

static const struct lws_protocols protocols[] = {
    {"echo", callback, sizeof(struct session), LARGEST_FRAME, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
    {NULL, NULL, NULL},
};

static void *wait_for_end(void *argument)
{
    char bytes[64];

    (void)argument;
    while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
        ;
    stopped = 1;
    lws_cancel_service(context);
    return NULL;
}

int main(int argc, char **argv)
{
    struct lws_http_mount mount = {
        .mountpoint = "/", .mountpoint_len = 1, .origin_protocol = LWSMPRO_FILE};
    struct lws_context_creation_info info = {.port = 0, .iface = "127.0.0.1"};
    struct lws_vhost *host;
    pthread_t thread;

    if (argc < 2)
        return 2;
    if (argc > 2)
        info.extensions = extensions;
    mount.origin = argv[1];
    mount.def = "index.html";
    info.protocols = protocols;
    info.mounts = &mount;
    info.gid = (gid_t)-1;
    info.uid = (uid_t)-1;
    info.pt_serv_buf_size = LARGEST_FRAME + 1024;
    info.keepalive_timeout = 60;
    lws_set_log_level(LLL_ERR, NULL);
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8;
    context = lws_create_context(&info);
    if (!context)
        return 1;
    host = lws_create_vhost(context, &info);
    if (!host || pthread_create(&thread, NULL, wait_for_end, NULL) != 0)
        return 1;
    printf("%d\n", lws_get_vhost_listen_port(host));
    fflush(stdout);
    while (!stopped && lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
