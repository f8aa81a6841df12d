/* One sender: sizes, ends, and packets that are not what they should be. */
#include "suites.h"

#include "channel_ground.h"
#include "platform/sealed_memory.h"
#include "support/children.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

static struct ground ground;
static int descriptors;

static void set_up(void)
{
    descriptors = count_descriptors();
    ground_open(&ground);
}

static void tear_down(void)
{
    ground_close(&ground);
    ck_assert_int_eq(count_descriptors(), descriptors);
}

static unsigned char *make_message(size_t length)
{
    unsigned char *bytes = malloc(length + 1);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(i * 31 + length);
    return bytes;
}

static void pass(size_t length)
{
    unsigned char *sent = make_message(length);
    struct broadcast taken;

    ck_assert_msg(broadcast_channel_send(&ground.channel, &ground.lock, (uint32_t)length + 1, sent,
                      length, PATIENCE_MS),
        "%zu bytes: %s", length, strerror(errno));
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_TAKEN);
    ck_assert_uint_eq(taken.topic, length + 1);
    ck_assert_uint_eq(taken.length, length);
    ck_assert(length == 0 || memcmp(taken.bytes, sent, length) == 0);
    /* The room around it can be written to: a sanitizer sees to that. */
    memset(taken.bytes - BEFORE, 0xaa, BEFORE);
    memset(taken.bytes + length, 0xaa, BEHIND);
    free(taken.memory);
    free(sent);
}

START_TEST(any_size_arrives)
{
    const size_t in_packet = ground.channel.in_packet;
    const size_t lengths[] = {0, 1, 125, 4096, in_packet - 1, in_packet, in_packet + 1, 1 << 20,
        BROADCAST_MAX - 1, BROADCAST_MAX};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        pass(lengths[i]);
}
END_TEST

START_TEST(more_than_the_limit_is_refused)
{
    unsigned char *bytes = make_message(BROADCAST_MAX + 1);
    struct broadcast taken;

    ck_assert(!broadcast_channel_send(
        &ground.channel, &ground.lock, 0, bytes, BROADCAST_MAX + 1, PATIENCE_MS));
    ck_assert_int_eq(errno, EMSGSIZE);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_NONE);
    free(bytes);
}
END_TEST

START_TEST(descriptors_survive_no_exec)
{
    ck_assert_int_eq(fcntl(ground.channel.sender, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl(ground.channel.receiver, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

/* What waits is bounded by a few times the largest message, whatever the sizes. */
START_TEST(what_is_in_flight_is_bounded)
{
    size_t length = _i ? BROADCAST_MAX : ground.channel.in_packet + 1;
    unsigned char *bytes = make_message(length);
    struct broadcast taken;
    int accepted = 0;
    int arrived = 0;

    while (accepted < 100 &&
           broadcast_channel_send(&ground.channel, &ground.lock, 0, bytes, length, 1))
        accepted++;
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(accepted, 1);
    ck_assert_int_le(accepted, 8);
    while (ground_take(&ground, &taken) == BROADCAST_TAKEN) {
        free(taken.memory);
        arrived++;
    }
    ck_assert_int_eq(arrived, accepted);
    pass(length);
    free(bytes);
}
END_TEST

/* Takes over and reads nothing, until it is killed. */
static int serve_nothing(void *pipe_end)
{
    if (!process_lock_join(&ground.lock))
        return 1;
    process_lock_claim(&ground.lock);
    say(*(int *)pipe_end, 's');
    for (;;)
        pause();
}

static int send_until_it_fails(void *patience_ms)
{
    static unsigned char bytes[4096];

    while (broadcast_channel_send(
        &ground.channel, &ground.lock, 0, bytes, sizeof(bytes), *(const unsigned int *)patience_ms))
        continue;
    return errno;
}

START_TEST(senders_that_wait_are_told_of_the_end)
{
    unsigned int patience = PATIENCE_MS;
    unsigned int little = 1;
    int told[2];
    pid_t server, senders[2];

    ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
    server = fork_and_run(serve_nothing, &told[1]);
    ck_assert_int_eq(hear(told[0]), 's');
    for (int i = 0; i < 2; i++)
        senders[i] = fork_and_run(send_until_it_fails, &patience);
    /* It is full for everybody then. */
    ck_assert_int_eq(run_in_child(send_until_it_fails, &little), ETIMEDOUT);
    kill_child(server);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(status_of(senders[i]), EPIPE);
    ck_assert_int_eq(send_until_it_fails(&patience), EPIPE);
    close(told[0]);
    close(told[1]);
}
END_TEST

/* Nobody can receive any more: the system says so by itself, and not by a signal. */
START_TEST(without_a_receiver_it_fails_at_once)
{
    unsigned int patience = PATIENCE_MS;

    broadcast_channel_close_receiver(&ground.channel);
    ck_assert_int_eq(send_until_it_fails(&patience), EPIPE);
}
END_TEST

static int send_beyond_the_file_limit(void *unused)
{
    const struct rlimit limit = {4096, 4096};
    static unsigned char bytes[1 << 20];

    (void)unused;
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
        broadcast_channel_send(&ground.channel, &ground.lock, 0, bytes, sizeof(bytes), 1000))
        return 0;
    return errno;
}

START_TEST(limit_on_files_is_an_error_and_no_signal)
{
    ck_assert_int_eq(run_in_child(send_beyond_the_file_limit, NULL), EFBIG);
}
END_TEST

/* The form of a packet, written down a second time. */
struct raw {
    uint32_t form;
    uint32_t topic;
    uint64_t length;
};

static const uint32_t form = 0x6c77730a;

static void send_raw(const struct raw *head, size_t bytes, const int *fds, size_t count)
{
    unsigned char *payload = calloc(1, bytes + 1);
    struct iovec pieces[] = {{(void *)(size_t)head, head ? sizeof(*head) : 0}, {payload, bytes}};
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE(sizeof(int) * 4)];
    } control;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};

    ck_assert_ptr_nonnull(payload);
    memset(&control, 0, sizeof(control));
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    ck_assert_msg(sendmsg(ground.channel.sender, &message, 0) >= 0, "%s", strerror(errno));
    free(payload);
}

static void expect_dropped(int error)
{
    struct broadcast taken;
    int before = count_descriptors();

    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_DROPPED);
    ck_assert_int_eq(errno, error);
    ck_assert_int_eq(count_descriptors(), before);
    pass(10);
    pass(200000);
}

START_TEST(malformed_packets_are_dropped)
{
    const size_t in_packet = ground.channel.in_packet;
    const struct {
        struct raw head;
        size_t bytes;
    } packets[] = {
        {{form + 1, 0, 4}, 4}, {{form, 0, 5}, 4}, {{form, 0, 3}, 4}, {{form, 0, UINT64_MAX}, 4},
        {{form, 0, (uint64_t)UINT32_MAX + 5}, 4}, {{form, 0, BROADCAST_MAX + 1}, in_packet},
        {{form, 0, in_packet + 1}, in_packet},     /* without the rest */
        {{form, 0, in_packet + 1}, in_packet + 1}, /* in one packet */
        {{form, 0, 70000}, 70000},                 /* longer than there is room for */
    };
    const unsigned char one = 1;

    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        send_raw(&packets[i].head, packets[i].bytes, NULL, 0);
        expect_dropped(EBADMSG);
    }
    ck_assert_int_eq(send(ground.channel.sender, &one, 1, 0), 1);
    expect_dropped(EBADMSG);
}
END_TEST

static int open_unsealed(size_t length)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
    return fd;
}

START_TEST(wrong_descriptors_are_dropped_and_closed)
{
    const size_t in_packet = ground.channel.in_packet;
    const struct raw large = {form, 0, in_packet + 100};
    const struct raw huge = {form, 0, BROADCAST_MAX + 1};
    const struct raw small = {form, 0, 4};
    static const unsigned char bytes[101];
    int fds[4];
    int pipe_ends[2];

    fds[0] = open_unsealed(100);
    send_raw(&large, in_packet, fds, 1);
    expect_dropped(EINVAL);
    /* Sealed, but not against shrinking. */
    ck_assert_int_eq(fcntl(fds[0], F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
    send_raw(&large, in_packet, fds, 1);
    expect_dropped(EINVAL);
    close(fds[0]);
    for (size_t length = 99; length <= 101; length += 2) {
        fds[0] = sealed_memory_make(bytes, length);
        send_raw(&large, in_packet, fds, 1);
        expect_dropped(EINVAL);
        close(fds[0]);
    }
    /* Good, if it were not for the limit. */
    fds[0] = open_unsealed(BROADCAST_MAX + 1 - in_packet);
    ck_assert_int_eq(
        fcntl(fds[0], F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL), 0);
    send_raw(&huge, in_packet, fds, 1);
    expect_dropped(EBADMSG);
    close(fds[0]);
    /* What would keep a reader waiting. */
    ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
    send_raw(&large, in_packet, pipe_ends, 1);
    expect_dropped(EINVAL);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    fds[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    send_raw(&large, in_packet, fds, 1);
    expect_dropped(EINVAL);
    close(fds[0]);
    /* Where none should be, and more than one. */
    for (int i = 0; i < 4; i++)
        fds[i] = sealed_memory_make(bytes, 100);
    send_raw(&small, 4, fds, 1);
    expect_dropped(EBADMSG);
    send_raw(&small, 4, fds, 4);
    expect_dropped(EMFILE);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}
END_TEST

START_TEST(the_end_is_told)
{
    struct broadcast taken;

    ck_assert_int_eq(shutdown(ground.channel.sender, SHUT_WR), 0);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_OVER);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_OVER);
}
END_TEST

/* As a process may send it that means ill. */
START_TEST(a_packet_with_nothing_in_it_is_not_the_end)
{
    struct broadcast taken;

    send_raw(NULL, 0, NULL, 0);
    send_raw(NULL, 0, NULL, 0);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_DROPPED);
    ck_assert_int_eq(errno, EBADMSG);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_DROPPED);
    ck_assert_int_eq(ground_take(&ground, &taken), BROADCAST_NONE);
    pass(100);
}
END_TEST

/* Another process may have it that sending does not wait. */
START_TEST(a_sender_waits_whatever_the_socket_is_set_to)
{
    int flags = fcntl(ground.channel.sender, F_GETFL);
    unsigned char *bytes = make_message(1000);

    ck_assert_int_ge(flags, 0);
    ck_assert_int_eq(fcntl(ground.channel.sender, F_SETFL, flags | O_NONBLOCK), 0);
    while (broadcast_channel_send(&ground.channel, &ground.lock, 0, bytes, 1000, 1))
        continue;
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(fcntl(ground.channel.sender, F_GETFL), flags);
    free(bytes);
}
END_TEST

Suite *broadcast_channel_suite(void)
{
    Suite *suite = suite_create("broadcast_channel");
    TCase *tests = tcase_create("messages");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, any_size_arrives);
    tcase_add_test(tests, more_than_the_limit_is_refused);
    tcase_add_test(tests, descriptors_survive_no_exec);
    tcase_add_loop_test(tests, what_is_in_flight_is_bounded, 0, 2);
    tcase_add_test(tests, senders_that_wait_are_told_of_the_end);
    tcase_add_test(tests, without_a_receiver_it_fails_at_once);
    tcase_add_test(tests, limit_on_files_is_an_error_and_no_signal);
    tcase_add_test(tests, malformed_packets_are_dropped);
    tcase_add_test(tests, wrong_descriptors_are_dropped_and_closed);
    tcase_add_test(tests, the_end_is_told);
    tcase_add_test(tests, a_packet_with_nothing_in_it_is_not_the_end);
    tcase_add_test(tests, a_sender_waits_whatever_the_socket_is_set_to);
    suite_add_tcase(suite, tests);
    return suite;
}
