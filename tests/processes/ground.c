#include "ground.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../support/children.h"

struct program_options options;
pid_t program;
int port;

void set_up(void)
{
    ws_carry(NULL);
    become_reaper();
    roles_open();
    options = (struct program_options){.loop = HOST_POLL};
}

void tear_down(void)
{
    expect_nobody_left();
    roles_close();
}

void start(enum host_loop loop)
{
    options.loop = loop;
    port = program_start(&options, &program);
}

void end_program(void)
{
    ck_assert_int_eq(ask(PARENT, LEAVE), 0);
    ck_assert_int_eq(status_of(program), EXIT_SUCCESS);
}

bool shares_its_loop(void)
{
    return options.loop == HOST_UV || options.loop == HOST_EVENT;
}

void adopt_in_child(void)
{
    ck_assert_int_eq(ask(CHILD, COMPLAINTS), 0);
    ck_assert_int_eq(ask(CHILD, ADOPT), shares_its_loop() ? EBUSY : 0);
    if (shares_its_loop()) {
        ck_assert_int_eq(ask(CHILD, ADOPT), EBUSY);
        ck_assert_int_eq(ask(CHILD, COMPLAINTS), 1);
        ck_assert_int_eq(ask(CHILD, ATTACH), 0);
    }
    ck_assert_int_eq(ask(CHILD, ADOPT), 0);
}

void expect_echo(struct ws_client *client, const char *text)
{
    ws_send_frame(client, WS_FIN | WS_TEXT, text, strlen(text));
    ws_expect_text(client, text);
}
