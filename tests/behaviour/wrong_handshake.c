/* RFC 6455 section 4: opening handshakes. */
#include "wrong_input.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define END "\r\n"

/* All but what the row is about. */
#define WITH_KEY(key) BYTES(LINE HOST UPGRADE CONNECTION key VERSION END)
#define WITH_VERSION(version) BYTES(LINE HOST UPGRADE CONNECTION KEY version END)
#define WITH_UPGRADE(upgrade) BYTES(LINE HOST upgrade CONNECTION KEY VERSION END)
#define WITH_CONNECTION(connection) BYTES(LINE HOST UPGRADE connection KEY VERSION END)
#define WITH_LINE(line) BYTES(line HOST UPGRADE CONNECTION KEY VERSION END)
#define ALSO(fields) BYTES(LINE HOST UPGRADE CONNECTION KEY VERSION fields END)

#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

const struct wrong_request wrong_handshakes[] = {
    /* What must be accepted. */
    {"6455-4.2.2 a good handshake", WITH_VERSION(VERSION), "101", .end = END_WEBSOCKET,
        .field = ACCEPT},
    {"6455-4.2.2 Upgrade in the answer", WITH_VERSION(VERSION), "101", .end = END_WEBSOCKET,
        .field = "Upgrade: websocket"},
    {"6455-4.2.2 Connection in the answer", WITH_VERSION(VERSION), "101", .end = END_WEBSOCKET,
        .field = "Connection: Upgrade"},
    {"6455-4.2.2 no subprotocol that was not asked for", WITH_VERSION(VERSION), "101",
        .end = END_WEBSOCKET, .field = "Sec-WebSocket-Protocol:"},
    {"6455-4.1 version 8", WITH_VERSION("Sec-WebSocket-Version: 8\r\n"), "101",
        .end = END_WEBSOCKET, .field = ACCEPT},
    {"6455-4.1 version 7", WITH_VERSION("Sec-WebSocket-Version: 7\r\n"), "101",
        .end = END_WEBSOCKET, .field = ACCEPT},
    {"6455-4.2.1 field names in any case",
        BYTES("GET / HTTP/1.1\r\nhOST: localhost\r\nUPGRADE: websocket\r\nconnection: Upgrade\r\n"
              "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-VERSION: 13\r\n\r\n"),
        "101", .end = END_WEBSOCKET, .field = ACCEPT},
    {"6455-4.2.1 Upgrade in any case", WITH_UPGRADE("Upgrade: WebSocket\r\n"), "101",
        .end = END_WEBSOCKET},
    {"6455-4.2.1 Upgrade with other tokens", WITH_UPGRADE("Upgrade: h2c, websocket\r\n"), "101",
        .end = END_WEBSOCKET},
    {"6455-4.2.1 Upgrade in two lines", WITH_UPGRADE("Upgrade: h2c\r\nUpgrade: websocket\r\n"),
        "101", .end = END_WEBSOCKET},
    {"6455-4.2.1 Connection in any case", WITH_CONNECTION("Connection: uPGRADE\r\n"), "101",
        .end = END_WEBSOCKET},
    {"6455-4.2.1 Connection with other tokens",
        WITH_CONNECTION("Connection: keep-alive, Upgrade\r\n"), "101", .end = END_WEBSOCKET},
    {"6455-4.2.1 Connection in two lines",
        WITH_CONNECTION("Connection: keep-alive\r\nConnection: Upgrade\r\n"), "101",
        .end = END_WEBSOCKET},
    {"6455-4.2.1 white space around values",
        BYTES(
            "GET / HTTP/1.1\r\nHost: \tlocalhost \r\nUpgrade:websocket\r\nConnection:  Upgrade \r\n"
            "Sec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \r\nSec-WebSocket-Version:13 \r\n\r\n"),
        "101", .end = END_WEBSOCKET, .field = ACCEPT},
    {"6455-4.1 an absolute URI", WITH_LINE("GET http://localhost/ HTTP/1.1\r\n"), "101",
        .end = END_WEBSOCKET},
    {"6455-4.2.1 unknown fields are ignored", ALSO("Sec-WebSocket-Unknown: x\r\nCookie: a=b\r\n"),
        "101", .end = END_WEBSOCKET},
    {"6455-4.2.1 an Origin", ALSO("Origin: http://example.com\r\n"), "101", .end = END_WEBSOCKET},
    {"6455-4.2.2 a subprotocol that is spoken", ALSO("Sec-WebSocket-Protocol: echo\r\n"), "101",
        .end = END_WEBSOCKET, .field = "Sec-WebSocket-Protocol: echo"},
    {"6455-4.2.2 one of several subprotocols",
        ALSO("Sec-WebSocket-Protocol: none, echo ,other\r\n"), "101", .end = END_WEBSOCKET,
        .field = "Sec-WebSocket-Protocol: echo"},
    {"6455-11.3.4 subprotocols in two lines",
        ALSO("Sec-WebSocket-Protocol: none\r\nSec-WebSocket-Protocol: echo\r\n"), "101",
        .end = END_WEBSOCKET, .field = "Sec-WebSocket-Protocol: echo"},
    {"6455-4.2.2 an extension that is not spoken",
        ALSO(
            "Sec-WebSocket-Extensions: permessage-inflate; client_max_window_bits, x; y=\"z\"\r\n"),
        "101", .end = END_WEBSOCKET, .field = "Sec-WebSocket-Extensions:"},
    {"an empty offer of extensions, as old clients make it", ALSO("Sec-WebSocket-Extensions:\r\n"),
        "101", .end = END_WEBSOCKET},
    {"6455-11.3.2 extensions in two lines",
        ALSO("Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: bar; baz=2\r\n"), "101",
        .end = END_WEBSOCKET, .field = "Sec-WebSocket-Extensions:"},
    {"9110-5.6.1 empty elements among the subprotocols",
        ALSO("Sec-WebSocket-Protocol: ,none,, echo ,\r\n"), "101", .end = END_WEBSOCKET,
        .field = "Sec-WebSocket-Protocol: echo"},
    {"9110-5.6.1 empty elements in Connection", WITH_CONNECTION("Connection: , ,Upgrade,\r\n"),
        "101", .end = END_WEBSOCKET},

    /* The key. */
    {"6455-4.2.1 no key", WITH_KEY(""), "400", .end = END_AS_SAID},
    {"6455-4.2.1 an empty key", WITH_KEY("Sec-WebSocket-Key:\r\n"), "400", .end = END_AS_SAID},
    {"6455-4.2.1 a key of 15 bytes", WITH_KEY("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.2.1 a key of 17 bytes", WITH_KEY("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n"),
        "400", .end = END_AS_SAID},
    {"6455-4.2.1 a key without padding", WITH_KEY("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"),
        "400", .end = END_AS_SAID},
    {"6455-4.2.1 a key that is no base64",
        WITH_KEY("Sec-WebSocket-Key: dGhlIHNhbXBs*SBub25jZQ==\r\n"), "400", .end = END_AS_SAID},
    {"6455-4.2.1 a key in the alphabet of URLs",
        WITH_KEY("Sec-WebSocket-Key: dGhlIHNhbXBs-_Bub25jZQ==\r\n"), "400", .end = END_AS_SAID},
    {"6455-4.2.1 a key with a blank inside",
        WITH_KEY("Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ==\r\n"), "400", .end = END_AS_SAID},
    {"6455-11.3.1 two keys", WITH_KEY(KEY "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-11.3.1 the same key twice", WITH_KEY(KEY KEY), "400", .end = END_AS_SAID},

    /* The version. */
    {"6455-4.2.2 no version", WITH_VERSION(""), "426", .end = END_AS_SAID},
    {"6455-4.4 version 0", WITH_VERSION("Sec-WebSocket-Version: 0\r\n"), "426", .end = END_AS_SAID},
    {"6455-4.4 version 6", WITH_VERSION("Sec-WebSocket-Version: 6\r\n"), "426", .end = END_AS_SAID},
    {"6455-4.4 version 9", WITH_VERSION("Sec-WebSocket-Version: 9\r\n"), "426", .end = END_AS_SAID},
    {"6455-4.4 version 12", WITH_VERSION("Sec-WebSocket-Version: 12\r\n"), "426",
        .end = END_AS_SAID},
    {"6455-4.4 version 14", WITH_VERSION("Sec-WebSocket-Version: 14\r\n"), "426",
        .end = END_AS_SAID},
    {"6455-4.4 version 255", WITH_VERSION("Sec-WebSocket-Version: 255\r\n"), "426",
        .end = END_AS_SAID},
    {"6455-4.4 the oldest draft",
        BYTES(LINE HOST "Upgrade: WebSocket\r\n" CONNECTION "Origin: http://localhost\r\n"
                        "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
                        "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n" END),
        "426", .end = END_AS_SAID},
    {"6455-4.1 version 256", WITH_VERSION("Sec-WebSocket-Version: 256\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version 4294967309", WITH_VERSION("Sec-WebSocket-Version: 4294967309\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version with a leading zero", WITH_VERSION("Sec-WebSocket-Version: 013\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version with a sign", WITH_VERSION("Sec-WebSocket-Version: +13\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version below zero", WITH_VERSION("Sec-WebSocket-Version: -1\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version in letters", WITH_VERSION("Sec-WebSocket-Version: thirteen\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 version with letters behind", WITH_VERSION("Sec-WebSocket-Version: 13x\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 an empty version", WITH_VERSION("Sec-WebSocket-Version:\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-11.3.5 a list of versions", WITH_VERSION("Sec-WebSocket-Version: 13, 8\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-11.3.5 two versions", WITH_VERSION(VERSION "Sec-WebSocket-Version: 8\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-11.3.5 the same version twice", WITH_VERSION(VERSION VERSION), "400",
        .end = END_AS_SAID},

    /* Upgrade and Connection. */
    {"6455-4.2.1 no Upgrade", WITH_UPGRADE(""), "400", .end = END_AS_SAID},
    {"6455-4.2.1 Upgrade to something else", WITH_UPGRADE("Upgrade: h2c\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.2.1 Upgrade with more letters", WITH_UPGRADE("Upgrade: websockets\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.2.1 no Connection", WITH_CONNECTION(""), "400", .end = END_AS_SAID},
    {"6455-4.2.1 Connection without Upgrade", WITH_CONNECTION("Connection: keep-alive\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.2.1 Connection with more letters", WITH_CONNECTION("Connection: Upgrades\r\n"), "400",
        .end = END_AS_SAID},

    /* The request line and Host. */
    {"6455-4.1 POST", WITH_LINE("POST / HTTP/1.1\r\n"), "405", .end = END_AS_SAID},
    {"6455-4.1 PUT", WITH_LINE("PUT / HTTP/1.1\r\n"), "405", .end = END_AS_SAID},
    {"6455-4.1 OPTIONS", WITH_LINE("OPTIONS / HTTP/1.1\r\n"), "405", .end = END_AS_SAID},
    {"6455-4.1 HEAD", WITH_LINE("HEAD / HTTP/1.1\r\n"), "400", .end = END_AS_SAID},
    {"6455-4.1 a method in small letters", WITH_LINE("get / HTTP/1.1\r\n"), "501",
        .end = END_AS_SAID},
    {"6455-4.2.1 no Host", BYTES(LINE UPGRADE CONNECTION KEY VERSION END), "400",
        .end = END_AS_SAID},
    {"6455-4.2.1 two Hosts", ALSO(HOST), "400", .end = END_AS_SAID},
    {"6455-4.1 a URI with a fragment", WITH_LINE("GET /#x HTTP/1.1\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 a URI with a bad escape", WITH_LINE("GET /%4 HTTP/1.1\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 a URI of another scheme", WITH_LINE("GET ftp://localhost/ HTTP/1.1\r\n"), "400",
        .end = END_AS_SAID},

    /* Subprotocols and extensions. */
    {"6455-4.2.2 no subprotocol that is spoken", ALSO("Sec-WebSocket-Protocol: none, other\r\n"),
        "400", .end = END_AS_SAID},
    {"6455-4.2.2 subprotocols are case-sensitive", ALSO("Sec-WebSocket-Protocol: ECHO\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 an empty list of subprotocols", ALSO("Sec-WebSocket-Protocol:\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 a subprotocol with a blank", ALSO("Sec-WebSocket-Protocol: ec ho, echo\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 a subprotocol with a separator", ALSO("Sec-WebSocket-Protocol: a/b, echo\r\n"),
        "400", .end = END_AS_SAID},
    {"6455-4.1 a subprotocol in quotes", ALSO("Sec-WebSocket-Protocol: \"echo\"\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-4.1 a subprotocol with bytes above 127",
        ALSO("Sec-WebSocket-Protocol: \xc3\xa9, echo\r\n"), "400", .end = END_AS_SAID},
    {"6455-4.1 a subprotocol named twice", ALSO("Sec-WebSocket-Protocol: echo, echo\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-9.1 an extension that is no token", ALSO("Sec-WebSocket-Extensions: a b\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-9.1 an extension's parameter without a name",
        ALSO("Sec-WebSocket-Extensions: permessage-deflate; =1\r\n"), "400", .end = END_AS_SAID},
    {"6455-9.1 an extension's value that is no token",
        ALSO("Sec-WebSocket-Extensions: permessage-deflate; x=\"a b\"\r\n"), "400",
        .end = END_AS_SAID},
    {"6455-9.1 an extension's open quote",
        ALSO("Sec-WebSocket-Extensions: permessage-deflate; x=\"a\r\n"), "400", .end = END_AS_SAID},

    /* What belongs to other versions of HTTP. */
    {"6455-4.1 HTTP/1.0", WITH_LINE("GET /hello.txt HTTP/1.0\r\n"), "400", .end = END_CLOSED},
    {"6455-4.1 HTTP/2.0", WITH_LINE("GET / HTTP/2.0\r\n"), "505", .end = END_CLOSED},

    /* The size and the time of the head. */
    {"6455-4.2.1 a head over the limit",
        FILLED(LINE HOST UPGRADE CONNECTION KEY VERSION "X: ", "x", WRONG_HEAD_MOST, "\r\n\r\n"),
        "431", .end = END_CLOSED},
    {"6455-4.2.1 too many fields",
        FILLED(LINE HOST UPGRADE CONNECTION KEY VERSION, "X: x\r\n", WRONG_FIELDS_MOST, "\r\n"),
        "431", .end = END_CLOSED},
    {"6455-4.2.1 a head that does not end", BYTES(LINE HOST UPGRADE CONNECTION KEY VERSION), "408",
        .end = END_CLOSED, .slow = true},
    {"6455-4.2.1 a head that is cut off", BYTES(LINE HOST UPGRADE CONNECTION KEY VERSION), "",
        .end = END_CLOSED, .finish = true},

    /* Frames before the answer. */
    {"6455-4.2.2 frames sent with the handshake",
        BYTES(LINE HOST UPGRADE CONNECTION KEY VERSION END "\x8a\x80\0\0\0\0"), "101",
        .end = END_WEBSOCKET},
};
const size_t wrong_handshake_count = sizeof(wrong_handshakes) / sizeof(wrong_handshakes[0]);

/*
 * MUSTs of section 4 that a server cannot be tested on:
 * - 4.1: what a client must do before it connects (valid URI, one connection per address at a time,
 *   proxies, TLS with SNI): nothing of it reaches the server as something to judge.
 * - 4.1: the key must be random and new for each connection: one key looks like another.
 * - 4.1: a browser must send Origin: a server cannot tell a browser from other clients.
 * - 4.1: everything about the validation of the server's response: the client's part.
 * - 4.2.2: a server that wants another host, or authentication, answers with 3xx or 401: a choice
 *   of the program's.
 * - 4.4: a client must not send a version that the server did not name when it tries again: every
 *   attempt is a handshake of its own to the server.
 */
