/* A text frame that is put together once and may be sent to many: JSON, growing as it is written.
 */
#ifndef DEMO_FRAME_H
#define DEMO_FRAME_H

#include <stdbool.h>
#include <stddef.h>

struct libwebsocket;

/* All zero is an empty frame without memory. */
struct frame {
    unsigned char *memory; /* the padding that libwebsocket_write() needs is around the text */
    size_t size;
    size_t length;
    bool failed; /* memory was short: the text is not whole, and is not sent */
};

void frame_clear(struct frame *frame);
void frame_free(struct frame *frame);

void frame_add(struct frame *frame, const char *json);
void frame_add_number(struct frame *frame, long long number);
void frame_add_string(struct frame *frame, const char *text);

/* Returns 0, or -1 where the connection is to be closed. */
int frame_send(struct frame *frame, struct libwebsocket *wsi);

#endif
