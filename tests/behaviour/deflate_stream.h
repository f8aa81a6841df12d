/*
 * An extension that compresses every byte behind the handshake, in both directions, written against
 * the public header alone: PACKET_TX_PRESEND deflates each piece with a sync flush, and
 * PACKET_RX_PREPARSE inflates what comes, both through small buffers.
 */
#ifndef LWSLOOP_TESTS_DEFLATE_STREAM_H
#define LWSLOOP_TESTS_DEFLATE_STREAM_H

#include <libwebsockets.h>

/* What has passed through all connections of a context. */
struct deflate_stream_counts {
    unsigned int connections;
    size_t sent_before; /* bytes that were to be sent */
    size_t sent_after;  /* and what became of them */
    size_t received_before;
    size_t received_after;
};

/* An array for info.extensions, whose per_context_private_data is at the counts. */
struct libwebsocket_extension *deflate_stream(struct deflate_stream_counts *counts);

#endif
