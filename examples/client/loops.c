#include "loops.h"

#include <string.h>

static const struct loop loops[] = {
    {"poll", loop_run_poll},
#ifdef HAVE_LWS_UV
    {"uv", loop_run_uv},
#else
    {"uv", NULL},
#endif
#ifdef HAVE_LWS_EVENT
    {"event", loop_run_event},
#else
    {"event", NULL},
#endif
};

const struct loop *loop_find(const char *name)
{
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++)
        if (strcmp(loops[i].name, name) == 0)
            return &loops[i];
    return NULL;
}
