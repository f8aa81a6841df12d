/* What goes from the user to the server. */
#ifndef CLIENT_SENDING_H
#define CLIENT_SENDING_H

#include "session.h"

/* From CLIENT_ESTABLISHED on. Returns 0, or -1 with errno. */
int sending_start(struct session *session, struct libwebsocket_context *context);

/* In CLIENT_WRITEABLE. Returns 0, or -1 to close. */
int sending_writeable(struct session *session, struct libwebsocket_context *context);

/* In CLIENT_RECEIVE_PONG. */
void sending_pong(struct session *session);

/* Closes; everything is over when the server has answered. */
void sending_close(struct session *session, struct libwebsocket_context *context);

#endif
