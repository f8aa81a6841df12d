/*
 * Level 20130316 (to 2013-10-16). Generation 5: clients.
 *
 * Uses: CLIENT_FILTER_PRE_ESTABLISH with lws_hdr_copy (the last time the answer's fields are
 * there); CLIENT_APPEND_HANDSHAKE_HEADER; CLIENT_RECEIVE's nonzero return, which closes;
 * CLIENT_CONNECTION_ERROR; client_connect_extended; a message larger than rx_buffer_size.
 *
 * Run: gen5_client PORT CLOSED-PORT
 * Peer: a server on 127.0.0.1:PORT that speaks "ledger" and "enough"; its answers carry a field
 * "Sec-WebSocket-Protocol" as usual. To "ledger" it sends a binary of 5000 bytes, waits for
 * "sum 5000", and closes with 1000. To "enough" it sends "one", "two", "three" at once and waits
 * for the end. Nothing listens on CLOSED-PORT.
 *
 * Prints, those of the three in any interleaving:
 *   ledger: filter ledger
 *   ledger: established
 *   ledger: piece 1024 rest 3976 ... ledger: piece 904 rest 0
 *   ledger: writeable, wrote 8
 *   ledger: closed
 *   enough: filter enough / enough: established / enough: received one / enough: closed
 *   nobody: connection error
 *   done
 * "enough: received two" never (a nonzero return closes, and no data comes after it).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

struct account {
    const char *name;
    int sum;
};

static struct account accounts[3] = {{"ledger", 0}, {"enough", 0}, {"nobody", 0}};
static int over;

static int callback_ledger(struct libwebsocket_context *context, struct libwebsocket *wsi,
    enum libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
{
    unsigned char buf[LWS_SEND_BUFFER_PRE_PADDING + 32 + LWS_SEND_BUFFER_POST_PADDING];
    unsigned char *p = &buf[LWS_SEND_BUFFER_PRE_PADDING];
    struct account *account = (struct account *)user;
    char chosen[32] = "nothing";
    int n;

    switch (reason) {
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        lws_hdr_copy(wsi, chosen, sizeof(chosen), WSI_TOKEN_PROTOCOL);
        printf("%s: filter %s\n", account->name, chosen);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        printf("%s: established\n", account->name);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (strcmp(account->name, "enough") == 0) {
            printf("enough: received %.*s\n", (int)len, (char *)in);
            return 1;
        }
        account->sum += (int)len;
        printf("%s: piece %d rest %d\n", account->name, (int)len,
            (int)libwebsockets_remaining_packet_payload(wsi));
        if (libwebsockets_remaining_packet_payload(wsi) == 0)
            libwebsocket_callback_on_writable(context, wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        n = sprintf((char *)p, "sum %d", account->sum);
        printf("%s: writeable, wrote %d\n", account->name,
            libwebsocket_write(wsi, p, (size_t)n, LWS_WRITE_TEXT));
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        printf("%s: connection error\n", account->name);
        over++;
        break;
    case LWS_CALLBACK_CLOSED:
        printf("%s: closed\n", account->name);
        over++;
        break;
    default:
        break;
    }
    return 0;
}

static struct libwebsocket_protocols protocols[] = {{"ledger", callback_ledger, 0, 1024, NULL, 0},
    {"enough", callback_ledger, 0, 1024, NULL, 0}, {NULL, NULL, 0, 0, NULL, 0}};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    struct libwebsocket_context *context;
    int n;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    memset(&info, 0, sizeof(info));
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    context = libwebsocket_create_context(&info);
    if (context == NULL)
        return 1;
    for (n = 0; n < 3; n++)
        if (libwebsocket_client_connect_extended(context, "127.0.0.1", atoi(argv[n == 2 ? 2 : 1]),
                0, "/books", libwebsocket_canonical_hostname(context), "example.org",
                n == 2 ? "ledger" : accounts[n].name, -1, &accounts[n]) == NULL)
            return 1;
    while (over < 3)
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    printf("done\n");
    return 0;
}
