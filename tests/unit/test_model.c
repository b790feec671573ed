/* SPDX-License-Identifier: MIT */
/* What is kept of streams nobody explained, and of records in odd places. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/load_script.h"

static void odd_records_do_no_harm(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "1 malloc 5 0x1000 1 1\n",                                     /* a chunk of no stream */
        "stream 1 1 1 1 0\nstream 1 2 2 2 0\n1 malloc 5 0x1000 1 0\n", /* a stream named twice */
        "stream 1 0 -5 -6 1\n1 free 5 0x1000\n1 fork 6 0\n",           /* no image at all */
        "stream 1 1 1 1 0\nstream_end 1 x=1\n1 malloc 5 0x1000 1 0\n", /* events after the end */
        "process_end 5 77 0\nrss 6 77 100\nstream_end 9 a=1\nlost 9 1 1\n", /* nobody known */
        "stream 1 1 1 1 0\n1 image 5 image=1 pid=1 parent_image=1 fork_id=1\n1 image 6 image=1 "
        "pid=2\n",
        "stream 1 1 1 1 0\n1 malloc 18446744073709551615 0x1000 1 0\n1 free 3 0x1000\n",
        "stream 1 1 1 1 0\n1 malloc 5 0x1000 9 0\nprocess_end 6 1 0\n1 malloc 7 0x2000 1 0\n"
        "1 free 8 0x1000\n1 free 9 0x2000\n", /* events after death */
        "clock 100 1 1\nclock 100 1 1\nclock 50 0 0\nend 0 status=notanumber\n",
        "run command=5 kernel=7 cores=many started_ns=-5 root_pid=99999999999\n",
        "stream 1 1 1 1 0\n1 module 5 1 /a zz 0x10 0x20 0x5\n1 module_gone 6 99\n1 tree_reset\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct profile *const profile = load_script(scripts[i]);
        profile_free(profile);
    }
}

static void streams_without_an_image_record_still_count(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        "run clock=monotonic root_pid=5\nclock 0 0 0\nstream 1 1 5 5 0\n1 malloc 5 0x1000 8 0\n"
        "1 free 9 0x1000\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_processes, 1);
    assert_int_equal(profile->processes[0].totals.alloc_count, 1);
    assert_int_equal(profile->processes[0].n_images, 1);
    profile_free(profile);
}

static void memory_of_streams_goes_with_them(void **state)
{
    (void)state;
    char *const script = malloc(4 << 20);
    size_t n = (size_t)sprintf(script, "%s", SCRIPT_HEAD);
    for (unsigned i = 2; i < 60; i++)
        n += (size_t)sprintf(script + n,
                             "stream %u 1 100 %u 0\n%u malloc %u 0x%x 5 0\n%u free %u 0x%x\n"
                             "stream_end %u fast=1\n",
                             i, 100 + i, i, i * 10, i * 4096, i, i * 10 + 1, i * 4096, i);
    sprintf(script + n, "%s", SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->totals.free_count, 58);
    assert_int_equal(profile->totals.temporary_count, 58);
    assert_int_equal(profile->coverage.threads, 59);
    profile_free(profile);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_records_do_no_harm),
        cmocka_unit_test(streams_without_an_image_record_still_count),
        cmocka_unit_test(memory_of_streams_goes_with_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
