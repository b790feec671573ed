/* SPDX-License-Identifier: MIT */
/* When do blocks come and go so that a pool is worth it, and how large must it be? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/place_case.h"

#define N_OF(table) (sizeof(table) / sizeof *(table))

static void objects(struct place_case *run)
{
    place_case_blocks(run, 0, 5000, 64);
    run->places[0].max_live_count = 250;
    run->habits[0].slots_999 = 200;
    run->freed_at.count = 0; /* not by the function that allocates */
}

static void too_few(struct place_case *run)
{
    place_case_blocks(run, 0, 999, 64);
    run->profile.totals.alloc_count = 1000;
    run->freed_at.count = 0;
}
static void too_small_a_share(struct place_case *run)
{
    run->profile.totals.alloc_count = 100001;
}
static void too_many_live(struct place_case *run)
{
    run->places[0].max_live_count = 251;
}
static void main_store(struct place_case *run)
{
    run->places[0].metrics.alloc_count = run->places[0].metrics.free_count = 100000000;
    run->places[0].max_live_count = 65537;
}
static void long_lived(struct place_case *run)
{
    run->places[0].lifetime_ns.p99 = 1000000000;
}
static void many_sizes(struct place_case *run)
{
    run->places[0].sizes = (struct quantiles){16, 48, 64, 65, 80, 5000};
}
static void resized(struct place_case *run)
{
    run->places[0].metrics.realloc_count = 1;
}
static void kept(struct place_case *run)
{
    run->places[0].metrics.free_count = 4499;
}

static void objects_that_come_and_go_are_pooled(void **state)
{
    (void)state;
    static const struct place_change changes[] = {
        {"999 blocks", too_few},
        {"less than 5 % of allocations", too_small_a_share},
        {"fewer than 20 uses of a slot", too_many_live},
        {"65,537 live", main_store},
        {"lives of a tenth of the run", long_lived},
        {"sizes of several classes", many_sizes},
        {"blocks that are resized", resized},
        {"a tenth kept", kept},
    };
    place_case_limits("AL101", objects, changes, N_OF(changes));
}

static const struct finding *find_pool(struct place_case *run, uint64_t count, uint64_t max_live,
                                       uint64_t slots_999)
{
    place_case_init(run);
    objects(run);
    run->places[0].metrics.alloc_count = run->places[0].metrics.free_count = count;
    run->places[0].max_live_count = max_live;
    run->habits[0].slots_999 = slots_999;
    const struct finding *const finding = place_case_find(run, "AL101");
    assert_non_null(finding);
    return finding;
}

static void small_pools_hold_all_and_large_ones_nearly_all(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        uint64_t max_live, slots_999, slots;
    } rows[] = {{1, 1, 1}, {1024, 3, 1024}, {1025, 900, 900}, {2000, 0, 2000}, {2000, 3000, 2000}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        const struct finding *const finding =
            find_pool(&run, 90000, rows[i].max_live, rows[i].slots_999);
        assert_int_equal(finding->suggestion.pool.slots, rows[i].slots);
        assert_int_equal(finding->suggestion.pool.max_live, rows[i].max_live);
        assert_true(finding->saves.allocations.value == 90000 - (double)rows[i].slots);
    }
    place_case_fini();
}

static void a_slot_holds_every_size_of_its_class(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        struct quantiles sizes;
        uint64_t bytes;
        const char *says;
    } rows[] = {
        {{40, 40, 40, 40, 40, 5000}, 40, "satisfy all"},
        {{33, 40, 44, 48, 48, 5000}, 48, "satisfy all"},
        {{16, 24, 24, 24, 24, 5000}, 32, "satisfy all"},
        {{8, 40, 44, 48, 900, 5000}, 48, "at least 99 %"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        objects(&run);
        run.places[0].sizes = rows[i].sizes;
        const struct finding *const finding = place_case_find(&run, "AL101");
        assert_non_null(finding);
        assert_int_equal(finding->suggestion.pool.object_bytes, rows[i].bytes);
        assert_non_null(strstr(finding->suggestion.text, rows[i].says));
    }
    place_case_fini();
}

static void a_pool_of_one_is_told_as_a_block_to_keep(void **state)
{
    (void)state;
    struct place_case run;
    assert_non_null(strstr(find_pool(&run, 5000, 1, 1)->suggestion.text, "no two of 5,000"));
    assert_null(strstr(find_pool(&run, 5000, 2, 1)->suggestion.text, "no two"));
    place_case_fini();
}

static void the_pool_is_shared_where_threads_free_for_each_other(void **state)
{
    (void)state;
    struct place_case run;
    static const struct {
        uint32_t n_threads;
        uint64_t freed_elsewhere;
        int scope;
        const char *says;
    } rows[] = {{1, 0, POOL_GLOBAL, "no lock"},
                {1, 1, POOL_GLOBAL, "needs a lock"},
                {4, 50, POOL_PER_THREAD, "each thread"},
                {4, 51, POOL_GLOBAL, "needs a lock"}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        place_case_init(&run);
        objects(&run);
        run.places[0].most_threads = rows[i].n_threads;
        run.habits[0].freed_elsewhere_count = rows[i].freed_elsewhere;
        const struct finding *const finding = place_case_find(&run, "AL101");
        assert_non_null(finding);
        assert_int_equal(finding->suggestion.pool.scope, rows[i].scope);
        assert_non_null(strstr(finding->suggestion.text, rows[i].says));
    }
    place_case_fini();
}

static void processes_have_a_pool_each(void **state)
{
    (void)state;
    struct place_case run;
    place_case_init(&run);
    objects(&run);
    run.places[0].n_threads = run.places[0].n_processes = 3;
    const struct finding *const finding = place_case_find(&run, "AL101");
    assert_non_null(finding);
    assert_non_null(strstr(finding->title, "250 live at once in a process"));
    assert_non_null(strstr(finding->suggestion.text, "250 of them in each process"));
    assert_non_null(strstr(finding->suggestion.text, "no lock"));
    assert_true(finding->saves.allocations.value == 5000 - 3 * 250);
    place_case_fini();
}

/* One stack had 200 live, the other 50: 250 together, if both had them at the same time. */
static void what_several_stacks_leave_open_is_told(void **state)
{
    (void)state;
    struct place_case run;
    static const struct site stacks[] = {{.max_live_count = 200}, {.max_live_count = 50}};
    static const uint32_t numbers[] = {0, 1};
    place_case_init(&run);
    objects(&run);
    run.profile.sites = stacks;
    run.places[0].n_stacks = 2;
    run.places[0].stacks = numbers;
    const struct finding *const finding = place_case_find(&run, "AL101");
    assert_non_null(finding);
    assert_non_null(strstr(finding->title, "allocated, 200 to 250 live at once"));
    assert_non_null(strstr(finding->suggestion.text, "200 to 250 of them"));
    assert_non_null(strstr(finding->suggestion.text, "of memory at most."));
    assert_int_equal(finding->suggestion.pool.slots, 250);
    place_case_fini();
}

static void an_upper_bound_is_doubted(void **state)
{
    (void)state;
    struct place_case run;
    const double sure = find_pool(&run, 5000, 250, 200)->confidence;
    place_case_init(&run);
    objects(&run);
    run.places[0].n_stacks = 2;
    const struct finding *const finding = place_case_find(&run, "AL101");
    assert_true(finding->confidence < sure && finding->n_reasons > 0);
    place_case_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_that_come_and_go_are_pooled),
        cmocka_unit_test(small_pools_hold_all_and_large_ones_nearly_all),
        cmocka_unit_test(a_slot_holds_every_size_of_its_class),
        cmocka_unit_test(a_pool_of_one_is_told_as_a_block_to_keep),
        cmocka_unit_test(the_pool_is_shared_where_threads_free_for_each_other),
        cmocka_unit_test(processes_have_a_pool_each),
        cmocka_unit_test(what_several_stacks_leave_open_is_told),
        cmocka_unit_test(an_upper_bound_is_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
