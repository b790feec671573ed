/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "collector/skim.h"

#include <stdlib.h>
#include <string.h>

#include "trace/pack.h"

enum { SLACK_BYTES = 64, MANY = 300000 };

/* One record and how skimming is to take it. */
struct row {
    const char *what;
    uint8_t bytes[24];
    size_t n_bytes;
    uint64_t n_events;
    bool passed;
};

static const struct row rows[] = {
    {"malloc", {0x95, 0x01, 0x05, 0x10, 0x64, 0x07}, 6, 1, true},
    {"negative differences", {0x95, 0x02, 0xff, 0xf0, 0x64, 0x00}, 6, 1, true},
    {"wide differences", {0x93, 0x18, 0xcd, 0xff, 0xff, 0xd2, 0x80, 0, 0, 0}, 10, 1, true},
    {"usable and alignment", {0x97, 0x05, 0x01, 0x00, 0x64, 0x01, 0xcc, 0xc8, 0x40}, 9, 1, true},
    {"a free with a stack", {0x94, 0x1c, 0x02, 0x00, 0x09}, 5, 1, true},
    {"a begun resize is no event", {0x94, 0x10, 0x02, 0x00, 0x01}, 5, 0, true},
    {"an ended one is", {0x95, 0x11, 0x02, 0x20, 0xcd, 0x01, 0x00, 0x03}, 8, 1, true},
    {"a call that is none", {0x94, 0x10, 0x02, 0x00, 0xcc, 0x80}, 6, 0, false},
    {"the time of a call is none", {0x94, 0x25, 0x02, 0x01, 0xcc, 0x90}, 6, 0, true},
    {"of which there is none", {0x94, 0x25, 0x02, 0xcc, 0x80, 0x10}, 6, 0, false},
    {"a negative time", {0x94, 0x25, 0x02, 0x01, 0xff}, 5, 0, false},
    {"too few elements", {0x94, 0x01, 0x05, 0x10, 0x64}, 5, 0, false},
    {"too many elements", {0x98, 0x01, 0x05, 0x10, 0x64, 0x07, 1, 1, 1}, 9, 0, false},
    {"an empty array", {0x90, 0x18, 0x00, 0x00}, 4, 0, false},
    {"no array", {0x01, 0x18, 0x00, 0x00}, 4, 0, false},
    {"padding", {0xc0, 0x18, 0x00, 0x00}, 4, 0, false},
    {"a negative size", {0x95, 0x01, 0x05, 0x10, 0xff, 0x07}, 6, 0, false},
    {"a text for a stack", {0x95, 0x01, 0x05, 0x10, 0x05, 0xa0}, 6, 0, false},
    {"a difference of 64 bits", {0x93, 0x18, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0}, 12, 0, false},
    {"a node", {0x94, 0x28, 0x03, 0x02, 0xcd, 0x40, 0x00}, 7, 0, false},
    {"a mapping", {0x94, 0x21, 0x02, 0x10, 0x10}, 5, 0, false},
    {"a tag of the file", {0x94, 0x49, 0x01, 0x05, 0x04}, 5, 0, false},
    {"an unknown tag", {0x93, 0xff, 0x01, 0x05}, 4, 0, false},
};

static void records_are_passed_or_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t input[sizeof rows->bytes + SLACK_BYTES] = {0};
        struct skim skim = {.base = {1000, 0x5000}};
        memcpy(input, rows[i].bytes, rows[i].n_bytes);
        const uint8_t *const at =
            skim_events(input, input + rows[i].n_bytes, input + sizeof input, &skim);
        if (at != input + (rows[i].passed ? rows[i].n_bytes : 0) ||
            skim.n_records != rows[i].passed || skim.n_events != rows[i].n_events)
            fail_msg("%s: %td bytes passed", rows[i].what, at - input);
    }
}

/* The same record by the general way: bytes taken, 0 where it is not whole or not right. */
static size_t decode(const uint8_t *bytes, size_t n_bytes, struct record_base *base,
                     struct record *record_out)
{
    struct unpack_cursor cursor = {bytes, bytes + n_bytes};
    if (*bytes == 0xc0 || record_decode(&cursor, base, record_out))
        return 0;
    return (size_t)(cursor.at - bytes);
}

/* An array of small and large integers with a likely tag, now and then with a byte that is wrong. */
static size_t make_record(uint8_t *bytes)
{
    static const uint8_t tags[] = {1, 3, 10, 16, 17, 24, 29, 37, 40, 33};
    struct pack_cursor cursor = {bytes};
    const unsigned n = 2 + (unsigned)random() % 6;
    *cursor.at++ = (uint8_t)(0x90 | n);
    *cursor.at++ = tags[(size_t)random() % sizeof tags];
    for (unsigned i = 1; i < n; i++) {
        const uint64_t wide = (uint64_t)random() << 33 ^ (uint64_t)random() << 8;
        const unsigned shift = (i % 8 ? 30 : 0) + (unsigned)random() % 34;
        if (i <= 2 || random() % 32 == 0)
            pack_int64(&cursor, (int64_t)wide >> shift);
        else
            pack_uint64(&cursor, wide >> shift);
    }
    const size_t n_bytes = (size_t)(cursor.at - bytes);
    if (random() % 4 == 0)
        bytes[(size_t)random() % n_bytes] = (uint8_t)random();
    return n_bytes;
}

static void what_is_passed_decodes_the_same(void **state)
{
    size_t n_passed = 0;
    (void)state;
    srandom(3);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t bytes[2 * SLACK_BYTES];
        struct record_base base = {77, 88};
        struct record record;
        struct skim skim = {.base = base};
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)random();
        make_record(bytes);
        const size_t n =
            (size_t)(skim_events(bytes, bytes + 1, bytes + sizeof bytes, &skim) - bytes);
        if (n == 0)
            continue;
        n_passed++;
        assert_int_equal(decode(bytes, sizeof bytes, &base, &record), n);
        assert_int_equal(skim.base.ticks, base.ticks);
        assert_int_equal(skim.base.address, base.address);
        assert_int_equal(skim.n_events,
                         record.tag != TRACE_REALLOC_BEGIN && record.tag != TRACE_CALL_TIME);
    }
    assert_true(n_passed > MANY / 20);
}

static void nodes_decode_the_same(void **state)
{
    size_t n_passed = 0;
    (void)state;
    srandom(4);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t bytes[2 * SLACK_BYTES] = {0x94, TRACE_NODE};
        struct pack_cursor cursor = {bytes + 2};
        struct record record;
        uint64_t return_address;
        const uint32_t parent = (uint32_t)random() >> random() % 32;
        pack_uint32(&cursor, parent + (uint32_t)random() % 3);
        pack_uint32(&cursor, parent);
        pack_uint64(&cursor, (uint64_t)random() << random() % 24 | 0x400000);
        if (i % 4 == 0)
            bytes[random() % 20] = (uint8_t)random();
        const uint8_t *const behind = skim_node(bytes, bytes + sizeof bytes, &return_address);
        if (!behind)
            continue;
        n_passed++;
        assert_int_equal(decode(bytes, sizeof bytes, &(struct record_base){0}, &record),
                         behind - bytes);
        assert_int_equal(record.tag, TRACE_NODE);
        assert_int_equal(record.node.return_address, return_address);
    }
    assert_true(n_passed > MANY / 20);
}

/* Whatever is there, nothing behind the end is touched: the buffer ends with the heap block. */
static void nothing_behind_the_end_is_read(void **state)
{
    (void)state;
    srandom(5);
    for (unsigned i = 0; i < 20000; i++) {
        const size_t n_bytes = 1 + (size_t)random() % 80;
        uint8_t *const bytes = malloc(n_bytes);
        struct skim skim = {0};
        uint64_t return_address;
        memset(bytes, 0xce, n_bytes);
        for (size_t at = 0; at + 8 < n_bytes; at += 8)
            memcpy(bytes + at, (uint8_t[]){0x93, 0x18, 0x01, 0xd2, 0, 0, 1, 0}, 8);
        const uint8_t *const at = skim_events(bytes, bytes + n_bytes, bytes + n_bytes, &skim);
        assert_in_range(at - bytes, 0, n_bytes);
        skim_node(at, bytes + n_bytes, &return_address);
        free(bytes);
    }
}

static void it_stops_at_the_record_that_reaches_the_limit(void **state)
{
    uint8_t bytes[600];
    struct skim skim = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i += 6)
        memcpy(bytes + i, rows[0].bytes, 6);
    const uint8_t *const at = skim_events(bytes, bytes + 100, bytes + sizeof bytes, &skim);
    assert_int_equal(at - bytes, 102);
    assert_int_equal(skim.n_records, 17);
    assert_int_equal(skim.base.address, 17 * 0x10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_passed_or_left),
        cmocka_unit_test(what_is_passed_decodes_the_same),
        cmocka_unit_test(nodes_decode_the_same),
        cmocka_unit_test(nothing_behind_the_end_is_read),
        cmocka_unit_test(it_stops_at_the_record_that_reaches_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
