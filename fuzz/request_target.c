/* A request's target and the value of Host, from the same text. */
#include "codec/request_target.h"

#include "fuzz.h"

static bool has_dot_segment(const char *path, size_t length)
{
    size_t start = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i < length && path[i] != '/')
            continue;
        if (i - start == 1 && path[start] == '.')
            return true;
        if (i - start == 2 && path[start] == '.' && path[start + 1] == '.')
            return true;
        start = i + 1;
    }
    return false;
}

static void check_target(const char *target)
{
    size_t room = strlen(target) + 2;
    char *path = fuzz_allocate(room);
    enum request_target_status status = request_target_decode(target, path, room);

    REQUIRE(status != REQUEST_TARGET_LONG);
    if (status == REQUEST_TARGET_GOOD) {
        const char *query = strchr(target, '?');
        size_t length = strcspn(path, "?");

        REQUIRE(strlen(path) < room);
        REQUIRE(path[0] == '/');
        REQUIRE(!has_dot_segment(path, length));
        REQUIRE(strcmp(path + length, query ? query : "") == 0);
    }
    /* In less room it is told, and nothing is written behind. */
    for (size_t less = 0; less < room; less++) {
        char *small = fuzz_allocate(less);
        enum request_target_status again = request_target_decode(target, small, less);

        if (status == REQUEST_TARGET_GOOD) {
            REQUIRE(again == REQUEST_TARGET_LONG ||
                    (again == REQUEST_TARGET_GOOD && strcmp(small, path) == 0));
            REQUIRE(again == REQUEST_TARGET_LONG || less > strlen(path));
        } else {
            REQUIRE(again != REQUEST_TARGET_GOOD);
        }
        free(small);
        if (less == 64 && room > 128)
            less = room - 64;
    }
    free(path);
}

/* A host is good exactly where it is as the authority of a target, but for the empty one. */
static void check_host(const char *host)
{
    static const char scheme[] = "http://";
    bool valid = host_is_valid(host);
    size_t room = sizeof(scheme) + strlen(host) + 4;
    char *target;
    char *path;
    bool decoded;

    if (valid) {
        for (const char *at = host; *at; at++)
            REQUIRE(*at > 0x20 && *at < 0x7f && !strchr("/?#@\\\"<>^`{|}", *at));
    }
    if (strpbrk(host, "/?") || host[0] == '\0' || host[0] == ':')
        return;
    target = fuzz_allocate(room);
    path = fuzz_allocate(room);
    snprintf(target, room, "%s%s/x", scheme, host);
    decoded = request_target_decode(target, path, room) == REQUEST_TARGET_GOOD;
    REQUIRE(decoded == valid);
    REQUIRE(!decoded || strcmp(path, "/x") == 0);
    free(path);
    free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    check_target(text);
    check_host(text);
    free(text);
    return 0;
}
