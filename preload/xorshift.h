/* SPDX-License-Identifier: MIT */
/* Numbers that look random and are the same from run to run: what decides which calls are looked at closer. */
#ifndef HEAPWISE_PRELOAD_XORSHIFT_H
#define HEAPWISE_PRELOAD_XORSHIFT_H

#include <stdint.h>

/* Marsaglia's xorshift; any state but 0 comes round to every other. Its upper bits are the better ones. */
static inline uint32_t xorshift_next(uint32_t state)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

#endif
