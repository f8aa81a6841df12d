/* Sessions: which are kept, which are resumed, and which outlive a change of the settings. */
#ifndef LWSLOOP_TRANSPORT_TLS_RESUME_H
#define LWSLOOP_TRANSPORT_TLS_RESUME_H

#include "transport/tls_state.h"

#include <stdbool.h>

/* Makes a client's connections leave their sessions in its cache. */
void tls_resume_prepare(SSL_CTX *openssl);

/* Resumes a session of the same kind, if there is one. False where memory is short. */
bool tls_resume(struct tls *tls, const char *name, bool allow_self_signed, const char *session_key);

#endif
