/* The bytes of TLS connections, in memory and in files, and what comes between them. */
#include "suites.h"

#include "tls_certificates.h"
#include "tls_pair.h"
#include "transport/tls_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static unsigned char *bytes_of(size_t length, struct random_sequence *random)
{
    unsigned char *bytes = malloc(length + 1);

    ck_assert_ptr_nonnull(bytes);
    if (random)
        random_bytes(random, bytes, length);
    else
        memset(bytes, 0xee, length);
    return bytes;
}

/* Both ends get their bytes to send and the room to receive the other's. */
struct load {
    unsigned char *bytes[4];
};

static struct load load(struct pair *pair, size_t up, size_t down, struct random_sequence *random)
{
    struct load made = {
        {bytes_of(up, random), bytes_of(down, random), bytes_of(up, NULL), bytes_of(down, NULL)}};

    pair->client.out = made.bytes[0];
    pair->client.out_length = up;
    pair->server.out = made.bytes[1];
    pair->server.out_length = down;
    pair->server.in = made.bytes[2];
    pair->server.in_size = up;
    pair->client.in = made.bytes[3];
    pair->client.in_size = down;
    return made;
}

static void unload(struct pair *pair, struct load *made)
{
    ck_assert(!pair->client.failed && !pair->server.failed);
    ck_assert_uint_eq(pair->server.in_length, pair->server.in_size);
    ck_assert_uint_eq(pair->client.in_length, pair->client.in_size);
    ck_assert(memcmp(made->bytes[0], made->bytes[2], pair->server.in_size) == 0);
    ck_assert(memcmp(made->bytes[1], made->bytes[3], pair->client.in_size) == 0);
    for (int i = 0; i < 4; i++)
        free(made->bytes[i]);
}

START_TEST(sizes)
{
    static const size_t lengths[] = {1, 2, 100, 16383, 16384, 16385, 65535, 65536, 65537, 200000};
    struct random_sequence random = {7};
    struct pair pair;

    pair_open_version(&pair, _i / 2, versions[_i % 2]);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct load made = load(&pair, lengths[i], lengths[i] / 3, &random);

        pair.client.out_sent = pair.server.out_sent = 0;
        pair.client.in_length = pair.server.in_length = 0;
        pair_exchange(&pair);
        unload(&pair, &made);
        ck_assert(!pair.client.transport.holds);
        ck_assert(!pair.server.transport.holds);
    }
    pair_close(&pair);
}
END_TEST

START_TEST(both_ways_at_once)
{
    struct random_sequence random = {(uint64_t)_i};
    enum cutting how = (enum cutting)(_i / 4);
    size_t length = how == CUT_SINGLE_BYTES ? 60000 : 3000000;
    struct load made;
    struct pair pair;

    cut_set(how);
    pair_open_version(&pair, _i / 2 % 2, versions[_i % 2]);
    made = load(&pair, length, length + 12345, &random);
    pair.client.random = &random;
    pair.server.random = _i % 3 ? &random : NULL;
    pair_exchange(&pair);
    unload(&pair, &made);
    pair_close(&pair);
}
END_TEST

/* Each end stops to read and begins again at random. */
START_TEST(stopping_at_random)
{
    struct random_sequence random = {(uint64_t)_i};
    struct load made;
    struct pair pair;

    pair_open_version(&pair, true, versions[_i % 2]);
    made = load(&pair, 2000000, 2000000, &random);
    pair.client.random = pair.server.random = &random;
    while (pair.client.in_length < pair.client.in_size ||
           pair.server.in_length < pair.server.in_size) {
        pair.client.stopped = random_below(&random, 3) == 0;
        pair.server.stopped = random_below(&random, 3) == 0;
        for (uint64_t i = random_below(&random, 30); i > 0 && pair_serve(&pair, 0); i--)
            continue;
        if (!pair.client.stopped && !pair.server.stopped && pair_serve(&pair, 0))
            continue;
    }
    unload(&pair, &made);
    pair_close(&pair);
}
END_TEST

START_TEST(what_is_held_is_told)
{
    unsigned char bytes[50000] = {0};
    size_t moved, total = 0;
    struct pair pair;

    pair_open_version(&pair, false, versions[_i]);
    pair_settle(&pair);
    end_send(&pair.server, bytes, sizeof bytes);
    while (total < sizeof bytes) {
        /* Something has to wake the reader up. */
        ck_assert(pair.client.transport.holds || end_readable(&pair.client));
        ck_assert_int_eq(end_receive(&pair.client, 999, &moved), TRANSPORT_DONE);
        ck_assert_uint_eq(moved, total + 999 > sizeof bytes ? sizeof bytes - total : 999);
        total += moved;
        ck_assert_uint_eq(pair.client.transport.read_events, POLLIN);
    }
    ck_assert(!pair.client.transport.holds);
    ck_assert(!end_readable(&pair.client));
    ck_assert_int_eq(end_receive(&pair.client, 999, &moved), TRANSPORT_AGAIN);
    pair_close(&pair);
}
END_TEST

/* A small message takes one system call to receive. */
START_TEST(one_call_a_message)
{
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, versions[_i]);
    pair_settle(&pair);
    end_send(&pair.server, "message", 7);
    cut.reads = 0;
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 7);
    ck_assert_uint_eq(cut.reads, 1);
    pair_close(&pair);
}
END_TEST

/* Many small pieces leave as one record. */
START_TEST(small_pieces_share_a_record)
{
    char bytes[] = "abcdefghijklmnop";
    struct iovec pieces[16];
    struct pair pair;
    size_t moved = 0;
    char all[17] = "";

    pair_open_version(&pair, false, versions[_i]);
    pair_settle(&pair);
    for (int i = 0; i < 16; i++)
        pieces[i] = (struct iovec){bytes + i, i % 5 == 3 ? 0 : 1};
    ck_assert_int_eq(transport_send(&pair.server.transport, pieces, 16, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 13);
    ck_assert_int_eq(transport_receive(&pair.client.transport, all, 1, &moved), TRANSPORT_DONE);
    ck_assert_int_eq(SSL_pending(end_ssl(&pair.client)), 12);
    ck_assert_int_eq(
        transport_receive(&pair.client.transport, all + 1, 15, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 12);
    ck_assert_str_eq(all, "abcefghjklmop");
    ck_assert_int_eq(transport_send(&pair.server.transport, pieces + 3, 1, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 0);
    pair_close(&pair);
}
END_TEST

/* What a server sends with its last words of the handshake is not forgotten by the client. */
START_TEST(bytes_right_behind_the_handshake)
{
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    enum transport_result started = TRANSPORT_AGAIN;
    struct pair pair;
    size_t moved;

    tls_limit_version(client, versions[_i]);
    pair_connect(&pair, false);
    pair_encrypt(&pair, client, server);
    tls_settings_release(client);
    tls_settings_release(server);
    while (started == TRANSPORT_AGAIN) {
        if (SSL_is_init_finished(end_ssl(&pair.server)) == 0 &&
            transport_start(&pair.server.transport) == TRANSPORT_DONE)
            end_send(&pair.server, "early", 5);
        started = transport_start(&pair.client.transport);
    }
    ck_assert_int_eq(started, TRANSPORT_DONE);
    while (SSL_is_init_finished(end_ssl(&pair.server)) == 0)
        if (transport_start(&pair.server.transport) == TRANSPORT_DONE)
            end_send(&pair.server, "early", 5);
    while (pair.client.transport.holds || end_readable(&pair.client))
        if (end_receive(&pair.client, 1000, &moved) == TRANSPORT_DONE)
            break;
    ck_assert_uint_eq(moved, 5);
    pair_close(&pair);
}
END_TEST

/* Files. */

enum { FILE_LENGTH = 1000003, FILE_FROM = 17 };

START_TEST(sending_a_file)
{
    struct random_sequence random = {3};
    unsigned char *bytes = bytes_of(FILE_LENGTH, &random);
    unsigned char *received = bytes_of(FILE_LENGTH, NULL);
    int file = open(tls_write_file("file", bytes, FILE_LENGTH), O_RDONLY | O_CLOEXEC);
    off_t offset = FILE_FROM;
    bool waited = false;
    struct pair pair;

    ck_assert_int_ge(file, 0);
    cut_set((enum cutting)(_i / 2));
    pair_open_version(&pair, _i % 2, versions[_i % 2]);
    pair.client.in = received;
    pair.client.in_size = cut.how == CUT_SINGLE_BYTES ? 50000 : FILE_LENGTH - FILE_FROM;
    while (offset < (off_t)pair.client.in_size + FILE_FROM) {
        size_t count = pair.client.in_size + FILE_FROM - (size_t)offset;
        off_t before = offset;
        size_t moved = 0;

        if (count > 100000)
            count = 100000;
        switch (transport_send_file(&pair.server.transport, file, &offset, count, &moved)) {
        case TRANSPORT_DONE:
            ck_assert_uint_le(moved, count);
            ck_assert_uint_gt(moved, 0);
            break;
        case TRANSPORT_AGAIN:
            ck_assert_uint_eq(pair.server.transport.write_events, POLLOUT);
            ck_assert_uint_eq(moved, 0);
            waited = true;
            if (!pair_serve(&pair, 0))
                end_wait(&pair.server, POLLOUT);
            break;
        case TRANSPORT_END:
        case TRANSPORT_FAILED:
            ck_abort();
        }
        ck_assert_int_eq(offset, before + (off_t)moved);
    }
    pair_exchange(&pair);
    ck_assert(waited);
    ck_assert(memcmp(received, bytes + FILE_FROM, pair.client.in_size) == 0);
    pair_close(&pair);
    close(file);
    free(bytes);
    free(received);
}
END_TEST

START_TEST(file_that_ends_early)
{
    const char *path = tls_write_file("file", "short", 5);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    off_t offset = 2;
    struct pair pair;
    size_t moved = 0;

    ck_assert_int_ge(file, 0);
    pair_open_version(&pair, false, TLS1_3_VERSION);
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 100, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 3);
    ck_assert_int_eq(offset, 5);
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 97, &moved), TRANSPORT_END);
    ck_assert_int_eq(offset, 5);
    /* It becomes shorter between a try and the next, but what was taken was taken. */
    offset = 0;
    cut.blocked = pair.server.transport.fd;
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 5, &moved), TRANSPORT_AGAIN);
    ck_assert_int_eq(offset, 0);
    ck_assert_int_eq(truncate(path, 4), 0);
    cut.blocked = -1;
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 6, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 5);
    ck_assert_int_eq(offset, 5);
    pair_close(&pair);
    close(file);
}
END_TEST

START_TEST(file_that_cannot_be_read)
{
    int file = open(tls_path("."), O_RDONLY | O_CLOEXEC);
    off_t offset = 0;
    struct pair pair;
    size_t moved = 0;

    ck_assert_int_ge(file, 0);
    pair_open_version(&pair, false, TLS1_3_VERSION);
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 100, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_str_eq(end_words(&pair.server), "TLS: is a directory");
    pair_close(&pair);
    close(file);
}
END_TEST

/* A file that is given up: the record that was begun is sent whole, and others can follow. */
START_TEST(leaving_a_file)
{
    int file = open(tls_write_file("file", "bytes", 5), O_RDONLY | O_CLOEXEC);
    off_t offset = 0;
    struct pair pair;
    size_t moved = 0;

    ck_assert_int_ge(file, 0);
    pair_open_version(&pair, false, TLS1_3_VERSION);
    pair_settle(&pair);
    cut.budget = 9;
    ck_assert_int_eq(
        transport_send_file(&pair.server.transport, file, &offset, 5, &moved), TRANSPORT_AGAIN);
    cut.budget = -1;
    if (_i)
        end_send(&pair.server, "more", 4);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, _i ? 9 : 5);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    ck_assert_int_eq(SSL_get_shutdown(end_ssl(&pair.client)), SSL_RECEIVED_SHUTDOWN);
    pair_close(&pair);
    close(file);
}
END_TEST

/* Fewer bytes than were offered before are not the same bytes. */
START_TEST(offering_less)
{
    const struct iovec pieces[] = {{(void *)(uintptr_t) "one", 3}, {(void *)(uintptr_t) "two", 3}};
    int file = open(tls_write_file("file", "bytes", 5), O_RDONLY | O_CLOEXEC);
    struct pair pair;
    off_t offset = 0;
    size_t moved = 0;

    pair_open_version(&pair, false, TLS1_3_VERSION);
    pair_settle(&pair);
    cut.blocked = pair.server.transport.fd;
    if (_i)
        ck_assert_int_eq(
            transport_send(&pair.server.transport, pieces, 2, &moved), TRANSPORT_AGAIN);
    else
        ck_assert_int_eq(
            transport_send_file(&pair.server.transport, file, &offset, 5, &moved), TRANSPORT_AGAIN);
    cut.blocked = -1;
    if (_i)
        ck_assert_int_eq(
            transport_send(&pair.server.transport, pieces, 1, &moved), TRANSPORT_FAILED);
    else
        ck_assert_int_eq(transport_send_file(&pair.server.transport, file, &offset, 4, &moved),
            TRANSPORT_FAILED);
    ck_assert_int_eq(errno, EINVAL);
    pair_close(&pair);
    close(file);
}
END_TEST

/* Keys change again and again while both ends send, and one of them may have stopped to read. */
START_TEST(changing_keys_under_load)
{
    struct random_sequence random = {(uint64_t)_i};
    size_t updates = 0;
    struct load made;
    struct pair pair;

    cut_set(_i % 2 ? CUT_RANDOM : CUT_NONE);
    pair_open_version(&pair, true, TLS1_3_VERSION);
    made = load(&pair, 1000000, 1000000, &random);
    pair.client.random = pair.server.random = &random;
    while (pair.client.in_length < pair.client.in_size ||
           pair.server.in_length < pair.server.in_size) {
        struct end *end = random_below(&random, 2) ? &pair.client : &pair.server;
        bool served;

        if (random_below(&random, 20) == 0) {
            pair.client.stopped = random_below(&random, 3) == 0;
            pair.server.stopped = !pair.client.stopped && random_below(&random, 3) == 0;
        }
        if (SSL_is_init_finished(end_ssl(end))) {
            end_update_keys(end);
            updates++;
        }
        served = pair_serve(&pair, pair.client.stopped || pair.server.stopped ? 0 : 5000);
        ck_assert_msg(served || pair.client.stopped || pair.server.stopped, "it stalls");
    }
    ck_assert_uint_gt(updates, 10);
    unload(&pair, &made);
    pair_close(&pair);
}
END_TEST

/* A peer that sends nothing but messages of TLS's own gets its turn, no more. */
START_TEST(messages_without_end)
{
    enum { MESSAGES = 200 };
    int calls = 0;
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, TLS1_3_VERSION);
    pair_settle(&pair);
    for (int i = 0; i < MESSAGES; i++) {
        ck_assert_int_eq(SSL_key_update(end_ssl(&pair.client), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        ck_assert_int_eq(SSL_do_handshake(end_ssl(&pair.client)), 1);
    }
    end_send(&pair.client, "x", 1);
    cut_set(CUT_SINGLE_BYTES);
    while (end_receive(&pair.server, 1000, &moved) == TRANSPORT_AGAIN) {
        ck_assert(pair.server.transport.holds);
        ck_assert_uint_eq(pair.server.transport.read_events, POLLIN);
        calls++;
    }
    ck_assert_uint_eq(moved, 1);
    ck_assert_int_ge(calls, 3);
    ck_assert_int_lt(calls, MESSAGES);
    pair_close(&pair);
}
END_TEST

START_TEST(renegotiation_is_refused)
{
    struct pair pair;
    size_t moved;
    SSL *ssl;

    pair_open_version(&pair, false, TLS1_2_VERSION);
    pair_settle(&pair);
    ssl = end_ssl(_i ? &pair.server : &pair.client);
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    ck_assert_int_eq(SSL_renegotiate(ssl), 1);
    ck_assert_int_ne(SSL_do_handshake(ssl), _i ? -2 : 1);
    ERR_clear_error();
    if (_i) {
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_AGAIN);
    } else {
        ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_AGAIN);
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_FAILED);
        ck_assert_str_eq(end_words(&pair.client), "TLS: no renegotiation");
        ck_assert_int_eq(SSL_num_renegotiations(end_ssl(&pair.server)), 0);
    }
    ck_assert_int_eq(SSL_session_reused(ssl), 0);
    pair_close(&pair);
}
END_TEST

/* A network, and no more than one byte of each record at a time. */
START_TEST(over_tcp)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    socklen_t length = sizeof address;
    struct random_sequence random = {11};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct tls_settings *client = tls_client_of("root.pem");
    struct tls_settings *server = tls_server_of("server.pem");
    int accepted, least = 1;
    struct load made;
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
    accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    close(listener);
    transport_plain(&pair.client.transport, fd);
    transport_plain(&pair.server.transport, accepted);
    pair_encrypt(&pair, client, server);
    tls_settings_release(client);
    tls_settings_release(server);
    ck_assert_int_eq(pair_shake(&pair).client, TRANSPORT_DONE);
    made = load(&pair, 2000000, 3000000, &random);
    pair_exchange(&pair);
    unload(&pair, &made);
    pair_close(&pair);
}
END_TEST

Suite *tls_stream_suite(void)
{
    Suite *suite = suite_create("tls_stream");
    TCase *test = tcase_create("tls_stream");

    tcase_add_checked_fixture(test, cut_nothing, NULL);
    tcase_add_unchecked_fixture(test, tls_certificates_make, tls_certificates_remove);
    tcase_set_timeout(test, 30);
    tcase_add_loop_test(test, sizes, 0, 4);
    tcase_add_loop_test(test, both_ways_at_once, 0, 4 * CUTTINGS);
    tcase_add_loop_test(test, stopping_at_random, 0, 4);
    tcase_add_loop_test(test, what_is_held_is_told, 0, 2);
    tcase_add_loop_test(test, one_call_a_message, 0, 2);
    tcase_add_loop_test(test, small_pieces_share_a_record, 0, 2);
    tcase_add_loop_test(test, bytes_right_behind_the_handshake, 0, 2);
    tcase_add_loop_test(test, sending_a_file, 0, 2 * CUTTINGS);
    tcase_add_test(test, file_that_ends_early);
    tcase_add_test(test, file_that_cannot_be_read);
    tcase_add_loop_test(test, leaving_a_file, 0, 2);
    tcase_add_loop_test(test, offering_less, 0, 2);
    tcase_add_loop_test(test, changing_keys_under_load, 0, 8);
    tcase_add_test(test, messages_without_end);
    tcase_add_loop_test(test, renegotiation_is_refused, 0, 2);
    tcase_add_test(test, over_tcp);
    suite_add_tcase(suite, test);
    return suite;
}
