/*
 * The ground of the tests of permessage-deflate: a connection between the library, as a server or
 * as a client, and a peer of the test's that compresses by zlib alone.
 */
#ifndef LWSLOOP_TESTS_DEFLATE_GROUND_H
#define LWSLOOP_TESTS_DEFLATE_GROUND_H

#include "../support/ws_deflate.h"
#include "client_ground.h"
#include "harness.h"

enum deflate_role { ROLE_SERVER, ROLE_CLIENT, ROLES };

/* The library's end. Connections of clients speak the first of the protocols, those of a server's
 * peers what they ask for. */
struct deflate_end {
    enum deflate_role role;
    struct server *loop;
    struct ws_server *listener; /* of the test's, for a client of the library's */
};

/* One connection. */
struct deflate_peer {
    struct ws_client *ws; /* frames go and come as they are; see deflate_transparently() */
    struct ws_deflate *deflate;
    struct ws_deflate_terms terms;
    char *answer; /* what the server has answered; NULL: no compression */
};

/* Options' extras are the settings; without protocols it has deflate_protocols. */
struct deflate_end deflate_start(enum deflate_role role, const struct server_options *options);
void deflate_stop(struct deflate_end *end);

/*
 * protocols for either role:
 *   first     takes everything
 *   back      sends each message back whole, with its kind; rx_buffer_size 4096
 *   pieces    sends each piece back as a fragment, from where it lies; rx_buffer_size 100
 */
extern struct libwebsocket_protocols deflate_protocols[];

/*
 * Connects. Where the library is the server, `terms` is what is offered, and NULL offers nothing;
 * where it is the client, what is answered, and NULL mirrors its offer.
 */
struct deflate_peer deflate_connect(
    struct deflate_end *end, const char *subprotocol, const char *terms);

/* Has the functions of ws_client.h compress. */
void deflate_transparently(struct deflate_peer *peer);

/* Sends a message, or a fragment, compressed; `first` without WS_RSV1. */
void deflate_send(struct deflate_peer *peer, unsigned int first, const void *bytes, size_t length);

/* Sends bytes that may not be what they should as the payload of a frame. */
void deflate_send_raw(
    struct deflate_peer *peer, unsigned int first, const void *packed, size_t length);

/* Receives a message of one frame as it is on the wire, and expects that it inflates to the bytes.
 * Returns the number of bytes of the frame's payload. */
size_t deflate_expect(
    struct deflate_peer *peer, unsigned int first, const void *bytes, size_t length);

/* The usual end. */
void deflate_finish(struct deflate_end *end, struct deflate_peer *peer);

/* Frees what belongs to the peer, and closes the connection. */
void deflate_free(struct deflate_peer *peer);

/* Expects that a healthy connection is answered by "back". */
void deflate_expect_healthy(struct deflate_peer *healthy);

/* Has the library write from the loop's thread, on its newest connection. */
void deflate_write(
    struct deflate_end *end, const void *bytes, size_t length, unsigned int protocol);

/* Bytes that nobody compresses; freed by the caller. */
unsigned char *deflate_noise(size_t length, unsigned int seed);

/* Text like that of programs for one another; valid UTF-8, freed by the caller. */
unsigned char *deflate_prose(size_t length, unsigned int seed);

/* RECEIVE or CLIENT_RECEIVE. */
enum libwebsocket_callback_reasons deflate_receive_reason(const struct deflate_end *end);

#endif
