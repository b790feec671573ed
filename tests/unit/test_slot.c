/* SPDX-License-Identifier: MIT */
/* Claiming and mapping slots of a session that the test made; modules.c is replaced by what is below. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "preload/modules.h"
#include "preload/ring.h"
#include "preload/session.h"
#include "preload/slot.h"
#include "preload/syscalls.h"
#include "tests/support/session_memory.h"

struct session session;

_Atomic uint32_t modules_generation_now;

void modules_note(struct lane *lane, uintptr_t pc)
{
    (void)lane;
    (void)pc;
}

enum { N_SLOTS = 8, MAIN_BYTES = 1 << 14, SIGNAL_BYTES = 1 << 12 };
static struct session_memory memory;

static void attach(uint32_t n_slots)
{
    memory = session_memory_new(n_slots, MAIN_BYTES, SIGNAL_BYTES);
    memset(&session, 0, sizeof session);
    session.header = session_memory_map_header(&memory);
    session.image_id = 7;
}

static int open_memory(void **state)
{
    (void)state;
    attach(N_SLOTS);
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    slot_forget_all();
    munmap(session.header, SESSION_HEADER_BYTES);
    session_memory_free(&memory);
    return 0;
}

static void set_all_slots(uint64_t word)
{
    for (uint32_t i = 0; i < memory.header->n_slots; i++)
        memory.header->slots[i] = word;
}

static void put(struct lane *lane, uint8_t value)
{
    uint8_t *const room = ring_reserve(lane, 1);
    assert_non_null(room);
    *room = value;
    ring_publish(lane, room + 1);
}

static void a_claimed_slot_says_whose_it_is(void **state)
{
    (void)state;
    struct slot_memory *const slot = slot_claim(0x3ffffffe, 0x3fffffff);
    assert_non_null(slot);
    const uint64_t word = memory.header->slots[slot->index];
    assert_int_equal(SLOT_STATE(word), SLOT_CLAIMED);
    assert_int_equal(SLOT_PID(word), 0x3ffffffe);
    assert_int_equal(SLOT_TID(word), 0x3fffffff);
    const struct slot_header *const header = session_memory_slot(&memory, slot->index);
    assert_int_equal(header->ready, 1);
    assert_int_equal(header->image_id, 7);
    assert_int_equal(header->pid, 0x3ffffffe);
    assert_int_equal(header->tid, 0x3fffffff);
}

static void what_a_lane_writes_the_other_side_reads(void **state)
{
    (void)state;
    struct slot_memory *const slot = slot_claim(1, 2);
    put(&slot->lanes[0], 0x11);
    put(&slot->lanes[1], 0x22);
    put(&slot->lanes[1], 0x33);
    const struct slot_header *const header = session_memory_slot(&memory, slot->index);
    const uint8_t *const data = (const uint8_t *)header + SLOT_HEADER_BYTES;
    assert_true(header->rings[0].head == 1 && header->rings[1].head == 2);
    assert_int_equal(data[0], 0x11);
    assert_int_equal(data[MAIN_BYTES], 0x22);
    assert_int_equal(data[MAIN_BYTES + 1], 0x33);
    assert_true(slot->lanes[0].ring_bytes == MAIN_BYTES &&
                slot->lanes[1].ring_bytes == SIGNAL_BYTES);
}

static void mapping_needs_no_descriptor_and_no_path(void **state)
{
    (void)state;
    strcpy(memory.header->session_path, "/nowhere");
    for (uint32_t i = 0; i < N_SLOTS; i++) {
        struct slot_memory *const slot = slot_claim(1, (pid_t)i + 1);
        assert_non_null(slot);
        put(&slot->lanes[0], (uint8_t)(0x40 + i));
        const uint8_t *const data =
            (const uint8_t *)session_memory_slot(&memory, slot->index) + SLOT_HEADER_BYTES;
        assert_int_equal(data[0], 0x40 + i);
    }
}

/* Pages of address space in use: field 1 of /proc/self/statm. */
static rlim_t address_space_bytes(void)
{
    unsigned long n_pages = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%lu", &n_pages), 1);
    fclose(file);
    return n_pages * 4096;
}

/* The last of many slots, claimed where there is address space for a slot but not for the way there. */
static void a_limit_of_address_space_leads_over_the_path(void **state)
{
    int status = -1;
    (void)state;
    close_memory(NULL);
    attach(4096);
    const pid_t child = fork();
    if (child == 0) {
        const rlim_t n_bytes = address_space_bytes() + (16 << 20);
        const struct rlimit limit = {n_bytes, n_bytes};
        set_all_slots(SLOT_WORD(SLOT_CLAIMED, 1, 1));
        memory.header->slots[4095] = SLOT_WORD(SLOT_FREE, 0, 0);
        setrlimit(RLIMIT_AS, &limit);
        struct slot_memory *const slot = slot_claim(1, 2);
        if (!slot || slot->index != 4095)
            _exit(1);
        put(&slot->lanes[0], 0x55);
        _exit(((const uint8_t *)session_memory_slot(&memory, 4095))[SLOT_HEADER_BYTES] != 0x55);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_slot_that_cannot_be_mapped_is_given_back(void **state)
{
    int status = -1;
    (void)state;
    close_memory(NULL);
    attach(64);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_AS, &none);
        const bool refused = slot_claim(1, 2) == NULL;
        bool all_free = true;
        for (unsigned i = 0; i < 64; i++)
            all_free = all_free && SLOT_STATE(memory.header->slots[i]) == SLOT_FREE;
        _exit(refused && all_free ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_slot_is_used_again_as_it_lies(void **state)
{
    (void)state;
    set_all_slots(SLOT_WORD(SLOT_ABSENT, 0, 0));
    memory.header->slots[3] = SLOT_WORD(SLOT_FREE, 0, 0);
    struct slot_memory *const first = slot_claim(1, 2);
    assert_int_equal(first->index, 3);
    put(&first->lanes[0], 1);
    first->lanes[0].stuck_tail = 9;
    first->lanes[0].stack.n_kept = 5;
    first->recall.n_units = RECALL_FIRST_UNIT + 1;
    /* What the collector does once the thread is gone and its ring is drained. */
    memset(session_memory_slot(&memory, 3), 0, sizeof(struct slot_header));
    memory.header->slots[3] = SLOT_WORD(SLOT_FREE, 0, 0);
    struct slot_memory *const second = slot_claim(1, 3);
    assert_ptr_equal(second, first);
    const struct lane *const lane = &second->lanes[0];
    assert_true(lane->head == 0 && lane->last_ticks == 0 && lane->last_address == 0);
    assert_true(lane->stuck_tail == 0 && lane->stack.n_kept == 0 && lane->stack.id == 0);
    assert_true(lane->recall == &first->recall && lane->recall->n_units == 0);
    assert_true(lane->room_until == MAIN_BYTES);
    assert_int_equal(lane->tree.last_id, 0);
    assert_int_equal(session_memory_slot(&memory, 3)->tid, 3);
}

static void *offer_one(void *argument)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    (void)argument;
    while (!atomic_load(&memory.header->slots_wanted))
        nanosleep(&pause, NULL);
    nanosleep(&pause, NULL);
    atomic_store(&memory.header->slots[5], SLOT_WORD(SLOT_FREE, 0, 0));
    atomic_fetch_add(&memory.header->slots_epoch, 1);
    sys_futex_wake(&memory.header->slots_epoch, 1 << 30);
    return NULL;
}

static void a_thread_waits_for_a_slot_to_be_offered(void **state)
{
    pthread_t collector;
    (void)state;
    set_all_slots(SLOT_WORD(SLOT_CLAIMED, 1, 1));
    pthread_create(&collector, NULL, offer_one, NULL);
    struct slot_memory *const slot = slot_claim(1, 2);
    pthread_join(collector, NULL);
    assert_non_null(slot);
    assert_int_equal(slot->index, 5);
    assert_int_equal(memory.header->slots_wanted, 0);
    assert_true(memory.header->wake > 0);
}

static void nobody_is_waited_for_in_vain(void **state)
{
    (void)state;
    set_all_slots(SLOT_WORD(SLOT_CLAIMED, 1, 1));
    memory.header->recording = 0;
    assert_null(slot_claim(1, 2));
    memory.header->recording = 1;
    session.collector_gone = 1;
    assert_null(slot_claim(1, 2));
    session.collector_gone = 0;
    session.syscalls_risky = 1;
    assert_null(slot_claim(1, 2));
    session.syscalls_risky = 0;
    memcpy(&memory.header->alive, &(uint32_t){FUTEX_OWNER_DIED}, 4);
    assert_null(slot_claim(1, 2));
    assert_int_equal(memory.header->slots_wanted, 0);
}

static void a_table_larger_than_any_may_be_is_cut(void **state)
{
    (void)state;
    memory.header->n_slots = UINT32_MAX; /* scribbled over */
    assert_non_null(slot_claim(1, 2));
    memory.header->n_slots = N_SLOTS;
}

static void *claim_one(void *index_out)
{
    const struct slot_memory *const slot = slot_claim(1, sys_tid());
    *(uint32_t *)index_out = slot ? slot->index : UINT32_MAX;
    return NULL;
}

static void no_two_threads_get_one_slot(void **state)
{
    pthread_t threads[N_SLOTS];
    uint32_t indices[N_SLOTS], seen = 0;
    (void)state;
    for (unsigned i = 0; i < N_SLOTS; i++)
        pthread_create(&threads[i], NULL, claim_one, &indices[i]);
    for (unsigned i = 0; i < N_SLOTS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(indices[i] < N_SLOTS);
        seen |= 1u << indices[i];
    }
    assert_int_equal(seen, (1u << N_SLOTS) - 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)
    const struct CMUnitTest tests[] = {
        CASE(a_claimed_slot_says_whose_it_is),
        CASE(what_a_lane_writes_the_other_side_reads),
        CASE(mapping_needs_no_descriptor_and_no_path),
        CASE(a_limit_of_address_space_leads_over_the_path),
        CASE(a_slot_that_cannot_be_mapped_is_given_back),
        CASE(a_slot_is_used_again_as_it_lies),
        CASE(a_thread_waits_for_a_slot_to_be_offered),
        CASE(nobody_is_waited_for_in_vain),
        CASE(a_table_larger_than_any_may_be_is_cut),
        CASE(no_two_threads_get_one_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
