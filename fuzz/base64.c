/* Base64, and the key of a handshake: the input as bytes, and as text. */
#include "codec/base64.h"

#include "codec/websocket_key.h"
#include "fuzz.h"

static void check_bytes(const uint8_t *data, size_t size)
{
    size_t length = (size + 2) / 3 * 4;
    char *text = fuzz_allocate(length + 1);
    unsigned char *bytes = fuzz_allocate(size);

    REQUIRE(base64_encode(data, size, text, length + 1) == (ssize_t)length);
    REQUIRE(strlen(text) == length);
    REQUIRE(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
            length);
    REQUIRE(base64_decode(text, length, bytes, size) == (ssize_t)size);
    REQUIRE(size == 0 || memcmp(bytes, data, size) == 0);
    REQUIRE(base64_encode(data, size, text, length) == -1);
    REQUIRE(size == 0 || base64_decode(text, length, bytes, size - 1) == -1);
    free(bytes);
    free(text);
}

static void check_text(const uint8_t *data, size_t size)
{
    size_t room = size / 4 * 3;
    unsigned char *bytes = fuzz_allocate(room);
    ssize_t length = base64_decode((const char *)data, size, bytes, room);

    REQUIRE(length <= (ssize_t)room);
    if (length >= 0) {
        char *text = fuzz_allocate(size + 1);
        size_t sure = (size_t)length / 3 * 4;

        /* The last character before padding may have bits that belong to no byte. */
        REQUIRE(base64_encode(bytes, (size_t)length, text, size + 1) == (ssize_t)size);
        REQUIRE(memcmp(text, data, sure) == 0);
        if (sure < size) {
            REQUIRE(text[sure] == (char)data[sure] && text[size - 1] == '=');
            REQUIRE((text[size - 2] == '=') == (data[size - 2] == '='));
        }
        free(text);
    }
    free(bytes);
}

static void check_key(const char *key)
{
    unsigned char bytes[20];
    char accept[WEBSOCKET_ACCEPT_SIZE];
    bool valid = strlen(key) == 24 && base64_decode(key, 24, bytes, 18) == 16;

    REQUIRE(websocket_key_is_valid(key) == valid);
    REQUIRE(websocket_accept(key, accept));
    REQUIRE(strlen(accept) == WEBSOCKET_ACCEPT_SIZE - 1);
    REQUIRE(base64_decode(accept, strlen(accept), bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *key = fuzz_text(data, size);

    check_bytes(data, size);
    check_text(data, size);
    check_key(key);
    free(key);
    return 0;
}
