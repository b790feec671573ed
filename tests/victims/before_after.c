/* SPDX-License-Identifier: MIT */
/* Allocates when others do not expect it: 5 blocks in a preinit function and 5 in a constructor, freed in main;
 * 5 in an exit handler and 5 in a destructor, after main, never freed. */
#include "victim.h"

static void *blocks[10];

SITE static void *before_constructors(void)
{
    return malloc(11);
}

SITE static void *before_main(void)
{
    return malloc(22);
}

SITE static void after_main(void)
{
    for (int i = 0; i < 5; i++)
        *(volatile char *)malloc(33) = 1;
}

SITE static void at_the_very_end(void)
{
    for (int i = 0; i < 5; i++)
        *(volatile char *)malloc(44) = 1;
}

static void preinit(void)
{
    for (int i = 0; i < 5; i++)
        blocks[i] = before_constructors();
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit_entry)(void) = preinit;

__attribute__((constructor)) static void construct(void)
{
    for (int i = 5; i < 10; i++)
        blocks[i] = before_main();
}

__attribute__((destructor)) static void destruct(void)
{
    at_the_very_end();
}

int main(void)
{
    for (int i = 0; i < 10; i++)
        free(blocks[i]);
    expect_freed("before_constructors", 5, 55);
    expect_freed("before_main", 5, 110);
    expect("after_main", "alloc_count", 5);
    expect("after_main", "leaked_count", 5);
    expect("at_the_very_end", "alloc_count", 5);
    expect("at_the_very_end", "leaked_count", 5);
    return atexit(after_main);
}
