/* A close frame's payload: what is good is written again as it was. */
#include "codec/close_payload.h"

#include "codec/utf8.h"
#include "fuzz.h"

static enum close_payload_status expected_status(const uint8_t *data, size_t size)
{
    utf8_state state = UTF8_START;
    unsigned int code;

    if (size == 0)
        return CLOSE_PAYLOAD_GOOD;
    if (size == 1 || size > 125)
        return CLOSE_PAYLOAD_BAD_LENGTH;
    code = data[0] * 256u + data[1];
    if (code < 1000 || code >= 5000 || code == 1004 || code == 1005 || code == 1006 ||
        (code >= 1015 && code < 3000))
        return CLOSE_PAYLOAD_BAD_CODE;
    if (utf8_check(&state, data + 2, size - 2) != size - 2 || !utf8_complete(state))
        return CLOSE_PAYLOAD_BAD_REASON;
    return CLOSE_PAYLOAD_GOOD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int code = 0;
    enum close_payload_status status = close_payload_decode(data, size, &code);

    REQUIRE(status == expected_status(data, size));
    if (status == CLOSE_PAYLOAD_GOOD) {
        unsigned char *written = fuzz_allocate(size);

        REQUIRE(size > 0 || code == CLOSE_NO_STATUS);
        REQUIRE(size == 0 || close_code_is_valid(code));
        REQUIRE(close_payload_encode(
                    written, code, size > 2 ? data + 2 : NULL, size > 2 ? size - 2 : 0) == size);
        REQUIRE(size == 0 || memcmp(written, data, size) == 0);
        free(written);
    }
    return 0;
}
