/* SPDX-License-Identifier: MIT */
/* realloc's corners: 1 block by realloc(NULL, n), a chain of 99 resizes of it, 1 failing resize after
 * which it lives on, 1 release by realloc(p, 0) (glibc frees and returns NULL), and
 * realloc(NULL, 0), which gives a block of size 0. */
#include "victim.h"

#include <errno.h>

SITE static void *chain(void)
{
    void *block = NULL;

    for (size_t i = 1; i <= 100; i++)
        block = realloc(block, i * 100);
    return block;
}

SITE static void *fail(void *block)
{
    volatile size_t too_much = PTRDIFF_MAX;

    errno = 0;
    return realloc(block, too_much);
}

SITE static void *nothing(void)
{
    return realloc(NULL, 0);
}

int main(void)
{
    char *block = chain(), *empty = nothing();
    volatile size_t zero = 0;

    memset(block, 7, 10000);
    if (fail(block) || errno != ENOMEM || block[9999] != 7 || !empty)
        return 1;
    if (realloc(block, zero))
        return 2;
    free(empty);
    expect("chain", "alloc_count", 1);
    expect("chain", "realloc_count", 99);
    expect("chain", "alloc_bytes", 5050 * 100);
    expect("chain", "free_count", 1);
    expect("chain", "leaked_count", 0);
    expect("chain", "peak_bytes", 10000);
    expect("fail", "alloc_count", 0);
    expect("fail", "realloc_count", 0);
    expect_freed("nothing", 1, 0);
    return 0;
}
