/* Much at once in both directions, with the library at both ends of TLS. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "../support/cut_io.h"
#include "../support/random_sequence.h"
#include "client_ground.h"
#include "suites.h"

#define FRAME_SIZE 65536u

/* One end: what it sends is a sequence that depends on the byte's place in the whole. */
struct end {
    struct libwebsocket *wsi;
    uint64_t sent;
    uint64_t received;
    uint64_t frames_left;
    size_t frame_size;
};

static struct end ends[2]; /* the server's, the client's */
static atomic_ulong progress;

static unsigned char byte_at(uint64_t place, int end)
{
    return (unsigned char)(place * 131 + (place >> 9) + (unsigned int)end * 77);
}

static void send_frame(struct libwebsocket *wsi, int number)
{
    static _Thread_local unsigned char
        buffer[LWS_SEND_BUFFER_PRE_PADDING + FRAME_SIZE + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *payload = buffer + LWS_SEND_BUFFER_PRE_PADDING;
    struct end *end = &ends[number];

    for (size_t i = 0; i < end->frame_size; i++)
        payload[i] = byte_at(end->sent + i, number);
    ck_assert_int_eq(
        libwebsocket_write(wsi, payload, end->frame_size, LWS_WRITE_BINARY), (int)end->frame_size);
    end->sent += end->frame_size;
    end->frames_left--;
}

static int traffic(int number, struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, const unsigned char *in, size_t len)
{
    struct end *end = &ends[number];

    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        end->wsi = wsi;
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (end->frames_left == 0)
            break;
        send_frame(wsi, number);
        ck_assert_int_eq(libwebsocket_callback_on_writable(context, wsi), 1);
        break;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        for (size_t i = 0; i < len; i++) {
            if (in[i] != byte_at(end->received + i, 1 - number))
                ck_abort_msg("byte %llu is wrong", (unsigned long long)(end->received + i));
        }
        end->received += len;
        atomic_fetch_add(&progress, len);
        break;
    case LWS_CALLBACK_CLOSED:
        end->wsi = NULL;
        break;
    default:
        break;
    }
    return 0;
}

static int server_traffic(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    return traffic(0, context, wsi, reason, in, len);
}

static int client_traffic(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    return traffic(1, context, wsi, reason, in, len);
}

struct toggle {
    int end;
    int enable;
};

static void toggle_now(struct server *loop, void *argument)
{
    const struct toggle *toggle = argument;

    (void)loop;
    if (ends[toggle->end].wsi != NULL)
        ck_assert_int_eq(libwebsocket_rx_flow_control(ends[toggle->end].wsi, toggle->enable), 0);
}

/* The most memory that the process ever had, in KiB. */
static long highest_memory(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kilobytes = -1;

    ck_assert_ptr_nonnull(file);
    while (kilobytes < 0 && fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "VmHWM: %ld", &kilobytes);
    fclose(file);
    return kilobytes;
}

static void use_certificate(
    struct lws_context_creation_info *info, struct lws_context_extras *extras)
{
    (void)extras;
    info->ssl_cert_filepath = certificates_path("server.pem");
    info->ssl_private_key_filepath = certificates_path("server.key");
}

/* How many frames each end sends. */
static uint64_t amount(size_t frame_size)
{
    uint64_t mebibytes = frame_size < 1000 ? 4 : 64;

    if (harness_cut())
        return 100000 / frame_size;
    return mebibytes * 1048576 / frame_size;
}

static const size_t frame_sizes[] = {65536, 16384, 5000, 700};

/* Every byte arrives, nothing stalls, and memory does not grow with what is sent. */
START_TEST(goes_both_ways_at_once)
{
    static struct libwebsocket_protocols servers[] = {
        {.name = "traffic", .callback = server_traffic}, {.name = NULL}};
    static struct libwebsocket_protocols clients[] = {
        {.name = "traffic", .callback = client_traffic}, {.name = NULL}};
    size_t frame_size = harness_scale(frame_sizes[_i], 500);
    uint64_t frames = amount(frame_size);
    uint64_t bytes = frames * frame_size;
    struct server_options server_options = {
        .protocols = servers, .adjust = use_certificate, .plain = true, .unlogged = true};
    struct server_options client_options = {.protocols = clients,
        .unlogged = true,
        .extras = {.client_ssl_ca_filepath = certificates_path("root.pem")}};
    struct server *loops[2];
    struct client client = {.ssl = 1, .protocol = "traffic"};
    struct toggle toggles[2] = {{.end = 0, .enable = 1}, {.end = 1, .enable = 1}};
    struct random_sequence random = {cut_io_seed() | 1};
    uint64_t before = 0;
    int64_t moved = ws_now_ms();
    long memory;

    for (int i = 0; i < 2; i++)
        ends[i] = (struct end){.frames_left = frames, .frame_size = frame_size};
    loops[0] = server_start(&server_options);
    loops[1] = client_start(&client_options);
    memory = highest_memory();
    client.port = server_port(loops[0]);
    client_begin(loops[1], &client);
    server_wait(loops[1], LWS_CALLBACK_CLIENT_ESTABLISHED, 1);
    while (atomic_load(&progress) < 2 * bytes) {
        uint64_t choice = random_next(&random);
        int end = (int)(choice & 1);

        usleep((useconds_t)(choice >> 8) % 3000);
        toggles[end].enable = (choice & 6) == 0 ? 0 : 1;
        server_run(loops[end], toggle_now, &toggles[end]);
        /* Whoever was stopped goes on in the end. */
        if (atomic_load(&progress) != before) {
            before = atomic_load(&progress);
            moved = ws_now_ms();
        }
        ck_assert_msg(ws_now_ms() - moved < WS_PATIENCE_MS, "nothing moves after %llu bytes",
            (unsigned long long)before);
    }
    if (!harness_sanitized())
        ck_assert_int_lt(highest_memory() - memory, 8000);
    server_stop(loops[1]);
    server_stop(loops[0]);
    ck_assert_uint_eq(ends[0].received, bytes);
    ck_assert_uint_eq(ends[1].received, bytes);
}
END_TEST

Suite *client_tls_traffic_suite(void)
{
    Suite *suite = suite_create("client tls traffic");
    TCase *traffic_case = harness_case("traffic");

    tcase_set_timeout(traffic_case, 600);
    tcase_add_loop_test(
        traffic_case, goes_both_ways_at_once, 0, (int)(sizeof frame_sizes / sizeof frame_sizes[0]));
    suite_add_tcase(suite, traffic_case);
    return suite;
}
