/* A message's payload on its last steps to the program. */
#ifndef LWSLOOP_CONNECTION_MESSAGE_DELIVERY_H
#define LWSLOOP_CONNECTION_MESSAGE_DELIVERY_H

#include "connection/connection.h"

/* Looks at the next bytes of the message at hand, if it is text. False where they failed the
 * connection. */
bool message_check_text(struct libwebsocket *wsi, const unsigned char *bytes, size_t length);

/* Gives a piece to the program, from memory with padding around it. */
void message_deliver(struct libwebsocket *wsi, unsigned char *payload, size_t length);

/* The same with the last piece of a frame, which may be empty. */
void message_deliver_last(
    struct libwebsocket *wsi, unsigned char *payload, size_t length, bool ends_message);

#endif
