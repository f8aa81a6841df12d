/* The payload of a close frame: a code and a reason (RFC 6455 sections 5.5.1 and 7.4). */
#ifndef LWSLOOP_CODEC_CLOSE_PAYLOAD_H
#define LWSLOOP_CODEC_CLOSE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLOSE_REASON_MAX = 123,
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL_ERROR = 1002,
    CLOSE_NO_STATUS = 1005,
    CLOSE_INVALID_PAYLOAD = 1007,
    CLOSE_TOO_LARGE = 1009,
    CLOSE_UNEXPECTED = 1011
};

enum close_payload_status {
    CLOSE_PAYLOAD_GOOD,
    CLOSE_PAYLOAD_BAD_LENGTH, /* one byte, or more than a control frame holds: 1002 */
    CLOSE_PAYLOAD_BAD_CODE,   /* a code that must not be on the wire: 1002 */
    CLOSE_PAYLOAD_BAD_REASON  /* a reason that is not UTF-8: 1007 */
};

/*
 * Whether a code may stand in a close frame: 1000 to 1003, 1007 to 1014 and 3000 to 4999. The
 * others below 3000 are reserved, unassigned, or only ever reported locally.
 */
bool close_code_is_valid(unsigned int code);

/*
 * Reads a close frame's whole payload. *code becomes CLOSE_NO_STATUS for an empty one. The reason
 * is the bytes after the first two; nothing is copied.
 */
enum close_payload_status close_payload_decode(
    const unsigned char *payload, size_t length, unsigned int *code);

/*
 * Writes code and reason to `payload`, which has room for 2 + reason_length bytes, and returns
 * how many were written: 0 for CLOSE_NO_STATUS.
 */
size_t close_payload_encode(
    unsigned char *payload, unsigned int code, const void *reason, size_t reason_length);

#endif
