/* A client made of what the program asked for, if that makes sense. */
#include "connection/client.h"
#include "connection/subprotocol.h"

#include "codec/request_target.h"
#include "codec/token_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char unix_prefix[] = "unix:";

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

/* NULL where the request makes sense; else what does not. */
static const char *find_fault(struct engine *engine, const struct client_request *request)
{
    bool is_unix = request->address && strncmp(request->address, unix_prefix, 5) == 0;
    const char *protocols = request->protocols;
    const char *name;
    size_t length;

    if (!request->address || request->address[is_unix ? sizeof(unix_prefix) - 1 : 0] == '\0')
        return "no address";
    if (!is_unix && (request->port < 1 || request->port > 65535))
        return "no port";
    if (request->ssl_connection < 0 || request->ssl_connection > 2)
        return "ssl_connection is none of 0, 1 and 2";
    if (request->path && !is_visible(request->path, "#"))
        return "the path has characters that do not belong there";
    if (request->host && (!request->host[0] || !host_is_valid(request->host)))
        return "the host is none";
    if (request->origin && (!request->origin[0] || !is_visible(request->origin, "")))
        return "the origin has characters that do not belong there";
    if (!is_version(request->version))
        return "a version that is not spoken here: 13, 8 and 7 are";
    if (protocols && subprotocol_offer_fault(protocols))
        return subprotocol_offer_fault(protocols);
    if (protocols && !subprotocol_first_known(engine, protocols, &name, &length))
        return "no subprotocol that the context has";
    return NULL;
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

/* The name in a Host field as TLS has it: without port, brackets, and a dot at its end. */
static bool name_of_host(char **name, const char *host)
{
    const char *start = host[0] == '[' ? host + 1 : host;
    size_t length = strcspn(start, host[0] == '[' ? "]" : ":");

    if (length > 1 && start[length - 1] == '.')
        length--;
    *name = strndup(start, length);
    return *name != NULL;
}

static bool copy_address(struct client *client, const struct client_request *request)
{
    const char *address = request->address;
    size_t length = strlen(address);

    client->is_unix = strncmp(address, unix_prefix, sizeof(unix_prefix) - 1) == 0;
    if (client->is_unix) {
        client->address = strdup(address + sizeof(unix_prefix) - 1);
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

static bool copy(struct client *client, const struct client_request *request)
{
    const char *path = request->path ? request->path : "";

    client->port = request->port;
    client->version = request->version == -1 ? 13 : request->version;
    client->ssl_connection = (unsigned char)request->ssl_connection;
    return copy_address(client, request) && copy_host(client, request) &&
           copy_origin(client, request->origin) && copy_proxy(client, request) &&
           print(&client->target, "%s%s", path[0] == '/' ? "" : "/", path) &&
           (!request->protocols || print(&client->protocols, "%s", request->protocols));
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
