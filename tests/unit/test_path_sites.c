/* SPDX-License-Identifier: MIT */
/* Who names which paths how often. */
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

#include "reader/habits.h"
#include "reader/path_sites.h"
#include "tests/support/load_script.h"

#define OTHER_PROCESS                                                                              \
    "stream 2 2 101 101 0\n2 image 5 image=2 pid=101 parent_pid=100 start=8 "                      \
    "executable=/bin/prog\n2 module 6 1 /bin/prog aa11 0x900000 0x900000 0xa00000\n"               \
    "2 node 1 0 0x900101\n2 node 2 1 0x900201\n2 node 3 1 0x900301\n"

/* path_call: time op folder result took stack path; ops: 52 stat, 55 access, 70 open. */
static struct profile *load_of(const char *middle, uint32_t process_id)
{
    const struct profile_options options = {.habits = true, .process_id = process_id};
    char script[65536];
    snprintf(script, sizeof script, SCRIPT_HEAD OTHER_PROCESS "1 folder 7 /home\n%s" SCRIPT_TAIL,
             middle);
    return load_script_with(script, &options);
}

static void paths_are_counted_by_stack_and_call(void **state)
{
    (void)state;
    struct profile *const profile =
        load_of("1 path_call 10 52 -100 0 100 2 /etc/a\n1 path_call 11 52 -100 -2 200 2 /etc/b\n"
                "1 path_call 12 52 -100 -2 300 2 /etc/b\n1 path_call 13 52 -100 -2 400 2 /etc/b\n"
                "1 path_call 14 70 -100 3 500 2 /etc/a\n1 path_call 15 52 -100 0 1 3 ./c\n"
                "1 path_call 16 52 -100 0 1 3 /home/c\n",
                0);
    assert_int_equal(profile->n_path_sites, 3);
    const struct path_site *const stats = &profile->path_sites[0];
    assert_string_equal(stats->op, "newfstatat");
    assert_int_equal(stats->calls, 4);
    assert_int_equal(stats->failed, 3);
    assert_int_equal(stats->n_paths, 2);
    assert_int_equal(stats->repeated_calls, 2);
    assert_string_equal(stats->path, "/etc/b");
    assert_int_equal(stats->path_calls, 3);
    assert_true(stats->seconds > 999e-9 && stats->seconds < 1001e-9);
    assert_int_equal(stats->n_frames, 2);
    const struct path_site *const relative = &profile->path_sites[1]; /* one path, two names */
    assert_string_equal(relative->path, "/home/c");
    assert_int_equal(relative->n_paths, 1);
    assert_int_equal(relative->repeated_calls, 1);
    assert_string_equal(profile->path_sites[2].op, "openat");
    assert_int_equal(profile->path_sites[2].repeated_calls, 0);
    profile_free(profile);
}

/* What a process named before, another one may name for the first time. */
#define BOTH                                                                                       \
    "1 path_call 10 70 -100 3 1 2 /etc/a\n1 path_call 11 70 -100 4 1 2 /etc/b\n"                   \
    "2 path_call 12 70 -100 3 1 2 /etc/b\n2 path_call 13 70 -100 -2 1 2 /etc/c\n"                  \
    "2 path_call 14 70 -100 -2 1 2 /etc/c\n2 path_call 15 70 -100 4 1 2 /etc/b\n"

static void processes_of_a_row_are_summed(void **state)
{
    (void)state;
    struct profile *profile = load_of(BOTH, 0);
    assert_int_equal(profile->n_path_sites, 1);
    assert_int_equal(profile->path_sites[0].calls, 6);
    assert_int_equal(profile->path_sites[0].failed, 2);
    assert_int_equal(profile->path_sites[0].n_paths, 3);
    assert_int_equal(profile->path_sites[0].repeated_calls, 2);
    assert_string_equal(profile->path_sites[0].path, "/etc/b");
    assert_int_equal(profile->path_sites[0].path_calls, 3);
    profile_free(profile);
    profile = load_of(BOTH, 1);
    assert_int_equal(profile->path_sites[0].calls, 2);
    assert_int_equal(profile->path_sites[0].repeated_calls, 0);
    profile_free(profile);
}

static void too_many_paths_are_estimated(void **state)
{
    (void)state;
    struct path_sites_site site = {.calls = 0};
    for (uint32_t file = 1; file <= 40000; file++) {
        assert_int_equal(path_sites_count(&site, file, 1 + (file == 77)), 0);
        if (site.paths.n_used > PATH_SITES_MAX_OF_SITE)
            assert_int_equal(path_sites_thin(&site, (uint8_t)(site.n_zeros + 1)), 0);
        assert_int_equal(path_sites_count(&site, 77, 1), 0);
    }
    assert_true(site.paths.n_used <= PATH_SITES_MAX_OF_SITE);
    assert_true(path_sites_n_paths(&site) > 38000 && path_sites_n_paths(&site) < 42000);
    assert_int_equal(site.favourite, 77); /* whether it is followed or not */
    assert_int_equal(site.favourite_calls, 40002);
    idmap_fini(&site.paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_counted_by_stack_and_call),
        cmocka_unit_test(processes_of_a_row_are_summed),
        cmocka_unit_test(too_many_paths_are_estimated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
