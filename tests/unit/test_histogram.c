/* SPDX-License-Identifier: MIT */
/* How far a quantile may be from the truth, and what stays exact. */
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

#include "reader/histogram.h"

static void one_value_is_every_quantile(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 63, 64, 65, 1000, 123456789, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct histogram histogram = {0};
        assert_int_equal(histogram_add(&histogram, values[i], 1000), 0);
        const struct quantiles q = histogram_quantiles(&histogram, 1);
        assert_true(q.min == values[i] && q.max == values[i] && q.n == 1000);
        assert_true(q.p50 == values[i] && q.p95 == values[i] && q.p99 == values[i]);
        assert_int_equal(histogram.n_slots, 0);
        histogram_fini(&histogram);
    }
}

static void nothing_counted_is_all_zero(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    const struct quantiles q = histogram_quantiles(&histogram, 1), zero = {0};
    assert_memory_equal(&q, &zero, sizeof q);
    assert_int_equal(histogram_quantile(&histogram, 50), 0);
    assert_int_equal(histogram_ceiling(&histogram, 999), 0);
    assert_int_equal(histogram_add(&histogram, 5, 0), 0);
    assert_int_equal(histogram.n, 0);
}

/* Values 1..n * step: the percent-quantile is known. */
static void quantiles_are_within_a_thirty_second(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, step;
    } rows[] = {{100, 1}, {1000, 1}, {1000, 7}, {5000, 123}, {300, UINT64_C(1) << 40}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct histogram histogram = {0};
        for (uint64_t j = 1; j <= rows[i].n; j++)
            assert_int_equal(histogram_add(&histogram, j * rows[i].step, 1), 0);
        for (unsigned percent = 1; percent <= 100; percent++) {
            const uint64_t rank = (rows[i].n * percent + 99) / 100, truth = rank * rows[i].step;
            const uint64_t found = histogram_quantile(&histogram, percent);
            const uint64_t error = found > truth ? found - truth : truth - found;
            assert_true(error <= truth / 32);
        }
        assert_int_equal(histogram.min, rows[i].step);
        assert_true(histogram.max == rows[i].n * rows[i].step);
        histogram_fini(&histogram);
    }
}

static void ceilings_are_never_below_the_truth(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, step;
    } rows[] = {{1, 5}, {1000, 1}, {999, 3}, {1001, 7}, {5000, 123}, {300, UINT64_C(1) << 40}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct histogram histogram = {0};
        for (uint64_t j = 1; j <= rows[i].n; j++)
            assert_int_equal(histogram_add(&histogram, j * rows[i].step, 1), 0);
        for (unsigned per_mille = 1; per_mille <= 1000; per_mille++) {
            const uint64_t rank = (rows[i].n * per_mille + 999) / 1000;
            const uint64_t truth = rank * rows[i].step;
            const uint64_t found = histogram_ceiling(&histogram, per_mille);
            assert_true(found >= truth && found - truth <= truth / 32);
            assert_true(found <= histogram.max);
        }
        histogram_fini(&histogram);
    }
}

static void counts_from_a_value_leave_its_bucket_out_where_that_begins_below(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    assert_int_equal(histogram_count_from(&histogram, 0), 0);
    histogram_add(&histogram, 1023, 1);
    assert_int_equal(histogram_count_from(&histogram, 1008), 1); /* its bucket: 1008 to 1023 */
    assert_int_equal(histogram_count_from(&histogram, 1009), 0);
    histogram_add(&histogram, 1024, 2);
    histogram_add(&histogram, UINT64_MAX, 4);
    assert_int_equal(histogram_count_from(&histogram, 0), 7);
    assert_int_equal(histogram_count_from(&histogram, 1024), 6);
    assert_int_equal(histogram_count_from(&histogram, 1024.5), 4);
    assert_int_equal(histogram_count_from(&histogram, 1e30), 0);
    histogram_fini(&histogram);
}

static void merging_is_counting_both(void **state)
{
    (void)state;
    struct histogram a = {0}, b = {0}, both = {0};
    uint64_t value = 12345;
    for (unsigned i = 0; i < 2000; i++) {
        value = value * UINT64_C(6364136223846793005) + 1;
        assert_int_equal(histogram_add(i % 3 ? &a : &b, value >> (value & 63), 1), 0);
        assert_int_equal(histogram_add(&both, value >> (value & 63), 1), 0);
    }
    assert_int_equal(histogram_merge(&a, &b), 0);
    const struct quantiles p = histogram_quantiles(&a, 1), q = histogram_quantiles(&both, 1);
    assert_memory_equal(&p, &q, sizeof p);
    struct histogram empty = {0}, single = {0};
    assert_int_equal(histogram_merge(&empty, &single), 0);
    assert_int_equal(histogram_add(&single, 9, 3), 0);
    assert_int_equal(histogram_merge(&empty, &single), 0);
    assert_int_equal(histogram_quantile(&empty, 50), 9);
    histogram_fini(&a);
    histogram_fini(&b);
    histogram_fini(&both);
}

static void scale_turns_ticks_into_nanoseconds(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 10, 1);
    histogram_add(&histogram, 30, 1);
    const struct quantiles q = histogram_quantiles(&histogram, 0.5);
    assert_int_equal(q.min, 5);
    assert_int_equal(q.max, 15);
    histogram_fini(&histogram);
}

static void counts_stop_at_the_top(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 1, UINT64_MAX);
    histogram_add(&histogram, 1, UINT64_MAX);
    histogram_add(&histogram, 900, UINT64_MAX);
    assert_true(histogram.n == UINT64_MAX);
    assert_true(histogram_quantile(&histogram, 50) >= 1);
    histogram_fini(&histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(nothing_counted_is_all_zero),
        cmocka_unit_test(quantiles_are_within_a_thirty_second),
        cmocka_unit_test(ceilings_are_never_below_the_truth),
        cmocka_unit_test(counts_from_a_value_leave_its_bucket_out_where_that_begins_below),
        cmocka_unit_test(merging_is_counting_both),
        cmocka_unit_test(scale_turns_ticks_into_nanoseconds),
        cmocka_unit_test(counts_stop_at_the_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
