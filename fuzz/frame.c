/*
 * A stream of frames: the first byte says what the reader expects, the rest is the stream. However
 * it is cut, the same frames come out; what is written from them is what was read.
 */
#include "codec/frame.h"

#include "codec/mask.h"
#include "fuzz.h"

struct reading {
    enum frame_status status;
    unsigned char fault;
    size_t taken;
    size_t frames;
    uint64_t sum; /* of everything that was read */
};

static void add(struct reading *reading, uint64_t value)
{
    reading->sum = (reading->sum ^ value) * UINT64_C(1099511628211);
}

static void check_header(
    const struct frame_rules *rules, const struct frame_header *header, size_t header_size)
{
    unsigned int opcode = header->first & FRAME_OPCODE_BITS;

    REQUIRE(header->length <= INT64_MAX);
    REQUIRE(header->masked == rules->masked);
    REQUIRE(opcode <= FRAME_BINARY || (opcode >= FRAME_CLOSE && opcode <= FRAME_PONG));
    REQUIRE(frame_header_size(header->length, header->masked) == header_size);
    if (frame_is_control(header->first)) {
        REQUIRE(header->length <= FRAME_CONTROL_PAYLOAD_MAX);
        REQUIRE((header->first & FRAME_FIN) != 0);
        REQUIRE((header->first & FRAME_RESERVED_BITS) == 0);
    } else {
        REQUIRE((opcode == FRAME_CONTINUATION) == rules->inside_message);
        REQUIRE((header->first & FRAME_RESERVED_BITS & ~rules->reserved_allowed) == 0);
    }
}

static void check_written(
    const struct frame_header *header, const uint8_t *frame, size_t header_size)
{
    unsigned char written[FRAME_HEADER_MAX];

    REQUIRE(frame_encode(written + sizeof(written), header->first, header->length,
                header->masked ? header->mask : NULL) == header_size);
    REQUIRE(memcmp(written + sizeof(written) - header_size, frame, header_size) == 0);
}

/* Unmasks in pieces, and compares with the definition. */
static void check_mask(const struct frame_header *header, const uint8_t *payload, size_t length,
    struct fuzz_pieces *pieces, struct reading *reading)
{
    unsigned char *bytes = fuzz_allocate(length);
    unsigned int place = 0;

    if (length > 0)
        memcpy(bytes, payload, length);
    for (size_t at = 0; at < length;) {
        size_t piece = fuzz_next_piece(pieces, length - at);

        place = mask_apply(bytes + at, piece, header->mask, place);
        at += piece;
        REQUIRE(place == at % 4);
    }
    for (size_t i = 0; i < length; i++) {
        REQUIRE(bytes[i] == (payload[i] ^ header->mask[i % 4]));
        add(reading, bytes[i]);
    }
    free(bytes);
}

static struct reading read_stream(
    struct frame_rules rules, const uint8_t *data, size_t size, struct fuzz_pieces pieces)
{
    struct reading reading = {.status = FRAME_MORE};
    struct frame_decoder decoder = {.have = 0};
    size_t start = 0;

    while (reading.taken < size) {
        size_t piece = fuzz_next_piece(&pieces, size - reading.taken);
        struct frame_header header;
        size_t used = SIZE_MAX;
        size_t payload;

        reading.status =
            frame_decode(&decoder, &rules, data + reading.taken, piece, &used, &header);
        REQUIRE(used <= piece);
        reading.taken += used;
        if (reading.status == FRAME_BROKEN) {
            reading.fault = decoder.fault;
            REQUIRE(decoder.fault != FRAME_FAULT_NONE);
            REQUIRE(frame_fault_text((enum frame_fault)decoder.fault)[0] != '\0');
            return reading;
        }
        if (reading.status == FRAME_MORE) {
            REQUIRE(used == piece);
            continue;
        }
        check_header(&rules, &header, reading.taken - start);
        check_written(&header, data + start, reading.taken - start);
        add(&reading, header.first);
        add(&reading, header.length);
        reading.frames++;
        payload = size - reading.taken;
        if (header.length < payload)
            payload = (size_t)header.length;
        check_mask(&header, data + reading.taken, payload, &pieces, &reading);
        reading.taken += payload;
        start = reading.taken;
        if (!frame_is_control(header.first))
            rules.inside_message = (header.first & FRAME_FIN) == 0;
    }
    return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    struct frame_rules rules = {.masked = (choice & 1) != 0,
        .inside_message = (choice & 2) != 0,
        .reserved_allowed = choice & FRAME_RESERVED_BITS};
    struct reading whole = read_stream(rules, data, size, (struct fuzz_pieces){0});

    for (uint32_t sequence = 1; sequence <= 2; sequence++) {
        struct reading cut = read_stream(
            rules, data, size, (struct fuzz_pieces){sequence + choice * (sequence - 1)});

        REQUIRE(cut.status == whole.status);
        REQUIRE(cut.fault == whole.fault);
        REQUIRE(cut.taken == whole.taken);
        REQUIRE(cut.frames == whole.frames);
        REQUIRE(cut.sum == whole.sum);
    }
    return 0;
}
