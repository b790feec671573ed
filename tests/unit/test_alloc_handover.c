/* SPDX-License-Identifier: MIT */
/* When is a block another thread's to free so often that it matters? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void messages(struct place_case *run)
{
    place_case_blocks(run, 0, 10000, 64);
    run->places[0].n_threads = 2;
    run->places[0].max_live_count = 100;
    run->habits[0].freed_elsewhere_count = 5000;
}

static void too_few(struct place_case *run)
{
    run->places[0].metrics.free_count = run->habits[0].freed_elsewhere_count = 999;
    run->profile.totals.alloc_count = 1000;
}
static void too_small_a_part(struct place_case *run)
{
    run->places[0].metrics.free_count = 10001;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}

static void blocks_that_another_thread_frees_are_told(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"999 blocks", too_few},
        {"less than half of the frees", too_small_a_part},
        {"less than 5 % of allocations", too_small_a_share},
    };
    place_case_limits("AL134", messages, changes, N_OF(changes));
}

static void it_comes_before_a_pool(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    messages(&run);
    assert_int_equal(place_case_find(&run, "AL134")->suggestion.buffer.calls_after, 100);
    assert_null(place_case_find(&run, "AL101"));
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_another_thread_frees_are_told),
        cmocka_unit_test(it_comes_before_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
