/* SPDX-License-Identifier: MIT */
/* Which plans come of which findings. What a replay says of them is in tests/e2e/prove.py. */
#include "findings/prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reader/habits.h"

enum { SITES = 4, MANY = OPS_MAX_ROWS + 20 };

static const struct rule pool_rule = {.id = "AL901", .kind = SUGGEST_OBJECT_POOL};
static const struct rule arena_rule = {.id = "AL902", .kind = SUGGEST_ARENA};
static const struct rule reserve_rule = {.id = "AL903", .kind = SUGGEST_RESERVE_CAPACITY};
static const struct rule stack_rule = {.id = "AL904", .kind = SUGGEST_STACK_OR_INLINE};
static const struct rule reuse_rule = {.id = "AL905", .kind = SUGGEST_REUSE_BUFFER};
static const struct rule leak_rule = {.id = "AL906", .kind = SUGGEST_FREE_IT};
static const struct rule io_rule = {.id = "IO907", .kind = SUGGEST_BUFFER_IO};

/* Stack i has the id "000000000000000i"; place 0 sums up stacks 0 and 1, place 1 is 2, place 2 is 3. */
static struct site sites[MANY], places[3];
static const struct profile profile = {
    .sites = sites, .n_sites = SITES, .places = places, .n_places = 3};
static uint32_t numbers[MANY];

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        sites[i] = (struct site){.n_threads = 1};
        snprintf(sites[i].id, sizeof sites[i].id, "%016x", i);
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 3; i++)
        places[i] = (struct site){.n_threads = 1,
                                  .most_threads = 1,
                                  .sizes = {.max = 100},
                                  .n_stacks = i == 0 ? 2 : 1,
                                  .stacks = &numbers[i == 0 ? 0 : i + 1]};
    return 0;
}

static struct finding pool_of(const struct site *place)
{
    return (struct finding){
        .rule = &pool_rule, .site = place, .suggestion.pool = {true, 64, 7, 9, POOL_GLOBAL}};
}

/* The plan of one finding, to free(3). */
static struct replay_plan plan_of(const struct finding *finding)
{
    struct replay_plan plan = {.n_rows = 0};
    assert_int_equal(prove_plan(finding, &profile, 3, &plan), 0);
    return plan;
}

static void each_technique_has_its_numbers(void **state)
{
    (void)state;
    const struct {
        const char *what;
        struct finding finding;
        struct replay_plan_row row;
    } rows[] = {
        {"pool", pool_of(&places[1]), {.technique = REPLAY_POOL, .bytes = 64, .slots = 9}},
        {"arena: blocks may lie 16 bytes apart",
         {.rule = &arena_rule, .site = &places[1], .suggestion.arena = {true, 1000, 10, 100}},
         {.technique = REPLAY_ARENA, .bytes = 1160, .group = 3}},
        {"reserve",
         {.rule = &reserve_rule, .site = &places[1], .suggestion.reserve = {true, 512, 5, 480}},
         {.technique = REPLAY_RESERVE, .bytes = 512}},
        {"stack",
         {.rule = &stack_rule, .site = &places[1]},
         {.technique = REPLAY_STACK, .bytes = 100}},
        {"reuse",
         {.rule = &reuse_rule, .site = &places[1], .suggestion.buffer = {true, 50, 1000, 1}},
         {.technique = REPLAY_REUSE, .bytes = 100}},
        {"reuse by what is temporary",
         {.rule = &reuse_rule, .site = &places[1]},
         {.technique = REPLAY_REUSE, .bytes = 100, .only_temporary = true}},
        {"more buffers in use than threads",
         {.rule = &reuse_rule, .site = &places[1], .suggestion.buffer = {true, 50, 1000, 5}},
         {.technique = REPLAY_POOL, .bytes = 100, .slots = 5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct replay_plan plan = plan_of(&rows[i].finding);
        const struct replay_plan_row *const row = plan.rows, *const wanted = &rows[i].row;
        if (plan.n_rows != 1 || row->technique != wanted->technique ||
            row->bytes != wanted->bytes || row->slots != wanted->slots ||
            row->group != wanted->group || row->only_temporary != wanted->only_temporary ||
            row->is_shared)
            fail_msg("%s", rows[i].what);
        assert_string_equal(row->site, "0000000000000002");
        plan_fini(&plan);
    }
}

static void some_findings_have_nothing_to_try(void **state)
{
    (void)state;
    static const struct io_site io_site;
    const struct finding rows[] = {
        {.rule = &leak_rule, .site = &places[0]},
        {.rule = &io_rule, .io_site = &io_site, .suggestion.buffer = {true, 65536, 500, 1}},
        {.rule = &reuse_rule, .io_site = &io_site, .suggestion.buffer = {true, 65536, 500, 1}},
        {.rule = &pool_rule, .site = &places[0]}, /* no pool is known */
        {.rule = &leak_rule, .site = &places[0], .suggestion.pool = {true, 64, 7, 9, POOL_GLOBAL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct replay_plan plan = plan_of(&rows[i]);
        if (plan.n_rows)
            fail_msg("row %zu has a technique", i);
        assert_null(plan.rows);
    }
}

static void each_stack_of_a_place_is_a_row(void **state)
{
    (void)state;
    const struct finding finding = pool_of(&places[0]);
    struct replay_plan plan = plan_of(&finding);
    assert_int_equal(plan.n_rows, 2);
    assert_string_equal(plan.rows[0].site, "0000000000000000");
    assert_string_equal(plan.rows[1].site, "0000000000000001");
    assert_int_equal(plan.rows[1].slots, 9);
    plan_fini(&plan);
}

static void a_pool_is_shared_by_threads_alone(void **state)
{
    (void)state;
    static const struct {
        uint32_t n_threads;
        uint64_t freed_elsewhere_count;
        int scope;
        bool is_shared;
    } rows[] = {{1, 0, POOL_GLOBAL, false},
                {1, 1, POOL_GLOBAL, true},
                {2, 0, POOL_GLOBAL, true},
                {2, 0, POOL_PER_THREAD, false},
                {8, 5, POOL_PER_REQUEST, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct site_habits habits = {.freed_elsewhere_count = rows[i].freed_elsewhere_count};
        struct finding finding = pool_of(&places[1]);
        places[1].habits = &habits;
        places[1].n_threads = places[1].most_threads = rows[i].n_threads;
        finding.suggestion.pool.scope = rows[i].scope;
        struct replay_plan plan = plan_of(&finding);
        if (plan.rows[0].is_shared != rows[i].is_shared)
            fail_msg("row %zu", i);
        plan_fini(&plan);
    }
}

static struct finding arena_of(const struct site *place, const struct site *const *others,
                               uint32_t n_others)
{
    return (struct finding){.rule = &arena_rule,
                            .site = place,
                            .sites = others,
                            .n_sites = n_others,
                            .suggestion.arena = {true, 4096, 10, 100}};
}

static void places_of_an_arena_share_it(void **state)
{
    (void)state;
    static const struct site *const others[] = {&places[1], &places[2]};
    const struct finding finding = arena_of(&places[0], others, 2);
    struct replay_plan plan = plan_of(&finding);
    assert_int_equal(plan.n_rows, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(plan.rows[i].technique, REPLAY_ARENA);
        assert_int_equal(plan.rows[i].group, 3);
        assert_string_equal(plan.rows[i].site, sites[i].id);
    }
    plan_fini(&plan);
}

/* The best finding about a place decides; two arenas are two groups. */
static void the_first_to_name_a_place_has_it(void **state)
{
    (void)state;
    static const struct site *const others[] = {&places[1]};
    struct finding pool = pool_of(&places[1]);
    struct finding both = arena_of(&places[0], others, 1), last = arena_of(&places[2], NULL, 0);
    struct finding *ranked[] = {&pool, &both, &last};
    const struct findings findings = {.profile = &profile, .n = 3, .ranked = ranked, .n_all = 3};
    struct replay_plan plan;
    assert_int_equal(prove_plan_all(&findings, &plan), 0);
    assert_int_equal(plan.n_rows, 4);
    assert_string_equal(plan.rows[0].site, "0000000000000002");
    assert_int_equal(plan.rows[0].technique, REPLAY_POOL);
    assert_int_equal(plan.rows[1].technique, REPLAY_ARENA);
    assert_int_equal(plan.rows[1].group, plan.rows[2].group);
    assert_int_not_equal(plan.rows[1].group, plan.rows[3].group);
    plan_fini(&plan);
}

static void nothing_found_is_an_empty_plan(void **state)
{
    (void)state;
    const struct findings findings = {.profile = &profile};
    struct replay_plan plan;
    assert_int_equal(prove_plan_all(&findings, &plan), 0);
    assert_int_equal(plan.n_rows, 0);
    plan_fini(&plan);
}

static void a_plan_has_its_limit(void **state)
{
    (void)state;
    struct site place = {.n_threads = 1, .most_threads = 1, .n_stacks = MANY, .stacks = numbers};
    const struct finding finding = pool_of(&place);
    struct replay_plan plan = plan_of(&finding);
    assert_int_equal(plan.n_rows, OPS_MAX_ROWS);
    plan_fini(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_technique_has_its_numbers, set_up),
        cmocka_unit_test_setup(some_findings_have_nothing_to_try, set_up),
        cmocka_unit_test_setup(each_stack_of_a_place_is_a_row, set_up),
        cmocka_unit_test_setup(a_pool_is_shared_by_threads_alone, set_up),
        cmocka_unit_test_setup(places_of_an_arena_share_it, set_up),
        cmocka_unit_test_setup(the_first_to_name_a_place_has_it, set_up),
        cmocka_unit_test_setup(nothing_found_is_an_empty_plan, set_up),
        cmocka_unit_test_setup(a_plan_has_its_limit, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
