/*
 * An extension of one's own. `x-checksum` puts the CRC-32 of each message behind it, in four bytes,
 * and has the side that gets it compare: what a proxy or a faulty memory did to it on the way ends
 * the connection, and is not taken for what was sent. Here are a server that sends back what comes,
 * and a client that says what it is given, and prints the answers. To try it:
 *
 *   ./checksum 7681 &
 *   ./checksum 7681 "one message" "another"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "libwebsockets.h"
#include "lws_poll.h"

enum { MARK = 0x20, SUM_SIZE = 4 };

/* The extension's memory for a connection: it is zero when the extension becomes active. */
struct checksum {
    unsigned long sent; /* of what has been sent of the message at hand */
    int ending;         /* nothing but the checksum is left to be sent */
    unsigned char sum[SUM_SIZE];

    unsigned long received;            /* of what has been passed on of the message at hand */
    unsigned char held_back[SUM_SIZE]; /* what came last: the checksum, if nothing follows */
    size_t held;
};

static void write_sum(unsigned char *bytes, unsigned long sum)
{
    for (int i = 0; i < SUM_SIZE; i++)
        bytes[i] = (unsigned char)(sum >> (24 - 8 * i));
}

/* Another parameter, or another algorithm, is not what is meant here by x-checksum. */
static int agree(struct lws_extension_negotiation *negotiation)
{
    const struct lws_extension_parameter *said = negotiation->parameters;

    if (negotiation->parameter_count != 1 || strcmp(said->name, "algorithm") != 0 || !said->value ||
        strcmp(said->value, "crc32") != 0)
        return -1;
    negotiation->reserved_bits = MARK;
    return 0;
}

/* Lets the pieces of a message pass, and has itself called once more behind the last one. */
static int append(struct checksum *mine, struct lws_extension_payload *payload)
{
    if (mine->ending) {
        mine->ending = 0;
        payload->data.token = (char *)mine->sum;
        payload->data.token_len = SUM_SIZE;
        return 0;
    }
    if (payload->begins_message) {
        mine->sent = crc32(0, NULL, 0);
        payload->reserved_bits = MARK;
    }
    mine->sent = crc32(
        mine->sent, (const unsigned char *)payload->data.token, (unsigned)payload->data.token_len);
    if (payload->ends_message) {
        write_sum(mine->sum, mine->sent);
        mine->ending = 1;
    }
    return mine->ending;
}

/* Whether the last bytes are the checksum is not known before the message ends. So of all that has
 * come the last four are held back, and those held back before go ahead. Returns how many bytes of
 * the message are at `bytes` then, which are never more than have come. */
static size_t hold_back(struct checksum *mine, unsigned char *bytes, size_t length)
{
    unsigned char last[SUM_SIZE];
    size_t all = mine->held + length;
    size_t held = all < SUM_SIZE ? all : SUM_SIZE;
    size_t passes = all - held;
    size_t ahead = passes < mine->held ? passes : mine->held;

    for (size_t i = 0; i < held; i++)
        last[i] =
            passes + i < mine->held ? mine->held_back[passes + i] : bytes[passes + i - mine->held];
    memmove(bytes + ahead, bytes, passes - ahead);
    memcpy(bytes, mine->held_back, ahead);
    memcpy(mine->held_back, last, held);
    mine->held = held;
    return passes;
}

static int fail(struct lws_extension_payload *payload, int status, const char *reason)
{
    payload->close_status = status;
    payload->close_reason = reason;
    return -1;
}

static int compare(struct checksum *mine, struct lws_extension_payload *payload)
{
    unsigned char *bytes = (unsigned char *)payload->data.token, sum[SUM_SIZE];
    size_t passes;

    if (payload->begins_message) {
        if (!(payload->reserved_bits & MARK))
            return fail(payload, LWS_CLOSE_STATUS_PROTOCOL_ERR, "a message without a checksum");
        mine->received = crc32(0, NULL, 0);
        mine->held = 0;
    }
    passes = hold_back(mine, bytes, (size_t)payload->data.token_len);
    mine->received = crc32(mine->received, bytes, (unsigned)passes);
    payload->data.token_len = (int)passes;
    write_sum(sum, mine->received);
    if (payload->ends_message && (mine->held < SUM_SIZE || memcmp(sum, mine->held_back, SUM_SIZE)))
        return fail(payload, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "the checksum does not match");
    return 0;
}

static int checksum(struct libwebsocket_context *context, struct libwebsocket_extension *ext,
    struct libwebsocket *wsi, enum libwebsocket_extension_callback_reasons reason, void *user,
    void *in, size_t len)
{
    (void)context, (void)ext, (void)wsi, (void)len;
    switch (reason) {
    case LWS_EXT_CALLBACK_OFFER:
        return lws_extension_add_parameter(in, "algorithm", "crc32");
    case LWS_EXT_CALLBACK_CONSTRUCT:
        return agree(in) || lws_extension_add_parameter(in, "algorithm", "crc32");
    case LWS_EXT_CALLBACK_CLIENT_CONSTRUCT:
        return agree(in);
    case LWS_EXT_CALLBACK_PAYLOAD_TX:
        return append(user, in);
    case LWS_EXT_CALLBACK_PAYLOAD_RX:
        return compare(user, in);
    default:
        return 0;
    }
}

static struct libwebsocket_extension extensions[] = {
    {.name = "x-checksum", .callback = checksum, .per_session_data_size = sizeof(struct checksum)},
    {.callback = NULL},
};

/* --- The program, which neither sees the checksums nor has to know of them */

struct session {
    int inside_message; /* a part of the present message has been sent back */
};

static char **words; /* what the client has still to say; NULL at the end */
static int succeeded;
static int over;

static int message_ends(struct libwebsocket *wsi)
{
    return libwebsocket_is_final_fragment(wsi) && libwebsockets_remaining_packet_payload(wsi) == 0;
}

static int send_back(
    struct libwebsocket *wsi, struct session *session, unsigned char *piece, size_t len)
{
    int kind = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;

    if (session->inside_message)
        kind = LWS_WRITE_CONTINUATION;
    session->inside_message = !message_ends(wsi);
    if (session->inside_message)
        kind |= LWS_WRITE_NO_FIN;
    return libwebsocket_write(wsi, piece, len, (enum libwebsocket_write_protocol)kind) < 0 ? -1 : 0;
}

static int say_next(struct libwebsocket *wsi)
{
    size_t length = *words ? strlen(*words) : 0;
    unsigned char *room;
    int result;

    succeeded = !*words;
    if (succeeded)
        return -1; /* that was all */
    room = malloc(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    if (!room)
        return -1;
    memcpy(room + LWS_SEND_BUFFER_PRE_PADDING, *words++, length);
    result = libwebsocket_write(wsi, room + LWS_SEND_BUFFER_PRE_PADDING, length, LWS_WRITE_TEXT);
    free(room);
    return result < 0 ? -1 : 0;
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *why;
    int code;

    (void)context;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return send_back(wsi, user, in, len);
    case LWS_CALLBACK_HTTP:
        return -1; /* no pages here, only WebSockets */
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        if (!lws_extension_is_active(wsi, "x-checksum"))
            fprintf(stderr, "the server has no checksums\n");
        return say_next(wsi);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        printf("%.*s%s", (int)len, (const char *)in, message_ends(wsi) ? "\n" : "");
        return message_ends(wsi) ? say_next(wsi) : 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fprintf(stderr, "%s\n", (const char *)in);
        over = 1;
        return 0;
    case LWS_CALLBACK_CLOSED:
        code = lws_get_close(wsi, &why, NULL);
        if (words && !succeeded)
            fprintf(stderr, "closed: %d %s\n", code, why);
        over = words != NULL;
        return 0;
    default:
        return 0;
    }
}

static struct libwebsocket_protocols protocols[] = {
    {.name = NULL, .callback = callback, .per_session_data_size = sizeof(struct session)},
    {.callback = NULL},
};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info = {
        .gid = -1, .uid = -1, .protocols = protocols, .extensions = extensions};
    struct libwebsocket_context *context;
    int port = argc > 1 ? atoi(argv[1]) : 7681;

    if (argc > 2)
        words = argv + 2;
    else
        info.port = port;
    context = libwebsocket_create_context(&info);
    if (!context || (words && !libwebsocket_client_connect(
                                  context, "localhost", port, 0, "/", NULL, NULL, NULL, -1)))
        return 1; /* the log says why */
    while (!over && libwebsocket_service(context, -1) >= 0)
        continue;
    libwebsocket_context_destroy(context);
    return !succeeded;
}
