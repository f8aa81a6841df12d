/* The target of a request (RFC 9112 section 3.2) made into the path a program sees. */
#ifndef LWSLOOP_CODEC_REQUEST_TARGET_H
#define LWSLOOP_CODEC_REQUEST_TARGET_H

#include <stdbool.h>
#include <stddef.h>

enum request_target_status {
    REQUEST_TARGET_GOOD,
    REQUEST_TARGET_BAD, /* a wrong escape, %00, or no form that a server serves: 400 */
    REQUEST_TARGET_LONG /* `path` is too small; it never is if it holds strlen(target) + 2 */
};

/*
 * Writes to `path` (size bytes, NUL included): the path with its escapes decoded and then its dot
 * segments removed (never above the root, and always with a leading slash), then '?' and the
 * query as it was sent, if there is one. An escaped question mark stays escaped, so that the
 * first '?' is where the query begins. Origin form, and absolute form with http or https (the
 * authority is dropped); "*" and authority form are BAD here.
 */
enum request_target_status request_target_decode(const char *target, char *path, size_t size);

/*
 * Whether a Host field's value has the form of uri-host [ ":" port ] (RFC 9110 section 7.2). An
 * empty one is good.
 */
bool host_is_valid(const char *host);

#endif
