#include "usage.h"

#include <dirent.h>
#include <stdio.h>

/* The first number in a thread's schedstat is nanoseconds on a processor. */
static bool add_thread(int process, const char *thread, double *seconds)
{
    char name[320];
    unsigned long long nanoseconds;
    FILE *file;
    bool good;

    snprintf(name, sizeof(name), "/proc/%d/task/%s/schedstat", process, thread);
    file = fopen(name, "r");
    if (!file)
        return false;
    good = fscanf(file, "%llu", &nanoseconds) == 1;
    fclose(file);
    if (good)
        *seconds += (double)nanoseconds / 1e9;
    return good;
}

bool usage_cpu(int process, double *seconds)
{
    char name[64];
    const struct dirent *entry;
    DIR *directory;
    bool good = true;

    *seconds = 0;
    snprintf(name, sizeof(name), "/proc/%d/task", process);
    directory = opendir(name);
    if (!directory)
        return false;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.')
            good = add_thread(process, entry->d_name, seconds) && good;
    }
    closedir(directory);
    return good;
}

bool usage_memory(int process, double *bytes)
{
    char name[64];
    char line[256];
    unsigned long kilobytes;
    bool good = false;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/status", process);
    file = fopen(name, "r");
    if (!file)
        return false;
    while (!good && fgets(line, sizeof(line), file))
        good = sscanf(line, "RssAnon: %lu", &kilobytes) == 1;
    fclose(file);
    if (good)
        *bytes = (double)kilobytes * 1024;
    return good;
}
