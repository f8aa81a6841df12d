/* The public functions by which a program connects to servers. */
#include "connection/client.h"
#include "service/connector.h"
#include "service/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct libwebsocket *begin(
    struct libwebsocket_context *context, const struct client_request *request)
{
    struct libwebsocket *wsi;
    int error;

    if (context->connections >= context->engine.limits.connections) {
        lwsl_warn("libwebsocket_client_connect: there are %zu connections\n", context->connections);
        errno = ENFILE;
        return NULL;
    }
    wsi = client_create(&context->engine, request);
    if (!wsi)
        return NULL;
    if (!connector_begin(context, wsi)) {
        error = errno;
        lwsl_err("libwebsocket_client_connect: %s\n", strerror(error));
        connection_release(wsi);
        wsi->closed = true;
        queue_push(&context->graves, &wsi->work);
        errno = error;
        return NULL;
    }
    context->connections++;
    connection_attend(wsi);
    return wsi;
}

struct libwebsocket *libwebsocket_client_connect_extended(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol, int ietf_version_or_minus_one, void *userdata)
{
    struct libwebsocket *wsi;
    int saved;

    if (!context || context->announcing || context->engine.ending) {
        lwsl_warn("libwebsocket_client_connect: no context, or not from here\n");
        errno = EINVAL;
        return NULL;
    }
    if (!context_enter(context, CALL_PLAIN))
        return NULL;
    wsi = begin(context, &(struct client_request){
                             .address = address,
                             .port = port,
                             .ssl_connection = ssl_connection,
                             .path = path,
                             .host = host,
                             .origin = origin,
                             .protocols = protocol,
                             .version = ietf_version_or_minus_one,
                             .session = userdata,
                             .proxy_host = context->proxy.host,
                             .proxy_port = context->proxy.port,
                             .proxy_authorization = context->proxy.authorization,
                         });
    saved = errno;
    (void)context_leave(context, CALL_PLAIN);
    errno = saved;
    return wsi;
}

struct libwebsocket *libwebsocket_client_connect(struct libwebsocket_context *context,
    const char *address, int port, int ssl_connection, const char *path, const char *host,
    const char *origin, const char *protocol, int ietf_version_or_minus_one)
{
    return libwebsocket_client_connect_extended(context, address, port, ssl_connection, path, host,
        origin, protocol, ietf_version_or_minus_one, NULL);
}

int libwebsocket_set_proxy(struct libwebsocket_context *context, const char *proxy)
{
    struct proxy_address address = {0};

    if (!context) {
        lwsl_warn("libwebsocket_set_proxy: no context\n");
        errno = EINVAL;
        return -1;
    }
    if (proxy && *proxy && !proxy_address_parse(proxy, &address)) {
        int error = errno;

        /* What it is may hold a password. */
        lwsl_warn("libwebsocket_set_proxy: %s\n",
            error == EINVAL ? "not the form of a proxy's address" : strerror(error));
        errno = error;
        return -1;
    }
    proxy_address_free(&context->proxy);
    context->proxy = address;
    return 0;
}
