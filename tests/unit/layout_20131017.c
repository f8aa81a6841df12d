#define LWS_API_LEVEL 20131017
#define LAYOUT_NAME program_layout_20131017
#include "layout_of_level.h"
