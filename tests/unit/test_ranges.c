/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "symbols/ranges.h"

static void add(struct ranges *ranges, uint64_t low, uint64_t high, uint32_t depth, uint32_t value)
{
    assert_int_equal(
        ranges_add(ranges,
                   (struct range){.low = low, .high = high, .depth = depth, .value = value}),
        0);
}

static void deepest_range_wins(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    add(&ranges, 100, 200, 1, 10); /* function */
    add(&ranges, 120, 150, 2, 11); /* inlined into it */
    add(&ranges, 130, 140, 3, 12); /* and into that */
    add(&ranges, 300, 310, 1, 20);
    ranges_seal(&ranges);
    static const struct {
        uint64_t address;
        uint32_t value;
    } rows[] = {
        {99, RANGES_NONE},  {100, 10}, {119, 10}, {120, 11},          {130, 12},
        {139, 12},          {140, 11}, {150, 10}, {199, 10},          {200, RANGES_NONE},
        {250, RANGES_NONE}, {300, 20}, {309, 20}, {310, RANGES_NONE}, {UINT64_MAX, RANGES_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ranges_find(&ranges, rows[i].address), rows[i].value);
    }
    ranges_fini(&ranges);
}

static void narrower_of_equal_depth_wins(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    add(&ranges, 0, UINT64_MAX, 0, 1); /* a broken unit that claims everything */
    add(&ranges, 50, 60, 0, 2);
    ranges_seal(&ranges);
    assert_int_equal(ranges_find(&ranges, 55), 2);
    assert_int_equal(ranges_find(&ranges, 60), 1);
    ranges_fini(&ranges);
}

static void empty_and_backward_ranges_are_ignored(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    add(&ranges, 5, 5, 0, 1);
    add(&ranges, 9, 3, 0, 1);
    ranges_seal(&ranges);
    assert_int_equal(ranges.n, 0);
    assert_int_equal(ranges_find(&ranges, 5), RANGES_NONE);
    ranges_fini(&ranges);
    ranges_fini(&ranges);
}

/* Against the plain search through all ranges. */
static void agrees_with_a_linear_search(void **state)
{
    (void)state;
    enum { N = 400, SPAN = 2000 };
    struct ranges ranges = {0};
    struct range all[N];
    srand(1);
    for (uint32_t i = 0; i < N; i++) {
        const uint64_t low = (uint64_t)(rand() % SPAN);
        all[i] = (struct range){.low = low,
                                .high = low + 1 + (uint64_t)(rand() % 60),
                                .depth = i, /* all different: one answer */
                                .value = i};
        assert_int_equal(ranges_add(&ranges, all[i]), 0);
    }
    ranges_seal(&ranges);
    for (uint64_t address = 0; address < SPAN + 100; address++) {
        uint32_t expected = RANGES_NONE;
        for (uint32_t i = 0; i < N; i++) {
            if (all[i].low <= address && address < all[i].high) {
                expected = i;
            }
        }
        assert_int_equal(ranges_find(&ranges, address), expected);
    }
    ranges_fini(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deepest_range_wins),
        cmocka_unit_test(narrower_of_equal_depth_wins),
        cmocka_unit_test(empty_and_backward_ranges_are_ignored),
        cmocka_unit_test(agrees_with_a_linear_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
