#include "tls_certificates.h"

#include <check.h>
#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HOUR = 3600, DAY = 24 * HOUR, PATHS = 8 };

static const char server_names[] = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1";

static char folder[TLS_PATH_SIZE / 2];
static long serial;

struct wish {
    const char *subject;
    const char *names; /* NULL: none */
    bool authority;
    long from; /* seconds from now */
    long until;
};

static void must(int good, const char *what)
{
    if (good <= 0) {
        ERR_print_errors_fp(stderr);
        fprintf(stderr, "cannot make certificates: %s\n", what);
        abort();
    }
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension != NULL, value);
    must(X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

/* Without an issuer it is its own. */
static X509 *make(const struct wish *wish, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *certificate = X509_new();
    X509_NAME *subject;

    must(certificate != NULL, "memory");
    must(X509_set_version(certificate, X509_VERSION_3), "version");
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial), "serial number");
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), wish->from) != NULL, "date");
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), wish->until) != NULL, "date");
    must(X509_set_pubkey(certificate, key), "public key");
    subject = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(
             subject, "CN", MBSTRING_ASC, (const unsigned char *)wish->subject, -1, -1, 0),
        "subject");
    must(X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject),
        "issuer");
    add_extension(certificate, issuer ? issuer : certificate, NID_basic_constraints,
        wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, issuer ? issuer : certificate, NID_subject_key_identifier, "hash");
    if (issuer)
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    if (wish->names)
        add_extension(certificate, certificate, NID_subject_alt_name, wish->names);
    must(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()), "signature");
    return certificate;
}

static FILE *create(const char *name)
{
    FILE *file = fopen(tls_path(name), "w");

    must(file != NULL, name);
    return file;
}

static void write_certificates(const char *name, X509 *first, X509 *second)
{
    FILE *file = create(name);

    must(PEM_write_X509(file, first), name);
    if (second)
        must(PEM_write_X509(file, second), name);
    must(fclose(file) == 0, name);
}

static void write_key(const char *name, EVP_PKEY *key, const char *password)
{
    FILE *file = create(name);

    must(PEM_write_PKCS8PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL, password,
             password ? (int)strlen(password) : 0, NULL, NULL),
        name);
    must(fclose(file) == 0, name);
}

static void make_and_write(
    const char *name, struct wish wish, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *certificate = make(&wish, key, issuer, issuer_key);

    write_certificates(name, certificate, NULL);
    X509_free(certificate);
}

void tls_certificates_make(void)
{
    static const struct wish root_wish = {"Root", NULL, true, -DAY, 365L * DAY};
    static const struct wish between_wish = {"Between", NULL, true, -DAY, 365L * DAY};
    static const struct wish server_wish = {"server", server_names, false, -DAY, 365L * DAY};
    static const struct wish expired = {"server", server_names, false, -30L * DAY, -HOUR};
    static const struct wish future = {"server", server_names, false, DAY, 365L * DAY};
    static const struct wish client_wish = {"client", NULL, false, -DAY, 365L * DAY};
    const char *temporary = getenv("TMPDIR");
    EVP_PKEY *root_key = EVP_EC_gen("P-256");
    EVP_PKEY *between_key = EVP_EC_gen("P-256");
    EVP_PKEY *server_key = EVP_EC_gen("P-256");
    EVP_PKEY *client_key = EVP_EC_gen("P-256");
    X509 *root, *other_root, *between, *server;

    snprintf(folder, sizeof folder, "%s/lwsloop-tls-XXXXXX",
        temporary && strlen(temporary) < sizeof(folder) / 2 ? temporary : "/tmp");
    must(mkdtemp(folder) != NULL, folder);
    must(root_key && between_key && server_key && client_key, "keys");
    root = make(&root_wish, root_key, NULL, NULL);
    other_root = make(&root_wish, between_key, NULL, NULL);
    between = make(&between_wish, between_key, root, root_key);
    server = make(&server_wish, server_key, between, between_key);
    write_certificates("root.pem", root, NULL);
    write_certificates("other-root.pem", other_root, NULL);
    write_certificates("server.pem", server, between);
    write_certificates("leaf.pem", server, NULL);
    write_key("server.key", server_key, NULL);
    write_key("encrypted.key", server_key, TLS_KEY_PASSWORD);
    write_key("client.key", client_key, NULL);
    make_and_write("expired.pem", expired, server_key, root, root_key);
    make_and_write("future.pem", future, server_key, root, root_key);
    make_and_write("self.pem", server_wish, server_key, NULL, NULL);
    make_and_write("self-expired.pem", expired, server_key, NULL, NULL);
    make_and_write("self-future.pem", future, server_key, NULL, NULL);
    make_and_write("stranger.pem", server_wish, server_key, other_root, between_key);
    make_and_write("client.pem", client_wish, client_key, root, root_key);
    make_and_write("strange-client.pem", client_wish, client_key, other_root, between_key);
    tls_write_file("empty.pem", "", 0);
    tls_write_file("garbage.pem", "no certificate\n", 15);
    tls_write_file("torn.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", 33);
    X509_free(root);
    X509_free(other_root);
    X509_free(between);
    X509_free(server);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(between_key);
    EVP_PKEY_free(server_key);
    EVP_PKEY_free(client_key);
}

void tls_certificates_remove(void)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;

    must(stream != NULL, folder);
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            must(unlink(tls_path(entry->d_name)) == 0, entry->d_name);
    closedir(stream);
    must(rmdir(folder) == 0, folder);
}

const char *tls_path(const char *name)
{
    static char paths[PATHS][TLS_PATH_SIZE];
    static unsigned int next;
    char *path = paths[next++ % PATHS];

    must(snprintf(path, TLS_PATH_SIZE, "%s/%s", folder, name) < TLS_PATH_SIZE, name);
    return path;
}

const char *tls_write_file(const char *name, const void *bytes, unsigned long length)
{
    FILE *file = create(name);

    must(fwrite(bytes, 1, length, file) == length, name);
    must(fclose(file) == 0, name);
    return tls_path(name);
}
