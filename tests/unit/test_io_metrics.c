/* SPDX-License-Identifier: MIT */
#include "report/io_metrics.h"
#include "tests/support/profile_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

static void sites_add_up_to_the_totals(void **state)
{
    (void)state;
    const struct profile *const profile = profile_fixture();
    struct metrics sum = {0};
    for (size_t i = 0; i < profile->n_io_sites; i++) {
        const struct metrics of = io_metrics_of_site(&profile->io_sites[i]);
        sum.io_calls += of.io_calls;
        sum.io_read_calls += of.io_read_calls;
        sum.io_write_calls += of.io_write_calls;
        sum.io_read_bytes += of.io_read_bytes;
        sum.io_write_bytes += of.io_write_bytes;
        sum.stdio_calls += of.stdio_calls;
        sum.fsync_count += of.fsync_count;
    }
    assert_int_equal(sum.io_calls, profile->totals.io_calls);
    assert_int_equal(sum.io_read_calls, profile->totals.io_read_calls);
    assert_int_equal(sum.io_write_calls, profile->totals.io_write_calls);
    assert_int_equal(sum.io_read_bytes, profile->totals.io_read_bytes);
    assert_int_equal(sum.io_write_bytes, profile->totals.io_write_bytes);
    assert_int_equal(sum.stdio_calls, profile->totals.stdio_calls);
    assert_int_equal(sum.fsync_count, profile->totals.fsync_count);
}

static void a_copy_counts_on_both_sides_and_a_sync_on_none(void **state)
{
    (void)state;
    static const struct {
        bool reads, writes;
        uint64_t calls, read_bytes, write_bytes, syncs;
    } rows[] = {
        {true, false, 7, 70, 0, 0},
        {false, true, 7, 0, 70, 0},
        {true, true, 14, 70, 70, 0},
        {false, false, 0, 0, 0, 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct io_site site = {
            .reads = rows[i].reads, .writes = rows[i].writes, .calls = 7, .bytes = 70};
        const struct metrics of = io_metrics_of_site(&site);
        assert_int_equal(of.io_calls, rows[i].calls);
        assert_int_equal(of.io_read_bytes, rows[i].read_bytes);
        assert_int_equal(of.io_write_bytes, rows[i].write_bytes);
        assert_int_equal(of.fsync_count, rows[i].syncs);
        assert_int_equal(of.events, 7);
    }
}

static void damaged_counts_do_not_wrap(void **state)
{
    (void)state;
    const struct io_site site = {.reads = true, .writes = true, .calls = UINT64_MAX};
    assert_true(io_metrics_of_site(&site).io_calls == UINT64_MAX);
    const struct io_file file = {.read_calls = UINT64_MAX, .write_calls = 1, .fsyncs = UINT64_MAX};
    assert_true(io_metrics_of_file(&file).io_calls == UINT64_MAX);
    assert_true(io_metrics_of_file(&file).events == UINT64_MAX);
}

typedef int order_function(const struct profile *, const struct report_options *, size_t **,
                           size_t *);

static void orders_follow_sort_and_top(void **state)
{
    (void)state;
    static const struct {
        order_function *order;
        const char *sort;
        size_t top, n, first, second;
    } rows[] = {
        {io_metrics_order_sites, NULL, 0, 7, 0, 1},
        {io_metrics_order_sites, "leaked_bytes", 3, 3, 0, 1},
        {io_metrics_order_sites, "io_read_bytes", 0, 7, 1, 2},
        {io_metrics_order_sites, "stdio_calls", 0, 7, 1, 4},
        {io_metrics_order_sites, "open_count", 2, 2, 0, 1}, /* sites have none: as they were */
        {io_metrics_order_files, NULL, 99, 8, 0, 1},
        {io_metrics_order_files, "open_count", 0, 8, 6, 1},
        {io_metrics_order_files, "stat_count", 1, 1, 6, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct report_options options = {
            .top = rows[i].top, .sort = rows[i].sort ? metrics_find(rows[i].sort) : NULL};
        size_t *indices = NULL;
        size_t n = 0;
        assert_int_equal(rows[i].order(profile_fixture(), &options, &indices, &n), 0);
        assert_int_equal(n, rows[i].n);
        assert_int_equal(indices[0], rows[i].first);
        if (n > 1)
            assert_int_equal(indices[1], rows[i].second);
        free(indices);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_add_up_to_the_totals),
        cmocka_unit_test(a_copy_counts_on_both_sides_and_a_sync_on_none),
        cmocka_unit_test(damaged_counts_do_not_wrap),
        cmocka_unit_test(orders_follow_sort_and_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
