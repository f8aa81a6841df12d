/* RFC 6455 sections 5 to 8: frames. All masks are zero, so that payloads can be read here. */
#include "wrong_input.h"

#define MASK "\0\0\0\0"
#define TEXT(length) "\x81" length MASK
#define PING_EMPTY "\x89\x80" MASK
#define PONG_OUT_EMPTY "\x8a\x00"

const struct wrong_frames wrong_frames[] = {
    /* 5.1 */
    {"6455-5.1 an unmasked text frame", BYTES("\x81\x05hello"), .close = 1002},
    {"6455-5.1 an unmasked empty frame", BYTES("\x82\x00"), .close = 1002},
    {"6455-5.1 an unmasked ping", BYTES("\x89\x00"), .close = 1002},
    {"6455-5.1 an unmasked close", BYTES("\x88\x02\x03\xe8"), .close = 1002},
    {"6455-5.1 an unmasked frame behind a masked one", BYTES(TEXT("\x82") "hi\x81\x02no"),
        ANSWER("\x81\x02hi"), .close = 1002},
    {"6455-5.1 an unmasked continuation", BYTES("\x01\x82" MASK "hi\x80\x02no"), .close = 1002},

    /* 5.2 */
    {"6455-5.2 RSV1", BYTES("\xc1\x80" MASK), .close = 1002},
    {"6455-5.2 RSV2", BYTES("\xa1\x80" MASK), .close = 1002},
    {"6455-5.2 RSV3", BYTES("\x91\x80" MASK), .close = 1002},
    {"6455-5.2 all reserved bits", BYTES("\xf2\x80" MASK), .close = 1002},
    {"6455-5.2 RSV1 on a ping", BYTES("\xc9\x80" MASK), .close = 1002},
    {"6455-5.2 RSV1 on a close", BYTES("\xc8\x80" MASK), .close = 1002},
    {"6455-5.2 RSV1 on a continuation", BYTES("\x01\x80" MASK "\xc0\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 3", BYTES("\x83\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 4", BYTES("\x84\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 5", BYTES("\x85\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 6", BYTES("\x86\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 7", BYTES("\x87\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 11", BYTES("\x8b\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 12", BYTES("\x8c\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 13", BYTES("\x8d\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 14", BYTES("\x8e\x80" MASK), .close = 1002},
    {"6455-5.2 opcode 15", BYTES("\x8f\x80" MASK), .close = 1002},
    {"6455-5.2 an unknown opcode behind a message", BYTES(TEXT("\x82") "hi\x83\x80" MASK),
        ANSWER("\x81\x02hi"), .close = 1002},
    {"6455-5.2 5 in 16 bits", BYTES("\x82\xfe\x00\x05" MASK "hello"), .close = 1002},
    {"6455-5.2 125 in 16 bits", FILLED("\x82\xfe\x00\x7d" MASK, "x", 125, ""), .close = 1002},
    {"6455-5.2 0 in 16 bits", BYTES("\x82\xfe\x00\x00" MASK), .close = 1002},
    {"6455-5.2 5 in 64 bits", BYTES("\x82\xff\0\0\0\0\0\0\0\x05" MASK "hello"), .close = 1002},
    {"6455-5.2 65535 in 64 bits", FILLED("\x82\xff\0\0\0\0\0\0\xff\xff" MASK, "x", 65535, ""),
        .close = 1002},
    {"6455-5.2 a length with its highest bit set",
        BYTES("\x82\xff\x80\0\0\0\0\0\0\x05" MASK "hello"), .close = 1002},
    {"6455-5.2 a length of all ones", BYTES("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff" MASK),
        .close = 1002},

    /* 5.3 */
    {"6455-5.3 a mask", BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        ANSWER("\x81\x05Hello"), .close = CLOSE_NOT},
    {"6455-5.3 each frame has its own mask",
        BYTES("\x01\x83\x37\xfa\x21\x3d\x7f\x9f\x4d\x80\x82\x01\x02\x03\x04\x6d\x6d"),
        ANSWER("\x81\x05Hello"), .close = CLOSE_NOT},

    /* 5.4 */
    {"6455-5.4 a continuation of nothing", BYTES("\x80\x82" MASK "hi"), .close = 1002},
    {"6455-5.4 a fragment that continues nothing", BYTES("\x00\x82" MASK "hi"), .close = 1002},
    {"6455-5.4 a continuation behind a whole message", BYTES(TEXT("\x82") "hi\x80\x82" MASK "hi"),
        ANSWER("\x81\x02hi"), .close = 1002},
    {"6455-5.4 a continuation behind a last fragment",
        BYTES("\x01\x81" MASK "h\x80\x81" MASK "i\x80\x80" MASK), ANSWER("\x81\x02hi"),
        .close = 1002},
    {"6455-5.4 a text frame inside a text message", BYTES("\x01\x82" MASK "hi" TEXT("\x82") "no"),
        .close = 1002},
    {"6455-5.4 a binary frame inside a text message", BYTES("\x01\x82" MASK "hi\x82\x82" MASK "no"),
        .close = 1002},
    {"6455-5.4 a first fragment inside a message", BYTES("\x02\x82" MASK "hi\x02\x82" MASK "no"),
        .close = 1002},
    {"6455-5.4 fragments are put together",
        BYTES("\x01\x81" MASK "h\x00\x81" MASK "e\x00\x80" MASK "\x80\x83" MASK "llo"),
        ANSWER("\x81\x05hello"), .close = CLOSE_NOT},
    {"6455-5.4 a message of empty fragments",
        BYTES("\x02\x80" MASK "\x00\x80" MASK "\x80\x80" MASK), ANSWER("\x82\x00"),
        .close = CLOSE_NOT},
    {"6455-5.4 a ping between fragments",
        BYTES("\x01\x82" MASK "he\x89\x81" MASK "p\x80\x83" MASK "llo"),
        ANSWER("\x8a\x01p\x81\x05hello"), .close = CLOSE_NOT},
    {"6455-5.4 a pong between fragments",
        BYTES("\x01\x82" MASK "he\x8a\x81" MASK "p\x80\x83" MASK "llo"), ANSWER("\x81\x05hello"),
        .close = CLOSE_NOT},
    {"6455-5.4 a close between fragments", BYTES("\x01\x82" MASK "he\x88\x82" MASK "\x03\xe8"),
        .close = 1000},
    {"6455-5.4 an empty message", BYTES("\x81\x80" MASK), ANSWER("\x81\x00"), .close = CLOSE_NOT},

    /* 5.5 */
    {"6455-5.5 a fragmented ping", BYTES("\x09\x80" MASK), .close = 1002},
    {"6455-5.5 a fragmented pong", BYTES("\x0a\x80" MASK), .close = 1002},
    {"6455-5.5 a fragmented close", BYTES("\x08\x82" MASK "\x03\xe8"), .close = 1002},
    {"6455-5.5 a fragmented ping and its continuation", BYTES("\x09\x81" MASK "a\x80\x81" MASK "b"),
        .close = 1002},
    {"6455-5.5 a ping of 126 bytes", FILLED("\x89\xfe\x00\x7e" MASK, "x", 126, ""), .close = 1002},
    {"6455-5.5 a pong of 126 bytes", FILLED("\x8a\xfe\x00\x7e" MASK, "x", 126, ""), .close = 1002},
    {"6455-5.5 a close of 126 bytes", FILLED("\x88\xfe\x00\x7e" MASK "\x03\xe8", "x", 124, ""),
        .close = 1002},
    {"6455-5.5 a ping of 65536 bytes", FILLED("\x89\xff\0\0\0\0\0\x01\0\0" MASK, "x", 65536, ""),
        .close = 1002},
    {"6455-5.5 an oversize ping between fragments",
        FILLED("\x01\x82" MASK "he\x89\xfe\x00\x7e" MASK, "x", 126, ""), .close = 1002},

    /* 5.5.1, 7.1, 7.4 */
    {"6455-5.5.1 an empty close", BYTES("\x88\x80" MASK), .close = CLOSE_EMPTY},
    {"6455-5.5.1 a close of one byte", BYTES("\x88\x81" MASK "\x03"), .close = 1002},
    {"6455-5.5.1 a code alone", BYTES("\x88\x82" MASK "\x03\xe8"), .close = 1000},
    {"6455-5.5.1 a code and a reason",
        BYTES("\x88\x86" MASK "\x03\xe8"
              "done"),
        .close = 1000},
    {"6455-5.5.1 the longest reason", FILLED("\x88\xfd" MASK "\x03\xe8", "x", 123, ""),
        .close = 1000},
    {"6455-5.5.1 a bad reason", BYTES("\x88\x84" MASK "\x03\xe8\xff\xfe"), .close = 1007},
    {"6455-5.5.1 a reason cut inside a character", BYTES("\x88\x84" MASK "\x03\xe8\xe2\x82"),
        .close = 1007},
    {"6455-5.5.1 a reason with a surrogate", BYTES("\x88\x85" MASK "\x03\xe8\xed\xa0\x80"),
        .close = 1007},
    {"6455-5.5.1 messages before the close are answered",
        BYTES(TEXT("\x81") "a" TEXT("\x81") "b\x88\x82" MASK "\x03\xe8"),
        ANSWER("\x81\x01"
               "a\x81\x01"
               "b"),
        .close = 1000},
    {"6455-5.5.1 a message behind the close", BYTES("\x88\x82" MASK "\x03\xe8" TEXT("\x82") "no"),
        .close = 1000},
    {"6455-5.5.1 a ping behind the close", BYTES("\x88\x82" MASK "\x03\xe8" PING_EMPTY),
        .close = 1000},
    {"6455-5.5.1 a second close", BYTES("\x88\x82" MASK "\x03\xe8\x88\x82" MASK "\x03\xe9"),
        .close = 1000},
    {"6455-5.5.1 rubbish behind the close", BYTES("\x88\x82" MASK "\x03\xe8\xff\xff\xff\xff"),
        .close = 1000},
    {"6455-7.4.1 code 1001", BYTES("\x88\x82" MASK "\x03\xe9"), .close = 1001},
    {"6455-7.4.1 code 1002", BYTES("\x88\x82" MASK "\x03\xea"), .close = 1002},
    {"6455-7.4.1 code 1003", BYTES("\x88\x82" MASK "\x03\xeb"), .close = 1003},
    {"6455-7.4.1 code 1007", BYTES("\x88\x82" MASK "\x03\xef"), .close = 1007},
    {"6455-7.4.1 code 1008", BYTES("\x88\x82" MASK "\x03\xf0"), .close = 1008},
    {"6455-7.4.1 code 1009", BYTES("\x88\x82" MASK "\x03\xf1"), .close = 1009},
    {"6455-7.4.1 code 1010", BYTES("\x88\x82" MASK "\x03\xf2"), .close = 1010},
    {"6455-7.4.1 code 1011", BYTES("\x88\x82" MASK "\x03\xf3"), .close = 1011},
    {"6455-11.7 code 1012", BYTES("\x88\x82" MASK "\x03\xf4"), .close = 1012},
    {"6455-11.7 code 1014", BYTES("\x88\x82" MASK "\x03\xf6"), .close = 1014},
    {"6455-7.4.2 code 3000", BYTES("\x88\x82" MASK "\x0b\xb8"), .close = 3000},
    {"6455-7.4.2 code 4999", BYTES("\x88\x82" MASK "\x13\x87"), .close = 4999},
    {"6455-7.4.1 code 1004", BYTES("\x88\x82" MASK "\x03\xec"), .close = 1002},
    {"6455-7.4.1 code 1005", BYTES("\x88\x82" MASK "\x03\xed"), .close = 1002},
    {"6455-7.4.1 code 1006", BYTES("\x88\x82" MASK "\x03\xee"), .close = 1002},
    {"6455-7.4.1 code 1015", BYTES("\x88\x82" MASK "\x03\xf7"), .close = 1002},
    {"6455-7.4.2 code 0", BYTES("\x88\x82" MASK "\x00\x00"), .close = 1002},
    {"6455-7.4.2 code 999", BYTES("\x88\x82" MASK "\x03\xe7"), .close = 1002},
    {"6455-7.4.2 code 1016", BYTES("\x88\x82" MASK "\x03\xf8"), .close = 1002},
    {"6455-7.4.2 code 1100", BYTES("\x88\x82" MASK "\x04\x4c"), .close = 1002},
    {"6455-7.4.2 code 2000", BYTES("\x88\x82" MASK "\x07\xd0"), .close = 1002},
    {"6455-7.4.2 code 2999", BYTES("\x88\x82" MASK "\x0b\xb7"), .close = 1002},
    {"6455-7.4.2 code 5000", BYTES("\x88\x82" MASK "\x13\x88"), .close = 1002},
    {"6455-7.4.2 code 65535", BYTES("\x88\x82" MASK "\xff\xff"), .close = 1002},

    /* 5.5.2, 5.5.3 */
    {"6455-5.5.2 an empty ping", BYTES(PING_EMPTY), ANSWER(PONG_OUT_EMPTY), .close = CLOSE_NOT},
    {"6455-5.5.2 a ping with a payload", BYTES("\x89\x84" MASK "\x00\xff\x80\x7f"),
        ANSWER("\x8a\x04\x00\xff\x80\x7f"), .close = CLOSE_NOT},
    {"6455-5.5.2 a ping before a close", BYTES("\x89\x81" MASK "p\x88\x82" MASK "\x03\xe8"),
        ANSWER("\x8a\x01p"), .close = 1000},
    {"6455-5.5.3 a pong that nobody asked for", BYTES("\x8a\x84" MASK "what"), .close = CLOSE_NOT},
    {"6455-5.5.3 several pongs", BYTES("\x8a\x80" MASK "\x8a\x81" MASK "x\x8a\x80" MASK),
        .close = CLOSE_NOT},

    /* 7.1.7: nothing behind a fault is looked at. */
    {"6455-7.1.7 a message behind a fault", BYTES("\x83\x80" MASK TEXT("\x82") "no"),
        .close = 1002},
    {"6455-7.1.7 a ping behind a fault", BYTES("\x83\x80" MASK PING_EMPTY), .close = 1002},
    {"6455-7.1.7 a close behind a fault", BYTES("\x83\x80" MASK "\x88\x82" MASK "\x03\xe8"),
        .close = 1002},
    {"6455-7.1.7 what came before a fault is answered",
        BYTES("\x89\x81" MASK "p" TEXT("\x82") "hi\x83\x80" MASK), ANSWER("\x8a\x01p\x81\x02hi"),
        .close = 1002},

    /* 7.4.1 and 10.4: messages over the limit. */
    {"6455-7.4.1 a frame over the limit", BYTES("\x82\xff\0\0\0\0\0\x01\x11\x71" MASK),
        .close = 1009},
    {"6455-7.4.1 a frame far over the limit",
        BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK), .close = 1009},
    {"6455-7.4.1 a message over the limit",
        FILLED("\x02\xff\0\0\0\0\0\x01\x11\x70" MASK, "x", WRONG_MESSAGE_MOST, "\x80\x81" MASK "x"),
        .close = 1009},

    /* 5.6 and 8.1 */
    {"6455-8.1 characters of every length",
        BYTES(TEXT("\x8a") "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
        ANSWER("\x81\x0a"
               "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
        .close = CLOSE_NOT},
    {"6455-8.1 a character cut by a fragment's end",
        BYTES("\x01\x82" MASK "\xe2\x82\x80\x81" MASK "\xac"), ANSWER("\x81\x03\xe2\x82\xac"),
        .close = CLOSE_NOT},
    {"6455-8.1 the last code point", BYTES(TEXT("\x84") "\xf4\x8f\xbf\xbf"),
        ANSWER("\x81\x04\xf4\x8f\xbf\xbf"), .close = CLOSE_NOT},
    {"6455-8.1 a non-character is UTF-8", BYTES(TEXT("\x83") "\xef\xbf\xbf"),
        ANSWER("\x81\x03\xef\xbf\xbf"), .close = CLOSE_NOT},
    {"6455-8.1 binary need not be UTF-8", BYTES("\x82\x82" MASK "\xff\xfe"),
        ANSWER("\x82\x02\xff\xfe"), .close = CLOSE_NOT},
    {"6455-8.1 a byte that never is UTF-8", BYTES(TEXT("\x81") "\xff"), .close = 1007},
    {"6455-8.1 a lonely continuation byte", BYTES(TEXT("\x81") "\x80"), .close = 1007},
    {"6455-8.1 a first byte alone", BYTES(TEXT("\x81") "\xc3"), .close = 1007},
    {"6455-8.1 a character that breaks off", BYTES(TEXT("\x83") "\xe2\x82z"), .close = 1007},
    {"6455-8.1 a message that ends inside a character", BYTES(TEXT("\x82") "\xe2\x82"),
        .close = 1007},
    {"6455-8.1 an overlong slash", BYTES(TEXT("\x82") "\xc0\xaf"), .close = 1007},
    {"6455-8.1 an overlong form of three bytes", BYTES(TEXT("\x83") "\xe0\x80\xaf"), .close = 1007},
    {"6455-8.1 an overlong form of four bytes", BYTES(TEXT("\x84") "\xf0\x80\x80\xaf"),
        .close = 1007},
    {"6455-8.1 a surrogate", BYTES(TEXT("\x83") "\xed\xa0\x80"), .close = 1007},
    {"6455-8.1 a pair of surrogates", BYTES(TEXT("\x86") "\xed\xa0\xbd\xed\xb8\x80"),
        .close = 1007},
    {"6455-8.1 beyond the last code point", BYTES(TEXT("\x84") "\xf4\x90\x80\x80"), .close = 1007},
    {"6455-8.1 a form of five bytes", BYTES(TEXT("\x85") "\xf8\x88\x80\x80\x80"), .close = 1007},
    {"6455-8.1 a fault in the second fragment", BYTES("\x01\x82" MASK "hi\x80\x82" MASK "\xc3("),
        .close = 1007},
    {"6455-8.1 a character cut by an empty last fragment",
        BYTES("\x01\x82" MASK "\xe2\x82\x80\x80" MASK), .close = 1007},
    {"6455-8.1 a fault in a frame that has not ended", BYTES("\x81\xfe\x10\x00" MASK "hello\xff"),
        .close = 1007},
    {"6455-8.1 a fault in a fragment with none to follow", BYTES("\x01\x83" MASK "\xe2\x82z"),
        .close = 1007},
    {"6455-8.1 a good message before a bad one", BYTES(TEXT("\x82") "hi" TEXT("\x81") "\xff"),
        ANSWER("\x81\x02hi"), .close = 1007},
};
const size_t wrong_frame_count = sizeof(wrong_frames) / sizeof(wrong_frames[0]);

/*
 * MUSTs of sections 5 to 8 that this table does not test:
 * - 5.1: a client must not accept masked frames: the client's part. That the server never masks is
 *   checked by every test that receives a frame.
 * - 5.3: masks must be unpredictable: a server cannot tell; and it sends none.
 * - 5.4: intermediaries must not change fragmentation when extensions are used: there is none.
 * - 5.5.1, 5.4: what a server must not send of itself (data behind its close, fragmented control
 *   frames, several data messages at once): a matter of libwebsocket_write(), see the tests of it.
 * - 5.8: extensions: none is spoken.
 * - 6.1: the sender's checks of the connection's state: see the tests of libwebsocket_write().
 * - 7.1.1: that the server closes TCP first is what every row with a close expects.
 * - 7.2.1, 7.2.3: a client's reconnects.
 * - 8.1 says nothing more of servers; 8.2 does not exist.
 */
