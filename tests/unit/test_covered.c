/* SPDX-License-Identifier: MIT */
/* How many different bytes some reads covered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/covered.h"

static void ranges_that_meet_grow_together(void **state)
{
    (void)state;
    static const struct {
        struct covered_range adds[5];
        uint32_t n_ranges;
        uint64_t n_bytes;
    } rows[] = {
        {{{0, 10}}, 1, 10},
        {{{0, 10}, {10, 20}}, 1, 20},
        {{{10, 20}, {0, 10}}, 1, 20},
        {{{0, 10}, {0, 10}, {2, 3}}, 1, 10},
        {{{0, 10}, {20, 30}, {40, 50}}, 3, 30},
        {{{0, 10}, {20, 30}, {40, 50}, {5, 45}}, 1, 50},
        {{{0, 10}, {20, 30}, {40, 50}, {12, 18}, {30, 40}}, 3, 46},
        {{{20, 30}, {0, 100}}, 1, 100},
        {{{5, 5}, {7, 3}}, 0, 0},
        {{{0, UINT64_MAX}, {UINT64_MAX - 1, UINT64_MAX}}, 1, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct covered covered = {0};
        for (size_t j = 0; j < 5; j++)
            assert_int_equal(covered_add(&covered, rows[i].adds[j].start, rows[i].adds[j].end), 0);
        assert_int_equal(covered.n, rows[i].n_ranges);
        assert_int_equal(covered.n_bytes, rows[i].n_bytes);
        covered_fini(&covered);
    }
}

static void same_bytes_are_counted_as_a_map_of_them_counts(void **state)
{
    (void)state;
    static bool map[2000];
    struct covered covered = {0};
    uint64_t seed = 7, n_bytes = 0;
    for (unsigned i = 0; i < 3000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const uint64_t start = (seed >> 40) % 1990, end = start + (seed >> 33) % 10;
        assert_int_equal(covered_add(&covered, start, end), 0);
        for (uint64_t at = start; at < end; at++) {
            n_bytes += !map[at];
            map[at] = true;
        }
        assert_int_equal(covered.n_bytes, n_bytes);
    }
    covered_fini(&covered);
}

static void too_many_places_are_unknown(void **state)
{
    (void)state;
    struct covered covered = {0};
    for (uint64_t i = 0; i < COVERED_MAX_RANGES; i++)
        assert_int_equal(covered_add(&covered, 10 * i, 10 * i + 1), 0);
    assert_int_equal(covered.n_bytes, COVERED_MAX_RANGES);
    assert_int_equal(covered_add(&covered, 3, 4), 0);
    assert_true(covered.is_unknown);
    assert_int_equal(covered.n_bytes, 0);
    assert_int_equal(covered_add(&covered, 3, 4), 0);
    assert_int_equal(covered.n, 0);
    covered_fini(&covered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_that_meet_grow_together),
        cmocka_unit_test(same_bytes_are_counted_as_a_map_of_them_counts),
        cmocka_unit_test(too_many_places_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
