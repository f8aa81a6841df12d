/* What the engine knows of the levels: layouts, and the protocol a program's element stands for. */
#include "service/level.h"

#include "layouts.h"
#include "service/context.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct {
    const struct program_layout *program;
    int last_day;
} layouts[] = {
    {&program_layout_20101218, 20130130},
    {&program_layout_20130131, 20130205},
    {&program_layout_20130206, 20131016},
    {&program_layout_20131017, 20131108},
};

/* The engine finds the members where the program's compiler has put them. */
START_TEST(layouts_are_the_programs)
{
    const struct program_layout *program = layouts[_i].program;
    const struct protocol_layout *layout = level_layout(program->level);

    ck_assert_uint_eq(layout->size, program->size);
    ck_assert_uint_eq(layout->rx_buffer_size, program->rx_buffer_size);
    ck_assert_uint_eq(layout->owning_server, program->owning_server);
    ck_assert_uint_eq(layout->protocol_index, program->protocol_index);
    ck_assert_uint_eq(program->name, offsetof(struct libwebsocket_protocols, name));
    ck_assert_uint_eq(program->callback, offsetof(struct libwebsocket_protocols, callback));
    ck_assert_uint_eq(program->per_session_data_size,
        offsetof(struct libwebsocket_protocols, per_session_data_size));
    ck_assert_ptr_eq(level_layout(layouts[_i].last_day), layout);
}
END_TEST

/* An array of a program's: the element is found by what was written into it, and by nothing else.
 */
START_TEST(elements_lead_to_their_protocols)
{
    int level = layouts[_i].program->level;
    const struct protocol_layout *layout = level_layout(level);
    struct libwebsocket_context *context = calloc(1, sizeof(*context));
    struct libwebsocket_context *another = calloc(1, sizeof(*another));
    struct protocol protocols[2] = {0};
    unsigned char *elements = calloc(3, layout->size);
    int index = 2;

    ck_assert_ptr_nonnull(context);
    ck_assert_ptr_nonnull(another);
    ck_assert_ptr_nonnull(elements);
    context->engine.protocols = protocols;
    context->engine.protocol_count = 2;
    for (size_t i = 0; i < 2; i++)
        protocols[i].element = layout_element(layout, elements, i);
    ck_assert_ptr_eq(protocols[1].element, elements + layout->size);

    ck_assert_ptr_null(level_protocol(NULL, level));
    ck_assert_ptr_null(level_protocol(elements, level));
    layout_own(layout, protocols[0].element, context, 0);
    layout_own(layout, protocols[1].element, context, 1);
    ck_assert_ptr_eq(level_protocol(elements, level), &protocols[0]);
    ck_assert_ptr_eq(level_protocol(elements + layout->size, level), &protocols[1]);

    /* One that lies about its place. */
    memcpy(elements + layout->protocol_index, &index, sizeof(index));
    ck_assert_ptr_null(level_protocol(elements, level));
    index = -1;
    memcpy(elements + layout->protocol_index, &index, sizeof(index));
    ck_assert_ptr_null(level_protocol(elements, level));
    index = 1;
    memcpy(elements + layout->protocol_index, &index, sizeof(index));
    ck_assert_ptr_null(level_protocol(elements, level));

    layout_disown(layout, protocols[1].element, another);
    ck_assert_ptr_eq(level_protocol(protocols[1].element, level), &protocols[1]);
    layout_disown(layout, protocols[1].element, context);
    ck_assert_ptr_null(level_protocol(protocols[1].element, level));
    free(elements);
    free(another);
    free(context);
}
END_TEST

START_TEST(piece_sizes_are_read_where_there_are_some)
{
    const struct program_layout *program = layouts[_i].program;
    unsigned char element[sizeof(struct libwebsocket_protocols) * 2];
    size_t size = 12345;

    memset(element, 0x55, sizeof(element));
    if (program->rx_buffer_size)
        memcpy(element + program->rx_buffer_size, &size, sizeof(size));
    ck_assert_uint_eq(layout_rx_buffer_size(level_layout(program->level), element),
        program->rx_buffer_size ? size : 0);
}
END_TEST

Suite *level_suite(void)
{
    Suite *suite = suite_create("level");
    TCase *test = tcase_create("level");

    suite_add_tcase(suite, test);
    tcase_add_loop_test(test, layouts_are_the_programs, 0, COUNT(layouts));
    tcase_add_loop_test(test, elements_lead_to_their_protocols, 0, COUNT(layouts));
    tcase_add_loop_test(test, piece_sizes_are_read_where_there_are_some, 0, COUNT(layouts));
    return suite;
}
