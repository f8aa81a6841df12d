#include "peers.h"

#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPTED 64
#define TRICKLE_MS 50

/* Everybody on the thread: listening, accepted or calling. */
struct talker {
    int fd;
    enum { LISTENS, IS_SERVER, CALLS, HAS_ENDED } role;
    enum peer peer;
    enum caller caller;
    bool asked; /* the head of a request is there */
    bool is_connect;
    size_t sent; /* bytes of a trickle */
    SSL *ssl;    /* on memory */
    BIO *in;
    BIO *out;
};

static struct {
    int deaf[2]; /* the listening socket and who is in its queue */
    int full[2]; /* the same with a path */
    char path[120];
    int ports[PEERS];
    SSL_CTX *server;
    SSL_CTX *client;
    pthread_t thread;
    bool running;
    int wake;
    atomic_bool stop;
    atomic_int call; /* the port to call; 0: none */
    int64_t called;
    atomic_long lasted[CALLERS];
    atomic_bool answered;
    struct talker talkers[ACCEPTED];
    nfds_t count;
} peers = {.deaf = {-1, -1}, .full = {-1, -1}, .wake = -1};

static int listen_anywhere(int backlog, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, backlog) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        perror("a peer");
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_here(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        perror("a caller");
        return -1;
    }
    return fd;
}

/* A queue of one place is full with one connection in it. */
static bool make_deaf(void)
{
    peers.deaf[0] = listen_anywhere(0, &peers.ports[PEER_DEAF]);
    if (peers.deaf[0] >= 0)
        peers.deaf[1] = connect_here(peers.ports[PEER_DEAF]);
    return peers.deaf[1] >= 0;
}

static bool make_full(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(peers.path, sizeof address.sun_path, "%s/full", folder);

    if (length < 0 || length >= (int)sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, peers.path);
    (void)unlink(peers.path);
    for (int i = 0; i < 2; i++)
        peers.full[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (peers.full[0] < 0 || peers.full[1] < 0 ||
        bind(peers.full[0], (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(peers.full[0], 0) < 0 ||
        connect(peers.full[1], (const struct sockaddr *)&address, sizeof address) < 0) {
        perror(peers.path);
        return false;
    }
    return true;
}

static bool make_tls(const char *folder)
{
    char certificate[160];
    char key[160];

    snprintf(certificate, sizeof certificate, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    peers.server = SSL_CTX_new(TLS_server_method());
    peers.client = SSL_CTX_new(TLS_client_method());
    if (peers.server == NULL || peers.client == NULL ||
        SSL_CTX_use_certificate_chain_file(peers.server, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(peers.server, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "%s: no certificate\n", folder);
        return false;
    }
    return true;
}

static struct talker *add_talker(int fd)
{
    if (fd < 0)
        return NULL;
    if (peers.count == ACCEPTED) {
        close(fd);
        return NULL;
    }
    peers.talkers[peers.count] = (struct talker){.fd = fd};
    return &peers.talkers[peers.count++];
}

static void give_tls(struct talker *talker, SSL_CTX *settings)
{
    talker->ssl = SSL_new(settings);
    talker->in = BIO_new(BIO_s_mem());
    talker->out = BIO_new(BIO_s_mem());
    if (talker->ssl == NULL || talker->in == NULL || talker->out == NULL)
        abort();
    SSL_set_bio(talker->ssl, talker->in, talker->out);
    if (settings == peers.server)
        SSL_set_accept_state(talker->ssl);
    else
        SSL_set_connect_state(talker->ssl);
}

/* What TLS has to say next, in so many halves. */
static void say(const struct talker *talker, int halves)
{
    unsigned char bytes[16384];
    int length;

    (void)SSL_do_handshake(talker->ssl);
    length = BIO_read(talker->out, bytes, sizeof bytes);
    if (length > 0)
        (void)send(talker->fd, bytes, (size_t)(length * halves / 2), MSG_NOSIGNAL);
}

static void accept_one(const struct talker *listener)
{
    struct talker *talker =
        add_talker(accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));

    if (talker == NULL)
        return;
    talker->role = IS_SERVER;
    talker->peer = listener->peer;
    if (talker->peer == PEER_HALF)
        give_tls(talker, peers.server);
}

static void end(struct talker *talker)
{
    if (talker->role == CALLS)
        atomic_store(&peers.lasted[talker->caller], (long)(host_now_ms() - peers.called));
    SSL_free(talker->ssl);
    talker->ssl = NULL;
    close(talker->fd);
    talker->fd = -1;
    talker->role = HAS_ENDED;
}

static void hear(struct talker *talker)
{
    char bytes[16384];
    ssize_t got = recv(talker->fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(talker);
        return;
    }
    bytes[got] = '\0';
    if (talker->role == CALLS) {
        if (talker->caller == CALLER_HALF)
            atomic_store(&peers.answered, true);
    } else if (talker->peer == PEER_HALF && !talker->asked) {
        /* The first message of a client is one packet here. */
        talker->asked = true;
        if (BIO_write(talker->in, bytes, (int)got) != (int)got)
            abort();
        say(talker, 1);
    } else if (talker->peer == PEER_TRICKLE && strstr(bytes, "\r\n\r\n")) {
        talker->asked = true;
        talker->is_connect = strncmp(bytes, "CONNECT ", 8) == 0;
    }
}

static void trickle(struct talker *talker)
{
    static const char accepts[] = "HTTP/1.1 101 Switching Protocols\r\nX-Slow: ";
    static const char tunnels[] = "HTTP/1.1 200 OK\r\nX-Slow: ";
    const char *text = talker->is_connect ? tunnels : accepts;
    char next = talker->sent < strlen(text) ? text[talker->sent] : 'a';

    if (talker->role != IS_SERVER || talker->peer != PEER_TRICKLE || !talker->asked)
        return;
    talker->sent++;
    (void)send(talker->fd, &next, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void begin_calls(int port)
{
    peers.called = host_now_ms();
    for (enum caller caller = 0; caller < CALLERS; caller++) {
        struct talker *talker = add_talker(connect_here(port));

        if (talker == NULL)
            return;
        talker->role = CALLS;
        talker->caller = caller;
        if (caller == CALLER_HALF) {
            give_tls(talker, peers.client);
            say(talker, 2);
        }
    }
}

static void turn(void)
{
    struct pollfd fds[ACCEPTED + 1] = {{.fd = peers.wake, .events = POLLIN}};
    nfds_t count = peers.count;
    uint64_t woken;

    for (nfds_t i = 0; i < count; i++)
        fds[i + 1] = (struct pollfd){.fd = peers.talkers[i].fd, .events = POLLIN};
    if (poll(fds, count + 1, TRICKLE_MS) < 0 && errno != EINTR)
        abort();
    if (fds[0].revents != 0 && read(peers.wake, &woken, sizeof woken) < 0)
        abort();
    for (nfds_t i = 0; i < count; i++) {
        struct talker *talker = &peers.talkers[i];

        if (fds[i + 1].revents == 0)
            continue;
        if (talker->role == LISTENS)
            accept_one(talker);
        else
            hear(talker);
    }
}

static void *run(void *argument)
{
    int64_t trickled = host_now_ms();

    (void)argument;
    while (!atomic_load(&peers.stop)) {
        int port;

        turn();
        port = atomic_exchange(&peers.call, 0);
        if (port != 0)
            begin_calls(port);
        if (host_now_ms() - trickled < TRICKLE_MS)
            continue;
        trickled = host_now_ms();
        for (nfds_t i = 0; i < peers.count; i++)
            trickle(&peers.talkers[i]);
    }
    return NULL;
}

bool peers_start(const char *folder)
{
    for (enum caller caller = 0; caller < CALLERS; caller++)
        atomic_store(&peers.lasted[caller], -1);
    peers.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (peers.wake < 0 || !make_deaf() || !make_full(folder) || !make_tls(folder))
        return false;
    for (enum peer peer = PEER_SILENT; peer < PEERS; peer++) {
        struct talker *talker = add_talker(listen_anywhere(16, &peers.ports[peer]));

        if (talker == NULL)
            return false;
        talker->role = LISTENS;
        talker->peer = peer;
    }
    peers.running = pthread_create(&peers.thread, NULL, run, NULL) == 0;
    return peers.running;
}

int peers_port(enum peer peer)
{
    return peers.ports[peer];
}

static bool wake(void)
{
    const uint64_t one = 1;

    return write(peers.wake, &one, sizeof one) == (ssize_t)sizeof one;
}

bool peers_call(int port)
{
    atomic_store(&peers.call, port);
    return wake();
}

int64_t peers_call_lasted(enum caller caller)
{
    return atomic_load(&peers.lasted[caller]);
}

bool peers_were_answered(void)
{
    return atomic_load(&peers.answered);
}

void peers_stop(void)
{
    const int others[] = {peers.deaf[0], peers.deaf[1], peers.full[0], peers.full[1], peers.wake};

    if (peers.running) {
        atomic_store(&peers.stop, true);
        if (!wake() || pthread_join(peers.thread, NULL) != 0)
            abort();
    }
    for (nfds_t i = 0; i < peers.count; i++) {
        if (peers.talkers[i].role != HAS_ENDED)
            end(&peers.talkers[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i] >= 0)
            close(others[i]);
    }
    SSL_CTX_free(peers.server);
    SSL_CTX_free(peers.client);
    if (peers.path[0] != '\0')
        (void)unlink(peers.path);
}
