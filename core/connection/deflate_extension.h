/* permessage-deflate (RFC 7692) as an extension. */
#ifndef LWSLOOP_CONNECTION_DEFLATE_EXTENSION_H
#define LWSLOOP_CONNECTION_DEFLATE_EXTENSION_H

#include "libwebsockets.h"

/* Memory for each connection, in bytes. */
size_t deflate_extension_session_size(void);

extension_callback_function deflate_extension;

#endif
