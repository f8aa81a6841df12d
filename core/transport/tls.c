#include "transport/tls.h"

#include "platform/socket.h"
#include "transport/tls_resume.h"
#include "transport/tls_state.h"
#include "transport/tls_verify.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDSHAKE_RECORD = 22 };

enum transport_result tls_failed(const struct tls *tls)
{
    errno = tls_failure_errno(&tls->failure);
    return TRANSPORT_FAILED;
}

enum transport_result tls_outcome(struct tls *tls, int returned)
{
    int error = SSL_get_error(tls->ssl, returned);
    struct tls_failure failure;

    switch (error) {
    case SSL_ERROR_WANT_READ:
        return TRANSPORT_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TRANSPORT_END;
    default:
        tls->broken = true;
        failure = tls_failure_of(tls->ssl, error, &tls->wire);
        /* After a failure OpenSSL only repeats that there was one. */
        if (failure.kind != TLS_FAILURE_HUNG_UP || tls->failure.kind == TLS_FAILURE_NONE)
            tls->failure = failure;
        return tls_failed(tls);
    }
}

enum transport_result tls_flush(struct tls *tls)
{
    if (tls_wire_flush(&tls->wire))
        return TRANSPORT_DONE;
    if (errno == EAGAIN)
        return TRANSPORT_AGAIN;
    tls->failure = tls_failure_of_system(errno);
    return tls_failed(tls);
}

static enum transport_result hung_up(struct tls *tls)
{
    tls->failure = (struct tls_failure){TLS_FAILURE_HUNG_UP, 0};
    return tls_failed(tls);
}

/*
 * A session ends with a connection that TLS has failed on, but not with one that was only broken
 * off (RFC 5246, 7.2.1), which OpenSSL would have it.
 */
static bool may_resume(const struct tls *tls)
{
    return tls->started &&
           (tls->failure.kind == TLS_FAILURE_NONE || tls->failure.kind == TLS_FAILURE_HUNG_UP ||
               tls->failure.kind == TLS_FAILURE_SYSTEM);
}

static void free_tls(struct tls *tls)
{
    if (may_resume(tls))
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    tls_wire_free(&tls->wire);
    tls_settings_release(tls->settings);
    free(tls->session_key);
    free(tls);
}

/* Looks at the first byte without taking it. DONE: it is known now what the peer speaks. */
static enum transport_result tell_apart(struct transport *transport)
{
    struct tls *tls = tls_of(transport);
    unsigned char first;
    ssize_t received;

    do
        received = recv(transport->fd, &first, 1, MSG_PEEK);
    while (received < 0 && errno == EINTR);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
        transport->read_events = POLLIN;
        return TRANSPORT_AGAIN;
    }
    if (received == 0)
        return hung_up(tls);
    if (received < 0) {
        tls->failure = tls_failure_of_system(errno);
        return tls_failed(tls);
    }
    tls->allow_plain = false;
    if (first != HANDSHAKE_RECORD) {
        transport_plain(transport, transport->fd);
        free_tls(tls);
    }
    return TRANSPORT_DONE;
}

static enum transport_result shake_hands(struct transport *transport)
{
    struct tls *tls = tls_of(transport);
    enum transport_result result = tls_flush(tls);
    int returned;

    if (result == TRANSPORT_DONE && !tls->started) {
        tls_begin(tls);
        returned = SSL_do_handshake(tls->ssl);
        if (returned <= 0)
            result = tls_outcome(tls, returned);
        tls->started = returned > 0;
        if (result == TRANSPORT_END)
            result = hung_up(tls);
    }
    transport->read_events = POLLIN;
    if (result != TRANSPORT_FAILED && tls->wire.held_length > 0) {
        transport->read_events = POLLOUT;
        result = TRANSPORT_AGAIN;
    }
    transport->holds = result == TRANSPORT_DONE && SSL_has_pending(tls->ssl);
    return result;
}

static enum transport_result tls_start(struct transport *transport)
{
    struct tls *tls = tls_of(transport);

    if (tls->allow_plain) {
        enum transport_result result = tell_apart(transport);

        if (result != TRANSPORT_DONE || transport->operations != &tls->operations)
            return result;
    }
    return shake_hands(transport);
}

/* The peer is told that nothing more comes; its own word is not waited for. */
static enum transport_result say_farewell(struct transport *transport)
{
    struct tls *tls = tls_of(transport);

    if (!tls->started || tls->broken)
        return TRANSPORT_DONE;
    if (!tls->said_farewell) {
        tls->said_farewell = true;
        tls_begin(tls);
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
    return tls_flush(tls);
}

static enum transport_result tls_finish(struct transport *transport)
{
    struct tls *tls = tls_of(transport);

    transport->write_events = POLLOUT;
    if (tls->finished)
        return TRANSPORT_DONE;
    /* Where it fails the peer is gone already. */
    if (say_farewell(transport) == TRANSPORT_AGAIN)
        return TRANSPORT_AGAIN;
    tls->finished = true;
    (void)shutdown(transport->fd, SHUT_WR);
    return TRANSPORT_DONE;
}

static size_t tls_untaken(const struct transport *transport)
{
    return socket_untaken(transport->fd) + tls_of(transport)->wire.held_length;
}

static void tls_explain(const struct transport *transport, struct text *words)
{
    tls_failure_explain(&tls_of(transport)->failure, words);
}

static void tls_close(struct transport *transport)
{
    struct tls *tls = tls_of(transport);

    close(transport->fd);
    transport_plain(transport, -1);
    free_tls(tls);
}

static const struct transport_operations operations = {
    .start = tls_start,
    .receive = tls_receive,
    .send = tls_send,
    .send_file = tls_send_file,
    .finish = tls_finish,
    .untaken = tls_untaken,
    .explain = tls_explain,
    .close = tls_close,
};

static struct tls *new_tls(int fd, struct tls_settings *settings)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    BIO *bio;

    if (!tls)
        return NULL;
    ERR_clear_error();
    tls->operations = operations;
    tls->settings = tls_settings_hold(settings);
    tls->wire.fd = fd;
    tls->ssl = SSL_new(settings->openssl);
    bio = tls_bio_new(settings->bio, &tls->wire);
    if (!tls->ssl || !bio) {
        BIO_free(bio);
        ERR_clear_error();
        free_tls(tls);
        errno = ENOMEM;
        return NULL;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

bool transport_tls_server(
    struct transport *transport, struct tls_settings *settings, bool allow_plain)
{
    struct tls *tls = new_tls(transport->fd, settings);

    if (!tls)
        return false;
    SSL_set_accept_state(tls->ssl);
    tls->allow_plain = allow_plain;
    transport->operations = &tls->operations;
    return true;
}

bool transport_tls_client(struct transport *transport, struct tls_settings *settings,
    const char *name, bool allow_self_signed, const char *session_key)
{
    struct tls *tls = new_tls(transport->fd, settings);
    int saved;

    if (!tls)
        return false;
    SSL_set_connect_state(tls->ssl);
    errno = ENOMEM;
    if (!tls_verify_name(tls->ssl, name) ||
        !tls_resume(tls, name, allow_self_signed, session_key)) {
        saved = errno;
        ERR_clear_error();
        free_tls(tls);
        errno = saved;
        return false;
    }
    if (allow_self_signed)
        SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, tls_verify_self_signed);
    transport->operations = &tls->operations;
    return true;
}
