/* UTF-8, against the table of well-formed sequences read off its definition. */
#include "codec/utf8.h"

#include "fuzz.h"

/*
 * Decodes one character. Returns its length; 0 where the bytes end inside it, with nothing wrong
 * so far; or -1 with *bad the index of the first byte that no character could have.
 */
static int decode_one(const uint8_t *at, size_t left, size_t *bad)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    int length;
    uint32_t low;

    *bad = 0;
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    else
        return -1;
    low = at[0] & (0xffu >> (length + 1));
    for (int i = 1; i < length; i++) {
        uint32_t high;
        int shift = 6 * (length - 1 - i);

        if ((size_t)i == left)
            return 0;
        *bad = (size_t)i;
        if ((at[i] & 0xc0) != 0x80)
            return -1;
        low = low << 6 | (at[i] & 0x3f);
        /* All characters that begin like this are between low and high, shifted. */
        high = ((low + 1) << shift) - 1;
        if (high < least[length] || low << shift > 0x10ffff)
            return -1;
        if (low << shift >= 0xd800 && high <= 0xdfff)
            return -1;
    }
    return length;
}

static size_t expected_length(const uint8_t *data, size_t size, bool *complete)
{
    size_t at = 0;

    *complete = true;
    while (at < size) {
        size_t bad;
        int length = decode_one(data + at, size - at, &bad);

        if (length < 0)
            return at + bad;
        if (length == 0) {
            *complete = false;
            return size;
        }
        at += (size_t)length;
    }
    return size;
}

static void check(
    const uint8_t *data, size_t size, size_t expected, bool complete, struct fuzz_pieces pieces)
{
    utf8_state state = UTF8_START;
    size_t at = 0;

    while (at < size) {
        size_t piece = fuzz_next_piece(&pieces, size - at);
        size_t good = utf8_check(&state, data + at, piece);

        REQUIRE(good <= piece);
        at += good;
        if (good < piece)
            break;
    }
    REQUIRE(at == expected);
    if (at == size)
        REQUIRE(utf8_complete(state) == complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool complete;
    size_t expected = expected_length(data, size, &complete);

    for (uint32_t sequence = 0; sequence <= 3; sequence++)
        check(data, size, expected, complete, (struct fuzz_pieces){sequence});
    return 0;
}
