#include "platform/send_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <time.h>

/*
 * sendfile(2) has no MSG_NOSIGNAL, so SIGPIPE is held back in this thread for the call, and one
 * that the call itself caused is taken away before the mask is restored.
 */
ssize_t send_file(int socket, int file, off_t *offset, size_t count)
{
    const struct timespec at_once = {0};
    sigset_t pipe_signal, before, pending;
    bool was_pending;
    ssize_t sent;
    int saved;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigemptyset(&pending);
    if (sigpending(&pending) < 0)
        return -1;
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    saved = pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    if (saved) {
        errno = saved;
        return -1;
    }
    do
        sent = sendfile(socket, file, offset, count);
    while (sent < 0 && errno == EINTR);
    saved = errno;
    /* One that sent a part may have met the reset on its way, and raised the signal all the same.
     */
    if (!was_pending && (sent < 0 ? saved == EPIPE : (size_t)sent < count))
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return sent;
}
