#include "page.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Only what is in this table can be asked for: no path of a client's reaches the file system. */
static const struct page_file {
    const char *path;
    const char *file;
    const char *content_type;
} page_files[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/index.html", "index.html", "text/html; charset=utf-8"},
    {"/style.css", "style.css", "text/css; charset=utf-8"},
    {"/room.js", "room.js", "text/javascript; charset=utf-8"},
    {"/chart.js", "chart.js", "text/javascript; charset=utf-8"},
    {"/connection.js", "connection.js", "text/javascript; charset=utf-8"},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
};

static const char *page_directory;

int page_open(const char *directory)
{
    page_directory = directory;
    for (size_t i = 0; i < sizeof(page_files) / sizeof(page_files[0]); i++) {
        char file[PATH_MAX];
        int length = snprintf(file, sizeof(file), "%s/%s", directory, page_files[i].file);
        if (length < 0 || (size_t)length >= sizeof(file) || access(file, R_OK) != 0) {
            fprintf(stderr, "demo: %s/%s cannot be read\n", directory, page_files[i].file);
            return -1;
        }
    }
    return 0;
}

static int serve(struct libwebsocket_context *context, struct libwebsocket *wsi, const char *path)
{
    size_t path_length = strcspn(path, "?");
    const char *name = "there is no such file";
    const char *content_type = NULL;
    char file[PATH_MAX];

    for (size_t i = 0; i < sizeof(page_files) / sizeof(page_files[0]); i++) {
        if (strlen(page_files[i].path) == path_length &&
            memcmp(page_files[i].path, path, path_length) == 0) {
            name = page_files[i].file;
            content_type = page_files[i].content_type;
        }
    }
    int length = snprintf(file, sizeof(file), "%s/%s", page_directory, name);
    if (length < 0 || (size_t)length >= sizeof(file))
        return -1;
    return libwebsockets_serve_http_file(context, wsi, file, content_type);
}

bool page_is_origin(struct libwebsocket *wsi)
{
    static const enum lws_token_indexes fields[] = {WSI_TOKEN_ORIGIN, WSI_TOKEN_SWORIGIN};
    char host[256];
    char origin[256];

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (lws_hdr_total_length(wsi, fields[i]) == 0)
            continue;
        if (lws_hdr_copy(wsi, origin, sizeof(origin), fields[i]) <= 0 ||
            lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST) <= 0)
            return false;
        const char *authority = strstr(origin, "://");
        if (!authority || strcasecmp(authority + 3, host) != 0)
            return false;
    }
    return true;
}

int page_callback(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    (void)len;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return serve(context, wsi, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return 1; /* a WebSocket that did not ask for the room's protocol */
    default:
        return 0;
    }
}
