/*
 * TLS on a non-blocking socket, by OpenSSL alone, for the peers that tests are: either end, for
 * struct ws_client and on its own. No call raises SIGPIPE.
 */
#ifndef LWSLOOP_TESTS_TLS_STREAM_H
#define LWSLOOP_TESTS_TLS_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "ws_client.h"

/* Files in PEM form; all members may be NULL. */
struct tls_files {
    const char *certificate; /* a chain */
    const char *key;
    const char *authorities; /* what the peer's certificate must come from; NULL: not looked at */
};

/* Settings of a client or a server; freed with SSL_CTX_free(). Fails the test where it cannot. */
SSL_CTX *tls_client_settings(const struct tls_files *files);
SSL_CTX *tls_server_settings(const struct tls_files *files);

/*
 * Has the bytes of a connected client, or of one that was accepted, carried by TLS. The handshake
 * is made by the first call that moves bytes. The settings stay the caller's.
 */
void tls_carry_client(struct ws_client *client, SSL_CTX *settings);
void tls_carry_server(struct ws_client *client, SSL_CTX *settings);

/* Makes the handshake now. Returns whether it succeeded; the deadline is WS_PATIENCE_MS. */
bool tls_handshake(struct ws_client *client);

/* Lets only so many more bytes out on the socket; what would send more fails. */
void tls_stop_behind(struct ws_client *client, size_t bytes);

/* The connection, to look at; NULL where the bytes are not carried by TLS. */
SSL *tls_of(const struct ws_client *client);

/* Whether the peer has said close_notify. */
bool tls_ended_cleanly(const struct ws_client *client);

#endif
