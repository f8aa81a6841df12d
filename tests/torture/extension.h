/* The extensions of the stage: permessage-deflate, and one of the program's that changes all bytes
 * of the stream and of the messages, and puts out what it makes of them in small pieces. */
#ifndef LWSLOOP_TESTS_TORTURE_EXTENSION_H
#define LWSLOOP_TESTS_TORTURE_EXTENSION_H

#include <libwebsockets.h>

#include <stdbool.h>

/* Whether the library was built with extensions. */
bool extension_is_there(void);

/* For info.extensions; NULL where there are none. The program's comes first, or last. */
struct libwebsocket_extension *extension_list(bool is_first);

/* Whether both are active on a connection, or neither. */
bool extension_is_active(struct libwebsocket *wsi);
bool extension_is_idle(struct libwebsocket *wsi);

/* Every context and every connection that was begun was ended as well; and how many there were. */
void extension_check(void);
unsigned int extension_connections(void);

#endif
