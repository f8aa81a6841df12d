#include "codec/request_target.h"

#include "suites.h"
#include "support/guard_page.h"

#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* A path of NULL: the target is bad. */
static const struct {
    const char *target;
    const char *path;
} targets[] = {
    {"/", "/"},
    {"/index.html", "/index.html"},
    {"/a/b/c/", "/a/b/c/"},
    {"/a?b", "/a?b"},
    {"/?", "/?"},
    {"/?a=b&c=d", "/?a=b&c=d"},
    {"/a?b?c", "/a?b?c"},
    {"/a;b=c,d:e@f!$&'()*+", "/a;b=c,d:e@f!$&'()*+"},

    /* Escapes. */
    {"/%61%62", "/ab"},
    {"/a%20b", "/a b"},
    {"/%c3%a9%C3%A9", "/\xc3\xa9\xc3\xa9"},
    {"/%ff%C0%AF", "/\xff\xc0\xaf"},
    {"/%01%7f", "/\x01\x7f"},
    {"/%41", "/A"},
    {"%2f", NULL},
    {"%2Findex", NULL},
    {"/a%2fb", "/a/b"},
    {"/a%5cb", "/a\\b"},
    {"/%25", "/%"},
    {"/%2541", "/%41"},
    {"/%2500", "/%00"},
    {"/%252e%252e/b", "/%2e%2e/b"},
    {"/%23", "/#"},
    {"/a%3fb", "/a%3fb"},
    {"/a%3Fb", "/a%3Fb"},
    {"/a%3Fb?c%3Fd", "/a%3Fb?c%3Fd"},
    {"/%3f", "/%3f"},
    {"/%00", NULL},
    {"/a%00.html", NULL},
    {"/%00?q", NULL},
    {"/%", NULL},
    {"/%4", NULL},
    {"/a%", NULL},
    {"/%?41", NULL},
    {"/%4?1", NULL},
    {"/%g0", NULL},
    {"/%0g", NULL},
    {"/%%41", NULL},
    {"/%u0041", NULL},
    {"/%-1", NULL},
    {"/%+1", NULL},
    {"/%0x41", NULL},
    {"/%2", NULL},
    {"/%2%65", NULL},

    /* The query goes as it came. */
    {"/?%41%zz%", "/?%41%zz%"},
    {"/?%00", "/?%00"},
    {"/a?/../../b", "/a?/../../b"},
    {"/a?%2e%2e/", "/a?%2e%2e/"},

    /* Dot segments. */
    {"/.", "/"},
    {"/./", "/"},
    {"/..", "/"},
    {"/../", "/"},
    {"/../..", "/"},
    {"/../../../etc/passwd", "/etc/passwd"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/.", "/a/"},
    {"/a/./", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/../b", "/b"},
    {"/a/b/..", "/a/"},
    {"/a/b/../", "/a/"},
    {"/a/b/../c", "/a/c"},
    {"/a/b/../../c", "/c"},
    {"/a/b/../../../c", "/c"},
    {"/a/b/c/./../../g", "/a/g"},
    {"/a/../../../b/../..", "/"},
    {"/a/..?q", "/?q"},
    {"/..?q", "/?q"},
    {"/...", "/..."},
    {"/.../a", "/.../a"},
    {"/..a", "/..a"},
    {"/a..", "/a.."},
    {"/.a", "/.a"},
    {"/a.", "/a."},
    {"/a../b", "/a../b"},
    {"/a/..;/b", "/a/..;/b"},
    {"/.;/b", "/.;/b"},
    {"//", "//"},
    {"//a", "//a"},
    {"/a//b", "/a//b"},
    {"/a//../b", "/a/b"},
    {"/a//../../b", "/b"},
    {"//..", "/"},
    {"//../..//a", "//a"},
    {"/..//a", "//a"},

    /* Dot segments behind escapes. */
    {"/%2e", "/"},
    {"/%2e%2e", "/"},
    {"/%2e%2e/", "/"},
    {"/%2E%2E/a", "/a"},
    {"/.%2e/a", "/a"},
    {"/%2e./a", "/a"},
    {"/%2e/a", "/a"},
    {"/a/%2e%2e/b", "/b"},
    {"/a/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"},
    {"/..%2f", "/"},
    {"/..%2f..%2f..%2fetc%2fpasswd", "/etc/passwd"},
    {"/a%2f..%2fb", "/b"},
    {"/a%2f%2e%2e%2fb", "/b"},
    {"/a%2F%2E%2e", "/"},
    {"/%2f..", "/"},
    {"/%2e%2e%2f%2e%2e%2f", "/"},
    {"/..%3f/b", "/..%3f/b"},
    {"/a/..%5c../b", "/a/..\\../b"},
    {"/..%c0%af..%c0%afetc", "/..\xc0\xaf..\xc0\xaf"
                             "etc"},
    {"/%2e%2e%00/", NULL},

    /* Absolute form. */
    {"http://example.com", "/"},
    {"http://example.com/", "/"},
    {"http://example.com?q", "/?q"},
    {"http://example.com/?q", "/?q"},
    {"http://example.com?q/../r", "/?q/../r"},
    {"http://example.com/a/%2e%2e/b?c", "/b?c"},
    {"HTTP://example.com/a", "/a"},
    {"hTtPs://example.com/a", "/a"},
    {"http://h", "/"},
    {"http://example.com:80/a", "/a"},
    {"http://example.com:/a", "/a"},
    {"http://[::1]:8080/a", "/a"},
    {"http://127.0.0.1/a", "/a"},
    {"http://example.com//a", "//a"},
    {"http://example.com/http://b/", "/http://b/"},
    {"http://", NULL},
    {"http:///a", NULL},
    {"http://?a", NULL},
    {"http://:80/a", NULL},
    {"http:/a", NULL},
    {"http:a", NULL},
    {"http", NULL},
    {"https", NULL},
    {"https:/", NULL},
    {"http//example.com/", NULL},
    {"http://user@example.com/", NULL},
    {"http://user:password@example.com/", NULL},
    {"http://example.com:80a/", NULL},
    {"http://example.com:-1/", NULL},
    {"http://[::1/", NULL},
    {"http://[::1]x/", NULL},
    {"http://exa\"mple/", NULL},
    {"http://a\\b/", NULL},
    {"http://example.com#a", NULL},
    {"ftp://example.com/", NULL},
    {"ws://example.com/", NULL},
    {"file:///etc/passwd", NULL},
    {"httpx://example.com/", NULL},

    /* Other forms, and what has none. */
    {"", NULL},
    {"*", NULL},
    {"example.com:443", NULL},
    {"example.com", NULL},
    {"a/b", NULL},
    {"../a", NULL},
    {"./a", NULL},
    {"?a", NULL},
    {"#a", NULL},
    {"\\a", NULL},
    {"/a#b", NULL},
    {"/a?b#c", NULL},
    {"/a b", NULL},
    {"/a\tb", NULL},
    {"/a\r\nb", NULL},
    {"/a\x7f", NULL},
    {"/\xc3\xa9", NULL},
    {"/?\xc3\xa9", NULL},
    {"/?a b", NULL},
};

START_TEST(decoding)
{
    const char *expected = targets[_i].path;
    size_t size = strlen(targets[_i].target) + 1;
    char *target = (char *)guard_page_copy(targets[_i].target, size);
    char *path = (char *)guard_page_space(size + 1);
    enum request_target_status status = request_target_decode(target, path, size + 1);

    if (expected == NULL) {
        ck_assert_msg(status == REQUEST_TARGET_BAD, "\"%s\": status %d", target, (int)status);
    } else {
        ck_assert_msg(status == REQUEST_TARGET_GOOD, "\"%s\": status %d", target, (int)status);
        ck_assert_str_eq(path, expected);
    }
    guard_page_free(path, size + 1);
    guard_page_free(target, size);
}
END_TEST

/* With any less room the answer is the same or LONG, and nothing is written behind the room. */
START_TEST(too_little_room)
{
    const char *target = targets[_i].target;
    const char *expected = targets[_i].path;

    for (size_t size = 0; size <= strlen(target) + 1; size++) {
        char *path = (char *)guard_page_space(size);
        enum request_target_status status = request_target_decode(target, path, size);

        if (status == REQUEST_TARGET_GOOD) {
            ck_assert(expected != NULL);
            ck_assert_str_eq(path, expected);
        } else if (status == REQUEST_TARGET_BAD) {
            ck_assert(expected == NULL);
        } else if (expected != NULL) {
            ck_assert_uint_le(size, strlen(target) + 1);
        }
        if (expected != NULL && size <= strlen(expected))
            ck_assert_int_eq((int)status, REQUEST_TARGET_LONG);
        guard_page_free(path, size);
    }
}
END_TEST

/* Whatever stands in between, what comes out has no dot segment and no way out of the root. */
START_TEST(no_dot_segment_is_left)
{
    static const char *const pieces[] = {
        "/", ".", "..", "%2e", "%2E%2e", "%2f", "a", "%61", "%3f", "//", "/./", "/../", ";"};
    enum { LENGTH = 4 };
    int choice[LENGTH] = {0};
    int turn = 0;

    while (turn < LENGTH) {
        char target[64] = "/";
        char path[66];
        size_t length;

        for (int i = 0; i < LENGTH; i++)
            strncat(target, pieces[choice[i]], sizeof(target) - strlen(target) - 1);
        ck_assert_int_eq(
            (int)request_target_decode(target, path, sizeof(path)), REQUEST_TARGET_GOOD);
        length = strlen(path);
        ck_assert(path[0] == '/');
        ck_assert_msg(strstr(path, "/./") == NULL && strstr(path, "/../") == NULL, "\"%s\": \"%s\"",
            target, path);
        ck_assert(length < 2 || strcmp(path + length - 2, "/.") != 0);
        ck_assert(length < 3 || strcmp(path + length - 3, "/..") != 0);

        for (turn = 0; turn < LENGTH && ++choice[turn] == COUNT(pieces); turn++)
            choice[turn] = 0;
    }
}
END_TEST

static const struct {
    const char *host;
    bool valid;
} hosts[] = {
    {"", true},
    {"example.com", true},
    {"EXAMPLE.com.", true},
    {"localhost", true},
    {"example.com:80", true},
    {"example.com:", true},
    {"example.com:00080", true},
    {"my_host-1~", true},
    {"azAZ09", true},
    {"a!$&'()*+,;=b", true},
    {"%41%zz", false},
    {"%41b", true},
    {"b%c3%a9", true},
    {"%", false},
    {"a%4", false},
    {"a%4:80", false},
    {"127.0.0.1", true},
    {"127.0.0.1:8080", true},
    {"999.999.999.999", true}, /* a registered name by its form */
    {"[::]", true},
    {"[::1]", true},
    {"[::1]:80", true},
    {"[::1]:", true},
    {"[1::]", true},
    {"[1::2]", true},
    {"[2001:db8::ff00:42:8329]", true},
    {"[2001:DB8::FF00:42:8329]", true},
    {"[1:2:3:4:5:6:7:8]", true},
    {"[1:2:3:4:5:6:7::]", true},
    {"[::2:3:4:5:6:7:8]", true},
    {"[1:2:3:4:5:6:1.2.3.4]", true},
    {"[::1.2.3.4]", true},
    {"[::ffff:255.255.255.255]", true},
    {"[1::5:1.2.3.4]", true},
    {"[v1.a:b]", true},
    {"[VF.fe80::1]", true},
    {"[]", false},
    {"[", false},
    {"]", false},
    {"[:]", false},
    {"[:::]", false},
    {"[1]", false},
    {"[1:]", false},
    {"[:1]", false},
    {"[1:2:3:4:5:6:7]", false},
    {"[1:2:3:4:5:6:7:]", false},
    {"[:2:3:4:5:6:7:8]", false},
    {"[1:2:3:4:5:6:7:8:9]", false},
    {"[1:2:3:4:5:6:7:8::]", false},
    {"[::1:2:3:4:5:6:7:8]", false},
    {"[1::2::3]", false},
    {"[::1::]", false},
    {"[1:::2]", false},
    {"[12345::]", false},
    {"[g::]", false},
    {"[::1.2.3]", false},
    {"[::1.2x3.4]", false},
    {"[::1.2.3.4.5]", false},
    {"[::1.2.3.256]", false},
    {"[::1.2.3.04]", false},
    {"[::1.2.3.]", false},
    {"[::1.2.3.4:5]", false},
    {"[::.2.3.4]", false},
    {"[1.2.3.4]", false},
    {"[1:2:3:4:5:6:7:1.2.3.4]", false},
    {"[::1%25eth0]", false},
    {"[::1%eth0]", false},
    {"[::1 ]", false},
    {"[::1", false},
    {"::1", false},
    {"::1]", false},
    {"[::1]a", false},
    {"[::1]]", false},
    {"[::1]80", false},
    {"[::1]:8a", false},
    {"[[::1]]", false},
    {"[v.a]", false},
    {"[x1.a]", false},
    {"[v1.]", false},
    {"[v1]", false},
    {"[vg.a]", false},
    {"[v1.a/b]", false},
    {"[example.com]", false},
    {"example.com:80:80", false},
    {"example.com:a", false},
    {"example.com: 80", false},
    {"example.com:+80", false},
    {"example.com:-80", false},
    {"example.com ", false},
    {" example.com", false},
    {"exam ple.com", false},
    {"exam\tple.com", false},
    {"example.com,example.org", true}, /* the comma is a sub-delimiter */
    {"example.com, example.org", false},
    {"user@example.com", false},
    {"user:80@example.com", false},
    {"http://example.com", false},
    {"example.com/", false},
    {"example.com?", false},
    {"example.com#", false},
    {"exam\\ple", false},
    {"<script>", false},
    {"\"", false},
    {"{}", false},
    {"^|`", false},
    {"\xc3\xa9.com", false},
    {"a\x7f", false},
    {"a\x01", false},
};

START_TEST(forms_of_host)
{
    size_t size = strlen(hosts[_i].host) + 1;
    char *copy = (char *)guard_page_copy(hosts[_i].host, size);

    ck_assert_msg(host_is_valid(copy) == hosts[_i].valid, "\"%s\"", copy);
    guard_page_free(copy, size);
}
END_TEST

Suite *request_target_suite(void)
{
    Suite *suite = suite_create("request target");
    TCase *tests = tcase_create("request target");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, decoding, 0, COUNT(targets));
    tcase_add_loop_test(tests, too_little_room, 0, COUNT(targets));
    tcase_add_test(tests, no_dot_segment_is_left);
    tcase_add_loop_test(tests, forms_of_host, 0, COUNT(hosts));
    suite_add_tcase(suite, tests);
    return suite;
}
