/*
 * What clients must not send, and the few odd things that a server must take: tables of bytes and
 * of the answer that is due. Each row is named by the section of its RFC that has the rule.
 */
#ifndef LWSLOOP_TESTS_WRONG_INPUT_H
#define LWSLOOP_TESTS_WRONG_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of a row: a string, then `fill` so many times, then another string. */
struct wrong_bytes {
    const char *start;
    size_t start_length;
    const char *fill;
    size_t fill_count;
    const char *end;
    size_t end_length;
};

#define BYTES(text)                                                                                \
    {                                                                                              \
        .start = (text), .start_length = sizeof(text) - 1                                          \
    }
#define FILLED(text, filling, count, rest)                                                         \
    {                                                                                              \
        .start = (text), .start_length = sizeof(text) - 1, .fill = (filling),                      \
        .fill_count = (count), .end = (rest), .end_length = sizeof(rest) - 1                       \
    }

/* What becomes of the connection behind the last answer. */
enum wrong_end {
    END_AS_SAID,  /* it ends if the answer says "Connection: close", else the next request is served
                   */
    END_CLOSED,   /* it ends, and says so if it answers at all */
    END_KEPT,     /* the next request on it is served */
    END_WEBSOCKET /* it echoes */
};

/* Sent on a new connection. */
struct wrong_request {
    const char *name;
    struct wrong_bytes bytes;
    /* Statuses of all responses, with a blank between: "400", "200 200", "100 200", or "" */
    const char *answers;
    enum wrong_end end;
    /* "Name: value" that the last response has, or "Name:" that it has not. */
    const char *field;
    bool finish; /* the client says FIN behind the bytes */
    bool slow;   /* the request is not complete, and only a deadline ends it */
};

/* Sent on an open WebSocket that is an echo. */
struct wrong_frames {
    const char *name;
    struct wrong_bytes bytes;
    /* Frames that come back before anything else, byte for byte. */
    const char *answer;
    size_t answer_length;
    int close; /* the code of the close frame that comes then, or one of: */
};
#define CLOSE_NOT (-1)   /* none: the connection goes on */
#define CLOSE_EMPTY (-2) /* a close frame without a code */
#define ANSWER(text) .answer = (text), .answer_length = sizeof(text) - 1

/* Limits of the server that the rows meet. */
#define WRONG_HEAD_MOST 4096
#define WRONG_FIELDS_MOST 50
#define WRONG_BODY_MOST 10000
#define WRONG_MESSAGE_MOST 70000

extern const struct wrong_request wrong_handshakes[];
extern const struct wrong_request wrong_messages[];
extern const struct wrong_request wrong_bodies[];
extern const size_t wrong_handshake_count;
extern const size_t wrong_message_count;
extern const size_t wrong_body_count;
extern const struct wrong_frames wrong_frames[];
extern const size_t wrong_frame_count;

#endif
