/* How TLS connections end, and answers that wait where there is no room for them. */
#include "suites.h"

#include "tls_certificates.h"
#include "tls_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(finishing)
{
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, versions[_i % 2]);
    pair_settle(&pair);
    if (_i / 2)
        end_send(&pair.server, "last", 4);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    if (_i / 2) {
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
        ck_assert_uint_eq(moved, 4);
        ck_assert(pair.client.transport.holds || end_readable(&pair.client));
    }
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    ck_assert_int_eq(SSL_get_shutdown(end_ssl(&pair.client)), SSL_RECEIVED_SHUTDOWN);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    /* The other way is still open. */
    end_send(&pair.client, "answer", 6);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 6);
    ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_END);
    pair_close(&pair);
}
END_TEST

START_TEST(finishing_where_there_is_no_room)
{
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, versions[_i]);
    pair_settle(&pair);
    cut.blocked = pair.server.transport.fd;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_AGAIN);
        ck_assert_uint_eq(pair.server.transport.write_events, POLLOUT);
    }
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_AGAIN);
    cut.blocked = -1;
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    pair_close(&pair);
}
END_TEST

/* Before a handshake is over, and after a failure, there is nothing to say. */
START_TEST(finishing_without_words)
{
    struct tls_settings *settings = tls_server_of("server.pem");
    struct pair pair;
    char byte;

    pair_connect(&pair, false);
    ck_assert(transport_tls_server(&pair.server.transport, settings, false));
    tls_settings_release(settings);
    if (_i) {
        ck_assert_int_eq(write(pair.client.transport.fd, "PUT\r\n\r\n", 7), 7);
        ck_assert_int_eq(transport_start(&pair.server.transport), TRANSPORT_FAILED);
        while (read(pair.client.transport.fd, &byte, 1) == 1)
            continue;
    }
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_int_eq(read(pair.client.transport.fd, &byte, 1), 0);
    pair_close(&pair);
}
END_TEST

START_TEST(being_cut_off)
{
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, versions[_i % 2]);
    pair_settle(&pair);
    if (_i / 2 == 1)
        end_send(&pair.server, "last", 4);
    if (_i / 2 == 2)
        ck_assert_int_eq(write(pair.server.transport.fd, "\x17\x03\x03", 3), 3);
    ck_assert_int_eq(shutdown(pair.server.transport.fd, SHUT_WR), 0);
    if (_i / 2 == 1) {
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
        ck_assert_uint_eq(moved, 4);
        ck_assert(pair.client.transport.holds || end_readable(&pair.client));
    }
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_END);
    end_send(&pair.client, "answer", 6);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_DONE);
    ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_DONE);
    pair_close(&pair);
}
END_TEST

/* What came before the failure is delivered first. */
START_TEST(garbage_from_the_peer)
{
    unsigned char bytes[100] = {0};
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, versions[_i % 2]);
    pair_settle(&pair);
    if (_i / 2)
        end_send(&pair.server, bytes, sizeof bytes);
    ck_assert_int_eq(write(pair.server.transport.fd, "\x17\x03\x03\x00\x20", 5), 5);
    ck_assert_int_eq(write(pair.server.transport.fd, bytes, 32), 32);
    if (_i / 2) {
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
        ck_assert_uint_eq(moved, sizeof bytes);
        ck_assert(pair.client.transport.holds);
    }
    for (int i = 0; i < 2; i++) {
        errno = 0;
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_FAILED);
        ck_assert_int_eq(errno, EPROTO);
        ck_assert_str_eq(end_words(&pair.client), "TLS: decryption failed or bad record mac");
        ck_assert_uint_eq(ERR_peek_error(), 0);
    }
    ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_FAILED);
    ck_assert_str_eq(end_words(&pair.server), "TLS: the peer's alert: bad record mac");
    pair_close(&pair);
}
END_TEST

START_TEST(sending_to_nobody)
{
    const struct iovec piece = {(void *)(uintptr_t) "x", 1};
    struct pair pair;
    size_t moved;

    /* SIGPIPE would end the test. */
    pair_open_version(&pair, false, versions[_i]);
    pair_settle(&pair);
    transport_close(&pair.client.transport);
    errno = 0;
    ck_assert_int_eq(transport_send(&pair.server.transport, &piece, 1, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_str_eq(end_words(&pair.server), "TLS: the peer hung up");
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    ck_assert_int_eq(transport_finish(&pair.server.transport), TRANSPORT_DONE);
    pair_close(&pair);
}
END_TEST

/* An answer that waits for room does not keep anybody from reading. */
START_TEST(reading_while_an_answer_waits)
{
    const struct iovec piece = {(void *)(uintptr_t) "answer", 6};
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, TLS1_3_VERSION);
    pair_settle(&pair);
    end_update_keys(&pair.server);
    end_send(&pair.server, "first", 5);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 5);
    /* The answer to the update goes before the next bytes; there is room for a part of it at most.
     */
    cut_set(CUT_NONE);
    cut.budget = _i;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(
            transport_send(&pair.client.transport, &piece, 1, &moved), TRANSPORT_AGAIN);
        ck_assert_uint_eq(pair.client.transport.write_events, POLLOUT);
        cut.blocked = pair.client.transport.fd;
        cut.budget = -1;
        end_update_keys(&pair.server);
        end_send(&pair.server, "second", 6);
        ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
        ck_assert_uint_eq(moved, 6);
        ck_assert_uint_eq(pair.client.transport.read_events, POLLIN);
    }
    cut.blocked = -1;
    ck_assert_int_eq(transport_send(&pair.client.transport, &piece, 1, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 6);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_DONE);
    ck_assert_uint_eq(moved, 6);
    ck_assert_int_eq(transport_send(&pair.client.transport, &piece, 1, &moved), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_DONE);
    pair_close(&pair);
}
END_TEST

START_TEST(finishing_while_an_answer_waits)
{
    const struct iovec piece = {(void *)(uintptr_t) "answer", 6};
    struct pair pair;
    size_t moved;

    pair_open_version(&pair, false, TLS1_3_VERSION);
    pair_settle(&pair);
    end_update_keys(&pair.server);
    end_send(&pair.server, "first", 5);
    ck_assert_int_eq(end_receive(&pair.client, 1000, &moved), TRANSPORT_DONE);
    cut.blocked = pair.client.transport.fd;
    if (_i)
        ck_assert_int_eq(
            transport_send(&pair.client.transport, &piece, 1, &moved), TRANSPORT_AGAIN);
    else
        ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_AGAIN);
    cut.blocked = -1;
    if (_i)
        ck_assert_int_eq(transport_send(&pair.client.transport, &piece, 1, &moved), TRANSPORT_DONE);
    ck_assert_int_eq(transport_finish(&pair.client.transport), TRANSPORT_DONE);
    if (_i)
        ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_DONE);
    ck_assert_int_eq(end_receive(&pair.server, 1000, &moved), TRANSPORT_END);
    ck_assert_int_eq(SSL_get_shutdown(end_ssl(&pair.server)), SSL_RECEIVED_SHUTDOWN);
    pair_close(&pair);
}
END_TEST

Suite *tls_ending_suite(void)
{
    Suite *suite = suite_create("tls_ending");
    TCase *test = tcase_create("tls_ending");

    tcase_add_checked_fixture(test, cut_nothing, NULL);
    tcase_add_unchecked_fixture(test, tls_certificates_make, tls_certificates_remove);
    tcase_set_timeout(test, 30);
    tcase_add_loop_test(test, finishing, 0, 4);
    tcase_add_loop_test(test, finishing_where_there_is_no_room, 0, 2);
    tcase_add_loop_test(test, finishing_without_words, 0, 2);
    tcase_add_loop_test(test, being_cut_off, 0, 6);
    tcase_add_loop_test(test, garbage_from_the_peer, 0, 4);
    tcase_add_loop_test(test, sending_to_nobody, 0, 2);
    tcase_add_loop_test(test, reading_while_an_answer_waits, 0, 40);
    tcase_add_loop_test(test, finishing_while_an_answer_waits, 0, 2);
    suite_add_tcase(suite, test);
    return suite;
}
