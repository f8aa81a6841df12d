#include "service/connector.h"

#include "base/text.h"
#include "connection/client.h"
#include "platform/connect_socket.h"
#include "platform/socket.h"
#include "platform/wake.h"
#include "service/poll_fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 8305 section 5. */
enum { ATTEMPT_DELAY_MS = 250, FULL_QUEUE_DELAY_MS = 50 };

_Static_assert(SOCKET_ADDRESSES_MAX <= UCHAR_MAX, "an attempt has the index of its address");

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
    if (client->turn) {
        drop_helper(context, client->turn);
        client->turn = NULL;
    }
    drop_attempts(context, client);
}

static void fail_with(struct libwebsocket *wsi, int error)
{
    char reason[CLIENT_FAILURE_SIZE];
    struct text words;

    text_init(&words, reason, sizeof(reason));
    text_add_phrase(&words, error == ENOMEM ? "out of memory" : strerror(error));
    client_fail_on_the_way(wsi, reason);
}

/* Says of an address that it is of no use here, and nothing of the server. */
static bool is_about_the_network(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == EAFNOSUPPORT ||
           error == EADDRNOTAVAIL;
}

/* The first that says something of the server is the one that is told. */
static void note_error(struct client *client, int error)
{
    if (client->error == 0 || is_about_the_network(client->error))
        client->error = error;
}

/* A descriptor that keeps a loop running: where there is nothing to wait for but this client's
 * turn. False with errno. */
static bool await_turn(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    int fd = wake_open();

    if (fd < 0)
        return false;
    wsi->client->turn = add_helper(context, wsi, fd, CONNECTION_LOOKUP);
    if (!wsi->client->turn)
        errno = ENOMEM;
    return wsi->client->turn != NULL;
}

/* Tries an address. False where not even that could be done, with errno. */
static bool begin_attempt_at(
    struct libwebsocket_context *context, struct libwebsocket *wsi, size_t index)
{
    enum connect_result result;
    struct libwebsocket *attempt;
    int fd = connect_begin(&wsi->client->addresses->list[index], &result);

    if (fd < 0)
        return false;
    attempt = add_helper(context, wsi, fd, CONNECTION_ATTEMPT);
    if (!attempt) {
        errno = ENOMEM;
        return false;
    }
    attempt->attempted = (unsigned char)index;
    attempt->reached = result == CONNECT_DONE;
    list_append(&wsi->client->attempts, &attempt->protocol_node);
    return true;
}

/*
 * Begins to connect to the next address that lets itself be begun with. False where there is none,
 * and no attempt is under way: the client's error tells why.
 */
static bool begin_attempt(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    struct client *client = wsi->client;

    while (client->next_address < client->addresses->count) {
        if (begin_attempt_at(context, wsi, client->next_address++)) {
            if (client->next_address < client->addresses->count)
                connection_set_due(
                    list_entry(client->attempts.previous, struct libwebsocket, protocol_node),
                    ATTEMPT_DELAY_MS);
            return true;
        }
        note_error(client, errno);
    }
    if (!list_empty(&client->attempts))
        return true;
    /* A Unix-domain socket's queue is full, which no descriptor tells the end of. */
    if (client->error == EAGAIN && client->is_unix && await_turn(context, wsi)) {
        client->error = 0;
        client->next_address = 0;
        connection_set_due(client->turn, FULL_QUEUE_DELAY_MS);
        return true;
    }
    return false;
}

static void begin_attempt_or_fail(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    if (!begin_attempt(context, wsi))
        fail_with(wsi, wsi->client->error);
}

static void know_addresses(struct libwebsocket_context *context, struct libwebsocket *wsi,
    struct socket_addresses *addresses)
{
    wsi->client->addresses = addresses;
    connection_set_due(wsi, context->engine.limits.connect_timeout);
}

static void attempt_failed(
    struct libwebsocket_context *context, struct libwebsocket *attempt, int error)
{
    struct libwebsocket *wsi = attempt->owner;
    char text[128];

    socket_address_text(&wsi->client->addresses->list[attempt->attempted], text, sizeof(text));
    lwsl_info("no connection to %s at %s: %s\n", wsi->client->authority, text, strerror(error));
    note_error(wsi->client, error);
    drop_helper(context, attempt);
    begin_attempt_or_fail(context, wsi);
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
    const struct socket_address *address =
        &attempt->owner->client->addresses->list[attempt->attempted];

    if (attempt->reached) {
        attempt_succeeded(context, attempt);
        return;
    }
    switch (connect_check(attempt->transport.fd, address)) {
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

/* Nothing was looked up: it is this client's turn to fail, or to try again. */
static void serve_turn(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    drop_helper(context, wsi->client->turn);
    wsi->client->turn = NULL;
    if (wsi->client->error)
        fail_with(wsi, wsi->client->error);
    else
        begin_attempt_or_fail(context, wsi);
}

static void serve_lookup(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    struct libwebsocket *wsi = helper->owner;
    struct client *client = wsi->client;
    struct socket_addresses *addresses = NULL;
    const char *why = NULL;

    wake_clear(helper->transport.fd);
    switch (lookup_take(client->lookup, &addresses, &why)) {
    case LOOKUP_PENDING:
        break;
    case LOOKUP_FOUND:
        end_lookup(context, client);
        know_addresses(context, wsi, addresses);
        begin_attempt_or_fail(context, wsi);
        break;
    case LOOKUP_FAILED:
        end_lookup(context, client);
        client_fail_on_the_way(wsi, why);
        break;
    }
}

void connector_serve(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    struct libwebsocket *wsi = helper->owner;

    if (wsi->state != CONNECTION_CONNECTING)
        return;
    if (helper->state == CONNECTION_ATTEMPT)
        serve_attempt(context, helper);
    else if (helper == wsi->client->turn)
        serve_turn(context, wsi);
    else
        serve_lookup(context, helper);
}

void connector_delay_over(struct libwebsocket_context *context, struct libwebsocket *helper)
{
    struct libwebsocket *wsi = helper->owner;

    if (wsi->state != CONNECTION_CONNECTING)
        return;
    if (helper == wsi->client->turn)
        serve_turn(context, wsi);
    else
        (void)begin_attempt(context, wsi);
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
    if (!addresses)
        return !client->is_unix && !errno && begin_lookup(context, wsi, name, port);
    know_addresses(context, wsi, addresses);
    if (begin_attempt(context, wsi))
        return true;
    /* It is for a later call to say so, and for the loop to make that call. */
    if (!await_turn(context, wsi))
        return false;
    wake_signal(client->turn->transport.fd);
    return true;
}
