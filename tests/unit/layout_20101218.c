#define LWS_API_LEVEL 20101218
#define LAYOUT_NAME program_layout_20101218
#include "layout_of_level.h"
