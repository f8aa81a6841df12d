#include "platform/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* The groups of a process that is not allowed to choose them are what they are. */
static bool drop_groups(gid_t gid, bool changes_user, struct text *error)
{
    if (geteuid() != 0)
        return true;
    if (setgroups(changes_user || gid ? 1 : 0, &gid) == 0)
        return true;
    text_add(error, "cannot drop the supplementary groups: %s", strerror(errno));
    return false;
}

bool privileges_drop(int gid, int uid, struct text *error)
{
    gid_t group = gid > 0 ? (gid_t)gid : getgid();

    if (gid <= 0 && uid <= 0)
        return true;
    if (!drop_groups(group, uid > 0, error))
        return false;
    if (gid > 0 && setresgid(group, group, group) < 0) {
        text_add(error, "cannot change to group %d: %s", gid, strerror(errno));
        return false;
    }
    if (uid > 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0) {
        text_add(error, "cannot change to user %d: %s", uid, strerror(errno));
        return false;
    }
    if (uid > 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        text_add(error, "user %d could become root again", uid);
        return false;
    }
    return true;
}
