/* Opening what is to be served as a file, and nothing else. */
#ifndef LWSLOOP_PLATFORM_OPEN_FILE_H
#define LWSLOOP_PLATFORM_OPEN_FILE_H

#include <stdint.h>
#include <time.h>

enum open_file_status {
    OPEN_FILE_GOOD,
    OPEN_FILE_MISSING,
    OPEN_FILE_REFUSED,     /* no regular file, or one that may not be read */
    OPEN_FILE_NO_RESOURCES /* descriptors or memory are short, or the disk fails; errno tells */
};

struct open_file {
    int fd;
    uint64_t size;
    time_t modified;
};

/* The descriptor is the caller's where the result is GOOD. Never waits for the other end of a pipe
 * and never opens a device. */
enum open_file_status open_file(const char *path, struct open_file *file);

#endif
