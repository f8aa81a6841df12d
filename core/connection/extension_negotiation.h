/* Which extensions two ends agree on, and what they say about it in the handshake. */
#ifndef LWSLOOP_CONNECTION_EXTENSION_NEGOTIATION_H
#define LWSLOOP_CONNECTION_EXTENSION_NEGOTIATION_H

#include "base/text.h"
#include "codec/extension_list.h"
#include "connection/connection.h"

#include <stdbool.h>
#include <stddef.h>

/* What is behind `out` of struct lws_extension_negotiation. */
struct negotiation_out {
    struct text *text; /* the offer or answer so far; NULL where nothing can be said */
    size_t start;      /* where its parameters begin */
    const struct extension_element *element; /* what the peer has said; NULL for an offer */
};

/* The most bytes that a context's extensions say, with the NUL. */
size_t extension_text_size(const struct engine *engine);

/*
 * A server's side: agrees on what it can of a client's offer, and leaves in `answer` what is to be
 * said about that, which may be nothing. `session` is what the program's memory will be. False
 * where the connection is not to go on: memory is short, or the program has ended it.
 */
bool extension_accept(
    struct libwebsocket *wsi, void *session, const char *offer, struct text *answer);

/* Lets those that are active look at the whole of it. */
void extension_show_reply(struct libwebsocket *wsi, const struct text *reply);

/* A client's side: adds what is offered. */
void extension_offer(struct libwebsocket *wsi, struct text *offer);

/* And agrees to the server's answer. NULL, or what is wrong with it. */
const char *extension_confirm(struct libwebsocket *wsi, const char *answer);

#endif
