/*
 * The client that talks to foreign servers in the interoperation tests. It makes one connection,
 * does a job with it and prints what has happened, a line for each thing, for scripts to look at.
 * The status is 0 where the job was done.
 *
 * Usage: client --loop poll|uv|event OPTION… JOB [ARGUMENT…]
 *
 *   echo [SERIES]       sends the messages of series.h ("plain"), and expects each back
 *   ask LINE…           sends each line, and prints the answer to it: "message TEXT"
 *   close [LINE]        sends the line and waits to be closed, printing the messages that come
 *   leave CODE REASON   closes
 *   ping                sends pings of all sizes, and one inside a message, and expects the pongs
 *   expect-error        expects that the connection does not come about
 *
 * Lines are "established SUBPROTOCOL", "closed CODE REASON" with what lws_get_close() said, "error
 * REASON" with what CLIENT_CONNECTION_ERROR said, and "failed …". With --deflate, whose settings
 * deflate_option.h tells, there is "permessage-deflate ANSWER" as well, with what the server has
 * answered, or "none ANSWER" where it is not active ("-" where there is no answer).
 */
#include "../support/run_loop.h"
#include "deflate_option.h"
#include "series.h"

#include <libwebsockets.h>

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_PING 125u

enum job { JOB_ECHO, JOB_ASK, JOB_CLOSE, JOB_LEAVE, JOB_PING, JOB_EXPECT_ERROR };

static const char *const job_names[] = {"echo", "ask", "close", "leave", "ping", "expect-error"};

struct options {
    const char *loop;
    const char *address;
    const char *port;
    const char *ssl;
    const char *host;
    const char *path;
    const char *origin;
    const char *protocol;
    const char *version;
    const char *proxy;
    const char *header;
    const char *ca;
    const char *certificate;
    const char *key;
    const char *times;
    const char *seconds;
    const char *deflate;
    const char *job;
};

/* All that is known about the connection. */
struct client {
    const struct options *options;
    struct libwebsocket_context *context;
    struct run_loop loop;
    enum job job;
    char **arguments;
    unsigned int argument_count;
    unsigned int next; /* argument, or ping */
    unsigned int times_left;
    struct series series;
    char extensions[512]; /* the server's answer */
    bool inside;          /* a message that is being printed or checked */
    bool interrupted;     /* PING: the message with a ping inside is under way */
    bool answered;        /* PING: and its pong has come */
    bool leaving;         /* closed by this side, with the job done */
    bool failed;
};

static struct client client;

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...)
{
    va_list arguments;

    client.failed = true;
    printf("failed ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return -1;
}

static int send_bytes(struct libwebsocket *wsi, const void *bytes, size_t length,
    enum libwebsocket_write_protocol kind)
{
    unsigned char *copy =
        malloc(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    int sent;

    if (!copy)
        return fail("out of memory");
    if (length > 0)
        memcpy(copy + LWS_SEND_BUFFER_PRE_PADDING, bytes, length);
    sent = libwebsocket_write(wsi, copy + LWS_SEND_BUFFER_PRE_PADDING, length, kind);
    free(copy);
    return sent == (int)length ? 0 : fail("libwebsocket_write gave %d", sent);
}

static int send_line(struct libwebsocket *wsi, const char *line)
{
    return send_bytes(wsi, line, strlen(line), LWS_WRITE_TEXT);
}

static int leave(struct libwebsocket *wsi, int code, const char *reason)
{
    client.leaving = true;
    return lws_close(wsi, code, reason, strlen(reason)) == 0 ? 0 : fail("lws_close");
}

static int ask_next(struct libwebsocket *wsi)
{
    if (client.next == client.argument_count)
        return leave(wsi, LWS_CLOSE_STATUS_NORMAL, "done");
    return send_line(wsi, client.arguments[client.next++]);
}

/* What the ping of `next` bytes carries. */
static unsigned char ping_byte(unsigned int i)
{
    return (unsigned char)(i * 7 + client.next);
}

static int send_ping(struct libwebsocket *wsi)
{
    unsigned char payload[LARGEST_PING];

    for (unsigned int i = 0; i < client.next; i++)
        payload[i] = ping_byte(i);
    return send_bytes(wsi, payload, client.next, LWS_WRITE_PING);
}

static int ping_inside_a_message(struct libwebsocket *wsi)
{
    client.interrupted = true;
    client.next = LARGEST_PING;
    if (send_bytes(wsi, "first ", 6, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN) < 0 || send_ping(wsi) < 0)
        return -1;
    return send_bytes(wsi, "second", 6, LWS_WRITE_CONTINUATION);
}

static int take_pong(struct libwebsocket *wsi, const unsigned char *in, size_t len)
{
    if (client.job == JOB_ECHO && series_pong(&client.series, in, len) == SERIES_FAILED)
        return fail("%s", client.series.fault);
    if (client.job != JOB_PING)
        return 0;
    if (len != client.next)
        return fail("a pong of %zu bytes for a ping of %u", len, client.next);
    for (unsigned int i = 0; i < len; i++) {
        if (in[i] != ping_byte(i))
            return fail("a pong that differs from its ping of %u bytes", client.next);
    }
    if (client.interrupted) {
        client.answered = true;
        return 0;
    }
    client.next++;
    return client.next > LARGEST_PING ? ping_inside_a_message(wsi) : send_ping(wsi);
}

static int begin_job(struct libwebsocket *wsi)
{
    switch (client.job) {
    case JOB_ECHO:
        if (!series_start(
                &client.series, client.argument_count > 0 ? client.arguments[0] : "plain"))
            return fail("the series cannot be begun");
        return series_send(&client.series, wsi) == SERIES_FAILED ? fail("%s", client.series.fault)
                                                                 : 0;
    case JOB_ASK:
        return ask_next(wsi);
    case JOB_CLOSE:
        return client.argument_count > 0 ? send_line(wsi, client.arguments[0]) : 0;
    case JOB_LEAVE:
        return leave(wsi, (int)strtol(client.arguments[0], NULL, 10), client.arguments[1]);
    case JOB_PING:
        return send_ping(wsi);
    case JOB_EXPECT_ERROR:
        return fail("the connection came about");
    }
    return -1;
}

static bool message_complete(struct libwebsocket *wsi)
{
    return libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
}

static int take_message(struct libwebsocket *wsi, const unsigned char *in, size_t len)
{
    if (client.job == JOB_ECHO) {
        switch (series_receive(&client.series, wsi, in, len)) {
        case SERIES_GOES_ON:
            return 0;
        case SERIES_DONE:
            return leave(wsi, LWS_CLOSE_STATUS_NORMAL, "done");
        case SERIES_FAILED:
            return fail("%s", client.series.fault);
        }
    }
    if (!client.inside)
        printf("message ");
    client.inside = !message_complete(wsi);
    fwrite(in, 1, len, stdout);
    if (client.inside)
        return 0;
    printf("\n");
    if (client.job == JOB_ASK)
        return ask_next(wsi);
    if (client.job == JOB_PING) {
        if (!client.answered)
            return fail("the pong did not come before the message's end");
        return leave(wsi, LWS_CLOSE_STATUS_NORMAL, "done");
    }
    return 0;
}

static int check_answer(struct libwebsocket *wsi)
{
    char status[256];
    char accept[64];

    if (lws_hdr_copy(wsi, status, sizeof(status), WSI_TOKEN_HTTP) < 3 ||
        strncmp(status, "101", 3) != 0)
        return fail("the status in PRE_ESTABLISH");
    if (lws_hdr_copy(wsi, accept, sizeof(accept), WSI_TOKEN_ACCEPT) != 28)
        return fail("Sec-WebSocket-Accept in PRE_ESTABLISH");
    if (lws_hdr_copy(wsi, client.extensions, sizeof(client.extensions), WSI_TOKEN_EXTENSIONS) <= 0)
        strcpy(client.extensions, "-");
    return 0;
}

static void append_header(char **position, size_t room)
{
    int length;

    if (!client.options->header)
        return;
    length = snprintf(*position, room, "%s\r\n", client.options->header);
    if (length < 0 || (size_t)length >= room)
        fail("no room for a header line");
    else
        *position += length;
}

static bool connect_now(void)
{
    const struct options *options = client.options;
    const char *version = options->version ? options->version : "-1";

    client.next = 0;
    client.inside = client.interrupted = client.answered = client.leaving = false;
    client.times_left--;
    return libwebsocket_client_connect_extended(client.context, options->address,
        (int)strtol(options->port, NULL, 10), (int)strtol(options->ssl, NULL, 10), options->path,
        options->host, options->origin, options->protocol, (int)strtol(version, NULL, 10), &client);
}

static void connection_over(void)
{
    series_end(&client.series);
    if (!client.failed && client.times_left > 0) {
        if (connect_now())
            return;
        fail("the connection could not be begun");
    }
    /* Not by run_loop_stop(), which takes effect in a later service call: a uv loop ends before
       that where no connection holds it. */
    client.loop.stopped = true;
    libwebsocket_context_destroy(client.context);
}

static void note_error(const char *reason, size_t length)
{
    if (!reason || strlen(reason) != length || length == 0)
        fail("CLIENT_CONNECTION_ERROR without a reason");
    else
        printf("error %s\n", reason);
    if (client.job != JOB_EXPECT_ERROR)
        client.failed = true;
    connection_over();
}

static void note_close(struct libwebsocket *wsi)
{
    const char *reason;
    size_t length;
    int code = lws_get_close(wsi, &reason, &length);

    printf("closed %d %.*s\n", code, (int)length, reason);
    if (!client.leaving && client.job != JOB_CLOSE)
        fail("closed before the job was done");
    connection_over();
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        append_header(in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        return check_answer(wsi);
    case LWS_CALLBACK_CLIENT_ESTABLISHED: {
        const char *name = libwebsockets_get_protocol(wsi)->name;

        printf("established %s\n", name ? name : "-");
        if (client.options->deflate)
            printf("%s %s\n", deflate_name(wsi), client.extensions);
        if (user != &client)
            return fail("`user` is not what was given");
        return begin_job(wsi);
    }
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        note_error(in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return take_message(wsi, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        return take_pong(wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (client.job == JOB_ECHO && series_send(&client.series, wsi) == SERIES_FAILED)
            return fail("%s", client.series.fault);
        return 0;
    case LWS_CALLBACK_CLOSED:
        note_close(wsi);
        return 0;
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {NULL, callback, 0, 0, NULL, 0},
    {"echo", callback, 0, 0, NULL, 0},
    {"second", callback, 0, 0, NULL, 0},
    {"command", callback, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};

static void note_alarm(int number)
{
    static const char words[] = "failed the time is up\n";

    (void)number;
    if (write(STDOUT_FILENO, words, sizeof(words) - 1) < 0)
        _exit(4);
    _exit(3);
}

static bool parse(int argc, char **argv, struct options *options)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {
        {"--loop", &options->loop},
        {"--address", &options->address},
        {"--port", &options->port},
        {"--ssl", &options->ssl},
        {"--host", &options->host},
        {"--path", &options->path},
        {"--origin", &options->origin},
        {"--protocol", &options->protocol},
        {"--version", &options->version},
        {"--proxy", &options->proxy},
        {"--header", &options->header},
        {"--ca", &options->ca},
        {"--certificate", &options->certificate},
        {"--key", &options->key},
        {"--times", &options->times},
        {"--seconds", &options->seconds},
        {"--deflate", &options->deflate},
    };
    const size_t count = sizeof(known) / sizeof(known[0]);
    int i = 1;

    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        size_t n = 0;

        while (n < count && strcmp(argv[i], known[n].name) != 0)
            n++;
        if (n == count)
            return false;
        *known[n].value = argv[i + 1];
    }
    if (i >= argc || !options->loop)
        return false;
    options->job = argv[i];
    client.arguments = argv + i + 1;
    client.argument_count = (unsigned int)(argc - i - 1);
    for (size_t n = 0; n < sizeof(job_names) / sizeof(job_names[0]); n++) {
        if (strcmp(options->job, job_names[n]) == 0) {
            client.job = (enum job)n;
            return client.job != JOB_LEAVE || client.argument_count == 2;
        }
    }
    return false;
}

static int usage(void)
{
    fprintf(stderr,
        "usage: client --loop poll|uv|event [--address NAME|NUMBER|unix:PATH] [--port N]\n"
        "              [--ssl 0|1|2] [--host NAME] [--path PATH] [--origin ORIGIN]\n"
        "              [--protocol LIST] [--version N] [--proxy [USER:PASSWORD@]HOST:PORT]\n"
        "              [--header LINE] [--ca FILE] [--certificate FILE --key FILE] [--times N]\n"
        "              [--seconds N] [--deflate SETTINGS] JOB [ARGUMENT…]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {.protocols = protocols, .gid = -1, .uid = -1};
    struct options options = {.address = "127.0.0.1", .port = "0", .ssl = "0", .path = "/"};
    char error[512] = "";
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
    };

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (!parse(argc, argv, &options))
        return usage();
    if (options.deflate && !deflate_option(options.deflate, &info, &extras))
        return 2;
    extras.http_proxy = options.proxy;
    extras.client_ssl_ca_filepath = options.ca;
    extras.client_ssl_cert_filepath = options.certificate;
    extras.client_ssl_private_key_filepath = options.key;
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    if (signal(SIGALRM, note_alarm) == SIG_ERR)
        return 1;
    alarm(options.seconds ? (unsigned int)strtoul(options.seconds, NULL, 10) : 60);

    client.options = &options;
    client.times_left = options.times ? (unsigned int)strtoul(options.times, NULL, 10) : 1;
    client.context = lws_create_context(&info, &extras);
    if (!client.context) {
        printf("failed %s\n", error);
        return 1;
    }
    client.loop = (struct run_loop){.context = client.context, .name = options.loop};
    if (!connect_now()) {
        printf("failed the connection could not be begun\n");
        libwebsocket_context_destroy(client.context);
        return 1;
    }
    return run_loop(&client.loop) && !client.failed ? 0 : 1;
}
