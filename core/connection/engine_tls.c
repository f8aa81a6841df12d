#include "connection/engine_tls.h"

#include "connection/engine.h"

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

/* OpenSSL asks about a client's certificate, and so does the engine the program. */
static bool ask_program(void *user, X509_STORE_CTX *store, SSL *ssl, bool good)
{
    struct engine *engine = user;
    int refused = engine->protocols[0].callback(NULL, NULL,
        LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION, store, ssl, good ? 1 : 0);

    return !refused && (good || X509_STORE_CTX_get_error(store) == X509_V_OK);
}

static void introduce(
    struct engine *engine, enum libwebsocket_callback_reasons reason, struct tls_settings *settings)
{
    if (settings)
        (void)engine_callback(
            engine, &engine->protocols[0], reason, tls_settings_openssl(settings));
}

void engine_tls_introduce(struct engine *engine)
{
    introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS, engine->tls.server);
    introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, engine->tls.client);
}

/* What was agreed with the old settings can be resumed with the new ones. */
static bool replace(struct tls_settings **old, struct tls_settings *settings)
{
    if (*old && settings && !tls_settings_inherit(settings, *old))
        return false;
    tls_settings_release(*old);
    *old = settings;
    return true;
}

static bool names_client_files(const struct engine_tls *tls)
{
    return tls->client_files.certificate || tls->client_files.key || tls->client_files.authorities;
}

bool engine_tls_load(struct engine *engine, struct text *error)
{
    struct engine_tls *tls = &engine->tls;
    bool wants_server = tls->server_files.certificate || tls->server_files.key;
    bool wants_client = tls->client || names_client_files(tls);
    struct tls_settings *server = NULL, *client = NULL;

    if (wants_server && !(server = tls_settings_server(&tls->server_files,
                              tls->require_client_certificate ? ask_program : NULL, engine, error)))
        return false;
    if (wants_client && !(client = tls_settings_client(&tls->client_files, error))) {
        tls_settings_release(server);
        return false;
    }
    if (server && !replace(&tls->server, server)) {
        text_add(error, "out of memory");
        tls_settings_release(server);
        tls_settings_release(client);
        return false;
    }
    if (client && !replace(&tls->client, client)) {
        /* The server's are good and in use; clients go on with what they had. */
        text_add(error, "out of memory");
        tls_settings_release(client);
        return false;
    }
    return true;
}

struct tls_settings *engine_tls_client(struct engine *engine, struct text *error)
{
    struct engine_tls *tls = &engine->tls;

    if (!tls->client) {
        tls->client = tls_settings_client(&tls->client_files, error);
        introduce(engine, LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS, tls->client);
    }
    return tls->client;
}

bool engine_tls_has_files(const struct engine_tls *tls)
{
    return tls->server_files.certificate || tls->server_files.key || names_client_files(tls);
}

void engine_tls_free(struct engine_tls *tls)
{
    tls_settings_release(tls->server);
    tls_settings_release(tls->client);
    free_files(&tls->server_files);
    free_files(&tls->client_files);
    memset(tls, 0, sizeof(*tls));
}
