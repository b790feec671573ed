/* SPDX-License-Identifier: MIT */
/* What is read of the run as a whole. */
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

static void facts_of_the_run_are_taken(void **state)
{
    (void)state;
    struct profile *const profile = load_script(
        "header heapwise-trace 1 7 0.9\nrun command=[a,-b,c] kernel=6.1 libc=2.36 cpu=fast cores=4 "
        "clock=monotonic started_ns=1700000000000000000 root_pid=7 later=[1,2] depth=128\n"
        "clock 0 0 0\nend 5 status=256 more=1\n");
    assert_string_equal(profile->tool_version, "0.9");
    assert_int_equal(profile->n_command, 3);
    assert_string_equal(profile->command[2], "c");
    assert_string_equal(profile->kernel, "6.1");
    assert_string_equal(profile->libc, "2.36");
    assert_string_equal(profile->cpu, "fast");
    assert_int_equal(profile->n_cores, 4);
    assert_string_equal(profile->started, "2023-11-14T22:13:20Z");
    assert_true(profile->has_status);
    assert_int_equal(profile->wait_status, 256);
    assert_int_equal(profile->processes[0].pid, 7);
    profile_free(profile);
}

static void values_of_another_type_are_passed_over(void **state)
{
    (void)state;
    struct profile *const profile =
        load_script("run command=5 kernel=[x] cores=many started_ns=-1 root_pid=-4 clock=7 libc=9\n"
                    "clock 0 0 0\nend 5 status=bad\n");
    assert_int_equal(profile->n_command, 0);
    assert_string_equal(profile->kernel, "");
    assert_int_equal(profile->n_cores, 0);
    assert_string_equal(profile->started, "");
    assert_false(profile->has_status);
    assert_int_equal(profile->n_processes, 0);
    profile_free(profile);
}

/* Before version 1.3 only a flag told. */
static void which_frees_have_stacks_is_told(void **state)
{
    static const struct {
        const char *run;
        uint32_t free_stacks;
    } rows[] = {
        {"run cores=1", 0},
        {"run flags=0", 0},
        {"run flags=1", 1},
        {"run flags=0 free_stacks=16", 16},
        {"run free_stacks=16 flags=0", 16},
        {"run flags=1 free_stacks=1", 1},
        {"run flags=0 free_stacks=0", 0},
        {"run flags=1 free_stacks=x", 1},
        {"run flags=1 free_stacks=99999999999", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[100];
        snprintf(script, sizeof script, "%s\nclock 0 0 0\n", rows[i].run);
        struct profile *const profile = load_script(script);
        assert_int_equal(profile->free_stacks, rows[i].free_stacks);
        profile_free(profile);
    }
}

static void missing_facts_are_empty_never_null(void **state)
{
    (void)state;
    struct profile *const profile = load_script("clock 0 0 0\n");
    assert_string_equal(profile->kernel, "");
    assert_string_equal(profile->allocator, "");
    assert_string_equal(profile->stop_reason, "");
    assert_true(profile->truncated);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_the_run_are_taken),
        cmocka_unit_test(values_of_another_type_are_passed_over),
        cmocka_unit_test(which_frees_have_stacks_is_told),
        cmocka_unit_test(missing_facts_are_empty_never_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
