/* SPDX-License-Identifier: MIT */
/* What a row of I/O says of its habits: sums over processes, the sites before as rows. */
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
#include "reader/io_habits.h"
#include "tests/support/load_script.h"

#define OTHER_PROCESS                                                                              \
    "stream 2 2 101 101 0\n2 image 5 image=2 pid=101 parent_pid=100 start=8 "                      \
    "executable=/bin/prog\n2 module 6 1 /bin/prog aa11 0x900000 0x900000 0xa00000\n"               \
    "2 node 1 0 0x900101\n2 node 2 1 0x900201\n2 node 3 1 0x900301\n"
#define OUT(stream) #stream " fd_is 8 4 /data/out" #stream " 1 2 0 1 7" #stream " 0\n"

static struct profile *load_of(const char *middle, uint32_t process_id)
{
    const struct profile_options options = {.habits = true, .process_id = process_id};
    char script[65536];
    snprintf(script, sizeof script, SCRIPT_HEAD OTHER_PROCESS "%s" SCRIPT_TAIL, middle);
    return load_script_with(script, &options);
}

static const struct io_site *site_of(const struct profile *profile, const char *op)
{
    for (size_t i = 0; i < profile->n_io_sites; i++)
        if (strcmp(profile->io_sites[i].op, op) == 0)
            return &profile->io_sites[i];
    fail_msg("no site of %s", op);
    return NULL;
}

/* Heads by stack 2, bodies by stack 3, which take longer; each body is read again after a seek. */
#define RECORDS                                                                                    \
    OUT(1)                                                                                         \
    OUT(2)                                                                                         \
    "1 io 10 16 4 4 4 1 2 0 0\n1 io 11 17 4 90 90 5 3 0 0\n1 io 20 16 4 4 4 1 2 0 0\n"             \
    "1 io 21 17 4 90 90 5 3 0 0\n2 io 22 16 4 4 4 1 2 0 0\n2 io 23 17 4 90 90 50 3 0 0\n"          \
    "2 io 24 17 4 90 90 5 3 0 0\n2 io 25 40 4 0 0 3 1 0 0\n1 io 26 40 4 0 0 4 1 0 0\n"             \
    "2 io 30 1 4 9 0 1 2 0 0\n2 io 31 1 4 9 0 1 2 0 0\n1 io 32 1 4 9 0 1 2 0 0\n"

static void processes_of_a_row_are_summed(void **state)
{
    (void)state;
    struct profile *const profile = load_of(RECORDS, 0);
    const struct io_site *const bodies = site_of(profile, "writev");
    const struct io_habits *const habits = bodies->habits;
    assert_int_equal(bodies->calls, 4);
    assert_int_equal(habits->adjacent.count, 4);
    assert_int_equal(habits->adjacent_bytes, 360);
    assert_ptr_equal(habits->adjacent.site, site_of(profile, "write")); /* 3 of 4 */
    assert_int_equal(habits->synced_calls, 2);
    assert_true(habits->synced_seconds > 6.9e-9 && habits->synced_seconds < 7.1e-9);
    assert_true(habits->longest_seconds > 49e-9 && habits->longest_seconds < 51e-9);
    assert_int_equal(site_of(profile, "read")->habits->longest_dry_run, 2);
    assert_int_equal(site_of(profile, "write")->habits->adjacent.count, 1);
    profile_free(profile);
}

static void one_process_has_its_own(void **state)
{
    (void)state;
    struct profile *const profile = load_of(RECORDS, 2);
    const struct io_habits *const habits = site_of(profile, "writev")->habits;
    assert_int_equal(habits->adjacent.count, 2);
    assert_int_equal(habits->synced_calls, 1);
    assert_true(habits->longest_seconds > 49e-9 && habits->longest_seconds < 51e-9);
    profile_free(profile);
}

static void a_thread_is_named_where_it_is_the_only_one(void **state)
{
    (void)state;
    static const struct {
        const char *calls, *name;
    } rows[] = {
        {"1 io 10 1 9 9 9 1 2 0 0\n", "main"},
        {"3 io 10 1 9 9 9 1 2 0 0\n3 io 11 1 9 9 9 1 2 0 0\n", "worker"},
        {"1 io 10 1 9 9 9 1 2 0 0\n3 io 11 1 9 9 9 1 2 0 0\n", ""},
        {"1 io 10 1 9 9 9 1 2 0 0\n2 io 11 1 9 9 9 1 2 0 0\n", ""},
        {"2 io 10 1 9 9 9 1 2 0 0\n", ""}, /* nobody named it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char middle[1024];
        snprintf(middle, sizeof middle,
                 "stream 3 1 100 102 0\n3 node 1 0 0x400101\n3 node 2 1 0x400201\n"
                 "1 thread 7 100 main\n3 thread 7 102 worker\n%s",
                 rows[i].calls);
        struct profile *const profile = load_of(middle, 0);
        assert_int_equal(profile->n_io_sites, 1);
        assert_string_equal(profile->io_sites[0].habits->thread, rows[i].name);
        profile_free(profile);
    }
}

static void the_most_frequent_of_many_is_kept(void **state)
{
    (void)state;
    struct io_habits_votes votes = {{0}, {0}};
    for (uint32_t i = 0; i < 1000; i++) {
        io_habits_vote(&votes, i + 10, 1);
        if (i % 2)
            io_habits_vote(&votes, 7, 1);
    }
    uint64_t sum = 0, of_7 = 0;
    for (size_t i = 0; i < IO_HABITS_BEFORE; i++) {
        sum += votes.counts[i];
        of_7 += votes.sites[i] == 7 ? votes.counts[i] : 0;
    }
    assert_int_equal(sum, 1500);
    assert_true(of_7 >= 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_of_a_row_are_summed),
        cmocka_unit_test(one_process_has_its_own),
        cmocka_unit_test(a_thread_is_named_where_it_is_the_only_one),
        cmocka_unit_test(the_most_frequent_of_many_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
