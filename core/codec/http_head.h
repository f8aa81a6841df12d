/*
 * The head of an HTTP/1.x request or response (RFC 9112 sections 2 to 5): request line or status
 * line, and header fields, up to and including the empty line. Strict: what smuggling relies on
 * (obs-fold, white space before a colon, a bare CR or LF, NUL and control characters) is a fault,
 * found at the byte that shows it. Only the space that ends a status code may be missing where no
 * reason follows, as many servers leave it out.
 *
 * The parser copies what it needs into storage of the caller's, which may be replaced by a larger
 * piece on the way; it allocates nothing.
 */
#ifndef LWSLOOP_CODEC_HTTP_HEAD_H
#define LWSLOOP_CODEC_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets into the storage. Both strings are followed by a NUL there. */
struct http_field {
    uint32_t name;
    uint32_t name_length;
    uint32_t value;
    uint32_t value_length; /* without white space around it */
};

enum http_head_status {
    HTTP_HEAD_MORE,         /* all bytes taken, the head goes on */
    HTTP_HEAD_DONE,         /* the empty line was taken */
    HTTP_HEAD_STORAGE_FULL, /* call http_head_move with more, then go on; else a request gets 431 */
    HTTP_HEAD_FIELDS_FULL,  /* more fields than there is room for: a request gets 431 */
    HTTP_HEAD_BAD,          /* not HTTP: a request gets 400 */
    HTTP_HEAD_BAD_VERSION   /* HTTP, but not 1.x: a request gets 505 */
};

struct http_head {
    char *storage;
    uint32_t storage_size;
    uint32_t storage_used;
    struct http_field *fields;
    uint32_t fields_max;
    uint32_t fields_count;
    /* Valid once DONE. Offsets into the storage, each string followed by a NUL. */
    uint32_t method;             /* of a request */
    uint32_t target;             /* of a request; as sent, not decoded */
    uint32_t reason;             /* of a response: "101 Switching Protocols", or "101" alone */
    uint16_t status;             /* of a response: 100 to 599; 0 for a request */
    unsigned char version_minor; /* of HTTP/1.x; more than 1 is to be treated as 1 */
    /* The parser's own. */
    bool response;
    unsigned char state;
    uint32_t mark;
};

/* Makes ready for a request's head. The storage and the fields stay the caller's. */
void http_head_init(struct http_head *head, char *storage, uint32_t storage_size,
    struct http_field *fields, uint32_t fields_max);

/* Makes ready for a response's head, in the same way. */
void http_head_init_response(struct http_head *head, char *storage, uint32_t storage_size,
    struct http_field *fields, uint32_t fields_max);

/*
 * Takes bytes from `in`; *used is how many. At most one empty line (CRLF) before a request line is
 * passed over, as RFC 9112 section 2.2 asks, and none before a status line. After a status other
 * than MORE and STORAGE_FULL the parser is not fed again before it is made ready anew.
 */
enum http_head_status http_head_parse(
    struct http_head *head, const unsigned char *in, size_t length, size_t *used);

/*
 * Whether any byte of a start line has been taken, so that a time-out of a request deserves an
 * answer. A wrong first byte counts too.
 */
bool http_head_started(const struct http_head *head);

/* Whether the target has begun and not ended, so that it is what is too long: 414. */
bool http_head_in_target(const struct http_head *head);

/* The caller has copied storage_used bytes to a larger storage; all goes on from there. */
void http_head_move(struct http_head *head, char *storage, uint32_t storage_size);

/*
 * The first field of that name at or after *at (start with 0), in any case of letters; NULL if
 * there is none. *at is moved behind it, for the next of the same name.
 */
const struct http_field *http_head_find(
    const struct http_head *head, const char *name, uint32_t *at);

/* How many fields have that name. */
uint32_t http_head_count(const struct http_head *head, const char *name);

static inline const char *http_head_text(const struct http_head *head, uint32_t offset)
{
    return head->storage + offset;
}

#endif
