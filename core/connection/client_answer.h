/* The head of what a proxy or a server answers a client. */
#ifndef LWSLOOP_CONNECTION_CLIENT_ANSWER_H
#define LWSLOOP_CONNECTION_CLIENT_ANSWER_H

#include "connection/client.h"

enum client_answer_status { CLIENT_ANSWER_MORE, CLIENT_ANSWER_DONE, CLIENT_ANSWER_BAD };

/*
 * Takes bytes of the head; *used is how many. Interim answers (100 and others below 200, but not
 * 101) are passed over, a few of them. BAD: *why says in what way.
 */
enum client_answer_status client_answer_read(struct client_answer *answer,
    const struct limits *limits, const unsigned char *bytes, size_t length, size_t *used,
    const char **why);

/* Makes ready for the next answer, and frees what there is. */
void client_answer_clear(struct client_answer *answer);

#endif
