/*
 * permessage-deflate (RFC 7692) of one end of a connection, by zlib alone and independent of the
 * library, for the peers that tests are.
 */
#ifndef LWSLOOP_TESTS_WS_DEFLATE_H
#define LWSLOOP_TESTS_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct ws_deflate;

/* What was agreed; all zero is what an answer without parameters says. */
struct ws_deflate_terms {
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    int server_max_window_bits; /* 0 where it is not mentioned */
    int client_max_window_bits;
};

/*
 * The terms in a server's answer, such as "permessage-deflate; server_max_window_bits=10". Fails
 * the test where the answer is not of this form, each parameter once and with a value from 8 to 15.
 */
struct ws_deflate_terms ws_deflate_terms_of(const char *answer);

/* The server's end of a connection, or the client's. */
struct ws_deflate *ws_deflate_new(const struct ws_deflate_terms *terms, bool serves);
void ws_deflate_free(struct ws_deflate *stream);

/* Compresses a part of a message, up to and with its end or a flush. Freed by the caller. */
unsigned char *ws_deflate_pack(
    struct ws_deflate *stream, const void *bytes, size_t length, bool ends_message, size_t *packed);

/* What was packed last is not sent: nothing that comes after refers to it, or to what was before.
 */
void ws_deflate_forget(struct ws_deflate *stream);

/* Whether what was unpacked ends with a flush, where the sender has put the end of a part. */
bool ws_deflate_is_flushed(const struct ws_deflate *stream);

/*
 * Decompresses some bytes of a message, and appends the result to *result, which is reallocated, or
 * made where it is NULL, and has *length bytes. Returns NULL, or what is wrong with the bytes.
 */
const char *ws_deflate_unpack(struct ws_deflate *stream, const void *bytes, size_t packed,
    bool ends_message, unsigned char **result, size_t *length);

#endif
