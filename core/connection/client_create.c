/* A client made of what the program asked for, if that makes sense. */
#include "connection/client.h"
#include "connection/subprotocol.h"

#include "base/text.h"
#include "codec/request_target.h"
#include "codec/token_list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAME = 253 };

/* The path of a Unix-domain socket; NULL where the address is another one. */
static const char *unix_path(const char *address)
{
    static const char prefix[] = "unix:";

    return strncmp(address, prefix, sizeof(prefix) - 1) == 0 ? address + sizeof(prefix) - 1 : NULL;
}

static bool is_visible(const char *text, const char *except)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~' || strchr(except, *text))
            return false;
    return true;
}

static bool is_version(int version)
{
    return version == -1 || version == 13 || version == 8 || version == 7;
}

static bool is_v6(const char *text, size_t length)
{
    char copy[INET6_ADDRSTRLEN];
    const char *zone = memchr(text, '%', length);
    size_t numeric = zone ? (size_t)(zone - text) : length;
    unsigned char bytes[16];

    if (numeric >= sizeof(copy))
        return false;
    memcpy(copy, text, numeric);
    copy[numeric] = '\0';
    return inet_pton(AF_INET6, copy, bytes) == 1 &&
           (!zone || token_is_valid(zone, length - numeric));
}

/* A name with a dot in front is none, and to those who verify certificates often stands for any
 * name that ends in it. */
static bool has_first_label(const char *name)
{
    return name[0] != '.';
}

/* A name, or a numeric address, an IPv6 one with or without brackets. It goes to a name service,
 * and as it is to a proxy. */
static bool is_address(const char *address)
{
    size_t length = strlen(address);

    if (address[0] == '[' && address[length - 1] == ']')
        return is_v6(address + 1, length - 2);
    if (strchr(address, ':'))
        return is_v6(address, length);
    return length > 0 && length <= MOST_NAME && has_first_label(address) && host_is_valid(address);
}

static size_t name_length(const char *host, const char **start)
{
    size_t length;

    *start = host[0] == '[' ? host + 1 : host;
    length = strcspn(*start, host[0] == '[' ? "]" : ":");
    /* As TLS has it: without the dot of a name that is complete. */
    return length > 0 && (*start)[length - 1] == '.' ? length - 1 : length;
}

static bool is_host(const char *host)
{
    const char *name;
    size_t length = name_length(host, &name);

    return length > 0 && length <= MOST_NAME && has_first_label(name) && host_is_valid(host);
}

static const char *find_protocol_fault(struct engine *engine, const char *protocols)
{
    const char *fault = subprotocol_offer_fault(protocols);
    const char *name;
    size_t length;

    if (!fault && !subprotocol_first_known(engine, protocols, &name, &length))
        fault = "no subprotocol that the context has";
    return fault;
}

/* NULL where the request makes sense; else what does not. */
static const char *find_fault(struct engine *engine, const struct client_request *request)
{
    bool is_unix = request->address && unix_path(request->address);

    if (!request->address ||
        (is_unix ? !*unix_path(request->address) : !is_address(request->address)))
        return "no address";
    if (!is_unix && (request->port < 1 || request->port > 65535))
        return "no port";
    if (request->ssl_connection < 0 || request->ssl_connection > 2)
        return "ssl_connection is none of 0, 1 and 2";
    if (request->path && !is_visible(request->path, "#"))
        return "the path has characters that do not belong there";
    if (request->host && !is_host(request->host))
        return "the host is none";
    if (request->origin && (!request->origin[0] || !is_visible(request->origin, "")))
        return "the origin has characters that do not belong there";
    if (!is_version(request->version))
        return "a version that is not spoken here: 13, 8 and 7 are";
    return request->protocols ? find_protocol_fault(engine, request->protocols) : NULL;
}

/* A printed text in *copy; false where memory is short. */
__attribute__((format(printf, 2, 3))) static bool print(char **copy, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(copy, format, arguments);
    va_end(arguments);
    if (length < 0)
        *copy = NULL;
    return *copy != NULL;
}

static bool name_of_host(char **name, const char *host)
{
    const char *start;
    size_t length = name_length(host, &start);

    *name = strndup(start, length);
    return *name != NULL;
}

static bool copy_address(struct client *client, const struct client_request *request)
{
    const char *address = request->address;
    size_t length = strlen(address);

    client->is_unix = unix_path(address) != NULL;
    if (client->is_unix) {
        client->address = strdup(unix_path(address));
        return client->address && print(&client->authority, "%s", address);
    }
    if (address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    client->address = strndup(address, length);
    if (!client->address)
        return false;
    /* A zone is of this host only. */
    if (strchr(client->address, ':'))
        return print(&client->authority, "[%.*s]:%d", (int)strcspn(client->address, "%"),
            client->address, request->port);
    return print(&client->authority, "%s:%d", client->address, request->port);
}

static bool copy_host(struct client *client, const struct client_request *request)
{
    int default_port = request->ssl_connection ? 443 : 80;
    bool good;

    if (request->host)
        good = print(&client->host, "%s", request->host);
    else if (client->is_unix)
        good = print(&client->host, "localhost");
    else if (request->port == default_port)
        good = print(&client->host, "%.*s",
            (int)(strrchr(client->authority, ':') - client->authority), client->authority);
    else
        good = print(&client->host, "%s", client->authority);
    return good && name_of_host(&client->name, client->host);
}

static bool copy_origin(struct client *client, const char *origin)
{
    bool complete = origin && (strstr(origin, "://") || strcmp(origin, "null") == 0);

    return !origin || print(&client->origin, "%s%s", complete ? "" : "http://", origin);
}

static bool copy_proxy(struct client *client, const struct client_request *request)
{
    if (!request->proxy_host || client->is_unix)
        return true;
    client->proxy_port = request->proxy_port;
    return print(&client->proxy_host, "%s", request->proxy_host) &&
           (!request->proxy_authorization ||
               print(&client->proxy_authorization, "%s", request->proxy_authorization));
}

/* Without the empty elements that a list may have and nobody should write (RFC 9110, 5.6.1). */
static bool copy_protocols(struct client *client, const char *protocols)
{
    const char *name;
    size_t length;
    struct text list;

    if (!protocols)
        return true;
    client->protocols = malloc(2 * strlen(protocols) + 1);
    if (!client->protocols)
        return false;
    text_init(&list, client->protocols, 2 * strlen(protocols) + 1);
    while (token_list_next(&protocols, &name, &length))
        text_add(&list, "%s%.*s", list.length > 0 ? ", " : "", (int)length, name);
    return true;
}

static bool copy(struct client *client, const struct client_request *request)
{
    const char *path = request->path ? request->path : "";

    client->port = request->port;
    client->version = request->version == -1 ? 13 : request->version;
    client->ssl_connection = (unsigned char)request->ssl_connection;
    return copy_address(client, request) && copy_host(client, request) &&
           copy_origin(client, request->origin) && copy_proxy(client, request) &&
           copy_protocols(client, request->protocols) &&
           print(&client->target, "%s%s", path[0] == '/' ? "" : "/", path);
}

static struct libwebsocket *refuse(int error, const char *why)
{
    _lws_log(error == EINVAL ? LLL_WARN : LLL_ERR, "libwebsocket_client_connect: %s\n", why);
    errno = error;
    return NULL;
}

struct libwebsocket *client_create(struct engine *engine, const struct client_request *request)
{
    const char *fault = find_fault(engine, request);
    struct libwebsocket *wsi;
    const char *name;
    size_t length;

    if (fault)
        return refuse(EINVAL, fault);
    wsi = connection_create(engine, -1);
    if (!wsi)
        return refuse(ENOMEM, "out of memory");
    wsi->state = CONNECTION_CONNECTING;
    wsi->is_client = true;
    wsi->session = request->session;
    wsi->session_lent = request->session != NULL;
    wsi->protocol = request->protocols
                        ? subprotocol_first_known(engine, request->protocols, &name, &length)
                        : subprotocol_of_nobody(engine);
    wsi->client = calloc(1, sizeof(*wsi->client));
    if (wsi->client)
        list_init(&wsi->client->attempts);
    if (!wsi->client || !copy(wsi->client, request)) {
        connection_release(wsi);
        free(wsi);
        return refuse(ENOMEM, "out of memory");
    }
    return wsi;
}
