#include "connection/engine_tls.h"

#include "connection/engine.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static bool copy_text(const char **copy, const char *text)
{
    *copy = text ? strdup(text) : NULL;
    return *copy || !text;
}

bool engine_tls_copy(struct tls_files *copy, const struct tls_files *files)
{
    return copy_text(&copy->certificate, files->certificate) && copy_text(&copy->key, files->key) &&
           copy_text(&copy->authorities, files->authorities) &&
           copy_text(&copy->ciphers, files->ciphers) && copy_text(&copy->password, files->password);
}

static void free_files(struct tls_files *files)
{
    free((char *)(size_t)files->certificate);
    free((char *)(size_t)files->key);
    free((char *)(size_t)files->authorities);
    free((char *)(size_t)files->ciphers);
    if (files->password)
        OPENSSL_cleanse((char *)(size_t)files->password, strlen(files->password));
    free((char *)(size_t)files->password);
}

/*
 * OpenSSL asks about a client's certificate, and so does the engine the program. Errors that the
 * program leaves in OpenSSL's queue would be taken for the handshake's.
 */
static bool ask_program(void *user, X509_STORE_CTX *store, SSL *ssl, bool good)
{
    struct engine *engine = user;
    int refused;

    (void)ERR_set_mark();
    refused = protocol_call(&engine->protocols[0], NULL, NULL,
        LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION, store, ssl, good ? 1 : 0);
    (void)ERR_pop_to_mark();
    return !refused && (good || X509_STORE_CTX_get_error(store) == X509_V_OK);
}

static void introduce(
    struct engine *engine, enum libwebsocket_callback_reasons reason, struct tls_settings *settings)
{
    if (settings)
        (void)engine_callback(
            engine, &engine->protocols[0], reason, tls_settings_openssl(settings));
}

void engine_tls_introduce(struct engine *engine, const struct engine_tls_made *made)
{
    introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, made->server);
    introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, made->client);
}

static bool names_client_files(const struct engine_tls *tls)
{
    return tls->client_files.certificate || tls->client_files.key || tls->client_files.authorities;
}

bool engine_tls_make(const struct engine *engine, struct engine_tls_made *made, struct text *error)
{
    const struct engine_tls *tls = &engine->tls;

    *made = (struct engine_tls_made){0};
    if (tls->server_files.certificate) {
        /* The verifier needs the program's callback, which never changes. */
        made->server = tls_settings_server(&tls->server_files,
            tls->require_client_certificate ? ask_program : NULL, (void *)(uintptr_t)engine, error);
        if (!made->server)
            return false;
    }
    if (tls->client || names_client_files(tls)) {
        made->client = tls_settings_client(&tls->client_files, error);
        if (!made->client) {
            tls_settings_release(made->server);
            return false;
        }
    }
    return true;
}

/* What was agreed with the old settings can be resumed with the new ones, where that is safe. */
static bool inherit(struct tls_settings *settings, struct tls_settings *old)
{
    return !settings || !old || tls_settings_inherit(settings, old);
}

static void replace(struct tls_settings **old, struct tls_settings *settings)
{
    if (!settings)
        return;
    tls_settings_release(*old);
    *old = settings;
}

bool engine_tls_adopt(struct engine *engine, const struct engine_tls_made *made)
{
    struct engine_tls *tls = &engine->tls;

    if (!inherit(made->server, tls->server) || !inherit(made->client, tls->client)) {
        tls_settings_release(made->server);
        tls_settings_release(made->client);
        return false;
    }
    replace(&tls->server, made->server);
    replace(&tls->client, made->client);
    return true;
}

struct tls_settings *engine_tls_client(struct engine *engine, struct text *error)
{
    struct engine_tls *tls = &engine->tls;

    if (!tls->client) {
        struct tls_settings *made = tls_settings_client(&tls->client_files, error);

        if (!made)
            return NULL;
        /* The program may have the files read again meanwhile. */
        tls->client = tls_settings_hold(made);
        introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, made);
        tls_settings_release(made);
    }
    return tls->client;
}

bool engine_tls_has_files(const struct engine_tls *tls)
{
    return tls->server_files.certificate || names_client_files(tls);
}

void engine_tls_free(struct engine_tls *tls)
{
    tls_settings_release(tls->server);
    tls_settings_release(tls->client);
    free_files(&tls->server_files);
    free_files(&tls->client_files);
    memset(tls, 0, sizeof(*tls));
}
