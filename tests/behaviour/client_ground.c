#include "client_ground.h"

#include <errno.h>
#include <stdio.h>

#include "../support/certificates.h"
#include "../support/tls_stream.h"

callback_function *client_hook;

static int hooked_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    return client_hook == NULL ? 0 : client_hook(context, wsi, reason, user, in, len);
}

struct libwebsocket_protocols client_protocols[] = {
    [CLIENT_FIRST] = {.name = "first", .callback = hooked_callback},
    [CLIENT_CHAT] = {.name = "chat",
        .callback = hooked_callback,
        .per_session_data_size = CLIENT_SESSION_SIZE},
    [CLIENT_SECOND] = {.name = "second", .callback = hooked_callback},
    [CLIENT_SMALL] = {.name = "small", .callback = hooked_callback, .rx_buffer_size = 64},
    {.name = NULL},
};

int client_ssl(void)
{
    return harness_tls() ? 1 : 0;
}

static void carry_by_tls(struct ws_client *peer)
{
    static SSL_CTX *settings;

    if (settings == NULL) {
        const struct tls_files files = {
            .certificate = certificates_path("server.pem"), .key = certificates_path("server.key")};

        settings = tls_server_settings(&files);
    }
    tls_carry_server(peer, settings);
}

static struct server *started;

static const char *last_failure(void)
{
    static char words[256];
    size_t failures = server_count(started, LWS_CALLBACK_CLIENT_CONNECTION_ERROR);

    if (failures == 0)
        return ", and no client has failed";
    snprintf(words, sizeof words, ": %s",
        (const char *)server_record(started, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, failures - 1)
            ->bytes);
    return words;
}

struct server *client_start(const struct server_options *options)
{
    struct server_options with = options == NULL ? (struct server_options){0} : *options;

    if (with.protocols == NULL)
        with.protocols = client_protocols;
    if (harness_tls() && with.extras.client_ssl_ca_filepath == NULL)
        with.extras.client_ssl_ca_filepath = certificates_path("root.pem");
    with.no_listener = true;
    ws_carry_accepted(harness_tls() ? carry_by_tls : NULL);
    ws_explain_absence(last_failure);
    started = server_start(&with);
    return started;
}

static void connect_now(struct libwebsocket_context *context, struct client *client)
{
    const char *address = client->address == NULL ? "127.0.0.1" : client->address;
    int version = client->version == 0 ? -1 : client->version;
    int ssl = client->ssl | client_ssl();

    if (strncmp(address, "unix:", 5) == 0)
        ssl = client->ssl;
    errno = 0;
    if (client->userdata == NULL)
        client->wsi = libwebsocket_client_connect(context, address, client->port, ssl, client->path,
            client->host, client->origin, client->protocol, version);
    else
        client->wsi =
            libwebsocket_client_connect_extended(context, address, client->port, ssl, client->path,
                client->host, client->origin, client->protocol, version, client->userdata);
    client->error = errno;
}

void client_begin_here(struct client *client)
{
    connect_now(server_context(server_here()), client);
    ck_assert_msg(client->wsi != NULL, "no client: %s", strerror(client->error));
}

static void try_now(struct server *loop, void *argument)
{
    connect_now(server_context(loop), argument);
}

void client_try(struct server *loop, struct client *client)
{
    server_run(loop, try_now, client);
}

void client_begin(struct server *loop, struct client *client)
{
    client_try(loop, client);
    ck_assert_msg(client->wsi != NULL, "no client: %s", strerror(client->error));
}

struct ws_client *client_open(struct server *loop, struct ws_server *server, struct client *client)
{
    struct client usual = {0};
    size_t before = server_count(loop, LWS_CALLBACK_CLIENT_ESTABLISHED);
    struct ws_client *peer;

    if (client == NULL)
        client = &usual;
    client->port = server->port;
    if (client->protocol == NULL)
        client->protocol = "chat";
    client_begin(loop, client);
    peer = ws_serve(server, client->protocol);
    server_wait(loop, LWS_CALLBACK_CLIENT_ESTABLISHED, before + 1);
    return peer;
}

void client_finish(struct server *loop, struct ws_client *peer)
{
    size_t before = server_count(loop, LWS_CALLBACK_CLOSED);

    ws_finish(peer);
    ws_free(peer);
    server_wait(loop, LWS_CALLBACK_CLOSED, before + 1);
}

void client_expect_error_at(
    struct server *loop, size_t n, const char *text, const char *file, int line)
{
    const struct server_record *record =
        server_record(loop, LWS_CALLBACK_CLIENT_CONNECTION_ERROR, n);

    ck_assert_msg(strstr((const char *)record->bytes, text) != NULL,
        "%s:%d: the reason is \"%s\" in place of \"%s\"", file, line, (const char *)record->bytes,
        text);
}

struct proxy_call {
    const char *proxy;
    int result;
};

static void set_proxy(struct server *loop, void *argument)
{
    struct proxy_call *call = argument;

    call->result = libwebsocket_set_proxy(server_context(loop), call->proxy);
}

int client_set_proxy(struct server *loop, const char *proxy)
{
    struct proxy_call call = {.proxy = proxy};

    server_run(loop, set_proxy, &call);
    return call.result;
}
