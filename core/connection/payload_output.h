/* Messages whose payload passes through extensions before it is sent. */
#ifndef LWSLOOP_CONNECTION_PAYLOAD_OUTPUT_H
#define LWSLOOP_CONNECTION_PAYLOAD_OUTPUT_H

#include "connection/connection.h"

/* Whether an extension is sending, so that nothing else can be. */
bool payload_output_is_busy(const struct libwebsocket *wsi);

/*
 * Sends what extensions make of a frame, which may be several.
 *
 *   first     FIN and opcode of the frame as the program wrote it
 *   payload   with padding around it
 *   flags     what the program gave to libwebsocket_write()
 *
 * False, with errno, where the connection is over.
 */
bool payload_output_send(struct libwebsocket *wsi, unsigned char first, unsigned char *payload,
    size_t length, enum libwebsocket_write_protocol flags);

#endif
