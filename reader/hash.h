/* SPDX-License-Identifier: MIT */
/* How keys are spread over tables. Not for adversaries: a hostile trace may slow its own reading. */
#ifndef HEAPWISE_READER_HASH_H
#define HEAPWISE_READER_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Finalizer of MurmurHash3: every input bit reaches every output bit. */
static inline uint64_t hash_mix(uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return key ^ key >> 33;
}

/* The two halves of hash_pair(), for a `b` that is paired with many others. */
static inline uint64_t hash_second(uint64_t b)
{
    return hash_mix(b + UINT64_C(0x9e3779b97f4a7c15));
}
static inline uint64_t hash_join(uint64_t a, uint64_t second)
{
    return hash_mix(a ^ second);
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
    return hash_join(a, hash_second(b));
}

static inline uint64_t hash_bytes(const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;
    uint64_t hash = n_bytes;
    for (; n_bytes >= 8; at += 8, n_bytes -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = hash_pair(hash, word);
    }
    uint64_t rest = 0;
    memcpy(&rest, at, n_bytes);
    return hash_pair(hash, rest);
}

#endif
