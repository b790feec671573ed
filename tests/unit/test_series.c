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

static void check_buckets(const struct profile *profile, const uint64_t (*rows)[6], size_t n)
{
    assert_int_equal(profile->n_size_buckets, n);
    for (size_t i = 0; i < n; i++) {
        const struct size_bucket *const bucket = &profile->size_buckets[i];
        assert_int_equal(bucket->lower_bytes, rows[i][0]);
        assert_int_equal(bucket->alloc_count, rows[i][1]);
        assert_int_equal(bucket->alloc_bytes, rows[i][2]);
        assert_int_equal(bucket->temporary_count, rows[i][3]);
        assert_int_equal(bucket->lifetime_ns.n, rows[i][4]);
        assert_int_equal(bucket->lifetime_ns.max, rows[i][5]);
    }
}

/* Site 2 has one size, site 3 a second one after some blocks were freed, the other process is left out. */
static void size_buckets_know_sites_of_one_size_and_of_many(void **state)
{
    (void)state;
    static const char script[] =
        SCRIPT_HEAD "stream 2 2 101 101 0\n"
                    "2 image 5 image=2 pid=101 parent_pid=100 parent_image=1 fork_id=0 start=9 "
                    "executable=/bin/prog arguments=[] allocator=\n"
                    "1 malloc 10 0x1000 64 3\n1 free 15 0x1000\n"
                    "1 malloc 20 0x1000 64 3\n1 free 28 0x1000\n"
                    "1 malloc 29 0x2000 70 2\n2 malloc 29 0x2000 100 0\n"
                    "1 malloc 30 0x1000 200 3\n1 free 33 0x1000\n"
                    "1 realloc_begin 34 0x2000 0\n1 realloc_end 35 0x2000 71 2\n"
                    "1 malloc 40 0x1000 64 3\n1 free 41 0x1000\n" SCRIPT_TAIL;
    static const uint64_t all[][6] = {{64, 5, 433, 3, 3, 8}, {128, 1, 200, 1, 1, 3}},
                          first[][6] = {{64, 4, 333, 3, 3, 8}, {128, 1, 200, 1, 1, 3}};
    struct profile *profile = load_script(script);
    check_buckets(profile, all, 2);
    profile_free(profile);
    profile = load_script_with(script, &(struct profile_options){.process_id = 1});
    check_buckets(profile, first, 2);
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
        cmocka_unit_test(size_buckets_know_sites_of_one_size_and_of_many),
        cmocka_unit_test(timeline_sums_processes_and_carries_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
