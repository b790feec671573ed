/* SPDX-License-Identifier: MIT */
/* The quick way must say what the general way says, and leave to it what it does not know. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/pack.h"
#include "trace/record.h"
#include "trace/record_hot.h"

enum { RECORD_BYTES = 64, ROUNDS = 200000 };

/* A number of random width, so that every way of writing one occurs. */
static uint64_t random_number(void)
{
    const uint64_t bits = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
    return bits >> (rand() % 64);
}

static void pack_random(struct pack_cursor *cursor)
{
    static const uint8_t tags[] = {
        TRACE_MALLOC,   TRACE_CALLOC, TRACE_MALLOCX, TRACE_REALLOC_END,   TRACE_FREE,
        TRACE_SDALLOCX, TRACE_MMAP,   TRACE_NODE,    TRACE_REALLOC_BEGIN, TRACE_REALLOC_FAIL};
    const uint8_t tag = tags[(size_t)rand() % sizeof tags];
    const unsigned n = 1 + (unsigned)rand() % 7;
    pack_array(cursor, n + 1);
    pack_uint8(cursor, tag);
    for (unsigned i = 0; i < n; i++)
        if (rand() % 3)
            pack_uint64(cursor, random_number());
        else
            pack_int64(cursor, (int64_t)random_number() * (rand() % 2 ? 1 : -1));
}

/* Decode with nothing behind the record, so that only the general way applies, and with plenty. */
static void both_ways_agree(void **state)
{
    (void)state;
    srand(1);
    unsigned n_hot = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t bytes[RECORD_BYTES + RECORD_HOT_BYTES + 64] = {0};
        struct pack_cursor out = {.at = bytes};
        pack_random(&out);
        struct record_base bases[2] = {{1000, 0x5000}, {1000, 0x5000}};
        struct unpack_cursor alone = {.at = bytes, .end = out.at};
        struct unpack_cursor followed = {.at = bytes, .end = bytes + sizeof bytes};
        struct record records[2];
        const int errors[2] = {record_decode(&alone, &bases[0], &records[0]),
                               record_decode(&followed, &bases[1], &records[1])};
        struct record_base base = {1000, 0x5000};
        struct unpack_cursor again = {.at = bytes, .end = bytes + sizeof bytes};
        n_hot += record_hot_decode(&again, &base, &records[1]);
        assert_int_equal(errors[0], errors[1]);
        assert_ptr_equal(alone.at, followed.at);
        assert_memory_equal(&bases[0], &bases[1], sizeof bases[0]);
        if (errors[0] || !record_is_allocation(records[0].tag))
            continue;
        assert_int_equal(records[0].tag, records[1].tag);
        assert_int_equal(records[0].ticks, records[1].ticks);
        assert_memory_equal(&records[0].block, &records[1].block, sizeof records[0].block);
    }
    assert_in_range(n_hot, ROUNDS / 20, ROUNDS);
}

static void short_input_is_left_to_the_general_way(void **state)
{
    (void)state;
    uint8_t bytes[RECORD_HOT_BYTES] = {0x93, TRACE_FREE, 1, 1};
    struct record_base base = {0};
    struct record record;
    struct unpack_cursor cursor = {.at = bytes, .end = bytes + RECORD_HOT_BYTES - 1};
    assert_false(record_hot_decode(&cursor, &base, &record));
    cursor.end++;
    assert_true(record_hot_decode(&cursor, &base, &record));
    assert_ptr_equal(cursor.at, bytes + 4);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n_bytes;
    } rows[] = {
        {"\x95\x01\x01\x01\xff\x01", 6},                              /* size < 0 */
        {"\x95\x01\x01\x01\x08\xcf\x00\x00\x00\x01\x00\x00\x00", 14}, /* stack > 32 bits */
        {"\x93\x18\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},     /* dt > int64 */
        {"\x93\x18\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 12},     /* da > int64 */
        {"\x93\x18\x01\xa1", 4},                                      /* no number */
        {"\x96\x18\x01\x01\x01\x01\x01", 7},                          /* too long for a release */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[2 * RECORD_HOT_BYTES] = {0};
        memcpy(bytes, rows[i].bytes, rows[i].n_bytes);
        struct unpack_cursor cursor = {.at = bytes, .end = bytes + sizeof bytes};
        struct record_base base = {0};
        struct record record;
        assert_false(record_hot_decode(&cursor, &base, &record));
        assert_ptr_equal(cursor.at, bytes);
        assert_int_equal(base.ticks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(short_input_is_left_to_the_general_way),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
