/* SPDX-License-Identifier: MIT */
/* Small numbers for call stacks: a tree of return addresses, outermost first, one per lane.
 *
 *     main ──► parse ──► malloc          stack {malloc, parse, main} is the id of its innermost node
 *         └──► print ──► malloc
 *
 * One open-addressing table in private memory leads from the hash of a path to its node, so a known
 * stack costs one look-up. Ids grow from 1 and are given only once the node's record is in the ring,
 * so a reader never meets an unknown one. No locks, no malloc; at most STACKTREE_MAX_NODES, then
 * the tree starts anew. */
#ifndef HEAPWISE_PRELOAD_STACKTREE_H
#define HEAPWISE_PRELOAD_STACKTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STACKTREE_MAX_NODES = 1 << 20 };

struct stacktree_slot {
    uint64_t hash;  /* of the path */
    uint32_t id;    /* 0: empty */
    uint32_t check; /* low half of the return address: 32 bits more against a collision */
};

struct stacktree {
    struct stacktree_slot *slots;
    uint32_t n_slots;            /* power of two, 0 before the first use; kept at most half full */
    uint32_t last_id;            /* also the number of nodes */
    uint32_t modules_generation; /* the tree is void when modules have gone since */
    uint32_t age;                /* times that all ids became void */
};

struct lane;

/* Find or make the id of lane->stack, and write what the reader needs to know of it (nodes, modules)
 * into the lane's ring. Sets and returns stack.id; 0 where that was not possible: no memory, no room
 * in a ring that may drop, or an empty stack. */
uint32_t stacktree_id(struct lane *lane);

/* Forget everything and give the memory back. */
void stacktree_fini(struct stacktree *tree);

#endif
