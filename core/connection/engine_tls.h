/* The TLS settings of a context, for the connections it accepts and for those it opens. */
#ifndef LWSLOOP_CONNECTION_ENGINE_TLS_H
#define LWSLOOP_CONNECTION_ENGINE_TLS_H

#include "base/text.h"
#include "transport/tls_settings.h"

#include <stdbool.h>

struct engine;

/* All zero: no TLS for a server, and the system's authorities for clients. */
struct engine_tls {
    struct tls_files server_files; /* copies */
    struct tls_files client_files;
    struct tls_settings *server; /* NULL: what is accepted is not encrypted */
    struct tls_settings *client; /* NULL: not made yet */
    bool require_client_certificate;
    bool allow_plain;
};

/* Copies the paths. False where memory is short; what was copied is freed by engine_tls_free. */
bool engine_tls_copy(struct tls_files *copy, const struct tls_files *files);

/* New settings that are not in use yet; NULL for what is not wanted. */
struct engine_tls_made {
    struct tls_settings *server;
    struct tls_settings *client;
};

/*
 * Makes anew what is made of files: the server's settings where there is a certificate, the
 * clients' where there are files for them or there were settings before. False, and `error` says
 * why, where one cannot be made.
 */
bool engine_tls_make(const struct engine *engine, struct engine_tls_made *made, struct text *error);

/* Lets the program add authorities to it. */
void engine_tls_introduce(struct engine *engine, const struct engine_tls_made *made);

/* Takes it into use, or frees it: false, and all is as it was, where memory is short. */
bool engine_tls_adopt(struct engine *engine, const struct engine_tls_made *made);

/* The settings for clients, made if there are none; NULL, and `error` says why. Calls the program.
 */
struct tls_settings *engine_tls_client(struct engine *engine, struct text *error);

/* Whether any file was named. */
bool engine_tls_has_files(const struct engine_tls *tls);

void engine_tls_free(struct engine_tls *tls);

#endif
