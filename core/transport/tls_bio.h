/*
 * How OpenSSL reaches the socket: without signals, and telling what OpenSSL itself does not pass
 * on.
 */
#ifndef LWSLOOP_TRANSPORT_TLS_BIO_H
#define LWSLOOP_TRANSPORT_TLS_BIO_H

#include <openssl/ssl.h>
#include <stdbool.h>

enum { TLS_HELD_MOST = 64 };

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
     * While OpenSSL cannot send a message of its own it does not read either, so that two ends that
     * wait to answer each other's changes of keys would wait for ever. Such a message is held here
     * when there is no room for it. It is only sent before bytes of the program's, and these wait.
     */
    const SSL *ssl; /* whose messages are held; NULL while it shakes hands */
    unsigned char held_length;
    unsigned char held[TLS_HELD_MOST];
};

static inline void tls_wire_begin(struct tls_wire *wire)
{
    wire->error = 0;
    wire->received = false;
    wire->blocked = false;
}

/* NULL where memory is short. It is to outlive the BIOs made with it. */
BIO_METHOD *tls_bio_method(void);

/* The wire is to outlive the BIO, and is what BIO_get_data() returns. NULL where memory is short.
 */
BIO *tls_bio_new(const BIO_METHOD *method, struct tls_wire *wire);

#endif
