/* SPDX-License-Identifier: MIT */
/* A heap small enough to be counted by hand. `early` leaks 10 blocks of 1000 bytes; `burst` then makes 100 of
 * 10,000 bytes, all live at once (the peak: 1,010,000 bytes of the two), and frees them; `passing`
 * makes 1000 blocks that are freed before the next request (temporary), `lasting` 50 that are not. */
#include "victim.h"

SITE static void early(void)
{
    for (int i = 0; i < 10; i++)
        *(volatile char *)malloc(1000) = 1;
}

SITE static void *burst(void)
{
    return malloc(10000);
}

SITE static void passing(void)
{
    for (int i = 0; i < 1000; i++)
        free(malloc(48));
}

SITE static void *lasting(void)
{
    return malloc(32);
}

int main(void)
{
    void *blocks[100];

    early();
    for (int i = 0; i < 100; i++)
        blocks[i] = burst();
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    passing();
    for (int i = 0; i < 50; i++)
        blocks[i] = lasting();
    for (int i = 0; i < 50; i++)
        free(blocks[i]);

    expect("early", "alloc_count", 10);
    expect("early", "leaked_count", 10);
    expect("early", "leaked_bytes", 10000);
    expect("early", "peak_bytes", 10000);
    expect_freed("burst", 100, 1000000);
    expect("burst", "peak_bytes", 1000000);
    expect("burst", "max_live_count", 100);
    expect("burst", "slack_bytes", 100 * 8);
    expect("burst", "temporary_count", 1); /* the last: nothing is requested before its release */
    expect_freed("passing", 1000, 48000);
    expect("passing", "temporary_count", 1000);
    expect("passing", "peak_bytes", 0);
    expect("passing", "sizes.min", 48);
    expect("passing", "sizes.max", 48);
    expect_freed("lasting", 50, 1600);
    expect("lasting", "temporary_count", 1);
    return 0;
}
