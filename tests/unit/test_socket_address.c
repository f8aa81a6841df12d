#include "suites.h"

#include "interposed.h"
#include "platform/socket_address.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

START_TEST(numeric_ones)
{
    static const struct {
        const char *text;
        int family;
        const char *written; /* NULL: as it was read */
    } numbers[] = {
        {"127.0.0.1", AF_INET, NULL},
        {"0.0.0.0", AF_INET, NULL},
        {"255.255.255.255", AF_INET, NULL},
        {"::1", AF_INET6, NULL},
        {"::", AF_INET6, NULL},
        {"2001:DB8:0:0::00ff", AF_INET6, "2001:db8::ff"},
        {"::ffff:192.0.2.1", AF_INET6, NULL},
        {"fe80::1%lo", AF_INET6, NULL},
        {"fe80::1%0", AF_INET6, "fe80::1"},
        {"1111:2222:3333:4444:5555:6666:123.123.123.123", AF_INET6,
            "1111:2222:3333:4444:5555:6666:7b7b:7b7b"},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct socket_addresses *addresses = socket_addresses_numeric(numbers[i].text, 65535);
        const struct socket_address *address;
        const char *written = numbers[i].written ? numbers[i].written : numbers[i].text;
        char text[128];

        ck_assert_msg(addresses != NULL, "%s", numbers[i].text);
        ck_assert_uint_eq(addresses->count, 1);
        address = &addresses->list[0];
        ck_assert_int_eq(address->any.sa_family, numbers[i].family);
        if (numbers[i].family == AF_INET) {
            ck_assert_uint_eq(address->length, sizeof(struct sockaddr_in));
            ck_assert_uint_eq(ntohs(address->v4.sin_port), 65535);
        } else {
            ck_assert_uint_eq(address->length, sizeof(struct sockaddr_in6));
            ck_assert_uint_eq(ntohs(address->v6.sin6_port), 65535);
            ck_assert_uint_eq(address->v6.sin6_flowinfo, 0);
        }
        memset(text, 'x', sizeof(text));
        socket_address_text(address, text, sizeof(text));
        ck_assert_str_eq(text, written);
        free(addresses);
    }
}
END_TEST

START_TEST(zones_of_interfaces)
{
    static const struct {
        const char *text;
        uint32_t zone;
    } zones[] = {
        {"fe80::1", 0},
        {"fe80::1%0", 0},
        {"fe80::1%7", 7},
        {"ff02::1%4294967295", 4294967295},
    };
    struct socket_addresses *addresses;

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        addresses = socket_addresses_numeric(zones[i].text, 80);
        ck_assert_msg(addresses != NULL, "%s", zones[i].text);
        ck_assert_uint_eq(addresses->list[0].v6.sin6_scope_id, zones[i].zone);
        free(addresses);
    }
    addresses = socket_addresses_numeric("fe80::1%lo", 80);
    ck_assert_ptr_nonnull(addresses);
    ck_assert_uint_ne(addresses->list[0].v6.sin6_scope_id, 0);
    ck_assert_uint_eq(addresses->list[0].v6.sin6_scope_id, if_nametoindex("lo"));
    free(addresses);
}
END_TEST

START_TEST(those_that_are_not_numeric)
{
    static const char *const texts[] = {
        "",
        "localhost",
        "999.1.1.1",
        "127.0.0",
        "127.1",
        "127.0.0.1.",
        "127.0.0.1 ",
        " 127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1%lo",
        "0x7f.0.0.1",
        "2130706433",
        "[::1]",
        "::1 ",
        ":",
        ":::",
        "::g",
        "1:2:3:4:5:6:7:8:9",
        "fe80::1%",
        "fe80::1%no such zone",
        "fe80::1%-1",
        "fe80::1%1x",
        "fe80::1%4294967296",
        "fe80::1%18446744073709551617",
        "fe80::1%lo%lo",
        "%lo",
        "1111:2222:3333:4444:5555:6666:123.123.123.1234",
        "00001111:2222:3333:4444:5555:6666:123.123.123.123",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111111111::1",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        errno = EINVAL;
        ck_assert_msg(socket_addresses_numeric(texts[i], 80) == NULL, "%s", texts[i]);
        ck_assert_msg(errno == 0, "%s: errno %d", texts[i], errno);
    }
}
END_TEST

START_TEST(paths)
{
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
    char text[sizeof(path)];
    struct socket_addresses *addresses;

    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    errno = 0;
    ck_assert_ptr_null(socket_addresses_unix(path));
    ck_assert_int_eq(errno, ENAMETOOLONG);

    path[sizeof(path) - 2] = '\0';
    addresses = socket_addresses_unix(path);
    ck_assert_ptr_nonnull(addresses);
    ck_assert_uint_eq(addresses->count, 1);
    ck_assert_int_eq(addresses->list[0].local.sun_family, AF_UNIX);
    ck_assert_uint_le(addresses->list[0].length, sizeof(struct sockaddr_un));
    socket_address_text(&addresses->list[0], text, sizeof(text));
    ck_assert_str_eq(text, path);
    free(addresses);

    errno = 0;
    ck_assert_ptr_null(socket_addresses_unix(""));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(texts_are_cut_to_their_room)
{
    struct socket_addresses *addresses = socket_addresses_numeric("192.0.2.1", 80);
    char text[8] = "unchang";

    ck_assert_ptr_nonnull(addresses);
    socket_address_text(&addresses->list[0], text, 0);
    ck_assert_str_eq(text, "unchang");
    socket_address_text(&addresses->list[0], text, 1);
    ck_assert_str_eq(text, "");
    socket_address_text(&addresses->list[0], text, sizeof(text));
    ck_assert_str_eq(text, "192.0.2");
    free(addresses);
}
END_TEST

enum { FOUND_MAX = 64 };

/* A list as getaddrinfo(3) makes it, of which every address has its place for a port. */
struct found {
    struct addrinfo list[FOUND_MAX];
    struct sockaddr_in v4[FOUND_MAX];
    struct sockaddr_in6 v6[FOUND_MAX];
};

/*
 * One character for each: 4 and 6 for the families, u for one of another, s for an IPv6 one that is
 * too short, n for one without an address, m for one of two minds.
 */
static const struct addrinfo *find(struct found *found, const char *families)
{
    memset(found, 0, sizeof(*found));
    for (size_t i = 0; families[i]; i++) {
        struct addrinfo *info = &found->list[i];
        bool is_v4 = families[i] == '4' || families[i] == 'm';

        ck_assert_uint_lt(i, FOUND_MAX);
        found->v4[i].sin_family = AF_INET;
        found->v4[i].sin_port = htons((uint16_t)i);
        found->v6[i].sin6_family = AF_INET6;
        found->v6[i].sin6_port = htons((uint16_t)i);
        info->ai_family = is_v4 ? AF_INET : AF_INET6;
        info->ai_addr = is_v4 ? (struct sockaddr *)&found->v4[i] : (struct sockaddr *)&found->v6[i];
        info->ai_addrlen = is_v4 ? sizeof(found->v4[i]) : sizeof(found->v6[i]);
        if (families[i] == 'u')
            info->ai_family = info->ai_addr->sa_family = AF_UNIX;
        if (families[i] == 's')
            info->ai_addrlen--;
        if (families[i] == 'n')
            info->ai_addr = NULL;
        if (families[i] == 'm')
            info->ai_addr->sa_family = AF_INET6;
        if (i > 0)
            found->list[i - 1].ai_next = info;
    }
    return families[0] ? &found->list[0] : NULL;
}

START_TEST(families_take_turns)
{
    static const struct {
        const char *families;
        const char *order; /* the places in the list, a letter for each */
    } lists[] = {
        {"", ""},
        {"4", "a"},
        {"6", "a"},
        {"66", "ab"},
        {"444", "abc"},
        {"64", "ab"},
        {"46", "ab"},
        {"6644", "acbd"},
        {"4466", "acbd"},
        {"6664", "adbc"},
        {"4446", "adbc"},
        {"644444", "abcdef"},
        {"466666", "abcdef"},
        {"4664", "abdc"},
        {"666644", "aebfcd"},
        {"446646", "acbdef"},
        {"u", ""},
        {"uuu", ""},
        {"snm", ""},
        {"u4u6u4", "bdf"},
        {"s6n6m4", "bfd"},
        {"44s6", "adb"},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct found found;
        struct socket_addresses *addresses =
            socket_addresses_interleave(find(&found, lists[i].families));
        char order[FOUND_MAX + 1] = "";

        ck_assert_ptr_nonnull(addresses);
        ck_assert_uint_le(addresses->count, SOCKET_ADDRESSES_MAX);
        for (size_t j = 0; j < addresses->count; j++) {
            const struct socket_address *address = &addresses->list[j];
            bool is_v4 = address->any.sa_family == AF_INET;
            uint16_t place = ntohs(is_v4 ? address->v4.sin_port : address->v6.sin6_port);

            ck_assert_uint_lt(place, strlen(lists[i].families));
            ck_assert_int_eq(lists[i].families[place], is_v4 ? '4' : '6');
            ck_assert_uint_eq(
                address->length, is_v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
            order[j] = (char)('a' + place);
        }
        ck_assert_msg(strcmp(order, lists[i].order) == 0, "%s: %s in place of %s",
            lists[i].families, order, lists[i].order);
        free(addresses);
    }
}
END_TEST

START_TEST(there_is_a_limit)
{
    static const struct {
        size_t v4;
        size_t v6; /* behind them */
        size_t kept_v6;
    } lists[] = {
        {SOCKET_ADDRESSES_MAX + 1, 0, 0},
        {0, SOCKET_ADDRESSES_MAX + 1, SOCKET_ADDRESSES_MAX},
        {SOCKET_ADDRESSES_MAX, 1, 1},
        {1, SOCKET_ADDRESSES_MAX, SOCKET_ADDRESSES_MAX - 1},
        {40, 20, SOCKET_ADDRESSES_MAX / 2},
        {32, 32, SOCKET_ADDRESSES_MAX / 2},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct found found;
        struct socket_addresses *addresses;
        char families[FOUND_MAX + 1] = "";
        size_t v6 = 0;

        memset(families, '4', lists[i].v4);
        memset(families + lists[i].v4, '6', lists[i].v6);
        addresses = socket_addresses_interleave(find(&found, families));
        ck_assert_ptr_nonnull(addresses);
        ck_assert_uint_eq(addresses->count, SOCKET_ADDRESSES_MAX);
        for (size_t j = 0; j < addresses->count; j++)
            if (addresses->list[j].any.sa_family == AF_INET6)
                v6++;
        ck_assert_uint_eq(v6, lists[i].kept_v6);
        free(addresses);
    }
}
END_TEST

START_TEST(memory_is_short)
{
    struct found found;
    const struct addrinfo *list = find(&found, "46");

    memory_fail_next();
    errno = 0;
    ck_assert_ptr_null(socket_addresses_numeric("127.0.0.1", 80));
    ck_assert_int_eq(errno, ENOMEM);
    memory_fail_next();
    errno = 0;
    ck_assert_ptr_null(socket_addresses_unix("path"));
    ck_assert_int_eq(errno, ENOMEM);
    memory_fail_next();
    ck_assert_ptr_null(socket_addresses_interleave(list));
}
END_TEST

Suite *socket_address_suite(void)
{
    Suite *suite = suite_create("socket_address");
    TCase *tests = tcase_create("socket_address");

    tcase_add_test(tests, numeric_ones);
    tcase_add_test(tests, zones_of_interfaces);
    tcase_add_test(tests, those_that_are_not_numeric);
    tcase_add_test(tests, paths);
    tcase_add_test(tests, texts_are_cut_to_their_room);
    tcase_add_test(tests, families_take_turns);
    tcase_add_test(tests, there_is_a_limit);
    tcase_add_test(tests, memory_is_short);
    suite_add_tcase(suite, tests);
    return suite;
}
