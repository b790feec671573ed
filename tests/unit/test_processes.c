/* SPDX-License-Identifier: MIT */
/* Who is whose child, what a child inherits, what an exec ends. */
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

#define CHILD_IMAGE(stream, image, pid, fork)                                                      \
    "stream " #stream " " #image " " #pid " " #pid " 0\n" #stream " image 60 image=" #image        \
    " pid=" #pid " parent_pid=100 parent_image=1 fork_id=" #fork                                   \
    " start=9 executable=/bin/prog arguments=[prog]\n"

static void child_may_free_what_it_inherited(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 100 2\n1 malloc 25 0x3000 100 2\n"
        "1 fork 50 1\n" CHILD_IMAGE(
            2, 2, 101,
            1) "1 free 55 0x3000\n" /* parent's own */
               "2 free 70 0x1000\n2 realloc_begin 71 0x2000 0\n2 realloc_end 72 0x5000 10 0\n"
               "2 free 73 0x3000\n2 malloc 80 0x1000 7 0\n2 free 90 0x1000\n"
               "2 free 20000 0x1000\n2 free 20001 0x9000\n"
               "process_end 30000 101 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_processes, 2);
    const struct process *const child = &profile->processes[1];
    assert_int_equal(child->parent_id, 1);
    assert_int_equal(child->totals.free_count, 5);
    assert_int_equal(child->totals.realloc_count, 1);
    assert_int_equal(child->coverage.inherited_frees, 3);
    assert_int_equal(child->coverage.unknown_frees, 2);
    assert_int_equal(child->totals.leaked_count, 1);
    assert_int_equal(child->totals.leaked_bytes, 10);
    assert_int_equal(profile->processes[0].totals.leaked_count, 2);
    profile_free(profile);
}

static void failed_realloc_of_an_inherited_block_leaves_it_inherited(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script(SCRIPT_HEAD "1 malloc 10 0x1000 100 2\n1 fork 50 1\n" CHILD_IMAGE(
            2, 2, 101,
            1) "2 realloc_begin 70 0x1000 0\n2 realloc_fail 71\n2 free 72 0x1000\n" SCRIPT_TAIL);
    assert_int_equal(profile->coverage.inherited_frees, 1);
    assert_int_equal(profile->coverage.unknown_frees, 0);
    profile_free(profile);
}

static void grandchild_inherits_from_both(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 100 2\n1 fork 50 1\n" CHILD_IMAGE(
            2, 2, 101,
            1) "2 malloc 70 0x3000 5 0\n2 free 71 0x2000\n2 fork 80 1\nstream 3 3 102 102 0\n"
               "3 image 90 image=3 pid=102 parent_pid=101 parent_image=2 fork_id=1 start=9\n"
               "3 free 91 0x1000\n3 free 92 0x3000\n3 free 93 0x2000\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_processes, 3);
    assert_int_equal(profile->processes[2].parent_id, 2);
    assert_int_equal(profile->processes[2].coverage.inherited_frees, 2);
    assert_int_equal(profile->processes[2].coverage.unknown_frees, 1);
    profile_free(profile);
}

static void fork_that_no_hook_saw_inherits_all_the_same(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 malloc 10 0x1000 100 2\n" CHILD_IMAGE(2, 2, 101, 0) "2 free 70 0x1000\n" SCRIPT_TAIL);
    assert_int_equal(profile->coverage.inherited_frees, 1);
    profile_free(profile);
}

static void threads_may_allocate_between_fork_and_child(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "stream 2 1 100 105 0\n1 malloc 10 0x1000 100 2\n1 fork 50 1\n"
                    "2 malloc 52 0x2000 8 0\n" CHILD_IMAGE(
                        3, 2, 101, 1) "3 free 70 0x1000\n3 free 71 0x2000\n" SCRIPT_TAIL);
    assert_int_equal(profile->coverage.inherited_frees, 2);
    profile_free(profile);
}

static void failed_forks_and_unclaimed_ones_do_not_pile_up(void **state)
{
    (void)state;
    char *const script = malloc(200000);
    size_t n = (size_t)sprintf(
        script, "%s1 malloc 10 0x1000 100 2\n1 fork 20 1\n1 fork_fail 21 1\n", SCRIPT_HEAD);
    for (unsigned i = 2; i < 1000; i++)
        n += (size_t)sprintf(script + n, "1 fork %u %u\n", 20 + i, i);
    sprintf(script + n, "%s", SCRIPT_TAIL);
    struct profile *const profile = load_script(script);
    assert_int_equal(profile->n_processes, 1);
    profile_free(profile);
    free(script);
}

static void exec_keeps_the_process_and_forgets_its_blocks(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD
        "1 malloc 10 0x1000 100 2\n1 malloc 20 0x2000 50 3\n1 free 30 0x2000\n"
        "1 exec 40 /bin/next\nstream 2 2 100 100 0\n"
        "2 image 50 image=2 pid=100 parent_pid=1 parent_image=0 fork_id=0 start=7 "
        "executable=/bin/next arguments=[next,-y] allocator=/lib/x.so\n"
        "2 malloc 60 0x1000 30 0\n2 malloc 70 0x3000 30 0\n2 free 80 0x3000\n" SCRIPT_TAIL);
    assert_int_equal(profile->n_processes, 1);
    const struct process *const process = &profile->processes[0];
    assert_int_equal(process->n_images, 2);
    assert_string_equal(process->images[0].executable, "/bin/prog");
    assert_string_equal(process->images[1].arguments[1], "-y");
    assert_string_equal(process->allocator, "/lib/x.so");
    assert_int_equal(process->totals.alloc_count, 4);
    assert_int_equal(process->totals.peak_bytes, 150);
    assert_int_equal(process->totals.leaked_count, 1);
    assert_int_equal(process->totals.leaked_bytes, 30);
    assert_int_equal(process->n_threads, 1);
    assert_int_equal(profile->n_remarks, 0);
    profile_free(profile);
}

static void peak_of_a_later_image_counts_too(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "1 malloc 10 0x1000 100 2\nstream 2 2 100 100 0\n"
                    "2 image 50 image=2 pid=100 parent_pid=1 start=7 executable=/bin/next\n"
                    "2 malloc 60 0x1000 130 0\n" SCRIPT_TAIL);
    assert_int_equal(profile->totals.peak_bytes, 130);
    assert_int_equal(profile->totals.peak_count, 1);
    profile_free(profile);
}

static void pid_used_again_is_another_process(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        /* after its end; with another start time */
        "process_end 40 101 256\nstream 3 3 101 101 0\n3 image 65 image=3 pid=101 parent_pid=100 "
        "start=9\n3 malloc 70 0x9000 1 0\n",
        "stream 3 3 101 101 0\n3 image 65 image=3 pid=101 parent_pid=100 start=10\n"
        "3 malloc 70 0x9000 1 0\n",
        /* its parent's wait was seen before the collector's own notice */
        "1 child_exit 62 101 256\nstream 3 3 101 101 0\n3 image 65 image=3 pid=101 parent_pid=100 "
        "start=9\n3 malloc 70 0x9000 1 0\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        char script[4096];
        snprintf(script, sizeof script, "%s%s%s%s", SCRIPT_HEAD,
                 "stream 2 2 101 101 0\n2 image 30 image=2 pid=101 parent_pid=100 start=9\n"
                 "2 malloc 35 0x8000 2 0\n",
                 scripts[i], SCRIPT_TAIL);
        struct profile *const profile = load_script(script);
        assert_int_equal(profile->n_processes, 3);
        assert_int_equal(profile->processes[1].totals.leaked_bytes, 2);
        assert_int_equal(profile->processes[2].totals.leaked_bytes, 1);
        assert_int_equal(profile->processes[1].has_status, i != 1);
        if (i != 1)
            assert_int_equal(profile->processes[1].wait_status, 256);
        profile_free(profile);
    }
}

static void command_is_number_one_even_if_it_never_attached(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script("run command=[script] clock=monotonic root_pid=50\nclock 0 0 0\n"
                    "stream 1 4 60 60 0\n1 image 5 image=4 pid=60 parent_pid=50 start=3\n"
                    "1 malloc 10 0x1000 1 0\nprocess_end 50 50 0\nclock 60 60 0\nend 60 x=0\n");
    assert_int_equal(profile->n_processes, 2);
    assert_int_equal(profile->processes[0].pid, 50);
    assert_int_equal(profile->processes[0].n_images, 0);
    assert_int_equal(profile->processes[1].parent_id, 1);
    assert_true(profile->has_status);
    profile_free(profile);
}

static void parent_is_the_nearest_known_one(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        SCRIPT_HEAD "stream 2 2 200 200 0\n2 image 30 image=2 pid=200 parent_pid=100 start=9\n"
                    "stream 3 3 201 201 0\n3 image 40 image=3 pid=201 parent_pid=200 start=9\n"
                    "stream 4 4 202 202 0\n4 image 41 image=4 pid=202 parent_pid=999 start=9\n"
                    "stream 5 5 203 203 0\n5 malloc 42 0x1000 1 0\n" SCRIPT_TAIL);
    static const uint32_t parents[] = {0, 1, 2, 1, 1};
    assert_int_equal(profile->n_processes, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(profile->processes[i].parent_id, parents[i]);
    profile_free(profile);
}

static void one_process_can_be_had_alone(void **state)
{
    (void)state;
    static const char script[] =
        SCRIPT_HEAD "1 malloc 10 0x1000 1000 2\nstream 2 2 200 200 0\n"
                    "2 image 30 image=2 pid=200 parent_pid=100 start=9\n2 malloc 40 0x1000 10 0\n"
                    "2 free 50 0x1000\nrss 60 100 7000\nrss 60 200 500\n" SCRIPT_TAIL;
    const struct profile_options options = {.process_id = 2};
    struct profile *const profile = load_script_with(script, &options);
    assert_int_equal(profile->n_processes, 1);
    assert_int_equal(profile->processes[0].id, 2);
    assert_int_equal(profile->totals.alloc_count, 1);
    assert_int_equal(profile->totals.peak_bytes, 10);
    assert_int_equal(profile->n_sites, 1);
    assert_int_equal(profile->sizes.n, 1);
    assert_int_equal(profile->peak_rss_bytes, 500);
    assert_int_equal(profile->timeline[0].live_bytes, 10);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_may_free_what_it_inherited),
        cmocka_unit_test(failed_realloc_of_an_inherited_block_leaves_it_inherited),
        cmocka_unit_test(grandchild_inherits_from_both),
        cmocka_unit_test(fork_that_no_hook_saw_inherits_all_the_same),
        cmocka_unit_test(threads_may_allocate_between_fork_and_child),
        cmocka_unit_test(failed_forks_and_unclaimed_ones_do_not_pile_up),
        cmocka_unit_test(exec_keeps_the_process_and_forgets_its_blocks),
        cmocka_unit_test(peak_of_a_later_image_counts_too),
        cmocka_unit_test(pid_used_again_is_another_process),
        cmocka_unit_test(command_is_number_one_even_if_it_never_attached),
        cmocka_unit_test(parent_is_the_nearest_known_one),
        cmocka_unit_test(one_process_can_be_had_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
