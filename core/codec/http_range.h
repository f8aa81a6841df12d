/* The Range field (RFC 9110 section 14.2), for one range of bytes. */
#ifndef LWSLOOP_CODEC_HTTP_RANGE_H
#define LWSLOOP_CODEC_HTTP_RANGE_H

#include <stdint.h>

enum http_range_status {
    HTTP_RANGE_IGNORE,       /* another unit, bad syntax, or several ranges: answer 200 */
    HTTP_RANGE_PARTIAL,      /* answer 206 with *first to *last */
    HTTP_RANGE_UNSATISFIABLE /* answer 416 */
};

/* `size` is the representation's; *first and *last are the positions of bytes, both included. */
enum http_range_status http_range_parse(
    const char *value, uint64_t size, uint64_t *first, uint64_t *last);

#endif
