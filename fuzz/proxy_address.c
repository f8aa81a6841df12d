/* A proxy's address: what is read, written again with everything escaped, is read as the same. */
#include "codec/proxy_address.h"

#include "codec/base64.h"
#include "codec/request_target.h"
#include "fuzz.h"

#include <errno.h>

enum { LENGTH_MAX = 255, CREDENTIALS_MAX = 2 * LENGTH_MAX + 1 };

static const char basic[] = "Basic ";

static bool is_address(const char *host)
{
    return strchr(host, ':') != NULL;
}

static void check_host(const struct proxy_address *address)
{
    char host[LENGTH_MAX + 3];
    int length =
        snprintf(host, sizeof(host), is_address(address->host) ? "[%s]" : "%s", address->host);

    REQUIRE(length > 0 && length <= LENGTH_MAX);
    REQUIRE(strpbrk(address->host, "[]%@/?#") == NULL);
    REQUIRE(host_is_valid(host));
    REQUIRE(address->port >= 1 && address->port <= 65535);
}

/* Returns how many bytes they are. */
static size_t decode_credentials(const char *authorization, unsigned char *credentials)
{
    const char *text = authorization + sizeof(basic) - 1;
    const unsigned char *colon;
    ssize_t length;

    REQUIRE(strncmp(authorization, basic, sizeof(basic) - 1) == 0);
    length = base64_decode(text, strlen(text), credentials, CREDENTIALS_MAX);
    REQUIRE(length > 0);
    for (ssize_t i = 0; i < length; i++)
        REQUIRE(credentials[i] >= 0x20 && credentials[i] != 0x7f);
    colon = memchr(credentials, ':', (size_t)length);
    REQUIRE(colon != NULL && colon - credentials <= LENGTH_MAX);
    REQUIRE(credentials + length - colon - 1 <= LENGTH_MAX);
    return (size_t)length;
}

static void check_written(const struct proxy_address *address)
{
    unsigned char credentials[CREDENTIALS_MAX];
    char text[3 * CREDENTIALS_MAX + LENGTH_MAX + 32] = "http://";
    size_t length = strlen(text);
    struct proxy_address again;
    bool colon = false;

    if (address->authorization != NULL) {
        size_t count = decode_credentials(address->authorization, credentials);

        for (size_t i = 0; i < count; i++) {
            if (credentials[i] == ':' && !colon) {
                colon = true;
                text[length++] = ':';
            } else {
                length += (size_t)snprintf(
                    text + length, sizeof(text) - length, "%%%02X", credentials[i]);
            }
        }
        text[length++] = '@';
    }
    length += (size_t)snprintf(text + length, sizeof(text) - length,
        is_address(address->host) ? "[%s]:%d/" : "%s:%d/", address->host, address->port);
    REQUIRE(length < sizeof(text));
    REQUIRE(proxy_address_parse(text, &again));
    REQUIRE(strcmp(again.host, address->host) == 0);
    REQUIRE(again.port == address->port);
    REQUIRE((again.authorization == NULL) == (address->authorization == NULL));
    REQUIRE(
        again.authorization == NULL || strcmp(again.authorization, address->authorization) == 0);
    proxy_address_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct proxy_address address;

    errno = 0;
    if (proxy_address_parse(text, &address)) {
        check_host(&address);
        check_written(&address);
    } else {
        REQUIRE(errno == EINVAL);
        REQUIRE(address.host == NULL && address.authorization == NULL);
    }
    proxy_address_free(&address);
    free(text);
    return 0;
}
