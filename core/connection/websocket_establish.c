#include "connection/websocket_establish.h"

#include "connection/extension.h"

#include <stdlib.h>
#include <string.h>

bool websocket_session(const struct protocol *protocol, void **session)
{
    *session = NULL;
    if (protocol->session_size)
        *session = calloc(1, protocol->session_size);
    return *session || !protocol->session_size;
}

void websocket_establish(struct libwebsocket *wsi, struct protocol *protocol, void *session)
{
    wsi->session = session;
    wsi->protocol = protocol;
    wsi->state = CONNECTION_OPEN;
    wsi->established = true;
    wsi->wants_writable = false;
    memset(&wsi->websocket, 0, sizeof(wsi->websocket));
    list_append(&protocol->connections, &wsi->protocol_node);
    connection_set_due(wsi, engine_of(wsi)->limits.ping_interval);
    lwsl_info("connection %d: established, protocol %s\n", wsi->transport.fd,
        protocol->name ? protocol->name : "(none)");
    extension_establish(wsi);
    (void)connection_callback(
        wsi, wsi->is_client ? LWS_CALLBACK_CLIENT_ESTABLISHED : LWS_CALLBACK_ESTABLISHED, NULL, 0);
    (void)extension_call_all(wsi, LWS_EXT_CALLBACK_ANY_WSI_ESTABLISHED, NULL, 0);
}
