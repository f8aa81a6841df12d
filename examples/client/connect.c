#include "connect.h"

#include <stdio.h>
#include <string.h>

enum { SUBPROTOCOLS_MOST = 32 };

/* The server's answer decides which of them the connection speaks; the first is for none. */
static struct libwebsocket_protocols protocols[1 + SUBPROTOCOLS_MOST + 1] = {
    {.name = NULL, .callback = session_callback},
};
static char protocol_names[1024];

/* Returns 0, or -1 where there is no room for so many. */
static int name_protocols(const char *list)
{
    size_t count = 1;

    if (strlen(list) >= sizeof(protocol_names))
        return -1;
    strcpy(protocol_names, list);
    for (char *name = strtok(protocol_names, ", "); name; name = strtok(NULL, ", ")) {
        if (count > SUBPROTOCOLS_MOST)
            return -1;
        protocols[count++] =
            (struct libwebsocket_protocols){.name = name, .callback = session_callback};
    }
    return 0;
}

static void emit_log(int level, const char *line)
{
    (void)level;
    fprintf(stderr, "client: %s", line);
}

static struct libwebsocket_context *create_context(struct session *session)
{
    const struct options *options = session->options;
    char error[256] = "";
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .user = session,
    };
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras),
        .error = error,
        .error_len = sizeof(error),
        /* A line that is complete at last, and what else was read with its end. */
        .max_backlog = 2 * (size_t)MESSAGES_FRAGMENT,
        /* A server may have much to read before it comes to the close frame. */
        .close_timeout_ms = 20000,
        /* The program sends pings itself, to tell how long the pong took. Where there is none,
         * these decide. */
        .ping_interval_ms = 2000 * (unsigned int)options->ping,
        .ping_timeout_ms = 1000 * (unsigned int)options->ping,
        .http_proxy = options->proxy,
        .client_ssl_ca_filepath = options->authorities,
        .client_ssl_cert_filepath = options->certificate,
        .client_ssl_private_key_filepath = options->key,
    };

    lws_set_log_level(options->verbose ? (1 << LLL_COUNT) - 1 : 0, NULL);
    struct libwebsocket_context *context = lws_create_context(&info, &extras);
    if (!context)
        fprintf(stderr, "client: %s\n", error);
    if (!options->verbose)
        lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
    return context;
}

/* Through a Unix-domain socket the URL's host and port are only what the server is told. */
static struct libwebsocket *connect_unix(
    struct libwebsocket_context *context, const struct options *options, int tls)
{
    const struct url *url = &options->url;
    char address[512];
    char host[sizeof(url->host) + sizeof(":65535")];
    int length = snprintf(address, sizeof(address), "unix:%s", options->unix_path);

    if (length < 0 || (size_t)length >= sizeof(address)) {
        fprintf(stderr, "client: %s: the path is too long\n", options->unix_path);
        return NULL;
    }
    snprintf(host, sizeof(host), "%s:%d", url->host, url->port);
    return libwebsocket_client_connect(context, address, url->port, tls, url->target,
        options->host ? options->host : host, options->origin, options->subprotocols, -1);
}

struct libwebsocket_context *connect_begin(struct session *session)
{
    const struct options *options = session->options;
    const struct url *url = &options->url;
    int tls = !url->secure ? 0 : options->insecure ? 2 : 1;
    struct libwebsocket_context *context;
    struct libwebsocket *wsi;

    if (options->subprotocols && name_protocols(options->subprotocols) != 0) {
        fprintf(stderr, "client: --subprotocol: these are too many\n");
        return NULL;
    }
    context = create_context(session);
    if (!context)
        return NULL;
    if (options->unix_path)
        wsi = connect_unix(context, options, tls);
    else
        wsi = libwebsocket_client_connect(context, url->host, url->port, tls, url->target,
            options->host, options->origin, options->subprotocols, -1);
    if (wsi)
        return context;
    libwebsocket_context_destroy(context);
    return NULL;
}
