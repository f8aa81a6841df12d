/* Heads of requests and of responses read in pieces, into storage that grows. */
#ifndef LWSLOOP_FUZZ_HEAD_READING_H
#define LWSLOOP_FUZZ_HEAD_READING_H

#include "codec/http_head.h"
#include "fuzz.h"

struct reading {
    struct http_head head;
    struct http_field *fields;
    enum http_head_status status;
    size_t taken;
};

/* The whole input at once, into more storage than it can need. */
struct reading read_whole(const uint8_t *data, size_t size, uint32_t fields, bool response);

void finish_reading(struct reading *reading);

/* The string is all within the storage that is used, and so is the NUL behind it. */
void check_text(const struct http_head *head, uint32_t offset, uint32_t length);

/* What the fields of a head that is DONE have to be. */
void check_fields(const struct http_head *head);

/* A head of this start line and the fields of another is read as that other was. */
void check_written(const struct http_head *head, const char *start_line);

/* However the input is cut, and however often the storage moves, it is read as the whole was. */
void check_cut(const uint8_t *data, size_t size, unsigned int choice, const struct reading *whole);

#endif
