/* SPDX-License-Identifier: MIT */
/* Which blocks a forked child found already there: a set of addresses that only shrinks. */
#ifndef HEAPWISE_READER_ADDRSET_H
#define HEAPWISE_READER_ADDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it to begin. */
struct addrset {
    uint64_t *slots; /* open addressing; 0 empty */
    size_t n_slots;  /* power of two, or 0 */
    size_t n_used;
};

/* Add an address, which is not 0. Returns 0 or -ENOMEM. */
int addrset_add(struct addrset *set, uint64_t address);

/* Remove an address. Returns whether it was there. */
bool addrset_take(struct addrset *set, uint64_t address);

/* Add everything of another set. Returns 0 or -ENOMEM. */
int addrset_add_all(struct addrset *set, const struct addrset *from);

void addrset_fini(struct addrset *set);

#endif
