/* SPDX-License-Identifier: MIT */
/* The quick way into an event must say what the general way says, and leave to it what it cannot. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/event_decode.h"
#include "trace/pack.h"

enum { RECORD_BYTES = 80, ROUNDS = 200000 };

/* A number of random width, so that every way of writing one occurs. */
static uint64_t random_number(void)
{
    const uint64_t bits = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
    return bits >> (rand() % 64);
}

static void pack_random(struct pack_cursor *cursor)
{
    static const uint8_t tags[] = {TRACE_MALLOC,       TRACE_CALLOC,   TRACE_MALLOCX,
                                   TRACE_REALLOC_END,  TRACE_FREE,     TRACE_SDALLOCX,
                                   TRACE_MMAP,         TRACE_NODE,     TRACE_REALLOC_BEGIN,
                                   TRACE_REALLOC_FAIL, TRACE_CALL_TIME};
    const uint8_t tag = tags[(size_t)rand() % sizeof tags];
    const unsigned n = 1 + (unsigned)rand() % 5;
    pack_array(cursor, n + 1);
    pack_uint8(cursor, tag);
    for (unsigned i = 0; i < n; i++)
        if (rand() % 3)
            pack_uint64(cursor, random_number());
        else
            pack_int64(cursor, (int64_t)random_number() * (rand() % 2 ? 1 : -1));
}

static void expect_same(const struct event *quick, const struct event *general)
{
    assert_int_equal(quick->tag, general->tag);
    assert_int_equal(quick->kind, general->kind);
    assert_int_equal(quick->ticks, general->ticks);
    assert_int_equal(quick->address, general->address);
    assert_int_equal(quick->stack, general->stack);
    assert_int_equal(quick->slack_bytes, general->slack_bytes);
    if (quick->tag == TRACE_NODE)
        return;
    assert_int_equal(quick->size_bytes, general->size_bytes);
    assert_int_equal(quick->alignment_bits, general->alignment_bits);
}

static void both_ways_agree(void **state)
{
    (void)state;
    srand(1);
    unsigned n_quick = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t bytes[RECORD_BYTES] = {0};
        struct pack_cursor out = {.at = bytes};
        pack_random(&out);
        struct record_base bases[2] = {{1000, 0x5000}, {1000, 0x5000}};
        struct event events[2];
        struct event_numbers numbers = {.at = bytes};
        if (!event_decode(&numbers, &bases[0], &events[0])) {
            assert_int_equal(bases[0].ticks, 1000);
            assert_int_equal(bases[0].address, 0x5000);
            continue;
        }
        struct unpack_cursor cursor = {.at = bytes, .end = out.at};
        struct record record;
        assert_int_equal(record_decode(&cursor, &bases[1], &record), 0);
        event_fill(&events[1], &record);
        assert_ptr_equal(cursor.at, numbers.at);
        assert_memory_equal(&bases[0], &bases[1], sizeof bases[0]);
        expect_same(&events[0], &events[1]);
        n_quick++;
    }
    assert_in_range(n_quick, ROUNDS / 20, ROUNDS);
}

static void what_is_unusual_is_left_to_the_general_way(void **state)
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
        {"\x93\x18\xca\x01\x01\x01\x01\x01", 8},                      /* a float */
        {"\x94\x18\x01\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 13}, /* its stack > 32 bits */
        {"\x94\x25\x01\xcd\x01\x00\x01", 7},                          /* a timed call above 255 */
        {"\x96\x01\x01\x01\x01\x01\x01", 7},                          /* usable */
        {"\x94\x10\x01\x01\xcd\x01\x00", 7},                          /* a call above 255 */
        {"\x94\x28\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x01\x01", 13}, /* node > 32 bits */
        {"\x94\x28\x03\x03\x01", 5},                                  /* its own parent */
        {"\xc0\x18\x01\x01", 4},                                      /* padding */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[RECORD_BYTES] = {0};
        memcpy(bytes, rows[i].bytes, rows[i].n_bytes);
        struct event_numbers numbers = {.at = bytes};
        struct record_base base = {0};
        struct event event;
        assert_false(event_decode(&numbers, &base, &event));
        assert_int_equal(base.ticks | base.address, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(what_is_unusual_is_left_to_the_general_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
