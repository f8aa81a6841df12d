#include "http_site.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

const char *site_path(const char *name)
{
    static _Thread_local char path[160];
    int length = snprintf(path, sizeof(path), "%s/%s", directory, name);

    ck_assert(length > 0 && (size_t)length < sizeof(path));
    return path;
}

void site_write(const char *name, const void *data, size_t length)
{
    int fd = open(site_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_msg(fd >= 0, "%s: %s", site_path(name), strerror(errno));
    if (data)
        ck_assert_int_eq(write(fd, data, length), (ssize_t)length);
    else
        ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
    ck_assert_int_eq(close(fd), 0);
}

void site_set_up(void)
{
    strcpy(directory, "/tmp/lwsloop-site-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    site_write("hello.txt", SITE_HELLO, strlen(SITE_HELLO));
    site_write("empty", "", 0);
    ck_assert_int_eq(mkdir(site_path("folder"), 0755), 0);
    ck_assert_int_eq(mkfifo(site_path("pipe"), 0644), 0);
}

/* Whatever tests, in processes of their own, have left there. */
void site_tear_down(void)
{
    DIR *folder = opendir(directory);
    struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)))
        if (unlinkat(dirfd(folder), entry->d_name, 0) < 0)
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    closedir(folder);
    rmdir(directory);
}

int site_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    const char *path = in;
    char name[160];

    if (reason != LWS_CALLBACK_HTTP)
        return echo_callback(context, wsi, reason, user, in, len);
    snprintf(name, sizeof(name), "%s%.*s", directory, (int)strcspn(path, "?"), path);
    return libwebsockets_serve_http_file(context, wsi, name, "text/plain");
}

struct libwebsocket_protocols site_protocols[4];

struct server *site_start(const struct server_options *options)
{
    struct server_options with = options ? *options : (struct server_options){0};

    site_protocols[SITE_ECHO] = default_protocols[PROTOCOL_ECHO];
    site_protocols[SITE_DISCARD] = default_protocols[PROTOCOL_DISCARD];
    site_protocols[SITE_HTTP] = site_protocols[SITE_ECHO];
    site_protocols[SITE_HTTP].name = NULL;
    site_protocols[SITE_HTTP].callback = site_callback;
    if (!with.protocols)
        with.protocols = site_protocols;
    return server_start(&with);
}

bool answer_has(const struct answer *answer, const char *name, const char *value)
{
    char *found = ws_response_field(&answer->response, name);
    bool has = found && (!value || strcasecmp(found, value) == 0);

    free(found);
    return has;
}

static unsigned int count_fields(const char *head, const char *name)
{
    unsigned int count = 0;
    size_t length = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            count++;
    return count;
}

static void check_head(const struct answer *answer, const char *file, int line)
{
    const char *head = answer->response.head;
    int status = answer->response.status;

    ck_assert_msg(strncmp(head, "HTTP/1.1 ", 9) == 0 && strlen(head) > 13 && head[12] == ' ',
        "%s:%d: status line: %.40s", file, line, head);
    ck_assert_msg(strspn(head + 9, "0123456789") == 3, "%s:%d: status: %.40s", file, line, head);
    if (status < 200)
        return;
    ck_assert_msg(count_fields(head, "Date") == 1, "%s:%d: Date: %s", file, line, head);
    ck_assert_msg(
        count_fields(head, "Content-Length") <= 1, "%s:%d: lengths: %s", file, line, head);
    ck_assert_msg(count_fields(head, "Transfer-Encoding") == 0, "%s:%d: %s", file, line, head);
    ck_assert_msg(status != 405 || (answer_has(answer, "Allow", "GET, HEAD")),
        "%s:%d: 405 needs Allow: %s", file, line, head);
    ck_assert_msg(status != 426 || (answer_has(answer, "Upgrade", "websocket") &&
                                       answer_has(answer, "Sec-WebSocket-Version", "13, 8, 7")),
        "%s:%d: 426 needs Upgrade and the versions: %s", file, line, head);
    ck_assert_msg((status != 416 && status != 206) || answer_has(answer, "Content-Range", NULL),
        "%s:%d: no Content-Range: %s", file, line, head);
}

struct answer site_receive_at(struct ws_client *client, bool to_head, const char *file, int line)
{
    struct answer answer = {.response = ws_receive_head_at(client, file, line)};
    int status = answer.response.status;
    char *length;

    check_head(&answer, file, line);
    if (to_head || status < 200 || status == 204 || status == 304)
        return answer;
    length = ws_response_field(&answer.response, "Content-Length");
    if (length) {
        answer.length = strtoul(length, NULL, 10);
        answer.body = malloc(answer.length + 1);
        ck_assert_ptr_nonnull(answer.body);
        ws_receive_at(client, answer.body, answer.length, file, line);
        answer.body[answer.length] = '\0';
    } else {
        answer.body = ws_receive_all_at(client, &answer.length, file, line);
    }
    free(length);
    return answer;
}

void answer_free(struct answer *answer)
{
    ws_response_free(&answer->response);
    free(answer->body);
    *answer = (struct answer){0};
}

void site_expect_at(
    struct ws_client *client, int status, const char *body, const char *file, int line)
{
    struct answer answer = site_receive_at(client, false, file, line);

    ck_assert_msg(answer.response.status == status, "%s:%d: status %d in place of %d", file, line,
        answer.response.status, status);
    if (body)
        ck_assert_msg(answer.body && strcmp(answer.body, body) == 0,
            "%s:%d: body \"%.100s\" in place of \"%.100s\"", file, line,
            answer.body ? answer.body : "(none)", body);
    answer_free(&answer);
}

void site_get(struct ws_client *client, const char *path, const char *fields)
{
    char request[4096];
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
        path, fields ? fields : "");

    ck_assert(length > 0 && (size_t)length < sizeof(request));
    ws_send(client, request, (size_t)length);
}
