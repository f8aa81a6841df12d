/*
 * The whole engine as a client: an input is what a server says, or a proxy. It is
 *
 *   a byte     1: the handshake is answered well first; 2: the subprotocol with small pieces is
 *              asked for; 4: the program refuses the answer; 8: the socket takes little at a time;
 *              16: through a proxy, which accepts first where 1 is set; 32: the answer has
 *              permessage-deflate; 64: and after that another extension
 *   a byte     how many actions follow, at most 15
 *   actions    what the program does in its callbacks, see engine_program.c
 *   steps      a length, and as many bytes that the server sends; or one of the lengths below
 *
 * Where a server's own answer has the accept value of RFC 6455's example, the right one takes its
 * place. Each input is sent twice, cut as it says and in one piece, and the program has to be
 * told the same, and the server be sent the same; behind a proxy that does not know what it wants
 * the pieces may matter.
 */
#define _GNU_SOURCE 1 /* for memmem() */
#include "acceptance.h"
#include "engine_extension.h"
#include "engine_loop.h"
#include "engine_output.h"
#include "engine_program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    STEP_WRITABLE = 251,
    STEP_READING_STOPS = 252,
    STEP_READING_GOES_ON = 253,
    STEP_END = 254,
    STEP_SETTLE = 255
};

enum { ANSWERS = 1, SMALL = 2, REFUSES = 4, NARROW = 8, PROXY = 16, DEFLATE = 32, PIECES = 64 };

static struct libwebsocket_context *context;
static char path[] = "/tmp/lwsloop-fuzz-XXXXXX";
static char address[64];
static char proxy[64];
static int by_path;
static int by_proxy;

static void destroy_context(void)
{
    libwebsocket_context_destroy(context);
    context = NULL;
    (void)unlink(path);
}

static void listen_by_path(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = mkstemp(path);

    by_path = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(name.sun_path, path);
    if (fd < 0 || close(fd) < 0 || unlink(path) < 0 || by_path < 0 ||
        bind(by_path, (const struct sockaddr *)&name, sizeof(name)) < 0 || listen(by_path, 16) < 0)
        abort();
    snprintf(address, sizeof(address), "unix:%s", path);
}

static void listen_as_proxy(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t length = sizeof(name);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    by_proxy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (by_proxy < 0 || bind(by_proxy, (const struct sockaddr *)&name, sizeof(name)) < 0 ||
        listen(by_proxy, 16) < 0 || getsockname(by_proxy, (struct sockaddr *)&name, &length) < 0)
        abort();
    snprintf(proxy, sizeof(proxy), "127.0.0.1:%d", ntohs(name.sin_port));
}

static void create_context(void)
{
    struct lws_context_creation_info info = {.protocols = engine_protocols,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_DEFEAT_CLIENT_MASK};
    struct lws_context_extras extras = {.struct_size = sizeof(extras), .max_backlog = 8192};
    struct engine_program nobody = {.wsi = NULL};

    listen_by_path();
    listen_as_proxy();
    lws_set_log_level(0, NULL);
    engine_extension_prepare(&info, &extras);
    engine_program_begin(&nobody);
    context = lws_create_context(&info, &extras);
    REQUIRE(context != NULL);
    REQUIRE(lws_set_poll_fd_callback(context, engine_loop_sink, NULL) == 0);
    REQUIRE(atexit(destroy_context) == 0);
}

struct server {
    int fd;
    bool reads;
    bool finished; /* sending */
    bool cut;      /* the engine did not take everything in time */
    struct engine_output output;
    size_t requests; /* the bytes of output that are requests */
    char accept[ACCEPTANCE_LENGTH + 1];
};

static void settle(struct server *server)
{
    size_t length;

    do {
        length = server->output.length;
        engine_loop_settle(context);
        if (server->reads)
            engine_output_read(&server->output, server->fd);
    } while (server->output.length > length);
}

static void server_send(struct server *server, const void *bytes, size_t length)
{
    ssize_t sent = 0;

    if (!server->finished && length > 0)
        sent = send(server->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0)
        server->finished = true;
    else if (!server->finished && (size_t)sent < length)
        server->cut = true;
    settle(server);
}

/* A TCP connection that is hung up on in this way takes up no port afterwards. */
static void server_hang_up(struct server *server)
{
    const struct linger at_once = {.l_onoff = 1};

    (void)setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(server->fd);
}

static void server_accept(struct server *server, bool is_proxy)
{
    struct pollfd pollfd = {.fd = is_proxy ? by_proxy : by_path, .events = POLLIN};
    const int on = 1;

    *server = (struct server){.reads = true};
    engine_loop_settle(context);
    while (poll(&pollfd, 1, 1000) < 0 && errno == EINTR)
        ;
    server->fd = accept4(pollfd.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    REQUIRE(server->fd >= 0);
    /* What is sent is there at once. */
    if (is_proxy)
        REQUIRE(setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

/* The request that the client makes next. */
static const char *server_hear(struct server *server, const char *method)
{
    const char *request;
    const char *end;

    for (int i = 0; i < 100; i++) {
        struct pollfd pollfd = {.fd = server->fd, .events = POLLIN};

        settle(server);
        if (server->output.length > server->requests)
            break;
        while (poll(&pollfd, 1, 10) < 0 && errno == EINTR)
            ;
    }
    REQUIRE(server->output.length > server->requests);
    request = server->output.bytes + server->requests;
    end = memmem(request, server->output.length - server->requests, "\r\n\r\n", 4);
    REQUIRE(end != NULL);
    REQUIRE(strncmp(request, method, strlen(method)) == 0);
    server->requests = (size_t)(end + 4 - server->output.bytes);
    REQUIRE(server->requests == server->output.length);
    return request;
}

static void find_accept(struct server *server)
{
    const char *request = server_hear(server, "GET / HTTP/1.1\r\n");

    acceptance_of(
        request, (size_t)(server->output.bytes + server->requests - request), server->accept);
}

static int answer(const struct server *server, unsigned int choice, char *text, size_t size)
{
    if ((choice & ANSWERS) == 0)
        return 0;
    return snprintf(text, size,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
        server->accept, choice & SMALL ? "Sec-WebSocket-Protocol: small\r\n" : "",
        choice & DEFLATE ? "Sec-WebSocket-Extensions: " ENGINE_EXTENSION_DEFLATE "\r\n" : "",
        choice & PIECES ? "Sec-WebSocket-Extensions: " ENGINE_EXTENSION_PIECES "\r\n" : "");
}

static void server_begin(struct server *server, struct engine_program *program, unsigned int choice)
{
    static const char tunnel[] = "HTTP/1.1 200 OK\r\n\r\n";
    bool is_proxy = (choice & PROXY) != 0;

    REQUIRE(libwebsocket_set_proxy(context, is_proxy ? proxy : NULL) == 0);
    program->wsi = libwebsocket_client_connect(context, is_proxy ? "server.example" : address, 80,
        0, "/", NULL, NULL, choice & SMALL ? "small" : NULL, -1);
    REQUIRE(program->wsi != NULL);
    server_accept(server, is_proxy);
    if (is_proxy) {
        server_hear(server, "CONNECT server.example:80 HTTP/1.1\r\n");
        if ((choice & ANSWERS) == 0)
            return;
        server_send(server, tunnel, sizeof(tunnel) - 1);
    }
    find_accept(server);
}

/* What is said in all, in `bytes`; each step refers to a part of it. */
static size_t gather(const struct server *server, unsigned int choice, const uint8_t *data,
    size_t size, uint8_t *bytes)
{
    bool answers_itself = (choice & ANSWERS) == 0 && server->accept[0] != '\0';
    size_t length = 0;

    while (size > 0) {
        size_t step = fuzz_take_byte(&data, &size);

        if (step >= STEP_WRITABLE)
            continue;
        if (step > size)
            step = size;
        memcpy(bytes + length, data, step);
        length += step;
        data += step;
        size -= step;
    }
    if (answers_itself)
        acceptance_put(bytes, length, server->accept);
    return length;
}

static void server_finish(struct server *server)
{
    if (!server->finished)
        shutdown(server->fd, SHUT_WR);
    server->finished = true;
    settle(server);
}

static void server_steps(
    struct server *server, const uint8_t *data, size_t size, const uint8_t *bytes)
{
    while (size > 0) {
        size_t step = fuzz_take_byte(&data, &size);

        switch (step) {
        case STEP_WRITABLE:
            REQUIRE(libwebsocket_callback_on_writable_all_protocol(&engine_protocols[0]) == 0);
            break;
        case STEP_READING_STOPS:
            server->reads = false;
            break;
        case STEP_READING_GOES_ON:
            server->reads = true;
            break;
        case STEP_END:
            server_finish(server);
            break;
        case STEP_SETTLE:
            settle(server);
            break;
        default:
            if (step > size)
                step = size;
            server_send(server, bytes, step);
            bytes += step;
            data += step;
            size -= step;
            break;
        }
    }
}

/* How many of the bytes come before the server says that it has finished; and whether it does. */
static size_t find_end(const uint8_t *data, size_t size, bool *ended)
{
    size_t length = 0;

    *ended = false;
    while (size > 0) {
        size_t step = fuzz_take_byte(&data, &size);

        if (step == STEP_END) {
            *ended = true;
            break;
        }
        if (step >= STEP_WRITABLE)
            continue;
        if (step > size)
            step = size;
        length += step;
        data += step;
        size -= step;
    }
    return length;
}

static void server_says(
    struct server *server, unsigned int choice, const uint8_t *data, size_t size, bool in_pieces)
{
    uint8_t *bytes = fuzz_allocate(512 + size);
    size_t head = (size_t)answer(server, choice, (char *)bytes, 512);
    size_t length = gather(server, choice, data, size, bytes + head);
    bool ended;

    if (in_pieces) {
        server_send(server, bytes, head);
        server_steps(server, data, size, bytes + head);
    } else {
        length = find_end(data, size, &ended);
        server_send(server, bytes, head + length);
        if (ended)
            server_finish(server);
    }
    free(bytes);
}

/* Lets all come to its end, which it must once the server is gone and the program has let go. */
static void finish(struct server *server, struct engine_program *program)
{
    server->reads = true;
    settle(server);
    while (program->stopped && program->wsi) {
        program->stopped = false;
        libwebsocket_rx_flow_allow_all_protocol(&engine_protocols[0]);
        libwebsocket_rx_flow_allow_all_protocol(&engine_protocols[1]);
        settle(server);
    }
    REQUIRE(program->closing || !program->asked ||
            libwebsocket_callback_on_writable(context, program->wsi) == -1);
    if (server->accept[0] != '\0')
        engine_output_settle_client(
            &server->output, server->requests, program->compresses ? 0x40 : 0);
    if (program->wsi) {
        REQUIRE(lws_close(program->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0) == 0);
        program->closing = true;
    }
    server_hang_up(server);
    engine_loop_settle(context);
    REQUIRE(engine_loop_connections() == 0);
    REQUIRE(!program->established && !program->wsi);
    REQUIRE(engine_extension_connections() == 0);
}

static void compare(const struct server *cut, const struct engine_program *cut_program,
    const struct server *whole, const struct engine_program *whole_program)
{
    const char *cut_told = cut_program->told ? cut_program->told : "";
    const char *whole_told = whole_program->told ? whole_program->told : "";
    size_t length = cut->output.length - cut->requests;

    if (cut->cut || whole->cut)
        return;
    if (strcmp(cut_told, whole_told) != 0)
        fprintf(stderr, "cut:\n%swhole:\n%s", cut_told, whole_told);
    REQUIRE(strcmp(cut_told, whole_told) == 0);
    if (cut_program->write_refused || whole_program->write_refused)
        return;
    REQUIRE(length == whole->output.length - whole->requests);
    REQUIRE(memcmp(cut->output.bytes + cut->requests, whole->output.bytes + whole->requests,
                length) == 0);
    REQUIRE(cut->output.ended == whole->output.ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    size_t actions = fuzz_take_byte(&data, &size) & 15;
    struct engine_program programs[2];
    struct server servers[2];

    if (!context)
        create_context();
    if (actions > size)
        actions = size;
    for (int i = 0; i < 2; i++) {
        programs[i] = (struct engine_program){.actions = data,
            .actions_count = actions,
            .refuses = (choice & REFUSES) != 0,
            .narrow = (choice & NARROW) != 0};
        engine_program_begin(&programs[i]);
        server_begin(&servers[i], &programs[i], choice);
        server_says(&servers[i], choice, data + actions, size - actions, i == 0);
        finish(&servers[i], &programs[i]);
    }
    /* Where both are in the other order a fault is found sooner where more has come at once. */
    if ((choice & ANSWERS) != 0 ||
        ((choice & PROXY) == 0 && !(programs[0].compresses && programs[0].in_pieces)))
        compare(&servers[0], &programs[0], &servers[1], &programs[1]);
    for (int i = 0; i < 2; i++) {
        free(programs[i].told);
        free(servers[i].output.bytes);
    }
    return 0;
}
