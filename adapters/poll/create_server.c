/* libwebsocket_create_server() of the first generation, which returns no context. */

/* Of the same layout and callbacks, but with the context: what a context of the one level is called
 * with, and one of the other, is the same. */
#undef LWS_API_LEVEL
#define LWS_API_LEVEL 20110119

#include "libwebsockets.h"

#include "fork_service.h"

/* Its name is taken by the form that is declared at this level. */
LWS_VISIBLE int create_server_20101218(int port, struct libwebsocket_protocols *protocols,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid)
    LWS_LINK_LEVEL(libwebsocket_create_server, 20101218);

int create_server_20101218(int port, struct libwebsocket_protocols *protocols,
    const char *ssl_cert_filepath, const char *ssl_private_key_filepath, int gid, int uid)
{
    struct libwebsocket_context *context = libwebsocket_create_server(
        port, protocols, ssl_cert_filepath, ssl_private_key_filepath, gid, uid);

    if (!context)
        return -1;
    if (lws_fork_service(context) == 0)
        return 0;
    libwebsocket_context_destroy(context);
    return -1;
}
