#include "header_lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <libwebsockets.h>

/* What is the library's to say. Sec-WebSocket- stands for all names that begin with it. */
static const char *const reserved[] = {"Host", "Origin", "Upgrade", "Connection", "Content-Length",
    "Transfer-Encoding", "Sec-WebSocket-"};

static bool is_reserved(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        size_t known = strlen(reserved[i]);
        bool is_beginning = reserved[i][known - 1] == '-';

        if ((length == known || (is_beginning && length > known)) &&
            strncasecmp(name, reserved[i], known) == 0)
            return true;
    }
    return false;
}

static bool is_value(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

const char *header_lines_add(struct header_lines *lines, const char *field)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    size_t name_length = strspn(field, token);
    size_t room = sizeof(lines->text) - lines->length;
    const char *value = field + name_length + 1;

    if (name_length == 0 || field[name_length] != ':')
        return "a header field looks like \"Name: value\"";
    if (is_reserved(field, name_length))
        return "this field is the library's; see --host, --origin and --subprotocol";
    value += strspn(value, " \t");
    if (!is_value(value))
        return "a header field has no control characters";

    int length =
        snprintf(lines->text + lines->length, room, "%.*s: %s\r\n", (int)name_length, field, value);
    if (length < 0 || (size_t)length >= room)
        return "the header fields are too long";
    lines->length += (size_t)length;
    return NULL;
}

const char *header_lines_add_credentials(struct header_lines *lines, const char *credentials)
{
    char encoded[512];
    char field[sizeof("Authorization: Basic ") + sizeof(encoded)];

    if (lws_b64_encode_string(credentials, (int)strlen(credentials), encoded, sizeof(encoded)) < 0)
        return "user and password are too long";
    snprintf(field, sizeof(field), "Authorization: Basic %s", encoded);
    return header_lines_add(lines, field);
}
