/*
 * The whole engine, from the listening socket to the callbacks. An input is
 *
 *   a byte     1: a good handshake is sent first; 2: for the subprotocol with small pieces;
 *              4: the program refuses it; 8: the socket takes little at a time; 16: it offers
 *              permessage-deflate, 32: that remembers nothing; 64: and before that another
 * extension a byte     how many actions follow, at most 15 actions    what the program does in its
 * callbacks, see engine_program.c steps      a length, and as many bytes that the client sends; or
 * one of the lengths below
 *
 * The context is made once. Each input is sent twice, cut as it says and in one piece, and the
 * program has to be told the same, and the client be sent the same.
 */
#include "engine_extension.h"
#include "engine_loop.h"
#include "engine_output.h"
#include "engine_program.h"

#include <fcntl.h>
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

enum { GREETS = 1, SMALL = 2, REFUSES = 4, NARROW = 8, DEFLATE = 16, FORGETS = 32, PIECES = 64 };

#define HANDSHAKE                                                                                  \
    "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static struct libwebsocket_context *context;
static struct sockaddr_un address;
static socklen_t address_length;

static void destroy_context(void)
{
    libwebsocket_context_destroy(context);
    context = NULL;
}

static void create_context(void)
{
    struct lws_context_creation_info info = {.protocols = engine_protocols, .gid = -1, .uid = -1};
    struct lws_context_extras extras = {
        .struct_size = sizeof(extras), .listen_fd_count = 1, .max_backlog = 8192};
    struct engine_program nobody = {.wsi = NULL};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* Bound to no name, it is given one in the abstract namespace. */
    address.sun_family = AF_UNIX;
    address_length = sizeof(address);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
        listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&address, &address_length) < 0 ||
        !engine_program_prepare())
        abort();
    lws_set_log_level(0, NULL);
    engine_extension_prepare(&info, &extras);
    engine_program_begin(&nobody);
    extras.listen_fds = &fd;
    context = lws_create_context(&info, &extras);
    REQUIRE(context != NULL);
    REQUIRE(lws_set_poll_fd_callback(context, engine_loop_sink, NULL) == 0);
    REQUIRE(atexit(destroy_context) == 0);
}

struct client {
    int fd;
    bool reads;
    bool finished; /* sending */
    bool cut;      /* the engine did not take everything in time */
    struct engine_output output;
};

static void settle(struct client *client)
{
    size_t length;

    do {
        length = client->output.length;
        engine_loop_settle(context);
        if (client->reads)
            engine_output_read(&client->output, client->fd);
    } while (client->output.length > length);
}

static int handshake_text(unsigned int choice, char *text, size_t size)
{
    if ((choice & GREETS) == 0)
        return 0;
    return snprintf(text, size, HANDSHAKE "%s%s%s%s\r\n",
        choice & SMALL ? "Sec-WebSocket-Protocol: small\r\n" : "",
        choice & DEFLATE ? "Sec-WebSocket-Extensions: " ENGINE_EXTENSION_DEFLATE : "",
        !(choice & DEFLATE) ? ""
        : choice & FORGETS  ? "; server_no_context_takeover; client_no_context_takeover\r\n"
                            : "\r\n",
        choice & PIECES ? "Sec-WebSocket-Extensions: " ENGINE_EXTENSION_PIECES "\r\n" : "");
}

static void client_connect(struct client *client)
{
    *client = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .reads = true};
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address, address_length) < 0 ||
        fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0)
        abort();
}

static void client_send(struct client *client, const void *bytes, size_t length)
{
    ssize_t sent = 0;

    if (!client->finished && length > 0)
        sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0)
        client->finished = true;
    else if (!client->finished && (size_t)sent < length)
        client->cut = true;
    settle(client);
}

static void client_finish(struct client *client)
{
    if (!client->finished)
        shutdown(client->fd, SHUT_WR);
    client->finished = true;
    settle(client);
}

static void client_steps(struct client *client, const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t step = fuzz_take_byte(&data, &size);

        switch (step) {
        case STEP_WRITABLE:
            REQUIRE(libwebsocket_callback_on_writable_all_protocol(&engine_protocols[0]) == 0);
            break;
        case STEP_READING_STOPS:
            client->reads = false;
            break;
        case STEP_READING_GOES_ON:
            client->reads = true;
            break;
        case STEP_END:
            client_finish(client);
            break;
        case STEP_SETTLE:
            settle(client);
            break;
        default:
            if (step > size)
                step = size;
            client_send(client, data, step);
            data += step;
            size -= step;
            break;
        }
    }
}

/* All that is sent, up to the end, at once. */
static void client_whole(
    struct client *client, const char *handshake, const uint8_t *data, size_t size)
{
    size_t length = strlen(handshake);
    uint8_t *bytes = fuzz_allocate(length + size);
    bool ended = false;

    memcpy(bytes, handshake, length);
    while (size > 0 && !ended) {
        size_t step = fuzz_take_byte(&data, &size);

        if (step == STEP_END)
            ended = true;
        if (step >= STEP_WRITABLE)
            continue;
        if (step > size)
            step = size;
        memcpy(bytes + length, data, step);
        length += step;
        data += step;
        size -= step;
    }
    client_send(client, bytes, length);
    if (ended)
        client_finish(client);
    free(bytes);
}

/* Lets all come to its end, which it must once the client is gone and the program has let go. */
static void finish(struct client *client, struct engine_program *program)
{
    client->reads = true;
    settle(client);
    while (program->stopped && program->wsi) {
        program->stopped = false;
        libwebsocket_rx_flow_allow_all_protocol(&engine_protocols[0]);
        libwebsocket_rx_flow_allow_all_protocol(&engine_protocols[1]);
        settle(client);
    }
    /* What was asked for has come, unless the client has broken a rule: it has taken everything. */
    REQUIRE(program->closing || !program->file_waits);
    REQUIRE(program->closing || !program->asked ||
            libwebsocket_callback_on_writable(context, program->wsi) == -1);
    engine_output_settle(&client->output, program->compresses ? 0x40 : 0);
    if (program->wsi) {
        REQUIRE(lws_close(program->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0) == 0);
        program->closing = true;
    }
    close(client->fd);
    engine_loop_settle(context);
    REQUIRE(engine_loop_connections() == 1);
    REQUIRE(!program->established && !program->in_http && !program->wsi);
    REQUIRE(engine_extension_connections() == 0);
}

static void compare(const struct client *cut, const struct engine_program *cut_program,
    const struct client *whole, const struct engine_program *whole_program)
{
    const char *cut_told = cut_program->told ? cut_program->told : "";
    const char *whole_told = whole_program->told ? whole_program->told : "";

    if (cut->cut || whole->cut)
        return;
    if (strcmp(cut_told, whole_told) != 0)
        fprintf(stderr, "cut:\n%swhole:\n%s", cut_told, whole_told);
    REQUIRE(strcmp(cut_told, whole_told) == 0);
    if (cut_program->write_refused || whole_program->write_refused)
        return;
    if (cut->output.length != whole->output.length ||
        memcmp(cut->output.bytes, whole->output.bytes, cut->output.length) != 0)
        fprintf(stderr, "cut: %zu bytes\n%.*s\nwhole: %zu bytes\n%.*s\n", cut->output.length,
            (int)cut->output.length, cut->output.bytes, whole->output.length,
            (int)whole->output.length, whole->output.bytes);
    REQUIRE(cut->output.length == whole->output.length);
    REQUIRE(memcmp(cut->output.bytes, whole->output.bytes, cut->output.length) == 0);
    REQUIRE(cut->output.ended == whole->output.ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned int choice = fuzz_take_byte(&data, &size);
    size_t actions = fuzz_take_byte(&data, &size) & 15;
    char handshake[512] = "";
    struct engine_program programs[2];
    struct client clients[2];

    if (!context)
        create_context();
    (void)handshake_text(choice, handshake, sizeof(handshake));
    if (actions > size)
        actions = size;
    for (int i = 0; i < 2; i++) {
        programs[i] = (struct engine_program){.actions = data,
            .actions_count = actions,
            .refuses = (choice & REFUSES) != 0,
            .narrow = (choice & NARROW) != 0};
        engine_program_begin(&programs[i]);
        client_connect(&clients[i]);
        if (i == 0) {
            client_send(&clients[i], handshake, strlen(handshake));
            client_steps(&clients[i], data + actions, size - actions);
        } else {
            client_whole(&clients[i], handshake, data + actions, size - actions);
        }
        finish(&clients[i], &programs[i]);
    }
    /* In the other order a fault is found sooner where more has come at once. */
    if ((choice & GREETS) != 0 || !programs[0].compresses || !programs[0].in_pieces)
        compare(&clients[0], &programs[0], &clients[1], &programs[1]);
    for (int i = 0; i < 2; i++) {
        free(programs[i].told);
        free(clients[i].output.bytes);
    }
    return 0;
}
