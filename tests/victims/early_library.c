/* SPDX-License-Identifier: MIT */
/* A library whose constructor allocates: it runs before the constructors of preloaded libraries. */
#include <stdlib.h>

void *early_blocks[8];
void early_library_allocate(void);

void early_library_allocate(void)
{
    for (int i = 0; i < 8; i++)
        early_blocks[i] = malloc(70);
}

__attribute__((constructor)) static void construct(void)
{
    early_library_allocate();
}
