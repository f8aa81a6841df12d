/* Random bytes, SHA-1, base64, version. Included by libwebsockets.h. */
#ifndef LWSLOOP_LWS_UTILITY_H
#define LWSLOOP_LWS_UTILITY_H

#include <stddef.h>

#include "lws_link.h"
#include "lws_protocol.h"

LWS_BEGIN_DECLARATIONS

#if LWS_SINCE(20130209)
/* The version of the library, such as "0.1.0"; a constant. From any thread. Since 2013-02-09. */
LWS_VISIBLE const char *lws_get_library_version(void) LWS_LINK(lws_get_library_version);
#endif

#if LWS_SINCE(20110305)
/*
 * Fills a buffer with bytes from a cryptographic generator.
 *
 *   context   not needed; may be NULL
 *   buf       len bytes to fill
 *
 * Returns len; -1 where the generator failed, buf is NULL or len is negative. May be called from
 * any thread. Since 2011-03-05.
 */
LWS_VISIBLE int libwebsockets_get_random(struct libwebsocket_context *context, void *buf, int len)
    LWS_LINK(libwebsockets_get_random);

/*
 * Writes the SHA-1 of n bytes at d to md, which has room for 20. Returns md; NULL where the hash
 * could not be had. May be called from any thread. Since 2011-03-05.
 */
LWS_VISIBLE unsigned char *libwebsockets_SHA1(const unsigned char *d, size_t n, unsigned char *md)
    LWS_LINK(libwebsockets_SHA1);

/*
 * Writes in_len bytes as base64, and a NUL, to out, which is out_size bytes. Returns the text's
 * length; -1 where it does not fit or a length is negative. May be called from any thread.
 * Since 2011-03-05.
 */
LWS_VISIBLE int lws_b64_encode_string(const char *in, int in_len, char *out, int out_size)
    LWS_LINK(lws_b64_encode_string);

/*
 * Writes the bytes that a NUL-terminated base64 text stands for, and a NUL, to out, which is
 * out_size bytes. Returns the number of bytes without the NUL; -1 where they do not fit or the text
 * is not base64. May be called from any thread. Since 2011-03-05.
 */
LWS_VISIBLE int lws_b64_decode_string(const char *in, char *out, int out_size)
    LWS_LINK(lws_b64_decode_string);
#endif

#if LWS_SINCE(20130117)
/*
 * Makes a daemon of the process: it goes on in a child that has a session of its own and no
 * terminal, in the folder "/", with its standard streams on /dev/null. The process that called it
 * waits until the child is ready, and ends then, with status 0 and without what atexit(3) has. Part
 * of lwsloop-poll.
 *
 *   _lock_path   a file that the child locks, for as long as it lives, and writes its process
 *                number to; NULL for none. It is made where there is none, and stays. A folder that
 *                everybody may write to is no place for it: what is there already must be a file
 *                of this user's own, and not reached by a link.
 *
 * To be called before there are threads, and before anything is served; a context that there is
 * already is the child's with its next service call, if it is attached to nothing, and until then
 * broadcasts fail with EPIPE. Paths that are not absolute mean something else afterwards.
 *
 * Returns 0, in the child. Returns -1 with errno and a log line, in the process that called it,
 * where there is such a daemon already (EEXIST), the file is not to be used (EPERM, or what open(2)
 * said), the child did not come up (ECHILD) or the system failed. Since 2013-01-17.
 */
LWS_VISIBLE int lws_daemonize(const char *_lock_path) LWS_LINK(lws_daemonize);
#endif

LWS_END_DECLARATIONS

#endif
