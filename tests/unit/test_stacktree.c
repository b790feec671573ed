/* SPDX-License-Identifier: MIT */
/* Stack ids from made-up return addresses; modules.c and ring.c are replaced by what is below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "preload/lane.h"
#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "trace/record.h"

struct session session;
static struct session_header header = {.recording = 1};
static uint32_t n_noted;

_Atomic uint32_t modules_generation_now;

void modules_note(struct lane *lane, uintptr_t pc)
{
    (void)lane;
    (void)pc;
    n_noted++;
}

enum { RING_BYTES = 1 << 23 };
static struct ring ring;
static uint8_t data[RING_BYTES];
static struct lane lane;

static int start_lane(void **state)
{
    (void)state;
    modules_generation_now = n_noted = 0;
    session.header = &header;
    session.flags = SESSION_DROP_WHEN_FULL;
    stacktree_fini(&lane.tree);
    memset(&ring, 0, sizeof ring);
    memset(&lane, 0, sizeof lane);
    lane.ring = &ring;
    lane.data = data;
    lane.ring_bytes = lane.room_until = RING_BYTES;
    lane.notify_at = UINT64_MAX;
    return 0;
}

/* The id of a stack given as its return addresses, innermost first. */
static uint32_t id_of(const uintptr_t *pcs, size_t n)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++) {
        struct stack_frame *const frame = &lane.stack.frames[i];
        frame->at.pc = pcs[n - 1 - i];
        frame->hash = hash = stack_hash(hash, frame->at.pc);
    }
    lane.stack.n = n;
    lane.stack.id = 0;
    return stacktree_id(&lane);
}

#define ID(...)                                                                                    \
    id_of((const uintptr_t[]){__VA_ARGS__},                                                        \
          sizeof((const uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t))

/* The reader's view: parent and address by id, from the records in the ring. */
struct node {
    uint32_t parent;
    uint64_t pc;
};

/* Returns the last id; ids must come in order from 1, again after a reset. */
static uint32_t read_nodes(struct node *nodes_out, size_t cap, unsigned *n_resets_out)
{
    struct unpack_cursor cursor = {.at = data, .end = data + ring.head};
    struct record_base base = {.ticks = 0};
    uint32_t last_id = 0;
    *n_resets_out = 0;
    while (cursor.at < cursor.end) {
        struct record record;
        assert_int_equal(record_decode(&cursor, &base, &record), 0);
        if (record.tag == TRACE_TREE_RESET) {
            ++*n_resets_out;
            last_id = 0;
            continue;
        }
        assert_int_equal(record.tag, TRACE_NODE);
        assert_int_equal(record.node.id, ++last_id);
        assert_true(record.node.parent < record.node.id);
        if (last_id < cap)
            nodes_out[last_id] = (struct node){record.node.parent, record.node.return_address};
    }
    return last_id;
}

static void a_stack_has_one_number(void **state)
{
    (void)state;
    const uint32_t id = ID(30, 20, 10);
    assert_int_equal(id, 3);
    const uint64_t head = ring.head;
    assert_int_equal(ID(30, 20, 10), id);
    assert_true(ring.head == head); /* said once */
    assert_int_equal(n_noted, 3);
}

/* A tree that is too large starts anew, but only when it would have to grow. */
static void a_full_tree_still_knows_its_stacks(void **state)
{
    struct node nodes[8];
    unsigned n_resets;
    (void)state;
    const uint32_t id = ID(30, 20, 10);
    lane.tree.last_id = STACKTREE_MAX_NODES;
    assert_int_equal(ID(30, 20, 10), id);
    read_nodes(nodes, 8, &n_resets);
    assert_int_equal(n_resets, 0);
    assert_int_equal(ID(40, 20, 10), 3);
    read_nodes(nodes, 8, &n_resets);
    assert_int_equal(n_resets, 1);
}

static void stacks_share_their_outer_frames(void **state)
{
    struct node nodes[8];
    unsigned n_resets;
    (void)state;
    assert_int_equal(ID(30, 20, 10), 3);
    assert_int_equal(ID(31, 20, 10), 4);
    assert_int_equal(ID(20, 10), 2);
    assert_int_equal(ID(30, 21, 10), 6);
    assert_int_equal(ID(10), 1);
    assert_int_equal(ID(11), 7);
    assert_int_equal(read_nodes(nodes, 8, &n_resets), 7);
    assert_true(nodes[1].parent == 0 && nodes[1].pc == 10);
    assert_true(nodes[2].parent == 1 && nodes[2].pc == 20);
    assert_true(nodes[3].parent == 2 && nodes[3].pc == 30);
    assert_true(nodes[4].parent == 2 && nodes[4].pc == 31);
    assert_true(nodes[5].parent == 1 && nodes[5].pc == 21);
    assert_true(nodes[6].parent == 5 && nodes[6].pc == 30);
    assert_true(nodes[7].parent == 0 && nodes[7].pc == 11);
}

static void recursion_is_as_many_nodes_as_frames(void **state)
{
    (void)state;
    assert_int_equal(ID(5, 5, 5, 5), 4);
    assert_int_equal(ID(5, 5), 2);
}

static void no_frames_are_no_stack(void **state)
{
    (void)state;
    assert_int_equal(id_of(NULL, 0), 0);
    assert_true(ring.head == 0);
}

static void a_stack_that_is_known_is_not_looked_up(void **state)
{
    (void)state;
    assert_int_equal(ID(30, 20, 10), 3);
    assert_int_equal(lane.stack.id, 3);
    lane.stack.id = 77;
    assert_int_equal(stacktree_id(&lane), 77);
}

/* Tables start at 512 slots; this makes them double eight times and keeps every id right. */
static void ids_survive_growth(void **state)
{
    enum { N = 100 * 1000 };
    struct node *const nodes = calloc(N + 2, sizeof *nodes);
    uint32_t *const ids = calloc(N, sizeof *ids);
    unsigned n_resets;
    (void)state;
    for (uintptr_t i = 0; i < N; i++)
        ids[i] = ID(1000 + i * 16, 1);
    for (uintptr_t i = 0; i < N; i++)
        assert_int_equal(ID(1000 + i * 16, 1), ids[i]);
    assert_int_equal(read_nodes(nodes, N + 2, &n_resets), N + 1);
    for (uintptr_t i = 0; i < N; i++)
        assert_true(nodes[ids[i]].pc == 1000 + i * 16 && nodes[ids[i]].parent == 1);
    free(nodes);
    free(ids);
}

static void a_new_generation_of_modules_names_all_anew(void **state)
{
    struct node nodes[8];
    unsigned n_resets;
    (void)state;
    assert_int_equal(ID(30, 20, 10), 3);
    modules_generation_now++;
    assert_int_equal(ID(20, 10), 2);
    assert_int_equal(ID(30, 20, 10), 3);
    assert_int_equal(read_nodes(nodes, 8, &n_resets), 3);
    assert_int_equal(n_resets, 1);
    modules_generation_now++;
    start_lane(NULL);
    modules_generation_now = 5; /* an empty tree has nothing to take back */
    assert_int_equal(ID(10), 1);
    read_nodes(nodes, 8, &n_resets);
    assert_int_equal(n_resets, 0);
}

static void void_ids_are_recalled_no_more(void **state)
{
    static struct recall recall;
    (void)state;
    lane.recall = &recall;
    recall.n_units = RECALL_FIRST_UNIT + 1;
    ID(20, 10);
    assert_true(recall.n_units != 0);
    modules_generation_now++;
    ID(30, 20, 10);
    assert_int_equal(recall.n_units, 0);
}

/* No node is used before its record is in the ring: with room for one or two, the stack ends there,
 * counted from its outermost frame; once there is room again, the rest is told. */
static void a_full_ring_keeps_the_outer_frames(void **state)
{
    (void)state;
    lane.head = ring.head = RING_BYTES - 40; /* a node may take 29 bytes */
    lane.room_until = RING_BYTES;
    const uint32_t id = ID(40, 30, 20, 10);
    assert_true(id >= 1 && id < 4);
    ring.tail = lane.head;
    assert_int_equal(ID(40, 30, 20, 10), 4);
}

/* No call that the program's own filter might kill it for: the table it has must do. */
static void a_full_table_is_emptied_in_place_under_a_filter(void **state)
{
    struct node nodes[64];
    unsigned n_resets;
    (void)state;
    assert_true(ID(2, 1) > 0);
    const struct stacktree_slot *const slots = lane.tree.slots;
    const uint32_t n_slots = lane.tree.n_slots;
    atomic_store(&session.syscalls_risky, 1);
    for (uintptr_t i = 0; i < 10 * n_slots; i++)
        assert_true(ID(100 + i, 2, 1) > 0);
    assert_ptr_equal(lane.tree.slots, slots);
    assert_int_equal(lane.tree.n_slots, n_slots);
    assert_true(read_nodes(nodes, 64, &n_resets) > 0);
    assert_in_range(n_resets, 15, 25);
    atomic_store(&session.syscalls_risky, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start_lane)
    const struct CMUnitTest tests[] = {
        CASE(a_full_table_is_emptied_in_place_under_a_filter),
        CASE(a_stack_has_one_number),
        CASE(a_full_tree_still_knows_its_stacks),
        CASE(stacks_share_their_outer_frames),
        CASE(recursion_is_as_many_nodes_as_frames),
        CASE(no_frames_are_no_stack),
        CASE(a_stack_that_is_known_is_not_looked_up),
        CASE(ids_survive_growth),
        CASE(a_new_generation_of_modules_names_all_anew),
        CASE(void_ids_are_recalled_no_more),
        CASE(a_full_ring_keeps_the_outer_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
