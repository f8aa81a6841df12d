#include "codec/proxy_address.h"

#include "codec/base64.h"
#include "codec/hexadecimal.h"
#include "codec/request_target.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DEFAULT_PORT = 3128,
    PORT_MAX = 65535,
    HOST_LENGTH_MAX = 255,
    CREDENTIAL_LENGTH_MAX = 255,                           /* of the user, and of the password */
    CREDENTIALS_LENGTH_MAX = 2 * CREDENTIAL_LENGTH_MAX + 1 /* with the colon between them */
};

static const char scheme[] = "http://";
static const char basic[] = "Basic ";

/* Bytes of the text; `end` is behind the last. */
struct part {
    const char *at;
    const char *end;
};

static size_t part_length(struct part part)
{
    return (size_t)(part.end - part.at);
}

/* The byte that stands first in the part, escaped or not, taken off it; -1 if it may not. */
static int take_credential_byte(struct part *part)
{
    int byte = (unsigned char)*part->at++;

    if (byte == ' ')
        return -1;
    if (byte == '%') {
        int high;
        int low;

        if (part_length(*part) < 2)
            return -1;
        high = hexadecimal_value(part->at[0]);
        low = hexadecimal_value(part->at[1]);
        if (high < 0 || low < 0)
            return -1;
        byte = high * 16 + low;
        part->at += 2;
    }
    return byte < 0x20 || byte == 0x7f ? -1 : byte;
}

/* Appends the decoded user or password. `refused` is a byte that may not be in it, or -1. */
static bool append_credential(
    struct part part, int refused, unsigned char *credentials, size_t *length)
{
    size_t start = *length;

    while (part.at < part.end) {
        int byte = take_credential_byte(&part);

        if (byte < 0 || byte == refused || *length - start >= CREDENTIAL_LENGTH_MAX)
            return false;
        credentials[(*length)++] = (unsigned char)byte;
    }
    return true;
}

/* The value of Proxy-Authorization (RFC 7617 section 2). 0, or the error. */
static int encode_credentials(struct part userinfo, char **authorization)
{
    unsigned char credentials[CREDENTIALS_LENGTH_MAX];
    const char *colon = memchr(userinfo.at, ':', part_length(userinfo));
    struct part user = {userinfo.at, colon != NULL ? colon : userinfo.end};
    struct part password = {colon != NULL ? colon + 1 : userinfo.end, userinfo.end};
    size_t length = 0;
    size_t size;

    if (!append_credential(user, ':', credentials, &length))
        return EINVAL;
    credentials[length++] = ':';
    if (!append_credential(password, -1, credentials, &length))
        return EINVAL;
    size = sizeof(basic) + (length + 2) / 3 * 4;
    *authorization = malloc(size);
    if (*authorization == NULL)
        return ENOMEM;
    memcpy(*authorization, basic, sizeof(basic));
    if (base64_encode(credentials, length, *authorization + sizeof(basic) - 1,
            size - (sizeof(basic) - 1)) < 0)
        return ENOMEM;
    return 0;
}

/* Without the brackets. 0, or the error. */
static int copy_host(struct part part, char **host)
{
    size_t length = part_length(part);

    /* What an escape stands for is no name that can be looked up. */
    if (length == 0 || length > HOST_LENGTH_MAX || memchr(part.at, '%', length) != NULL)
        return EINVAL;
    *host = strndup(part.at, length);
    if (*host == NULL)
        return ENOMEM;
    if (!host_is_valid(*host))
        return EINVAL;
    if (**host == '[') {
        /* An address of a version yet to come would be taken for a name. */
        if ((*host)[1] == 'v' || (*host)[1] == 'V')
            return EINVAL;
        memmove(*host, *host + 1, length - 2);
        (*host)[length - 2] = '\0';
    }
    return 0;
}

/* What follows the host: nothing, or a colon and a number. 0, or the error. */
static int read_port(struct part part, int *port)
{
    int value = 0;

    *port = DEFAULT_PORT;
    if (part.at == part.end)
        return 0;
    if (*part.at++ != ':')
        return EINVAL;
    for (; part.at < part.end; part.at++) {
        if (*part.at < '0' || *part.at > '9')
            return EINVAL;
        value = value * 10 + (*part.at - '0');
        if (value > PORT_MAX)
            return EINVAL;
    }
    *port = value;
    return value != 0 ? 0 : EINVAL;
}

/* Behind the host's last byte. A host in brackets ends there, any other at a colon. */
static const char *host_end(struct part part)
{
    bool brackets = part.at < part.end && *part.at == '[';
    const char *end = memchr(part.at, brackets ? ']' : ':', part_length(part));

    if (end == NULL)
        return part.end;
    return brackets ? end + 1 : end;
}

bool proxy_address_parse(const char *text, struct proxy_address *address)
{
    struct part host;
    struct part port;
    const char *at_sign;
    const char *end;
    int error = EINVAL;

    *address = (struct proxy_address){0};
    if (strncasecmp(text, scheme, sizeof(scheme) - 1) == 0)
        text += sizeof(scheme) - 1;
    end = text + strcspn(text, "/?#");
    if (*end != '\0' && strcmp(end, "/") != 0)
        goto done;
    /* The last, as none can be in a host: a password that was not escaped may have one. */
    at_sign = memrchr(text, '@', (size_t)(end - text));
    if (at_sign != NULL && at_sign != text) {
        error = encode_credentials((struct part){text, at_sign}, &address->authorization);
        if (error != 0)
            goto done;
    }
    host.at = at_sign != NULL ? at_sign + 1 : text;
    host.end = host_end((struct part){host.at, end});
    port = (struct part){host.end, end};
    error = copy_host(host, &address->host);
    if (error == 0)
        error = read_port(port, &address->port);
done:
    if (error == 0)
        return true;
    proxy_address_free(address);
    errno = error;
    return false;
}

void proxy_address_free(struct proxy_address *address)
{
    free(address->host);
    free(address->authorization);
    *address = (struct proxy_address){0};
}
