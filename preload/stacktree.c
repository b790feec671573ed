/* SPDX-License-Identifier: MIT */
/* How stacks get their numbers: hash the whole stack, else walk it from the outside in. */
#include "preload/stacktree.h"

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/syscalls.h"
#include "trace/pack.h"

enum {
    FIRST_SLOTS = 512, /* 8 KiB: a short-lived thread or fork pays little */
    NODE_BYTES = 2 + 3 * PACK_INTEGER_BYTES,
};

/* Finalizer of MurmurHash3: every input bit reaches every output bit. */
static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= UINT64_C(0xff51afd7ed558ccd);
    value ^= value >> 33;
    value *= UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 33;
}

static uint64_t hash_stack(const uintptr_t *pcs, size_t n)
{
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ pcs[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    hash = mix(hash);
    return hash ? hash : 1;
}

static struct stacktree_slot *find(const struct stacktree_table *table, uint64_t key,
                                   uint32_t parent)
{
    uint64_t at = mix(key + parent * UINT64_C(0x9e3779b97f4a7c15));
    for (;; at++) {
        struct stacktree_slot *const slot = &table->slots[at & (table->n_slots - 1)];
        if (slot->key == 0 || (slot->key == key && slot->parent == parent))
            return slot;
    }
}

static size_t table_bytes(const struct stacktree_table *table)
{
    return table->n_slots * sizeof *table->slots;
}

static void table_free(struct stacktree_table *table)
{
    if (table->slots)
        sys_unmap(table->slots, table_bytes(table));
    *table = (struct stacktree_table){.n_slots = 0};
}

/* Keep the table at most half full; false when there is no memory. */
static bool table_reserve(struct stacktree_table *table)
{
    if (table->n_used * 2 < table->n_slots)
        return true;
    struct stacktree_table fresh = {.n_slots = table->n_slots ? table->n_slots * 2 : FIRST_SLOTS,
                                    .n_used = table->n_used};
    fresh.slots = sys_map(table_bytes(&fresh));
    if (!fresh.slots)
        return false;
    for (uint32_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].key)
            *find(&fresh, table->slots[i].key, table->slots[i].parent) = table->slots[i];
    table_free(table);
    *table = fresh;
    return true;
}

static void table_put(struct stacktree_table *table, struct stacktree_slot *slot,
                      struct stacktree_slot value)
{
    *slot = value;
    table->n_used++;
}

void stacktree_fini(struct stacktree *tree)
{
    table_free(&tree->stacks);
    table_free(&tree->nodes);
    tree->last_id = 0;
}

static bool write_node(struct lane *lane, uint32_t id, uint32_t parent, uintptr_t pc)
{
    uint8_t *const room = ring_reserve(lane, NODE_BYTES);
    if (!room)
        return false;
    struct pack_cursor cursor = {.at = room};
    pack_array(&cursor, 4);
    pack_uint8(&cursor, TRACE_NODE);
    pack_uint32(&cursor, id);
    pack_uint32(&cursor, parent);
    pack_uint64(&cursor, pc);
    ring_publish(lane, cursor.at);
    return true;
}

/* The node of `pc` called from `parent`; 0 when it could not be made. */
static uint32_t node_of(struct lane *lane, uint32_t parent, uintptr_t pc)
{
    struct stacktree *const tree = &lane->tree;
    if (pc == 0 || !table_reserve(&tree->nodes))
        return 0;
    struct stacktree_slot *const slot = find(&tree->nodes, pc, parent);
    if (slot->key)
        return slot->id;
    modules_note(lane, pc);
    const uint32_t id = tree->last_id + 1;
    if (!write_node(lane, id, parent, pc))
        return 0;
    tree->last_id = id;
    table_put(&tree->nodes, slot, (struct stacktree_slot){.key = pc, .parent = parent, .id = id});
    return id;
}

/* A tree that is too large, or speaks of modules that are gone, starts anew. */
static bool start_anew_if_due(struct lane *lane)
{
    struct stacktree *const tree = &lane->tree;
    const uint32_t generation = modules_generation();
    if (tree->last_id < STACKTREE_MAX_NODES && tree->modules_generation == generation)
        return true;
    if (tree->last_id > 0) {
        uint8_t *const room = ring_reserve(lane, 2);
        if (!room)
            return false;
        room[0] = 0x91;
        room[1] = TRACE_TREE_RESET;
        ring_publish(lane, room + 2);
        stacktree_fini(tree);
    }
    tree->modules_generation = generation;
    return true;
}

uint32_t stacktree_id(struct lane *lane, const uintptr_t *pcs, size_t n)
{
    struct stacktree *const tree = &lane->tree;
    if (n == 0 || !start_anew_if_due(lane) || !table_reserve(&tree->stacks))
        return 0;
    const uint64_t hash = hash_stack(pcs, n);
    struct stacktree_slot *const slot = find(&tree->stacks, hash, 0);
    if (__builtin_expect(slot->key != 0, 1))
        return slot->id;
    uint32_t id = 0;
    for (size_t i = n; i > 0; i--) {
        const uint32_t child = node_of(lane, id, pcs[i - 1]);
        if (child == 0)
            return id;
        id = child;
    }
    table_put(&tree->stacks, slot, (struct stacktree_slot){.key = hash, .id = id});
    return id;
}
