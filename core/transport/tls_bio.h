/*
 * How OpenSSL reaches the socket: without signals, and telling what OpenSSL itself does not pass
 * on.
 */
#ifndef LWSLOOP_TRANSPORT_TLS_BIO_H
#define LWSLOOP_TRANSPORT_TLS_BIO_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

/* The socket, and what has happened on it. */
struct tls_wire {
    int fd;
    /* Since tls_wire_begin(). */
    int error;     /* errno of a call that failed; 0: none did */
    bool received; /* bytes came in */
    bool blocked;  /* there were none to be had */
    /* As of the last try. */
    bool drained; /* it brought fewer than there was room for: later ones make the socket ready */
    bool ended;   /* the peer sends no more */
    /*
     * Written, and not sent for want of room. To OpenSSL nothing is ever in the way of a write: one
     * that it has to try again it does not keep apart from messages of its own, such as the answer
     * to a change of keys, and while it waits to send one of these it does not read.
     */
    unsigned char *held;
    size_t held_length;
};

static inline void tls_wire_begin(struct tls_wire *wire)
{
    wire->error = 0;
    wire->received = false;
    wire->blocked = false;
}

/* Sends what is held. False with errno where not all of it goes, EAGAIN for want of room. */
bool tls_wire_flush(struct tls_wire *wire);

void tls_wire_free(struct tls_wire *wire);

/* NULL where memory is short. It is to outlive the BIOs made with it. */
BIO_METHOD *tls_bio_method(void);

/* The wire is to outlive the BIO, and is what BIO_get_data() returns. NULL where memory is short.
 */
BIO *tls_bio_new(const BIO_METHOD *method, struct tls_wire *wire);

#endif
