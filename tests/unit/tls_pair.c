/* This file defines what a fortified header would turn into something else. */
#undef _FORTIFY_SOURCE

#include "tls_pair.h"

#include "tls_certificates.h"
#include "transport/tls_state.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STALL_MS = 20000, RECEIVE_MOST = 65536, PIECES = 5 };

struct cut cut = {.blocked = -1, .budget = -1};

void cut_set(enum cutting how)
{
    cut = (struct cut){.how = how, .blocked = -1, .budget = -1, .random = {0x715}};
}

void cut_nothing(void)
{
    cut_set(CUT_NONE);
}

static bool cut_fails(void)
{
    if ((cut.how != CUT_EAGAIN && cut.how != CUT_EINTR) || random_below(&cut.random, 3) != 0)
        return false;
    errno = cut.how == CUT_EAGAIN ? EAGAIN : EINTR;
    return true;
}

static size_t cut_length(size_t length)
{
    size_t most = length;

    if (cut.how == CUT_SINGLE_BYTES)
        most = 1;
    else if (cut.how == CUT_RANDOM)
        most = 1 + random_below(&cut.random, 700);
    return length < most ? length : most;
}

/* In place of the system's: this program's sources call these. */
ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
    cut.reads++;
    if (cut_fails())
        return -1;
    return (ssize_t)syscall(SYS_recvfrom, fd, bytes, cut_length(length), flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec piece = message->msg_iov[0];
    ssize_t sent;

    /* TLS sends in one piece; what else is in this program is left alone. */
    if (message->msg_iovlen != 1)
        return (ssize_t)syscall(SYS_sendmsg, fd, message, flags);
    if (cut_fails())
        return -1;
    if (fd == cut.blocked || cut.budget == 0) {
        errno = EAGAIN;
        return -1;
    }
    piece.iov_len = cut_length(piece.iov_len);
    if (cut.budget > 0 && piece.iov_len > (size_t)cut.budget)
        piece.iov_len = (size_t)cut.budget;
    sent = (ssize_t)syscall(SYS_sendto, fd, piece.iov_base, piece.iov_len, flags, NULL, 0);
    if (sent > 0 && cut.budget > 0)
        cut.budget -= sent;
    return sent;
}

struct tls_settings *tls_server_of(const char *certificate)
{
    char words[TLS_WORDS_SIZE];
    struct text error;
    const struct tls_files files = {
        .certificate = tls_path(certificate), .key = tls_path("server.key")};
    struct tls_settings *settings;

    text_init(&error, words, sizeof words);
    settings = tls_settings_server(&files, NULL, NULL, &error);
    if (!settings)
        ck_abort_msg("%s", words);
    return settings;
}

struct tls_settings *tls_client_of(const char *authorities)
{
    char words[TLS_WORDS_SIZE];
    struct text error;
    const struct tls_files files = {.authorities = tls_path(authorities)};
    struct tls_settings *settings;

    text_init(&error, words, sizeof words);
    settings = tls_settings_client(&files, &error);
    if (!settings)
        ck_abort_msg("%s", words);
    return settings;
}

void tls_limit_version(struct tls_settings *settings, int version)
{
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(tls_settings_openssl(settings), version), 1);
}

void pair_connect(struct pair *pair, bool small)
{
    int fds[2];
    int least = 1; /* the system rounds it up */

    memset(pair, 0, sizeof *pair);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2 && small; i++)
        ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    transport_plain(&pair->client.transport, fds[0]);
    transport_plain(&pair->server.transport, fds[1]);
}

void pair_close(struct pair *pair)
{
    transport_close(&pair->client.transport);
    transport_close(&pair->server.transport);
    ck_assert_int_eq(pair->client.transport.fd, -1);
}

void pair_encrypt(struct pair *pair, struct tls_settings *client, struct tls_settings *server)
{
    ck_assert(transport_tls_server(&pair->server.transport, server, false));
    ck_assert(transport_tls_client(&pair->client.transport, client, "localhost", false, NULL));
}

static void explain(const struct end *end, char words[TLS_WORDS_SIZE])
{
    struct text text;

    text_init(&text, words, TLS_WORDS_SIZE);
    transport_explain(&end->transport, &text);
    ck_assert(!text.overflow);
}

static void shake(struct end *end, enum transport_result *result, char words[TLS_WORDS_SIZE])
{
    errno = 0;
    *result = transport_start(&end->transport);
    ck_assert_int_ne(*result, TRANSPORT_END);
    if (*result == TRANSPORT_FAILED) {
        ck_assert_int_ne(errno, 0);
        explain(end, words);
        /* What it has told the other must get through, as it does when the engine closes it. */
        transport_finish(&end->transport);
    }
}

/* A server's tickets come when the client is through, and must be read for the server to get rid of
 * them. */
static void let_write(const struct end *end, enum transport_result result, struct end *other,
    enum transport_result other_result)
{
    unsigned char byte;
    size_t moved;

    if (result == TRANSPORT_AGAIN && end->transport.read_events == POLLOUT &&
        other_result == TRANSPORT_DONE)
        ck_assert_int_eq(transport_receive(&other->transport, &byte, 1, &moved), TRANSPORT_AGAIN);
}

struct shaken pair_shake(struct pair *pair)
{
    struct shaken shaken = {.client = TRANSPORT_AGAIN, .server = TRANSPORT_AGAIN};

    shake(&pair->client, &shaken.client, shaken.client_words);
    shake(&pair->server, &shaken.server, shaken.server_words);
    while (shaken.client == TRANSPORT_AGAIN || shaken.server == TRANSPORT_AGAIN) {
        struct pollfd fds[2] = {{shaken.client == TRANSPORT_AGAIN ? pair->client.transport.fd : -1,
                                    pair->client.transport.read_events, 0},
            {shaken.server == TRANSPORT_AGAIN ? pair->server.transport.fd : -1,
                pair->server.transport.read_events, 0}};

        let_write(&pair->client, shaken.client, &pair->server, shaken.server);
        let_write(&pair->server, shaken.server, &pair->client, shaken.client);
        ck_assert_msg(poll(fds, 2, STALL_MS) > 0, "the handshake stalls");
        if (fds[0].revents)
            shake(&pair->client, &shaken.client, shaken.client_words);
        if (fds[1].revents)
            shake(&pair->server, &shaken.server, shaken.server_words);
    }
    return shaken;
}

void pair_open(
    struct pair *pair, bool small, struct tls_settings *client, struct tls_settings *server)
{
    struct shaken shaken;

    pair_connect(pair, small);
    pair_encrypt(pair, client, server);
    tls_settings_release(client);
    tls_settings_release(server);
    shaken = pair_shake(pair);
    ck_assert_msg(shaken.client == TRANSPORT_DONE, "client: %s", shaken.client_words);
    ck_assert_msg(shaken.server == TRANSPORT_DONE, "server: %s", shaken.server_words);
}

static void send_some(struct end *end)
{
    struct iovec pieces[PIECES];
    size_t from = end->out_sent;
    size_t moved = 0, offered = 0;
    int count = 0;
    size_t most = SIZE_MAX;

    /* What is offered grows only, and always begins with what was offered before. */
    if (end->random)
        most = 1 + random_below(end->random, 40000);
    if (tls_of(&end->transport)->offered > most)
        most = tls_of(&end->transport)->offered;
    while (count < PIECES && from < end->out_length && offered < most) {
        size_t length = end->out_length - from;

        if (end->random && count < PIECES - 1)
            length = random_below(end->random, length < 9000 ? length + 1 : 9000);
        if (length > most - offered)
            length = most - offered;
        pieces[count].iov_base = (void *)(uintptr_t)(end->out + from);
        pieces[count++].iov_len = length;
        from += length;
        offered += length;
    }
    if (count == 0)
        return;
    switch (transport_send(&end->transport, pieces, count, &moved)) {
    case TRANSPORT_DONE:
        ck_assert_uint_le(moved, offered);
        end->out_sent += moved;
        end->choked = moved < offered;
        break;
    case TRANSPORT_AGAIN:
        ck_assert_uint_ne(end->transport.write_events, 0);
        end->choked = true;
        break;
    case TRANSPORT_END:
    case TRANSPORT_FAILED:
        end->failed = true;
        end->out_length = end->out_sent;
        break;
    }
}

static void receive_some(struct end *end)
{
    size_t room = end->in_size - end->in_length;
    size_t moved = 0;

    if (room > RECEIVE_MOST)
        room = RECEIVE_MOST;
    if (end->random && room > 0)
        room = 1 + random_below(end->random, room);
    switch (transport_receive(&end->transport, end->in + end->in_length, room, &moved)) {
    case TRANSPORT_DONE:
        ck_assert_uint_le(moved, room);
        end->in_length += moved;
        break;
    case TRANSPORT_AGAIN:
        break;
    case TRANSPORT_END:
        end->ended = true;
        break;
    case TRANSPORT_FAILED:
        end->failed = true;
        break;
    }
}

static bool reads(const struct end *end)
{
    return !end->stopped && !end->ended && !end->failed && end->in_length < end->in_size;
}

static bool sends(const struct end *end)
{
    return !end->failed && end->out_sent < end->out_length;
}

static struct pollfd wanted(const struct end *end)
{
    struct pollfd fd = {.fd = end->transport.fd};

    if (reads(end))
        fd.events |= end->transport.read_events;
    if (sends(end) && end->choked)
        fd.events |= end->transport.write_events;
    if (!fd.events)
        fd.fd = -1;
    return fd;
}

static bool has_work(const struct end *end)
{
    return (reads(end) && end->transport.holds) || (sends(end) && !end->choked);
}

static void serve(struct end *end, short ready)
{
    bool always = (ready & (POLLHUP | POLLERR)) != 0;

    if (sends(end) && (!end->choked || always || (ready & end->transport.write_events)))
        send_some(end);
    if (reads(end) && (end->transport.holds || always || (ready & end->transport.read_events)))
        receive_some(end);
}

bool pair_serve(struct pair *pair, int timeout_ms)
{
    struct pollfd fds[2] = {wanted(&pair->client), wanted(&pair->server)};
    bool at_once = has_work(&pair->client) || has_work(&pair->server);

    if (poll(fds, 2, at_once ? 0 : timeout_ms) <= 0 && !at_once)
        return false;
    serve(&pair->client, fds[0].revents);
    serve(&pair->server, fds[1].revents);
    return true;
}

void pair_exchange(struct pair *pair)
{
    while (reads(&pair->client) || reads(&pair->server) || sends(&pair->client) ||
           sends(&pair->server))
        ck_assert_msg(pair_serve(pair, STALL_MS),
            "it stalls: %zu and %zu received, %zu and %zu sent", pair->client.in_length,
            pair->server.in_length, pair->client.out_sent, pair->server.out_sent);
}

SSL *end_ssl(const struct end *end)
{
    return tls_of(&end->transport)->ssl;
}

const char *end_words(const struct end *end)
{
    static char words[TLS_WORDS_SIZE];

    explain(end, words);
    return words;
}

bool end_readable(const struct end *end)
{
    struct pollfd fd = {end->transport.fd, POLLIN, 0};

    return poll(&fd, 1, 0) == 1;
}

void end_wait(const struct end *end, short events)
{
    struct pollfd fd = {end->transport.fd, events, 0};

    ck_assert_int_eq(poll(&fd, 1, 5000), 1);
}

void end_send(struct end *end, const void *bytes, size_t length)
{
    const struct iovec piece = {(void *)(uintptr_t)bytes, length};
    size_t moved = 0;

    ck_assert_int_eq(transport_send(&end->transport, &piece, 1, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, length);
}

enum transport_result end_receive(struct end *end, size_t size, size_t *moved)
{
    static unsigned char room[100000];

    *moved = 0;
    ck_assert_uint_le(size, sizeof room);
    return transport_receive(&end->transport, room, size, moved);
}

void pair_settle(struct pair *pair)
{
    size_t moved;

    ck_assert_int_eq(end_receive(&pair->client, 1, &moved), TRANSPORT_AGAIN);
    ck_assert(!pair->client.transport.holds);
    ck_assert(!end_readable(&pair->client));
}

void pair_open_version(struct pair *pair, bool small, int version)
{
    struct tls_settings *client = tls_client_of("root.pem");

    tls_limit_version(client, version);
    pair_open(pair, small, client, tls_server_of("server.pem"));
}

void end_update_keys(struct end *end)
{
    ck_assert_int_eq(SSL_key_update(end_ssl(end), SSL_KEY_UPDATE_REQUESTED), 1);
}
