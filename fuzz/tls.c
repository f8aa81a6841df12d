/*
 * TLS in both directions: an input is what a peer says to a server, or to a client. It is
 *
 *   a byte     1: the engine is the client; 2: a good TLS handshake is made first; 4: by TLS 1.2;
 *              8: the program refuses the WebSocket
 *   a byte     how many actions follow, at most 15
 *   actions    what the program does in its callbacks, see engine_program.c
 *   steps      a length, and as many bytes: below 126 as they are, from 128 on, behind a good
 *              handshake, as TLS says them; or one of the lengths below
 *
 * Where a server's answer has the accept value of RFC 6455's example, the right one takes its
 * place. Whatever is said, the engine keeps its contract with the loop, never spins, and lets go of
 * everything; and without a TLS handshake nothing gets to the program.
 */
#include "acceptance.h"
#include "engine_loop.h"
#include "engine_output.h"
#include "engine_program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STEP_RAW_MAX = 125,
    STEP_SAID = 128,
    STEP_WRITABLE = 251,
    STEP_END = 254,
    STEP_SETTLE = 255
};

enum { CLIENT = 1, HANDSHAKE = 2, OLD = 4, REFUSES = 8 };

static struct libwebsocket_context *context;
static char certificate_path[] = "/tmp/lwsloop-fuzz-XXXXXX";
static char key_path[] = "/tmp/lwsloop-fuzz-XXXXXX";
static SSL_CTX *server_settings;
static SSL_CTX *client_settings;
static int engine_port;
static int peer_listener;
static int peer_port;

static void destroy_context(void)
{
    libwebsocket_context_destroy(context);
    context = NULL;
    SSL_CTX_free(server_settings);
    SSL_CTX_free(client_settings);
    (void)unlink(certificate_path);
    (void)unlink(key_path);
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
        listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&name, &length) < 0)
        abort();
    *port = ntohs(name.sin_port);
    return fd;
}

/* Its own issuer, for localhost. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_NAME *name;

    if (!certificate || !names || X509_set_version(certificate, 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1 ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) ||
        X509_set_pubkey(certificate, key) != 1)
        abort();
    name = X509_get_subject_name(certificate);
    if (X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) != 1 ||
        X509_set_issuer_name(certificate, name) != 1 || X509_add_ext(certificate, names, -1) != 1 ||
        X509_sign(certificate, key, EVP_sha256()) == 0)
        abort();
    X509_EXTENSION_free(names);
    return certificate;
}

static FILE *make_file(char *path)
{
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (!file)
        abort();
    return file;
}

static void make_identity(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key) : NULL;
    FILE *certificate_file = make_file(certificate_path);
    FILE *key_file = make_file(key_path);

    server_settings = SSL_CTX_new(TLS_server_method());
    client_settings = SSL_CTX_new(TLS_client_method());
    if (!certificate || !server_settings || !client_settings ||
        PEM_write_X509(certificate_file, certificate) != 1 ||
        PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        fclose(certificate_file) != 0 || fclose(key_file) != 0 ||
        SSL_CTX_use_certificate(server_settings, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(server_settings, key) != 1)
        abort();
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void create_context(void)
{
    struct lws_context_creation_info info = {.protocols = engine_protocols,
        .ssl_cert_filepath = certificate_path,
        .ssl_private_key_filepath = key_path,
        .gid = -1,
        .uid = -1};
    struct lws_context_extras extras = {.struct_size = sizeof(extras), .listen_fd_count = 1};
    struct engine_program nobody = {.wsi = NULL};
    int fd = listen_somewhere(&engine_port);

    peer_listener = listen_somewhere(&peer_port);
    make_identity();
    if (!engine_program_prepare())
        abort();
    extras.listen_fds = &fd;
    lws_set_log_level(0, NULL);
    engine_program_begin(&nobody);
    context = lws_create_context(&info, &extras);
    REQUIRE(context != NULL);
    REQUIRE(lws_set_poll_fd_callback(context, engine_loop_sink, NULL) == 0);
    REQUIRE(atexit(destroy_context) == 0);
}

struct peer {
    int fd;
    bool finished; /* sending */
    SSL *ssl;      /* on memory; NULL: it only throws bytes */
    BIO *in;
    BIO *out;
    struct engine_output output; /* what the engine says */
    size_t taken;                /* of it, by TLS */
    char accept[ACCEPTANCE_LENGTH + 1];
};

static void settle(struct peer *peer)
{
    size_t length;

    do {
        length = peer->output.length;
        engine_loop_settle(context);
        engine_output_read(&peer->output, peer->fd);
    } while (peer->output.length > length);
}

static void throw(struct peer * peer, const void *bytes, size_t length)
{
    if (!peer->finished && length > 0 && send(peer->fd, bytes, length, MSG_NOSIGNAL) < 0)
        peer->finished = true;
    settle(peer);
}

/* What TLS has to say leaves; what has come goes to it. */
static void carry(struct peer *peer)
{
    unsigned char bytes[20000];
    int length;

    while ((length = BIO_read(peer->out, bytes, sizeof(bytes))) > 0)
        throw(peer, bytes, (size_t)length);
    settle(peer);
    if (peer->output.length > peer->taken)
        REQUIRE(BIO_write(peer->in, peer->output.bytes + peer->taken,
                    (int)(peer->output.length - peer->taken)) > 0);
    peer->taken = peer->output.length;
}

static void make_handshake(struct peer *peer, bool is_server, bool old)
{
    peer->ssl = SSL_new(is_server ? server_settings : client_settings);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    if (!peer->ssl || !peer->in || !peer->out ||
        (old && SSL_set_max_proto_version(peer->ssl, TLS1_2_VERSION) != 1))
        abort();
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    if (is_server)
        SSL_set_accept_state(peer->ssl);
    else
        SSL_set_connect_state(peer->ssl);
    for (int i = 0; SSL_do_handshake(peer->ssl) != 1; i++) {
        REQUIRE(i < 10);
        carry(peer);
    }
    carry(peer);
}

/* Reads what the engine has said by TLS; a client's request tells what it will accept. */
static void listen_to(struct peer *peer, bool is_server)
{
    char text[20000];
    int length;

    carry(peer);
    while ((length = SSL_read(peer->ssl, text, sizeof(text))) > 0) {
        if (is_server && peer->accept[0] == '\0') {
            REQUIRE(length > 4 && memcmp(text, "GET ", 4) == 0);
            acceptance_of(text, (size_t)length, peer->accept);
        }
    }
    carry(peer);
}

static void speak(struct peer *peer, const uint8_t *data, size_t size, bool is_server)
{
    uint8_t *bytes = fuzz_allocate(size);

    if (size > 0)
        memcpy(bytes, data, size);
    if (peer->accept[0] != '\0')
        acceptance_put(bytes, size, peer->accept);
    if (size > 0 && SSL_write(peer->ssl, bytes, (int)size) <= 0)
        peer->finished = true;
    free(bytes);
    listen_to(peer, is_server);
}

static void begin_server(struct peer *peer)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)engine_port)};

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer->fd < 0 || connect(peer->fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
        fcntl(peer->fd, F_SETFL, O_NONBLOCK) < 0)
        abort();
}

static void begin_client(struct peer *peer, struct engine_program *program)
{
    struct pollfd pollfd = {.fd = peer_listener, .events = POLLIN};

    program->wsi = libwebsocket_client_connect(
        context, "127.0.0.1", peer_port, 2, "/", "localhost", NULL, NULL, -1);
    REQUIRE(program->wsi != NULL);
    engine_loop_settle(context);
    while (poll(&pollfd, 1, 1000) < 0 && errno == EINTR)
        ;
    peer->fd = accept4(peer_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    REQUIRE(peer->fd >= 0);
}

static void steps(struct peer *peer, const uint8_t *data, size_t size, bool is_server)
{
    while (size > 0) {
        size_t step = fuzz_take_byte(&data, &size);
        bool said = step >= STEP_SAID;

        if (step == STEP_WRITABLE) {
            REQUIRE(libwebsocket_callback_on_writable_all_protocol(&engine_protocols[0]) == 0);
        } else if (step == STEP_END) {
            if (peer->ssl)
                (void)SSL_shutdown(peer->ssl);
            if (peer->ssl)
                carry(peer);
            if (!peer->finished)
                shutdown(peer->fd, SHUT_WR);
            peer->finished = true;
            settle(peer);
        } else if (step == STEP_SETTLE) {
            settle(peer);
        } else {
            step = said ? step - STEP_SAID : step;
            if (step > size)
                step = size;
            if (said && peer->ssl && !peer->finished)
                speak(peer, data, step, is_server);
            else
                throw(peer, data, step);
            data += step;
            size -= step;
        }
    }
}

/* Lets all come to its end, which it must once the peer is gone and the program has let go. */
static void finish(struct peer *peer, struct engine_program *program)
{
    const struct linger at_once = {.l_onoff = 1};

    settle(peer);
    if (program->wsi) {
        REQUIRE(lws_close(program->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0) == 0);
        program->closing = true;
    }
    /* A connection that is hung up on in this way takes up no port afterwards. */
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(peer->fd);
    engine_loop_settle(context);
    REQUIRE(engine_loop_connections() == 1);
    REQUIRE(!program->established && !program->in_http && !program->wsi);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    size_t actions = fuzz_take_byte(&data, &size) & 15;
    bool is_server = (choice & CLIENT) != 0; /* the peer */
    struct engine_program program = {.refuses = (choice & REFUSES) != 0};
    struct peer peer = {.fd = -1};
    const int on = 1;

    if (!context)
        create_context();
    if (actions > size)
        actions = size;
    program.actions = data;
    program.actions_count = actions;
    engine_program_begin(&program);
    if (is_server)
        begin_client(&peer, &program);
    else
        begin_server(&peer);
    /* What is sent is there at once. */
    REQUIRE(setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    if (choice & HANDSHAKE) {
        make_handshake(&peer, is_server, (choice & OLD) != 0);
        listen_to(&peer, is_server);
        REQUIRE(!is_server || peer.accept[0] != '\0');
    }
    steps(&peer, data + actions, size - actions, is_server);
    finish(&peer, &program);
    if ((choice & HANDSHAKE) == 0 && program.told)
        REQUIRE(is_server && strncmp(program.told, "failed: ", 8) == 0);
    SSL_free(peer.ssl);
    free(program.told);
    free(peer.output.bytes);
    return 0;
}
