/* SPDX-License-Identifier: MIT */
/* When does what is never freed grow, and when was it there from the beginning? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void leak_in(struct place_case *run, unsigned n_eighths)
{
    struct site *const site = &run->places[0];
    const uint64_t blocks = 800 / n_eighths, bytes = 80000 / n_eighths;
    place_case_blocks(run, 0, 2000, 100);
    memset(run->habits[0].leaked_born, 0, sizeof run->habits[0].leaked_born);
    memset(run->habits[0].leaked_born_bytes, 0, sizeof run->habits[0].leaked_born_bytes);
    for (unsigned i = 0; i < n_eighths; i++) {
        run->habits[0].leaked_born[i] = blocks;
        run->habits[0].leaked_born_bytes[i] = bytes;
    }
    site->metrics.leaked_count = n_eighths * blocks;
    site->metrics.leaked_bytes = site->metrics.peak_bytes = n_eighths * bytes;
    run->profile.totals.leaked_bytes = 100000;
}
static void growing(struct place_case *run)
{
    leak_in(run, 6);
}
static void initial(struct place_case *run)
{
    leak_in(run, 1);
}

static void five_eighths(struct place_case *run)
{
    leak_in(run, 5);
}
static void one_jump(struct place_case *run)
{
    run->habits[0].leaked_born_bytes[3] = 5 * 13333 + 1;
}
static void too_few_bytes(struct place_case *run)
{
    run->places[0].metrics.leaked_bytes = 65535;
}
static void too_few_blocks(struct place_case *run)
{
    run->places[0].metrics.leaked_count = 99;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.leaked_bytes = 20 * 80000 + 1;
}
static void of_the_runtime(struct place_case *run)
{
    run->places[0].leak_owner = LEAK_RUNTIME;
}
static void suppressed(struct place_case *run)
{
    run->places[0].leak_owner = LEAK_SUPPRESSED;
}
static void one_later(struct place_case *run)
{
    run->habits[0].leaked_born_bytes[7] = 1;
}

static void of_nine_processes(struct place_case *run)
{
    run->places[0].n_processes = 9; /* 88 blocks each */
}

static void leaks_from_all_of_the_run_grow(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"blocks from 5 of 8 parts", five_eighths},
        {"more than half from one part", one_jump},
        {"less than 64 KiB", too_few_bytes},
        {"99 blocks", too_few_blocks},
        {"fewer than 100 blocks of a process", of_nine_processes},
        {"less than 5 % of what leaked", too_small_a_share},
        {"blocks of the C library", of_the_runtime},
        {"blocks that were suppressed", suppressed},
    };
    place_case_limits("AL120", growing, changes, N_OF(changes));
}

static void leaks_from_the_beginning_are_told_apart(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"one block of later", one_later},
        {"less than 64 KiB", too_few_bytes},
        {"less than 5 % of what leaked", too_small_a_share},
        {"blocks of the C library", of_the_runtime},
    };
    place_case_limits("AL121", initial, changes, N_OF(changes));
}

static void leaks_from_the_beginning_are_told_for_information(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    initial(&run);
    run.profile.totals.peak_bytes = 80000;
    assert_int_equal(place_case_find(&run, "AL121")->severity, SEVERITY_INFO);
    place_case_fini();
}

/* 80 kB in 10 s are half a megabyte a minute. */
static void fast_growth_is_severe_where_it_is_much_of_the_peak(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        double seconds;
        uint64_t peak_bytes;
        enum finding_severity severity;
    } rows[] = {
        {4.7, 780000, SEVERITY_HIGH}, {4.9, 780000, SEVERITY_HIGH}, {4.7, 900000, SEVERITY_MEDIUM}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        leak_in(&run, 8);
        run.profile.totals.duration_seconds = rows[i].seconds;
        run.profile.totals.peak_bytes = rows[i].peak_bytes;
        assert_int_equal(place_case_find(&run, "AL120")->severity, rows[i].severity);
    }
    place_case_fini();
}

static void uneven_growth_is_doubted(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    leak_in(&run, 8);
    const double even = place_case_find(&run, "AL120")->confidence;
    run.habits[0].leaked_born_bytes[0] = 30000;
    assert_true(place_case_find(&run, "AL120")->confidence < even);
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaks_from_all_of_the_run_grow),
        cmocka_unit_test(leaks_from_the_beginning_are_told_apart),
        cmocka_unit_test(leaks_from_the_beginning_are_told_for_information),
        cmocka_unit_test(fast_growth_is_severe_where_it_is_much_of_the_peak),
        cmocka_unit_test(uneven_growth_is_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
