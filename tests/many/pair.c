#include "pair.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 9000u
#define CODE 4000
/* Messages after which the flow is stopped, and the client leaves. */
#define CLIENT_STOPS_AT 3u
#define SERVER_STOPS_AT 4u
#define LEAVES_AT 5u

struct pairs pairs;

/* The server's session memory. */
struct session {
    struct pair *pair; /* NULL until the first message has told */
    unsigned int received;
    bool in_message;
};

enum pair_end pair_ends(const struct pair *pair)
{
    return (enum pair_end)(pair->number % PAIR_ENDS);
}

static bool client_stops(const struct pair *pair)
{
    return pair->number % 5 == 1 && pair_ends(pair) != PAIR_CLIENT_LEAVES;
}

static bool server_stops(const struct pair *pair)
{
    return pair->number % 5 == 2 && pair_ends(pair) != PAIR_CLIENT_LEAVES;
}

static size_t length_of(const struct pair *pair, unsigned int message)
{
    return sizeof(pair->number) + (pair->number * 131 + message * 977) % LONGEST;
}

/* A message begins with the pair's number, by which the server knows whose it is. */
static unsigned char byte_of(const struct pair *pair, unsigned int message, size_t offset)
{
    if (offset < sizeof(pair->number))
        return ((const unsigned char *)&pair->number)[offset];
    return (unsigned char)(pair->number * 7 + message * 13 + offset);
}

static void fault(const struct pair *pair, const char *what)
{
    /* One line for each would bury the first. */
    if (pairs.faults++ < 10)
        fprintf(stderr, "pair %u: %s\n", pair->number, what);
}

static bool is_client(const void *user)
{
    uintptr_t address = (uintptr_t)user;

    return address >= (uintptr_t)pairs.all && address < (uintptr_t)(pairs.all + pairs.count);
}

static bool is_over(const struct pair *pair)
{
    return pair->received == PAIR_MESSAGES;
}

static void finish(const struct pair *pair)
{
    if (is_over(pair) || pair_ends(pair) == PAIR_CLIENT_LEAVES)
        pairs.finished++;
}

static void stop(struct pair *pair, struct pair_side *side)
{
    if (libwebsocket_rx_flow_control(side->wsi, 0) != 0)
        fault(pair, "its flow cannot be stopped");
    side->stopped = true;
    side->was_stopped = true;
    pairs.waiting++;
}

static void established(struct pair_side *side, struct libwebsocket *wsi)
{
    side->wsi = wsi;
    side->established++;
}

static void closed(struct pair_side *side, struct libwebsocket *wsi)
{
    side->wsi = NULL;
    side->code = lws_get_close(wsi, NULL, NULL);
    side->closed++;
    pairs.closed++;
}

/* --- the client */

static int client_writes(
    struct libwebsocket_context *context, struct libwebsocket *wsi, struct pair *pair)
{
    static unsigned char buffer[LWS_SEND_BUFFER_PRE_PADDING + sizeof(pair->number) + LONGEST +
                                LWS_SEND_BUFFER_POST_PADDING];
    size_t length = length_of(pair, pair->sent);

    if (pair->leaving)
        return 1;
    if (pair->sent == PAIR_MESSAGES)
        return 0;
    for (size_t i = 0; i < length; i++)
        buffer[LWS_SEND_BUFFER_PRE_PADDING + i] = byte_of(pair, pair->sent, i);
    if (libwebsocket_write(wsi, buffer + LWS_SEND_BUFFER_PRE_PADDING, length, LWS_WRITE_BINARY) !=
        (int)length) {
        fault(pair, "a write failed");
        return -1;
    }
    if (++pair->sent < PAIR_MESSAGES)
        libwebsocket_callback_on_writable(context, wsi);
    return 0;
}

static int client_receives(
    struct libwebsocket *wsi, struct pair *pair, const unsigned char *in, size_t length)
{
    if (pair->client.stopped)
        fault(pair, "the client receives although it is stopped");
    if (pair->leaving || is_over(pair)) {
        fault(pair, "the client receives after the end");
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        if (in[i] != byte_of(pair, pair->received, pair->offset + i)) {
            fault(pair, "the client receives something else than it sent");
            return -1;
        }
    }
    pair->offset += length;
    if (!libwebsocket_is_final_fragment(wsi) || libwebsockets_remaining_packet_payload(wsi) > 0)
        return 0;
    if (pair->offset != length_of(pair, pair->received))
        fault(pair, "a message has another length");
    pair->offset = 0;
    pair->received++;
    if (pair->received == CLIENT_STOPS_AT && client_stops(pair))
        stop(pair, &pair->client);
    if (is_over(pair)) {
        finish(pair);
    } else if (pair->received == LEAVES_AT && pair_ends(pair) == PAIR_CLIENT_LEAVES) {
        pair->leaving = true;
        return -1;
    }
    return 0;
}

static int client(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, struct pair *pair, const void *in, size_t length)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established(&pair->client, wsi);
        pairs.established++;
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        pair->errors++;
        fault(pair, in);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return client_receives(wsi, pair, in, length);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return client_writes(context, wsi, pair);
    case LWS_CALLBACK_CLOSED:
        closed(&pair->client, wsi);
        if (!is_over(pair))
            finish(pair);
        break;
    default:
        break;
    }
    return 0;
}

/* --- the server */

static bool introduce(struct libwebsocket *wsi, struct session *session, const void *in, size_t len)
{
    unsigned int number;

    if (len < sizeof(number))
        return false;
    memcpy(&number, in, sizeof(number));
    if (number >= pairs.count)
        return false;
    session->pair = &pairs.all[number];
    established(&session->pair->server, wsi);
    return true;
}

static int server_receives(
    struct libwebsocket *wsi, struct session *session, unsigned char *in, size_t length)
{
    bool last =
        libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
    int as = session->in_message ? LWS_WRITE_CONTINUATION : LWS_WRITE_BINARY;

    if (!session->pair && !introduce(wsi, session, in, length)) {
        fprintf(stderr, "a message is none\n");
        pairs.faults++;
        return -1;
    }
    if (session->pair->server.stopped)
        fault(session->pair, "the server receives although it is stopped");
    session->in_message = !last;
    if (!last)
        as |= LWS_WRITE_NO_FIN;
    if (libwebsocket_write(wsi, in, length, (enum libwebsocket_write_protocol)as) != (int)length) {
        fault(session->pair, "the server's write failed");
        return -1;
    }
    if (last && ++session->received == SERVER_STOPS_AT && server_stops(session->pair))
        stop(session->pair, &session->pair->server);
    return 0;
}

static int server(struct libwebsocket *wsi, enum libwebsocket_callback_reasons reason, void *user,
    void *in, size_t length)
{
    struct session *session = user;

    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        pairs.established++;
        break;
    case LWS_CALLBACK_RECEIVE:
        return server_receives(wsi, session, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return session->pair && session->pair->leaving ? -1 : 0;
    case LWS_CALLBACK_CLOSED:
        if (session->pair)
            closed(&session->pair->server, wsi);
        break;
    default:
        break;
    }
    return 0;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int result;

    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        result = server(wsi, reason, user, in, len);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        result = client(context, wsi, reason, user, in, len);
        break;
    case LWS_CALLBACK_CLOSED:
        result = is_client(user) ? client(context, wsi, reason, user, in, len)
                                 : server(wsi, reason, user, in, len);
        break;
    default:
        return 0;
    }
    pairs.changed(context);
    return result;
}

struct libwebsocket_protocols pair_protocols[] = {
    {.name = "pair", .callback = callback, .per_session_data_size = sizeof(struct session)},
    {.name = NULL},
};

bool pair_connect(
    struct libwebsocket_context *context, struct pair *pair, int port, int ssl_connection)
{
    return libwebsocket_client_connect_extended(context, "127.0.0.1", port, ssl_connection, "/",
               NULL, NULL, "pair", -1, pair) != NULL;
}

void pair_talk(struct libwebsocket_context *context, struct pair *pair)
{
    libwebsocket_callback_on_writable(context, pair->client.wsi);
}

static void resume(struct pair *pair, struct pair_side *side)
{
    if (!side->stopped)
        return;
    side->stopped = false;
    pairs.waiting--;
    if (libwebsocket_rx_flow_control(side->wsi, 1) != 0)
        fault(pair, "its flow cannot be resumed");
}

void pair_resume(struct pair *pair)
{
    resume(pair, &pair->client);
    resume(pair, &pair->server);
}

void pair_close(struct libwebsocket_context *context, struct pair *pair)
{
    enum pair_end end = pair_ends(pair);

    switch (end) {
    case PAIR_CLIENT_RETURNS:
    case PAIR_SERVER_RETURNS:
        pair->leaving = true;
        libwebsocket_callback_on_writable(
            context, end == PAIR_CLIENT_RETURNS ? pair->client.wsi : pair->server.wsi);
        break;
    case PAIR_CLIENT_CLOSES:
    case PAIR_SERVER_CLOSES:
        if (lws_close(end == PAIR_CLIENT_CLOSES ? pair->client.wsi : pair->server.wsi, CODE,
                "enough", 6) != 0)
            fault(pair, "lws_close failed");
        break;
    default:
        break;
    }
}

/* The code that each side heard from the other. */
static bool has_codes(const struct pair *pair)
{
    int client = pair->client.code;
    int server = pair->server.code;

    switch (pair_ends(pair)) {
    case PAIR_CLIENT_RETURNS:
    case PAIR_SERVER_RETURNS:
    case PAIR_CLIENT_LEAVES:
        return client == 1000 && server == 1000;
    case PAIR_CLIENT_CLOSES:
    case PAIR_SERVER_CLOSES:
        return client == CODE && server == CODE;
    default:
        /* Destroying the context waits for nobody. */
        return (client == 1001 || client == 1006) && (server == 1001 || server == 1006);
    }
}

bool pair_is_right(const struct pair *pair)
{
    bool left = pair_ends(pair) == PAIR_CLIENT_LEAVES;
    bool good = pair->errors == 0 && pair->client.established == 1 &&
                pair->server.established == 1 && pair->client.closed == 1 &&
                pair->server.closed == 1 && has_codes(pair) && !pair->client.stopped &&
                !pair->server.stopped && pair->client.was_stopped == client_stops(pair) &&
                pair->server.was_stopped == server_stops(pair) &&
                pair->received == (left ? LEAVES_AT : PAIR_MESSAGES);

    if (!good)
        fprintf(stderr,
            "pair %u: %u+%u established, %u+%u closed (%d, %d), %u errors, %u messages came back\n",
            pair->number, pair->client.established, pair->server.established, pair->client.closed,
            pair->server.closed, pair->client.code, pair->server.code, pair->errors,
            pair->received);
    return good;
}
