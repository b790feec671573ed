/* SPDX-License-Identifier: MIT */
/* When two I/O sites are one row, and what the row says. */
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

#define OTHER_PROCESS                                                                              \
    "stream 2 2 101 101 0\n2 image 5 image=2 pid=101 parent_pid=100 start=8 "                      \
    "executable=/bin/prog\n2 module 6 1 /bin/prog aa11 0x900000 0x900000 0xa00000\n"               \
    "2 node 1 0 0x900101\n2 node 2 1 0x900201\n"

static void the_same_stack_and_call_in_two_processes_is_one_row(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD OTHER_PROCESS
        "1 fd_is 8 3 /data/a 1 0 0 1 77 900\n2 fd_is 9 3 /data/b 1 0 0 1 78 900\n"
        "1 io 10 1 3 100 100 50 2 0 0\n2 io 11 1 3 100 60 70 2 0 0\n2 io 12 1 3 100 0 10 2 0 0\n"
        "2 io 13 16 3 100 100 5 2 0 0\n1 io 14 1 3 100 100 50 3 0 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_io_sites, 3);
    const struct io_site *const site = &profile->io_sites[0]; /* the one with the most seconds */
    assert_string_equal(site->op, "read");
    assert_int_equal(site->calls, 3);
    assert_int_equal(site->bytes, 160);
    assert_int_equal(site->short_calls, 1);
    assert_int_equal(site->empty, 1);
    assert_int_equal(site->n_threads, 2);
    assert_int_equal(site->n_files, 2);
    assert_string_equal(site->path, "");
    assert_int_equal(site->sizes.n, 2);
    assert_int_equal(site->sizes.max, 100);
    assert_int_equal(site->latency_ns.n, 3);
    assert_int_equal(site->pattern.consecutive, 2);
    assert_int_equal(strlen(site->id), 16);
    assert_string_equal(profile->io_sites[1].path, "/data/a");
    uint64_t n_calls = 0;
    for (size_t i = 0; i < profile->n_io_sites; i++) {
        n_calls += profile->io_sites[i].calls;
        assert_true(i == 0 || profile->io_sites[i].seconds <= profile->io_sites[i - 1].seconds);
    }
    assert_int_equal(n_calls, profile->totals.io_calls);
    profile_free(profile);
}

static void files_of_a_site_are_counted_once(void **state)
{
    (void)state;
    char script[65536];
    size_t n = (size_t)snprintf(script, sizeof script, SCRIPT_HEAD OTHER_PROCESS);
    for (unsigned i = 0; i < 30; i++) /* ten files, the first of them twice in a row */
        n += (size_t)snprintf(script + n, sizeof script - n,
                              "%u fd_is %u 3 /data/%u 1 0 0 1 %u 900\n%u io %u 1 3 9 9 5 2 0 0\n"
                              "%u fd_close %u 3 3\n",
                              i % 2 + 1, 10 * i + 10, i / 2 % 10, i / 2 % 10, i % 2 + 1,
                              10 * i + 11, i % 2 + 1, 10 * i + 12);
    snprintf(script + n, sizeof script - n, SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->n_io_sites, 1);
    assert_int_equal(profile->io_sites[0].n_files, 10);
    assert_int_equal(profile->io_sites[0].calls, 30);
    assert_int_equal(profile->n_io_files, 10);
    profile_free(profile);
}

static void place_is_the_first_frame_outside_the_c_library(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 module 2 2 /lib/libc.so.6 cc 0x700000 0x700000 0x800000\n"
                    "1 node 4 2 0x700101\n1 stdio 10 16 1 100 100 5 4 0 3\n" SCRIPT_TAIL);
    assert_int_equal(profile->io_sites[0].n_frames, 3);
    assert_int_equal(profile->io_sites[0].place, 1);
    assert_int_equal(profile->io_sites[0].layer, IO_LAYER_STDIO);
    profile_free(profile);
}

static void blocks_allocated_inside_of_stdio_are_told(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 module 2 2 /lib/libc.so.6 cc 0x700000 0x700000 0x800000\n"
                    "1 node 4 2 0x700101\n1 node 5 4 0x700201\n"
                    "1 malloc 10 0x1000 9 5\n1 malloc 11 0x2000 9 4\n1 malloc 12 0x3000 9 1\n"
                    "1 malloc 13 0x4000 9 3\n1 stdio 20 16 1 100 100 5 2 0 3\n"
                    "1 io 21 16 1 100 100 5 2 0 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_io_sites, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(profile->io_sites[i].inner_allocs,
                         profile->io_sites[i].layer == IO_LAYER_STDIO ? 2 : 0);
    profile_free(profile);
}

static void calls_without_a_stack_are_a_row(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 io 10 1 3 100 100 50 0 0 0\n1 io 11 1 3 100 100 50 999 0 0\n"
                                "1 malloc 12 0x1000 9 0\n1 fd_new 13 80 5 -1 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_io_sites, 1);
    assert_int_equal(profile->io_sites[0].n_frames, 0);
    assert_int_equal(profile->io_sites[0].calls, 2);
    assert_int_equal(profile->n_io_openers, 1);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_stack_and_call_in_two_processes_is_one_row),
        cmocka_unit_test(files_of_a_site_are_counted_once),
        cmocka_unit_test(place_is_the_first_frame_outside_the_c_library),
        cmocka_unit_test(blocks_allocated_inside_of_stdio_are_told),
        cmocka_unit_test(calls_without_a_stack_are_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
