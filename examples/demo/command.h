/* What a browser may ask for: commands are checked here before the room hears of them. */
#ifndef DEMO_COMMAND_H
#define DEMO_COMMAND_H

#include "session.h"

/*
 * Carries out the command that a session has received. Returns NULL, or what is wrong with it, with
 * the close code in *status.
 */
const char *command_run(struct room *room, struct session *session, int *status);

#endif
