#include "engine_program.h"

#include "engine_extension.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

enum { LARGE_FILE = 20000, TOLD_MAX = 1 << 18, SMALL_PIECE = 16 };

struct session {
    uint64_t zero; /* as it came */
};

static char small_file[] = "/tmp/lwsloop-fuzz-XXXXXX";
static char large_file[] = "/tmp/lwsloop-fuzz-XXXXXX";
static struct engine_program *program;

static void remove_files(void)
{
    unlink(small_file);
    unlink(large_file);
}

static bool make_file(char *name, size_t length)
{
    int fd = mkstemp(name);
    bool good = fd >= 0;
    char bytes[LARGE_FILE];

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + i % 26);
    good = good && write(fd, bytes, length) == (ssize_t)length;
    if (fd >= 0)
        close(fd);
    return good;
}

bool engine_program_prepare(void)
{
    return make_file(small_file, 5) && make_file(large_file, LARGE_FILE) &&
           atexit(remove_files) == 0;
}

void engine_program_begin(struct engine_program *next)
{
    program = next;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    va_list arguments;
    int length;

    if (!program->told)
        program->told = fuzz_allocate(TOLD_MAX);
    va_start(arguments, format);
    length = vsnprintf(
        program->told + program->told_length, TOLD_MAX - program->told_length, format, arguments);
    va_end(arguments);
    REQUIRE(length >= 0 && (size_t)length < TOLD_MAX - program->told_length);
    program->told_length += (size_t)length;
}

static unsigned int action(size_t *count)
{
    size_t at = (*count)++;

    return program->actions_count > 0 ? program->actions[at % program->actions_count] : 0;
}

static void write_frame(struct libwebsocket *wsi, const void *payload, size_t length,
    enum libwebsocket_write_protocol protocol)
{
    unsigned char *copy =
        fuzz_allocate(LWS_SEND_BUFFER_PRE_PADDING + length + LWS_SEND_BUFFER_POST_PADDING);
    int result;

    if (length > 0)
        memcpy(copy + LWS_SEND_BUFFER_PRE_PADDING, payload, length);
    errno = 0;
    result = libwebsocket_write(wsi, copy + LWS_SEND_BUFFER_PRE_PADDING, length, protocol);
    REQUIRE(result == (int)length || result == -1);
    REQUIRE(result >= 0 || errno != 0);
    REQUIRE(length == 0 || memcmp(copy + LWS_SEND_BUFFER_PRE_PADDING, payload, length) == 0);
    if (result < 0)
        program->write_refused = true;
    free(copy);
}

static void stop_receiving(struct libwebsocket *wsi)
{
    REQUIRE(libwebsocket_rx_flow_control(wsi, 0) == 0);
    program->stopped = true;
}

static void ask(struct libwebsocket_context *context, struct libwebsocket *wsi)
{
    REQUIRE(libwebsocket_callback_on_writable(context, wsi) == 1);
    program->asked = true;
}

static int close_staged(struct libwebsocket *wsi, unsigned int parameter)
{
    REQUIRE(lws_close_reason(wsi, (int)(4000 + parameter), "as planned", parameter % 11) == 0);
    program->closing = true;
    return -1;
}

static int receive(
    struct libwebsocket_context *context, struct libwebsocket *wsi, void *in, size_t len)
{
    unsigned int choice = action(&program->received);
    unsigned int parameter = choice >> 4;
    size_t remaining = libwebsockets_remaining_packet_payload(wsi);
    uint32_t sum = 0;

    REQUIRE(program->established && !program->stopped && !program->closing);
    REQUIRE(((const char *)in)[len] == '\0');
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + ((const unsigned char *)in)[i];
    /* How much is known to come of what extensions change depends on how it was cut. */
    if (program->compresses || program->in_pieces)
        remaining = remaining > 0;
    tell("receive %zu %x final %d binary %d remaining %zu\n", len, (unsigned int)sum,
        libwebsocket_is_final_fragment(wsi), lws_frame_is_binary(wsi), remaining);
    switch (choice & 15) {
    case 1:
        break;
    case 2:
        stop_receiving(wsi);
        ask(context, wsi);
        break;
    case 3:
        stop_receiving(wsi);
        break;
    case 4:
        program->closing = true;
        return -1;
    case 5:
        return close_staged(wsi, parameter);
    case 6:
        program->closing = true;
        REQUIRE(lws_close(wsi, (int)(3000 + parameter), "now", 3) == 0);
        break;
    case 7:
        write_frame(wsi, in, len / 2, LWS_WRITE_BINARY | LWS_WRITE_NO_FIN);
        write_frame(wsi, "p", 1, LWS_WRITE_PING);
        write_frame(wsi, (char *)in + len / 2, len - len / 2, LWS_WRITE_CONTINUATION);
        break;
    case 8:
        for (unsigned int i = 0; i <= parameter; i++)
            write_frame(wsi, in, len, LWS_WRITE_BINARY);
        break;
    case 9:
        write_frame(wsi, in, len < 126 ? len : 125, LWS_WRITE_PING);
        write_frame(wsi, in, len < 126 ? len : 125, LWS_WRITE_PONG);
        break;
    case 10:
        if (parameter & 1)
            ask(context, wsi);
        REQUIRE(libwebsocket_service_fd(context, NULL) == 0);
        break;
    case 11:
        write_frame(wsi,
            "\x0f\xa0"
            "frame",
            7, LWS_WRITE_CLOSE);
        program->closing = true;
        break;
    case 12:
        ask(context, wsi);
        break;
    case 13:
        libwebsocket_set_timeout(
            wsi, parameter & 1 ? PENDING_TIMEOUT_AWAITING_PING : NO_PENDING_TIMEOUT, 1000);
        break;
    case 14:
        return 1;
    case 15:
        lws_send_pipe_choked(wsi);
        memset(in, 0, len);
        break;
    default:
        if (libwebsocket_write(wsi, in, len, LWS_WRITE_BINARY) < 0)
            program->write_refused = true;
        break;
    }
    return 0;
}

static void read_header_fields(struct libwebsocket *wsi)
{
    for (int i = 0; i < WSI_TOKEN_COUNT; i++) {
        enum lws_token_indexes index = (enum lws_token_indexes)i;
        int length = lws_hdr_total_length(wsi, index);
        char *value = fuzz_allocate((size_t)length + 1);
        int copied = lws_hdr_copy(wsi, value, length + 1, index);

        REQUIRE(length >= 0 && copied == length);
        REQUIRE(length == 0 || strlen(value) == (size_t)length);
        REQUIRE(length == 0 || lws_hdr_copy(wsi, value, length, index) == -1);
        free(value);
    }
}

static int respond(struct libwebsocket *wsi)
{
    static const char response[] = RESPONSE;
    char copy[sizeof(response)];

    memcpy(copy, response, sizeof(response));
    if (libwebsocket_write(wsi, (unsigned char *)copy, sizeof(copy) - 1, LWS_WRITE_HTTP) < 0)
        program->write_refused = true;
    return -1;
}

static int serve(struct libwebsocket_context *context, struct libwebsocket *wsi, const char *file)
{
    int result = libwebsockets_serve_http_file(context, wsi, file, "text/plain");

    REQUIRE(!program->file_waits);
    program->file_waits = result == 0;
    return result;
}

static int request(
    struct libwebsocket_context *context, struct libwebsocket *wsi, const char *path, size_t len)
{
    unsigned int choice = action(&program->requested);
    int result;

    REQUIRE(path[0] == '/' && strlen(path) == len && !program->closing);
    program->in_http = true;
    tell("request %s\n", path);
    read_header_fields(wsi);
    switch (choice & 15) {
    case 1:
        return serve(context, wsi, large_file);
    case 2:
        return libwebsockets_serve_http_file(context, wsi, "/nowhere", "text/plain");
    case 3:
        respond(wsi);
        break;
    case 4:
        return respond(wsi);
    case 5:
        ask(context, wsi);
        break;
    case 6:
        return -1;
    case 7:
        REQUIRE(lws_close(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0) == 0);
        program->closing = true;
        break;
    case 8:
        REQUIRE(libwebsocket_service_fd(context, NULL) == 0);
        return respond(wsi);
    case 9:
        return libwebsockets_serve_http_file(context, wsi, "/tmp", NULL);
    case 10:
        result = serve(context, wsi, choice & 16 ? large_file : small_file);
        REQUIRE(libwebsocket_service_fd(context, NULL) == 0);
        return result;
    default:
        return serve(context, wsi, small_file);
    }
    return 0;
}

static int filter_handshake(const struct lws_tokens *tokens)
{
    for (int i = 0; i < WSI_TOKEN_COUNT; i++) {
        if (tokens[i].token)
            REQUIRE(strlen(tokens[i].token) == (size_t)tokens[i].token_len);
    }
    return program->refuses;
}

static void closed(struct libwebsocket *wsi)
{
    const char *reason = NULL;
    size_t length = 0;
    int code = lws_get_close(wsi, &reason, &length);

    REQUIRE(program->established && program->wsi == wsi);
    REQUIRE(length <= 123 && reason && reason[length] == '\0');
    tell("closed %d %zu\n", code, length);
    program->established = false;
    program->asked = false;
    program->wsi = NULL;
}

static void established(struct libwebsocket *wsi, struct session *session)
{
    REQUIRE(!program->established && !program->in_http && !program->failed);
    REQUIRE(session->zero == 0);
    session->zero = 1;
    tell("established\n");
    program->established = true;
    program->compresses = lws_extension_is_active(wsi, ENGINE_EXTENSION_DEFLATE) == 1;
    program->in_pieces = lws_extension_is_active(wsi, ENGINE_EXTENSION_PIECES) == 1;
    program->wsi = wsi;
}

static int writeable(struct libwebsocket *wsi)
{
    REQUIRE(program->established && !program->closing);
    program->asked = false;
    if (program->stopped && libwebsocket_rx_flow_control(wsi, 1) == 0)
        program->stopped = false;
    return 0;
}

static void failed(const char *why, size_t len)
{
    REQUIRE(!program->established && !program->failed);
    REQUIRE(len > 0 && strlen(why) == len);
    tell("failed: %s\n", why);
    program->failed = true;
    program->wsi = NULL;
}

/* What only clients are told. */
static int client_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int size = 1;

    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        if (program->narrow)
            setsockopt(libwebsocket_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        read_header_fields(wsi);
        return program->refuses;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established(wsi, user);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        failed(in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (receive(context, wsi, in, len) == 0)
            return 0;
        program->closing = true;
        return 1;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        REQUIRE(program->established && len <= 125);
        tell("pong %zu\n", len);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writeable(wsi);
    default:
        return 0;
    }
}

static int callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    int size = 1;

    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        if (program->narrow)
            setsockopt((int)(intptr_t)in, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        return 0;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        read_header_fields(wsi);
        return filter_handshake(user);
    case LWS_CALLBACK_ESTABLISHED:
        established(wsi, user);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return receive(context, wsi, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writeable(wsi);
    case LWS_CALLBACK_CLOSED:
        closed(wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        program->wsi = wsi;
        return request(context, wsi, in, len);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        REQUIRE(program->in_http && !program->closing);
        program->asked = false;
        return respond(wsi);
    case LWS_CALLBACK_HTTP_FILE_COMPLETION:
        REQUIRE(program->in_http && !program->closing && program->file_waits);
        program->file_waits = false;
        tell("file sent\n");
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        REQUIRE(program->in_http && program->wsi == wsi);
        tell("closed\n");
        program->in_http = false;
        program->asked = false;
        program->file_waits = false;
        program->wsi = NULL;
        return 0;
    default:
        return client_callback(context, wsi, reason, user, in, len);
    }
}

struct libwebsocket_protocols engine_protocols[] = {
    {NULL, callback, sizeof(struct session), 0, NULL, 0},
    {"small", callback, sizeof(struct session), SMALL_PIECE, NULL, 0},
    {NULL, NULL, 0, 0, NULL, 0},
};
