/* SPDX-License-Identifier: MIT */
/* Which site a stream stack is, while modules come and go. */
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
#include "trace/trace_format.h"

/* Modules of one path at one place or another, and the sites of what is allocated there. */
static void library_whose_address_is_reused_is_told_apart(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 module 5 2 /lib/a.so aa 0x700000 0x700000 0x800000\n1 node 4 1 0x700101\n"
                    "1 malloc 10 0x1000 1 4\n1 module_gone 20 2\n"
                    "1 module 30 3 /lib/b.so bb 0x700000 0x700000 0x800000\n"
                    "1 malloc 40 0x2000 2 4\n1 malloc 50 0x3000 2 4\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct site *const site = &profile->sites[i];
        assert_int_equal(site->n_frames, 2);
        assert_string_equal(profile->frames[site->frames[0]].module, i ? "/lib/a.so" : "/lib/b.so");
        assert_int_equal(profile->frames[site->frames[0]].offset, 0x100);
        assert_string_equal(profile->frames[site->frames[1]].module, "/bin/prog");
    }
    profile_free(profile);
}

static void constructors_run_before_their_library_is_known(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 node 4 1 0x700101\n1 malloc 10 0x1000 1 4\n"
        "1 module 20 2 /lib/a.so aa 0x700000 0x700000 0x800000\n"
        "1 malloc 30 0x2000 1 4\n1 tree_reset\n1 node 1 0 0x400101\n1 node 2 1 0x700101\n"
        "1 malloc 40 0x3000 1 2\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 1);
    assert_int_equal(profile->sites[0].metrics.alloc_count, 3);
    assert_string_equal(profile->frames[profile->sites[0].frames[0]].module, "/lib/a.so");
    profile_free(profile);
}

static void address_in_no_module_keeps_its_number(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 node 4 1 0x900001\n1 malloc 10 0x1000 1 4\n" SCRIPT_TAIL);
    const struct profile_frame *const frame = &profile->frames[profile->sites[0].frames[0]];
    assert_string_equal(frame->module, "");
    assert_int_equal(frame->offset, 0x900000);
    profile_free(profile);
}

static void ids_begin_again_after_a_reset(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 1 2\n1 tree_reset\n1 malloc 20 0x2000 1 2\n"
                                "1 node 1 0 0x400501\n1 malloc 30 0x3000 1 1\n" SCRIPT_TAIL);
    uint64_t n_frames = 0;
    assert_int_equal(profile->n_sites, 3); /* one of them with no stack at all */
    for (size_t i = 0; i < 3; i++)
        n_frames += profile->sites[i].n_frames;
    assert_int_equal(n_frames, 2 + 0 + 1);
    profile_free(profile);
}

static void absurd_ids_are_left_out(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 node 4000000000 1 0x400101\n1 node 10 3 0x400901\n1 node 2 0 0x400f01\n"
                    "1 malloc 10 0x1000 1 4000000000\n1 malloc 20 0x2000 1 10\n"
                    "1 malloc 30 0x3000 1 7\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.alloc_count, 3);
    profile_free(profile);
}

static void threads_that_allocate_at_a_site_are_counted(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "stream 2 1 100 101 0\nstream 3 1 100 101 1\nstream 4 1 100 101 0\n"
        "2 node 1 0 0x400101\n2 node 2 1 0x400201\n3 node 1 0 0x400101\n"
        "3 node 2 1 0x400201\n4 node 1 0 0x400101\n4 node 2 1 0x400201\n"
        "1 malloc 10 0x1000 1 2\n1 malloc 11 0x2000 1 2\n2 malloc 12 0x3000 1 2\n"
        "3 malloc 13 0x4000 1 2\n2 malloc 14 0x6000 1 0\n4 malloc 15 0x7000 1 2\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_sites, 2);
    assert_int_equal(profile->sites[0].metrics.alloc_count, 5);
    assert_int_equal(profile->sites[0].n_threads, 3); /* a tid used again is another thread */
    assert_int_equal(profile->coverage.threads, 3);
    profile_free(profile);
}

static void deep_stacks_are_cut_at_the_limit(void **state)
{
    (void)state;
    char *const script = malloc(1 << 20);
    size_t n = (size_t)sprintf(script, "%s", SCRIPT_HEAD);
    for (unsigned i = 4; i < 3000; i++)
        n += (size_t)sprintf(script + n, "1 node %u %u 0x%x\n", i, i - 1, 0x400001 + i * 16);
    sprintf(script + n, "1 malloc 10 0x1000 1 2999\n%s", SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->sites[0].n_frames, TRACE_MAX_DEPTH);
    profile_free(profile);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_whose_address_is_reused_is_told_apart),
        cmocka_unit_test(constructors_run_before_their_library_is_known),
        cmocka_unit_test(address_in_no_module_keeps_its_number),
        cmocka_unit_test(ids_begin_again_after_a_reset),
        cmocka_unit_test(absurd_ids_are_left_out),
        cmocka_unit_test(threads_that_allocate_at_a_site_are_counted),
        cmocka_unit_test(deep_stacks_are_cut_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
