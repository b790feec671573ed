/* SPDX-License-Identifier: MIT */
/* What processes and the whole run amount to. */
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

static const char two[] =
    SCRIPT_HEAD "stream 2 2 101 101 0\n"
                "2 image 1000 image=2 pid=101 parent_pid=100 start=8 executable=/bin/q\n"
                "stream 3 2 101 102 0\n"
                "1 malloc 2000 0x1000 100 2\n2 malloc 2001 0x1000 70 0\n3 malloc 2002 0x2000 50 0\n"
                "2 free 2003 0x1000\n2 free 2004 0x2000\n"
                "stream_end 1 fast=10 fallback=1\nstream_end 2 fast=5 truncated=2 other=7\n"
                "stream_end 3 fast=1\nlost 2 4 1\nlost 0 3 3\nunattached 3000 77 1 /bin/static\n"
                "process_end 500000000 101 9\n" SCRIPT_TAIL;

static void the_whole_is_the_sum_and_the_largest_peak(void **state)
{
    (void)state;
    struct profile *const profile = load_script(two);
    assert_int_equal(profile->totals.alloc_count, 3);
    assert_int_equal(profile->totals.peak_bytes, 120);
    assert_int_equal(profile->totals.peak_count, 2);
    assert_int_equal(profile->totals.leaked_bytes, 100);
    assert_int_equal(profile->totals.slack_bytes, 4 + (72 - 70) + (56 - 50));
    assert_int_equal(profile->totals.lost_events, 7);
    assert_int_equal(profile->coverage.threads, 3);
    assert_int_equal(profile->coverage.processes, 2);
    assert_int_equal(profile->coverage.unattached_processes, 1);
    assert_int_equal(profile->coverage.unwind_fast, 16);
    assert_int_equal(profile->coverage.unwind_truncated, 2);
    profile_free(profile);
}

static void processes_have_their_own(void **state)
{
    (void)state;
    struct profile *const profile = load_script(two);
    const struct process *const first = &profile->processes[0], *const second =
                                                                    &profile->processes[1];
    assert_int_equal(first->totals.peak_bytes, 100);
    assert_int_equal(second->totals.peak_bytes, 120);
    assert_string_equal(first->images[0].build_id, "aa11");
    assert_string_equal(second->images[0].build_id, "");
    assert_int_equal(second->totals.lost_events, 4);
    assert_int_equal(second->n_threads, 2);
    assert_int_equal(second->wait_status, 9);
    assert_true(second->totals.duration_seconds > 0.499 && second->totals.duration_seconds < 0.5);
    assert_true(second->started_seconds > 0.9e-6 && second->started_seconds < 1.1e-6);
    assert_true(profile->duration_seconds > 0.999);
    profile_free(profile);
}

static void rates_are_per_second_of_the_duration(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 100 2\n"
                                "1 malloc 3500000000 0x3000 100 2\nprocess_end 4000000000 100 0\n"
                                "clock 4000000000 4000000000 0\nend 4000000000 x=0\n");
    assert_true(profile->totals.alloc_rate > 0.74 && profile->totals.alloc_rate < 0.76);
    assert_true(profile->totals.alloc_byte_rate > 74 && profile->totals.alloc_byte_rate < 76);
    assert_true(profile->totals.peak_alloc_rate == 2);
    assert_true(profile->processes[0].totals.peak_alloc_byte_rate == 200);
    profile_free(profile);
}

static void ticks_are_turned_into_time_by_the_clock(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        "run clock=tsc root_pid=100\nclock 5000 0 0\nstream 1 1 100 100 0\n"
        "1 image 5001 image=1 pid=100 start=1\n1 malloc 5100 0x1000 1 0\n"
        "1 free 8100 0x1000\nprocess_end 3000005000 100 0\nclock 3000005000 1000000000 0\n"
        "end 3000005000 x=0\n");
    assert_int_equal(profile->lifetime_ns.max, 1000);
    assert_true(profile->duration_seconds > 0.999 && profile->duration_seconds < 1.001);
    assert_int_equal(profile->n_remarks, 0);
    profile_free(profile);
}

static void cut_before_the_second_clock_is_remarked(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script("run clock=tsc root_pid=100\nclock 5000 0 0\nstream 1 1 100 100 0\n"
                    "1 image 5001 image=1 pid=100 start=1\n1 malloc 5100 0x1000 1 0\n");
    assert_true(profile->truncated);
    assert_string_equal(profile->cut.reason, "the end mark is missing");
    assert_int_equal(profile->n_remarks, 1);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_is_the_sum_and_the_largest_peak),
        cmocka_unit_test(processes_have_their_own),
        cmocka_unit_test(rates_are_per_second_of_the_duration),
        cmocka_unit_test(ticks_are_turned_into_time_by_the_clock),
        cmocka_unit_test(cut_before_the_second_clock_is_remarked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
