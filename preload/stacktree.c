/* SPDX-License-Identifier: MIT */
/* How stacks get their numbers: look the whole path up, else the longest known part of it from the
 * outside, and add what is missing inwards. */
#include "preload/stacktree.h"

#include <string.h>

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/syscalls.h"
#include "trace/pack.h"

enum {
    FIRST_SLOTS = 512, /* 8 KiB: a short-lived thread or fork pays little */
    NODE_BYTES = 2 + 3 * PACK_INTEGER_BYTES,
};

static struct stacktree_slot *find(const struct stacktree_slot *slots, uint32_t n_slots,
                                   uint64_t hash, uint32_t check)
{
    for (uint64_t at = hash;; at++) {
        const struct stacktree_slot *const slot = &slots[at & (n_slots - 1)];
        if (slot->id == 0 || (slot->hash == hash && slot->check == check))
            return (struct stacktree_slot *)slot;
    }
}

static struct stacktree_slot *find_frame(const struct stacktree *tree,
                                         const struct stack_frame *frame)
{
    return find(tree->slots, tree->n_slots, frame->hash, (uint32_t)frame->at.pc);
}

/* A program under a filter of its own may be killed for a system call that it never made before. */
static bool may_map(void)
{
    return !atomic_load_explicit(&session.syscalls_risky, memory_order_relaxed);
}

/* Tell whether n_nodes more leave the table at most half full. */
static bool has_room(const struct stacktree *tree, size_t n_nodes)
{
    return (tree->last_id + n_nodes) * 2 <= tree->n_slots;
}

/* Make room for one node more; false when there is no memory to be had. */
static bool reserve(struct stacktree *tree)
{
    if (has_room(tree, 1))
        return true;
    if (tree->n_slots && !may_map())
        return false;
    const uint32_t n_slots = tree->n_slots ? tree->n_slots * 2 : FIRST_SLOTS;
    struct stacktree_slot *const slots = sys_map_table(n_slots * sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < tree->n_slots; i++) {
        const struct stacktree_slot *const slot = &tree->slots[i];
        if (slot->id)
            *find(slots, n_slots, slot->hash, slot->check) = *slot;
    }
    /* Never name memory that was given back: a signal handler may jump out of here for good. */
    const struct stacktree old = *tree;
    tree->slots = slots;
    tree->n_slots = n_slots;
    if (old.slots)
        sys_unmap(old.slots, old.n_slots * sizeof *slots);
    return true;
}

void stacktree_fini(struct stacktree *tree)
{
    const struct stacktree old = *tree;
    *tree = (struct stacktree){.age = old.age + 1};
    if (old.slots)
        sys_unmap(old.slots, old.n_slots * sizeof *old.slots);
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

/* Add the node of a frame under `parent`; 0 when it could not be made. */
static uint32_t add_node(struct lane *lane, uint32_t parent, const struct stack_frame *frame)
{
    struct stacktree *const tree = &lane->tree;
    if (!reserve(tree))
        return 0;
    modules_note(lane, frame->at.pc);
    const uint32_t id = tree->last_id + 1;
    if (!write_node(lane, id, parent, frame->at.pc))
        return 0;
    tree->last_id = id;
    *find_frame(tree, frame) =
        (struct stacktree_slot){.hash = frame->hash, .id = id, .check = (uint32_t)frame->at.pc};
    return id;
}

/* Forget all nodes; where no memory can be had anew, keep the table's. */
static void empty(struct lane *lane)
{
    struct stacktree *const tree = &lane->tree;
    if (may_map()) {
        stacktree_fini(tree);
        return;
    }
    tree->last_id = 0;
    tree->age++;
    memset(tree->slots, 0, tree->n_slots * sizeof *tree->slots);
}

/* A tree that is too large, speaks of modules that are gone, or cannot grow for this stack, starts anew. */
static bool start_anew_if_due(struct lane *lane)
{
    struct stacktree *const tree = &lane->tree;
    const uint32_t generation = modules_generation();
    if (tree->last_id < STACKTREE_MAX_NODES && tree->modules_generation == generation &&
        (may_map() || has_room(tree, lane->stack.n)))
        return true;
    if (tree->last_id > 0) {
        uint8_t *const room = ring_reserve(lane, 2);
        if (!room)
            return false;
        recall_forget(lane->recall);
        room[0] = 0x91;
        room[1] = TRACE_TREE_RESET;
        ring_publish(lane, room + 2);
        empty(lane);
    }
    tree->modules_generation = generation;
    return true;
}

/* Name a stack that no node is known for. */
static __attribute__((noinline)) uint32_t name_anew(struct lane *lane)
{
    struct stacktree *const tree = &lane->tree;
    struct stack *const stack = &lane->stack;
    if (stack->n == 0 || !start_anew_if_due(lane) || (tree->n_slots == 0 && !reserve(tree)))
        return 0;
    stack_settle(stack);
    size_t n_unknown = 0;
    uint32_t id = 0;
    while (n_unknown < stack->n && id == 0) {
        id = find_frame(tree, &stack->frames[stack->n - 1 - n_unknown])->id;
        n_unknown += id == 0;
    }
    for (; n_unknown > 0; n_unknown--) {
        const uint32_t child = add_node(lane, id, &stack->frames[stack->n - n_unknown]);
        if (child == 0)
            return id;
        id = child;
    }
    stack->id = id;
    return id;
}

/* One look-up for a known stack, also of a tree that is due to start anew: that waits for a new one. */
uint32_t stacktree_id(struct lane *lane)
{
    const struct stacktree *const tree = &lane->tree;
    struct stack *const stack = &lane->stack;
    if (stack->id)
        return stack->id;
    if (stack->n > 0 && tree->n_slots > 0 && tree->modules_generation == modules_generation()) {
        stack->id = find_frame(tree, stack_innermost(stack))->id;
        if (stack->id)
            return stack->id;
    }
    return name_anew(lane);
}
