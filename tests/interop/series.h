/*
 * A series of messages that is sent to a server that echoes, and checked as it comes back: text and
 * binary of many sizes, whole and in fragments, one by one; then many small ones without waiting.
 */
#ifndef LWSLOOP_TESTS_SERIES_H
#define LWSLOOP_TESTS_SERIES_H

#include <libwebsockets.h>

#include <stdbool.h>
#include <stddef.h>

struct series_plan;

struct series {
    const struct series_plan *plan;
    unsigned int sending;  /* the message being sent, or to be sent next */
    unsigned int fragment; /* of it */
    size_t sent;           /* bytes of it */
    unsigned int receiving;
    size_t received;
    unsigned int pings; /* sent, and answered */
    unsigned int pongs;
    unsigned char *scratch; /* what is given to libwebsocket_write() */
    char fault[256];        /* what was wrong */
};

enum series_result { SERIES_GOES_ON, SERIES_DONE, SERIES_FAILED };

/*
 * The series' name is one of these:
 *
 *   plain   patterns up to 1 MiB
 *   packed  records of JSON and random bytes up to 300000, pinged between fragments
 *   large   the same up to 16 MiB
 *
 * False where there is none of that name, or no memory.
 */
bool series_start(struct series *series, const char *name);
void series_end(struct series *series);

/* Writes as much as goes; to be called when the connection is established, and in WRITEABLE. */
enum series_result series_send(struct series *series, struct libwebsocket *wsi);

/* Checks a piece that has come, in CLIENT_RECEIVE. */
enum series_result series_receive(
    struct series *series, struct libwebsocket *wsi, const unsigned char *in, size_t len);

/* Checks a pong, in CLIENT_RECEIVE_PONG: SERIES_GOES_ON or SERIES_FAILED. */
enum series_result series_pong(struct series *series, const void *in, size_t len);

#endif
