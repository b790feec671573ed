/* SPDX-License-Identifier: MIT */
#include "report/calltree.h"
#include "report/metrics.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

enum { ALLOC, PARSE, PRINT, MAIN, PARSE_AGAIN, STRIPPED, STRIPPED_TOO, CALL_MAIN };

static const struct profile_frame frames[] = {
    [ALLOC] = {"alloc", "a.c", "/bin/x", 1, 1, false},
    [PARSE] = {"parse", "a.c", "/bin/x", 2, 2, false},
    [PRINT] = {"print", "a.c", "/bin/x", 3, 3, false},
    [MAIN] = {"main", "a.c", "/bin/x", 4, 4, false},
    [PARSE_AGAIN] = {"parse", "a.c", "/bin/x", 20, 2, false}, /* another address on the same line */
    [STRIPPED] = {"", "", "/bin/x", 5, 0, false},
    [STRIPPED_TOO] = {"", "", "/bin/x", 6, 0, false},
    [CALL_MAIN] = {"__libc_start_call_main", "", "/lib/libc.so.6", 7, 0, false},
};

#define SITE(calls, ...)                                                                           \
    {                                                                                              \
        .n_frames = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),                          \
        .frames = (const uint32_t[]){__VA_ARGS__}, .metrics = {                                    \
            .alloc_count = calls                                                                   \
        }                                                                                          \
    }

static const struct site sites[] = {
    SITE(1, ALLOC, PRINT, MAIN, CALL_MAIN),
    SITE(10, ALLOC, PARSE, MAIN, CALL_MAIN),
    SITE(100, STRIPPED, MAIN, CALL_MAIN),
    SITE(1000, ALLOC, PARSE_AGAIN, MAIN, CALL_MAIN),
    SITE(10000, STRIPPED_TOO, MAIN, CALL_MAIN),
    SITE(100000, ALLOC),
    {.metrics = {.alloc_count = 7}},
};
#define N (sizeof sites / sizeof *sites)

static const struct profile profile = {
    .n_sites = N, .sites = sites, .n_frames = sizeof frames / sizeof *frames, .frames = frames};

struct fixture {
    struct calltree *tree;
    const struct site *sites[N];
    struct calltree_measure measure;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    for (size_t i = 0; i < N; i++)
        fixture->sites[i] = &sites[i];
    fixture->measure.metric = metrics_find("alloc_count");
    assert_int_equal(calltree_new(&profile, &fixture->tree), 0);
    calltree_sort(fixture->tree, fixture->sites, N);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    calltree_free(fixture->tree);
    free(fixture);
    return 0;
}

static struct calltree_run *split(struct fixture *fixture, const struct calltree_range *range,
                                  size_t depth, size_t *n_out)
{
    struct calltree_run *runs = NULL;
    assert_int_equal(calltree_split(fixture->tree, range, depth, &fixture->measure, &runs, n_out),
                     0);
    return runs;
}

static void places_come_with_the_largest_first(void **state)
{
    struct fixture *fixture = *state;
    const struct calltree_range all = {fixture->sites, N, 0};
    static const uint64_t values[] = {101011, 10000, 100, 7};
    size_t n = 0;
    struct calltree_run *runs = split(fixture, &all, 0, &n);
    assert_int_equal(n, 4); /* alloc, two stripped ones, no stack */
    for (size_t i = 0; i < n; i++)
        assert_int_equal(runs[i].value, values[i]);
    assert_null(calltree_frame(fixture->tree, &runs[3].range, 0));
    free(runs);
}

static void addresses_of_one_line_are_one_caller(void **state)
{
    struct fixture *fixture = *state;
    const struct calltree_range all = {fixture->sites, N, 0};
    size_t n = 0, n_callers = 0;
    struct calltree_run *runs = split(fixture, &all, 0, &n);
    assert_false(calltree_is_chain(fixture->tree, &runs[0].range));
    struct calltree_run *callers = split(fixture, &runs[0].range, 1, &n_callers);
    assert_int_equal(n_callers, 3);
    assert_int_equal(callers[0].value, 100000); /* the stack that ends there */
    assert_null(calltree_frame(fixture->tree, &callers[0].range, 1));
    assert_int_equal(callers[1].value, 1010);
    assert_string_equal(calltree_frame(fixture->tree, &callers[1].range, 1)->function, "parse");
    assert_true(calltree_is_chain(fixture->tree, &callers[1].range));
    free(callers);
    free(runs);
}

static void startup_code_is_outside_of_the_stack(void **state)
{
    struct fixture *fixture = *state;
    const struct site *site = &sites[1];
    const struct calltree_range range = {&site, 1, 0};
    assert_string_equal(calltree_frame(fixture->tree, &range, 2)->function, "main");
    assert_null(calltree_frame(fixture->tree, &range, 3));
    assert_null(calltree_frame(fixture->tree, &range, 1000000));
}

static void what_a_stripped_libc_calls_main_from_is_too(void **state)
{
    static const struct profile_frame bare[] = {
        {"main", "a.c", "/bin/x", 4, 4, false},
        {"", "", "/lib/x86_64-linux-gnu/libc.so.6", 0x27249, 0, false},
        {"", "", "/bin/x", 9, 0, false},
    };
    const struct site under[] = {SITE(1, 0, 1), SITE(1, 0, 2)};
    const struct profile stripped = {.n_sites = 2, .sites = under, .n_frames = 3, .frames = bare};
    const struct site *site = &under[0];
    struct calltree_range range = {&site, 1, 0};
    struct calltree *tree;
    (void)state;
    assert_int_equal(calltree_new(&stripped, &tree), 0);
    assert_null(calltree_frame(tree, &range, 1));
    site = &under[1]; /* a caller of the program's own stays */
    assert_non_null(calltree_frame(tree, &range, 1));
    calltree_free(tree);
}

static void sums_do_not_wrap(void **state)
{
    (void)state;
    const struct site huge = {.metrics = {.alloc_count = UINT64_MAX - 1}};
    const struct site *two[] = {&huge, &huge};
    const struct calltree_range range = {two, 2, 0};
    const struct calltree_measure measure = {.metric = metrics_find("alloc_count")};
    assert_true(calltree_sum(&measure, &range) == UINT64_MAX);
}

static void inside_is_compared_up_to_the_place(void **state)
{
    struct fixture *fixture = *state;
    struct site a = sites[0], b = sites[1], c = sites[3];
    a.place = b.place = c.place = 2;
    assert_false(calltree_same_inside(fixture->tree, &a, &b));
    assert_true(calltree_same_inside(fixture->tree, &b, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(places_come_with_the_largest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_of_one_line_are_one_caller, setup, teardown),
        cmocka_unit_test_setup_teardown(startup_code_is_outside_of_the_stack, setup, teardown),
        cmocka_unit_test(what_a_stripped_libc_calls_main_from_is_too),
        cmocka_unit_test(sums_do_not_wrap),
        cmocka_unit_test_setup_teardown(inside_is_compared_up_to_the_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
