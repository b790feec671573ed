/* SPDX-License-Identifier: MIT */
/* What a recorder cannot go below on this machine: the price of knowing the time, and of writing a record.
 *
 *     limit
 *
 * Prints nanoseconds, medians of interleaved rounds, for one reading of the time stamp counter, one that
 * waits for what came before it, and 16 bytes stored one after the other into a ring that stays in the
 * second-level cache and into one that does not fit any. */
#include <emmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

enum {
    ROUNDS = 11,
    STEPS = 1 << 22, /* as many stores as the larger ring holds */
    STORE_BYTES = 16,
    CACHED_RING_BYTES = 1 << 18, /* a quarter of the default ring: in the cache of any one core */
    STREAM_RING_BYTES = 1 << 26, /* beyond the last-level cache of a small machine's share */
};

static uint8_t *ring;
static volatile uint64_t sink;

static void read_counter(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < STEPS; i++)
        sum += __rdtsc();
    sink = sum;
}

static void read_counter_in_order(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < STEPS; i++) {
        _mm_lfence();
        sum += __rdtsc();
    }
    sink = sum;
}

static void store(size_t ring_bytes)
{
    const __m128i record = _mm_set1_epi32((int)sink);
    for (size_t i = 0; i < STEPS; i++) {
        _mm_store_si128((__m128i *)(ring + (i * STORE_BYTES & (ring_bytes - 1))), record);
        __asm__ volatile("" ::: "memory"); /* each record is published: none may be merged away */
    }
}

static void store_cached(void)
{
    store(CACHED_RING_BYTES);
}

static void store_stream(void)
{
    store(STREAM_RING_BYTES);
}

static const struct way {
    const char *name;
    void (*take)(void);
} ways[] = {
    {"rdtsc", read_counter},
    {"lfence, rdtsc", read_counter_in_order},
    {"16 bytes stored, 256 KiB ring", store_cached},
    {"16 bytes stored, 64 MiB ring", store_stream},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static double ns[N_WAYS][ROUNDS];
    ring = aligned_alloc(4096, STREAM_RING_BYTES);
    if (!ring)
        return 1;
    store_stream(); /* its pages come now, not in the first round */
    for (int round = 0; round < ROUNDS; round++) {
        for (int w = 0; w < N_WAYS; w++) {
            const double start = now_ns();
            ways[w].take();
            ns[w][round] = (now_ns() - start) / STEPS;
        }
    }
    for (int w = 0; w < N_WAYS; w++) {
        qsort(ns[w], ROUNDS, sizeof *ns[w], compare);
        printf("%6.2f ns  %s\n", ns[w][ROUNDS / 2], ways[w].name);
    }
    free(ring);
    return 0;
}
