/* SPDX-License-Identifier: MIT */
/* Which stacks occur, over all streams and processes: one tree whose nodes are (caller, module,
 * offset), so that the same stack in two processes is the same node.
 *
 * A stack is known by its innermost frame's node; parents lead outwards. */
#ifndef HEAPWISE_READER_STACKS_H
#define HEAPWISE_READER_STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "reader/idmap.h"

/* A module as a file: `path` and `build_id` are strtab ids. Number 0 is "none": such a node's offset
 * is the address itself. */
struct stack_object {
    uint32_t path, build_id;
};

struct stack_node {
    uint32_t parent; /* 0: outermost */
    uint32_t object; /* stacks_object() number, or STACK_UNRESOLVED | index */
    uint64_t offset; /* of the return address less one from the module's bias */
};

/* An address that no module covered when it was first met: modules loaded later may (a library's
 * constructors run before its load is recorded). The index counts stacks.unresolved. */
#define STACK_UNRESOLVED UINT32_C(0x80000000)
struct stack_unresolved {
    uint32_t image;     /* whose module map it was */
    uint32_t n_modules; /* how many modules that image had loaded by then */
};

/* Zero it to begin. */
struct stacks {
    struct stack_node *nodes;     /* by id - 1 */
    uint32_t *slots;              /* open addressing; node ids */
    struct stack_object *objects; /* by number - 1 */
    struct idmap object_by_place; /* path and build-id -> number */
    struct stack_unresolved *unresolved;
    uint32_t n_nodes, nodes_capacity, n_slots;
    uint32_t n_objects, objects_capacity;
    uint32_t n_unresolved, unresolved_capacity;
};

/* The number of a module, the same for the same path and build-id; 0 when out of memory. */
uint32_t stacks_object(struct stacks *stacks, uint32_t path, uint32_t build_id);

/* The mark for addresses that `image` cannot place yet; 0 when out of memory. */
uint32_t stacks_unresolved(struct stacks *stacks, uint32_t image, uint32_t n_modules);

/* The id of a node; 0 when out of memory. */
uint32_t stacks_node(struct stacks *stacks, const struct stack_node *node);

/* The node of an id that stacks_node() gave. */
static inline const struct stack_node *stacks_at(const struct stacks *stacks, uint32_t id)
{
    return &stacks->nodes[id - 1];
}

void stacks_fini(struct stacks *stacks);

#endif
