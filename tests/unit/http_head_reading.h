/* Heads of requests and of responses read under guard pages, for the tests of either. */
#ifndef LWSLOOP_TESTS_HTTP_HEAD_READING_H
#define LWSLOOP_TESTS_HTTP_HEAD_READING_H

#include "codec/http_head.h"
#include "support/random_sequence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT(literal) literal, sizeof(literal) - 1

enum { FIELDS = 8, HEAD_LENGTH_MAX = 256 };

/*
 * What was read is told as "method target minor" or "minor status reason", and for each field
 * "|name=value"; NULL where the head is not DONE. `left` is how many bytes at the end are not
 * taken.
 */
struct http_head_case {
    const char *bytes;
    size_t length; /* HEAD_LENGTH_MAX at most */
    enum http_head_status status;
    size_t left;
    const char *told;
};

/* A parser with its storage ending at a guard page. */
struct reading {
    struct http_head head;
    struct http_field *fields;
    uint32_t storage_size;
    enum http_head_status status;
    size_t used;
};

void start_request(struct reading *reading, uint32_t storage_size);
void start_response(struct reading *reading, uint32_t storage_size);
void finish_reading(struct reading *reading);

/* Feeds a piece that ends at a guard page, with more storage, a byte at a time, as it is asked. */
void feed(struct reading *reading, const char *bytes, size_t length);

/* What a head of this text comes to, in storage of the text's length. */
enum http_head_status read_whole(const char *text, size_t length, bool response);

/* The same with one byte between two texts, both of which are short. */
enum http_head_status read_around(const char *before, int byte, const char *after, bool response);

/* Each checks that the case comes out as it says, and fails the test where it does not. */
void check_every_split(const struct http_head_case *expected, bool response);
void check_byte_by_byte(const struct http_head_case *expected, bool response);
void check_growing_storage(const struct http_head_case *expected, bool response);

/* A fault and an end stay what they are, whatever is fed. */
void check_the_end_stays(const struct http_head_case *expected, bool response);

/* Storage that stays full takes nothing more, and asks again each time. Returns whether DONE. */
bool check_fixed_storage(const char *text, size_t length, uint32_t size, bool response);

/* The case with some bytes spoilt is read the same whole and in pieces of any size. */
void check_spoilt(const struct http_head_case *from, bool response, const char *hostile,
    size_t hostile_length, struct random_sequence *sequence);

#endif
