#include "url.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { PORT_WS = 80, PORT_WSS = 443, PORT_MOST = 65535 };

static int hexadecimal_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Copies user and password without their percent signs, and with the colon if it is missing. */
static const char *parse_credentials(const char *text, const char *end, struct url *url)
{
    size_t length = 0;

    for (const char *at = text; at < end; at++) {
        int byte = (unsigned char)*at;

        if (byte == '%') {
            if (end - at < 3 || hexadecimal_digit(at[1]) < 0 || hexadecimal_digit(at[2]) < 0)
                return "a percent sign is followed by two hexadecimal digits";
            byte = hexadecimal_digit(at[1]) << 4 | hexadecimal_digit(at[2]);
            at += 2;
        }
        if (byte < 0x20 || byte == 0x7f)
            return "user and password have no control characters";
        if (length + sizeof(":") >= sizeof(url->credentials))
            return "user and password are too long";
        url->credentials[length++] = (char)byte;
    }
    if (!memchr(text, ':', (size_t)(end - text)))
        url->credentials[length++] = ':';
    url->credentials[length] = '\0';
    return NULL;
}

static const char *check_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    if (name[0] == '\0')
        return "the host is missing";
    if (name[strspn(name, letters)] != '\0')
        return "a host has letters, digits, dots and dashes (IPv6 addresses: in brackets)";
    return NULL;
}

static const char *check_ipv6(const char *bracketed)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    size_t length = strlen(bracketed) - 2;

    if (length >= sizeof(address))
        return "there is no IPv6 address in the brackets";
    memcpy(address, bracketed + 1, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &binary) == 1 ? NULL
                                                      : "there is no IPv6 address in the brackets";
}

static const char *parse_port(const char *text, const char *end, struct url *url)
{
    int port = 0;

    if (text == end)
        return NULL; /* as after the scheme */
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return "a port is a number";
        port = port * 10 + (*text - '0');
        if (port > PORT_MOST)
            return "ports go from 1 to 65535";
    }
    if (port == 0)
        return "ports go from 1 to 65535";
    url->port = port;
    return NULL;
}

static const char *parse_host_and_port(const char *text, size_t length, struct url *url)
{
    bool bracketed = length > 0 && *text == '[';
    const char *host_end = memchr(text, bracketed ? ']' : ':', length);
    const char *end = text + length;
    const char *wrong;

    if (bracketed && !host_end)
        return "the bracket is not closed";
    host_end = bracketed ? host_end + 1 : host_end ? host_end : end;
    if (host_end < end && *host_end != ':')
        return "only a port can follow the bracket";
    if ((size_t)(host_end - text) >= sizeof(url->host))
        return "the host is too long";
    memcpy(url->host, text, (size_t)(host_end - text));
    url->host[host_end - text] = '\0';

    wrong = bracketed ? check_ipv6(url->host) : check_name(url->host);
    if (wrong || host_end == end)
        return wrong;
    return parse_port(host_end + 1, end, url);
}

static const char *check_target(const char *target)
{
    for (; *target; target++) {
        if (*target == '#')
            return "a WebSocket's address has no fragment: '#' is written %23";
        if (*target <= ' ' || *target > '~')
            return "spaces and what is not ASCII have to be percent-encoded";
    }
    return NULL;
}

const char *url_parse(const char *text, struct url *url)
{
    const char *wrong = NULL;
    size_t length;
    size_t host;

    if (strncasecmp(text, "ws://", 5) != 0 && strncasecmp(text, "wss://", 6) != 0)
        return "the address begins with ws:// or wss://";
    *url = (struct url){.secure = text[2] != ':'};
    url->port = url->secure ? PORT_WSS : PORT_WS;

    text = strchr(text, '/') + 2;
    length = strcspn(text, "/?#");
    for (host = length; host > 0 && text[host - 1] != '@'; host--)
        ;
    if (host > 0)
        wrong = parse_credentials(text, text + host - 1, url);
    if (!wrong)
        wrong = parse_host_and_port(text + host, length - host, url);
    url->target = text[length] ? text + length : "/";
    return wrong ? wrong : check_target(url->target);
}
