/*
 * Gives each file to a target once, without a fuzzer: for corpora, and for inputs that were found.
 *
 * Usage: replay_TARGET FILE|DIRECTORY…
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static bool replay_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    uint8_t *bytes = NULL;
    size_t room = 0;
    size_t length = 0;
    bool good = false;

    if (!file)
        goto done;
    do {
        if (length == room) {
            uint8_t *larger = realloc(bytes, room * 2 + 4096);

            if (!larger)
                goto done;
            bytes = larger;
            room = room * 2 + 4096;
        }
        length += fread(bytes + length, 1, room - length, file);
    } while (!feof(file) && !ferror(file));
    if (ferror(file))
        goto done;
    /* Of exactly its size, so that a sanitizer sees a read behind it. */
    uint8_t *input = fuzz_allocate(length);

    memcpy(input, bytes, length);
    fprintf(stderr, "%s\n", name);
    good = LLVMFuzzerTestOneInput(input, length) == 0;
    free(input);
done:
    if (!good)
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
    if (file)
        fclose(file);
    free(bytes);
    return good;
}

static bool replay_directory(const char *name, int *count)
{
    DIR *directory = opendir(name);
    struct dirent *entry;
    bool good = true;

    if (!directory) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return false;
    }
    while ((entry = readdir(directory)) != NULL) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        good = (size_t)snprintf(path, sizeof(path), "%s/%s", name, entry->d_name) < sizeof(path) &&
               replay_file(path) && good;
        (*count)++;
    }
    closedir(directory);
    return good;
}

int main(int argc, char **argv)
{
    int count = 0;
    bool good = true;

    for (int i = 1; i < argc; i++) {
        struct stat status;

        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            good = replay_directory(argv[i], &count) && good;
        } else {
            good = replay_file(argv[i]) && good;
            count++;
        }
    }
    printf("%d inputs\n", count);
    return good && count > 0 ? 0 : 1;
}
