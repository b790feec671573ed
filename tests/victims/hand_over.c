/* SPDX-License-Identifier: MIT */
/* One thread allocates ROUNDS (2,000,000) blocks, another frees them; they pass through a ring with
 * plain loads and stores, the fastest hand-over x86-64 allows, so that stamps taken on two cores
 * may come out in the wrong order. ROUNDS allocations of 24..87 bytes, all freed, no leak. */
#include "victim.h"

#include <pthread.h>

enum { RING = 64 };

static uint64_t n_rounds = 2000000;
static uint64_t *volatile ring[RING];
static counter *longest;

#define COMPILER_BARRIER() __asm__ volatile("" ::: "memory")

SITE static uint64_t *produce(size_t size)
{
    return malloc(size);
}

static void *consumer(void *unused)
{
    uint64_t longest_ns = 0;

    for (uint64_t i = 0; i < n_rounds; i++) {
        uint64_t *block, born_ns, age_ns;

        while (!(block = ring[i % RING]))
            __builtin_ia32_pause();
        COMPILER_BARRIER();
        ring[i % RING] = NULL;
        if (block[0] != i)
            abort();
        born_ns = block[1];
        free(block);
        age_ns = clock_ns() - born_ns;
        if (age_ns > longest_ns)
            longest_ns = age_ns;
    }
    tally_max(longest, longest_ns);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    uint64_t n_bytes = 0;

    if (argc > 1)
        n_rounds = strtoull(argv[1], NULL, 10);
    longest = expect_row("produce", "lifetime_ns.max", AT_MOST);
    pthread_create(&thread, NULL, consumer, NULL);
    for (uint64_t i = 0; i < n_rounds; i++) {
        size_t size = 24 + i % 64;
        uint64_t born_ns = clock_ns(), *block = produce(size);

        block[0] = i;
        block[1] = born_ns;
        n_bytes += size;
        COMPILER_BARRIER();
        while (ring[i % RING])
            __builtin_ia32_pause();
        ring[i % RING] = block;
    }
    pthread_join(thread, NULL);
    expect_freed("produce", n_rounds, n_bytes);
    expect("", "unknown_frees", 0);
    return 0;
}
