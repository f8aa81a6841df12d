/*
 * A blocking WebSocket and TCP client for tests, independent of the library: it sends exactly the
 * bytes it is asked to, malformed ones too, and checks what comes back. ws_server.h makes the other
 * end of it; what is said here of the peer as "the server" is then the client.
 *
 * Every call has a deadline. Where the server does not do what is expected the test fails, with the
 * place of the call in the message.
 */
#ifndef LWSLOOP_TESTS_WS_CLIENT_H
#define LWSLOOP_TESTS_WS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* First bytes of frames; OR in WS_RSV1..3, leave WS_FIN away for a fragment. */
enum {
    WS_FIN = 0x80,
    WS_RSV1 = 0x40,
    WS_RSV2 = 0x20,
    WS_RSV3 = 0x10,
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa
};

/* The most bytes of a frame's header, mask included. */
#define WS_HEADER_MOST 14u

/* How long a client waits for anything, in milliseconds, unless it is told otherwise. */
#define WS_PATIENCE_MS 20000

/*
 * What carries the bytes, where it is not the socket itself. send and receive return what the
 * system calls do; where they fail with EAGAIN, *wanted is what to poll for.
 */
struct ws_carrier {
    ssize_t (*send)(void *carried, const void *data, size_t length, short *wanted);
    ssize_t (*receive)(void *carried, void *data, size_t room, short *wanted);
    void (*finish)(void *carried); /* nothing more will be sent */
    void (*free)(void *carried);
};

struct ws_deflate;

/* What a client is in the middle of sending. */
enum ws_message { WS_NO_MESSAGE, WS_PLAIN_MESSAGE, WS_PACKED_MESSAGE };

struct ws_client {
    int fd;
    const struct ws_carrier *carrier; /* NULL: the socket itself */
    void *carried;
    bool serves;           /* this is the server's end: frames come masked and go without a mask */
    unsigned char *buffer; /* received and not yet taken */
    size_t have;
    size_t room;
    unsigned char *later; /* to be sent before anything is received */
    size_t later_length;
    uint32_t mask;              /* of the next frame; changes with each */
    struct ws_deflate *deflate; /* NULL: messages are not compressed */
    enum ws_message sends;
    bool receives_packed; /* the rest of a compressed message is still to come */
};

struct ws_frame {
    unsigned char first; /* FIN, reserved bits and opcode */
    bool masked;
    unsigned char mask[4];
    size_t length;
    unsigned char *payload; /* followed by a NUL; freed by ws_frame_free() */
};

/* The response to a request: the status, and the whole head as text. */
struct ws_response {
    int status;
    char *head; /* up to and with the empty line, NUL-terminated */
};

#define WS_AT __FILE__, __LINE__

/* Connects by TCP to 127.0.0.1; nothing is sent. */
#define ws_connect(port) ws_connect_at(port, 0, WS_AT)

/* The same with a receive buffer of about so many bytes, so that the server chokes early. */
#define ws_connect_small(port, receive_bytes) ws_connect_at(port, receive_bytes, WS_AT)

/* Has every new client handed to a function, to be carried by something; NULL: by TCP alone. */
void ws_carry(void (*carry)(struct ws_client *client));

/*
 * Has ws_handshake(), and ws_serve() of ws_server.h, agree on permessage-deflate where the other
 * end wants it as well. From then on ws_send_frame() and ws_put_frame() compress what are good
 * fragments of messages, and ws_receive_frame() gives back what was compressed. ws_put_frame()
 * leaves a message as it is that does not get small enough for its room. What an extension cuts
 * into several frames is received as one, up to a flush.
 */
void ws_compress(bool on);
bool ws_compresses(void);

/* Has a client do so from now on, by a server's answer; NULL is harmless. */
void ws_agree(struct ws_client *client, const char *extensions);

/* Makes a client of a connected, non-blocking socket, carried by nothing else. */
struct ws_client *ws_adopt(int fd);

/* Connects and makes the handshake, asking for `subprotocols` (a list, or NULL); expects 101. */
#define ws_open(port, subprotocols) ws_open_at(port, 0, subprotocols, WS_AT)
#define ws_open_small(port, receive_bytes, subprotocols)                                           \
    ws_open_at(port, receive_bytes, subprotocols, WS_AT)

/* Makes the handshake on a connected client, and checks the answer by section 4.2.2. */
#define ws_handshake(client, subprotocols) ws_handshake_at(client, subprotocols, WS_AT)

/*
 * The text of a good handshake, freed by the caller. `extra` are further header lines, each with
 * its CRLF, or NULL.
 */
char *ws_handshake_text(const char *path, const char *subprotocols, const char *extra);

/* The key in ws_handshake_text(), and the Sec-WebSocket-Accept that belongs to it. */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Reads the head of an HTTP response; what follows it stays in the buffer. */
#define ws_receive_head(client) ws_receive_head_at(client, WS_AT)
void ws_response_free(struct ws_response *response);

/* The value of a header field, freed by the caller; NULL where the head has not got it. */
char *ws_response_field(const struct ws_response *response, const char *name);

/* Sends bytes as they are. Fails the test if the server does not take them in time. */
#define ws_send(client, data, length) ws_send_at(client, data, length, WS_AT)
#define ws_send_text(client, text) ws_send_at(client, text, strlen(text), WS_AT)

/* The same for a server that may hang up in the middle: returns false if it did. */
bool ws_try_send(struct ws_client *client, const void *data, size_t length);

/* Sends a text to a server that serves nobody yet. Where a carrier has to be answered before it
 * takes anything, the text is sent while something is being received. */
void ws_send_ahead(struct ws_client *client, const char *text);

/* Sends what is taken at once, or within so many milliseconds. Returns the number of bytes, 0 where
 * none was taken in time, -1 with errno. */
ssize_t ws_send_some(struct ws_client *client, const void *data, size_t length, int milliseconds);

/* Sends a masked frame with the shortest form of the length; from the server's end without one. */
#define ws_send_frame(client, first, payload, length)                                              \
    ws_send_frame_at(client, first, payload, length, WS_AT)

/* Sends a masked close frame with a code and a reason (or NULL). */
#define ws_send_close(client, code, reason) ws_send_close_at(client, code, reason, WS_AT)

/*
 * Builds a frame. `out` has room for WS_HEADER_MOST + length bytes. Returns the number of bytes.
 *
 *   mask          NULL for an unmasked frame, which a server must refuse
 *   length_bytes  0 for the shortest form, or 1, 2 or 8 for the 7-bit, 16-bit or 64-bit form
 *   claimed       the length that the header tells, as a rule `length`
 */
size_t ws_build_frame(unsigned char *out, unsigned int first, const unsigned char mask[4],
    unsigned int length_bytes, uint64_t claimed, const void *payload, size_t length);

/* The usual masked frame, appended at `out`. Returns the number of bytes. */
size_t ws_put_frame(
    struct ws_client *client, unsigned char *out, unsigned int first, const void *p, size_t length);

/* Receives a frame, and fails the test if none comes. Checks that it is not masked, or on the
 * server's end that it is. */
#define ws_receive_frame(client, frame) ws_receive_frame_at(client, frame, WS_AT)
void ws_frame_free(struct ws_frame *frame);

/* Receives a frame and expects exactly this one. */
#define ws_expect_frame(client, first, payload, length)                                            \
    ws_expect_frame_at(client, first, payload, length, WS_AT)
#define ws_expect_text(client, text)                                                               \
    ws_expect_frame_at(client, WS_FIN | WS_TEXT, text, strlen(text), WS_AT)

/* Receives a close frame and expects this code; 0 for one without a code. */
#define ws_expect_close(client, code) ws_expect_close_at(client, code, NULL, WS_AT)
#define ws_expect_close_reason(client, code, reason) ws_expect_close_at(client, code, reason, WS_AT)

/* Expects that the server hangs up, by FIN or by reset, and that no byte comes before. */
#define ws_expect_eof(client) ws_expect_eof_at(client, WS_AT)

/* The usual end: expects a close frame with the code, answers it, expects the end of the stream. */
#define ws_expect_close_and_answer(client, code) ws_expect_close_and_answer_at(client, code, WS_AT)

/* The usual end from this side: sends 1000, expects it back and the end of the stream. */
#define ws_finish(client) ws_finish_at(client, WS_AT)

/* Expects that nothing arrives, and the connection stays, for so long. */
#define ws_expect_silence(client, milliseconds) ws_expect_silence_at(client, milliseconds, WS_AT)

/* Receives exactly `length` bytes. */
#define ws_receive(client, data, length) ws_receive_at(client, data, length, WS_AT)

/* Receives what is there, or comes within so many milliseconds. Returns the number of bytes, 0 at
 * the end of the stream, -1 where nothing came. */
#define ws_receive_some(client, data, room, milliseconds)                                          \
    ws_receive_some_at(client, data, room, milliseconds, WS_AT)

/* Receives up to and with a text, such as the end of a head; NUL-terminated, freed by the caller.
 */
#define ws_receive_until(client, text) ws_receive_until_at(client, text, WS_AT)

/* Receives everything up to the end of the stream, NUL-terminated, freed by the caller. */
#define ws_receive_all(client, length) ws_receive_all_at(client, length, WS_AT)

/* Says that nothing more will be sent: FIN, or what the carrier has for it. */
void ws_shutdown(struct ws_client *client);

/* Closes the descriptor with FIN, or with RST; frees the client. NULL is harmless. */
void ws_free(struct ws_client *client);
void ws_reset(struct ws_client *client);

/* Waits for the events or the deadline. Returns whether they came. */
bool ws_wait_for(const struct ws_client *client, short events, int64_t deadline);

/* Milliseconds of a clock that only goes forward. */
int64_t ws_now_ms(void);

struct ws_client *ws_connect_at(int port, int receive_bytes, const char *file, int line);
struct ws_client *ws_open_at(
    int port, int receive_bytes, const char *subprotocols, const char *file, int line);
void ws_handshake_at(
    struct ws_client *client, const char *subprotocols, const char *file, int line);
struct ws_response ws_receive_head_at(struct ws_client *client, const char *file, int line);
void ws_send_at(
    struct ws_client *client, const void *data, size_t length, const char *file, int line);
void ws_send_frame_at(struct ws_client *client, unsigned int first, const void *payload,
    size_t length, const char *file, int line);
void ws_send_close_at(
    struct ws_client *client, int code, const char *reason, const char *file, int line);
void ws_receive_frame_at(
    struct ws_client *client, struct ws_frame *frame, const char *file, int line);
void ws_expect_frame_at(struct ws_client *client, unsigned int first, const void *payload,
    size_t length, const char *file, int line);
void ws_expect_close_at(
    struct ws_client *client, int code, const char *reason, const char *file, int line);
void ws_expect_eof_at(struct ws_client *client, const char *file, int line);
void ws_expect_close_and_answer_at(struct ws_client *client, int code, const char *file, int line);
void ws_finish_at(struct ws_client *client, const char *file, int line);
void ws_expect_silence_at(struct ws_client *client, int milliseconds, const char *file, int line);
void ws_receive_at(struct ws_client *client, void *data, size_t length, const char *file, int line);
ssize_t ws_receive_some_at(struct ws_client *client, void *data, size_t room, int milliseconds,
    const char *file, int line);
char *ws_receive_until_at(struct ws_client *client, const char *text, const char *file, int line);
char *ws_receive_all_at(struct ws_client *client, size_t *length, const char *file, int line);

#endif
