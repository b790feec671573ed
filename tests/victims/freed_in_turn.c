/* SPDX-License-Identifier: MIT */
/* Blocks of three sites are freed at three places in turn, in a rhythm of eight frees that a sample at equal distances
 * would meet at one beat. In each of ROUNDS (default 100,000) rounds make_a and make_b allocate 40 and 56 bytes; drop_even
 * frees the blocks of make_a in every second round, drop_odd in the others; of make_b's, drop_odd those of
 * one round in four, drop_even the others. In every fourth round make_c allocates 72 bytes, which realloc(p, 0)
 * in drop_resized frees. */
#include "victim.h"

SITE static void *make_a(void)
{
    return malloc(40);
}

SITE static void *make_b(void)
{
    return malloc(56);
}

SITE static void *make_c(void)
{
    return malloc(72);
}

SITE static void drop_even(void *block)
{
    free(block);
}

SITE static void drop_odd(void *block)
{
    free(block);
}

SITE static void drop_resized(void *block)
{
    void *volatile rest = realloc(block, 0);

    if (rest)
        abort();
}

int main(int argc, char **argv)
{
    const uint64_t n_rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;

    for (uint64_t i = 0; i < n_rounds; i++) {
        void *a = make_a(), *b = make_b();

        (i % 2 ? drop_odd : drop_even)(a);
        (i % 4 == 0 ? drop_odd : drop_even)(b);
        if (i % 4 == 0)
            drop_resized(make_c());
    }
    expect_freed("make_a", n_rounds, 40 * n_rounds);
    expect_freed("make_b", n_rounds, 56 * n_rounds);
    expect_freed("make_c", (n_rounds + 3) / 4, 72 * ((n_rounds + 3) / 4));
    return 0;
}
