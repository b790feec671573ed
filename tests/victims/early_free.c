/* SPDX-License-Identifier: MIT */
/* Frees 8 blocks of 70 bytes that a linked library's constructor made before any preloaded library was
 * initialised, and resizes and frees 1 block that a profiler has never seen (libc's own entry made it). */
#include "victim.h"

#include <dlfcn.h>

extern void *early_blocks[8];

SITE static void *resize_stranger(void *block)
{
    return realloc(block, 500);
}

int main(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *(*allocate)(size_t);

    if (!libc)
        return 1;
    for (int i = 0; i < 8; i++)
        free(early_blocks[i]);
    *(void **)&allocate = dlsym(libc, "malloc");
    free(resize_stranger(allocate(100)));
    free(allocate(100));
    expect_freed("early_library_allocate", 8, 560);
    expect("resize_stranger", "realloc_count", 1);
    expect("resize_stranger", "leaked_count", 0);
    tally_add(expect_row("", "unknown_frees", AT_LEAST), 1);
    return 0;
}
