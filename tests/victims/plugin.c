/* SPDX-License-Identifier: MIT */
/* A library to be loaded at run time; built several times with different PLUGIN_FUNCTION names and equal size,
 * so that one takes another's place in memory. */
#include <stdlib.h>

void *PLUGIN_FUNCTION(size_t size);

void *PLUGIN_FUNCTION(size_t size)
{
    return malloc(size);
}
