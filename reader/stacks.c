/* SPDX-License-Identifier: MIT */
/* How the tree is kept: nodes in an array, found again through a table probed by (parent, module,
 * offset). */
#include "reader/stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "reader/array.h"
#include "reader/hash.h"

uint32_t stacks_object(struct stacks *stacks, uint32_t path, uint32_t build_id)
{
    const uint64_t key = (uint64_t)path << 32 | build_id;
    const uint32_t known = idmap_get(&stacks->object_by_place, key);
    if (known)
        return known;
    struct stack_object *const objects =
        array_room(stacks->objects, stacks->n_objects, &stacks->objects_capacity, sizeof *objects);
    if (!objects || stacks->n_objects >= STACK_UNRESOLVED - 1)
        return 0;
    stacks->objects = objects;
    objects[stacks->n_objects] = (struct stack_object){.path = path, .build_id = build_id};
    stacks->n_objects++;
    return idmap_put(&stacks->object_by_place, key, stacks->n_objects) ? 0 : stacks->n_objects;
}

uint32_t stacks_unresolved(struct stacks *stacks, uint32_t image, uint32_t n_modules)
{
    const uint32_t n = stacks->n_unresolved;
    for (uint32_t i = n; i > 0 && i + 16 > n; i--) {
        const struct stack_unresolved *const row = &stacks->unresolved[i - 1];
        if (row->image == image && row->n_modules == n_modules)
            return STACK_UNRESOLVED | (i - 1);
    }
    struct stack_unresolved *const rows =
        array_room(stacks->unresolved, n, &stacks->unresolved_capacity, sizeof *rows);
    if (!rows || n >= STACK_UNRESOLVED - 1)
        return 0;
    stacks->unresolved = rows;
    rows[n] = (struct stack_unresolved){.image = image, .n_modules = n_modules};
    stacks->n_unresolved++;
    return STACK_UNRESOLVED | n;
}

static uint32_t *find(const struct stacks *stacks, const struct stack_node *node)
{
    const uint32_t mask = stacks->n_slots - 1;
    const uint64_t place = (uint64_t)node->parent << 32 | node->object;
    uint32_t at = (uint32_t)hash_pair(place, node->offset) & mask;
    for (;; at = (at + 1) & mask) {
        const uint32_t id = stacks->slots[at];
        if (id == 0)
            return &stacks->slots[at];
        const struct stack_node *const there = stacks_at(stacks, id);
        if (there->parent == node->parent && there->object == node->object &&
            there->offset == node->offset)
            return &stacks->slots[at];
    }
}

static int grow(struct stacks *stacks)
{
    struct stacks wider = *stacks;
    wider.n_slots = stacks->n_slots ? 2 * stacks->n_slots : 256;
    if (wider.n_slots == 0)
        return -ENOMEM;
    wider.slots = calloc(wider.n_slots, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (uint32_t id = 1; id <= stacks->n_nodes; id++)
        *find(&wider, stacks_at(stacks, id)) = id;
    free(stacks->slots);
    *stacks = wider;
    return 0;
}

uint32_t stacks_node(struct stacks *stacks, const struct stack_node *node)
{
    if (2 * ((uint64_t)stacks->n_nodes + 1) > stacks->n_slots && grow(stacks))
        return 0;
    uint32_t *const slot = find(stacks, node);
    if (*slot)
        return *slot;
    struct stack_node *const nodes =
        array_room(stacks->nodes, stacks->n_nodes, &stacks->nodes_capacity, sizeof *nodes);
    if (!nodes)
        return 0;
    stacks->nodes = nodes;
    nodes[stacks->n_nodes++] = *node;
    return *slot = stacks->n_nodes;
}

void stacks_fini(struct stacks *stacks)
{
    free(stacks->nodes);
    free(stacks->slots);
    free(stacks->objects);
    idmap_fini(&stacks->object_by_place);
    free(stacks->unresolved);
    *stacks = (struct stacks){0};
}
