/* Serving files, and reading the header fields of a request. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_HTTP_H
#define LWSLOOP_LWS_HTTP_H

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

#if LWS_SINCE(20110219)
/* The header fields that are kept for the program, of requests and of servers' answers to clients.
 * Those that were there have had the same order on all days, and WSI_TOKEN_COUNT is the number of
 * the level's. Since 2011-02-19. */
enum lws_token_indexes {
    WSI_TOKEN_GET_URI = 0, /* the path, as LWS_CALLBACK_HTTP has it */
    WSI_TOKEN_HOST = 1,
    WSI_TOKEN_CONNECTION = 2,
    WSI_TOKEN_KEY1 = 3,     /* of drafts that are refused */
    WSI_TOKEN_KEY2 = 4,     /* likewise */
    WSI_TOKEN_PROTOCOL = 5, /* Sec-WebSocket-Protocol, as the peer sent it */
    WSI_TOKEN_UPGRADE = 6,
    WSI_TOKEN_ORIGIN = 7,
    WSI_TOKEN_DRAFT = 8,     /* Sec-WebSocket-Draft */
    WSI_TOKEN_CHALLENGE = 9, /* of drafts that are refused; always absent */
    WSI_TOKEN_KEY = 10,      /* Sec-WebSocket-Key */
    WSI_TOKEN_VERSION = 11,  /* Sec-WebSocket-Version */
    WSI_TOKEN_SWORIGIN = 12, /* Sec-WebSocket-Origin, of versions 7 and 8 */
    WSI_TOKEN_EXTENSIONS = 13,
    WSI_TOKEN_ACCEPT = 14, /* Sec-WebSocket-Accept */
    WSI_TOKEN_NONCE = 15,  /* Sec-WebSocket-Nonce */
    WSI_TOKEN_HTTP = 16,   /* status and reason of a server's answer, such as "101 Switching
                              Protocols" */
#if LWS_SINCE(20110305)
    WSI_TOKEN_MUXURL = 17, /* always absent; since 2011-03-05 */
#endif

#if LWS_SINCE(20130209)
    /* What a client was asked to connect to, or asked for. Since 2013-02-09. */
    _WSI_TOKEN_CLIENT_SENT_PROTOCOLS = 18,
    _WSI_TOKEN_CLIENT_PEER_ADDRESS = 19,
    _WSI_TOKEN_CLIENT_URI = 20,
    _WSI_TOKEN_CLIENT_HOST = 21,
    _WSI_TOKEN_CLIENT_ORIGIN = 22,
#endif

    WSI_TOKEN_COUNT,

    /* States of parsers of the time; here only so that programs which name them compile. */
    WSI_TOKEN_NAME_PART,
    WSI_TOKEN_SKIPPING,
    WSI_TOKEN_SKIPPING_SAW_CR,
#if LWS_SINCE(20110305)
    WSI_PARSING_COMPLETE,
    WSI_INIT_TOKEN_MUXURL /* since 2011-03-05 */
#else
    WSI_PARSING_COMPLETE
#endif
};
#endif

#if LWS_SINCE(20130209)
/*
 * The length of a header field's value in bytes, without a NUL; 0 where the peer did not send it.
 * A field that was sent several times counts as one, with ", " between the values. Valid in HTTP,
 * FILTER_PROTOCOL_CONNECTION and CLIENT_FILTER_PRE_ESTABLISH; 0 elsewhere. Since 2013-02-09.
 */
LWS_VISIBLE int lws_hdr_total_length(struct libwebsocket *wsi, enum lws_token_indexes h)
    LWS_LINK(lws_hdr_total_length);
#endif

#if LWS_SINCE(20130209)
/*
 * Copies a header field's value.
 *
 *   dest   gets the value and a NUL
 *   len    its size in bytes
 *
 * Returns the value's length; 0 where the peer did not send it, and dest is left as it is; -1
 * where len is not larger than the length. Valid where lws_hdr_total_length() is. Since 2013-02-09.
 */
LWS_VISIBLE int lws_hdr_copy(
    struct libwebsocket *wsi, char *dest, int len, enum lws_token_indexes h) LWS_LINK(lws_hdr_copy);
#endif

#if LWS_SINCE(20130115)
/*
 * Answers the request at hand with a file: its size and date in the header fields, 304 and 206
 * where the client asked for that, the body only for GET. The file is read as the client takes it,
 * in constant memory. A file that does not exist is answered with 404; a directory, a device, a
 * pipe, or a file that may not be read with 403. Which files may be served at all is for the
 * program to decide: the path is used as it is.
 *
 *   context        not needed; may be NULL
 *   file           path in the file system, used during the call
 *   content_type   value for Content-Type, such as "text/html; charset=utf-8"; NULL leaves the
 *                  field out
 *
 * Returns 0 where an answer is on its way, and the connection is to be left alone: it goes on with
 * the next request, or is closed, as the client asked. Returns -1 where the connection should be
 * closed: no request waits for an answer (EINVAL; this is misuse, and changes nothing),
 * content_type could not stand in a header field (EINVAL), memory or descriptors are short. The
 * value can be returned from the callback as it is. LWS_CALLBACK_HTTP_FILE_COMPLETION comes when
 * the file has been sent, in a later service call at the earliest if this is called outside of one.
 * Since 2010-12-18; with `context` since 2013-01-15 (lws_older.h).
 */
LWS_VISIBLE int libwebsockets_serve_http_file(struct libwebsocket_context *context,
    struct libwebsocket *wsi, const char *file, const char *content_type)
    LWS_LINK_LEVEL(libwebsockets_serve_http_file, 20130115);
#endif

#if LWS_SINCE(20130115)
/*
 * Goes on with the file that libwebsockets_serve_http_file() began to send, as far as the client
 * takes it. Nobody has to call it: files are sent without.
 *
 *   context   not needed; may be NULL
 *
 * Returns 0; -1 with errno EINVAL where wsi is not being sent a file. Calls nothing back: what it
 * sends, it sends as the outermost call returns. Since 2013-01-15.
 */
LWS_VISIBLE int libwebsockets_serve_http_file_fragment(struct libwebsocket_context *context,
    struct libwebsocket *wsi) LWS_LINK(libwebsockets_serve_http_file_fragment);
#endif

LWS_END_DECLARATIONS

#endif
