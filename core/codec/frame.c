#include "codec/frame.h"

#include <string.h>

enum { MASK_BIT = 0x80, LENGTH_BITS = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127, MASK_SIZE = 4 };

static bool opcode_is_known(unsigned char opcode)
{
    switch (opcode) {
    case FRAME_CONTINUATION:
    case FRAME_TEXT:
    case FRAME_BINARY:
    case FRAME_CLOSE:
    case FRAME_PING:
    case FRAME_PONG:
        return true;
    default:
        return false;
    }
}

static enum frame_fault check_first(unsigned char first, const struct frame_rules *rules)
{
    unsigned char opcode = first & FRAME_OPCODE_BITS;
    unsigned char allowed = 0;

    /* A control frame or a continuation never has the mark of a compressed message (RFC 7692
     * section 6.1). */
    if (opcode == FRAME_TEXT || opcode == FRAME_BINARY)
        allowed = rules->reserved_allowed;
    if ((first & FRAME_RESERVED_BITS & ~allowed) != 0)
        return FRAME_FAULT_RESERVED_BIT;
    if (!opcode_is_known(opcode))
        return FRAME_FAULT_OPCODE;
    if (frame_is_control(first))
        return (first & FRAME_FIN) != 0 ? FRAME_FAULT_NONE : FRAME_FAULT_CONTROL_FRAGMENTED;
    if (opcode == FRAME_CONTINUATION && !rules->inside_message)
        return FRAME_FAULT_UNEXPECTED_CONTINUATION;
    if (opcode != FRAME_CONTINUATION && rules->inside_message)
        return FRAME_FAULT_EXPECTED_CONTINUATION;
    return FRAME_FAULT_NONE;
}

static enum frame_fault check_second(
    unsigned char first, unsigned char second, const struct frame_rules *rules)
{
    bool masked = (second & MASK_BIT) != 0;

    if (masked != rules->masked)
        return masked ? FRAME_FAULT_MASKED : FRAME_FAULT_NOT_MASKED;
    if (frame_is_control(first) && (second & LENGTH_BITS) > FRAME_CONTROL_PAYLOAD_MAX)
        return FRAME_FAULT_CONTROL_TOO_LONG;
    return FRAME_FAULT_NONE;
}

/* `have` counts the bytes of the header so far, the first of the extended length being the third.
 */
static enum frame_fault check_extended_length(const unsigned char *bytes, unsigned int have)
{
    static const unsigned char zeros[6];

    if ((bytes[1] & LENGTH_BITS) == LENGTH_16) {
        if (have == 4 && bytes[2] == 0 && bytes[3] < LENGTH_16)
            return FRAME_FAULT_LENGTH_NOT_MINIMAL;
    } else if ((bytes[1] & LENGTH_BITS) == LENGTH_64) {
        if (have == 3 && (bytes[2] & 0x80) != 0)
            return FRAME_FAULT_LENGTH_TOO_LARGE;
        if (have == 8 && memcmp(bytes + 2, zeros, sizeof zeros) == 0)
            return FRAME_FAULT_LENGTH_NOT_MINIMAL;
    }
    return FRAME_FAULT_NONE;
}

static unsigned int extended_length_size(unsigned char second)
{
    switch (second & LENGTH_BITS) {
    case LENGTH_16:
        return 2;
    case LENGTH_64:
        return 8;
    default:
        return 0;
    }
}

/* The size of the whole header, once its second byte is there. */
static unsigned int wire_size(unsigned char second)
{
    return 2 + extended_length_size(second) + ((second & MASK_BIT) != 0 ? MASK_SIZE : 0);
}

static void read_header(const unsigned char *bytes, struct frame_header *header)
{
    unsigned int extended = extended_length_size(bytes[1]);
    uint64_t value = 0;

    for (unsigned int i = 0; i < extended; i++)
        value = value << 8 | bytes[2 + i];
    header->length = extended == 0 ? bytes[1] & LENGTH_BITS : value;
    header->first = bytes[0];
    header->masked = (bytes[1] & MASK_BIT) != 0;
    if (header->masked)
        memcpy(header->mask, bytes + 2 + extended, MASK_SIZE);
    else
        memset(header->mask, 0, MASK_SIZE);
}

enum frame_status frame_decode(struct frame_decoder *decoder, const struct frame_rules *rules,
    const unsigned char *in, size_t length, size_t *used, struct frame_header *header)
{
    unsigned char *bytes = decoder->bytes;
    enum frame_fault fault;

    *used = 0;
    if (decoder->fault != FRAME_FAULT_NONE)
        return FRAME_BROKEN;

    while (*used < length) {
        bytes[decoder->have++] = in[(*used)++];
        switch (decoder->have) {
        case 1:
            fault = check_first(bytes[0], rules);
            break;
        case 2:
            fault = check_second(bytes[0], bytes[1], rules);
            break;
        default:
            fault = check_extended_length(bytes, decoder->have);
            break;
        }
        if (fault != FRAME_FAULT_NONE) {
            decoder->fault = (unsigned char)fault;
            return FRAME_BROKEN;
        }
        if (decoder->have >= 2 && decoder->have == wire_size(bytes[1])) {
            read_header(bytes, header);
            decoder->have = 0;
            return FRAME_READY;
        }
    }
    return FRAME_MORE;
}

const char *frame_fault_text(enum frame_fault fault)
{
    switch (fault) {
    case FRAME_FAULT_NONE:
        return "no fault";
    case FRAME_FAULT_RESERVED_BIT:
        return "reserved bit set";
    case FRAME_FAULT_OPCODE:
        return "reserved opcode";
    case FRAME_FAULT_CONTROL_FRAGMENTED:
        return "fragmented control frame";
    case FRAME_FAULT_CONTROL_TOO_LONG:
        return "control frame too long";
    case FRAME_FAULT_UNEXPECTED_CONTINUATION:
        return "continuation without a message";
    case FRAME_FAULT_EXPECTED_CONTINUATION:
        return "new message inside a message";
    case FRAME_FAULT_NOT_MASKED:
        return "frame not masked";
    case FRAME_FAULT_MASKED:
        return "frame masked";
    case FRAME_FAULT_LENGTH_NOT_MINIMAL:
        return "length not minimal";
    case FRAME_FAULT_LENGTH_TOO_LARGE:
        return "length out of range";
    }
    return "unknown fault";
}

static unsigned char short_length(uint64_t length)
{
    if (length < LENGTH_16)
        return (unsigned char)length;
    return length <= UINT16_MAX ? LENGTH_16 : LENGTH_64;
}

size_t frame_header_size(uint64_t length, bool masked)
{
    return wire_size((unsigned char)(short_length(length) | (masked ? MASK_BIT : 0)));
}

size_t frame_encode(
    unsigned char *payload, unsigned char first, uint64_t length, const unsigned char *mask)
{
    size_t size = frame_header_size(length, mask != NULL);
    unsigned char *header = payload - size;
    unsigned int extended;

    header[0] = first;
    header[1] = (unsigned char)(short_length(length) | (mask != NULL ? MASK_BIT : 0));
    extended = extended_length_size(header[1]);
    for (unsigned int i = 0; i < extended; i++)
        header[2 + i] = (unsigned char)(length >> (8 * (extended - 1 - i)));
    if (mask != NULL)
        memcpy(header + 2 + extended, mask, MASK_SIZE);
    return size;
}
