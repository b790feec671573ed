/* SPDX-License-Identifier: MIT */
/* What a batch keeps of a record. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/batch.h"

static int count_and_clear(struct outlet *outlet)
{
    ++*(int *)outlet->context;
    batch_clear(outlet->batch);
    return 0;
}

static void short_records_become_events(void **state)
{
    (void)state;
    const struct record block = {
        .tag = TRACE_MALLOC,
        .ticks = 7,
        .block = {.address = 0x1000, .size_bytes = 100, .usable_bytes = 104, .stack = 3}};
    const struct record node = {.tag = TRACE_NODE,
                                .node = {.id = 5, .parent = 4, .return_address = 0x4000}};
    struct event event;
    event_fill(&event, &block);
    assert_int_equal(event.kind, EVENT_SHORT);
    assert_int_equal(event.ticks, 7);
    assert_int_equal(event.address, 0x1000);
    assert_int_equal(event.size_bytes, 100);
    assert_int_equal(event.slack_bytes, 4);
    assert_int_equal(event.stack, 3);
    event_fill(&event, &node);
    assert_int_equal(event.node, 5);
    assert_int_equal(event.parent, 4);
    assert_int_equal(event.return_address, 0x4000);
}

/* usable, requested -> slack: never negative, never cut to its low bits. */
static void slack_stays_in_its_bounds(void **state)
{
    (void)state;
    const struct {
        uint64_t usable, size;
        uint32_t slack;
    } rows[] = {{0, 0, 0}, {50, 100, 0}, {UINT64_C(5) << 32, 1, UINT32_MAX}, {108, 100, 8}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record record = {
            .tag = TRACE_MALLOC,
            .block = {.size_bytes = rows[i].size, .usable_bytes = rows[i].usable}};
        struct event event;
        event_fill(&event, &record);
        assert_int_equal(event.slack_bytes, rows[i].slack);
    }
}

static void alignment_is_kept_as_the_number_of_its_bits(void **state)
{
    (void)state;
    const struct {
        uint64_t alignment;
        uint8_t bits;
    } rows[] = {{0, 0}, {1, 1}, {64, 7}, {100, 7}, {UINT64_MAX, 64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record record = {.tag = TRACE_MEMALIGN,
                                      .block = {.alignment = rows[i].alignment}};
        struct event event;
        event_fill(&event, &record);
        assert_int_equal(event.alignment_bits, rows[i].bits);
    }
}

static void encoded_records_are_decoded_by_their_own_base(void **state)
{
    (void)state;
    static const uint8_t remark[] = {0x94, TRACE_REMARK, 5, 4, 0xa1, 'm'};
    static const uint8_t string[] = {0x93, TRACE_STRING, 9, 0xa2, 'o', 'k'};
    int n_passed = 0;
    struct batch batch;
    struct record record;
    assert_int_equal(batch_init(&batch), 0);
    struct outlet outlet = {.batch = &batch, .context = &n_passed, .pass = count_and_clear};
    const struct event events[] = {{.kind = EVENT_LONG}, {.kind = EVENT_FILE}};
    const struct batch_record records[] = {
        {.bytes = remark, .n_bytes = sizeof remark, .base = {.ticks = 1000}},
        {.bytes = string, .n_bytes = sizeof string}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(outlet_add_record(&outlet, &events[i], &records[i]), 0);
    assert_int_equal(batch_decode(&batch, &batch.events[0], &record), 0);
    assert_int_equal(record.ticks, 1005);
    assert_memory_equal(record.remark.text.bytes, "m", 1);
    assert_int_equal(batch_decode(&batch, &batch.events[1], &record), 0);
    assert_int_equal(record.string.id, 9);
    assert_memory_equal(record.string.text.bytes, "ok", 2);
    assert_int_equal(n_passed, 0);
    batch_fini(&batch);
}

/* A batch goes on when it holds many encoded bytes, and a long record's room is given back. */
static void long_records_do_not_pile_up(void **state)
{
    (void)state;
    int n_passed = 0;
    struct batch batch;
    assert_int_equal(batch_init(&batch), 0);
    struct outlet outlet = {.batch = &batch, .context = &n_passed, .pass = count_and_clear};
    const struct event event = {.kind = EVENT_FILE};
    const struct batch_record record = {.bytes = calloc(1, 1 << 20), .n_bytes = 1 << 20};
    for (int i = 0; i < 5; i++)
        assert_int_equal(outlet_add_record(&outlet, &event, &record), 0);
    assert_int_equal(n_passed, 4);
    assert_true(batch.capacity < 3 << 20);
    batch_clear(&batch);
    assert_int_equal(batch.capacity, 0);
    free((void *)(uintptr_t)record.bytes);
    batch_fini(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_records_become_events),
        cmocka_unit_test(slack_stays_in_its_bounds),
        cmocka_unit_test(alignment_is_kept_as_the_number_of_its_bits),
        cmocka_unit_test(encoded_records_are_decoded_by_their_own_base),
        cmocka_unit_test(long_records_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
