/* SPDX-License-Identifier: MIT */
/* When are large zeroed blocks freed before they can be used? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void fleeting(struct place_case *run)
{
    place_case_blocks(run, 0, 200, 131072);
    run->habits[0].calloc_count = 180;
    run->habits[0].fleeting_count = 100;
    run->habits[0].fleeting_bytes = 100 * 131072;
}

static void too_few(struct place_case *run)
{
    run->habits[0].fleeting_count = 99;
    run->places[0].metrics.alloc_count = 190;
}
static void too_small_a_part(struct place_case *run)
{
    run->places[0].metrics.alloc_count = 201;
    run->habits[0].calloc_count = 201;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_bytes = 20 * 100 * 131072 + 1;
}
static void not_zeroed(struct place_case *run)
{
    run->habits[0].calloc_count = 179;
}

static void blocks_that_cannot_have_been_filled_are_told(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"99 blocks", too_few},
        {"less than half of the place's", too_small_a_part},
        {"less than 5 % of bytes", too_small_a_share},
        {"malloc", not_zeroed},
    };
    place_case_limits("AL133", fleeting, changes, N_OF(changes));
}

static void it_comes_before_hoisting(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    fleeting(&run);
    assert_null(place_case_find(&run, "AL103"));
    run.habits[0].fleeting_count = 0;
    assert_non_null(place_case_find(&run, "AL103"));
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_cannot_have_been_filled_are_told),
        cmocka_unit_test(it_comes_before_hoisting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
