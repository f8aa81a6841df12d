#include "platform/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum open_file_status why(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return OPEN_FILE_MISSING;
    case EACCES:
    case EPERM:
    case ENXIO:
        return OPEN_FILE_REFUSED;
    default:
        return OPEN_FILE_NO_RESOURCES;
    }
}

enum open_file_status open_file(const char *path, struct open_file *file)
{
    struct stat status;

    /* Looked at first, because opening alone has effects on some devices. */
    if (stat(path, &status) < 0)
        return why(errno);
    if (!S_ISREG(status.st_mode))
        return OPEN_FILE_REFUSED;
    /* And again once open: the name may stand for something else by now. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0)
        return why(errno);
    if (fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size < 0) {
        close(file->fd);
        file->fd = -1;
        return OPEN_FILE_REFUSED;
    }
    file->size = (uint64_t)status.st_size;
    file->modified = status.st_mtime;
    return OPEN_FILE_GOOD;
}
