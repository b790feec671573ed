/* SPDX-License-Identifier: MIT */
/* Many live blocks, replaced at random: the worst case of whoever pairs frees with allocations, for each
 * meets a block that is in no cache.
 *
 *     population N_LIVE N_EVENTS
 *
 * N_EVENTS counts allocations and frees. Sizes are 16 to 271 bytes; all blocks live when it ends. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Marsaglia's xorshift64: the same blocks in every run, at next to no cost. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static __attribute__((noinline)) void *make(uint64_t random)
{
    return malloc(16 + (random >> 56));
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const size_t n_live = strtoul(argv[1], NULL, 10), n_events = strtoul(argv[2], NULL, 10);
    void **const blocks = n_live ? calloc(n_live, sizeof *blocks) : NULL;
    uint64_t state = 88172645463325252u;
    if (!blocks)
        return 2;
    size_t done = 1;
    for (size_t i = 0; i < n_live; i++, done++)
        blocks[i] = make(next_random(&state));
    for (; done + 2 <= n_events; done += 2) {
        const uint64_t random = next_random(&state);
        void **const block = &blocks[(random & UINT32_MAX) * n_live >> 32];
        free(*block);
        *block = make(random);
    }
    printf("%zu events\n", done);
    return 0;
}
