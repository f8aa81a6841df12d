#include "codec/websocket_key.h"

#include "codec/base64.h"

#include <openssl/evp.h>
#include <string.h>

enum { KEY_BYTES = 16, KEY_LENGTH = 24, SHA1_BYTES = 20 };

static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool websocket_key_is_valid(const char *key)
{
    unsigned char bytes[KEY_BYTES];

    /* A key of another length is not read beyond the one byte that shows it. */
    if (strnlen(key, KEY_LENGTH + 1) != KEY_LENGTH)
        return false;
    return base64_decode(key, KEY_LENGTH, bytes, sizeof bytes) == KEY_BYTES;
}

bool websocket_accept(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE])
{
    unsigned char digest[SHA1_BYTES];
    unsigned int digest_length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = false;

    if (context == NULL)
        return false;
    if (EVP_DigestInit_ex(context, EVP_sha1(), NULL) != 1 ||
        EVP_DigestUpdate(context, key, strlen(key)) != 1 ||
        EVP_DigestUpdate(context, suffix, sizeof suffix - 1) != 1 ||
        EVP_DigestFinal_ex(context, digest, &digest_length) != 1 || digest_length != sizeof digest)
        goto done;
    good = base64_encode(digest, sizeof digest, accept, WEBSOCKET_ACCEPT_SIZE) ==
           WEBSOCKET_ACCEPT_SIZE - 1;
done:
    EVP_MD_CTX_free(context);
    return good;
}
