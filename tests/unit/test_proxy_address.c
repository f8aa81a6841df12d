#include "codec/proxy_address.h"

#include "codec/base64.h"
#include "suites.h"
#include "support/guard_page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

enum { LENGTH_MAX = 255 }; /* of a host, a user and a password */

/* A host of NULL: it has another form. */
static const struct {
    const char *text;
    const char *host;
    int port;
    const char *authorization;
} addresses[] = {
    /* What may be missing. */
    {"http://user:password@proxy.example:8080/", "proxy.example", 8080,
        "Basic dXNlcjpwYXNzd29yZA=="},
    {"http://user:password@proxy.example:8080", "proxy.example", 8080,
        "Basic dXNlcjpwYXNzd29yZA=="},
    {"user:password@proxy.example:8080/", "proxy.example", 8080, "Basic dXNlcjpwYXNzd29yZA=="},
    {"user:password@proxy.example:8080", "proxy.example", 8080, "Basic dXNlcjpwYXNzd29yZA=="},
    {"user:password@proxy.example", "proxy.example", 3128, "Basic dXNlcjpwYXNzd29yZA=="},
    {"user@proxy.example", "proxy.example", 3128, "Basic dXNlcjo="},
    {"user:@proxy.example", "proxy.example", 3128, "Basic dXNlcjo="},
    {":password@proxy.example", "proxy.example", 3128, "Basic OnBhc3N3b3Jk"},
    {":@proxy.example", "proxy.example", 3128, "Basic Og=="},
    {"@proxy.example", "proxy.example", 3128, NULL},
    {"http://@proxy.example:1/", "proxy.example", 1, NULL},
    {"proxy.example", "proxy.example", 3128, NULL},
    {"proxy.example/", "proxy.example", 3128, NULL},
    {"proxy.example:80", "proxy.example", 80, NULL},
    {"http://proxy.example", "proxy.example", 3128, NULL},
    {"http://proxy.example/", "proxy.example", 3128, NULL},

    /* The scheme, and names that look like one. */
    {"HTTP://a", "a", 3128, NULL},
    {"hTtP://a:1", "a", 1, NULL},
    {"http", "http", 3128, NULL},
    {"http:80", "http", 80, NULL},
    {"http/", "http", 3128, NULL},
    {"http:x@a", "a", 3128, "Basic aHR0cDp4"},
    {"http://", NULL, 0, NULL},
    {"http:///", NULL, 0, NULL},
    {"http:", NULL, 0, NULL},
    {"http:/", NULL, 0, NULL},
    {"http:/a", NULL, 0, NULL},
    {"http:a", NULL, 0, NULL},
    {"http//a", NULL, 0, NULL},
    {"://a", NULL, 0, NULL},
    {"//a", NULL, 0, NULL},
    {"https://a", NULL, 0, NULL},
    {"https://user:password@a:443/", NULL, 0, NULL},
    {"socks5://a:1080", NULL, 0, NULL},
    {"ws://a", NULL, 0, NULL},
    {"http://http://a", NULL, 0, NULL},
    {"xhttp://a", NULL, 0, NULL},
    {" http://a", NULL, 0, NULL},

    /* The host. */
    {"localhost:3128", "localhost", 3128, NULL},
    {"EXAMPLE.com.", "EXAMPLE.com.", 3128, NULL},
    {"my_proxy-1", "my_proxy-1", 3128, NULL},
    {"127.0.0.1", "127.0.0.1", 3128, NULL},
    {"127.0.0.1:8118", "127.0.0.1", 8118, NULL},
    {"[::1]", "::1", 3128, NULL},
    {"[::]", "::", 3128, NULL},
    {"[::1]:8080", "::1", 8080, NULL},
    {"[::1]/", "::1", 3128, NULL},
    {"http://a:b@[2001:db8::ff00:42:8329]:8080/", "2001:db8::ff00:42:8329", 8080, "Basic YTpi"},
    {"[::ffff:1.2.3.4]", "::ffff:1.2.3.4", 3128, NULL},
    {"", NULL, 0, NULL},
    {"/", NULL, 0, NULL},
    {":", NULL, 0, NULL},
    {":80", NULL, 0, NULL},
    {"@", NULL, 0, NULL},
    {"@:80", NULL, 0, NULL},
    {"user:password@", NULL, 0, NULL},
    {"user:password@:80", NULL, 0, NULL},
    {"user:password@/", NULL, 0, NULL},
    {"::1", NULL, 0, NULL},
    {"::1:80", NULL, 0, NULL},
    {"fe80::1", NULL, 0, NULL},
    {"1:2:3:4:5:6:7:8", NULL, 0, NULL},
    {"[", NULL, 0, NULL},
    {"]", NULL, 0, NULL},
    {"[]", NULL, 0, NULL},
    {"[]:80", NULL, 0, NULL},
    {"[::1", NULL, 0, NULL},
    {"[::1:80", NULL, 0, NULL},
    {"::1]", NULL, 0, NULL},
    {"[::1]]", NULL, 0, NULL},
    {"[[::1]]", NULL, 0, NULL},
    {"[::1]a", NULL, 0, NULL},
    {"[::1]80", NULL, 0, NULL},
    {"[::1]@a", "a", 3128, "Basic Wzo6MV0="},
    {"a[::1]", NULL, 0, NULL},
    {"[127.0.0.1]", NULL, 0, NULL},
    {"[proxy.example]", NULL, 0, NULL},
    {"[::1%eth0]", NULL, 0, NULL},
    {"[::1%25eth0]", NULL, 0, NULL},
    {"[v1.proxy]", NULL, 0, NULL},
    {"[V1.a:b]", NULL, 0, NULL},
    {"%61", NULL, 0, NULL},
    {"a%00b", NULL, 0, NULL},
    {"a%", NULL, 0, NULL},
    {"exam ple", NULL, 0, NULL},
    {"proxy.example ", NULL, 0, NULL},
    {"proxy.example\n", NULL, 0, NULL},
    {"proxy.example:80\r\nX: y", NULL, 0, NULL},
    {"\xc3\xa9.example", NULL, 0, NULL},
    {"a\\b", NULL, 0, NULL},
    {"a\x7f", NULL, 0, NULL},

    /* The port. */
    {"a:1", "a", 1, NULL},
    {"a:65535", "a", 65535, NULL},
    {"a:00080", "a", 80, NULL},
    {"a:00000000000000000000000000000080", "a", 80, NULL},
    {"a:", NULL, 0, NULL},
    {"a:/", NULL, 0, NULL},
    {"[::1]:", NULL, 0, NULL},
    {"a:0", NULL, 0, NULL},
    {"a:000", NULL, 0, NULL},
    {"a:65536", NULL, 0, NULL},
    {"a:99999", NULL, 0, NULL},
    {"a:4294967376", NULL, 0, NULL},           /* 80, in 32 bits */
    {"a:18446744073709551696", NULL, 0, NULL}, /* 80, in 64 bits */
    {"a:-80", NULL, 0, NULL},
    {"a:+80", NULL, 0, NULL},
    {"a: 80", NULL, 0, NULL},
    {"a:80 ", NULL, 0, NULL},
    {"a:0x50", NULL, 0, NULL},
    {"a:80a", NULL, 0, NULL},
    {"a:80:80", NULL, 0, NULL},
    {"a::80", NULL, 0, NULL},
    {"a:http", NULL, 0, NULL},

    /* Behind it. */
    {"a//", NULL, 0, NULL},
    {"a/b", NULL, 0, NULL},
    {"http://a:80/index.html", NULL, 0, NULL},
    {"a:80/ ", NULL, 0, NULL},
    {"a?", NULL, 0, NULL},
    {"a?b", NULL, 0, NULL},
    {"a/?b", NULL, 0, NULL},
    {"a#", NULL, 0, NULL},
    {"a/#b", NULL, 0, NULL},
    {"http://a/@b", NULL, 0, NULL},
    {"http://a?@b", NULL, 0, NULL},
    {"http://a#@b", NULL, 0, NULL},

    /* User and password: decoded, and what does not have to be encoded. */
    {"%75ser:pass%77ord@a", "a", 3128, "Basic dXNlcjpwYXNzd29yZA=="},
    {"%75%73%65%72%40corp:a%3ab%3A%2F%3f%23%25%40%20@a", "a", 3128,
        "Basic dXNlckBjb3JwOmE6YjovPyMlQCA="},
    {"user@corp:p@ss@a:80", "a", 80, "Basic dXNlckBjb3JwOnBAc3M="},
    {"@@a", "a", 3128, "Basic QDo="},
    {"u:a:b::@a", "a", 3128, "Basic dTphOmI6Og=="},
    {"u:!$&'()*+,;=-._~@a", "a", 3128, "Basic dTohJCYnKCkqKyw7PS0uX34="},
    {"u:\"<>[\\]^`{|}@a", "a", 3128, "Basic dToiPD5bXF1eYHt8fQ=="},
    {"u:\xc3\xa9%c3%A9%ff\x80@a", "a", 3128, "Basic dTrDqcOp/4A="},
    {"u:%2541@a", "a", 3128, "Basic dTolNDE="},
    {"u:+@a", "a", 3128, "Basic dTor"},
    {"us%3Aer:password@a", NULL, 0, NULL},
    {"us%3aer@a", NULL, 0, NULL},
    {"u:a/b@a", NULL, 0, NULL},
    {"u/v:w@a", NULL, 0, NULL},
    {"u:a?b@a", NULL, 0, NULL},
    {"u:a#b@a", NULL, 0, NULL},
    {"u:a b@a", NULL, 0, NULL},
    {"u v@a", NULL, 0, NULL},
    {"u%00:p@a", NULL, 0, NULL},
    {"u:p%00@a", NULL, 0, NULL},
    {"u%0d%0aX-Y:z@a", NULL, 0, NULL},
    {"u:p%0d%0aX-Y@a", NULL, 0, NULL},
    {"u:p\r\nX-Y@a", NULL, 0, NULL},
    {"u:%7f@a", NULL, 0, NULL},
    {"u:%1F@a", NULL, 0, NULL},
    {"u:\t@a", NULL, 0, NULL},
    {"u:%@a", NULL, 0, NULL},
    {"u:%4@a", NULL, 0, NULL},
    {"u:%4g@a", NULL, 0, NULL},
    {"u:%g4@a", NULL, 0, NULL},
    {"u:%-1@a", NULL, 0, NULL},
    {"u:%%41@a", NULL, 0, NULL},
    {"%4:1@a", NULL, 0, NULL},
    {"%@a", NULL, 0, NULL},
    {"%4@1", NULL, 0, NULL},
};

/* Whether the text, which ends at a guard page, has the form. What it comes to is to be freed. */
static bool parse(const char *text, struct proxy_address *address)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)guard_page_copy(text, size);
    bool good;

    memset(address, 0xa5, sizeof(*address));
    errno = 0;
    good = proxy_address_parse(copy, address);
    if (!good)
        ck_assert_msg(errno == EINVAL, "\"%s\": errno %d", text, errno);
    guard_page_free(copy, size);
    return good;
}

START_TEST(forms)
{
    const char *text = addresses[_i].text;
    const char *authorization = addresses[_i].authorization;
    struct proxy_address address;
    bool good = parse(text, &address);

    ck_assert_msg(good == (addresses[_i].host != NULL), "\"%s\"", text);
    if (!good)
        return;
    ck_assert_str_eq(address.host, addresses[_i].host);
    ck_assert_msg(address.port == addresses[_i].port, "\"%s\": port %d", text, address.port);
    ck_assert_msg((address.authorization == NULL) == (authorization == NULL), "\"%s\"", text);
    if (authorization != NULL)
        ck_assert_str_eq(address.authorization, authorization);
    proxy_address_free(&address);
    ck_assert_ptr_null(address.host);
    ck_assert_ptr_null(address.authorization);
}
END_TEST

/* As often as told, before and behind something else. */
static bool parse_repeated(const char *before, const char *piece, int times, const char *after,
    struct proxy_address *address)
{
    size_t size = strlen(before) + strlen(piece) * (size_t)times + strlen(after) + 1;
    char *text = (char *)guard_page_space(size);
    size_t length;
    bool good;

    length = (size_t)snprintf(text, size, "%s", before);
    for (int i = 0; i < times; i++)
        length += (size_t)snprintf(text + length, size - length, "%s", piece);
    snprintf(text + length, size - length, "%s", after);
    good = parse(text, address);
    guard_page_free(text, size);
    return good;
}

/* 255 of each, however they are written, and not one more. */
START_TEST(lengths)
{
    static const struct {
        const char *before;
        const char *piece;
        const char *after;
    } places[] = {
        {"", "a", ":80"},
        {"http://u:p@", "a", ""},
        {"", "u", ":p@a"},
        {"", "%75", ":p@a"},
        {"", "u", "@a"},
        {"u:", "p", "@a"},
        {"u:", "%70", "@a"},
        {":", ":", "@a"},
    };

    for (int i = 0; i < COUNT(places); i++) {
        struct proxy_address address;

        ck_assert(parse_repeated(
            places[i].before, places[i].piece, LENGTH_MAX, places[i].after, &address));
        proxy_address_free(&address);
        for (int more = 1; more <= 10000; more *= 10) {
            ck_assert(!parse_repeated(
                places[i].before, places[i].piece, LENGTH_MAX + more, places[i].after, &address));
        }
    }
}
END_TEST

START_TEST(everything_at_its_longest)
{
    struct proxy_address address;
    char text[4 * LENGTH_MAX];
    char credentials[2 * LENGTH_MAX + 2];
    char decoded[2 * LENGTH_MAX + 2];
    char host[LENGTH_MAX + 1];
    ssize_t length;

    memset(host, 'h', sizeof(host));
    host[LENGTH_MAX] = '\0';
    memset(credentials, 'x', sizeof(credentials));
    credentials[LENGTH_MAX] = ':';
    credentials[sizeof(credentials) - 1] = '\0';
    snprintf(text, sizeof(text), "http://%s@%s:65535/", credentials, host);
    ck_assert(parse(text, &address));
    ck_assert_str_eq(address.host, host);
    ck_assert_int_eq(address.port, 65535);
    ck_assert_int_eq(strncmp(address.authorization, "Basic ", 6), 0);
    length = base64_decode(address.authorization + 6, strlen(address.authorization + 6),
        (unsigned char *)decoded, sizeof(decoded));
    ck_assert_int_eq(length, 2 * LENGTH_MAX + 1);
    decoded[length] = '\0';
    ck_assert_str_eq(decoded, credentials);
    proxy_address_free(&address);
}
END_TEST

static bool is_good(const char *before, const char *piece, const char *after)
{
    struct proxy_address address;
    bool good = parse_repeated(before, piece, 1, after, &address);

    if (good)
        proxy_address_free(&address);
    return good;
}

/* Of all bytes but NUL, as they are and escaped. */
START_TEST(every_byte_in_every_place)
{
    char byte[] = {(char)_i, '\0'};
    char escaped[16];
    bool control = _i < 0x20 || _i == 0x7f;
    bool raw = !control && strchr(" /?#%", _i) == NULL;

    snprintf(escaped, sizeof(escaped), "%%%02x", (unsigned int)_i);
    ck_assert_int_eq(is_good("u", byte, "v:p@a"), raw);
    ck_assert_int_eq(is_good("u:p", byte, "q@a"), raw);
    ck_assert_int_eq(is_good("u", escaped, "v:p@a"), !control && _i != ':');
    ck_assert_int_eq(is_good("u:p", escaped, "q@a"), !control);
    ck_assert_int_eq(is_good("a:8", byte, "0"), (_i >= '0' && _i <= '9') || _i == '@');
    ck_assert_int_eq(is_good("[::1]", byte, "80"), _i == ':' || _i == '@');
    ck_assert_int_eq(is_good("a", byte, ""), _i == '/' || (_i >= '0' && _i <= '9') ||
                                                 ((_i | 0x20) >= 'a' && (_i | 0x20) <= 'z') ||
                                                 strchr("-._~!$&'()*+,;=", _i) != NULL);
    ck_assert(!is_good("a", escaped, "b"));
}
END_TEST

START_TEST(freeing_nothing)
{
    struct proxy_address address;

    ck_assert(!parse("u:p@", &address));
    ck_assert_ptr_null(address.host);
    ck_assert_ptr_null(address.authorization);
    proxy_address_free(&address);
    proxy_address_free(&address);
}
END_TEST

Suite *proxy_address_suite(void)
{
    Suite *suite = suite_create("proxy address");
    TCase *tests = tcase_create("proxy address");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, forms, 0, COUNT(addresses));
    tcase_add_test(tests, lengths);
    tcase_add_test(tests, everything_at_its_longest);
    tcase_add_loop_test(tests, every_byte_in_every_place, 1, 256);
    tcase_add_test(tests, freeing_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
