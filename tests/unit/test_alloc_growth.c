/* SPDX-License-Identifier: MIT */
/* When does a block grow in so many steps that its size should be asked for at once? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void vectors(struct place_case *run)
{
    place_case_blocks(run, 0, 6000, 1024);
    run->habits[0].growth = (struct growth){.steps = 5000,
                                            .copied_bytes = 900000,
                                            .chains = 1000,
                                            .final_max_bytes = 2048,
                                            .final_sum_bytes = 2048000,
                                            .longest_steps = 5};
}
static void staircase(struct place_case *run)
{
    vectors(run);
    run->places[0].metrics.realloc_count = 5000;
    run->profile.totals.alloc_count = 95000;
    run->profile.totals.realloc_count = 5000;
}

static void too_few_steps(struct place_case *run)
{
    run->habits[0].growth.steps = 99;
    run->profile.totals.alloc_count = 99;
    run->profile.totals.realloc_count = 0;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count += 1;
}
static void replaced_by_larger_values(struct place_case *run)
{
    run->habits[0].growth.chains = 2501;
}
static void no_final_size(struct place_case *run)
{
    run->habits[0].growth.final_max_bytes = 0;
}
static void by_realloc(struct place_case *run)
{
    run->places[0].metrics.realloc_count = 1;
}
static void by_hand(struct place_case *run)
{
    run->places[0].metrics.realloc_count = 0;
}

static void steps_of_a_container_are_reserved(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"99 steps", too_few_steps},
        {"less than 2 steps each", replaced_by_larger_values},
        {"less than 5 % of requests", too_small_a_share},
        {"no size at the end", no_final_size},
        {"realloc", by_realloc},
    };
    place_case_limits("AL111", vectors, changes, N_OF(changes));
}

static void steps_of_realloc_are_reserved(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"99 steps", too_few_steps},
        {"less than 5 % of requests", too_small_a_share},
        {"no realloc", by_hand},
    };
    place_case_limits("AL110", staircase, changes, N_OF(changes));
}

static void one_large(struct place_case *run)
{
    staircase(run);
    run->habits[0].growth = (struct growth){20, 5000000, 1, 1048576, 1048576, 20};
}
static void less_copied(struct place_case *run)
{
    run->habits[0].growth.copied_bytes = 4999999;
}
static void few_bytes_copied(struct place_case *run)
{
    run->habits[0].growth.copied_bytes = 1048575;
    run->profile.totals.alloc_bytes = 2000000;
}

static void few_steps_that_copy_much_count_too(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"less than 5 % of bytes", less_copied},
        {"less than 1 MiB", few_bytes_copied},
    };
    place_case_limits("AL110", one_large, changes, N_OF(changes));
}

static void the_size_to_reserve_is_the_last_one_or_their_mean(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        uint64_t chains, max, sum, reserve;
    } rows[] = {{1, 2048, 2048, 2048},
                {1000, 2048, 2048000, 2048},
                {2, 2048, 3000, 2048},
                {4, 2048, 2400, 600},
                {0, 2048, 0, 2048}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        vectors(&run);
        run.habits[0].growth.chains = rows[i].chains;
        run.habits[0].growth.final_max_bytes = rows[i].max;
        run.habits[0].growth.final_sum_bytes = rows[i].sum;
        const struct finding *const finding = place_case_find(&run, "AL111");
        assert_non_null(finding);
        assert_int_equal(finding->suggestion.reserve.final_bytes, rows[i].reserve);
        assert_int_equal(finding->suggestion.reserve.growth_steps, 5000);
        assert_int_equal(finding->suggestion.reserve.copied_bytes, 900000);
    }
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_a_container_are_reserved),
        cmocka_unit_test(steps_of_realloc_are_reserved),
        cmocka_unit_test(few_steps_that_copy_much_count_too),
        cmocka_unit_test(the_size_to_reserve_is_the_last_one_or_their_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
