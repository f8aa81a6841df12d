/*
 * A TLS client and a TLS server on two ends of a connection in one thread, served as the engine
 * serves them: only where the descriptor is ready for what the transport waits for, or where it
 * says that it holds something.
 */
#ifndef LWSLOOP_TESTS_TLS_PAIR_H
#define LWSLOOP_TESTS_TLS_PAIR_H

#include "support/random_sequence.h"
#include "transport/tls.h"

#include <stdbool.h>
#include <stddef.h>

/* What the system does to the calls for I/O. */
enum cutting { CUT_NONE, CUT_SINGLE_BYTES, CUT_RANDOM, CUT_EAGAIN, CUT_EINTR, CUTTINGS };

struct cut {
    enum cutting how;
    int blocked;         /* this descriptor takes nothing; -1: none */
    long budget;         /* bytes that are still carried; negative: no limit */
    unsigned long reads; /* calls, successful or not */
    struct random_sequence random;
};
extern struct cut cut;
void cut_set(enum cutting how);

/* To begin each test with, where they all run in one process. */
void cut_nothing(void);

struct end {
    struct transport transport;
    const unsigned char *out;
    size_t out_length;
    size_t out_sent;
    bool choked;
    unsigned char *in; /* room for in_size */
    size_t in_size;
    size_t in_length;
    bool ended;
    bool failed;
    bool stopped;                   /* takes no input */
    struct random_sequence *random; /* NULL: as much at a time as possible */
};

struct pair {
    struct end client;
    struct end server;
};

enum { TLS_WORDS_SIZE = 256 };

struct tls_files; /* of transport/tls_settings.h */

/* Settings that are expected to be good; certificate names are those of tls_certificates.h. */
struct tls_settings *tls_server_of(const char *certificate);
struct tls_settings *tls_client_of(const char *authorities);
void tls_limit_version(struct tls_settings *settings, int version);

/* A pair of plain transports, with buffers as small as can be where asked for. */
void pair_connect(struct pair *pair, bool small);
void pair_close(struct pair *pair);

/* Encrypts both ends; the settings stay the caller's. */
void pair_encrypt(struct pair *pair, struct tls_settings *client, struct tls_settings *server);

/* Shakes hands until both ends are through or have failed; the words of those that have. */
struct shaken {
    enum transport_result client, server;
    char client_words[TLS_WORDS_SIZE], server_words[TLS_WORDS_SIZE];
};
struct shaken pair_shake(struct pair *pair);

/* A connected, encrypted pair that has shaken hands. It releases the settings. */
void pair_open(
    struct pair *pair, bool small, struct tls_settings *client, struct tls_settings *server);

/* Serves both ends until both have sent and received all that they have and have room for. */
void pair_exchange(struct pair *pair);

/* One round: waits until something is ready, at most so long, and serves it. False: nothing was. */
bool pair_serve(struct pair *pair, int timeout_ms);

/* An open pair of that version. */
void pair_open_version(struct pair *pair, bool small, int version);

/* The client reads its tickets, so that they do not disturb. */
void pair_settle(struct pair *pair);

bool end_readable(const struct end *end);
void end_wait(const struct end *end, short events);
void end_send(struct end *end, const void *bytes, size_t length); /* which has to go whole */
enum transport_result end_receive(struct end *end, size_t size, size_t *moved); /* and forgets */
void end_update_keys(struct end *end); /* and asks for the peer's to change too */

SSL *end_ssl(const struct end *end);
const char *end_words(const struct end *end);

#endif
