/* SPDX-License-Identifier: MIT */
/* Which bytes of a file were read at least once: ranges apart from each other, in order. */
#ifndef HEAPWISE_READER_COVERED_H
#define HEAPWISE_READER_COVERED_H

#include <stdbool.h>
#include <stdint.h>

enum {
    COVERED_MAX_RANGES = 4096, /* 64 KiB; a file read at more places is too scattered to follow */
};

struct covered_range {
    uint64_t start, end; /* end behind the last byte */
};

/* Zero it to begin. */
struct covered {
    struct covered_range *ranges;
    uint32_t n, capacity;
    uint64_t n_bytes; /* in all of them */
    bool is_unknown;  /* there were too many; n_bytes is 0 then */
};

/* The bytes start..end (behind the last one) were read. Returns 0 or -ENOMEM. */
int covered_add(struct covered *covered, uint64_t start, uint64_t end);

void covered_fini(struct covered *covered);

#endif
