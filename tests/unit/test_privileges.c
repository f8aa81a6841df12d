/* Only root can drop anything; others can only be refused. */
#include "suites.h"

#include "platform/privileges.h"
#include "support/children.h"

#include <grp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

enum { GROUP = 54321, USER = 54322 };

struct request {
    int gid;
    int uid;
    int (*before)(void);
    int (*after)(void);
};

static int drop(void *argument)
{
    const struct request *request = argument;
    char words[256];
    struct text error;

    text_init(&error, words, sizeof(words));
    if (request->before && request->before())
        return 100;
    if (!privileges_drop(request->gid, request->uid, &error))
        return words[0] ? 1 : 101;
    return request->after ? request->after() : 0;
}

static int several_groups(void)
{
    const gid_t groups[] = {0, 4, 27, 44};

    return setgroups(4, groups);
}

static int only_the_group(void)
{
    gid_t groups[8];
    uid_t r, e, s;
    gid_t rg, eg, sg;

    if (getgroups(8, groups) != 1 || groups[0] != GROUP || getresuid(&r, &e, &s) ||
        getresgid(&rg, &eg, &sg))
        return 2;
    if (r != USER || e != USER || s != USER || rg != GROUP || eg != GROUP || sg != GROUP)
        return 3;
    return setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0 ? 4 : 0;
}

/* As somebody who has groups and nothing else. */
static int become_nobody(void)
{
    return several_groups() || setresgid(GROUP, GROUP, GROUP) || setresuid(USER, USER, USER);
}

static int become_nobody_with_one_group(void)
{
    const gid_t group = GROUP;

    return setgroups(1, &group) || setresgid(GROUP, GROUP, GROUP) || setresuid(USER, USER, USER);
}

/* Somebody who is not root, and may choose groups all the same. */
static int become_chooser(void)
{
    return several_groups() || prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) ||
           setresuid(USER, USER, USER);
}

static int one_group(void)
{
    gid_t groups[8];

    return getgroups(8, groups) == 1 && groups[0] == GROUP && getegid() == GROUP ? 0 : 2;
}

/* The right to change the user survives the change. */
static int keep_rights(void)
{
    return several_groups() || prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP);
}

#define EXPECT(result, ...)                                                                        \
    do {                                                                                           \
        struct request request = {__VA_ARGS__};                                                    \
        ck_assert_int_eq(run_in_child(drop, &request), result);                                    \
    } while (0)

START_TEST(nothing_to_do)
{
    EXPECT(0, -1, -1, NULL, NULL);
    EXPECT(0, 0, 0, NULL, NULL);
    EXPECT(0, -1, -1, become_nobody, NULL);
}
END_TEST

START_TEST(all_is_dropped)
{
    EXPECT(0, GROUP, USER, several_groups, only_the_group);
}
END_TEST

START_TEST(groups_are_dropped_by_whoever_may)
{
    EXPECT(0, GROUP, -1, become_chooser, one_group);
}
END_TEST

START_TEST(what_can_be_undone_is_refused)
{
    EXPECT(1, GROUP, USER, keep_rights, NULL);
}
END_TEST

START_TEST(who_may_not_is_refused)
{
    EXPECT(1, GROUP + 1, -1, become_nobody, NULL);
    EXPECT(1, -1, USER + 1, become_nobody, NULL);
    /* The groups that are to be given up would stay. */
    EXPECT(1, GROUP, USER, become_nobody, NULL);
    EXPECT(1, -1, USER, become_nobody, NULL);
    EXPECT(0, GROUP, USER, become_nobody_with_one_group, NULL);
    EXPECT(0, -1, USER, become_nobody_with_one_group, NULL);
}
END_TEST

Suite *privileges_suite(void)
{
    Suite *suite = suite_create("privileges");
    TCase *tests = tcase_create("drop");

    tcase_add_test(tests, nothing_to_do);
    if (geteuid() == 0) {
        tcase_add_test(tests, all_is_dropped);
        tcase_add_test(tests, groups_are_dropped_by_whoever_may);
        tcase_add_test(tests, what_can_be_undone_is_refused);
        tcase_add_test(tests, who_may_not_is_refused);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
