#include "codec/close_payload.h"

#include "codec/utf8.h"

#include <string.h>

enum { CODE_SIZE = 2 };

bool close_code_is_valid(unsigned int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

enum close_payload_status close_payload_decode(
    const unsigned char *payload, size_t length, unsigned int *code)
{
    utf8_state state = UTF8_START;
    size_t reason_length;

    *code = CLOSE_NO_STATUS;
    if (length == 0)
        return CLOSE_PAYLOAD_GOOD;
    if (length < CODE_SIZE || length > CODE_SIZE + CLOSE_REASON_MAX)
        return CLOSE_PAYLOAD_BAD_LENGTH;

    *code = (unsigned int)payload[0] << 8 | payload[1];
    if (!close_code_is_valid(*code))
        return CLOSE_PAYLOAD_BAD_CODE;

    reason_length = length - CODE_SIZE;
    if (utf8_check(&state, payload + CODE_SIZE, reason_length) != reason_length ||
        !utf8_complete(state))
        return CLOSE_PAYLOAD_BAD_REASON;
    return CLOSE_PAYLOAD_GOOD;
}

size_t close_payload_encode(
    unsigned char *payload, unsigned int code, const void *reason, size_t reason_length)
{
    if (code == CLOSE_NO_STATUS)
        return 0;
    payload[0] = (unsigned char)(code >> 8);
    payload[1] = (unsigned char)code;
    if (reason_length != 0)
        memcpy(payload + CODE_SIZE, reason, reason_length);
    return CODE_SIZE + reason_length;
}
