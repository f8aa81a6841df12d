/* The library's own extensions, by the name they had before there was a function for them. */
#include "codec/deflate_parameters.h"
#include "connection/deflate_extension.h"

LWS_VISIBLE extern struct libwebsocket_extension libwebsocket_internal_extensions[] LWS_LINK(
    libwebsocket_internal_extensions);

struct libwebsocket_extension libwebsocket_internal_extensions[] = {
    {deflate_extension_name, deflate_extension, 0, NULL}, {NULL, NULL, 0, NULL}};
