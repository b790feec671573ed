/* SPDX-License-Identifier: MIT */
/* How much anonymous memory one process image has mapped: disjoint ranges, sorted by address. */
#ifndef HEAPWISE_READER_MAPPED_H
#define HEAPWISE_READER_MAPPED_H

#include <stdint.h>

enum {
    /* Twice the kernel's default vm.max_map_count; a range beyond is not followed. */
    MAPPED_MAX_RANGES = 131072,
    MAPPED_MAX_PIECES = 8,
};

struct mapped_range {
    uint64_t start, end;
};

/* Zero it to begin. */
struct mapped {
    struct mapped_range *ranges;
    uint32_t n_ranges, capacity;
    uint64_t total_bytes;
};

/* What a cut took away, so that it can be put back: the kernel may still refuse. */
struct mapped_cut {
    struct mapped_range pieces[MAPPED_MAX_PIECES]; /* more than that are not put back */
    uint32_t n_pieces;
    uint64_t bytes;
};

/* Add [start, start + n_bytes), which replaces what was there. Returns 0 or -ENOMEM. */
int mapped_add(struct mapped *mapped, uint64_t start, uint64_t n_bytes);

/* Take [start, start + n_bytes) away, where it is mapped. Returns 0 or -ENOMEM. */
int mapped_cut(struct mapped *mapped, uint64_t start, uint64_t n_bytes, struct mapped_cut *cut_out);

/* Put back what a cut took away. Returns 0 or -ENOMEM. */
int mapped_restore(struct mapped *mapped, const struct mapped_cut *cut);

void mapped_fini(struct mapped *mapped);

#endif
