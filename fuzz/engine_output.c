#define _GNU_SOURCE 1 /* for memmem() */
#include "engine_output.h"

#include <sys/socket.h>

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

void engine_output_read(struct engine_output *output, int fd)
{
    for (;;) {
        ssize_t count;

        if (output->room - output->length < 16384) {
            size_t room = output->room * 2 + 32768;
            char *larger = realloc(output->bytes, room);

            if (!larger)
                abort();
            output->bytes = larger;
            output->room = room;
        }
        count = recv(fd, output->bytes + output->length, output->room - output->length, 0);
        if (count == 0)
            output->ended = true;
        if (count <= 0)
            return;
        output->length += (size_t)count;
    }
}

static void take_out(struct engine_output *output, size_t at, size_t length)
{
    memmove(output->bytes + at, output->bytes + at + length, output->length - at - length);
    output->length -= length;
}

/* The bytes of the header of a frame, the mask among them; 0 if it is not all there. */
static size_t header_size(const unsigned char *at, size_t left, bool masked, uint64_t *length)
{
    size_t size = 2;

    if (left < size)
        return 0;
    REQUIRE((at[1] & 0x80) == (masked ? 0x80 : 0));
    *length = at[1] & 0x7f;
    if (*length >= 126) {
        size_t digits = *length == 126 ? 2 : 8;

        size += digits;
        if (left < size)
            return 0;
        *length = 0;
        for (size_t i = 0; i < digits; i++)
            *length = *length << 8 | at[2 + i];
        REQUIRE(*length > (digits == 2 ? 125 : 65535));
    }
    if (masked)
        size += 4;
    return size <= left ? size : 0;
}

static void settle_frames(
    struct engine_output *output, size_t at, bool masked, unsigned int reserved)
{
    bool inside_message = false;
    bool closed = false;

    while (at < output->length) {
        const unsigned char *frame = (const unsigned char *)output->bytes + at;
        uint64_t length = 0;
        size_t size = header_size(frame, output->length - at, masked, &length);
        unsigned int opcode = frame[0] & 15;

        /* Nothing is left behind, and nothing comes behind the close frame. */
        REQUIRE(size > 0 && length <= output->length - at - size);
        REQUIRE(!closed);
        REQUIRE((frame[0] & 0x70 & ~(opcode == 1 || opcode == 2 ? reserved : 0)) == 0);
        if (opcode >= 8) {
            REQUIRE(opcode <= 10 && length <= 125 && (frame[0] & 0x80) != 0);
            closed = opcode == 8;
            REQUIRE(!closed || length != 1);
        } else {
            REQUIRE(opcode <= 2 && inside_message == (opcode == 0));
            inside_message = (frame[0] & 0x80) == 0;
        }
        /* Of two faults close to each other in what is decompressed either may be found. */
        if (closed && reserved != 0 && length > 2) {
            take_out(output, at + size + 2, (size_t)length - 2);
            output->bytes[at + 1] = (char)(masked ? 0x82 : 0x02);
            length = 2;
        }
        if (opcode == 10)
            take_out(output, at, size + (size_t)length);
        else
            at += size + (size_t)length;
    }
}

/* In the first `length` bytes; what a WebSocket sends may look like anything. */
static void settle_responses(struct engine_output *output, size_t length)
{
    static const char date[] = "\r\nDate: ";
    char *at = output->bytes;

    while (
        (at = memmem(at, length - (size_t)(at - output->bytes), date, sizeof(date) - 1)) != NULL) {
        char *end;

        at += sizeof(date) - 1;
        end = memchr(at, '\r', length - (size_t)(at - output->bytes));
        REQUIRE(end != NULL);
        memset(at, 'D', (size_t)(end - at));
    }
    while ((at = memmem(output->bytes, length, CONTINUE, sizeof(CONTINUE) - 1)) != NULL) {
        take_out(output, (size_t)(at - output->bytes), sizeof(CONTINUE) - 1);
        length -= sizeof(CONTINUE) - 1;
    }
}

void engine_output_settle(struct engine_output *output, unsigned int reserved)
{
    static const char version[] = "HTTP/1.1 ";
    static const char switching[] = "HTTP/1.1 101 ";
    const char *at;
    size_t responses = output->length;

    if (output->length == 0)
        return;
    REQUIRE(output->length >= sizeof(version) - 1);
    REQUIRE(memcmp(output->bytes, version, sizeof(version) - 1) == 0);
    at = memmem(output->bytes, output->length, switching, sizeof(switching) - 1);
    if (at) {
        at = memmem(at, output->length - (size_t)(at - output->bytes), "\r\n\r\n", 4);
        REQUIRE(at != NULL);
        responses = (size_t)(at + 4 - output->bytes);
        settle_frames(output, responses, false, reserved);
    }
    settle_responses(output, responses);
}

void engine_output_settle_client(struct engine_output *output, size_t start, unsigned int reserved)
{
    settle_frames(output, start, true, reserved);
}
