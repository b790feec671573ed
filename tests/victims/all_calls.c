/* SPDX-License-Identifier: MIT */
/* Every function that gives, resizes or takes back a block, a known number of times each:
 * 9 ways to allocate, 3 times each (27 blocks), 2 resizes, 27 frees by 3 ways. */
#include "victim.h"

#include <malloc.h>

/* C23; a libc that lacks them leaves them to be found in the shim, or to be done without. */
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

SITE static void *with_malloc(void)
{
    return malloc(100);
}

SITE static void *with_calloc(void)
{
    return calloc(10, 10);
}

SITE static void *with_realloc(void)
{
    return realloc(NULL, 100);
}

SITE static void *with_reallocarray(void)
{
    return reallocarray(NULL, 10, 10);
}

SITE static void *with_posix_memalign(void)
{
    void *block = NULL;

    return posix_memalign(&block, 64, 100) == 0 ? block : NULL;
}

SITE static void *with_aligned_alloc(void)
{
    return aligned_alloc(64, 128);
}

SITE static void *with_memalign(void)
{
    return memalign(32, 100);
}

SITE static void *with_valloc(void)
{
    return valloc(100);
}

SITE static void *with_pvalloc(void)
{
    return pvalloc(100);
}

SITE static void resize_all(void)
{
    void *block = with_malloc();

    block = realloc(block, 300);
    block = reallocarray(block, 20, 30);
    free(block);
}

static const struct way {
    const char *name;
    void *(*allocate)(void);
    size_t alignment, size;
} ways[] = {
    {"with_malloc", with_malloc, 16, 100},
    {"with_calloc", with_calloc, 16, 100},
    {"with_realloc", with_realloc, 16, 100},
    {"with_reallocarray", with_reallocarray, 16, 100},
    {"with_posix_memalign", with_posix_memalign, 64, 100},
    {"with_aligned_alloc", with_aligned_alloc, 64, 128},
    {"with_memalign", with_memalign, 32, 100},
    {"with_valloc", with_valloc, 4096, 100},
    {"with_pvalloc", with_pvalloc, 4096, 100},
};

int main(void)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (int round = 0; round < 3; round++) {
            void *block = ways[i].allocate();

            if (!block || (uintptr_t)block % ways[i].alignment != 0 ||
                malloc_usable_size(block) < ways[i].size)
                return 1;
            memset(block, 1, ways[i].size);
            if (round == 1 && free_sized && ways[i].alignment == 16)
                free_sized(block, ways[i].size);
            else if (round == 1 && free_aligned_sized && ways[i].alignment == 64)
                free_aligned_sized(block, 64, ways[i].size);
            else
                free(block);
        }
        expect(ways[i].name, "free_count", 3);
        expect(ways[i].name, "alloc_count", i == 0 ? 4 : 3);
        expect(ways[i].name, "leaked_count", 0);
    }
    resize_all();
    expect("resize_all", "alloc_count", 1);
    expect("resize_all", "realloc_count", 2);
    expect("resize_all", "alloc_bytes", 100 + 300 + 600);
    expect("resize_all", "free_count", 1);
    free(NULL);
    return 0;
}
