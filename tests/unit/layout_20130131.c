#define LWS_API_LEVEL 20130131
#define LAYOUT_NAME program_layout_20130131
#include "layout_of_level.h"
