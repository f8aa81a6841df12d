#define _GNU_SOURCE 1 /* for memmem() */
#include "acceptance.h"

#include <openssl/evp.h>

void acceptance_of(const char *request, size_t length, char value[ACCEPTANCE_LENGTH + 1])
{
    static const char field[] = "\r\nSec-WebSocket-Key: ";
    const char *key = memmem(request, length, field, sizeof(field) - 1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size;
    char text[64];

    REQUIRE(key != NULL);
    snprintf(
        text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + sizeof(field) - 1);
    REQUIRE(EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL) == 1);
    REQUIRE(EVP_EncodeBlock((unsigned char *)value, digest, (int)size) == ACCEPTANCE_LENGTH);
}

void acceptance_put(uint8_t *bytes, size_t length, const char *value)
{
    static const char field[] = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    uint8_t *at = memmem(bytes, length, field, sizeof(field) - 1);

    if (at)
        memcpy(at + sizeof(field) - 1 - ACCEPTANCE_LENGTH, value, ACCEPTANCE_LENGTH);
}
