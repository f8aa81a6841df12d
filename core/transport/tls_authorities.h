/* The certificates of authorities that the system trusts. */
#ifndef LWSLOOP_TRANSPORT_TLS_AUTHORITIES_H
#define LWSLOOP_TRANSPORT_TLS_AUTHORITIES_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* False where OpenSSL cannot use them; its error queue tells. */
bool tls_use_system_authorities(SSL_CTX *openssl);

#endif
