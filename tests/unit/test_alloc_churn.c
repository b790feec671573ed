/* SPDX-License-Identifier: MIT */
/* When are temporary blocks a storm? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void storm(struct place_case *run)
{
    place_case_blocks(run, 0, 8000, 64);
    run->places[0].sizes = (struct quantiles){8, 64, 500, 2000, 4000, 8000};
    run->places[0].metrics.temporary_count = 5000;
    run->freed_at.count = 0;
}

static void too_few(struct place_case *run)
{
    run->places[0].metrics.temporary_count = 999;
    run->profile.totals.alloc_count = 1000;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}

static void blocks_freed_at_once_are_a_storm(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"999 blocks", too_few},
        {"less than 5 % of allocations", too_small_a_share},
    };
    place_case_limits("AL104", storm, changes, N_OF(changes));
}

static void a_run_of_nothing_has_no_finding(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    assert_null(place_case_find(&run, "AL104"));
    place_case_fini();
}

static void what_fits_a_pool_or_the_stack_is_told_as_that(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    storm(&run);
    run.places[0].sizes = (struct quantiles){64, 64, 64, 64, 64, 8000};
    assert_null(place_case_find(&run, "AL104"));
    assert_non_null(place_case_find(&run, "AL101"));
    run.freed_at.count = 8000;
    assert_null(place_case_find(&run, "AL101"));
    assert_non_null(place_case_find(&run, "AL102"));
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_freed_at_once_are_a_storm),
        cmocka_unit_test(a_run_of_nothing_has_no_finding),
        cmocka_unit_test(what_fits_a_pool_or_the_stack_is_told_as_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
