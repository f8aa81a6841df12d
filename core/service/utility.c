#include "codec/base64.h"
#include "libwebsockets.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

const char *lws_get_library_version(void)
{
    return PACKAGE_VERSION;
}

int libwebsockets_get_random(struct libwebsocket_context *context, void *buf, int len)
{
    (void)context;
    if (!buf || len < 0 || RAND_bytes(buf, len) != 1)
        return -1;
    return len;
}

unsigned char *libwebsockets_SHA1(const unsigned char *d, size_t n, unsigned char *md)
{
    if (!md || (!d && n > 0) || EVP_Digest(d, n, md, NULL, EVP_sha1(), NULL) != 1)
        return NULL;
    return md;
}

int lws_b64_encode_string(const char *in, int in_len, char *out, int out_size)
{
    if (!in || !out || in_len < 0 || out_size < 0)
        return -1;
    return (int)base64_encode((const unsigned char *)in, (size_t)in_len, out, (size_t)out_size);
}

int lws_b64_decode_string(const char *in, char *out, int out_size)
{
    ssize_t length;

    if (!in || !out || out_size <= 0)
        return -1;
    length = base64_decode(in, strlen(in), (unsigned char *)out, (size_t)out_size - 1);
    if (length < 0)
        return -1;
    out[length] = '\0';
    return (int)length;
}
