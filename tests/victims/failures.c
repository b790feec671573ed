/* SPDX-License-Identifier: MIT */
/* Requests that fail count nothing: calloc and reallocarray whose product overflows, aligned_alloc of a
 * wrong alignment, and mallocs of 1 GiB under RLIMIT_AS. 10 calls, 0 allocations; then 1 malloc
 * that works. errno says why each time. */
#include "victim.h"

#include <errno.h>
#include <sys/resource.h>

SITE static int overflow(void)
{
    volatile size_t huge = SIZE_MAX / 2;
    void *block = NULL;

    errno = 0;
    if (calloc(huge, 3) || errno != ENOMEM)
        return 1;
    errno = 0;
    if (reallocarray(NULL, huge, 3) || errno != ENOMEM)
        return 2;
    errno = 0;
    if (malloc(huge * 2) || errno != ENOMEM)
        return 3;
    errno = 7;
    if (posix_memalign(&block, 3, 100) != EINVAL || errno != 7)
        return 4;
    return 0;
}

SITE static int no_room(void)
{
    const struct rlimit limit = {.rlim_cur = 512u << 20, .rlim_max = RLIM_INFINITY};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 5;
    for (int i = 0; i < 6; i++) {
        errno = 0;
        if (malloc(1u << 30) || errno != ENOMEM)
            return 6;
    }
    setrlimit(RLIMIT_AS, &none);
    return 0;
}

SITE static void *works(void)
{
    return malloc(50);
}

int main(void)
{
    int status = overflow();

    if (status == 0)
        status = no_room();
    free(works());
    expect("overflow", "alloc_count", 0);
    expect("no_room", "alloc_count", 0);
    expect_freed("works", 1, 50);
    return status;
}
