/* lws_daemonize(): the program goes on in the background. */
#include "libwebsockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells the parent, in one byte; where it tells nothing it has failed. */
enum { CHILD_IS_READY = 'r' };

static int fail(const char *what, int error)
{
    lwsl_err("lws_daemonize: %s: %s\n", what, strerror(error));
    errno = error;
    return -1;
}

/* Standard descriptors become others; where one was closed, its number may have been given to one
 * that has to stay. Takes such a descriptor, and gives another; -1 with errno. */
static int above_standard(int fd)
{
    int moved;
    int saved;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    saved = errno;
    close(fd);
    errno = saved;
    return moved;
}

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/*
 * A path in a folder that everybody may write to can be anything: only a file of the program's own
 * user, reached by no link, is written to. No other descriptor of it may be closed later, which
 * would end the lock.
 */
static int open_lock_file(const char *path)
{
    struct stat status;
    int fd = above_standard(
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0644));

    if (fd < 0)
        return fail("open", errno);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
        status.st_nlink == 1)
        return fd;
    close(fd);
    return fail("not a file of this user's own", EPERM);
}

static bool is_running_already(int fd)
{
    struct flock lock = whole_file();

    if (fcntl(fd, F_GETLK, &lock) < 0)
        (void)fail("lock", errno);
    else if (lock.l_type == F_UNLCK)
        return false;
    else
        (void)fail("it runs already", EEXIST);
    return true;
}

/* The lock is the process's, and goes with it; so a file that is left over is in nobody's way. */
static bool lock_and_write_id(int fd)
{
    struct flock lock = whole_file();
    char text[24];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    return fcntl(fd, F_SETLK, &lock) == 0 && ftruncate(fd, 0) == 0 &&
           write(fd, text, (size_t)length) == length;
}

static bool leave_terminal(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool good = fd >= 0 && setsid() >= 0 && chdir("/") == 0;

    for (int standard = 0; good && standard <= 2; standard++)
        /* Where it has this number already, it only has to survive exec. */
        good = fd == standard ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, standard) == standard;
    if (fd > 2)
        close(fd);
    return good;
}

static bool child_says_ready(int fd)
{
    unsigned char word = 0;
    ssize_t got;

    do
        got = read(fd, &word, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 && word == CHILD_IS_READY;
}

static int wait_for_child(pid_t child, int ready)
{
    int status;

    if (child_says_ready(ready))
        _exit(EXIT_SUCCESS);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return fail("the process in the background", ECHILD);
}

static bool open_ready(int ready[2])
{
    bool good = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready) == 0;

    for (int i = 0; good && i < 2; i++) {
        ready[i] = above_standard(ready[i]);
        good = ready[i] >= 0;
    }
    if (!good)
        (void)fail("socketpair", errno);
    return good;
}

static void become_daemon(int lock, int ready)
{
    const unsigned char word = CHILD_IS_READY;

    if ((lock >= 0 && !lock_and_write_id(lock)) || !leave_terminal() ||
        send(ready, &word, 1, MSG_NOSIGNAL) != 1)
        _exit(EXIT_FAILURE);
    close(ready);
    /* The lock's descriptor stays open as long as the process lives. */
}

int lws_daemonize(const char *_lock_path)
{
    int ready[2] = {-1, -1};
    int lock = -1;
    int result = -1;
    int saved;
    pid_t child;

    if (_lock_path) {
        lock = open_lock_file(_lock_path);
        if (lock < 0 || is_running_already(lock))
            goto done;
    }
    if (!open_ready(ready))
        goto done;
    /* What is in the buffers now would be written by both. */
    fflush(NULL);
    child = fork();
    if (child < 0) {
        result = fail("fork", errno);
        goto done;
    }
    if (child == 0) {
        close(ready[0]);
        become_daemon(lock, ready[1]);
        return 0;
    }
    close(ready[1]);
    ready[1] = -1;
    result = wait_for_child(child, ready[0]);

done:
    saved = errno;
    if (ready[0] >= 0)
        close(ready[0]);
    if (ready[1] >= 0)
        close(ready[1]);
    if (lock >= 0)
        close(lock);
    errno = saved;
    return result;
}
