/* SPDX-License-Identifier: MIT */
#include "report/telltale.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

enum { NEW, GROW, APPEND, PARSE, PRINT, LINE, BLOCK, LINE_AGAIN, MAIN, CALL_MAIN };

static const struct profile_frame frames[] = {
    [NEW] = {"std::make", "s.h", "/bin/x", 1, 1, false},
    [GROW] = {"grow", "", "/bin/x", 2, 0, false},
    [APPEND] = {"append", "", "/bin/x", 3, 0, false},
    [PARSE] = {"parse", "", "/bin/x", 4, 0, false},
    [PRINT] = {"print", "", "/bin/x", 5, 0, false},
    [LINE] = {"line", "", "/bin/x", 6, 0, false},
    [BLOCK] = {"block", "", "/bin/x", 7, 0, false},
    [LINE_AGAIN] = {"line", "", "/bin/x", 60, 0, false}, /* of the same name */
    [MAIN] = {"main", "", "/bin/x", 8, 0, false},
    [CALL_MAIN] = {"__libc_start_call_main", "", "/lib/libc.so.6", 9, 0, false},
};

#define SITE(place_, ...)                                                                          \
    {                                                                                              \
        .n_frames = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),                          \
        .frames = (const uint32_t[]){__VA_ARGS__}, .place = place_                                 \
    }
#define N_MOST 4

static void check(const struct site *sites, size_t n, const struct telltales *expected)
{
    const struct profile profile = {
        .n_sites = n, .sites = sites, .n_frames = sizeof frames / sizeof *frames, .frames = frames};
    const struct site *order[N_MOST];
    struct telltales found[N_MOST];
    struct calltree *tree;
    for (size_t i = 0; i < n; i++)
        order[i] = &sites[i];
    assert_int_equal(calltree_new(&profile, &tree), 0);
    telltale_find(&profile, tree, order, n, 2, found);
    for (size_t i = 0; i < n; i++) {
        const struct telltales *const wanted = &expected[found[i].site - sites];
        assert_int_equal(found[i].n, wanted->n);
        for (size_t k = 0; k < wanted->n; k++) {
            assert_int_equal(found[i].frames[k].at, wanted->frames[k].at);
            assert_int_equal(found[i].frames[k].by_address, wanted->frames[k].by_address);
        }
    }
    calltree_free(tree);
}

static void stacks_that_begin_otherwise_need_nothing(void **state)
{
    (void)state;
    const struct site sites[] = {SITE(0, GROW, PARSE, MAIN), SITE(0, GROW, PRINT, MAIN)};
    static const struct telltales none[2];
    check(sites, 2, none);
}

static void each_fork_of_a_stack_is_shown(void **state)
{
    (void)state;
    const struct site sites[] = {
        SITE(0, GROW, APPEND, PARSE, LINE, MAIN),
        SITE(0, GROW, APPEND, PARSE, BLOCK, MAIN),
        SITE(0, GROW, APPEND, PRINT, MAIN),
    };
    static const struct telltales expected[] = {
        {.n = 2, .frames = {{2, false}, {3, false}}},
        {.n = 2, .frames = {{2, false}, {3, false}}},
        {.n = 1, .frames = {{2, false}}},
    };
    check(sites, 3, expected);
}

static void a_stack_that_ends_first_shows_nothing_more(void **state)
{
    (void)state;
    const struct site sites[] = {
        SITE(0, GROW, APPEND, CALL_MAIN),
        SITE(0, GROW, APPEND, MAIN, CALL_MAIN),
    };
    static const struct telltales expected[] = {{.n = 0}, {.n = 1, .frames = {{2, false}}}};
    check(sites, 2, expected);
}

static void frames_inside_tell_where_callers_do_not(void **state)
{
    (void)state;
    const struct site sites[] = {
        SITE(2, NEW, GROW, APPEND, PARSE),
        SITE(2, LINE, GROW, APPEND, PARSE),
    };
    static const struct telltales expected[] = {
        {.n = 1, .frames = {{0, false}}},
        {.n = 1, .frames = {{0, false}}},
    };
    check(sites, 2, expected);
}

static void addresses_tell_where_names_do_not(void **state)
{
    (void)state;
    const struct site sites[] = {
        SITE(0, GROW, APPEND, LINE, MAIN),
        SITE(0, GROW, APPEND, LINE_AGAIN, MAIN),
    };
    static const struct telltales expected[] = {
        {.n = 1, .frames = {{2, true}}},
        {.n = 1, .frames = {{2, true}}},
    };
    check(sites, 2, expected);
}

static void sites_without_frames_are_survived(void **state)
{
    (void)state;
    const struct site sites[] = {
        {.n_frames = 0},
        {.n_frames = 0},
        SITE(7, GROW),                  /* its place is nowhere */
        SITE(0, GROW, (uint32_t)-2, 3), /* a frame that is nowhere */
    };
    static const struct telltales none[4];
    check(sites, 4, none);
}

static void many_forks_are_bounded(void **state)
{
    (void)state;
    enum { N = 20 };
    uint32_t stacks[N][N + 2];
    struct site sites[N] = {0};
    const struct site *order[N];
    struct telltales found[N];
    struct calltree *tree;
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < N + 2; k++)
            stacks[i][k] = k < 2 + i ? PARSE : LINE;
        sites[i] = (struct site){.n_frames = N + 2, .frames = stacks[i]};
        order[i] = &sites[i];
    }
    const struct profile profile = {
        .n_sites = N, .sites = sites, .n_frames = sizeof frames / sizeof *frames, .frames = frames};
    assert_int_equal(calltree_new(&profile, &tree), 0);
    telltale_find(&profile, tree, order, N, 2, found);
    for (size_t i = 0; i < N; i++)
        assert_in_range(found[i].n, 1, TELLTALE_MAX);
    calltree_free(tree);
}

static void very_many_alike_take_no_square(void **state)
{
    (void)state;
    enum { N = 8000, DEPTH = 40 };
    uint32_t *const stacks = calloc((size_t)N * DEPTH, sizeof *stacks);
    struct site *const sites = calloc(N, sizeof *sites);
    const struct site **const order = calloc(N, sizeof *order);
    struct telltales *const found = calloc(N, sizeof *found);
    struct calltree *tree;
    assert_true(stacks && sites && order && found);
    for (size_t i = 0; i < N; i++) {
        uint32_t *const stack = &stacks[i * DEPTH];
        for (size_t k = 0; k < DEPTH; k++)
            stack[k] = PARSE;
        for (size_t k = 0; k < 15; k++)
            stack[DEPTH - 1 - k] = i >> k & 1 ? LINE : BLOCK;
        sites[i] = (struct site){.n_frames = DEPTH, .frames = stack};
        order[i] = &sites[i];
    }
    const struct profile profile = {
        .n_sites = N, .sites = sites, .n_frames = sizeof frames / sizeof *frames, .frames = frames};
    assert_int_equal(calltree_new(&profile, &tree), 0);
    const clock_t begin = clock();
    telltale_find(&profile, tree, order, N, 2, found);
    /* Squared it would be 64 million comparisons of 40 frames: half a minute. */
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 10);
    for (size_t i = 0; i < N; i++)
        assert_true(found[i].n > 0);
    calltree_free(tree);
    free(stacks);
    free(sites);
    free(order);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_that_begin_otherwise_need_nothing),
        cmocka_unit_test(each_fork_of_a_stack_is_shown),
        cmocka_unit_test(a_stack_that_ends_first_shows_nothing_more),
        cmocka_unit_test(frames_inside_tell_where_callers_do_not),
        cmocka_unit_test(addresses_tell_where_names_do_not),
        cmocka_unit_test(sites_without_frames_are_survived),
        cmocka_unit_test(many_forks_are_bounded),
        cmocka_unit_test(very_many_alike_take_no_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
