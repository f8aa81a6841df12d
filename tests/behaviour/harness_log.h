/* The log of callbacks: written on the loop's thread, waited for by the test's. */
#ifndef LWSLOOP_TESTS_HARNESS_LOG_H
#define LWSLOOP_TESTS_HARNESS_LOG_H

#include "harness.h"

struct log;

struct log *log_new(void);
void log_free(struct log *log);

/* Takes the record over. */
void log_append(struct log *log, const struct server_record *record);

size_t log_count(struct log *log, enum libwebsocket_callback_reasons reason);

/* Waits for the n-th record of a reason, counted from 0. Returns NULL where the time is up. */
const struct server_record *log_wait(
    struct log *log, enum libwebsocket_callback_reasons reason, size_t n);

const struct server_record *log_nth(struct log *log, size_t n);

#endif
