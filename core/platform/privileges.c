#include "platform/privileges.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct identity {
    uid_t users[3];
    gid_t groups[3];
};

static bool identify(struct identity *identity)
{
    uid_t *users = identity->users;
    gid_t *groups = identity->groups;

    return getresuid(&users[0], &users[1], &users[2]) == 0 &&
           getresgid(&groups[0], &groups[1], &groups[2]) == 0;
}

static bool has_group_alone(const struct identity *identity, gid_t group)
{
    const gid_t *groups = identity->groups;

    return groups[0] == group && groups[1] == group && groups[2] == group;
}

static bool has_user_alone(const struct identity *identity, uid_t user)
{
    const uid_t *users = identity->users;

    return users[0] == user && users[1] == user && users[2] == user;
}

/* Whether there is nothing to become: somebody without privileges may ask to stay who one is. */
static bool is_so_already(const struct identity *identity, int gid, int uid)
{
    return (gid <= 0 || has_group_alone(identity, (gid_t)gid)) &&
           (uid <= 0 || has_user_alone(identity, (uid_t)uid));
}

/* Somebody without privileges has the groups that he has. */
static bool has_no_groups_but(gid_t group)
{
    gid_t groups[2];
    int count = getgroups(2, groups);

    return count == 0 || (count == 1 && groups[0] == group);
}

static bool fail(struct text *error, const char *what, int id)
{
    text_add(error, "cannot change to %s %d: %s", what, id, strerror(errno));
    return false;
}

/* What was asked for is now all there is, and nothing else can be had back. */
static bool is_irrevocable(int gid, int uid, struct text *error)
{
    struct identity identity;
    gid_t group;

    if (!identify(&identity) || !is_so_already(&identity, gid, uid)) {
        text_add(error, "the change of the user and the group has had no effect");
        return false;
    }
    group = identity.groups[0];
    if (uid > 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        text_add(error, "user %d could become root again", uid);
        return false;
    }
    if (uid > 0 && setgroups(1, &group) == 0) {
        text_add(error, "user %d could choose its groups again", uid);
        return false;
    }
    return true;
}

bool privileges_drop(int gid, int uid, struct text *error)
{
    struct identity before;
    gid_t group;

    if (gid <= 0 && uid <= 0)
        return true;
    if (!identify(&before)) {
        text_add(error, "cannot tell the user: %s", strerror(errno));
        return false;
    }
    group = gid > 0 ? (gid_t)gid : before.groups[0];
    /* First, and whoever one is: the right to do so may be had without being root. */
    if (setgroups(1, &group) < 0) {
        int reason = errno;

        if (reason != EPERM || !is_so_already(&before, gid, uid) || !has_no_groups_but(group)) {
            text_add(error, "cannot drop the supplementary groups to become %s %d: %s",
                uid > 0 ? "user" : "group", uid > 0 ? uid : gid, strerror(reason));
            return false;
        }
    }
    if (gid > 0 && setresgid(group, group, group) < 0)
        return fail(error, "group", gid);
    if (uid > 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
        return fail(error, "user", uid);
    return is_irrevocable(gid, uid, error);
}
