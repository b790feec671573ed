/* SPDX-License-Identifier: MIT */
/* The run over time and by size. */
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

#include "tests/support/load_script.h"

static void size_buckets_sum_up_to_the_totals(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 0 2\n1 malloc 20 0x2000 1 2\n1 malloc 30 0x3000 2 2\n"
                    "1 malloc 40 0x4000 3 2\n1 free 50 0x4000\n1 malloc 60 0x5000 1024 2\n"
                    "1 realloc_begin 70 0x5000 0\n1 realloc_end 71 0x5000 2000 2\n" SCRIPT_TAIL);
    static const struct {
        uint64_t lower, upper, count, bytes, temporary;
    } rows[] = {{0, 0, 1, 0, 0}, {1, 1, 1, 1, 0}, {2, 3, 2, 5, 1}, {1024, 2047, 1, 3024, 0}};
    assert_int_equal(profile->n_size_buckets, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < profile->n_size_buckets; i++) {
        const struct size_bucket *const bucket = &profile->size_buckets[i];
        assert_int_equal(bucket->lower_bytes, rows[i].lower);
        assert_int_equal(bucket->upper_bytes, rows[i].upper);
        assert_int_equal(bucket->alloc_count, rows[i].count);
        assert_int_equal(bucket->alloc_bytes, rows[i].bytes);
        assert_int_equal(bucket->temporary_count, rows[i].temporary);
    }
    assert_int_equal(profile->size_buckets[2].lifetime_ns.n, 1);
    assert_int_equal(profile->size_buckets[2].lifetime_ns.max, 10);
    profile_free(profile);
}

static void timeline_sums_processes_and_carries_on(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "stream 2 2 101 101 0\n"
                    "2 image 5 image=2 pid=101 parent_pid=100 start=8 executable=/bin/q\n"
                    "1 malloc 1000 0x1000 100 2\n2 malloc 25000000 0x1000 50 0\n"
                    "rss 26000000 100 4096\nrss 26000000 101 8192\n"
                    "1 free 35000000 0x1000\nprocess_end 45000000 101 0\n" SCRIPT_TAIL);
    static const uint64_t live[] = {100, 100, 150, 150, 50, 0},
                          rss[] = {0, 0, 12288, 12288, 12288, 4096};
    uint64_t count = 0;
    assert_true(profile->n_timeline > 50 && profile->n_timeline <= 1000);
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        assert_int_equal(profile->timeline[i].live_bytes, live[i]);
        assert_int_equal(profile->timeline[i].rss_bytes, rss[i]);
    }
    for (size_t i = 0; i < profile->n_timeline; i++)
        count += profile->timeline[i].alloc_count;
    assert_int_equal(count, 2);
    assert_int_equal(profile->peak_rss_bytes, 12288);
    assert_true(profile->timeline[0].t_seconds > 0.0099 && profile->timeline[0].t_seconds < 0.0101);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_buckets_sum_up_to_the_totals),
        cmocka_unit_test(timeline_sums_processes_and_carries_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
