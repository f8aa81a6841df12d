#include "service/connector.h"

#include "base/text.h"
#include "connection/client.h"
#include "platform/connect_socket.h"
#include "platform/socket.h"
#include "platform/wake.h"
#include "service/poll_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 8305 section 5. */
enum { ATTEMPT_DELAY_MS = 250 };

/* A descriptor that works for a client. It is the helper's own; NULL, and it was closed. */
static struct libwebsocket *add_helper(struct libwebsocket_context *context,
    struct libwebsocket *owner, int fd, enum connection_state state)
{
    struct libwebsocket *helper = connection_create(&context->engine, fd);

    if (!helper) {
        close(fd);
        return NULL;
    }
    helper->state = (unsigned char)state;
    helper->owner = owner;
    if (state == CONNECTION_ATTEMPT)
        helper->transport.read_events = POLLOUT;
    if (!context_file(context, helper)) {
        connection_release(helper);
        free(helper);
        return NULL;
    }
    connection_attend(helper);
    return helper;
}

/* Closes its descriptor, unless that has been taken out of it. */
static void drop_helper(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    poll_fd_forget(helper);
    context_unfile(context, helper);
    connection_release(helper);
    helper->closed = true;
    queue_push(&context->graves, &helper->work);
}

static void end_lookup(struct libwebsocket_context *context, struct client *client)
{
    drop_helper(context, client->lookup_descriptor);
    client->lookup_descriptor = NULL;
    client->lookup = NULL;
}

static void drop_attempts(struct libwebsocket_context *context, struct client *client)
{
    while (!list_empty(&client->attempts))
        drop_helper(context, list_entry(client->attempts.next, struct libwebsocket, protocol_node));
}

void connector_abandon(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    struct client *client = wsi->client;

    if (client->lookup) {
        lookup_cancel(client->lookup);
        end_lookup(context, client);
    }
    drop_attempts(context, client);
}

static void fail_with(struct libwebsocket *wsi, int error)
{
    char reason[CLIENT_FAILURE_SIZE];
    struct text words;

    text_init(&words, reason, sizeof(reason));
    text_add_phrase(&words, strerror(error));
    client_fail(wsi, reason);
}

/* Begins to connect to the next address that lets itself be begun with. */
static void begin_attempt(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    struct client *client = wsi->client;

    while (client->next_address < client->addresses->count) {
        const struct socket_address *address = &client->addresses->list[client->next_address++];
        enum connect_result result;
        struct libwebsocket *attempt;
        int fd = connect_begin(address, &result);

        if (fd < 0) {
            client->error = errno;
            continue;
        }
        attempt = add_helper(context, wsi, fd, CONNECTION_ATTEMPT);
        if (!attempt) {
            client->error = ENOMEM;
            continue;
        }
        attempt->attempted = (unsigned char)(client->next_address - 1);
        list_append(&client->attempts, &attempt->protocol_node);
        if (client->next_address < client->addresses->count)
            connection_set_due(attempt, ATTEMPT_DELAY_MS);
        return;
    }
    if (list_empty(&client->attempts))
        fail_with(wsi, client->error);
}

static void begin_attempts(struct libwebsocket_context *context, struct libwebsocket *wsi,
    struct socket_addresses *addresses)
{
    wsi->client->addresses = addresses;
    connection_set_due(wsi, context->engine.limits.connect_timeout);
    begin_attempt(context, wsi);
}

static void attempt_failed(
    struct libwebsocket_context *context, struct libwebsocket *attempt, int error)
{
    struct libwebsocket *wsi = attempt->owner;
    char text[128];

    socket_address_text(&wsi->client->addresses->list[attempt->attempted], text, sizeof(text));
    lwsl_info("no connection to %s at %s: %s\n", wsi->client->authority, text, strerror(error));
    wsi->client->error = error;
    drop_helper(context, attempt);
    if (wsi->state == CONNECTION_CONNECTING)
        begin_attempt(context, wsi);
}

static void attempt_succeeded(struct libwebsocket_context *context, struct libwebsocket *attempt)
{
    struct libwebsocket *wsi = attempt->owner;
    int fd = attempt->transport.fd;

    poll_fd_forget(attempt);
    context_unfile(context, attempt);
    attempt->transport.fd = -1;
    connector_abandon(context, wsi);
    list_remove(&wsi->protocol_node);
    transport_plain(&wsi->transport, fd);
    /* There is room for it: the attempt was filed there. */
    (void)context_file(context, wsi);
    context_keep_alive(context, fd);
    connection_attend(wsi);
    lwsl_info("connection %d: to %s\n", fd, wsi->client->authority);
    client_connected(wsi);
}

static void serve_attempt(struct libwebsocket_context *context, struct libwebsocket *attempt)
{
    struct libwebsocket *wsi = attempt->owner;

    if (wsi->state != CONNECTION_CONNECTING)
        return;
    switch (
        connect_check(attempt->transport.fd, &wsi->client->addresses->list[attempt->attempted])) {
    case CONNECT_DONE:
        attempt_succeeded(context, attempt);
        break;
    case CONNECT_AGAIN:
        break;
    case CONNECT_FAILED:
        attempt_failed(context, attempt, errno);
        break;
    }
}

static void serve_lookup(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    struct libwebsocket *wsi = helper->owner;
    struct client *client = wsi->client;
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;

    if (wsi->state != CONNECTION_CONNECTING)
        return;
    wake_clear(helper->transport.fd);
    switch (lookup_take(client->lookup, &addresses, &why)) {
    case LOOKUP_PENDING:
        break;
    case LOOKUP_FOUND:
        end_lookup(context, client);
        begin_attempts(context, wsi, addresses);
        break;
    case LOOKUP_FAILED:
        end_lookup(context, client);
        client_fail(wsi, why);
        break;
    }
}

void connector_serve(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    if (helper->state == CONNECTION_LOOKUP)
        serve_lookup(context, helper);
    else
        serve_attempt(context, helper);
}

void connector_delay_over(struct libwebsocket_context *context, struct libwebsocket *attempt)
{
    if (attempt->owner->state == CONNECTION_CONNECTING)
        begin_attempt(context, attempt->owner);
}

void connector_refused(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    struct libwebsocket *wsi = helper->owner;

    if (helper->state == CONNECTION_ATTEMPT)
        drop_helper(context, helper);
    if (wsi->state == CONNECTION_CONNECTING)
        client_fail(wsi, "the loop cannot watch its descriptor");
}

static bool begin_lookup(
    struct libwebsocket_context *context, struct libwebsocket *wsi, const char *name, int port)
{
    struct client *client = wsi->client;
    int fd;

    if (!context->resolver && !(context->resolver = resolver_create())) {
        errno = ENOMEM;
        return false;
    }
    fd = wake_open();
    if (fd < 0)
        return false;
    client->lookup_descriptor = add_helper(context, wsi, fd, CONNECTION_LOOKUP);
    if (!client->lookup_descriptor) {
        errno = ENOMEM;
        return false;
    }
    client->lookup = lookup_begin(context->resolver, name, port, fd);
    if (!client->lookup) {
        int error = errno;

        end_lookup(context, client);
        errno = error;
        return false;
    }
    connection_set_due(wsi, context->engine.limits.resolve_timeout);
    return true;
}

bool connector_begin(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    const struct client *client = wsi->client;
    const char *name = client->proxy_host ? client->proxy_host : client->address;
    int port = client->proxy_host ? client->proxy_port : client->port;
    struct socket_addresses *addresses =
        client->is_unix ? socket_addresses_unix(name) : socket_addresses_numeric(name, port);

    list_append(&context->engine.connecting, &wsi->protocol_node);
    if (addresses)
        begin_attempts(context, wsi, addresses);
    else if (client->is_unix || errno)
        return false;
    else
        return begin_lookup(context, wsi, name, port);
    return true;
}
