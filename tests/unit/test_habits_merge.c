/* SPDX-License-Identifier: MIT */
/* Are habits of several stacks added, compared and joined as each of them should be? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reader/habits_merge.h"

static void counts_add_up_and_extremes_win(void **state)
{
    (void)state;
    const struct site_habits first = {.calloc_count = 1,
                                      .alignment_bytes = 64,
                                      .first_alloc_seconds = 2,
                                      .last_alloc_seconds = 3,
                                      .slots_999 = 5,
                                      .growth = {.steps = 4, .final_max_bytes = 100, .chains = 1},
                                      .leaked_born = {1, 2}};
    const struct site_habits second = {.calloc_count = 2,
                                       .alignment_bytes = 32,
                                       .first_alloc_seconds = 1,
                                       .last_alloc_seconds = 2.5,
                                       .slots_999 = 7,
                                       .growth = {.steps = 1, .final_max_bytes = 900, .chains = 2},
                                       .leaked_born = {10}};
    struct site_habits sum = {0};
    struct storage storage = {0};
    assert_int_equal(habits_merge(&storage, &sum, &first), 0);
    assert_int_equal(habits_merge(&storage, &sum, NULL), 0);
    assert_int_equal(habits_merge(&storage, &sum, &second), 0);
    assert_int_equal(sum.calloc_count, 3);
    assert_int_equal(sum.alignment_bytes, 64);
    assert_true(sum.first_alloc_seconds == 1 && sum.last_alloc_seconds == 3);
    assert_int_equal(sum.slots_999, 12);
    assert_int_equal(sum.growth.steps, 5);
    assert_int_equal(sum.growth.chains, 3);
    assert_int_equal(sum.growth.final_max_bytes, 900);
    assert_int_equal(sum.leaked_born[0], 11);
    assert_int_equal(sum.leaked_born[1], 2);
    storage_fini(&storage);
}

static void blocks_that_died_in_one_run_are_one_burst(void **state)
{
    (void)state;
    const struct site_habits small = {
        .largest_burst = {
            .id = 1, .count = 40, .bytes = 400, .first_born_seconds = 2, .died_seconds = 5}};
    const struct site_habits same = {
        .largest_burst = {
            .id = 1, .count = 60, .bytes = 100, .first_born_seconds = 1, .died_seconds = 4}};
    const struct site_habits larger = {.largest_burst = {.id = 2, .count = 200, .bytes = 1}};
    struct site_habits sum = {0};
    struct storage storage = {0};
    habits_merge(&storage, &sum, &small);
    habits_merge(&storage, &sum, &same);
    assert_int_equal(sum.largest_burst.count, 100);
    assert_int_equal(sum.largest_burst.bytes, 500);
    assert_true(sum.largest_burst.first_born_seconds == 1 && sum.largest_burst.died_seconds == 5);
    habits_merge(&storage, &sum, &larger);
    assert_int_equal(sum.largest_burst.id, 2);
    assert_int_equal(sum.largest_burst.count, 200);
    storage_fini(&storage);
}

static void places_of_freeing_are_joined_most_frequent_first(void **state)
{
    (void)state;
    static const uint32_t frames[] = {3, 4, 5};
    const struct freed_at here[] = {{.n_frames = 1, .frames = &frames[0], .count = 10},
                                    {.n_frames = 1, .frames = &frames[1], .count = 5}};
    const struct freed_at there[] = {{.n_frames = 1, .frames = &frames[1], .count = 7},
                                     {.n_frames = 1, .frames = &frames[2], .count = 1}};
    const struct site_habits first = {.freed_at = here, .n_freed_at = 2, .freed_seen_count = 15};
    const struct site_habits second = {.freed_at = there, .n_freed_at = 2, .freed_seen_count = 8};
    struct site_habits sum = {0};
    struct storage storage = {0};
    habits_merge(&storage, &sum, &first);
    habits_merge(&storage, &sum, &second);
    assert_int_equal(sum.freed_seen_count, 23);
    assert_int_equal(sum.n_freed_at, 3);
    assert_int_equal(sum.freed_at[0].count, 12);
    assert_int_equal(sum.freed_at[0].frames[0], 4);
    assert_int_equal(sum.freed_at[1].count, 10);
    assert_int_equal(sum.freed_at[2].count, 1);
    storage_fini(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up_and_extremes_win),
        cmocka_unit_test(blocks_that_died_in_one_run_are_one_burst),
        cmocka_unit_test(places_of_freeing_are_joined_most_frequent_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
