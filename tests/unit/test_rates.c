/* SPDX-License-Identifier: MIT */
/* Which second was the busiest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reader/rates.h"

enum { STEP = 1 << RATES_FIRST_SHIFT };

static void check(const struct rates *rates, double window_ticks, uint64_t count, uint64_t bytes)
{
    uint64_t n, n_bytes;
    rates_peak(rates, window_ticks, &n, &n_bytes);
    assert_int_equal(n, count);
    assert_int_equal(n_bytes, bytes);
}

static void best_window_is_found(void **state)
{
    (void)state;
    struct rates rates = {.start_ticks = 1000};
    check(&rates, 1e9, 0, 0);
    /* One a step for 100 steps, ten a step for 10 steps, one a step for 100 steps. */
    for (uint64_t i = 0; i < 210; i++) {
        const uint64_t n = i >= 100 && i < 110 ? 10 : 1;
        for (uint64_t j = 0; j < n; j++)
            assert_int_equal(rates_count(&rates, 1000 + i * STEP + j, 1, 8), 0);
    }
    check(&rates, 10.0 * STEP, 100, 800);
    check(&rates, 20.0 * STEP, 110, 880);
    check(&rates, 1e12, 300, 2400);
    rates_fini(&rates);
}

static void pauses_separate_windows(void **state)
{
    (void)state;
    struct rates rates = {0};
    rates_count(&rates, 0, 1, 10);
    rates_count(&rates, UINT64_C(50) * STEP, 1, 30);
    rates_count(&rates, UINT64_C(51) * STEP, 1, 30);
    check(&rates, 10.0 * STEP, 2, 60);
    check(&rates, 52.0 * STEP, 3, 70);
    rates_fini(&rates);
}

static void counts_and_bytes_may_peak_apart(void **state)
{
    (void)state;
    struct rates rates = {0};
    rates_count(&rates, 0, 5, 1);
    rates_count(&rates, UINT64_C(100) * STEP, 1, 1000);
    check(&rates, 10.0 * STEP, 5, 1000);
    rates_fini(&rates);
}

static void merged_rates_are_as_if_counted_together(void **state)
{
    (void)state;
    struct rates a = {.start_ticks = 5}, b = {.start_ticks = 5}, whole = {.start_ticks = 5};
    for (uint64_t i = 0; i < 1000; i++) {
        rates_count(i % 3 ? &a : &b, 5 + i * STEP / 2, 1, i);
        assert_int_equal(rates_count(&whole, 5 + i * STEP / 2, 1, i), 0);
    }
    struct rates sum = {0}, nothing = {0};
    assert_int_equal(rates_merge(&sum, &nothing), 0);
    assert_int_equal(rates_merge(&sum, &a), 0);
    assert_int_equal(rates_merge(&sum, &b), 0);
    uint64_t count, bytes;
    rates_peak(&whole, 20.0 * STEP, &count, &bytes);
    check(&sum, 20.0 * STEP, count, bytes);
    rates_fini(&a);
    rates_fini(&b);
    rates_fini(&whole);
    rates_fini(&sum);
}

static void coarser_and_finer_rates_merge(void **state)
{
    (void)state;
    struct rates coarse = {0}, fine = {0}, sum = {0};
    for (uint64_t i = 0; i < 2 * RATES_MAX_STEPS; i++)
        rates_count(&coarse, i * STEP, 1, 1);
    for (uint64_t i = 0; i < 100; i++)
        rates_count(&fine, i * STEP, 1, 1);
    assert_true(coarse.shift > fine.shift);
    assert_int_equal(rates_merge(&sum, &fine), 0);
    assert_int_equal(rates_merge(&sum, &coarse), 0);
    assert_true(sum.n_steps <= RATES_MAX_STEPS);
    check(&sum, 100.0 * STEP, 200, 200);
    check(&sum, 1e18, 2 * RATES_MAX_STEPS + 100, 2 * RATES_MAX_STEPS + 100);
    assert_int_equal(rates_merge(&fine, &coarse), 0);
    check(&fine, 100.0 * STEP, 200, 200);
    rates_fini(&coarse);
    rates_fini(&fine);
    rates_fini(&sum);
}

static void long_runs_are_bounded_and_lose_no_counts(void **state)
{
    (void)state;
    struct rates rates = {0};
    for (uint64_t i = 0; i < 3 * RATES_MAX_STEPS; i++)
        assert_int_equal(rates_count(&rates, i * STEP, 1, 2), 0);
    assert_true(rates.n_steps <= RATES_MAX_STEPS);
    check(&rates, 1e18, 3 * RATES_MAX_STEPS, 6 * RATES_MAX_STEPS);
    check(&rates, 1024.0 * STEP, 1024, 2048);
    assert_int_equal(rates_count(&rates, 5, 1, 2), 0); /* back in time: counts as now */
    rates_fini(&rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_window_is_found),
        cmocka_unit_test(pauses_separate_windows),
        cmocka_unit_test(counts_and_bytes_may_peak_apart),
        cmocka_unit_test(merged_rates_are_as_if_counted_together),
        cmocka_unit_test(coarser_and_finer_rates_merge),
        cmocka_unit_test(long_runs_are_bounded_and_lose_no_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
