/*
 * Where the body of a request ends (RFC 9112 section 6): passes over a body of known length or
 * a chunked one, in any number of pieces.
 */
#ifndef LWSLOOP_CODEC_HTTP_BODY_H
#define LWSLOOP_CODEC_HTTP_BODY_H

#include "codec/http_head.h"

#include <stddef.h>
#include <stdint.h>

enum http_body_status {
    HTTP_BODY_MORE,
    HTTP_BODY_DONE,
    HTTP_BODY_TOO_LARGE, /* more than the limit: 413 */
    HTTP_BODY_BAD        /* bad framing: 400, and the connection cannot go on */
};

struct http_body {
    uint64_t remaining; /* of a known length, or of the chunk at hand */
    uint64_t total;     /* chunked: payload bytes announced so far */
    uint64_t limit;
    uint32_t line; /* bytes of the present chunk-size or trailer line */
    unsigned char state;
};

/*
 * Works out from the fields how the body is framed. DONE: there is none. MORE: feed it. BAD also
 * for both length fields at once, a Content-Length that is not one number (a list of equal ones
 * is), a transfer coding before chunked or without it, and Transfer-Encoding in HTTP/1.0.
 * TOO_LARGE where the announced length already is. *unknown_coding is set (with BAD) where the
 * codings are well-formed but not known: 501.
 */
enum http_body_status http_body_begin(
    struct http_body *body, const struct http_head *head, uint64_t limit, bool *unknown_coding);

/* Takes body bytes from `in`; *used is how many, never one behind the end of the body. */
enum http_body_status http_body_skip(
    struct http_body *body, const unsigned char *in, size_t length, size_t *used);

#endif
