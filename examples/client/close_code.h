#ifndef CLIENT_CLOSE_CODE_H
#define CLIENT_CLOSE_CODE_H

/* What a close code means (RFC 6455 section 7.4), in a few words. */
const char *close_code_text(int code);

#endif
