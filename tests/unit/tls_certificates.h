/* Keys and certificates for the tests of TLS, made anew for each run in a folder of their own. */
#ifndef LWSLOOP_TESTS_TLS_CERTIFICATES_H
#define LWSLOOP_TESTS_TLS_CERTIFICATES_H

enum { TLS_PATH_SIZE = 128 };

#define TLS_KEY_PASSWORD "correct horse"

/* In the present folder; fixtures for a whole case. */
void tls_certificates_make(void);
void tls_certificates_remove(void);

/*
 * The path of one of them, valid until some more calls later:
 *
 *   root.pem          the authority
 *   other-root.pem    another one, of the same name
 *   server.pem        a chain: a server's, then an authority's between it and the root
 *   server.key        and its key
 *   encrypted.key     the same key, with TLS_KEY_PASSWORD
 *   leaf.pem          only the first of the chain
 *   expired.pem  future.pem  self.pem  self-expired.pem  self-future.pem    with server.key
 *   stranger.pem      from other-root, with server.key
 *   client.pem  client.key                   a client's, from root
 *   strange-client.pem                       from other-root, with client.key
 *   empty.pem  garbage.pem  torn.pem         not certificates, nor keys
 *
 * Servers' are for localhost, *.example.test, 127.0.0.1 and ::1.
 */
const char *tls_path(const char *name);

/* Writes a file there, and returns its path. */
const char *tls_write_file(const char *name, const void *bytes, unsigned long length);

#endif
