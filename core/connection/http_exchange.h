/* One request and its answer: what is kept from the first byte of the one to the last of the other.
 */
#ifndef LWSLOOP_CONNECTION_HTTP_EXCHANGE_H
#define LWSLOOP_CONNECTION_HTTP_EXCHANGE_H

#include "codec/http_body.h"
#include "codec/http_head.h"
#include "connection/connection.h"
#include "connection/header_tokens.h"

#include <stdbool.h>
#include <sys/types.h>

/* Who answers, and how far that is. */
enum http_answer {
    HTTP_ANSWER_NONE, /* nobody yet */
    HTTP_ANSWER_RAW,  /* the program, in bytes whose end only it knows */
    HTTP_ANSWER_FILE, /* the engine is sending a file */
    HTTP_ANSWER_SENT  /* all of it has been handed to the backlog */
};

/* Where the end of a head is in bytes that the program writes. */
enum raw_head { RAW_LINE, RAW_LINE_START, RAW_LINE_START_CR, RAW_BODY };

struct http_exchange {
    struct http_head head;
    struct http_body body;
    char *path; /* decoded; NULL until the head is complete */
    unsigned char answer;
    unsigned char raw_head;
    bool head_complete;
    bool keep_alive;   /* the connection goes on after the answer */
    bool without_body; /* the request was HEAD */
    int refusal;       /* status to answer with when the body has been passed over; 0 for none */
    int file;          /* -1 for none */
    char *file_path;   /* kept for programs that are told it; NULL for none */
    off_t file_offset;
    uint64_t file_remaining;
    struct header_tokens tokens;
    const struct acceptance *acceptance; /* of a handshake that the program may still refuse */
};

/* Returns the connection's, made if there is none; NULL where memory is short. */
struct http_exchange *http_exchange_begin(struct libwebsocket *wsi);

/* Frees the connection's, if there is one. */
void http_exchange_free(struct libwebsocket *wsi);

/* Whether what the client sends meanwhile is thrown away: after an answer without a known end. */
bool http_exchange_ignores_input(const struct libwebsocket *wsi);

/* Whether a file is being sent. */
bool http_exchange_sends_file(const struct libwebsocket *wsi);

#endif
