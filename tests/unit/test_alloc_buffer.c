/* SPDX-License-Identifier: MIT */
/* When is a block one that a buffer could stand for: kept between rounds, or on the stack? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void pages(struct place_case *run)
{
    place_case_blocks(run, 0, 100, 65536);
}

static void too_small(struct place_case *run)
{
    place_case_blocks(run, 0, 2000, 4095);
}
static void too_rare(struct place_case *run)
{
    place_case_blocks(run, 0, 99, 65536);
}
static void too_little(struct place_case *run)
{
    run->profile.totals.alloc_bytes = 20 * 100 * 65536 + 1;
}
static void two_at_once(struct place_case *run)
{
    run->places[0].max_live_count = 2;
}
static void some_kept(struct place_case *run)
{
    run->places[0].metrics.free_count = 94;
}

static void a_large_block_of_each_round_is_hoisted(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"blocks below 4 KiB", too_small},
        {"99 blocks", too_rare},
        {"less than 5 % of bytes", too_little},
        {"two live in one thread", two_at_once},
        {"6 % kept", some_kept},
    };
    place_case_limits("AL103", pages, changes, N_OF(changes));
}

static void hoisting_leaves_one_block_for_each_thread(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    pages(&run);
    run.places[0].most_threads = 4;
    run.places[0].max_live_count = 4;
    const struct finding *const finding = place_case_find(&run, "AL103");
    assert_non_null(finding);
    assert_int_equal(finding->suggestion.buffer.bytes, 65536);
    assert_int_equal(finding->suggestion.buffer.calls_before, 100);
    assert_int_equal(finding->suggestion.buffer.calls_after, 4);
    assert_true(finding->saves.allocations.value == 96);
    place_case_fini();
}

static void small(struct place_case *run)
{
    place_case_blocks(run, 0, 5000, 1024);
}

static void too_large(struct place_case *run)
{
    place_case_blocks(run, 0, 5000, 1025);
}
static void too_few(struct place_case *run)
{
    place_case_blocks(run, 0, 999, 100);
    run->profile.totals.alloc_count = 1000;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}
static void freed_by_others(struct place_case *run)
{
    run->freed_at.count = 4749;
}
static void seldom_seen(struct place_case *run)
{
    run->habits[0].freed_seen_count = run->freed_at.count = 19;
}
static void handed_over(struct place_case *run)
{
    run->habits[0].freed_elsewhere_count = 1;
}
static void resized(struct place_case *run)
{
    run->places[0].metrics.realloc_count = 1;
}
static void leaked(struct place_case *run)
{
    run->places[0].metrics.leaked_count = 1;
}

static void a_small_block_of_one_function_fits_the_stack(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"1,025 bytes", too_large},
        {"999 blocks", too_few},
        {"less than 5 % of allocations", too_small_a_share},
        {"94.98 % freed where allocated", freed_by_others},
        {"19 frees seen", seldom_seen},
        {"one freed by another thread", handed_over},
        {"one resized", resized},
        {"one leaked", leaked},
    };
    place_case_limits("AL102", small, changes, N_OF(changes));
}

static void a_sample_of_frees_is_told_as_one(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    small(&run);
    run.habits[0].freed_seen_count = run.freed_at.count = 20;
    const struct finding *const finding = place_case_find(&run, "AL102");
    assert_non_null(finding);
    assert_true(finding->evidence.sampled);
    assert_int_equal(finding->suggestion.buffer.bytes, 1024);
    place_case_fini();
}

/* Two stacks of one block each have two in their sum, which need not have been live together. */
static void several_live_at_once_are_told_where_that_is_sure(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        uint32_t n_stacks;
        uint64_t max_live;
        bool sure;
    } rows[] = {{1, 1, false}, {1, 2, true}, {2, 2, false}, {2, 3, true}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        small(&run);
        run.places[0].n_stacks = rows[i].n_stacks;
        run.places[0].max_live_count = rows[i].max_live;
        const struct finding *const finding = place_case_find(&run, "AL102");
        assert_non_null(finding);
        assert_int_equal(finding->n_reasons > 0 && strstr(finding->reasons[0], "several"),
                         rows[i].sure);
    }
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_block_of_each_round_is_hoisted),
        cmocka_unit_test(hoisting_leaves_one_block_for_each_thread),
        cmocka_unit_test(a_small_block_of_one_function_fits_the_stack),
        cmocka_unit_test(a_sample_of_frees_is_told_as_one),
        cmocka_unit_test(several_live_at_once_are_told_where_that_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
