/*
 * Peers that do not answer, or not enough: servers and proxies that clients of the library connect
 * to, and callers of a server of the library. All but the deaf ones live on a thread of their own.
 */
#ifndef LWSLOOP_TESTS_PEERS_H
#define LWSLOOP_TESTS_PEERS_H

#include <stdbool.h>
#include <stdint.h>

enum peer {
    PEER_DEAF,    /* its queue is full: who connects is never answered */
    PEER_SILENT,  /* accepts, and says nothing */
    PEER_HALF,    /* TLS: says half of what answers the first message */
    PEER_TRICKLE, /* answers a request, a byte in 50 ms, without an end */
    PEERS
};

enum caller {
    CALLER_SILENT, /* says nothing */
    CALLER_HALF,   /* TLS: takes the server's answer to its first message, and says no more */
    CALLERS
};

/* Files server.pem and server.key are looked for in a folder; a Unix-domain socket whose queue is
 * full is made there, and named "full". Returns false with a line on stderr. */
bool peers_start(const char *folder);

/* On 0.0.0.0. */
int peers_port(enum peer peer);

/* Begins to call a server at a port of 127.0.0.1. */
bool peers_call(int port);

/* Milliseconds from a call to its end; -1: it has not ended. */
int64_t peers_call_lasted(enum caller caller);

/* Whether the callers that speak TLS had an answer. */
bool peers_were_answered(void);

void peers_stop(void);

#endif
