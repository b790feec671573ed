/* SPDX-License-Identifier: MIT */
/* Small numbers for call stacks: a tree of return addresses, outermost first, one per lane.
 *
 *     main ──► parse ──► malloc          stack {malloc, parse, main} is the id of its innermost node
 *         └──► print ──► malloc
 *
 * Two open-addressing tables in private memory: the hash of a whole stack leads to its id (the
 * usual case: one look-up), and (parent, return address) to a node (only for a new stack). Ids grow
 * from 1 and are given only once the node's record is in the ring, so a reader never meets an
 * unknown one. No locks, no malloc; at most STACKTREE_MAX_NODES, then the tree starts anew. */
#ifndef HEAPWISE_PRELOAD_STACKTREE_H
#define HEAPWISE_PRELOAD_STACKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STACKTREE_MAX_NODES = 1 << 20 };

struct stacktree_slot {
    uint64_t key; /* 0: empty */
    uint32_t parent;
    uint32_t id;
};

struct stacktree_table {
    struct stacktree_slot *slots;
    uint32_t n_slots; /* power of two, 0 before the first use */
    uint32_t n_used;
};

struct stacktree {
    struct stacktree_table stacks; /* key: hash of all return addresses */
    struct stacktree_table nodes;  /* key: return address, with its parent */
    uint32_t last_id;
    uint32_t modules_generation; /* the tree is void when modules have gone since */
};

struct lane;

/* Find or make the id of the stack pcs[0..n), innermost first, and write what the reader needs to
 * know of it (nodes, modules) into the lane's ring. Returns 0 where that was not possible: no
 * memory, no room in a ring that may drop, or n is 0. */
uint32_t stacktree_id(struct lane *lane, const uintptr_t *pcs, size_t n);

/* Forget everything and give the memory back. */
void stacktree_fini(struct stacktree *tree);

#endif
