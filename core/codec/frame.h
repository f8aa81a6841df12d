/*
 * The header of a WebSocket frame (RFC 6455 section 5.2): read from a stream that may be cut
 * anywhere, and written in front of a payload.
 */
#ifndef LWSLOOP_CODEC_FRAME_H
#define LWSLOOP_CODEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_opcode {
    FRAME_CONTINUATION = 0x0,
    FRAME_TEXT = 0x1,
    FRAME_BINARY = 0x2,
    FRAME_CLOSE = 0x8,
    FRAME_PING = 0x9,
    FRAME_PONG = 0xa
};

enum {
    FRAME_FIN = 0x80,
    FRAME_RESERVED_BITS = 0x70,
    FRAME_OPCODE_BITS = 0x0f,
    FRAME_HEADER_MAX = 14,
    FRAME_CONTROL_PAYLOAD_MAX = 125
};

/* What a reader expects of the next frame; a header that breaks it is a fault. */
struct frame_rules {
    bool masked;         /* true where the peer is a client */
    bool inside_message; /* a fragmented message waits for its continuation */
    /* The reserved bits an agreed extension may set on a message's first frame, and only there. */
    unsigned char reserved_allowed;
};

enum frame_fault {
    FRAME_FAULT_NONE,
    FRAME_FAULT_RESERVED_BIT,
    FRAME_FAULT_OPCODE,
    FRAME_FAULT_CONTROL_FRAGMENTED,
    FRAME_FAULT_CONTROL_TOO_LONG,
    FRAME_FAULT_UNEXPECTED_CONTINUATION,
    FRAME_FAULT_EXPECTED_CONTINUATION,
    FRAME_FAULT_NOT_MASKED,
    FRAME_FAULT_MASKED,
    FRAME_FAULT_LENGTH_NOT_MINIMAL,
    FRAME_FAULT_LENGTH_TOO_LARGE
};

enum frame_status { FRAME_MORE, FRAME_READY, FRAME_BROKEN };

/* A decoder of all zero bytes is ready for the first byte of a header. */
struct frame_decoder {
    unsigned char bytes[FRAME_HEADER_MAX];
    unsigned char have;
    unsigned char fault; /* enum frame_fault, once FRAME_BROKEN was returned */
};

struct frame_header {
    uint64_t length;     /* of the payload, at most 2^63 - 1 */
    unsigned char first; /* FIN, reserved bits and opcode as they were on the wire */
    bool masked;
    unsigned char mask[4]; /* zero where the frame is not masked */
};

/*
 * Takes bytes of a header from `in`. *used is how many were taken, never one that belongs to the
 * payload. FRAME_READY fills *header and makes the decoder ready for the next header. A fault is
 * found at the first byte that shows it; after FRAME_BROKEN the decoder is not used again.
 */
enum frame_status frame_decode(struct frame_decoder *decoder, const struct frame_rules *rules,
    const unsigned char *in, size_t length, size_t *used, struct frame_header *header);

/* A few words for a log line and a close reason, such as "reserved bit set". */
const char *frame_fault_text(enum frame_fault fault);

/* How many bytes frame_encode writes for a payload of this length. */
size_t frame_header_size(uint64_t length, bool masked);

/*
 * Writes the header so that it ends just before `payload`; `mask` is NULL for an unmasked frame.
 * Returns its size, at most FRAME_HEADER_MAX: the frame starts at payload minus that.
 */
size_t frame_encode(
    unsigned char *payload, unsigned char first, uint64_t length, const unsigned char *mask);

static inline bool frame_is_control(unsigned char first)
{
    return (first & 0x08) != 0;
}

#endif
