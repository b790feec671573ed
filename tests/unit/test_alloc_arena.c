/* SPDX-License-Identifier: MIT */
/* When do blocks die together, which places belong to one arena, and where is it? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void die_together(struct place_case *run, unsigned i, uint64_t id, uint64_t count)
{
    place_case_blocks(run, i, count, 32);
    run->habits[i].burst_count = count;
    run->habits[i].n_bursts = 1;
    run->places[i].max_live_count = count;
    run->habits[i].largest_burst = (struct burst){id, 1, count, 32 * count, 1.0 + i, 2, 3};
}
static void tree(struct place_case *run)
{
    die_together(run, 0, 7, 1000);
    die_together(run, 1, 7, 4000);
    die_together(run, 2, 8, 500);
}

static void some_earlier(struct place_case *run)
{
    run->habits[1].burst_count = 3599; /* 89.98 %: no member, and the other is too small a share */
}
static void another_burst(struct place_case *run)
{
    run->habits[1].largest_burst.id = 9;
    run->profile.totals.alloc_count = 100000;
}
static void too_few(struct place_case *run)
{
    run->habits[0].largest_burst.count = run->habits[1].largest_burst.count = 499;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}
static void no_burst(struct place_case *run)
{
    run->habits[0].largest_burst.id = run->habits[1].largest_burst.id = 0;
}

static void never_live_at_once(struct place_case *run)
{
    run->places[1].max_live_count = 3999;
}
static void freed_by_a_consumer(struct place_case *run)
{
    run->habits[1].freed_elsewhere_count = 2000;
}

static void places_of_one_burst_are_one_arena(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"a tenth freed on its own", some_earlier},
        {"bursts of less than a share each", another_burst},
        {"998 blocks", too_few},
        {"less than 5 % of allocations", too_small_a_share},
        {"no burst", no_burst},
        {"more in the burst than were ever live", never_live_at_once},
        {"half freed by another thread", freed_by_a_consumer},
    };
    place_case_limits("AL130", tree, changes, N_OF(changes));
}

static void the_arena_sums_up_its_members_largest_first(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    tree(&run);
    const struct finding *const finding = place_case_find(&run, "AL130");
    assert_ptr_equal(finding->site, &run.places[1]);
    assert_int_equal(finding->n_sites, 1);
    assert_ptr_equal(finding->sites[0], &run.places[0]);
    assert_int_equal(finding->suggestion.arena.blocks, 5000);
    assert_int_equal(finding->suggestion.arena.bytes, 160000);
    assert_true(finding->suggestion.arena.released_together_percent == 100);
    assert_true(finding->saves.allocations.value == 4999);
    place_case_fini();
}

static void the_place_is_where_all_members_come_from(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    tree(&run);
    const struct finding *finding = place_case_find(&run, "AL130");
    assert_int_equal(finding->place.n_frames, 1);
    assert_int_equal(finding->place.frames[finding->place.place], 4); /* main */

    place_case_init(&run);
    die_together(&run, 0, 7, 6000);
    finding = place_case_find(&run, "AL130");
    assert_int_equal(finding->place.n_frames, 2);
    assert_int_equal(finding->place.frames[finding->place.place], 0);
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_of_one_burst_are_one_arena),
        cmocka_unit_test(the_arena_sums_up_its_members_largest_first),
        cmocka_unit_test(the_place_is_where_all_members_come_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
