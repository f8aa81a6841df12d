#include "connection/client_proxy.h"

#include "connection/client_answer.h"

#include <stdio.h>
#include <stdlib.h>

void client_proxy_ask(struct libwebsocket *wsi)
{
    struct client *client = wsi->client;
    const char *authorization = client->proxy_authorization;
    char *request;
    int length;

    wsi->state = CONNECTION_PROXY;
    connection_set_due(wsi, engine_of(wsi)->limits.proxy_timeout);
    length = asprintf(&request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", client->authority,
        client->authority, authorization ? "Proxy-Authorization: " : "",
        authorization ? authorization : "", authorization ? "\r\n" : "");
    if (length < 0) {
        client_fail(wsi, "out of memory");
        return;
    }
    /* Where it cannot be sent the connection is over, and says so itself. */
    (void)connection_send(wsi, request, (size_t)length);
    free(request);
}

static void judge(struct libwebsocket *wsi, bool more)
{
    struct client *client = wsi->client;
    int status = client->answer.head.status;
    char why[CLIENT_FAILURE_SIZE];

    if (status < 200 || status > 299) {
        snprintf(why, sizeof(why), "proxy answered %d", status);
        client_fail(wsi, why);
    } else if (!backlog_empty(&wsi->backlog)) {
        client_fail(wsi, "the proxy answered before it was asked");
    } else if (more) {
        /* A WebSocket server waits for its client to speak, and so these are not its bytes. */
        client_fail(wsi, "the proxy sent more than its answer");
    } else {
        client_answer_clear(&client->answer);
        client_tunnelled(wsi);
    }
}

size_t client_proxy_input(struct libwebsocket *wsi, const unsigned char *bytes, size_t length)
{
    const char *why = NULL;
    char words[CLIENT_FAILURE_SIZE];
    size_t used = 0;

    switch (client_answer_read(
        &wsi->client->answer, &engine_of(wsi)->limits, bytes, length, &used, &why)) {
    case CLIENT_ANSWER_MORE:
        break;
    case CLIENT_ANSWER_DONE:
        judge(wsi, used < length);
        return length;
    case CLIENT_ANSWER_BAD:
        snprintf(words, sizeof(words), "proxy: %s", why);
        client_fail(wsi, words);
        return length;
    }
    return used;
}
