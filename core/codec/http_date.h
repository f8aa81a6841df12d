/* Dates of HTTP (RFC 9110 section 5.6.7), without the locale. */
#ifndef LWSLOOP_CODEC_HTTP_DATE_H
#define LWSLOOP_CODEC_HTTP_DATE_H

#include <stdbool.h>
#include <time.h>

enum { HTTP_DATE_SIZE = 30 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */

/* Writes the preferred form. Returns false for a year that does not have four digits. */
bool http_date_format(time_t when, char text[HTTP_DATE_SIZE]);

/*
 * Reads any of the three forms; the whole text must be the date. `now` decides the century of the
 * two-digit years of RFC 850 dates.
 */
bool http_date_parse(const char *text, time_t now, time_t *when);

#endif
