/* SPDX-License-Identifier: MIT */
#include "report/io_kinds.h"

#include "report/io_stacks.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { SITES_MAX = 40 };

static size_t find(const struct io_site *sites, size_t n, struct io_kind *kinds, uint64_t *more_out)
{
    const struct profile profile = {.io_recorded = true, .n_io_sites = n, .io_sites = sites};
    struct io_stacks stacks;
    const struct site *range_sites[SITES_MAX];
    assert_true(n <= SITES_MAX);
    assert_int_equal(io_stacks_of_sites(&profile, NULL, &stacks), 0);
    for (size_t i = 0; i < n; i++)
        range_sites[i] = &stacks.profile.sites[i];
    const struct calltree_range range = {range_sites, n, 0};
    const size_t found = io_kinds_find(&stacks.profile, &range, kinds, more_out);
    for (size_t k = 0; k < found; k++) /* the copies go */
        kinds[k].main = &sites[kinds[k].main - stacks.profile.io_sites];
    io_stacks_fini(&stacks);
    return found;
}

static void calls_of_one_kind_are_summed_and_the_slowest_comes_first(void **state)
{
    (void)state;
    const struct io_site sites[] = {
        {.op = "read", .path = "/a", .n_files = 1, .calls = 2, .seconds = 1, .failed = 1},
        {.op = "read", .layer = IO_LAYER_STDIO, .path = "/a", .n_files = 1, .calls = 5},
        {.op = "write", .path = "/b", .n_files = 1, .calls = 3, .seconds = 9},
        {.op = "read", .path = "/a", .n_files = 1, .calls = 4, .seconds = 2, .failed = 2},
        {.op = "write", .path = "/c", .n_files = 1, .calls = 1, .seconds = 1},
    };
    struct io_kind kinds[IO_KINDS_MAX];
    uint64_t more = 1;
    assert_int_equal(find(sites, 5, kinds, &more), 3);
    assert_int_equal(more, 0);
    assert_ptr_equal(kinds[0].main, &sites[2]);
    assert_int_equal(kinds[0].calls, 4);
    assert_false(kinds[0].one_path);
    assert_int_equal(kinds[1].calls, 6);
    assert_int_equal(kinds[1].failed, 3);
    assert_true(kinds[1].one_path);
    assert_int_equal(kinds[2].main->layer, IO_LAYER_STDIO);
}

static void quantiles_become_bounds(void **state)
{
    (void)state;
    const struct io_site sites[] = {
        {.op = "read", .path = "", .sizes = {8, 10, 20, 30, 40, 5}},
        {.op = "read", .path = ""}, /* moved nothing */
        {.op = "read", .path = "", .sizes = {2, 90, 90, 90, 95, 1}},
    };
    struct io_kind kinds[IO_KINDS_MAX];
    uint64_t more = 0;
    assert_int_equal(find(sites, 3, kinds, &more), 1);
    assert_int_equal(kinds[0].size_low, 10);
    assert_int_equal(kinds[0].sizes.min, 2);
    assert_int_equal(kinds[0].sizes.p50, 90);
    assert_int_equal(kinds[0].sizes.p99, 90);
    assert_int_equal(kinds[0].sizes.max, 95);
    assert_int_equal(kinds[0].sizes.n, 6);
    assert_int_equal(kinds[0].latency.n, 0);
}

static void kinds_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    char names[SITES_MAX][8];
    struct io_site sites[SITES_MAX];
    for (size_t i = 0; i < SITES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "op%zu", i);
        sites[i] = (struct io_site){.op = names[i], .path = "", .calls = 10};
    }
    struct io_kind kinds[IO_KINDS_MAX];
    uint64_t more = 0;
    assert_int_equal(find(sites, SITES_MAX, kinds, &more), IO_KINDS_MAX);
    assert_int_equal(more, 10 * (SITES_MAX - IO_KINDS_MAX));
}

static void damaged_counts_do_not_wrap(void **state)
{
    (void)state;
    const struct io_site sites[] = {{.op = "read", .path = "", .calls = UINT64_MAX},
                                    {.op = "read", .path = "", .calls = 7}};
    struct io_kind kinds[IO_KINDS_MAX];
    uint64_t more = 0;
    assert_int_equal(find(sites, 2, kinds, &more), 1);
    assert_true(kinds[0].calls == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_one_kind_are_summed_and_the_slowest_comes_first),
        cmocka_unit_test(quantiles_become_bounds),
        cmocka_unit_test(kinds_beyond_the_limit_are_counted),
        cmocka_unit_test(damaged_counts_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
