#include "tls_stream.h"

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

struct tls_stream {
    SSL *ssl;
    int fd;
    size_t allowed; /* bytes that may still go out */
};

static BIO_METHOD *method;

static int bio_write(BIO *bio, const char *data, int length)
{
    struct tls_stream *stream = BIO_get_data(bio);
    size_t size = (size_t)length < stream->allowed ? (size_t)length : stream->allowed;
    ssize_t count;

    BIO_clear_retry_flags(bio);
    if (stream->allowed == 0) {
        errno = EPIPE;
        return -1;
    }
    count = send(stream->fd, data, size, MSG_NOSIGNAL);
    if (count > 0 && stream->allowed != SIZE_MAX)
        stream->allowed -= (size_t)count;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)count;
}

static int bio_read(BIO *bio, char *data, int length)
{
    const struct tls_stream *stream = BIO_get_data(bio);
    ssize_t count = recv(stream->fd, data, (size_t)length, 0);

    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)count;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *new_bio(struct tls_stream *stream)
{
    BIO *bio;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "test socket");
        ck_assert_ptr_nonnull(method);
        ck_assert_int_eq(BIO_meth_set_write(method, bio_write), 1);
        ck_assert_int_eq(BIO_meth_set_read(method, bio_read), 1);
        ck_assert_int_eq(BIO_meth_set_ctrl(method, bio_control), 1);
    }
    bio = BIO_new(method);
    ck_assert_ptr_nonnull(bio);
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    return bio;
}

static SSL_CTX *new_settings(const SSL_METHOD *side, const struct tls_files *files)
{
    SSL_CTX *settings = SSL_CTX_new(side);

    ck_assert_ptr_nonnull(settings);
    SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Peers that hang up without a word are what tests are about. */
    SSL_CTX_set_options(settings, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (files == NULL)
        return settings;
    if (files->certificate != NULL)
        ck_assert_msg(SSL_CTX_use_certificate_chain_file(settings, files->certificate) == 1, "%s",
            files->certificate);
    if (files->key != NULL)
        ck_assert_msg(SSL_CTX_use_PrivateKey_file(settings, files->key, SSL_FILETYPE_PEM) == 1,
            "%s", files->key);
    if (files->authorities != NULL) {
        ck_assert_msg(
            SSL_CTX_load_verify_file(settings, files->authorities) == 1, "%s", files->authorities);
        SSL_CTX_set_verify(settings, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return settings;
}

SSL_CTX *tls_client_settings(const struct tls_files *files)
{
    return new_settings(TLS_client_method(), files);
}

SSL_CTX *tls_server_settings(const struct tls_files *files)
{
    return new_settings(TLS_server_method(), files);
}

/* Tells errno, and what to wait for where that is EAGAIN. Returns -1, or 0 for the end. */
static ssize_t explain(struct tls_stream *stream, int result, short *wanted)
{
    int saved = errno;

    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *wanted = POLLIN;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        *wanted = POLLOUT;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        errno = saved == 0 || saved == EAGAIN ? ECONNRESET : saved;
        return -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

static ssize_t stream_send(void *carried, const void *data, size_t length, short *wanted)
{
    struct tls_stream *stream = carried;
    size_t count;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(stream->ssl, data, length, &count);
    if (result == 1)
        return (ssize_t)count;
    if (explain(stream, result, wanted) == 0)
        errno = EPIPE;
    return -1;
}

static ssize_t stream_receive(void *carried, void *data, size_t room, short *wanted)
{
    struct tls_stream *stream = carried;
    size_t count;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(stream->ssl, data, room, &count);
    return result == 1 ? (ssize_t)count : explain(stream, result, wanted);
}

static void stream_finish(void *carried)
{
    struct tls_stream *stream = carried;

    ERR_clear_error();
    if (SSL_is_init_finished(stream->ssl))
        SSL_shutdown(stream->ssl);
    else
        (void)shutdown(stream->fd, SHUT_WR);
}

static void stream_free(void *carried)
{
    struct tls_stream *stream = carried;

    SSL_free(stream->ssl);
    free(stream);
}

static const struct ws_carrier carrier = {
    .send = stream_send,
    .receive = stream_receive,
    .finish = stream_finish,
    .free = stream_free,
};

static struct tls_stream *carry(struct ws_client *client, SSL_CTX *settings)
{
    struct tls_stream *stream = calloc(1, sizeof *stream);
    BIO *bio;

    ck_assert_ptr_nonnull(stream);
    stream->fd = client->fd;
    stream->allowed = SIZE_MAX;
    bio = new_bio(stream);
    stream->ssl = SSL_new(settings);
    ck_assert_ptr_nonnull(stream->ssl);
    SSL_set_bio(stream->ssl, bio, bio);
    client->carrier = &carrier;
    client->carried = stream;
    return stream;
}

void tls_carry_client(struct ws_client *client, SSL_CTX *settings)
{
    SSL_set_connect_state(carry(client, settings)->ssl);
}

void tls_carry_server(struct ws_client *client, SSL_CTX *settings)
{
    SSL_set_accept_state(carry(client, settings)->ssl);
}

SSL *tls_of(const struct ws_client *client)
{
    const struct tls_stream *stream = client->carried;

    return client->carrier == &carrier ? stream->ssl : NULL;
}

bool tls_handshake(struct ws_client *client)
{
    int64_t deadline = ws_now_ms() + WS_PATIENCE_MS;
    struct tls_stream *stream = client->carried;

    for (;;) {
        short wanted = 0;
        int result;

        ERR_clear_error();
        errno = 0;
        result = SSL_do_handshake(stream->ssl);
        if (result == 1)
            return true;
        if (explain(stream, result, &wanted) == 0 || errno != EAGAIN ||
            !ws_wait_for(client, wanted, deadline))
            return false;
    }
}

void tls_stop_behind(struct ws_client *client, size_t bytes)
{
    struct tls_stream *stream = client->carried;

    stream->allowed = bytes;
}

bool tls_ended_cleanly(const struct ws_client *client)
{
    return (SSL_get_shutdown(tls_of(client)) & SSL_RECEIVED_SHUTDOWN) != 0;
}
