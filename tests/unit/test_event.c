/* SPDX-License-Identifier: MIT */
/* What the shim packs, record_decode() takes apart again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "preload/event.h"
#include "preload/event_hot.h"
#include "preload/session.h"
#include "tests/support/lane_fixture.h"
#include "trace/record_hot.h"

static const struct arch_frame nowhere;
static struct lane *lane;
static struct record records[16];

static int start(void **state)
{
    (void)state;
    lane = lane_fixture_start(LANE_FIXTURE_BYTES);
    lane_fixture_set(0, 0);
    memset(records, 0, sizeof records);
    return 0;
}

static const void *at(uintptr_t address)
{
    return (const void *)address;
}

static void put_block(uintptr_t address, size_t size_bytes, size_t alignment)
{
    const struct event_block block = {
        .address = at(address), .size_bytes = size_bytes, .alignment = alignment};
    event_allocation(lane, TRACE_MALLOC, &block, &nowhere);
}

/* Usable sizes that glibc would give are not written. */
static void an_allocation_is_written_in_full(void **state)
{
    static const struct {
        uintptr_t address;
        size_t size_bytes, usable_bytes, alignment;
        uint32_t stack;
        uint8_t n_elements;
    } rows[] = {
        {0x5000, 100, 104, 0, 7, 5},
        {0x4000, 24, 24, 0, 1, 5},
        {0x4010, 0, 24, 0, 2, 5},
        {0x7fff12345670, 25, 40, 0, 3, 5},
        {0x10, 100, 112, 0, 4, 6},
        {0x20, 100, 104, 64, 5, 7},
        {UINTPTR_MAX - 15, SIZE_MAX / 2, 5, 4096, UINT32_MAX, 7},
        {0x30, 1, 24, 0, 0, 5},
    };
    enum { N = sizeof rows / sizeof *rows };
    (void)state;
    for (size_t i = 0; i < N; i++) {
        const uint8_t *const head = lane->data + lane->head;
        lane_fixture_set(rows[i].stack, rows[i].usable_bytes);
        put_block(rows[i].address, rows[i].size_bytes, rows[i].alignment);
        assert_int_equal(*head, 0x90 | rows[i].n_elements);
    }
    assert_int_equal(lane_fixture_records(records, 16), N);
    for (size_t i = 0; i < N; i++) {
        const struct record_block *const block = &records[i].block;
        assert_int_equal(records[i].tag, TRACE_MALLOC);
        assert_true(block->address == rows[i].address && block->size_bytes == rows[i].size_bytes);
        assert_true(block->usable_bytes == rows[i].usable_bytes);
        assert_true(block->alignment == rows[i].alignment && block->stack == rows[i].stack);
    }
}

static void stamps_grow_and_are_those_of_the_clock(void **state)
{
    struct timespec before, after;
    (void)state;
    session.flags |= SESSION_CLOCK_MONOTONIC;
    clock_gettime(CLOCK_MONOTONIC, &before);
    event_bare(lane, TRACE_REALLOC_FAIL);
    event_release(lane, TRACE_FREE, at(16), NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(lane_fixture_records(records, 16), 2);
    assert_true(records[0].ticks >=
                (uint64_t)before.tv_sec * 1000000000 + (uint64_t)before.tv_nsec);
    assert_true(records[1].ticks >= records[0].ticks);
    assert_true(records[1].ticks <= (uint64_t)after.tv_sec * 1000000000 + (uint64_t)after.tv_nsec);
    session.flags &= ~(uint32_t)SESSION_CLOCK_MONOTONIC;
}

static void the_time_stamp_counter_is_the_usual_clock(void **state)
{
    (void)state;
    const uint64_t before = arch_ticks();
    event_bare(lane, TRACE_MAP_FAIL);
    const uint64_t after = arch_ticks();
    assert_int_equal(lane_fixture_records(records, 16), 1);
    assert_true(records[0].ticks >= before && records[0].ticks <= after);
}

static void a_usual_pair_takes_few_bytes(void **state)
{
    (void)state;
    lane_fixture_set(5, 40);
    put_block(0x555500001000, 40, 0);
    event_release(lane, TRACE_FREE, at(0x555500001000), NULL);
    const uint64_t head = lane->head;
    lane->last_ticks = arch_ticks(); /* a stamp soon after the one before */
    put_block(0x555500001040, 40, 0);
    event_release(lane, TRACE_FREE, at(0x555500001040), NULL);
    assert_true(lane->head - head <= 18);
}

static void releases_carry_the_stack_of_a_caller_only(void **state)
{
    (void)state;
    lane_fixture_set(9, 0);
    event_release(lane, TRACE_FREE, at(0x100), NULL);
    event_release(lane, TRACE_SDALLOCX, at(0x80), &nowhere);
    assert_int_equal(lane_fixture_records(records, 16), 2);
    assert_int_equal(records[0].tag, TRACE_FREE);
    assert_int_equal(records[0].block.stack, 0);
    assert_true(records[0].block.address == 0x100);
    assert_int_equal(records[1].tag, TRACE_SDALLOCX);
    assert_int_equal(records[1].block.stack, 9);
    assert_true(records[1].block.address == 0x80);
}

static void a_resize_is_a_begin_and_an_end(void **state)
{
    (void)state;
    lane_fixture_set(3, 200);
    event_resize_begin(lane, TRACE_CALL_REALLOCARRAY, at(0x1000));
    const struct event_block block = {.address = at(0x2000), .size_bytes = 200};
    event_allocation(lane, TRACE_REALLOC_END, &block, &nowhere);
    event_resize_begin(lane, TRACE_CALL_XALLOCX, at(0x2000));
    event_bare(lane, TRACE_REALLOC_FAIL);
    assert_int_equal(lane_fixture_records(records, 16), 4);
    assert_int_equal(records[0].block.resize_call, TRACE_CALL_REALLOCARRAY);
    assert_true(records[0].block.address == 0x1000);
    assert_int_equal(records[1].tag, TRACE_REALLOC_END);
    assert_true(records[1].block.address == 0x2000 && records[1].block.usable_bytes == 200);
    assert_int_equal(records[2].block.resize_call, TRACE_CALL_XALLOCX);
    assert_int_equal(records[3].tag, TRACE_REALLOC_FAIL);
}

static void a_resize_that_frees_carries_the_stack_of_a_caller_only(void **state)
{
    (void)state;
    lane_fixture_set(9, 0);
    event_resize_begin(lane, TRACE_CALL_REALLOC, at(0x1000));
    event_resize_freed(lane, &nowhere);
    event_resize_begin(lane, TRACE_CALL_REALLOC, at(0x2000));
    event_resize_freed(lane, NULL);
    assert_int_equal(lane_fixture_records(records, 16), 4);
    assert_int_equal(records[1].tag, TRACE_REALLOC_FREED);
    assert_int_equal(records[1].block.stack, 9);
    assert_int_equal(records[3].tag, TRACE_REALLOC_FREED);
    assert_int_equal(records[3].block.stack, 0);
}

/* Addresses of mappings are absolute and leave the base of blocks alone. */
static void mappings_are_absolute(void **state)
{
    (void)state;
    lane_fixture_set(4, 24);
    put_block(0x9000, 1, 0);
    event_map(lane, TRACE_MMAP, at(0x7f0000000000), 8192, &nowhere);
    event_map(lane, TRACE_MUNMAP, at(0x7f0000000000), 4096, NULL);
    put_block(0x9020, 1, 0);
    assert_int_equal(lane_fixture_records(records, 16), 4);
    assert_true(records[1].block.address == 0x7f0000000000 && records[1].block.size_bytes == 8192);
    assert_int_equal(records[1].block.stack, 4);
    assert_true(records[2].block.size_bytes == 4096 && records[2].block.stack == 0);
    assert_true(records[3].block.address == 0x9020);
}

static void numbers_and_texts_arrive(void **state)
{
    (void)state;
    event_number(lane, TRACE_FORK, 12);
    event_numbers(lane, TRACE_CHILD_EXIT, 4321, 256);
    event_number_text(lane, TRACE_THREAD, 77, "w\xc3\xb6rker");
    event_number_text(lane, TRACE_REMARK, TRACE_REMARK_DEEPBIND, "\xff no utf-8");
    event_text(lane, TRACE_EXEC, "/bin/true");
    event_number(lane, TRACE_EXEC_FAIL, 2);
    assert_int_equal(lane_fixture_records(records, 16), 6);
    assert_int_equal(records[0].fork.id, 12);
    assert_true(records[1].exit.pid == 4321 && records[1].exit.has_status);
    assert_int_equal(records[1].exit.wait_status, 256);
    assert_int_equal(records[2].thread.tid, 77);
    assert_int_equal(records[2].thread.name.n_bytes, 7);
    assert_memory_equal(records[3].remark.text.bytes, "\xff no utf-8", 10);
    assert_int_equal(((const uint8_t *)records[3].remark.text.bytes)[-2], 0xc4); /* bin, not str */
    assert_memory_equal(records[4].exec.path.bytes, "/bin/true", 9);
    assert_int_equal(records[5].exec.error, 2);
}

static void a_long_text_is_cut(void **state)
{
    static char text[TRACE_MAX_TEXT_BYTES + 100];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    event_text(lane, TRACE_EXEC, text);
    event_number_text(lane, TRACE_THREAD, 1, text);
    assert_int_equal(lane_fixture_records(records, 16), 2);
    assert_int_equal(records[0].exec.path.n_bytes, TRACE_MAX_TEXT_BYTES);
    assert_int_equal(records[1].thread.name.n_bytes, TRACE_MAX_TEXT_BYTES);
}

static void what_has_no_room_is_counted(void **state)
{
    (void)state;
    lane = lane_fixture_start(4096);
    while (lane->ring->n_lost[TRACE_LOSS_RING_FULL] == 0)
        put_block(0x1000, 1, 0);
    event_release(lane, TRACE_FREE, at(1), NULL);
    event_resize_begin(lane, TRACE_CALL_REALLOC, at(1));
    event_bare(lane, TRACE_REALLOC_FAIL);
    event_map(lane, TRACE_MMAP, at(1), 1, &nowhere);
    event_number(lane, TRACE_FORK, 1);
    event_numbers(lane, TRACE_CHILD_EXIT, 1, 1);
    event_number_text(lane, TRACE_THREAD, 1, "");
    event_text(lane, TRACE_EXEC, "");
    assert_true(lane->ring->n_lost[TRACE_LOSS_RING_FULL] == 9);
    session.header->recording = 0;
    event_bare(lane, TRACE_MAP_FAIL);
    assert_true(lane->ring->n_lost[TRACE_LOSS_STOPPED] == 1);
}

static void live_bytes_are_counted_only_where_asked(void **state)
{
    (void)state;
    lane_fixture_set(1, 100);
    put_block(0x10, 90, 0);
    assert_true(lane->ring->live_gained_bytes == 0);
    session.flags |= SESSION_COUNT_LIVE;
    put_block(0x10, 90, 0);
    event_release(lane, TRACE_FREE, at(0x10), NULL);
    event_resize_begin(lane, TRACE_CALL_REALLOC, at(0x10));
    assert_true(lane->ring->live_gained_bytes == 100);
    assert_true(lane->ring->live_dropped_bytes == 200);
}

/* ---- the hot way: the same records ---- */

static void put_hot(uintptr_t address, size_t size_bytes, size_t usable_bytes)
{
    const size_t unusual = usable_bytes == TRACE_USUAL_USABLE(size_bytes) ? 0 : usable_bytes;
    event_hot_allocation(lane, TRACE_MALLOC, at(address), size_bytes, unusual, &nowhere);
}

static void put_hot_release(uintptr_t address)
{
    assert_true(event_has_room(lane));
    if (!event_hot_release(lane, TRACE_FREE, at(address)))
        event_read_release(lane, TRACE_FREE, at(address));
}

/* How the lane gets there is test_stamp's business. */
static void a_record_that_shares_a_stamp_has_the_last_one(void **state)
{
    (void)state;
    put_hot_release(16);
    lane->shared_until = UINT64_MAX;
    put_hot(16, 24, 24);
    assert_true(event_hot_release(lane, TRACE_FREE, at(16)));
    assert_int_equal(lane_fixture_records(records, 3), 3);
    assert_true(records[1].ticks == records[0].ticks && records[2].ticks == records[0].ticks);
    assert_true(records[0].ticks == lane->last_ticks);
    assert_true(records[1].block.address == 16 && records[2].block.address == 16);
}

static void put_timed(uintptr_t address, uint64_t call_cycles)
{
    const struct event_block block = {
        .address = at(address), .size_bytes = 24, .call_cycles = call_cycles};
    event_allocation(lane, TRACE_MALLOC, &block, &nowhere);
}

static void how_long_a_call_took_follows_its_record(void **state)
{
    static const uint64_t cycles[] = {1, 70000, UINT64_C(1) << 40};
    (void)state;
    lane_fixture_set(1, 24);
    for (size_t i = 0; i < 3; i++) {
        put_timed(16, cycles[i]);
        event_release_time(lane, event_release(lane, TRACE_FREE, at(16), NULL), cycles[i]);
    }
    assert_int_equal(lane_fixture_records(records, 16), 12);
    for (size_t i = 0; i < 12; i += 2) {
        const struct record_block *const time = &records[i + 1].block;
        const bool is_free = i % 4 != 0;
        assert_int_equal(records[i].tag, is_free ? TRACE_FREE : TRACE_MALLOC);
        assert_int_equal(records[i + 1].tag, TRACE_CALL_TIME);
        assert_int_equal(time->timed_call, is_free ? TRACE_TIMED_RELEASE : TRACE_TIMED_ACQUISITION);
        assert_true(time->size_bytes == cycles[i / 4]);
        assert_true(records[i + 1].ticks >= records[i].ticks);
    }
}

static void it_is_left_out_where_something_lies_between(void **state)
{
    (void)state;
    const uint64_t place = event_release(lane, TRACE_FREE, at(16), NULL);
    event_bare(lane, TRACE_MAP_FAIL);
    event_release_time(lane, place, 7);
    assert_int_equal(lane_fixture_records(records, 16), 2);
}

/* The collector may have promised that nothing is stamped before the step any more. */
static void it_shares_the_stamp_until_the_clock_steps(void **state)
{
    (void)state;
    lane->shared_until = UINT64_MAX;
    uint64_t place = event_release(lane, TRACE_FREE, at(16), NULL);
    const uint64_t stamp = lane->last_ticks;
    event_release_time(lane, place, 7);
    place = event_release(lane, TRACE_FREE, at(32), NULL);
    session.header->coarse_ticks++;
    event_release_time(lane, place, 7);
    session.header->coarse_ticks--;
    assert_int_equal(lane_fixture_records(records, 16), 4);
    assert_true(records[1].ticks == stamp && records[2].ticks == stamp);
    assert_true(records[3].ticks > stamp);
}

static void the_hot_way_writes_what_the_other_does(void **state)
{
    static const struct {
        uintptr_t address;
        size_t size_bytes, usable_bytes;
        uint32_t stack;
    } rows[] = {
        {0x5000, 0, TRACE_USUAL_USABLE(0), 1},
        {0x5020, 24, TRACE_USUAL_USABLE(24), 1},
        {0x5020, 24, 32, 1},
        {0x4fe0, 100, 112, 2},
        {0x7fff12345670, 128, 4096, 1},
        {0x10, 70000, 81920, 70000},
        {UINTPTR_MAX - 15, UINT64_C(1) << 40, TRACE_USUAL_USABLE(UINT64_C(1) << 40), 300},
        {UINTPTR_MAX - 15, 1, UINT64_C(1) << 40, 300},
    };
    enum { N = sizeof rows / sizeof *rows };
    uint64_t n_bytes[2];
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        lane_fixture_start(LANE_FIXTURE_BYTES);
        for (size_t i = 0; i < N; i++) {
            lane_fixture_set(rows[i].stack, rows[i].usable_bytes);
            lane->last_ticks = arch_ticks() - 1000; /* so that all stamps have one length */
            if (way == 0)
                put_block(rows[i].address, rows[i].size_bytes, 0);
            else
                put_hot(rows[i].address, rows[i].size_bytes, rows[i].usable_bytes);
            lane->last_ticks = arch_ticks() - 1000;
            if (way == 0)
                event_release(lane, TRACE_FREE, at(rows[i].address), NULL);
            else
                put_hot_release(rows[i].address);
        }
        n_bytes[way] = lane->head;
        memset(records, 0, sizeof records);
        assert_int_equal(lane_fixture_records(records, 16), 2 * N);
        for (size_t i = 0; i < N; i++) {
            const struct record_block *const block = &records[2 * i].block;
            assert_int_equal(records[2 * i].tag, TRACE_MALLOC);
            assert_true(block->address == rows[i].address && block->stack == rows[i].stack);
            assert_true(block->size_bytes == rows[i].size_bytes);
            assert_true(block->usable_bytes == rows[i].usable_bytes);
            assert_int_equal(records[2 * i + 1].tag, TRACE_FREE);
            assert_true(records[2 * i + 1].block.address == rows[i].address);
        }
    }
    assert_true(n_bytes[0] == n_bytes[1]);
}

static void hot_stamps_of_every_length_are_those_of_the_counter(void **state)
{
    static const uint64_t distances[] = {0, 60000, 70000, UINT64_C(1) << 33, UINT64_C(1) << 40};
    (void)state;
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        lane_fixture_start(LANE_FIXTURE_BYTES);
        lane->last_ticks = arch_ticks() - distances[i];
        const uint64_t base = lane->last_ticks;
        const uint64_t before = arch_ticks();
        put_hot_release(16);
        const uint64_t after = arch_ticks();
        assert_int_equal(lane_fixture_records(records, 16), 1);
        assert_true(base + records[0].ticks >= before && base + records[0].ticks <= after);
    }
}

static void heads_keep_every_distance(void **state)
{
    static const uint64_t distances[] = {0,   1,     127,   128,     129,        255,
                                         256, 65535, 65536, 1 << 20, UINT32_MAX, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        uint8_t bytes[EVENT_BYTES] = {0};
        struct record_hot_number number = {0};
        lane->last_ticks = 1000;
        const uint8_t *const end = event_hot_head(lane, bytes, 24, 3, 1000 + distances[i], 0);
        const uint8_t *from = bytes + 2;
        assert_true(bytes[0] == 0x93 && bytes[1] == 24);
        assert_true(record_hot_take(&from, &number));
        assert_true(from == end && number.value == distances[i]);
        assert_true(lane->last_ticks == 1000 + distances[i]);
    }
}

/* A release without room is left to the general way; an allocation that is lost is counted. */
static void the_hot_way_writes_nothing_without_room(void **state)
{
    (void)state;
    lane->ring->tail = UINT64_MAX;
    lane->room_until = lane->plain_until = 0;
    assert_false(event_has_room(lane));
    assert_true(lane->ring->n_lost[TRACE_LOSS_RING_FULL] == 0);
    put_hot(16, 24, TRACE_USUAL_USABLE(24));
    assert_true(lane->ring->n_lost[TRACE_LOSS_RING_FULL] == 1);
    assert_true(lane->head == 0 && lane->ring->head == 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        CASE(an_allocation_is_written_in_full),
        CASE(stamps_grow_and_are_those_of_the_clock),
        CASE(the_time_stamp_counter_is_the_usual_clock),
        CASE(a_usual_pair_takes_few_bytes),
        CASE(releases_carry_the_stack_of_a_caller_only),
        CASE(a_resize_is_a_begin_and_an_end),
        CASE(a_resize_that_frees_carries_the_stack_of_a_caller_only),
        CASE(mappings_are_absolute),
        CASE(numbers_and_texts_arrive),
        CASE(a_long_text_is_cut),
        CASE(what_has_no_room_is_counted),
        CASE(live_bytes_are_counted_only_where_asked),
        CASE(the_hot_way_writes_what_the_other_does),
        CASE(a_record_that_shares_a_stamp_has_the_last_one),
        CASE(how_long_a_call_took_follows_its_record),
        CASE(it_is_left_out_where_something_lies_between),
        CASE(it_shares_the_stamp_until_the_clock_steps),
        CASE(hot_stamps_of_every_length_are_those_of_the_counter),
        CASE(heads_keep_every_distance),
        CASE(the_hot_way_writes_nothing_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
