#include "connection/client.h"

#include "connection/client_answer.h"
#include "connection/client_handshake.h"
#include "connection/client_proxy.h"
#include "connection/drain.h"
#include "connection/starting.h"
#include "transport/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void client_free(struct libwebsocket *wsi)
{
    struct client *client = wsi->client;

    if (!client)
        return;
    wsi->client = NULL;
    client_answer_clear(&client->answer);
    free(client->addresses);
    free(client->address);
    free(client->authority);
    free(client->target);
    free(client->host);
    free(client->name);
    free(client->origin);
    free(client->protocols);
    free(client->proxy_host);
    free(client->proxy_authorization);
    free(client);
}

void client_fail(struct libwebsocket *wsi, const char *why)
{
    struct client *client = wsi->client;

    if (!client->failed) {
        client->failed = true;
        snprintf(client->failure, sizeof(client->failure), "%s", why);
        lwsl_notice("no connection to %s: %s\n", client->authority, client->failure);
    }
    connection_die(wsi);
}

void client_fail_on_the_way(struct libwebsocket *wsi, const char *why)
{
    bool to_proxy = wsi->client->proxy_host &&
                    (wsi->state == CONNECTION_CONNECTING || wsi->state == CONNECTION_PROXY);
    char words[CLIENT_FAILURE_SIZE];

    snprintf(words, sizeof(words), "%s%s", to_proxy ? "proxy: " : "", why);
    client_fail(wsi, words);
}

static void encrypt(struct libwebsocket *wsi)
{
    struct client *client = wsi->client;
    char reason[CLIENT_FAILURE_SIZE];
    struct tls_settings *settings;
    struct text error;

    text_init(&error, reason, sizeof(reason));
    /* Nothing is to be read or written while the program may be called. */
    wsi->state = CONNECTION_CONNECTING;
    connection_set_due(wsi, engine_of(wsi)->limits.tls_timeout);
    connection_begin_callback(wsi);
    settings = engine_tls_client(engine_of(wsi), &error);
    connection_end_callback(wsi);
    if (engine_of(wsi)->ending || wsi->state != CONNECTION_CONNECTING)
        return;
    if (!settings)
        client_fail(wsi, error.length > 0 ? reason : "TLS cannot be set up");
    else if (!transport_tls_client(&wsi->transport, settings, client->name,
                 client->ssl_connection == 2, client->authority))
        client_fail(wsi, errno == EINVAL ? "the host is no name to verify" : "out of memory");
    else
        starting_begin(wsi);
}

void client_tunnelled(struct libwebsocket *wsi)
{
    if (wsi->client->ssl_connection)
        encrypt(wsi);
    else
        client_handshake_ask(wsi);
}

void client_connected(struct libwebsocket *wsi)
{
    if (wsi->client->proxy_host)
        client_proxy_ask(wsi);
    else
        client_tunnelled(wsi);
}

void client_transport_ready(struct libwebsocket *wsi)
{
    client_handshake_ask(wsi);
}

size_t client_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    return wsi->state == CONNECTION_PROXY ? client_proxy_input(wsi, bytes, length)
                                          : client_handshake_input(wsi, bytes, length);
}

void client_hung_up(struct libwebsocket *wsi)
{
    client_fail(wsi, wsi->state == CONNECTION_PROXY ? "the proxy hung up" : "the server hung up");
}

void client_late(struct libwebsocket *wsi)
{
    switch ((enum connection_state)wsi->state) {
    case CONNECTION_CONNECTING:
        if (wsi->transport.fd >= 0)
            client_fail(wsi, "TLS handshake timed out");
        else
            client_fail_on_the_way(
                wsi, wsi->client->addresses ? "connect timed out" : "name look-up timed out");
        break;
    case CONNECTION_PROXY:
        client_fail(wsi, "the proxy did not answer in time");
        break;
    default:
        client_fail(wsi, "the server did not answer in time");
        break;
    }
}
