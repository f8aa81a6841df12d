#include "platform/sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Since Linux 6.3, and missing from older headers. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static const int content_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/* Older systems do not know that a file is never to be run; some newer ones insist on it. */
static int open_memory(const char *label, unsigned int flags)
{
    int fd = memfd_create(label, flags | MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(label, flags | MFD_CLOEXEC);
    return fd;
}

int anonymous_file(const char *label)
{
    return open_memory(label, 0);
}

/* A file that grows beyond the limit is answered with a signal, which no host expects of us. */
static bool is_within_limit(size_t length)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
        return false;
    if (limit.rlim_cur == RLIM_INFINITY || length <= limit.rlim_cur)
        return true;
    errno = EFBIG;
    return false;
}

static bool write_all(int fd, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            if (written == 0)
                errno = ENOSPC;
            return false;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

int sealed_memory_make(const void *bytes, size_t length)
{
    int fd, saved;

    if (!is_within_limit(length))
        return -1;
    fd = open_memory("lwsloop-message", MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (write_all(fd, bytes, length) && fcntl(fd, F_ADD_SEALS, content_seals | F_SEAL_SEAL) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool sealed_memory_read(int fd, void *bytes, size_t length)
{
    unsigned char *at = bytes;
    struct stat status;
    /* Only files in memory can be sealed, and reading those never waits for anybody. */
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & content_seals) != content_seals || fstat(fd, &status) < 0 ||
        status.st_size < 0 || (uintmax_t)status.st_size != length) {
        errno = EINVAL;
        return false;
    }
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(fd, at + done, length - done, (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got == 0)
                errno = EINVAL;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}
