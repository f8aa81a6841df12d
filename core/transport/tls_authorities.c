#include "transport/tls_authorities.h"

#include <dirent.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_LENGTH = 8 };

/* Such as "4042bcee.0": the hash of a name, and a number. */
static bool is_hashed_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == HASH_LENGTH && name[HASH_LENGTH] == '.' &&
           name[HASH_LENGTH + 1] >= '0' && name[HASH_LENGTH + 1] <= '9';
}

static bool has_hashed_names(const char *folder)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;
    bool found = false;

    if (!open_folder)
        return false;
    while (!found && (entry = readdir(open_folder)))
        found = is_hashed_name(entry->d_name);
    closedir(open_folder);
    return found;
}

/*
 * There are two places: a file with all of them, which takes tens of milliseconds to read, and a
 * folder from which each is read when it is needed. Where the folder has names to find them by, and
 * nobody wants it otherwise, it will do.
 */
bool tls_use_system_authorities(SSL_CTX *openssl)
{
    bool told = secure_getenv(X509_get_default_cert_file_env()) ||
                secure_getenv(X509_get_default_cert_dir_env());

    if (!told && has_hashed_names(X509_get_default_cert_dir()))
        return SSL_CTX_set_default_verify_dir(openssl) == 1;
    return SSL_CTX_set_default_verify_paths(openssl) == 1;
}
