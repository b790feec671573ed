/* SPDX-License-Identifier: MIT */
/* Uses jemalloc and its own interface: 10 blocks by mallocx(100), each resized once by rallocx and once in place by
 * xallocx, then 5 freed by dallocx and 5 by sdallocx; 10 more by plain malloc and free. At last a block of every size
 * up to 5000, each twice, kept: what jemalloc rounds up is known of all. */
#include "victim.h"

#include <jemalloc/jemalloc.h>

SITE static void *with_mallocx(void)
{
    return mallocx(100, MALLOCX_ALIGN(32));
}

SITE static void *with_rallocx(void *block)
{
    return rallocx(block, 4000, MALLOCX_ALIGN(32));
}

SITE static void *with_malloc(void)
{
    return malloc(30);
}

enum { MOST_BYTES = 5000 };

SITE static void *with_any_size(size_t n_bytes)
{
    return malloc(n_bytes);
}

static size_t keep_all_sizes(void)
{
    size_t n_slack_bytes = 0;
    for (size_t n = 0; n < 2 * (MOST_BYTES + 1); n++)
        n_slack_bytes += malloc_usable_size(with_any_size(n / 2)) - n / 2;
    return n_slack_bytes;
}

int main(void)
{
    for (int i = 0; i < 10; i++) {
        char *block = with_rallocx(with_mallocx());
        size_t size = xallocx(block, 4001, 0, MALLOCX_ALIGN(32));

        if ((uintptr_t)block % 32 || size < 4000)
            return 1;
        if (i % 2)
            dallocx(block, MALLOCX_ALIGN(32));
        else
            sdallocx(block, size, MALLOCX_ALIGN(32));
        free(with_malloc());
    }
    expect("with_mallocx", "alloc_count", 10);
    expect("with_mallocx", "alloc_bytes", 1000);
    expect("with_rallocx", "realloc_count", 10);
    expect("with_rallocx", "leaked_count", 0);
    expect_freed("with_malloc", 10, 300);
    expect("with_any_size", "slack_bytes", keep_all_sizes());
    return 0;
}
