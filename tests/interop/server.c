/*
 * The server that foreign clients talk to in the interoperation tests: files and WebSockets on a
 * free port of 127.0.0.1, whose number is its first line on stdout. It ends on SIGTERM, or when its
 * standard input does.
 *
 * Usage: server --loop poll|uv|event --directory DIR [--tls DIR [--certificate NAME]
 *               [--ciphers LIST] [--client-ca] [--plain-too]] [--unix PATH] [--deflate SETTINGS]
 *
 * With --tls it is wss and https, by what tests/support/certificates.sh has put into that folder
 * and the certificate of this name ("server"); --client-ca demands certificates of clients, and
 * --plain-too takes ws and http as well. PATH is a Unix-domain socket to listen on besides, without
 * TLS. SETTINGS are told in deflate_option.h.
 *
 * HTTP: /show/… answers with the path as the program sees it, by LWS_WRITE_HTTP; every other path
 * is a file in DIR. WebSocket: no subprotocol, "echo" and "second" send every message back whole;
 * "extension" does after it has said which extension is active, "permessage-deflate" or "none";
 * what "command" does is told at obey().
 */
#include "../support/run_loop.h"
#include "deflate_option.h"

#include <libwebsockets.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MOST (16u * 1024 * 1024)

/* A message is gathered behind the padding, and sent from there. */
struct echo_session {
    unsigned char *buffer;
    size_t length;
    size_t room; /* for payload */
    enum libwebsocket_write_protocol kind;
    bool full; /* waits to be sent */
};

struct command_session {
    unsigned int next, count; /* of a burst */
};

/* What the latest echo connection that ended has been told by its client. */
static struct {
    unsigned int count;
    int code;
    char reason[128];
} last_close;

static const char *directory;
static volatile sig_atomic_t terminated;

static bool append(struct echo_session *session, const void *in, size_t len)
{
    const size_t padding = LWS_SEND_BUFFER_PRE_PADDING + LWS_SEND_BUFFER_POST_PADDING;
    size_t room = session->room > 0 ? session->room : 4096;

    while (room - session->length < len)
        room *= 2;
    if (room > session->room) {
        unsigned char *larger = realloc(session->buffer, room + padding);

        if (!larger)
            return false;
        session->buffer = larger;
        session->room = room;
    }
    if (len > 0)
        memcpy(session->buffer + LWS_SEND_BUFFER_PRE_PADDING + session->length, in, len);
    session->length += len;
    return true;
}

/* Sends what was gathered; where the client is slow, later, and takes nothing from it meanwhile. */
static int send_gathered(struct libwebsocket *wsi, struct echo_session *session)
{
    int sent = libwebsocket_write(
        wsi, session->buffer + LWS_SEND_BUFFER_PRE_PADDING, session->length, session->kind);

    if (sent < 0 && errno == EAGAIN) {
        session->full = true;
        libwebsocket_rx_flow_control(wsi, 0);
        libwebsocket_callback_on_writable(NULL, wsi);
        return 0;
    }
    if (session->full)
        libwebsocket_rx_flow_control(wsi, 1);
    free(session->buffer);
    *session = (struct echo_session){0};
    return sent < 0 ? -1 : 0;
}

static int echo_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    struct echo_session *session = user;
    const char *text;
    size_t text_length;

    (void)context;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        if (!append(session, in, len))
            return -1;
        session->kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
        if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
            return 0;
        return send_gathered(wsi, session);

    case LWS_CALLBACK_SERVER_WRITEABLE:
        return session->full ? send_gathered(wsi, session) : 0;

    case LWS_CALLBACK_CLOSED:
        free(session->buffer);
        last_close.count++;
        last_close.code = lws_get_close(wsi, &text, &text_length);
        snprintf(last_close.reason, sizeof(last_close.reason), "%.*s", (int)text_length, text);
        return 0;

    default:
        return 0;
    }
}

static int send_text(struct libwebsocket *wsi, const void *text, size_t length,
    enum libwebsocket_write_protocol protocol)
{
    unsigned char *copy =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    int sent;

    if (!copy)
        return -1;
    memcpy(copy + LWS_SEND_BUFFER_PRE_PADDING, text, length);
    sent = libwebsocket_write(wsi, copy + LWS_SEND_BUFFER_PRE_PADDING, length, protocol);
    free(copy);
    return sent < 0 ? -1 : 0;
}

__attribute__((format(printf, 3, 4))) static int say(
    struct libwebsocket *wsi, enum libwebsocket_write_protocol protocol, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(text))
        return -1;
    return send_text(wsi, text, (size_t)length, protocol);
}

static int send_fragments(struct libwebsocket *wsi, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        enum libwebsocket_write_protocol kind = i == 0 ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;

        if (i + 1 < count)
            kind |= LWS_WRITE_NO_FIN;
        if (say(wsi, kind, "%u ", i) < 0)
            return -1;
    }
    return 0;
}

static int send_farewell(struct libwebsocket *wsi, size_t length)
{
    char *text = malloc(length + 1);
    int result = -1;

    if (text) {
        memset(text, 'f', length);
        send_text(wsi, text, length, LWS_WRITE_TEXT);
    }
    free(text);
    return result;
}

/*
 * close CODE REASON   closes with lws_close()
 * return              closes by return value
 * farewell N          sends N bytes and closes by return value
 * closes              answers "COUNT CODE REASON" about the latest echo connection that ended
 * ping TEXT           sends a ping with this payload, and "pinged"
 * say TEXT            sends the text
 * uncompressed TEXT   sends the text, and has extensions leave it as it is
 * fragments N         sends "0 1 2 … " as a message of N fragments
 * burst N             sends N messages by WRITEABLE: their number and filling
 */
static int obey(struct libwebsocket *wsi, struct command_session *session, char *line)
{
    char *argument = strchr(line, ' ');

    if (argument)
        *argument++ = '\0';
    else
        argument = line + strlen(line);

    if (strcmp(line, "close") == 0) {
        char *reason;
        int code = (int)strtol(argument, &reason, 10);

        if (*reason == ' ')
            reason++;
        return lws_close(wsi, code, reason, strlen(reason));
    }
    if (strcmp(line, "return") == 0)
        return -1;
    if (strcmp(line, "farewell") == 0)
        return send_farewell(wsi, strtoul(argument, NULL, 10));
    if (strcmp(line, "closes") == 0)
        return say(
            wsi, LWS_WRITE_TEXT, "%u %d %s", last_close.count, last_close.code, last_close.reason);
    if (strcmp(line, "ping") == 0) {
        if (say(wsi, LWS_WRITE_PING, "%s", argument) < 0)
            return -1;
        return say(wsi, LWS_WRITE_TEXT, "pinged");
    }
    if (strcmp(line, "say") == 0)
        return say(wsi, LWS_WRITE_TEXT, "%s", argument);
    if (strcmp(line, "uncompressed") == 0)
        return say(wsi, LWS_WRITE_TEXT | LWS_WRITE_UNCOMPRESSED, "%s", argument);
    if (strcmp(line, "fragments") == 0)
        return send_fragments(wsi, (unsigned int)strtoul(argument, NULL, 10));
    if (strcmp(line, "burst") == 0) {
        session->next = 0;
        session->count = (unsigned int)strtoul(argument, NULL, 10);
        libwebsocket_callback_on_writable(NULL, wsi);
        return 0;
    }
    lws_close_reason(wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, "unknown command", 15);
    return -1;
}

static int send_burst(struct libwebsocket *wsi, struct command_session *session)
{
    char filling[1001];

    memset(filling, 'b', sizeof(filling) - 1);
    filling[sizeof(filling) - 1] = '\0';
    while (session->next < session->count && !lws_send_pipe_choked(wsi)) {
        if (say(wsi, LWS_WRITE_TEXT, "%u %s", session->next, filling) < 0)
            return -1;
        session->next++;
    }
    if (session->next < session->count)
        libwebsocket_callback_on_writable(NULL, wsi);
    return 0;
}

static int command_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)len;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return obey(wsi, user, in);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return send_burst(wsi, user);
    default:
        return 0;
    }
}

static int extension_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    if (reason == LWS_CALLBACK_ESTABLISHED)
        return say(wsi, LWS_WRITE_TEXT, "%s", deflate_name(wsi));
    return echo_callback(context, wsi, reason, user, in, len);
}

static int show_path(struct libwebsocket *wsi, const char *path)
{
    char answer[8192];
    int length = snprintf(answer, sizeof(answer),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
        "Connection: close\r\n\r\n%s",
        strlen(path), path);

    if (length > 0 && (size_t)length < sizeof(answer))
        libwebsocket_write(wsi, (unsigned char *)answer, (size_t)length, LWS_WRITE_HTTP);
    return -1;
}

static int http_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *path = in;
    char file[4096];
    int length;

    if (reason != LWS_CALLBACK_HTTP)
        return echo_callback(context, wsi, reason, user, in, len);
    if (strncmp(path, "/show/", 6) == 0)
        return show_path(wsi, path);
    length = snprintf(file, sizeof(file), "%s%.*s", directory, (int)strcspn(path, "?"), path);
    if (length < 0 || (size_t)length >= sizeof(file))
        return -1;
    return libwebsockets_serve_http_file(context, wsi, file, "text/plain");
}

static struct libwebsocket_protocols protocols[] = {
    {NULL, http_callback, sizeof(struct echo_session), 0, NULL, 0},
    {"echo", echo_callback, sizeof(struct echo_session), 0, NULL, 0},
    {"second", echo_callback, sizeof(struct echo_session), 0, NULL, 0},
    {"extension", extension_callback, sizeof(struct echo_session), 3000, NULL, 0},
    {"command", command_callback, sizeof(struct command_session), 0, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};

static void note_signal(int number)
{
    (void)number;
    terminated = 1;
}

/* Waits for SIGTERM, which only this thread takes, or the end of standard input. */
static void *wait_for_end(void *argument)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t unblocked;

    sigemptyset(&unblocked);
    while (!terminated) {
        char bytes[256];

        if (ppoll(&input, 1, NULL, &unblocked) > 0 && read(input.fd, bytes, sizeof(bytes)) <= 0)
            break;
    }
    if (!run_loop_stop(argument))
        abort();
    return NULL;
}

static bool serve(struct run_loop *loop)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;
    pthread_t thread;
    bool good;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    if (pthread_sigmask(SIG_BLOCK, &blocked, NULL) != 0 || sigaction(SIGTERM, &action, NULL) < 0 ||
        pthread_create(&thread, NULL, wait_for_end, loop) != 0) {
        libwebsocket_context_destroy(loop->context);
        return false;
    }
    good = run_loop(loop);
    if (!good)
        return false; /* the thread may still wait, and ends with the process */
    return pthread_join(thread, NULL) == 0;
}

struct options {
    const char *loop;
    const char *tls;
    const char *certificate;
    const char *ciphers;
    const char *unix_path;
    const char *deflate;
    bool client_ca;
    bool plain_too;
};

static bool parse(int argc, char **argv, struct options *options)
{
    const struct {
        const char *name;
        const char **value;
        bool *flag;
    } known[] = {
        {"--loop", &options->loop, NULL},
        {"--directory", &directory, NULL},
        {"--tls", &options->tls, NULL},
        {"--certificate", &options->certificate, NULL},
        {"--ciphers", &options->ciphers, NULL},
        {"--unix", &options->unix_path, NULL},
        {"--deflate", &options->deflate, NULL},
        {"--client-ca", NULL, &options->client_ca},
        {"--plain-too", NULL, &options->plain_too},
    };
    const size_t count = sizeof(known) / sizeof(known[0]);

    for (int i = 1; i < argc; i++) {
        size_t n = 0;

        while (n < count && strcmp(argv[i], known[n].name) != 0)
            n++;
        if (n == count || (known[n].value && i + 1 == argc))
            return false;
        if (known[n].value)
            *known[n].value = argv[++i];
        else
            *known[n].flag = true;
    }
    return options->loop && directory;
}

/* Files of certificates.sh. */
struct tls_paths {
    char certificate[4096];
    char key[4096];
    char root[4096];
};

static bool set_tls(
    const struct options *options, struct tls_paths *paths, struct lws_context_creation_info *info)
{
    const char *name = options->certificate ? options->certificate : "server";
    const int lengths[] = {
        snprintf(paths->certificate, sizeof(paths->certificate), "%s/%s.pem", options->tls, name),
        snprintf(paths->key, sizeof(paths->key), "%s/%s.key", options->tls, name),
        snprintf(paths->root, sizeof(paths->root), "%s/root.pem", options->tls),
    };

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (lengths[i] < 0 || (size_t)lengths[i] >= sizeof(paths->root))
            return false;
    }
    info->ssl_cert_filepath = paths->certificate;
    info->ssl_private_key_filepath = paths->key;
    info->ssl_cipher_list = options->ciphers;
    if (options->client_ca) {
        info->ssl_ca_filepath = paths->root;
        info->options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT;
    }
    if (options->plain_too)
        info->options |= LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT;
    return true;
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {.protocols = protocols, .gid = -1, .uid = -1};
    struct options options = {.loop = NULL};
    struct run_loop loop = {.name = NULL};
    struct tls_paths paths;
    char error[512] = "";
    int port;
    int fd;
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
        .listen_fds = &fd,
        .listen_fd_count = 1,
        .max_message_size = MESSAGE_MOST,
    };

    if (!parse(argc, argv, &options) || (options.tls && !set_tls(&options, &paths, &info))) {
        fprintf(stderr,
            "usage: server --loop poll|uv|event --directory DIR [--tls DIR [--certificate NAME]\n"
            "              [--ciphers LIST] [--client-ca] [--plain-too]] [--unix PATH]\n"
            "              [--deflate SETTINGS]\n");
        return 2;
    }
    if (options.deflate) {
        /* A client may compress what gets longer by that. */
        extras.max_unpacked_size = extras.max_message_size;
        extras.max_message_size += extras.max_message_size / 256;
        if (!deflate_option(options.deflate, &info, &extras))
            return 2;
    }
    loop.name = options.loop;
    extras.unix_path = options.unix_path;
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    fd = run_loop_listen("127.0.0.1", 128, &port);
    if (fd < 0) {
        perror("listen");
        return 1;
    }
    loop.context = lws_create_context(&info, &extras);
    if (!loop.context) {
        fprintf(stderr, "%s\n", error);
        close(fd);
        return 1;
    }
    printf("%d\n", port);
    fflush(stdout);
    return serve(&loop) ? 0 : 1;
}
