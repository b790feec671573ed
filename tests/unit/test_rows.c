/* SPDX-License-Identifier: MIT */
/* When two sites are one row, what their id and place are. */
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

#define NAMES                                                                                      \
    "string 1 /bin/prog\nstring 2 main\nstring 3 /src/p.c\nstring 4 helper\nstring 5 malloc\n"     \
    "string 6 operator_new\nstring 7 strdup\nstring 8 /lib/libc.so.6\nobject 1 1 aa11\n"           \
    "object 2 8 cc\n"

#define WITH_LIBC SCRIPT_HEAD "1 module 2 2 /lib/libc.so.6 cc 0x700000 0x700000 0x800000\n"

static void frames_that_only_ask_for_memory_are_left_out(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(WITH_LIBC "1 node 4 2 0x700101\n1 node 5 2 0x700201\n1 malloc 10 0x1000 1 4\n"
                              "1 malloc 20 0x2000 2 5\n1 malloc 30 0x3000 4 2\n" NAMES
                              "symbol 2 0x100 5,0,0,0\nsymbol 2 0x200 5,0,0,0\n"
                              "symbol 1 0x200 4,3,20,0\nsymbol 1 0x100 2,3,10,0\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 1);
    assert_int_equal(profile->sites[0].metrics.alloc_count, 3);
    assert_int_equal(profile->sites[0].metrics.peak_bytes, 7);
    assert_int_equal(profile->sites[0].max_live_bytes, 7);
    assert_int_equal(profile->sites[0].n_frames, 2);
    assert_int_equal(profile->sites[0].n_threads, 1);
    assert_int_equal(profile->sites[0].sizes.n, 3);
    profile_free(profile);
}

static void place_is_the_first_frame_outside_the_runtime(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(WITH_LIBC "1 node 4 2 0x700301\n1 malloc 10 0x1000 1 4\n" NAMES
                              "symbol 2 0x300 7,0,0,0\nsymbol 1 0x200 4,3,20,0\n" SCRIPT_TAIL);
    assert_int_equal(profile->sites[0].n_frames, 3);
    assert_int_equal(profile->sites[0].place, 1);
    profile_free(profile);
}

static void stack_of_allocator_frames_alone_stays(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(WITH_LIBC "1 node 4 0 0x700101\n1 malloc 10 0x1000 1 4\n" NAMES
                              "symbol 2 0x100 5,0,0,0\n" SCRIPT_TAIL);
    assert_int_equal(profile->sites[0].n_frames, 1);
    assert_string_equal(profile->frames[profile->sites[0].frames[0]].function, "malloc");
    profile_free(profile);
}

static void same_stack_in_two_processes_is_one_row(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "stream 2 2 101 101 0\n"
                    "2 image 5 image=2 pid=101 parent_pid=100 start=8 executable=/bin/prog\n"
                    "2 module 6 1 /elsewhere/prog aa11 0x900000 0x900000 0xa00000\n"
                    "2 node 1 0 0x900101\n2 node 2 1 0x900201\n"
                    "1 malloc 10 0x1000 10 2\n2 malloc 11 0x1000 100 2\n2 malloc 12 0x2000 100 2\n"
                    "2 free 13 0x2000\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 1);
    const struct site *const site = &profile->sites[0];
    assert_int_equal(site->metrics.alloc_count, 3);
    assert_int_equal(site->metrics.peak_bytes, 200); /* that of the process with the largest */
    assert_int_equal(profile->totals.peak_bytes, 200);
    assert_int_equal(site->metrics.leaked_bytes, 110);
    assert_int_equal(site->max_live_count, 2);
    assert_int_equal(site->n_threads, 2);
    profile_free(profile);
}

static void id_does_not_depend_on_addresses(void **state)
{
    (void)state;
    struct profile *const one = load_script(SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n" SCRIPT_TAIL);
    struct profile *const other =
        load_script("run root_pid=1\nclock 5 5 0\nstream 3 9 1 1 0\n"
                    "3 image 6 image=9 pid=1 start=1\n"
                    "3 module 7 1 /opt/prog aa11 0x1000 0x2000 0x200000\n3 node 1 0 0x1101\n"
                    "3 node 2 0 0x2101\n3 node 3 2 0x2201\n3 malloc 9 0x5000 77 3\n" SCRIPT_TAIL);
    assert_int_equal(strlen(one->sites[0].id), 16);
    assert_string_not_equal(one->sites[0].id, other->sites[0].id); /* offsets differ */
    profile_free(other);
    struct profile *const moved = load_script(
        "run root_pid=1\nclock 5 5 0\nstream 3 9 1 1 0\n"
        "3 image 6 image=9 pid=1 start=1\n"
        "3 module 7 1 /opt/prog aa11 0x9000000 0x9000000 0x9100000\n"
        "3 node 1 0 0x9000101\n3 node 2 1 0x9000201\n3 malloc 9 0x5000 77 2\n" SCRIPT_TAIL);
    assert_string_equal(one->sites[0].id, moved->sites[0].id);
    profile_free(one);
    profile_free(moved);
}

static void rows_are_ordered_by_calls(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 1 1\n1 malloc 11 0x2000 1 3\n1 malloc 12 0x3000 1 3\n"
                    "1 malloc 13 0x4000 1 2\n1 realloc_begin 20 0x4000 0\n"
                    "1 realloc_end 21 0x4000 2 2\n1 realloc_begin 22 0x4000 0\n"
                    "1 realloc_end 23 0x4000 3 2\n" SCRIPT_TAIL);
    uint64_t before = UINT64_MAX;
    for (size_t i = 0; i < profile->n_sites; i++) {
        const uint64_t calls =
            profile->sites[i].metrics.alloc_count + profile->sites[i].metrics.realloc_count;
        assert_true(calls <= before);
        before = calls;
    }
    assert_int_equal(profile->sites[0].metrics.realloc_count, 2);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_only_ask_for_memory_are_left_out),
        cmocka_unit_test(place_is_the_first_frame_outside_the_runtime),
        cmocka_unit_test(stack_of_allocator_frames_alone_stays),
        cmocka_unit_test(same_stack_in_two_processes_is_one_row),
        cmocka_unit_test(id_does_not_depend_on_addresses),
        cmocka_unit_test(rows_are_ordered_by_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
