#define LWS_API_LEVEL 20130206
#define LAYOUT_NAME program_layout_20130206
#include "layout_of_level.h"
