#include "certificates.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATHS 8

static char folder[] = "/tmp/lwsloop-certificates-XXXXXX";

void certificates_make(void)
{
    static const char script[] = LWS_TESTS_FOLDER "/support/certificates.sh";
    int status = -1;
    pid_t child;

    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    child = fork();
    if (child == 0) {
        execlp("bash", "bash", script, folder, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "%s does not work (%d)\n", script, status);
        certificates_remove();
        exit(EXIT_FAILURE);
    }
}

void certificates_remove(void)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(folder);
}

const char *certificates_path(const char *name)
{
    static _Thread_local char paths[PATHS][160];
    static _Thread_local unsigned int next;
    char *path = paths[next++ % PATHS];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
