/* Subprotocols: lists of them as clients offer them, and the context's own. */
#ifndef LWSLOOP_CONNECTION_SUBPROTOCOL_H
#define LWSLOOP_CONNECTION_SUBPROTOCOL_H

#include "connection/engine.h"

#include <stddef.h>

/* NULL where an offer is a list of unique tokens that is not too long; else what is wrong. */
const char *subprotocol_offer_fault(const char *offer);

/* The context's protocol of that name; NULL if there is none. */
struct protocol *subprotocol_find(struct engine *engine, const char *name, size_t length);

/* The first of an offer that the context has, and where its name is in the offer; NULL for none. */
struct protocol *subprotocol_first_known(
    struct engine *engine, const char *offer, const char **name, size_t *length);

/* The one for connections that have agreed on none. */
struct protocol *subprotocol_of_nobody(struct engine *engine);

#endif
